//! A line of authorized_keys: options, key, comment.

use crate::modules::api::Fail;

/// A key and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    /// One by one, as written.
    pub options: Vec<String>,
    pub kind: String,
    /// The key itself, in base64: what tells keys apart.
    pub blob: String,
    pub comment: String,
}

impl Key {
    /// None for comments and empty lines; an error for what is neither.
    pub(super) fn parse(line: &str) -> Result<Option<Key>, Fail> {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            return Ok(None);
        }
        let (options, rest) = if is_kind(word(line).0) { ("", line) } else { option_field(line) };
        let (kind, rest) = word(rest);
        let (blob, comment) = word(rest);
        let plausible = blob.len() >= 16
            && blob.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
        if !is_kind(kind) || !plausible {
            let shown: String = line.chars().take(60).collect();
            return Err(Fail::new(format!("invalid key specified: {shown}")));
        }
        let comment = comment.trim().to_owned();
        Ok(Some(Key { options: options_of(options), kind: kind.into(), blob: blob.into(), comment }))
    }

    /// The line, with its newline.
    pub(super) fn line(&self) -> String {
        let mut line = self.options.join(",");
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(&format!("{} {}", self.kind, self.blob));
        if !self.comment.is_empty() {
            line.push(' ');
            line.push_str(&self.comment);
        }
        line.push('\n');
        line
    }

    /// Whether a line says the same. A key that has no comment takes any.
    pub(super) fn is(&self, other: &Key) -> bool {
        let sorted = |key: &Key| {
            let mut options = key.options.clone();
            options.sort_unstable();
            options
        };
        self.blob == other.blob
            && self.kind == other.kind
            && sorted(self) == sorted(other)
            && (self.comment.is_empty() || self.comment == other.comment)
    }
}

fn is_kind(word: &str) -> bool {
    ["ssh-", "ecdsa-sha2-", "sk-ssh-", "sk-ecdsa-"].iter().any(|start| word.starts_with(start))
        && !word.contains(['"', ',', '='])
}

/// The first word and the rest.
fn word(text: &str) -> (&str, &str) {
    let text = text.trim_start();
    text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()))
}

/// What comes before the first space outside quotes, and the rest.
fn option_field(text: &str) -> (&str, &str) {
    let end = outside_quotes(text).find(|(_, c)| c.is_whitespace()).map_or(text.len(), |(at, _)| at);
    text.split_at(end)
}

/// The characters that are not between double quotes.
fn outside_quotes(text: &str) -> impl Iterator<Item = (usize, char)> {
    let (mut quoted, mut escaped) = (false, false);
    text.char_indices().filter(move |(_, c)| {
        let inside = quoted;
        if *c == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = *c == '\\' && !escaped;
        !inside && *c != '"'
    })
}

/// Options one by one.
pub(super) fn options_of(text: &str) -> Vec<String> {
    let mut options = Vec::new();
    let mut begin = 0;
    for (at, _) in outside_quotes(text).filter(|(_, c)| *c == ',') {
        options.push(&text[begin..at]);
        begin = at + 1;
    }
    options.push(&text[begin..]);
    options.into_iter().map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BLOB: &str = "AAAAC3NzaC1lZDI1NTE5AAAAILagOJFgwaMNhBWQINinKOXmqS4Gh5NgxgriXwdOoINJ";

    fn key(text: &str) -> Key {
        Key::parse(text).unwrap().unwrap()
    }

    #[test]
    fn lines_are_read_and_written() {
        for (line, options, comment) in [
            (format!("ssh-ed25519 {BLOB}\n"), vec![], ""),
            (format!("ssh-ed25519 {BLOB} a b@c\n"), vec![], "a b@c"),
            (
                format!("no-pty,command=\"a \\\"b, c\\\" ssh-rsa d\",from=\"1,2\" ssh-ed25519 {BLOB} x\n"),
                vec!["no-pty", "command=\"a \\\"b, c\\\" ssh-rsa d\"", "from=\"1,2\""],
                "x",
            ),
        ] {
            let key = key(&line);
            assert_eq!(
                (key.options.clone(), key.comment.as_str()),
                (options.into_iter().map(str::to_owned).collect(), comment)
            );
            assert_eq!(key.line(), line);
        }
        for line in ["", "  ", "# ssh-ed25519 AAAA"] {
            assert_eq!(Key::parse(line).unwrap(), None, "{line}");
        }
        for line in ["nonsense", "ssh-ed25519", "ssh-ed25519 not-base64!", &format!("a b {BLOB}")] {
            assert!(Key::parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn the_order_of_options_and_an_absent_comment_do_not_count() {
        let there = key(&format!("a,b ssh-ed25519 {BLOB} me"));
        for (wanted, same) in [
            (format!("b,a ssh-ed25519 {BLOB}"), true),
            (format!("a,b ssh-ed25519 {BLOB} me"), true),
            (format!("a,b ssh-ed25519 {BLOB} you"), false),
            (format!("ssh-ed25519 {BLOB} me"), false),
            (format!("a,b ssh-rsa {BLOB} me"), false),
        ] {
            assert_eq!(key(&wanted).is(&there), same, "{wanted}");
        }
    }
}
