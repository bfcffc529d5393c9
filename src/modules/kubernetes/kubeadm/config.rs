//! kubeadm's configuration: one JSON document a kind, in the API version that the host's kubeadm wants.

use std::collections::BTreeMap;

use super::standing::Version;
use crate::modules::api::{Fail, Map, Value};

/// The kinds of a configuration. The `true` ones have kubeadm's own API version.
const KINDS: &[(&str, bool)] = &[
    ("ClusterConfiguration", true),
    ("InitConfiguration", true),
    ("JoinConfiguration", true),
    ("ResetConfiguration", true),
    ("KubeletConfiguration", false),
    ("KubeProxyConfiguration", false),
];

/// Refuses kinds that kubeadm does not know.
pub(super) fn check(config: &BTreeMap<String, Map>) -> Result<(), Fail> {
    let unknown = config.keys().find(|kind| !KINDS.iter().any(|(known, _)| known == kind));
    let known: Vec<_> = KINDS.iter().map(|(kind, _)| *kind).collect();
    unknown.map_or(Ok(()), |kind| {
        Err(Fail::new(format!(
            "config: {kind:?} is no kind of kubeadm's configuration; it has {}",
            known.join(", ")
        )))
    })
}

/// kubeadm's API version.
pub(super) fn api_version(version: &Version) -> &'static str {
    match version.minor {
        0..=14 => "kubeadm.k8s.io/v1beta1",
        15..=21 => "kubeadm.k8s.io/v1beta2",
        22..=30 => "kubeadm.k8s.io/v1beta3",
        _ => "kubeadm.k8s.io/v1beta4",
    }
}

/// The documents of some kinds, one after the other.
pub(super) fn documents(kinds: &[(&str, Map)], version: &Version) -> Vec<u8> {
    let api = api_version(version);
    let mut all = String::new();
    for (kind, fields) in kinds {
        let group = match *kind {
            "KubeletConfiguration" => "kubelet.config.k8s.io/v1beta1",
            "KubeProxyConfiguration" => "kubeproxy.config.k8s.io/v1alpha1",
            _ => api,
        };
        let mut document =
            Map::from_iter([("apiVersion".into(), Value::from(group)), ("kind".into(), Value::from(*kind))]);
        let own = KINDS.iter().any(|(known, own)| known == kind && *own);
        for (name, value) in fields {
            let value = if own { in_form(name, value, api.ends_with("v1beta4")) } else { value.clone() };
            document.insert(name.clone(), value);
        }
        let json = serde_json::Value::from(&Value::map(document));
        all.push_str(&format!("---\n{json}\n"));
    }
    all.into_bytes()
}

/// Arguments of programs: a mapping before v1beta4, since then a list of names and values.
fn in_form(name: &str, value: &Value, as_list: bool) -> Value {
    if matches!(name, "extraArgs" | "kubeletExtraArgs") {
        return match value {
            Value::Map(map) if as_list => map.iter().map(|(name, value)| argument(name, value)).collect(),
            Value::List(list) if !as_list => {
                let text = |item: &Value, key: &str| item.get(key).map(Value::to_string).unwrap_or_default();
                Value::from_pairs(list.iter().map(|item| (text(item, "name"), text(item, "value"))))
            }
            Value::Map(map) => {
                Value::from_pairs(map.iter().map(|(name, value)| (name.clone(), plain(value))))
            }
            other => other.clone(),
        };
    }
    match value {
        Value::Map(map) => {
            Value::from_pairs(map.iter().map(|(name, value)| (name.clone(), in_form(name, value, as_list))))
        }
        Value::List(list) => list.iter().map(|item| in_form("", item, as_list)).collect(),
        other => other.clone(),
    }
}

fn argument(name: &str, value: &Value) -> Value {
    Value::from_pairs([("name", Value::from(name)), ("value", plain(value).into())])
}

/// As a program reads it: `true`, not `True`.
fn plain(value: &Value) -> String {
    match value {
        Value::Bool(flag) => flag.to_string(),
        other => other.to_string(),
    }
}

/// `over` laid over `under`, mapping by mapping.
pub(super) fn merged(under: &Map, over: &Map) -> Map {
    let mut all = under.clone();
    for (name, value) in over {
        let both = match (all.get(name), value) {
            (Some(Value::Map(under)), Value::Map(over)) => Value::map(merged(under, over)),
            _ => value.clone(),
        };
        all.insert(name.clone(), both);
    }
    all
}
