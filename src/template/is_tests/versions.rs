//! `version`: comparing version numbers by one of four schemes.

use std::cmp::Ordering;

use minijinja::State;

use super::{Args, Outcome, Test, test};

const SIGNATURE: &str = "value, version, operator=, strict=, version_type=";

pub(super) const TESTS: &[Test] = &[
    test(
        "version",
        SIGNATURE,
        version,
        "how a version compares: ==, <, >=, …; loose, strict, semver or pep440",
    ),
    test("version_compare", SIGNATURE, version, "the old name of version"),
];

fn version(_: &mut State<'_, '_>, args: &Args) -> Outcome<bool> {
    let (value, other) = (args.text("value"), args.text("version"));
    if value.is_empty() || other.is_empty() {
        return Err(args.fail("a version is empty"));
    }
    if args.some("strict").is_some() && args.some("version_type").is_some() {
        return Err(args.fail("'strict' and 'version_type' cannot both be given"));
    }
    let scheme = match args
        .str_or("version_type", if args.flag("strict", false) { "strict" } else { "loose" })?
    {
        "loose" => loose,
        "strict" => strict,
        "semver" | "semantic" => semver,
        "pep440" => pep440,
        other => {
            return Err(args.fail(format!("'{other}' is no version_type: loose, strict, semver or pep440")));
        }
    };
    let order = scheme(&value, &other).map_err(|message| args.fail(message))?;
    Ok(match args.str_or("operator", "eq")? {
        "==" | "=" | "eq" => order.is_eq(),
        "!=" | "<>" | "ne" => order.is_ne(),
        "<" | "lt" => order.is_lt(),
        "<=" | "le" => order.is_le(),
        ">" | "gt" => order.is_gt(),
        ">=" | "ge" => order.is_ge(),
        other => return Err(args.fail(format!("'{other}' is no operator: ==, !=, <, <=, >, >="))),
    })
}

/// A part of a loose version.
#[derive(PartialEq)]
enum Part<'a> {
    Number(u128),
    Text(&'a str),
}

/// Runs of digits, runs of small letters, and whatever stands between; dots only separate.
fn loose_parts(version: &str) -> Vec<Part<'_>> {
    let class = |c: char| match c {
        '0'..='9' => 0,
        'a'..='z' => 1,
        '.' => 2,
        _ => 3,
    };
    let mut parts = Vec::new();
    let mut rest = version;
    while let Some(first) = rest.chars().next() {
        let at = rest.find(|c| class(c) != class(first)).unwrap_or(rest.len());
        let (part, after) = rest.split_at(at);
        match class(first) {
            0 => parts.push(Part::Number(part.parse().unwrap_or(u128::MAX))),
            2 => {}
            _ => parts.push(Part::Text(part)),
        }
        rest = after;
    }
    parts
}

/// Compares as `LooseVersion`.
pub(crate) fn loose(a: &str, b: &str) -> Result<Ordering, String> {
    let (left, right) = (loose_parts(a), loose_parts(b));
    for pair in left.iter().zip(&right) {
        let order = match pair {
            (Part::Number(x), Part::Number(y)) => x.cmp(y),
            (Part::Text(x), Part::Text(y)) => x.cmp(y),
            _ => return Err(format!("'{a}' and '{b}' cannot be compared: a number meets a text")),
        };
        if order.is_ne() {
            return Ok(order);
        }
    }
    Ok(left.len().cmp(&right.len()))
}

/// `1.2`, `1.2.3`, `1.2.3a4`, `1.2.3b4`.
fn strict(a: &str, b: &str) -> Result<Ordering, String> {
    type Key = ([u64; 3], (u8, u64));
    fn key(text: &str) -> Option<Key> {
        let at = text.find(['a', 'b']);
        let (numbers, pre) = text.split_at(at.unwrap_or(text.len()));
        let pre = match pre.chars().next() {
            Some(letter) => (u8::from(letter == 'b'), number(&pre[1..])?),
            None => (2, 0),
        };
        let mut parts = numbers.split('.').map(number);
        let key = [parts.next()??, parts.next()??, parts.next().unwrap_or(Some(0))?];
        parts.next().is_none().then_some((key, pre))
    }
    compare(a, b, key)
}

fn number(text: &str) -> Option<u64> {
    text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten()
}

fn compare<K: Ord>(a: &str, b: &str, key: fn(&str) -> Option<K>) -> Result<Ordering, String> {
    let read = |text: &str| key(text).ok_or_else(|| format!("'{text}' is no version of this type"));
    Ok(read(a)?.cmp(&read(b)?))
}

/// A part of a semantic version's pre-release: numbers come before texts.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Identifier {
    Number(u64),
    Text(String),
}

fn semver(a: &str, b: &str) -> Result<Ordering, String> {
    fn key(text: &str) -> Option<([u64; 3], bool, Vec<Identifier>)> {
        let text = text.split_once('+').map_or(text, |(version, _)| version);
        let (core, pre) = text.split_once('-').map_or((text, None), |(core, pre)| (core, Some(pre)));
        let plain = |it: &str| it == "0" || !it.starts_with('0');
        let mut parts = core.split('.').map(|it| number(it).filter(|_| plain(it)));
        let key = [parts.next()??, parts.next()??, parts.next()??];
        if parts.next().is_some() {
            return None;
        }
        let identifier = |it: &str| match it {
            "" => None,
            it if it.bytes().all(|b| b.is_ascii_digit()) => {
                number(it).filter(|_| plain(it)).map(Identifier::Number)
            }
            it => it
                .bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-')
                .then(|| Identifier::Text(it.to_owned())),
        };
        let pre: Option<Vec<Identifier>> =
            pre.map(|it| it.split('.').map(identifier).collect()).unwrap_or(Some(Vec::new()));
        let pre = pre?;
        Some((key, pre.is_empty(), pre))
    }
    compare(a, b, key)
}

/// A part of a local version: texts come before numbers.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Local {
    Text(String),
    Number(u64),
}

/// What Python packages are ordered by: epoch, release without trailing zeros, pre, post, dev, local.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Pep440 {
    epoch: u64,
    release: Vec<u64>,
    pre: (i8, u64),
    post: Option<u64>,
    dev: (bool, u64),
    local: Option<Vec<Local>>,
}

fn pep440(a: &str, b: &str) -> Result<Ordering, String> {
    compare(a, b, pep440_key)
}

fn pep440_key(text: &str) -> Option<Pep440> {
    let lower = text.trim().to_lowercase();
    let text = lower.strip_prefix('v').unwrap_or(&lower);
    let (text, local) = text.split_once('+').map_or((text, None), |(text, local)| (text, Some(local)));
    let (epoch, text) = text.split_once('!').map_or((Some(0), text), |(epoch, text)| (number(epoch), text));
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let digits = text[..at].trim_end_matches('.');
    let mut rest = &text[digits.len()..];
    let mut release =
        digits.split('.').map(|it| number(it).filter(|_| !it.is_empty())).collect::<Option<Vec<u64>>>()?;
    while release.last() == Some(&0) {
        release.pop();
    }
    let pre =
        take(&mut rest, &["alpha", "beta", "preview", "pre", "rc", "a", "b", "c"]).map(|(name, number)| {
            (
                if name.starts_with('a') {
                    0
                } else if name.starts_with('b') {
                    1
                } else {
                    2
                },
                number,
            )
        });
    let implicit = rest
        .strip_prefix('-')
        .map(|it| it.split_at(it.find(|c: char| !c.is_ascii_digit()).unwrap_or(it.len())));
    let post = match implicit.filter(|(digits, _)| !digits.is_empty()) {
        Some((digits, after)) => {
            rest = after;
            number(digits)
        }
        None => take(&mut rest, &["post", "rev", "r"]).map(|(_, number)| number),
    };
    let dev = take(&mut rest, &["dev"]).map(|(_, number)| number);
    if !rest.is_empty() {
        return None;
    }
    let local = local.map(|it| {
        it.split(['.', '-', '_'])
            .map(|it| number(it).map_or_else(|| Local::Text(it.into()), Local::Number))
            .collect()
    });
    // A development release of a version comes before its pre-releases, the version itself after them.
    let pre = pre.unwrap_or(if dev.is_some() && post.is_none() { (-1, 0) } else { (3, 0) });
    Some(Pep440 { epoch: epoch?, release, pre, post, dev: (dev.is_none(), dev.unwrap_or(0)), local })
}

/// Takes `.rc-1` and the like off the front: the name and its number, 0 if it has none.
fn take<'a>(rest: &mut &str, names: &[&'a str]) -> Option<(&'a str, u64)> {
    let separators = ['.', '-', '_'];
    let text = rest.strip_prefix(separators).unwrap_or(rest);
    let (name, after) = names.iter().find_map(|name| text.strip_prefix(name).map(|after| (*name, after)))?;
    let digits = after.strip_prefix(separators).unwrap_or(after);
    let at = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
    if at == 0 {
        *rest = after;
        return Some((name, 0));
    }
    *rest = &digits[at..];
    number(&digits[..at]).map(|number| (name, number))
}
