//! The real worker program: brought up over a connection, called, cancelled, killed.

mod bring_up;
mod calls;
mod detached;
mod files;
mod identities;
mod over_ssh;
mod strings;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use regatta::connection::{ConnectError, Connection, Images, Local, NoFiles, Worker};
use regatta::proto::{Call, Reply};
use regatta::value::{Map, Value};

const PATIENCE: Duration = Duration::from_secs(60);

fn program() -> PathBuf {
    PathBuf::from(env!("CARGO_BIN_EXE_regatta-worker"))
}

/// The worker, hashed and packed once for all tests.
fn images() -> Images {
    static IMAGES: OnceLock<Images> = OnceLock::new();
    IMAGES.get_or_init(|| Images::only(program())).clone()
}

/// This machine with another home, so that the tests leave the real one alone.
fn machine(home: &Path) -> Local {
    Local::new()
        .with_variable("HOME", Some(home.to_str().unwrap()))
        .with_variable("XDG_CACHE_HOME", None)
        .with_variable("XDG_RUNTIME_DIR", None)
}

async fn start(connection: &dyn Connection) -> Result<Arc<Worker>, ConnectError> {
    Worker::start(connection, &images(), "testhost", PATIENCE).await
}

fn call(worker: &Worker, module: &str, args: &[(&str, &str)]) -> Call {
    let args: Map = args.iter().map(|(name, value)| ((*name).into(), Value::from(*value))).collect();
    Call { chain: worker.new_chain(), module: module.into(), args, ..Call::default() }
}

async fn run(worker: &Arc<Worker>, call: Call) -> Reply {
    worker.call(call, Arc::new(NoFiles), None, None).await.unwrap()
}

/// What a module that ran returned under a name, as text.
fn field(reply: &Reply, name: &str) -> String {
    match reply {
        Reply::Ran(outcome) => outcome.fields.get(name).map(ToString::to_string).unwrap_or_default(),
        other => panic!("{other:?}"),
    }
}

async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "{what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// Whether a process has ended, waited for or not.
fn is_gone(pid: u32) -> bool {
    !Path::new(&format!("/proc/{pid}/exe")).exists()
}

/// Whether a process with this argument runs.
fn runs(argument: &str) -> bool {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes
        .filter_map(|it| std::fs::read(it.path().join("cmdline")).ok())
        .any(|line| line.split(|byte| *byte == 0).any(|word| word == argument.as_bytes()))
}
