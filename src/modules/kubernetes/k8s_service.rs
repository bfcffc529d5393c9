//! `k8s_service`: a Service from plain arguments. A thin module over `kubectl/`.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::k8s::{MergeType, RETURNS, strategies};
use crate::modules::api::{Diff, Fail, Look, Map, Module, Outcome, Str, Touch, Value};
use crate::modules::kubectl::{Changes, Connection, How, Showing, Source, Waiting, Wish};

/// Make a Service: one name and address for the pods that have certain labels.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The Service's name.
    name: Option<String>,
    /// Its namespace; by default the kubeconfig's.
    namespace: Option<String>,
    /// Whether the Service is there.
    #[serde(default)]
    state: State,
    /// The labels of the pods that it leads to.
    #[schemars(with = "Option<BTreeMap<String, Value>>")]
    selector: Option<Map>,
    /// Its ports: numbers, texts like `80:8080` (its own and the pods'), or mappings as in a Service (`port`, `targetPort`
    /// or `target_port`, `nodePort` or `node_port`, `protocol`, `name`).
    ports: Option<Vec<Value>>,
    /// Where it can be reached from.
    #[serde(rename = "type")]
    kind: Option<Kind>,
    /// A partial definition; the other arguments are put into it.
    #[serde(alias = "definition", alias = "inline")]
    #[schemars(extend("x-aliases" = ["definition", "inline"]))]
    resource_definition: Option<Value>,
    /// Use `kubectl apply`: what the last definition had and this one has not goes.
    #[serde(default)]
    apply: bool,
    /// Replace a Service that differs instead of patching it.
    #[serde(default)]
    force: bool,
    /// How a patch is merged, in order of preference.
    merge_type: Option<Vec<MergeType>>,
    /// Waiting.
    #[serde(rename = "@waiting")]
    #[schemars(flatten)]
    waiting: Waiting,
    /// Which API server.
    #[serde(rename = "@connection")]
    #[schemars(flatten)]
    connection: Connection,
}

/// Whether the Service is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is.
    #[default]
    Present,
    /// It is not.
    Absent,
}

/// Where a Service can be reached from.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
enum Kind {
    /// A port of every node.
    NodePort,
    /// The cluster alone.
    #[serde(rename = "ClusterIP")]
    ClusterIp,
    /// A load balancer of the cloud.
    LoadBalancer,
    /// It is a name for something outside.
    ExternalName,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: The application on a port of every node
  k8s_service:
    name: web
    namespace: shop
    type: NodePort
    selector:
      app: web
    ports:
      - port: 80
        targetPort: 8080
        nodePort: 30080
";
    const RETURNS: &'static str = RETURNS;
    type Plan = Changes;

    fn plan(&self, host: &dyn Look) -> Result<Option<Changes>, Fail> {
        let kubectl = self.connection.open(host)?;
        let how = match (self.apply, self.force) {
            (true, true) => return Err(Fail::new("parameters are mutually exclusive: force|apply")),
            (true, false) => How::Apply,
            (false, true) => How::Replace,
            (false, false) => How::Patch(strategies(self.merge_type.as_deref())),
        };
        let namespace = self.namespace.as_deref();
        let wish = Wish { docs: vec![self.service(host)?], namespace, how, go_on: false };
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
    fn service(&self, host: &dyn Look) -> Result<Json, Fail> {
        let source = Source {
            kind: Some("Service".into()),
            name: self.name.clone(),
            resource_definition: self.resource_definition.clone(),
            ..Source::default()
        };
        let mut docs = source.documents(host)?;
        let (Some(mut doc), true) = (docs.pop(), docs.is_empty()) else {
            return Err(Fail::new("the definition must be one Service"));
        };
        if !doc["metadata"]["name"].is_string() {
            return Err(Fail::new("a Service needs a name"));
        }
        if doc.get("spec").is_none_or(Json::is_null) {
            doc["spec"] = json!({});
        }
        if !doc["spec"].is_object() {
            return Err(Fail::new("spec of a Service must be a mapping"));
        }
        let ports = self.ports.as_ref().map(|ports| ports.iter().map(port).collect::<Result<Json, _>>());
        if let Some(ports) = ports.transpose()? {
            doc["spec"]["ports"] = ports;
        }
        if let Some(selector) = &self.selector {
            let texts = selector.iter().map(|(name, value)| (name.to_string(), json!(value.to_string())));
            doc["spec"]["selector"] = Json::Object(texts.collect());
        }
        if let Some(kind) = self.kind {
            let word = match kind {
                Kind::NodePort => "NodePort",
                Kind::ClusterIp => "ClusterIP",
                Kind::LoadBalancer => "LoadBalancer",
                Kind::ExternalName => "ExternalName",
            };
            doc["spec"]["type"] = json!(word);
        }
        Ok(doc)
    }
}

/// A port as the API has it.
fn port(given: &Value) -> Result<Json, Fail> {
    if let Value::Map(map) = given {
        let named = |(name, value): (&Str, &Value)| {
            let name = match &**name {
                "target_port" => "targetPort",
                "node_port" => "nodePort",
                other => other,
            };
            (name.to_owned(), Json::from(value))
        };
        return Ok(Json::Object(map.iter().map(named).collect()));
    }
    let text = given.to_string();
    let (own, target) = text.split_once(':').map_or((text.as_str(), None), |(own, to)| (own, Some(to)));
    let wrong = || Fail::new(format!("{text} is no port: a number, `80:8080`, or a mapping"));
    let mut port = json!({"port": own.trim().parse::<u16>().map_err(|_| wrong())?});
    if let Some(target) = target.map(str::trim) {
        // A port of a pod may be called by its name.
        port["targetPort"] = target.parse::<u16>().map_or_else(|_| json!(target), |number| json!(number));
    }
    Ok(port)
}

#[cfg(all(test, feature = "controller"))]
#[expect(clippy::unwrap_used, reason = "tests alone")]
mod tests {
    use super::*;
    use crate::modules::api::decode;
    use crate::modules::api::fake::FakeHost;

    fn service(yaml: &str) -> Result<Json, String> {
        let args: Map = serde_yaml::from_str::<Value>(yaml).unwrap().into_map();
        decode::<Args>(&args).unwrap().service(&FakeHost::new()).map_err(|fail| fail.msg)
    }

    #[test]
    fn arguments_become_a_service() {
        let wanted = |spec: Json| json!({"kind": "Service", "apiVersion": "v1", "metadata": {"name": "web"}, "spec": spec});
        for (yaml, spec) in [
            (
                "{name: web, type: NodePort, selector: {app: web}, ports: [{port: 80, targetPort: http}]}",
                json!({"ports": [{"port": 80, "targetPort": "http"}], "selector": {"app": "web"}, "type": "NodePort"}),
            ),
            (
                "{name: web, ports: [{port: 80, target_port: 8080, node_port: 30080}]}",
                json!({"ports": [{"port": 80, "targetPort": 8080, "nodePort": 30080}]}),
            ),
            ("{name: web, ports: [80]}", json!({"ports": [{"port": 80}]})),
            ("{name: web, ports: ['80:8080']}", json!({"ports": [{"port": 80, "targetPort": 8080}]})),
            ("{name: web, definition: {spec: {clusterIP: None}}}", json!({"clusterIP": "None"})),
            ("{name: web}", json!({})),
        ] {
            assert_eq!(service(yaml).unwrap(), wanted(spec), "{yaml}");
        }
        assert_eq!(
            service("{name: w, ports: [x]}").unwrap_err(),
            "x is no port: a number, `80:8080`, or a mapping"
        );
        assert_eq!(service("{ports: [80]}").unwrap_err(), "a Service needs a name");
        assert!(service("{name: w, definition: {spec: []}}").is_err());
    }
}
