//! `import_tasks` and `import_role`: what stands in their place before the run.

use std::sync::Arc;

use crate::diag::{Diagnostic, code};
use crate::value::Str;
use crate::yaml::NodeMap;

use super::call::Call;
use super::keywords;
use super::reader::{Reader, Scene};
use super::role::{Files, Use};
use super::{Common, Item};

impl Reader<'_> {
    pub(super) fn import_tasks(&mut self, call: &Call, scene: &Scene, common: &Arc<Common>) -> Vec<Item> {
        let Some((_, file)) = call.args.named.get("file") else { return Vec::new() };
        let inner = Arc::new(Common { name: None, ..Common::clone(common) });
        let Some(name) = self.name(file, scene, &inner) else { return Vec::new() };
        let path = match scene.find_tasks(&name, file.span) {
            Ok(path) => path,
            Err(missing) => {
                self.diagnostics.push(missing);
                return Vec::new();
            }
        };
        if scene.files.contains(&path) {
            let shown: Vec<String> =
                scene.files.iter().chain([&path]).map(|file| file.display().to_string()).collect();
            let wrong = Diagnostic::error(code::IMPORT_CYCLE, "these files import each other without end");
            self.diagnostics.push(wrong.at(file.span).note(shown.join(" imports ")));
            return Vec::new();
        }
        let mut inside = scene.clone();
        inside.dir = path.parent().map_or_else(|| scene.dir.clone(), Into::into);
        inside.files.push(path.clone());
        self.file_of_tasks(&path, &inside, &inner)
    }

    pub(super) fn import_role(&mut self, call: &Call, scene: &Scene, common: &Arc<Common>) -> Vec<Item> {
        let inner = Arc::new(Common { name: None, ..Common::clone(common) });
        let Some((_, node)) = call.args.named.get("name") else { return Vec::new() };
        let Some(name) = self.name(node, scene, &inner) else { return Vec::new() };
        let mut text = |key: &str| -> Option<Str> {
            let (_, node) = call.args.named.get(key)?;
            self.name(node, scene, &inner)
        };
        let files = Files {
            tasks: text("tasks_from"),
            vars: text("vars_from"),
            defaults: text("defaults_from"),
            handlers: text("handlers_from"),
        };
        let flag = |key: &str| call.args.named.get(key).and_then(|(_, node)| keywords::literal_bool(node));
        let using = Use {
            name,
            span: node.span,
            params: NodeMap::new(),
            files,
            own: "import_role".into(),
            allow_duplicates: Some(flag("allow_duplicates").unwrap_or(true)),
            public: flag("public").unwrap_or(true),
        };
        let Some(loaded) = self.role(&using, &inner, scene) else { return Vec::new() };
        self.handlers.extend(loaded.handlers);
        self.public_roles.extend(loaded.public);
        loaded.blocks
    }
}
