//! `vars`, `varnames`, `inventory_hostnames`: what the scope knows.

use fancy_regex::Regex;

use crate::diag::{Diagnostic, code};
use crate::value::Value;

use super::super::error::TemplateError;
use super::super::native;
use super::{Call, Outcome};

pub(super) fn vars(call: &Call<'_>) -> Outcome {
    call.words()
        .map(|name| match call.context.variable(&name) {
            Some(value) if !value.is_undefined() => native::to_data(&value).map_err(|error| {
                let plain = || TemplateError::plain(format!("the variable `{name}` can't be used: {error}"));
                TemplateError::carried_by(&error).unwrap_or_else(plain).into()
            }),
            undefined => match call.options.get("default") {
                Some(fallback) => Ok(fallback.clone()),
                None => {
                    let reason = undefined.and_then(|_| call.context.reason(&name));
                    Err(reason.unwrap_or_else(|| missing(call, &name)).into())
                }
            },
        })
        .collect()
}

fn missing(call: &Call<'_>, name: &str) -> TemplateError {
    let names = call.context.scope().names();
    let diagnostic = Diagnostic::error(code::UNDEFINED, format!("`{name}` is undefined"));
    TemplateError::undefined(name, diagnostic.suggest(name, names.iter().map(|it| &**it)))
}

pub(super) fn varnames(call: &Call<'_>) -> Outcome {
    let names = call.context.scope().names();
    let mut out = Vec::new();
    for pattern in call.words() {
        let pattern =
            Regex::new(&pattern).map_err(|error| format!("`{pattern}` is no regular expression: {error}"))?;
        out.extend(
            names.iter().filter(|name| pattern.is_match(&***name).unwrap_or(false)).cloned().map(Value::Str),
        );
    }
    Ok(out)
}

pub(super) fn inventory_hostnames(call: &Call<'_>) -> Outcome {
    let groups = match call.context.variable("groups") {
        Some(groups) => native::to_data(&groups).map_err(|error| error.to_string())?,
        None => Value::Null,
    };
    let members = |name: &str| -> Vec<Value> {
        match groups.get(name) {
            Some(Value::List(hosts)) => hosts.to_vec(),
            _ => {
                let all = groups.get("all").and_then(Value::as_list).unwrap_or_default();
                let wild = glob::Pattern::new(name).ok();
                let named = |host: &&Value| {
                    host.as_str().is_some_and(|host| wild.as_ref().is_some_and(|wild| wild.matches(host)))
                };
                all.iter().filter(named).cloned().collect()
            }
        }
    };
    let words: Vec<String> = call.words().collect();
    let mut parts: Vec<&str> = words.iter().flat_map(|word| word.split([',', ':'])).map(str::trim).collect();
    parts.retain(|part| !part.is_empty());
    let mut out: Vec<Value> = Vec::new();
    let unions = parts.iter().filter(|part| !part.starts_with(['&', '!']));
    for host in unions.flat_map(|part| members(part)) {
        if !out.contains(&host) {
            out.push(host);
        }
    }
    for part in parts.iter().filter_map(|part| part.strip_prefix('&')) {
        let keep = members(part);
        out.retain(|host| keep.contains(host));
    }
    for part in parts.iter().filter_map(|part| part.strip_prefix('!')) {
        let drop = members(part);
        out.retain(|host| !drop.contains(host));
    }
    Ok(out)
}
