//! Finding objects: those that documents name, those that labels select.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::object::{Id, objects};
use super::run::{Kubectl, Trouble, complaint, trouble};
use crate::modules::api::{Fail, Look};

/// The arguments that select among the objects of a kind.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Selection {
    /// Labels that the objects must have: `app=web`, `tier in (a, b)`, `!legacy`.
    #[serde(default)]
    pub label_selectors: Vec<String>,
    /// Fields that the objects must have: `status.phase=Running`.
    #[serde(default)]
    pub field_selectors: Vec<String>,
}

impl Selection {
    /// As kubectl's words.
    pub fn words(&self) -> Vec<String> {
        let option =
            |name: &str, list: &[String]| (!list.is_empty()).then(|| format!("--{name}={}", list.join(",")));
        let all =
            [option("selector", &self.label_selectors), option("field-selector", &self.field_selectors)];
        all.into_iter().flatten().collect()
    }
}

/// The words that name a namespace.
pub(super) fn in_namespace(namespace: Option<&str>) -> Vec<String> {
    namespace.map(|name| format!("--namespace={name}")).into_iter().collect()
}

/// A kind as kubectl takes it: `Deployment.v1.apps`, without a version as the server prefers it.
pub(crate) fn resource(kind: &str, api_version: Option<&str>) -> String {
    let api_version = api_version.unwrap_or_default().to_owned();
    Id { kind: kind.into(), api_version, ..Id::default() }.resource()
}

/// One object by its kind and name.
///
/// # Errors
/// A kind that the server does not have; a server that does not answer.
pub(crate) fn object_of(
    kubectl: &Kubectl,
    host: &dyn Look,
    id: &Id,
    namespace: Option<&str>,
) -> Result<Option<Json>, Fail> {
    let resource = id.resource();
    let place = in_namespace(id.namespace.as_deref().or(namespace));
    let mut words = vec!["get", resource.as_str(), id.name.as_str(), "--ignore-not-found", "--output=json"];
    words.extend(place.iter().map(String::as_str));
    Ok(objects(&kubectl.ask(host, &words, None)?)?.into_iter().next())
}

/// Where objects are looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place<'a> {
    /// In every namespace.
    Everywhere,
    /// In this namespace, or in the usual one.
    In(Option<&'a str>),
}

/// The objects of a kind that are selected. `None`: the server has no such kind.
///
/// # Errors
/// A server that does not answer.
pub(crate) fn selected(
    kubectl: &Kubectl,
    host: &dyn Look,
    kind: &str,
    place: Place<'_>,
    selection: &Selection,
) -> Result<Option<Vec<Json>>, Fail> {
    let mut words = vec!["get".to_owned(), kind.to_owned(), "--output=json".to_owned()];
    words.extend(selection.words());
    match place {
        Place::Everywhere => words.push("--all-namespaces".into()),
        Place::In(namespace) => words.extend(in_namespace(namespace)),
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let ran = kubectl.query(host, &words, None)?;
    if ran.ok() {
        return objects(&ran).map(Some);
    }
    match trouble(&complaint(&ran)) {
        Trouble::NotYet => Ok(None),
        _ => Err(kubectl.explain(host, &ran)),
    }
}

/// The live objects of documents, `None` where there is none. `namespace`: of documents that name none.
///
/// # Errors
/// A server that does not answer.
pub(super) fn live_objects(
    kubectl: &Kubectl,
    host: &dyn Look,
    docs: &[Json],
    namespace: Option<&str>,
) -> Result<Vec<Option<Json>>, Fail> {
    let named: Vec<&Json> = docs.iter().filter(|doc| !Id::of(doc).name.is_empty()).collect();
    let mut found = Vec::new();
    if !named.is_empty() {
        let whole = if one_place(&named, namespace) { ask(kubectl, host, &named, namespace)? } else { None };
        found = match whole {
            Some(all) => all,
            None => {
                let mut all = Vec::new();
                for doc in &named {
                    all.extend(ask(kubectl, host, &[doc], namespace)?.unwrap_or_default());
                }
                all
            }
        };
    }
    Ok(docs.iter().map(|doc| take(&mut found, doc)).collect())
}

/// Whether all documents can be sent at once: kubectl refuses a namespace of theirs that is not the one of its command.
pub(super) fn one_place(docs: &[&Json], namespace: Option<&str>) -> bool {
    docs.iter().all(|doc| match (Id::of(doc).namespace, namespace) {
        (Some(own), Some(given)) => own == given,
        _ => true,
    })
}

/// The namespace that the command must name for a document.
pub(super) fn place_of<'a>(doc: &Json, namespace: Option<&'a str>) -> Option<&'a str> {
    namespace.filter(|_| Id::of(doc).namespace.is_none())
}

/// What is there of these documents; `None` if one of several can't be looked for.
fn ask(
    kubectl: &Kubectl,
    host: &dyn Look,
    docs: &[&Json],
    namespace: Option<&str>,
) -> Result<Option<Vec<Json>>, Fail> {
    let place = match docs {
        [doc] => in_namespace(place_of(doc, namespace)),
        _ => in_namespace(namespace),
    };
    let mut words = vec!["get", "--filename=-", "--ignore-not-found", "--output=json"];
    words.extend(place.iter().map(String::as_str));
    let names: Vec<Json> = docs.iter().map(|doc| name_of(doc)).collect();
    let ran = kubectl.query(host, &words, Some(&list(names)))?;
    if ran.ok() {
        return objects(&ran).map(Some);
    }
    match trouble(&complaint(&ran)) {
        // Its kind or namespace is not there, so it is not there either.
        Trouble::NotYet if docs.len() == 1 => Ok(Some(Vec::new())),
        Trouble::NotYet => Ok(None),
        _ => Err(kubectl.explain(host, &ran)),
    }
}

/// As much of a document as names the object: what is only looked for need not be sent.
pub(crate) fn name_of(doc: &Json) -> Json {
    let id = Id::of(doc);
    let mut metadata = json!({"name": id.name});
    if let Some(namespace) = id.namespace {
        metadata["namespace"] = json!(namespace);
    }
    json!({"apiVersion": id.api_version, "kind": id.kind, "metadata": metadata})
}

/// One document as it is, several as a list.
pub(super) fn list(mut docs: Vec<Json>) -> Json {
    match docs.len() {
        1 => docs.remove(0),
        _ => json!({"apiVersion": "v1", "kind": "List", "items": docs}),
    }
}

fn take(found: &mut Vec<Json>, doc: &Json) -> Option<Json> {
    let id = Id::of(doc);
    let place = found.iter().position(|live| !id.name.is_empty() && id.names(live))?;
    Some(found.remove(place))
}
