//! `first_found`: the first of several files that exists.

use std::path::PathBuf;

use crate::value::{Map, Value};

use super::{Call, Outcome, expand, truth};

pub(super) fn first_found(call: &Call<'_>) -> Outcome {
    let mut candidates = Vec::new();
    let mut skip = call.flag("skip", false)?;
    collect(&call.terms, &mut candidates, &mut skip)?;
    add(&call.options, &mut candidates);
    for candidate in &candidates {
        if let Some(path) = find(call, candidate) {
            return Ok(vec![Value::from(path.to_string_lossy().into_owned())]);
        }
    }
    match skip {
        true => Ok(Vec::new()),
        false => Err(format!("none of these files exists: {}", candidates.join(", ")).into()),
    }
}

fn collect(terms: &[Value], out: &mut Vec<String>, skip: &mut bool) -> Outcome<()> {
    for term in terms {
        match term {
            Value::Map(map) => {
                *skip |= map.get("skip").map_or(Ok(false), |it| truth("skip", it))?;
                add(map, out);
            }
            Value::List(items) => collect(items, out, skip)?,
            other => out.push(other.to_string()),
        }
    }
    Ok(())
}

/// The files of a mapping with `files` and `paths`: each file in each path.
fn add(map: &Map, out: &mut Vec<String>) {
    let files = map.get("files").map(words).unwrap_or_default();
    let paths = map.get("paths").map(words).unwrap_or_default();
    match (files.is_empty(), paths.is_empty()) {
        (false, true) => out.extend(files),
        (true, false) => out.extend(paths),
        _ => {
            for path in &paths {
                out.extend(
                    files.iter().map(|file| PathBuf::from(path).join(file).to_string_lossy().into_owned()),
                );
            }
        }
    }
}

/// A list, or text with several names in it.
fn words(value: &Value) -> Vec<String> {
    match value {
        Value::List(items) => items.iter().flat_map(words).collect(),
        Value::Null => Vec::new(),
        other => {
            let text = other.to_string();
            text.split([',', ';']).map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect()
        }
    }
}

/// Where a candidate is. Which folder of a role is meant depends on the task, which is not known here: the nearest
/// one that has the file is taken.
fn find(call: &Call<'_>, name: &str) -> Option<PathBuf> {
    let path = expand(name);
    if path.is_absolute() {
        return path.exists().then_some(path);
    }
    let near = call.folders();
    let places = near.iter().flat_map(|near| {
        ["files", "templates", "vars"].map(|folder| near.join(folder)).into_iter().chain([near.clone()])
    });
    places.map(|folder| folder.join(&path)).find(|path| path.exists())
}
