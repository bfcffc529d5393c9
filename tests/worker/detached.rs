//! Jobs that go on after their reply (`async`).

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::{Duration, Instant};

use regatta::connection::Worker;
use regatta::proto::{Call, Reply};

use super::{call, field, machine, run, start};

/// The state of a job once it is over.
async fn finished(worker: &Arc<Worker>, job: &str) -> Reply {
    let began = Instant::now();
    loop {
        let reply = run(worker, call(worker, "async_status", &[("jid", job)])).await;
        if field(&reply, "finished") == "1" {
            return reply;
        }
        assert!(began.elapsed() < Duration::from_secs(20), "{reply:?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_is_named_at_once_and_its_result_is_there_when_it_is_over() {
    let home = tempfile::tempdir().unwrap();
    let worker = start(&machine(home.path())).await.unwrap();
    for (data, failed, name, text) in [("x", false, "ping", "x"), ("crash", true, "msg", "boom")] {
        let job = Call { detach: Some(60), ..call(&worker, "ping", &[("data", data)]) };
        let reply = run(&worker, job).await;
        assert_eq!(field(&reply, "finished"), "0");
        let id = field(&reply, "ansible_job_id");
        assert_eq!(id.len(), 33, "128 bits nobody can guess: {id}");
        let file = std::path::PathBuf::from(field(&reply, "results_file"));
        let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&file), mode(file.parent().unwrap())), (0o600, 0o700));
        let reply = finished(&worker, &id).await;
        assert_eq!(field(&reply, name), text);
        assert!(matches!(&reply, Reply::Ran(outcome) if outcome.failed == failed), "{reply:?}");
    }
}
