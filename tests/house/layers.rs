//! A layer uses only lower ones.

use super::{files, root};

/// A room and the rooms that it may use.
const MAY_USE: &[(&str, &[&str])] = &[
    ("value", &[]),
    ("secret", &[]),
    ("outcome", &["value"]),
    ("diag", &["value"]),
    ("event", &["value", "outcome", "diag"]),
    ("proto", &["value", "secret", "outcome"]),
    ("facts", &["value", "outcome", "modules"]),
    ("modules", &["value", "secret", "outcome", "facts"]),
    ("worker", &["value", "secret", "outcome", "proto", "modules", "facts"]),
    ("yaml", &["value", "diag"]),
    ("vault", &["secret", "diag", "yaml"]),
    ("template", &["value", "secret", "diag", "yaml", "vault"]),
    ("inventory", &["value", "diag", "yaml", "vault", "template"]),
    ("playbook", &["value", "diag", "yaml", "vault", "modules"]),
    ("vars", &["value", "diag", "yaml", "template", "inventory", "playbook"]),
    ("connection", &["value", "secret", "outcome", "proto", "worker"]),
    (
        "engine",
        &[
            "value",
            "secret",
            "outcome",
            "diag",
            "event",
            "yaml",
            "vault",
            "template",
            "inventory",
            "playbook",
            "vars",
            "proto",
            "modules",
            "connection",
        ],
    ),
    ("output", &["value", "outcome", "diag", "event"]),
    ("docs", &["value", "modules", "diag"]),
];

/// What a room must not say at all.
const NEVER: &[(&str, &[&str])] = &[
    ("modules", &["tokio::", "minijinja::", "russh::", "println!"]),
    ("facts", &["tokio::", "minijinja::", "russh::", "println!"]),
    ("worker", &["tokio::", "minijinja::", "russh::", "println!"]),
    ("engine", &["print!", "println!", "eprintln!"]),
    ("template", &["tokio::", "russh::"]),
    ("playbook", &["tokio::", "russh::", "minijinja::"]),
];

/// The code of a file up to its tests, line by line.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let end = text.find("#[cfg(test)]").unwrap_or(text.len());
    text[..end].lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with("//"))
}

fn of_room(room: &str) -> Vec<std::path::PathBuf> {
    let single = root().join("src").join(format!("{room}.rs"));
    let mut all = if single.is_file() { vec![single] } else { Vec::new() };
    if root().join("src").join(room).is_dir() {
        all.extend(files(&format!("src/{room}"), "rs"));
    }
    all.retain(|path| {
        !path.components().any(|part| part.as_os_str() == "tests") && !path.ends_with("tests.rs")
    });
    all
}

#[test]
fn a_layer_uses_only_lower_ones() {
    let mut broken = Vec::new();
    for (room, allowed) in MAY_USE {
        for path in of_room(room) {
            let text = std::fs::read_to_string(&path).unwrap();
            for (number, line) in code(&text) {
                for used in line.split("crate::").skip(1) {
                    let name: String =
                        used.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '_').collect();
                    let is_room = MAY_USE.iter().any(|(room, _)| *room == name) || name == "cli";
                    if is_room && name != *room && !allowed.contains(&name.as_str()) {
                        let path = path.strip_prefix(root()).unwrap().display();
                        broken.push(format!("{path}:{}: `{room}` must not use `{name}`", number + 1));
                    }
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}\nallowed: {MAY_USE:#?}", broken.join("\n"));
}

#[test]
fn a_layer_leaves_alone_what_is_not_its_business() {
    let mut broken = Vec::new();
    for (room, words) in NEVER {
        for path in of_room(room) {
            let text = std::fs::read_to_string(&path).unwrap();
            for (number, line) in code(&text) {
                for word in words.iter().filter(|word| line.contains(**word)) {
                    let path = path.strip_prefix(root()).unwrap().display();
                    broken.push(format!("{path}:{}: `{room}` must not say `{word}`", number + 1));
                }
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}
