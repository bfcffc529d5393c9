//! Python's `'…' % values`.

use minijinja::value::{Value, ValueKind};
use minijinja::{Error, ErrorKind};

use super::native;

fn fail(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

#[derive(Default)]
struct Directive {
    key: Option<String>,
    left: bool,
    zero: bool,
    plus: bool,
    blank: bool,
    alternate: bool,
    width: usize,
    precision: Option<usize>,
}

/// Formats text with values: a tuple gives one for each directive, a mapping gives them by name, anything else is one.
///
/// # Errors
/// If there are too few or too many values, or one has the wrong type.
pub(super) fn percent(format: &str, values: &Value) -> Result<String, Error> {
    let mut given: Vec<Value> =
        if values.is_tuple() { values.try_iter()?.collect() } else { vec![values.clone()] };
    given.reverse();
    let mapping = values.kind() == ValueKind::Map;
    let mut used_key = false;
    let mut out = String::new();
    let mut rest = format.chars().peekable();
    while let Some(c) = rest.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        if rest.next_if_eq(&'%').is_some() {
            out.push('%');
            continue;
        }
        let mut directive = Directive::default();
        if rest.next_if_eq(&'(').is_some() {
            directive.key = Some(rest.by_ref().take_while(|c| *c != ')').collect());
        }
        while let Some(flag) = rest.next_if(|c| "-0+ #".contains(*c)) {
            match flag {
                '-' => directive.left = true,
                '0' => directive.zero = true,
                '+' => directive.plus = true,
                ' ' => directive.blank = true,
                _ => directive.alternate = true,
            }
        }
        directive.width = number(&mut rest, &mut given)?.unwrap_or(0);
        if rest.next_if_eq(&'.').is_some() {
            directive.precision = Some(number(&mut rest, &mut given)?.unwrap_or(0));
        }
        while rest.next_if(|c| "hlL".contains(*c)).is_some() {}
        let kind = rest.next().ok_or_else(|| fail("% formatting: the format is incomplete"))?;
        let value = match &directive.key {
            Some(key) if mapping => {
                used_key = true;
                let value = values.get_item(&Value::from(key.as_str()))?;
                if value.is_undefined() {
                    return Err(fail(format!("% formatting: there is no `{key}` in the mapping")));
                }
                value
            }
            Some(_) => return Err(fail("% formatting: a format with names needs a mapping")),
            None => given.pop().ok_or_else(|| fail("% formatting: not enough values for the format"))?,
        };
        directive.write(&mut out, kind, &value)?;
    }
    if !given.is_empty() && !(mapping && (used_key || given.len() == 1)) {
        return Err(fail("% formatting: more values than the format takes"));
    }
    Ok(out)
}

fn number(
    rest: &mut std::iter::Peekable<std::str::Chars<'_>>,
    given: &mut Vec<Value>,
) -> Result<Option<usize>, Error> {
    if rest.next_if_eq(&'*').is_some() {
        let value = given.pop().and_then(|value| value.as_usize());
        return value.map(Some).ok_or_else(|| fail("% formatting: `*` needs a whole number"));
    }
    let mut digits = String::new();
    while let Some(digit) = rest.next_if(char::is_ascii_digit) {
        digits.push(digit);
    }
    let number = digits.parse::<usize>().ok().filter(|it| *it <= 100_000);
    if digits.is_empty() {
        Ok(None)
    } else {
        number.map(Some).ok_or_else(|| fail("% formatting: the width is too large"))
    }
}

impl Directive {
    fn write(&self, out: &mut String, kind: char, value: &Value) -> Result<(), Error> {
        let wrong = |what: &str| {
            Err(fail(format!("% formatting: %{kind} needs {what}, not {}", native::type_name(value))))
        };
        let body = match kind {
            's' | 'r' | 'a' => {
                let text = if kind == 's' { native::text(value)? } else { native::repr(value)? };
                match self.precision {
                    Some(length) => text.chars().take(length).collect(),
                    None => text,
                }
            }
            'c' => match value.as_str() {
                Some(text) if text.chars().count() == 1 => text.to_owned(),
                _ => match value.as_i64().and_then(|it| u32::try_from(it).ok()).and_then(char::from_u32) {
                    Some(c) => c.to_string(),
                    None => return wrong("one character"),
                },
            },
            'd' | 'i' | 'u' => match integer(value) {
                Some(number) => return self.digits(out, number < 0, &number.unsigned_abs().to_string()),
                None => return wrong("a number"),
            },
            'x' | 'X' | 'o' => {
                let Some(number) =
                    integer(value).filter(|_| value.is_integer() || value.kind() == ValueKind::Bool)
                else {
                    return wrong("a whole number");
                };
                let digits = match kind {
                    'x' => format!("{}{:x}", if self.alternate { "0x" } else { "" }, number.unsigned_abs()),
                    'X' => format!("{}{:X}", if self.alternate { "0X" } else { "" }, number.unsigned_abs()),
                    _ => format!("{}{:o}", if self.alternate { "0o" } else { "" }, number.unsigned_abs()),
                };
                return self.digits(out, number < 0, &digits);
            }
            'f' | 'F' | 'e' | 'E' | 'g' | 'G' => match f64::try_from(value.clone()) {
                Ok(number) => {
                    let digits = self.float(kind, number.abs());
                    return self.digits(out, number.is_sign_negative(), &digits);
                }
                Err(_) => return wrong("a number"),
            },
            other => return Err(fail(format!("% formatting: there is no directive %{other}"))),
        };
        self.pad(out, "", &body, false);
        Ok(())
    }

    fn float(&self, kind: char, number: f64) -> String {
        let precision = self.precision.unwrap_or(6);
        match kind {
            'f' | 'F' => format!("{number:.precision$}"),
            'e' | 'E' => {
                let text = exponent(&format!("{number:.precision$e}"));
                if kind == 'E' { text.to_uppercase() } else { text }
            }
            _ => {
                let digits = precision.max(1);
                let scientific = format!("{number:.*e}", digits - 1);
                let power: i32 = scientific.split('e').nth(1).and_then(|it| it.parse().ok()).unwrap_or(0);
                let text = if number != 0.0
                    && (power < -4 || power >= i32::try_from(digits).unwrap_or(i32::MAX))
                {
                    let (mantissa, power) = scientific.split_once('e').unwrap_or((&scientific, "0"));
                    exponent(&format!("{}e{power}", trim_zeros(mantissa)))
                } else {
                    let after = usize::try_from(i32::try_from(digits).unwrap_or(0) - 1 - power).unwrap_or(0);
                    trim_zeros(&format!("{number:.after$}")).to_owned()
                };
                if kind == 'G' { text.to_uppercase() } else { text }
            }
        }
    }

    fn digits(&self, out: &mut String, negative: bool, digits: &str) -> Result<(), Error> {
        let sign = match (negative, self.plus, self.blank) {
            (true, ..) => "-",
            (_, true, _) => "+",
            (_, _, true) => " ",
            _ => "",
        };
        self.pad(out, sign, digits, true);
        Ok(())
    }

    fn pad(&self, out: &mut String, sign: &str, body: &str, number: bool) {
        let missing = self.width.saturating_sub(sign.len() + body.chars().count());
        if self.left {
            out.push_str(sign);
            out.push_str(body);
            out.push_str(&" ".repeat(missing));
        } else if self.zero && number {
            out.push_str(sign);
            out.push_str(&"0".repeat(missing));
            out.push_str(body);
        } else {
            out.push_str(&" ".repeat(missing));
            out.push_str(sign);
            out.push_str(body);
        }
    }
}

fn trim_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// Rust's `1e5` as Python's `1e+05`.
fn exponent(text: &str) -> String {
    let (digits, power) = text.split_once('e').unwrap_or((text, "0"));
    let (sign, power) = power.strip_prefix('-').map_or(('+', power), |power| ('-', power));
    format!("{digits}e{sign}{power:0>2}")
}

#[expect(clippy::cast_possible_truncation, reason = "Python's %d drops the fraction too")]
fn integer(value: &Value) -> Option<i64> {
    match value.kind() {
        ValueKind::Bool => Some(i64::from(value.is_true())),
        ValueKind::Number => {
            value.as_i64().or_else(|| f64::try_from(value.clone()).ok().map(|it| it.trunc() as i64))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use minijinja::value::{Tuple, Value};

    use super::percent;

    #[test]
    fn formats_as_python_does() {
        let tuple = |items: Vec<Value>| Value::from(Tuple::from(items));
        for (format, values, text) in [
            ("%s-%05d", tuple(vec!["a".into(), 3.into()]), "a-00003"),
            ("%s", Value::from(()), "None"),
            ("%s %s", tuple(vec![true.into(), 1.5.into()]), "True 1.5"),
            ("100%% %d", Value::from(7), "100% 7"),
            ("%5s|%-5s|", tuple(vec!["a".into(), "b".into()]), "    a|b    |"),
            (
                "%.2f %e %g",
                tuple(vec![1.005.into(), 12345.678.into(), 0.0001.into()]),
                "1.00 1.234568e+04 0.0001",
            ),
            ("%x %#x %o %X", tuple(vec![255.into(), 255.into(), 8.into(), 171.into()]), "ff 0xff 10 AB"),
            ("%+d % d %03d", tuple(vec![1.into(), 2.into(), (-3).into()]), "+1  2 -03"),
            ("%(a)s/%(b)02d", Value::from_pairs([("a", Value::from("x")), ("b", Value::from(5))]), "x/05"),
            ("%r", Value::from("it"), "'it'"),
            ("%s", Value::from(vec![1, 2]), "[1, 2]"),
            ("%d", Value::from(3.9), "3"),
            ("%.3s", Value::from("abcdef"), "abc"),
        ] {
            assert_eq!(percent(format, &values).unwrap(), text, "{format}");
        }
        for (format, values) in [
            ("%s %s", Value::from("a")),
            ("%d", Value::from("a")),
            ("a", Value::from("a")),
            ("%", Value::from(1)),
            ("%y", Value::from(1)),
            ("%99999999999s", Value::from(1)),
        ] {
            assert!(percent(format, &values).is_err(), "{format}");
        }
    }
}
