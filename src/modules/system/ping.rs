//! `ping`: does the worker answer?

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Fail, Look, Module, Outcome, Support, Touch};

/// Try to connect to the host, start the worker there and return `pong`.
///
/// This is not ICMP ping: it proves that tasks can run on the host.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// What to return. With `crash` the module fails on purpose.
    #[serde(default = "pong")]
    data: String,
}

fn pong() -> String {
    "pong".into()
}

impl Module for Args {
    const SUPPORT: Support = Support::NO_DIFF;
    const EXAMPLES: &'static str = "
- name: Can tasks run on this host?
  ping:
";
    const RETURNS: &'static str = "ping: The value of `data`.";
    type Plan = ();

    fn plan(&self, _host: &dyn Look) -> Result<Option<()>, Fail> {
        Ok(None)
    }

    fn unchanged(&self, _host: &dyn Look) -> Result<Outcome, Fail> {
        if self.data == "crash" {
            return Err(Fail::new("boom"));
        }
        Ok(Outcome::unchanged().with("ping", self.data.as_str()))
    }

    fn apply(&self, (): (), host: &mut dyn Touch) -> Result<Outcome, Fail> {
        self.unchanged(host.as_look())
    }
}
