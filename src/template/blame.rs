//! From minijinja's errors to messages that name the variable and point at it in the user's file.
//!
//! Only runs when something failed, so it may parse the template again.

use std::ops::Range;

use minijinja::machinery::ast::Expr;
use minijinja::machinery::{parse, parse_expr};
use minijinja::value::Value;
use minijinja::{Error, ErrorKind};

use crate::diag::{Diagnostic, Sources, Span, code};
use crate::yaml;

use super::context::Context;
use super::engine::Program;
use super::error::TemplateError;
use super::files::Place;
use super::rewrite::{short, true_start};
use super::walk::{each_expression, each_part, parts};
use super::{check, lookups};

/// A text that can't be compiled. `offset`: where in `text` the compiled part starts.
pub(super) fn syntax(
    error: &Error,
    text: &str,
    offset: usize,
    span: Span,
    sources: &Sources,
) -> TemplateError {
    let range = error.range().map_or(0..text.len(), |range| range.start + offset..range.end + offset);
    let message = format!("template syntax error: {}", detail(error));
    TemplateError::new(
        Diagnostic::error(code::TEMPLATE_SYNTAX, message).at(locate(sources, span, text, range)),
    )
}

/// An evaluation that failed.
pub(super) fn error(error: &Error, program: &Program, span: Span, context: &Context) -> TemplateError {
    if let Some(carried) = TemplateError::carried_by(error) {
        return carried.via(span, "");
    }
    let inner = innermost(error);
    if let Some(place) = inner.name().and_then(|name| context.engine().files.place(name)) {
        return in_file(inner, &place, context).via(span, "");
    }
    let range = original(program, inner.range());
    if is_undefined(inner) {
        return undefined_at(&program.text, program.bare, &range, inner, context, |range| {
            locate(&context.engine().sources, span, &program.text, range)
        });
    }
    let place = locate(&context.engine().sources, span, &program.text, range.clone());
    TemplateError::new(describe(inner, place, program.text.get(range).unwrap_or_default()))
}

/// An expression whose result is undefined.
pub(super) fn undefined(program: &Program, span: Span, context: &Context) -> TemplateError {
    let error = Error::from(ErrorKind::UndefinedError);
    let whole = 0..program.text.len();
    undefined_at(&program.text, program.bare, &whole, &error, context, |range| {
        locate(&context.engine().sources, span, &program.text, range)
    })
}

/// A template file that failed: `error` is minijinja's for the whole.
pub(super) fn file(error: &Error, place: &Place, context: &Context) -> TemplateError {
    if let Some(carried) = TemplateError::carried_by(error) {
        return carried;
    }
    let inner = innermost(error);
    let place =
        inner.name().and_then(|name| context.engine().files.place(name)).unwrap_or_else(|| place.clone());
    in_file(inner, &place, context)
}

fn in_file(error: &Error, place: &Place, context: &Context) -> TemplateError {
    let range = error.range().unwrap_or(0..0);
    let range = place.edits.origin(range.start)..place.edits.origin(range.end).min(place.text.len());
    let at = |range: Range<usize>| place.span(range);
    match error.kind() {
        ErrorKind::SyntaxError => {
            let message = format!("template syntax error: {}", detail(error));
            TemplateError::new(Diagnostic::error(code::TEMPLATE_SYNTAX, message).at(at(range)))
        }
        _ if is_undefined(error) => undefined_at(&place.text, false, &range, error, context, at),
        _ => {
            let text = place.text.get(range.clone()).unwrap_or_default();
            TemplateError::new(describe(error, at(range), text))
        }
    }
}

fn is_undefined(error: &Error) -> bool {
    error.kind() == ErrorKind::UndefinedError || mentions_undefined(error)
}

/// Operators, methods and conversions tell the kinds of values that they can't work with, and one is undefined; some
/// tell nothing.
fn mentions_undefined(error: &Error) -> bool {
    mentions_undefined_value(error) || error.detail().is_none() && error.kind() == ErrorKind::InvalidOperation
}

fn mentions_undefined_value(error: &Error) -> bool {
    let detail = error.detail().unwrap_or_default();
    let operation =
        ["tried to use ", "undefined has no ", "value of type undefined ", "cannot convert undefined "];
    operation.iter().any(|start| detail.starts_with(start)) && detail.contains("undefined")
}

fn innermost(error: &Error) -> &Error {
    let mut inner = error;
    while let Some(source) = std::error::Error::source(inner).and_then(|it| it.downcast_ref::<Error>()) {
        inner = source;
    }
    inner
}

fn original(program: &Program, range: Option<Range<usize>>) -> Range<usize> {
    let Some(range) = range else { return 0..program.text.len() };
    let (start, end) = (range.start + program.offset, range.end + program.offset);
    program.edits.origin(start)..program.edits.origin(end).min(program.text.len())
}

fn detail(error: &Error) -> String {
    error.detail().map_or_else(|| error.kind().to_string(), str::to_owned)
}

fn describe(error: &Error, span: Span, text: &str) -> Diagnostic {
    let detail = detail(error);
    let word = detail.split_whitespace().nth(1).unwrap_or_default().to_owned();
    match error.kind() {
        ErrorKind::UnknownFilter => check::no_filter(&word).at(span),
        ErrorKind::UnknownTest => check::no_test(&word).at(span),
        ErrorKind::UnknownFunction => {
            check::no_function(detail.split_whitespace().next().unwrap_or_default()).at(span)
        }
        ErrorKind::TemplateNotFound => {
            // minijinja quotes the name; `extends` shows it as `files` made it.
            let name = detail.split(['"', '\'']).nth(1).unwrap_or(&detail);
            let name = name.rsplit("\\0").next().unwrap_or(name);
            Diagnostic::error(code::TEMPLATE_FAILED, format!("there is no template `{name}`")).at(span)
        }
        _ if detail.starts_with(lookups::UNKNOWN) => {
            let name = detail.trim_start_matches(lookups::UNKNOWN).trim_matches('`');
            lookups::unknown(name).at(span)
        }
        _ if detail.starts_with(lookups::FAILED) => Diagnostic::error(code::LOOKUP_FAILED, detail).at(span),
        _ if detail.contains("not callable") || detail.contains("has no method") => {
            Diagnostic::error(code::TEMPLATE_FAILED, format!("{detail} (in `{}`)", text.trim())).at(span)
        }
        _ => Diagnostic::error(code::TEMPLATE_FAILED, detail).at(span),
    }
}

/// Names the undefined variable in a part of a template, and says why it is undefined.
fn undefined_at(
    text: &str,
    bare: bool,
    range: &Range<usize>,
    error: &Error,
    context: &Context,
    locate: impl Fn(Range<usize>) -> Span,
) -> TemplateError {
    let mut chains = chains(text, bare, range);
    chains.retain(|chain| !chain.is_function(context));
    let missing = chains.iter().find_map(|chain| chain.missing(context));
    if let Some((name, place)) = missing {
        let root = name.split(['.', '[']).next().unwrap_or_default();
        if let Some(reason) = context.reason(root).or_else(|| inner_reason(&name, root, context)) {
            return reason.via(locate(place), format!("`{name}` needs it"));
        }
        let names = context.scope().names();
        let mut diagnostic =
            Diagnostic::error(code::UNDEFINED, format!("`{name}` is undefined")).at(locate(place));
        if name == root {
            diagnostic = diagnostic.suggest(&name, names.iter().map(|it| &**it));
        }
        return TemplateError::undefined(name, diagnostic);
    }
    if let Some(reason) =
        error.detail().filter(|it| !it.contains("a value is undefined") && !mentions_undefined(error))
    {
        let place = locate(range.clone());
        return TemplateError::undefined("", Diagnostic::error(code::UNDEFINED, reason.to_owned()).at(place));
    }
    if let Some(reason) = context.last_reason() {
        return reason.via(locate(range.clone()), "");
    }
    if error.kind() != ErrorKind::UndefinedError && !mentions_undefined_value(error) {
        let part = text.get(range.clone()).unwrap_or_default();
        return TemplateError::new(describe(error, locate(range.clone()), part));
    }
    let local = chains.iter().find(|chain| chain.local || context.variable(chain.root).is_none());
    let (name, place) = local.map_or_else(
        || (text.get(range.clone()).unwrap_or_default().trim().to_owned(), range.clone()),
        |chain| (chain.text(text), chain.place()),
    );
    TemplateError::undefined(
        name.clone(),
        Diagnostic::error(code::UNDEFINED, format!("`{name}` is undefined")).at(locate(place)),
    )
}

/// An entry of a variable that counts as undefined because its own template needs something undefined.
fn inner_reason(name: &str, root: &str, context: &Context) -> Option<TemplateError> {
    (name != root).then(|| context.last_reason()).flatten()
}

/// A variable and the constant steps into it, as the text has it.
struct Chain<'a> {
    root: &'a str,
    /// The key and where it ends in the text.
    steps: Vec<(Value, usize)>,
    start: usize,
    root_end: usize,
    source: &'a str,
    /// Whether a loop, `set` or macro of the template gives the name.
    local: bool,
}

impl Chain<'_> {
    fn text(&self, text: &str) -> String {
        text.get(self.place()).unwrap_or_default().to_owned()
    }

    fn place(&self) -> Range<usize> {
        self.start..self.steps.last().map_or(self.root_end, |(_, end)| *end)
    }

    /// Whether it only names one of the functions.
    fn is_function(&self, context: &Context) -> bool {
        !self.local
            && context.engine().environment().globals().any(|(name, _)| name == self.root)
            && context.variable(self.root).is_none()
    }

    /// The shortest part of the chain that is undefined, and where it is.
    fn missing(&self, context: &Context) -> Option<(String, Range<usize>)> {
        if self.local {
            return None;
        }
        let cut = |end: usize| {
            let range = self.start..end;
            Some((self.source.get(range.clone()).unwrap_or_default().to_owned(), range))
        };
        let mut value = match context.variable(self.root) {
            Some(value) if !value.is_undefined() => value,
            _ => return cut(self.root_end),
        };
        for (key, end) in &self.steps {
            match value.get_item(key) {
                Ok(next) if !next.is_undefined() => value = next,
                _ => return cut(*end),
            }
        }
        None
    }
}

/// The chains of access that overlap a part of a template, in the order of the text.
fn chains<'a>(text: &'a str, bare: bool, range: &Range<usize>) -> Vec<Chain<'a>> {
    let mut found = Vec::new();
    let mut start = range.start;
    // What `default` or `is defined` is asked about may well be undefined.
    let mut guarded: Vec<Range<usize>> = Vec::new();
    let mut visit = |expr: &Expr<'a>, locals: &[&str]| {
        let span = expr.span();
        // The place of an error is where the operator stands: take in what it works on.
        if span.start_offset as usize == range.start && span.end_offset as usize == range.end {
            start = start.min(true_start(text, expr));
        }
        guarded.extend(
            guards(expr).into_iter().map(|base| true_start(text, base)..base.span().end_offset as usize),
        );
        if let Some(mut chain) = chain(text, expr) {
            chain.local = locals.contains(&chain.root);
            found.push(chain);
        }
    };
    if bare {
        if let Ok(root) = parse_expr(text) {
            each_part(&root, &mut |expr| visit(expr, &[]));
        }
    } else if let Ok(root) = parse(text, "", super::env::inline_syntax()) {
        let locals = check::locals(&root);
        each_expression(&root, &mut |expr| visit(expr, &locals));
    }
    // Longer chains of the same root come first, and their parts say nothing new.
    let mut kept: Vec<Chain<'a>> = Vec::new();
    for chain in found {
        let place = chain.place();
        let overlaps = place.start < range.end.max(start + 1) && place.end > start;
        let guarded = guarded.iter().any(|guard| guard.start <= place.start && place.end <= guard.end);
        if overlaps && !guarded && !kept.iter().any(|other| other.start == chain.start) {
            kept.push(chain);
        }
    }
    kept.sort_by_key(|chain| chain.start);
    kept
}

fn guards<'e, 'a>(expr: &'e Expr<'a>) -> Option<&'e Expr<'a>> {
    match expr {
        Expr::Filter(it) if matches!(short(it.name), "default" | "d") => it.expr.as_ref(),
        Expr::Test(it) if matches!(short(it.name), "defined" | "undefined") => Some(&it.expr),
        _ => None,
    }
}

fn chain<'a>(text: &'a str, expr: &Expr<'a>) -> Option<Chain<'a>> {
    let end = expr.span().end_offset as usize;
    match expr {
        Expr::Var(it) => Some(Chain {
            root: it.id,
            steps: Vec::new(),
            start: it.span().start_offset as usize,
            root_end: end,
            source: text,
            local: false,
        }),
        Expr::GetAttr(it) => {
            let mut base = chain(text, &it.expr)?;
            base.steps.push((Value::from(it.name), end));
            base.start = true_start(text, expr);
            Some(base)
        }
        Expr::GetItem(it) => {
            let Expr::Const(key) = &it.subscript_expr else { return None };
            let mut base = chain(text, &it.expr)?;
            base.steps.push((key.value.clone(), end));
            base.start = true_start(text, expr);
            Some(base)
        }
        // A method: what it is called on counts, not its name.
        Expr::Call(_) => {
            let mut first = None;
            parts(expr, &mut |part| first = first.or(Some(part)));
            match first? {
                Expr::GetAttr(it) => chain(text, &it.expr),
                _ => None,
            }
        }
        _ => None,
    }
}

/// Where a part of a scalar's text stands in the file.
pub(super) fn locate(sources: &Sources, span: Span, text: &str, range: Range<usize>) -> Span {
    let Some(part) = text.get(range.clone()).filter(|part| !part.trim().is_empty()) else { return span };
    // A part over several lines is shown where it begins.
    let lead = part.len() - part.trim_start().len();
    let line = part.trim_start().lines().next().unwrap_or_default().trim_end();
    let start = range.start + lead;
    let found = yaml::locate(span, sources, start..start + line.len());
    // A condition's text is not always the one in the file, nor is a key=value argument's.
    let word = line.split_whitespace().next().unwrap_or_default();
    if sources.slice(found).starts_with(word) {
        return found;
    }
    let before = text.get(..start).unwrap_or_default().matches(line).count();
    match sources.slice(span).match_indices(line).nth(before) {
        Some((at, _)) => {
            let start = span.start + u32::try_from(at).unwrap_or(0);
            Span { file: span.file, start, end: start + u32::try_from(line.len()).unwrap_or(0) }
        }
        None => span,
    }
}
