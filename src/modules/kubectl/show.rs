//! Objects as results and diffs show them: without what the server keeps for itself, values of Secrets masked.

use serde_json::{Value as Json, json};

use super::object::{Id, at, essence};
use crate::modules::api::{Diff, Value};

/// What `hidden_fields` is if it is not given.
pub(crate) const HIDDEN: &str = "metadata.managedFields";
/// Where `kubectl apply` writes down what it applied.
pub(super) const LAST_APPLIED: &str = "kubectl.kubernetes.io/last-applied-configuration";
const MASK: &str = "********";

/// An object for a result: without the hidden fields; the data of a Secret masked unless `secrets`.
pub(crate) fn shown(object: &Json, hidden: &[String], secrets: bool) -> Value {
    let mut object = object.clone();
    for field in hidden {
        hide(&mut object, &steps(field));
    }
    if !secrets && Id::of(&object).is_secret() {
        mask(&mut object, &Json::Null);
    }
    Value::from(object)
}

/// Before and after of one object; `None` where it is not there.
pub(crate) fn diff_of(before: Option<&Json>, after: Option<&Json>, hidden: &[String]) -> Diff {
    let id = Id::of(before.or(after).unwrap_or(&Json::Null)).to_string();
    let side = |object: Option<&Json>, other: Option<&Json>| {
        let Some(object) = object else { return Value::Null };
        let mut own = essence(object);
        for field in hidden {
            hide(&mut own, &steps(field));
        }
        // It repeats what stands beside it.
        hide(&mut own, &["metadata".into(), "annotations".into(), LAST_APPLIED.into()]);
        if own.pointer("/metadata/annotations").is_some_and(|it| *it == json!({})) {
            hide(&mut own, &["metadata".into(), "annotations".into()]);
        }
        if Id::of(&own).is_secret() {
            mask(&mut own, other.unwrap_or(&Json::Null));
        }
        Value::from(sorted(own))
    };
    let mut diff = Diff {
        before: side(before, None),
        after: side(after, before),
        before_header: id.clone(),
        after_header: id,
        ..Diff::default()
    };
    if before.is_some() && diff.before == diff.after {
        diff.prepared = Some(format!("~ metadata.annotations[{LAST_APPLIED}] of {}\n", diff.after_header));
    }
    diff
}

/// Takes the values of a Secret away; says which of them differ from those of `before`.
fn mask(secret: &mut Json, before: &Json) {
    for name in ["data", "stringData"] {
        let old = at(before, &format!("/{name}")).clone();
        let Some(Json::Object(map)) = secret.get_mut(name) else { continue };
        for (key, value) in map.iter_mut() {
            let word = match old.get(key) {
                Some(was) if was != value => " (changed)",
                None if before.is_object() => " (new)",
                _ => "",
            };
            *value = Json::from(format!("{MASK}{word}"));
        }
    }
    if let Some(annotation) =
        secret.pointer_mut("/metadata/annotations").and_then(|map| map.get_mut(LAST_APPLIED))
    {
        *annotation = Json::from(MASK);
    }
}

/// Keys in order, so that both sides of a diff list them alike.
fn sorted(json: Json) -> Json {
    match json {
        Json::Object(map) => {
            let mut entries: Vec<(String, Json)> = map.into_iter().map(|(k, v)| (k, sorted(v))).collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            Json::Object(entries.into_iter().collect())
        }
        Json::Array(items) => Json::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

/// `a.b[0].c[x.y]` as steps.
fn steps(path: &str) -> Vec<String> {
    let (mut steps, mut word, mut inside) = (Vec::new(), String::new(), false);
    for c in path.chars() {
        match c {
            '.' if !inside => steps.push(std::mem::take(&mut word)),
            '[' if !inside => {
                steps.push(std::mem::take(&mut word));
                inside = true;
            }
            ']' if inside => inside = false,
            c => word.push(c),
        }
    }
    steps.push(word);
    steps
        .into_iter()
        .map(|step| step.trim_matches(['"', '\'']).to_owned())
        .filter(|it| !it.is_empty())
        .collect()
}

fn hide(object: &mut Json, steps: &[String]) {
    let Some((first, rest)) = steps.split_first() else { return };
    if rest.is_empty() {
        if let Json::Object(map) = object {
            map.shift_remove(first);
        }
        return;
    }
    let next = match object {
        Json::Object(map) => map.get_mut(first),
        Json::Array(items) => first.parse::<usize>().ok().and_then(|at| items.get_mut(at)),
        _ => None,
    };
    if let Some(next) = next {
        hide(next, rest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn secret(value: &str) -> Json {
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "uid": "u",
            "annotations": {LAST_APPLIED: format!("{{\"data\":\"{value}\"}}")}}, "data": {"p": value, "q": "same"}})
    }

    #[test]
    fn values_of_secrets_never_show_but_that_they_differ_does() {
        let diff = diff_of(Some(&secret("one")), Some(&secret("two")), &[]);
        let text = format!("{} {}", diff.before, diff.after);
        assert!(!text.contains("one") && !text.contains("two"), "{text}");
        assert!(text.contains("'p': '******** (changed)'") && text.contains("'q': '********'}"), "{text}");
        let text = shown(&secret("one"), &[], false).to_string();
        assert!(!text.contains("one") && text.contains("'uid': 'u'"), "{text}");
        assert!(shown(&secret("one"), &[], true).to_string().contains("'p': 'one'"));
        let diff = diff_of(None, Some(&secret("one")), &[]);
        assert!(!diff.after.to_string().contains("one"));
    }

    #[test]
    fn fields_are_hidden_by_path() {
        let object = json!({"metadata": {"managedFields": [1], "annotations": {"a.b/c": "x", "d": "y"}},
            "spec": {"list": [{"a": 1, "b": 2}]}});
        let hidden =
            ["metadata.managedFields", "metadata.annotations[a.b/c]", "spec.list[0].a", "none.at.all"];
        let hidden: Vec<String> = hidden.into_iter().map(str::to_owned).collect();
        assert_eq!(
            shown(&object, &hidden, false).to_string(),
            "{'metadata': {'annotations': {'d': 'y'}}, 'spec': {'list': [{'b': 2}]}}"
        );
    }

    #[test]
    fn a_diff_that_is_only_in_the_record_of_the_last_apply_says_so() {
        let object =
            |text: &str| json!({"kind": "A", "metadata": {"name": "n", "annotations": {LAST_APPLIED: text}}});
        let diff = diff_of(Some(&object("1")), Some(&object("2")), &[]);
        assert!(diff.prepared.is_some_and(|text| text.contains("last-applied-configuration] of A n")));
    }
}
