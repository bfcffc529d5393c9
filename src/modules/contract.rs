//! What holds for every module: its arguments are documented, its examples are valid, check mode touches nothing.

use std::collections::BTreeSet;

use super::api::fake::FakeHost;
use super::api::{ArgumentDoc, Entry, Map, Str, Value, arguments};
use super::{ALL, find};

/// The keywords of a task that examples use beside the module.
const KEYWORDS: &[&str] = &[
    "args",
    "async",
    "become",
    "become_user",
    "changed_when",
    "check_mode",
    "delay",
    "delegate_to",
    "environment",
    "failed_when",
    "ignore_errors",
    "loop",
    "loop_control",
    "name",
    "no_log",
    "notify",
    "poll",
    "register",
    "retries",
    "run_once",
    "tags",
    "until",
    "vars",
    "when",
];

fn tasks(entry: &Entry) -> Vec<Map> {
    let read = serde_yaml::from_str::<Value>(entry.manual.examples);
    let list = read.unwrap_or_else(|error| panic!("{}: its examples are no YAML: {error}", entry.name));
    list.as_list().unwrap_or_default().iter().map(|task| task.clone().into_map()).collect()
}

/// The arguments of an example, as the playbook's loader would hand them on. `None`: another module's task.
fn example_args(entry: &Entry, task: &Map) -> Option<Map> {
    let given = task.get(entry.name)?;
    let mut args = match given {
        Value::Str(text) => {
            let name = entry.free_form.unwrap_or_else(|| panic!("{} takes no free text", entry.name));
            Map::from_iter([(Str::from(name), Value::Str(Str::clone(text)))])
        }
        other => other.clone().into_map(),
    };
    args.extend(task.get("args").cloned().unwrap_or_default().into_map());
    Some(args)
}

fn holds_a_template(value: &Value) -> bool {
    value.to_string().contains("{{")
}

fn each_argument(docs: &[ArgumentDoc], path: &str, check: &mut dyn FnMut(&str, &ArgumentDoc)) {
    for doc in docs {
        let path = format!("{path}.{}", doc.name);
        check(&path, doc);
        each_argument(&doc.inner, &path, check);
    }
}

#[test]
fn every_module_and_argument_is_documented() {
    for entry in ALL {
        let schema = (entry.manual.schema)();
        let doc = schema.get("description").and_then(|doc| doc.as_str()).unwrap_or_default();
        assert!(doc.len() > 10, "{}: no documentation", entry.name);
        assert!(!tasks(entry).is_empty(), "{}: no examples", entry.name);
        each_argument(&arguments(entry), entry.name, &mut |path, doc| {
            assert!(!doc.doc.is_empty(), "{path}: no documentation");
            assert!(!doc.kind.is_empty(), "{path}: no type");
            for choice in &doc.choices {
                assert!(!choice.value.is_empty(), "{path}: an empty choice");
            }
        });
    }
}

#[test]
fn every_example_is_a_task_with_valid_arguments() {
    for entry in ALL {
        for task in tasks(entry) {
            for key in task.keys() {
                let known = KEYWORDS.contains(&&**key) || find(key).is_some();
                assert!(known, "{}: `{key}` in its examples is no keyword", entry.name);
            }
            let Some(args) = example_args(entry, &task) else { continue };
            if args.values().any(holds_a_template) {
                continue;
            }
            if let Err(error) = (entry.manual.validate)(&args) {
                panic!("{}: an example is wrong: {error}", entry.name);
            }
        }
    }
}

#[test]
fn at_least_one_example_uses_the_module_itself() {
    for entry in ALL {
        let own = tasks(entry).iter().filter(|task| task.contains_key(entry.name)).count();
        assert!(own > 0, "{}: no example of its own", entry.name);
    }
}

#[test]
fn check_mode_touches_nothing() {
    for entry in ALL {
        let Some(exec) = entry.exec else { continue };
        for task in tasks(entry) {
            let Some(args) = example_args(entry, &task) else { continue };
            let mut host = FakeHost::new();
            // Many fail on an empty host; that is not what is asked here.
            let _ = exec(&args, &mut host, true, true);
            assert_eq!(host.touches, 0, "{}: check mode changed the host", entry.name);
        }
    }
}

#[test]
fn names_are_unique() {
    let mut seen = BTreeSet::new();
    for entry in ALL {
        assert!(seen.insert(entry.name), "{} is there twice", entry.name);
        for alias in entry.aliases {
            assert!(seen.insert(alias), "{alias} is there twice");
            assert_eq!(find(alias).map(|found| found.name), Some(entry.name), "{alias} finds another module");
        }
        let mut names = BTreeSet::new();
        for doc in arguments(entry) {
            for name in doc.names() {
                assert!(names.insert(name.to_owned()), "{}: two arguments are called {name}", entry.name);
            }
        }
    }
}

/// serde knows an argument's other names but not whose they are, schemars does not know them at all: the schema must
/// carry the names that serde takes, no more and no fewer.
#[test]
fn the_schema_has_the_names_that_are_read() {
    for entry in ALL {
        let documented: BTreeSet<String> = arguments(entry)
            .iter()
            .flat_map(|doc| doc.names().map(str::to_owned).collect::<Vec<_>>())
            .collect();
        let read: BTreeSet<String> = (entry.manual.names)().into_iter().map(str::to_owned).collect();
        assert_eq!(documented, read, "{}: x-aliases and serde aliases differ", entry.name);
    }
}

#[test]
fn an_argument_nobody_knows_is_refused() {
    for entry in ALL.iter().filter(|entry| !entry.open) {
        let args = Map::from_iter([(Str::from("no_such_argument"), Value::from(1))]);
        let error = (entry.manual.validate)(&args).unwrap_err();
        assert!(error.at_key, "{}: {error}", entry.name);
        assert!(error.message.contains("unknown argument"), "{}: {error}", entry.name);
    }
}

#[test]
fn free_text_goes_into_an_argument_that_is_there() {
    for entry in ALL {
        let Some(name) = entry.free_form else { continue };
        assert!(arguments(entry).iter().any(|doc| doc.name == name), "{}: no argument {name}", entry.name);
    }
}
