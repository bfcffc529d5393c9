//! Filters that keep, remove or rename keys in lists of dictionaries (community.general).

use minijinja::State;
use minijinja::value::Value;

use super::python;
use super::regex::Pattern;
use super::{Args, Filter, Outcome, filter};

pub(super) const FILTERS: &[Filter] = &[
    filter(
        "keep_keys",
        "data, target, matching_parameter=",
        |_, a| choose(a, true),
        "only some keys of each",
    ),
    filter(
        "remove_keys",
        "data, target, matching_parameter=",
        |_, a| choose(a, false),
        "each without some keys",
    ),
    filter("replace_keys", "data, target, matching_parameter=", replace, "each with some keys renamed"),
];

/// A test of a key against one target.
enum Match {
    Equal(String),
    Starts(String),
    Ends(String),
    Regex(Pattern),
}

impl Match {
    fn new(args: &Args, target: &Value) -> Outcome<Match> {
        let text = python::text(target);
        Ok(match args.str_or("matching_parameter", "equal")? {
            "equal" => Match::Equal(text),
            "starts_with" => Match::Starts(text),
            "ends_with" => Match::Ends(text),
            "regex" => Match::Regex(Pattern::new(&format!("\\A(?:{text})"), false, false)?),
            other => {
                return Err(args.fail(format!(
                    "'{other}' is no matching_parameter: equal, starts_with, ends_with or regex"
                )));
            }
        })
    }

    fn holds(&self, key: &str) -> Outcome<bool> {
        Ok(match self {
            Match::Equal(text) => key == text,
            Match::Starts(text) => key.starts_with(text.as_str()),
            Match::Ends(text) => key.ends_with(text.as_str()),
            Match::Regex(pattern) => pattern.find(key)?.is_some(),
        })
    }
}

/// One text, or the items of a list.
fn targets(args: &Args) -> Outcome<Vec<Value>> {
    let target = args.value("target");
    if python::is_list(&target) { python::items(&target) } else { Ok(vec![target]) }
}

fn choose(args: &Args, keep: bool) -> Outcome {
    let tests: Vec<Match> = targets(args)?.iter().map(|it| Match::new(args, it)).collect::<Outcome<_>>()?;
    let mut out = Vec::new();
    for item in args.list("data")? {
        let mut kept = Vec::new();
        for (key, value) in python::pairs(&item)? {
            let text = python::text(&key);
            let mut matches = false;
            for test in &tests {
                matches |= test.holds(&text)?;
            }
            if matches == keep {
                kept.push((key, value));
            }
        }
        out.push(Value::from_pairs(kept));
    }
    Ok(python::list(out))
}

fn replace(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let mut tests = Vec::new();
    for target in targets(args)? {
        let part = |name: &str| {
            let found = python::item(&target, &Value::from(name))?;
            if found.is_undefined() { Err(args.fail(format!("a target lacks '{name}'"))) } else { Ok(found) }
        };
        tests.push((Match::new(args, &part("before")?)?, part("after")?));
    }
    let mut out = Vec::new();
    for item in args.list("data")? {
        let mut renamed = Vec::new();
        for (key, value) in python::pairs(&item)? {
            let text = python::text(&key);
            let mut new = key;
            for (test, after) in &tests {
                if test.holds(&text)? {
                    new = after.clone();
                }
            }
            renamed.push((new, value));
        }
        out.push(Value::from_pairs(renamed));
    }
    Ok(python::list(out))
}
