//! `k8s_cluster_info`: which cluster this is and what its API offers. Changes nothing.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map as JsonMap, Value as Json, json};

use crate::modules::api::{Fail, HostPath, Look, Module, Outcome, Support, Touch, Value};
use crate::modules::kubectl::{Connection, Kubectl, at};

/// Describe a cluster: its version, where it is, and which kinds its API has.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Ask the API server anew. It always is.
    #[serde(default = "yes")]
    #[expect(dead_code, reason = "playbooks give it; nothing is kept between tasks")]
    invalidate_cache: bool,
    /// Which API server.
    #[serde(rename = "@connection")]
    #[schemars(flatten)]
    connection: Connection,
}

fn yes() -> bool {
    true
}

impl Module for Args {
    const SUPPORT: Support = Support::NO_DIFF;
    const EXAMPLES: &'static str = "
- name: Which cluster is this?
  k8s_cluster_info:
  register: cluster
";
    const RETURNS: &'static str = "
apis: For each API version its kinds, with `name`, `singular_name`, `short_names`, `categories`, `namespaced` and `preferred`.
connection: Where the API server is (`host`), and what its certificate is checked with.
version: The versions of kubectl (`client`) and of the API server (`server`).
";
    type Plan = ();

    fn plan(&self, _host: &dyn Look) -> Result<Option<()>, Fail> {
        Ok(None)
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let kubectl = self.connection.open(host)?;
        let version = read(&kubectl, host, &["version", "--output=json"])?;
        let config = read(&kubectl, host, &["config", "view", "--minify", "--output=json"])?;
        let outcome = Outcome::unchanged()
            .with("apis", Value::from(apis(&kubectl, host)?))
            .with("connection", Value::from(self.connection(&config)))
            .with(
                "version",
                Value::from(json!({
                    "client": at(&version, "/clientVersion/gitVersion"),
                    "server": {"kubernetes": at(&version, "/serverVersion")},
                })),
            );
        Ok(outcome)
    }

    fn apply(&self, (): (), _host: &mut dyn Touch) -> Result<Outcome, Fail> {
        Ok(Outcome::unchanged())
    }
}

impl Args {
    /// What leads to the server, from the arguments and the kubeconfig; kubectl itself leaves secrets out of the latter.
    fn connection(&self, config: &Json) -> Json {
        let cluster = at(config, "/clusters/0/cluster");
        let user = at(config, "/users/0/user");
        let given = &self.connection;
        let path = |own: &Option<_>, other: &Json| {
            own.as_ref().map_or_else(|| other.clone(), |path: &HostPath| json!(path.text()))
        };
        let insecure = at(cluster, "/insecure-skip-tls-verify") == true;
        json!({
            "host": given.host.as_ref().map_or_else(|| at(cluster, "/server").clone(), |host| json!(host)),
            "cert_file": path(&given.client_cert, at(user, "/client-certificate")),
            "ssl_ca_cert": path(&given.ca_cert, at(cluster, "/certificate-authority")),
            "username": given.username.as_ref().map_or_else(|| at(user, "/username").clone(), |name| json!(name)),
            "verify_ssl": given.validate_certs.unwrap_or(!insecure),
        })
    }
}

fn read(kubectl: &Kubectl, host: &dyn Look, words: &[&str]) -> Result<Json, Fail> {
    let ran = kubectl.ask(host, words, None)?;
    serde_json::from_slice(&ran.stdout)
        .map_err(|error| Fail::new(format!("kubectl {} printed what is no JSON: {error}", words.join(" "))))
}

/// The kinds of every API version.
fn apis(kubectl: &Kubectl, host: &dyn Look) -> Result<Json, Fail> {
    let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
    let mut versions = vec![("v1".to_owned(), true, "/api/v1".to_owned())];
    let groups = read(kubectl, host, &["get", "--raw", "/apis"])?;
    for group in at(&groups, "/groups").as_array().into_iter().flatten() {
        let preferred = text(at(group, "/preferredVersion/groupVersion"));
        for version in at(group, "/versions").as_array().into_iter().flatten() {
            let name = text(at(version, "/groupVersion"));
            versions.push((name.clone(), name == preferred, format!("/apis/{name}")));
        }
    }
    let mut all = JsonMap::new();
    for (name, preferred, path) in versions {
        // A group whose server is down must not hide the others.
        let Ok(found) = read(kubectl, host, &["get", "--raw", &path]) else { continue };
        let mut kinds = JsonMap::new();
        for one in at(&found, "/resources").as_array().into_iter().flatten() {
            let plural = text(at(one, "/name"));
            if plural.contains('/') {
                continue;
            }
            let list = |pointer: &str| at(one, pointer).as_array().cloned().unwrap_or_default();
            let described = json!({
                "name": plural, "singular_name": at(one, "/singularName"), "namespaced": at(one, "/namespaced"),
                "short_names": list("/shortNames"), "categories": list("/categories"), "preferred": preferred,
            });
            kinds.insert(text(at(one, "/kind")), described);
        }
        all.insert(name, Json::Object(kinds));
    }
    Ok(Json::Object(all))
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::Args;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn a_cluster_is_described() {
        let mut host = FakeHost::new()
            .answer(
                "kubectl version",
                0,
                r#"{"clientVersion": {"gitVersion": "v1.20.2"}, "serverVersion": {"major": "1"}}"#,
            )
            .answer("kubectl config view", 0, r#"{"clusters": [{"cluster": {"server": "https://a:6443"}}]}"#)
            .answer(
                "kubectl get --raw /apis",
                0,
                r#"{"groups": [{"preferredVersion": {"groupVersion": "apps/v1"},
                "versions": [{"groupVersion": "apps/v1"}, {"groupVersion": "down/v1"}]}]}"#,
            )
            .answer(
                "kubectl get --raw /api/v1",
                0,
                r#"{"resources": [{"name": "pods", "kind": "Pod", "namespaced": true,
                "singularName": "", "shortNames": ["po"]}, {"name": "pods/log", "kind": "Pod"}]}"#,
            )
            .answer("kubectl get --raw /apis/apps/v1", 0, r#"{"resources": []}"#)
            .answer("kubectl get --raw /apis/down/v1", 1, "");
        let outcome = host.play::<Args>("{}").unwrap();
        assert!(!outcome.changed && host.touches == 0);
        assert_eq!(
            outcome.fields["apis"].to_string(),
            "{'v1': {'Pod': {'name': 'pods', 'singular_name': '', 'namespaced': True, 'short_names': ['po'], \
             'categories': [], 'preferred': True}}, 'apps/v1': {}}"
        );
        assert_eq!(outcome.fields["connection"].get("host").unwrap().to_string(), "https://a:6443");
        assert_eq!(outcome.fields["version"].get("client").unwrap().to_string(), "v1.20.2");
    }
}
