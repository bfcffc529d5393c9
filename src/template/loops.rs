//! Lookups from outside of templates: `with_…` loops, and lookups by name.

use std::sync::Arc;

use crate::diag::{Diagnostic, code};
use crate::value::{Map, Value};
use crate::yaml::{Kind, Node};

use super::context::{Context, has_template};
use super::engine::Engine;
use super::error::TemplateError;
use super::lookups;
use super::scope::Scope;

impl Engine {
    /// A lookup by its name: what `query(name, *terms, **options)` gives.
    ///
    /// # Errors
    /// If there is no such lookup or it fails.
    pub fn lookup(
        &self,
        name: &str,
        terms: Vec<Value>,
        options: Map,
        scope: &Arc<dyn Scope>,
    ) -> Result<Vec<Value>, TemplateError> {
        let running = self.start(scope)?;
        lookups::perform(&running.0, name, terms, options).map_err(|failure| failure.into_error(name))
    }

    /// The items of a `with_…` loop: `name` is what follows `with_`, `over` the keyword's value.
    ///
    /// # Errors
    /// If a template in it fails, or the lookup does.
    pub fn loop_items(
        &self,
        name: &str,
        over: &Node,
        scope: &Arc<dyn Scope>,
    ) -> Result<Vec<Value>, TemplateError> {
        let running = self.start(scope)?;
        let context = &running.0;
        if let Some(text) = over.as_str().filter(|text| !has_template(text))
            && context.scope().lookup(text.trim()).is_some()
        {
            let message = format!("this is the text `{text}`, not the variable");
            let help = format!("write \"{{{{ {} }}}}\"", text.trim());
            self.warn(Diagnostic::warning(code::LOOP_NOT_A_LIST, message).at(over.span).help(help));
        }
        let short = name.rsplit('.').next().unwrap_or(name);
        let terms = match (&over.kind, short) {
            // What is undefined among the candidates is no candidate.
            (Kind::Seq(nodes), "first_found") => candidates(context, nodes)?,
            _ => match context.render(over)? {
                Value::List(terms) => terms.to_vec(),
                Value::Map(map) if matches!(short, "items" | "list") => {
                    map.keys().cloned().map(Value::Str).collect()
                }
                Value::Omit => Vec::new(),
                Value::Str(text) => vec![Value::from(text.trim())],
                other => vec![other],
            },
        };
        lookups::perform(context, name, terms, Map::new()).map_err(|failure| {
            let mut error = failure.into_error(name);
            if error.diagnostic.labels.is_empty() {
                error.diagnostic.labels.push((over.span, String::new()));
            }
            error
        })
    }
}

fn candidates(context: &Context, nodes: &[Node]) -> Result<Vec<Value>, TemplateError> {
    let mut terms = Vec::new();
    for node in nodes {
        match context.render(node) {
            Ok(Value::Omit) => {}
            Ok(term) => terms.push(term),
            Err(error) if error.undefined.is_some() && node.as_str().is_some() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(terms)
}
