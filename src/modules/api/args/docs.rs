//! A module's arguments as its documentation lists them, read from the JSON schema of its struct.

use serde_json::Value as Json;

use crate::modules::api::Entry;
use crate::value::Value;

/// One argument.
#[derive(Clone, Debug, PartialEq)]
pub struct ArgumentDoc {
    /// Its name. Hidden ones begin with `_`.
    pub name: String,
    /// Its other names.
    pub aliases: Vec<String>,
    /// `bool`, `int`, `float`, `str`, `path`, `mode`, `secret`, `dict`, `list`, `list of …` or `any`.
    pub kind: String,
    /// The values it may have; empty: any.
    pub choices: Vec<Choice>,
    /// What counts when it is not given.
    pub default: Option<Value>,
    /// Whether it must be given.
    pub required: bool,
    /// What it means.
    pub doc: String,
    /// The keys of a mapping, or of the mappings in a list.
    pub inner: Vec<ArgumentDoc>,
}

/// One value that an argument may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Choice {
    /// The value.
    pub value: String,
    /// What it means; may be empty.
    pub doc: String,
}

impl ArgumentDoc {
    /// Its name and its other names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        std::iter::once(&*self.name).chain(self.aliases.iter().map(String::as_str))
    }
}

/// The arguments of a module in the order of its struct, those of shared groups among them.
#[must_use]
pub fn arguments(entry: &Entry) -> Vec<ArgumentDoc> {
    let schema = (entry.manual.schema)();
    properties(schema.as_value(), schema.as_value())
}

pub(super) fn properties(schema: &Json, root: &Json) -> Vec<ArgumentDoc> {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Json::as_str).collect();
    let properties = schema["properties"].as_object().into_iter().flatten();
    properties.map(|(name, property)| argument(name, property, required.contains(&&**name), root)).collect()
}

fn argument(name: &str, property: &Json, required: bool, root: &Json) -> ArgumentDoc {
    let bare = without_null(property, root);
    let texts = |json: &Json| -> Vec<String> {
        json.as_array().into_iter().flatten().filter_map(Json::as_str).map(str::to_owned).collect()
    };
    let items = without_null(&bare["items"], root);
    let of_items = bare["type"] == "array";
    ArgumentDoc {
        name: name.to_owned(),
        aliases: texts(&property["x-aliases"]),
        kind: kind(bare, root),
        choices: choices(if of_items { items } else { bare }),
        default: property.get("default").filter(|json| !json.is_null()).map(|json| Value::from(json.clone())),
        required,
        doc: property["description"].as_str().or(bare["description"].as_str()).unwrap_or_default().to_owned(),
        inner: properties(if of_items { items } else { bare }, root),
    }
}

/// The schema of what an `Option` holds, with references followed.
fn without_null<'a>(schema: &'a Json, root: &'a Json) -> &'a Json {
    if let Some(reference) = schema["$ref"].as_str() {
        let target = root.pointer(reference.trim_start_matches('#')).unwrap_or(&Json::Null);
        return without_null(target, root);
    }
    let some = schema["anyOf"].as_array().and_then(|any| {
        let rest: Vec<&Json> = any.iter().filter(|one| one["type"] != "null").collect();
        if rest.len() == 1 && any.len() == 2 { Some(rest[0]) } else { None }
    });
    some.map_or(schema, |some| without_null(some, root))
}

fn kind(schema: &Json, root: &Json) -> String {
    if schema["writeOnly"] == true {
        return "secret".into();
    }
    if let Some(format @ ("path" | "mode")) = schema["format"].as_str() {
        return format.into();
    }
    let types: Vec<&str> = match &schema["type"] {
        Json::String(one) => vec![one],
        Json::Array(many) => many.iter().filter_map(Json::as_str).filter(|one| *one != "null").collect(),
        _ if !choices(schema).is_empty() => vec!["string"],
        _ => Vec::new(),
    };
    match types[..] {
        ["boolean"] => "bool".into(),
        ["integer"] => "int".into(),
        ["number"] => "float".into(),
        ["string"] => "str".into(),
        ["object"] => "dict".into(),
        ["array"] => match kind(without_null(&schema["items"], root), root).as_str() {
            "any" => "list".into(),
            items => format!("list of {items}"),
        },
        _ => "any".into(),
    }
}

fn choices(schema: &Json) -> Vec<Choice> {
    let mut found = Vec::new();
    for value in schema["enum"].as_array().into_iter().flatten().filter_map(Json::as_str) {
        found.push(Choice { value: value.into(), doc: String::new() });
    }
    for one in schema["oneOf"].as_array().into_iter().flatten() {
        match one["const"].as_str() {
            Some(value) => found.push(Choice {
                value: value.into(),
                doc: one["description"].as_str().unwrap_or_default().into(),
            }),
            None => found.extend(choices(one)),
        }
    }
    found
}
