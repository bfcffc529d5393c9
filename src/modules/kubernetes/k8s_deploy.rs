//! `k8s_deploy`: a Deployment of one container from plain arguments. A thin module over `kubectl/`; what it can't say, `k8s`
//! can.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map as JsonMap, Value as Json, json};

use super::k8s::RETURNS;
use crate::modules::api::{Diff, Fail, Look, Map, Module, Outcome, Touch, Value};
use crate::modules::kubectl::{Changes, Connection, How, Showing, Waiting, Wish};

/// Run an image as a Deployment.
///
/// The Deployment is applied as `kubectl apply` does: a variable or port that is no longer given goes.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The Deployment's name, and its container's.
    name: String,
    /// Its namespace; by default the kubeconfig's.
    namespace: Option<String>,
    /// The image. Needed unless `state` is `absent`.
    image: Option<String>,
    /// Whether the Deployment is there.
    #[serde(default)]
    state: State,
    /// How many pods. Not given: left to who scales it, at first one.
    replicas: Option<u32>,
    /// Variables for the container: a mapping, or a list as in a pod (`name` with `value` or `valueFrom`).
    env: Option<Value>,
    /// The labels that its pods are found by. By default `app` with the name.
    #[schemars(with = "Option<BTreeMap<String, Value>>")]
    selector: Option<Map>,
    /// More labels for the Deployment and its pods.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Value>")]
    labels: Map,
    /// How pods are replaced: `RollingUpdate`, `Recreate`, or a mapping as in a Deployment.
    strategy: Option<Value>,
    /// Ports of the container: numbers, or mappings as in a pod (`containerPort`, `name`, `protocol`).
    #[serde(default)]
    ports: Vec<Value>,
    /// What to run instead of the image's entry point.
    command: Option<Vec<String>>,
    /// Its arguments.
    args: Option<Vec<String>>,
    /// Requests and limits, as in a pod.
    #[schemars(with = "Option<BTreeMap<String, Value>>")]
    resources: Option<Map>,
    /// When the image is pulled.
    image_pull_policy: Option<PullPolicy>,
    /// Secrets with logins for the registry.
    #[serde(default)]
    image_pull_secrets: Vec<String>,
    /// Waiting.
    #[serde(rename = "@waiting")]
    #[schemars(flatten)]
    waiting: Waiting,
    /// Which API server.
    #[serde(rename = "@connection")]
    #[schemars(flatten)]
    connection: Connection,
}

/// Whether the Deployment is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is.
    #[default]
    Present,
    /// It is not.
    Absent,
}

/// When an image is pulled.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
enum PullPolicy {
    /// For every container.
    Always,
    /// If the node does not have it.
    IfNotPresent,
    /// Not at all.
    Never,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Run the application
  k8s_deploy:
    name: web
    namespace: shop
    image: registry.example.org/web:2.1
    replicas: 3
    env:
      LOG_LEVEL: info
    ports:
      - 8080
    strategy: RollingUpdate
    wait: true

- name: No longer
  k8s_deploy:
    name: web
    namespace: shop
    state: absent
";
    const RETURNS: &'static str = RETURNS;
    type Plan = Changes;

    fn plan(&self, host: &dyn Look) -> Result<Option<Changes>, Fail> {
        let kubectl = self.connection.open(host)?;
        let namespace = self.namespace.as_deref();
        let doc = if self.state == State::Absent { self.named() } else { self.deployment()? };
        let wish = Wish { docs: vec![doc], namespace, how: How::Apply, go_on: false };
        let changes = match self.state {
            State::Present => wish.plan(&kubectl, host)?,
            State::Absent => wish.plan_absent(&kubectl, host, &[], &[])?,
        };
        Ok(Some(Changes::new(kubectl, changes, Vec::new())))
    }

    fn predicted(&self, plan: &Changes, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(plan.predicted(&Showing::default()))
    }

    fn diff(&self, plan: &Changes) -> Vec<Diff> {
        plan.diff(&Showing::default())
    }

    fn apply(&self, plan: Changes, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        plan.apply(host, &self.waiting, false, &Showing::default())
    }
}

impl Args {
    fn named(&self) -> Json {
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": self.name}})
    }

    fn deployment(&self) -> Result<Json, Fail> {
        let selector = match &self.selector {
            Some(selector) => texts(selector),
            None => json!({"app": self.name}),
        };
        let mut labels = texts(&self.labels);
        if let (Some(labels), Some(selector)) = (labels.as_object_mut(), selector.as_object()) {
            labels.extend(selector.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        let mut pod = json!({"containers": [self.container()?]});
        if !self.image_pull_secrets.is_empty() {
            pod["imagePullSecrets"] =
                self.image_pull_secrets.iter().map(|name| json!({"name": name})).collect();
        }
        let mut spec = json!({
            "selector": {"matchLabels": selector},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        });
        if let Some(replicas) = self.replicas {
            spec["replicas"] = json!(replicas);
        }
        match &self.strategy {
            None => {}
            Some(Value::Str(name)) => spec["strategy"] = json!({"type": &**name}),
            Some(strategy @ Value::Map(_)) => spec["strategy"] = Json::from(strategy),
            Some(_) => return Err(Fail::new("strategy must be RollingUpdate, Recreate or a mapping")),
        }
        let mut doc = self.named();
        doc["metadata"]["labels"] = labels;
        doc["spec"] = spec;
        Ok(doc)
    }

    fn container(&self) -> Result<Json, Fail> {
        let image = self.image.as_ref().ok_or_else(|| Fail::new("state is present, but image is missing"))?;
        let mut container = json!({"name": self.name, "image": image});
        let ports = self.ports.iter().map(port).collect::<Result<Vec<_>, _>>()?;
        let all = [
            ("ports", (!ports.is_empty()).then(|| json!(ports))),
            ("env", self.variables()?),
            ("command", self.command.as_ref().map(|words| json!(words))),
            ("args", self.args.as_ref().map(|words| json!(words))),
            ("resources", self.resources.as_ref().map(|map| Json::from(&Value::map(map.clone())))),
            ("imagePullPolicy", self.image_pull_policy.map(|policy| json!(format!("{policy:?}")))),
        ];
        for (name, value) in all {
            if let Some(value) = value {
                container[name] = value;
            }
        }
        Ok(container)
    }

    fn variables(&self) -> Result<Option<Json>, Fail> {
        match &self.env {
            None => Ok(None),
            Some(Value::Map(map)) => {
                let each = map.iter().map(|(name, value)| json!({"name": &**name, "value": text(value)}));
                Ok(Some(each.collect()))
            }
            Some(list @ Value::List(_)) => {
                let mut list = Json::from(list);
                for one in list.as_array_mut().into_iter().flatten() {
                    // The API takes text alone; `value: 8080` is what people write.
                    if let Some(value) = one.get_mut("value").filter(|value| !value.is_string()) {
                        *value = json!(value.to_string());
                    }
                }
                Ok(Some(list))
            }
            Some(_) => Err(Fail::new("env must be a mapping, or a list of mappings with name and value")),
        }
    }
}

/// A value as a variable or label has it: numbers as written, truth values as YAML writes them.
fn text(value: &Value) -> String {
    match value {
        Value::Bool(it) => it.to_string(),
        Value::Null => String::new(),
        other => other.to_string(),
    }
}

fn texts(map: &Map) -> Json {
    let entries: JsonMap<String, Json> =
        map.iter().map(|(name, value)| (name.to_string(), json!(text(value)))).collect();
    Json::Object(entries)
}

fn port(given: &Value) -> Result<Json, Fail> {
    match given {
        Value::Map(_) => {
            let mut port = Json::from(given);
            if let Some(map) = port.as_object_mut()
                && let Some(number) = map.shift_remove("port")
            {
                map.entry("containerPort").or_insert(number);
            }
            Ok(port)
        }
        other => {
            let number = other.to_string().parse::<u16>();
            let number =
                number.map_err(|_| Fail::new(format!("{other} is no port: a number or a mapping")))?;
            Ok(json!({"containerPort": number}))
        }
    }
}

#[cfg(all(test, feature = "controller"))]
#[expect(clippy::unwrap_used, reason = "tests alone")]
mod tests {
    use super::*;
    use crate::modules::api::decode;
    use crate::modules::api::fake::FakeHost;

    fn deployment(yaml: &str) -> Result<Json, String> {
        let args: Map = serde_yaml::from_str::<Value>(yaml).unwrap().into_map();
        decode::<Args>(&args).unwrap().deployment().map_err(|fail| fail.msg)
    }

    #[test]
    fn arguments_become_a_deployment() {
        let doc = deployment(
            "{name: web, image: nginx, replicas: 2, env: {A: 1, B: true}, ports: [80, {port: 443, name: tls}], \
             strategy: Recreate, labels: {tier: front}, args: [-v], image_pull_policy: Always, \
             image_pull_secrets: [login]}",
        );
        let labels = json!({"tier": "front", "app": "web"});
        let wanted = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "labels": labels},
            "spec": {"replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "strategy": {"type": "Recreate"},
                "template": {"metadata": {"labels": labels}, "spec": {
                    "imagePullSecrets": [{"name": "login"}],
                    "containers": [{"name": "web", "image": "nginx",
                        "ports": [{"containerPort": 80}, {"containerPort": 443, "name": "tls"}],
                        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "true"}],
                        "args": ["-v"], "imagePullPolicy": "Always"}]}}},
        });
        assert_eq!(doc.unwrap(), wanted);
        let doc = deployment("{name: w, image: i, selector: {a: b}, env: [{name: A, value: 5}]}").unwrap();
        assert_eq!(doc["spec"]["selector"]["matchLabels"], json!({"a": "b"}));
        assert_eq!(
            doc["spec"]["template"]["spec"]["containers"][0]["env"],
            json!([{"name": "A", "value": "5"}])
        );
        assert!(doc["spec"].get("replicas").is_none());
    }

    #[test]
    fn what_makes_no_deployment_is_refused() {
        for (yaml, message) in [
            ("{name: w}", "state is present, but image is missing"),
            ("{name: w, image: i, env: x}", "env must be"),
            ("{name: w, image: i, strategy: [a]}", "strategy must be"),
            ("{name: w, image: i, ports: [http]}", "http is no port"),
        ] {
            let error = deployment(yaml).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
        let mut host = FakeHost::new().answer("kubectl get", 0, "");
        assert!(!host.play::<Args>("{name: w, state: absent}").unwrap().changed);
    }
}
