//! Arguments in one line of text: `src=a dest="b c"`, `ls -l creates=/x`, with the place of each.
//!
//! Quotes and `{{ }}`, `{% %}`, `{# #}` hold words together, as Ansible has it. Knows nothing of modules: the caller says
//! whether the text is a command line.

use std::ops::Range;

use crate::value::Str;

/// What a line of arguments says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Line {
    /// `key=value` words: name, place of the name, value without quotes, place of the value (byte offsets in the text).
    pub pairs: Vec<Pair>,
    /// All the rest as it was written; empty if there is none.
    pub raw: String,
    /// Where the rest starts and ends in the text.
    pub raw_at: Range<usize>,
}

/// A `key=value` word.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Pair {
    /// The name.
    pub key: Str,
    /// Its place.
    pub key_at: Range<usize>,
    /// The value without its quotes.
    pub value: Str,
    /// Its place, quotes included.
    pub value_at: Range<usize>,
}

/// A quote or a template that does not end: what it is, and where it starts.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unclosed {
    /// As messages name it.
    pub what: &'static str,
    /// The offset of its first byte.
    pub at: usize,
}

/// Options of `command`, `shell`, `raw` and `script` that may stand inside the command line.
const COMMAND_OPTIONS: &[&str] =
    &["creates", "removes", "chdir", "executable", "warn", "stdin", "stdin_add_newline", "strip_empty_ends"];

/// The `key=value` pairs of a text as `-e` takes them, values without their quotes.
///
/// # Errors
/// A quote that is not closed, or a word that is no pair.
pub fn split_pairs(text: &str) -> Result<Vec<(Str, Str)>, String> {
    let line =
        parse(text, false).map_err(|unclosed| format!("{} is opened and never closed", unclosed.what))?;
    if !line.raw.trim().is_empty() {
        return Err(format!("`{}` is not key=value", line.raw.trim()));
    }
    Ok(line.pairs.into_iter().map(|pair| (pair.key, pair.value)).collect())
}

/// Reads a line of arguments. In a command line only the options of commands are taken out, all else is the command.
pub(super) fn parse(text: &str, command: bool) -> Result<Line, Unclosed> {
    let words = words(text)?;
    let mut line = Line::default();
    let mut taken: Vec<&Range<usize>> = Vec::new();
    for word in &words {
        let Some(pair) = pair(text, word) else { continue };
        if command && !COMMAND_OPTIONS.contains(&&*pair.key) {
            continue;
        }
        line.pairs.push(pair);
        taken.push(word);
    }
    let rest: Vec<&Range<usize>> = words.iter().filter(|word| !taken.contains(word)).collect();
    if let (Some(first), Some(last)) = (rest.first(), rest.last()) {
        line.raw_at = first.start..last.end;
    }
    line.raw = if taken.is_empty() { unfold(text.trim()) } else { join(text, &rest) };
    if !command {
        // What is not `key=value` is one word list: Ansible undoes escaped equal signs here.
        line.raw = line.raw.replace("\\=", "=");
    }
    Ok(line)
}

/// The words that stay, with the blanks that stood between neighbors.
fn join(text: &str, words: &[&Range<usize>]) -> String {
    let mut joined = String::new();
    let mut end: Option<usize> = None;
    for word in words {
        let gap = end.and_then(|end| text.get(end..word.start)).unwrap_or_default();
        match gap {
            "" => {}
            gap if gap.trim().is_empty() => joined.push_str(gap),
            gap if gap.contains('\n') => joined.push('\n'),
            _ => joined.push(' '),
        }
        joined.push_str(text.get((*word).clone()).unwrap_or_default());
        end = Some(word.end);
    }
    unfold(&joined)
}

/// A backslash alone at the end of a line continues it.
fn unfold(text: &str) -> String {
    if !text.contains("\\\n") {
        return text.to_owned();
    }
    let mut lines: Vec<&str> = text.split('\n').collect();
    let last = lines.pop().unwrap_or_default();
    let mut unfolded = String::new();
    for line in lines {
        match line.strip_suffix('\\').filter(|start| start.is_empty() || start.ends_with(' ')) {
            Some(start) => {
                unfolded.push_str(start.trim_end_matches(' '));
                unfolded.push(' ');
            }
            None => {
                unfolded.push_str(line);
                unfolded.push('\n');
            }
        }
    }
    unfolded.push_str(last);
    unfolded
}

/// The words of a text: blanks inside quotes and templates do not part them.
fn words(text: &str) -> Result<Vec<Range<usize>>, Unclosed> {
    let bytes = text.as_bytes();
    let mut words = Vec::new();
    let mut start: Option<usize> = None;
    let mut quote: Option<(u8, usize)> = None;
    let mut templates: Vec<(&'static str, &'static str, usize)> = Vec::new();
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let rest = text.get(at..).unwrap_or_default();
        let mut step = 1;
        if let Some((_, close, _)) = templates.last() {
            if rest.starts_with(close) {
                templates.pop();
                step = 2;
            } else if let Some((open, close)) = opening(rest) {
                templates.push((open, close, at));
                step = 2;
            }
        } else if let Some((open, close)) = opening(rest) {
            start.get_or_insert(at);
            templates.push((open, close, at));
            step = 2;
        } else if let Some((mark, _)) = quote {
            if byte == mark && !escaped(bytes, at) {
                quote = None;
            }
        } else if byte == b' ' || byte == b'\n' {
            words.extend(start.take().map(|start| start..at));
        } else {
            if (byte == b'"' || byte == b'\'') && !escaped(bytes, at) {
                quote = Some((byte, at));
            }
            start.get_or_insert(at);
        }
        at += step;
    }
    if let Some((open, _, at)) = templates.first() {
        return Err(Unclosed { what: open, at: *at });
    }
    if let Some((mark, at)) = quote {
        return Err(Unclosed { what: if mark == b'"' { "\"" } else { "'" }, at });
    }
    words.extend(start.map(|start| start..text.len()));
    Ok(words.into_iter().filter(|word| text.get(word.clone()) != Some("\\")).collect())
}

fn opening(rest: &str) -> Option<(&'static str, &'static str)> {
    [("{{", "}}"), ("{%", "%}"), ("{#", "#}")].into_iter().find(|(open, _)| rest.starts_with(open))
}

fn escaped(bytes: &[u8], at: usize) -> bool {
    bytes.get(..at).unwrap_or_default().iter().rev().take_while(|byte| **byte == b'\\').count() % 2 == 1
}

/// The word as `key=value`, if it is one: the first `=` that no backslash stands before, and not inside quotes.
fn pair(text: &str, word: &Range<usize>) -> Option<Pair> {
    let whole = text.get(word.clone())?;
    let equals = whole.match_indices('=').map(|(at, _)| at).find(|at| !whole[..*at].ends_with('\\'))?;
    let (key, value) = (&whole[..equals], &whole[equals + 1..]);
    if key.is_empty() || key.contains(['"', '\'', '{', ' ', '\n']) {
        return None;
    }
    Some(Pair {
        key: key.into(),
        key_at: word.start..word.start + equals,
        value: unescape(unquote(value)).into(),
        value_at: word.start + equals + 1..word.end,
    })
}

/// The text without the quotes around it.
pub(super) fn unquote(text: &str) -> &str {
    let mut chars = text.chars();
    match (chars.next(), chars.next_back()) {
        (Some(open @ ('"' | '\'')), Some(close))
            if open == close && !text[..text.len() - 1].ends_with('\\') =>
        {
            &text[1..text.len() - 1]
        }
        _ => text,
    }
}

/// `\n`, `\t`, `\"` and their like become what they stand for; other backslashes stay.
fn unescape(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        if char != '\\' {
            plain.push(char);
            continue;
        }
        let mut after = chars.clone();
        match after.next() {
            Some('n') => plain.push('\n'),
            Some('t') => plain.push('\t'),
            Some('r') => plain.push('\r'),
            Some('a') => plain.push('\u{7}'),
            Some('b') => plain.push('\u{8}'),
            Some('f') => plain.push('\u{c}'),
            Some('v') => plain.push('\u{b}'),
            Some(same @ ('\\' | '\'' | '"')) => plain.push(same),
            Some(kind @ ('x' | 'u' | 'U')) => match hex(&after, kind) {
                Some((decoded, rest)) => {
                    plain.push(decoded);
                    after = rest;
                }
                None => {
                    plain.push('\\');
                    continue;
                }
            },
            _ => {
                plain.push('\\');
                continue;
            }
        }
        chars = after;
    }
    plain
}

fn hex<'a>(after: &std::str::Chars<'a>, kind: char) -> Option<(char, std::str::Chars<'a>)> {
    let digits = match kind {
        'x' => 2,
        'u' => 4,
        _ => 8,
    };
    let code = after.as_str().get(..digits)?;
    let decoded = char::from_u32(u32::from_str_radix(code, 16).ok()?)?;
    Some((decoded, after.as_str().get(digits..)?.chars()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A text, its pairs, what is left.
    type Case = (&'static str, &'static [(&'static str, &'static str)], &'static str);

    fn pairs(text: &str, command: bool) -> (Vec<(String, String)>, String) {
        let line = parse(text, command).unwrap();
        (line.pairs.iter().map(|p| (p.key.to_string(), p.value.to_string())).collect(), line.raw)
    }

    #[test]
    fn lines_are_parted_as_ansible_does() {
        let cases: &[Case] = &[
            ("src=a dest=b", &[("src", "a"), ("dest", "b")], ""),
            ("src=\"a b\" dest='c d'", &[("src", "a b"), ("dest", "c d")], ""),
            ("msg=\"it's {{ x | default('a b') }}\"", &[("msg", "it's {{ x | default('a b') }}")], ""),
            ("name={{ a }} state={{ b }}", &[("name", "{{ a }}"), ("state", "{{ b }}")], ""),
            ("line=a=b", &[("line", "a=b")], ""),
            ("a=b\nc=d\n", &[("a", "b"), ("c", "d")], ""),
            (r#"msg="a\tb""#, &[("msg", "a\tb")], ""),
            (r"regexp='^\s+x'", &[("regexp", r"^\s+x")], ""),
            ("file.yml name=x", &[("name", "x")], "file.yml"),
            ("{{ item }}.yml", &[], "{{ item }}.yml"),
            ("{{ all_args }}", &[], "{{ all_args }}"),
            ("key=", &[("key", "")], ""),
            ("foo 'a=b'", &[], "foo 'a=b'"),
        ];
        for (text, expected, raw) in cases {
            let expected: Vec<_> = expected.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
            assert_eq!(pairs(text, false), (expected, raw.to_string()), "{text}");
        }
    }

    #[test]
    fn command_lines_give_up_their_options_only() {
        let cases: &[Case] = &[
            ("echo a=b  c", &[], "echo a=b  c"),
            ("echo hi creates=/x", &[("creates", "/x")], "echo hi"),
            ("chdir=/tmp ls -l", &[("chdir", "/tmp")], "ls -l"),
            ("ls chdir='/a b' -l", &[("chdir", "/a b")], "ls -l"),
            ("echo 'x creates=/y'", &[], "echo 'x creates=/y'"),
            ("echo \"{{ a == 'b' }}\"", &[], "echo \"{{ a == 'b' }}\""),
            ("a \\\n  b", &[], "a   b"),
            ("a \\\nb", &[], "a b"),
            ("a\nb creates=/x\n", &[("creates", "/x")], "a\nb"),
            ("awk '{print $1}' x", &[], "awk '{print $1}' x"),
            ("FOO=1 make executable=/bin/bash", &[("executable", "/bin/bash")], "FOO=1 make"),
        ];
        for (text, expected, raw) in cases {
            let expected: Vec<_> = expected.iter().map(|(k, v)| (k.to_string(), v.to_string())).collect();
            assert_eq!(pairs(text, true), (expected, raw.to_string()), "{text}");
        }
    }

    #[test]
    fn open_quotes_and_templates_are_found_where_they_start() {
        for (text, what, at) in [("a 'b", "'", 2), ("x \"y", "\"", 2), ("name={{ a", "{{", 5)] {
            assert_eq!(parse(text, true), Err(Unclosed { what, at }), "{text}");
        }
    }

    #[test]
    fn places_are_those_of_the_text() {
        let text = "src=a  dest=\"b c\"";
        let line = parse(text, false).unwrap();
        assert_eq!(&text[line.pairs[1].key_at.clone()], "dest");
        assert_eq!(&text[line.pairs[1].value_at.clone()], "\"b c\"");
    }
}
