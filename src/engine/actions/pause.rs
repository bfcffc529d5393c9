//! `pause`: wait for a time or for the user.

use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::BoxFuture;

use crate::engine::args;
use crate::engine::result::Once;
use crate::engine::task::HostTask;
use crate::outcome::Outcome;
use crate::template::TemplateError;
use crate::value::{Map, Value};

/// What to wait for.
struct Wait {
    text: String,
    limit: Option<Duration>,
    echo: bool,
}

/// The waiting. With nobody to ask, a pause without a time is no pause, as in Ansible.
pub(super) fn run(task: &HostTask, args: &Map) -> Result<BoxFuture<'static, Once>, TemplateError> {
    let seconds = |name: &str, unit: f64| match args::text(args, name) {
        None => Ok(None),
        Some(text) => match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => Ok(Some(Duration::from_secs_f64((number * unit).max(0.0)))),
            _ => Err(super::at_argument(task, name, format!("pause: `{text}` is not a number"))),
        },
    };
    let limit = seconds("minutes", 60.0)?.or(seconds("seconds", 1.0)?);
    let prompt = args::text(args, "prompt");
    let asks = prompt.is_some() && limit.is_none();
    let text = prompt
        .map_or_else(|| "Press enter to continue, Ctrl+C to interrupt".to_owned(), |text| text.to_string());
    let wait = Wait { text, limit, echo: args::flag(args, "echo", true) };
    let ask = task.shared.prompt.clone();
    let started = Instant::now();
    Ok(async move {
        let limit = wait.limit;
        let echo = wait.echo;
        let work = tokio::task::spawn_blocking(move || match wait.limit {
            None if asks => ask.ask(&wait.text, !wait.echo).unwrap_or_default(),
            limit => {
                ask.pause(&wait.text, limit);
                String::new()
            }
        });
        let input = work.await.unwrap_or_default();
        let took = started.elapsed().as_secs();
        let stdout = match limit {
            Some(limit) => format!("Paused for {} seconds", limit.as_secs_f64()),
            None => format!("Paused for {:.2} minutes", started.elapsed().as_secs_f64() / 60.0),
        };
        let outcome = Outcome::unchanged()
            .with("delta", took)
            .with("echo", echo)
            .with("rc", 0)
            .with("stderr", "")
            .with("stdout", stdout)
            .with("user_input", Value::from(input));
        Once::of(outcome)
    }
    .boxed())
}
