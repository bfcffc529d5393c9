//! Running kubectl, and saying in plain words what it complains of.

use std::ffi::OsString;

use serde_json::Value as Json;

use super::connection::usual_config;
use super::object::{Id, at};
use crate::modules::api::{Cmd, Fail, Look, Ran, Touch, Value};

/// kubectl with the flags and variables that lead to one API server.
#[derive(Clone, Debug)]
pub struct Kubectl {
    flags: Vec<OsString>,
    env: Vec<(String, String)>,
}

/// What kind of complaint it is, where that decides what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// The namespace, or the kind, may be made by something that has not happened yet.
    NotYet,
    /// A webhook does not take part in dry runs.
    NoDryRun,
    /// The kind knows no strategic merge.
    NoStrategicMerge,
    /// Anything else.
    Other,
}

impl Kubectl {
    pub(super) fn new(flags: Vec<OsString>, env: Vec<(String, String)>) -> Kubectl {
        Kubectl { flags, env }
    }

    /// kubectl without any server, for what it does by itself.
    pub(super) fn alone() -> Kubectl {
        Kubectl::new(Vec::new(), vec![("KUBECONFIG".into(), "/dev/null".into())])
    }

    /// The command line of these words.
    pub fn cmd<S: Into<OsString>>(&self, words: impl IntoIterator<Item = S>) -> Cmd {
        let mut cmd = Cmd::new(["kubectl"]).args(self.flags.iter().cloned()).args(words);
        cmd.env.clone_from(&self.env);
        // What it prints are objects for us to read, maybe with secrets.
        cmd.quiet = true;
        cmd
    }

    fn with_input(&self, words: &[&str], input: Option<&Json>) -> Cmd {
        let cmd = self.cmd(words);
        match input {
            Some(json) => cmd.stdin(json.to_string()),
            None => cmd,
        }
    }

    /// Runs words that only read, whatever comes of it.
    ///
    /// # Errors
    /// It can't be started.
    pub fn query(&self, host: &dyn Look, words: &[&str], input: Option<&Json>) -> Result<Ran, Fail> {
        host.query(&self.with_input(words, input))
    }

    /// The same, where anything but success is an error.
    ///
    /// # Errors
    /// What kubectl complains of.
    pub fn ask(&self, host: &dyn Look, words: &[&str], input: Option<&Json>) -> Result<Ran, Fail> {
        let ran = self.query(host, words, input)?;
        if ran.ok() { Ok(ran) } else { Err(self.explain(host, &ran)) }
    }

    /// Runs words that change something.
    ///
    /// # Errors
    /// What kubectl complains of.
    pub fn act(&self, host: &mut dyn Touch, words: &[&str], input: Option<&Json>) -> Result<Ran, Fail> {
        let ran = host.run(&self.with_input(words, input))?;
        if ran.ok() { Ok(ran) } else { Err(self.explain(host.as_look(), &ran)) }
    }

    /// What a run of kubectl that failed means.
    pub fn explain(&self, host: &dyn Look, ran: &Ran) -> Fail {
        let text = complaint(ran);
        let fail = |msg: String| Fail::new(msg).with("rc", ran.rc).with("stderr", text.as_str());
        let lower = text.to_lowercase();
        let has = |words: &[&str]| words.iter().any(|word| lower.contains(word));
        if has(&["apply failed with"]) {
            return conflict(&text);
        }
        if has(&[
            "did you specify the right host or port",
            "unable to connect to the server",
            "no configuration has been provided",
            "i/o timeout",
            "connection refused",
        ]) {
            return fail(format!("the Kubernetes API can't be reached: {text}{}", self.hint(host)));
        }
        if has(&["you must be logged in to the server", "unauthorized"]) {
            return fail(format!("the Kubernetes API does not accept these credentials: {text}"));
        }
        if ran.timed_out {
            return fail("kubectl ran out of time".into());
        }
        fail(text.clone())
    }

    /// Why there may be no server: nobody said where it is.
    fn hint(&self, host: &dyn Look) -> String {
        let named = |flag: &OsString| {
            let flag = flag.to_string_lossy();
            flag.starts_with("--kubeconfig") || flag.starts_with("--server")
        };
        let usual = usual_config(host);
        let there = usual.split(':').any(|path| host.stat(path.as_ref(), true).is_ok_and(|it| it.is_some()));
        if self.flags.iter().any(named) || there {
            return String::new();
        }
        format!(" (there is no kubeconfig {usual} on this host: give kubeconfig, or host and api_key)")
    }
}

/// What kubectl complains of, without its log lines and without its usual first words.
pub(super) fn complaint(ran: &Ran) -> String {
    let text = ran.err();
    let lines =
        text.lines().map(str::trim_end).filter(|line| !is_log(line) && !line.starts_with("Warning: "));
    let text = lines.collect::<Vec<_>>().join("\n");
    let text = text.trim().trim_start_matches("error: ");
    // Both it and the server show pieces of what they could not read, and that may hold a secret.
    let text = text.split(" is missing in '").next().unwrap_or(text);
    let text = text.split(", error found in #").next().unwrap_or(text);
    if text.is_empty() { format!("kubectl ended with {}", ran.rc) } else { text.to_owned() }
}

/// What the API server warns of: old versions of APIs and the like.
pub(super) fn warnings(ran: &Ran) -> Vec<String> {
    let text = ran.err();
    let lines = text.lines().filter_map(|line| line.strip_prefix("Warning: "));
    // That one is about how an object was made, and is cured by the run that prints it.
    lines.filter(|line| !line.contains("last-applied-configuration")).map(str::to_owned).collect()
}

/// A line of klog: `W1121 12:06:38.668771   27498 loader.go:223] …`.
fn is_log(line: &str) -> bool {
    let bytes = line.as_bytes();
    matches!(bytes.first(), Some(b'I' | b'W' | b'E' | b'F'))
        && bytes.len() > 20
        && bytes[1..5].iter().all(u8::is_ascii_digit)
        && bytes[5] == b' '
}

/// Which kind of complaint this is.
pub(super) fn trouble(text: &str) -> Trouble {
    let lower = text.to_lowercase();
    let no_namespace = lower.contains("namespaces \"") && lower.contains("not found");
    if no_namespace || lower.contains("no matches for kind") || lower.contains("have a resource type") {
        return Trouble::NotYet;
    }
    if lower.contains("dry run") && lower.contains("support") || lower.contains("dryrun") {
        return Trouble::NoDryRun;
    }
    if lower.contains("unsupportedmediatype")
        || lower.contains("body of the request was in an unknown format")
    {
        return Trouble::NoStrategicMerge;
    }
    Trouble::Other
}

/// A refused server-side apply: who owns what, and what can be done.
fn conflict(text: &str) -> Fail {
    let mut owners: Vec<(String, Vec<String>)> = Vec::new();
    for line in text.lines() {
        if let Some((_, rest)) = line.split_once("with \"") {
            let (manager, rest) = rest.split_once('"').unwrap_or((rest, ""));
            let field = rest.rsplit_once(": ").map(|(_, field)| field.trim().to_owned());
            owners.push((manager.to_owned(), field.into_iter().filter(|it| !it.is_empty()).collect()));
        } else if let (Some(field), Some((_, fields))) = (line.strip_prefix("- "), owners.last_mut()) {
            fields.push(field.trim().to_owned());
        }
    }
    let shown: Vec<String> =
        owners.iter().map(|(manager, fields)| format!("{} of {manager}", fields.join(", "))).collect();
    let list: Vec<Value> = owners
        .into_iter()
        .map(|(manager, fields)| {
            Value::from_pairs([("manager", Value::from(manager)), ("fields", Value::from(fields))])
        })
        .collect();
    Fail::new(format!(
        "other field managers own fields that this apply would change: {}. Leave these fields out of the definition, \
         give them the values they have, or take them over with server_side_apply.force_conflicts: true",
        shown.join("; ")
    ))
    .with("conflicts", Value::list(list))
}

/// A message without the values of these objects' secrets.
pub(crate) fn scrub(text: &str, docs: &[Json]) -> String {
    let secrets: Vec<&Json> = docs.iter().filter(|doc| Id::of(doc).is_secret()).collect();
    if secrets.is_empty() {
        return text.to_owned();
    }
    let mut text = text.to_owned();
    for map in secrets.iter().flat_map(|doc| [at(doc, "/data"), at(doc, "/stringData")]) {
        for value in map.as_object().into_iter().flat_map(serde_json::Map::values) {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            if !value.is_empty() {
                text = text.replace(&value, "********");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn complaints_are_told_apart_and_cleaned() {
        let said = |text: &str| complaint(&Ran { rc: 1, stderr: text.into(), ..Ran::default() });
        assert_eq!(
            said("W1121 12:06:38.668771   27498 loader.go:223] Config not found: /x\nerror: no\n"),
            "no"
        );
        assert_eq!(said("unable to decode \"STDIN\": Object 'Kind' is missing in '{\"p\":\"secret\"}'"), {
            "unable to decode \"STDIN\": Object 'Kind'"
        });
        assert_eq!(said("illegal base64, error found in #10 byte of ...|ush\"}|..."), "illegal base64");
        assert_eq!(said(""), "kubectl ended with 1");
        for (text, kind) in [
            ("Error from server (NotFound): namespaces \"x\" not found", Trouble::NotYet),
            (
                "unable to recognize \"STDIN\": no matches for kind \"Foo\" in version \"x/v1\"",
                Trouble::NotYet,
            ),
            ("admission webhook \"w\" does not support dry run", Trouble::NoDryRun),
            (
                "Error from server (UnsupportedMediaType): the body of the request was …",
                Trouble::NoStrategicMerge,
            ),
            ("Error from server (NotFound): pods \"x\" not found", Trouble::Other),
        ] {
            assert_eq!(trouble(text), kind, "{text}");
        }
    }

    #[test]
    fn a_conflict_names_the_owners_of_the_fields() {
        let fail = conflict(
            "Apply failed with 3 conflicts: conflicts with \"a\":\n- .data.x\n- .data.y\nconflicts with \"b\" using \
             apps/v1:\n- .spec.replicas\nPlease review the fields above--they",
        );
        assert!(fail.msg.contains(".data.x, .data.y of a; .spec.replicas of b."), "{}", fail.msg);
        let fail =
            conflict("Apply failed with 1 conflict: conflict with \"c\" using apps/v1: .spec.replicas");
        assert_eq!(fail.fields["conflicts"].to_string(), "[{'manager': 'c', 'fields': ['.spec.replicas']}]");
    }

    #[test]
    fn values_of_secrets_are_taken_out_of_messages() {
        let docs = [
            json!({"kind": "Secret", "apiVersion": "v1", "data": {"p": "Z2Vo"}, "stringData": {"q": "hush"}}),
        ];
        assert_eq!(
            scrub("bad \"Z2Vo\" and hush: illegal base64", &docs),
            "bad \"********\" and ********: illegal base64"
        );
        assert_eq!(scrub("x Z2Vo", &[json!({"kind": "ConfigMap", "data": {"p": "Z2Vo"}})]), "x Z2Vo");
    }
}
