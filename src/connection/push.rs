//! Bringing a host's worker up over a connection: one command that runs the worker it has or takes the one we send.
//!
//! What the command does is in `proto::boot`; here is the controller's half of the talk.

use std::io;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::sync::watch;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;

use super::image::{Image, Images, missing};
use super::{ConnectError, Connection};
use crate::proto::boot::{NOISE, Nonce, Said};
use crate::proto::frame_async::read_frame;
use crate::proto::{BUILD, FromWorker, Hello};

/// How much of what a host complains about is kept, in bytes.
const TAIL: usize = 4096;

/// The slowest link that a worker can be sent over, in bytes a second.
const SLOWEST: u64 = 8 << 10;

/// What a host prints.
pub(super) type Reader = BufReader<Box<dyn tokio::io::AsyncRead + Send + Unpin>>;

/// A worker that has said hello.
pub(super) struct Started {
    pub(super) hello: Hello,
    /// The nonce that it was started with.
    pub(super) token: String,
    pub(super) stdin: Box<dyn AsyncWrite + Send + Unpin>,
    pub(super) stdout: Reader,
    pub(super) exit: BoxFuture<'static, Option<i32>>,
    pub(super) complaints: Complaints,
}

/// The end of what a host writes to standard error, gathered while it runs.
pub(super) struct Complaints {
    text: watch::Receiver<Vec<u8>>,
    task: JoinHandle<()>,
}

impl Complaints {
    pub(super) fn gather(mut stderr: Box<dyn tokio::io::AsyncRead + Send + Unpin>) -> Complaints {
        let (sender, text) = watch::channel(Vec::new());
        let task = tokio::spawn(async move {
            let mut part = [0; 1024];
            while let Ok(count @ 1..) = stderr.read(&mut part).await {
                sender.send_modify(|text| {
                    text.extend_from_slice(&part[..count]);
                    let surplus = text.len().saturating_sub(TAIL);
                    text.drain(..surplus);
                });
            }
        });
        Complaints { text, task }
    }

    /// All that came, once the stream ended or a moment passed.
    pub(super) async fn all(mut self) -> String {
        drop(timeout(Duration::from_millis(500), &mut self.task).await);
        String::from_utf8_lossy(&self.text.borrow()).trim().to_owned()
    }
}

impl Drop for Complaints {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Where a worker is started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// On this machine, where the program is already.
    Here,
    /// Somewhere else.
    Host,
}

/// Starts the worker on a host, sending it there first if need be.
///
/// # Errors
/// A host that no worker can be started on, with all that is known of why.
pub(super) async fn start(
    connection: &dyn Connection,
    images: &Images,
    address: &str,
    patience: Duration,
    place: Place,
) -> Result<Started, ConnectError> {
    let nonce = Nonce::new().map_err(|error| ConnectError::Worker(format!("no random numbers: {error}")))?;
    let line = command(&nonce, images, place).await;
    let pipe = connection.exec(&line, false).await?;
    let mut talk = Talk {
        nonce,
        images,
        address,
        patience,
        stdin: pipe.stdin,
        stdout: BufReader::new(pipe.stdout),
        refused: Vec::new(),
        noise: Vec::new(),
    };
    let complaints = Complaints::gather(pipe.stderr);
    let result = match talk.until_hello().await {
        Ok(()) => talk.hello().await,
        Err(end) => Err(end),
    };
    match result {
        Ok(hello) => {
            let token = talk.nonce.token();
            let (stdin, stdout) = (talk.stdin, talk.stdout);
            Ok(Started { hello, token, stdin, stdout, exit: pipe.exit, complaints })
        }
        Err(End::Known(error)) => Err(error),
        Err(End::Unknown(what)) => {
            let code = timeout(Duration::from_secs(1), pipe.exit).await.ok().flatten();
            let complaints = complaints.all().await;
            Err(talk.report(&what, code, &complaints))
        }
    }
}

/// The command that starts the worker.
async fn command(nonce: &Nonce, images: &Images, place: Place) -> String {
    let (nonce, images, other) = (nonce.clone(), images.clone(), nonce.line(&[]));
    let line = move || match images.of_this_machine().filter(|_| place == Place::Here) {
        Some(path) => nonce.line_for(path),
        None => nonce.line(&images.all().iter().filter_map(Image::program).cloned().collect::<Vec<_>>()),
    };
    // A host that is offered nothing says which machine it is.
    spawn_blocking(line).await.unwrap_or(other)
}

/// Why a bring-up ended early.
enum End {
    /// The error is complete.
    Known(ConnectError),
    /// What the host printed belongs to it.
    Unknown(String),
}

impl From<io::Error> for End {
    fn from(error: io::Error) -> End {
        End::Unknown(error.to_string())
    }
}

struct Talk<'a> {
    nonce: Nonce,
    images: &'a Images,
    address: &'a str,
    patience: Duration,
    stdin: Box<dyn AsyncWrite + Send + Unpin>,
    stdout: Reader,
    refused: Vec<String>,
    noise: Vec<u8>,
}

impl Talk<'_> {
    async fn until_hello(&mut self) -> Result<(), End> {
        loop {
            match self.listen().await? {
                Said::Hello => return Ok(()),
                Said::Need { machine, gzip } => self.send(&machine, gzip).await?,
                Said::No(why) => self.refused.push(why),
                Said::Machine(machine) => return Err(End::Known(missing(&machine))),
                Said::Failed => return Err(End::Known(self.no_place())),
            }
        }
    }

    /// The next message; what is none is noise.
    async fn listen(&mut self) -> Result<Said, End> {
        loop {
            let mut line = Vec::new();
            let room = (NOISE + 1).saturating_sub(self.noise.len()) as u64;
            let mut limited = (&mut self.stdout).take(room);
            let read = timeout(self.patience, limited.read_until(b'\n', &mut line));
            let count = read.await.map_err(|_| self.too_slow("starting the worker"))??;
            if let Some(said) = self.nonce.parse(&line) {
                return Ok(said);
            }
            self.noise.extend_from_slice(&line);
            if count == 0 {
                return Err(End::Unknown("it ended before the worker ran".into()));
            }
            if self.noise.len() > NOISE {
                return Err(End::Unknown(format!("its login shell prints more than {NOISE} bytes")));
            }
        }
    }

    async fn send(&mut self, machine: &str, gzip: bool) -> Result<(), End> {
        let (images, machine) = (self.images.clone(), machine.to_owned());
        let prepared = spawn_blocking(move || {
            let image = images.for_machine(&machine)?;
            let bytes = if gzip { image.packed() } else { image.bytes() };
            bytes.map_err(|error| ConnectError::Worker(format!("can't read the worker: {error}")))
        });
        let bytes = prepared.await.map_err(|error| End::Unknown(error.to_string()))?.map_err(End::Known)?;
        self.patience += Duration::from_secs(bytes.len() as u64 / SLOWEST);
        self.write(Nonce::offer(bytes.len(), gzip).as_bytes()).await?;
        for part in bytes.chunks(64 << 10) {
            self.write(part).await?;
        }
        self.stdin.flush().await.or(Ok(()))
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), End> {
        let written = timeout(self.patience, self.stdin.write_all(bytes)).await;
        // A host that takes no more says why on its output, which is read next.
        written.map_err(|_| self.too_slow("sending the worker"))?.or(Ok(()))
    }

    async fn hello(&mut self) -> Result<Hello, End> {
        let frame = timeout(self.patience, read_frame(&mut self.stdout)).await;
        match frame.map_err(|_| self.too_slow("waiting for the worker's first message"))?? {
            Some(FromWorker::Hello(hello)) if hello.build == BUILD => Ok(hello),
            Some(FromWorker::Hello(hello)) => Err(End::Known(ConnectError::Worker(format!(
                "the worker is of another build ({}) than this regatta ({BUILD}): build both again, together",
                hello.build
            )))),
            _ => Err(End::Unknown("the worker ended before its first message".into())),
        }
    }

    fn too_slow(&self, stage: &'static str) -> End {
        End::Known(ConnectError::Timeout {
            stage,
            address: self.address.to_owned(),
            seconds: self.patience.as_secs(),
        })
    }

    fn no_place(&self) -> ConnectError {
        ConnectError::Worker(format!(
            "the worker can't be put anywhere on {}:\n  {}",
            self.address,
            self.refused.join("\n  ")
        ))
    }

    fn report(&self, what: &str, code: Option<i32>, stderr: &str) -> ConnectError {
        let mut text = format!("the worker can't be started on {}: {what}", self.address);
        if let Some(code) = code {
            text.push_str(&format!(" (exit code {code})"));
        }
        let noise = String::from_utf8_lossy(&self.noise);
        let refused = self.refused.join("\n");
        for (title, said) in [("it complained", stderr), ("it printed", noise.trim()), ("it tried", &refused)]
        {
            if !said.is_empty() {
                let tail = &said.as_bytes()[said.len().saturating_sub(TAIL)..];
                text.push_str(&format!("\n{title}: {}", String::from_utf8_lossy(tail)));
            }
        }
        ConnectError::Worker(text)
    }
}
