//! Calls of a running worker.

use std::sync::Arc;
use std::time::{Duration, Instant};

use regatta::connection::ssh::{SshContext, SshEnvironment};
use regatta::connection::{CallError, Connector, ConnectorOptions, NoFiles, Target, Transport};
use regatta::proto::Reply;

use super::{call, field, images, is_gone, machine, run, runs, start, until};

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

#[tokio::test(flavor = "multi_thread")]
async fn a_call_whose_future_is_dropped_is_cancelled_with_all_it_started() {
    let home = tempfile::tempdir().unwrap();
    let worker = start(&machine(home.path())).await.unwrap();
    let script = "sleep 4711.001 & sleep 4711.002; true";
    let future = worker.call(call(&worker, "shell", &[("cmd", script)]), Arc::new(NoFiles), None, None);
    until("it starts", || runs("4711.001") && runs("4711.002")).await;
    drop(future);
    until("it is killed", || !runs("4711.001") && !runs("4711.002")).await;
    assert_eq!(field(&run(&worker, call(&worker, "ping", &[])).await, "ping"), "pong");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_over_its_time_is_killed() {
    let home = tempfile::tempdir().unwrap();
    let worker = start(&machine(home.path())).await.unwrap();
    let mut slow = call(&worker, "shell", &[("cmd", "sleep 4712.001")]);
    slow.timeout = Some(1);
    let began = Instant::now();
    assert_eq!(run(&worker, slow).await, Reply::Died("timed out after 1 s".into()));
    assert!(began.elapsed() < Duration::from_secs(5));
    until("it is killed", || !runs("4712.001")).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_runs_is_killed_when_the_controller_goes_away() {
    let home = tempfile::tempdir().unwrap();
    let worker = start(&machine(home.path())).await.unwrap();
    let future =
        worker.call(call(&worker, "shell", &[("cmd", "sleep 4713.001")]), Arc::new(NoFiles), None, None);
    until("it starts", || runs("4713.001")).await;
    let pid = worker.hello().pid;
    std::mem::forget(future);
    // What is left of the worker's streams is closed when its handle's runtime goes.
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(pid.try_into().unwrap()).unwrap(),
        rustix::process::Signal::TERM,
    )
    .unwrap();
    until("it is killed", || !runs("4713.001")).await;
    until("the worker ends", || is_gone(pid)).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_is_killed_in_the_middle_fails_the_call_at_once() {
    let home = tempfile::tempdir().unwrap();
    let worker = start(&machine(home.path())).await.unwrap();
    let script = "kill -9 $PPID; sleep 2";
    let began = Instant::now();
    let result = worker.call(call(&worker, "shell", &[("cmd", script)]), Arc::new(NoFiles), None, None).await;
    let error = result.unwrap_err();
    assert!(matches!(error, CallError::WorkerDied(_)), "{error}");
    assert!(began.elapsed() < Duration::from_secs(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn lines_come_while_the_command_runs() {
    let home = tempfile::tempdir().unwrap();
    let worker = start(&machine(home.path())).await.unwrap();
    let fifo = home.path().join("go");
    let script = format!("mkfifo {0}; echo one; echo two >&2; read x < {0}; echo $x", fifo.display());
    let mut live = call(&worker, "shell", &[("cmd", &script)]);
    live.live = true;
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    let reply = worker.call(live, Arc::new(NoFiles), Some(sender), None);
    let mut first = [lines.recv().await.unwrap(), lines.recv().await.unwrap()];
    first.sort();
    assert_eq!(first, [(false, "one".to_owned()), (true, "two".to_owned())]);
    std::fs::write(&fifo, "three\n").unwrap();
    assert_eq!(field(&reply.await.unwrap(), "stdout"), "one\nthree");
    assert_eq!(lines.recv().await.unwrap(), (false, "three".to_owned()));
    assert_eq!(lines.recv().await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_lines_neither_delays_the_result_nor_fills_memory() {
    let home = tempfile::tempdir().unwrap();
    let worker = start(&machine(home.path())).await.unwrap();
    let mut live = call(&worker, "shell", &[("cmd", "seq 100000")]);
    live.live = true;
    let (sender, mut lines) = tokio::sync::mpsc::unbounded_channel();
    let reply = worker.call(live, Arc::new(NoFiles), Some(sender), None).await.unwrap();
    assert!(field(&reply, "stdout").ends_with("\n100000"));
    let mut count = 0;
    while lines.recv().await.is_some() {
        count += 1;
    }
    assert!((1..5000).contains(&count), "{count}");
}

#[tokio::test(flavor = "multi_thread")]
async fn chains_run_side_by_side() {
    let home = tempfile::tempdir().unwrap();
    let worker = start(&machine(home.path())).await.unwrap();
    let fifo = home.path().join("meet");
    std::process::Command::new("mkfifo").arg(&fifo).status().unwrap();
    let [one, two] =
        [format!("echo met > {}", fifo.display()), format!("cat {}", fifo.display())].map(|script| {
            worker.call(call(&worker, "shell", &[("cmd", &script)]), Arc::new(NoFiles), None, None)
        });
    assert_eq!(field(&two.await.unwrap(), "stdout"), "met");
    one.await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn arguments_and_contents_are_seen_in_no_process_list_and_leave_no_files() {
    let home = tempfile::tempdir().unwrap();
    let worker = start(&machine(home.path())).await.unwrap();
    let secret = "nobody-shall-see-4714";
    let sampling = std::thread::spawn(move || {
        let until = Instant::now() + Duration::from_millis(600);
        while Instant::now() < until {
            for process in std::fs::read_dir("/proc").unwrap().flatten() {
                for file in ["cmdline", "environ"] {
                    let text = std::fs::read(process.path().join(file)).unwrap_or_default();
                    let text = String::from_utf8_lossy(&text);
                    assert!(!text.contains(secret), "{}", text.replace('\0', " "));
                }
            }
        }
    });
    let mut chain = Vec::new();
    for _ in 0..20 {
        chain.push(run(&worker, call(&worker, "shell", &[("cmd", "cat"), ("stdin", secret)])).await);
    }
    assert!(chain.iter().all(|reply| field(reply, "stdout") == secret));
    sampling.join().unwrap();
    let left: Vec<_> = walk(home.path());
    assert!(left.iter().all(|path| path.ends_with("regatta-worker") || path.is_dir()), "{left:?}");
}

fn walk(folder: &std::path::Path) -> Vec<std::path::PathBuf> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        all.push(entry.path());
        if entry.file_type().unwrap().is_dir() {
            all.extend(walk(&entry.path()));
        }
    }
    all
}
