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
mod signals;
mod start;

use std::collections::{BTreeMap, HashMap};
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
    /// Frames to the controller.
    output: Mutex<Box<dyn Write + Send>>,
    /// Calls that wait or run.
    calls: Mutex<BTreeMap<CallId, Arc<Control>>>,
    /// Results that the controller has not acknowledged yet.
    finished: Mutex<HashMap<CallId, Reply>>,
    chains: Mutex<Chains>,
    identities: Identities,
    phase: Mutex<Phase>,
    changed: Condvar,
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
/// unless one would not stop.
///
/// # Errors
/// An output that can't be written from the start.
fn serve(
    input: impl Read + Send + 'static,
    output: impl Write + Send + 'static,
    hello: Hello,
    signals: Option<Signals>,
) -> io::Result<()> {
    job::keep_panic_messages();
    let server = Server::new(output);
    write_frame(&mut *lock(&server.output), &FromWorker::Hello(hello))?;
    let reader = Arc::clone(&server);
    thread::Builder::new().name("reader".into()).spawn(move || {
        reader.read(input);
        reader.enter(Phase::Ending);
    })?;
    if let Some(signals) = signals {
        let server = Arc::clone(&server);
        signals.on_end(move || server.enter(Phase::Ending))?;
    }
    server.wait_for_the_end();
    Ok(())
}

impl Server {
    fn new(output: impl Write + Send + 'static) -> Arc<Server> {
        Arc::new(Server {
            output: Mutex::new(Box::new(output)),
            calls: Mutex::default(),
            finished: Mutex::default(),
            chains: Mutex::default(),
            identities: Identities::default(),
            phase: Mutex::new(Phase::Serving),
            changed: Condvar::new(),
        })
    }

    /// Takes frames until the input ends or makes no sense.
    fn read(self: &Arc<Self>, mut input: impl Read) {
        // A frame that can't be read means that the stream is out of step: nothing after it can be trusted either.
        while let Ok(Some(message)) = read_frame(&mut input) {
            self.take(message);
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
        }
    }

    /// Sends a message. A controller that is gone is noticed by the reader.
    fn send(&self, message: &FromWorker) {
        if let Err(error) = write_frame(&mut *lock(&self.output), message)
            && error.kind() == io::ErrorKind::BrokenPipe
        {
            self.enter(Phase::Ending);
        }
    }

    /// Keeps a result until it is acknowledged, and sends it.
    fn finish(&self, call: CallId, reply: Reply) {
        lock(&self.finished).insert(call, reply.clone());
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
