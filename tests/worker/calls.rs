//! Calls of a running worker.

use std::sync::Arc;
use std::time::{Duration, Instant};

use regatta::connection::ssh::{SshContext, SshEnvironment};
use regatta::connection::{CallError, Connector, ConnectorOptions, NoFiles, Target, Transport};
use regatta::proto::Reply;

use super::{call, field, images, machine, run, start};

fn connector() -> Arc<Connector> {
    let ssh = SshContext::new(SshEnvironment::of_process(), None);
    Connector::new(ConnectorOptions { images: images(), ssh })
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_says_who_it_is_and_answers() {
    let home = tempfile::tempdir().unwrap();
    let worker = start(&machine(home.path())).await.unwrap();
    assert_eq!(worker.hello().home, home.path().to_str().unwrap());
    let reply = run(&worker, call(&worker, "ping", &[("data", "x")])).await;
    assert_eq!(field(&reply, "ping"), "x");
    let reply = run(&worker, call(&worker, "no_such_module", &[])).await;
    assert_eq!(field(&reply, "msg"), "the worker has no module no_such_module");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chain_stops_at_its_first_failure_and_other_chains_do_not() {
    let home = tempfile::tempdir().unwrap();
    let worker = start(&machine(home.path())).await.unwrap();
    let chain = worker.new_chain();
    let sent: Vec<_> = ["one", "crash", "three"]
        .map(|data| {
            let mut call = call(&worker, "ping", &[("data", data)]);
            call.chain = chain;
            call.only_if_previous_ok = true;
            worker.call(call, Arc::new(NoFiles), None, None)
        })
        .into();
    let other = run(&worker, call(&worker, "ping", &[])).await;
    assert_eq!(field(&other, "ping"), "pong");
    let mut replies = Vec::new();
    for future in sent {
        replies.push(future.await.unwrap());
    }
    assert_eq!(field(&replies[0], "ping"), "one");
    assert_eq!(field(&replies[1], "msg"), "boom");
    assert_eq!(replies[2], Reply::NotRun);
    let mut again = call(&worker, "ping", &[]);
    again.chain = chain;
    assert_eq!(
        field(&run(&worker, again).await, "ping"),
        "pong",
        "only who asks for it depends on the one before"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_calls_sent_ahead_come_back() {
    let home = tempfile::tempdir().unwrap();
    let worker = start(&machine(home.path())).await.unwrap();
    let chain = worker.new_chain();
    let sent: Vec<_> = (0..1000)
        .map(|number| {
            let mut call = call(&worker, "ping", &[("data", &number.to_string())]);
            call.chain = chain;
            worker.call(call, Arc::new(NoFiles), None, None)
        })
        .collect();
    for (number, future) in sent.into_iter().enumerate() {
        assert_eq!(field(&future.await.unwrap(), "ping"), number.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_fails_its_calls_at_once_and_the_connector_makes_a_new_one() {
    let connector = connector();
    let target = Target { transport: Transport::Local, host: "localhost".into(), ..Target::default() };
    let worker = connector.worker(&target).await.unwrap();
    let same = connector.worker(&target).await.unwrap();
    assert_eq!(worker.hello().pid, same.hello().pid);
    let began = Instant::now();
    let pid = rustix::process::Pid::from_raw(worker.hello().pid.try_into().unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let error = worker.ended().await;
    assert!(matches!(error, CallError::WorkerDied(_)), "{error}");
    assert!(error.to_string().contains("killed by signal 9"), "{error}");
    let error = worker.call(call(&worker, "ping", &[]), Arc::new(NoFiles), None, None).await.unwrap_err();
    assert!(error.to_string().contains("killed by signal 9"), "{error}");
    assert!(began.elapsed() < Duration::from_secs(5));
    let new = connector.worker(&target).await.unwrap();
    assert_ne!(new.hello().pid, worker.hello().pid);
    connector.close_all().await;
    assert!(!new.is_alive());
}

#[tokio::test(flavor = "multi_thread")]
async fn raw_commands_need_no_worker() {
    let connector = connector();
    let target = Target { transport: Transport::Local, host: "localhost".into(), ..Target::default() };
    let output =
        connector.raw(&target, "cat; echo oops >&2; exit 3", Some(b"hello".to_vec()), false).await.unwrap();
    assert_eq!(
        (output.rc, output.stdout.as_slice(), output.stderr.as_slice()),
        (3, &b"hello"[..], &b"oops\n"[..])
    );
    let output = connector.raw(&target, "kill -9 $$", None, false).await.unwrap();
    assert_eq!(output.rc, 137);
}
