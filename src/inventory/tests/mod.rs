//! Tests of the inventory, by subject. Expected values were compared with ansible-core 2.18.

mod constructed;
mod layers;
mod printed;
mod sources;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::Inventory;
use crate::diag::{Diagnostic, Sources};
use crate::template::Binding;
use crate::value::{Map, Value};

/// A folder with files for a test.
struct Files(tempfile::TempDir);

impl Files {
    fn new(files: &[(&str, &str)]) -> Files {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Files(dir)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn make_executable(&self, name: &str) {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(self.path(name), std::fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn load(&self, names: &[&str]) -> (Inventory, Vec<Diagnostic>, Arc<Sources>) {
        let registry = Arc::new(Sources::default());
        let sources: Vec<String> =
            names.iter().map(|name| self.path(name).to_string_lossy().into_owned()).collect();
        let (inventory, diagnostics) = Inventory::load(&sources, &registry);
        (inventory, diagnostics, registry)
    }

    /// An inventory without any message.
    fn inventory(&self, names: &[&str]) -> Inventory {
        let (inventory, diagnostics, _) = self.load(names);
        assert!(diagnostics.is_empty(), "{diagnostics:?}");
        inventory
    }
}

/// The inventory that one INI text is.
fn ini(text: &str) -> Inventory {
    Files::new(&[("hosts", text)]).inventory(&["hosts"])
}

fn value(binding: &Binding) -> Value {
    match binding {
        Binding::Source(node) => node.to_value(),
        Binding::Data(value) => value.clone(),
        Binding::Lazy(_) => panic!("inventories have no such variables"),
    }
}

/// The variables of a host as they win, not rendered.
fn vars(inventory: &Inventory, host: &str) -> Map {
    let layers = inventory.layers(host);
    let all = layers.iter().flat_map(|layer| layer.vars.iter());
    all.map(|(name, binding)| (name.clone(), value(binding))).collect()
}

fn names<'a>(items: impl IntoIterator<Item = &'a crate::value::Str>) -> String {
    items.into_iter().map(AsRef::as_ref).collect::<Vec<_>>().join(" ")
}

fn show(path: Option<&Path>) -> String {
    path.and_then(Path::file_name).map(|it| it.to_string_lossy().into_owned()).unwrap_or_default()
}
