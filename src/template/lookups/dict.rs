//! `dict`: a mapping as a list of pairs.

use crate::value::Value;

use super::{Call, Outcome};

pub(super) fn dict(call: &Call<'_>) -> Outcome {
    let mut out = Vec::new();
    for term in &call.terms {
        let Some(map) = term.as_map() else {
            return Err(format!("it needs a mapping, not {} `{term}`", term.type_name()).into());
        };
        out.extend(map.iter().map(|(key, value)| {
            Value::from_pairs([("key", Value::Str(key.clone())), ("value", value.clone())])
        }));
    }
    Ok(out)
}
