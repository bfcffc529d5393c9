//! A worker at the far end of a real SSH connection.

use std::sync::Arc;
use std::time::{Duration, Instant};

use regatta::connection::{CallError, Connector, ConnectorOptions, NoFiles, Worker};

use super::{call, field, images, is_gone, run, until};
use crate::support::sshd::{Home, Sshd, target};

/// A server whose users have `shell` as login shell and an empty cache, and who may connect to it.
fn server(shell: &str) -> (Sshd, Home, tempfile::TempDir) {
    let sshd = Sshd::start();
    let home = Home::new();
    home.trust(&sshd);
    let cache = tempfile::tempdir().unwrap();
    let key = std::fs::read_to_string(home.key("ed25519")).unwrap();
    let folder = cache.path().display();
    sshd.authorize_line(&format!(
        r#"environment="XDG_CACHE_HOME={folder}",command="exec {shell} -c \"$SSH_ORIGINAL_COMMAND\"" {key}"#
    ));
    (sshd, home, cache)
}

fn connector(home: &Home) -> Arc<Connector> {
    Connector::new(ConnectorOptions { images: images(), ssh: home.context() })
}

async fn answers(worker: &Arc<Worker>) {
    let reply = run(worker, call(worker, "ping", &[])).await;
    assert_eq!(field(&reply, "ping"), "pong");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_is_sent_once_and_serves_many_calls_whatever_the_login_shell_is() {
    for shell in ["fish", "csh"] {
        if std::process::Command::new(shell).args(["-c", "true"]).output().is_err() {
            continue;
        }
        let (sshd, home, cache) = server(shell);
        let connector = connector(&home);
        let worker = connector.worker(&target(sshd.port)).await.unwrap();
        answers(&worker).await;
        answers(&connector.worker(&target(sshd.port)).await.unwrap()).await;
        connector.reset(&target(sshd.port)).await;
        assert!(!worker.is_alive());
        let again = connector.worker(&target(sshd.port)).await.unwrap();
        assert_ne!(worker.hello().pid, again.hello().pid);
        answers(&again).await;
        assert_eq!(std::fs::read_dir(cache.path().join("regatta")).unwrap().count(), 1);
        connector.close_all().await;
    }
}

/// Kills the server's process of a worker's link.
fn cut(worker: &Worker) {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", worker.hello().pid)).unwrap();
    let parent: i32 = stat.rsplit(')').next().unwrap().split_whitespace().nth(1).unwrap().parse().unwrap();
    let parent = rustix::process::Pid::from_raw(parent).unwrap();
    rustix::process::kill_process(parent, rustix::process::Signal::KILL).unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_goes_on_when_its_link_is_cut_and_runs_once() {
    let (sshd, home, cache) = server("sh");
    let connector = connector(&home);
    let worker = connector.worker(&target(sshd.port)).await.unwrap();
    let marks = cache.path().join("marks");
    let chain = worker.new_chain();
    let sent: Vec<_> = (0..3)
        .map(|number| {
            let script = format!("echo {number} >> {}; sleep 1; echo did {number}", marks.display());
            let mut call = call(&worker, "shell", &[("cmd", &script)]);
            call.chain = chain;
            worker.call(call, Arc::new(NoFiles), None, None)
        })
        .collect();
    tokio::time::sleep(Duration::from_millis(300)).await;
    cut(&worker);
    for (number, reply) in sent.into_iter().enumerate() {
        assert_eq!(field(&reply.await.unwrap(), "stdout"), format!("did {number}"));
    }
    assert_eq!(std::fs::read_to_string(&marks).unwrap(), "0\n1\n2\n");
    answers(&worker).await;
    let same = connector.worker(&target(sshd.port)).await.unwrap();
    assert_eq!(same.hello().pid, worker.hello().pid);
    connector.close_all().await;
    until("the worker ends", || is_gone(worker.hello().pid)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_whose_worker_is_gone_when_the_link_comes_back_is_lost_and_not_run_again() {
    let (sshd, home, cache) = server("sh");
    let connector = connector(&home);
    let worker = connector.worker(&target(sshd.port)).await.unwrap();
    let marks = cache.path().join("marks");
    let script = format!("echo x >> {}; sleep 60", marks.display());
    let reply = worker.call(call(&worker, "shell", &[("cmd", &script)]), Arc::new(NoFiles), None, None);
    tokio::time::sleep(Duration::from_millis(300)).await;
    let pid = rustix::process::Pid::from_raw(worker.hello().pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::STOP).unwrap();
    cut(&worker);
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let error = reply.await.unwrap_err();
    assert!(matches!(error, CallError::Lost(_)), "{error}");
    assert_eq!(std::fs::read_to_string(&marks).unwrap(), "x\n");
    answers(&connector.worker(&target(sshd.port)).await.unwrap()).await;
    connector.close_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_who_ask_at_once_get_the_same_worker() {
    let (sshd, home, _cache) = server("sh");
    let connector = connector(&home);
    let target = target(sshd.port);
    let all = futures::future::join_all((0..20).map(|_| connector.worker(&target))).await;
    let pids: std::collections::BTreeSet<u32> = all.into_iter().map(|it| it.unwrap().hello().pid).collect();
    assert_eq!(pids.len(), 1);
    connector.close_all().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_is_told_apart_from_a_link_that_is_cut() {
    let (sshd, home, _cache) = server("sh");
    let connector = connector(&home);
    let worker = connector.worker(&target(sshd.port)).await.unwrap();
    let pid = rustix::process::Pid::from_raw(worker.hello().pid.try_into().unwrap()).unwrap();
    let began = Instant::now();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let error = worker.ended().await;
    assert!(matches!(&error, CallError::WorkerDied(why) if why.contains("signal 9")), "{error}");

    let worker = connector.worker(&target(sshd.port)).await.unwrap();
    cut(&worker);
    let error = worker.ended().await;
    assert!(matches!(error, CallError::Lost(_)), "{error}");
    assert!(began.elapsed() < Duration::from_secs(15));
    answers(&connector.worker(&target(sshd.port)).await.unwrap()).await;
    connector.close_all().await;
}
