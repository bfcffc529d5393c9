//! Tests of registered results: failed, changed, skipped and their kin.

use minijinja::value::{Value, ValueKind};

use super::{Args, Outcome, Test, test};
use crate::template::filters::python;

pub(super) const TESTS: &[Test] = &[
    test("failed", "result", |_, a| failed(a), "whether the task failed"),
    test("failure", "result", |_, a| failed(a), "whether the task failed"),
    test("success", "result", |_, a| Ok(!failed(a)?), "whether the task did not fail"),
    test("succeeded", "result", |_, a| Ok(!failed(a)?), "whether the task did not fail"),
    test("successful", "result", |_, a| Ok(!failed(a)?), "whether the task did not fail"),
    test("changed", "result", |_, a| changed(a), "whether the task changed something"),
    test("change", "result", |_, a| changed(a), "whether the task changed something"),
    test("skipped", "result", |_, a| flag(a, "skipped", false), "whether the task was skipped"),
    test("skip", "result", |_, a| flag(a, "skipped", false), "whether the task was skipped"),
    test("unreachable", "result", |_, a| flag(a, "unreachable", false), "whether the host was unreachable"),
    test("reachable", "result", |_, a| Ok(!flag(a, "unreachable", false)?), "whether the host was reachable"),
    test("started", "result", |_, a| flag(a, "started", true), "whether the detached job has started"),
    test("timedout", "result", |_, a| timed_out(a), "whether the task ran into its `timeout`"),
    test("finished", "result", |_, a| flag(a, "finished", true), "whether the detached job has finished"),
];

/// The result, which must be a dictionary.
fn result(args: &Args) -> Outcome {
    let result = args.value("result");
    match result.kind() {
        ValueKind::Map => Ok(result),
        _ => Err(args.fail(format!("expects a registered result, not '{}'", python::type_name(&result)))),
    }
}

fn entry(result: &Value, name: &str) -> Outcome {
    python::item(result, &Value::from(name))
}

fn timed_out(args: &Args) -> Outcome<bool> {
    let found = entry(&result(args)?, "timedout")?;
    Ok(found.is_true() && entry(&found, "period")?.is_true())
}

fn flag(args: &Args, name: &str, default: bool) -> Outcome<bool> {
    let found = entry(&result(args)?, name)?;
    Ok(if found.is_undefined() { default } else { found.is_true() })
}

fn failed(args: &Args) -> Outcome<bool> {
    flag(args, "failed", false)
}

/// A looped task changed something if any of its items did.
fn changed(args: &Args) -> Outcome<bool> {
    let result = result(args)?;
    let found = entry(&result, "changed")?;
    if !found.is_undefined() {
        return Ok(found.is_true());
    }
    let results = entry(&result, "results")?;
    if !python::is_list(&results) {
        return Ok(false);
    }
    let item_changed =
        |item: &Value| item.kind() == ValueKind::Map && entry(item, "changed").is_ok_and(|it| it.is_true());
    Ok(python::items(&results)?.iter().any(item_changed))
}
