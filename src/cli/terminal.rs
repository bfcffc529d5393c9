//! The terminal: printing, asking, waiting. The only place that reads from a user.

use std::io::{self, BufRead, IsTerminal, Write};
use std::time::Duration;

use console::Term;

use crate::engine::Prompt;
use crate::output::Theme;
use crate::secret::Secret;

/// Prints text. A closed pipe ends nothing: the command's exit code stays what it is.
pub(super) fn print(text: &str) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(text.as_bytes());
    let _ = out.flush();
}

/// Prints a message for the user beside the output proper.
pub(super) fn complain(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Tells a user at a terminal that something went well; in a pipe it would only be in the way.
pub(super) fn remark(text: &str) {
    if io::stdout().is_terminal() {
        complain(&format!("{text}\n"));
    }
}

/// Colors and width of standard output: `--color` first, then NO_COLOR and its like, then whether it is a terminal.
pub(super) fn theme(color: Option<clap::ColorChoice>, forced: Option<bool>) -> Theme {
    let terminal = io::stdout().is_terminal();
    let color = match color {
        Some(clap::ColorChoice::Always) => true,
        Some(clap::ColorChoice::Never) => false,
        _ => forced.unwrap_or_else(|| terminal && console::colors_enabled()),
    };
    match Term::stdout().size_checked() {
        Some((_, columns)) if terminal => Theme::terminal(usize::from(columns), color),
        _ => Theme { color, ..Theme::plain() },
    }
}

/// Whether somebody is there to see a live line.
pub(super) fn is_live() -> bool {
    io::stdout().is_terminal() && std::env::var_os("TERM").is_some_and(|term| term != "dumb")
}

/// Asks for a password; none when nobody is there.
pub(super) fn password(text: &str) -> Option<Secret> {
    if io::stdin().is_terminal() {
        return rpassword::prompt_password(text).ok().map(Secret::new);
    }
    complain(text);
    let mut line = String::new();
    match io::stdin().lock().read_line(&mut line) {
        Ok(n) if n > 0 => Some(Secret::new(line.trim_end_matches(['\r', '\n']))),
        _ => None,
    }
}

/// Asks on the terminal.
pub(super) struct Terminal;

impl Prompt for Terminal {
    fn ask(&self, text: &str, hidden: bool) -> Option<String> {
        if hidden && io::stdin().is_terminal() {
            return rpassword::prompt_password(text).ok();
        }
        complain(text);
        let mut line = String::new();
        match io::stdin().lock().read_line(&mut line) {
            Ok(n) if n > 0 => Some(line.trim_end_matches(['\r', '\n']).to_owned()),
            _ => None,
        }
    }

    fn pause(&self, text: &str, limit: Option<Duration>) -> bool {
        if let Some(limit) = limit {
            complain(&format!("Pausing for {} seconds\n", limit.as_secs_f64()));
            std::thread::sleep(limit);
            return false;
        }
        if !io::stdin().is_terminal() {
            complain("Not waiting for input: standard input is no terminal\n");
            return false;
        }
        complain(&format!("[pause] {text}:\n"));
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).is_ok()
    }
}

impl crate::connection::ssh::Prompt for Terminal {
    fn secret(&self, what: &str) -> Option<Secret> {
        io::stdin().is_terminal().then(|| rpassword::prompt_password(what).ok().map(Secret::new)).flatten()
    }
}
