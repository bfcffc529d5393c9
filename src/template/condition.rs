//! `when`, `until`, `changed_when`, `failed_when`, `that`: one entry to true or false.
//!
//! The result counts by Python's truth, as ansible-core 2.18 has it. Delimiters in a condition are accepted with a
//! warning: `'{{ a }}' == 'b'` means `(a ~ '') == 'b'`; what `a` holds is never read as an expression.

use std::sync::Arc;

use crate::diag::{Diagnostic, Span, code};
use crate::value::Value;
use crate::yaml::{Kind, Node};

use super::context::has_template;
use super::engine::Engine;
use super::error::TemplateError;
use super::scope::Scope;

impl Engine {
    /// One condition. A list means all of them.
    ///
    /// # Errors
    /// If it is no condition, no expression, or fails.
    pub fn condition(&self, node: &Node, scope: &Arc<dyn Scope>) -> Result<bool, TemplateError> {
        match &node.kind {
            Kind::Null => Ok(true),
            Kind::Bool(it) => Ok(*it),
            Kind::Int(it) => Ok(*it != 0),
            Kind::Float(it) => Ok(*it != 0.0),
            Kind::Str(text) if text.trim().is_empty() => Ok(true),
            Kind::Str(text) if has_template(text) => self.delimited(text, node.span, scope),
            Kind::Str(text) => {
                let running = self.start(scope)?;
                Ok(self.evaluate(text, node.span, &running.0)?.is_true())
            }
            Kind::Seq(items) => {
                for item in items.iter() {
                    if !self.condition(item, scope)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Kind::Map(_) | Kind::Bytes(_) => {
                Err(TemplateError::at(node.span, "a condition must be an expression, not a mapping"))
            }
        }
    }

    fn delimited(&self, text: &str, span: Span, scope: &Arc<dyn Scope>) -> Result<bool, TemplateError> {
        let message = "a condition is an expression already: write it without `{{ }}` or `{% %}`";
        self.warn(Diagnostic::warning(code::CONDITION, message).at(span));
        let running = self.start(scope)?;
        if let Some(expression) = without_delimiters(text) {
            let value = self.evaluate(&expression, span, &running.0)?;
            let data = running.0.finish(&value, span)?;
            return Ok(word(&data).unwrap_or_else(|| data.truthy()));
        }
        let value = self.run(&text.into(), span, &running.0)?;
        let data = running.0.finish(&value, span)?;
        Ok(word(&data).unwrap_or_else(|| data.truthy()))
    }
}

/// Text that is a literal counts as what it says: ansible-core 2.18 reads the result once more.
fn word(value: &Value) -> Option<bool> {
    match value.as_str()?.trim() {
        "True" | "true" => Some(true),
        "False" | "false" | "None" | "none" | "" | "0" => Some(false),
        _ => None,
    }
}

/// `'{{ a }}' == b` → `('' ~ (a) ~ '') == b`; none if there are statements or the braces do not match.
fn without_delimiters(text: &str) -> Option<String> {
    if text.contains("{%") || text.contains("{#") {
        return None;
    }
    let mut out = String::new();
    let mut quote: Option<char> = None;
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if let Some(inner) = rest.strip_prefix("{{") {
            let end = inner.find("}}")?;
            let expression = inner[..end].trim().trim_start_matches('-').trim_end_matches('-').trim();
            match quote {
                Some(quote) => out.push_str(&format!("{quote} ~ ({expression}) ~ {quote}")),
                None => out.push_str(&format!("({expression})")),
            }
            rest = &inner[end + 2..];
            continue;
        }
        match quote {
            None if c == '\'' || c == '"' => {
                quote = Some(c);
                out.push('(');
                out.push(c);
            }
            Some(open) if c == open => {
                quote = None;
                out.push(c);
                out.push(')');
            }
            Some(_) if c == '\\' => {
                out.push(c);
                out.extend(rest.chars().nth(1));
                rest = rest.get(1 + rest.chars().nth(1).map_or(0, char::len_utf8)..)?;
                continue;
            }
            _ => out.push(c),
        }
        rest = &rest[c.len_utf8()..];
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::without_delimiters;

    #[test]
    fn delimiters_become_parentheses_and_stay_out_of_texts() {
        for (text, expression) in [
            ("{{ a }}", "(a)"),
            ("{{ a }} == 'b'", "(a) == ('b')"),
            ("'{{ a }}' == 'b'", "('' ~ (a) ~ '') == ('b')"),
            ("\"x-{{- a -}}-y\" in c", "(\"x-\" ~ (a) ~ \"-y\") in c"),
            ("'it\\'s' == {{ b }}", "('it\\'s') == (b)"),
        ] {
            assert_eq!(without_delimiters(text).as_deref(), Some(expression));
        }
        assert_eq!(without_delimiters("{% if x %}1{% endif %}"), None);
        assert_eq!(without_delimiters("{{ a"), None);
    }
}
