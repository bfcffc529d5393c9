//! The lines of an INI file, and changing an option among them.

use std::ops::Range;

/// A file's lines without their ends.
pub(super) struct Text {
    lines: Vec<String>,
}

/// What is to be changed.
pub(super) struct Change<'a> {
    pub(super) section: Option<&'a str>,
    pub(super) option: Option<&'a str>,
    pub(super) values: Vec<String>,
    pub(super) exclusive: bool,
    /// What stands between option and value.
    pub(super) separator: &'static str,
    pub(super) ignore_spaces: bool,
    pub(super) allow_no_value: bool,
    /// Lines behind `#` and `;` are places to write to.
    pub(super) inactive: bool,
    /// Options and values that the section must have.
    pub(super) has: Vec<(&'a str, Vec<String>)>,
}

/// An option on a line.
struct Found<'l> {
    active: bool,
    value: &'l str,
}

impl Text {
    pub(super) fn read(text: &str) -> Text {
        Text { lines: text.lines().map(str::to_owned).collect() }
    }

    pub(super) fn write(&self) -> String {
        self.lines.iter().flat_map(|line| [line.as_str(), "\n"]).collect()
    }
}

/// The option of a line, if it is this one: `name`, `name=value`, `# name = value`.
fn find<'l>(line: &'l str, option: &str) -> Option<Found<'l>> {
    let line = line.trim_start_matches([' ', '\t']);
    let bare = line.strip_prefix(['#', ';']);
    let rest = bare.unwrap_or(line).trim_start_matches([' ', '\t']).strip_prefix(option)?;
    let rest = rest.trim_start_matches([' ', '\t']).trim_end_matches('\r');
    let value = match rest.strip_prefix('=') {
        Some(value) => value.trim_start_matches([' ', '\t']),
        None if rest.is_empty() => "",
        None => return None,
    };
    Some(Found { active: bare.is_none(), value })
}

/// The name in a section's first line.
fn header(line: &str) -> Option<&str> {
    let inside = line.strip_prefix('[')?;
    inside.split_once(']').map(|(name, _)| name.trim())
}

fn is_blank_or_comment(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line.starts_with(['#', ';'])
}

impl Change<'_> {
    /// The lines that belong to the section, its first one included; none if there is no such section.
    fn range(&self, text: &Text) -> Option<Range<usize>> {
        let heads: Vec<usize> =
            (0..text.lines.len()).filter(|at| header(&text.lines[*at]).is_some()).collect();
        let end_of =
            |start: usize| heads.iter().find(|head| **head > start).copied().unwrap_or(text.lines.len());
        let Some(section) = self.section else {
            let end = heads.first().copied().unwrap_or(text.lines.len());
            return Some(0..end);
        };
        let ours = heads.iter().filter(|head| header(&text.lines[**head]) == Some(section));
        ours.map(|head| *head..end_of(*head)).find(|range| self.fits(&text.lines[range.clone()]))
    }

    fn fits(&self, lines: &[String]) -> bool {
        self.has.iter().all(|(option, values)| {
            let found: Vec<&str> = lines
                .iter()
                .filter_map(|line| find(line, option).filter(|it| it.active))
                .map(|it| it.value)
                .collect();
            !found.is_empty() && values.iter().all(|value| found.contains(&value.as_str()))
        })
    }

    fn line(&self, value: &str) -> String {
        let option = self.option.unwrap_or_default();
        if value.is_empty() && self.allow_no_value {
            return option.to_owned();
        }
        format!("{option}{}{value}", self.separator)
    }

    /// Puts a line in place; says whether it was another.
    fn put(&self, place: &mut String, new: String) -> bool {
        let plain = |line: &str| match line.split_once('=') {
            Some((option, value)) => format!("{}={}", option.trim(), value.trim()),
            None => line.trim().to_owned(),
        };
        if *place == new || self.ignore_spaces && plain(place) == plain(&new) {
            return false;
        }
        *place = new;
        true
    }

    /// Makes section and option be there. Returns what was done, in words.
    pub(super) fn add(&self, text: &mut Text) -> &'static str {
        let Some(range) = self.range(text) else { return self.add_section(text) };
        let Some(option) = self.option else { return "OK" };
        let mut section: Vec<String> = text.lines[range.clone()].to_vec();
        let first = usize::from(self.section.is_some());
        let mut values = if self.values.is_empty() { vec![String::new()] } else { self.values.clone() };
        let mut done = vec![false; section.len()];
        let (mut changed, mut added) = (false, false);
        // Lines that have a wanted value stay where they are; those that are active first.
        for active in [true, false] {
            for at in first..section.len() {
                let Some(found) = find(&section[at], option).filter(|it| it.active == active) else {
                    continue;
                };
                let place = values.iter().position(|value| value == found.value);
                if let Some(place) = place.filter(|_| !done[at] && (active || self.inactive)) {
                    let new = self.line(&values.remove(place));
                    changed |= self.put(&mut section[at], new);
                    done[at] = true;
                }
            }
        }
        if self.exclusive {
            // Other values give way to what is missing; what is left over goes.
            for active in [true, false] {
                for at in first..section.len() {
                    let takes = find(&section[at], option)
                        .is_some_and(|it| it.active == active && (active || self.inactive));
                    if takes && !done[at] && !values.is_empty() {
                        let new = self.line(&values.remove(0));
                        changed |= self.put(&mut section[at], new);
                        done[at] = true;
                    }
                }
            }
            let mut at = 0;
            let before = section.len();
            section.retain(|line| {
                at += 1;
                at <= first || done[at - 1] || find(line, option).is_none_or(|it| !it.active)
            });
            changed |= section.len() != before;
        }
        if !values.is_empty() {
            let end = (first..section.len()).rev().find(|at| !is_blank_or_comment(&section[*at]));
            let end = end.map_or(first, |at| at + 1);
            section.splice(end..end, values.iter().map(|value| self.line(value)));
            added = true;
        }
        text.lines.splice(range, section);
        match (added, changed) {
            (true, _) => "option added",
            (_, true) => "option changed",
            _ => "OK",
        }
    }

    fn add_section(&self, text: &mut Text) -> &'static str {
        text.lines.push(format!("[{}]", self.section.unwrap_or_default()));
        for (option, values) in &self.has {
            let other = Change { option: Some(option), ..self.plain() };
            let own = Some(*option) == self.option;
            text.lines.extend(values.iter().filter(|_| !own).map(|value| other.line(value)));
        }
        if self.option.is_none() {
            return "only section added";
        }
        let alone = [String::new()];
        let values = if self.values.is_empty() { &alone[..] } else { &self.values };
        text.lines.extend(values.iter().map(|value| self.line(value)));
        "section and option added"
    }

    /// The same way to write lines, with nothing to write.
    fn plain(&self) -> Change<'_> {
        Change { values: Vec::new(), has: Vec::new(), ..*self }
    }

    /// Makes section or option not be there. Returns what was done, in words.
    pub(super) fn remove(&self, text: &mut Text) -> &'static str {
        let Some(range) = self.range(text) else { return "OK" };
        let Some(option) = self.option else {
            if self.section.is_none() {
                return "OK";
            }
            text.lines.drain(range);
            return "section removed";
        };
        let goes = |line: &String| {
            let found = find(line, option).filter(|it| it.active);
            found.is_some_and(|it| self.exclusive || self.values.iter().any(|value| value == it.value))
        };
        let section: Vec<String> = text.lines[range.clone()].to_vec();
        let first = usize::from(self.section.is_some());
        let kept: Vec<String> = section
            .iter()
            .enumerate()
            .filter(|(at, line)| *at < first || !goes(line))
            .map(|(_, line)| line.clone())
            .collect();
        if kept.len() == section.len() {
            return "OK";
        }
        text.lines.splice(range, kept);
        "option changed"
    }
}
