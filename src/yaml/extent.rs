//! Where things end in a YAML text: quoted scalars, flow collections, the properties before a value.
//!
//! The parser's marks are not exact enough for carets (they take in trailing blanks and comments), so the composer
//! asks here. Not a second parser: each function looks at one construct whose start is known.

/// The offset after a quoted scalar that starts at `start`; `None` if it is never closed or nothing is quoted.
pub(super) fn quoted_end(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let quote = *bytes.get(start).filter(|b| matches!(b, b'"' | b'\''))?;
    let mut at = start + 1;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if quote == b'"' => at += 2,
            b'\'' if quote == b'\'' && bytes.get(at + 1) == Some(&b'\'') => at += 2,
            b if *b == quote => return Some(at + 1),
            _ => at += 1,
        }
    }
    None
}

/// The offset after the flow collection that opens at `start`; `None` if it is never closed.
pub(super) fn flow_end(text: &str, start: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut depth = 0usize;
    let mut at = start;
    // Quotes and `#` mean something only where a token can begin.
    let mut fresh = true;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'"' | b'\'' if fresh => {
                at = quoted_end(text, at)?;
                fresh = false;
                continue;
            }
            b'#' if at.checked_sub(1).and_then(|i| bytes.get(i)).is_some_and(u8::is_ascii_whitespace) => {
                at += text.get(at..)?.find('\n')?;
                continue;
            }
            b'[' | b'{' => depth += 1,
            b']' | b'}' => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
        fresh = matches!(byte, b'[' | b'{' | b',' | b':') || fresh && byte.is_ascii_whitespace();
        at += 1;
    }
    None
}

/// The offset of the value itself: after blanks, comments, tags and anchors, but never beyond `end`.
pub(super) fn skip_properties(text: &str, start: usize, end: usize) -> usize {
    let bytes = text.as_bytes();
    let mut at = start;
    while at < end {
        match bytes.get(at) {
            Some(b' ' | b'\t' | b'\r' | b'\n') => at += 1,
            Some(b'#') => at += text.get(at..).and_then(|rest| rest.find('\n')).unwrap_or(end),
            Some(b'!' | b'&') => {
                while bytes.get(at).is_some_and(|b| !b.is_ascii_whitespace() && !b"[]{},".contains(b)) {
                    at += 1;
                }
                // Such as `!!str,`: nothing follows the property.
                if !bytes.get(at).is_some_and(|b| b.is_ascii_whitespace() || matches!(b, b'[' | b'{')) {
                    return at.min(end);
                }
            }
            _ => break,
        }
    }
    at.min(end)
}

/// The offset of the first bracket of a flow collection that is opened after `from`, at the place of a value.
pub(super) fn next_bracket(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at = skip_properties(text, at, text.len());
        match bytes.get(at)? {
            b'[' | b'{' => return Some(at),
            b':' | b'-' | b'?' => at += 1,
            _ => return None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_scalars_end_after_their_quote() {
        for (text, end) in [
            ("'it''s' # c", Some(7)),
            (r#""a\"b" x"#, Some(6)),
            ("'a\n\n  b'", Some(8)),
            ("'a", None),
            ("\"a\\", None),
            ("a", None),
            ("", None),
        ] {
            assert_eq!(quoted_end(text, 0), end, "{text:?}");
        }
    }

    #[test]
    fn flow_collections_end_after_their_bracket() {
        for (text, end) in [
            ("[1, {a: b}], c", Some(11)),
            ("{a: ']', \"b\": it's}", Some(19)),
            ("[ # ]\n 'x', a#]", Some(15)),
            ("[it's, ']']", Some(11)),
            ("[1, [2]", None),
            ("[ # ]", None),
        ] {
            assert_eq!(flow_end(text, 0), end, "{text:?}");
        }
    }

    #[test]
    fn a_value_starts_after_its_properties() {
        for (text, start) in [
            ("!!str x", 6),
            ("&a !vault |", 10),
            ("!x # c\n  &y\n  - z", 14),
            ("!!str", 5),
            ("!!str, b", 5),
            ("&a [1]", 3),
            ("x !y", 0),
        ] {
            assert_eq!(skip_properties(text, 0, text.len()), start, "{text:?}");
        }
        assert_eq!(skip_properties("!!str\nb: 1", 0, 5), 5);
        assert_eq!(next_bracket("a: - &x\n [b]", 1), Some(9));
        assert_eq!(next_bracket("a: - b [c]", 1), None);
    }
}
