//! The loader on small trees of files.

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::diag::{Diagnostic, Severity, Sources};
use crate::value::Str;
use crate::yaml::{Node, NodeMap};

/// Fills in `{{ name }}` from literal variables.
struct Plain;

impl Names for Plain {
    fn text(&self, node: &Node, vars: &NodeMap) -> Result<Str, Diagnostic> {
        let mut text = node.as_str().unwrap_or_default().to_owned();
        for (name, (_, value)) in vars {
            text = text.replace(&format!("{{{{ {name} }}}}"), &value.to_value().to_string());
        }
        if text.contains("{{") {
            return Err(Diagnostic::error("R202", format!("`{text}` is not known")).at(node.span));
        }
        Ok(text.into())
    }
}

/// A folder of files, and what reading its `site.yml` gave.
pub(super) struct Tree {
    pub dir: tempfile::TempDir,
    pub sources: Arc<Sources>,
    pub loader: Arc<Loader>,
    pub playbook: Option<Playbook>,
    pub diagnostics: Vec<Diagnostic>,
}

impl Tree {
    pub fn new(files: &[(&str, &str)]) -> Tree {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let sources = Arc::new(Sources::default());
        let options =
            LoadOptions { collections_path: vec![dir.path().join("coll")], ..LoadOptions::default() };
        let loader = Loader::new(sources.clone(), options, Arc::new(Plain));
        let (playbook, diagnostics) = loader.playbook(&dir.path().join("site.yml"));
        Tree { dir, sources, loader, playbook, diagnostics }
    }

    /// The messages, each with the text it points at.
    pub fn messages(&self) -> Vec<String> {
        let shown = |it: &Diagnostic| {
            let place = it.span().map(|span| self.sources.slice(span)).unwrap_or_default();
            let place = place.lines().next().unwrap_or_default().to_owned();
            let help = it.help.as_deref().map(|help| format!(" ({help})")).unwrap_or_default();
            format!("{} {} @{place}{help}", it.code, it.message)
        };
        self.diagnostics.iter().map(shown).collect()
    }

    pub fn play(&self) -> &Play {
        &self.playbook.as_ref().unwrap_or_else(|| panic!("{:#?}", self.messages())).plays[0]
    }

    pub fn tasks(&self) -> Vec<Arc<Task>> {
        flat(&self.play().tasks)
    }
}

pub(super) fn flat(items: &[Item]) -> Vec<Arc<Task>> {
    let each = |item: &Item| match item {
        Item::Task(task) => vec![task.clone()],
        Item::Block(block) => {
            [&block.body, &block.rescue, &block.always].into_iter().flat_map(|it| flat(it)).collect()
        }
    };
    items.iter().flat_map(each).collect()
}

fn one(tasks: &str) -> Tree {
    let tasks: String = tasks.lines().map(|line| format!("    {line}\n")).collect();
    Tree::new(&[("site.yml", &format!("- hosts: all\n  tasks:\n{tasks}")), ("t.yml", "- ping:\n")])
}

fn texts(nodes: &[Node]) -> Vec<String> {
    nodes.iter().map(|node| node.to_value().to_string()).collect()
}

fn args(task: &Task) -> String {
    let pairs: Vec<String> =
        task.args.named.iter().map(|(key, (_, node))| format!("{key}={}", node.to_value())).collect();
    let whole = task.args.whole.as_ref().map(|node| format!("*{}", node.to_value())).unwrap_or_default();
    pairs.join(" ") + &whole
}

#[test]
fn arguments_may_be_written_in_every_form_of_ansible() {
    let cases: &[(&str, &str)] = &[
        ("- ping: {data: x}", "data=x"),
        ("- ping:\n    data: x", "data=x"),
        ("- ping:", ""),
        ("- ping: data=x", "data=x"),
        ("- ansible.builtin.ping: data='x y'", "data=x y"),
        ("- action: ping data=x", "data=x"),
        ("- action:\n    module: ping\n    data: x", "data=x"),
        ("- action: {module: ping, args: {data: x}}", "data=x"),
        ("- local_action: ping data=x", "data=x"),
        ("- ping:\n  args:\n    data: x", "data=x"),
        ("- ping: data=y\n  args: {data: x}", "data=y"),
        ("- ping: \"{{ a }}\"", "*{{ a }}"),
        ("- ping:\n  args: \"{{ a }}\"", "*{{ a }}"),
        ("- action: \"{{ m }} data=x\"", "data=x"),
        ("- include_tasks: t.yml", "file=t.yml"),
        ("- include_tasks: {file: t.yml}", "file=t.yml"),
        ("- include_role: {role: a}", "name=a"),
        ("- include_role: name=a tasks_from=b", "name=a tasks_from=b"),
        ("- meta: noop", ""),
    ];
    for (text, expected) in cases {
        let tree = one(text);
        let tasks = tree.tasks();
        assert_eq!(tasks.len(), 1, "{text}");
        assert_eq!(args(&tasks[0]), *expected, "{text}");
    }
    let tree = one("- local_action: ping");
    assert_eq!(tree.tasks()[0].common.delegate_to.as_ref().and_then(Node::as_str), Some("localhost"));
}

#[test]
fn keywords_pass_inwards() {
    let tree = Tree::new(&[(
        "site.yml",
        "- hosts: all
  name: play
  become: true
  tags: p
  vars: {a: play}
  environment: {E: 1}
  tasks:
    - name: block
      when: one
      tags: [b, p]
      vars: {a: block, b: block}
      notify: h1
      environment: [{E: 2}]
      become_user: me
      block:
        - name: task
          ping:
          when: [two, three]
          tags: x,y
          vars: {b: task}
          environment: {E: 3}
          become: false
        - ping:
          notify: h2
  handlers:
    - name: h1
      ping:
    - name: h2
      ping:
",
    )]);
    let tasks = tree.tasks();
    let common = &tasks[0].common;
    assert_eq!(texts(&common.when), ["one", "two", "three"]);
    assert_eq!(texts(&common.tags), ["p", "b", "x", "y"]);
    assert_eq!(texts(&common.environment), ["{'E': 1}", "{'E': 2}", "{'E': 3}"]);
    let vars: Vec<String> = common.vars.iter().map(|(k, (_, v))| format!("{k}={}", v.to_value())).collect();
    assert_eq!(vars, ["a=block", "b=task"]);
    assert_eq!(common.become_.as_ref().map(|it| it.to_value().to_string()).as_deref(), Some("False"));
    assert_eq!(common.become_user.as_ref().and_then(Node::as_str), Some("me"));
    assert_eq!(common.name.as_ref().and_then(Node::as_str), Some("task"));
    assert!(tasks[1].common.name.is_none());
    assert_eq!(texts(&tasks[0].notify), ["h1"]);
    assert_eq!(texts(&tasks[1].notify), ["h2"]);
    assert_eq!(texts(&tasks[0].outer.when), ["one"]);
}

#[test]
fn mistakes_are_found_all_at_once_and_where_they_are() {
    let tree = Tree::new(&[(
        "site.yml",
        "- hosts: all
  taskz: []
  gather_facts: maybe
  tasks:
    - name: a
      pinng:
    - ping:
      regster: x
    - ping:
      hosts: x
    - ping:
      command: x
    - name: nothing
    - ping: free text
    - ping: \"data='x\"
    - ping:
      sudo: yes
    - ping:
      register: 1x
    - include: t.yml
    - include_tasks: t.yml
      become: yes
    - meta: nonsense
    - ping:
      loop: [1]
      with_items: [2]
    - import_tasks: nope.yml
    - import_role: {name: nope}
    - rescue: []
    - 5
    - ping:
      vars: {a-b: 1}
    - import_tasks: x.yml
      loop: [1]
- tasks: []
",
    )]);
    insta::assert_snapshot!(tree.messages().join("\n").replace(tree.dir.path().to_str().unwrap(), "DIR"));
}

#[test]
fn roles_bring_dependencies_variables_and_handlers() {
    let tree = Tree::new(&[
        (
            "site.yml",
            "- hosts: all
  pre_tasks: [{ping: , name: pre}]
  roles:
    - role: web
      web_port: 80
      when: on
      tags: [w]
      vars: {v: entry}
    - base
  handlers: [{name: own, ping: }]
  tasks:
    - import_role: {name: late, tasks_from: other}
",
        ),
        ("roles/web/meta/main.yml", "dependencies: [{role: base, level: 1}]\nallow_duplicates: yes\n"),
        ("roles/web/tasks/main.yml", "- {name: web, ping: }\n- import_tasks: sub/more.yml\n"),
        ("roles/web/tasks/sub/more.yml", "- {name: more, ping: }\n"),
        ("roles/web/defaults/main.yml", "d: 1\n"),
        ("roles/web/vars/main/a.yml", "v: 1\n"),
        ("roles/web/vars/main/b.yml", "v: 2\nw: 3\n"),
        ("roles/web/handlers/main.yml", "- {name: hw, ping: }\n"),
        ("roles/base/tasks/main.yml", "- {name: base, ping: }\n"),
        ("roles/base/handlers/main.yml", "- {name: hb, ping: }\n"),
        ("roles/late/tasks/other.yml", "- {name: late, ping: }\n"),
        ("roles/late/handlers/main.yml", "- {name: hl, ping: }\n"),
    ]);
    let play = tree.play();
    let names = |items: &[Item]| -> Vec<String> {
        flat(items).iter().filter_map(|t| Some(t.common.name.as_ref()?.as_str()?.to_owned())).collect()
    };
    assert_eq!(names(&play.tasks), ["base", "web", "more", "base", "late"]);
    assert_eq!(names(&play.handlers), ["hb", "hw", "hb", "own", "hl"]);
    let roles: Vec<&str> = play.roles.iter().map(|role| &*role.name).collect();
    assert_eq!(roles, ["base", "web", "base"]);
    let public: Vec<&str> = play.public_roles.iter().map(|role| &*role.name).collect();
    assert_eq!(public, ["base", "web", "base", "late"]);
    let web = &play.roles[1];
    assert!(web.allow_duplicates && web.params.contains_key("web_port"));
    assert_eq!(web.vars["v"].1.to_value(), 2.into());
    assert_ne!(play.roles[0].uuid, play.roles[2].uuid);
    let tasks = flat(&play.tasks);
    assert_eq!(texts(&tasks[0].common.when), ["True"], "a dependency inherits from the role that needs it");
    assert_eq!(texts(&tasks[0].common.tags), ["w"]);
    let role = tasks[0].role.as_ref().unwrap();
    assert_eq!((&*role.name, role.parents.len(), role.params.len()), ("base", 1, 2));
    assert!(tasks[2].dir.ends_with("roles/web/tasks/sub"));
    assert_eq!(tasks[1].common.vars["v"].1.as_str(), Some("entry"));
    assert!(play.tasks.iter().all(|item| matches!(item, Item::Block(block) if block.role.is_some())));
}

#[test]
fn a_role_that_needs_itself_is_an_error() {
    let tree = Tree::new(&[
        ("site.yml", "- hosts: all\n  roles: [a]\n"),
        ("roles/a/meta/main.yml", "dependencies: [b]\n"),
        ("roles/b/meta/main.yml", "dependencies: [a]\n"),
    ]);
    assert_eq!(tree.diagnostics[0].code, "R122", "{:?}", tree.messages());
    let tree = Tree::new(&[
        ("site.yml", "- hosts: all\n  roles: [a]\n"),
        ("roles/a/tasks/main.yml", "- import_role: {name: a, tasks_from: b}\n- import_tasks: main.yml\n"),
        ("roles/a/tasks/b.yml", "- ping:\n"),
    ]);
    assert_eq!(tree.diagnostics.len(), 1, "only the file that imports itself: {:?}", tree.messages());
    assert_eq!(tree.diagnostics[0].code, "R122");
}

#[test]
fn imported_playbooks_pass_on_when_tags_and_vars() {
    let tree = Tree::new(&[
        (
            "site.yml",
            "- import_playbook: sub/{{ which }}.yml\n  vars: {which: a, x: outer}\n  when: w\n  tags: t\n",
        ),
        (
            "sub/a.yml",
            "- hosts: all\n  vars: {x: inner, y: inner}\n  tags: u\n  tasks: [{import_tasks: t.yml}]\n",
        ),
        ("sub/t.yml", "- ping:\n"),
    ]);
    let play = tree.play();
    assert!(play.dir.ends_with("sub"));
    assert_eq!(play.common.vars["x"].1.as_str(), Some("outer"));
    assert_eq!(play.common.vars["y"].1.as_str(), Some("inner"));
    let tasks = tree.tasks();
    assert_eq!(
        (texts(&tasks[0].common.when), texts(&tasks[0].common.tags)),
        (vec!["w".into()], vec!["t".into(), "u".into()])
    );
}

#[test]
fn the_content_of_an_include_inherits_from_around_it() {
    let tree = Tree::new(&[
        (
            "site.yml",
            "- hosts: all
  tags: p
  tasks:
    - block:
        - include_tasks: {file: t.yml, apply: {tags: a, become: yes}}
          tags: i
          when: w
          vars: {v: 1}
      vars: {u: 1}
",
        ),
        ("t.yml", "- ping:\n- import_tasks: sub/u.yml\n"),
        ("sub/u.yml", "- {name: u, ping: }\n"),
    ]);
    let include = tree.tasks().remove(0);
    let path = tree.loader.find_tasks_file("t.yml", &include).unwrap();
    let items = tree.loader.include_tasks(&path, &include, &NodeMap::new(), false).unwrap();
    let tasks = flat(&items);
    let common = &tasks[0].common;
    assert_eq!((texts(&common.tags), texts(&common.when)), (vec!["p".into(), "a".into()], vec![]));
    assert!(
        common.params.contains_key("v") && common.vars.contains_key("u") && !common.vars.contains_key("v")
    );
    assert!(common.become_.is_some());
    let again = flat(&tree.loader.include_tasks(&path, &include, &NodeMap::new(), false).unwrap());
    assert_eq!(again[1].id, tasks[1].id, "the same include is built once");
    let missing = tree.loader.find_tasks_file("tt.yml", &include).unwrap_err();
    assert_eq!((missing.code, missing.help.as_deref()), ("R118", Some("did you mean `t.yml`?")));
}

#[test]
fn included_roles_bring_their_dependencies_and_hide_their_variables() {
    let tree = Tree::new(&[
        ("site.yml", "- hosts: all\n  tasks:\n    - include_role: {name: a}\n      vars: {v: 1}\n"),
        ("roles/a/meta/main.yml", "dependencies: [b]\n"),
        ("roles/a/tasks/main.yml", "- {name: a, ping: }\n"),
        ("roles/a/handlers/main.yml", "- {name: ha, ping: }\n"),
        ("roles/b/tasks/main.yml", "- {name: b, ping: }\n"),
        ("coll/ansible_collections/n/c/roles/r/tasks/main.yml", "- ping:\n"),
    ]);
    let include = tree.tasks().remove(0);
    let request = |name: &str| RoleRequest { name: name.into(), ..RoleRequest::default() };
    let role = tree.loader.include_role(&request("a"), &include, tree.dir.path()).unwrap();
    let names: Vec<_> =
        flat(&role.tasks).iter().map(|task| task.role.as_ref().unwrap().name.clone()).collect();
    assert_eq!(names, ["b".into(), "a".into()]);
    assert!(!role.public && role.handlers.len() == 1 && role.allow_duplicates);
    assert!(flat(&role.tasks)[0].common.params.contains_key("v"));
    let role = tree.loader.include_role(&request("n.c.r"), &include, tree.dir.path()).unwrap();
    assert_eq!((role.collection.as_deref(), &*role.name), (Some("n.c"), "r"));
    let missing = tree.loader.include_role(&request("nope"), &include, tree.dir.path()).unwrap_err();
    assert_eq!(missing[0].code, "R117");
}

#[test]
fn executables_of_a_library_are_modules() {
    let tree = Tree::new(&[
        (
            "site.yml",
            "- hosts: all\n  collections: [n.c]\n  roles: [r]\n  tasks: [own: {a: 1}, theirs: , py: , far: ]\n",
        ),
        ("coll/ansible_collections/n/c/plugins/modules/far", "#!/bin/sh\n"),
        ("library/own", "#!/bin/sh\n"),
        ("library/py.py", ""),
        ("roles/r/library/theirs", "#!/bin/sh\n"),
    ]);
    assert_eq!(tree.diagnostics.len(), 1, "{:?}", tree.messages());
    assert_eq!((tree.diagnostics[0].code, tree.diagnostics[0].severity), ("R208", Severity::Warning));
    let custom = |task: &Arc<Task>| matches!(&task.action, Action::Custom(path) if path.is_file());
    assert!(tree.tasks().iter().all(custom));
}

#[test]
fn a_missing_playbook_is_an_error_without_a_place() {
    let tree = Tree::new(&[]);
    assert_eq!((tree.diagnostics.len(), tree.diagnostics[0].code), (1, "R119"));
    let loader = &tree.loader;
    assert!(loader.playbook(Path::new("/nowhere/x.yml")).0.is_none());
}

#[test]
fn a_task_among_plays_is_one_mistake() {
    let tree = Tree::new(&[(
        "site.yml",
        "- name: x\n  ping:\n  loop: [1]\n- block: []\n- hosst: all\n  tasks: []\n",
    )]);
    let found: Vec<&str> = tree.diagnostics.iter().map(|it| it.code).collect();
    assert_eq!(found, ["R120", "R120", "R110", "R113"], "{:#?}", tree.messages());
}
