//! What the loader and the static checks need of templates: names known at loading, and a look at every template.

use std::sync::Arc;

use crate::diag::Diagnostic;
use crate::playbook::{Names, TemplateCheck};
use crate::template::{Binding, Engine, Known, Scope};
use crate::value::{Map, Str};
use crate::vars::Bindings;
use crate::yaml::{Node, NodeMap};

/// Templates as the loader may use them: with extra variables and those in reach.
pub(super) struct Templates {
    pub(super) engine: Arc<Engine>,
    pub(super) extra: Bindings,
    pub(super) fixed: Map,
}

impl Names for Templates {
    fn text(&self, node: &Node, vars: &NodeMap) -> Result<Str, Diagnostic> {
        let mut known = Bindings::new();
        known.extend(self.fixed.iter().map(|(name, value)| (name.clone(), Binding::Data(value.clone()))));
        known.extend(vars.iter().map(|(name, (_, node))| (name.clone(), Binding::Source(node.clone()))));
        known.extend(self.extra.iter().map(|(name, binding)| (name.clone(), binding.clone())));
        let scope: Arc<dyn Scope> = Arc::new(Known(known));
        self.engine.text(node, &scope).map(Str::from).map_err(|error| *error.diagnostic)
    }
}

impl TemplateCheck for Templates {
    fn template(&self, node: &Node) -> Vec<Diagnostic> {
        self.engine.check_template(node)
    }

    fn condition(&self, node: &Node) -> Vec<Diagnostic> {
        self.engine.check_condition(node)
    }

    fn lookup(&self, name: &str) -> Option<Diagnostic> {
        crate::template::lookups::find(name).is_none().then(|| crate::template::lookups::unknown(name))
    }
}
