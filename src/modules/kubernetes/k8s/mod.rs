//! `k8s`: objects of the Kubernetes API as a task describes them. `kubectl/` does the work that other modules share.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use crate::modules::api::{Diff, Fail, Look, Module, Outcome, Touch};
use crate::modules::kubectl::{
    Changes, Connection, How, Id, Kubectl, Place, Selection, ServerSide, Showing, Source, Strategy,
    Validation, Waiting, Wish, append_hash, at, resource, selected,
};

/// Make, change and remove objects of the Kubernetes API.
///
/// It runs `kubectl` on the host, so that host needs kubectl and a kubeconfig (or `host` and `api_key`). Whether an object
/// differs from what is wanted is asked of the API server itself, by a dry run. Values of Secrets are shown neither in
/// results nor in diffs.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Whether the objects are there; `patched` changes those that are there and makes none.
    #[serde(default)]
    state: State,
    /// Use `kubectl apply`: what was in the last definition and is not in this one goes.
    #[serde(default)]
    apply: bool,
    /// Apply on the server, which keeps account of who manages which field. Needs `apply`.
    server_side_apply: Option<ServerSideApply>,
    /// Replace an object that differs instead of patching it.
    #[serde(default)]
    force: bool,
    /// How a patch is merged, in order of preference: `strategic-merge`, which merges lists by their items' keys and is known
    /// to the built-in kinds alone, or `merge`.
    merge_type: Option<Vec<MergeType>>,
    /// Append a hash of the contents to the names of ConfigMaps and Secrets.
    #[serde(default)]
    append_hash: bool,
    /// The beginning of a name that the server completes; each run makes another object.
    generate_name: Option<String>,
    /// With `state: absent`: delete every object of the kind in the namespace.
    #[serde(default)]
    delete_all: bool,
    /// How objects are deleted.
    delete_options: Option<DeleteOptions>,
    /// Labels: only documents that have them are looked at; with `state: absent` and no name, the objects that have them go.
    #[serde(default)]
    label_selectors: Vec<String>,
    /// Go on with the other objects if one can't be made as wanted; the results say which.
    #[serde(default)]
    continue_on_error: bool,
    /// Check the definitions against the API server's schema first.
    validate: Option<Validation>,
    /// Fields that neither results nor diffs show.
    #[serde(default = "hidden")]
    hidden_fields: Vec<String>,
    /// Return the values of Secrets. Diffs never show them.
    #[serde(default)]
    show_secrets: bool,
    /// Which objects.
    #[serde(rename = "@source")]
    #[schemars(flatten)]
    source: Source,
    /// Waiting.
    #[serde(rename = "@waiting")]
    #[schemars(flatten)]
    waiting: Waiting,
    /// Which API server.
    #[serde(rename = "@connection")]
    #[schemars(flatten)]
    connection: Connection,
}

/// Whether objects are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// They are.
    #[default]
    Present,
    /// They are not.
    Absent,
    /// Those that are there are as described.
    Patched,
}

/// How a patch is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
pub(super) enum MergeType {
    /// Lists as a whole.
    #[serde(rename = "merge")]
    Merge,
    /// Lists by the key of their items.
    #[serde(rename = "strategic-merge")]
    StrategicMerge,
}

/// How to apply on the server.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct ServerSideApply {
    /// Who applies: the fields of the definition are that manager's from then on.
    field_manager: String,
    /// Take over fields that others manage.
    #[serde(default)]
    force_conflicts: bool,
}

/// How to delete, as the API's `DeleteOptions`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct DeleteOptions {
    /// What becomes of the objects that belong to it.
    #[serde(rename = "propagationPolicy")]
    propagation_policy: Option<Propagation>,
    /// Seconds that it has to end by itself.
    #[serde(rename = "gracePeriodSeconds")]
    grace_period_seconds: Option<u32>,
    /// Delete it only if it is this very object.
    preconditions: Option<Preconditions>,
}

/// What becomes of dependents.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
enum Propagation {
    /// They go before it.
    Foreground,
    /// They go after it.
    Background,
    /// They stay.
    Orphan,
}

/// What must hold to delete an object.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Preconditions {
    /// Its resource version.
    #[serde(rename = "resourceVersion")]
    resource_version: Option<String>,
    /// Its UID.
    uid: Option<String>,
}

fn hidden() -> Vec<String> {
    Showing::default().hidden
}

/// What the modules that make objects return.
pub(super) const RETURNS: &str = "
result: The object as it is now; of several objects, `results` with an entry for each.
method: What was done (`create`, `patch`, `replace`, `apply`, `delete`).
duration: How many seconds were waited.
error: Why this object could not be made as wanted (with `continue_on_error`).
";

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: A namespace
  k8s:
    kind: Namespace
    name: shop

- name: The application, from a template of the role
  k8s:
    template: app.yml.j2
    namespace: shop
    apply: true
    wait: true
    wait_timeout: 300

- name: More replicas
  k8s:
    state: patched
    kind: Deployment
    api_version: apps/v1
    name: web
    namespace: shop
    definition:
      spec:
        replicas: 5

- name: Own only these fields
  k8s:
    apply: true
    server_side_apply:
      field_manager: shop-team
    definition:
      apiVersion: v1
      kind: ConfigMap
      metadata:
        name: settings
        namespace: shop
      data:
        colour: green

- name: No longer
  k8s:
    state: absent
    src: /srv/old.yml
    kubeconfig: /etc/kubernetes/admin.conf
    wait: true
";
    const RETURNS: &'static str = RETURNS;
    type Plan = Changes;

    fn plan(&self, host: &dyn Look) -> Result<Option<Changes>, Fail> {
        let kubectl = self.connection.open(host)?;
        if self.state == State::Absent {
            return self.absent(kubectl, host).map(Some);
        }
        let docs = self.documents(host)?;
        let warnings = match &self.validate {
            Some(how) => how.check(&kubectl, host, &docs, self.source.namespace.as_deref())?,
            None => Vec::new(),
        };
        let changes = self.wish(docs)?.plan(&kubectl, host)?;
        Ok(Some(Changes::new(kubectl, changes, warnings)))
    }

    fn predicted(&self, plan: &Changes, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(plan.predicted(&self.showing()))
    }

    fn diff(&self, plan: &Changes) -> Vec<Diff> {
        plan.diff(&self.showing())
    }

    fn apply(&self, plan: Changes, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        plan.apply(host, &self.waiting, self.continue_on_error, &self.showing())
    }
}

impl Args {
    fn showing(&self) -> Showing {
        Showing { hidden: self.hidden_fields.clone(), secrets: self.show_secrets }
    }

    fn documents(&self, host: &dyn Look) -> Result<Vec<Json>, Fail> {
        let mut docs = self.source.documents(host)?;
        docs.retain(|doc| has_labels(doc, &self.label_selectors));
        for doc in &mut docs {
            if let Some(begin) = &self.generate_name
                && doc.pointer("/metadata/name").is_none()
                && let Some(Json::Object(metadata)) = doc.get_mut("metadata")
            {
                metadata.insert("generateName".into(), json!(begin));
            }
            if self.append_hash {
                append_hash(doc)?;
            }
            if Id::of(doc).name.is_empty() && at(doc, "/metadata/generateName").is_null() {
                return Err(Fail::new(format!(
                    "a definition of a {} has no metadata.name",
                    Id::of(doc).kind
                )));
            }
        }
        Ok(docs)
    }

    fn wish(&self, docs: Vec<Json>) -> Result<Wish<'_>, Fail> {
        let strategies = strategies(self.merge_type.as_deref());
        if self.apply && (self.force || self.merge_type.is_some()) {
            let other = if self.force { "force" } else { "merge_type" };
            return Err(Fail::new(format!("parameters are mutually exclusive: {other}|apply")));
        }
        let how = match (&self.server_side_apply, self.state) {
            (Some(how), _) if self.apply => How::ServerSide(ServerSide {
                field_manager: how.field_manager.clone(),
                force_conflicts: how.force_conflicts,
            }),
            (None, _) if self.apply => How::Apply,
            (_, State::Patched) => How::PatchOnly(strategies),
            _ if self.force => How::Replace,
            _ => How::Patch(strategies),
        };
        Ok(Wish { docs, namespace: self.source.namespace.as_deref(), how, go_on: self.continue_on_error })
    }

    fn absent(&self, kubectl: Kubectl, host: &dyn Look) -> Result<Changes, Fail> {
        let docs = self.condemned(&kubectl, host)?;
        let fallback = DeleteOptions::default();
        let options = self.delete_options.as_ref().unwrap_or(&fallback);
        let nothing = Preconditions::default();
        let preconditions = options.preconditions.as_ref().unwrap_or(&nothing);
        let fields = [
            ("uid", preconditions.uid.as_deref()),
            ("resourceVersion", preconditions.resource_version.as_deref()),
        ];
        let namespace = self.source.namespace.as_deref();
        let wish = Wish { docs, namespace, how: How::Apply, go_on: self.continue_on_error };
        let changes = wish.plan_absent(&kubectl, host, &options.words(), &fields)?;
        Ok(Changes::new(kubectl, changes, Vec::new()))
    }

    /// The documents of what is to go.
    fn condemned(&self, kubectl: &Kubectl, host: &dyn Look) -> Result<Vec<Json>, Fail> {
        let source = &self.source;
        let bare = source.resource_definition.is_none() && source.src.is_none() && source.name.is_none();
        let Some(kind) = source.kind.as_ref().filter(|_| bare) else { return self.documents(host) };
        if !self.delete_all && self.label_selectors.is_empty() {
            return Err(Fail::new(format!(
                "which {kind} is to go? Give name, label_selectors, or delete_all for all of them"
            )));
        }
        // No namespace means the usual one, not all of them.
        let place = Place::In(source.namespace.as_deref());
        let selection = Selection { label_selectors: self.label_selectors.clone(), ..Selection::default() };
        let kind = resource(kind, source.api_version.as_deref());
        Ok(selected(kubectl, host, &kind, place, &selection)?.unwrap_or_default())
    }
}

impl DeleteOptions {
    /// As kubectl's words.
    fn words(&self) -> Vec<String> {
        let policy = self.propagation_policy.map(|policy| match policy {
            Propagation::Foreground => "--cascade=foreground".to_owned(),
            Propagation::Background => "--cascade=background".to_owned(),
            Propagation::Orphan => "--cascade=orphan".to_owned(),
        });
        let grace = self.grace_period_seconds.map(|seconds| format!("--grace-period={seconds}"));
        // Without it kubectl makes one second of none.
        let force = (self.grace_period_seconds == Some(0)).then(|| "--force".to_owned());
        policy.into_iter().chain(grace).chain(force).collect()
    }
}

/// The ways to merge, in order of preference.
pub(super) fn strategies(given: Option<&[MergeType]>) -> Vec<Strategy> {
    let strategy = |it: &MergeType| match it {
        MergeType::Merge => Strategy::Merge,
        MergeType::StrategicMerge => Strategy::StrategicMerge,
    };
    given.map_or_else(
        || vec![Strategy::StrategicMerge, Strategy::Merge],
        |all| all.iter().map(strategy).collect(),
    )
}

/// Whether a document has all these labels: `a=b`, `a!=b`, `a`, `!a`, `a in (b, c)`, `a notin (b, c)`.
fn has_labels(doc: &Json, selectors: &[String]) -> bool {
    let label = |name: &str| doc.pointer("/metadata/labels").and_then(|labels| labels.get(name.trim()));
    let is = |name: &str, value: &str| label(name).is_some_and(|it| it.as_str() == Some(value.trim()));
    let among =
        |name: &str, list: &str| list.trim().trim_matches(['(', ')']).split(',').any(|value| is(name, value));
    selectors.iter().all(|selector| {
        if let Some((name, list)) = selector.split_once(" notin ") {
            !among(name, list)
        } else if let Some((name, list)) = selector.split_once(" in ") {
            among(name, list)
        } else if let Some((name, value)) = selector.split_once("!=") {
            !is(name, value)
        } else if let Some((name, value)) = selector.split_once("==").or_else(|| selector.split_once('=')) {
            is(name, value)
        } else if let Some(name) = selector.trim().strip_prefix('!') {
            label(name).is_none()
        } else {
            label(selector).is_some()
        }
    })
}

#[cfg(all(test, feature = "controller"))]
mod tests;
