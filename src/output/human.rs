//! The lines an Ansible user knows, with the place of what failed.

use std::sync::Arc;

use super::theme::{Theme, Tone};
use super::{Out, Settings, diff, progress::Progress, recap, text};
use crate::diag::{Sources, render};
use crate::event::{Event, HostResult, Sink, Status, TaskStart};
use crate::value::{Map, Value};

/// Output for people.
pub struct Human {
    out: Out,
    sources: Arc<Sources>,
    settings: Settings,
    progress: Progress,
    /// The task whose banner was printed last.
    shown: Option<u32>,
    /// The task that runs, its banner not printed yet when skipped or unchanged hosts are hidden.
    pending: Option<TaskStart>,
}

impl Human {
    /// Writes to `out`.
    #[must_use]
    pub fn new(out: Out, sources: Arc<Sources>, settings: Settings) -> Human {
        let progress = Progress::new(settings.live, settings.theme.width);
        Human { out, sources, settings, progress, shown: None, pending: None }
    }

    fn theme(&self) -> Theme {
        self.settings.theme
    }

    /// Nobody reads when this fails (a closed pipe): the run goes on.
    fn print(&mut self, text: &str) {
        let out = &mut self.out;
        self.progress.around(|| {
            let _ = out.write_all(text.as_bytes());
            let _ = out.flush();
        });
    }

    fn task(&mut self, task: &TaskStart) {
        self.progress.task(&task.name);
        self.pending = Some(task.clone());
        self.shown = None;
        if self.settings.ok && self.settings.skipped {
            self.banner(task);
        }
    }

    fn banner(&mut self, task: &TaskStart) {
        if self.shown == Some(task.id) {
            return;
        }
        self.shown = Some(task.id);
        let kind = if task.handler { "RUNNING HANDLER" } else { "TASK" };
        let check = if task.check && self.settings.verbosity > 0 { " (check mode)" } else { "" };
        let mut text = self.theme().banner(&format!("{kind} [{}]{check}", task.name));
        if self.settings.verbosity > 1 {
            let place = self.sources.position(task.span);
            text += &format!("task path: {}:{}\n", place.path.display(), place.line);
        }
        self.print(&text);
    }

    fn result(&mut self, result: &HostResult, item: bool) {
        let hidden = match result.status {
            Status::Skipped => !self.settings.skipped,
            Status::Ok => !self.settings.ok,
            _ => false,
        };
        // The whole of a loop was shown item by item; only a failure or an empty loop says more.
        if hidden
            || (!item && result.looped && !matches!(result.status, Status::Unreachable | Status::Skipped))
        {
            return;
        }
        self.banner(&result.task);
        let mut text = String::new();
        for one in &result.diff {
            text += &diff::render(one, self.theme());
        }
        text += &self.line(result, item);
        self.print(&text);
    }

    fn line(&self, result: &HostResult, item: bool) -> String {
        let theme = self.theme();
        let host = match &result.delegate {
            Some(delegate) => format!("{} -> {delegate}", result.host),
            None => result.host.to_string(),
        };
        let label = result.label.as_ref().filter(|_| item).map(|label| format!(" => (item={label})"));
        let label = label.unwrap_or_default();
        let details = |always: bool| match always || self.settings.verbosity > 0 {
            true => {
                format!(" => {}", json(&shown_fields(result, self.settings.verbosity), result.verbose_always))
            }
            false => String::new(),
        };
        match result.status {
            Status::Ok => {
                theme.paint(Tone::Ok, &format!("ok: [{host}]{label}{}", details(result.verbose_always)))
                    + "\n"
            }
            Status::Changed => {
                theme.paint(
                    Tone::Changed,
                    &format!("changed: [{host}]{label}{}", details(result.verbose_always)),
                ) + "\n"
            }
            Status::Skipped => {
                let gap = if label.is_empty() { "" } else { " " };
                theme.paint(Tone::Skipped, &format!("skipping: [{host}]{label}{gap}{}", details(false)))
                    + "\n"
            }
            Status::Failed => self.failure(result, &host, &label, item),
            Status::Unreachable => {
                let why = message(&result.fields);
                let ignored = if result.ignored {
                    theme.paint(Tone::Ignored, "...ignoring") + "\n"
                } else {
                    String::new()
                };
                theme.paint(Tone::Unreachable, &format!("fatal: [{host}]: UNREACHABLE! => {why}"))
                    + "\n"
                    + &ignored
            }
        }
    }

    /// What went wrong, what the command said, and where it stands in the playbook.
    fn failure(&self, result: &HostResult, host: &str, label: &str, item: bool) -> String {
        let theme = self.theme();
        let head = if item { format!("failed: [{host}]") } else { format!("fatal: [{host}]: FAILED!") };
        let mut text = format!("{head}{label} => ");
        if self.settings.verbosity > 0 || result.no_log {
            text += &json(&shown_fields(result, self.settings.verbosity), false);
        } else {
            text += &message(&result.fields);
            for name in ["stdout", "stderr"] {
                text += &quoted(&result.fields, name);
            }
        }
        let mut text = theme.paint(Tone::Failed, &text) + "\n";
        if let (Some(diagnostic), false) = (&result.diagnostic, result.ignored) {
            text += &place(&render(diagnostic, &self.sources, theme.color));
        }
        if result.ignored {
            text += &(theme.paint(Tone::Ignored, "...ignoring") + "\n");
        }
        text
    }

    fn retry(&mut self, result: &HostResult, left: u64) {
        self.banner(&result.task);
        let text =
            format!("FAILED - RETRYING: [{}]: {} ({left} retries left).", result.host, result.task.name);
        let mut text = self.theme().paint(Tone::Dim, &text) + "\n";
        if self.settings.verbosity > 1 {
            text = text.trim_end().to_owned() + "Result was: " + &json(&result.fields, false) + "\n";
        }
        self.print(&text);
    }
}

impl Sink for Human {
    fn event(&mut self, event: &Event) {
        match event {
            Event::Message(diagnostic) => {
                let text = render(diagnostic, &self.sources, self.theme().color);
                self.print(&text);
            }
            Event::PlayStart { name, hosts } => {
                let mut text = self.theme().banner(&format!("PLAY [{name}]"));
                if hosts.is_empty() {
                    text += &(self.theme().paint(Tone::Skipped, "skipping: no hosts matched") + "\n");
                }
                self.print(&text);
            }
            Event::TaskStart(task) => self.task(task),
            Event::HostStart { host } => self.progress.begin(host),
            Event::Line { host, text, .. } => self.progress.line(host, text),
            Event::Item(result) => self.result(result, true),
            Event::Retry { result, left } => self.retry(result, *left),
            Event::Result(result) => {
                self.progress.done(&result.host);
                self.result(result, false);
            }
            Event::Included { file, hosts, label } => {
                if let Some(task) = self.pending.clone() {
                    self.banner(&task);
                }
                let label = label.as_ref().map(|label| format!(" => (item={label})")).unwrap_or_default();
                let text = format!("included: {file} for {}{label}", hosts.join(", "));
                let text = self.theme().paint(Tone::Skipped, &text) + "\n";
                self.print(&text);
            }
            Event::NoHostsLeft => {
                let text = self.theme().banner("NO MORE HOSTS LEFT");
                self.print(&text);
            }
            Event::Recap(recap) => {
                self.progress.end();
                let mut text = self.theme().banner("PLAY RECAP")
                    + &recap::lines(recap, self.theme(), self.settings.stats);
                if self.settings.profile {
                    text += &recap::profile(recap, self.theme());
                }
                self.print(&(text + "\n"));
            }
        }
    }
}

/// The `-->` part of a rendered diagnostic: its message is already in the line above.
fn place(rendered: &str) -> String {
    match rendered.split_once('\n') {
        Some((_, rest)) if rest.contains("-->") => rest.to_owned(),
        _ => rendered.to_owned(),
    }
}

fn message(fields: &Map) -> String {
    let msg = fields.get("msg").map(ToString::to_string).unwrap_or_default();
    match fields.get("rc") {
        Some(rc) if rc != &Value::from(0) => format!("{msg} (rc={rc})"),
        _ => msg,
    }
}

/// A command's output below its failure, indented.
fn quoted(fields: &Map, name: &str) -> String {
    let text = fields.get(name).map(ToString::to_string).unwrap_or_default();
    let msg = fields.get("msg").map(ToString::to_string).unwrap_or_default();
    let text = text.trim_end();
    if text.is_empty() || msg.contains(text) {
        return String::new();
    }
    let lines: Vec<String> = text.lines().map(|line| format!("\n    {line}")).collect();
    let cut = lines.len().saturating_sub(40);
    let note = if cut > 0 { format!("\n    ({cut} lines before these)") } else { String::new() };
    format!("\n  {name}:{note}{}", lines.get(cut..).unwrap_or_default().concat())
}

/// The fields that are worth showing: no flags that the line already says, for `debug` nothing but what it shows.
fn shown_fields(result: &HostResult, verbosity: u8) -> Map {
    let debug = result.task.action.rsplit('.').next() == Some("debug");
    let mut fields: Map = (*result.fields).clone();
    fields.retain(|name, value| match &**name {
        "failed" => value.truthy(),
        "changed" | "ansible_loop_var" | "item" => !(debug && result.verbose_always),
        "diff" => false,
        "ansible_facts" => verbosity > 0,
        _ => true,
    });
    fields.sort_keys();
    fields
}

fn json(fields: &Map, pretty: bool) -> String {
    if pretty { text::pretty(fields) } else { text::line(fields) }
}
