//! Tests of what kind of value something is.

use minijinja::State;
use minijinja::value::{Value, ValueKind};

use super::{Args, Outcome, Test, test};
use crate::template::filters::python;

pub(super) const TESTS: &[Test] = &[
    test("none", "?value", |_, a| Ok(a.value("value").is_none()), "whether it is null"),
    test(
        "boolean",
        "?value",
        |_, a| Ok(a.value("value").kind() == ValueKind::Bool),
        "whether it is a boolean",
    ),
    test(
        "true",
        "?value",
        |_, a| Ok(boolean(&a.value("value")) == Some(true)),
        "whether it is the boolean true",
    ),
    test(
        "false",
        "?value",
        |_, a| Ok(boolean(&a.value("value")) == Some(false)),
        "whether it is the boolean false",
    ),
    test("integer", "?value", |_, a| Ok(a.value("value").is_integer()), "whether it is a whole number"),
    test("float", "?value", float, "whether it is a number with a fraction"),
    test(
        "number",
        "?value",
        |_, a| Ok(python::as_float(&a.value("value")).is_some()),
        "whether it is a number",
    ),
    test("string", "?value", |_, a| Ok(a.value("value").kind() == ValueKind::String), "whether it is text"),
    test(
        "mapping",
        "?value",
        |_, a| Ok(a.value("value").kind() == ValueKind::Map),
        "whether it is a dictionary",
    ),
    test("sequence", "?value", sequence, "whether it has a length and items: lists, texts, dictionaries"),
    test("iterable", "value", sequence, "whether it has items"),
    test(
        "callable",
        "?value",
        |_, a| Ok(a.value("value").kind() == ValueKind::Plain),
        "whether it can be called",
    ),
    test("escaped", "value", |_, a| Ok(a.value("value").is_safe()), "whether it is marked as safe"),
    test("truthy", "value, convert_bool=", |_, a| truthy(a), "whether it counts as true"),
    test("falsy", "value, convert_bool=", |_, a| Ok(!truthy(a)?), "whether it counts as false"),
    test("nan", "x", nan, "whether it is the float that is no number"),
    test("isnan", "x", nan, "whether it is the float that is no number"),
    test("odd", "value", |_, a| Ok(whole(a, "value")?.rem_euclid(2) == 1), "whether the number is odd"),
    test("even", "value", |_, a| Ok(whole(a, "value")?.rem_euclid(2) == 0), "whether the number is even"),
    test("divisibleby", "value, num", divisible, "whether the number is a multiple of another"),
    test("lower", "value", |_, a| Ok(cased(a, false)), "whether the text is in lower case"),
    test("upper", "value", |_, a| Ok(cased(a, true)), "whether the text is in upper case"),
    test("filter", "value", |s, a| Ok(known(s, &a.text("value"), true)), "whether a filter has that name"),
    test("test", "value", |s, a| Ok(known(s, &a.text("value"), false)), "whether a test has that name"),
];

fn boolean(value: &Value) -> Option<bool> {
    (value.kind() == ValueKind::Bool).then(|| value.is_true())
}

fn float(_: &mut State<'_, '_>, args: &Args) -> Outcome<bool> {
    let value = args.value("value");
    Ok(value.kind() == ValueKind::Number && !value.is_integer())
}

fn sequence(_: &mut State<'_, '_>, args: &Args) -> Outcome<bool> {
    let kind = args.value("value").kind();
    Ok(matches!(
        kind,
        ValueKind::Seq | ValueKind::Iterable | ValueKind::Map | ValueKind::String | ValueKind::Bytes
    ))
}

fn truthy(args: &Args) -> Outcome<bool> {
    let value = args.value("value");
    if !args.flag("convert_bool", false) {
        return Ok(value.is_true());
    }
    let text = python::text(&value).trim().to_lowercase();
    match text.as_str() {
        _ if value.kind() == ValueKind::Bool => Ok(value.is_true()),
        "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Ok(true),
        "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Ok(false),
        _ => Ok(value.is_true()),
    }
}

fn nan(_: &mut State<'_, '_>, args: &Args) -> Outcome<bool> {
    Ok(python::as_float(&args.value("x")).is_some_and(f64::is_nan))
}

fn whole(args: &Args, name: &str) -> Outcome<i128> {
    let value = args.value(name);
    let number = python::as_int(&value);
    number.ok_or_else(|| args.fail(format!("must be a whole number, not {}", python::repr(&value))))
}

fn divisible(_: &mut State<'_, '_>, args: &Args) -> Outcome<bool> {
    let by = whole(args, "num")?;
    whole(args, "value")?.checked_rem(by).map(|rest| rest == 0).ok_or_else(|| args.fail("division by zero"))
}

fn cased(args: &Args, upper: bool) -> bool {
    let text = args.text("value");
    text.chars().any(|c| if upper { c.is_uppercase() } else { c.is_lowercase() })
        && !text.chars().any(|c| if upper { c.is_lowercase() } else { c.is_uppercase() })
}

/// Whether the environment has a filter, or else a test, of that name.
fn known(state: &mut State<'_, '_>, name: &str, filter: bool) -> bool {
    use minijinja::ErrorKind::{UnknownFilter, UnknownTest};
    // There is no way to ask; a call without arguments fails differently where the name is known.
    let error =
        if filter { state.apply_filter(name, &[]).err() } else { state.perform_test(name, &[]).err() };
    error.is_none_or(|error| !matches!(error.kind(), UnknownFilter | UnknownTest))
}
