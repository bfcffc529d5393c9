//! Any text as a playbook: loaded with what it imports, every message rendered.
#![no_main]

use std::path::Path;
use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use regatta::diag::{Diagnostic, Sources, render};
use regatta::playbook::{LoadOptions, Loader, Names};
use regatta::value::Str;
use regatta::yaml::{Node, NodeMap};

/// Leaves templates as they are.
struct Plain;

impl Names for Plain {
    fn text(&self, node: &Node, _vars: &NodeMap) -> Result<Str, Diagnostic> {
        Ok(node.as_str().unwrap_or_default().into())
    }
}

fuzz_target!(|text: &str| {
    let sources = Arc::new(Sources::default());
    let options = LoadOptions::standard(Path::new("/nonexistent"));
    let loader = Loader::new(Arc::clone(&sources), options, Arc::new(Plain));
    let (_, diagnostics) = loader.text("/nonexistent/playbook.yml", text);
    for diagnostic in &diagnostics {
        let _ = render(diagnostic, &sources, false);
    }
});
