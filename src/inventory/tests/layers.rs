//! Whose variables win.

use std::sync::Arc;

use indexmap::IndexMap;

use super::super::Inventory;
use super::{Files, names, vars};
use crate::diag::{Sources, code};
use crate::secret::Secret;
use crate::template::{Binding, Engine, Settings};
use crate::value::{Str, Value};
use crate::vault::{Envelope, Key, Keyring};
use crate::yaml::{Kind, Node};

/// All places in the order of the documentation; each overrides those before it.
const PLACES: [(&str, &str); 10] = [
    ("inv/hosts all", "p1"),
    ("inv/hosts web", "p2"),
    ("inv/group_vars/all.yml", "p3"),
    ("play/group_vars/all.yml", "p4"),
    ("inv/group_vars/web.yml", "p5"),
    ("play/group_vars/web.yml", "p6"),
    ("inv/hosts h", "p7"),
    ("inv/host_vars/h.yml", "p8"),
    ("play/host_vars/h", "p9"),
    ("", ""),
];

#[test]
fn each_place_overrides_those_before_it() {
    for winner in 0..9 {
        // The winner and all below it set `x`.
        let sets =
            |place: &str| PLACES[..=winner].iter().find(|(name, _)| *name == place).map(|(_, value)| *value);
        let line = |place: &str| sets(place).map_or(String::new(), |value| format!("x={value}"));
        let hosts = format!(
            "[web]\nh {}\n[all:vars]\n{}\n[web:vars]\n{}\n",
            line("inv/hosts h"),
            line("inv/hosts all"),
            line("inv/hosts web")
        );
        let mut files = vec![("inv/hosts", hosts)];
        files.extend(PLACES.iter().filter(|(name, _)| !name.contains(' ') && !name.is_empty()).map(
            |(name, _)| (*name, sets(name).map_or("# nothing\n".to_owned(), |value| format!("x: {value}\n"))),
        ));
        let files = Files::new(&files.iter().map(|(name, text)| (*name, text.as_str())).collect::<Vec<_>>());
        let mut inventory = files.inventory(&["inv/hosts"]);
        inventory.add_playbook_dir(&files.path("play"));
        assert_eq!(
            vars(&inventory, "h").get("x"),
            Some(&Value::from(PLACES[winner].1)),
            "{}",
            PLACES[winner].0
        );
    }
}

#[test]
fn a_file_for_a_group_beats_the_priority_of_another_in_the_inventory() {
    let files = Files::new(&[
        ("hosts", "[a]\nh\n[b]\nh\n[a:vars]\nx=a\ny=a\nansible_group_priority=10\n[b:vars]\nx=b\ny=b\n"),
        ("group_vars/b.yml", "x: file\n"),
    ]);
    let inventory = files.inventory(&["hosts"]);
    assert_eq!(Value::map(vars(&inventory, "h")).to_string(), "{'x': 'file', 'y': 'a'}");
    let order: Vec<Str> = inventory.groups_of("h").iter().map(|group| group.name.clone()).collect();
    assert_eq!(names(&order), "b a");
}

#[test]
fn one_file_or_folder_counts_for_a_name() {
    let files = Files::new(&[
        ("hosts", "h\ni\nj\nk.yml\n"),
        ("host_vars/h/b.yml", "x: b\ny: b"),
        ("host_vars/h/a", "x: a\nz: a"),
        ("host_vars/h/sub/c.json", "{\"w\": 1}"),
        ("host_vars/h/.hidden.yml", "no: 1"),
        ("host_vars/h/b.yml~", "no: 1"),
        ("host_vars/h/c.txt", "no: 1"),
        ("host_vars/h.yml", "no: 1"),
        ("host_vars/i.yaml", "x: yaml"),
        ("host_vars/i.yml", "x: yml"),
        ("host_vars/j.json", "{\n\t\"x\": \"tab\"\n}"),
        ("host_vars/k.yml", "x: whole name"),
    ]);
    let inventory = files.inventory(&["hosts"]);
    assert_eq!(
        Value::map(vars(&inventory, "h")).to_string(),
        "{'z': 'a', 'x': 'b', 'y': 'b', 'w': 1}".replace("'z': 'a', 'x': 'b'", "'x': 'b', 'z': 'a'")
    );
    for (host, value) in [("i", "yml"), ("j", "tab"), ("k.yml", "whole name")] {
        assert_eq!(vars(&inventory, host).get("x"), Some(&Value::from(value)), "{host}");
    }
}

#[test]
fn files_that_are_no_variables_are_mistakes() {
    for (text, expected) in [
        ("- a\n", code::VARIABLES_FILE),
        ("a: {{ b }}\n", code::YAML_UNQUOTED_TEMPLATE),
        ("$ANSIBLE_VAULT;1.1;AES256\n6161\n", code::VAULT_UNREADABLE),
    ] {
        let files = Files::new(&[("hosts", "[web]\nh\n"), ("group_vars/web.yml", text)]);
        let inventory = files.inventory(&["hosts"]);
        let mistakes = inventory.prepare(&["h".into()]);
        assert_eq!((mistakes.len(), mistakes[0].code), (1, expected), "{text}");
        assert!(vars(&inventory, "h").is_empty());
    }
}

#[test]
fn warnings_are_given_once() {
    let files = Files::new(&[("hosts", "h\ni\n"), ("group_vars/all.yml", "a: 1\na: 2\n")]);
    let inventory = files.inventory(&["hosts"]);
    let problems = inventory.prepare(&["h".into(), "i".into()]);
    let warnings: Vec<&str> = problems.iter().map(|it| it.code).collect();
    assert_eq!(warnings, [code::YAML_DUPLICATE_KEY]);
    assert!(inventory.prepare(&["h".into()]).is_empty());
}

#[test]
fn encrypted_variables_and_inventories_are_read_with_the_password() {
    let password = Secret::new("word");
    let seal = |text: &str| Envelope::seal(text.as_bytes(), &password, None, None).unwrap();
    let (hosts, vars_of_h) = (seal("[web]\nh\n"), seal("name: one\n"));
    let files = Files::new(&[("hosts", &hosts), ("host_vars/h", &vars_of_h)]);
    let source = files.path("hosts").to_string_lossy().into_owned();
    let keyring =
        Arc::new(Keyring::new(vec![Key { id: "default".into(), password: password.clone() }], false));
    let registry = Arc::new(Sources::default());
    let templates = Engine::new(registry.clone(), Settings { keyring, ..Settings::default() });
    let (inventory, problems) = Inventory::load_with(&[source], &registry, &templates);
    assert_eq!(problems, []);
    assert_eq!(inventory.group_names("h"), ["web".into()]);
    assert_eq!(vars(&inventory, "h").get("name"), Some(&Value::from("one")));
}

#[test]
fn hosts_with_the_same_groups_share_layers() {
    let files = Files::new(&[("hosts", "[web]\na\nb\n[web:vars]\nx=1\n"), ("group_vars/web", "y: 1")]);
    let inventory = files.inventory(&["hosts"]);
    let (a, b) = (inventory.layers("a"), inventory.layers("b"));
    assert_eq!((a.len(), b.len()), (2, 2));
    assert!(a.iter().zip(b.iter()).all(|(a, b)| Arc::ptr_eq(a, b)));
    assert!(Arc::ptr_eq(&a, &inventory.layers("a")));
}

#[test]
fn hosts_and_groups_can_be_added_while_running() {
    let files =
        Files::new(&[("hosts", "[web]\na x=1\n"), ("group_vars/new.yml", "y: 1"), ("host_vars/b", "z: 1")]);
    let mut inventory = files.inventory(&["hosts"]);
    assert_eq!(vars(&inventory, "a").get("y"), None);
    let facts = IndexMap::from([("x".into(), Binding::Data(Value::from("{{ no }}")))]);
    inventory.add_host("b", &["new".into(), "web".into()], facts);
    inventory.group_by("a", "new", &["top".into()]);
    assert_eq!(Value::map(vars(&inventory, "b")).to_string(), "{'y': 1, 'x': '{{ no }}', 'z': 1}");
    assert_eq!(Value::map(vars(&inventory, "a")).to_string(), "{'y': 1, 'x': 1}");
    assert_eq!(names(&inventory.hosts("new").unwrap()), "b a");
    assert_eq!(names(inventory.group_names("b").iter()), "new top web");
    inventory.group_by("a", "top", &["new".into()]);
    assert_eq!(names(&inventory.groups()["new"].parents), "all top", "a circle is left out");
    inventory.add_host("lonely", &[], IndexMap::new());
    assert_eq!(names(inventory.group_names("lonely").iter()), "ungrouped");
}

#[test]
fn templates_in_variables_stay_templates() {
    let files = Files::new(&[("hosts", "h\n"), ("host_vars/h", "a: '{{ b }}'\n")]);
    let inventory = files.inventory(&["hosts"]);
    let layers = inventory.layers("h");
    let Some(Binding::Source(Node { kind: Kind::Str(text), .. })) = layers[0].vars.get("a") else {
        panic!("{layers:?}")
    };
    assert_eq!(&**text, "{{ b }}");
    assert!(layers[0].origin.ends_with("host_vars/h"));
}

#[test]
fn a_reload_reads_everything_again() {
    let files = Files::new(&[("hosts", "h\n"), ("play/group_vars/all", "x: 1\n")]);
    let mut inventory = files.inventory(&["hosts"]);
    inventory.add_playbook_dir(&files.path("play"));
    inventory.add_host("added", &[], IndexMap::new());
    std::fs::write(files.path("hosts"), "h\ni\n").unwrap();
    std::fs::write(files.path("play/group_vars/all"), "x: 2\n").unwrap();
    assert_eq!(vars(&inventory, "h").get("x"), Some(&Value::Int(2)), "files are read when they are needed");
    std::fs::write(files.path("play/group_vars/all"), "x: 3\n").unwrap();
    let (fresh, problems) = inventory.reload();
    assert!(problems.is_empty());
    assert_eq!(names(&fresh.host_names()), "h i");
    assert_eq!(vars(&fresh, "i").get("x"), Some(&Value::Int(3)));
}
