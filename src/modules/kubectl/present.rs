//! From documents to what must change: the server is asked, by its dry run, what it would make of each.

use serde_json::{Value as Json, json};

use super::change::{Act, Change};
use super::lookup::{in_namespace, list, live_objects, name_of, one_place, place_of};
use super::merge::{Lists, is_built_in, merged};
use super::object::{Id, at, objects, same};
use super::run::{Kubectl, Trouble, complaint, trouble};
use super::show::LAST_APPLIED;
use crate::modules::api::{Fail, Look, Ran};

/// How a patch is merged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Strategy {
    /// Lists by the key of their items.
    StrategicMerge,
    /// Lists as a whole.
    Merge,
}

impl Strategy {
    /// As kubectl calls it.
    pub fn word(self) -> &'static str {
        match self {
            Strategy::StrategicMerge => "strategic",
            Strategy::Merge => "merge",
        }
    }
}

/// How a server-side apply is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ServerSide {
    /// Who applies.
    pub field_manager: String,
    /// Take over fields of others.
    pub force_conflicts: bool,
}

/// How objects come to be as wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// Made if they are not there, else patched; the first strategy that the kind knows.
    Patch(Vec<Strategy>),
    /// Patched if they are there, else left alone.
    PatchOnly(Vec<Strategy>),
    /// Made if they are not there, else replaced.
    Replace,
    /// `kubectl apply`.
    Apply,
    /// `kubectl apply --server-side`.
    ServerSide(ServerSide),
}

/// What a task wants of its documents.
pub(crate) struct Wish<'a> {
    /// The objects as wanted.
    pub docs: Vec<Json>,
    /// The namespace of those that name none.
    pub namespace: Option<&'a str>,
    /// How they come to be so.
    pub how: How,
    /// Go on after an object that can't be made so.
    pub go_on: bool,
}

impl Wish<'_> {
    /// What must change, in the order of the documents; objects that are as wanted included.
    ///
    /// # Errors
    /// A server that does not answer, an object that it refuses.
    pub fn plan(&self, kubectl: &Kubectl, host: &dyn Look) -> Result<Vec<Change>, Fail> {
        let live = live_objects(kubectl, host, &self.docs, self.namespace)?;
        let mut changes: Vec<Change> =
            self.docs.iter().zip(live).map(|(doc, live)| self.start(doc, live)).collect();
        let open: Vec<usize> = (0..changes.len()).filter(|i| changes[*i].after.is_none()).collect();
        for run in at_once(&changes, &open) {
            if run.len() > 1 && self.ask_all(kubectl, host, &mut changes, &run)? {
                continue;
            }
            for i in run {
                match self.ask_one(kubectl, host, &mut changes[i]) {
                    Err(fail) if self.go_on => changes[i].error = Some(fail.msg),
                    done => done?,
                }
            }
        }
        for i in open {
            self.look_again(kubectl, host, &self.docs[i], &mut changes[i])?;
        }
        Ok(changes)
    }

    /// Something in the cluster wrote the object between the look at it and the question: what differs may not be ours.
    fn look_again(
        &self,
        kubectl: &Kubectl,
        host: &dyn Look,
        doc: &Json,
        change: &mut Change,
    ) -> Result<(), Fail> {
        for _ in 0..5 {
            if change.error.is_some() || !change.moved() {
                break;
            }
            let live = live_objects(kubectl, host, std::slice::from_ref(doc), self.namespace)?;
            *change = self.start(doc, live.into_iter().next().flatten());
            if change.after.is_none() {
                self.ask_one(kubectl, host, change)?;
            }
        }
        Ok(())
    }

    /// What is known without asking for a dry run. `after` stays empty where that is still to be done.
    fn start(&self, doc: &Json, live: Option<Json>) -> Change {
        let mut change = Change::new(doc, live, place_of(doc, self.namespace));
        change.act = match (&self.how, &change.live) {
            (How::Apply, Some(live)) if already_applied(live, doc) => {
                change.after = Some(live.clone());
                Act::Nothing
            }
            (How::Apply, _) => Act::Apply,
            (How::ServerSide(how), _) => Act::ServerSide(how.clone()),
            (How::PatchOnly(_), None) => {
                change.warnings.push(format!("{} is not there, so it was not patched", change.id()));
                change.after = Some(Json::Null);
                Act::Nothing
            }
            (_, None) => Act::Create,
            (How::Replace, Some(_)) => Act::Replace,
            (How::Patch(strategies) | How::PatchOnly(strategies), Some(live)) => {
                let strategy = strategies.first().copied().unwrap_or(Strategy::Merge);
                if merged(live, doc, lists_of(strategy, doc)) == *live {
                    change.after = Some(live.clone());
                    Act::Nothing
                } else {
                    Act::Patch(strategy)
                }
            }
        };
        change
    }

    /// Asks for several at once; false if they have to be asked for one by one.
    fn ask_all(
        &self,
        kubectl: &Kubectl,
        host: &dyn Look,
        changes: &mut [Change],
        run: &[usize],
    ) -> Result<bool, Fail> {
        let docs: Vec<&Json> = run.iter().map(|i| &changes[*i].wanted).collect();
        let Some(words) = changes[run[0]].act.words().filter(|_| one_place(&docs, self.namespace)) else {
            return Ok(false);
        };
        let mut words: Vec<String> = words.into_iter().chain(["--dry-run=server".to_owned()]).collect();
        words.extend(in_namespace(self.namespace));
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let ran = kubectl.query(host, &words, Some(&list(docs.into_iter().cloned().collect())))?;
        let answers = if ran.ok() { objects(&ran)? } else { Vec::new() };
        if answers.len() != run.len() {
            return Ok(false);
        }
        for (i, answer) in run.iter().zip(answers) {
            changes[*i].foretold(answer);
        }
        Ok(true)
    }

    fn ask_one(&self, kubectl: &Kubectl, host: &dyn Look, change: &mut Change) -> Result<(), Fail> {
        let strategies = match &self.how {
            How::Patch(all) | How::PatchOnly(all) => all.as_slice(),
            _ => &[],
        };
        let mut rest = strategies.iter().skip(1);
        loop {
            let ran = change.ask(kubectl, host)?;
            if ran.ok() {
                let answer = objects(&ran)?.into_iter().next();
                change.foretold(answer.unwrap_or_else(|| change.wanted.clone()));
                return Ok(());
            }
            let kind = trouble(&complaint(&ran));
            match (kind, rest.next()) {
                (Trouble::NoStrategicMerge, Some(next)) => change.act = Act::Patch(*next),
                (Trouble::NotYet, _) if change.live.is_none() => {
                    self.not_yet(change, &ran);
                    return Ok(());
                }
                (Trouble::NoDryRun, _) => {
                    let live = change.live.clone().unwrap_or(Json::Null);
                    let lists = match change.act {
                        Act::Patch(strategy) => lists_of(strategy, &change.wanted),
                        _ => lists_of(Strategy::StrategicMerge, &change.wanted),
                    };
                    change.foretold(merged(&live, &change.wanted, lists));
                    return Ok(());
                }
                _ => return Err(change.refused(kubectl.explain(host, &ran))),
            }
        }
    }

    /// What stands in a namespace, or is of a kind, that is not there can't be asked for; when the run is real, it may be
    /// there by then, or the server says what is wrong.
    fn not_yet(&self, change: &mut Change, ran: &Ran) {
        let makes = |kind: &str| self.docs.iter().any(|doc| at(doc, "/kind") == kind);
        if !makes("Namespace") && !makes("CustomResourceDefinition") {
            change.warnings.push(format!(
                "{}: can't be checked before it is made: {}",
                change.id(),
                complaint(ran)
            ));
        }
        change.waits_for_kind = makes("CustomResourceDefinition");
        change.foretold(change.wanted.clone());
    }
}

/// The open changes in runs that one command can ask for.
fn at_once(changes: &[Change], open: &[usize]) -> Vec<Vec<usize>> {
    let mut runs: Vec<Vec<usize>> = Vec::new();
    for &i in open {
        let joins = runs.last().and_then(|run| run.last()).is_some_and(|&last| {
            changes[last].act == changes[i].act && !matches!(changes[i].act, Act::Patch(_))
        });
        match runs.last_mut() {
            Some(run) if joins => run.push(i),
            _ => runs.push(vec![i]),
        }
    }
    runs
}

/// Whether applying would take nothing away and change nothing: the last applied definition is this one, and the object has
/// all that it says.
fn already_applied(live: &Json, doc: &Json) -> bool {
    let annotations = at(live, "/metadata/annotations");
    let last = annotations.get(LAST_APPLIED).and_then(Json::as_str);
    let Some(last) = last.and_then(|text| serde_json::from_str::<Json>(text).ok()) else { return false };
    // kubectl completes what it writes down.
    let complete = |object: &Json| {
        let mut object = object.clone();
        if let Some(metadata) = object.get_mut("metadata").and_then(Json::as_object_mut) {
            if metadata.get("namespace").is_none_or(Json::is_null) {
                metadata.insert("namespace".into(), at(live, "/metadata/namespace").clone());
            }
            metadata.entry("annotations").or_insert_with(|| json!({}));
        }
        object
    };
    complete(&last) == complete(doc) && merged(live, doc, lists_of(Strategy::StrategicMerge, doc)) == *live
}

/// How a strategy merges the lists of a document.
fn lists_of(strategy: Strategy, doc: &Json) -> Lists {
    let built_in = is_built_in(&Id::of(doc).api_version);
    if strategy == Strategy::StrategicMerge && built_in { Lists::ByKey } else { Lists::Whole }
}

impl Change {
    /// One object's change by operations.
    ///
    /// # Errors
    /// A server that does not answer, operations that it refuses.
    pub fn by_operations(
        kubectl: &Kubectl,
        host: &dyn Look,
        live: Json,
        operations: Json,
    ) -> Result<Change, Fail> {
        let mut change = Change::new(&name_of(&live), Some(live), None);
        change.act = Act::JsonPatch(operations);
        let ran = change.ask(kubectl, host)?;
        if !ran.ok() {
            return Err(change.refused(kubectl.explain(host, &ran)));
        }
        let answer = objects(&ran)?.into_iter().next().unwrap_or(Json::Null);
        change.foretold(answer);
        Ok(change)
    }

    /// Takes the server's answer: nothing is to be done if it would change nothing.
    fn foretold(&mut self, answer: Json) {
        if self.live.as_ref().is_some_and(|live| same(live, &answer)) {
            self.act = Act::Nothing;
            self.after.clone_from(&self.live);
        } else {
            self.after = Some(answer);
        }
    }

    /// Whether the server's answer is about another version of the object than the one that was looked at.
    fn moved(&self) -> bool {
        let version = |object: &Option<Json>| {
            object.as_ref().and_then(|it| at(it, "/metadata/resourceVersion").as_str().map(str::to_owned))
        };
        let (looked_at, answered) = (version(&self.live), version(&self.after));
        looked_at.is_some() && answered.is_some() && looked_at != answered
    }

    /// Asks what the server would make of this one.
    fn ask(&self, kubectl: &Kubectl, host: &dyn Look) -> Result<Ran, Fail> {
        let words = self.words(true);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        kubectl.query(host, &words, Some(&self.input()))
    }
}

impl Wish<'_> {
    /// What must go.
    ///
    /// # Errors
    /// A server that does not answer; a precondition that does not hold.
    pub fn plan_absent(
        &self,
        kubectl: &Kubectl,
        host: &dyn Look,
        options: &[String],
        preconditions: &[(&str, Option<&str>)],
    ) -> Result<Vec<Change>, Fail> {
        let live = live_objects(kubectl, host, &self.docs, self.namespace)?;
        let mut changes = Vec::new();
        for (doc, live) in self.docs.iter().zip(live) {
            let mut change = Change::new(doc, live, place_of(doc, self.namespace));
            change.after = Some(Json::Null);
            if let Some(live) = &change.live {
                for (field, wanted) in preconditions {
                    let found = at(live, &format!("/metadata/{field}"));
                    if wanted.is_some_and(|wanted| *found != json!(wanted)) {
                        return Err(Fail::new(format!(
                            "{}: its {field} is {found}, so it was not deleted",
                            change.id()
                        )));
                    }
                }
                // One that is on its way out need not be told again.
                if at(live, "/metadata/deletionTimestamp").is_null() {
                    change.act = Act::Delete(options.to_vec());
                }
            }
            changes.push(change);
        }
        Ok(changes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_that_was_applied_last_and_still_holds_is_not_asked_about() {
        let live = |last: &str, value: &str| {
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "n",
                "annotations": {LAST_APPLIED: last}}, "data": {"x": value, "other": "1"}})
        };
        let doc =
            json!({"kind": "ConfigMap", "apiVersion": "v1", "metadata": {"name": "a"}, "data": {"x": "1"}});
        let last = r#"{"apiVersion":"v1","data":{"x":"1"},"kind":"ConfigMap","metadata":{"annotations":{},"name":"a",
            "namespace":"n"}}"#;
        for (live, known) in [
            (live(last, "1"), true),
            (live(last, "2"), false),
            (live(&last.replace("\"x\"", "\"gone\":\"1\",\"x\""), "1"), false),
            (live("no json", "1"), false),
            (json!({"metadata": {"name": "a"}, "data": {"x": "1"}}), false),
        ] {
            assert_eq!(already_applied(&live, &doc), known, "{live}");
        }
    }
}
