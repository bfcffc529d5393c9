//! `ansible_local`: what the host's administrator says in `*.fact` files, executable or not, in JSON or INI.

use std::path::Path;

use super::source::Source;
use crate::modules::api::{Cmd, Map, Str, Value};

/// The facts by file name, and a warning for each file that says nothing sensible.
pub(super) fn gather(source: &Source, folder: &str) -> (Value, Vec<String>) {
    let mut facts = Map::new();
    let mut warnings = Vec::new();
    for name in source.names(folder) {
        let Some(key) = name.strip_suffix(".fact") else { continue };
        let path = Path::new(folder).join(&name);
        let value = contents(source, &path).and_then(|text| parse(&text).ok_or_else(|| unreadable(&path)));
        let value = value.unwrap_or_else(|problem| {
            warnings.push(problem.clone());
            Value::from(problem)
        });
        facts.insert(Str::from(key), value);
    }
    (Value::map(facts), warnings)
}

fn unreadable(path: &Path) -> String {
    format!("error loading facts as JSON or ini - please check content: {}", path.display())
}

fn contents(source: &Source, path: &Path) -> Result<String, String> {
    let executable = source.host.stat(path, true).ok().flatten().is_some_and(|stat| stat.mode & 0o111 != 0);
    if !executable {
        return source.text(path).ok_or_else(|| format!("Could not read fact file {}", path.display()));
    }
    let cmd = Cmd { timeout: Some(source.timeout()), ..Cmd::new([path]) };
    let failed = |why: String| format!("Failure executing fact script ({}), {why}", path.display());
    let ran = source.host.query(&cmd).map_err(|fail| failed(fail.msg))?;
    match ran {
        ran if ran.timed_out => Err(failed("it ran out of time".into())),
        ran if ran.rc != 0 => Err(failed(format!("rc: {}, err: {}", ran.rc, ran.err()))),
        ran => Ok(ran.out()),
    }
}

fn parse(text: &str) -> Option<Value> {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(json) => Some(Value::from(json)),
        Err(_) => ini(text),
    }
}

/// Sections of options; options are lower-cased, a deeper indented line continues a value.
fn ini(text: &str) -> Option<Value> {
    let mut sections: Vec<(Str, Vec<(Str, String)>)> = Vec::new();
    for line in text.lines() {
        let bare = line.trim();
        if bare.is_empty() || bare.starts_with(['#', ';']) {
            continue;
        }
        if let Some(name) = bare.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            sections.push((Str::from(name), Vec::new()));
            continue;
        }
        let options = &mut sections.last_mut()?.1;
        match options.last_mut() {
            Some((_, value)) if line.starts_with(char::is_whitespace) => {
                value.push('\n');
                value.push_str(bare);
            }
            _ => {
                let (key, value) = bare.split_once(['=', ':'])?;
                options.push((Str::from(key.trim().to_lowercase()), value.trim().to_owned()));
            }
        }
    }
    (!sections.is_empty())
        .then(|| Value::from_pairs(sections.into_iter().map(|(name, it)| (name, Value::from_pairs(it)))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fact_file_is_json_or_ini() {
        for (text, expected) in [
            ("{\"k\": [1]}", Some("{'k': [1]}")),
            ("[Gen]\nFooBar=1\nx = y z\n", Some("{'Gen': {'foobar': '1', 'x': 'y z'}}")),
            ("# c\n[a]\nk: v\n  more\n[b]\n", Some("{'a': {'k': 'v\\nmore'}, 'b': {}}")),
            ("nope nope", None),
            ("", None),
            ("[a]\nbare\n", None),
        ] {
            assert_eq!(parse(text).map(|it| it.to_string()).as_deref(), expected, "{text}");
        }
    }
}
