//! `wait_for_connection`: new connections until one works, the worker runs there and answers.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::FutureExt;
use tokio::time::timeout;

use super::retry::{Ended, Tries};
use crate::connection::{NoFiles, Target};
use crate::engine::call::{self, Prepared};
use crate::engine::result::Once;
use crate::engine::task::HostTask;
use crate::modules::api::decode;
use crate::modules::control::wait_for_connection::Args;
use crate::outcome::Outcome;
use crate::proto::{Call, Reply};
use crate::template::TemplateError;
use crate::value::Map;
use crate::vars::TaskScope;

/// How long the worker may take to start and answer once the host is connected to.
const ANSWER: Duration = Duration::from_secs(60);

/// The waiting, to be awaited.
pub(super) fn run(task: &HostTask, scope: &TaskScope, args: &Map) -> Result<Prepared, TemplateError> {
    let args: Args =
        decode(args).map_err(|error| super::at_action(task, format!("wait_for_connection: {error}")))?;
    if task.check {
        let skipped = Outcome { skipped: true, ..Outcome::unchanged() };
        return Ok(Prepared::Done(Box::new(Once::of(skipped))));
    }
    let remote = call::remote(task, scope, "ping")?;
    let target = Target {
        timeout: Duration::from_secs(args.connect_timeout.max(1)),
        retries: 0,
        ..remote.at.target.clone()
    };
    let call = call::message(task, &remote);
    let tries = Tries::new(task);
    Ok(Prepared::Local(
        async move {
            let started = Instant::now();
            let (seconds, pause) = (Duration::from_secs(args.timeout), Duration::from_secs(args.sleep));
            let ended = if tries.sleep(Duration::from_secs(args.delay)).await {
                Ended::Stopped
            } else {
                // What was kept may be a link to a host that is gone since.
                tries.connector.reset(&remote.at.target).await;
                tries.until(seconds, |_| pause, || ping(&tries, &target, call.clone())).await
            };
            let failed = |msg: String| Outcome { failed: true, ..Outcome::unchanged() }.with("msg", msg);
            let outcome = match ended {
                Ended::Well => Outcome::unchanged(),
                Ended::Late(why) => failed(format!("timed out waiting for ping module test: {why}")),
                Ended::Stopped => failed("stopped while waiting for the connection".into()),
            };
            // The next tasks connect with the host's own settings.
            tries.connector.reset(&target).await;
            let outcome = outcome.with("elapsed", started.elapsed().as_secs());
            Once { delegate: remote.delegate, ..Once::of(outcome) }
        }
        .boxed(),
    ))
}

/// One try.
async fn ping(tries: &Tries, target: &Target, call: Call) -> Result<(), String> {
    let attempt = async {
        let worker = tries.connector.worker(target).await.map_err(|error| error.to_string())?;
        match worker.call(call, Arc::new(NoFiles), None, None).await {
            Ok(Reply::Ran(outcome)) if !outcome.failed => Ok(()),
            Ok(Reply::Ran(outcome)) => {
                Err(outcome.fields.get("msg").map(ToString::to_string).unwrap_or_default())
            }
            Ok(Reply::NotRun) => Err("ping was not run".into()),
            Ok(Reply::IdentityFailed(why) | Reply::Died(why)) => Err(why),
            Err(error) => Err(error.to_string()),
        }
    };
    let limit = target.timeout + ANSWER;
    let result = timeout(limit, attempt).await.unwrap_or_else(|_| Err("no answer in time".into()));
    if result.is_err() {
        tries.connector.reset(target).await;
    }
    result
}
