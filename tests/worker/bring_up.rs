//! How a worker gets onto a host, whatever its home, disk and login shell are like.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use regatta::connection::{Connection, Images, Local, Worker};

use super::{PATIENCE, call, field, images, machine, run, start};

async fn answers(connection: &dyn Connection) -> Arc<Worker> {
    let worker = start(connection).await.unwrap();
    let reply = run(&worker, call(&worker, "ping", &[])).await;
    assert_eq!(field(&reply, "ping"), "pong");
    worker
}

/// The worker in a home's cache.
fn cached(home: &Path) -> PathBuf {
    let hash = images().all()[0].program().unwrap().sha256.clone();
    home.join(".cache/regatta").join(hash).join("regatta-worker")
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[tokio::test(flavor = "multi_thread")]
async fn the_first_start_sends_the_program_into_a_private_cache_and_the_second_uses_it() {
    let home = tempfile::tempdir().unwrap();
    let machine = machine(home.path());
    answers(&machine).await;
    let program = cached(home.path());
    assert_eq!(mode(&program), 0o700);
    assert_eq!(mode(program.parent().unwrap()), 0o700);
    let before = fs::metadata(&program).unwrap().modified().unwrap();
    answers(&machine).await;
    assert_eq!(fs::metadata(&program).unwrap().modified().unwrap(), before);
    let left: Vec<_> = fs::read_dir(program.parent().unwrap()).unwrap().collect();
    assert_eq!(left.len(), 1, "nothing but the program is left: {left:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_damaged_program_is_replaced_and_never_run() {
    let home = tempfile::tempdir().unwrap();
    let machine = machine(home.path());
    let program = cached(home.path());
    fs::create_dir_all(program.parent().unwrap()).unwrap();
    fs::set_permissions(program.parent().unwrap(), fs::Permissions::from_mode(0o700)).unwrap();
    let mark = home.path().join("ran");
    fs::write(&program, format!("#!/bin/sh\ntouch {}\n", mark.display())).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
    answers(&machine).await;
    assert!(!mark.exists());
    assert!(fs::read(&program).unwrap().starts_with(b"\x7fELF"));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_wrong_byte_is_enough_for_the_program_to_be_sent_again() {
    let home = tempfile::tempdir().unwrap();
    let machine = machine(home.path());
    answers(&machine).await;
    let program = cached(home.path());
    let good = fs::read(&program).unwrap();
    for at in [0, good.len() / 2, good.len() - 1] {
        let mut bad = good.clone();
        bad[at] ^= 1;
        // Not in place: the file runs.
        fs::remove_file(&program).unwrap();
        fs::write(&program, bad).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o700)).unwrap();
        answers(&machine).await;
        assert!(fs::read(&program).unwrap() == good, "byte {at}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_first_starts_at_once_leave_one_whole_program() {
    let home = tempfile::tempdir().unwrap();
    let machine = machine(home.path());
    futures::future::join_all((0..4).map(|_| answers(&machine))).await;
    let program = cached(home.path());
    assert!(fs::read(&program).unwrap() == fs::read(super::program()).unwrap());
    assert_eq!(fs::read_dir(program.parent().unwrap()).unwrap().count(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_others_can_write_to_is_not_used() {
    let home = tempfile::tempdir().unwrap();
    let folder = cached(home.path()).parent().unwrap().to_owned();
    fs::create_dir_all(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o777)).unwrap();
    answers(&machine(home.path())).await;
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cache_that_is_a_link_is_only_followed_to_a_private_directory() {
    let home = tempfile::tempdir().unwrap();
    let open = home.path().join("open");
    fs::create_dir(&open).unwrap();
    fs::set_permissions(&open, fs::Permissions::from_mode(0o777)).unwrap();
    let folder = cached(home.path()).parent().unwrap().to_owned();
    fs::create_dir_all(folder.parent().unwrap()).unwrap();
    symlink(&open, &folder).unwrap();
    answers(&machine(home.path())).await;
    assert_eq!(fs::read_dir(&open).unwrap().count(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_home_a_private_directory_elsewhere_serves_and_is_gone_once_the_worker_runs() {
    let home = tempfile::tempdir().unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let machine = machine(&home.path().join("missing"))
        .with_variable("XDG_RUNTIME_DIR", Some(elsewhere.path().to_str().unwrap()));
    answers(&machine).await;
    assert_eq!(fs::read_dir(elsewhere.path()).unwrap().count(), 0);
    assert!(!home.path().join("missing").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn every_login_shell_can_run_the_line() {
    let home = tempfile::tempdir().unwrap();
    for shell in ["sh", "bash", "dash", "zsh", "csh", "tcsh", "fish", "ksh", "mksh", "busybox"] {
        if Command::new(shell).arg("-c").arg("true").output().is_err() {
            continue;
        }
        let words = if shell == "busybox" { vec!["busybox", "sh", "-c"] } else { vec![shell, "-c"] };
        fs::remove_dir_all(home.path().join(".cache")).ok();
        let machine = machine(home.path()).with_shell(words);
        answers(&machine).await;
        answers(&machine).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_login_shell_prints_first_is_skipped_even_if_it_repeats_the_command() {
    let home = tempfile::tempdir().unwrap();
    let noisy = r#"echo "Welcome to $HOSTNAME"; printf "no end of line: "; echo "$0" >&2; echo "$0"; exec /bin/sh -c "$0""#;
    answers(&machine(home.path()).with_shell(["/bin/sh", "-c", noisy])).await;
    answers(&machine(home.path()).with_shell(["/bin/sh", "-x", "-v", "-c"])).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_shell_that_only_prints_something_is_shown() {
    let home = tempfile::tempdir().unwrap();
    let shell =
        Local::new().with_shell(["/bin/sh", "-c", "echo This account is currently not available.; exit 1"]);
    let error = start(&shell).await.unwrap_err().to_string();
    assert!(error.contains("This account is currently not available."), "{error}");
    assert!(error.contains("exit code 1"), "{error}");
    let endless = machine(home.path()).with_shell(["/bin/sh", "-c", "yes"]);
    let error = start(&endless).await.unwrap_err().to_string();
    assert!(error.contains("prints more than"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_login_shell_that_waits_for_ever_is_given_up() {
    let shell = Local::new().with_shell(["/bin/sh", "-c", "sleep 600"]);
    let short = std::time::Duration::from_millis(300);
    let error = Worker::start(&shell, &images(), "testhost", short).await.unwrap_err().to_string();
    assert!(error.contains("timed out"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_for_which_there_is_no_worker_is_told_so() {
    let home = tempfile::tempdir().unwrap();
    let other = home.path().join("worker");
    let mut elf = b"\x7fELF\x02\x01\x01".to_vec();
    elf.resize(64, 0);
    elf[18] = 22;
    fs::write(&other, elf).unwrap();
    let images = Images::only(other);
    let error = Worker::start(&machine(home.path()), &images, "testhost", PATIENCE).await.unwrap_err();
    assert!(error.to_string().contains("there is no worker for this host's machine"), "{error}");
}

/// The machine as seen from a private set of mounts that `prepare` makes.
pub(super) fn with_mounts(home: &Path, prepare: &str) -> Local {
    let script = format!("{prepare} || exit 99; exec /bin/sh -c \"$0\"");
    machine(home).with_shell(["unshare", "--mount", "--propagation", "private", "/bin/sh", "-c", &script])
}

pub(super) fn may_mount() -> bool {
    let allowed = Command::new("unshare").args(["--mount", "true"]).status();
    allowed.is_ok_and(|status| status.success())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_home_that_can_not_hold_the_program_is_passed_over() {
    if !may_mount() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let place = home.path().display();
    for options in ["noexec", "ro", "size=64k"] {
        let machine = with_mounts(home.path(), &format!("mount -t tmpfs -o {options} none {place}"));
        answers(&machine).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn where_no_directory_can_hold_the_program_all_reasons_are_told() {
    if !may_mount() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let place = home.path().display();
    let machine = with_mounts(
        home.path(),
        &format!(
            "mount -t tmpfs -o size=64k none /dev/shm && mount -t tmpfs -o ro none /var/tmp && \
             mount -t tmpfs -o noexec none {place} && cd / && mount -t tmpfs -o size=64k,mode=1777 none /tmp"
        ),
    );
    let error = start(&machine).await.unwrap_err().to_string();
    for reason in ["/dev/shm/regatta-", "No space left on device", "Read-only file system", "there is no "] {
        assert!(error.contains(reason), "{reason}: {error}");
    }
}
