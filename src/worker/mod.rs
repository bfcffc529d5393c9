//! The program on the host: serves one controller, runs its calls, relays those for other users.
//!
//! Threads: one reads frames, one drives each chain that has something to do, one runs each call. Whoever waits for a
//! call waits on that call's [`control::Control`]; frames out go through one lock. Called by `bin/worker.rs`.

mod chains;
mod control;
mod detached;
mod identity;
mod job;
mod outlet;
mod resume;
mod signals;
mod start;

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crate::proto::frame::{read_frame, write_frame};
use crate::proto::{CallId, FromController, FromWorker, Hello, Reply};
use chains::Chains;
use control::{Control, Stop};
use identity::Identities;
use signals::Signals;

pub use start::run;

/// How long a call may take to stop after it was told to, before it is given up.
const GRACE: Duration = Duration::from_secs(5);

/// A lock that a panic elsewhere does not take away.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What all threads of a worker share.
struct Server {
    link: Mutex<Link>,
    /// The nonce that this worker was started with.
    token: String,
    /// How long to outlive a cut link, if at all.
    grace: Mutex<Option<Duration>>,
    /// Calls that wait or run.
    calls: Mutex<BTreeMap<CallId, Arc<Control>>>,
    /// Results that the controller has not acknowledged yet.
    finished: Mutex<BTreeMap<CallId, Finished>>,
    chains: Mutex<Chains>,
    identities: Identities,
    phase: Mutex<Phase>,
    changed: Condvar,
}

/// A result, and whether its call has sent a file.
type Finished = (Reply, bool);

/// The way to the controller.
struct Link {
    /// Counts the links. Who reads from an earlier one is no longer heard.
    number: u64,
    /// Where frames go; none while there is no link.
    output: Option<Box<dyn Write + Send>>,
    /// Whether the end of this link was noticed and a new one is waited for.
    cut: bool,
}

/// Where the worker is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It takes calls.
    Serving,
    /// The controller said goodbye: what runs is finished.
    Leaving,
    /// The link is cut, or a signal came: what runs is stopped.
    Ending,
}

/// Serves until the controller says goodbye, the input ends or a signal to end comes. No call runs when it returns,
/// unless one would not stop. `token`: the nonce that the worker was started with.
///
/// # Errors
/// An output that can't be written from the start.
fn serve(
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
    hello: Hello,
    token: String,
    signals: Signals,
) -> io::Result<()> {
    job::keep_panic_messages();
    let server = Server::new(output, token);
    server.send(&FromWorker::Hello(hello));
    let reader = Arc::clone(&server);
    thread::Builder::new().name("reader".into()).spawn(move || reader.follow(input, 0))?;
    let on_signal = Arc::clone(&server);
    signals.each(move |signal| {
        if signal == resume::SIGNAL {
            let number = lock(&on_signal.link).number;
            on_signal.cut(number);
        } else {
            on_signal.enter(Phase::Ending);
        }
    })?;
    server.wait_for_the_end();
    Ok(())
}

impl Server {
    fn new(output: impl Write + Send + 'static, token: String) -> Arc<Server> {
        Arc::new(Server {
            link: Mutex::new(Link { number: 0, output: Some(Box::new(output)), cut: false }),
            token,
            grace: Mutex::default(),
            calls: Mutex::default(),
            finished: Mutex::default(),
            chains: Mutex::default(),
            identities: Identities::default(),
            phase: Mutex::new(Phase::Serving),
            changed: Condvar::new(),
        })
    }

    /// Takes frames from a link until it ends or makes no sense, or another link has taken its place.
    fn follow(self: &Arc<Self>, mut input: impl Read, number: u64) {
        // A frame that can't be read means that the stream is out of step: nothing after it can be trusted either.
        while let Ok(Some(message)) = read_frame(&mut input) {
            if lock(&self.link).number != number {
                return;
            }
            match message {
                FromController::Resume { pid, token, open } if pid != std::process::id() => {
                    match self.hand_over(input, pid, token, open) {
                        Ok(Some(back)) => input = back,
                        Ok(None) => return,
                        Err(_) => return self.enter(Phase::Ending),
                    }
                }
                message => self.take(message),
            }
        }
        self.cut(number);
    }

    /// A link is cut: waits for a new one, or ends.
    fn cut(self: &Arc<Self>, number: u64) {
        let mut link = lock(&self.link);
        if link.number != number || link.cut {
            return;
        }
        let number = number + 1;
        *link = Link { number, output: None, cut: true };
        drop(link);
        let server = Arc::clone(self);
        // A thread of its own, because whoever noticed has other things to do.
        let started = thread::Builder::new().name("reader".into()).spawn(move || {
            let stream = resume::adrift(&server);
            match stream.and_then(|stream| Some((stream.try_clone().ok()?, stream))) {
                Some((output, input)) => {
                    *lock(&server.link) = Link { number, output: Some(Box::new(output)), cut: false };
                    server.follow(input, number);
                }
                None => server.enter(Phase::Ending),
            }
        });
        if started.is_err() {
            self.enter(Phase::Ending);
        }
    }

    fn take(self: &Arc<Self>, message: FromController) {
        match message {
            FromController::Run(call) => self.submit(*call),
            FromController::Chunk { call, .. }
            | FromController::BlobFailed { call, .. }
            | FromController::Credit { call, .. } => {
                let control = lock(&self.calls).get(&call).cloned();
                if let Some(control) = control {
                    control.deliver(message);
                }
            }
            FromController::Cancel(call) => {
                if let Some(control) = lock(&self.calls).get(&call) {
                    control.stop(Stop::Cancelled);
                }
            }
            FromController::Seen(call) => {
                lock(&self.finished).remove(&call);
            }
            FromController::Bye => self.enter(Phase::Leaving),
            FromController::Keep(seconds) => {
                *lock(&self.grace) = Some(Duration::from_secs(seconds.into()));
            }
            FromController::Resume { open, .. } => self.resumed(&open),
        }
    }

    /// Sends a message. Without a link it is lost: results are kept, lines are not worth it, and a file that is on its
    /// way ends its call. A link that is cut is noticed by its reader.
    fn send(&self, message: &FromWorker) {
        let mut link = lock(&self.link);
        if let Some(output) = &mut link.output
            && let Err(error) = write_frame(output, message)
            && error.kind() != io::ErrorKind::InvalidInput
        {
            link.output = None;
        }
    }

    /// Keeps a result until it is acknowledged, and sends it.
    fn finish(&self, call: CallId, reply: Reply, control: &Control) {
        lock(&self.finished).insert(call, (reply.clone(), control.sent_file()));
        lock(&self.calls).remove(&call);
        self.send(&FromWorker::Done { call, reply });
    }

    fn phase(&self) -> Phase {
        *lock(&self.phase)
    }

    fn enter(&self, next: Phase) {
        let mut phase = lock(&self.phase);
        if *phase != Phase::Ending {
            *phase = next;
        }
        drop(phase);
        if next == Phase::Ending {
            for control in lock(&self.calls).values() {
                control.stop(Stop::LinkCut);
            }
        }
        self.changed.notify_all();
    }

    fn wait_for_the_end(&self) {
        let mut phase = lock(&self.phase);
        while *phase == Phase::Serving || (*phase == Phase::Leaving && lock(&self.chains).busy()) {
            phase = self.changed.wait(phase).unwrap_or_else(PoisonError::into_inner);
        }
        let limit = GRACE + Duration::from_secs(1);
        let busy = |_: &mut Phase| lock(&self.chains).busy();
        drop(self.changed.wait_timeout_while(phase, limit, busy));
    }
}
