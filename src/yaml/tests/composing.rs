//! Structure: anchors, merge keys, duplicates, tags, documents. Expected values are what PyYAML gives, as JSON.

use proptest::prelude::*;

use super::super::{Kind, Node, Tag, parse_text};
use super::read;
use crate::diag::{Severity, Sources, code};

fn json(node: &Node) -> String {
    serde_json::Value::from(&node.to_value()).to_string()
}

#[test]
fn structures_are_read_as_pyyaml_reads_them() {
    for (text, expected) in [
        ("a: 1\nb: [x, {y: z, w}]\n", r#"{"a":1,"b":["x",{"y":"z","w":null}]}"#),
        ("a:\n- 1\n-  - 2\n   - 3\n", r#"{"a":[1,[2,3]]}"#),
        ("a: |\n\n\n  x\n   y\n\nb: >-\n  p\n  q\n\n  r\n", r#"{"a":"\n\nx\n y\n","b":"p q\nr"}"#),
        ("a: 'it''s\n   x'\nb: \"\\x41\\u00e9\\\n   b\"\n", r#"{"a":"it's x","b":"Aéb"}"#),
        (
            "1: a\ntrue: b\n~: c\n1.5: d\n2001-01-01: e\n",
            r#"{"1":"a","True":"b","None":"c","1.5":"d","2001-01-01":"e"}"#,
        ),
        ("yes: 1\nno: 2\n010: 3\n", r#"{"True":1,"False":2,"8":3}"#),
        ("? a\n: b\n", r#"{"a":"b"}"#),
        ("a: 0644\nb: '0644'\nc: \"yes\"\n", r#"{"a":420,"b":"0644","c":"yes"}"#),
        // Anchors and merge keys.
        ("a: &x {k: 1}\nb: *x\nc: &y t\nd: *y\n", r#"{"a":{"k":1},"b":{"k":1},"c":"t","d":"t"}"#),
        ("&a a: b\nc: *a\n", r#"{"a":"b","c":"a"}"#),
        ("b: 3\n<<: {a: 1, b: 2}\n", r#"{"a":1,"b":3}"#),
        ("b: 1\n<<: [{a: 1}, {a: 2, c: 5}]\n", r#"{"a":1,"c":5,"b":1}"#),
        ("<<: {a: 1}\n<<: {a: 2}\n", r#"{"a":2}"#),
        ("'<<': {a: 1}\n", r#"{"<<":{"a":1}}"#),
        // Tags.
        ("a: !!str 5\nb: !!int '7'\nc: !!float 1\nd: !!bool 'yes'\n", r#"{"a":"5","b":7,"c":1.0,"d":true}"#),
        ("a: !!str\nb: !!null x\n", "error"),
        ("a: !!str\nb: ! 3\nc: !!null ''\n", r#"{"a":"","b":3,"c":null}"#),
        (
            "a: !!set {x, y}\nb: !!omap [x: 1]\nc: !!seq [1]\nd: !!map {}\n",
            r#"{"a":["x","y"],"b":[{"x":1}],"c":[1],"d":{}}"#,
        ),
        ("a: !<tag:yaml.org,2002:str> 3\n", r#"{"a":"3"}"#),
        ("%TAG !y! tag:yaml.org,2002:\n---\na: !y!str 3\n", r#"{"a":"3"}"#),
        // Whatever is between the brackets or quotes may stand further to the left.
        ("x:\n  a: {\n b: 1,\n}\n  c: [\n1\n]\n", r#"{"x":{"a":{"b":1},"c":[1]}}"#),
        (
            "- x:\n    a: \"{{ b\n  + c\n}}\"\n    d: 'é\n\n  f'\n",
            r#"[{"x":{"a":"{{ b + c }}","d":"é\nf"}}]"#,
        ),
        ("\u{feff}a: 1\r\nb: x\r\n  y\r\n", r#"{"a":1,"b":"x y"}"#),
        ("---\n", "null"),
    ] {
        if expected == "error" {
            assert!(parse_text("t", text, &Sources::default()).has_errors(), "{text:?}");
        } else {
            assert_eq!(json(&read(text)), expected, "{text:?}");
        }
    }
}

#[test]
fn tags_for_vault_and_unsafe_are_kept() {
    let node = read(
        "a: !vault |\n  $ANSIBLE_VAULT;1.1\n  61\nb: !unsafe '{{ x }}'\nc: !unsafe [5, {d: '{{ e }}'}]\n",
    );
    let tag = |key: &str| node.get(key).unwrap().tag;
    assert_eq!(tag("a"), Some(Tag::Vault));
    assert_eq!(node.get("a").unwrap().as_str(), Some("$ANSIBLE_VAULT;1.1\n61\n"));
    assert_eq!(tag("b"), Some(Tag::Unsafe));
    assert!(!node.get("b").unwrap().has_template());
    let inner = node.get("c").unwrap().as_seq().unwrap()[1].get("d").unwrap();
    assert_eq!(inner.tag, Some(Tag::Unsafe), "what is in an unsafe value is unsafe by itself too");
}

#[test]
fn binary_values_are_bytes() {
    assert_eq!(read("!!binary |\n  aGVs\n  bG8=\n").kind, Kind::Bytes(b"hello".as_slice().into()));
}

#[test]
fn a_duplicate_key_warns_and_the_last_wins_at_the_first_place() {
    let sources = Sources::default();
    let parsed = parse_text("t.yml", "a: 1\nb: 2\n\"a\": 3\n", &sources);
    assert_eq!(json(&parsed.documents[0]), r#"{"a":3,"b":2}"#);
    let [warning] = parsed.diagnostics.as_slice() else { panic!("{:?}", parsed.diagnostics) };
    assert_eq!((warning.code, warning.severity), (code::YAML_DUPLICATE_KEY, Severity::Warning));
    let places: Vec<String> = warning.labels.iter().map(|(span, _)| sources.slice(*span)).collect();
    assert_eq!(places, ["\"a\"", "a"]);
    assert!(!parse_text("t", "<<: {a: 1}\na: 2\n", &sources).has_errors());
    assert!(
        parse_text("t", "<<: {a: 1}\na: 2\n", &sources).diagnostics.is_empty(),
        "overriding is no mistake"
    );
}

#[test]
fn a_text_may_hold_several_documents_or_none() {
    let all = |text: &str| -> Vec<String> {
        parse_text("t", text, &Sources::default()).documents.iter().map(json).collect()
    };
    assert_eq!(all("--- a\n--- |\n b\n---\n"), ["\"a\"", "\"b\\n\"", "null"]);
    assert!(all("").is_empty());
    assert!(all("# only a comment\n").is_empty());
    assert_eq!(all("a: &x 1\n---\nb: 2\n"), [r#"{"a":1}"#, r#"{"b":2}"#]);
}

#[test]
fn bombs_are_refused() {
    let first_code = |text: &str| parse_text("t", text, &Sources::default()).diagnostics[0].code;
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for i in 1..12 {
        let last = i - 1;
        bomb += &format!("a{i}: &a{i} [{}]\n", vec![format!("*a{last}"); 9].join(", "));
    }
    assert_eq!(first_code(&bomb), code::YAML_ALIAS_LIMIT);
    let mut tower = String::from("a0: &a0 [x]\n");
    for i in 1..300 {
        tower += &format!("a{i}: &a{i} [*a{}]\n", i - 1);
    }
    assert_eq!(first_code(&tower), code::YAML_TOO_DEEP);
    assert_eq!(first_code(&"[".repeat(100_000)), code::YAML_TOO_DEEP);
    assert_eq!(first_code(&"- ".repeat(5000)), code::YAML_TOO_DEEP);
    assert_eq!(first_code("a: &a [*a]\n"), code::YAML_UNKNOWN_ALIAS);
}

proptest! {
    #[test]
    fn any_text_can_be_read_without_a_panic(
        text in r#"([-?:,\[\]{}#&*!|>'"%@` \t\r\n0-9.a~é漢]|: |- |\n  |<<: |!!str |&a |\*a |\\x4|---\n|\.\.\.\n|\u{feff}){0,40}"#
    ) {
        let sources = Sources::default();
        let parsed = parse_text("t.yml", &text, &sources);
        for node in &parsed.documents {
            check_spans(node, &text)?;
        }
        for diagnostic in &parsed.diagnostics {
            for (span, _) in &diagnostic.labels {
                prop_assert!(span.start <= span.end && span.end as usize <= text.len());
                prop_assert!(text.get(span.start as usize..span.end as usize).is_some(), "{:?} {:?}", diagnostic, text);
            }
        }
    }
}

fn check_spans(node: &Node, text: &str) -> Result<(), TestCaseError> {
    let span = node.span;
    prop_assert!(text.get(span.start as usize..span.end as usize).is_some(), "{:?} in {:?}", node, text);
    for item in node.as_seq().unwrap_or_default() {
        check_spans(item, text)?;
    }
    for (key, item) in node.as_map().into_iter().flatten().map(|(_, entry)| entry) {
        prop_assert!(text.get(key.start as usize..key.end as usize).is_some());
        check_spans(item, text)?;
    }
    Ok(())
}
