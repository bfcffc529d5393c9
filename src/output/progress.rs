//! The live line at the bottom of a terminal: which hosts are busy, for how long, and what they last said.

use std::time::{Duration, Instant};

use indexmap::IndexMap;
use indicatif::{ProgressBar, ProgressStyle};

use crate::value::Str;

/// The live line. Hidden when it is not wanted.
pub(super) struct Progress {
    bar: Option<ProgressBar>,
    busy: IndexMap<Str, (Instant, String)>,
    task: Str,
    width: usize,
}

impl Progress {
    pub(super) fn new(wanted: bool, width: usize) -> Progress {
        let bar = wanted.then(|| {
            let bar = ProgressBar::new_spinner();
            if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed:>3} {msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Progress { bar, busy: IndexMap::new(), task: "".into(), width }
    }

    /// Runs `print` with the line out of the way.
    pub(super) fn around(&self, print: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    pub(super) fn task(&mut self, name: &Str) {
        self.task = name.clone();
        self.busy.clear();
        if let Some(bar) = &self.bar {
            bar.reset_elapsed();
        }
        self.show();
    }

    pub(super) fn begin(&mut self, host: &Str) {
        self.busy.insert(host.clone(), (Instant::now(), String::new()));
        self.show();
    }

    pub(super) fn line(&mut self, host: &Str, text: &str) {
        let entry = self.busy.entry(host.clone()).or_insert_with(|| (Instant::now(), String::new()));
        // Control characters of a host's program must not reach the terminal.
        entry.1 = console::strip_ansi_codes(text).chars().filter(|c| !c.is_control()).collect();
        self.show();
    }

    pub(super) fn done(&mut self, host: &Str) {
        self.busy.shift_remove(host);
        self.show();
    }

    fn show(&self) {
        let Some(bar) = &self.bar else { return };
        let hosts: Vec<&str> = self.busy.keys().take(4).map(|host| &**host).collect();
        let more = self.busy.len().saturating_sub(hosts.len());
        let said = self
            .busy
            .values()
            .rev()
            .map(|(_, text)| text.as_str())
            .find(|text| !text.is_empty())
            .unwrap_or("");
        let more = if more > 0 { format!(" +{more}") } else { String::new() };
        let text = format!("{} · {}{more} {said}", self.task, hosts.join(" "));
        bar.set_message(
            console::truncate_str(text.trim_end(), self.width.saturating_sub(8), "…").into_owned(),
        );
    }

    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
