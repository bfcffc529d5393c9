//! Objects of the API as JSON: what they are called, and whether two are the same in what a user can want.

use std::fmt;

use serde_json::{Map as JsonMap, Value as Json};

use crate::modules::api::{Fail, Ran};

/// What a document says of itself. Empty where it says nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Id {
    /// `apps/v1`.
    pub api_version: String,
    /// `Deployment`.
    pub kind: String,
    /// Its namespace, if it names one.
    pub namespace: Option<String>,
    /// Its name.
    pub name: String,
}

impl Id {
    /// From an object.
    pub fn of(object: &Json) -> Id {
        let text = |pointer: &str| at(object, pointer).as_str().map(str::to_owned);
        Id {
            api_version: text("/apiVersion").unwrap_or_default(),
            kind: text("/kind").unwrap_or_default(),
            namespace: text("/metadata/namespace").filter(|it| !it.is_empty()),
            name: text("/metadata/name").unwrap_or_default(),
        }
    }

    /// Whether its data must not be shown.
    pub fn is_secret(&self) -> bool {
        self.kind == "Secret" && matches!(self.api_version.as_str(), "v1" | "")
    }

    /// Its kind as kubectl takes it without doubt: `Deployment.v1.apps`, `Pod.v1.`. Without a version: as the server
    /// prefers it.
    pub fn resource(&self) -> String {
        if self.api_version.is_empty() {
            return self.kind.clone();
        }
        match self.api_version.split_once('/') {
            Some((group, version)) => format!("{}.{version}.{group}", self.kind),
            None => format!("{}.{}.", self.kind, self.api_version),
        }
    }

    /// Whether a live object is the one that this names. Without a namespace: in whichever the question was about.
    pub fn names(&self, live: &Json) -> bool {
        let live = Id::of(live);
        let same_place = match (&self.namespace, &live.namespace) {
            (Some(wanted), Some(found)) => wanted == found,
            _ => true,
        };
        live.kind == self.kind
            && api_group(&live.api_version) == api_group(&self.api_version)
            && live.name == self.name
            && same_place
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.namespace {
            Some(namespace) => write!(f, "{} {namespace}/{}", self.kind, self.name),
            None => write!(f, "{} {}", self.kind, self.name),
        }
    }
}

/// `apps` of `apps/v1`; empty for the core group.
pub(crate) fn api_group(api_version: &str) -> &str {
    api_version.split_once('/').map_or("", |(group, _)| group)
}

/// The API version of a kind that is named without one.
pub(super) fn usual_version(kind: &str) -> &'static str {
    match kind {
        "DaemonSet" | "Deployment" | "ReplicaSet" | "StatefulSet" => "apps/v1",
        "Job" => "batch/v1",
        "Ingress" | "IngressClass" | "NetworkPolicy" => "networking.k8s.io/v1",
        "ClusterRole" | "ClusterRoleBinding" | "Role" | "RoleBinding" => "rbac.authorization.k8s.io/v1",
        "StorageClass" => "storage.k8s.io/v1",
        "CustomResourceDefinition" => "apiextensions.k8s.io/v1",
        _ => "v1",
    }
}

/// What stands at a JSON pointer; null if nothing does.
pub(crate) fn at<'a>(object: &'a Json, pointer: &str) -> &'a Json {
    object.pointer(pointer).unwrap_or(&Json::Null)
}

/// The objects that kubectl printed with `-o json`: one, a list, or one after the other.
///
/// # Errors
/// What is no JSON.
pub(crate) fn objects(ran: &Ran) -> Result<Vec<Json>, Fail> {
    let mut all = Vec::new();
    for object in serde_json::Deserializer::from_slice(&ran.stdout).into_iter::<Json>() {
        let object =
            object.map_err(|error| Fail::new(format!("kubectl printed what is no JSON: {error}")))?;
        flatten(object, &mut all);
    }
    Ok(all)
}

/// The members of a list, or the object itself.
fn flatten(object: Json, all: &mut Vec<Json>) {
    let list = at(&object, "/kind").as_str().is_some_and(|kind| kind.ends_with("List"));
    match object {
        Json::Object(mut map) if list && map.get("items").is_some_and(Json::is_array) => {
            if let Some(Json::Array(items)) = map.remove("items") {
                items.into_iter().for_each(|item| flatten(item, all));
            }
        }
        Json::Null => {}
        other => all.push(other),
    }
}

/// What the server keeps about an object and no user wants: two objects that differ only here are the same.
const KEPT_BY_SERVER: [&str; 6] =
    ["managedFields", "resourceVersion", "generation", "creationTimestamp", "uid", "selfLink"];

/// An object without its status and without what the server alone writes.
pub(super) fn essence(object: &Json) -> Json {
    let mut object = object.clone();
    if let Some(map) = object.as_object_mut() {
        map.shift_remove("status");
        if let Some(Json::Object(metadata)) = map.get_mut("metadata") {
            for name in KEPT_BY_SERVER {
                metadata.shift_remove(name);
            }
            for name in ["annotations", "labels"] {
                if metadata.get(name).and_then(Json::as_object).is_some_and(JsonMap::is_empty) {
                    metadata.shift_remove(name);
                }
            }
        }
    }
    object
}

/// Whether two objects are the same in what a user can want.
pub(super) fn same(one: &Json, other: &Json) -> bool {
    essence(one) == essence(other)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn one_object_a_list_and_several_are_read() {
        let read = |text: &str| objects(&Ran { stdout: text.into(), ..Ran::default() }).map(|it| it.len());
        assert_eq!(read(""), Ok(0));
        assert_eq!(read("{\"kind\": \"Pod\"}\n{\"kind\": \"Pod\"}"), Ok(2));
        assert_eq!(
            read("{\"kind\": \"List\", \"items\": [{\"kind\": \"PodList\", \"items\": [1, 2]}, 3]}"),
            Ok(3)
        );
        assert!(read("{").is_err());
    }

    #[test]
    fn names_are_written_as_kubectl_takes_them() {
        let id = Id::of(&json!({"kind": "Deployment", "apiVersion": "apps/v1", "metadata": {"name": "a"}}));
        assert_eq!((id.resource().as_str(), id.to_string().as_str()), ("Deployment.v1.apps", "Deployment a"));
        let pod = json!({"kind": "Pod", "apiVersion": "v1", "metadata": {"name": "a", "namespace": "n"}});
        let id = Id::of(&pod);
        assert_eq!((id.resource().as_str(), id.to_string().as_str()), ("Pod.v1.", "Pod n/a"));
        assert!(id.names(&pod) && !id.names(&json!({"kind": "Pod", "metadata": {"name": "b"}})));
    }

    #[test]
    fn what_the_server_keeps_is_no_difference() {
        let one = json!({"metadata": {"name": "a", "generation": 1, "labels": {}}, "status": {"x": 1}, "spec": {"r": 1}});
        let other = json!({"spec": {"r": 1}, "metadata": {"uid": "u", "name": "a"}});
        assert!(same(&one, &other));
        assert!(!same(&one, &json!({"metadata": {"name": "a"}, "spec": {"r": 2}})));
    }
}
