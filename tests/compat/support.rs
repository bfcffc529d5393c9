//! What public content uses, and how much of it works: docs/SUPPORT.md is made from here, and `regatta check` must report the
//! rest at its place. `usage.csv` has the names and how often 42 public repositories use them; what a repository brings along
//! itself is not in it.

use std::collections::HashSet;
use std::fmt::Write;

use regatta::modules;
use serde_json::Value;

use crate::house::generated::up_to_date;
use crate::support::run::Run;

struct Name {
    kind: &'static str,
    name: String,
    uses: u64,
}

fn usage() -> Vec<Name> {
    let lines = include_str!("usage.csv").lines().skip(1);
    let name = |line: &'static str| {
        let mut cells = line.split(',');
        let (kind, name) = (cells.next().unwrap(), cells.next().unwrap().to_owned());
        Name { kind, name, uses: cells.next().unwrap().parse().unwrap() }
    };
    lines.map(name).collect()
}

/// A text in which every name of a kind has a line of its own, and how the text begins.
fn probe(kind: &str, names: &[&Name]) -> Option<(&'static str, String)> {
    let tasks = "- hosts: all\n  tasks:\n";
    let line: fn(&str) -> String = match kind {
        "module" => |name| format!("  - {{{name}: }}\n"),
        "task keyword" => |name| format!("  - {{debug: , {name}: x}}\n"),
        "handler keyword" => |name| format!("  - {{debug: , {name}: x}}\n"),
        "block keyword" => |name| format!("  - {{block: [], {name}: x}}\n"),
        "loop_control keyword" => |name| format!("  - {{debug: , loop: [], loop_control: {{{name}: x}}}}\n"),
        "play keyword" => |name| format!("- {{hosts: all, {name}: x}}\n"),
        "role keyword" => |name| format!("  - {{role: a, {name}: x}}\n"),
        "filter" => |name| format!("  - {{debug: {{msg: \"{{{{ x | {name} }}}}\"}}}}\n"),
        "test" => |name| format!("  - {{debug: {{msg: \"{{{{ x is {name} }}}}\"}}}}\n"),
        "lookup" => |name| format!("  - {{debug: {{msg: \"{{{{ lookup('{name}', x) }}}}\"}}}}\n"),
        "loop" => |name| format!("  - {{debug: , with_{name}: [x]}}\n"),
        "method" => |name| format!("  - {{debug: {{msg: \"{{{{ x.{name}(y) }}}}\"}}}}\n"),
        "function" => |name| format!("  - {{debug: {{msg: \"{{{{ {name}('env') }}}}\"}}}}\n"),
        "fact" => |name| format!("  - {{debug: {{msg: \"{{{{ ansible_facts.{name} }}}}\"}}}}\n"),
        _ => return None,
    };
    let start = match kind {
        "play keyword" => "",
        "handler keyword" => "- hosts: all\n  handlers:\n",
        "role keyword" => "- hosts: all\n  roles:\n",
        _ => tasks,
    };
    let text = names.iter().map(|name| line(&name.name)).collect::<String>();
    Some((start, text))
}

/// Tests written as operators have no name that a filter-like check could look at.
fn is_operator(name: &str) -> bool {
    !name.chars().all(|c| c.is_alphanumeric() || "._".contains(c))
}

/// The names of a kind that `regatta check` reports: the diagnostic is on the name's line and its carets are under the name.
fn reported(kind: &str, names: &[&Name]) -> HashSet<String> {
    let Some((start, text)) = probe(kind, names) else { return HashSet::new() };
    let folder = tempfile::tempdir().unwrap();
    let text = start.to_owned() + &text;
    std::fs::write(folder.path().join("probe.yml"), &text).unwrap();
    let output = Run::new(folder.path()).args(["check", "probe.yml", "-i", "h1,", "--output", "json"]).go();
    let before = start.lines().count();
    let mut found = HashSet::new();
    let messages: Value =
        serde_json::from_str(&output.stdout).unwrap_or_else(|_| panic!("{}", output.stdout));
    for message in messages["diagnostics"].as_array().unwrap_or_else(|| panic!("{messages}")) {
        let words = message["message"].as_str().unwrap();
        let unknown = [
            "there is no",
            "nothing has",
            "nothing here gathers",
            "unknown keyword",
            "` is gone",
            "has no place",
            "was removed",
        ];
        if !unknown.iter().any(|start| words.contains(start)) || words.contains("there is no role") {
            continue;
        }
        let place = message.get("line").and_then(Value::as_u64).unwrap_or_default();
        let Some(name) =
            usize::try_from(place).ok().and_then(|line| names.get(line.checked_sub(before + 1)?))
        else {
            continue;
        };
        let column = usize::try_from(message["column"].as_u64().unwrap()).unwrap();
        let line = text.lines().nth(usize::try_from(place).unwrap() - 1).unwrap();
        let at = &line[column - 1..];
        if at.starts_with(&name.name) || at.starts_with(&format!("with_{}", name.name)) {
            found.insert(name.name.clone());
        }
    }
    found
}

fn supported(name: &Name, reported: &HashSet<String>) -> bool {
    match name.kind {
        "module" => modules::find(&name.name).is_some(),
        _ => !reported.contains(&name.name),
    }
}

#[test]
fn what_public_content_uses_is_supported_or_reported_at_its_place() {
    let names = usage();
    let mut kinds: Vec<&'static str> = names.iter().map(|name| name.kind).collect();
    kinds.dedup();
    let (mut summary, mut tables) = (String::new(), String::new());
    let (mut all, mut good) = (0, 0);
    let mut silent = Vec::new();
    for kind in kinds {
        let of_kind: Vec<&Name> =
            names.iter().filter(|name| name.kind == kind && !is_operator(&name.name)).collect();
        let reported = reported(kind, &of_kind);
        let (mut uses, mut yes) = (0, 0);
        let mut rows = String::new();
        for name in names.iter().filter(|name| name.kind == kind) {
            let works = supported(name, &reported);
            uses += name.uses;
            yes += if works { name.uses } else { 0 };
            if !works && !reported.contains(&name.name) {
                silent.push(format!("{kind} {}", name.name));
            }
            writeln!(rows, "| `{}` | {} | {} |", name.name, name.uses, if works { "yes" } else { "no" })
                .unwrap();
        }
        writeln!(summary, "| {kind} | {uses} | {yes} | {} |", percent(yes, uses)).unwrap();
        write!(tables, "\n## {kind}\n\n| name | uses | supported |\n| --- | --- | --- |\n{rows}").unwrap();
        all += uses;
        good += yes;
    }
    let head = format!(
        "# What public content uses, and what of it works\n\n\
        Counted over 42 public repositories; what a repository brings along itself is left out. Made from `tests/compat/usage.csv` \
        by the tests. What is not supported is reported by `regatta check` at its place.\n\n**{} of {all} uses are supported.**\n\n| kind | uses | supported | share |\n| --- | --- | --- | --- |\n",
        percent(good, all)
    );
    up_to_date("docs/SUPPORT.md", &(head + &summary + &tables));
    assert!(silent.is_empty(), "not supported, and not reported by `regatta check`: {silent:?}");
}

fn percent(part: u64, whole: u64) -> String {
    // Tenths of a percent, rounded down: the page never says more than is true.
    let tenths = part * 1000 / whole.max(1);
    format!("{}.{} %", tenths / 10, tenths % 10)
}
