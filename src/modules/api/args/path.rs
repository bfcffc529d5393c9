//! A path argument: text that begins with `~` or holds `$NAME` is expanded on the host, as late as it is used.

use std::borrow::Cow;
use std::fmt;
use std::path::PathBuf;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer};

use crate::modules::api::Look;

/// A path on the host, as written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPath(String);

impl HostPath {
    /// From text.
    #[must_use]
    pub fn new(text: impl Into<String>) -> HostPath {
        HostPath(text.into())
    }

    /// As written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// On this host: `~`, `~user`, `$NAME` and `${NAME}` expanded as a shell would; unknown ones stay.
    #[must_use]
    pub fn on(&self, host: &dyn Look) -> PathBuf {
        PathBuf::from(expand(&self.0, host))
    }
}

impl fmt::Display for HostPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Expands `~`, `~user`, `$NAME` and `${NAME}`; what is unknown stays as written.
#[must_use]
pub fn expand(text: &str, host: &dyn Look) -> String {
    let text = variables(text, host);
    let Some(rest) = text.strip_prefix('~') else { return text };
    let (user, tail) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
    let home = if user.is_empty() {
        host.env("HOME").or_else(|| home_of(&host.ids().0.to_string(), host))
    } else {
        home_of(user, host)
    };
    home.map_or_else(|| text.clone(), |home| format!("{}{tail}", home.trim_end_matches('/')))
}

fn home_of(user: &str, host: &dyn Look) -> Option<String> {
    host.user(user).ok().flatten().map(|user| user.home)
}

/// Replaces `$NAME` and `${NAME}` where the variable is set.
pub(crate) fn variables(text: &str, host: &dyn Look) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let (name, len) = match after.strip_prefix('{').and_then(|inner| inner.split_once('}')) {
            Some((name, _)) => (name, name.len() + 2),
            None => {
                let len = after.find(|c| !is_name(c)).unwrap_or(after.len());
                (&after[..len], len)
            }
        };
        match host.env(name).filter(|_| !name.is_empty()) {
            Some(value) => out.push_str(&value),
            None => out.push_str(&rest[at..=at + len]),
        }
        rest = &after[len..];
    }
    out.push_str(rest);
    out
}

impl<'de> Deserialize<'de> for HostPath {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<HostPath, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = HostPath;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a path")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<HostPath, E> {
                if text.contains('\0') {
                    return Err(E::custom("must be a path, but has a NUL byte in it"));
                }
                Ok(HostPath(text.to_owned()))
            }
            fn visit_i64<E>(self, number: i64) -> Result<HostPath, E> {
                Ok(HostPath(number.to_string()))
            }
        }
        from.deserialize_any(Text)
    }
}

impl JsonSchema for HostPath {
    fn schema_name() -> Cow<'static, str> {
        "Path".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": "string", "format": "path"})
    }
}
