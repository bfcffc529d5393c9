//! One JSON document at the end, shaped as Ansible's `json` callback shapes it.

use std::sync::Arc;

use serde_json::{Map as Object, Value as Json, json};

use super::Out;
use super::jsonl::{describe, stats};
use crate::diag::{Sources, to_json};
use crate::event::{Event, HostResult, Sink, Status};
use crate::value::Value;

/// Collects a run and prints it when it is over.
pub struct Document {
    out: Out,
    sources: Arc<Sources>,
    plays: Vec<Json>,
    messages: Vec<Json>,
}

impl Document {
    /// Writes to `out`.
    #[must_use]
    pub fn new(out: Out, sources: Arc<Sources>) -> Document {
        Document { out, sources, plays: Vec::new(), messages: Vec::new() }
    }

    fn tasks(&mut self) -> Option<&mut Vec<Json>> {
        self.plays.last_mut()?.get_mut("tasks")?.as_array_mut()
    }

    fn result(&mut self, result: &HostResult) {
        let mut fields = match Json::from(&result.value()) {
            Json::Object(fields) => fields,
            _ => Object::new(),
        };
        fields.insert("action".into(), json!(&*result.task.action));
        if result.status == Status::Unreachable {
            fields.insert("unreachable".into(), json!(true));
        }
        if let Some(diagnostic) = &result.diagnostic {
            fields.insert("diagnostic".into(), to_json(diagnostic, &self.sources));
        }
        let (id, host) = (json!(result.task.id), result.host.to_string());
        let task =
            self.tasks().and_then(|tasks| tasks.iter_mut().rev().find(|task| task["task"]["id"] == id));
        if let Some(hosts) = task.and_then(|task| task["hosts"].as_object_mut()) {
            hosts.insert(host, Json::Object(fields));
        }
    }
}

impl Sink for Document {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Message(diagnostic) => self.messages.push(to_json(diagnostic, &self.sources)),
            Event::PlayStart { name, .. } => self.plays.push(json!({"play": {"name": &**name}, "tasks": []})),
            Event::TaskStart(task) => {
                let entry = json!({"task": describe(task, &self.sources), "hosts": {}});
                if let Some(tasks) = self.tasks() {
                    tasks.push(entry);
                }
            }
            Event::Result(result) => self.result(result),
            Event::Recap(recap) => {
                let document = json!({
                    "plays": self.plays,
                    "stats": stats(recap),
                    "custom_stats": recap.host_stats.iter().map(|(host, stats)| (host.to_string(), Json::from(&Value::map(stats.clone())))).collect::<serde_json::Map<_, _>>(),
                    "global_custom_stats": Json::from(&Value::map(recap.stats.clone())),
                    "messages": self.messages,
                });
                let text = serde_json::to_string_pretty(&document).unwrap_or_default() + "\n";
                // Nobody reads when this fails (a closed pipe): the run is over anyway.
                let _ = self.out.write_all(text.as_bytes());
                let _ = self.out.flush();
            }
            _ => {}
        }
    }
}
