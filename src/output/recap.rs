//! The end of a run: what each host did, and where the time went.

use std::time::Duration;

use super::theme::{Theme, Tone};
use crate::event::{Recap, Tally};
use crate::value::{Map, Value};

/// The recap's lines as Ansible prints them.
pub(super) fn lines(recap: &Recap, theme: Theme, with_stats: bool) -> String {
    let mut out = String::new();
    for (host, tally) in &recap.hosts {
        out += &line(host, tally, theme);
        out.push('\n');
    }
    if with_stats && !(recap.stats.is_empty() && recap.host_stats.is_empty()) {
        out += &theme.banner("CUSTOM STATS:");
        for (host, stats) in &recap.host_stats {
            out += &format!("\t{host}: {}\n", on_one_line(stats));
        }
        if !recap.stats.is_empty() {
            out += &format!("\n\tRUN: {}\n", on_one_line(&recap.stats));
        }
    }
    out
}

/// JSON with sorted keys as Ansible prints it: indented by one, and then put on one line.
fn on_one_line(stats: &Map) -> String {
    let mut sorted: Vec<_> = stats.iter().map(|(name, value)| (name.clone(), value.clone())).collect();
    sorted.sort_by(|a, b| a.0.cmp(&b.0));
    let json = serde_json::Value::from(&Value::map(sorted.into_iter().collect()));
    let mut bytes = Vec::new();
    let one = serde_json::ser::PrettyFormatter::with_indent(b" ");
    let mut to = serde_json::Serializer::with_formatter(&mut bytes, one);
    // Values that a text can hold can be written into one.
    let _ = serde::Serialize::serialize(&json, &mut to);
    String::from_utf8_lossy(&bytes).replace('\n', "")
}

fn line(host: &str, tally: &Tally, theme: Theme) -> String {
    let tone = match tally {
        Tally { failed, unreachable, .. } if *failed > 0 || *unreachable > 0 => Tone::Failed,
        Tally { changed, .. } if *changed > 0 => Tone::Changed,
        _ => Tone::Ok,
    };
    let counts = [
        ("ok", tally.ok, Tone::Ok),
        ("changed", tally.changed, Tone::Changed),
        ("unreachable", tally.unreachable, Tone::Unreachable),
        ("failed", tally.failed, Tone::Failed),
        ("skipped", tally.skipped, Tone::Skipped),
        ("rescued", tally.rescued, Tone::Ok),
        ("ignored", tally.ignored, Tone::Warning),
    ];
    let field = |name: &str, count: u32, tone: Tone, columns: usize| {
        let text = format!("{name}={count:<columns$}");
        if count > 0 { theme.paint(tone, &text) } else { text }
    };
    let name = theme.paint(tone, host);
    if !theme.narrow {
        let padding = " ".repeat(26usize.saturating_sub(console::measure_text_width(host)));
        let fields = counts.map(|(name, count, tone)| field(name, count, tone, 4));
        return format!("{name}{padding} : {}", fields.join(" ")).trim_end().to_owned();
    }
    let mut out = name;
    let mut used = console::measure_text_width(host);
    for (name, count, tone) in counts {
        let text = field(name, count, tone, 0);
        let columns = console::measure_text_width(&text) + 1;
        if used + columns > theme.width {
            out.push_str("\n   ");
            used = 3;
        }
        out = out + " " + &text;
        used += columns;
    }
    out
}

/// The slowest tasks, longest first, and the total.
pub(super) fn profile(recap: &Recap, theme: Theme) -> String {
    let mut times: Vec<(&str, Duration)> =
        recap.times.iter().map(|(task, took)| (&*task.name, *took)).collect();
    times.sort_by_key(|(_, took)| std::cmp::Reverse(*took));
    let mut out = theme.banner("TIME PER TASK");
    for (name, took) in times.iter().take(20) {
        let seconds = format!("{:>9}", human(*took));
        let dots = theme.width.saturating_sub(console::measure_text_width(name) + seconds.len() + 2).max(3);
        out += &format!("{name} {}{seconds}\n", theme.paint(Tone::Dim, &"-".repeat(dots)));
    }
    if times.len() > 20 {
        out += &format!("({} faster ones are left out)\n", times.len() - 20);
    }
    let tasks: Duration = recap.times.iter().map(|(_, took)| *took).sum();
    let own = recap.took.saturating_sub(tasks);
    out += &format!("total {} (tasks {}, everything else {})\n", human(recap.took), human(tasks), human(own));
    out
}

fn human(took: Duration) -> String {
    let seconds = took.as_secs_f64();
    if seconds >= 60.0 {
        format!("{}m{:04.1}s", took.as_secs() / 60, seconds % 60.0)
    } else if seconds >= 1.0 {
        format!("{seconds:.2}s")
    } else {
        format!("{:.1}ms", seconds * 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_narrow_terminal_gets_the_recap_in_lines_that_fit() {
        let tally = Tally { ok: 6, changed: 2, ..Tally::default() };
        assert_eq!(
            line("localhost", &tally, Theme::terminal(60, false)),
            "localhost ok=6 changed=2 unreachable=0 failed=0 skipped=0\n    rescued=0 ignored=0"
        );
        assert!(
            line("localhost", &tally, Theme::plain()).starts_with("localhost                  : ok=6    ")
        );
        assert_eq!(
            line("localhost", &tally, Theme::terminal(120, false)),
            line("localhost", &tally, Theme::plain())
        );
    }
}
