//! Where nodes stand, and where the characters of their values come from.

use proptest::prelude::*;

use super::super::{Node, locate, parse_text};
use crate::diag::Sources;

#[test]
fn spans_cover_what_was_written() {
    let text = "# é\n\
        a: !vault |\n   lit\n    x\n\n\
        b: >-  # c\n  folded\n\n\
        c: plain\n  multi   # c\n\
        d: 'it''s\n   x'   # c\n\
        e: \"a\\tb\"   \n\
        f: &x [1, {g: h} ]   # c\n\
        i: *x\n\
        j:\n- 1\n- k: 2\n  l: !!str m\n\
        n:\n\
        o: !!str\n\
        p: |+\n\n  q\n";
    let sources = Sources::default();
    let parsed = parse_text("t.yml", text, &sources);
    assert!(parsed.diagnostics.is_empty(), "{:?}", parsed.diagnostics);
    let root = &parsed.documents[0];
    let slice = |path: &[&str]| {
        let node = path.iter().fold(root, |node, step| match step.parse::<usize>() {
            Ok(index) => &node.as_seq().unwrap()[index],
            Err(_) => node.get(step).unwrap(),
        });
        sources.slice(node.span)
    };
    for (path, expected) in [
        (&["a"][..], "lit\n    x"),
        (&["b"], "folded"),
        (&["c"], "plain\n  multi"),
        (&["d"], "'it''s\n   x'"),
        (&["e"], "\"a\\tb\""),
        (&["f"], "[1, {g: h} ]"),
        (&["f", "1"], "{g: h}"),
        (&["f", "1", "g"], "h"),
        (&["i"], "[1, {g: h} ]"),
        (&["j", "1"], "k: 2\n  l: !!str m"),
        (&["j", "1", "l"], "m"),
        (&["n"], ""),
        (&["o"], ""),
        (&["p"], "q"),
    ] {
        assert_eq!(slice(path), expected, "{path:?}");
    }
    assert_eq!(sources.slice(root.span), text.split_once('\n').unwrap().1.trim_end());
}

/// Text of the file, a piece of the value of `a`, and what it is in the file.
#[rustfmt::skip]
const ROWS: &[(&str, &str, &str)] = &[
    ("a: x {{ y }} z\n", "y", "y"),
    ("a: x\n  {{ y\n\n   z }}\n", "y\nz", "y\n\n   z"),
    ("a: 'it''s {{ y }}'\n", "y", "y"),
    ("a: 'it''s {{ y }}'\n", "'s", "''s"),
    ("a: \"t\\tq\\\"\\x41\\u00e9\\U0001F600 {{ y }}\"\n", "y }}", "y }}"),
    ("a: \"t\\x41y\"\n", "A", "\\x41"),
    ("a: \"t \\\n    u \\\n\n   {{ y }}\"\n", "y", "y"),
    ("a: \"t\n    u\n\n\n   {{ y }}\"\n", "y", "y"),
    ("a: \"\n  {{ y }}\"\n", "{{ y", "{{ y"),
    ("a: |\n  p\n\n    q\n  {{ y }}\n", "{{ y", "{{ y"),
    ("a: |2\n    p\n  {{ y }}\n", "{{ y", "{{ y"),
    ("a: |\n\n\n  p\n  {{ y }}\n", "{{ y", "{{ y"),
    ("- b\n- a: >- # c\n\n    p\n    q\n\n\n    r\n      s\n    {{ y }}\n", "{{ y", "{{ y"),
    ("a: !unsafe >\n  p\n  q\n\n   s\n\n   t\n\n  {{ y }}\n", "{{ y", "{{ y"),
    ("a: >\n  p\n\n\n  q {{ y }}\n", "q {{ y", "q {{ y"),
    ("a: |\r\n  p\r\n  {{ y }}\r\n", "{{ y", "{{ y"),
    ("a: # note |\n  {{ y }}\n", "", ""),
    ("a: b # note |\n  \n", "b", "b"),
    ("a: b >\n  c {{ y }}\n", "y", "y"),
    ("a:\n  é ü {{ y }}\n", "y", "y"),
];

#[test]
fn a_place_in_a_value_is_found_in_the_file() {
    for (text, part, expected) in ROWS {
        let sources = Sources::default();
        let parsed = parse_text("t.yml", text, &sources);
        let Some(root) = parsed.documents.first() else { continue };
        let node = root.get("a").or_else(|| root.as_seq()?.last()?.get("a")).unwrap();
        let Some(value) = node.as_str() else { continue };
        let at = value.find(part).unwrap_or_else(|| panic!("{value:?} has no {part:?}"));
        let place = locate(node.span, &sources, at..at + part.len());
        assert_eq!(sources.slice(place), *expected, "{text:?}");
    }
}

#[test]
fn a_place_beyond_the_value_is_its_end() {
    let sources = Sources::default();
    let parsed = parse_text("t.yml", "a: 'xyz'\nb: 1\n", &sources);
    let node = parsed.documents[0].get("a").unwrap();
    let place = locate(node.span, &sources, 50..60);
    assert_eq!((place.start, place.end), (node.span.end, node.span.end));
    let end = locate(node.span, &sources, 2..60);
    assert_eq!(sources.slice(end), "z");
    assert_eq!(sources.slice(locate(node.span, &sources, 1..1)), "");
}

fn letters_are_found(node: &Node, sources: &Sources) -> Result<(), TestCaseError> {
    if let Some(value) = node.as_str() {
        for (at, letter) in value.char_indices().filter(|(_, c)| c.is_alphabetic()) {
            let place = locate(node.span, sources, at..at + letter.len_utf8());
            prop_assert_eq!(sources.slice(place), letter.to_string(), "{:?} at {}", value, at);
        }
    }
    for item in node.as_seq().unwrap_or_default() {
        letters_are_found(item, sources)?;
    }
    for (_, item) in node.as_map().into_iter().flatten().map(|(_, entry)| entry) {
        letters_are_found(item, sources)?;
    }
    Ok(())
}

proptest! {
    #[test]
    fn every_letter_of_a_value_is_found_in_the_file(
        head in r"(- )?k: (!unsafe |&a )?",
        style in r#"(['"]|\|[+-]?\n  |>[+-]?\n  |\n  |)"#,
        body in r"([abcdefé]{1,3}| |\n|\n  |\n   |\n\n){0,14}",
    ) {
        let quote = style.trim_start_matches(['|', '>', '\n', ' ', '+', '-']);
        let text = format!("{head}{style}{body}{quote}\nz: 1\n");
        let sources = Sources::default();
        for node in &parse_text("t.yml", &text, &sources).documents {
            letters_are_found(node, &sources)?;
        }
    }
}
