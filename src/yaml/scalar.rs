//! What a plain scalar means: YAML 1.1 exactly as PyYAML's `SafeLoader` resolves it.
//!
//! Only scalars: structure, merge keys and tags on collections are the composer's. `compose` calls it, and so does
//! whoever must know what a bare word would be read as.

use std::sync::LazyLock;

use fancy_regex::Regex;

use super::Kind;
use crate::value::Value;

#[expect(clippy::expect_used, reason = "the patterns are constants, and tests use each")]
fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a valid pattern")
}

static INT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)^(?:[-+]?0b[01_]+ | [-+]?0[0-7_]+ | [-+]?(?:0|[1-9][0-9_]*) | [-+]?0x[0-9a-fA-F_]+
        | [-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+)$",
    )
});

static FLOAT: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)? | \.[0-9][0-9_]*(?:[eE][-+][0-9]+)?
        | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]* | [-+]?\.(?:inf|Inf|INF) | \.(?:nan|NaN|NAN))$",
    )
});

static TIMESTAMP: LazyLock<Regex> = LazyLock::new(|| {
    pattern(
        r"(?x)^([0-9]{4})-([0-9]{1,2})-([0-9]{1,2})
        (?:(?:[Tt]|[\ \t]+)([0-9]{1,2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]*))?
        (?:[\ \t]*(?:(Z)|([-+])([0-9]{1,2})(?::([0-9]{2}))?))?)?$",
    )
});

/// What an unquoted, untagged scalar stands for.
#[must_use]
pub fn resolve(text: &str) -> Kind {
    match text.as_bytes().first() {
        None => return Kind::Null,
        Some(b'~' | b'n' | b'N') if is_null(text) => return Kind::Null,
        Some(b'0'..=b'9' | b'-' | b'+' | b'.') => {
            let number = int(text).or_else(|| float(text)).or_else(|| timestamp(text));
            return number.unwrap_or_else(|| Kind::Str(text.into()));
        }
        _ => {}
    }
    boolean(text).map_or_else(|| Kind::Str(text.into()), Kind::Bool)
}

/// Whether the text is one of the words for nothing.
pub(super) fn is_null(text: &str) -> bool {
    matches!(text, "" | "~" | "null" | "Null" | "NULL")
}

/// The truth value that the text stands for.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => Some(true),
        "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => Some(false),
        _ => None,
    }
}

/// A whole number in any of YAML 1.1's writings. One that does not fit is the text of its digits.
pub(super) fn int(text: &str) -> Option<Kind> {
    if !INT.is_match(text).unwrap_or(false) {
        return None;
    }
    let digits = text.replace('_', "");
    let (negative, digits) = sign(&digits);
    let number = if let Some(binary) = digits.strip_prefix("0b") {
        i128::from_str_radix(binary, 2)
    } else if let Some(hex) = digits.strip_prefix("0x") {
        i128::from_str_radix(hex, 16)
    } else if digits.len() > 1 && digits.starts_with('0') {
        i128::from_str_radix(digits, 8)
    } else if digits.contains(':') {
        return base_60_int(negative, digits);
    } else {
        digits.parse::<i128>()
    };
    let Ok(number) = number else {
        let is_decimal = !digits.starts_with('0');
        return is_decimal.then(|| Kind::Str(format!("{}{digits}", if negative { "-" } else { "" }).into()));
    };
    Some(whole(if negative { -number } else { number }))
}

fn base_60_int(negative: bool, digits: &str) -> Option<Kind> {
    let number = digits
        .split(':')
        .try_fold(0i128, |sum, part| sum.checked_mul(60)?.checked_add(part.parse::<i128>().ok()?))?;
    Some(whole(if negative { -number } else { number }))
}

fn whole(number: i128) -> Kind {
    i64::try_from(number).map_or_else(|_| Kind::Str(number.to_string().into()), Kind::Int)
}

fn sign(text: &str) -> (bool, &str) {
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// A number with a point, or infinity, or "not a number".
pub(super) fn float(text: &str) -> Option<Kind> {
    if !FLOAT.is_match(text).unwrap_or(false) {
        return None;
    }
    let digits = text.replace('_', "").to_lowercase();
    let (negative, digits) = sign(&digits);
    let number = match digits {
        ".inf" => f64::INFINITY,
        ".nan" => f64::NAN,
        _ => digits.split(':').try_fold(0.0, |sum, part| Some(sum * 60.0 + part.parse::<f64>().ok()?))?,
    };
    Some(Kind::Float(if negative { -number } else { number }))
}

/// A date or a time as text, as Python prints it. A day that does not exist stays as it is written.
pub(super) fn timestamp(text: &str) -> Option<Kind> {
    let found = TIMESTAMP.captures(text).ok().flatten()?;
    let part = |i: usize| found.get(i).map(|part| part.as_str());
    let number = |i: usize| part(i).and_then(|digits| digits.parse::<i16>().ok()).unwrap_or(0);
    let small = |i: usize| i8::try_from(number(i)).unwrap_or(-1);
    let date = jiff::civil::Date::new(number(1), small(2), small(3)).ok()?;
    if number(1) == 0 {
        return None;
    }
    let Some(hour) = part(4) else {
        let two_digits = part(2).is_some_and(|it| it.len() == 2) && part(3).is_some_and(|it| it.len() == 2);
        return two_digits.then(|| Kind::Str(date.to_string().into()));
    };
    let hour = hour.parse::<i8>().ok()?;
    jiff::civil::Time::new(hour, small(5), small(6), 0).ok()?;
    let mut shown = format!("{date} {hour:02}:{:02}:{:02}", small(5), small(6));
    let fraction: String = part(7).unwrap_or("").chars().chain("000000".chars()).take(6).collect();
    if fraction != "000000" {
        shown.push('.');
        shown.push_str(&fraction);
    }
    if part(8).is_some() {
        shown.push_str("+00:00");
    } else if let Some(direction) = part(9) {
        let minutes = number(10) * 60 + number(11);
        if minutes >= 24 * 60 {
            return None;
        }
        let direction = if minutes == 0 { "+" } else { direction };
        shown.push_str(&format!("{direction}{:02}:{:02}", minutes / 60, minutes % 60));
    }
    Some(Kind::Str(shown.into()))
}

/// A scalar as the text of a mapping's key: what Python's `str()` makes of it.
pub(super) fn key_text(kind: &Kind) -> Option<std::sync::Arc<str>> {
    match kind {
        Kind::Str(text) => Some(text.clone()),
        Kind::Null => Some(Value::Null.to_string().into()),
        Kind::Bool(it) => Some(Value::Bool(*it).to_string().into()),
        Kind::Int(it) => Some(it.to_string().into()),
        Kind::Float(it) => Some(Value::Float(*it).to_string().into()),
        Kind::Bytes(it) => Some(Value::Bytes(it.clone()).to_string().into()),
        Kind::Seq(_) | Kind::Map(_) => None,
    }
}
