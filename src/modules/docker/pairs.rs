//! Mappings of texts as docker's arguments have them: environment, labels, options.

use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;

use crate::modules::api::{Cmd, Fail, Map, Value};

/// Names with values, in the order given.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(transparent)]
pub struct Pairs(pub Map);

impl JsonSchema for Pairs {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Pairs".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        BTreeMap::<String, Value>::json_schema(generator)
    }
}

impl Pairs {
    /// As texts. Numbers are taken; what YAML may have made of an unquoted word is refused.
    ///
    /// # Errors
    /// Truth values, fractions, lists and mappings.
    pub fn texts(&self, what: &str) -> Result<Vec<(String, String)>, Fail> {
        let text = |(key, value): (&crate::value::Str, &Value)| match value {
            Value::Str(_) | Value::Int(_) => Ok((key.to_string(), value.to_string())),
            _ => Err(Fail::new(format!("{what}: the value of {key} must be text; put it in quotes"))),
        };
        self.0.iter().map(text).collect()
    }
}

/// Gives the client `NAME=value` without the value standing in the process list: the client takes a name alone from
/// its own environment. Names that mean something to the client itself stand in the words.
#[must_use]
pub fn with_variables(mut cmd: Cmd, option: &str, pairs: &[(String, String)]) -> Cmd {
    const OWN: &[&str] = &["PATH", "HOME", "PWD", "TMPDIR", "SSH_AUTH_SOCK", "NO_COLOR", "LANG"];
    const OWN_STARTS: &[&str] =
        &["DOCKER", "BUILDX", "BUILDKIT", "COMPOSE", "LD_", "LC_", "GO", "OTEL_", "SSL_", "XDG_"];
    for (name, value) in pairs {
        let upper = name.to_uppercase();
        let own = OWN.contains(&&*upper)
            || OWN_STARTS.iter().any(|start| upper.starts_with(start))
            || upper.ends_with("_PROXY");
        cmd = cmd.arg(option);
        cmd = if own || name.is_empty() || name.contains('=') || value.contains('\0') {
            cmd.arg(format!("{name}={value}"))
        } else {
            cmd.arg(name.clone()).env(name, value)
        };
    }
    cmd
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_go_through_the_environment() {
        let pairs = [("TOKEN", "s3cret"), ("PATH", "/bin"), ("http_proxy", "p")];
        let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let cmd = with_variables(Cmd::new(["docker"]), "--env", &pairs);
        assert_eq!(cmd.display(), "docker --env TOKEN --env PATH=/bin --env http_proxy=p");
        assert_eq!(cmd.env, [("TOKEN".to_owned(), "s3cret".to_owned())]);
    }

    #[test]
    fn what_may_not_be_text_is_refused() {
        let pairs = |value: Value| Pairs(Value::from_pairs([("a", value)]).into_map()).texts("env");
        assert_eq!(pairs(Value::from(5)).unwrap(), [("a".to_owned(), "5".to_owned())]);
        for value in [Value::from(true), Value::from(1.5), Value::Null] {
            let fail = pairs(value).unwrap_err();
            assert_eq!(fail.msg, "env: the value of a must be text; put it in quotes");
        }
    }
}
