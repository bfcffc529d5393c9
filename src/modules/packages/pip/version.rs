//! Versions of Python packages and what is said about them (`>=1.2,<2`), as PEP 440 has it.

use std::cmp::Ordering;

/// A version, in parts that compare.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Version {
    epoch: u64,
    release: Vec<u64>,
    stage: Stage,
    post: Option<u64>,
    dev: Option<u64>,
}

/// How finished a version is.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Only a development release of the version itself: before all others.
    Development,
    Alpha(u64),
    Beta(u64),
    Candidate(u64),
    Final,
}

impl Version {
    /// From text; `None` for what is no version. A local part (`+cpu`) does not count.
    pub(super) fn parse(text: &str) -> Option<Version> {
        let text = text.trim().to_ascii_lowercase();
        let text = text.strip_prefix('v').unwrap_or(&text);
        let text = text.split('+').next()?;
        let (epoch, text) = match text.split_once('!') {
            Some((epoch, rest)) => (epoch.parse().ok()?, rest),
            None => (0, text),
        };
        let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
        let (release, mut rest) = text.split_at(end);
        let mut release: Vec<u64> =
            release.trim_end_matches('.').split('.').map(str::parse).collect::<Result<_, _>>().ok()?;
        while release.len() > 1 && release.last() == Some(&0) {
            release.pop();
        }
        let (mut stage, mut post, mut dev) = (Stage::Final, None, None);
        while !rest.is_empty() {
            let (word, number, tail) = piece(rest)?;
            rest = tail;
            match word {
                "a" | "alpha" => stage = Stage::Alpha(number),
                "b" | "beta" => stage = Stage::Beta(number),
                "c" | "rc" | "pre" | "preview" => stage = Stage::Candidate(number),
                "post" | "rev" | "r" | "" => post = Some(number),
                "dev" => dev = Some(number),
                _ => return None,
            }
        }
        if stage == Stage::Final && post.is_none() && dev.is_some() {
            stage = Stage::Development;
        }
        Some(Version { epoch, release, stage, post, dev })
    }

    fn order(&self, other: &Version) -> Ordering {
        // One that is still in development comes before the same one when it is done.
        let done = |it: &Version| it.dev.unwrap_or(u64::MAX);
        (self.epoch, &self.release)
            .cmp(&(other.epoch, &other.release))
            .then_with(|| self.stage.cmp(&other.stage))
            .then_with(|| self.post.cmp(&other.post))
            .then_with(|| done(self).cmp(&done(other)))
    }
}

/// A word, its number, and what comes after: `rc1.dev2` → `rc`, 1, `.dev2`.
fn piece(text: &str) -> Option<(&str, u64, &str)> {
    let text = text.trim_start_matches(['.', '-', '_']);
    let end = text.find(|c: char| !c.is_ascii_lowercase()).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    let digits = rest.trim_start_matches(['.', '-', '_']);
    let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    let (number, tail) = digits.split_at(end);
    if word.is_empty() && number.is_empty() {
        return None;
    }
    // A separator without a number belongs to what comes next.
    let tail = if number.is_empty() { rest } else { tail };
    Some((word, if number.is_empty() { 0 } else { number.parse().ok()? }, tail))
}

/// Whether a version is as all conditions say; `None` if one of them can't be understood.
pub(super) fn satisfies(version: &str, conditions: &str) -> Option<bool> {
    let mut all = true;
    for condition in conditions.split(',').map(str::trim).filter(|it| !it.is_empty()) {
        let operators = ["===", "==", "!=", "~=", ">=", "<=", ">", "<"];
        let operator = operators.into_iter().find(|operator| condition.starts_with(operator))?;
        all &= holds(version, operator, condition[operator.len()..].trim())?;
    }
    Some(all)
}

fn holds(version: &str, operator: &str, wanted: &str) -> Option<bool> {
    if operator == "===" {
        return Some(version == wanted);
    }
    let have = Version::parse(version)?;
    if let Some(prefix) = wanted.strip_suffix(".*") {
        let prefix = Version::parse(prefix)?;
        let same = starts_with(&have, &prefix, wanted.matches('.').count());
        return match operator {
            "==" => Some(same),
            "!=" => Some(!same),
            _ => None,
        };
    }
    let want = Version::parse(wanted)?;
    let order = have.order(&want);
    Some(match operator {
        "==" => order == Ordering::Equal,
        "!=" => order != Ordering::Equal,
        ">=" => order != Ordering::Less,
        "<=" => order != Ordering::Greater,
        ">" => {
            order == Ordering::Greater
                && !(want.post.is_none() && have.post.is_some() && same_release(&have, &want))
        }
        "<" => {
            order == Ordering::Less
                && !(want.stage == Stage::Final && have.stage != Stage::Final && same_release(&have, &want))
        }
        // Compatible: not older, and the same but for the last part.
        _ => order != Ordering::Less && starts_with(&have, &want, wanted.matches('.').count()),
    })
}

fn same_release(one: &Version, other: &Version) -> bool {
    (one.epoch, &one.release) == (other.epoch, &other.release)
}

/// Whether the first `parts` numbers are the same.
fn starts_with(version: &Version, prefix: &Version, parts: usize) -> bool {
    let part = |it: &Version, at: usize| it.release.get(at).copied().unwrap_or(0);
    version.epoch == prefix.epoch && (0..parts).all(|at| part(version, at) == part(prefix, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_have_an_order() {
        let order = [
            "0.9",
            "1.0.dev1",
            "1.0.dev2",
            "1.0a1.dev1",
            "1.0a1",
            "1.0a2",
            "1.0b1",
            "1.0rc1",
            "1.0",
            "1.0.post1.dev1",
            "1.0.post1",
            "1.0.1",
            "1.2",
            "1.10",
            "2.0",
            "1!0.1",
        ];
        for pair in order.windows(2) {
            let [one, other] = [pair[0], pair[1]].map(|text| Version::parse(text).unwrap());
            assert_eq!(one.order(&other), Ordering::Less, "{pair:?}");
        }
        for (one, other) in
            [("1.0", "1"), ("v1.0", "1.0.0"), ("1.0-1", "1.0.post1"), ("1.0c1", "1.0rc1"), ("1.0+cpu", "1.0")]
        {
            let [one, other] = [one, other].map(|text| Version::parse(text).unwrap());
            assert_eq!(one.order(&other), Ordering::Equal);
        }
        assert!(
            Version::parse("latest").is_none()
                && Version::parse("").is_none()
                && Version::parse("1.x").is_none()
        );
    }

    #[test]
    fn conditions_hold_or_not() {
        for (version, conditions, verdict) in [
            ("1.4", "", Some(true)),
            ("1.4", ">=1.2,<2", Some(true)),
            ("2.0", ">=1.2, <2", Some(false)),
            ("1.4.2", "==1.4.*", Some(true)),
            ("1.40", "==1.4.*", Some(false)),
            ("1.4.2", "!=1.4.*", Some(false)),
            ("1.4.0", "==1.4", Some(true)),
            ("1.4.5", "~=1.4.2", Some(true)),
            ("1.5", "~=1.4.2", Some(false)),
            ("1.5", "~=1.4", Some(true)),
            ("2.0", "~=1.4", Some(false)),
            ("2.0rc1", "<2.0", Some(false)),
            ("1.0.post1", ">1.0", Some(false)),
            ("1.0", "===1.0", Some(true)),
            ("1.0", "@ file:///x", None),
            ("weird", ">1", None),
        ] {
            assert_eq!(satisfies(version, conditions), verdict, "{version} {conditions}");
        }
    }
}
