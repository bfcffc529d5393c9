//! `hwaddr` and `macaddr`: MAC addresses in their notations.

use minijinja::value::Value;

use crate::template::filters::{Args, Outcome};

/// The six bytes of an address in any notation; none if it is none.
fn parse(text: &str) -> Option<u64> {
    let parts: Vec<&str> = text.split([':', '-', '.']).collect();
    let wide = match parts.len() {
        1 => 12,
        2 => 6,
        3 => 4,
        6 => 2,
        _ => return None,
    };
    let digits: String = parts.iter().map(|part| format!("{part:0>wide$}")).collect();
    let fits = digits.len() == 12 && digits.bytes().all(|b| b.is_ascii_hexdigit());
    let written = parts.len() == 6 || parts.iter().all(|part| part.len() == wide);
    (fits && written).then(|| u64::from_str_radix(&digits, 16).ok()).flatten()
}

/// Digits in groups of a length, with a separator.
fn grouped(address: u64, size: usize, separator: &str) -> String {
    let digits = format!("{address:012x}");
    let groups: Vec<String> =
        digits.as_bytes().chunks(size).map(|it| String::from_utf8_lossy(it).into_owned()).collect();
    groups.join(separator)
}

/// The address in the notation that is asked for; null if it is none and only that is asked.
pub(super) fn answer(args: &Args, name: &str) -> Outcome {
    let text = args.text("value");
    let query = args.str_or("query", "")?;
    let Some(address) = parse(&text) else {
        return match query {
            "" | "bool" => Ok(Value::from(())),
            _ => Err(args.fail(format!("'{text}' is no hardware address"))),
        };
    };
    let upper = |text: String| Value::from(text.to_uppercase());
    Ok(match query {
        "" => args.value("value"),
        "bool" => true.into(),
        "int" => address.into(),
        "bare" => upper(grouped(address, 12, "")),
        "cisco" => grouped(address, 4, ".").into(),
        "eui48" | "win" => upper(grouped(address, 2, "-")),
        "linux" => grouped(address, 2, ":").into(),
        "pgsql" | "postgresql" | "psql" => grouped(address, 6, ":").into(),
        "unix" => {
            let bytes: Vec<String> =
                (0..6).rev().map(|at| format!("{:x}", (address >> (8 * at)) & 255)).collect();
            bytes.join(":").into()
        }
        other => return Err(args.fail(format!("{name}: unknown query '{other}'"))),
    })
}
