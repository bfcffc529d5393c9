//! Turns events into text: for people, for programs, for CI. Renders only what the engine says.

mod diff;
mod human;
mod json;
mod jsonl;
mod junit;
mod log;
mod minimal;
mod progress;
mod recap;
mod text;
mod theme;

use std::io::Write;
use std::sync::Arc;

use crate::diag::Sources;
use crate::event::{Event, Sink};

pub use human::Human;
pub use json::Document;
pub use jsonl::Lines;
pub use junit::Junit;
pub use log::Log;
pub use minimal::Minimal;
pub use theme::Theme;

/// How results are shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Format {
    /// For people.
    #[default]
    Human,
    /// A result's own text, nothing around it.
    Minimal,
    /// One line a result.
    Oneline,
    /// One JSON document at the end, as Ansible's `json` callback shapes it.
    Json,
    /// One JSON object a line, as things happen.
    Jsonl,
}

/// What outputs are told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `-v`, counted.
    pub verbosity: u8,
    /// Colors and the width of the terminal.
    pub theme: Theme,
    /// Show the time that each task took.
    pub profile: bool,
    /// Show skipped hosts.
    pub skipped: bool,
    /// Show hosts where nothing had to change.
    pub ok: bool,
    /// Show the values of `set_stats` at the end.
    pub stats: bool,
    /// A live line at the bottom of the terminal.
    pub live: bool,
}

/// Where text goes.
pub type Out = Box<dyn Write + Send>;

/// The output for a format.
#[must_use]
pub fn output(format: Format, out: Out, sources: Arc<Sources>, settings: Settings) -> Box<dyn Sink> {
    match format {
        Format::Human => Box::new(Human::new(out, sources, settings)),
        Format::Minimal => Box::new(Minimal::new(out, sources, settings, false)),
        Format::Oneline => Box::new(Minimal::new(out, sources, settings, true)),
        Format::Json => Box::new(Document::new(out, sources)),
        Format::Jsonl => Box::new(Lines::new(out, sources)),
    }
}

/// Several outputs at once.
pub struct All(pub Vec<Box<dyn Sink>>);

impl Sink for All {
    fn event(&mut self, event: &Event) {
        for sink in &mut self.0 {
            sink.event(event);
        }
    }
}
