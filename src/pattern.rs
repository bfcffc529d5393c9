//! Regular expressions in Python's syntax: what differs, rewritten for fancy-regex, and replacements filled in.

use fancy_regex::{Captures, Regex, RegexBuilder};

/// Compiles a pattern that is in Python's syntax.
///
/// # Errors
/// If it is no pattern, in words.
pub fn compile(pattern: &str, ignore_case: bool, multi_line: bool) -> Result<Regex, String> {
    let built = RegexBuilder::new(&translate(pattern, multi_line))
        .case_insensitive(ignore_case)
        .multi_line(multi_line)
        .build();
    built.map_err(|error| format!("'{pattern}' is no pattern: {error}"))
}

/// Rewrites what Python's `re` writes otherwise than fancy-regex: `\Z`, `\<`, `$` before a last line end, a literal `[`
/// in a class, stray braces.
fn translate(pattern: &str, multi_line: bool) -> String {
    let lines = multi_line || pattern.contains("(?m");
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut chars = pattern.char_indices().peekable();
    let mut class_at = None;
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some((_, 'Z')) if class_at.is_none() => out.push_str("\\z"),
                Some((_, next)) => {
                    // Python takes a needless backslash; here `\<` would mean the beginning of a word.
                    if next.is_ascii_alphanumeric() || "\\.+*?()|[]{}^$#&-~ \n\t".contains(next) {
                        out.push('\\');
                    }
                    out.push(next);
                }
                None => out.push('\\'),
            },
            '[' if class_at.is_some() => out.push_str("\\["),
            '[' => {
                out.push('[');
                class_at = Some(at);
                if chars.next_if(|(_, c)| *c == '^').is_some() {
                    out.push('^');
                }
                if chars.next_if(|(_, c)| *c == ']').is_some() {
                    out.push_str("\\]");
                }
            }
            ']' if class_at.take().is_some() => out.push(']'),
            '&' | '~' if class_at.is_some() => out.extend(['\\', c]),
            '$' if class_at.is_none() && !lines => out.push_str("(?=\\n?\\z)"),
            '{' if class_at.is_none() && !is_repeat(&pattern[at..]) => out.push_str("\\{"),
            '}' if class_at.is_none() && !closes_repeat(&pattern[..at]) => out.push_str("\\}"),
            c => out.push(c),
        }
    }
    out
}

/// Whether the text begins with `{2}`, `{2,}`, `{,3}` or `{2,3}`.
fn is_repeat(text: &str) -> bool {
    let Some((inside, _)) = text.strip_prefix('{').and_then(|it| it.split_once('}')) else { return false };
    let (low, high) = inside.split_once(',').unwrap_or((inside, inside));
    let digits = |it: &str| it.bytes().all(|b| b.is_ascii_digit());
    inside.len() > usize::from(inside.contains(',')) && digits(low) && digits(high)
}

fn closes_repeat(before: &str) -> bool {
    before.rfind('{').is_some_and(|at| {
        let escaped = before[..at].bytes().rev().take_while(|b| *b == b'\\').count() % 2 == 1;
        !escaped && is_repeat(&format!("{}}}", &before[at..]))
    })
}

/// Fills `\1`, `\g<1>`, `\g<name>`, `\n` of a replacement from a match.
///
/// # Errors
/// A group or an escape that is not there, in words.
pub fn expand(template: &str, found: &Captures<'_, str>, out: &mut String) -> Result<(), String> {
    let group = |name: &str| -> Result<&str, String> {
        let known = match name.parse::<usize>() {
            Ok(index) if index < found.len() => found.get(index),
            Ok(_) => return Err(format!("invalid group reference {name}")),
            Err(_) => found.name(name),
        };
        Ok(known.map_or("", |it| it.as_str()))
    };
    let mut rest = template;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let digits = after.bytes().take(2).take_while(u8::is_ascii_digit).count();
        if digits > 0 && !after.starts_with('0') {
            out.push_str(group(&after[..digits])?);
            rest = &after[digits..];
            continue;
        }
        if let Some((name, tail)) = after.strip_prefix("g<").and_then(|it| it.split_once('>')) {
            out.push_str(group(name)?);
            rest = tail;
            continue;
        }
        let mut chars = after.chars();
        match chars.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('f') => out.push('\x0c'),
            Some('v') => out.push('\x0b'),
            Some('a') => out.push('\x07'),
            Some('0') => out.push('\0'),
            Some('\\') | None => out.push('\\'),
            Some(c) if c.is_ascii_alphabetic() => return Err(format!("bad escape \\{c} in the replacement")),
            Some(c) => out.extend(['\\', c]),
        }
        rest = chars.as_str();
    }
    out.push_str(rest);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_mean_what_they_mean_in_python() {
        for (pattern, text, fits) in [
            ("^a$", "a\n", true),
            ("a\\Z", "a\n", false),
            ("[^[]x", "ax", true),
            ("[^]]x", "]x", false),
            ("${x}", "", false),
            ("^\\${x}", "${x}", true),
            ("a{2}", "aa", true),
            ("\\<b\\>", "<b>", true),
            ("(?P<n>a)(?P=n)", "aa", true),
            ("^(?!#)x", "x", true),
            ("[a&&b]", "&", true),
        ] {
            assert_eq!(
                compile(pattern, false, false).unwrap().is_match(text).unwrap(),
                fits,
                "{pattern} {text}"
            );
        }
        assert!(compile("(", false, false).is_err());
    }

    #[test]
    fn replacements_take_groups() {
        let regex = compile("(a)(?P<n>b)?", false, false).unwrap();
        let found = regex.captures("ab").unwrap().unwrap();
        let fill = |template: &str| {
            let mut out = String::new();
            expand(template, &found, &mut out).map(|()| out)
        };
        assert_eq!(fill(r"\2-\g<1>-\g<n>\\\n").unwrap(), "b-a-b\\\n");
        assert!(fill(r"\3").is_err() && fill(r"\q").is_err());
    }
}
