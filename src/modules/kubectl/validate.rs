//! Checking definitions against the API server's schema before anything is made.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::lookup::{in_namespace, place_of};
use super::object::Id;
use super::run::{Kubectl, Trouble, complaint, scrub, trouble};
use crate::modules::api::{Fail, Look};

/// How definitions are checked.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Validation {
    /// Fail if a definition does not fit the schema, instead of warning.
    #[serde(default)]
    pub fail_on_error: bool,
    /// Complain of fields that the schema does not have.
    #[serde(default = "yes")]
    pub strict: bool,
}

fn yes() -> bool {
    true
}

impl Validation {
    /// What does not fit, as warnings.
    ///
    /// # Errors
    /// What does not fit, if that is to fail.
    pub fn check(
        &self,
        kubectl: &Kubectl,
        host: &dyn Look,
        docs: &[Json],
        namespace: Option<&str>,
    ) -> Result<Vec<String>, Fail> {
        let mut found = Vec::new();
        for doc in docs {
            let place = in_namespace(place_of(doc, namespace));
            let mut words =
                vec!["apply", "--filename=-", "--dry-run=server", "--validate=true", "--output=name"];
            words.extend(place.iter().map(String::as_str));
            let ran = kubectl.query(host, &words, Some(doc))?;
            let text = complaint(&ran);
            if !ran.ok() && trouble(&text) == Trouble::Other {
                let text = scrub(&text, std::slice::from_ref(doc));
                found.extend(self.mistakes(&text).into_iter().map(|it| format!("{}: {it}", Id::of(doc))));
            }
        }
        if self.fail_on_error && !found.is_empty() {
            return Err(Fail::new(format!("not valid: {}", found.join("; "))));
        }
        Ok(found)
    }

    /// The mistakes in a definition that kubectl or the server names; other complaints are left to the run itself.
    fn mistakes(&self, text: &str) -> Vec<String> {
        let text = text.split("; if you choose to ignore these errors").next().unwrap_or(text);
        let inside = ["error validating data: ", "strict decoding error: "]
            .into_iter()
            .find_map(|mark| text.split_once(mark).map(|(_, inside)| inside));
        let Some(inside) = inside else { return Vec::new() };
        let inside = inside.trim_start_matches('[').trim_end_matches(']');
        let pieces = inside.split(", ").map(|piece| piece.trim().to_owned());
        pieces.filter(|piece| self.strict || !piece.contains("unknown field")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Validation;

    #[test]
    fn mistakes_are_read_from_old_and_new_kubectl() {
        let strict = Validation { fail_on_error: true, strict: true };
        let lenient = Validation { strict: false, ..strict.clone() };
        for (text, mistakes, left) in [
            (
                "error validating \"STDIN\": error validating data: [ValidationError(A.spec): unknown field \"x\" in B, \
                 ValidationError(A): missing required field \"y\" in B]; if you choose to ignore these errors, turn \
                 validation off with --validate=false",
                2,
                1,
            ),
            (
                "D in version \"v1\" cannot be handled as a D: strict decoding error: unknown field \"spec.foo\"",
                1,
                0,
            ),
            ("Error from server (Forbidden): no", 0, 0),
        ] {
            assert_eq!(strict.mistakes(text).len(), mistakes, "{text}");
            assert_eq!(lenient.mistakes(text).len(), left, "{text}");
        }
    }
}
