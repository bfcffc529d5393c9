//! A user's own module: an executable of the controller that takes its arguments as JSON and prints its result as JSON.
//!
//! Not in the registry: the playbook's loader finds such files in `library/` folders and collections. It gets the
//! arguments on standard input and in a file whose name is its only word, which suits all that Ansible runs that way.

use std::path::Path;

use crate::modules::api::{Cmd, Diff, Fail, Map, Outcome, Ran, Str, Touch, Value, Write};

/// What the call of such a module says instead of a module's name.
pub const NAME: &str = "custom";

/// What the file says if it knows check mode; others are left out there.
const CHECK_MODE: &[u8] = b"_ansible_check_mode";

/// A marker in scripts that wants the arguments in its place.
const IN_PLACE: &[u8] = b"<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>";

/// Runs the call's only blob.
///
/// # Errors
/// If the controller sent none, or the host has no room for it.
pub fn run(args: &Map, host: &mut dyn Touch, check: bool, diff: bool) -> Result<Outcome, Fail> {
    if host.blobs().len() != 1 {
        return Err(Fail::new("the controller did not send the module"));
    }
    let contents = host.blob(0)?;
    let marked = contents.windows(CHECK_MODE.len()).any(|part| part == CHECK_MODE);
    if check && !marked {
        let skipped = Outcome { skipped: true, ..Outcome::unchanged() };
        return Ok(skipped.with("msg", "the module does not support check mode"));
    }
    let json = arguments(args, check, diff)?;
    let folder = host.temp_dir()?;
    let (program, file) = (folder.join("module"), folder.join("args"));
    let at = contents.windows(IN_PLACE.len()).position(|part| part == IN_PLACE);
    let contents = match at {
        Some(at) => [&contents[..at], &json, &contents[at + IN_PLACE.len()..]].concat(),
        None => contents,
    };
    host.write(&program, &contents, &Write { mode: Some(0o700), ..Write::default() })?;
    host.write(&file, &json, &Write { mode: Some(0o600), ..Write::default() })?;
    let cmd = Cmd { quiet: true, ..Cmd::new([&program, &file]).stdin(json) };
    let ran = host.run(&cmd)?;
    Ok(result(&ran, &program))
}

/// The arguments, and what Ansible tells its modules beside them.
fn arguments(args: &Map, check: bool, diff: bool) -> Result<Vec<u8>, Fail> {
    let mut all = args.clone();
    for (name, value) in [("_ansible_check_mode", check), ("_ansible_diff", diff)] {
        all.insert(Str::from(name), Value::Bool(value));
    }
    let json = serde_json::Value::from(&Value::map(all));
    serde_json::to_vec(&json).map_err(|error| Fail::new(format!("the arguments can't be written: {error}")))
}

/// What the module printed: one JSON object, perhaps after other lines.
fn result(ran: &Ran, program: &Path) -> Outcome {
    let (out, err) = (ran.out(), ran.err());
    let Some(mut fields) = object(&out) else {
        let failed = Outcome { failed: true, ..Outcome::unchanged() };
        let why = format!("the module printed no JSON object (exit code {})", ran.rc);
        let why = why + if ran.rc == 126 || ran.rc == 127 { ": the host can't run it" } else { "" };
        let err = err.replace(&*program.to_string_lossy(), "the module");
        return failed
            .with("msg", why)
            .with("rc", i64::from(ran.rc))
            .with("module_stdout", out)
            .with("module_stderr", err);
    };
    let mut take = |name: &str| fields.shift_remove(name);
    let truthy = |value: Option<Value>| value.is_some_and(|value| value.truthy());
    let (changed, failed, skipped) = (truthy(take("changed")), take("failed"), truthy(take("skipped")));
    let facts = match take("ansible_facts") {
        Some(Value::Map(facts)) => (*facts).clone(),
        _ => Map::new(),
    };
    let warnings = match take("warnings") {
        Some(Value::List(items)) => items.iter().map(ToString::to_string).collect(),
        _ => Vec::new(),
    };
    let diff = match take("diff") {
        Some(Value::List(items)) => items.iter().filter_map(difference).collect(),
        Some(one) => difference(&one).into_iter().collect(),
        None => Vec::new(),
    };
    // As with Ansible, an exit code in the result counts where the module does not say how it went.
    let wrong = |fields: &Map| matches!(fields.get("rc"), Some(Value::Int(rc)) if *rc != 0);
    let failed = failed.map_or_else(|| wrong(&fields), |value| value.truthy());
    let mut outcome = Outcome { changed, failed, skipped, fields, facts, diff, warnings };
    for name in ["stdout", "stderr"] {
        let lines = format!("{name}_lines");
        if let (Some(Value::Str(text)), false) =
            (outcome.fields.get(name), outcome.fields.contains_key(&*lines))
        {
            let list: Value = text.lines().map(Value::from).collect();
            outcome.fields.insert(Str::from(lines), list);
        }
    }
    outcome
}

/// The object that begins at the start of a line and goes to the end, or to the last brace.
fn object(out: &str) -> Option<Map> {
    let starts = std::iter::once(0).chain(out.match_indices('\n').map(|(at, _)| at + 1));
    let end = out.rfind('}')? + 1;
    for start in starts.filter(|start| *start < end) {
        let text = out[start..end].trim_start();
        if text.starts_with('{')
            && let Ok(json) = serde_json::from_str::<serde_json::Value>(text)
            && let Value::Map(map) = Value::from(json)
        {
            return Some((*map).clone());
        }
    }
    None
}

fn difference(value: &Value) -> Option<Diff> {
    let Value::Map(map) = value else { return None };
    let text = |name: &str| map.get(name).map(ToString::to_string).unwrap_or_default();
    let side = |name: &str| map.get(name).cloned().unwrap_or_else(|| Value::from(""));
    Some(Diff {
        before_header: text("before_header"),
        after_header: text("after_header"),
        before: side("before"),
        after: side("after"),
        prepared: map.get("prepared").map(ToString::to_string),
    })
}

#[cfg(all(test, feature = "controller"))]
#[expect(clippy::unwrap_used, reason = "tests alone")]
mod tests {
    use super::*;
    use crate::modules::api::fake::FakeHost;

    fn call(host: &mut FakeHost, check: bool) -> Outcome {
        let args = Map::from_iter([("name".into(), Value::from("x"))]);
        run(&args, host, check, false).unwrap()
    }

    #[test]
    fn arguments_go_in_as_json_and_the_result_comes_out_as_json() {
        let out = "hello\n{\"changed\": true, \"msg\": \"done\", \"ansible_facts\": {\"a\": 1}, \"warnings\": [\"w\"], \
                   \"stdout\": \"1\\n2\", \"diff\": {\"before\": \"x\", \"after\": \"y\"}}\n";
        let mut host = FakeHost::new().blob("", 0o644, "binary").answer("/tmp/regatta-1/module", 0, out);
        let outcome = call(&mut host, false);
        assert_eq!(host.ran, ["/tmp/regatta-1/module /tmp/regatta-1/args"]);
        assert_eq!(host.mode("/tmp/regatta-1/module"), 0o700);
        assert!(outcome.changed && !outcome.failed);
        assert_eq!(outcome.facts.get("a"), Some(&Value::Int(1)));
        assert_eq!(outcome.warnings, ["w"]);
        assert_eq!(outcome.fields["stdout_lines"].to_string(), "['1', '2']");
        assert_eq!(outcome.diff[0].after, Value::from("y"));
        let args = host.text("/tmp/regatta-1/args");
        assert_eq!(args, "{\"name\":\"x\",\"_ansible_check_mode\":false,\"_ansible_diff\":false}");
    }

    #[test]
    fn what_is_no_json_is_a_failure_that_shows_it() {
        for (rc, out, part) in [(0, "oops", "no JSON"), (127, "", "can't run it"), (1, "[1]", "no JSON")] {
            let mut host = FakeHost::new().blob("", 0o644, "").answer("/tmp/regatta-1/module", rc, out);
            let outcome = call(&mut host, false);
            assert!(outcome.failed && outcome.fields["msg"].to_string().contains(part), "{out}");
            assert_eq!(outcome.fields["module_stdout"].to_string(), out);
        }
        let mut host = FakeHost::new().blob("", 0o644, "").answer(
            "/tmp/regatta-1/module",
            0,
            "{\"rc\": 3, \"msg\": \"m\"}",
        );
        assert!(call(&mut host, false).failed);
    }

    #[test]
    fn check_mode_runs_only_what_knows_it() {
        let mut host = FakeHost::new().blob("", 0o644, "#!/bin/sh\n");
        assert!(call(&mut host, true).skipped);
        assert!(host.ran.is_empty());
        let text = "#!/bin/sh\n# reads _ansible_check_mode\n";
        let mut host =
            FakeHost::new().blob("", 0o644, text).answer("/tmp/regatta-1/module", 0, "{\"changed\": true}");
        assert!(call(&mut host, true).changed);
    }

    #[test]
    fn a_script_may_want_the_arguments_in_its_text() {
        let text = "#!/bin/sh\necho '<<INCLUDE_ANSIBLE_MODULE_JSON_ARGS>>'\n";
        let mut host = FakeHost::new().blob("", 0o644, text).answer("/tmp/regatta-1/module", 0, "{}");
        call(&mut host, false);
        assert!(host.text("/tmp/regatta-1/module").contains("echo '{\"name\":\"x\""));
    }
}
