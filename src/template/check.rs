//! What can be said of a template before it is run: its syntax, and whether the filters, tests, functions and lookups
//! exist.

use minijinja::machinery::ast::{Expr, Stmt};

use super::walk::children;
use super::{filters, is_tests};

/// The functions that templates can call.
pub(super) const FUNCTIONS: &[&str] =
    &["lookup", "query", "q", "range", "dict", "namespace", "now", "undef", "cycler", "joiner", "lipsum"];

/// The short names of the filters.
pub(super) fn filters() -> impl Iterator<Item = &'static str> {
    let own = ["default", "d", "mandatory"].into_iter();
    filters::FAMILIES.iter().flat_map(|(_, family)| family.iter().map(|it| it.name)).chain(own)
}

/// The short names of the tests.
pub(super) fn tests() -> impl Iterator<Item = &'static str> {
    let own = ["defined", "undefined"].into_iter();
    is_tests::FAMILIES.iter().flat_map(|(_, family)| family.iter().map(|it| it.name)).chain(own)
}

/// The names that a template itself gives values to.
pub(super) fn locals<'a>(root: &Stmt<'a>) -> Vec<&'a str> {
    let mut names = vec!["loop", "caller", "varargs", "kwargs", "self", "super"];
    collect(root, &mut names);
    names
}

fn collect<'a>(statement: &Stmt<'a>, names: &mut Vec<&'a str>) {
    match statement {
        Stmt::ForLoop(it) => target(&it.target, names),
        Stmt::Set(it) => target(&it.target, names),
        Stmt::SetBlock(it) => target(&it.target, names),
        Stmt::WithBlock(it) => it.assignments.iter().for_each(|(name, _)| target(name, names)),
        Stmt::Import(it) => target(&it.name, names),
        Stmt::FromImport(it) => {
            it.names.iter().for_each(|(name, alias)| target(alias.as_ref().unwrap_or(name), names));
        }
        Stmt::Macro(it) => {
            names.push(it.name);
            it.args.iter().for_each(|arg| target(arg, names));
        }
        Stmt::CallBlock(it) => it.macro_decl.args.iter().for_each(|arg| target(arg, names)),
        _ => {}
    }
    children(statement).for_each(|child| collect(child, names));
}

fn target<'a>(expr: &Expr<'a>, names: &mut Vec<&'a str>) {
    match expr {
        Expr::Var(it) => names.push(it.id),
        Expr::List(it) => it.items.iter().for_each(|item| target(item, names)),
        Expr::Tuple(it) => it.items.iter().for_each(|item| target(item, names)),
        _ => {}
    }
}
