//! The lines of an ssh configuration file: keyword, words, and the rest as it stands. Says nothing about their meaning.

use std::path::{Path, PathBuf};

/// A configuration file, taken apart.
pub(in super::super) struct File {
    /// Its path.
    pub(in super::super) path: PathBuf,
    /// Its lines, without empty ones and comments.
    pub(in super::super) lines: Vec<Line>,
}

/// A line of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in super::super) struct Line {
    /// Where, from 1.
    pub(in super::super) number: usize,
    /// The keyword in lower case.
    pub(in super::super) keyword: String,
    /// The words after it, without quotes and comments.
    pub(in super::super) words: Vec<String>,
    /// All after the keyword as it stands, for keywords that take a command.
    pub(in super::super) rest: String,
}

impl File {
    /// Takes a text apart.
    pub(in super::super) fn parse(path: &Path, text: &str) -> File {
        let lines = text.lines().enumerate();
        let lines = lines.filter_map(|(index, text)| Line::parse(index + 1, text)).collect();
        File { path: path.to_owned(), lines }
    }
}

impl Line {
    /// Takes a line apart; none for empty ones and comments. The keyword ends at a blank or `=`.
    pub(in super::super) fn parse(number: usize, text: &str) -> Option<Line> {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            return None;
        }
        // A quoted keyword is allowed, though nobody writes one.
        let end = text.find(|c: char| c.is_whitespace() || c == '=').unwrap_or(text.len());
        let (keyword, rest) = text.split_at(end);
        let rest = rest.trim_start();
        let rest = rest.strip_prefix('=').unwrap_or(rest).trim_start();
        let keyword = keyword.trim_matches('"').to_ascii_lowercase();
        Some(Line { number, keyword, words: words(rest), rest: rest.to_owned() })
    }
}

/// Splits into words: quotes of both kinds, backslash before quotes, backslashes and blanks, `#` ends the line.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote: Option<char> = None;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', _) => {
                let escaped = chars.next_if(|next| {
                    matches!(next, '"' | '\'' | '\\') || (quote.is_none() && next.is_whitespace())
                });
                word.get_or_insert_default().push(escaped.unwrap_or('\\'));
            }
            (c, Some(open)) if c == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            ('#', None) if word.is_none() => break,
            (c, None) if c.is_whitespace() => words.extend(word.take()),
            (c, _) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_come_apart_as_ssh_takes_them() {
        for (text, keyword, expected) in [
            ("Host a b", "host", vec!["a", "b"]),
            ("  HostName=example.com ", "hostname", vec!["example.com"]),
            ("Port = 2222", "port", vec!["2222"]),
            ("Port\t2222", "port", vec!["2222"]),
            (r#"IdentityFile "~/my keys/id""#, "identityfile", vec!["~/my keys/id"]),
            (r"IdentityFile ~/my\ keys/id", "identityfile", vec!["~/my keys/id"]),
            (r#"SetEnv A="x \"y\"" B='z w'"#, "setenv", vec![r#"A=x "y""#, "B=z w"]),
            ("User ann # who else", "user", vec!["ann"]),
            ("User ann#1", "user", vec!["ann#1"]),
            (r"User win\dom", "user", vec![r"win\dom"]),
            (r#"User """#, "user", vec![""]),
            ("Compression", "compression", vec![]),
        ] {
            let line = Line::parse(1, text).unwrap();
            assert_eq!(
                (line.keyword.as_str(), line.words),
                (keyword, expected.iter().map(ToString::to_string).collect())
            );
        }
        assert_eq!(Line::parse(1, "   # only words"), None);
        assert_eq!(Line::parse(1, ""), None);
    }

    #[test]
    fn a_command_keeps_its_quotes() {
        let line = Line::parse(1, r#"ProxyCommand sh -c "nc %h %p" # not a comment"#).unwrap();
        assert_eq!(line.rest, r#"sh -c "nc %h %p" # not a comment"#);
    }

    #[test]
    fn file_lines_keep_their_numbers() {
        let file = File::parse(Path::new("c"), "# one\r\n\r\nHost x\r\n  User y\r\n");
        let lines: Vec<_> = file.lines.iter().map(|line| (line.number, line.words[0].as_str())).collect();
        assert_eq!(lines, [(3, "x"), (4, "y")]);
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_strange(text in "\\PC*", line in "(Host|Match|Port)?[ =\"'\\\\#a-z]*") {
            File::parse(Path::new("c"), &text);
            if let Some(line) = Line::parse(1, &line) {
                assert!(!line.keyword.contains(char::is_whitespace));
            }
        }
    }
}
