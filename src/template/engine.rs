//! The engine: nodes and a scope in, finished data out. Compiled templates are kept by their text.
//!
//! Where variables come from is the scope's business; what an error looks like is `blame`'s.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError, RwLock, Weak};

use minijinja::value::Value;
use minijinja::{Environment, Expression, Template};

use crate::diag::{Diagnostic, Sources, Span, code};
use crate::value::{Map, Str, Value as Data};
use crate::vault::Keyring;
use crate::yaml::Node;

use super::blame;
use super::context::{Context, Running, has_template};
use super::error::TemplateError;
use super::files::Files;
use super::plugins::Plugins;
use super::rewrite::{self, Edits, Shape};
use super::scope::Scope;
use super::{env, literal, native};

/// What does not change during a run.
#[derive(Clone)]
pub struct Settings {
    /// The value of `ansible_managed`, a template of its own.
    pub ansible_managed: String,
    /// The passwords of `!vault` values and encrypted files.
    pub keyring: Arc<Keyring>,
    /// Filters that users bring along.
    pub plugins: Arc<Plugins>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            ansible_managed: "Ansible managed".into(),
            keyring: Arc::default(),
            plugins: Arc::default(),
        }
    }
}

/// A compiled template text.
pub(super) struct Program {
    /// The text as the user wrote it.
    pub(super) text: Str,
    /// What was changed in it before compiling.
    pub(super) edits: Edits,
    /// Where in the edited text the compiled part starts.
    pub(super) offset: usize,
    /// Whether the text is an expression, not a template.
    pub(super) bare: bool,
    code: Code,
}

enum Code {
    Expression(Expression<'static, 'static>),
    Template(Template<'static, 'static>),
}

type Programs = RwLock<HashMap<Str, Arc<Program>>>;

/// Evaluates templates, conditions and lookups. One for a run, shared by all hosts.
pub struct Engine {
    this: Weak<Engine>,
    pub(super) sources: Arc<Sources>,
    pub(super) settings: Settings,
    pub(super) files: Files,
    environment: &'static Environment<'static>,
    templates: Programs,
    expressions: Programs,
    warnings: Mutex<Vec<Diagnostic>>,
}

impl Engine {
    /// An engine whose messages point into `sources`.
    #[must_use]
    pub fn new(sources: Arc<Sources>, settings: Settings) -> Arc<Engine> {
        let files = Files::new(sources.clone(), settings.keyring.clone(), settings.plugins.clone());
        // Compiled templates borrow from the environment, and both live as long as the run.
        let environment = Box::leak(Box::new(env::environment(env::inline_syntax(), &files)));
        Arc::new_cyclic(|this| Engine {
            this: this.clone(),
            sources,
            settings,
            files,
            environment,
            templates: Programs::default(),
            expressions: Programs::default(),
            warnings: Mutex::default(),
        })
    }

    /// A whole node as finished data: texts are rendered, entries and items that are `omit` are left out. A node that is
    /// `omit` itself gives [`Data::Omit`].
    ///
    /// # Errors
    /// If a template in it fails.
    pub fn render(&self, node: &Node, scope: &Arc<dyn Scope>) -> Result<Data, TemplateError> {
        self.start(scope)?.0.render(node)
    }

    /// A node as text.
    ///
    /// # Errors
    /// If a template in it fails.
    pub fn text(&self, node: &Node, scope: &Arc<dyn Scope>) -> Result<String, TemplateError> {
        match self.render(node, scope)? {
            Data::Null => Ok(String::new()),
            value => Ok(value.to_string()),
        }
    }

    /// The value of an expression (`debug: var=`, bare names).
    ///
    /// # Errors
    /// If it is no expression or fails.
    pub fn expression(&self, node: &Node, scope: &Arc<dyn Scope>) -> Result<Data, TemplateError> {
        let Some(text) = node.as_str().filter(|text| !has_template(text)) else {
            return self.render(node, scope);
        };
        let running = self.start(scope)?;
        let value = self.evaluate(text, node.span, &running.0)?;
        running.0.finish(&value, node.span)
    }

    /// A password hashed as the filter `password_hash` does it; the password itself is never a template. `options` are
    /// the filter's named arguments.
    ///
    /// # Errors
    /// In words, if there is no such hash or an option is wrong.
    pub fn hash_password(&self, password: &str, kind: &str, options: &Map) -> Result<String, String> {
        super::filters::hashed(self.environment, password, kind, options)
    }

    /// The warnings since the last call.
    pub fn take_warnings(&self) -> Vec<Diagnostic> {
        std::mem::take(&mut self.warnings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Keeps a warning, once.
    pub(super) fn warn(&self, warning: Diagnostic) {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if !warnings.contains(&warning) {
            warnings.push(warning);
        }
    }

    pub(super) fn start(&self, scope: &Arc<dyn Scope>) -> Result<Running, TemplateError> {
        let engine = self.this.upgrade().ok_or_else(|| TemplateError::plain("the run has ended"))?;
        Ok(Context::start(engine, scope.clone()))
    }

    /// The plain text of a `!vault` value.
    pub(super) fn decrypt(&self, node: &Node, text: &str) -> Result<String, TemplateError> {
        self.settings.keyring.decrypt_value(text).map_err(|why| {
            let message = format!("can't decrypt this value: {why}");
            TemplateError::new(Diagnostic::error(code::VAULT_UNREADABLE, message).at(node.span))
        })
    }

    /// The passwords of encrypted files.
    #[must_use]
    pub fn keyring(&self) -> &Arc<Keyring> {
        &self.settings.keyring
    }

    /// The value of a template text: native if it is one expression, else text or the list or dictionary that the text
    /// looks like.
    pub(super) fn run(&self, text: &Str, span: Span, context: &Context) -> Result<Value, TemplateError> {
        let program = self.program(text, span, context)?;
        let newlines = text.len() - text.trim_end_matches('\n').len();
        match &program.code {
            Code::Expression(expression) => {
                let value = expression
                    .eval(context.root())
                    .map_err(|error| blame::error(&error, &program, span, context))?;
                context.take_failure().map_err(|error| error.via(span, ""))?;
                if native::holds_undefined(&value) {
                    return Err(blame::undefined(&program, span, context));
                }
                match value.as_str() {
                    Some(result) if newlines > 0 && value.kind() == minijinja::value::ValueKind::String => {
                        Ok(Value::from(with_newlines(result.to_owned(), newlines)))
                    }
                    _ => Ok(value),
                }
            }
            Code::Template(template) => {
                let result = template
                    .render(context.root())
                    .map_err(|error| blame::error(&error, &program, span, context))?;
                context.take_failure().map_err(|error| error.via(span, ""))?;
                match literal::parse(&result) {
                    Some(data) => Ok(super::object::from_data(&data)),
                    None => Ok(Value::from(with_newlines(result, newlines))),
                }
            }
        }
    }

    /// The value of an expression; an undefined one is an error.
    pub(super) fn evaluate(&self, text: &str, span: Span, context: &Context) -> Result<Value, TemplateError> {
        let program = self.bare(text, span)?;
        let Code::Expression(expression) = &program.code else {
            return Err(TemplateError::at(span, "this is not an expression"));
        };
        let value =
            expression.eval(context.root()).map_err(|error| blame::error(&error, &program, span, context))?;
        context.take_failure().map_err(|error| error.via(span, ""))?;
        if native::holds_undefined(&value) {
            Err(blame::undefined(&program, span, context))
        } else {
            Ok(value)
        }
    }

    fn program(&self, text: &Str, span: Span, context: &Context) -> Result<Arc<Program>, TemplateError> {
        let search = self.files.inline_search(text, context);
        let key = search.map_or_else(|| text.clone(), |search| Str::from(format!("{search}\0{text}")));
        if let Some(program) = find(&self.templates, &key) {
            return Ok(program);
        }
        let syntax = env::inline_syntax();
        let fail = |error: minijinja::Error| blame::syntax(&error, text, 0, span, &self.sources);
        let (shape, edits) = rewrite::template(text, &syntax, true).map_err(fail)?;
        let edited = edits.apply(text);
        let program = match shape {
            Shape::Expression(range) => {
                let grown = edited.len() + range.len() - text.len();
                let inner = edited[range.start..range.start + grown].to_owned();
                let expression = self.environment.compile_expression_owned(inner).map_err(fail)?;
                let code = Code::Expression(expression);
                Program { text: text.clone(), edits, offset: range.start, bare: false, code }
            }
            Shape::Template => {
                let name = Files::inline(&edited, search);
                let code = Code::Template(self.environment.get_template(&name).map_err(fail)?);
                Program { text: text.clone(), edits, offset: 0, bare: false, code }
            }
        };
        Ok(keep(&self.templates, key, program))
    }

    fn bare(&self, text: &str, span: Span) -> Result<Arc<Program>, TemplateError> {
        if let Some(program) = find(&self.expressions, text) {
            return Ok(program);
        }
        let fail = |error: minijinja::Error| blame::syntax(&error, text, 0, span, &self.sources);
        let edits = rewrite::expression(text).map_err(fail)?;
        let expression = self.environment.compile_expression_owned(edits.apply(text)).map_err(fail)?;
        let text = Str::from(text);
        let code = Code::Expression(expression);
        Ok(keep(&self.expressions, text.clone(), Program { text, edits, offset: 0, bare: true, code }))
    }

    /// The environment of templates in YAML.
    pub(super) fn environment(&self) -> &'static Environment<'static> {
        self.environment
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Engine")
    }
}

fn find(programs: &Programs, text: &str) -> Option<Arc<Program>> {
    programs.read().unwrap_or_else(PoisonError::into_inner).get(text).cloned()
}

fn keep(programs: &Programs, text: Str, program: Program) -> Arc<Program> {
    let program = Arc::new(program);
    programs.write().unwrap_or_else(PoisonError::into_inner).insert(text, program.clone());
    program
}

/// Jinja drops one newline at the end of a text; it comes back here.
pub(super) fn with_newlines(mut result: String, newlines: usize) -> String {
    let have = result.len() - result.trim_end_matches('\n').len();
    (have..newlines).for_each(|_| result.push('\n'));
    result
}
