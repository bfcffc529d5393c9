//! Other users: through sudo, su and doas, with and without a password, and what is said when it does not work.
//!
//! They need root, because they make users; those are only in a private copy of /etc that the machine never sees.

use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::time::{Duration, Instant};

use regatta::connection::{CallError, Local, NoFiles, Worker};
use regatta::proto::{Call, Identity, Reply};
use regatta::secret::Secret;

use super::files::{File, Source};
use super::{call, field, machine, run, runs, start, until};

const PASSWORD: &str = "correct horse 7f3a battery";

/// A machine with the users `alice` and `bob`, both with [`PASSWORD`], to which one logs in as `user`. `etc` is done in
/// its /etc first. None: the tests may not make one.
fn village(home: &Path, user: &str, etc: &str) -> Option<Local> {
    let allowed = Command::new("unshare").args(["--mount", "true"]).status();
    if !allowed.is_ok_and(|status| status.success()) {
        return None;
    }
    let script = format!(
        r#"set -e
        exec 3>&2 >/dev/null 2>&1
        cd / && umask 022
        mkdir -p {home}/etc {home}/homes && cp -a /etc/. {home}/etc && chmod 755 {home} && mount --bind {home}/etc /etc
        for name in alice bob; do
            useradd -m -d {home}/homes/$name -s /bin/sh $name; echo $name:'{PASSWORD}' | chpasswd
        done
        {etc}
        cd {home}/homes/{user} 2>/dev/null || cd /
        exec 1>&4 2>&3 4>&- 3>&-
        exec setpriv --reuid {user} --regid {user} --init-groups env HOME="$PWD" /bin/sh -c "$0""#,
        home = home.display(),
    );
    let script = format!("exec 4>&1; {script}");
    Some(machine(home).with_shell([
        "unshare",
        "--mount",
        "--propagation",
        "private",
        "/bin/sh",
        "-c",
        &script,
    ]))
}

fn identity(method: &str, user: &str, flags: &[&str], password: Option<&str>) -> Identity {
    Identity {
        method: method.into(),
        user: user.into(),
        exe: None,
        flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
        password: password.map(Secret::new),
    }
}

async fn as_user(worker: &Arc<Worker>, identity: Identity) -> Reply {
    let call = Call { identity: Some(identity), ..call(worker, "ping", &[]) };
    run(worker, call).await
}

fn refused(reply: &Reply) -> &str {
    match reply {
        Reply::IdentityFailed(why) => why,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn root_becomes_anybody_without_a_password() {
    let home = tempfile::tempdir().unwrap();
    let Some(machine) = village(home.path(), "root", "true") else { return };
    let worker = start(&machine).await.unwrap();
    for (method, user, flags) in [
        ("sudo", "bob", &[][..]),
        ("su", "bob", &[]),
        ("sudo", "nobody", &[]),
        ("su", "nobody", &["-s", "/bin/sh"]),
    ] {
        let reply = as_user(&worker, identity(method, user, flags, None)).await;
        assert_eq!(field(&reply, "ping"), "pong", "{method} {user}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_is_given_where_it_is_asked_for() {
    let home = tempfile::tempdir().unwrap();
    for (method, etc) in [
        ("sudo", "echo 'alice ALL=(ALL) ALL' > /etc/sudoers"),
        ("sudo", "printf 'Defaults requiretty\nDefaults use_pty\nalice ALL=(ALL) ALL\n' > /etc/sudoers"),
        ("su", "true"),
        ("doas", "echo 'permit alice' > /etc/doas.conf"),
    ] {
        let Some(machine) = village(home.path(), "alice", etc) else { return };
        let worker = start(&machine).await.unwrap();
        let reply = as_user(&worker, identity(method, "bob", &[], Some(PASSWORD))).await;
        assert_eq!(field(&reply, "ping"), "pong", "{method}, {etc}");
        drop(worker);
        std::fs::remove_dir_all(home.path()).unwrap();
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_work_is_said_clearly_and_soon() {
    let home = tempfile::tempdir().unwrap();
    let etc = "echo 'alice ALL=(bob) ALL' > /etc/sudoers; echo 'permit alice' > /etc/doas.conf";
    let Some(machine) = village(home.path(), "alice", etc) else { return };
    let worker = start(&machine).await.unwrap();
    let right = Some(PASSWORD);
    for (identity, words) in [
        (identity("sudo", "bob", &[], Some("wrong")), "Incorrect sudo password"),
        (identity("su", "bob", &[], Some("wrong")), "Incorrect su password"),
        (identity("doas", "bob", &[], Some("wrong")), "Incorrect doas password"),
        (identity("sudo", "bob", &[], None), "Missing sudo password"),
        (identity("su", "bob", &[], None), "Missing su password"),
        (identity("doas", "bob", &[], None), "Missing doas password"),
        (identity("sudo", "root", &[], right), "not allowed to execute"),
        (identity("sudo", "nosuch", &[], right), "nosuch"),
        (identity("su", "nosuch", &[], right), "nosuch"),
        (identity("sudo", "-x", &[], right), "no name of a user"),
        (
            Identity { exe: Some("/no/such/sudo".into()), ..identity("sudo", "bob", &[], right) },
            "no /no/such/sudo",
        ),
    ] {
        let began = Instant::now();
        let reply = as_user(&worker, identity.clone()).await;
        assert!(refused(&reply).contains(words), "{identity:?}: {reply:?}");
        assert!(began.elapsed() < Duration::from_secs(14), "{identity:?}");
    }
    let reply = run(&worker, call(&worker, "ping", &[])).await;
    assert_eq!(field(&reply, "ping"), "pong");
}

#[tokio::test(flavor = "multi_thread")]
async fn calls_of_another_user_are_like_any_others() {
    let home = tempfile::tempdir().unwrap();
    let Some(machine) = village(home.path(), "alice", "echo 'alice ALL=(ALL) NOPASSWD: ALL' > /etc/sudoers")
    else {
        return;
    };
    let worker = start(&machine).await.unwrap();
    let bob = |module: &str, arguments: &[(&str, &str)]| Call {
        identity: Some(identity("sudo", "bob", &[], None)),
        ..call(&worker, module, arguments)
    };
    let shell = |script: &str| bob("shell", &[("cmd", script)]);

    let mut who = shell("id -un; echo $HOME; echo $GREETING; pwd");
    who.live = true;
    who.environment = vec![("GREETING".into(), "hello".into())];
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    let reply = worker.call(who, Arc::new(NoFiles), Some(sender), None).await.unwrap();
    let house = |name: &str| home.path().join("homes").join(name).display().to_string();
    // Commands stay where the login began, as with Ansible.
    assert_eq!(field(&reply, "stdout"), format!("bob\n{}\nhello\n{}", house("bob"), house("alice")));
    assert_eq!(lines.recv().await.unwrap(), (false, "bob".to_owned()));

    let dest = home.path().join("homes/bob/large").display().to_string();
    let file = File::new((1 << 20) + 1);
    let copy = Call { blobs: vec![file.blob()], ..bob("copy", &[("dest", &dest)]) };
    let reply = worker.call(copy, Arc::new(Source(Arc::clone(&file))), None, None).await.unwrap();
    assert!(matches!(&reply, Reply::Ran(outcome) if outcome.changed && !outcome.failed), "{reply:?}");
    assert!(std::fs::read(&dest).unwrap() == file.contents);

    let slow = worker.call(shell("sleep 4715.001"), Arc::new(NoFiles), None, None);
    until("it starts", || runs("4715.001")).await;
    drop(slow);
    until("it is cancelled", || !runs("4715.001")).await;

    let mut slow = shell("sleep 4715.002");
    slow.timeout = Some(1);
    assert_eq!(run(&worker, slow).await, Reply::Died("timed out after 1 s".into()));

    let job = Call { detach: Some(60), ..shell("id -un") };
    let id = field(&run(&worker, job).await, "ansible_job_id");
    let mut status = run(&worker, bob("async_status", &[("jid", &id)])).await;
    let began = Instant::now();
    while field(&status, "finished") != "1" && began.elapsed() < Duration::from_secs(10) {
        status = run(&worker, bob("async_status", &[("jid", &id)])).await;
    }
    assert_eq!(field(&status, "stdout"), "bob");

    let slow = worker.call(shell("sleep 4715.003"), Arc::new(NoFiles), None, None);
    until("it starts", || runs("4715.003")).await;
    let pid = rustix::process::Pid::from_raw(worker.hello().pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    assert!(matches!(slow.await.unwrap_err(), CallError::WorkerDied(_)));
    until("nothing is left behind as another user", || !runs("4715.003")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_password_is_in_no_process_list_and_in_no_file() {
    let home = tempfile::tempdir().unwrap();
    let before = tempfile::NamedTempFile::new().unwrap();
    let Some(machine) = village(home.path(), "alice", "echo 'alice ALL=(ALL) ALL' > /etc/sudoers") else {
        return;
    };
    let worker = start(&machine).await.unwrap();
    let done = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let stop = Arc::clone(&done);
    let sampling = std::thread::spawn(move || {
        while !stop.load(std::sync::atomic::Ordering::Relaxed) {
            for process in std::fs::read_dir("/proc").unwrap().flatten() {
                for file in ["cmdline", "environ"] {
                    let text = std::fs::read(process.path().join(file)).unwrap_or_default();
                    let text = String::from_utf8_lossy(&text);
                    // The village's own script gives alice her password.
                    assert!(!text.contains(PASSWORD) || text.contains("useradd"), "{text}");
                }
            }
        }
    });
    for method in ["sudo", "su"] {
        let reply = as_user(&worker, identity(method, "bob", &[], Some(PASSWORD))).await;
        assert_eq!(field(&reply, "ping"), "pong");
    }
    done.store(true, std::sync::atomic::Ordering::Relaxed);
    sampling.join().unwrap();
    let found = Command::new("find")
        .args(["/dev/shm", "/var/tmp"])
        .arg(home.path())
        .args(["-xdev", "-type", "f", "-newer"])
        .arg(before.path())
        .args(["-exec", "grep", "-lF", PASSWORD, "{}", "+"])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&found.stdout), "");
    let left = Command::new("find")
        .arg(home.path().join("homes"))
        .args(["-name", ".*", "-type", "f"])
        .output()
        .unwrap();
    let left = String::from_utf8_lossy(&left.stdout).into_owned();
    assert!(
        left.lines().all(|path| [".bashrc", ".profile", ".bash_logout"].iter().any(|it| path.ends_with(it))),
        "{left}"
    );
}
