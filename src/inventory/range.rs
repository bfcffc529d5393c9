//! Names of hosts as they stand in an inventory: `web[01:20].example.com:2222` is twenty hosts and a port.

use crate::value::Str;

/// More hosts than this from one line are a slip of the keyboard.
const MAX_HOSTS: usize = 100_000;

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

/// The hosts that a name stands for, and their port. Error: what is wrong with its range.
pub(super) fn expand(written: &str) -> Result<(Vec<Str>, Option<i64>), String> {
    let (name, port) = split_port(written);
    let mut hosts = Vec::new();
    expand_into(name, &mut hosts)?;
    Ok((hosts, port))
}

/// A name and its port; `[fe80::1]:22` needs the brackets, and a name that can't be one keeps its colon.
pub(super) fn split_port(written: &str) -> (&str, Option<i64>) {
    let Some((host, port)) = written.rsplit_once(':') else { return (written, None) };
    let bracketed = host.strip_prefix('[').and_then(|it| it.strip_suffix(']')).filter(|it| !it.is_empty());
    let host = match bracketed {
        Some(inner) => inner,
        None if has_bare_colon(host) => return (written, None),
        None => host,
    };
    let is_port = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    match port.parse() {
        Ok(port) if is_port && is_host(host) => (host, Some(port)),
        _ => (written, None),
    }
}

/// Whether there is a colon outside of brackets, or a bracket that is not closed.
fn has_bare_colon(host: &str) -> bool {
    let mut open = false;
    for c in host.chars() {
        match c {
            '[' => open = true,
            ']' if open => open = false,
            ':' | ']' if !open => return true,
            _ => {}
        }
    }
    open
}

/// Whether a text can be a host's name or address, ranges included.
pub(super) fn is_host(text: &str) -> bool {
    let starts = text.starts_with(|c: char| c.is_alphanumeric() || matches!(c, '_' | '[' | ':'));
    let parts = text.chars().all(|c| c.is_alphanumeric() || "_-.:%[]".contains(c));
    starts && parts && !text.ends_with(['-', '_', '.'])
}

fn expand_into(name: &str, hosts: &mut Vec<Str>) -> Result<(), String> {
    let Some((head, rest)) = name.split_once('[') else {
        if hosts.len() >= MAX_HOSTS {
            return Err(format!("the range stands for more than {MAX_HOSTS} hosts"));
        }
        hosts.push(name.into());
        return Ok(());
    };
    let (range, tail) =
        rest.split_once(']').ok_or_else(|| format!("`{name}` has a bracket that is not closed"))?;
    for member in members(range)? {
        let expanded = format!("{head}{member}{tail}");
        // The rest may hold another range.
        expand_into(&expanded, hosts)?;
    }
    Ok(())
}

/// The members of `first:last` or `first:last:step`.
fn members(range: &str) -> Result<Vec<String>, String> {
    let bounds: Vec<&str> = range.split(':').collect();
    let (first, last, step) = match bounds.as_slice() {
        [first, last] => (*first, *last, "1"),
        [first, last, step] => (*first, *last, *step),
        _ => return Err(format!("`[{range}]` is not first:last or first:last:step")),
    };
    let first = if first.is_empty() { "0" } else { first };
    if last.is_empty() {
        return Err(format!("`[{range}]` has no end"));
    }
    let step: usize = match step.parse() {
        Ok(0) | Err(_) => return Err(format!("`{step}` is not a step")),
        Ok(step) => step,
    };
    if first.len() == 1 && last.len() == 1 {
        let letters = (LETTERS.find(first), LETTERS.find(last));
        if let (Some(from), Some(to)) = letters {
            let members = LETTERS.get(from..=to).filter(|it| !it.is_empty());
            let members = members.ok_or_else(|| format!("`{first}` comes after `{last}`"))?;
            return Ok(members.chars().step_by(step).map(String::from).collect());
        }
    }
    numbers(first, last, step)
}

fn numbers(first: &str, last: &str, step: usize) -> Result<Vec<String>, String> {
    let number =
        |text: &str| text.parse::<u64>().map_err(|_| format!("`{text}` is not a number or a letter"));
    let (from, to) = (number(first)?, number(last)?);
    let width = if first.len() > 1 && first.starts_with('0') { first.len() } else { 0 };
    if width > 0 && width != last.len() {
        return Err(format!("`{first}` and `{last}` are not of the same length"));
    }
    if to.saturating_sub(from) / step as u64 >= MAX_HOSTS as u64 {
        return Err(format!("the range stands for more than {MAX_HOSTS} hosts"));
    }
    Ok((from..=to).step_by(step).map(|n| format!("{n:0width$}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_for_hosts_as_in_ansible() {
        for (written, hosts, port) in [
            ("h", "h", None),
            ("h:22", "h", Some(22)),
            ("h:2222:3", "h:2222:3", None),
            ("h:", "h:", None),
            ("h:x", "h:x", None),
            ("[fe80::1]:22", "fe80::1", Some(22)),
            ("fe80::1", "fe80::1", None),
            ("::1", "::1", None),
            ("1.2.3.4:22", "1.2.3.4", Some(22)),
            ("a_b:22", "a_b", Some(22)),
            ("a!b:22", "a!b:22", None),
            ("{{ x }}:22", "{{ x }}:22", None),
            ("-a:22", "-a:22", None),
            ("w[1:3]", "w1 w2 w3", None),
            ("w[01:03]", "w01 w02 w03", None),
            ("w[1:03]", "w1 w2 w3", None),
            ("w[09:11]", "w09 w10 w11", None),
            ("[a:c]", "a b c", None),
            ("x[a:c]y", "xay xby xcy", None),
            ("x[10:12:2]", "x10 x12", None),
            ("x[1:2][a:b]", "x1a x1b x2a x2b", None),
            ("w[1:3]:22", "w1 w2 w3", Some(22)),
            ("w[:3]", "w0 w1 w2 w3", None),
            ("w[3:1]", "", None),
            ("w[y:B]", "wy wz wA wB", None),
            ("w[001:002].ex:80", "w001.ex w002.ex", Some(80)),
            ("10.0.0.[1:3]", "10.0.0.1 10.0.0.2 10.0.0.3", None),
            ("fe80::1%eth0", "fe80::1%eth0", None),
            ("2001:db8::[1:2]", "2001:db8::1 2001:db8::2", None),
            ("[2001:db8::[1:3]]:22", "2001:db8::1 2001:db8::2 2001:db8::3", Some(22)),
        ] {
            let expanded = expand(written).unwrap();
            let names: Vec<&str> = expanded.0.iter().map(AsRef::as_ref).collect();
            assert_eq!((names.join(" ").as_str(), expanded.1), (hosts, port), "{written}");
        }
    }

    #[test]
    fn bad_ranges_are_named() {
        for (written, words) in [
            ("w[1:]", "no end"),
            ("w[1:2:3:4]", "first:last"),
            ("w[1:3:0]", "not a step"),
            ("w[1:3:-1]", "not a step"),
            ("w[a:3]", "not a number"),
            ("x[c:a]", "comes after"),
            ("x[A:c]", "comes after"),
            ("w[1-3]", "first:last"),
            ("w[x", "bracket"),
            ("w[01:3]", "same length"),
            ("w[1:99999999999]", "more than"),
            ("w[1:400][1:400]", "more than"),
        ] {
            let error = expand(written).unwrap_err();
            assert!(error.contains(words), "{written}: {error}");
        }
    }
}
