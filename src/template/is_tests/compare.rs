//! Tests that compare: equality, order, membership, sets, patterns.

use std::cmp::Ordering;

use minijinja::State;
use minijinja::value::{Value, ValueKind};

use super::{Args, Outcome, Test, test};
use crate::template::filters::python;
use crate::template::filters::regex::Pattern;

pub(super) const TESTS: &[Test] = &[
    test("eq", "a, b", |_, a| Ok(equal(a)), "whether they are equal"),
    test("equalto", "a, b", |_, a| Ok(equal(a)), "whether they are equal"),
    test("==", "a, b", |_, a| Ok(equal(a)), "whether they are equal"),
    test("ne", "a, b", |_, a| Ok(!equal(a)), "whether they differ"),
    test("!=", "a, b", |_, a| Ok(!equal(a)), "whether they differ"),
    test("lt", "a, b", |_, a| Ok(order(a)?.is_lt()), "whether it is smaller"),
    test("lessthan", "a, b", |_, a| Ok(order(a)?.is_lt()), "whether it is smaller"),
    test("<", "a, b", |_, a| Ok(order(a)?.is_lt()), "whether it is smaller"),
    test("le", "a, b", |_, a| Ok(order(a)?.is_le()), "whether it is smaller or equal"),
    test("<=", "a, b", |_, a| Ok(order(a)?.is_le()), "whether it is smaller or equal"),
    test("gt", "a, b", |_, a| Ok(order(a)?.is_gt()), "whether it is greater"),
    test("greaterthan", "a, b", |_, a| Ok(order(a)?.is_gt()), "whether it is greater"),
    test(">", "a, b", |_, a| Ok(order(a)?.is_gt()), "whether it is greater"),
    test("ge", "a, b", |_, a| Ok(order(a)?.is_ge()), "whether it is greater or equal"),
    test(">=", "a, b", |_, a| Ok(order(a)?.is_ge()), "whether it is greater or equal"),
    test("sameas", "value, other", same, "whether they are the very same"),
    test("in", "value, seq", |_, a| member(a, "seq", "value"), "whether the list, text or dictionary has it"),
    test("contains", "seq, value", |_, a| member(a, "seq", "value"), "whether it has the value"),
    test("subset", "a, b", |_, a| within(a, "a", "b"), "whether the other list has all its items"),
    test("issubset", "a, b", |_, a| within(a, "a", "b"), "whether the other list has all its items"),
    test("superset", "a, b", |_, a| within(a, "b", "a"), "whether it has all items of the other list"),
    test("issuperset", "a, b", |_, a| within(a, "b", "a"), "whether it has all items of the other list"),
    test(
        "all",
        "value",
        |_, a| Ok(a.items("value")?.iter().all(Value::is_true)),
        "whether all items are true",
    ),
    test("any", "value", |_, a| Ok(a.items("value")?.iter().any(Value::is_true)), "whether any item is true"),
    test("match", PATTERN, |_, a| pattern(a, "match"), "whether a pattern matches at the beginning"),
    test("search", PATTERN, |_, a| pattern(a, "search"), "whether a pattern matches somewhere"),
    test("regex", "value, pattern=, ignorecase=, multiline=, match_type=", regex, "as search, or match_type"),
];

const PATTERN: &str = "value, pattern=, ignorecase=, multiline=";

fn equal(args: &Args) -> bool {
    args.value("a") == args.value("b")
}

fn order(args: &Args) -> Outcome<Ordering> {
    python::compare(&args.value("a"), &args.value("b")).map_err(|e| args.fail(e.detail().unwrap_or_default()))
}

fn same(_: &mut State<'_, '_>, args: &Args) -> Outcome<bool> {
    let (a, b) = (args.value("value"), args.value("other"));
    Ok(match (a.as_object(), b.as_object()) {
        (Some(_), Some(_)) => minijinja::tests::is_sameas(&a, &b),
        (None, None) => a.kind() == b.kind() && a.is_integer() == b.is_integer() && a == b,
        _ => false,
    })
}

fn member(args: &Args, container: &str, value: &str) -> Outcome<bool> {
    let (container, value) = (args.value(container), args.value(value));
    match container.kind() {
        ValueKind::String if value.kind() == ValueKind::String => {
            Ok(container.as_str().unwrap_or_default().contains(value.as_str().unwrap_or_default()))
        }
        ValueKind::Map | ValueKind::Seq | ValueKind::Iterable => {
            Ok(python::items(&container)?.contains(&value))
        }
        ValueKind::String => {
            Err(args.fail(format!("a text can only hold a text, not '{}'", python::type_name(&value))))
        }
        _ => Err(args.fail(format!("'{}' holds nothing", python::type_name(&container)))),
    }
}

fn within(args: &Args, small: &str, large: &str) -> Outcome<bool> {
    let large = args.items(large)?;
    Ok(args.items(small)?.iter().all(|item| large.contains(item)))
}

fn pattern(args: &Args, how: &str) -> Outcome<bool> {
    let source = args.text("pattern");
    let anchored = match how {
        "match" => format!("\\A(?:{source})"),
        "fullmatch" => format!("\\A(?:{source})\\Z"),
        "search" => source.into_owned(),
        other => return Err(args.fail(format!("'{other}' is no match_type: search, match or fullmatch"))),
    };
    let (case, lines) = (args.flag("ignorecase", false), args.flag("multiline", false));
    let pattern =
        Pattern::new(&anchored, case, lines).map_err(|e| args.fail(e.detail().unwrap_or_default()))?;
    let text = args.text("value");
    let found = pattern.find(&text).map_err(|e| args.fail(e.detail().unwrap_or_default()))?;
    Ok(found.is_some())
}

fn regex(_: &mut State<'_, '_>, args: &Args) -> Outcome<bool> {
    pattern(args, args.str_or("match_type", "search")?)
}
