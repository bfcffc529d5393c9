//! Any text as YAML, with its messages as people see them.
#![no_main]

use libfuzzer_sys::fuzz_target;
use regatta::diag::{Sources, render, to_json};
use regatta::yaml::parse_text;

fuzz_target!(|text: &str| {
    let sources = Sources::default();
    for diagnostic in &parse_text("t.yml", text, &sources).diagnostics {
        let _ = render(diagnostic, &sources, false);
        let _ = to_json(diagnostic, &sources);
    }
});
