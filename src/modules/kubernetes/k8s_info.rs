//! `k8s_info`: what is in the Kubernetes API. Changes nothing.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::modules::api::{Fail, Look, Module, Outcome, Support, Touch, Value};
use crate::modules::kubectl::{
    Connection, Id, Kubectl, Place, Selection, Showing, Waiting, object_of, resource, selected, shown,
};

/// Read objects of the Kubernetes API.
///
/// Values of Secrets are returned as they are: give such a task `no_log`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The kind of the objects.
    kind: String,
    /// Its API version; by default the one that the API server prefers.
    #[serde(alias = "api", alias = "version")]
    #[schemars(extend("x-aliases" = ["api", "version"]))]
    api_version: Option<String>,
    /// The name of one object; by default all.
    name: Option<String>,
    /// Their namespace; by default all, for one object the kubeconfig's.
    namespace: Option<String>,
    /// Fields that the result does not show.
    #[serde(default = "hidden")]
    hidden_fields: Vec<String>,
    /// Which of them.
    #[serde(rename = "@selection")]
    #[schemars(flatten)]
    selection: Selection,
    /// Waiting: until there is at least one and all are ready.
    #[serde(rename = "@waiting")]
    #[schemars(flatten)]
    waiting: Waiting,
    /// Which API server.
    #[serde(rename = "@connection")]
    #[schemars(flatten)]
    connection: Connection,
}

fn hidden() -> Vec<String> {
    Showing::default().hidden
}

impl Module for Args {
    const SUPPORT: Support = Support::NO_DIFF;
    const EXAMPLES: &'static str = "
- name: The nodes
  k8s_info:
    kind: Node
  register: nodes

- name: Wait until the database's pods are ready
  k8s_info:
    kind: Pod
    namespace: shop
    label_selectors:
      - app=database
    wait: true
    wait_timeout: 300

- name: One deployment
  k8s_info:
    api_version: apps/v1
    kind: Deployment
    name: web
    namespace: shop
    kubeconfig: /etc/kubernetes/admin.conf
";
    const RETURNS: &'static str = "
resources: The objects.
api_found: Whether the API server knows the kind.
duration: How many seconds were waited.
";
    type Plan = Kubectl;

    fn plan(&self, host: &dyn Look) -> Result<Option<Kubectl>, Fail> {
        self.connection.open(host).map(Some)
    }

    fn predicted(&self, kubectl: &Kubectl, host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.tell(self.find(kubectl, host)?))
    }

    fn apply(&self, kubectl: Kubectl, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        if !self.waiting.wait {
            return Ok(self.tell(self.find(&kubectl, host.as_look())?));
        }
        let mut last = None;
        let found = self.waiting.until(host, |host| {
            last = self.find(&kubectl, host.as_look())?;
            let objects = last.iter().flatten();
            let ready = last.as_ref().is_some_and(|all| !all.is_empty())
                && objects.clone().all(|object| self.waiting.satisfied(object));
            Ok(ready.then(|| last.clone()))
        })?;
        found.map(|found| self.tell(found)).ok_or_else(|| {
            let count = last.as_ref().map_or(0, Vec::len);
            let seconds = self.waiting.wait_timeout;
            Fail::new(format!(
                "timed out after {seconds} s waiting for objects of kind {}: {count} found, not all are ready",
                self.kind
            ))
        })
    }
}

impl Args {
    /// `None`: there is no such kind.
    fn find(&self, kubectl: &Kubectl, host: &dyn Look) -> Result<Option<Vec<Json>>, Fail> {
        let namespace = self.namespace.as_deref();
        let kind = resource(&self.kind, self.api_version.as_deref());
        match &self.name {
            Some(name) => {
                let id = Id {
                    api_version: self.api_version.clone().unwrap_or_default(),
                    kind: self.kind.clone(),
                    name: name.clone(),
                    namespace: None,
                };
                match object_of(kubectl, host, &id, namespace) {
                    Ok(found) => Ok(Some(found.into_iter().collect())),
                    Err(fail) if fail.msg.contains("have a resource type") => Ok(None),
                    Err(fail) => Err(fail),
                }
            }
            None => {
                let place = namespace.map_or(Place::Everywhere, |name| Place::In(Some(name)));
                selected(kubectl, host, &kind, place, &self.selection)
            }
        }
    }

    fn tell(&self, found: Option<Vec<Json>>) -> Outcome {
        let known = found.is_some();
        let all: Value =
            found.into_iter().flatten().map(|object| shown(&object, &self.hidden_fields, true)).collect();
        Outcome::unchanged().with("resources", all).with("api_found", known)
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::*;
    use crate::modules::api::Ran;
    use crate::modules::api::fake::FakeHost;

    const PODS: &str = r#"{"kind": "List", "items": [
        {"kind": "Pod", "metadata": {"name": "a", "managedFields": []}, "status": {"phase": "Succeeded"}}]}"#;

    fn resources(outcome: &Outcome) -> String {
        outcome.fields["resources"].to_string()
    }

    #[test]
    fn objects_are_found_by_kind_name_and_selectors() {
        for (args, line) in [
            ("{kind: Pod}", "kubectl get Pod --output=json --all-namespaces"),
            (
                "{kind: Pod, namespace: n, label_selectors: [a=b, c], field_selectors: d=e}",
                "kubectl get Pod --output=json --selector=a=b,c --field-selector=d=e --namespace=n",
            ),
            (
                "{kind: Deployment, api_version: apps/v1, name: w, namespace: n, wait: true}",
                "kubectl get Deployment.v1.apps w --ignore-not-found --output=json --namespace=n",
            ),
        ] {
            let mut host = FakeHost::new().answer(line, 0, PODS);
            let outcome = host.play::<Args>(args).unwrap();
            assert!(!outcome.changed && host.touches == 0, "{args}");
            assert_eq!(
                resources(&outcome),
                "[{'kind': 'Pod', 'metadata': {'name': 'a'}, 'status': {'phase': 'Succeeded'}}]"
            );
            assert!(host.check::<Args>(args).is_ok());
        }
    }

    #[test]
    fn a_kind_that_is_not_there_is_no_failure_but_a_server_that_is_not_is_one() {
        let said = |text: &str| Ran { rc: 1, stderr: text.into(), ..Ran::default() };
        let no_kind = said("error: the server doesn't have a resource type \"Foo\"");
        for args in ["{kind: Foo}", "{kind: Foo, name: a}"] {
            let mut host = FakeHost::new().answer_with("kubectl get Foo", no_kind.clone(), None);
            let outcome = host.play::<Args>(args).unwrap();
            assert_eq!(
                (resources(&outcome).as_str(), outcome.fields["api_found"].as_bool()),
                ("[]", Some(false))
            );
        }
        let refused = said(
            "The connection to the server localhost:8080 was refused - did you specify the right host or port?",
        );
        let mut host = FakeHost::new().answer_with("kubectl get", refused, None);
        let fail = host.play::<Args>("kind: Pod").unwrap_err();
        assert!(fail.msg.starts_with("the Kubernetes API can't be reached"), "{}", fail.msg);
        assert!(fail.msg.contains("there is no kubeconfig /root/.kube/config on this host"), "{}", fail.msg);
        let fail = FakeHost::new().play::<Args>("kind: Pod").unwrap_err();
        assert!(fail.msg.starts_with("kubectl is not installed"), "{}", fail.msg);
    }
}
