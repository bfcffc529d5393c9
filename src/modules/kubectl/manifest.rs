//! Which objects a task is about: the arguments that give them, and the documents that come of them.
//!
//! Text is read by kubectl itself, so it means exactly what it means to `kubectl apply`. Templates are rendered by the
//! controller and arrive as text.

use base64::Engine;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map as JsonMap, Value as Json, json};

use super::object::{Id, at, objects, usual_version};
use super::run::{Kubectl, complaint};
use crate::modules::api::{Fail, Look, Value, digest_of, expand};

/// The arguments that say which objects.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Source {
    /// The API version of the object, where the definition does not say it. By default `v1`, for Deployments and other
    /// kinds of Kubernetes itself theirs.
    #[serde(alias = "api", alias = "version")]
    #[schemars(extend("x-aliases" = ["api", "version"]))]
    pub api_version: Option<String>,
    /// The kind of the object, where the definition does not say it.
    pub kind: Option<String>,
    /// The name of the object, where the definition does not say it.
    pub name: Option<String>,
    /// The namespace of objects whose definition names none.
    pub namespace: Option<String>,
    /// The object, or a list of objects: mappings, or YAML or JSON text with one or more documents.
    #[serde(alias = "definition", alias = "inline")]
    #[schemars(extend("x-aliases" = ["definition", "inline"]))]
    pub resource_definition: Option<Value>,
    /// A file of the host, or a URL, with the objects.
    pub src: Option<String>,
    /// A template on the controller, rendered to the objects: its path, or a mapping of `path` and the arguments of
    /// `template` (`trim_blocks`, `variable_start_string` …), or a list of these.
    pub template: Option<Value>,
}

impl Source {
    /// The objects as wanted, complete but for their namespace.
    ///
    /// # Errors
    /// None, or several contradicting sources; text that is no manifest; an object without kind or name.
    pub fn documents(&self, host: &dyn Look) -> Result<Vec<Json>, Fail> {
        if self.template.is_some() {
            return Err(Fail::new(
                "template is rendered by the controller, together with no other source of objects",
            ));
        }
        let mut docs = Vec::new();
        match (&self.resource_definition, &self.src) {
            (Some(_), Some(_)) => {
                return Err(Fail::new("parameters are mutually exclusive: resource_definition|src"));
            }
            (Some(given), None) => collect(given, host, &mut docs)?,
            (None, Some(src)) => docs = from_file(src, host)?,
            (None, None) if self.kind.is_some() => docs.push(json!({})),
            (None, None) => {
                return Err(Fail::new(
                    "no object is given: one of definition, src and template is needed, or kind and name",
                ));
            }
        }
        docs.into_iter().map(|doc| self.complete(doc)).collect()
    }

    /// The document with what the other arguments say of it.
    fn complete(&self, doc: Json) -> Result<Json, Fail> {
        let Json::Object(mut map) = doc else {
            return Err(Fail::new("a definition must be a mapping with apiVersion, kind and metadata"));
        };
        let missing = |map: &JsonMap<String, Json>, key: &str| map.get(key).is_none_or(Json::is_null);
        if let Some(kind) = self.kind.as_ref().filter(|_| missing(&map, "kind")) {
            map.insert("kind".into(), json!(kind));
        }
        if missing(&map, "apiVersion") {
            let kind = map.get("kind").and_then(Json::as_str).unwrap_or_default();
            let version = self.api_version.clone().unwrap_or_else(|| usual_version(kind).to_owned());
            map.insert("apiVersion".into(), json!(version));
        }
        let metadata = map.entry("metadata").or_insert_with(|| json!({}));
        if metadata.is_null() {
            *metadata = json!({});
        }
        let Json::Object(metadata) = metadata else {
            return Err(Fail::new("metadata of a definition must be a mapping"));
        };
        let generated = metadata.contains_key("generateName");
        if let Some(name) = self.name.as_ref().filter(|_| missing(metadata, "name") && !generated) {
            metadata.insert("name".into(), json!(name));
        }
        let doc = Json::Object(map);
        let id = Id::of(&doc);
        if id.kind.is_empty() {
            return Err(Fail::new(format!("a definition has no kind: {}", id.name)));
        }
        check_secret(&doc, &id)?;
        Ok(doc)
    }
}

/// The server would quote what it can't decode.
fn check_secret(doc: &Json, id: &Id) -> Result<(), Fail> {
    if !id.is_secret() {
        return Ok(());
    }
    for (key, value) in at(doc, "/data").as_object().into_iter().flatten() {
        let engine = base64::engine::general_purpose::STANDARD;
        let plain = |text: &str| text.replace(['\n', '\r'], "");
        if !value.is_null() && value.as_str().is_none_or(|text| engine.decode(plain(text)).is_err()) {
            return Err(Fail::new(format!(
                "data.{key} of {id} is not base64: plain text goes into stringData"
            )));
        }
    }
    Ok(())
}

fn collect(given: &Value, host: &dyn Look, docs: &mut Vec<Json>) -> Result<(), Fail> {
    match given {
        Value::Null | Value::Omit => {}
        Value::List(items) => items.iter().try_for_each(|item| collect(item, host, docs))?,
        Value::Map(_) => {
            let json = Json::from(given);
            match json.get("items").and_then(Json::as_array) {
                Some(items) if at(&json, "/kind") == "List" => docs.extend(items.iter().cloned()),
                _ => docs.push(json),
            }
        }
        Value::Str(text) => docs.extend(from_text(text, host)?),
        other => {
            let kind = other.type_name();
            return Err(Fail::new(format!("a definition must be a mapping, a list or text, but is {kind}")));
        }
    }
    Ok(())
}

fn from_text(text: &str, host: &dyn Look) -> Result<Vec<Json>, Fail> {
    read("-", Some(text), host).map_err(|why| Fail::new(format!("the definition can't be read: {why}")))
}

fn from_file(src: &str, host: &dyn Look) -> Result<Vec<Json>, Fail> {
    let remote = src.starts_with("http://") || src.starts_with("https://");
    let path = if remote { src.to_owned() } else { expand(src, host) };
    if !remote && host.stat(path.as_ref(), true)?.is_none() {
        return Err(Fail::new(format!("there is no file {path} on this host")));
    }
    let shown = crate::modules::http::without_password(&path);
    read(&path, None, host).map_err(|why| Fail::new(format!("{shown} can't be read: {why}")))
}

/// kubectl's own reading of a manifest, without any server: an empty patch of it.
fn read(from: &str, text: Option<&str>, host: &dyn Look) -> Result<Vec<Json>, String> {
    let words = ["patch", "--local", "--type=merge", "--patch={}", "--output=json", "--filename", from];
    let cmd = Kubectl::alone().cmd(words);
    let cmd = match text {
        Some(text) => cmd.stdin(text),
        None => cmd,
    };
    let ran = host.query(&cmd).map_err(|fail| fail.msg)?;
    if ran.ok() {
        return objects(&ran).map_err(|fail| fail.msg);
    }
    let why =
        complaint(&ran).replace("error parsing STDIN: ", "").replace("unable to decode \"STDIN\": ", "");
    match why.as_str() {
        "no objects passed to patch" => Ok(Vec::new()),
        "Object 'Kind'" => Err("a document has no kind".into()),
        _ => Err(why),
    }
}

/// A ConfigMap's or Secret's name with a hash of its contents at the end, as `append_hash` does it.
///
/// # Errors
/// Never in practice: the digest is there.
pub(crate) fn append_hash(doc: &mut Json) -> Result<(), Fail> {
    let id = Id::of(doc);
    let fields: &[&str] = match id.kind.as_str() {
        "ConfigMap" => &["data", "kind", "name"],
        "Secret" => &["data", "kind", "name", "type"],
        _ => return Ok(()),
    };
    let mut hashed = JsonMap::new();
    for field in fields {
        let value = if *field == "name" { json!(id.name) } else { at(doc, &format!("/{field}")).clone() };
        hashed.insert((*field).to_owned(), if value.is_null() { json!("") } else { in_order(value) });
    }
    let digest = digest_of(ascii(&Json::Object(hashed).to_string()).as_bytes(), "sha256")?;
    let letter = |c: char| match c {
        '0' => 'g',
        '1' => 'h',
        '3' => 'k',
        'a' => 'm',
        'e' => 't',
        other => other,
    };
    let hash: String = digest.chars().take(10).map(letter).collect();
    if let Some(name) = doc.pointer_mut("/metadata/name") {
        *name = json!(format!("{}-{hash}", id.name));
    }
    Ok(())
}

fn in_order(json: Json) -> Json {
    match json {
        Json::Object(map) => {
            let mut entries: Vec<(String, Json)> = map.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Json::Object(entries.into_iter().map(|(key, value)| (key, in_order(value))).collect())
        }
        other => other,
    }
}

/// JSON with everything but ASCII escaped, as the hash has it.
fn ascii(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        if c.is_ascii() {
            out.push(c);
        } else {
            out.extend(c.encode_utf16(&mut [0; 2]).iter().map(|unit| format!("\\u{unit:04x}")));
        }
    }
    out
}

#[cfg(all(test, feature = "controller"))]
#[expect(clippy::unwrap_used, reason = "tests alone")]
mod tests {
    use super::*;
    use crate::modules::api::fake::FakeHost;
    use crate::modules::api::{Map, Ran, decode};

    fn documents(host: &FakeHost, yaml: &str) -> Result<String, String> {
        let args: Map = serde_yaml::from_str::<Value>(yaml).unwrap().into_map();
        let source: Source = decode(&args).unwrap();
        let docs = source.documents(host).map_err(|fail| fail.msg)?;
        Ok(Json::Array(docs).to_string())
    }

    const READ: &str = "kubectl patch --local --type=merge --patch={} --output=json --filename";

    #[test]
    fn definitions_come_in_many_shapes() {
        let pod = r#"[{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"}}]"#;
        let host = FakeHost::new()
            .answer(&format!("{READ} -"), 0, r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"}}"#)
            .answer(
                &format!("{READ} /srv/x.yml"),
                0,
                r#"{"kind":"Pod","apiVersion":"v1","metadata":{"name":"a"}}"#,
            )
            .file("/srv/x.yml", "");
        for yaml in [
            "{definition: {kind: Pod, apiVersion: v1, metadata: {name: a}}}",
            "{definition: {kind: Pod}, name: a}",
            "{inline: [{kind: Pod, apiVersion: v1, metadata: {name: a}}, null]}",
            "{definition: {kind: List, apiVersion: v1, items: [{kind: Pod, metadata: {name: a}}]}}",
            "{kind: Pod, name: a}",
            "{resource_definition: 'kind: Pod'}",
            "{src: /srv/x.yml}",
            "{kind: Pod, api: v1, name: a}",
        ] {
            let read = documents(&host, yaml).unwrap();
            let same: Json = serde_json::from_str(&read).unwrap();
            assert_eq!(same, serde_json::from_str::<Json>(pod).unwrap(), "{yaml}: {read}");
        }
    }

    #[test]
    fn what_is_no_definition_says_why() {
        let failed =
            Ran { rc: 1, stderr: "error: error parsing STDIN: yaml: line 3: no".into(), ..Ran::default() };
        let host = FakeHost::new().answer_with(&format!("{READ} -"), failed, None);
        for (yaml, message) in [
            ("{}", "no object is given"),
            ("{definition: {kind: Pod}, src: /x}", "parameters are mutually exclusive"),
            ("{src: /none.yml}", "there is no file /none.yml on this host"),
            ("{definition: 'a: b: c'}", "the definition can't be read: yaml: line 3: no"),
            ("{definition: {metadata: {name: a}}}", "a definition has no kind"),
            ("{definition: 5}", "a definition must be a mapping, a list or text, but is int"),
            ("{definition: {kind: Pod, metadata: []}}", "metadata of a definition must be a mapping"),
            (
                "{definition: {kind: Secret, metadata: {name: s}, data: {p: 'geh!eim'}}}",
                "data.p of Secret s is not base64: plain text goes into stringData",
            ),
        ] {
            let error = documents(&host, yaml).unwrap_err();
            assert!(error.starts_with(message), "{yaml}: {error}");
        }
    }

    #[test]
    fn hashes_are_those_of_the_community_module() {
        // Made with Python: the same fields, sorted keys, no spaces, ASCII alone.
        for (mut doc, name) in [
            (
                json!({"kind": "ConfigMap", "metadata": {"name": "c"}, "data": {"b": "2", "a": "ä"}}),
                CONFIG_MAP,
            ),
            (json!({"kind": "Secret", "metadata": {"name": "s"}, "type": "Opaque"}), SECRET),
            (json!({"kind": "Pod", "metadata": {"name": "p"}}), "p"),
        ] {
            append_hash(&mut doc).unwrap();
            assert_eq!(at(&doc, "/metadata/name"), name);
        }
    }

    const CONFIG_MAP: &str = "c-488kd4mfkm";
    const SECRET: &str = "s-f5f44t86g7";
}
