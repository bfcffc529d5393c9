//! `%h` and its like in values of the ssh configuration, `${VARIABLE}` and `~/` in its paths.

use std::path::{Path, PathBuf};

use crate::connection::ConnectError;

/// What the tokens stand for.
pub(super) struct Tokens<'a> {
    values: &'a [(char, &'a str)],
    /// Whether a shell reads the result.
    quoted: bool,
}

impl<'a> Tokens<'a> {
    pub(super) fn of(values: &'a [(char, &'a str)]) -> Tokens<'a> {
        Tokens { values, quoted: false }
    }

    /// For a command line: what stands for a token stays one word of it, whatever it holds.
    pub(super) fn quoted(self) -> Tokens<'a> {
        Tokens { quoted: true, ..self }
    }

    /// Puts the values in. `origin` is where the text stands, for messages.
    pub(super) fn expand(&self, text: &str, origin: &str) -> Result<String, ConnectError> {
        let mut out = String::with_capacity(text.len());
        let mut chars = text.chars();
        while let Some(c) = chars.next() {
            if c != '%' {
                out.push(c);
                continue;
            }
            let token = chars.next();
            let value = token.and_then(|token| self.values.iter().find(|(name, _)| *name == token));
            match (token, value) {
                (Some('%'), _) => out.push('%'),
                (_, Some((_, value))) if self.quoted => match shlex::try_quote(value) {
                    Ok(word) => out.push_str(&word),
                    Err(_) => {
                        return Err(ConnectError::Config(format!(
                            "{origin}: a NUL byte can't be in a command"
                        )));
                    }
                },
                (_, Some((_, value))) => out.push_str(value),
                (token, None) => {
                    let token = token.map(String::from).unwrap_or_default();
                    return Err(ConnectError::Config(format!(
                        "{origin}: unknown token `%{token}` in `{text}`"
                    )));
                }
            }
        }
        Ok(out)
    }
}

/// A path: `~/`, `${VARIABLE}`, and tokens.
pub(super) fn path(text: &str, home: &Path, tokens: &Tokens, origin: &str) -> Result<PathBuf, ConnectError> {
    let text = tokens.expand(&variables(text, origin)?, origin)?;
    Ok(match text.strip_prefix("~/") {
        Some(rest) => home.join(rest),
        None if text == "~" => home.to_owned(),
        None => PathBuf::from(text),
    })
}

fn variables(text: &str, origin: &str) -> Result<String, ConnectError> {
    let mut out = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("${") {
        let Some((name, after)) = after.split_once('}') else { break };
        let value = std::env::var(name).map_err(|_| {
            ConnectError::Config(format!("{origin}: the environment has no variable `{name}`"))
        })?;
        out.push_str(before);
        out.push_str(&value);
        rest = after;
    }
    Ok(out + rest)
}

/// The name of this machine.
pub(super) fn local_host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_put_in_and_unknown_ones_are_an_error() {
        let values = [('h', "web 1"), ('p', "22")];
        let tokens = Tokens::of(&values);
        assert_eq!(tokens.expand("nc %h %p 100%%", "o").unwrap(), "nc web 1 22 100%");
        assert_eq!(Tokens::of(&values).quoted().expand("nc %h %p", "o").unwrap(), "nc 'web 1' 22");
        for text in ["%z", "trailing %"] {
            assert!(
                tokens.expand(text, "config line 3").unwrap_err().to_string().starts_with("config line 3")
            );
        }
    }

    #[test]
    fn paths_know_home_and_variables() {
        let home = Path::new("/home/ann");
        let tokens = Tokens::of(&[('r', "root")]);
        for (text, expected) in [
            ("~/.ssh/%r", "/home/ann/.ssh/root"),
            ("/a/b", "/a/b"),
            ("${CARGO_PKG_NAME}/x", "regatta/x"),
            ("a${b", "a${b"),
        ] {
            assert_eq!(path(text, home, &tokens, "o").unwrap(), Path::new(expected), "{text}");
        }
        assert!(path("${NO_SUCH_VARIABLE_HERE}", home, &tokens, "o").is_err());
    }
}
