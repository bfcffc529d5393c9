//! Any text as a template and as a condition over a few variables.
#![no_main]

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use libfuzzer_sys::fuzz_target;
use regatta::diag::{Sources, render};
use regatta::template::{Binding, Engine, Scope, Settings};
use regatta::value::{Str, Value};
use regatta::yaml::parse_text;

#[derive(Debug)]
struct Few;

impl Scope for Few {
    fn lookup(&self, name: &str) -> Option<Binding> {
        Some(Binding::Data(match name {
            "n" => Value::Int(7),
            "f" => Value::Float(2.5),
            "s" => "text é".into(),
            "b" => true.into(),
            "l" => Value::List(vec![1.into(), "two".into(), Value::Null].into()),
            _ => return None,
        }))
    }

    fn names(&self) -> Vec<Str> {
        ["b", "f", "l", "n", "s"].map(Into::into).to_vec()
    }

    fn search_path(&self) -> &[PathBuf] {
        &[]
    }

    fn playbook_dir(&self) -> &Path {
        Path::new("/nonexistent")
    }
}

fuzz_target!(|text: &str| {
    // Lookups run commands and read files: not with texts that nobody wrote.
    let runs = ["lookup", "query", "q", "fileglob", "include", "import", "extends"];
    if runs.iter().any(|word| text.contains(word)) {
        return;
    }
    // One for all texts, as a run has it: its environment lives as long as the program.
    static ENGINE: OnceLock<(Arc<Sources>, Arc<Engine>)> = OnceLock::new();
    let (sources, engine) = ENGINE.get_or_init(|| {
        let sources = Arc::new(Sources::default());
        (Arc::clone(&sources), Engine::new(sources, Settings::default()))
    });
    let scope: Arc<dyn Scope> = Arc::new(Few);
    let node = quoted(text);
    for node in parse_text("t.yml", &node, sources).documents {
        for error in [engine.render(&node, &scope).err(), engine.expression(&node, &scope).err()] {
            if let Some(error) = error {
                let _ = render(&error.diagnostic, sources, false);
            }
        }
    }
});

/// The text as one quoted scalar.
fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}
