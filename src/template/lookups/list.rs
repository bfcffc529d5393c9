//! Lookups that only rearrange their terms: `items`, `list`, `together`, `nested`, `flattened`, `indexed_items`,
//! `random_choice`.

use rand::seq::IndexedRandom;

use crate::value::Value;

use super::{Call, Outcome};

/// The most combinations that `nested` makes.
const COMBINATIONS: usize = 1_000_000;

pub(super) fn list(call: &Call<'_>) -> Outcome {
    Ok(call.terms.clone())
}

pub(super) fn items(call: &Call<'_>) -> Outcome {
    Ok(flat(&call.terms))
}

/// The terms with those that are lists replaced by their items: exactly one level.
fn flat(terms: &[Value]) -> Vec<Value> {
    let mut out = Vec::new();
    for term in terms {
        match term {
            Value::List(items) => out.extend(items.iter().cloned()),
            other => out.push(other.clone()),
        }
    }
    out
}

pub(super) fn flattened(call: &Call<'_>) -> Outcome {
    fn add(value: &Value, out: &mut Vec<Value>) {
        match value {
            Value::List(items) => items.iter().for_each(|item| add(item, out)),
            Value::Null => {}
            other => out.push(other.clone()),
        }
    }
    let mut out = Vec::new();
    call.terms.iter().for_each(|term| add(term, &mut out));
    Ok(out)
}

pub(super) fn indexed_items(call: &Call<'_>) -> Outcome {
    let pair = |(index, item): (usize, Value)| Value::list(vec![Value::from(index), item]);
    Ok(flat(&call.terms).into_iter().enumerate().map(pair).collect())
}

/// The terms as lists: text and numbers are lists of themselves.
fn lists(call: &Call<'_>) -> Outcome<Vec<Vec<Value>>> {
    if call.terms.is_empty() {
        return Err("it needs at least one list".into());
    }
    Ok(call
        .terms
        .iter()
        .map(|term| match term {
            Value::List(items) => items.to_vec(),
            Value::Map(map) => map.keys().cloned().map(Value::Str).collect(),
            other => vec![other.clone()],
        })
        .collect())
}

pub(super) fn together(call: &Call<'_>) -> Outcome {
    let lists = lists(call)?;
    let longest = lists.iter().map(Vec::len).max().unwrap_or(0);
    let row = |i: usize| lists.iter().map(|list| list.get(i).cloned().unwrap_or(Value::Null)).collect();
    Ok((0..longest).map(row).collect())
}

pub(super) fn nested(call: &Call<'_>) -> Outcome {
    let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
    for list in lists(call)? {
        if rows.len().saturating_mul(list.len()) > COMBINATIONS {
            return Err(format!("there are more than {COMBINATIONS} combinations").into());
        }
        rows = rows
            .iter()
            .flat_map(|row| {
                list.iter().map(move |item| {
                    // What is nested in an earlier list stays flat, as Ansible has it.
                    let mut row = row.clone();
                    match item {
                        Value::List(items) => row.extend(items.iter().cloned()),
                        other => row.push(other.clone()),
                    }
                    row
                })
            })
            .collect();
    }
    Ok(rows.into_iter().map(Value::list).collect())
}

pub(super) fn random_choice(call: &Call<'_>) -> Outcome {
    let terms = match &call.terms[..] {
        [Value::List(items)] => items.as_slice(),
        terms => terms,
    };
    Ok(terms.choose(&mut rand::rng()).into_iter().cloned().collect())
}
