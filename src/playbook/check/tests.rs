//! The static checks on small trees of files.

use crate::diag::{Diagnostic, code};
use crate::playbook::tests::Tree;
use crate::yaml::Node;

use super::{Reach, TemplateCheck, check};

/// Finds the word `bad` in templates and conditions.
struct Words;

impl TemplateCheck for Words {
    fn template(&self, node: &Node) -> Vec<Diagnostic> {
        word(node, "template")
    }
    fn condition(&self, node: &Node) -> Vec<Diagnostic> {
        word(node, "condition")
    }
}

fn word(node: &Node, kind: &str) -> Vec<Diagnostic> {
    let text = node.as_str().unwrap_or_default();
    let found = text.contains("bad").then(|| Diagnostic::error(code::TEMPLATE_SYNTAX, kind).at(node.span));
    found.into_iter().collect()
}

fn checked(reach: Reach, files: &[(&str, &str)]) -> Vec<String> {
    let mut tree = Tree::new(files);
    let playbook = tree.playbook.clone().unwrap_or_else(|| panic!("{:#?}", tree.messages()));
    tree.diagnostics = check(&playbook, &tree.loader, &Words, reach);
    let dir = tree.dir.path().to_str().unwrap().to_owned();
    tree.messages().into_iter().map(|line| line.replace(&dir, "DIR")).collect()
}

fn tasks(list: &str) -> Vec<String> {
    let list: String = list.lines().map(|line| format!("    {line}\n")).collect();
    checked(Reach::Certain, &[("site.yml", &format!("- hosts: all\n  tasks:\n{list}"))])
}

#[test]
fn arguments_are_checked_as_far_as_they_are_known() {
    let cases: &[(&str, &[&str])] = &[
        ("- ping:", &[]),
        ("- ping: {data: \"{{ x }}\"}", &[]),
        ("- ping: {daata: x}", &["R102 `ping` has no argument `daata` @daata (did you mean `data`?)"]),
        (
            "- ping: {daata: \"{{ x }}\"}",
            &["R102 `ping` has no argument `daata` @daata (did you mean `data`?)"],
        ),
        (
            "- ping:\n    when: x",
            &[
                "R102 `ping` has no argument `when` @when (`when` is a keyword of the task: indent it as far as `ping`)",
            ],
        ),
        ("- ping: {data: [\"{{ x }}\"]}", &[]),
        ("- ping: \"{{ all }}\"", &[]),
        ("- file: {path: /x, state: directory, mode: 0755}", &[]),
        ("- file: path=/x state=directory recurse=yes", &[]),
        ("- file: {path: \"{{ x }}\", state: \"{{ y }}\", recurse: \"{{ z }}\", mode: \"{{ m }}\"}", &[]),
        ("- file: {state: absent}", &["R103 `file` needs the argument `path` @file"]),
        (
            "- file: {path: \"{{ x }}\", state: directori, recurse: maybe}",
            &[
                "R105 `state` must be one of absent, directory, file, hard, link, touch, but is `directori` @directori (did you mean `directory`?)",
                "R104 `recurse` must be true or false, but is `maybe` @maybe",
            ],
        ),
        ("- file: {path: /x, dest: /y}", &["R106 `path` is given twice, under two of its names @file"]),
        (
            "- user: {name: x, uid: \"{{ y }}\", groups: [a, b], append: maybe}",
            &["R104 `append` must be true or false, but is `maybe` @maybe"],
        ),
        (
            "- apt: {name: [a, \"{{ b }}\"], state: latestt}",
            &[
                "R105 `state` must be one of installed, present, latest, absent, removed, build-dep, fixed, but is `latestt` @latestt (did you mean `latest`?)",
            ],
        ),
        ("- apt: name=a state=present update_cache=yes cache_valid_time=3600", &[]),
        ("- apt:\n  args: \"{{ x }}\"", &[]),
        ("- file: {state: absent}\n  module_defaults: {file: {path: /x}}", &[]),
        ("- {ping: {}, args: {x: 1}}", &["R102 `ping` has no argument `x` @x"]),
    ];
    for (text, expected) in cases {
        assert_eq!(tasks(text), *expected, "{text}");
    }
}

#[test]
fn handlers_are_looked_up_by_name_role_and_topic() {
    let files = |notify: &str, more: &str| {
        let text = format!(
            "- hosts: all\n  roles: [r]\n  tasks:\n    - {{ping: , notify: {notify}}}\n{more}  handlers:\n    - {{name: one, ping: , \
             listen: topic}}\n    - {{name: \"start {{{{ x }}}}\", ping: }}\n"
        );
        checked(
            Reach::Certain,
            &[
                ("site.yml", &text),
                ("roles/r/handlers/main.yml", "- {name: two, ping: }\n"),
                ("roles/s/handlers/main.yml", "- {name: three, ping: }\n"),
            ],
        )
    };
    for good in ["one", "topic", "two", "'r : two'", "start web", "\"{{ x }}\"", "[one, two]"] {
        assert_eq!(files(good, ""), Vec::<String>::new(), "{good}");
    }
    assert_eq!(files("onee", ""), ["R116 there is no handler `onee` @onee (did you mean `one`?)"]);
    assert_eq!(files("three", "    - include_role: {name: s}\n"), Vec::<String>::new());
    assert_eq!(files("four", "    - include_role: {name: \"{{ x }}\"}\n"), Vec::<String>::new());
    assert_eq!(files("four", "    - include_role: {name: s}\n").len(), 1);
}

#[test]
fn templates_and_conditions_are_looked_at_once_wherever_they_stand() {
    let found = checked(
        Reach::Certain,
        &[
            (
                "site.yml",
                "- hosts: \"{{ bad1 }}\"
  vars: {v: [{w: \"{{ bad2 }}\"}], u: !unsafe \"{{ bad }}\"}
  environment: {E: \"{{ bad3 }}\"}
  roles: [r]
  tasks:
    - ping: {data: \"{{ bad4 }}\"}
      when: bad5
      changed_when: [bad6]
      loop: \"{{ bad7 }}\"
      loop_control: {label: \"{{ bad8 }}\"}
    - ping:
      name: bad
",
            ),
            ("roles/r/defaults/main.yml", "d: \"{{ bad9 }}\"\n"),
        ],
    );
    let mut places: Vec<&str> = found.iter().filter_map(|line| line.split('@').nth(1)).collect();
    places.sort_unstable();
    let mut expected: Vec<String> = [1, 2, 3, 4, 7, 8, 9].map(|n| format!("\"{{{{ bad{n} }}}}\"")).into();
    expected.extend(["bad5".into(), "bad6".into()]);
    assert_eq!(places, expected);
}

#[test]
fn includes_are_followed_as_far_as_they_are_certain() {
    let files = [
        (
            "site.yml",
            "- hosts: all
  tasks:
    - include_tasks: a.yml
    - include_tasks: b.yml
      when: x
    - include_tasks: nope.yml
    - include_tasks: \"{{ x }}.yml\"
    - include_role: {name: r}
    - import_role: {name: s}
",
        ),
        ("a.yml", "- ping: {a: 1}\n- include_tasks: a.yml\n"),
        ("b.yml", "- ping: {b: 1}\n"),
        ("roles/r/tasks/main.yml", "- pingg:\n"),
        ("roles/s/tasks/main.yml", "- include_tasks: sub.yml\n"),
        ("roles/s/tasks/sub.yml", "- ping: {s: 1}\n"),
    ];
    let certain = checked(Reach::Certain, &files);
    assert_eq!(
        certain,
        [
            "R102 `ping` has no argument `a` @a",
            "R118 there is no file of tasks `nope.yml` @nope.yml",
            "R101 there is no module `pingg` @pingg (did you mean `ping`?)",
            "R102 `ping` has no argument `s` @s",
        ]
    );
    assert_eq!(checked(Reach::Possible, &files).len(), 5);
}

#[test]
fn files_of_variables_must_be_there() {
    let found = checked(
        Reach::Certain,
        &[
            (
                "site.yml",
                "- hosts: all\n  vars_files:\n    - v.yml\n    - nope.yml\n    - [nope.yml, v.yml]\n    - \"{{ x }}.yml\"\n",
            ),
            ("v.yml", "a: 1\n"),
        ],
    );
    assert_eq!(found, ["R118 there is no file `nope.yml` @nope.yml"]);
}
