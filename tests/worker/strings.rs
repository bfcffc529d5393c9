//! Every text argument of every module as a text that would be a command of a shell, in check mode: what modules ask of the
//! host's programs goes there word by word.

use std::sync::Arc;

use regatta::connection::{NoFiles, Worker};
use regatta::modules::ALL;
use regatta::modules::api::{Entry, Execution, arguments};
use regatta::proto::Call;
use regatta::value::{Map, Str, Value};

use super::{machine, start};

/// They ask other machines, so that looking would take long; or hand a line on to a shell, which their pages say.
const LEFT_OUT: &[&str] = &[
    "get_url",
    "uri",
    "wait_for",
    "apt_key",
    "rpm_key",
    "deb822_repository",
    "apt_repository",
    "async_status",
];

/// The arguments of a module's first own example, without templates.
fn base(entry: &Entry) -> Option<Map> {
    let tasks: Value = serde_yaml::from_str(entry.manual.examples).ok()?;
    let task = tasks
        .as_list()?
        .iter()
        .map(|task| task.clone().into_map())
        .find(|task| task.contains_key(entry.name))?;
    match task.get(entry.name)? {
        Value::Map(map) => Some((**map).clone()),
        Value::Str(text) => Some(Map::from_iter([(Str::from(entry.free_form?), Value::Str(text.clone()))])),
        _ => Some(Map::new()),
    }
}

/// What is to be tried: the example with one argument changed.
fn calls(entry: &Entry, evil: &str) -> Vec<Map> {
    let Some(base) = base(entry) else { return Vec::new() };
    let words = arguments(entry).into_iter().filter(|doc| doc.choices.is_empty());
    let with = |name: &str, value: Value| {
        let mut args = base.clone();
        args.insert(Str::from(name), value);
        args
    };
    words
        .filter_map(|doc| match doc.kind.as_str() {
            "str" | "path" | "any" => Some(with(&doc.name, evil.into())),
            kind if kind.starts_with("list") => Some(with(&doc.name, Value::list(vec![evil.into()]))),
            _ => None,
        })
        // Its own page says that it is a line of options for ssh.
        .filter(|args| entry.name != "git" || !args.contains_key("ssh_opts"))
        .collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn no_argument_of_any_module_becomes_a_command_of_a_shell_when_it_looks() {
    let home = tempfile::tempdir().unwrap();
    let mark = home.path().join("pwn").display().to_string();
    let evil = format!("x$(touch {mark});touch {mark};'\"\n`touch {mark}`|touch {mark}&\\");
    let worker: Arc<Worker> = start(&machine(home.path())).await.unwrap();
    let modules =
        ALL.iter().filter(|it| it.execution != Execution::Controller && !LEFT_OUT.contains(&it.name));
    // Modules beside each other, the calls of one after each other.
    let all = futures::future::join_all(modules.map(async |entry| {
        let chain = worker.new_chain();
        let mut tried = 0;
        for args in calls(entry, &evil) {
            let module = entry.name.into();
            let call =
                Call { chain, module, args, check: true, diff: true, timeout: Some(5), ..Call::default() };
            worker.call(call, Arc::new(NoFiles), None, None).await.unwrap();
            tried += 1;
        }
        tried
    }));
    let tried: usize = all.await.into_iter().sum();
    assert!(tried > 300, "{tried}");
    assert!(!home.path().join("pwn").exists());
}
