//! JSON out and in.

use super::check;

const CASES: &[(&str, &str)] = &[
    ("{'b':1,'a':[1,2,{}],'c':{}}|to_json", r#"'{"b": 1, "a": [1, 2, {}], "c": {}}'"#),
    (
        "{'b':1,'a':[1,2,{}],'c':{},'d':[]}|to_nice_json",
        r#"'{\n    "a": [\n        1,\n        2,\n        {}\n    ],\n    "b": 1,\n    "c": {},\n    "d": []\n}'"#,
    ),
    ("{'b':1,'a':[1,2]}|to_nice_json(indent=2)", r#"'{\n  "a": [\n    1,\n    2\n  ],\n  "b": 1\n}'"#),
    (
        "{'b':1,'a':[1,2]}|to_nice_json(indent=2,sort_keys=false)",
        r#"'{\n  "b": 1,\n  "a": [\n    1,\n    2\n  ]\n}'"#,
    ),
    ("{'b':1,'a':2}|to_json(sort_keys=true)", r#"'{"a": 2, "b": 1}'"#),
    ("{'b':1,'a':2}|to_json(indent=2)", r#"'{\n  "b": 1,\n  "a": 2\n}'"#),
    ("{'b':1,'a':2}|to_json(separators=(',',':'))", r#"'{"b":1,"a":2}'"#),
    (r#"'é"\\\n\x7f\u2028'|to_json"#, r#"'"\\u00e9\\"\\\\\\n\\u007f\\u2028"'"#),
    ("'é'|to_json(ensure_ascii=false)", r#"'"é"'"#),
    (
        "[1.0,1e20,1e-7,None,true,123456789012345678901]|to_json",
        "'[1.0, 1e+20, 1e-07, null, true, 123456789012345678901]'",
    ),
    ("(1,2)|to_json", "'[1, 2]'"),
    (r"'a<b>&\'c\''|tojson", r#"'"a\\u003cb\\u003e\\u0026\\u0027c\\u0027"'"#),
    ("{'b':1,'a':2}|tojson", r#"'{"a": 2, "b": 1}'"#),
    ("{'b':1,'a':2}|tojson(2)", r#"'{\n  "a": 2,\n  "b": 1\n}'"#),
    (r#"'{"b": 1, "a": [1.0, 1e3, null, true]}'|from_json"#, "{'b': 1, 'a': [1.0, 1000.0, None, True]}"),
    ("'x'|from_json", "!"),
    ("'123456789012345678'|from_json", "123456789012345678"),
    ("{1:2,none:3}|to_json", r#"'{"1": 2, "null": 3}'"#),
];

#[test]
fn json_prints_as_in_python() {
    check(CASES);
}
