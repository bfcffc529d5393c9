//! A task's keywords on one host: rendered when they are needed, with the command line's and settings' defaults.

use std::sync::Arc;

use super::shared::Shared;
use crate::diag::{Diagnostic, code};
use crate::template::{Scope, TemplateError};
use crate::value::{Map, Value};
use crate::vars::TaskScope;
use crate::yaml::{Kind, Node};

/// Renders keywords in one scope.
pub(super) struct Keywords<'a> {
    pub(super) shared: &'a Shared,
    pub(super) scope: Arc<dyn Scope>,
}

impl<'a> Keywords<'a> {
    pub(super) fn new(shared: &'a Shared, scope: &TaskScope) -> Keywords<'a> {
        Keywords { shared, scope: Arc::new(scope.clone()) }
    }

    /// A keyword's value; null where it is not given.
    pub(super) fn value(&self, node: Option<&Node>) -> Result<Value, TemplateError> {
        node.map_or(Ok(Value::Null), |node| self.shared.templates.render(node, &self.scope))
    }

    /// A boolean keyword.
    pub(super) fn flag(&self, node: Option<&Node>, default: bool) -> Result<bool, TemplateError> {
        let Some(node) = node else { return Ok(default) };
        if let Kind::Bool(it) = node.kind {
            return Ok(it);
        }
        let value = self.shared.templates.render(node, &self.scope)?;
        if matches!(value, Value::Omit) {
            return Ok(default);
        }
        as_bool(&value).map_or_else(|| Err(wrong(node, &value, "a boolean")), Ok)
    }

    /// A whole number that is not negative.
    pub(super) fn number(&self, node: Option<&Node>) -> Result<Option<u64>, TemplateError> {
        let Some(node) = node else { return Ok(None) };
        let value = self.shared.templates.render(node, &self.scope)?;
        let number = match &value {
            Value::Null | Value::Omit => return Ok(None),
            Value::Int(it) => u64::try_from(*it).ok(),
            Value::Str(text) => text.trim().parse().ok(),
            _ => None,
        };
        number.map_or_else(|| Err(wrong(node, &value, "a whole number")), |number| Ok(Some(number)))
    }

    /// Seconds, fractions allowed.
    pub(super) fn seconds(&self, node: Option<&Node>) -> Result<Option<f64>, TemplateError> {
        let Some(node) = node else { return Ok(None) };
        let value = self.shared.templates.render(node, &self.scope)?;
        let number = match &value {
            Value::Null | Value::Omit => return Ok(None),
            #[expect(clippy::cast_precision_loss, reason = "seconds; nobody waits 2^53 of them")]
            Value::Int(it) => Some(*it as f64),
            Value::Float(it) => Some(*it),
            Value::Str(text) => text.trim().parse().ok(),
            _ => None,
        };
        match number.filter(|it| it.is_finite() && *it >= 0.0) {
            Some(number) => Ok(Some(number)),
            None => Err(wrong(node, &value, "a number of seconds")),
        }
    }

    /// Text; none where it is not given, empty or omitted.
    pub(super) fn text(&self, node: Option<&Node>) -> Result<Option<String>, TemplateError> {
        let value = self.value(node)?;
        Ok(match value {
            Value::Null | Value::Omit => None,
            other => Some(other.to_string()).filter(|text| !text.is_empty()),
        })
    }

    /// A variable's value, if it is defined.
    pub(super) fn variable(&self, name: &str) -> Result<Option<Value>, TemplateError> {
        use crate::template::Binding;
        Ok(match self.scope.lookup(name) {
            None | Some(Binding::Lazy(_)) => None,
            Some(Binding::Data(value)) => Some(value),
            Some(Binding::Source(node)) => Some(self.shared.templates.render(&node, &self.scope)?),
        }
        .filter(|value| !matches!(value, Value::Omit | Value::Null)))
    }

    /// The first of several variables that is defined, as text.
    pub(super) fn first_text(&self, names: &[&str]) -> Result<Option<String>, TemplateError> {
        for name in names {
            if let Some(value) = self.variable(name)? {
                return Ok(Some(value.to_string()));
            }
        }
        Ok(None)
    }

    /// Whether all conditions hold; else the first that does not, as written.
    pub(super) fn all(&self, conditions: &[Node]) -> Result<Result<(), Value>, TemplateError> {
        for condition in conditions {
            if !self.shared.templates.condition(condition, &self.scope)? {
                return Ok(Err(condition.to_value()));
            }
        }
        Ok(Ok(()))
    }

    /// The environment for a task: later entries win, key by key.
    pub(super) fn environment(&self, layers: &[Node]) -> Result<Vec<(String, String)>, TemplateError> {
        let mut merged = Map::new();
        for layer in layers {
            let value = self.shared.templates.render(layer, &self.scope)?;
            let maps = match value {
                Value::List(items) => items.iter().cloned().collect(),
                other => vec![other],
            };
            for map in maps {
                match map {
                    Value::Map(map) => {
                        merged.extend(map.iter().map(|(key, value)| (key.clone(), value.clone())));
                    }
                    Value::Null | Value::Omit => {}
                    other => return Err(wrong(layer, &other, "a mapping of variables")),
                }
            }
        }
        Ok(merged.iter().map(|(key, value)| (key.to_string(), value.to_string())).collect())
    }
}

/// Ansible's idea of a boolean keyword or variable.
pub(super) fn as_bool(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(it) => Some(*it),
        Value::Int(it) if matches!(it, 0 | 1) => Some(*it == 1),
        Value::Float(it) if *it == 0.0 || *it == 1.0 => Some(*it == 1.0),
        Value::Str(text) => match text.trim().to_ascii_lowercase().as_str() {
            "y" | "yes" | "on" | "1" | "true" | "t" => Some(true),
            "n" | "no" | "off" | "0" | "false" | "f" | "" => Some(false),
            _ => None,
        },
        Value::Null | Value::Omit => Some(false),
        _ => None,
    }
}

fn wrong(node: &Node, value: &Value, wanted: &str) -> TemplateError {
    let diagnostic = Diagnostic::error(code::BAD_KEYWORD, format!("this must be {wanted}, it is {value:?}"))
        .label(node.span, format!("is not {wanted}"));
    TemplateError::new(diagnostic)
}
