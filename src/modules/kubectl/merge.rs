//! What a patch would make of an object, foretold here: enough to know that nothing would change without asking the
//! server, and to say what would where the server does not answer.
//!
//! Two ways to merge, as the API has them: lists replaced as a whole, or (for the built-in kinds) merged by the key that
//! their items have.

use serde_json::{Map as JsonMap, Value as Json};

use super::object::api_group;

/// How lists are merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lists {
    /// Items by their key (`strategic-merge`).
    ByKey,
    /// As a whole (`merge`).
    Whole,
}

/// Lists of the built-in kinds whose items are told apart by a key, and which.
const KEYS: [(&str, &[&str]); 12] = [
    ("containers", &["name"]),
    ("initContainers", &["name"]),
    ("ephemeralContainers", &["name"]),
    ("env", &["name"]),
    ("imagePullSecrets", &["name"]),
    ("secrets", &["name"]),
    ("webhooks", &["name"]),
    ("volumes", &["name"]),
    ("volumeMounts", &["mountPath"]),
    ("volumeDevices", &["devicePath"]),
    ("ports", &["containerPort", "port"]),
    ("topologySpreadConstraints", &["topologyKey"]),
];

/// The groups with a dot that are part of Kubernetes itself; others are of custom resources.
const GROUPS: [&str; 12] = [
    "admissionregistration.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "rbac.authorization.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// Whether objects of this API version know strategic merges.
pub(super) fn is_built_in(api_version: &str) -> bool {
    let group = api_group(api_version);
    !group.contains('.') || GROUPS.contains(&group)
}

/// `live` with `patch` merged into it.
pub(super) fn merged(live: &Json, patch: &Json, lists: Lists) -> Json {
    match (live, patch) {
        (Json::Object(old), Json::Object(new)) => {
            let mut out = old.clone();
            merge_map(&mut out, new, lists);
            Json::Object(out)
        }
        (_, Json::Object(new)) => {
            let mut out = JsonMap::new();
            merge_map(&mut out, new, lists);
            Json::Object(out)
        }
        (_, other) => other.clone(),
    }
}

fn merge_map(into: &mut JsonMap<String, Json>, patch: &JsonMap<String, Json>, lists: Lists) {
    for (key, value) in patch {
        if value.is_null() {
            into.shift_remove(key);
            continue;
        }
        let old = into.get(key).unwrap_or(&Json::Null);
        let new = match (old, value, keys_of(key)) {
            (Json::Array(old), Json::Array(new), Some(keys)) if lists == Lists::ByKey => {
                by_key(old, new, keys)
            }
            (_, value, _) => merged(old, value, lists),
        };
        into.insert(key.clone(), new);
    }
}

fn keys_of(list: &str) -> Option<&'static [&'static str]> {
    KEYS.iter().find(|(name, _)| *name == list).map(|(_, keys)| *keys)
}

/// Items of the same key merged, new ones at the end.
fn by_key(old: &[Json], new: &[Json], keys: &[&str]) -> Json {
    let key_of = |item: &Json| keys.iter().find_map(|key| item.get(key).map(|value| (*key, value.clone())));
    let mut out = old.to_vec();
    for item in new {
        let key = key_of(item);
        let place = out.iter().position(|other| key.is_some() && key_of(other) == key);
        match place {
            Some(place) => out[place] = merged(&out[place], item, Lists::ByKey),
            None => out.push(item.clone()),
        }
    }
    Json::Array(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn merges_are_those_of_the_api() {
        for (live, patch, lists, wanted) in [
            (
                json!({"a": 1, "b": {"c": 2}}),
                json!({"b": {"d": 3}}),
                Lists::Whole,
                json!({"a": 1, "b": {"c": 2, "d": 3}}),
            ),
            (json!({"a": 1}), json!({"a": null, "b": null}), Lists::Whole, json!({})),
            (json!({}), json!({"a": {"b": null}}), Lists::Whole, json!({"a": {}})),
            (json!({"env": [{"name": "a", "value": "1"}]}), json!({"env": [{"name": "b"}]}), Lists::Whole, {
                json!({"env": [{"name": "b"}]})
            }),
            (
                json!({"env": [{"name": "a", "value": "1"}, {"name": "b", "value": "2"}]}),
                json!({"env": [{"name": "b", "value": "3"}, {"name": "c"}]}),
                Lists::ByKey,
                json!({"env": [{"name": "a", "value": "1"}, {"name": "b", "value": "3"}, {"name": "c"}]}),
            ),
            (
                json!({"ports": [{"port": 80, "nodePort": 30000}]}),
                json!({"ports": [{"port": 80}]}),
                Lists::ByKey,
                json!({"ports": [{"port": 80, "nodePort": 30000}]}),
            ),
            (json!({"args": ["a", "b"]}), json!({"args": ["c"]}), Lists::ByKey, json!({"args": ["c"]})),
        ] {
            assert_eq!(merged(&live, &patch, lists), wanted, "{live} {patch}");
        }
    }

    #[test]
    fn only_built_in_kinds_merge_by_key() {
        for (version, built_in) in [
            ("v1", true),
            ("apps/v1", true),
            ("networking.k8s.io/v1", true),
            ("example.org/v1", false),
            ("gateway.networking.k8s.io/v1", false),
        ] {
            assert_eq!(is_built_in(version), built_in, "{version}");
        }
    }
}
