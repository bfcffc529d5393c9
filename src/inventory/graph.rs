//! Hosts and groups, how they contain each other, and which group's variables win.
//!
//! The sources (`ini`, `yaml`, `script`) and the run (`add_host`) fill it in; [`Graph::settle`] puts every host and
//! group under `all`. Variables from `group_vars` and `host_vars` are not here, but in `dirs`.

use std::path::Path;
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use crate::template::Binding;
use crate::value::{Str, Value};
use crate::yaml::{Kind, Node};

/// Variables from one place.
#[derive(Clone, Debug, Default)]
pub struct VarLayer {
    /// Where they come from, for people: a file, or "inventory group web".
    pub origin: Str,
    /// The variables, in the order of the source.
    pub vars: IndexMap<Str, Binding>,
}

/// A host of the inventory.
#[derive(Clone, Debug)]
pub struct Host {
    /// Its name.
    pub name: Str,
    /// The variables that stand beside it in the inventory.
    pub vars: Arc<VarLayer>,
    /// The groups that hold it directly.
    pub groups: IndexSet<Str>,
    /// The source that named it first; none for hosts that are added while running.
    pub source: Option<Arc<Path>>,
}

/// A group of the inventory.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: Str,
    /// The variables that the inventory's own files give it.
    pub vars: Arc<VarLayer>,
    /// The groups that it contains.
    pub children: IndexSet<Str>,
    /// The groups that contain it.
    pub parents: IndexSet<Str>,
    /// The hosts that it holds directly.
    pub hosts: IndexSet<Str>,
    /// `ansible_group_priority`: among groups of the same depth, the higher one wins.
    pub priority: i64,
    /// How far below `all` it is, by the longest way.
    pub depth: u32,
}

/// All hosts and groups.
#[derive(Clone, Debug)]
pub(super) struct Graph {
    pub hosts: IndexMap<Str, Host>,
    pub groups: IndexMap<Str, Group>,
}

impl Graph {
    pub(super) fn new() -> Graph {
        let mut graph = Graph { hosts: IndexMap::new(), groups: IndexMap::new() };
        graph.add_group("all");
        graph.add_group("ungrouped");
        graph.link("all", "ungrouped");
        graph
    }

    /// The group of that name, made if it is not there.
    pub(super) fn add_group(&mut self, name: &str) -> &mut Group {
        self.groups.entry(Str::from(name)).or_insert_with(|| Group {
            name: name.into(),
            vars: Arc::new(VarLayer {
                origin: format!("inventory group {name}").into(),
                ..VarLayer::default()
            }),
            children: IndexSet::new(),
            parents: IndexSet::new(),
            hosts: IndexSet::new(),
            priority: 1,
            depth: 0,
        })
    }

    /// Adds a host to a group, making both if they are not there.
    pub(super) fn add_host(&mut self, name: &Str, group: &str, source: Option<&Arc<Path>>) -> &mut Host {
        let group = self.add_group(group);
        group.hosts.insert(name.clone());
        let group = group.name.clone();
        let host = self.hosts.entry(name.clone()).or_insert_with(|| Host {
            name: name.clone(),
            vars: Arc::new(VarLayer {
                origin: format!("inventory host {name}").into(),
                ..VarLayer::default()
            }),
            groups: IndexSet::new(),
            source: source.cloned(),
        });
        host.groups.insert(group);
        host
    }

    /// Makes a group contain another, making both if they are not there. False if that would close a circle.
    pub(super) fn add_child(&mut self, parent: &str, child: &str) -> bool {
        self.add_group(parent);
        self.add_group(child);
        if parent == child || self.descendants(child).iter().any(|it| &***it == parent) {
            return false;
        }
        self.link(parent, child);
        true
    }

    fn link(&mut self, parent: &str, child: &str) {
        if let Some(group) = self.groups.get_mut(parent) {
            group.children.insert(child.into());
        }
        if let Some(group) = self.groups.get_mut(child) {
            group.parents.insert(parent.into());
        }
    }

    /// Sets a group's variable; `ansible_group_priority` is not one.
    pub(super) fn set_group_var(&mut self, group: &str, name: &Str, value: Binding) {
        let group = self.add_group(group);
        if &**name == "ansible_group_priority" {
            group.priority = whole(&value).unwrap_or(group.priority);
        } else {
            Arc::make_mut(&mut group.vars).vars.insert(name.clone(), value);
        }
    }

    /// A group and all below it, level by level.
    pub(super) fn descendants(&self, group: &str) -> IndexSet<&Str> {
        let mut found: IndexSet<&Str> = self.groups.get(group).map(|group| &group.name).into_iter().collect();
        let mut at = 0;
        while let Some(group) = found.get_index(at).and_then(|name| self.groups.get(*name)) {
            found.extend(&group.children);
            at += 1;
        }
        found
    }

    /// All hosts in a group and in the groups below it.
    pub(super) fn hosts_in(&self, group: &str) -> IndexSet<Str> {
        let groups = self.descendants(group).into_iter().filter_map(|name| self.groups.get(name));
        groups.flat_map(|group| group.hosts.iter().cloned()).collect()
    }

    /// The groups that hold a host, directly or not, without `all`: the later ones win.
    pub(super) fn groups_above(&self, direct: &IndexSet<Str>) -> Vec<&Group> {
        let mut found: IndexSet<&Str> = direct.iter().collect();
        let mut at = 0;
        while let Some(name) = found.get_index(at) {
            if let Some(group) = self.groups.get(*name) {
                found.extend(&group.parents);
            }
            at += 1;
        }
        let mut groups: Vec<&Group> = found.into_iter().filter_map(|name| self.groups.get(name)).collect();
        groups.retain(|group| &*group.name != "all");
        groups.sort_by(|a, b| (a.depth, a.priority, &a.name).cmp(&(b.depth, b.priority, &b.name)));
        groups
    }

    /// Puts groups without a parent under `all`, hosts without a group into `ungrouped`, and measures depths.
    pub(super) fn settle(&mut self) {
        let orphans: Vec<Str> = self
            .groups
            .values()
            .filter(|group| group.parents.is_empty() && &*group.name != "all")
            .map(|group| group.name.clone())
            .collect();
        for name in orphans {
            self.link("all", &name);
        }
        let Graph { hosts, groups } = self;
        let Some(ungrouped) = groups.get_mut("ungrouped") else { return };
        for host in hosts.values_mut() {
            let is_grouped = host.groups.iter().any(|group| !matches!(&**group, "all" | "ungrouped"));
            if !is_grouped {
                ungrouped.hosts.insert(host.name.clone());
                host.groups.insert(ungrouped.name.clone());
            } else if host.groups.shift_remove("ungrouped") {
                ungrouped.hosts.shift_remove(&host.name);
            }
        }
        self.measure();
    }

    /// Sets the depths: the longest way from `all`.
    fn measure(&mut self) {
        let mut level: IndexSet<Str> = IndexSet::from(["all".into()]);
        // There are no circles, so that the longest way has fewer steps than there are groups.
        for depth in 0..=u32::try_from(self.groups.len()).unwrap_or(u32::MAX) {
            let mut next = IndexSet::new();
            for name in &level {
                if let Some(group) = self.groups.get_mut(name) {
                    group.depth = depth;
                    next.extend(group.children.iter().cloned());
                }
            }
            if next.is_empty() {
                return;
            }
            level = next;
        }
    }
}

fn whole(value: &Binding) -> Option<i64> {
    let number = match value {
        Binding::Source(Node { kind: Kind::Int(number), .. }) | Binding::Data(Value::Int(number)) => {
            return Some(*number);
        }
        Binding::Source(node) => node.as_str()?.trim().parse(),
        Binding::Data(value) => value.as_str()?.trim().parse(),
        Binding::Lazy(_) => return None,
    };
    number.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn graph(edges: &[(&str, &str)], hosts: &[(&str, &str)]) -> Graph {
        let mut graph = Graph::new();
        for (parent, child) in edges {
            assert!(graph.add_child(parent, child), "{parent} {child}");
        }
        for (host, group) in hosts {
            graph.add_host(&Str::from(*host), group, None);
        }
        graph.settle();
        graph
    }

    fn above(graph: &Graph, host: &str) -> Vec<String> {
        graph.groups_above(&graph.hosts[host].groups).iter().map(|group| group.name.to_string()).collect()
    }

    #[test]
    fn deeper_groups_win_then_priority_then_the_name() {
        let mut graph =
            graph(&[("top", "mid"), ("mid", "low"), ("top", "low")], &[("h", "low"), ("h", "b"), ("h", "a")]);
        assert_eq!(above(&graph, "h"), ["a", "b", "top", "mid", "low"]);
        assert_eq!(graph.groups["low"].depth, 3);
        graph.set_group_var("a", &"ansible_group_priority".into(), Binding::Data(10.into()));
        assert_eq!(above(&graph, "h"), ["b", "top", "a", "mid", "low"]);
        assert!(graph.groups["a"].vars.vars.is_empty());
    }

    #[test]
    fn hosts_without_a_group_are_ungrouped_and_all_are_in_all() {
        let graph = graph(&[], &[("a", "all"), ("b", "ungrouped"), ("c", "web"), ("c", "ungrouped")]);
        let names = |group: &str| graph.hosts_in(group).iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names("ungrouped"), ["b", "a"]);
        assert_eq!(names("all"), ["a", "b", "c"]);
        assert_eq!(above(&graph, "a"), ["ungrouped"]);
        assert_eq!(above(&graph, "c"), ["web"]);
    }

    #[test]
    fn circles_are_refused() {
        let mut graph = graph(&[("a", "b"), ("b", "c")], &[]);
        assert!(!graph.add_child("c", "a"));
        assert!(!graph.add_child("a", "a"));
        assert!(graph.add_child("a", "c"));
    }
}
