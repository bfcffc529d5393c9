//! Filters of the collection community.general that roles use most.

use std::cmp::Ordering;

use minijinja::State;
use minijinja::value::{Value, ValueKind};

use super::json::{from_serde, to_serde};
use super::python::{self, list, sort_by_key};
use super::shape::{ListMerge, merge};
use super::{Args, Filter, Outcome, filter, random};
use crate::template::is_tests::versions;

pub(super) const FILTERS: &[Filter] = &[
    filter("json_query", "data, expr", json_query, "what a JMESPath expression finds"),
    filter(
        "dict_kv",
        "value, key",
        |_, a| Ok(Value::from_pairs([(a.value("key"), a.value("value"))])),
        "a dictionary of one entry",
    ),
    filter("dict", "sequence", dict, "a dictionary from pairs"),
    filter("version_sort", "value, reverse=", version_sort, "version numbers in order"),
    filter("counter", "sequence", counter, "how often each item occurs"),
    filter(
        "groupby_as_dict",
        "sequence, attribute",
        groupby_as_dict,
        "the items by an attribute that is unique",
    ),
    filter(
        "lists_mergeby",
        "*lists, index=, recursive=, list_merge=",
        lists_mergeby,
        "lists of dictionaries merged by a key",
    ),
    filter(
        "lists_union",
        "*lists, flatten=",
        |_, a| fold(a, |a, b| [a, b].concat()),
        "the items of all lists, once each",
    ),
    filter(
        "lists_intersect",
        "*lists, flatten=",
        |_, a| fold(a, |a, b| keep(a, b, true)),
        "what all lists have",
    ),
    filter(
        "lists_difference",
        "*lists, flatten=",
        |_, a| fold(a, |a, b| keep(a, b, false)),
        "what only the first has",
    ),
    filter(
        "lists_symmetric_difference",
        "*lists, flatten=",
        |_, a| fold(a, exclusive),
        "what an odd number of lists has",
    ),
    filter("random_mac", "value, seed=", random_mac, "a MAC address that begins as given"),
    filter(
        "to_time_unit",
        TIME,
        |_, a| duration(a, a.str_or("unit", "ms")?),
        "a duration such as 1h 30m in a unit",
    ),
    filter("to_milliseconds", TIME, |_, a| duration(a, "ms"), "a duration such as 1h 30m in milliseconds"),
    filter("to_seconds", TIME, |_, a| duration(a, "s"), "a duration such as 1h 30m in seconds"),
    filter("to_minutes", TIME, |_, a| duration(a, "min"), "a duration such as 1h 30m in minutes"),
    filter("to_hours", TIME, |_, a| duration(a, "h"), "a duration such as 1h 30m in hours"),
    filter("to_days", TIME, |_, a| duration(a, "d"), "a duration such as 1h 30m in days"),
    filter("to_weeks", TIME, |_, a| duration(a, "w"), "a duration such as 1h 30m in weeks"),
    filter("to_months", TIME, |_, a| duration(a, "mo"), "a duration such as 1h 30m in months"),
    filter("to_years", TIME, |_, a| duration(a, "y"), "a duration such as 1h 30m in years"),
];

const TIME: &str = "human_time, unit=, year=, month=";

fn json_query(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let source = args.str("expr")?;
    let expression = jmespath::compile(source).map_err(|error| args.fail(format!("'{source}': {error}")))?;
    let data = to_serde(&args.value("data"))?;
    let found = expression.search(data).map_err(|error| args.fail(format!("'{source}': {error}")))?;
    let found = serde_json::to_value(&*found).map_err(|error| args.fail(error.to_string()))?;
    Ok(from_serde(found))
}

fn dict(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let mut pairs = Vec::new();
    for item in args.items("sequence")? {
        match python::items(&item)?.as_slice() {
            [key, value] => pairs.push((key.clone(), value.clone())),
            _ => return Err(args.fail(format!("{} is no pair", python::repr(&item)))),
        }
    }
    Ok(Value::from_pairs(pairs))
}

fn version_sort(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let mut sorted: Vec<Value> = Vec::new();
    for item in args.items("value")? {
        let text = python::text(&item);
        let mut at = sorted.len();
        while at > 0 {
            let order = versions::loose(&python::text(&sorted[at - 1]), &text)
                .map_err(|message| args.fail(message))?;
            if order != Ordering::Greater {
                break;
            }
            at -= 1;
        }
        sorted.insert(at, item);
    }
    if args.flag("reverse", false) {
        sorted.reverse();
    }
    Ok(list(sorted))
}

fn counter(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let mut counts = indexmap::IndexMap::new();
    for item in args.items("sequence")? {
        *counts.entry(item).or_insert(0) += 1;
    }
    Ok(Value::from_pairs(counts))
}

fn groupby_as_dict(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let mut groups = indexmap::IndexMap::new();
    for item in args.items("sequence")? {
        let key = python::item(&item, &args.value("attribute"))?;
        if key.is_undefined() {
            return Err(args.fail(format!("{} has no '{}'", python::repr(&item), args.text("attribute"))));
        }
        if groups.insert(key.clone(), item).is_some() {
            return Err(args.fail(format!("{} occurs more than once", python::repr(&key))));
        }
    }
    Ok(Value::from_pairs(groups))
}

/// The lists of a call: each argument is one, or with `flatten` a list of lists.
fn lists(args: &Args) -> Outcome<Vec<Vec<Value>>> {
    let lists: Vec<Vec<Value>> = args.rest().iter().map(python::items).collect::<Outcome<_>>()?;
    if args.flag("flatten", false) {
        return lists.into_iter().flatten().map(|it| python::items(&it)).collect();
    }
    Ok(lists)
}

fn fold(args: &Args, with: fn(Vec<Value>, Vec<Value>) -> Vec<Value>) -> Outcome {
    let folded = lists(args)?.into_iter().reduce(with).unwrap_or_default();
    Ok(list(python::unique(folded)))
}

#[expect(clippy::needless_pass_by_value, reason = "one shape for all that are folded with")]
fn keep(a: Vec<Value>, b: Vec<Value>, shared: bool) -> Vec<Value> {
    a.into_iter().filter(|item| b.contains(item) == shared).collect()
}

fn exclusive(a: Vec<Value>, b: Vec<Value>) -> Vec<Value> {
    let (left, right) = (keep(a.clone(), b.clone(), false), keep(b, a, false));
    [left, right].concat()
}

fn lists_mergeby(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let mut given: Vec<Value> = args.rest().to_vec();
    let index = match args.some("index") {
        Some(index) => index.clone(),
        None => given.pop().ok_or_else(|| args.fail("name the key to merge by"))?,
    };
    let (recursive, merging) = (args.flag("recursive", false), ListMerge::parse(args)?);
    let mut merged: indexmap::IndexMap<Value, Value> = indexmap::IndexMap::new();
    for item in given.iter().map(python::items).collect::<Outcome<Vec<_>>>()?.into_iter().flatten() {
        let key = python::item(&item, &index)?;
        if item.kind() != ValueKind::Map || key.is_undefined() {
            continue;
        }
        let item = match merged.get(&key) {
            Some(there) => merge(there, &item, recursive, merging)?,
            None => item,
        };
        merged.insert(key, item);
    }
    let mut sorted: Vec<(Value, Value)> = merged.into_iter().collect();
    sort_by_key(&mut sorted)?;
    Ok(sorted.into_iter().map(|(_, item)| item).collect())
}

fn random_mac(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let prefix = args.str("value")?.to_lowercase();
    let parts: Vec<&str> = prefix.split(':').collect();
    let octet = |it: &&str| it.len() == 2 && it.bytes().all(|b| b.is_ascii_hexdigit());
    if parts.len() > 5 || !parts.iter().all(octet) {
        return Err(args.fail(format!("'{prefix}' is no beginning of a MAC address")));
    }
    let digits = format!("{:x}", random::integer(args, 1 << 36, (1 << 40) - 1)?);
    let rest = digits.as_bytes().chunks(2).take(6 - parts.len());
    let rest: Vec<String> = rest.map(|it| String::from_utf8_lossy(it).into_owned()).collect();
    Ok(format!("{prefix}:{}", rest.join(":")).into())
}

/// The milliseconds of a unit, by any of its names.
fn unit(args: &Args, name: &str) -> Outcome<f64> {
    const DAY: f64 = 86_400_000.0;
    let days = |key: &str, default: f64| args.some(key).and_then(python::as_float).unwrap_or(default) * DAY;
    let singular = name.strip_suffix('s').filter(|it| it.len() > 1).unwrap_or(name);
    Ok(match singular {
        "ms" | "msec" | "millisecond" => 1.0,
        "s" | "sec" | "second" => 1000.0,
        "m" | "min" | "minute" => 60_000.0,
        "h" | "hour" => 3_600_000.0,
        "d" | "day" => DAY,
        "w" | "week" => 7.0 * DAY,
        "mo" | "month" => days("month", 30.0),
        "y" | "year" => days("year", 365.0),
        _ => return Err(args.fail(format!("'{name}' is no unit of time"))),
    })
}

/// A duration such as `1h 30m` in a unit.
fn duration(args: &Args, wanted: &str) -> Outcome {
    let text = args.text("human_time").to_lowercase();
    let bad = || args.fail(format!("'{text}' is no duration such as 1h 30m"));
    let mut total = 0.0;
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (number, after) = rest
            .split_at(rest.find(|c: char| !c.is_ascii_digit() && c != '.' && c != '-').unwrap_or(rest.len()));
        let (name, after) =
            after.split_at(after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len()));
        let number: f64 = number.parse().map_err(|_| bad())?;
        total += number * unit(args, name)?;
        rest = after.trim_start();
    }
    Ok(Value::from((total / unit(args, wanted)? * 1e12).round() / 1e12))
}
