//! Filters about what a value is: booleans, choices, types. And those that only name a conversion.

use minijinja::State;
use minijinja::value::{Value, ValueKind};

use super::{Args, Filter, Outcome, filter, python};

pub(super) const FILTERS: &[Filter] = &[
    filter("bool", "value", bool, "true for yes, on, 1, true in any case; false for anything else"),
    filter(
        "ternary",
        "value, true_val, false_val, none_val=",
        ternary,
        "one of two values; a third for null",
    ),
    filter("type_debug", "?value", type_debug, "the name of the value's Python type"),
    filter("string", "value", string, "the value as text"),
    filter("safe", "value", same, "the value itself: nothing is escaped by itself here"),
];

fn bool(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let value = args.value("value");
    Ok(match value.kind() {
        ValueKind::None | ValueKind::Bool => value,
        ValueKind::String => {
            let text = value.as_str().unwrap_or_default().to_lowercase();
            Value::from(matches!(text.as_str(), "yes" | "on" | "1" | "true"))
        }
        _ => Value::from(python::as_float(&value) == Some(1.0)),
    })
}

fn ternary(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let value = args.value("value");
    Ok(match args.some("none_val") {
        Some(none_val) if value.is_none() => none_val.clone(),
        _ if value.is_true() => args.value("true_val"),
        _ => args.value("false_val"),
    })
}

fn type_debug(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    Ok(Value::from(python::type_name(&args.value("value"))))
}

fn string(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    Ok(Value::from(args.text("value")))
}

fn same(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    Ok(args.value("value"))
}
