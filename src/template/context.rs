//! One evaluation: a scope, what was rendered already, and the variables that are being rendered right now.
//!
//! Variables are rendered when a template touches them, in the scope that uses them. `engine` starts evaluations;
//! the objects that templates see hold a `Context`.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use minijinja::value::Value;

use crate::diag::{Diagnostic, Span, code};
use crate::value::{Map, Str, Value as Data};
use crate::yaml::{Kind, Node, NodeMap, Tag};

use super::engine::Engine;
use super::error::TemplateError;
use super::native;
use super::object::{Omit, Root, Variables, container, from_data};
use super::scope::{Binding, LazyMap, Scope};

/// How deep variables may need each other. Each level costs stack.
const MAX_DEPTH: usize = 40;

/// The text's and the scope's addresses: the same template in another host's scope is another one.
type Key = (usize, usize);

#[derive(Default)]
struct State {
    rendered: HashMap<Key, (Str, Value)>,
    steps: Vec<Step>,
    /// The variables that count as undefined because something that they need is: by name, and why.
    undefined: Vec<(Str, TemplateError)>,
    /// What failed where failing was not possible: while a value was printed.
    failed: Option<TemplateError>,
}

struct Step {
    key: Key,
    name: Str,
    span: Span,
}

struct Session {
    engine: Arc<Engine>,
    state: Mutex<State>,
}

/// A scope within an evaluation. Cloning is cheap.
#[derive(Clone)]
pub(super) struct Context {
    session: Arc<Session>,
    scope: Arc<dyn Scope>,
}

/// Ends the evaluation when it goes: rendered values refer to the context, and that to them.
pub(super) struct Running(pub(super) Context);

impl Drop for Running {
    fn drop(&mut self) {
        *self.0.state() = State::default();
    }
}

impl Context {
    /// Starts an evaluation.
    pub(super) fn start(engine: Arc<Engine>, scope: Arc<dyn Scope>) -> Running {
        let session = Session { engine, state: Mutex::default() };
        Running(Context { session: Arc::new(session), scope })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.session.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The engine.
    pub(super) fn engine(&self) -> &Arc<Engine> {
        &self.session.engine
    }

    /// The scope.
    pub(super) fn scope(&self) -> &Arc<dyn Scope> {
        &self.scope
    }

    /// The same evaluation in another scope.
    pub(super) fn within(&self, scope: Arc<dyn Scope>) -> Context {
        Context { session: self.session.clone(), scope }
    }

    /// What templates look their names up in.
    pub(super) fn root(&self) -> Value {
        Value::from_object(Root(self.clone()))
    }

    /// The value of a variable; none if there is no such name.
    pub(super) fn variable(&self, name: &str) -> Option<Value> {
        match self.scope.lookup(name) {
            Some(binding) => Some(self.binding(name, binding)),
            None if name == "omit" => Some(Value::from_object(Omit)),
            None if name == "vars" => {
                let map = Arc::new(Everything(self.scope.clone()));
                Some(Value::from_object(Variables { map, context: self.clone() }))
            }
            None => None,
        }
    }

    /// The value of what a name stands for.
    pub(super) fn binding(&self, name: &str, binding: Binding) -> Value {
        match binding {
            Binding::Data(data) => from_data(&data),
            Binding::Source(node) => self.named(&node, Some(name)),
            Binding::Lazy(map) => {
                let context = map.scope().map_or_else(|| self.clone(), |scope| self.within(scope));
                Value::from_object(Variables { map, context })
            }
        }
    }

    /// The value of a source node: undefined if it needs something undefined, invalid if it fails.
    pub(super) fn node(&self, node: &Node) -> Value {
        self.named(node, None)
    }

    fn named(&self, node: &Node, name: Option<&str>) -> Value {
        match self.template(node, name) {
            Ok(value) => value,
            Err(error) if error.undefined.is_some() => {
                let name = name.map_or_else(|| Str::from(node.as_str().unwrap_or_default()), Str::from);
                self.state().undefined.push((name, error));
                Value::UNDEFINED
            }
            Err(error) => Value::from(error.into_jinja()),
        }
    }

    /// Why a variable counts as undefined, if it has a value that needs something undefined.
    pub(super) fn reason(&self, name: &str) -> Option<TemplateError> {
        self.state()
            .undefined
            .iter()
            .rev()
            .find(|(known, _)| **known == *name)
            .map(|(_, error)| error.clone())
    }

    /// The last thing that was found undefined inside a variable.
    pub(super) fn last_reason(&self) -> Option<TemplateError> {
        self.state().undefined.last().map(|(_, error)| error.clone())
    }

    /// Keeps a failure that could not be returned.
    pub(super) fn note_failure(&self, error: &minijinja::Error) {
        let failure = TemplateError::carried_by(error).or_else(|| self.last_reason());
        let detail = || error.detail().unwrap_or("a value can't be printed").to_owned();
        let failure = failure.unwrap_or_else(|| TemplateError::plain(detail()));
        self.state().failed.get_or_insert(failure);
    }

    /// The failure that was kept since the last call.
    pub(super) fn take_failure(&self) -> Result<(), TemplateError> {
        self.state().failed.take().map_or(Ok(()), Err)
    }

    fn template(&self, node: &Node, name: Option<&str>) -> Result<Value, TemplateError> {
        if let Some(value) = container(node, self) {
            return Ok(if node.tag == Some(Tag::Unsafe) { from_data(&node.to_value()) } else { value });
        }
        let Kind::Str(text) = &node.kind else { return Ok(from_data(&node.to_value())) };
        match node.tag {
            Some(Tag::Unsafe) => return Ok(Value::from(text.clone())),
            Some(Tag::Vault) => return self.engine().decrypt(node, text).map(Value::from),
            None if !has_template(text) => return Ok(Value::from(text.clone())),
            None => {}
        }
        let key = (text.as_ptr() as usize, Arc::as_ptr(&self.scope).cast::<()>() as usize);
        if let Some((_, value)) = self.state().rendered.get(&key) {
            return Ok(value.clone());
        }
        self.enter(key, name, node.span)?;
        let result = self.engine().run(text, node.span, self);
        let mut state = self.state();
        state.steps.pop();
        let value = result?;
        state.rendered.insert(key, (text.clone(), value.clone()));
        Ok(value)
    }

    fn enter(&self, key: Key, name: Option<&str>, span: Span) -> Result<(), TemplateError> {
        let mut state = self.state();
        let name = Str::from(name.unwrap_or(""));
        if let Some(first) = state.steps.iter().position(|step| step.key == key) {
            let circle = &state.steps[first..];
            let names: Vec<&str> =
                circle.iter().map(|step| &*step.name).filter(|it| !it.is_empty()).collect();
            let start = names.first().copied().unwrap_or_default().to_owned();
            let mut diagnostic = Diagnostic::error(
                code::RECURSION,
                format!("`{start}` needs itself: {} → {start}", names.join(" → ")),
            )
            .at(span);
            for step in circle.iter().skip(1).take(4) {
                diagnostic = diagnostic.label(step.span, format!("`{}` is here", step.name));
            }
            return Err(TemplateError::new(diagnostic));
        }
        if state.steps.len() >= MAX_DEPTH {
            let message = format!("variables need each other more than {MAX_DEPTH} levels deep");
            return Err(TemplateError::new(Diagnostic::error(code::RECURSION, message).at(span)));
        }
        state.steps.push(Step { key, name, span });
        Ok(())
    }

    /// A source node as finished data. What is `omit` in its containers is left out.
    pub(super) fn render(&self, node: &Node) -> Result<Data, TemplateError> {
        if node.tag == Some(Tag::Unsafe) {
            return Ok(node.to_value());
        }
        match &node.kind {
            Kind::Str(text) if node.tag.is_none() && !has_template(text) => Ok(Data::Str(text.clone())),
            Kind::Str(_) => {
                let value = self.template(node, None)?;
                self.finish(&value, node.span)
            }
            Kind::Seq(items) => self.list(items),
            Kind::Map(map) => self.dict(map),
            _ => Ok(node.to_value()),
        }
    }

    /// A value of a template as finished data.
    pub(super) fn finish(&self, value: &Value, span: Span) -> Result<Data, TemplateError> {
        native::to_data(value).map_err(|error| {
            if let Some(error) = TemplateError::carried_by(&error) {
                return error;
            }
            let message = error.detail().unwrap_or("the value can't be used").to_owned();
            match self.last_reason() {
                Some(reason) if error.kind() == minijinja::ErrorKind::UndefinedError => reason,
                _ if error.kind() == minijinja::ErrorKind::UndefinedError => TemplateError::undefined(
                    "",
                    Diagnostic::error(code::UNDEFINED, "a value inside the result is undefined").at(span),
                ),
                _ => TemplateError::at(span, message),
            }
        })
    }

    /// A list of nodes as data.
    pub(super) fn list(&self, items: &[Node]) -> Result<Data, TemplateError> {
        let mut out = Vec::with_capacity(items.len());
        for item in items {
            match self.render(item)? {
                Data::Omit => {}
                item => out.push(item),
            }
        }
        Ok(Data::list(out))
    }

    /// A mapping of nodes as data.
    pub(super) fn dict(&self, map: &NodeMap) -> Result<Data, TemplateError> {
        let mut out = Map::with_capacity(map.len());
        for (key, (span, node)) in map {
            match self.render(node)? {
                Data::Omit => {}
                value => {
                    out.insert(self.key(key, *span)?, value);
                }
            }
        }
        Ok(Data::map(out))
    }

    /// A mapping's key: it may be a template.
    pub(super) fn key(&self, key: &Str, span: Span) -> Result<Str, TemplateError> {
        if !key.contains("{{") {
            return Ok(key.clone());
        }
        let value = self.engine().run(key, span, self)?;
        match self.finish(&value, span)? {
            Data::Str(text) => Ok(text),
            other => Ok(Str::from(other.to_string())),
        }
    }
}

/// Whether text can be a template at all.
pub(super) fn has_template(text: &str) -> bool {
    let mut bytes = text.as_bytes();
    while let Some(at) = bytes.iter().position(|byte| *byte == b'{') {
        match bytes.get(at + 1) {
            Some(b'{' | b'%' | b'#') => return true,
            Some(_) => bytes = &bytes[at + 1..],
            None => return false,
        }
    }
    false
}

/// `vars` where the scope has no such variable: the scope itself.
#[derive(Debug)]
struct Everything(Arc<dyn Scope>);

impl LazyMap for Everything {
    fn get(&self, key: &str) -> Option<Binding> {
        self.0.lookup(key)
    }

    fn keys(&self) -> Vec<Str> {
        self.0.names()
    }
}
