//! `loop`, `with_…` and `loop_control`.

use crate::diag::{Diagnostic, code};
use crate::yaml::{Node, NodeMap};

use super::inherit::{is_variable_name, items};
use super::keywords::{self, Place};
use super::{Loop, LoopControl};

/// The loop of a task, if it has one.
pub(super) fn repeat(map: &NodeMap, diagnostics: &mut Vec<Diagnostic>) -> Option<Loop> {
    let mut loops = map.iter().filter_map(|(key, (span, node))| {
        let lookup = match &**key {
            "loop" => None,
            key => Some(key.strip_prefix("with_")?.into()),
        };
        Some(Loop { lookup, over: node.clone(), span: *span })
    });
    let first = loops.next()?;
    if let Some(second) = loops.next() {
        let wrong = Diagnostic::error(code::BAD_LOOP, "a task has one loop, this one has two");
        diagnostics.push(wrong.at(second.span).label(first.span, "the first"));
    }
    if first.over.is_null() {
        let wrong = Diagnostic::error(code::BAD_LOOP, "there is nothing to loop over").at(first.span);
        diagnostics.push(wrong.help("give a list: `loop: \"{{ names }}\"`"));
    }
    Some(first)
}

/// The `loop_control` of a task.
pub(super) fn control(map: &NodeMap, diagnostics: &mut Vec<Diagnostic>) -> LoopControl {
    let Some(control) = map.get("loop_control").and_then(|(_, node)| node.as_map()) else {
        return LoopControl::default();
    };
    keywords::check(control, Place::LoopControl, &[], diagnostics);
    let own = |key: &str| control.get(key).map(|(_, node)| node).filter(|node| !node.is_null());
    let mut variable = |key: &str| {
        let node: &Node = own(key)?;
        let name = node.as_str()?;
        if !node.has_template() && !is_variable_name(name) {
            let wrong =
                Diagnostic::error(code::BAD_VARIABLE_NAME, format!("`{name}` can't be a variable's name"));
            diagnostics.push(wrong.at(node.span));
        }
        Some(name.into())
    };
    LoopControl {
        loop_var: variable("loop_var"),
        index_var: variable("index_var"),
        label: own("label").cloned(),
        pause: own("pause").cloned(),
        extended: own("extended").cloned(),
        extended_allitems: own("extended_allitems").cloned(),
        break_when: own("break_when").map(items).unwrap_or_default(),
    }
}
