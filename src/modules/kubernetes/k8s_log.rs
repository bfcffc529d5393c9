//! `k8s_log`: what a container printed. Changes nothing.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Fail, Look, Module, Outcome, Support, Touch};
use crate::modules::kubectl::{Connection, Id, Place, Selection, resource, selected};

/// Read what a container printed.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The kind of the object: of a Deployment and the like one of its pods is taken.
    #[serde(default = "pod")]
    kind: String,
    /// Its API version; by default the one that the API server prefers.
    #[serde(alias = "api", alias = "version")]
    #[schemars(extend("x-aliases" = ["api", "version"]))]
    api_version: Option<String>,
    /// Its name.
    #[serde(default)]
    name: Option<String>,
    /// Its namespace.
    #[serde(default)]
    namespace: Option<String>,
    /// Labels of the object, instead of its name; the first that has them is taken.
    #[serde(default)]
    label_selectors: Vec<String>,
    /// The container; by default the only one.
    #[serde(default)]
    container: Option<String>,
    /// All containers of the pod.
    #[serde(default)]
    all_containers: bool,
    /// Only what was printed in the last so many seconds.
    #[serde(default)]
    since_seconds: Option<u64>,
    /// Only the last so many lines.
    #[serde(default)]
    tail_lines: Option<u64>,
    /// Of the container that ran before this one.
    #[serde(default)]
    previous: bool,
    /// Which API server.
    #[serde(rename = "@connection")]
    #[schemars(flatten)]
    connection: Connection,
}

fn pod() -> String {
    "Pod".into()
}

impl Module for Args {
    const SUPPORT: Support = Support::NO_DIFF;
    const EXAMPLES: &'static str = "
- name: What the application said last
  k8s_log:
    api_version: apps/v1
    kind: Deployment
    name: web
    namespace: shop
    tail_lines: 100
  register: log
";
    const RETURNS: &'static str = "
log: What was printed.
log_lines: The same as a list of lines.
";
    type Plan = ();

    fn plan(&self, _host: &dyn Look) -> Result<Option<()>, Fail> {
        if self.container.is_some() && self.all_containers {
            return Err(Fail::new("parameters are mutually exclusive: container|all_containers"));
        }
        if self.name.is_some() != self.label_selectors.is_empty() {
            return Err(Fail::new("one of name and label_selectors is needed"));
        }
        Ok(None)
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let kubectl = self.connection.open(host)?;
        let kind = resource(&self.kind, self.api_version.as_deref());
        let name = match &self.name {
            Some(name) => name.clone(),
            None => {
                let selection =
                    Selection { label_selectors: self.label_selectors.clone(), ..Selection::default() };
                let place = Place::In(self.namespace.as_deref());
                let found = selected(&kubectl, host, &kind, place, &selection)?.unwrap_or_default();
                let first = found.first().map(|object| Id::of(object).name);
                first.ok_or_else(|| {
                    Fail::new(format!("no {} has the labels {}", self.kind, self.label_selectors.join(", ")))
                })?
            }
        };
        let mut words = vec!["logs".to_owned(), format!("{kind}/{name}")];
        words.extend(self.namespace.iter().map(|name| format!("--namespace={name}")));
        words.extend(self.container.iter().map(|name| format!("--container={name}")));
        words.extend(self.since_seconds.map(|seconds| format!("--since={seconds}s")));
        words.extend(self.tail_lines.map(|lines| format!("--tail={lines}")));
        words.extend(self.all_containers.then(|| "--all-containers".to_owned()));
        words.extend(self.previous.then(|| "--previous".to_owned()));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let log = kubectl.ask(host, &words, None)?.out();
        let lines: Vec<String> = log.lines().map(str::to_owned).collect();
        Ok(Outcome::unchanged().with("log", log).with("log_lines", lines))
    }

    fn apply(&self, (): (), _host: &mut dyn Touch) -> Result<Outcome, Fail> {
        Ok(Outcome::unchanged())
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::Args;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn logs_are_read_by_name_and_by_label() {
        for (args, line) in [
            ("{name: p, namespace: n}", "kubectl logs Pod/p --namespace=n"),
            (
                "{name: w, kind: Deployment, api_version: apps/v1, container: c, since_seconds: 60, tail_lines: 5, \
                 previous: true}",
                "kubectl logs Deployment.v1.apps/w --container=c --since=60s --tail=5 --previous",
            ),
            ("{label_selectors: app=w, all_containers: true}", "kubectl logs Pod/p --all-containers"),
        ] {
            let pods = r#"{"kind": "List", "items": [{"kind": "Pod", "metadata": {"name": "p"}}]}"#;
            let mut host = FakeHost::new().answer(line, 0, "a\nb\n").answer("kubectl get", 0, pods);
            let outcome = host.play::<Args>(args).unwrap();
            assert_eq!(outcome.fields["log_lines"].to_string(), "['a', 'b']", "{args}");
            assert!(!outcome.changed && host.touches == 0);
        }
    }

    #[test]
    fn what_can_not_be_is_refused() {
        let mut host = FakeHost::new().answer("kubectl get", 0, "");
        for (args, message) in [
            ("{}", "one of name and label_selectors is needed"),
            ("{name: p, label_selectors: a}", "one of name and label_selectors is needed"),
            ("{name: p, container: c, all_containers: true}", "parameters are mutually exclusive"),
            ("{label_selectors: a=b}", "no Pod has the labels a=b"),
        ] {
            let fail = host.play::<Args>(args).unwrap_err();
            assert!(fail.msg.starts_with(message), "{}", fail.msg);
        }
    }
}
