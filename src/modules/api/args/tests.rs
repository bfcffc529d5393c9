//! What `decode` takes and what it says of what it does not take.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::*;
use crate::modules::api::{FileAttributes, Mode};
use crate::value::Path;

#[derive(Debug, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    #[default]
    Present,
    No,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Port {
    /// Number.
    number: u16,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Args {
    /// Where.
    #[serde(alias = "dest")]
    #[schemars(extend("x-aliases" = ["dest"]))]
    path: HostPath,
    /// Whether.
    #[serde(default)]
    force: bool,
    /// How many.
    count: Option<i64>,
    /// Which.
    #[serde(default)]
    names: Vec<String>,
    /// Words.
    text: Option<String>,
    /// More.
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// Ports.
    #[serde(default)]
    ports: Vec<Port>,
    /// State.
    #[serde(default)]
    state: State,
    /// As it is.
    any: Option<Value>,
    /// Shared.
    #[serde(rename = "@file")]
    #[schemars(flatten)]
    file: FileAttributes,
}

fn read(yaml: &str) -> Result<Args, ArgError> {
    decode(&serde_yaml::from_str::<Value>(yaml).unwrap().into_map())
}

fn error(yaml: &str) -> String {
    read(yaml).unwrap_err().to_string()
}

#[test]
fn takes_what_ansible_takes() {
    let args = read(
        "{dest: /x, force: 'Yes', count: ' 80 ', names: 'a, b', text: true, env: 'a=1, b=\"x y\"', state: false,
          ports: [{number: '22'}], any: {a: [1, yes]}, owner: 1000, mode: '0644'}",
    )
    .unwrap();
    assert_eq!(args.path.text(), "/x");
    assert!(args.force);
    assert_eq!(args.count, Some(80));
    assert_eq!(args.names, ["a", "b"]);
    assert_eq!(args.text.as_deref(), Some("True"));
    assert_eq!(args.env["b"], "x y");
    assert_eq!(args.state, State::No);
    assert_eq!(args.ports, [Port { number: 22 }]);
    assert_eq!(args.any.unwrap().to_string(), "{'a': [1, 'yes']}");
    assert_eq!(args.file.owner.as_deref(), Some("1000"));
    assert_eq!(args.file.mode, Some(Mode::Bits(0o644)));
}

#[test]
fn numbers_and_lists_come_in_many_forms() {
    assert_eq!(read("{path: /x, count: 80.0}").unwrap().count, Some(80));
    assert_eq!(read("{path: /x, count: '80.0'}").unwrap().count, Some(80));
    assert_eq!(read("{path: /x, names: 5}").unwrap().names, ["5"]);
    assert_eq!(read("{path: /x, names: ''}").unwrap().names, [""; 0]);
    assert_eq!(read("{path: /x, env: '{\"a\": 1}'}").unwrap().env["a"], "1");
    assert_eq!(read("{path: /x, mode: 420}").unwrap().file.mode, Some(Mode::Bits(0o644)));
}

#[test]
fn null_and_omit_are_not_given() {
    let args = read("{path: /x, force: null, text: null, any: null, names: null}").unwrap();
    assert!(!args.force && args.text.is_none() && args.any.is_none());
    let mut map = Map::new();
    map.insert("path".into(), Value::from("/x"));
    map.insert("owner".into(), Value::Omit);
    assert_eq!(decode::<Args>(&map).unwrap().file.owner, None);
    assert_eq!(error("{path: null}"), "missing required argument `path`");
}

#[test]
fn says_what_is_wrong_and_where() {
    for (yaml, message) in [
        ("{path: /x, ownr: root}", "unknown argument `ownr`; did you mean `owner`?"),
        ("{destt: /x}", "unknown argument `destt`; did you mean `dest`?"),
        ("{path: /x, zzz: 1}", "unknown argument `zzz`"),
        ("{}", "missing required argument `path`"),
        ("{path: /x, force: maybe}", "force must be true or false, but is `maybe`"),
        ("{path: /x, count: ten}", "count must be a whole number, but is `ten`"),
        ("{path: /x, count: 1.5}", "count must be a whole number, but is `1.5`"),
        (
            "{path: /x, ports: [{number: 70000}]}",
            "ports[0].number must be a whole number from 0 to 65535, but is `70000`",
        ),
        ("{path: /x, ports: [{number: 1}, {}]}", "ports[1] missing required argument `number`"),
        ("{path: /x, ports: [{numbr: 1}]}", "unknown argument `numbr`; did you mean `number`?"),
        (
            "{path: /x, state: presnt}",
            "state must be one of present, no, but is `presnt`; did you mean `present`?",
        ),
        ("{path: /x, state: [a]}", "state must be one of present, no, but is a list"),
        ("{path: /x, names: {a: 1}}", "names must be a list, but is a mapping"),
        ("{path: /x, env: nonsense}", "env must be a mapping, but is `nonsense`"),
        ("{path: [/x]}", "path must be a path, but is sequence"),
        ("{path: /x, mode: 17777}", "mode must be permission bits, but 17777 is out of range"),
        ("{path: /x, dest: /y}", "`path` is given twice, under two of its names"),
    ] {
        assert_eq!(error(yaml), message, "{yaml}");
    }
}

#[test]
fn an_error_carries_the_place() {
    let error = read("{path: /x, ports: [{number: x}]}").unwrap_err();
    assert_eq!(error.path, Path::default().key("ports").index(0).key("number"));
    assert!(!error.at_key);
    let error = read("{path: /x, ports: [{nummer: 1}]}").unwrap_err();
    assert_eq!(error.path, Path::default().key("ports").index(0).key("nummer"));
    assert!(error.at_key);
}

#[derive(Debug, Deserialize)]
struct Open {
    #[serde(default)]
    cacheable: bool,
    #[serde(rename = "@others")]
    others: Others,
}

#[test]
fn others_take_what_has_no_field() {
    let map = serde_yaml::from_str::<Value>("{cacheable: 'yes', x: null, y: [1]}").unwrap().into_map();
    let open: Open = decode(&map).unwrap();
    assert!(open.cacheable);
    assert_eq!(Value::map(open.others.0).to_string(), "{'x': None, 'y': [1]}");
}

#[test]
fn the_schema_lists_every_argument() {
    let schema = schemars::schema_for!(Args);
    let docs = docs::properties(schema.as_value(), schema.as_value());
    let of = |name: &str| docs.iter().find(|doc| doc.name == name).unwrap();
    assert_eq!(of("path").names().collect::<Vec<_>>(), ["path", "dest"]);
    assert!(of("path").required && !of("force").required);
    let kinds = ["path", "force", "count", "names", "text", "env", "ports", "state", "any", "mode", "owner"];
    let kinds: Vec<_> = kinds.iter().map(|name| &*of(name).kind).collect();
    assert_eq!(
        kinds,
        ["path", "bool", "int", "list of str", "str", "dict", "list of dict", "str", "any", "mode", "str"]
    );
    assert_eq!(of("force").default, Some(Value::from(false)));
    assert_eq!(of("ports").inner[0].name, "number");
    assert_eq!(of("state").choices.iter().map(|it| &*it.value).collect::<Vec<_>>(), ["present", "no"]);
    assert_eq!(of("attributes").aliases, ["attr"]);
}
