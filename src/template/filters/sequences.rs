//! Jinja's filters over the items of a sequence: choosing, ordering, joining, mapping, grouping.

use std::cmp::Ordering;

use minijinja::State;
use minijinja::value::{Kwargs, Value, ValueKind};

use super::python::{self, Group, attribute, fold_case, list, sort_by_key};
use super::{Args, Filter, Outcome, apply, filter};

pub(super) const FILTERS: &[Filter] = &[
    filter("length", "obj", length, "how many items, entries or characters"),
    filter("count", "obj", length, "how many items, entries or characters"),
    filter("first", "seq", first, "the first item"),
    filter("last", "seq", last, "the last item"),
    filter("list", "value", |_, a| Ok(list(a.items("value")?)), "the items as a list"),
    filter("join", "value, d=, attribute=", join, "the items as one text, with a separator"),
    filter("reverse", "value", reverse, "the items or characters from the end"),
    filter("sort", "value, reverse=, case_sensitive=, attribute=", sort, "the items in order"),
    filter("min", "value, case_sensitive=, attribute=", min, "the smallest item"),
    filter("max", "value, case_sensitive=, attribute=", max, "the largest item"),
    filter("sum", "iterable, attribute=, start=", sum, "the sum of the items"),
    filter("map", "seq, *args, **kwargs", map, "an attribute of each item, or a filter's result for each"),
    filter("select", "seq, *args, **kwargs", |s, a| choose(s, a, false, true), "the items that pass a test"),
    filter("reject", "seq, *args, **kwargs", |s, a| choose(s, a, false, false), "the items that fail a test"),
    filter(
        "selectattr",
        "seq, *args, **kwargs",
        |s, a| choose(s, a, true, true),
        "those whose attribute passes",
    ),
    filter(
        "rejectattr",
        "seq, *args, **kwargs",
        |s, a| choose(s, a, true, false),
        "those whose attribute fails",
    ),
    filter("groupby", "value, attribute, default=, case_sensitive=", groupby, "the items by an attribute"),
    filter("batch", "value, linecount, fill_with=", batch, "the items in rows of a length"),
    filter("slice", "value, slices, fill_with=", slice, "the items in a number of columns"),
    filter("attr", "obj, name", |_, a| attribute(&a.value("obj"), &a.value("name")), "an attribute"),
];

fn length(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let value = args.value("obj");
    match value.kind() {
        ValueKind::Iterable => Ok(args.items("obj")?.len().into()),
        ValueKind::String | ValueKind::Bytes | ValueKind::Seq | ValueKind::Map => match value.len() {
            Some(len) => Ok(len.into()),
            None => Ok(args.items("obj")?.len().into()),
        },
        _ => Err(args.fail(format!("object of type '{}' has no len()", python::type_name(&value)))),
    }
}

fn first(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    Ok(args.items("seq")?.into_iter().next().unwrap_or_default())
}

fn last(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    Ok(args.items("seq")?.pop().unwrap_or_default())
}

fn join(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let mut parts = Vec::new();
    for item in args.items("value")? {
        let item = args.some("attribute").map_or_else(|| Ok(item.clone()), |path| attribute(&item, path))?;
        if item.is_undefined() {
            return Err(args.fail("an item is undefined"));
        }
        parts.push(python::text(&item));
    }
    Ok(parts.join(&args.text("d")).into())
}

fn reverse(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let value = args.value("value");
    if value.kind() == ValueKind::String {
        return Ok(args.text("value").chars().rev().collect::<String>().into());
    }
    let mut items = args.items("value")?;
    items.reverse();
    Ok(list(items))
}

/// What an item is ordered by: the attributes of a list such as `a,b.c`, in lower case unless case counts.
fn order_key(item: &Value, attributes: Option<&Value>, case_sensitive: bool) -> Outcome {
    let fold = |value: Value| if case_sensitive { value } else { fold_case(&value) };
    match attributes {
        None => Ok(fold(item.clone())),
        Some(paths) => match paths.as_str().filter(|it| it.contains(',')) {
            None => Ok(fold(attribute(item, paths)?)),
            Some(text) => {
                text.split(',').map(|path| Ok(fold(attribute(item, &Value::from(path.trim()))?))).collect()
            }
        },
    }
}

fn sort(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    // A stable sort in reverse keeps equal items in their order, so turn the list before and after.
    let mut items = args.items("value")?;
    let reversed = args.flag("reverse", false);
    if reversed {
        items.reverse();
    }
    let (attributes, case) = (args.some("attribute"), args.flag("case_sensitive", false));
    let mut keyed: Vec<_> = items
        .into_iter()
        .map(|item| Ok((order_key(&item, attributes, case)?, item)))
        .collect::<Outcome<_>>()?;
    if keyed.iter().any(|(key, _)| key.is_undefined()) {
        return Err(args.fail("an item lacks the attribute to sort by"));
    }
    sort_by_key(&mut keyed).map_err(|error| args.fail(error.detail().unwrap_or_default()))?;
    if reversed {
        keyed.reverse();
    }
    Ok(keyed.into_iter().map(|(_, item)| item).collect())
}

fn extreme(args: &Args, wanted: Ordering) -> Outcome {
    let (path, case) = (args.some("attribute"), args.flag("case_sensitive", false));
    let mut best: Option<(Value, Value)> = None;
    for item in args.items("value")? {
        let key = order_key(&item, path, case)?;
        let better = match &best {
            None => true,
            Some((top, _)) => {
                python::compare(&key, top).map_err(|e| args.fail(e.detail().unwrap_or_default()))? == wanted
            }
        };
        if better {
            best = Some((key, item));
        }
    }
    Ok(best.map(|(_, item)| item).unwrap_or_default())
}

fn min(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    extreme(args, Ordering::Less)
}

fn max(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    extreme(args, Ordering::Greater)
}

fn sum(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let mut total = args.some("start").cloned().unwrap_or_else(|| Value::from(0));
    for item in args.items("iterable")? {
        let item = args.some("attribute").map_or_else(|| Ok(item.clone()), |path| attribute(&item, path))?;
        total = match (python::as_int(&total), python::as_int(&item)) {
            (Some(a), Some(b)) => a.checked_add(b).map(python::int).ok_or_else(|| args.fail("too large"))?,
            _ => match (python::as_float(&total), python::as_float(&item)) {
                (Some(a), Some(b)) => Value::from(a + b),
                _ if python::is_list(&total) && python::is_list(&item) => {
                    python::items(&total)?.into_iter().chain(python::items(&item)?).collect()
                }
                _ => {
                    let (a, b) = (python::type_name(&total), python::type_name(&item));
                    return Err(args.fail(format!("unsupported operand type(s) for +: '{a}' and '{b}'")));
                }
            },
        };
    }
    Ok(total)
}

fn map(state: &mut State<'_, '_>, args: &Args) -> Outcome {
    let items = args.items("seq")?;
    if args.rest().is_empty()
        && let Some((_, path)) = args.named().iter().find(|(name, _)| name == "attribute")
    {
        let default = args.named().iter().find(|(name, _)| name == "default").map(|(_, value)| value.clone());
        if let Some((other, _)) = args.named().iter().find(|(it, _)| it != "attribute" && it != "default") {
            return Err(args.fail(format!("there is no argument '{other}'")));
        }
        let found = |item: &Value| {
            let found = attribute(item, path)?;
            Ok(if found.is_undefined() { default.clone().unwrap_or(found) } else { found })
        };
        return items.iter().map(found).collect();
    }
    let Some((name, rest)) = args.rest().split_first() else {
        return Err(args.fail("name a filter or give attribute="));
    };
    let name = python::text(name);
    let mut call: Vec<Value> = std::iter::once(Value::UNDEFINED).chain(rest.iter().cloned()).collect();
    if !args.named().is_empty() {
        call.push(Value::from(args.named().iter().cloned().collect::<Kwargs>()));
    }
    let mut mapped = Vec::with_capacity(items.len());
    for item in items {
        call[0] = item;
        mapped.push(apply(state, &name, &call)?);
    }
    Ok(list(mapped))
}

fn choose(state: &mut State<'_, '_>, args: &Args, by_attribute: bool, keep: bool) -> Outcome {
    let mut rest = args.rest();
    let mut path = None;
    if by_attribute {
        let Some((first, others)) = rest.split_first() else { return Err(args.fail("name an attribute")) };
        (path, rest) = (Some(first), others);
    }
    let mut call = vec![Value::UNDEFINED];
    let test = rest.split_first().map(|(name, others)| {
        call.extend_from_slice(others);
        python::text(name)
    });
    if !args.named().is_empty() {
        call.push(Value::from(args.named().iter().cloned().collect::<Kwargs>()));
    }
    let mut chosen = Vec::new();
    for item in args.items("seq")? {
        let subject = path.map_or_else(|| Ok(item.clone()), |path| attribute(&item, path))?;
        let passes = match &test {
            None if subject.is_undefined() => return Err(args.fail("an item lacks the attribute")),
            None => subject.is_true(),
            Some(test) => {
                call[0] = subject;
                state.perform_test(test, &call)?
            }
        };
        if passes == keep {
            chosen.push(item);
        }
    }
    Ok(list(chosen))
}

fn groupby(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let (path, case) = (args.value("attribute"), args.flag("case_sensitive", false));
    let found = |item: &Value| -> Outcome {
        let value = attribute(item, &path)?;
        Ok(if value.is_undefined() { args.get("default").cloned().unwrap_or(value) } else { value })
    };
    let mut keyed = Vec::new();
    for item in args.items("value")? {
        let value = found(&item)?;
        if value.is_undefined() {
            return Err(args.fail("an item lacks the attribute to group by"));
        }
        keyed.push((if case { value } else { fold_case(&value) }, item));
    }
    sort_by_key(&mut keyed).map_err(|error| args.fail(error.detail().unwrap_or_default()))?;
    let mut groups: Vec<(Value, Value, Vec<Value>)> = Vec::new();
    for (key, item) in keyed {
        match groups.last_mut() {
            Some((last, _, members)) if *last == key => members.push(item),
            _ => groups.push((key, found(&item)?, vec![item])),
        }
    }
    let group = |(_, grouper, members)| Value::from_object(Group { grouper, list: list(members) });
    Ok(groups.into_iter().map(group).collect())
}

fn batch(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let size = args
        .size("linecount")?
        .filter(|it| *it > 0)
        .ok_or_else(|| args.fail("'linecount' must be positive"))?;
    let rows = args
        .items("value")?
        .chunks(size)
        .map(|row| {
            let mut row = row.to_vec();
            if let Some(fill) = args.some("fill_with") {
                row.resize(size, fill.clone());
            }
            list(row)
        })
        .collect();
    Ok(rows)
}

fn slice(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let columns =
        args.size("slices")?.filter(|it| *it > 0).ok_or_else(|| args.fail("'slices' must be positive"))?;
    let items = args.items("value")?;
    let (size, longer) = (items.len() / columns, items.len() % columns);
    let mut rest = items.as_slice();
    let mut out = Vec::with_capacity(columns);
    for column in 0..columns {
        let (mine, others) = rest.split_at(size + usize::from(column < longer));
        rest = others;
        let mut mine = mine.to_vec();
        if let Some(fill) = args.some("fill_with").filter(|_| column >= longer) {
            mine.push(fill.clone());
        }
        out.push(list(mine));
    }
    Ok(list(out))
}
