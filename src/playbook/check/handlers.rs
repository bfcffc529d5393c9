//! Whether each name in `notify` is that of a handler, or of a topic that one listens to.

use crate::diag::{Diagnostic, Severity, code};
use crate::playbook::{Action, Item, Role, Task};
use crate::yaml::Node;

use super::Checker;

/// The handlers of a play.
#[derive(Default)]
pub(super) struct Known {
    /// Names as `notify` may write them, and topics.
    names: Vec<String>,
    /// What stands before and after the template in names that hold one.
    patterns: Vec<(String, String)>,
    /// There may be handlers that are known only when it runs.
    pub open: bool,
}

impl Known {
    /// Adds handlers. An include among them brings others later.
    pub(super) fn add(&mut self, items: &[Item]) {
        for item in items {
            match item {
                Item::Block(block) => self.add(&block.body),
                Item::Task(task) => self.add_handler(task),
            }
        }
    }

    /// Adds the handlers of the roles whose blocks are among the items.
    pub(super) fn add_roles(&mut self, items: &[Item]) {
        for item in items {
            if let Item::Block(block) = item {
                if let Some(role) = &block.role {
                    self.add(&role.handlers);
                }
                [&block.body, &block.rescue, &block.always]
                    .into_iter()
                    .for_each(|items| self.add_roles(items));
            }
        }
    }

    fn add_handler(&mut self, task: &Task) {
        if matches!(task.action, Action::IncludeTasks | Action::IncludeRole) {
            let literal = task.args.named.get("file").is_some_and(|(_, node)| !node.has_template());
            self.open |= !literal;
        }
        let roles = task.role.as_deref().map(prefixes).unwrap_or_default();
        if let Some(name) = &task.common.name {
            let text = name.to_value().to_string();
            for role in &roles {
                self.add_name(name, &format!("{role} : {text}"));
            }
            self.add_name(name, &text);
        }
        for topic in &task.listen {
            self.add_name(topic, &topic.to_value().to_string());
        }
    }

    fn add_name(&mut self, node: &Node, text: &str) {
        if !node.has_template() {
            self.names.push(text.to_owned());
            return;
        }
        let before = text.split("{{").next().unwrap_or_default();
        let after = text.rsplit("}}").next().unwrap_or_default();
        self.patterns.push((before.to_owned(), after.to_owned()));
    }

    fn has(&self, name: &str) -> bool {
        self.names.iter().any(|known| known == name)
            || self.patterns.iter().any(|(before, after)| name.starts_with(before) && name.ends_with(after))
    }
}

/// What may stand before a role's handler: its name, and its full one.
fn prefixes(role: &Role) -> Vec<String> {
    let full = role.collection.as_ref().map(|collection| format!("{collection}.{}", role.name));
    std::iter::once(role.name.to_string()).chain(full).collect()
}

impl Checker<'_> {
    /// Reports names that no handler has. To be called when all tasks were looked at.
    pub(super) fn check_notified(&mut self) {
        if self.handlers.open {
            return;
        }
        for (node, _, severity) in std::mem::take(&mut self.notified) {
            let Some(name) = node.as_str().filter(|_| !node.has_template()) else { continue };
            if self.handlers.has(name) {
                continue;
            }
            let wrong = Diagnostic::error(code::UNKNOWN_HANDLER, format!("there is no handler `{name}`"));
            let mut wrong = wrong.at(node.span).suggest(name, self.handlers.names.iter().map(String::as_str));
            if severity == Severity::Warning {
                wrong.severity = severity;
            }
            self.found.push(wrong);
        }
    }
}
