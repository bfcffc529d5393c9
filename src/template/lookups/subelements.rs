//! `subelements`: each item of a list with each item of a list inside of it.

use crate::value::{Map, Value};

use super::{Call, Outcome, truth};

pub(super) fn subelements(call: &Call<'_>) -> Outcome {
    let (list, path, flags) = match &call.terms[..] {
        [list, path] => (list, path, None),
        [list, path, flags] => (list, path, Some(flags)),
        _ => {
            return Err(
                "it needs a list, the name of the list inside, and perhaps `{'skip_missing': true}`".into()
            );
        }
    };
    let skip = match flags {
        Some(Value::Map(flags)) => {
            flags.get("skip_missing").map_or(Ok(false), |it| truth("skip_missing", it))?
        }
        Some(_) => return Err("its third argument must be a mapping".into()),
        None => call.flag("skip_missing", false)?,
    };
    let path = path.to_string();
    let items: Vec<&Value> = match list {
        Value::List(items) => items.iter().collect(),
        Value::Map(map) => map.values().collect(),
        other => return Err(format!("it needs a list or mapping first, not `{other}`").into()),
    };
    let mut out = Vec::new();
    for item in items {
        let Some(map) = item.as_map() else {
            return Err(format!("it needs mappings in the list, not `{item}`").into());
        };
        if map.get("skipped").is_some_and(Value::truthy) {
            continue;
        }
        let steps: Vec<&str> = path.split('.').collect();
        let inner = steps.iter().try_fold(item, |value, step| value.get(step));
        match inner {
            Some(Value::List(elements)) => {
                let rest = Value::map(without(map, &steps));
                out.extend(elements.iter().map(|element| Value::list(vec![rest.clone(), element.clone()])));
            }
            _ if skip => {}
            Some(other) => return Err(format!("`{path}` must be a list, not `{other}`").into()),
            None => return Err(format!("there is no `{path}` in `{item}`").into()),
        }
    }
    Ok(out)
}

/// The item without the list that is looped over.
fn without(map: &Map, steps: &[&str]) -> Map {
    let mut map = map.clone();
    match steps {
        [last] => {
            map.shift_remove(*last);
        }
        [first, rest @ ..] => {
            if let Some(inner) = map.get(*first).and_then(Value::as_map) {
                let inner = Value::map(without(inner, rest));
                map.insert((*first).into(), inner);
            }
        }
        [] => {}
    }
    map
}
