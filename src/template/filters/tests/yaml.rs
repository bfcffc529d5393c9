//! How PyYAML writes containers.

use super::check;

const CASES: &[(&str, &str)] = &[
    ("none|to_yaml", r"'null\n'"),
    ("1|to_yaml", r"'1\n'"),
    ("true|to_yaml", r"'true\n'"),
    ("1.5|to_yaml", r"'1.5\n'"),
    ("1e20|to_yaml", r"'1.0e+20\n'"),
    ("1e-7|to_yaml", r"'1.0e-07\n'"),
    ("[]|to_yaml", r"'[]\n'"),
    ("{}|to_yaml", r"'{}\n'"),
    ("[1,[2,3],{'a':1}]|to_yaml", r"'- 1\n- [2, 3]\n- {a: 1}\n'"),
    ("{'b':1,'a':[1,2],'c':{'d':none}}|to_yaml", r"'a: [1, 2]\nb: 1\nc: {d: null}\n'"),
    ("{'b':1,'a':[1,2],'c':{'d':none}}|to_nice_yaml", r"'a:\n- 1\n- 2\nb: 1\nc:\n    d: null\n'"),
    (
        "{'a':[{'b':1,'c':[1,2]},{'d':[]},{}]}|to_nice_yaml",
        r"'a:\n-   b: 1\n    c:\n    - 1\n    - 2\n-   d: []\n- {}\n'",
    ),
    ("[[1,2],[3,[4]]]|to_nice_yaml", r"'-   - 1\n    - 2\n-   - 3\n    -   - 4\n'"),
    ("[[1,2],[3,[4]]]|to_nice_yaml(indent=2)", r"'- - 1\n  - 2\n- - 3\n  - - 4\n'"),
    ("{'a':{'b':{'c':[1]}}}|to_nice_yaml(indent=2)", r"'a:\n  b:\n    c:\n    - 1\n'"),
    ("{'a':{'b':{'c':[1]}}}|to_nice_yaml(2)", r"'a:\n  b:\n    c:\n    - 1\n'"),
    ("{'b':1,'a':2}|to_nice_yaml(sort_keys=false)", r"'b: 1\na: 2\n'"),
    ("{'b':1,'a':2}|to_yaml(default_flow_style=false)", r"'a: 2\nb: 1\n'"),
    ("{'b':[1,2],'a':{'c':1}}|to_yaml(default_flow_style=true)", r"'{a: {c: 1}, b: [1, 2]}\n'"),
    ("{'b':[1,2],'a':{'c':1}}|to_yaml(indent=8)", r"'a: {c: 1}\nb: [1, 2]\n'"),
    ("{'b':1}|to_yaml(explicit_start=true)", r"'--- {b: 1}\n'"),
    ("{'b':[1]}|to_nice_yaml(explicit_start=true,explicit_end=true)", r"'---\nb:\n- 1\n...\n'"),
    ("'x'|to_yaml(explicit_start=true)", r"'--- x\n'"),
    (
        "{'k':'word ' * 40}|to_nice_yaml",
        r#""k: 'word word word word word word word word word word word word word word word word\n    word word word word word word word word word word word word word word word word\n    word word word word word word word word '\n""#,
    ),
    (
        "{'k':'word ' * 40}|to_nice_yaml(width=40)",
        r#""k: 'word word word word word word word word\n    word word word word word word word word\n    word word word word word word word word\n    word word word word word word word word\n    word word word word word word word word '\n""#,
    ),
    (
        "{'k':'word ' * 40}|to_nice_yaml(width=1337)",
        r#""k: 'word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word word '\n""#,
    ),
    (
        r#"{'k':'"word" and ' * 20}|to_nice_yaml"#,
        r#"'k: \'"word" and "word" and "word" and "word" and "word" and "word" and "word" and "word"\n    and "word" and "word" and "word" and "word" and "word" and "word" and "word" and\n    "word" and "word" and "word" and "word" and "word" and \'\n'"#,
    ),
    (
        r"{'k':'tab\t and  ' * 20}|to_nice_yaml",
        r#"'k: "tab\\t and  tab\\t and  tab\\t and  tab\\t and  tab\\t and  tab\\t and  tab\\t and  tab\\t\n    and  tab\\t and  tab\\t and  tab\\t and  tab\\t and  tab\\t and  tab\\t and  tab\\t and\n    \\ tab\\t and  tab\\t and  tab\\t and  tab\\t and  tab\\t and  "\n'"#,
    ),
    (
        "{'k':['some words here ' * 12,'x']}|to_nice_yaml",
        r#""k:\n- 'some words here some words here some words here some words here some words here\n    some words here some words here some words here some words here some words here\n    some words here some words here '\n- x\n""#,
    ),
    (
        r"{'k':'line one\nline two\n\nline four\n'}|to_nice_yaml",
        r#""k: 'line one\n\n    line two\n\n\n    line four\n\n    '\n""#,
    ),
    (
        r"{'k':{'l':'line one\nline two\n'}}|to_nice_yaml(indent=2)",
        r#""k:\n  l: 'line one\n\n    line two\n\n    '\n""#,
    ),
    (
        "{'k':'x' * 200}|to_nice_yaml",
        r"'k: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n'",
    ),
    (
        "['x' * 50,'y' * 50,'z']|to_yaml",
        r"'[xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy,\n  z]\n'",
    ),
    (
        "{'a':'x' * 50,'b':'y' * 50,'c':'z'}|to_yaml",
        r"'{a: xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx, b: yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy,\n  c: z}\n'",
    ),
    (
        "{'x' * 128: 1}|to_nice_yaml",
        r"'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx: 1\n'",
    ),
    (
        "{'x' * 129: 1}|to_nice_yaml",
        r"'? xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\n: 1\n'",
    ),
    ("{1:2,'a':3}|to_nice_yaml", r"'1: 2\na: 3\n'"),
    ("{2:1,1:2}|to_nice_yaml", r"'1: 2\n2: 1\n'"),
    ("{'é':'ü'}|to_nice_yaml", r"'é: ü\n'"),
    ("{'é':'ü'}|to_json", r#"'{"\\u00e9": "\\u00fc"}'"#),
    ("'x y'.encode()|to_yaml", r"'!!binary |\n  eCB5\n'"),
    ("{'k':'x y'.encode()}|to_nice_yaml", r"'k: !!binary |\n    eCB5\n'"),
    (
        "{'k':('long bytes ' * 10).encode()}|to_nice_yaml",
        r"'k: !!binary |\n    bG9uZyBieXRlcyBsb25nIGJ5dGVzIGxvbmcgYnl0ZXMgbG9uZyBieXRlcyBsb25nIGJ5dGVzIGxv\n    bmcgYnl0ZXMgbG9uZyBieXRlcyBsb25nIGJ5dGVzIGxvbmcgYnl0ZXMgbG9uZyBieXRlcyA=\n'",
    ),
    ("(1,2)|to_yaml", r"'[1, 2]\n'"),
    (
        r#"{'a':'x','b':1,'c':true,'d':none,'e':1.5}|to_nice_yaml(default_style='"')"#,
        r#"'"a": "x"\n"b": ! "1"\n"c": ! "true"\n"d": ! "null"\n"e": ! "1.5"\n'"#,
    ),
    (r#"{'a':'x','b':1}|to_nice_yaml(default_style="'")"#, r#""'a': 'x'\n'b': ! '1'\n""#),
    (
        r#"[{'name':'a b','val':'yes'},{'name':"it's",'val':'10.0'}]|to_nice_yaml"#,
        r#""-   name: a b\n    val: 'yes'\n-   name: it's\n    val: '10.0'\n""#,
    ),
    ("{'a':'{{ x }}','b':'- [x]'}|to_nice_yaml", r#""a: '{{ x }}'\nb: '- [x]'\n""#),
    (
        r#"{'a':"multi 'quoted' line\nwith: \"both\"\n"}|to_nice_yaml"#,
        r#"'a: \'multi \'\'quoted\'\' line\n\n    with: "both"\n\n    \'\n'"#,
    ),
];

#[test]
fn containers_are_written_as_by_pyyaml() {
    check(CASES);
}
