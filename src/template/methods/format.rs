//! Python's `'{0:>8} {name}'.format(…)`: fields, conversions and the format mini-language.

use minijinja::value::{Value, ValueKind};

use crate::template::filters::Outcome;
use crate::template::filters::python::{self, fail};

/// Fills a template's fields.
///
/// # Errors
/// If the template is malformed, a field finds nothing, or a value does not take its format.
pub(super) fn fill(template: &str, positional: &[Value], named: &[(String, Value)]) -> Outcome<String> {
    Filler { positional, named, next: 0 }.fill(template)
}

struct Filler<'a> {
    positional: &'a [Value],
    named: &'a [(String, Value)],
    next: usize,
}

impl Filler<'_> {
    fn fill(&mut self, template: &str) -> Outcome<String> {
        let mut out = String::new();
        let mut rest = template;
        while let Some(at) = rest.find(['{', '}']) {
            out.push_str(&rest[..at]);
            let (brace, after) = rest[at..].split_at(1);
            if let Some(after) = after.strip_prefix(brace) {
                out.push_str(brace);
                rest = after;
                continue;
            }
            if brace == "}" {
                return Err(fail("format: single '}' in the template"));
            }
            let end = closing(after).ok_or_else(|| fail("format: a '{' is not closed"))?;
            out.push_str(&self.field(&after[..end])?);
            rest = &after[end + 1..];
        }
        Ok(out + rest)
    }

    fn field(&mut self, field: &str) -> Outcome<String> {
        let bracket = field.rfind(']').unwrap_or(0);
        let at = field[bracket..].find([':', '!']).map_or(field.len(), |at| bracket + at);
        let (name, rest) = field.split_at(at);
        let (conversion, spec) = match rest.strip_prefix('!') {
            Some(rest) => match rest.split_once(':') {
                Some((conversion, spec)) => (Some(conversion), spec),
                None => (Some(rest), ""),
            },
            None => (None, rest.strip_prefix(':').unwrap_or("")),
        };
        let value = self.value(name)?;
        let value = match conversion {
            None => value,
            Some("s") => python::text(&value).into(),
            Some("r" | "a") => python::repr(&value).into(),
            Some(other) => return Err(fail(format!("format: there is no conversion '!{other}'"))),
        };
        let spec = if spec.contains('{') { self.fill(spec)? } else { spec.to_owned() };
        format_value(&value, &spec)
    }

    fn value(&mut self, name: &str) -> Outcome {
        let at = name.find(['.', '[']).unwrap_or(name.len());
        let (first, mut path) = name.split_at(at);
        let mut found = match first.parse::<usize>() {
            Ok(index) => self.positional.get(index).cloned(),
            Err(_) if first.is_empty() => {
                self.next += 1;
                self.positional.get(self.next - 1).cloned()
            }
            Err(_) => self.named.iter().find(|(key, _)| key == first).map(|(_, value)| value.clone()),
        }
        .ok_or_else(|| fail(format!("format: nothing is given for the field '{{{name}}}'")))?;
        while !path.is_empty() {
            let (key, rest) = match path.strip_prefix('[') {
                Some(inside) => inside.split_once(']').ok_or_else(|| fail("format: a '[' is not closed"))?,
                None => {
                    let after = path.trim_start_matches('.');
                    after.split_at(after.find(['.', '[']).unwrap_or(after.len()))
                }
            };
            let index = key.parse::<i64>().map_or_else(|_| Value::from(key), Value::from);
            found = python::item(&found, &index)?;
            if found.is_undefined() {
                return Err(fail(format!("format: the field '{{{name}}}' finds nothing at '{key}'")));
            }
            path = rest;
        }
        Ok(found)
    }
}

/// Where the field that has just begun ends.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

/// `[[fill]align][sign][#][0][width][grouping][.precision][type]`.
#[derive(Default)]
struct Spec {
    fill: Option<char>,
    align: Option<char>,
    sign: Option<char>,
    alternate: bool,
    width: usize,
    grouping: Option<char>,
    precision: Option<usize>,
    kind: Option<char>,
}

fn parse(text: &str) -> Outcome<Spec> {
    let bad = || fail(format!("format: '{text}' is no format"));
    let chars: Vec<char> = text.chars().collect();
    let is_align = |c: Option<&char>| c.is_some_and(|c| "<>=^".contains(*c));
    let mut spec = Spec::default();
    let mut at = 0;
    if is_align(chars.get(1)) {
        (spec.fill, spec.align, at) = (chars.first().copied(), chars.get(1).copied(), 2);
    } else if is_align(chars.first()) {
        (spec.align, at) = (chars.first().copied(), 1);
    }
    let mut next = |allowed: &str| {
        let c = chars.get(at).copied().filter(|c| allowed.contains(*c));
        at += usize::from(c.is_some());
        c
    };
    spec.sign = next("+- ");
    spec.alternate = next("#").is_some();
    if next("0").is_some() {
        spec.fill = spec.fill.or(Some('0'));
        spec.align = spec.align.or(Some('='));
    }
    let number = |next: &mut dyn FnMut(&str) -> Option<char>| {
        let mut digits = String::new();
        while let Some(digit) = next("0123456789") {
            digits.push(digit);
        }
        digits
    };
    let width = number(&mut next);
    if !width.is_empty() {
        spec.width = width.parse().ok().filter(|it| *it < 1_000_000).ok_or_else(bad)?;
    }
    spec.grouping = next(",_");
    if next(".").is_some() {
        spec.precision = Some(number(&mut next).parse().ok().filter(|it| *it < 1000).ok_or_else(bad)?);
    }
    spec.kind = next("bcdeEfFgGnosxX%");
    if at == chars.len() { Ok(spec) } else { Err(bad()) }
}

fn format_value(value: &Value, spec: &str) -> Outcome<String> {
    if spec.is_empty() {
        return Ok(python::text(value));
    }
    let parsed = parse(spec)?;
    let misfit =
        |kind: char| fail(format!("format: unknown format code '{kind}' for '{}'", python::type_name(value)));
    match value.kind() {
        ValueKind::String => match parsed.kind {
            None | Some('s') if parsed.align != Some('=') => {
                let text = python::text(value);
                let cut = text.chars().take(parsed.precision.unwrap_or(usize::MAX)).collect::<String>();
                Ok(parsed.pad("", &cut, '<'))
            }
            kind => Err(misfit(kind.unwrap_or('='))),
        },
        ValueKind::Bool | ValueKind::Number => match (python::as_int(value), parsed.kind) {
            (Some(whole), None | Some('d' | 'n' | 'b' | 'o' | 'x' | 'X' | 'c')) => parsed.integer(whole),
            (_, Some(kind @ ('s' | 'd' | 'b' | 'o' | 'x' | 'X' | 'c'))) => Err(misfit(kind)),
            _ => Ok(parsed.float(python::as_float(value).unwrap_or(f64::NAN))),
        },
        _ => Err(fail(format!("format: '{}' takes no format", python::type_name(value)))),
    }
}

impl Spec {
    fn pad(&self, sign: &str, body: &str, default: char) -> String {
        let missing = self.width.saturating_sub(sign.chars().count() + body.chars().count());
        let fill = |count: usize| std::iter::repeat_n(self.fill.unwrap_or(' '), count).collect::<String>();
        match self.align.unwrap_or(default) {
            '<' => format!("{sign}{body}{}", fill(missing)),
            '^' => format!("{}{sign}{body}{}", fill(missing / 2), fill(missing - missing / 2)),
            '=' => format!("{sign}{}{body}", fill(missing)),
            _ => format!("{}{sign}{body}", fill(missing)),
        }
    }

    fn sign(&self, negative: bool) -> String {
        match self.sign {
            _ if negative => "-".into(),
            Some(sign @ ('+' | ' ')) => sign.into(),
            _ => String::new(),
        }
    }

    fn integer(&self, whole: i128) -> Outcome<String> {
        let size = whole.unsigned_abs();
        let (prefix, digits, group) = match self.kind {
            Some('b') => ("0b", format!("{size:b}"), 4),
            Some('o') => ("0o", format!("{size:o}"), 4),
            Some('x') => ("0x", format!("{size:x}"), 4),
            Some('X') => ("0X", format!("{size:X}"), 4),
            Some('c') => {
                let c = u32::try_from(whole).ok().and_then(char::from_u32);
                let c = c.ok_or_else(|| fail(format!("format: {whole} is no character")))?;
                return Ok(self.pad("", &c.to_string(), '<'));
            }
            _ => ("", size.to_string(), 3),
        };
        let sign = self.sign(whole < 0) + if self.alternate { prefix } else { "" };
        Ok(self.pad(&sign, &self.group(&digits, "", group, sign.len()), '>'))
    }

    /// Digits with separators. Zeros that fill up the width are separated too.
    fn group(&self, digits: &str, tail: &str, size: usize, sign: usize) -> String {
        let Some(separator) = self.grouping else { return format!("{digits}{tail}") };
        let mut digits = digits.to_owned();
        loop {
            let mut grouped = String::new();
            for (i, c) in digits.chars().enumerate() {
                if i > 0 && (digits.len() - i).is_multiple_of(size) {
                    grouped.push(separator);
                }
                grouped.push(c);
            }
            let zeros = self.fill == Some('0') && self.align == Some('=');
            if !zeros || sign + grouped.len() + tail.len() >= self.width {
                return grouped + tail;
            }
            digits.insert(0, '0');
        }
    }

    fn float(&self, it: f64) -> String {
        let size = it.abs();
        let upper = matches!(self.kind, Some('E' | 'F' | 'G'));
        let mut body = match self.kind {
            _ if !it.is_finite() => {
                if it.is_nan() {
                    "nan".into()
                } else {
                    "inf".into()
                }
            }
            Some('f' | 'F') => format!("{size:.*}", self.precision.unwrap_or(6)),
            Some('%') => format!("{:.*}%", self.precision.unwrap_or(6), size * 100.0),
            Some('e' | 'E') => scientific(size, self.precision.unwrap_or(6)),
            Some(_) => general(size, self.precision.unwrap_or(6), self.alternate, false),
            None => match self.precision {
                Some(precision) => general(size, precision, self.alternate, true),
                None => python::float_text(size),
            },
        };
        if upper {
            body = body.to_uppercase();
        }
        let sign = self.sign(it.is_sign_negative() && !it.is_nan());
        let at = body.find(|c: char| !c.is_ascii_digit()).unwrap_or(body.len());
        let grouped = if at > 0 { self.group(&body[..at], &body[at..], 3, sign.len()) } else { body };
        self.pad(&sign, &grouped, '>')
    }
}

/// `1.5e+10`: the exponent has a sign and two digits at least.
fn scientific(it: f64, precision: usize) -> String {
    let text = format!("{it:.precision$e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
    format!("{digits}e{sign}{exponent:0>2}")
}

/// Whichever of the two notations suits, without trailing zeros.
fn general(it: f64, precision: usize, keep_zeros: bool, point: bool) -> String {
    let digits = precision.max(1);
    let text = scientific(it, digits - 1);
    let exponent: i64 = text.split_once('e').and_then(|(_, it)| it.parse().ok()).unwrap_or(0);
    let limit = i64::try_from(digits).unwrap_or(i64::MAX);
    let trim = |text: &str| match text.contains('.') && !keep_zeros {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text.to_owned(),
    };
    if exponent < -4 || exponent >= limit - i64::from(point) {
        let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "+00"));
        return format!("{}e{exponent}", trim(mantissa));
    }
    let decimals = usize::try_from(limit - 1 - exponent).unwrap_or(0);
    let fixed = trim(&format!("{it:.decimals$}"));
    if point && !fixed.contains('.') { fixed + ".0" } else { fixed }
}
