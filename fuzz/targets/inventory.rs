//! Any text as an INI and as a YAML inventory, listed as `regatta inventory` lists it.
#![no_main]

use std::sync::{Arc, OnceLock};

use libfuzzer_sys::fuzz_target;
use regatta::diag::{Sources, render};
use regatta::inventory::Inventory;
use regatta::template::{Engine, Settings};

/// A folder for this process.
fn folder() -> &'static std::path::Path {
    static FOLDER: OnceLock<std::path::PathBuf> = OnceLock::new();
    FOLDER.get_or_init(|| {
        let folder = std::env::temp_dir().join(format!("fuzz-inventory-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder for inventories");
        folder
    })
}

fuzz_target!(|text: &str| {
    // `constructed` has templates, and lookups run commands and read files: not with texts that nobody wrote.
    if ["lookup", "query", "q", "fileglob"].iter().any(|word| text.contains(word)) && text.contains("plugin")
    {
        return;
    }
    // One for all texts, as a run has it: its environment lives as long as the program.
    static ENGINE: OnceLock<(Arc<Sources>, Arc<Engine>)> = OnceLock::new();
    let (sources, engine) = ENGINE.get_or_init(|| {
        let sources = Arc::new(Sources::default());
        let engine = Engine::new(sources.clone(), Settings::default());
        (sources, engine)
    });
    // A first line of `#!` would only matter for files that may be executed; these may not.
    for name in ["hosts.inv", "hosts.yml"] {
        let path = folder().join(name);
        std::fs::write(&path, text).expect("an inventory");
        let (inventory, diagnostics) = Inventory::load_with(&[path.display().to_string()], sources, engine);
        for diagnostic in &diagnostics {
            let _ = render(diagnostic, sources, false);
        }
        for host in inventory.host_names().iter().take(20) {
            let _ = inventory.layers(host);
        }
    }
});
