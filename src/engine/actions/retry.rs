//! Trying something on a host again and again: what `reboot` and `wait_for_connection` share.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;

use crate::connection::Connector;
use crate::engine::task::HostTask;

/// What tries need of the run.
pub(super) struct Tries {
    pub(super) connector: Arc<Connector>,
    stop: watch::Receiver<u8>,
}

/// How it ended.
pub(super) enum Ended {
    /// One try worked.
    Well,
    /// None worked in time; what the last one said.
    Late(String),
    /// The user wants the run to end.
    Stopped,
}

impl Tries {
    pub(super) fn new(task: &HostTask) -> Tries {
        Tries { connector: Arc::clone(&task.shared.connector), stop: task.shared.stop.clone() }
    }

    /// Tries until it works; `pause`: how long to wait after so many failures.
    pub(super) async fn until<F: Future<Output = Result<(), String>>>(
        &self,
        limit: Duration,
        pause: impl Fn(u32) -> Duration,
        attempt: impl Fn() -> F,
    ) -> Ended {
        let end = Instant::now() + limit;
        let mut failures = 0;
        loop {
            let why = match attempt().await {
                Ok(()) => return Ended::Well,
                Err(why) => why,
            };
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ended::Late(why);
            }
            if self.sleep(pause(failures).min(left)).await {
                return Ended::Stopped;
            }
            failures += 1;
        }
    }

    /// Waits; true if the user wants the run to end.
    pub(super) async fn sleep(&self, time: Duration) -> bool {
        let mut stop = self.stop.clone();
        let stopped = stop.wait_for(|wishes| *wishes > 0);
        tokio::select! {
            () = tokio::time::sleep(time) => false,
            // The sender lives as long as the run.
            stopped = stopped => stopped.is_ok(),
        }
    }
}

/// One second, then twice as long each time up to twelve.
pub(super) fn growing(failures: u32) -> Duration {
    Duration::from_secs(2_u64.saturating_pow(failures).min(12))
}
