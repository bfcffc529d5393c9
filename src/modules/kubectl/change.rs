//! One object's change: carried out, waited for, and told as a result.

use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::lookup::name_of;
use super::object::{Id, objects};
use super::present::{ServerSide, Strategy};
use super::run::{Kubectl, scrub, warnings};
use super::show::{HIDDEN, diff_of, shown};
use super::wait::{Waiting, pause};
use crate::modules::api::{Diff, Fail, Outcome, Str, Touch, Value};

/// What is done to an object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) enum Act {
    /// It is as wanted.
    #[default]
    Nothing,
    /// Made.
    Create,
    /// Patched.
    Patch(Strategy),
    /// Patched with these operations (RFC 6902).
    JsonPatch(Json),
    /// Replaced.
    Replace,
    /// Applied.
    Apply,
    /// Applied by the server.
    ServerSide(ServerSide),
    /// Deleted, with these options of `kubectl delete`.
    Delete(Vec<String>),
}

impl Act {
    /// kubectl's words for documents on standard input; none for what is done otherwise.
    pub(super) fn words(&self) -> Option<Vec<String>> {
        let verb: &[&str] = match self {
            Act::Nothing | Act::Patch(_) | Act::JsonPatch(_) | Act::Delete(_) => return None,
            Act::Create => &["create"],
            Act::Replace => &["replace"],
            Act::Apply | Act::ServerSide(_) => &["apply"],
        };
        let mut words: Vec<String> = verb.iter().map(|it| (*it).to_owned()).collect();
        words.extend(["--filename=-", "--output=json", "--validate=false"].map(str::to_owned));
        if let Act::ServerSide(how) = self {
            words.push("--server-side".into());
            words.push(format!("--field-manager={}", how.field_manager));
            if how.force_conflicts {
                words.push("--force-conflicts".into());
            }
        }
        Some(words)
    }

    /// What `method` of the result says.
    fn method(&self) -> &'static str {
        match self {
            Act::Nothing => "",
            Act::Create => "create",
            Act::Patch(_) | Act::JsonPatch(_) => "patch",
            Act::Replace => "replace",
            Act::Apply | Act::ServerSide(_) => "apply",
            Act::Delete(_) => "delete",
        }
    }
}

/// What must change of one object.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Change {
    /// The object as wanted.
    pub wanted: Json,
    /// The object as it is.
    pub live: Option<Json>,
    /// The object as the server would make it; null for one that goes.
    pub after: Option<Json>,
    /// What is done.
    pub act: Act,
    /// The namespace that the command has to name.
    pub namespace: Option<String>,
    /// Its kind may come into being only moments before it.
    pub waits_for_kind: bool,
    /// Shown to the user.
    pub warnings: Vec<String>,
    /// Why nothing can be done, if others are to go on.
    pub error: Option<String>,
}

impl Change {
    pub(super) fn new(doc: &Json, live: Option<Json>, namespace: Option<&str>) -> Change {
        Change {
            wanted: doc.clone(),
            live,
            after: None,
            act: Act::Nothing,
            namespace: namespace.map(str::to_owned),
            waits_for_kind: false,
            warnings: Vec::new(),
            error: None,
        }
    }

    /// What it is called: by the live object if there is one, for that knows its namespace.
    pub fn id(&self) -> Id {
        let mut id = Id::of(self.live.as_ref().unwrap_or(&self.wanted));
        id.api_version = Id::of(&self.wanted).api_version;
        id
    }

    /// Whether something is done.
    pub fn acts(&self) -> bool {
        self.act != Act::Nothing && self.error.is_none()
    }

    /// Before and after.
    pub fn diff(&self, hidden: &[String]) -> Option<Diff> {
        let after = self.after.as_ref().filter(|after| !after.is_null());
        self.acts().then(|| diff_of(self.live.as_ref(), after, hidden))
    }

    pub(super) fn words(&self, dry: bool) -> Vec<String> {
        let mut words = match (&self.act, self.act.words()) {
            (_, Some(words)) => words,
            (Act::Patch(strategy), _) => self.patch_words(strategy.word()),
            (Act::JsonPatch(_), _) => self.patch_words("json"),
            (Act::Delete(options), _) => {
                let mut words: Vec<String> = ["delete", "--filename=-", "--ignore-not-found", "--wait=false"]
                    .map(str::to_owned)
                    .into();
                words.extend(options.iter().cloned());
                words
            }
            _ => Vec::new(),
        };
        words.extend(self.namespace.iter().map(|name| format!("--namespace={name}")));
        if dry {
            words.push("--dry-run=server".into());
        }
        words
    }

    fn patch_words(&self, kind: &str) -> Vec<String> {
        let id = Id::of(&self.wanted);
        let mut words = vec!["patch".to_owned(), id.resource(), id.name, format!("--type={kind}")];
        words.extend(["--patch-file=/dev/stdin", "--output=json"].map(str::to_owned));
        words.extend(id.namespace.map(|name| format!("--namespace={name}")));
        words
    }

    /// What kubectl reads.
    pub(super) fn input(&self) -> Json {
        match &self.act {
            Act::JsonPatch(operations) => operations.clone(),
            Act::Delete(_) => name_of(&self.wanted),
            _ => self.wanted.clone(),
        }
    }

    /// Carries it out and waits if that is asked for.
    ///
    /// # Errors
    /// What the server refuses; time is over.
    pub fn carry_out(
        mut self,
        kubectl: &Kubectl,
        host: &mut dyn Touch,
        waiting: &Waiting,
    ) -> Result<Done, Fail> {
        let began = Instant::now();
        if self.acts() {
            self.act(kubectl, host)?;
        }
        let mut done = self.foresee();
        let there = done.result.as_ref().is_some_and(|it| !it.is_null());
        if waiting.wait && done.error.is_none() && (there || self.live.is_some()) {
            let id = Id::of(done.result.as_ref().filter(|_| there).unwrap_or(&self.wanted));
            let namespace = self.namespace.as_deref();
            if there {
                done.result = Some(waiting.until_ready(kubectl, host, &id, namespace)?);
            } else {
                waiting.until_gone(kubectl, host, &id, namespace)?;
            }
            done.duration = Some(began.elapsed().as_secs());
        }
        Ok(done)
    }

    fn act(&mut self, kubectl: &Kubectl, host: &mut dyn Touch) -> Result<(), Fail> {
        let words = self.words(false);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let input = self.input();
        let mut attempts = if self.waits_for_kind { 10 } else { 0 };
        let ran = loop {
            match kubectl.act(host, &words, Some(&input)) {
                // The server needs a moment to serve a kind that was defined just now.
                Err(fail) if attempts > 0 && fail.msg.contains("no matches for kind") => {
                    attempts -= 1;
                    pause(host, Duration::from_secs(1))?;
                }
                Err(fail) => return Err(self.refused(fail)),
                Ok(ran) => break ran,
            }
        };
        self.warnings.retain(|text| !text.contains("before it is made"));
        self.warnings.extend(warnings(&ran));
        if !matches!(self.act, Act::Delete(_)) {
            self.after = Some(objects(&ran)?.into_iter().next().unwrap_or(Json::Null));
        }
        Ok(())
    }

    /// A refusal of this object: its name first, nothing of its secrets.
    pub(super) fn refused(&self, fail: Fail) -> Fail {
        let docs = std::slice::from_ref(&self.wanted);
        let msg = format!("{}: {}", self.id(), scrub(&fail.msg, docs));
        let stderr = fail.fields.get("stderr").map(|text| scrub(&text.to_string(), docs));
        Fail { msg, ..fail }.with("stderr", stderr)
    }

    /// The result as it will be.
    pub fn foresee(&self) -> Done {
        Done {
            changed: self.acts(),
            method: self.act.method(),
            result: self.after.clone().filter(|after| !after.is_null()),
            duration: None,
            warnings: self.warnings.clone(),
            error: self.error.clone(),
        }
    }
}

/// What came of one object's change.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Done {
    changed: bool,
    method: &'static str,
    result: Option<Json>,
    duration: Option<u64>,
    warnings: Vec<String>,
    error: Option<String>,
}

impl Done {
    /// The failure of an object while others go on.
    pub fn failed(error: String) -> Done {
        let (changed, method) = (false, "");
        Done { changed, method, result: None, duration: None, warnings: Vec::new(), error: Some(error) }
    }

    fn fields(&self, hidden: &[String], secrets: bool) -> Vec<(&'static str, Value)> {
        let result =
            self.result.as_ref().map_or_else(|| Value::from(json!({})), |it| shown(it, hidden, secrets));
        let mut fields = vec![("result", result)];
        if !self.method.is_empty() {
            fields.push(("method", Value::from(self.method)));
        }
        if let Some(seconds) = self.duration {
            fields.push(("duration", Value::from(seconds)));
        }
        if let Some(error) = &self.error {
            fields.push(("error", Value::from_pairs([("msg", error.as_str())])));
        }
        fields
    }
}

/// What must change of all objects of a task, and through which kubectl.
#[derive(Debug)]
pub struct Changes {
    kubectl: Kubectl,
    all: Vec<Change>,
    warnings: Vec<String>,
}

/// What results and diffs show.
#[derive(Clone, Debug)]
pub(crate) struct Showing {
    /// Fields that they don't.
    pub hidden: Vec<String>,
    /// Values of Secrets, in results.
    pub secrets: bool,
}

impl Default for Showing {
    fn default() -> Showing {
        Showing { hidden: vec![HIDDEN.to_owned()], secrets: false }
    }
}

impl Changes {
    /// From what was planned.
    pub(crate) fn new(kubectl: Kubectl, all: Vec<Change>, warnings: Vec<String>) -> Changes {
        Changes { kubectl, all, warnings }
    }

    /// What check mode says.
    pub(crate) fn predicted(&self, showing: &Showing) -> Outcome {
        let all: Vec<Done> = self.all.iter().map(Change::foresee).collect();
        outcome(&all, &self.warnings, showing)
    }

    /// Before and after of each object that changes.
    pub(crate) fn diff(&self, showing: &Showing) -> Vec<Diff> {
        self.all.iter().filter_map(|change| change.diff(&showing.hidden)).collect()
    }

    /// Carries all out, one after the other. `go_on`: after one that fails too.
    ///
    /// # Errors
    /// What the server refuses; time is over.
    pub(crate) fn apply(
        self,
        host: &mut dyn Touch,
        waiting: &Waiting,
        go_on: bool,
        showing: &Showing,
    ) -> Result<Outcome, Fail> {
        let mut done = Vec::new();
        for change in self.all {
            match change.carry_out(&self.kubectl, host, waiting) {
                Err(fail) if go_on => done.push(Done::failed(fail.msg)),
                other => done.push(other?),
            }
        }
        Ok(outcome(&done, &self.warnings, showing))
    }
}

/// The result of a task: of one object its own fields, of several a list of them.
fn outcome(all: &[Done], warnings: &[String], showing: &Showing) -> Outcome {
    let mut outcome = Outcome { changed: all.iter().any(|done| done.changed), ..Outcome::default() };
    let own = all.iter().flat_map(|done| &done.warnings);
    outcome.warnings = warnings.iter().chain(own).cloned().collect();
    if let [done] = all {
        let fields = done.fields(&showing.hidden, showing.secrets);
        outcome.fields.extend(fields.into_iter().map(|(name, value)| (Str::from(name), value)));
        return outcome;
    }
    let each = all.iter().map(|done| {
        let changed = [("changed", Value::from(done.changed))];
        Value::from_pairs(done.fields(&showing.hidden, showing.secrets).into_iter().chain(changed))
    });
    let results = Value::from_pairs([("results", each.collect::<Value>())]);
    outcome.with("result", results)
}
