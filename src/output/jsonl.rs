//! One JSON object a line, as things happen: for programs that follow a run.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::Out;
use crate::diag::{Sources, to_json};
use crate::event::{Event, HostResult, Recap, Sink, Status, Tally, TaskStart};
use crate::value::Value;

/// JSON lines.
pub struct Lines {
    out: Out,
    sources: Arc<Sources>,
}

impl Lines {
    /// Writes to `out`.
    #[must_use]
    pub fn new(out: Out, sources: Arc<Sources>) -> Lines {
        Lines { out, sources }
    }
}

impl Sink for Lines {
    fn event(&mut self, event: &Event) {
        let line = object(event, &self.sources).to_string() + "\n";
        // Nobody reads when this fails (a closed pipe): the run goes on.
        let _ = self.out.write_all(line.as_bytes());
        let _ = self.out.flush();
    }
}

fn object(event: &Event, sources: &Sources) -> Json {
    match event {
        Event::Message(diagnostic) => json!({"event": "message", "message": to_json(diagnostic, sources)}),
        Event::PlayStart { name, hosts } => {
            json!({"event": "play_start", "play": &**name, "hosts": texts(hosts)})
        }
        Event::TaskStart(task) => json!({"event": "task_start", "task": describe(task, sources)}),
        Event::HostStart { host } => json!({"event": "host_start", "host": &**host}),
        Event::Line { host, text, stderr } => {
            json!({"event": "line", "host": &**host, "text": &**text, "stderr": stderr})
        }
        Event::Item(it) => merged("item", it, sources),
        Event::Retry { result, left } => {
            let mut line = merged("retry", result, sources);
            if let Json::Object(map) = &mut line {
                map.insert("retries_left".into(), json!(left));
            }
            line
        }
        Event::Result(it) => merged("result", it, sources),
        Event::Included { file, hosts, label } => {
            json!({"event": "included", "file": &**file, "hosts": texts(hosts), "label": label.as_deref()})
        }
        Event::NoHostsLeft => json!({"event": "no_hosts_left"}),
        Event::Recap(recap) => json!({
            "event": "recap", "stats": stats(recap), "custom_stats": Json::from(&Value::map(recap.stats.clone())),
            "seconds": recap.took.as_secs_f64(),
        }),
    }
}

fn texts(names: &[crate::value::Str]) -> Vec<&str> {
    names.iter().map(|name| &**name).collect()
}

/// A task with its place.
pub(super) fn describe(task: &TaskStart, sources: &Sources) -> Json {
    let place = sources.position(task.span);
    let path = format!("{}:{}", place.path.display(), place.line);
    json!({"id": task.id, "name": &*task.name, "action": &*task.action, "path": path, "handler": task.handler})
}

fn merged(event: &str, result: &HostResult, sources: &Sources) -> Json {
    json!({
        "event": event,
        "host": &*result.host,
        "delegate": result.delegate.as_deref(),
        "task": describe(&result.task, sources),
        "status": status(result.status),
        "ignored": result.ignored,
        "label": result.label.as_deref(),
        "result": Json::from(&result.value()),
        "seconds": result.took.as_secs_f64(),
        "diagnostic": result.diagnostic.as_ref().map(|diagnostic| to_json(diagnostic, sources)),
    })
}

fn status(status: Status) -> &'static str {
    match status {
        Status::Ok => "ok",
        Status::Changed => "changed",
        Status::Skipped => "skipped",
        Status::Failed => "failed",
        Status::Unreachable => "unreachable",
    }
}

/// The recap's counts by host.
pub(super) fn stats(recap: &Recap) -> Json {
    let one = |tally: &Tally| {
        json!({
            "ok": tally.ok, "changed": tally.changed, "unreachable": tally.unreachable, "failures": tally.failed,
            "skipped": tally.skipped, "rescued": tally.rescued, "ignored": tally.ignored,
        })
    };
    Json::Object(recap.hosts.iter().map(|(host, tally)| (host.to_string(), one(tally))).collect())
}
