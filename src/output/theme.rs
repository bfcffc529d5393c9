//! Colors and widths. Colors only where somebody can see them.

use console::Style;

/// Columns of a line of Ansible's recap.
const RECAP: usize = 113;

/// How text is decorated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    /// With ANSI colors.
    pub color: bool,
    /// Columns of a banner.
    pub width: usize,
    /// Whether it goes to a terminal that has no room for Ansible's recap, which scripts may read elsewhere.
    pub narrow: bool,
}

/// What a text says; the color follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Ok,
    Changed,
    Skipped,
    Failed,
    Unreachable,
    Ignored,
    Warning,
    Added,
    Removed,
    Position,
    Dim,
}

impl Theme {
    /// Without colors, as wide as Ansible's.
    #[must_use]
    pub fn plain() -> Theme {
        Theme { color: false, width: 79, narrow: false }
    }

    /// For a terminal of this width.
    #[must_use]
    pub fn terminal(width: usize, color: bool) -> Theme {
        Theme { color, width: width.saturating_sub(1).max(20), narrow: width < RECAP }
    }

    /// A text in its color.
    pub(super) fn paint(self, tone: Tone, text: &str) -> String {
        if !self.color || text.is_empty() {
            return text.to_owned();
        }
        let style = Style::new().force_styling(true);
        let style = match tone {
            Tone::Ok | Tone::Added => style.green(),
            Tone::Changed => style.yellow(),
            Tone::Skipped | Tone::Position | Tone::Ignored => style.cyan(),
            Tone::Failed | Tone::Removed => style.red(),
            Tone::Unreachable => style.red().bold(),
            Tone::Warning => style.magenta(),
            Tone::Dim => style.dim(),
        };
        style.apply_to(text).to_string()
    }

    /// A headline filled up with stars.
    pub(super) fn banner(self, text: &str) -> String {
        let used = console::measure_text_width(text) + 1;
        let stars = self.width.saturating_sub(used).max(3);
        format!("\n{text} {}\n", "*".repeat(stars))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn banners_fill_the_line_and_never_vanish() {
        assert_eq!(Theme::plain().banner("PLAY [x]").trim().len(), 79);
        let long = "x".repeat(100);
        assert_eq!(Theme::plain().banner(&long), format!("\n{long} ***\n"));
    }
}
