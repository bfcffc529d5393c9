//! A module's documentation, made from its code: for `regatta doc` and for docs/modules/.

use std::fmt::Write;

use crate::modules;
use crate::modules::api::{ArgumentDoc, Entry, arguments};

/// Every module with the first sentence of its documentation, by family.
#[must_use]
pub fn list() -> String {
    let mut text = String::new();
    let width = modules::ALL.iter().map(|entry| entry.name.len()).max().unwrap_or(0);
    for entry in sorted() {
        let _ = writeln!(text, "{:width$}  {}", entry.name, summary(entry));
    }
    text
}

/// The index page of docs/modules/.
#[must_use]
pub fn index() -> String {
    let mut text = String::from("# Modules\n\nMade from the code by `UPDATE=1 cargo test generated`.\n\n");
    text += "| module | family | check mode | diff | what it does |\n| --- | --- | --- | --- | --- |\n";
    for entry in sorted() {
        let yes = |flag: bool| if flag { "yes" } else { "no" };
        let (check, diff) = (yes(entry.support.check), yes(entry.support.diff));
        let _ = writeln!(
            text,
            "| [{0}]({0}.md) | {1} | {check} | {diff} | {2} |",
            entry.name,
            entry.family,
            summary(entry).replace('|', "\\|")
        );
    }
    text
}

/// A module's page.
#[must_use]
pub fn page(entry: &Entry) -> String {
    let schema = (entry.manual.schema)();
    let about = schema.as_value()["description"].as_str().unwrap_or_default().to_owned();
    let mut text = format!("# {}\n\n{about}\n", entry.name);
    if !entry.aliases.is_empty() {
        let names: Vec<String> = entry.aliases.iter().map(|alias| format!("`{alias}`")).collect();
        let _ = write!(text, "\nAlso known as {}.\n", names.join(", "));
    }
    text += &supports(entry);
    let documented: Vec<ArgumentDoc> =
        arguments(entry).into_iter().filter(|it| !it.name.starts_with('_')).collect();
    if !documented.is_empty() {
        text += "\n## Arguments\n\n";
        for argument in &documented {
            describe(argument, 0, &mut text);
        }
    }
    if entry.free_form.is_some() {
        text += "\nTakes free text on the module's line.\n";
    }
    if !entry.manual.returns.trim().is_empty() {
        let _ = write!(text, "\n## Returns\n\n```yaml\n{}\n```\n", entry.manual.returns.trim());
    }
    if !entry.manual.examples.trim().is_empty() {
        let _ = write!(text, "\n## Examples\n\n```yaml\n{}\n```\n", entry.manual.examples.trim());
    }
    text
}

fn supports(entry: &Entry) -> String {
    let check = if entry.support.check {
        "says in check mode what a run would change"
    } else {
        "is skipped in check mode"
    };
    let diff =
        if entry.support.diff { "shows differences with `--diff`" } else { "has no differences to show" };
    let again =
        if entry.support.idempotent { "changes nothing when run again" } else { "acts each time it is run" };
    format!("\nIt {check}, {diff}, and {again}.\n")
}

fn describe(argument: &ArgumentDoc, depth: usize, text: &mut String) {
    let indent = "  ".repeat(depth);
    let mut traits = vec![argument.kind.clone()];
    if argument.required {
        traits.push("required".into());
    }
    if let Some(default) = &argument.default {
        let shown = serde_json::Value::from(default);
        traits.push(format!("default `{shown}`"));
    }
    if !argument.aliases.is_empty() {
        traits.push(format!("also `{}`", argument.aliases.join("`, `")));
    }
    let doc = argument.doc.replace('\n', " ");
    let _ = writeln!(text, "{indent}- **{}** ({}): {doc}", argument.name, traits.join(", "));
    for choice in &argument.choices {
        let doc = if choice.doc.is_empty() {
            String::new()
        } else {
            format!(": {}", choice.doc.replace('\n', " "))
        };
        let _ = writeln!(text, "{indent}  - `{}`{doc}", choice.value);
    }
    for inner in &argument.inner {
        describe(inner, depth + 1, text);
    }
}

fn sorted() -> Vec<&'static Entry> {
    let mut entries: Vec<&Entry> = modules::ALL.iter().collect();
    entries.sort_by_key(|entry| entry.name);
    entries
}

fn summary(entry: &Entry) -> String {
    let schema = (entry.manual.schema)();
    let about = schema.as_value()["description"].as_str().unwrap_or_default();
    about.split("\n\n").next().unwrap_or_default().replace('\n', " ")
}
