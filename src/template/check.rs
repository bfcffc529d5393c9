//! What can be said of a template before it is run: its syntax, and whether the filters, tests, functions and lookups
//! exist.

use std::ops::Range;

use minijinja::machinery::ast::{Call, CallArg, CallType, Expr, Stmt};
use minijinja::machinery::{parse, parse_expr};

use crate::diag::{Diagnostic, code};
use crate::yaml::{Kind, Node, Tag};

use super::context::has_template;
use super::engine::Engine;
use super::walk::{children, each_call, each_expression, each_part};
use super::{blame, env, filters, foreign, is_tests, lookups, methods};

/// The functions that templates can call.
pub(super) const FUNCTIONS: &[&str] = &["lookup", "query", "q", "range", "dict", "namespace", "now", "undef"];

/// The short names of the filters.
pub fn filter_names() -> impl Iterator<Item = &'static str> {
    let own = ["default", "d", "mandatory"].into_iter();
    filters::FAMILIES.iter().flat_map(|(_, family)| family.iter().map(|it| it.name)).chain(own)
}

/// The short names of the tests.
pub fn test_names() -> impl Iterator<Item = &'static str> {
    let own = ["defined", "undefined"].into_iter();
    is_tests::FAMILIES.iter().flat_map(|(_, family)| family.iter().map(|it| it.name)).chain(own)
}

impl Engine {
    /// What is wrong with the templates in a node, however deep.
    #[must_use]
    pub fn check_template(&self, node: &Node) -> Vec<Diagnostic> {
        let mut found = Vec::new();
        self.check_node(node, &mut found);
        found
    }

    /// What is wrong with a condition, or with each of a list of them.
    #[must_use]
    pub fn check_condition(&self, node: &Node) -> Vec<Diagnostic> {
        match &node.kind {
            Kind::Seq(items) => items.iter().flat_map(|item| self.check_condition(item)).collect(),
            Kind::Str(text) if !has_template(text) && !text.trim().is_empty() => {
                let mut checker = Checker { engine: self, node, text, found: Vec::new() };
                match parse_expr(text) {
                    Ok(root) => each_part(&root, &mut |expr| checker.expression(expr, None)),
                    Err(error) => checker.syntax(&error),
                }
                checker.found
            }
            _ => self.check_template(node),
        }
    }

    fn check_node(&self, node: &Node, found: &mut Vec<Diagnostic>) {
        if node.tag == Some(Tag::Unsafe) || node.tag == Some(Tag::Vault) {
            return;
        }
        match &node.kind {
            Kind::Str(text) if has_template(text) => {
                let mut checker = Checker { engine: self, node, text, found: Vec::new() };
                match parse(text, "", env::inline_syntax()) {
                    Ok(root) => {
                        let locals = locals(&root);
                        each_expression(&root, &mut |expr| checker.expression(expr, Some(&locals)));
                        each_call(&root, &mut |call| checker.call(call, Some(&locals)));
                    }
                    Err(error) => checker.syntax(&error),
                }
                found.append(&mut checker.found);
            }
            Kind::Seq(items) => items.iter().for_each(|item| self.check_node(item, found)),
            Kind::Map(map) => map.values().for_each(|(_, node)| self.check_node(node, found)),
            _ => {}
        }
    }

    fn knows(&self, what: &str, name: &str) -> bool {
        // Asking never fails: the two tests are minijinja's own.
        self.environment().empty_state().perform_test(what, &[name.into()]).unwrap_or(true)
    }
}

/// Checks one text.
struct Checker<'a> {
    engine: &'a Engine,
    node: &'a Node,
    text: &'a str,
    found: Vec<Diagnostic>,
}

impl Checker<'_> {
    fn syntax(&mut self, error: &minijinja::Error) {
        let error = blame::syntax(error, self.text, 0, self.node.span, &self.engine.sources);
        self.found.push(*error.diagnostic);
    }

    fn report(&mut self, diagnostic: Diagnostic, range: Range<usize>) {
        let place = blame::locate(&self.engine.sources, self.node.span, self.text, range);
        let diagnostic = Diagnostic { labels: vec![(place, String::new())], ..diagnostic };
        if !self.found.contains(&diagnostic) {
            self.found.push(diagnostic);
        }
    }

    /// `locals`: the names that the template gives values to; none where it can't.
    fn expression(&mut self, expr: &Expr<'_>, locals: Option<&[&str]>) {
        let start = expr.span().start_offset as usize;
        match expr {
            Expr::Filter(it) => {
                self.filter(it.name, start..start + it.name.len());
                let first = it.args.first().and_then(constant);
                match (super::rewrite::short(it.name), first) {
                    ("map", Some((name, range))) => self.filter(&name, range),
                    ("select" | "reject", Some((name, range))) => self.test(&name, range),
                    ("selectattr" | "rejectattr", _) => {
                        if let Some((name, range)) = it.args.get(1).and_then(constant) {
                            self.test(&name, range);
                        }
                    }
                    _ => {}
                }
            }
            Expr::Test(it) => self.test(it.name, start..start + it.name.len()),
            Expr::Call(it) => self.call(it, locals),
            Expr::Var(it) => {
                if let Some(name) = it.id.strip_prefix("ansible_") {
                    self.fact(name, start..start + it.id.len());
                }
            }
            Expr::GetAttr(it) if is_facts(&it.expr) => {
                let end = expr.span().end_offset as usize;
                self.fact(it.name, end.saturating_sub(it.name.len())..end);
            }
            Expr::GetItem(it) if is_facts(&it.expr) => {
                if let Some((name, range)) = literal(&it.subscript_expr) {
                    self.fact(&name, range);
                }
            }
            _ => {}
        }
    }

    /// A fact that is never there.
    fn fact(&mut self, name: &str, range: Range<usize>) {
        if let Some(reason) = foreign::reason(name) {
            let message = format!("nothing here gathers the fact `{name}`");
            self.report(Diagnostic::warning(code::UNKNOWN_FACT, message).help(reason), range);
        }
    }

    fn filter(&mut self, name: &str, range: Range<usize>) {
        if !self.engine.knows("filter", name) {
            let unknown = self.engine.settings.plugins.explain(super::rewrite::short(name), no_filter(name));
            self.report(unknown, range);
        }
    }

    fn test(&mut self, name: &str, range: Range<usize>) {
        if !self.engine.knows("test", name) {
            let unknown = self.engine.settings.plugins.explain(super::rewrite::short(name), no_test(name));
            self.report(unknown, range);
        }
    }

    fn call(&mut self, call: &Call<'_>, locals: Option<&[&str]>) {
        let name = match call.identify_call() {
            CallType::Function(name) => name,
            CallType::Method(object, name) => return self.method(object, name, call, locals),
            _ => return,
        };
        if matches!(name, "lookup" | "query" | "q")
            && let Some((lookup, range)) = call.args.first().and_then(constant)
            && lookups::find(&lookup).is_none()
        {
            self.report(self.engine.settings.plugins.explain(&lookup, lookups::unknown(&lookup)), range);
        }
        let known = self.engine.environment().globals().any(|(global, _)| global == name)
            || locals.is_some_and(|locals| locals.contains(&name));
        // Other files may bring macros along.
        if !known && !["include", "import", "extends"].iter().any(|word| self.text.contains(word)) {
            let start = call.expr.span().start_offset as usize;
            self.report(no_function(name), start..start + name.len());
        }
    }
}

impl Checker<'_> {
    /// A method that nothing has. What a template names itself may be a file's macros, which have any names.
    fn method(&mut self, object: &Expr<'_>, name: &str, call: &Call<'_>, locals: Option<&[&str]>) {
        let own = root(object).is_some_and(|root| locals.is_some_and(|locals| locals.contains(&root)));
        if own || methods::exists(name) {
            return;
        }
        let end = call.expr.span().end_offset as usize;
        let message = format!("nothing has a method `{name}`");
        let diagnostic = Diagnostic::error(code::UNKNOWN_METHOD, message).suggest(name, methods::names());
        self.report(diagnostic, end.saturating_sub(name.len())..end);
    }
}

/// The variable at the front of `a.b[c].d()`.
fn root<'a>(expr: &Expr<'a>) -> Option<&'a str> {
    match expr {
        Expr::Var(it) => Some(it.id),
        Expr::GetAttr(it) => root(&it.expr),
        Expr::GetItem(it) => root(&it.expr),
        _ => None,
    }
}

fn is_facts(expr: &Expr<'_>) -> bool {
    matches!(expr, Expr::Var(it) if it.id == "ansible_facts")
}

/// A literal text, and where it is between its quotes.
fn constant(arg: &CallArg<'_>) -> Option<(String, Range<usize>)> {
    let CallArg::Pos(expr) = arg else { return None };
    literal(expr)
}

fn literal(expr: &Expr<'_>) -> Option<(String, Range<usize>)> {
    let Expr::Const(it) = expr else { return None };
    let span = it.span();
    let name = it.value.as_str()?.to_owned();
    Some((name, span.start_offset as usize + 1..(span.end_offset as usize).saturating_sub(1)))
}

/// That there is no such filter.
pub(super) fn no_filter(name: &str) -> Diagnostic {
    let short = super::rewrite::short(name);
    Diagnostic::error(code::UNKNOWN_FILTER, format!("there is no filter `{name}`"))
        .suggest(short, filter_names())
}

/// That there is no such test.
pub(super) fn no_test(name: &str) -> Diagnostic {
    let short = super::rewrite::short(name);
    Diagnostic::error(code::UNKNOWN_TEST, format!("there is no test `{name}`")).suggest(short, test_names())
}

/// That there is no such function.
pub(super) fn no_function(name: &str) -> Diagnostic {
    Diagnostic::error(code::UNKNOWN_FUNCTION, format!("there is no function `{name}`"))
        .suggest(name, FUNCTIONS.iter().copied())
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
