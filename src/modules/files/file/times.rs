//! The times of a file as `file` takes them: kept, now, or a date in a format.

use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::modules::api::{Fail, Look, Map, Touch, Value, from_date};

/// What a time shall be.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum When {
    Keep,
    Now,
    /// Seconds since 1970.
    At(f64),
}

impl When {
    /// From an argument: `preserve`, `now`, or a date in `format`, taken as UTC.
    pub(super) fn parse(text: Option<&str>, format: &str, otherwise: When) -> Result<When, Fail> {
        match text {
            None | Some("") => Ok(otherwise),
            Some("preserve") => Ok(When::Keep),
            Some("now") => Ok(When::Now),
            Some(text) => read(text, format)
                .map(When::At)
                .ok_or_else(|| Fail::new(format!("the time {text} does not have the format {format}"))),
        }
    }
}

/// The times of one path that must change.
#[derive(Debug)]
pub(super) struct Times {
    path: PathBuf,
    before: (f64, f64),
    atime: Option<f64>,
    mtime: Option<f64>,
}

impl Times {
    /// What must change at `path`, where something is; `None`: nothing.
    pub(super) fn plan(
        host: &dyn Look,
        path: &Path,
        mtime: When,
        atime: When,
    ) -> Result<Option<Times>, Fail> {
        let Some(stat) = host.stat(path, true)? else { return Ok(None) };
        let now = host.now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64();
        let wanted = |when, before: f64| match when {
            When::Keep => None,
            When::Now => Some(now),
            When::At(time) => Some(time).filter(|time| (time - before).abs() > 1e-6),
        };
        let (atime, mtime) = (wanted(atime, stat.atime), wanted(mtime, stat.mtime));
        let some = atime.is_some() || mtime.is_some();
        Ok(some.then(|| Times { path: path.into(), before: (stat.atime, stat.mtime), atime, mtime }))
    }

    pub(super) fn diff(&self, before: &mut Map, after: &mut Map) {
        for (name, from, to) in [("atime", self.before.0, self.atime), ("mtime", self.before.1, self.mtime)] {
            if let Some(to) = to {
                before.insert(name.into(), Value::from(from));
                after.insert(name.into(), Value::from(to));
            }
        }
    }

    pub(super) fn apply(&self, host: &mut dyn Touch) -> Result<(), Fail> {
        host.set_times(&self.path, self.atime, self.mtime, true)
    }
}

/// `strptime` for the numeric fields.
#[expect(clippy::cast_precision_loss, reason = "seconds of a date with four digits are exact")]
fn read(text: &str, format: &str) -> Option<f64> {
    let (mut year, mut month, mut day) = (1900, 1, 1);
    let (mut hour, mut minute, mut second) = (0, 0, 0);
    let mut rest = text;
    let mut format = format.chars();
    while let Some(c) = format.next() {
        if c != '%' {
            rest = rest.strip_prefix(c)?;
            continue;
        }
        let code = format.next()?;
        let width = if code == 'Y' { 4 } else { 2 };
        let digits = rest.bytes().take(width).take_while(u8::is_ascii_digit).count();
        match code {
            '%' => rest = rest.strip_prefix('%')?,
            _ => {
                let (number, tail) = rest.split_at(digits);
                let number: i64 = number.parse().ok()?;
                rest = tail;
                match code {
                    'Y' if digits == 4 => year = number,
                    'y' => year = if number < 69 { 2000 + number } else { 1900 + number },
                    'm' => month = number,
                    'd' => day = number,
                    'H' => hour = number,
                    'M' => minute = number,
                    'S' => second = number,
                    _ => return None,
                }
            }
        }
    }
    if !rest.is_empty() {
        return None;
    }
    from_date(year, month, day, (hour, minute, second)).map(|seconds| seconds as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read_by_their_format() {
        for (text, format, seconds) in [
            ("202601010000.30", "%Y%m%d%H%M.%S", Some(1_767_225_630.0)),
            ("2026-01-01", "%Y-%m-%d", Some(1_767_225_600.0)),
            ("01/01/26", "%d/%m/%y", Some(1_767_225_600.0)),
            ("20260101", "%Y%m%d%H%M.%S", None),
            ("2026-13-01", "%Y-%m-%d", None),
            ("2026-01-01x", "%Y-%m-%d", None),
        ] {
            assert_eq!(read(text, format), seconds, "{text}");
        }
    }
}
