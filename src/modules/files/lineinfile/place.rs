//! Where the line stands, or where it goes.

use fancy_regex::Regex;

use super::compiled;
use crate::modules::api::Fail;
use crate::pattern;

/// What finds the line and what it shall be.
pub(super) struct Place<'a> {
    pub(super) line: Option<&'a str>,
    pub(super) regexp: Option<&'a Regex>,
    pub(super) search_string: Option<&'a str>,
    pub(super) backrefs: bool,
    pub(super) firstmatch: bool,
}

fn bare(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}

fn hits(regex: &Regex, line: &str) -> Result<bool, Fail> {
    regex
        .is_match(line)
        .map_err(|error| Fail::new(format!("the regular expression does not work out: {error}")))
}

impl Place<'_> {
    /// Whether a line is meant; with neither pattern nor text: whether it is the line itself.
    fn fits(&self, line: &str) -> Result<bool, Fail> {
        match (self.regexp, self.search_string) {
            (Some(regex), _) => hits(regex, line),
            (None, Some(text)) => Ok(line.contains(text)),
            (None, None) => Ok(self.line == Some(bare(line))),
        }
    }

    /// The line that is meant: the first or the last that fits.
    fn find(&self, lines: &[String]) -> Result<Option<usize>, Fail> {
        let mut found = None;
        for (at, line) in lines.iter().enumerate() {
            if self.fits(line)? {
                found = Some(at);
                if self.firstmatch {
                    break;
                }
            }
        }
        Ok(found)
    }
}

/// Takes the lines that are meant away; says how many.
pub(super) fn absent(lines: &mut Vec<String>, place: &Place<'_>) -> Result<usize, Fail> {
    let mut kept = Vec::with_capacity(lines.len());
    for line in lines.iter() {
        if !place.fits(line)? {
            kept.push(line.clone());
        }
    }
    let found = lines.len() - kept.len();
    *lines = kept;
    Ok(found)
}

/// Puts the line in place; says what was done, nothing if it stood there already.
pub(super) fn present(
    lines: &mut Vec<String>,
    place: &Place<'_>,
    insertafter: Option<&str>,
    insertbefore: Option<&str>,
) -> Result<&'static str, Fail> {
    let wanted = place.line.unwrap_or_default();
    if let Some(at) = place.find(lines)? {
        let new = replacement(place, &lines[at])?;
        let new = if new.ends_with('\n') { new } else { new + "\n" };
        let exact = place.regexp.is_none() && place.search_string.is_none();
        // A last line without an end that is right otherwise stays so.
        if lines[at] == new || exact {
            return Ok("");
        }
        lines[at] = new;
        return Ok("line replaced");
    }
    if place.backrefs {
        return Ok("");
    }
    // The line may stand somewhere although the pattern did not find it.
    if lines.iter().any(|line| bare(line) == wanted) {
        return Ok("");
    }
    let line = if wanted.ends_with('\n') { wanted.to_owned() } else { format!("{wanted}\n") };
    let anchor = match (insertafter, insertbefore) {
        (Some("BOF"), _) | (_, Some("BOF")) => {
            lines.insert(0, line);
            return Ok("line added");
        }
        (Some("EOF") | None, None) => None,
        (Some(text), _) => anchor(lines, text, place.firstmatch)?.map(|at| at + 1),
        (None, Some(text)) => anchor(lines, text, place.firstmatch)?,
    };
    let at = anchor.unwrap_or(lines.len());
    if at == lines.len()
        && let Some(last) = lines.last_mut().filter(|last| !last.ends_with(['\n', '\r']))
    {
        last.push('\n');
    }
    lines.insert(at, line);
    Ok("line added")
}

fn replacement(place: &Place<'_>, old: &str) -> Result<String, Fail> {
    let wanted = place.line.unwrap_or_default();
    let Some(regex) = place.regexp.filter(|_| place.backrefs) else { return Ok(wanted.to_owned()) };
    let found =
        regex.captures(old).map_err(|error| Fail::new(format!("regexp does not work out: {error}")))?;
    let mut new = String::new();
    if let Some(found) = found {
        pattern::expand(wanted, &found, &mut new).map_err(|why| Fail::new(format!("line: {why}")))?;
    }
    Ok(new)
}

/// The line that a new one goes after or before.
fn anchor(lines: &[String], text: &str, first: bool) -> Result<Option<usize>, Fail> {
    let Some(regex) = compiled(Some(text), "insertafter or insertbefore")? else { return Ok(None) };
    let mut found = None;
    for (at, line) in lines.iter().enumerate() {
        if hits(&regex, line)? {
            found = Some(at);
            if first {
                break;
            }
        }
    }
    Ok(found)
}
