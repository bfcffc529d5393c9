//! Any text as a host pattern and as a limit.
#![no_main]

use std::sync::{Arc, OnceLock};

use libfuzzer_sys::fuzz_target;
use regatta::diag::Sources;
use regatta::inventory::Inventory;

fn inventory() -> &'static Inventory {
    static INVENTORY: OnceLock<Inventory> = OnceLock::new();
    INVENTORY
        .get_or_init(|| Inventory::load(&["web[1:9],db[a:c],é".to_owned()], &Arc::new(Sources::default())).0)
}

fuzz_target!(|pattern: &str| {
    let _ = inventory().select(pattern);
    // A limit may name a file; those of this machine say nothing about patterns.
    if !pattern.contains('@') {
        let _ = inventory().limit(pattern);
    }
});
