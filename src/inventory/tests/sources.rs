//! What each kind of source gives: INI, YAML, JSON, scripts, folders, lists.

use std::sync::Arc;

use proptest::prelude::*;

use super::super::Inventory;
use super::{Files, ini, names, show, vars};
use crate::diag::{Severity, Sources, code};
use crate::template::Binding;
use crate::value::Value;

fn hosts(inventory: &Inventory, pattern: &str) -> String {
    names(&inventory.hosts(pattern).unwrap())
}

#[test]
fn ini_values_are_typed_as_python_literals() {
    let inventory = ini(
        "h1 a=1 b=yes c=True d=\"q\" e=1.0 f=[1,2] g=012 k=None l={'a':1} m=0x10 n='\"5\"' o=1_000 \
        p=-5 s=\"1 2\" t=a=b u= v=w#x y=1\n\
        [web]\nh2:2222 x='{{ y }}'\n\
        [web:vars]\ngv4=\"5\"\ngv6=  x   # c\ngv5 =5 # c\ngv7=(1,2)\ngv8=\ngv10 = {{ x }} y\ngv11 = \"{{ x }}\"\n",
    );
    let h1 = Value::map(vars(&inventory, "h1")).to_string();
    assert_eq!(
        h1,
        "{'a': 1, 'b': 'yes', 'c': True, 'd': 'q', 'e': 1.0, 'f': [1, 2], 'g': '012', 'k': None, 'l': '{a:1}', \
         'm': 16, 'n': '5', 'o': 1000, 'p': -5, 's': '1 2', 't': 'a=b', 'u': '', 'v': 'w'}"
    );
    let h2 = Value::map(vars(&inventory, "h2")).to_string();
    assert_eq!(
        h2,
        "{'gv4': '5', 'gv6': 'x   # c', 'gv5': 5, 'gv7': [1, 2], 'gv8': '', 'gv10': '{{ x }} y', \
         'gv11': '{{ x }}', 'ansible_port': 2222, 'x': '{{ y }}'}"
    );
}

#[test]
fn ini_values_know_their_place() {
    let files = Files::new(&[("hosts", "h a=1  b=\"{{ x }} y\" c=\n[all:vars]\nd = '{{ z }}'\n")]);
    let (inventory, _, sources) = files.load(&["hosts"]);
    let place = |name: &str| {
        let layers = inventory.layers("h");
        let found = layers.iter().find_map(|layer| layer.vars.get(name)).cloned();
        let Some(Binding::Source(node)) = found else { panic!("{name}") };
        sources.slice(node.span)
    };
    assert_eq!((place("a").as_str(), place("b").as_str(), place("c").as_str()), ("1", "{{ x }} y", ""));
    assert_eq!(place("d"), "'{{ z }}'");
}

#[test]
fn ini_sections_make_groups() {
    let inventory = ini("h0\n[web] # c\nw[01:02].ex port=80 # d\n[fe80::1]:22\n\th3\n");
    assert_eq!(hosts(&inventory, "web"), "w01.ex w02.ex fe80::1 h3");
    assert_eq!(hosts(&inventory, "ungrouped"), "h0");
    assert_eq!(vars(&inventory, "fe80::1").get("ansible_port"), Some(&Value::Int(22)));
    let inventory =
        ini("[top:children]\nweb\n[web:vars]\na=1\n[web]\nh1\n[db:children]\ndbs # c\n[dbs]\nx[a:c]\n");
    assert_eq!(hosts(&inventory, "top"), "h1");
    assert_eq!(hosts(&inventory, "db"), "xa xb xc");
    assert_eq!(vars(&inventory, "h1").get("a"), Some(&Value::Int(1)));
    assert_eq!(names(inventory.group_names("h1").iter()), "top web");
    assert_eq!(names(inventory.groups()["all"].children.iter()), "ungrouped top db");
}

/// Text, code, what the message points at, the hosts that remain.
#[rustfmt::skip]
const INI_MISTAKES: &[(&str, &str, &str, &str)] = &[
    ("h0\n[web:vars]\na=1\n", code::INVENTORY_GROUP, "[web:vars]", "h0"),
    ("h0\n[x:children]\nweb\n[y]\nh1\n", code::INVENTORY_GROUP, "web", "h0 h1"),
    ("[x:children]\nx\n", code::INVENTORY_CYCLE, "x", ""),
    ("[a:children]\nb\n[b:children]\na\n[c]\nh\n", code::INVENTORY_CYCLE, "a", ""),
    ("[web]\nh1\n[web:foo]\nh2\n", code::INVENTORY_SYNTAX, "[web:foo]", "h1"),
    ("[web]\nh1 x\nh2\n", code::INVENTORY_SYNTAX, "x", ""),
    ("h1 ; c\n", code::INVENTORY_SYNTAX, ";", ""),
    ("h0\nall:\n  hosts:\n", code::INVENTORY_SYNTAX, "all:", "h0"),
    ("---\n", code::INVENTORY_SYNTAX, "---", ""),
    ("h1 a='x\n", code::INVENTORY_SYNTAX, "'", ""),
    ("[a b]\nh1\n", code::INVENTORY_SYNTAX, "[a b]", ""),
    ("[web]x\n", code::INVENTORY_RANGE, "[web]x", ""),
    ("w[1:]\n", code::INVENTORY_RANGE, "w[1:]", ""),
    ("h1\n[web:vars]\nfoo\n[web]\n", code::INVENTORY_SYNTAX, "foo", "h1"),
    ("[x:children]\na b\n", code::INVENTORY_SYNTAX, "a b", ""),
];

#[test]
fn a_bad_line_ends_an_ini_file() {
    for (text, code, place, remaining) in INI_MISTAKES {
        let (inventory, diagnostics, sources) = Files::new(&[("hosts.inv", text)]).load(&["hosts.inv"]);
        let [mistake] = diagnostics.as_slice() else { panic!("{text}: {diagnostics:?}") };
        assert_eq!((mistake.code, mistake.severity), (*code, Severity::Error), "{text}");
        assert_eq!(sources.slice(mistake.span().unwrap()), *place, "{text}");
        assert_eq!(names(inventory.all_hosts().keys()), *remaining, "{text}");
        // Files of many kinds meet in a folder.
        let (_, diagnostics, _) = Files::new(&[("inv/hosts", text)]).load(&["inv"]);
        assert_eq!((diagnostics[0].code, diagnostics[0].severity), (*code, Severity::Warning), "{text}");
    }
}

const YAML: &str = "
all:
  hosts:
    h0:
    w[1:2]:2222: {a: '{{ b }}'}
  vars: {g: 1}
  children:
    web:
      hosts: {w1: , w3: {x: 010}}
      children:
        inner: {hosts: {1.5: }}
    empty:
single:
  hosts: only
";

#[test]
fn yaml_groups_are_read_whatever_the_ending() {
    for name in ["hosts", "hosts.yml", "hosts.yaml", "hosts.json"] {
        let inventory = Files::new(&[(name, YAML)]).inventory(&[name]);
        assert_eq!(hosts(&inventory, "all"), "h0 w1 w2 w3 only 1.5", "{name}");
        assert_eq!(hosts(&inventory, "web"), "w1 w3 1.5");
        assert_eq!(hosts(&inventory, "ungrouped"), "h0 w2");
        assert_eq!(
            Value::map(vars(&inventory, "w1")).to_string(),
            "{'g': 1, 'ansible_port': 2222, 'a': '{{ b }}'}"
        );
        assert_eq!(vars(&inventory, "w3").get("x"), Some(&Value::Int(8)));
        assert_eq!(show(inventory.source_of("w2")), name);
    }
}

/// Text of `hosts.yml`, code, a part of the message, the hosts that remain.
#[rustfmt::skip]
const YAML_MISTAKES: &[(&str, &str, &str, &str)] = &[
    ("all:\n  host: {a: }\n  hosts: {b: }\n", code::INVENTORY_SYNTAX, "entry `host`", "b"),
    ("all:\n  hosts: [a, b]\nx: {hosts: {c: }}\n", code::INVENTORY_SYNTAX, "not a mapping", "c"),
    ("all: [a]\n", code::INVENTORY_SYNTAX, "not a mapping", ""),
    ("- a\n", code::INVENTORY_SYNTAX, "not a mapping of groups", ""),
    ("", code::INVENTORY_SYNTAX, "is empty", ""),
    ("plugin: aws_ec2\n", code::INVENTORY_PLUGIN, "plugin", ""),
    ("a: {children: {b: {children: {a: }}}}\n", code::INVENTORY_CYCLE, "contains", ""),
    ("all: {hosts: {'w[1:]': , b: }}\n", code::INVENTORY_RANGE, "no end", "b"),
    ("all: {hosts: {b: 1}}\n", code::INVENTORY_SYNTAX, "variables of the host `b`", "b"),
    ("all: {hosts: {b: ]\n", code::YAML_SYNTAX, "", ""),
    ("a: {hosts: {a: }}\n", code::INVENTORY_NAME, "group and a host", "a"),
];

#[test]
fn mistakes_in_yaml_inventories_are_told() {
    for (text, code, words, remaining) in YAML_MISTAKES {
        let (inventory, diagnostics, _) = Files::new(&[("hosts.yml", text)]).load(&["hosts.yml"]);
        let [mistake] = diagnostics.as_slice() else { panic!("{text}: {diagnostics:?}") };
        assert_eq!(mistake.code, *code, "{text}");
        assert!(mistake.message.contains(words), "{text}: {}", mistake.message);
        assert_eq!(names(inventory.all_hosts().keys()), *remaining, "{text}");
    }
}

#[test]
fn a_script_prints_groups_and_its_values_are_data() {
    let json = r#"{"web": {"hosts": ["h1", "h2"], "vars": {"g": "{{ 7 * 7 }}"}, "children": ["inner"]},
        "short": ["h3"], "_meta": {"hostvars": {"h1": {"a": [1, "{{ x }}"]}, "stray": {"b": 1}}}}"#;
    let files = Files::new(&[(
        "inv.sh",
        &format!("#!/bin/sh\n[ \"$1\" = --list ] || exit 3\ncat <<'E'\n{json}\nE\n"),
    )]);
    files.make_executable("inv.sh");
    let inventory = files.inventory(&["inv.sh"]);
    assert_eq!(hosts(&inventory, "all"), "h1 h2 h3");
    let layers = inventory.layers("h1");
    let found: Vec<String> =
        layers.iter().flat_map(|layer| layer.vars.iter()).map(|it| format!("{it:?}")).collect();
    assert!(found.iter().all(|it| it.contains("Data(")), "{found:?}");
    assert_eq!(Value::map(vars(&inventory, "h1")).to_string(), "{'g': '{{ 7 * 7 }}', 'a': [1, '{{ x }}']}");
    // The same output as a file.
    let inventory = Files::new(&[("saved.json", json)]).inventory(&["saved.json"]);
    assert_eq!(Value::map(vars(&inventory, "h1")).to_string(), "{'g': '{{ 7 * 7 }}', 'a': [1, '{{ x }}']}");
}

#[test]
fn a_script_without_meta_is_asked_for_each_host() {
    let script = "#!/bin/sh\nif [ \"$1\" = --host ]; then echo '{\"n\": \"'$2'\"}'; else echo '{\"g\": [\"a\", \"b\"]}'; fi\n";
    let files = Files::new(&[("inv", script)]);
    files.make_executable("inv");
    let inventory = files.inventory(&["inv"]);
    assert_eq!(vars(&inventory, "b").get("n"), Some(&Value::from("b")));
}

#[test]
fn a_script_that_fails_is_a_mistake() {
    for (script, words, note) in [
        ("#!/bin/sh\necho no access >&2; exit 3\n", "failed when it was called with `--list`", "no access"),
        ("#!/bin/sh\necho '{'\n", "did not print JSON", ""),
        ("#!/bin/sh\necho '[]'\n", "JSON object", ""),
        ("#!/bin/sh\necho '{\"g\": {\"hosts\": 1}}'\n", "hosts that are not a list", ""),
        ("#!/bin/sh\necho '{\"g\": 1}'\n", "neither a list nor an object", ""),
        ("#!/nonexistent/interpreter\n", "can't be run", ""),
    ] {
        let files = Files::new(&[("inv", script)]);
        files.make_executable("inv");
        let (_, diagnostics, _) = files.load(&["inv"]);
        let [mistake] = diagnostics.as_slice() else { panic!("{script}: {diagnostics:?}") };
        assert_eq!((mistake.code, mistake.severity), (code::INVENTORY_SCRIPT, Severity::Error));
        assert!(mistake.message.contains(words), "{}", mistake.message);
        assert_eq!(mistake.notes.first().map_or("", String::as_str), note);
    }
}

#[test]
fn an_executable_list_of_hosts_is_not_run() {
    let files = Files::new(&[("hosts", "touch ran\nh1\n")]);
    files.make_executable("hosts");
    let (inventory, diagnostics, _) = files.load(&["hosts"]);
    assert_eq!(diagnostics.len(), 1, "`ran` is no variable");
    assert!(inventory.all_hosts().is_empty());
    assert!(!files.path("ran").exists());
}

#[test]
fn a_folder_is_read_in_order_and_other_files_are_left_out() {
    let files = Files::new(&[
        ("inv/b.yml", "web: {hosts: {b: }, vars: {x: b}}"),
        ("inv/a", "[web]\na\n[web:vars]\nx=a\ny=a\n"),
        ("inv/sub/c", "c\n"),
        ("inv/notes.md", "not hosts"),
        ("inv/old.bak", "old"),
        ("inv/x.ini", "old"),
        ("inv/a~", "old"),
        ("inv/.hidden", "old"),
        ("inv/group_vars/web.yml", "z: 1"),
        ("inv/host_vars/a.yml", "z: 2"),
    ]);
    let inventory = files.inventory(&["inv"]);
    assert_eq!(hosts(&inventory, "all"), "c a b");
    assert_eq!(Value::map(vars(&inventory, "a")).to_string(), "{'x': 'b', 'y': 'a', 'z': 2}");
    assert_eq!(vars(&inventory, "b").get("z"), Some(&Value::Int(1)));
}

#[test]
fn several_sources_are_merged_and_the_last_wins() {
    let files =
        Files::new(&[("a/hosts", "h x=1 y=1\n"), ("b/hosts", "[g]\nh x=2\n"), ("b/group_vars/all", "z: 3")]);
    let inventory = files.inventory(&["a/hosts", "b/hosts"]);
    assert_eq!(Value::map(vars(&inventory, "h")).to_string(), "{'z': 3, 'x': 2, 'y': 1}");
    assert_eq!(names(inventory.group_names("h").iter()), "g");
    assert!(inventory.source_of("h").unwrap().ends_with("a/hosts"));
}

#[test]
fn a_list_needs_no_file_and_localhost_no_inventory() {
    let registry = Arc::new(Sources::default());
    let (inventory, diagnostics) = Inventory::load(&["a, b:2222,[::1]:5,".into()], &registry);
    assert!(diagnostics.is_empty());
    assert_eq!(hosts(&inventory, "all"), "a b ::1");
    assert_eq!(vars(&inventory, "b").get("ansible_port"), Some(&Value::Int(2222)));
    assert!(inventory.is_implicit("localhost") && !inventory.is_implicit("::1"));
    assert_eq!(hosts(&inventory, "localhost"), "localhost");
    assert_eq!(vars(&inventory, "localhost").get("ansible_connection"), Some(&Value::from("local")));
    assert_eq!(hosts(&inventory, "all:localhost"), "a b ::1 localhost");
}

#[test]
fn a_source_that_is_not_there_is_a_mistake() {
    let registry = Arc::new(Sources::default());
    assert_eq!(Inventory::load(&[], &registry).1[0].code, code::NO_INVENTORY);
    let (_, diagnostics) = Inventory::load(&["web1".into()], &registry);
    assert_eq!((diagnostics[0].code, diagnostics[0].severity), (code::INVENTORY_MISSING, Severity::Error));
    assert_eq!(diagnostics[0].help.as_deref(), Some("for a list of hosts add a comma: `-i web1,`"));
}

#[test]
fn a_limit_may_stand_in_a_file() {
    let files = Files::new(&[("hosts", "[web]\nw1\nw2\n[db]\nd1\n"), ("retry", "w2\n\nd1\n")]);
    let inventory = files.inventory(&["hosts"]);
    let at_file = format!("@{}", files.path("retry").display());
    assert_eq!(names(&inventory.limit(&at_file).unwrap().hosts), "w2 d1");
    assert_eq!(names(&inventory.limit(&format!("{at_file}:!db")).unwrap().hosts), "w2");
    assert!(inventory.limit("nope").unwrap().hosts.is_empty());
    assert_eq!(inventory.limit("@/nonexistent").unwrap_err().code, code::FILE_UNREADABLE);
}

proptest! {
    // Each case writes files.
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn any_text_can_be_an_inventory(
        text in r#"([a-c=:\[\]'"\\#; \t\ré{}&*,-]|\n|\[a\]\n|\[a:vars\]\n|\[b:children\]\n|x=|hosts: |children: |all:\n  |\[1:3\]){0,30}"#
    ) {
        for name in ["hosts.inv", "hosts.yml"] {
            let (inventory, diagnostics, sources) = Files::new(&[(name, &text)]).load(&[name]);
            for diagnostic in diagnostics {
                for (span, _) in diagnostic.labels {
                    let covered = text.get(span.start as usize..span.end as usize);
                    prop_assert!(covered.is_some(), "{text:?}: {} {span:?}", diagnostic.message);
                }
            }
            for host in inventory.all_hosts().values() {
                for binding in host.vars.vars.values() {
                    let Binding::Source(node) = binding else { continue };
                    let (start, end) = (node.span.start as usize, node.span.end as usize);
                    prop_assert!(sources.text(node.span.file).get(start..end).is_some(), "{text:?}: {node:?}");
                }
            }
        }
    }
}
