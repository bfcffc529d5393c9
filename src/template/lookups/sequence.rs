//! `sequence`: numbers from one to another, formatted.

use crate::value::Value;

use super::{Call, Outcome, split_arguments};

/// The most numbers that are made.
const MOST: usize = 1_000_000;

struct Sequence {
    start: i64,
    end: Option<i64>,
    stride: i64,
    count: Option<i64>,
    format: Option<String>,
}

pub(super) fn sequence(call: &Call<'_>) -> Outcome {
    let mut out = Vec::new();
    let terms: Vec<String> = if call.terms.is_empty() { vec![String::new()] } else { call.words().collect() };
    for term in terms {
        let mut sequence = Sequence { start: 1, end: None, stride: 1, count: None, format: None };
        for (key, value) in &call.options {
            sequence.set(key, &value.to_string())?;
        }
        if !sequence.shortcut(&term) {
            for (key, value) in split_arguments(&term)? {
                match key {
                    Some(key) => sequence.set(&key, &value)?,
                    None => {
                        return Err(
                            format!("`{value}` is not `key=value` and no range such as `1-9/2`").into()
                        );
                    }
                }
            }
        }
        sequence.write(&mut out)?;
    }
    Ok(out)
}

impl Sequence {
    /// `[start-]end[/stride][:format]`
    fn shortcut(&mut self, term: &str) -> bool {
        let (range, format) = match term.split_once(':') {
            Some((range, format)) => (range, Some(format)),
            None => (term, None),
        };
        let (range, stride) = match range.split_once('/') {
            Some((range, stride)) => (range, Some(stride)),
            None => (range, None),
        };
        let (start, end) = match range.split_once('-') {
            Some((start, end)) => (Some(start), end),
            None => (None, range),
        };
        let Some(end) = number(end) else { return false };
        let (start, stride) = (start.map(number), stride.map(number));
        if start == Some(None) || stride == Some(None) {
            return false;
        }
        self.end = Some(end);
        self.start = start.flatten().unwrap_or(self.start);
        self.stride = stride.flatten().unwrap_or(self.stride);
        self.format = format.map(str::to_owned).or(self.format.take());
        true
    }

    fn set(&mut self, key: &str, value: &str) -> Outcome<()> {
        let whole = || number(value).ok_or_else(|| format!("`{key}` must be a whole number, not `{value}`"));
        match key {
            "start" => self.start = whole()?,
            "end" => self.end = Some(whole()?),
            "stride" => self.stride = whole()?,
            "count" => self.count = Some(whole()?),
            "format" => self.format = Some(value.to_owned()),
            _ => return Err(format!("there is no option `{key}`").into()),
        }
        Ok(())
    }

    fn write(&self, out: &mut Vec<Value>) -> Outcome<()> {
        let end = match (self.count, self.end) {
            (Some(_), Some(_)) => return Err("`count` and `end` can't both be given".into()),
            (None, None) => return Err("it needs `count` or `end`".into()),
            (Some(0), None) => return Ok(()),
            (Some(count), None) => {
                self.start.saturating_add(count.saturating_sub(1).saturating_mul(self.stride))
            }
            (None, Some(end)) => end,
        };
        if self.stride == 0 {
            return Ok(());
        }
        if self.stride > 0 && end < self.start {
            return Err("to count backwards the stride must be negative".into());
        }
        if self.stride < 0 && end > self.start {
            return Err("to count forwards the stride must not be negative".into());
        }
        let mut at = self.start;
        for _ in 0..=MOST {
            if (self.stride > 0 && at > end) || (self.stride < 0 && at < end) {
                return Ok(());
            }
            let text = match &self.format {
                Some(format) => {
                    super::super::format::percent(format, &minijinja::Value::from(at)).map_err(|error| {
                        format!("the format `{format}`: {}", error.detail().unwrap_or("can't be used"))
                    })?
                }
                None => at.to_string(),
            };
            out.push(Value::from(text));
            let Some(next) = at.checked_add(self.stride) else { return Ok(()) };
            at = next;
        }
        Err(format!("these are more than {MOST} numbers").into())
    }
}

/// Decimal, `0x…` or `0…` (octal), as `sequence` reads its numbers.
fn number(text: &str) -> Option<i64> {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let value = match digits.strip_prefix("0x") {
        Some(hex) => i64::from_str_radix(hex, 16).ok()?,
        None if digits.len() > 1 && digits.starts_with('0') => i64::from_str_radix(&digits[1..], 8).ok()?,
        None => digits.parse().ok()?,
    };
    Some(sign * value)
}
