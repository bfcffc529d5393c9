//! What `regatta inventory` shows; the texts are those of `ansible-inventory` 2.18.

use super::super::render;
use super::{Files, vars};
use crate::value::{Map, Value};

const HOSTS: &str = "h1 é=ü x=1\n[web]\nh2 a=1\nh3\n[db]\nh3 b=2\nh2\n[top:children]\nweb\ndb\n[top:vars]\nt=1\n[empty]\n\
    [web:vars]\nw=[1,{'a':None}]\ne=[]\n";

fn files() -> Files {
    Files::new(&[("hosts", HOSTS), ("group_vars/web.yml", "gv: '{{ x }}'"), ("group_vars/all.yml", "av: 1")])
}

#[test]
fn the_list_has_groups_and_the_variables_of_hosts() {
    let files =
        Files::new(&[("hosts", "h1 é=ü\n[web]\nh3\nh2 b=1 a=1.0 w=[1,{'a':None}] e=[] d='{}'\n[empty]\n")]);
    let inventory = files.inventory(&["hosts"]);
    let expected = r#"{
    "_meta": {
        "hostvars": {
            "h1": {
                "é": "ü"
            },
            "h2": {
                "a": 1.0,
                "b": 1,
                "d": {},
                "e": [],
                "w": "[1,{a:None}]"
            }
        }
    },
    "all": {
        "children": [
            "ungrouped",
            "web",
            "empty"
        ]
    },
    "ungrouped": {
        "hosts": [
            "h1"
        ]
    },
    "web": {
        "hosts": [
            "h3",
            "h2"
        ]
    }
}
"#;
    assert_eq!(render::list(&inventory, None, &|host| vars(&inventory, host)), expected);
}

#[test]
fn a_limit_leaves_out_hosts_but_no_groups() {
    let files = files();
    let inventory = files.inventory(&["hosts"]);
    let list = render::list(&inventory, Some(&["h2".into()]), &|_| Map::new());
    let expected = "{'_meta': {'hostvars': {}}, 'all': {'children': ['ungrouped', 'top', 'empty']}, \
        'db': {'hosts': ['h2']}, 'top': {'children': ['web', 'db']}, 'web': {'hosts': ['h2']}}";
    let list: serde_json::Value = serde_json::from_str(&list).unwrap();
    assert_eq!(Value::from(list).to_string(), expected);
}

#[test]
fn the_tree_for_yaml_shows_variables_once() {
    let files = files();
    let inventory = files.inventory(&["hosts"]);
    let expected = "\
all:
  children:
    top:
      children:
        db:
          hosts:
            h2: {}
            h3: {}
        web:
          hosts:
            h2:
              n: h2
            h3:
              n: h3
    ungrouped:
      hosts:
        h1:
          n: h1
";
    let number = |host: &str| Map::from([("n".into(), Value::from(host))]);
    assert_eq!(render::yaml(&inventory, None, &number), expected);
    let limited = render::yaml(&inventory, Some(&["h1".into()]), &number);
    assert_eq!(limited, "all:\n  children:\n    ungrouped:\n      hosts:\n        h1:\n          n: h1\n");
}

#[test]
fn one_host_is_shown_as_json_or_yaml() {
    let vars = Map::from([("b".into(), Value::from("yes")), ("a".into(), Value::from(vec![1]))]);
    assert_eq!(render::host(&vars, false), "{\n    \"a\": [\n        1\n    ],\n    \"b\": \"yes\"\n}\n");
    assert_eq!(render::host(&vars, true), "a:\n- 1\nb: 'yes'\n");
}

#[test]
fn the_graph_is_a_tree_of_groups() {
    let files = files();
    let inventory = files.inventory(&["hosts"]);
    let expected = "\
@all:
  |--@ungrouped:
  |  |--h1
  |--@top:
  |  |--@web:
  |  |  |--h2
  |  |  |--h3
  |  |--@db:
  |  |  |--h3
  |  |  |--h2
  |--@empty:
";
    assert_eq!(render::graph(&inventory, "all", false, &|_| Map::new()).as_deref(), Some(expected));
    assert_eq!(render::graph(&inventory, "h1", false, &|_| Map::new()), None);
}

#[test]
fn the_graph_can_show_variables() {
    let files = files();
    let inventory = files.inventory(&["hosts"]);
    let expected = "\
@web:
  |--h2
  |  |--{a = 1}
  |  |--{av = 1}
  |  |--{e = []}
  |  |--{gv = {{ x }}}
  |  |--{t = 1}
  |  |--{w = [1, {'a': None}]}
  |--h3
  |  |--{av = 1}
  |  |--{b = 2}
  |  |--{e = []}
  |  |--{gv = {{ x }}}
  |  |--{t = 1}
  |  |--{w = [1, {'a': None}]}
  |--{e = []}
  |--{gv = {{ x }}}
  |--{w = [1, {'a': None}]}
";
    let graph = render::graph(&inventory, "web", true, &|host| vars(&inventory, host));
    assert_eq!(graph.as_deref(), Some(expected));
}
