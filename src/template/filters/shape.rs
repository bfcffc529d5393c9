//! Ansible's filters that reshape lists and dictionaries: merging, flattening, pairing, converting one to the other.

use minijinja::State;
use minijinja::value::{Value, ValueKind};

use super::python::{self, fold_case, list, pair, sort_by_key};
use super::{Args, Filter, Outcome, filter};

pub(super) const FILTERS: &[Filter] = &[
    filter("combine", "*terms, recursive=, list_merge=", combine, "dictionaries merged, later ones win"),
    filter("dict2items", "mydict, key_name=, value_name=", dict2items, "a list of the entries"),
    filter("items2dict", "mylist, key_name=, value_name=", items2dict, "a dictionary from a list of entries"),
    filter("dictsort", "value, case_sensitive=, by=, reverse=", dictsort, "the entries in order, as pairs"),
    filter("items", "value", |_, a| pairs_of(a, "value"), "the entries as pairs"),
    filter("flatten", "mylist, levels=, skip_nulls=", flatten, "the items of lists inside lists as one list"),
    filter("zip", "a, *lists, strict=", zip, "the first items together, the second ones, …"),
    filter("zip_longest", "a, *lists, fillvalue=", zip_longest, "as zip, to the end of the longest"),
    filter("product", "a, *lists, repeat=", product, "every combination of one item of each list"),
    filter("combinations", "a, r", combinations, "every choice of r items, in order"),
    filter("permutations", "a, r=", permutations, "every arrangement of r items"),
    filter("extract", "item, container, morekeys=", extract, "what a container has under a key"),
    filter(
        "subelements",
        "obj, subelements, skip_missing=",
        subelements,
        "each item with each of its sub-items",
    ),
    filter("rekey_on_member", "data, key, duplicates=", rekey, "a dictionary by one member of its entries"),
    filter("union", "a, b", union, "the items of both lists, once each"),
    filter("intersect", "a, b", intersect, "the items that both lists have"),
    filter("difference", "a, b", difference, "the items that the second list lacks"),
    filter("symmetric_difference", "a, b", symmetric_difference, "the items that only one of the lists has"),
    filter("unique", "a, case_sensitive=, attribute=", unique, "the items without repetition"),
];

/// How `combine` treats lists that stand under the same key.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum ListMerge {
    Replace,
    Keep,
    Append,
    Prepend,
    AppendNew,
    PrependNew,
}

impl ListMerge {
    /// What the argument `list_merge` says.
    pub(super) fn parse(args: &Args) -> Outcome<ListMerge> {
        Ok(match args.str_or("list_merge", "replace")? {
            "replace" => ListMerge::Replace,
            "keep" => ListMerge::Keep,
            "append" => ListMerge::Append,
            "prepend" => ListMerge::Prepend,
            "append_rp" => ListMerge::AppendNew,
            "prepend_rp" => ListMerge::PrependNew,
            other => return Err(args.fail(format!("'{other}' is no list_merge"))),
        })
    }

    fn merge(self, old: &Value, new: &Value) -> Outcome {
        let (a, b) = (python::items(old)?, python::items(new)?);
        let without = |items: &[Value], others: &[Value]| -> Vec<Value> {
            items.iter().filter(|it| !others.contains(it)).cloned().collect()
        };
        Ok(list(match self {
            ListMerge::Replace => b,
            ListMerge::Keep => a,
            ListMerge::Append => [a, b].concat(),
            ListMerge::Prepend => [b, a].concat(),
            ListMerge::AppendNew => [without(&a, &b), b].concat(),
            ListMerge::PrependNew => {
                let kept = without(&a, &b);
                [b, kept].concat()
            }
        }))
    }
}

/// Merges `new` into `old`; an entry that both have keeps its place.
pub(super) fn merge(old: &Value, new: &Value, recursive: bool, lists: ListMerge) -> Outcome {
    let mut merged: indexmap::IndexMap<Value, Value> = python::pairs(old)?.into_iter().collect();
    for (key, value) in python::pairs(new)? {
        let value = match merged.get(&key) {
            Some(there) if recursive && there.kind() == ValueKind::Map && value.kind() == ValueKind::Map => {
                merge(there, &value, recursive, lists)?
            }
            Some(there) if python::is_list(there) && python::is_list(&value) => lists.merge(there, &value)?,
            _ => value,
        };
        merged.insert(key, value);
    }
    Ok(Value::from_pairs(merged))
}

fn combine(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let (recursive, lists) = (args.flag("recursive", false), ListMerge::parse(args)?);
    let mut maps = Vec::new();
    for term in args.rest().iter().filter(|term| !is_null(term)) {
        flatten_into(&mut maps, term, None, true)?;
    }
    let mut merged = Value::from_pairs::<_, Value, Value>([]);
    for map in maps {
        if map.kind() != ValueKind::Map {
            return Err(args.fail(format!(
                "expects dictionaries, got {} ({})",
                python::repr(&map),
                python::type_name(&map)
            )));
        }
        merged = merge(&merged, &map, recursive, lists)?;
    }
    Ok(merged)
}

fn pairs_of(args: &Args, name: &str) -> Outcome {
    Ok(args.pairs(name)?.into_iter().map(|(key, value)| pair(key, value)).collect())
}

fn dict2items(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let (key_name, value_name) = (args.str_or("key_name", "key")?, args.str_or("value_name", "value")?);
    let pairs = args.pairs("mydict")?.into_iter();
    Ok(pairs.map(|(key, value)| Value::from_pairs([(key_name, key), (value_name, value)])).collect())
}

fn items2dict(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let (key_name, value_name) = (args.str_or("key_name", "key")?, args.str_or("value_name", "value")?);
    let mut pairs = Vec::new();
    for item in args.list("mylist")? {
        let part = |name: &str| {
            let found = python::item(&item, &Value::from(name))?;
            if found.is_undefined() {
                Err(args.fail(format!("{} has no '{name}'", python::repr(&item))))
            } else {
                Ok(found)
            }
        };
        pairs.push((part(key_name)?, part(value_name)?));
    }
    Ok(Value::from_pairs(pairs))
}

fn dictsort(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let by_value = match args.str_or("by", "key")? {
        "key" => false,
        "value" => true,
        other => return Err(args.fail(format!("'by' is key or value, not '{other}'"))),
    };
    let (case, reverse) = (args.flag("case_sensitive", false), args.flag("reverse", false));
    let mut keyed: Vec<(Value, Value)> = args
        .pairs("value")?
        .into_iter()
        .map(|(key, value)| {
            let by = if by_value { &value } else { &key };
            (if case { by.clone() } else { fold_case(by) }, pair(key, value))
        })
        .collect();
    if reverse {
        keyed.reverse();
    }
    sort_by_key(&mut keyed).map_err(|error| args.fail(error.detail().unwrap_or_default()))?;
    if reverse {
        keyed.reverse();
    }
    Ok(keyed.into_iter().map(|(_, it)| it).collect())
}

fn is_null(value: &Value) -> bool {
    value.is_none() || matches!(value.as_str(), Some("None" | "null"))
}

fn flatten_into(out: &mut Vec<Value>, value: &Value, levels: Option<i64>, skip_nulls: bool) -> Outcome<()> {
    if !python::is_list(value) {
        out.push(value.clone());
        return Ok(());
    }
    for item in python::items(value)? {
        if skip_nulls && is_null(&item) {
            continue;
        }
        match levels {
            Some(0) => out.push(item),
            levels => flatten_into(out, &item, levels.map(|it| it - 1), skip_nulls)?,
        }
    }
    Ok(())
}

fn flatten(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let mut out = Vec::new();
    for item in args.items("mylist")? {
        let (levels, skip) = (args.int("levels")?, args.flag("skip_nulls", true));
        if skip && is_null(&item) {
            continue;
        }
        match levels.map(|it| it - 1) {
            Some(below) if below < 0 => out.push(item),
            below => flatten_into(&mut out, &item, below, skip)?,
        }
    }
    Ok(list(out))
}

/// All the lists of a call: the value and the further arguments.
fn columns(args: &Args) -> Outcome<Vec<Vec<Value>>> {
    let mut columns = vec![args.items("a")?];
    for other in args.rest() {
        columns.push(python::items(other).map_err(|error| args.fail(error.detail().unwrap_or_default()))?);
    }
    Ok(columns)
}

fn tuple(items: Vec<Value>) -> Value {
    minijinja::value::Tuple::from(items).into()
}

fn zip(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let columns = columns(args)?;
    let shortest = columns.iter().map(Vec::len).min().unwrap_or(0);
    if args.flag("strict", false) && columns.iter().any(|it| it.len() != shortest) {
        return Err(args.fail("the lists differ in length"));
    }
    Ok((0..shortest).map(|row| tuple(columns.iter().map(|it| it[row].clone()).collect())).collect())
}

fn zip_longest(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let columns = columns(args)?;
    let longest = columns.iter().map(Vec::len).max().unwrap_or(0);
    let fill = args.value("fillvalue");
    let row = |row| tuple(columns.iter().map(|it| it.get(row).unwrap_or(&fill).clone()).collect());
    Ok((0..longest).map(row).collect())
}

/// The most results that a combinatorial filter makes; more is a mistake, not a wish.
const MOST: usize = 1_000_000;

fn product(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let columns = columns(args)?;
    let repeat = args.size("repeat")?.unwrap_or(1).saturating_mul(columns.len());
    if repeat > MOST / 1000 {
        return Err(args.fail("too many repetitions"));
    }
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for column in columns.iter().cycle().take(repeat) {
        if rows.len().saturating_mul(column.len()) > MOST {
            return Err(args.fail("more than a million results"));
        }
        rows = rows
            .iter()
            .flat_map(|row| {
                column.iter().map(move |item| [row.as_slice(), std::slice::from_ref(item)].concat())
            })
            .collect();
    }
    Ok(rows.into_iter().map(tuple).collect())
}

/// Choices of `r` of `n` positions in the order of `itertools`; `ordered` takes every arrangement.
fn choices(args: &Args, n: usize, r: usize, ordered: bool) -> Outcome<Vec<Vec<usize>>> {
    let mut rows: Vec<Vec<usize>> = vec![Vec::new()];
    for _ in 0..r {
        let mut longer = Vec::new();
        for row in &rows {
            let from = if ordered { 0 } else { row.last().map_or(0, |last| last + 1) };
            for next in (from..n).filter(|it| !row.contains(it)) {
                longer.push([row.as_slice(), &[next]].concat());
            }
        }
        if longer.len() > MOST {
            return Err(args.fail("more than a million results"));
        }
        rows = longer;
    }
    Ok(rows)
}

fn combinations(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let items = args.items("a")?;
    let rows = choices(args, items.len(), args.size("r")?.unwrap_or(0), false)?;
    Ok(rows.into_iter().map(|row| tuple(row.into_iter().map(|at| items[at].clone()).collect())).collect())
}

fn permutations(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let items = args.items("a")?;
    let rows = choices(args, items.len(), args.size("r")?.unwrap_or(items.len()), true)?;
    Ok(rows.into_iter().map(|row| tuple(row.into_iter().map(|at| items[at].clone()).collect())).collect())
}

fn extract(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let mut found = python::item(&args.value("container"), &args.value("item"))?;
    let more = args.value("morekeys");
    let keys = if python::is_list(&more) { python::items(&more)? } else { vec![more] };
    for key in keys.iter().filter(|key| !key.is_none()) {
        found = python::item(&found, key)?;
    }
    Ok(found)
}

fn subelements(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let obj = args.value("obj");
    let elements = match obj.kind() {
        ValueKind::Map => args.pairs("obj")?.into_iter().map(|(_, value)| value).collect(),
        _ => args.list("obj")?,
    };
    let wanted = args.value("subelements");
    let path: Vec<String> = if python::is_list(&wanted) {
        python::items(&wanted)?.iter().map(python::text).collect()
    } else {
        args.str("subelements")?.split('.').map(str::to_owned).collect()
    };
    let mut out = Vec::new();
    for element in elements {
        let mut found = element.clone();
        for step in &path {
            found = python::item(&found, &Value::from(step.as_str()))?;
            if found.is_undefined() {
                break;
            }
        }
        if found.is_undefined() {
            if args.flag("skip_missing", false) {
                continue;
            }
            return Err(args.fail(format!("{} has no '{}'", python::repr(&element), path.join("."))));
        }
        if !python::is_list(&found) {
            return Err(args.fail(format!("'{}' must lead to a list", path.join("."))));
        }
        out.extend(python::items(&found)?.into_iter().map(|item| pair(element.clone(), item)));
    }
    Ok(list(out))
}

fn rekey(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let overwrite = match args.str_or("duplicates", "error")? {
        "error" => false,
        "overwrite" => true,
        other => return Err(args.fail(format!("'duplicates' is error or overwrite, not '{other}'"))),
    };
    let data = args.value("data");
    let elements = match data.kind() {
        ValueKind::Map => args.pairs("data")?.into_iter().map(|(_, value)| value).collect(),
        _ => args.list("data")?,
    };
    let mut out = indexmap::IndexMap::new();
    for element in elements {
        if element.kind() != ValueKind::Map {
            return Err(args.fail(format!("{} is no dictionary", python::repr(&element))));
        }
        let key = python::item(&element, &args.value("key"))?;
        if key.is_undefined() {
            return Err(args.fail(format!("{} has no '{}'", python::repr(&element), args.text("key"))));
        }
        if out.insert(key.clone(), element).is_some() && !overwrite {
            return Err(args.fail(format!("the key {} is not unique", python::repr(&key))));
        }
    }
    Ok(Value::from_pairs(out))
}

fn union(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    Ok(list(python::unique(args.items("a")?.into_iter().chain(args.items("b")?))))
}

fn intersect(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let b = args.items("b")?;
    Ok(list(python::unique(args.items("a")?.into_iter().filter(|it| b.contains(it)))))
}

fn difference(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let b = args.items("b")?;
    Ok(list(python::unique(args.items("a")?.into_iter().filter(|it| !b.contains(it)))))
}

fn symmetric_difference(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let (a, b) = (args.items("a")?, args.items("b")?);
    let only = |these: &[Value], those: &[Value]| -> Vec<Value> {
        these.iter().filter(|it| !those.contains(it)).cloned().collect()
    };
    Ok(list(python::unique([only(&a, &b), only(&b, &a)].concat())))
}

fn unique(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let case = args.flag("case_sensitive", false);
    let mut seen = python::Distinct::default();
    let mut kept = Vec::new();
    for item in args.items("a")? {
        let key =
            args.some("attribute").map_or_else(|| Ok(item.clone()), |path| python::attribute(&item, path))?;
        if seen.insert(&if case { key } else { fold_case(&key) }) {
            kept.push(item);
        }
    }
    Ok(list(kept))
}
