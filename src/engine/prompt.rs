//! `vars_prompt`: asks before the play begins. What is typed is never a template.

use super::keywords::Keywords;
use super::shared::Shared;
use crate::diag::{Diagnostic, code};
use crate::playbook::{Play, Prompt};
use crate::template::TemplateError;
use crate::value::{Map, Str, Value};

/// The answers. Variables that `-e` gives are not asked for.
pub(super) fn ask(shared: &Shared, play: &Play, keywords: &Keywords<'_>) -> Result<Map, TemplateError> {
    let mut answers = Map::new();
    for prompt in &play.vars_prompt {
        if shared.options.extra_vars.contains_key(&prompt.name) {
            continue;
        }
        let text = keywords.text(prompt.prompt.as_ref())?.unwrap_or_else(|| prompt.name.to_string());
        let default = keywords.text(prompt.default.as_ref())?;
        let answer = one(shared, prompt, &text, default.as_deref()).or(default);
        let value = match (answer, &prompt.encrypt) {
            (Some(answer), Some(scheme)) => Value::from(encrypted(shared, prompt, &answer, scheme)?),
            (answer, _) => Value::from(answer),
        };
        answers.insert(prompt.name.clone(), value);
    }
    Ok(answers)
}

fn one(shared: &Shared, prompt: &Prompt, text: &str, default: Option<&str>) -> Option<String> {
    let text = match default {
        Some(default) => format!("{text} [{default}]: "),
        None => format!("{text}: "),
    };
    loop {
        let answer = shared.prompt.ask(&text, prompt.private)?;
        if prompt.confirm && shared.prompt.ask(&format!("confirm {text}"), prompt.private)? != answer {
            continue;
        }
        return if answer.is_empty() { default.map(str::to_owned).or(Some(answer)) } else { Some(answer) };
    }
}

/// The answer as the filter `password_hash` hashes it, under passlib's name for the scheme (`sha512_crypt`).
fn encrypted(shared: &Shared, prompt: &Prompt, answer: &str, scheme: &Str) -> Result<String, TemplateError> {
    let kind = scheme.strip_suffix("_crypt").unwrap_or(scheme);
    let mut options = Map::new();
    options.extend(prompt.salt.clone().map(|salt| ("salt".into(), Value::Str(salt))));
    options.extend(prompt.salt_size.map(|size| ("salt_size".into(), Value::from(i64::from(size)))));
    shared.templates.hash_password(answer, kind, &options).map_err(|why| {
        let message = format!("the answer for `{}` can't be encrypted: {why}", prompt.name);
        TemplateError::new(Diagnostic::error(code::BAD_KEYWORD, message).at(prompt.span))
    })
}
