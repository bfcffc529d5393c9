//! How the host was started: the kernel's command line, a chroot, the load.

use super::source::{Source, put};
use crate::modules::api::{FileKind, Map, Str, Value};

/// `cmdline` keeps the last value of a key, `proc_cmdline` all of them.
pub(super) fn command_line(source: &Source, facts: &mut Map) {
    let Some(text) = source.line("/proc/cmdline") else { return };
    let (single, every) = parse(&text);
    put(facts, "cmdline", single);
    put(facts, "proc_cmdline", every);
}

fn parse(text: &str) -> (Map, Map) {
    let (mut single, mut every) = (Map::new(), Map::new());
    for word in words(text) {
        let (key, value) = match word.split_once('=') {
            Some((key, value)) => (Str::from(key), Value::from(value)),
            None => (Str::from(word.as_str()), Value::from(true)),
        };
        let all = match every.get(&key) {
            Some(Value::List(items)) => {
                Value::list([items.as_slice(), std::slice::from_ref(&value)].concat())
            }
            Some(one) => Value::list(vec![one.clone(), value.clone()]),
            None => value.clone(),
        };
        every.insert(Str::clone(&key), all);
        single.insert(key, value);
    }
    (single, every)
}

/// Words as a shell splits them, as far as a kernel's command line needs it: double quotes keep spaces.
fn words(text: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = String::new();
    let mut quoted = false;
    for c in text.chars() {
        match c {
            '"' => quoted = !quoted,
            c if c.is_whitespace() && !quoted => words.push(std::mem::take(&mut word)),
            c => word.push(c),
        }
    }
    words.push(word);
    words.retain(|word| !word.is_empty());
    words
}

/// Whether this root is not the root of process 1.
pub(super) fn chroot(source: &Source, facts: &mut Map) {
    let stat = |path: &str| source.host.stat(path.as_ref(), true).ok().flatten();
    let answer = match (stat("/"), stat("/proc/1/root/.")) {
        (Some(own), Some(first)) => (own.inode, own.dev) != (first.inode, first.dev),
        // Not readable without root: a root folder has a well-known number on the usual file systems.
        (Some(own), None) => own.kind == FileKind::Directory && ![2, 128, 256].contains(&own.inode),
        _ => false,
    };
    put(facts, "is_chroot", answer);
}

pub(super) fn load_average(source: &Source, facts: &mut Map) {
    let text = source.line("/proc/loadavg").unwrap_or_default();
    let numbers: Vec<f64> = text.split_whitespace().filter_map(|word| word.parse().ok()).collect();
    if let [one, five, fifteen, ..] = numbers[..] {
        put(facts, "loadavg", Value::from_pairs([("1m", one), ("5m", five), ("15m", fifteen)]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_keeps_flags_values_and_repetitions() {
        let (single, every) = parse("quiet console=tty0 console=ttyS0,115200 a=\"b c\" x=");
        assert_eq!(
            Value::from(single).to_string(),
            "{'quiet': True, 'console': 'ttyS0,115200', 'a': 'b c', 'x': ''}"
        );
        assert_eq!(every["console"].to_string(), "['tty0', 'ttyS0,115200']");
    }
}
