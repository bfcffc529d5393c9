//! A Python that playbooks may ask about. Nothing here needs one: without it these facts are absent.

use std::time::Duration;

use super::source::{Source, put};
use crate::modules::api::{Map, Value};

/// Python's start may be slow on small machines, but nobody should wait long for a version number.
const LIMIT: Duration = Duration::from_secs(3);

const SCRIPT: &str = "import sys\nprint(sys.executable, sys.implementation.name, *sys.version_info)\n\
    try:\n from ssl import SSLContext\n print(1)\nexcept ImportError:\n print(0)\n";

pub(super) fn gather(source: &Source, facts: &mut Map) {
    let usual = ["/usr/bin/python3", "/usr/libexec/platform-python", "/usr/bin/python"];
    let usual = usual.iter().find(|path| source.exists(path)).map(|path| (*path).to_owned());
    let program =
        usual.or_else(|| source.host.which("python3").map(|path| path.to_string_lossy().into_owned()));
    let Some(program) = program else { return };
    let said = source.output_within(&[&program, "-c", SCRIPT], LIMIT).unwrap_or_default();
    let words: Vec<_> = said.split_whitespace().collect();
    let [executable, kind, major, minor, micro, level, serial, context] = words[..] else { return };
    let number = |word: &str| word.parse::<i64>().unwrap_or_default();
    let info = [number(major).into(), number(minor).into(), number(micro).into()];
    let info = info.into_iter().chain([Value::from(level), Value::from(number(serial))]).collect::<Value>();
    put(facts, "python_version", format!("{major}.{minor}.{micro}"));
    let version = Value::from_pairs([
        ("major", Value::from(number(major))),
        ("minor", Value::from(number(minor))),
        ("micro", Value::from(number(micro))),
        ("releaselevel", Value::from(level)),
        ("serial", Value::from(number(serial))),
    ]);
    let all = [
        ("version", version),
        ("version_info", info),
        ("executable", Value::from(executable)),
        ("has_sslcontext", Value::from(context == "1")),
        ("type", Value::from(kind)),
    ];
    put(facts, "python", Value::from_pairs(all));
}
