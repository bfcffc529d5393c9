//! The classic mistakes: which code, which place, which hint.

use super::super::parse_text;
use crate::diag::{Sources, code};

/// Text, code of the first mistake, what its first label covers, a part of message, labels or help.
#[rustfmt::skip]
const ROWS: &[(&str, &str, &str, &str)] = &[
    ("a: {{ x }}\n", code::YAML_UNQUOTED_TEMPLATE, "{{ x }}", "quotes: \"{{ x }}\""),
    ("a: {{ x }}/b # c\n", code::YAML_UNQUOTED_TEMPLATE, "{{ x }}/b", "quotes: \"{{ x }}/b\""),
    ("- {{ x['a'] }} {{ y }}\n", code::YAML_UNQUOTED_TEMPLATE, "{{ x['a'] }} {{ y }}", "quotes: \"{{ x['a'] }} {{ y }}\""),
    ("a: {{ x[\"a\"] }}\n", code::YAML_UNQUOTED_TEMPLATE, "{{ x[\"a\"] }}", "quotes: '{{ x[\"a\"] }}'"),
    ("{{ k }}: v\n", code::YAML_UNQUOTED_TEMPLATE, "{{ k }}: v", "quotes"),
    ("a:\n\tb: 1\n", code::YAML_TAB, "\t", "spaces"),
    ("a:\n  b: 1\n \t c: 1\n", code::YAML_TAB, "\t", "spaces"),
    ("msg: Note: done\n", code::YAML_COLON, ":", "\"Note: done\""),
    ("- debug:\n    msg: x: y\n", code::YAML_COLON, ":", "\"x: y\""),
    ("a: 1\n  b: 2\n", code::YAML_INDENTATION, "b:", "line above"),
    ("a:\n   b: 1\n  c: 2\n", code::YAML_INDENTATION, "c:", "same column"),
    ("a:\n  - x\n - y\n", code::YAML_INDENTATION, "-", "same column"),
    ("- a\nb: 1\n", code::YAML_INDENTATION, "b:", "same column"),
    ("a: \"x\nb: 2\n", code::YAML_UNCLOSED_QUOTE, "\"", "opened here"),
    ("a: 'x\n", code::YAML_UNCLOSED_QUOTE, "'", "never closed"),
    ("a: 'x\n---\nb: 1\n", code::YAML_UNCLOSED_QUOTE, "'", "never closed"),
    ("a: \"x\nb: \"y\"\n", code::YAML_UNCLOSED_QUOTE, "y\"", "further up"),
    ("a: \"x\" and \"y\"\n", code::YAML_SYNTAX, "and", "quotes of the other kind"),
    ("a: 'it's'\n", code::YAML_SYNTAX, "s'", "after its closing quote"),
    ("a: \"C:\\dir\"\n", code::YAML_SYNTAX, "\\d", "single quotes"),
    ("a: \"\\x4\"\n", code::YAML_SYNTAX, "\\x", "not an escape"),
    ("a: *.example.com\n", code::YAML_UNKNOWN_ALIAS, "*.example.com", "must be quoted"),
    ("a: @b\n", code::YAML_SYNTAX, "@b", "start with `@`"),
    ("a: %b\n", code::YAML_SYNTAX, "%b", "start with `%`"),
    ("a: - b\n", code::YAML_SYNTAX, "-", "line of its own"),
    ("a: [1, 2\nb: 3\n", code::YAML_SYNTAX, ":", "opened here"),
    ("a: {x: 1\n", code::YAML_SYNTAX, "", "opened here"),
    ("a: [1] x\n", code::YAML_SYNTAX, "x", "ended before"),
    ("a: 1\nb\nc: 2\n", code::YAML_SYNTAX, "b", "expected a `:`"),
    ("a: !foo x\n", code::YAML_TAG, "x", "unknown tag `!foo`"),
    ("a: !vaul |\n  x\n", code::YAML_TAG, "x", "did you mean `!vault`"),
    ("a: !x!y z\n", code::YAML_TAG, "!x!y", "unknown tag"),
    ("a: !!python/object:os.system x\n", code::YAML_TAG, "x", "!!python/object:os.system"),
    ("a: !!int x\n", code::YAML_VALUE, "x", "not a `!!int`"),
    ("a: !!seq {}\n", code::YAML_VALUE, "{}", "not a `!!seq`"),
    ("? [a]\n: b\n", code::YAML_KEY, "[a]", "key"),
    ("{a: 1}: b\n", code::YAML_KEY, "{a: 1}", "key"),
    ("<<: a\n", code::YAML_MERGE, "a", "neither"),
    ("a: &x 1\n<<: [*x]\n", code::YAML_MERGE, "[*x]", "neither"),
    ("a: 1\0\n", code::YAML_SYNTAX, "\0", "unprintable"),
];

#[test]
fn classic_mistakes_are_named_and_pointed_at() {
    let mut failures = Vec::new();
    for (text, code, place, words) in ROWS {
        let sources = Sources::default();
        let parsed = parse_text("t.yml", text, &sources);
        let Some(found) = parsed.diagnostics.first() else {
            failures.push(format!("{text:?}: nothing found"));
            continue;
        };
        let labels: Vec<&str> = found.labels.iter().map(|(_, text)| text.as_str()).collect();
        let said = format!("{} {} {}", found.message, labels.join(" "), found.help.as_deref().unwrap_or(""));
        let notes = found.notes.join(" ");
        let found_place = found.span().map(|span| sources.slice(span)).unwrap_or_default();
        if found.code != *code || found_place != *place || !(said.contains(words) || notes.contains(words)) {
            failures.push(format!("{text:?}: {} at {found_place:?}: {said} {notes}", found.code));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

#[test]
fn one_mistake_is_reported_once() {
    let parsed = parse_text("t", "a: {{ x }}/b\n", &Sources::default());
    assert_eq!(parsed.diagnostics.len(), 1, "{:?}", parsed.diagnostics);
}

#[test]
fn mistakes_that_do_not_stop_reading_are_all_reported() {
    let parsed = parse_text("t", "a: {{ x }}\nb: !foo y\nc: 1\nc: 2\n", &Sources::default());
    let codes: Vec<&str> = parsed.diagnostics.iter().map(|it| it.code).collect();
    assert_eq!(codes, [code::YAML_UNQUOTED_TEMPLATE, code::YAML_TAG, code::YAML_DUPLICATE_KEY]);
}
