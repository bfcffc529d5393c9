//! The small edits that make a template mean in minijinja what it means in Ansible.
//!
//! Most templates need none. Edited are: access below something that may be undefined where that is allowed
//! (`a.b.c | default(x)`), `%` (which also formats text), `-` (which also tells dates apart), `<` and its like (which refuse to compare text with numbers),
//! and lists and mappings that a template changes in place (`x.append(1)`). The edits are made in the text, at the places that the parser gives, so that included files get
//! them too. `program` and `files` call this.

use std::ops::Range;

use minijinja::Error;
use minijinja::machinery::ast::{BinOpKind, Call, CallArg, CallType, Expr, Spanned, Stmt};
use minijinja::machinery::{parse, parse_expr};
use minijinja::syntax::SyntaxConfig;

use super::walk::{children, each_call, each_expression, each_part};

/// Filters whose input may be undefined.
pub(super) const LENIENT_FILTERS: &[&str] =
    &["default", "d", "mandatory", "ternary", "select", "reject", "type_debug", "first", "last"];

/// Tests whose input may be undefined.
const LENIENT_TESTS: &[&str] = &[
    "defined",
    "undefined",
    "none",
    "string",
    "mapping",
    "number",
    "integer",
    "float",
    "boolean",
    "sequence",
    "sameas",
    "callable",
    "true",
    "false",
];

/// Methods that change what they are called on.
const MUTATORS: &[&str] = &[
    "append",
    "extend",
    "insert",
    "pop",
    "remove",
    "update",
    "setdefault",
    "clear",
    "sort",
    "reverse",
    "popitem",
    "__setitem__",
    "__delitem__",
    "add",
];

/// The edits of a text, in order of place.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    /// The text with the edits made.
    pub(super) fn apply(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len() + 32 * self.0.len());
        let mut at = 0;
        for (range, new) in &self.0 {
            out.push_str(text.get(at..range.start).unwrap_or_default());
            out.push_str(new);
            at = range.end;
        }
        out.push_str(text.get(at..).unwrap_or_default());
        out
    }

    /// The place in the original text that a place in the edited one comes from.
    pub(super) fn origin(&self, place: usize) -> usize {
        let (mut old, mut new) = (0, 0);
        for (range, text) in &self.0 {
            let start = new + (range.start - old);
            if place < start {
                break;
            }
            if place < start + text.len() {
                return range.start;
            }
            new = start + text.len();
            old = range.end;
        }
        old + place.saturating_sub(new)
    }
}

/// What a template's text is.
#[derive(Debug, PartialEq)]
pub(super) enum Shape {
    /// One expression and nothing else: where it stands.
    Expression(Range<usize>),
    /// Anything else.
    Template,
}

/// Parses a template and finds its edits. `literal`: backslashes in the texts of `{{ }}` stand for themselves, as they do
/// in YAML but not in template files.
///
/// # Errors
/// If it is not a template.
pub(super) fn template(text: &str, syntax: &SyntaxConfig, literal: bool) -> Result<(Shape, Edits), Error> {
    let root = parse(text, "<template>", syntax.clone())?;
    let mut shape = Shape::Template;
    if let Stmt::Template(template) = &root
        && let [Stmt::EmitExpr(emit)] = &template.children[..]
    {
        let start = true_start(text, &emit.expr);
        let end = emit.span().end_offset as usize;
        let (open, close) = syntax.variable_delimiters();
        let inner = text.find(open).map_or(start, |at| at + open.len());
        let inner = inner + usize::from(text[inner..].starts_with(['-', '+']));
        let rest = text[end.max(inner)..].find(close).map_or(end, |at| end.max(inner) + at);
        let rest = rest - usize::from(text[inner..rest].ends_with(['-', '+']));
        shape = Shape::Expression(inner..rest);
    }
    let mut mutates = false;
    each_call(&root, &mut |call| mutates |= changes(call));
    each_expression(&root, &mut |expr| mutates |= matches!(expr, Expr::Call(call) if changes(call)));
    let mut rewriter = Rewriter { text, edits: Vec::new(), mutates };
    if literal && text.contains('\\') {
        rewriter.backslashes(&root);
    }
    rewriter.statement(&root);
    Ok((shape, rewriter.finish()))
}

/// Parses an expression and finds its edits.
///
/// # Errors
/// If it is not an expression.
pub(super) fn expression(text: &str) -> Result<Edits, Error> {
    let root = parse_expr(text)?;
    let mut rewriter = Rewriter { text, edits: Vec::new(), mutates: false };
    rewriter.result(&root);
    Ok(rewriter.finish())
}

fn changes(call: &Call<'_>) -> bool {
    matches!(call.identify_call(), CallType::Method(_, name) if MUTATORS.contains(&name))
}

struct Rewriter<'a> {
    text: &'a str,
    edits: Vec<(Range<usize>, String)>,
    mutates: bool,
}

impl Rewriter<'_> {
    fn finish(mut self) -> Edits {
        // Stable: what was inserted first at one place stays first. Openings are made before the children are
        // visited and closings after, so both nest.
        self.edits.sort_by_key(|(range, _)| range.start);
        Edits(self.edits)
    }

    fn insert(&mut self, at: usize, text: &str) {
        self.edits.push((at..at, text.to_owned()));
    }

    /// `'\d'` → `'\\d'` in what is printed. Escaped quotes stay: without them there is no way to write one.
    fn backslashes(&mut self, statement: &Stmt<'_>) {
        if let Stmt::EmitExpr(emit) = statement {
            each_part(&emit.expr, &mut |expr| {
                let Expr::Const(it) = expr else { return };
                if it.value.as_str().is_none() {
                    return;
                }
                let span = it.span();
                let start = span.start_offset as usize;
                let mut chars = self.text[start..span.end_offset as usize].char_indices();
                while let Some((at, c)) = chars.next() {
                    let next = if c == '\\' { chars.next().map(|(_, next)| next) } else { continue };
                    match next {
                        Some('\'' | '"') => {}
                        Some('\\') => self.insert(start + at, "\\\\"),
                        _ => self.insert(start + at, "\\"),
                    }
                }
            });
        }
        children(statement).for_each(|child| self.backslashes(child));
    }

    fn statement(&mut self, statement: &Stmt<'_>) {
        match statement {
            Stmt::EmitExpr(emit) => self.result(&emit.expr),
            Stmt::ForLoop(it) => {
                self.expr(&it.iter, false);
                it.filter_expr.iter().for_each(|filter| self.expr(filter, false));
            }
            Stmt::IfCond(it) => self.expr(&it.expr, false),
            Stmt::WithBlock(it) => it.assignments.iter().for_each(|(_, value)| self.assigned(value)),
            Stmt::Set(it) => self.assigned(&it.expr),
            Stmt::SetBlock(it) => it.filter.iter().for_each(|filter| self.expr(filter, false)),
            Stmt::FilterBlock(it) => self.expr(&it.filter, false),
            Stmt::Macro(it) => it.defaults.iter().for_each(|value| self.expr(value, true)),
            Stmt::CallBlock(it) => self.call(&it.call),
            Stmt::Do(it) => self.call(&it.call),
            Stmt::Include(it) => self.expr(&it.name, false),
            Stmt::Extends(it) => self.expr(&it.name, false),
            Stmt::Import(it) => self.expr(&it.expr, false),
            Stmt::FromImport(it) => self.expr(&it.expr, false),
            _ => {}
        }
        children(statement).for_each(|child| self.statement(child));
    }

    /// An expression whose result leaves the template: without an `else`, an `if` gives empty text.
    fn result(&mut self, expr: &Expr<'_>) {
        self.expr(expr, false);
        let mut last = expr;
        while let Expr::IfExpr(it) = last {
            match &it.false_expr {
                Some(other) => last = other,
                None => {
                    self.insert(it.span().end_offset as usize, " else ''");
                    break;
                }
            }
        }
    }

    fn assigned(&mut self, expr: &Expr<'_>) {
        let own = self.mutates && !matches!(expr, Expr::List(_) | Expr::Map(_));
        if own {
            let start = true_start(self.text, expr);
            self.insert(start, "((");
        }
        self.expr(expr, true);
        if own {
            self.insert(expr.span().end_offset as usize, ")|__own)");
        }
    }

    fn expr(&mut self, expr: &Expr<'_>, lenient: bool) {
        match expr {
            Expr::Var(_) | Expr::Const(_) => {}
            Expr::GetAttr(_) | Expr::GetItem(_) if lenient => {
                let start = true_start(self.text, expr);
                self.insert(start, "(");
                self.chain(expr);
                self.insert(expr.span().end_offset as usize, ")");
            }
            Expr::GetAttr(it) => self.expr(&it.expr, false),
            Expr::GetItem(it) => {
                self.expr(&it.expr, false);
                self.expr(&it.subscript_expr, false);
            }
            Expr::Slice(it) => {
                self.expr(&it.expr, false);
                [&it.start, &it.stop, &it.step].into_iter().flatten().for_each(|part| self.expr(part, false));
            }
            Expr::UnaryOp(it) => self.expr(&it.expr, false),
            Expr::BinOp(it) => match it.op {
                BinOpKind::ScAnd | BinOpKind::ScOr => {
                    self.expr(&it.left, false);
                    self.expr(&it.right, lenient);
                }
                BinOpKind::Sub if !is_number(&it.left) && !is_number(&it.right) => {
                    self.function("__minus", &it.left, &it.right);
                }
                BinOpKind::Rem if !is_number(&it.left) => self.function("__percent", &it.left, &it.right),
                BinOpKind::Lt | BinOpKind::Lte | BinOpKind::Gt | BinOpKind::Gte
                    if !(is_number(&it.left) && is_number(&it.right)) =>
                {
                    let name = match it.op {
                        BinOpKind::Lt => "__lt",
                        BinOpKind::Lte => "__le",
                        BinOpKind::Gt => "__gt",
                        _ => "__ge",
                    };
                    self.function(name, &it.left, &it.right);
                }
                _ => {
                    self.expr(&it.left, false);
                    self.expr(&it.right, false);
                }
            },
            Expr::Compare(it) => {
                self.expr(&it.expr, false);
                it.ops.iter().for_each(|op| self.expr(&op.expr, false));
            }
            Expr::IfExpr(it) => {
                self.expr(&it.test_expr, false);
                self.expr(&it.true_expr, lenient);
                it.false_expr.iter().for_each(|other| self.expr(other, lenient));
            }
            Expr::Filter(it) => {
                let lenient = LENIENT_FILTERS.contains(&short(it.name));
                it.expr.iter().for_each(|base| self.expr(base, lenient));
                self.arguments(&it.args, lenient);
            }
            Expr::Test(it) => {
                self.expr(&it.expr, LENIENT_TESTS.contains(&short(it.name)));
                self.arguments(&it.args, false);
            }
            Expr::Call(it) => self.call(it),
            Expr::List(it) => self.literal(expr, it.items.iter(), lenient),
            Expr::Tuple(it) => it.items.iter().for_each(|item| self.expr(item, lenient)),
            Expr::Map(it) => self.literal(expr, it.keys.iter().chain(&it.values), lenient),
        }
    }

    fn literal<'e, 'a: 'e>(
        &mut self,
        whole: &Expr<'_>,
        items: impl Iterator<Item = &'e Expr<'a>>,
        lenient: bool,
    ) {
        if self.mutates {
            self.insert(whole.span().start_offset as usize, "(");
        }
        items.for_each(|item| self.expr(item, lenient));
        if self.mutates {
            self.insert(whole.span().end_offset as usize, "|__own)");
        }
    }

    fn call(&mut self, call: &Spanned<Call<'_>>) {
        let lenient = match call.identify_call() {
            CallType::Function(name) => !matches!(name, "lookup" | "query" | "q" | "range"),
            CallType::Block(_) => return,
            CallType::Method(object, _) | CallType::Object(object) => {
                self.expr(object, false);
                true
            }
        };
        self.arguments(&call.args, lenient);
    }

    fn arguments(&mut self, args: &[CallArg<'_>], lenient: bool) {
        for arg in args {
            match arg {
                CallArg::Pos(expr) | CallArg::Kwarg(_, expr) => self.expr(expr, lenient),
                CallArg::PosSplat(expr) | CallArg::KwargSplat(expr) => self.expr(expr, false),
            }
        }
    }

    /// `a.b[c]` → `a|__get("b")|__get(c)`.
    fn chain(&mut self, expr: &Expr<'_>) {
        let end = expr.span().end_offset as usize;
        let inner = match expr {
            Expr::GetAttr(it) => &it.expr,
            Expr::GetItem(it) => &it.expr,
            other => return self.expr(other, true),
        };
        self.chain(inner);
        let (_, operator) = closed_parens(self.text, inner.span().end_offset as usize);
        match expr {
            Expr::GetItem(it) if self.text[operator..].starts_with('[') => {
                self.edits.push((operator..operator + 1, "|__get(".to_owned()));
                self.expr(&it.subscript_expr, false);
                self.edits.push((end - 1..end, ")".to_owned()));
            }
            Expr::GetAttr(it) => self.edits.push((operator..end, format!("|__get(\"{}\")", it.name))),
            _ => {
                let index = self.text[operator..end].trim_start_matches('.').trim();
                self.edits.push((operator..end, format!("|__get({index})")));
            }
        }
    }

    /// `a % b` → `__percent(a , b)`.
    fn function(&mut self, name: &str, left: &Expr<'_>, right: &Expr<'_>) {
        let (closed, operator) = closed_parens(self.text, left.span().end_offset as usize);
        let width = 1 + usize::from(self.text[operator + 1..].starts_with('='));
        let start = open_parens(self.text, true_start(self.text, left), closed);
        self.insert(start, &format!("{name}("));
        self.expr(left, false);
        self.edits.push((operator..operator + width, ",".to_owned()));
        let begin = true_start(self.text, right);
        self.expr(right, false);
        let opened = self.text[operator + width..begin].matches('(').count();
        let mut end = right.span().end_offset as usize;
        for _ in 0..opened {
            end += self.text[end..].find(')').map_or(0, |at| at + 1);
        }
        self.insert(end, ")");
    }
}

/// Whether it can only be a number.
fn is_number(expr: &Expr<'_>) -> bool {
    match expr {
        Expr::Const(it) => it.value.is_number(),
        Expr::Filter(it) => matches!(short(it.name), "int" | "float" | "length" | "count"),
        _ => false,
    }
}

/// `ansible.builtin.default` → `default`.
pub(super) fn short(name: &str) -> &str {
    name.rsplit('.').next().unwrap_or(name)
}

/// How many parentheses close right after `end`, and where the next other character is.
fn closed_parens(text: &str, end: usize) -> (usize, usize) {
    let rest = &text[end..];
    let tail = rest.trim_start_matches(|c: char| c.is_whitespace() || c == ')');
    let gap = &rest[..rest.len() - tail.len()];
    (gap.matches(')').count(), end + gap.len())
}

/// Steps back from `start` over that many opening parentheses.
fn open_parens(text: &str, start: usize, count: usize) -> usize {
    (0..count).fold(start, |at, _| text[..at].rfind('(').unwrap_or(at))
}

/// Where an expression starts: the parser's spans of postfix operations start at the operator.
pub(super) fn true_start(text: &str, expr: &Expr<'_>) -> usize {
    let first = match expr {
        Expr::Var(_) | Expr::Const(_) | Expr::UnaryOp(_) | Expr::List(_) | Expr::Map(_) | Expr::Tuple(_) => {
            return expr.span().start_offset as usize;
        }
        Expr::Slice(it) => &it.expr,
        Expr::BinOp(it) => &it.left,
        Expr::Compare(it) => &it.expr,
        Expr::IfExpr(it) => &it.true_expr,
        Expr::Filter(it) => match &it.expr {
            Some(base) => base,
            None => return expr.span().start_offset as usize,
        },
        Expr::Test(it) => &it.expr,
        Expr::GetAttr(it) => &it.expr,
        Expr::GetItem(it) => &it.expr,
        Expr::Call(it) => &it.expr,
    };
    let (closed, _) = closed_parens(text, first.span().end_offset as usize);
    open_parens(text, true_start(text, first), closed)
}
