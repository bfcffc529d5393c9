//! A command line as text into words, as a shell (and Python's `shlex`) splits it, without any expansion.

/// The words; `None` for a quote that is not closed or a backslash at the end.
#[must_use]
pub fn split_words(text: &str) -> Option<Vec<String>> {
    let mut words = Vec::new();
    let mut rest = text;
    while let Some((word, tail)) = next_word(rest)? {
        words.push(word);
        rest = tail;
    }
    Some(words)
}

/// The first word and what comes after it; `Some(None)` at the end, `None` for an open quote.
#[must_use]
pub fn next_word(text: &str) -> Option<Option<(String, &str)>> {
    let text = text.trim_start_matches([' ', '\t', '\r', '\n']);
    if text.is_empty() {
        return Some(None);
    }
    let mut word = String::new();
    let mut quote = None;
    let mut chars = text.char_indices();
    while let Some((at, c)) = chars.next() {
        match (quote, c) {
            (None, ' ' | '\t' | '\r' | '\n') => return Some(Some((word, &text[at..]))),
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            (None, '\\') => word.push(chars.next()?.1),
            (Some('"'), '\\') => match chars.next()?.1 {
                escaped @ ('"' | '\\') => word.push(escaped),
                other => word.extend(['\\', other]),
            },
            (_, c) => word.push(c),
        }
    }
    quote.is_none().then_some(Some((word, "")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_does() {
        for (text, words) in [
            ("a  b\tc\n", Some(vec!["a", "b", "c"])),
            (r#"a "b c" 'd "e'"#, Some(vec!["a", "b c", "d \"e"])),
            (r#"a\ b "\"\x\\" '\n'"#, Some(vec!["a b", r#""\x\"#, r"\n"])),
            (r#"--x="1 2"y ''"#, Some(vec!["--x=1 2y", ""])),
            ("a # b", Some(vec!["a", "#", "b"])),
            ("", Some(vec![])),
            ("a 'b", None),
            ("a \\", None),
        ] {
            let split = split_words(text);
            assert_eq!(
                split.as_deref().map(|it| it.iter().map(String::as_str).collect::<Vec<_>>()),
                words,
                "{text}"
            );
        }
    }
}
