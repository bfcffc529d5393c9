//! Sizes (`64m`, `1GiB`) and durations (`1m30s`) as docker's users write them.

/// Bytes of `512`, `64k`, `1.5g`, `1GiB`; -1 for `unlimited` and `-1`.
pub fn size(text: &str) -> Option<i64> {
    let text = text.trim();
    if text == "unlimited" || text == "-1" {
        return Some(-1);
    }
    let lower = text.to_lowercase();
    let end = lower.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(lower.len());
    let (number, unit) = lower.split_at(end);
    let power = match unit.trim() {
        "" | "b" => 0,
        "k" | "kb" | "kib" => 1,
        "m" | "mb" | "mib" => 2,
        "g" | "gb" | "gib" => 3,
        "t" | "tb" | "tib" => 4,
        "p" | "pb" | "pib" => 5,
        _ => return None,
    };
    let number: f64 = number.parse().ok()?;
    whole(number * 1024_f64.powi(power))
}

/// Nanoseconds of `90s`, `1m30s`, `1h`, `500ms`, `10us`; a number alone counts seconds.
pub fn duration(text: &str) -> Option<i64> {
    let mut rest = text.trim();
    if rest.is_empty() {
        return None;
    }
    if let Ok(seconds) = rest.parse::<f64>() {
        return whole(seconds * 1e9);
    }
    let mut total = 0_i64;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number: f64 = rest[..end].parse().ok()?;
        let after = &rest[end..];
        let end = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let unit = match &after[..end] {
            "ns" => 1.0,
            "us" => 1e3,
            "ms" => 1e6,
            "s" => 1e9,
            "m" => 6e10,
            "h" => 3.6e12,
            _ => return None,
        };
        total = total.checked_add(whole(number * unit)?)?;
        rest = &after[end..];
    }
    Some(total)
}

/// Rounded to a whole number.
#[expect(clippy::cast_possible_truncation, reason = "checked to fit")]
pub fn whole(number: f64) -> Option<i64> {
    (number.is_finite() && number.abs() < 9e18).then(|| number.round() as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_are_read() {
        for (text, bytes) in [
            ("512", Some(512)),
            ("64m", Some(64 << 20)),
            ("1.5g", Some(3 << 29)),
            ("1GiB", Some(1 << 30)),
            ("2 KB", Some(2048)),
            ("unlimited", Some(-1)),
            ("-1", Some(-1)),
            ("x", None),
            ("5x", None),
            ("", None),
        ] {
            assert_eq!(size(text), bytes, "{text}");
        }
        for (text, time) in [
            ("1m30s", Some(90_000_000_000)),
            ("1h", Some(3_600_000_000_000)),
            ("1.5s", Some(1_500_000_000)),
            ("10us", Some(10_000)),
            ("30", Some(30_000_000_000)),
            ("1x", None),
            ("", None),
            ("s", None),
        ] {
            assert_eq!(duration(text), time, "{text}");
        }
    }
}
