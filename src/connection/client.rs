//! The controller's end of the wire to one worker: many calls at once, one reader, one writer.

use std::collections::BTreeMap;
use std::fmt;
use std::future::Future;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

use super::image::Images;
use super::line::{Frame, KEEP, Line, Redial};
use super::push::{self, Place, Started};
use super::transfer::{self, Streams};
use super::{ConnectError, Connection};
use crate::proto::frame::encode;
use crate::proto::{Call, CallId, FromController, FromWorker, Hello, Reply};

/// Where the contents of a call's files come from.
pub trait BlobSource: Send + Sync {
    /// Opens blob number `blob` of the call.
    ///
    /// # Errors
    /// A file that is gone or can't be read; the module on the host fails with it.
    fn open(&self, blob: u32) -> io::Result<Box<dyn Read + Send>>;
}

/// For calls without files.
pub struct NoFiles;

impl BlobSource for NoFiles {
    fn open(&self, blob: u32) -> io::Result<Box<dyn Read + Send>> {
        Err(io::Error::new(io::ErrorKind::NotFound, format!("the call has no file number {blob}")))
    }
}

/// Lines of running commands: whether it was standard error, and the line.
pub type Lines = mpsc::UnboundedSender<(bool, String)>;

/// Why there is no reply.
#[derive(Clone, Debug, thiserror::Error)]
pub enum CallError {
    /// The link was cut, or the host does not answer any more. Whether the module ran is not known.
    #[error(transparent)]
    Lost(ConnectError),
    /// The worker itself ended: killed, or out of memory. The task failed.
    #[error("{0}")]
    WorkerDied(String),
    /// The call can't be sent: it is larger than a message may be.
    #[error("{0}")]
    TooLarge(String),
    /// What the host sent can't be stored here.
    #[error("can't store what the host sent: {0}")]
    Store(String),
}

/// A worker that runs on a host. Ends when it is dropped; [`Worker::bye`] lets it finish first.
pub struct Worker {
    hello: Hello,
    shared: Arc<Shared>,
    line: JoinHandle<()>,
}

pub(super) struct Shared {
    output: mpsc::UnboundedSender<Frame>,
    calls: Mutex<BTreeMap<CallId, Waiting>>,
    /// Set once, when the worker is gone.
    end: watch::Sender<Option<CallError>>,
    next: AtomicU64,
}

struct Waiting {
    /// The call itself, for the case that it must be sent again.
    frame: Frame,
    reply: oneshot::Sender<Result<Reply, CallError>>,
    lines: Option<Lines>,
    streams: Streams,
    pieces: Option<mpsc::UnboundedSender<Vec<u8>>>,
}

impl Worker {
    /// Starts a worker on a host over a connection, sending its program there first if need be. No step of that may
    /// take longer than `patience`. `address` names the host in errors.
    ///
    /// # Errors
    /// A host that no worker can be started on, with all that is known of why.
    pub async fn start(
        connection: &dyn Connection,
        images: &Images,
        address: &str,
        patience: Duration,
    ) -> Result<Arc<Worker>, ConnectError> {
        let started = push::start(connection, images, address, patience, Place::Host).await?;
        Ok(Worker::new(started, address, None))
    }

    /// The same on the machine that this process runs on: its program need not be sent.
    ///
    /// # Errors
    /// See [`Worker::start`].
    pub async fn start_here(
        connection: &dyn Connection,
        images: &Images,
        patience: Duration,
    ) -> Result<Arc<Worker>, ConnectError> {
        let started = push::start(connection, images, "localhost", patience, Place::Here).await?;
        Ok(Worker::new(started, "localhost", None))
    }

    /// A worker that has said hello. With `redial` it outlives a link that is cut while calls are open, if the host
    /// can be reached again soon.
    pub(super) fn new(started: Started, address: &str, redial: Option<Redial>) -> Arc<Worker> {
        let (output, queue) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            output,
            calls: Mutex::default(),
            end: watch::Sender::new(None),
            next: AtomicU64::new(1),
        });
        if redial.is_some() {
            shared.send(&FromController::Keep(KEEP));
        }
        let hello = started.hello.clone();
        let line = Line {
            shared: Arc::clone(&shared),
            address: address.to_owned(),
            pid: hello.pid,
            token: started.token.clone(),
            redial,
        };
        Arc::new(Worker { hello, shared, line: tokio::spawn(line.run(started, queue)) })
    }

    /// Who it is.
    #[must_use]
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Whether it still answers, as far as is known.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        self.shared.end.borrow().is_none()
    }

    /// A number for a new chain of calls.
    #[must_use]
    pub fn new_chain(&self) -> u64 {
        self.shared.next.fetch_add(1, Ordering::Relaxed)
    }

    /// Sends a call and gives a future of its reply. The call is on its way when this returns, so the futures of
    /// several calls can be made first and awaited later. A future that is dropped cancels its call.
    ///
    /// `call.id` is set here. `files` gives the contents of `call.blobs`. `lines` gets the lines of running commands, if
    /// `call.live`. `received` gets what the module sends back (`fetch`), and is dropped before the future is ready.
    ///
    /// # Errors
    /// See [`CallError`].
    pub fn call(
        self: &Arc<Self>,
        mut call: Call,
        files: Arc<dyn BlobSource>,
        lines: Option<Lines>,
        received: Option<Box<dyn Write + Send>>,
    ) -> impl Future<Output = Result<Reply, CallError>> + Send + use<> {
        let id = self.shared.next.fetch_add(1, Ordering::Relaxed);
        call.id = id;
        let (reply, answer) = oneshot::channel();
        let (pieces, stored) = match received {
            Some(sink) => {
                let (sender, pieces) = mpsc::unbounded_channel();
                let task = tokio::spawn(transfer::store(Arc::clone(&self.shared), id, sink, pieces));
                (Some(sender), Some(task))
            }
            None => (None, None),
        };
        match encode(&FromController::Run(Box::new(call))) {
            Ok(frame) => {
                let frame = Arc::new(frame);
                self.shared.start(id, Waiting { frame, reply, lines, streams: Streams::new(files), pieces });
            }
            Err(error) => drop(reply.send(Err(CallError::TooLarge(error.to_string())))),
        }
        let open = Open { worker: Arc::clone(self), id };
        async move {
            let result = match answer.await {
                Ok(result) => result,
                Err(_) => Err(open.worker.shared.why_ended()),
            };
            drop(open);
            if let Some(task) = stored {
                let stored = task.await.unwrap_or_else(|error| Err(io::Error::other(error)));
                stored.map_err(|error| CallError::Store(error.to_string()))?;
            }
            result
        }
    }

    /// Lets the worker finish what runs and end; waits for that no longer than `patience`.
    pub async fn bye(&self, patience: Duration) {
        self.shared.send(&FromController::Bye);
        let mut end = self.shared.end.subscribe();
        drop(timeout(patience, end.wait_for(Option::is_some)).await);
    }

    /// Waits until the worker is gone, and says why.
    pub async fn ended(&self) -> CallError {
        let mut end = self.shared.end.subscribe();
        drop(end.wait_for(Option::is_some).await);
        self.shared.why_ended()
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Worker").field("hello", &self.hello).finish_non_exhaustive()
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.line.abort();
    }
}

/// A call that somebody waits for.
struct Open {
    worker: Arc<Worker>,
    id: CallId,
}

impl Drop for Open {
    fn drop(&mut self) {
        let shared = &self.worker.shared;
        if shared.calls().remove(&self.id).is_some() {
            shared.send(&FromController::Cancel(self.id));
        }
    }
}

impl Shared {
    fn calls(&self) -> MutexGuard<'_, BTreeMap<CallId, Waiting>> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn why_ended(&self) -> CallError {
        let known = self.end.borrow().clone();
        known.unwrap_or_else(|| CallError::WorkerDied("the worker was given up".into()))
    }

    fn start(&self, id: CallId, waiting: Waiting) {
        let mut calls = self.calls();
        // Looked at under the lock that `fail_all` takes last, so that no call slips through.
        if let Some(why) = self.end.borrow().clone() {
            drop(waiting.reply.send(Err(why)));
            return;
        }
        drop(self.output.send(Arc::clone(&waiting.frame)));
        calls.insert(id, waiting);
    }

    /// Whether anybody waits for a reply.
    pub(super) fn waits(&self) -> bool {
        !self.calls().is_empty()
    }

    /// The calls that wait, and their messages in order, which replace all that is in the queue.
    pub(super) fn waiting(&self, queue: &mut mpsc::UnboundedReceiver<Frame>) -> (Vec<CallId>, Vec<Frame>) {
        let calls = self.calls();
        while queue.try_recv().is_ok() {}
        calls.iter().map(|(id, waiting)| (*id, Arc::clone(&waiting.frame))).unzip()
    }

    /// Puts a message in the queue. One to a worker that is gone is dropped: its calls have failed already.
    pub(super) fn send(&self, message: &FromController) {
        if let Ok(frame) = encode(message) {
            drop(self.output.send(Arc::new(frame)));
        }
    }

    /// The worker is gone: all that wait get to know why.
    pub(super) fn fail_all(&self, why: &CallError) {
        self.end.send_replace(Some(why.clone()));
        let calls = std::mem::take(&mut *self.calls());
        for waiting in calls.into_values() {
            drop(waiting.reply.send(Err(why.clone())));
        }
    }

    pub(super) fn take(self: &Arc<Self>, message: FromWorker) {
        match message {
            FromWorker::Hello(_) | FromWorker::Resumed(_) => {}
            FromWorker::Line { call, stderr, text } => {
                if let Some(lines) = self.calls().get(&call).and_then(|it| it.lines.as_ref()) {
                    // Nobody listens any more: not the call's concern.
                    drop(lines.send((stderr, text)));
                }
            }
            FromWorker::Want { call, blob, offset, credit } => {
                if let Some(waiting) = self.calls().get_mut(&call) {
                    waiting.streams.want(self, call, blob, offset, credit);
                }
            }
            FromWorker::Piece { call, data } => {
                if let Some(pieces) = self.calls().get(&call).and_then(|it| it.pieces.as_ref()) {
                    // A store that failed has cancelled the call.
                    drop(pieces.send(data));
                }
            }
            FromWorker::Done { call, reply } => {
                if let Some(waiting) = self.calls().remove(&call) {
                    drop(waiting.reply.send(Ok(reply)));
                }
                self.send(&FromController::Seen(call));
            }
        }
    }
}

/// Does blocking work with a thing on another thread and gives it back.
pub(super) async fn aside<T: Send + 'static, R: Send + 'static>(
    mut thing: T,
    work: impl FnOnce(&mut T) -> io::Result<R> + Send + 'static,
) -> io::Result<(T, R)> {
    spawn_blocking(move || work(&mut thing).map(|result| (thing, result))).await.map_err(io::Error::other)?
}
