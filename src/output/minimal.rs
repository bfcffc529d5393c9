//! Results and nothing around them: for ad-hoc commands and logs.

use std::sync::Arc;

use super::theme::Tone;
use super::{Out, Settings, diff, text};
use crate::diag::{Sources, render};
use crate::event::{Event, HostResult, Sink, Status};
use crate::value::Map;

/// Output as Ansible's callbacks `minimal` (`host | CHANGED | rc=0 >>` and the command's text, or JSON) and `oneline` (the
/// same on one line) shape it.
pub struct Minimal {
    oneline: bool,
    out: Out,
    sources: Arc<Sources>,
    settings: Settings,
}

impl Minimal {
    /// Writes to `out`.
    #[must_use]
    pub fn new(out: Out, sources: Arc<Sources>, settings: Settings, oneline: bool) -> Minimal {
        Minimal { oneline, out, sources, settings }
    }

    fn result(&self, result: &HostResult) -> String {
        let (word, tone) = match result.status {
            Status::Ok => ("SUCCESS", Tone::Ok),
            Status::Changed => ("CHANGED", Tone::Changed),
            Status::Skipped => ("SKIPPED", Tone::Skipped),
            Status::Failed => ("FAILED!", Tone::Failed),
            Status::Unreachable => ("UNREACHABLE!", Tone::Unreachable),
        };
        let theme = self.settings.theme;
        let mut text: String = result.diff.iter().map(|one| diff::render(one, theme)).collect();
        let fields = &result.fields;
        let command = fields.contains_key("rc") && fields.contains_key("stdout");
        let body = if self.oneline {
            line(result, word, command && !result.no_log && result.status != Status::Failed)
        } else if command && !result.no_log {
            let part = |name: &str| fields.get(name).map(ToString::to_string).unwrap_or_default();
            let word = if result.status == Status::Failed { "FAILED" } else { word };
            let mut body = format!("{} | {word} | rc={} >>\n", result.host, part("rc"));
            for name in ["stdout", "stderr"] {
                let said = part(name);
                if !said.is_empty() {
                    body += said.trim_end();
                    body.push('\n');
                }
            }
            if result.status == Status::Failed {
                body += &part("msg");
            }
            body.trim_end().to_owned()
        } else {
            format!("{} | {word} => {}", result.host, pretty(fields))
        };
        text += &theme.paint(tone, &body);
        text.push('\n');
        text
    }
}

/// A result on one line: what parts the lines of a command's text is written as `\n`.
fn line(result: &HostResult, word: &str, command: bool) -> String {
    let host = &result.host;
    if !command {
        return format!("{host} | {word} => {}", text::line(&shown(&result.fields)));
    }
    let part = |name: &str| {
        let text = result.fields.get(name).map(ToString::to_string).unwrap_or_default();
        text.trim_end().replace('\r', "").replace('\n', "\\n")
    };
    let mut body = format!("{host} | {word} | rc={} | (stdout) {}", part("rc"), part("stdout"));
    if !part("stderr").is_empty() {
        body += &format!(" (stderr) {}", part("stderr"));
    }
    body
}

impl Sink for Minimal {
    fn event(&mut self, event: &Event) {
        let text = match event {
            Event::Message(diagnostic) => render(diagnostic, &self.sources, self.settings.theme.color),
            Event::Result(result) => self.result(result),
            _ => return,
        };
        // Nobody reads when this fails (a closed pipe): the run goes on.
        let _ = self.out.write_all(text.as_bytes());
        let _ = self.out.flush();
    }
}

fn pretty(fields: &Map) -> String {
    text::pretty(&shown(fields))
}

fn shown(fields: &Map) -> Map {
    let mut fields = fields.clone();
    fields.retain(|name, value| &**name != "failed" || value.truthy());
    fields.sort_keys();
    fields
}
