//! What `--list-hosts`, `--list-tasks`, `--list-tags` and `--syntax-check` print. Text only; the caller knows the hosts
//! and which tags are asked for.

use std::fmt::Write;

use crate::value::Str;
use crate::yaml::Node;

use super::{Common, Item, Play, Playbook, Task};

/// What to list.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wanted {
    /// The hosts of each play.
    pub hosts: bool,
    /// The tasks.
    pub tasks: bool,
    /// The tags of the tasks.
    pub tags: bool,
}

/// The text for one playbook. `hosts`: the hosts of a pattern; `selected`: whether a task with these tags runs.
pub fn text(
    playbook: &Playbook,
    wanted: Wanted,
    hosts: &dyn Fn(&str) -> Vec<Str>,
    selected: &dyn Fn(&[Str]) -> bool,
) -> String {
    let name = shown_path(playbook);
    let mut out = format!("\nplaybook: {name}\n");
    if !wanted.hosts && !wanted.tasks && !wanted.tags {
        return out;
    }
    for (i, play) in playbook.plays.iter().enumerate() {
        // Writing to a text never fails.
        let _ = one_play(&mut out, i + 1, play, wanted, hosts, selected);
    }
    out
}

/// The path as one would type it here.
fn shown_path(playbook: &Playbook) -> String {
    let here = std::env::current_dir().ok();
    let inside =
        here.and_then(|here| playbook.path.strip_prefix(here).ok().map(std::path::Path::to_path_buf));
    inside.as_deref().unwrap_or(&playbook.path).display().to_string()
}

fn one_play(
    out: &mut String,
    number: usize,
    play: &Play,
    wanted: Wanted,
    hosts: &dyn Fn(&str) -> Vec<Str>,
    selected: &dyn Fn(&[Str]) -> bool,
) -> std::fmt::Result {
    let patterns = words(std::slice::from_ref(&play.hosts));
    let pattern = patterns.join(",");
    let name = play.common.name.as_ref().map_or_else(|| pattern.clone(), text_of);
    writeln!(out, "\n  play #{number} ({pattern}): {name}\tTAGS: [{}]", tags(&play.common).join(","))?;
    if wanted.hosts {
        let found = hosts(&pattern);
        let quoted: Vec<String> = patterns.iter().map(|pattern| format!("'{pattern}'")).collect();
        writeln!(out, "    pattern: [{}]\n    hosts ({}):", quoted.join(", "), found.len())?;
        for host in found {
            writeln!(out, "      {host}")?;
        }
    }
    let mut tasks = Vec::new();
    for items in [&play.pre_tasks, &play.tasks, &play.post_tasks] {
        visible(items, &mut tasks);
    }
    let mut all = tags(&play.common);
    if wanted.tasks {
        writeln!(out, "    tasks:")?;
    }
    for task in tasks {
        let own = tags(&task.common);
        // With `--list-tags` every tag is listed, also that of tasks which run only when asked for.
        let on_request = wanted.tags && own.iter().any(|tag| &**tag == "never") && selected(&[]);
        if !selected(&own) && !on_request {
            continue;
        }
        if wanted.tasks {
            let mut sorted = own.clone();
            sorted.sort();
            writeln!(out, "      {}\tTAGS: [{}]", title(task), sorted.join(", "))?;
        }
        all.extend(own);
    }
    if wanted.tags {
        all.sort();
        all.dedup();
        writeln!(out, "      TASK TAGS: [{}]", all.join(", "))?;
    }
    Ok(())
}

/// The tasks as Ansible lists them: without `rescue` and `always`, without what nobody wrote.
fn visible<'a>(items: &'a [Item], found: &mut Vec<&'a Task>) {
    for item in items {
        match item {
            Item::Block(block) => visible(&block.body, found),
            Item::Task(task) if task.implicit => {}
            Item::Task(task) => found.push(task),
        }
    }
}

/// The name with the role's in front, or the module.
fn title(task: &Task) -> String {
    match (&task.common.name, &task.role) {
        (Some(name), Some(role)) => format!("{} : {}", role.name, text_of(name)),
        (Some(name), None) => text_of(name),
        (None, _) => task.action_name.to_string(),
    }
}

fn text_of(node: &Node) -> String {
    node.to_value().to_string()
}

fn tags(common: &Common) -> Vec<Str> {
    words(&common.tags).into_iter().map(Str::from).collect()
}

fn words(nodes: &[Node]) -> Vec<String> {
    nodes.iter().flat_map(super::inherit::items).map(|node| text_of(&node)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::playbook::tests::Tree;

    fn listed(wanted: Wanted) -> String {
        let tree = Tree::new(&[
            (
                "site.yml",
                "- hosts: web
  name: first play
  tags: [p, q]
  roles: [{role: h, tags: rt}]
  tasks:
    - {name: a task, ping: , tags: \"b,a\"}
    - {ping: , tags: never}
    - block:
        - {name: inner, ping: }
        - meta: noop
      rescue: [{name: resc, ping: }]
    - include_tasks: t.yml
- hosts: [localhost, web]
  tasks: []
",
            ),
            ("roles/h/tasks/main.yml", "- {name: x, ping: }\n- ping:\n"),
        ]);
        let hosts = |pattern: &str| if pattern == "web" { vec!["h1".into(), "h2".into()] } else { vec![] };
        let selected = |tags: &[Str]| tags.iter().all(|tag| &**tag != "never");
        let text = text(tree.playbook.as_ref().unwrap(), wanted, &hosts, &selected);
        text.replace(&tree.dir.path().display().to_string(), "DIR")
    }

    #[test]
    fn lists_are_those_of_ansible() {
        let tasks = Wanted { tasks: true, ..Wanted::default() };
        assert_eq!(
            listed(tasks),
            "\nplaybook: DIR/site.yml\n\n  play #1 (web): first play\tTAGS: [p,q]\n    tasks:\n      h : x\tTAGS: [p, q, rt]\n      \
             ping\tTAGS: [p, q, rt]\n      a task\tTAGS: [a, b, p, q]\n      inner\tTAGS: [p, q]\n      meta\tTAGS: [p, q]\n      include_tasks\tTAGS: \
             [p, q]\n\n  play #2 (localhost,web): localhost,web\tTAGS: []\n    tasks:\n"
        );
        let tags = Wanted { tags: true, ..Wanted::default() };
        assert_eq!(
            listed(tags),
            "\nplaybook: DIR/site.yml\n\n  play #1 (web): first play\tTAGS: [p,q]\n      TASK TAGS: [a, b, never, p, q, rt]\n\n  \
             play #2 (localhost,web): localhost,web\tTAGS: []\n      TASK TAGS: []\n"
        );
        let hosts = Wanted { hosts: true, ..Wanted::default() };
        assert_eq!(
            listed(hosts),
            "\nplaybook: DIR/site.yml\n\n  play #1 (web): first play\tTAGS: [p,q]\n    pattern: ['web']\n    hosts (2):\n      h1\n      \
             h2\n\n  play #2 (localhost,web): localhost,web\tTAGS: []\n    pattern: ['localhost', 'web']\n    hosts (0):\n"
        );
        assert_eq!(listed(Wanted::default()), "\nplaybook: DIR/site.yml\n");
    }
}
