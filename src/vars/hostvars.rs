//! `hostvars`: every host's inventory variables, facts, registered results and `set_fact`; not those of plays, roles
//! and tasks.

use std::sync::Arc;

use super::TaskScope;
use crate::template::{Binding, LazyMap, Scope};
use crate::value::Str;

/// All hosts.
#[derive(Debug)]
pub(super) struct HostVars(pub(super) TaskScope);

impl LazyMap for HostVars {
    fn get(&self, key: &str) -> Option<Binding> {
        let known = self.0.moment.inventory.contains(key) || self.0.moment.hosts.contains_key(key);
        known.then(|| Binding::Lazy(Arc::new(OneHost(Arc::new(self.0.of_host(&Str::from(key)))))))
    }

    fn keys(&self) -> Vec<Str> {
        self.0.moment.inventory.host_names()
    }
}

/// One host.
#[derive(Debug)]
struct OneHost(Arc<TaskScope>);

impl LazyMap for OneHost {
    fn get(&self, key: &str) -> Option<Binding> {
        self.0.lookup(key)
    }

    fn keys(&self) -> Vec<Str> {
        self.0.names().into_iter().filter(|name| !matches!(&**name, "hostvars" | "vars")).collect()
    }

    fn scope(&self) -> Option<Arc<dyn Scope>> {
        Some(self.0.clone())
    }
}
