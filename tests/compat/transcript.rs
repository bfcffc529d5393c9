//! Turns the program's JSON lines into a transcript, as record.py turns what ansible-core reports into one.

use std::path::Path;

use serde_json::{Map, Value};

const SHOWN: [&str; 8] =
    ["debug", "set_fact", "fail", "assert", "include_vars", "group_by", "add_host", "set_stats"];
const SKIPPED: [&str; 3] = ["false_condition", "skip_reason", "skipped_reason"];
const HIDDEN: [&str; 20] = [
    "changed",
    "failed",
    "skipped",
    "unreachable",
    "invocation",
    "item",
    "results",
    "warnings",
    "deprecations",
    "exception",
    "ansible_loop",
    "ansible_loop_var",
    "ansible_index_var",
    "failed_when_result",
    "attempts",
    "retries",
    "finished",
    "started",
    "diff",
    "diagnostic",
];

#[derive(Default)]
struct Task {
    id: u64,
    heading: String,
    name: String,
    /// Sorted by the first: the host, or `~` for what is included.
    lines: Vec<(String, String)>,
}

#[derive(Default)]
struct Play {
    name: String,
    no_hosts: bool,
    tasks: Vec<Task>,
}

impl Play {
    fn start(&mut self, described: &Value, any_order: bool) {
        let id = described["id"].as_u64().unwrap();
        if any_order && self.tasks.iter().any(|task| task.id == id) {
            return;
        }
        let heading = if described["handler"] == true { "HANDLER" } else { "TASK" };
        let name = text(&described["name"]);
        self.tasks.push(Task { id, heading: heading.to_owned(), name, lines: vec![] });
    }

    fn task(&mut self, described: &Value) -> &mut Task {
        let id = described["id"].as_u64().unwrap();
        self.tasks.iter_mut().rev().find(|task| task.id == id).unwrap()
    }
}

/// The transcript of a run.
pub fn of(jsonl: &str, case: &Path, any_order: bool) -> String {
    let (mut plays, mut tail) = (Vec::<Play>::new(), Vec::new());
    let (mut last, mut ran) = (Value::Null, false);
    for line in jsonl.lines() {
        let event: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("not JSON: {line}"));
        match event["event"].as_str().unwrap() {
            "play_start" => {
                let no_hosts = event["hosts"] == Value::Array(vec![]);
                plays.push(Play { name: text(&event["play"]), no_hosts, tasks: vec![] });
            }
            "task_start" => {
                last = event["task"].clone();
                plays.last_mut().unwrap().start(&last, any_order);
            }
            "included" if !any_order => {
                let task = plays.last_mut().unwrap().task(&last);
                task.lines.push(("~".to_owned(), included(&event, case)));
            }
            "item" | "result" | "retry" => {
                let task = plays.last_mut().unwrap().task(&event["task"]);
                task.lines.push((text(&event["host"]), line_of(&event, case)));
            }
            "recap" => {
                ran = !plays.is_empty();
                recap(&event, case, &mut tail);
            }
            _ => {}
        }
    }
    if !ran {
        return String::new();
    }
    let mut lines = Vec::new();
    for mut play in plays {
        play.tasks.retain(|task| !task.lines.is_empty());
        if play.no_hosts || !play.tasks.is_empty() {
            lines.push(format!("PLAY {}", play.name));
        }
        if play.no_hosts {
            lines.push("  no hosts".to_owned());
        }
        if any_order {
            play.tasks.sort_by(|a, b| a.name.cmp(&b.name));
        }
        for mut task in play.tasks {
            lines.push(format!("{} {}", task.heading, task.name));
            task.lines.sort_by(|a, b| a.0.cmp(&b.0));
            lines.extend(task.lines.into_iter().map(|(_, line)| line));
        }
    }
    lines.extend(tail);
    lines.join("\n") + "\n"
}

fn included(event: &Value, case: &Path) -> String {
    let file = text(&event["file"]);
    let file = file.rsplit('/').next().unwrap();
    let mut hosts: Vec<String> = event["hosts"].as_array().unwrap().iter().map(text).collect();
    hosts.sort();
    let label = event["label"]
        .as_str()
        .map_or_else(String::new, |label| format!(" ({})", label.replace(&folder(case), "DIR")));
    format!("   include {file} for {}{label}", hosts.join(" "))
}

fn line_of(event: &Value, case: &Path) -> String {
    let host = text(&event["host"]);
    let mut words = vec!["  ".to_owned(), host.clone()];
    let looped = event["event"] == "result" && event["result"].get("results").is_some();
    if let Some(delegate) = event["delegate"].as_str().filter(|delegate| *delegate != host && !looped) {
        words.push(format!("-> {delegate}"));
    }
    if event["event"] == "retry" {
        words.push(format!("retry {}", event["retries_left"]));
        return words.join(" ");
    }
    if event["event"] == "item" {
        let label = event["label"].as_str().unwrap_or_default().replace(&folder(case), "DIR");
        let hidden = event["result"].get("censored").is_some();
        words.push(format!("({})", if hidden { "hidden" } else { &label }));
    }
    let status = text(&event["status"]);
    let fields =
        if looped { Map::new() } else { fields(&event["result"], &text(&event["task"]["action"]), &status) };
    words.push(status);
    if event["ignored"] == true && event["event"] != "item" {
        words.push("ignored".to_owned());
    }
    if !fields.is_empty() {
        words.push(normal(&Value::Object(plain(fields)), case));
    }
    words.join(" ")
}

/// Numbers and booleans that are a whole field as text: a text that is one template keeps its type in one program, not in the other.
fn plain(mut fields: Map<String, Value>) -> Map<String, Value> {
    let plain_map = |fields: &mut Map<String, Value>| {
        for value in fields.values_mut() {
            match value {
                Value::Number(number) => *value = Value::String(number.to_string()),
                Value::Bool(yes) => *value = Value::from(if *yes { "True" } else { "False" }),
                _ => {}
            }
        }
    };
    plain_map(&mut fields);
    if let Some(Value::Object(facts)) = fields.get_mut("ansible_facts") {
        plain_map(facts);
    }
    fields
}

/// The fields of a result that are compared.
fn fields(result: &Value, action: &str, status: &str) -> Map<String, Value> {
    let Value::Object(all) = result else { return Map::new() };
    if all.contains_key("censored") {
        return Map::from_iter([("censored".to_owned(), Value::Bool(true))]);
    }
    let only = |names: &[&str]| -> Map<String, Value> {
        all.iter()
            .filter(|(key, _)| names.contains(&key.as_str()))
            .map(|(a, b)| (a.clone(), b.clone()))
            .collect()
    };
    let action = action.rsplit('.').next().unwrap();
    let own_words = action == "fail" || all.contains_key("assertion");
    if status == "skipped" {
        return only(&SKIPPED);
    }
    if ["command", "shell"].contains(&action) {
        return if status == "failed" { Map::new() } else { only(&["rc", "stdout"]) };
    }
    let failed = ["failed", "unreachable"].contains(&status);
    if !SHOWN.contains(&action) || (failed && !own_words) {
        return Map::new();
    }
    let named = |key: &str| all.get(key).and_then(Value::as_str).unwrap_or("item").to_owned();
    let hidden = [named("ansible_loop_var"), named("ansible_index_var")];
    let shown = |key: &String| !HIDDEN.contains(&key.as_str()) && !hidden.contains(key);
    all.iter().filter(|(key, _)| shown(key)).map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn recap(event: &Value, case: &Path, tail: &mut Vec<String>) {
    const NAMES: [&str; 7] = ["ok", "changed", "unreachable", "failures", "skipped", "rescued", "ignored"];
    for (host, counts) in event["stats"].as_object().unwrap() {
        let counts: Vec<String> = NAMES.iter().map(|name| counts[name].to_string()).collect();
        tail.push(format!("RECAP {host} {}", counts.join(" ")));
    }
    if event["custom_stats"].as_object().is_some_and(|stats| !stats.is_empty()) {
        tail.push(format!("STATS {}", normal(&event["custom_stats"], case)));
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().trim().to_owned()
}

fn folder(case: &Path) -> String {
    case.parent().unwrap().to_string_lossy().into_owned()
}

/// A value as JSON with sorted keys, the case's folder as DIR, the folder of all cases as UP.
fn normal(value: &Value, case: &Path) -> String {
    let up = case.parent().unwrap().parent().unwrap().parent().unwrap().to_string_lossy().into_owned();
    let mut text = String::new();
    write(value, &mut text);
    text.replace(&folder(case), "DIR").replace(&up, "UP")
}

/// As Python's `json.dumps` with sorted keys writes it.
fn write(value: &Value, text: &mut String) {
    match value {
        Value::Array(items) => {
            text.push('[');
            for (i, item) in items.iter().enumerate() {
                text.push_str(if i == 0 { "" } else { ", " });
                write(item, text);
            }
            text.push(']');
        }
        Value::Object(map) => {
            let mut keys: Vec<&String> = map.keys().collect();
            keys.sort();
            text.push('{');
            for (i, key) in keys.into_iter().enumerate() {
                text.push_str(if i == 0 { "" } else { ", " });
                *text += &format!("{}: ", Value::String(key.clone()));
                write(&map[key], text);
            }
            text.push('}');
        }
        // Python writes `1e+16` and `1e-05`.
        Value::Number(number) => match number.to_string().split_once('e') {
            Some((digits, exponent)) => {
                let (sign, exponent) = match exponent.strip_prefix('-') {
                    Some(exponent) => ('-', exponent),
                    None => ('+', exponent.trim_start_matches('+')),
                };
                *text += &format!("{digits}e{sign}{exponent:0>2}");
            }
            None => *text += &number.to_string(),
        },
        other => *text += &other.to_string(),
    }
}
