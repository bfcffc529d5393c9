//! Filters about numbers: conversion, rounding, powers, sizes for people.

use minijinja::State;
use minijinja::value::{Value, ValueKind};

use super::python;
use super::{Args, Filter, Outcome, filter};

pub(super) const FILTERS: &[Filter] = &[
    filter("int", "value, default=, base=", int, "a whole number; the default (0) where it is none"),
    filter("float", "value, default=", float, "a number; the default (0.0) where it is none"),
    filter("round", "value, precision=, method=", round, "the number with fewer decimals"),
    filter("abs", "x", abs, "the number without its sign"),
    filter("log", "x, base=", log, "the logarithm; natural unless a base is given"),
    filter("pow", "x, y", pow, "the number to a power"),
    filter("root", "x, base=", root, "the square root, or another"),
    filter("human_readable", "size, isbits=, unit=", human_readable, "a size such as 1.50 KB"),
    filter(
        "human_to_bytes",
        "size, default_unit=, isbits=",
        human_to_bytes,
        "the bytes that a size such as 1K means",
    ),
    filter("filesizeformat", "value, binary=", filesizeformat, "a size such as 1.5 kB"),
];

/// Python's `int(text, base)`.
pub(crate) fn parse_int(text: &str, base: u32) -> Option<i128> {
    let text = text.trim_matches(python::is_space);
    let (sign, digits) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let lower = digits.to_ascii_lowercase();
    let prefixed = [("0x", 16), ("0o", 8), ("0b", 2)].into_iter().find_map(|(prefix, of)| {
        lower.strip_prefix(prefix).filter(|_| base == of || base == 0).map(|it| (it, of))
    });
    let (digits, base) = match prefixed {
        Some((rest, of)) => (rest.strip_prefix('_').unwrap_or(rest), of),
        None if base == 0
            && lower.len() > 1
            && lower.starts_with('0')
            && lower.contains(|c| c != '0' && c != '_') =>
        {
            return None;
        }
        None => (lower.as_str(), if base == 0 { 10 } else { base }),
    };
    if digits.starts_with('_')
        || digits.ends_with('_')
        || digits.contains("__")
        || digits.starts_with(['+', '-'])
    {
        return None;
    }
    i128::from_str_radix(&digits.replace('_', ""), base).ok().map(|it| it * sign)
}

/// Python's `float(text)`.
pub(crate) fn parse_float(text: &str) -> Option<f64> {
    let text = text.trim_matches(python::is_space);
    if text.starts_with('_') || text.ends_with('_') || text.contains("__") {
        return None;
    }
    text.replace('_', "").parse().ok()
}

/// A float without its fraction; none where it is no finite number of 128 bits.
#[expect(clippy::cast_possible_truncation, reason = "the range is checked")]
fn truncated(it: f64) -> Option<i128> {
    (it.is_finite() && it.abs() < 1.7e38).then_some(it.trunc() as i128)
}

fn int(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let value = args.value("value");
    let base = args.int("base")?.unwrap_or(10);
    let base = u32::try_from(base)
        .ok()
        .filter(|it| *it == 0 || (2..=36).contains(it))
        .ok_or_else(|| args.fail("'base' must be 0 or from 2 to 36"))?;
    let number = match value.kind() {
        ValueKind::String => {
            let text = args.text("value");
            parse_int(&text, base).or_else(|| parse_float(&text).and_then(truncated))
        }
        _ => python::as_int(&value).or_else(|| python::as_float(&value).and_then(truncated)),
    };
    Ok(number.map_or_else(|| args.get("default").cloned().unwrap_or_else(|| Value::from(0)), python::int))
}

fn float(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let value = args.value("value");
    let number = match value.kind() {
        ValueKind::String => parse_float(&args.text("value")),
        _ => python::as_float(&value),
    };
    Ok(number.map_or_else(|| args.get("default").cloned().unwrap_or_else(|| Value::from(0.0)), Value::from))
}

/// The number, or an error that it is none.
fn number(args: &Args, name: &str) -> Outcome<f64> {
    let value = args.value(name);
    python::as_float(&value).ok_or_else(|| {
        args.fail(format!("expected a number, got {} ({})", python::repr(&value), python::type_name(&value)))
    })
}

fn round(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let (value, method) = (args.value("value"), args.str_or("method", "common")?);
    let it = number(args, "value")?;
    let precision = args.int("precision")?.unwrap_or(0).clamp(-400, 400);
    let precision = i32::try_from(precision).unwrap_or(0);
    match method {
        "common" if python::as_int(&value).is_some() && precision >= 0 => Ok(value),
        "common" => {
            let rounded = round_half_even(it, precision);
            match python::as_int(&value) {
                Some(_) => Ok(truncated(rounded).map_or_else(|| Value::from(rounded), python::int)),
                None => Ok(rounded.into()),
            }
        }
        "ceil" | "floor" => {
            let scale = 10f64.powi(precision);
            let scaled = it * scale;
            Ok(Value::from(if method == "ceil" { scaled.ceil() } else { scaled.floor() } / scale))
        }
        other => Err(args.fail(format!("'method' is common, ceil or floor, not '{other}'"))),
    }
}

/// Python's `round(x, n)`: exact, halves to the even neighbour.
fn round_half_even(it: f64, precision: i32) -> f64 {
    match usize::try_from(precision) {
        Ok(digits) => format!("{it:.digits$}").parse().unwrap_or(it),
        Err(_) => {
            let scale = 10f64.powi(-precision);
            (it / scale).round_ties_even() * scale
        }
    }
}

fn abs(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    match python::as_int(&args.value("x")) {
        Some(whole) => Ok(python::int(whole.saturating_abs())),
        None => Ok(number(args, "x")?.abs().into()),
    }
}

fn log(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let x = number(args, "x")?;
    if x <= 0.0 {
        return Err(args.fail("the number must be over 0"));
    }
    Ok(Value::from(match args.some("base") {
        None => x.ln(),
        Some(base) if python::as_float(base) == Some(10.0) => x.log10(),
        Some(_) => x.ln() / number(args, "base")?.ln(),
    }))
}

fn pow(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let power = number(args, "x")?.powf(number(args, "y")?);
    Ok(power.into())
}

fn root(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let x = number(args, "x")?;
    let base = if args.some("base").is_some() { number(args, "base")? } else { 2.0 };
    if x < 0.0 {
        return Err(args.fail("the number must not be negative"));
    }
    Ok(Value::from(if base == 2.0 { x.sqrt() } else { x.powf(1.0 / base) }))
}

const UNITS: [(char, f64); 9] = [
    ('Y', 1_208_925_819_614_629_174_706_176.0),
    ('Z', 1_180_591_620_717_411_303_424.0),
    ('E', 1_152_921_504_606_846_976.0),
    ('P', 1_125_899_906_842_624.0),
    ('T', 1_099_511_627_776.0),
    ('G', 1_073_741_824.0),
    ('M', 1_048_576.0),
    ('K', 1024.0),
    ('B', 1.0),
];

fn human_readable(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let value = args.value("size");
    let size = match value.kind() {
        ValueKind::String if args.some("unit").is_none() => parse_float(&args.text("size")),
        _ => python::as_float(&value),
    };
    let size = size.ok_or_else(|| args.fail(format!("{} is no size", python::repr(&value))))?;
    let base = if args.flag("isbits", false) { "bits" } else { "Bytes" };
    let wanted = args.some("unit").map(|it| python::text(it).to_uppercase());
    let (unit, limit) = UNITS
        .into_iter()
        .find(|(unit, limit)| match &wanted {
            None => size >= *limit,
            Some(wanted) => wanted.starts_with(*unit),
        })
        .unwrap_or(('B', 1.0));
    let suffix = if limit == 1.0 { base.to_owned() } else { format!("{unit}{}", &base[..1]) };
    Ok(format!("{:.2} {suffix}", size / limit).into())
}

fn human_to_bytes(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let text = args.text("size");
    let bad = || args.fail(format!("'{text}' is no size"));
    let trimmed = text.trim();
    let at = trimmed.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(trimmed.len());
    let (digits, unit) = (&trimmed[..at], trimmed[at..].trim());
    let number: f64 = digits.parse().map_err(|_| bad())?;
    let default = args.some("default_unit").map(python::text).unwrap_or_default();
    let unit = if unit.is_empty() { default.as_str() } else { unit };
    let (word, letter) = if args.flag("isbits", false) { ("bit", 'b') } else { ("byte", 'B') };
    let limit = unit_size(unit, word, letter).ok_or_else(bad)?;
    Ok(python::int(truncated((number * limit).round_ties_even()).ok_or_else(bad)?))
}

/// What a unit stands for: `K` or `k`, `KB` (`Kb` for bits), `kilobyte` in any case, `B`, `byte`, or nothing.
fn unit_size(unit: &str, word: &str, letter: char) -> Option<f64> {
    const NAMES: [&str; 8] = ["yotta", "zetta", "exa", "peta", "tera", "giga", "mega", "kilo"];
    let lower = unit.to_lowercase();
    if unit.is_empty() || lower == word || lower == "b" {
        return Some(1.0);
    }
    let named = lower.strip_suffix(word).and_then(|prefix| NAMES.iter().position(|name| *name == prefix));
    let at = named.or_else(|| {
        let (head, rest) = (unit.chars().next()?, unit.chars().skip(1));
        let short = rest.clone().next().is_none() || (head.is_ascii_uppercase() && rest.eq([letter]));
        UNITS.iter().position(|(it, _)| short && *it == head.to_ascii_uppercase())
    })?;
    UNITS.get(at).map(|(_, size)| *size)
}

fn filesizeformat(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let value = args.value("value");
    let size = match value.kind() {
        ValueKind::String => {
            parse_float(&args.text("value")).ok_or_else(|| args.fail("expected a number"))?
        }
        _ => number(args, "value")?,
    };
    let binary = args.flag("binary", false);
    let base: f64 = if binary { 1024.0 } else { 1000.0 };
    if size == 1.0 {
        return Ok("1 Byte".into());
    }
    if size < base {
        return Ok(format!("{} Bytes", size.trunc()).into());
    }
    let mut unit = base;
    for prefix in ["k", "M", "G", "T", "P", "E", "Z", "Y"] {
        unit *= base;
        if size < unit || prefix == "Y" {
            let suffix = if binary { format!("{}iB", prefix.to_uppercase()) } else { format!("{prefix}B") };
            return Ok(format!("{:.1} {suffix}", base * size / unit).into());
        }
    }
    Err(args.fail("too large"))
}
