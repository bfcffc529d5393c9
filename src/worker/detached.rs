//! Detached jobs (`async`): a call that goes on in a process of its own after its reply, and after the connection.
//!
//! The job's state is a JSON file in a folder of its user alone, where Ansible has it too; the module `async_status`
//! reads it. The call itself reaches the process through a pipe.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;

use serde_json::{Map, Value as Json, json};

use super::control::Control;
use super::{Server, job};
use crate::modules::api::Fail;
use crate::outcome::Outcome;
use crate::proto::boot::random_hex;
use crate::proto::frame::{read_frame, write_frame};
use crate::proto::{Call, Reply};

/// The folder of the jobs' states in a home.
const FOLDER: &str = ".ansible_async";

/// The variable that names another one.
const FOLDER_VARIABLE: &str = "ANSIBLE_ASYNC_DIR";

/// Starts a call as a job for at most `seconds`, and says which job it is.
pub(super) fn start(mut call: Call, seconds: u64) -> Outcome {
    call.detach = None;
    call.timeout = Some(seconds);
    call.live = false;
    if !call.blobs.is_empty() {
        let text = format!("{} can't run with async, because it needs files of the controller", call.module);
        return Fail::new(text).into_outcome();
    }
    match begin(&call) {
        Ok((job, file)) => Outcome::changed()
            .with("ansible_job_id", job.as_str())
            .with("started", 1)
            .with("finished", 0)
            .with("results_file", file.to_string_lossy().as_ref()),
        Err(error) => Fail::new(format!("can't start the job: {error}")).into_outcome(),
    }
}

fn begin(call: &Call) -> io::Result<(String, PathBuf)> {
    let folder = folder(call)?;
    let job = format!("j{}", random_hex(16)?);
    let file = folder.join(&job);
    store(&file, &json!({"ansible_job_id": job, "started": 1, "finished": 0}))?;
    let mut child = Command::new("/proc/self/exe")
        .arg("job")
        .arg(&file)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut stdin = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
    write_frame(&mut stdin, call)?;
    // Its end is waited for so that it does not stay as a zombie; the job itself goes on in a grandchild.
    child.wait()?;
    Ok((job, file))
}

/// The folder of the states. It must be nobody else's.
fn folder(call: &Call) -> io::Result<PathBuf> {
    let named = call.environment.iter().rev().find(|(name, _)| name == FOLDER_VARIABLE);
    let home = || std::env::var_os("HOME").map(PathBuf::from);
    let folder = match named.map(|(_, value)| value.as_str()) {
        Some(path) => match path.strip_prefix("~/") {
            Some(rest) => home().map(|it| it.join(rest)),
            None => Some(PathBuf::from(path)),
        },
        None => home().map(|it| it.join(FOLDER)),
    };
    let folder = folder.ok_or_else(|| io::Error::other("the user has no home"))?;
    DirBuilder::new().mode(0o700).recursive(true).create(&folder)?;
    let about = fs::symlink_metadata(&folder)?;
    let own =
        about.is_dir() && about.uid() == rustix::process::geteuid().as_raw() && about.mode() & 0o022 == 0;
    if own {
        Ok(folder)
    } else {
        Err(io::Error::other(format!(
            "{} is not a folder that only this user can write to",
            folder.display()
        )))
    }
}

/// Writes a state so that who reads it sees the old one or the new one.
fn store(file: &Path, state: &Json) -> io::Result<()> {
    let new = file.with_extension("new");
    let mut out = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&new)?;
    let written = out.write_all(state.to_string().as_bytes()).and_then(|()| fs::rename(&new, file));
    if written.is_err() {
        drop(fs::remove_file(&new));
    }
    written
}

/// The process of a job, started by [`start`]: takes the call from standard input, leaves the session, and starts
/// itself once more, so that nothing ties the job to who started it.
///
/// # Errors
/// An input that holds no call, or no second process.
pub(super) fn leave(file: &Path) -> io::Result<()> {
    let call: Call = read_frame(&mut io::stdin().lock())?.ok_or(io::ErrorKind::UnexpectedEof)?;
    rustix::process::setsid()?;
    let child = Command::new("/proc/self/exe").arg("job-itself").arg(file).stdin(Stdio::piped()).spawn()?;
    write_frame(&mut child.stdin.ok_or(io::ErrorKind::BrokenPipe)?, &call)
}

/// The job itself: runs the call to its end and stores what it came to.
///
/// # Errors
/// An input that holds no call, or a state that can't be written.
pub(super) fn run(file: &Path) -> io::Result<()> {
    let call: Call = read_frame(&mut io::stdin().lock())?.ok_or(io::ErrorKind::UnexpectedEof)?;
    job::keep_panic_messages();
    let server = Server::new(io::sink(), String::new());
    let control = Arc::new(Control::default());
    let module = call.module.clone();
    let outcome = match job::perform(&server, call, &control) {
        Reply::Ran(outcome) => outcome,
        Reply::Died(why) | Reply::IdentityFailed(why) => Fail::new(format!("{module}: {why}")).into_outcome(),
        Reply::NotRun => Outcome::default(),
    };
    let job = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
    store(file, &state(&job, &outcome))
}

/// A finished job's state: the module's result as Ansible writes one.
fn state(job: &str, outcome: &Outcome) -> Json {
    let mut state: Map<String, Json> =
        outcome.fields.iter().map(|(name, value)| (name.to_string(), Json::from(value))).collect();
    state.insert("changed".into(), outcome.changed.into());
    state.insert("failed".into(), outcome.failed.into());
    if outcome.skipped {
        state.insert("skipped".into(), true.into());
    }
    if !outcome.facts.is_empty() {
        let facts = outcome.facts.iter().map(|(name, value)| (name.to_string(), Json::from(value)));
        state.insert("ansible_facts".into(), Json::Object(facts.collect()));
    }
    if !outcome.warnings.is_empty() {
        state.insert("warnings".into(), outcome.warnings.as_slice().into());
    }
    state.insert("ansible_job_id".into(), job.into());
    state.insert("started".into(), 1.into());
    state.insert("finished".into(), 1.into());
    Json::Object(state)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt, symlink};

    fn call_with_folder(folder: &Path) -> Call {
        let environment = vec![(FOLDER_VARIABLE.to_owned(), folder.to_str().unwrap().to_owned())];
        Call { environment, ..Call::default() }
    }

    #[test]
    fn a_state_is_private_and_replaced_at_once() {
        let home = tempfile::tempdir().unwrap();
        let folder = folder(&call_with_folder(&home.path().join("jobs"))).unwrap();
        assert_eq!(fs::metadata(&folder).unwrap().permissions().mode() & 0o7777, 0o700);
        let file = folder.join("j1");
        store(&file, &json!({"finished": 0})).unwrap();
        let outcome = Outcome::changed().with("rc", 0);
        store(&file, &state("j1", &outcome)).unwrap();
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o7777, 0o600);
        let read: Json = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        let expected = json!({"rc": 0, "changed": true, "failed": false, "ansible_job_id": "j1", "started": 1, "finished": 1});
        assert_eq!(read, expected);
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_that_others_can_write_to_or_that_is_a_link_is_refused() {
        let home = tempfile::tempdir().unwrap();
        let open = home.path().join("open");
        fs::create_dir(&open).unwrap();
        fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
        assert!(folder(&call_with_folder(&open)).is_err());
        let link = home.path().join("link");
        symlink(home.path(), &link).unwrap();
        assert!(folder(&call_with_folder(&link)).is_err());
    }

    #[test]
    fn a_module_that_needs_files_can_not_be_detached() {
        let blob = crate::outcome::Blob {
            name: String::new(),
            kind: crate::outcome::BlobKind::Directory,
            mode: 0o755,
        };
        let call = Call { blobs: vec![blob], module: "copy".into(), ..Call::default() };
        let outcome = start(call, 10);
        assert!(outcome.failed);
        assert!(outcome.fields["msg"].to_string().contains("needs files of the controller"));
    }
}
