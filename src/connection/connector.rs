//! The hosts' connections and workers: made when they are first needed, kept for all tasks and plays, and made again
//! when they are gone.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures::FutureExt;
use futures::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::client::Worker;
use super::image::Images;
use super::line::Redial;
use super::local::Local;
use super::push::{self, Place};
use super::ssh::{self, SshContext};
use super::{ConnectError, Connection, Target, Transport};

/// The least time a host gets to start its worker, whatever its `timeout` to connect is.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long a worker may take to end after goodbye.
const FAREWELL: Duration = Duration::from_secs(5);

/// What connections are made with.
pub struct ConnectorOptions {
    /// The workers to offer.
    pub images: Images,
    /// What all SSH connections share.
    pub ssh: Arc<SshContext>,
}

/// Gives connections and workers of targets.
pub struct Connector {
    options: ConnectorOptions,
    slots: Mutex<HashMap<Target, Arc<Slot>>>,
}

/// One target's connection and worker; the lock is held while they are made, so that they are made once.
type Slot = tokio::sync::Mutex<Made>;

#[derive(Default)]
struct Made {
    connection: Option<Arc<dyn Connection>>,
    worker: Option<Arc<Worker>>,
    /// When it last could not be made, and why.
    failed: Option<(Instant, ConnectError)>,
}

/// How a raw command ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RawOutput {
    /// Exit code; 128 + n for signal n.
    pub rc: i32,
    /// What it printed.
    pub stdout: Vec<u8>,
    /// What it complained about.
    pub stderr: Vec<u8>,
}

impl Connector {
    /// Without any connection yet.
    #[must_use]
    pub fn new(options: ConnectorOptions) -> Arc<Connector> {
        Arc::new(Connector { options, slots: Mutex::default() })
    }

    /// The target's worker: the one that runs, or a new one.
    ///
    /// # Errors
    /// A host that can't be reached or can't run the worker.
    pub async fn worker(&self, target: &Target) -> Result<Arc<Worker>, ConnectError> {
        let slot = self.slot(target);
        let asked = Instant::now();
        let mut made = slot.lock().await;
        if let Some(worker) = made.worker.as_ref().filter(|worker| worker.is_alive()) {
            return Ok(Arc::clone(worker));
        }
        if let Some((_, error)) = made.failed.as_ref().filter(|(when, _)| *when >= asked) {
            // It was tried while this caller waited for its turn.
            return Err(error.clone());
        }
        made.worker = None;
        let reused = made.connection.is_some();
        let mut started = self.start(target, &mut made).await;
        if reused && matches!(started, Err(ConnectError::Lost { .. } | ConnectError::Connect { .. })) {
            // The kept connection was dead and nobody had noticed.
            made.connection = None;
            started = self.start(target, &mut made).await;
        }
        let worker = started.inspect_err(|error| made.failed = Some((Instant::now(), error.clone())))?;
        made.worker = Some(Arc::clone(&worker));
        Ok(worker)
    }

    async fn start(&self, target: &Target, made: &mut Made) -> Result<Arc<Worker>, ConnectError> {
        let connection = self.connection(target, made).await?;
        let patience = target.timeout.max(PATIENCE);
        let images = &self.options.images;
        if target.transport == Transport::Local {
            return Worker::start_here(connection.as_ref(), images, patience).await;
        }
        let started = push::start(connection.as_ref(), images, &target.host, patience, Place::Host).await?;
        Ok(Worker::new(started, &target.host, Some(self.redial(target, patience))))
    }

    /// Runs a command through the login shell, without any worker. `stdin` is what it reads.
    ///
    /// # Errors
    /// A host that can't be reached, or a link that is cut before the command ends.
    pub async fn raw(
        &self,
        target: &Target,
        command: &str,
        stdin: Option<Vec<u8>>,
        pty: bool,
    ) -> Result<RawOutput, ConnectError> {
        let slot = self.slot(target);
        let connection = self.connection(target, &mut *slot.lock().await).await?;
        let mut pipe = connection.exec(command, pty).await?;
        let feed = async {
            if let Some(bytes) = stdin {
                // A command that does not read all of it is in its right.
                drop(pipe.stdin.write_all(&bytes).await);
            }
            drop(pipe.stdin.shutdown().await);
            drop(pipe.stdin);
        };
        let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
        let ((), out, err) =
            tokio::join!(feed, pipe.stdout.read_to_end(&mut stdout), pipe.stderr.read_to_end(&mut stderr));
        let lost = |reason: String| ConnectError::Lost { address: target.host.clone(), reason };
        out.and(err).map_err(|error| lost(error.to_string()))?;
        let rc = pipe.exit.await.ok_or_else(|| lost("the command was cut off".into()))?;
        Ok(RawOutput { rc, stdout, stderr })
    }

    /// Forgets the target's connection and worker, ending both; the next use makes new ones.
    pub async fn reset(&self, target: &Target) {
        let slot = self.slots.lock().unwrap_or_else(PoisonError::into_inner).remove(target);
        if let Some(slot) = slot {
            end(&slot).await;
        }
    }

    /// Ends all connections. What still runs on hosts gets a moment to finish.
    pub async fn close_all(&self) {
        let slots = std::mem::take(&mut *self.slots.lock().unwrap_or_else(PoisonError::into_inner));
        join_all(slots.values().map(|slot| end(slot))).await;
    }

    fn slot(&self, target: &Target) -> Arc<Slot> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = slots.get(target) {
            return Arc::clone(slot);
        }
        Arc::clone(slots.entry(target.clone()).or_default())
    }

    /// How a link to the target is made once more, for a worker that has lost its own.
    fn redial(&self, target: &Target, patience: Duration) -> Redial {
        let (target, ssh, images) =
            (target.clone(), Arc::clone(&self.options.ssh), self.options.images.clone());
        Box::new(move || {
            let (target, ssh, images) = (target.clone(), Arc::clone(&ssh), images.clone());
            async move {
                let connection = ssh::connect(&target, &ssh).await?;
                let host = &target.host;
                let started = push::start(connection.as_ref(), &images, host, patience, Place::Host).await?;
                Ok((connection, started))
            }
            .boxed()
        })
    }

    async fn connection(
        &self,
        target: &Target,
        made: &mut Made,
    ) -> Result<Arc<dyn Connection>, ConnectError> {
        if let Some(connection) = made.connection.as_ref().filter(|it| it.is_open()) {
            return Ok(Arc::clone(connection));
        }
        let connection: Arc<dyn Connection> = match target.transport {
            Transport::Local => Arc::new(Local::new()),
            Transport::Ssh => ssh::connect(target, &self.options.ssh).await?,
        };
        made.connection = Some(Arc::clone(&connection));
        Ok(connection)
    }
}

async fn end(slot: &Slot) {
    let mut made = slot.lock().await;
    if let Some(worker) = made.worker.take().filter(|worker| worker.is_alive()) {
        worker.bye(FAREWELL).await;
    }
    if let Some(connection) = made.connection.take() {
        drop(timeout(FAREWELL, connection.close()).await);
    }
}
