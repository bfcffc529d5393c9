//! Before and after as a unified diff.

use similar::{ChangeTag, TextDiff};

use super::theme::{Theme, Tone};
use crate::outcome::Diff;
use crate::value::Value;

/// The text of a diff, empty if both sides are equal. Ends in a newline.
pub(super) fn render(diff: &Diff, theme: Theme) -> String {
    if let Some(prepared) = &diff.prepared {
        return prepared.lines().map(|line| format!("{}\n", theme.paint(tone(line), line))).collect();
    }
    let (before, after) = (side(&diff.before), side(&diff.after));
    if before == after {
        return String::new();
    }
    let header = |sign: &str, word: &str, name: &str| {
        let text = if name.is_empty() { format!("{sign} {word}") } else { format!("{sign} {word}: {name}") };
        theme.paint(if sign == "---" { Tone::Removed } else { Tone::Added }, &text) + "\n"
    };
    let mut out = header("---", "before", &diff.before_header) + &header("+++", "after", &diff.after_header);
    let changes = TextDiff::from_lines(&before, &after);
    for hunk in changes.unified_diff().context_radius(3).iter_hunks() {
        out += &theme.paint(Tone::Position, hunk.header().to_string().trim_end());
        out.push('\n');
        for change in hunk.iter_changes() {
            let (sign, tone) = match change.tag() {
                ChangeTag::Delete => ('-', Some(Tone::Removed)),
                ChangeTag::Insert => ('+', Some(Tone::Added)),
                ChangeTag::Equal => (' ', None),
            };
            let line = format!("{sign}{}", change.value().trim_end_matches('\n'));
            out += &tone.map_or_else(|| line.clone(), |tone| theme.paint(tone, &line));
            out.push('\n');
            if change.missing_newline() {
                out += "\\ No newline at end of file\n";
            }
        }
    }
    out.push('\n');
    out
}

fn tone(line: &str) -> Tone {
    match line.chars().next() {
        Some('+') => Tone::Added,
        Some('-') => Tone::Removed,
        Some('@') => Tone::Position,
        _ => Tone::Dim,
    }
}

/// A side as lines: text as it is, a mapping as indented JSON.
fn side(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Str(text) => text.to_string(),
        other => serde_json::to_string_pretty(&serde_json::Value::from(other)).unwrap_or_default() + "\n",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_line_is_shown_with_its_surroundings() {
        let diff = Diff {
            before_header: "/etc/x".into(),
            after_header: "/etc/x".into(),
            before: "a\nb\n".into(),
            after: "a\nc".into(),
            prepared: None,
        };
        let expected = "--- before: /etc/x\n+++ after: /etc/x\n@@ -1,2 +1,2 @@\n a\n-b\n+c\n\\ No newline at end of file\n\n";
        assert_eq!(render(&diff, Theme::plain()), expected);
    }
}
