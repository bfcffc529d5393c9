//! `set_stats`: values for the end of the run.

use crate::engine::args;
use crate::engine::keywords::Keywords;
use crate::engine::result::{Effect, Once};
use crate::engine::task::HostTask;
use crate::outcome::Outcome;
use crate::template::TemplateError;
use crate::value::{Map, Value};
use crate::vars::TaskScope;

/// Keeps `data` for the recap.
pub(super) fn run(task: &HostTask, scope: &TaskScope, args: &Map) -> Result<Once, TemplateError> {
    let Some(Value::Map(data)) = args.get("data") else {
        return Err(super::at_argument(task, "data", "set_stats: `data` must be a mapping"));
    };
    let keywords = Keywords::new(&task.shared, scope);
    let aggregate = keywords.flag(args::node(task, "aggregate"), true)?;
    let per_host = keywords.flag(args::node(task, "per_host"), false)?;
    let mut once = Once::of(Outcome::unchanged());
    let stats = Value::from_pairs([
        ("data", Value::Map(data.clone())),
        ("aggregate", Value::Bool(aggregate)),
        ("per_host", Value::Bool(per_host)),
    ]);
    once.fields.insert("ansible_stats".into(), stats);
    once.effects.push(Effect::Stats { data: (**data).clone(), aggregate, per_host });
    Ok(once)
}
