//! An entry of `roles` or of a role's `dependencies`: a name, keywords, and parameters beside them.

use std::sync::Arc;

use crate::diag::{Diagnostic, code};
use crate::playbook::Common;
use crate::playbook::inherit::inherit;
use crate::playbook::keywords::{self, Place};
use crate::playbook::reader::{Reader, Scene};
use crate::yaml::{Node, NodeMap};

use super::{Files, Use};

/// Where galaxy finds a role: not a parameter.
const GALAXY: &[&str] = &["src", "scm", "version"];

impl Reader<'_> {
    /// The entries of a list of roles, each with what its tasks inherit.
    pub(in crate::playbook) fn role_entries(
        &mut self,
        list: &Node,
        outer: &Arc<Common>,
        scene: &Scene,
    ) -> Vec<(Use, Arc<Common>)> {
        if list.is_null() {
            return Vec::new();
        }
        let Some(entries) = list.as_seq() else {
            let wrong = format!("a list of roles must stand here, not {}", keywords::describe(list));
            self.diagnostics.push(Diagnostic::error(code::BAD_KEYWORD, wrong).at(list.span));
            return Vec::new();
        };
        entries.iter().filter_map(|entry| self.role_entry(entry, outer, scene)).collect()
    }

    fn role_entry(&mut self, entry: &Node, outer: &Arc<Common>, scene: &Scene) -> Option<(Use, Arc<Common>)> {
        let empty = NodeMap::new();
        let map = entry.as_map().unwrap_or(&empty);
        let named = ["role", "name", "src"].iter().find_map(|key| map.get(*key)).map(|(_, node)| node);
        let Some(node) = named.or_else(|| entry.as_str().map(|_| entry)) else {
            let wrong =
                Diagnostic::error(code::BAD_KEYWORD, "a role entry must be a name, or a mapping with `role`");
            self.diagnostics.push(wrong.at(entry.span));
            return None;
        };
        let mut params = NodeMap::new();
        for (key, value) in map {
            if keywords::replaced(key).is_some_and(|_| !matches!(&**key, "static" | "su" | "accelerate")) {
                self.diagnostics.push(keywords::unknown(key, value.0, Place::Role));
            } else if !keywords::is(key, Place::Role) && !GALAXY.contains(&&**key) {
                params.insert(key.clone(), value.clone());
            }
        }
        let skip: Vec<&str> = params.keys().map(|key| &**key).chain(GALAXY.iter().copied()).collect();
        let known: NodeMap = map
            .iter()
            .filter(|(key, _)| !skip.contains(&&***key) && keywords::replaced(key).is_none())
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        keywords::check(&known, Place::Role, &[], &mut self.diagnostics);
        let common = Common { name: None, ..inherit(&known, outer, &mut self.diagnostics) };
        let name = self.name(node, scene, &common)?;
        let own =
            ["when", "tags", "vars"].map(|key| map.get(key).map(|(_, node)| node.to_value().to_string()));
        let using = Use {
            name,
            span: node.span,
            params,
            files: Files::default(),
            own: format!("{own:?}"),
            allow_duplicates: None,
            public: true,
        };
        Some((using, Arc::new(common)))
    }
}
