//! One call as the others see it: how to stop it, what has arrived for it, and how it ended.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::{Duration, Instant};

use super::identity::Child;
use super::{GRACE, lock};
use crate::proto::{FromController, FromWorker, Reply, TIMED_OUT, WINDOW};

/// Why a call was told to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The controller wants it no longer.
    Cancelled,
    /// The controller is gone.
    LinkCut,
    /// It took more than this many seconds.
    TimedOut(u64),
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Stop::Cancelled => f.write_str("cancelled"),
            Stop::LinkCut => f.write_str("stopped, because the controller is gone"),
            Stop::TimedOut(seconds) => write!(f, "{TIMED_OUT} {seconds} s"),
        }
    }
}

/// A piece of a file from the controller, or why there is none; and which of the call's files.
pub(super) type Chunk = (u32, Result<Vec<u8>, String>);

/// The meeting point of a call's threads.
pub(super) struct Control {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    stop: Option<Stop>,
    chunks: VecDeque<Chunk>,
    /// How many bytes may be sent to the controller.
    credit: usize,
    ended: Option<Reply>,
    /// The other user's worker that runs it.
    child: Option<Arc<Child>>,
    /// Whether a file is on its way to it.
    receives: bool,
    /// Whether it has sent (a part of) a file.
    sent_file: bool,
}

impl Default for Control {
    fn default() -> Control {
        let state = State { stop: None, chunks: VecDeque::new(), credit: WINDOW, ..State::default() };
        Control { state: Mutex::new(state), changed: Condvar::new() }
    }
}

impl Control {
    /// Tells the call to stop. The first reason counts.
    pub(super) fn stop(&self, why: Stop) {
        lock(&self.state).stop.get_or_insert(why);
        self.changed.notify_all();
    }

    /// Why the call shall stop, if it shall.
    pub(super) fn stopped(&self) -> Option<Stop> {
        lock(&self.state).stop
    }

    /// Lets another user's worker have what comes for the call.
    pub(super) fn relay(&self, child: &Arc<Child>) {
        lock(&self.state).child = Some(Arc::clone(child));
    }

    /// Something has come for the call: a piece of a file, or leave to send more.
    pub(super) fn deliver(&self, message: FromController) {
        let mut state = lock(&self.state);
        match &message {
            FromController::Chunk { data, .. } if data.is_empty() => state.receives = false,
            FromController::BlobFailed { .. } => state.receives = false,
            _ => {}
        }
        if let Some(child) = &state.child {
            child.send(&message);
            return;
        }
        match message {
            FromController::Chunk { blob, data, .. } => state.chunks.push_back((blob, Ok(data))),
            FromController::BlobFailed { blob, reason, .. } => state.chunks.push_back((blob, Err(reason))),
            FromController::Credit { bytes, .. } => state.credit += usize::try_from(bytes).unwrap_or(0),
            _ => {}
        }
        drop(state);
        self.changed.notify_all();
    }

    /// Notes what a message that the call sends says about files on their way.
    pub(super) fn note(&self, message: &FromWorker) {
        let mut state = lock(&self.state);
        state.receives |= matches!(message, FromWorker::Want { .. });
        state.sent_file |= matches!(message, FromWorker::Piece { .. });
    }

    /// Whether it has sent a file, or a part of one.
    pub(super) fn sent_file(&self) -> bool {
        lock(&self.state).sent_file
    }

    /// Whether a file is on its way, or may be.
    pub(super) fn transfers(&self) -> bool {
        let state = lock(&self.state);
        state.receives || state.sent_file
    }

    /// Waits for the next piece.
    pub(super) fn next_chunk(&self) -> Result<Chunk, Stop> {
        self.wait(|state| state.chunks.pop_front())
    }

    /// Waits until that many bytes may be sent, and uses them up.
    pub(super) fn spend(&self, bytes: usize) -> Result<(), Stop> {
        self.wait(|state| {
            let rest = state.credit.checked_sub(bytes)?;
            state.credit = rest;
            Some(())
        })
    }

    fn wait<T>(&self, mut ready: impl FnMut(&mut State) -> Option<T>) -> Result<T, Stop> {
        let mut state = lock(&self.state);
        loop {
            if let Some(stop) = state.stop {
                return Err(stop);
            }
            if let Some(it) = ready(&mut state) {
                return Ok(it);
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The call is over.
    pub(super) fn end(&self, reply: Reply) {
        lock(&self.state).ended.get_or_insert(reply);
        self.changed.notify_all();
    }

    /// Waits for the end of the call. One that takes more than `seconds` is told to stop; one that was told to stop and
    /// does not within [`GRACE`] is left alone, so that nobody waits for it for ever. `on_stop` passes the word on.
    pub(super) fn outcome(&self, seconds: Option<u64>, on_stop: impl Fn()) -> Reply {
        let deadline = seconds.and_then(|it| Instant::now().checked_add(Duration::from_secs(it)));
        let mut give_up = None;
        let mut state = lock(&self.state);
        loop {
            let now = Instant::now();
            if let Some(reply) = state.ended.take() {
                // What stopped half-way is not a result, whatever it says.
                return state.stop.map_or(reply, |stop| Reply::Died(stop.to_string()));
            }
            if let (Some(at), Some(seconds)) = (deadline, seconds)
                && now >= at
            {
                state.stop.get_or_insert(Stop::TimedOut(seconds));
                self.changed.notify_all();
            }
            if let Some(stop) = state.stop {
                let until = *give_up.get_or_insert_with(|| {
                    on_stop();
                    now + GRACE
                });
                if now >= until {
                    return Reply::Died(format!("{stop}; it does not stop and was left behind"));
                }
            }
            state = match give_up.or(deadline) {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let span = until.saturating_duration_since(now);
                    self.changed.wait_timeout(state, span).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Outcome;
    use std::thread;

    #[test]
    fn a_call_that_ends_gives_its_reply() {
        let control = Arc::new(Control::default());
        let other = Arc::clone(&control);
        let thread = thread::spawn(move || other.end(Reply::Ran(Outcome::changed())));
        assert_eq!(control.outcome(Some(60), || ()), Reply::Ran(Outcome::changed()));
        thread.join().unwrap();
    }

    #[test]
    fn a_call_over_its_time_is_told_to_stop_and_is_not_a_result_even_if_it_gives_one() {
        let control = Arc::new(Control::default());
        let other = Arc::clone(&control);
        let thread = thread::spawn(move || {
            assert_eq!(other.next_chunk(), Err(Stop::TimedOut(0)));
            other.end(Reply::Ran(Outcome::changed()));
        });
        assert_eq!(control.outcome(Some(0), || ()), Reply::Died("timed out after 0 s".into()));
        thread.join().unwrap();
    }

    #[test]
    fn nothing_is_sent_without_credit() {
        let control = Arc::new(Control::default());
        control.spend(WINDOW).unwrap();
        let other = Arc::clone(&control);
        let thread = thread::spawn(move || other.spend(10));
        control.deliver(FromController::Credit { call: 1, bytes: 9 });
        thread::sleep(Duration::from_millis(20));
        assert!(!thread.is_finished());
        control.deliver(FromController::Credit { call: 1, bytes: 1 });
        assert_eq!(thread.join().unwrap(), Ok(()));
    }

    #[test]
    fn chunks_come_in_order_and_the_first_reason_to_stop_counts() {
        let control = Control::default();
        control.deliver(FromController::Chunk { call: 1, blob: 0, data: vec![1] });
        control.deliver(FromController::BlobFailed { call: 1, blob: 0, reason: "gone".into() });
        assert_eq!(control.next_chunk(), Ok((0, Ok(vec![1]))));
        assert_eq!(control.next_chunk(), Ok((0, Err("gone".into()))));
        control.stop(Stop::Cancelled);
        control.stop(Stop::LinkCut);
        assert_eq!(control.next_chunk(), Err(Stop::Cancelled));
    }
}
