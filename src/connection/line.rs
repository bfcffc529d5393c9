//! The line to one worker: what is written to it and read from it, why it ended, and taking it up again over a new
//! link when the old one was cut.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};
use zeroize::Zeroizing;

use super::client::{CallError, Shared};
use super::push::{Complaints, Reader, Started};
use super::{ConnectError, Connection};
use crate::proto::frame_async::{read_frame, write_frame};
use crate::proto::{FromController, FromWorker};

/// How long a new link is tried for. A worker outlives a cut link a little longer.
const GRACE: Duration = Duration::from_secs(60);

/// What a worker is told about that, in seconds.
pub(super) const KEEP: u32 = 90;

/// How long a worker may take to find the one that an earlier link led to.
const PATIENCE: Duration = Duration::from_secs(30);

/// The longest wait between two attempts.
const LONGEST_WAIT: Duration = Duration::from_secs(8);

/// An encoded message. Its bytes are wiped when nobody needs them any more.
pub(super) type Frame = Arc<Zeroizing<Vec<u8>>>;

/// A new link to the host, and a new worker on it.
pub(super) type Redialed = Result<(Arc<dyn Connection>, Started), ConnectError>;

/// Connects to the host once more.
pub(super) type Redial = Box<dyn Fn() -> BoxFuture<'static, Redialed> + Send + Sync>;

/// Keeps the line of one worker going until it is over.
pub(super) struct Line {
    pub(super) shared: Arc<Shared>,
    pub(super) address: String,
    /// The worker's process and the nonce it was started with.
    pub(super) pid: u32,
    pub(super) token: String,
    /// None: a link that is cut is the end.
    pub(super) redial: Option<Redial>,
}

/// One link.
struct Link {
    stdout: Reader,
    exit: BoxFuture<'static, Option<i32>>,
    complaints: Complaints,
    writer: Writer,
    /// Kept open as long as the link.
    _connection: Option<Arc<dyn Connection>>,
}

impl Line {
    /// Reads and writes until the worker is gone for good; then fails what still waits.
    pub(super) async fn run(self, started: Started, queue: mpsc::UnboundedReceiver<Frame>) {
        let mut link = Link::new(started, Vec::new(), queue, None);
        let why = loop {
            let (why, queue) = link.end(&self.shared, &self.address).await;
            let CallError::Lost(_) = why else { break why };
            match self.resume(queue).await {
                Some(next) => link = next,
                None => break why,
            }
        };
        self.shared.fail_all(&why);
    }

    /// Takes the worker up again over a new link, as long as somebody waits for it.
    async fn resume(&self, queue: mpsc::UnboundedReceiver<Frame>) -> Option<Link> {
        let redial = self.redial.as_ref()?;
        let until = Instant::now() + GRACE;
        let mut wait = Duration::from_secs(1);
        while self.shared.waits() {
            match redial().await {
                Ok((connection, started)) => return self.take_up(connection, started, queue).await,
                Err(error) if !may_pass(&error) || Instant::now() + wait > until => return None,
                Err(_) => sleep(wait).await,
            }
            wait = (wait * 2).min(LONGEST_WAIT);
        }
        None
    }

    /// Asks the new worker for the old one. What waits is sent again: a worker never runs a call twice.
    async fn take_up(
        &self,
        connection: Arc<dyn Connection>,
        mut started: Started,
        mut queue: mpsc::UnboundedReceiver<Frame>,
    ) -> Option<Link> {
        let (open, backlog) = self.shared.waiting(&mut queue);
        let (pid, token) = (self.pid, self.token.clone());
        write_frame(&mut started.stdin, &FromController::Resume { pid, token, open }).await.ok()?;
        let found = async {
            loop {
                match read_frame(&mut started.stdout).await {
                    Ok(Some(FromWorker::Resumed(found))) => return found,
                    Ok(Some(message)) => self.shared.take(message),
                    Ok(None) | Err(_) => return false,
                }
            }
        };
        timeout(PATIENCE, found).await.ok().filter(|found| *found)?;
        Some(Link::new(started, backlog, queue, Some(connection)))
    }
}

/// Whether trying again may help.
fn may_pass(error: &ConnectError) -> bool {
    matches!(
        error,
        ConnectError::Resolve { .. }
            | ConnectError::Connect { .. }
            | ConnectError::Timeout { .. }
            | ConnectError::Lost { .. }
    )
}

impl Link {
    fn new(
        started: Started,
        backlog: Vec<Frame>,
        queue: mpsc::UnboundedReceiver<Frame>,
        connection: Option<Arc<dyn Connection>>,
    ) -> Link {
        Link {
            stdout: started.stdout,
            exit: started.exit,
            complaints: started.complaints,
            writer: Writer::start(started.stdin, backlog, queue),
            _connection: connection,
        }
    }

    /// Passes on what comes until the link ends; why it did, and what is still to be written.
    async fn end(
        mut self,
        shared: &Arc<Shared>,
        address: &str,
    ) -> (CallError, mpsc::UnboundedReceiver<Frame>) {
        let reason = loop {
            match read_frame(&mut self.stdout).await {
                Ok(Some(message)) => shared.take(message),
                Ok(None) => break None,
                Err(error) => break Some(error),
            }
        };
        let queue = self.writer.stop().await;
        let code = timeout(Duration::from_secs(2), self.exit).await.ok().flatten();
        let complaints = self.complaints.all().await;
        let tail = if complaints.is_empty() { String::new() } else { format!(": {complaints}") };
        (why(address, code, reason, &tail), queue)
    }
}

fn why(address: &str, code: Option<i32>, reason: Option<io::Error>, tail: &str) -> CallError {
    match (code, reason) {
        (Some(code @ 129..), _) => CallError::WorkerDied(format!(
            "the worker on {address} was killed by signal {}{tail}",
            code - 128
        )),
        (Some(code), _) => {
            CallError::WorkerDied(format!("the worker on {address} ended with exit code {code}{tail}"))
        }
        (None, reason) => {
            let reason = reason.map_or_else(|| "the host closed it".to_owned(), |error| error.to_string());
            CallError::Lost(ConnectError::Lost {
                address: address.to_owned(),
                reason: format!("{reason}{tail}"),
            })
        }
    }
}

/// Writes messages in a task of its own.
struct Writer {
    stop: oneshot::Sender<()>,
    task: JoinHandle<mpsc::UnboundedReceiver<Frame>>,
}

impl Writer {
    fn start(
        mut stdin: Box<dyn AsyncWrite + Send + Unpin>,
        backlog: Vec<Frame>,
        mut queue: mpsc::UnboundedReceiver<Frame>,
    ) -> Writer {
        let (stop, mut stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let write = async {
                for frame in backlog {
                    stdin.write_all(&frame).await?;
                }
                while let Some(frame) = queue.recv().await {
                    stdin.write_all(&frame).await?;
                    if queue.is_empty() {
                        stdin.flush().await?;
                    }
                }
                io::Result::Ok(())
            };
            tokio::select! {
                // A host that can't be written to is noticed by who reads, who knows more.
                result = write => if result.is_err() { drop((&mut stopped).await) },
                _ = &mut stopped => {}
            }
            queue
        });
        Writer { stop, task }
    }

    /// Stops, and gives back what is not written yet.
    async fn stop(self) -> mpsc::UnboundedReceiver<Frame> {
        // It may have stopped by itself.
        let _ = self.stop.send(());
        self.task.await.unwrap_or_else(|_| mpsc::unbounded_channel().1)
    }
}
