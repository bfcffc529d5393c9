//! Any text as an INI and as a YAML inventory, listed as `regatta inventory` lists it.
#![no_main]

use std::sync::{Arc, OnceLock};

use libfuzzer_sys::fuzz_target;
use regatta::diag::{Sources, render};
use regatta::inventory::Inventory;

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
    // A first line of `#!` would only matter for files that may be executed; these may not.
    for name in ["hosts.inv", "hosts.yml"] {
        let path = folder().join(name);
        std::fs::write(&path, text).expect("an inventory");
        let sources = Arc::new(Sources::default());
        let (inventory, diagnostics) = Inventory::load(&[path.display().to_string()], &sources);
        for diagnostic in &diagnostics {
            let _ = render(diagnostic, &sources, false);
        }
        for host in inventory.host_names().iter().take(20) {
            let _ = inventory.layers(host);
        }
    }
});
