//! The handlers of a play: what a notified name stands for.

use std::sync::Arc;

use crate::playbook::{Item, Task};
use crate::value::Str;

/// One handler and what it answers to.
#[derive(Debug)]
struct Handler {
    name: Option<Str>,
    role: Option<Str>,
    listen: Vec<Str>,
    /// Which list it came with: of equal names the list that was loaded last counts, in it the first.
    list: usize,
}

/// All handlers in the order in which they run.
#[derive(Debug, Default)]
pub(super) struct Handlers {
    items: Arc<Vec<Item>>,
    known: Vec<Handler>,
    lists: usize,
}

impl Handlers {
    /// Adds a list. `render` makes text of names and topics.
    pub(super) fn add(&mut self, items: &[Item], render: &dyn Fn(&Task, &crate::yaml::Node) -> Vec<Str>) {
        self.lists += 1;
        for item in items {
            let Item::Task(task) = item else {
                if let Item::Block(block) = item {
                    self.add(&block.body, render);
                }
                continue;
            };
            let name = task.common.name.as_ref().and_then(|node| render(task, node).into_iter().next());
            let listen = task.listen.iter().flat_map(|node| render(task, node)).collect();
            let role = task.role.as_ref().map(|role| role.name.clone());
            // A play's handlers come as one list; in it those of each role are a list of their own.
            if self.known.last().is_some_and(|last| last.role != role) {
                self.lists += 1;
            }
            self.known.push(Handler { name, role, listen, list: self.lists });
            Arc::make_mut(&mut self.items).push(item.clone());
        }
    }

    /// The list that a host works through; an index is a place in it.
    pub(super) fn items(&self) -> Arc<Vec<Item>> {
        self.items.clone()
    }

    /// The handlers that a name or topic stands for.
    pub(super) fn find(&self, wanted: &str) -> Vec<usize> {
        let (role, bare) = match wanted.split_once(" : ") {
            Some((role, bare)) => (Some(role.trim()), bare.trim()),
            None => (None, wanted),
        };
        let matches = |handler: &Handler| {
            let full = handler.name.as_deref() == Some(wanted);
            let in_role =
                role.is_some() && handler.role.as_deref() == role && handler.name.as_deref() == Some(bare);
            full || in_role
        };
        let named = self.known.iter().enumerate().filter(|(_, handler)| matches(handler));
        // Of equal names the last list wins, in it the first.
        let best = named
            .max_by_key(|(index, handler)| (handler.list, std::cmp::Reverse(*index)))
            .map(|(index, _)| index);
        let topics = self
            .known
            .iter()
            .enumerate()
            .filter(|(_, handler)| handler.listen.iter().any(|l| &**l == wanted));
        let mut found: Vec<usize> = best.into_iter().chain(topics.map(|(index, _)| index)).collect();
        found.sort_unstable();
        found.dedup();
        found
    }

    /// Names and topics, for suggestions.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.known.iter().flat_map(|handler| handler.name.iter().chain(&handler.listen)).map(|name| &**name)
    }

    /// Whether there are any.
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }
}
