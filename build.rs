//! Names this build: a hash over what controller and worker share, so that only equal builds talk to each other.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

fn collect(path: &Path, files: &mut BTreeMap<String, Vec<u8>>) {
    if path.is_dir() {
        for entry in fs::read_dir(path).into_iter().flatten().flatten() {
            collect(&entry.path(), files);
        }
    } else if let Ok(bytes) = fs::read(path) {
        files.insert(path.to_string_lossy().into_owned(), bytes);
    }
}

fn main() {
    let mut files = BTreeMap::new();
    for shared in [
        "src/value",
        "src/outcome.rs",
        "src/pattern.rs",
        "src/proto",
        "src/modules",
        "src/facts",
        "src/worker",
        "Cargo.lock",
    ] {
        println!("cargo::rerun-if-changed={shared}");
        collect(Path::new(shared), &mut files);
    }
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    // A worker to carry inside the controller, for controllers that run where it can't stand beside them.
    println!("cargo::rerun-if-env-changed=REGATTA_EMBED_WORKER");
    println!("cargo::rustc-check-cfg=cfg(regatta_embedded_worker)");
    if std::env::var_os("REGATTA_EMBED_WORKER").is_some_and(|path| !path.is_empty()) {
        println!("cargo::rustc-cfg=regatta_embedded_worker");
    }
    // A static program relocates itself when it starts: packed, that table takes a hundredth of the space.
    if std::env::var("CARGO_CFG_TARGET_ENV").is_ok_and(|it| it == "gnu") {
        println!("cargo::rustc-link-arg-bins=-Wl,-z,pack-relative-relocs");
    }
    // Which tests can run here: `scripts/test` finds out. The others are listed as ignored.
    for variable in ["REGATTA_ENGINE", "REGATTA_HOSTS", "REGATTA_K8S"] {
        let name = variable.to_lowercase();
        println!("cargo::rerun-if-env-changed={variable}");
        println!("cargo::rustc-check-cfg=cfg({name})");
        if std::env::var_os(variable).is_some_and(|value| !value.is_empty()) {
            println!("cargo::rustc-cfg={name}");
        }
    }
    println!("cargo::rustc-env=REGATTA_BUILD={:016x}", hasher.finish());
}
