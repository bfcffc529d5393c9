//! A line of an INI inventory in words, as a POSIX shell would split it, with the place of every character.
//!
//! A `#` outside of quotes ends the line, even inside a word: Ansible reads it so.

/// A word without its quotes.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Word {
    /// What the word means.
    pub text: String,
    /// For each byte of the text, where it stands in the line; then where the word ends.
    places: Vec<usize>,
}

impl Word {
    /// Where byte `at` of the text stands in the line; the end of the word for one behind it.
    pub(super) fn place(&self, at: usize) -> usize {
        self.places.get(at).or(self.places.last()).copied().unwrap_or(0)
    }

    /// Where the word ends in the line, its closing quote not counted.
    pub(super) fn end(&self) -> usize {
        self.places.last().copied().unwrap_or(0)
    }

    fn push(&mut self, c: char, at: usize) {
        self.text.push(c);
        self.places.pop();
        self.places.extend((at..).take(c.len_utf8()));
        self.places.push(at + c.len_utf8());
    }
}

/// The words of a line. Error: the offset of a quote that is not closed, or of a backslash with nothing behind it.
pub(super) fn split(line: &str) -> Result<Vec<Word>, usize> {
    let mut words = Vec::new();
    let mut word: Option<Word> = None;
    let mut quote: Option<(char, usize)> = None;
    let mut chars = line.char_indices();
    while let Some((at, c)) = chars.next() {
        let is_end = quote.is_none() && (c.is_whitespace() || c == '#');
        if is_end {
            words.extend(word.take());
            if c == '#' {
                return Ok(words);
            }
            continue;
        }
        let word = word.get_or_insert_with(|| Word { text: String::new(), places: vec![at] });
        match (quote, c) {
            (Some((open, _)), c) if c == open => quote = None,
            (None, '\'' | '"') => quote = Some((c, at)),
            (None | Some(('"', _)), '\\') => {
                let (next_at, next) = chars.next().ok_or(at)?;
                if quote.is_some() && next != '"' && next != '\\' {
                    word.push(c, at);
                }
                word.push(next, next_at);
            }
            _ => word.push(c, at),
        }
    }
    if let Some((_, at)) = quote {
        return Err(at);
    }
    words.extend(word);
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_split_as_pythons_shlex_does() {
        let rows: &[(&str, Option<&[&str]>)] = &[
            ("a b", Some(&["a", "b"])),
            (r#"a "b c" d"#, Some(&["a", "b c", "d"])),
            ("a'b'c", Some(&["abc"])),
            (r"a\ b", Some(&["a b"])),
            (r#""a\"b""#, Some(&["a\"b"])),
            (r#""a\nb""#, Some(&["a\\nb"])),
            (r"'a\'", Some(&["a\\"])),
            ("a #c", Some(&["a"])),
            ("a#c d", Some(&["a"])),
            (r#""" x"#, Some(&["", "x"])),
            ("a=''", Some(&["a="])),
            (r#""a"#, None),
            (r"a\", None),
            ("  ", Some(&[])),
            (r#"a=" #x" y"#, Some(&["a= #x", "y"])),
            (r#"é "ü""#, Some(&["é", "ü"])),
            (r#"a="b"c"#, Some(&["a=bc"])),
            (r"\#a", Some(&["#a"])),
        ];
        for (line, expected) in rows {
            let words = split(line).ok();
            let texts =
                words.as_ref().map(|words| words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>());
            assert_eq!(texts.as_deref(), *expected, "{line}");
        }
    }

    #[test]
    fn each_character_knows_its_place() {
        let line = r#"é x="a \"ü" z"#;
        let words = split(line).unwrap();
        let word = &words[1];
        assert_eq!(word.text, "x=a \"ü");
        assert_eq!(&line[word.place(2)..word.end()], r#"a \"ü"#);
        assert_eq!(word.place(4), line.find("\\\"").unwrap() + 1);
        assert_eq!(split("a 'b"), Err(2));
    }
}
