//! How long bringing up one connection has taken, and in which stage it is. It stands still while somebody is
//! asked for a passphrase: typing is not the host's fault.

use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::connection::ConnectError;

/// The stages, as messages name them.
pub(super) mod stage {
    /// Turning the name into addresses.
    pub(in super::super) const RESOLVE: &str = "resolving the name";
    /// Reaching the port, directly or through others.
    pub(in super::super) const CONNECT: &str = "connecting";
    /// Exchanging keys and checking who answers.
    pub(in super::super) const HOST_KEY: &str = "exchanging keys";
    /// Logging in.
    pub(in super::super) const AUTHENTICATE: &str = "authenticating";
    /// Opening a channel for a command.
    pub(in super::super) const CHANNEL: &str = "opening a channel";
}

/// The clock of one attempt.
pub(super) struct Clock {
    limit: Duration,
    state: Mutex<State>,
}

struct State {
    started: Instant,
    stage: &'static str,
    /// How many are waiting for an answer of the user now, and since when.
    waiting: (u32, Instant),
    /// How long the clock stood still before.
    stood: Duration,
}

impl Clock {
    /// Starts it.
    pub(super) fn start(limit: Duration) -> Clock {
        let now = Instant::now();
        let state = State { started: now, stage: stage::RESOLVE, waiting: (0, now), stood: Duration::ZERO };
        Clock { limit, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A new stage begins.
    pub(super) fn enter(&self, stage: &'static str) {
        self.state().stage = stage;
    }

    /// Lets it stand still until the guard goes.
    pub(super) fn pause(&self) -> Pause<'_> {
        let mut state = self.state();
        if state.waiting.0 == 0 {
            state.waiting.1 = Instant::now();
        }
        state.waiting.0 += 1;
        Pause(self)
    }

    /// How much is left: none when it stands still.
    fn left(&self) -> Option<Duration> {
        let state = self.state();
        (state.waiting.0 == 0).then(|| (self.limit + state.stood).saturating_sub(state.started.elapsed()))
    }

    /// Waits for the future, but no longer than the limit says.
    pub(super) async fn limit<T>(
        &self,
        address: &str,
        future: impl Future<Output = Result<T, ConnectError>>,
    ) -> Result<T, ConnectError> {
        let expired = async {
            loop {
                match self.left() {
                    Some(Duration::ZERO) => return,
                    left => tokio::time::sleep(left.unwrap_or(Duration::from_millis(100))).await,
                }
            }
        };
        tokio::select! {
            done = future => done,
            () = expired => Err(ConnectError::Timeout {
                stage: self.state().stage,
                address: address.to_owned(),
                seconds: self.limit.as_secs().max(1),
            }),
        }
    }
}

/// While it lives the clock stands still.
pub(super) struct Pause<'a>(&'a Clock);

impl Drop for Pause<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.waiting.0 -= 1;
        if state.waiting.0 == 0 {
            let stood = state.waiting.1.elapsed();
            state.stood += stood;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_hanging_stage_is_named_and_a_pause_does_not_count() {
        let clock = Clock::start(Duration::from_millis(150));
        clock.enter(stage::AUTHENTICATE);
        {
            let _pause = clock.pause();
            let asked = clock.limit("h:22", async {
                tokio::time::sleep(Duration::from_millis(300)).await;
                Ok(7)
            });
            assert_eq!(asked.await.unwrap(), 7);
        }
        let error = clock.limit::<()>("h:22", std::future::pending()).await.unwrap_err();
        assert_eq!(error.to_string(), "timed out after 1 s while authenticating (h:22)");
    }
}
