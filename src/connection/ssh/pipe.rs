//! A running command: one channel, pumped into the four ends of a [`Pipe`]. The library hands all channels of a
//! session their data from one loop that waits for a full channel, so the pump always takes what comes; only when a
//! stream has much unread does it wait, which then holds up the session, and by that the host.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use futures::FutureExt;
use russh::client::Msg;
use russh::{Channel, ChannelMsg, ChannelReadHalf, ChannelWriteHalf, Sig};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, DuplexStream, ReadBuf};
use tokio::sync::{mpsc, oneshot};

use crate::connection::Pipe;

/// How much of stdout, and of stderr, may be unread.
const UNREAD: usize = 16 << 20;
/// How much may be written ahead of what the host took.
const AHEAD: usize = 256 << 10;
/// How much is sent at once.
const CHUNK: usize = 32 << 10;

/// Turns a channel on which a command was asked for into a pipe. `patience`: how long the host may take to say
/// whether it starts the command.
pub(super) fn pipe(channel: Channel<Msg>, patience: Duration) -> Pipe {
    let (stdin, input) = tokio::io::duplex(AHEAD);
    let (stdout, output) = tokio::io::duplex(UNREAD);
    let (stderr, errors) = tokio::io::duplex(UNREAD);
    let (status, exit) = oneshot::channel();
    let (used, unused) = mpsc::channel(1);
    let (reading, writing) = channel.split();
    tokio::spawn(async move {
        let writing = Arc::new(writing);
        let feeding = tokio::spawn(feed(input, writing.clone()));
        let pump = Pump { reading, output, errors, status: Some(status) };
        pump.run(unused, patience).await;
        // A program that has ended reads no more. Closing what the host closed already does nothing.
        feeding.abort();
        let _ = writing.close().await;
    });
    let end = |stream| End { stream, _used: used.clone() };
    let held = used.clone();
    Pipe {
        stdin: Box::new(end(stdin)),
        stdout: Box::new(end(stdout)),
        stderr: Box::new(end(stderr)),
        exit: async move {
            let _held = held;
            exit.await.ok().flatten()
        }
        .boxed(),
    }
}

/// Sends what is written, then says that it was all.
async fn feed(mut input: DuplexStream, writing: Arc<ChannelWriteHalf<Msg>>) {
    let mut chunk = vec![0; CHUNK];
    loop {
        match input.read(&mut chunk).await {
            Ok(0) | Err(_) => break,
            Ok(n) => {
                let sent = writing.data_bytes(chunk.get(..n).unwrap_or_default().to_vec()).await;
                if sent.is_err() {
                    return;
                }
            }
        }
    }
    // The error would only say that the session is gone, which the other end sees by itself.
    let _ = writing.eof().await;
}

struct Pump {
    reading: ChannelReadHalf,
    output: DuplexStream,
    errors: DuplexStream,
    status: Option<oneshot::Sender<Option<i32>>>,
}

impl Pump {
    /// Until the channel ends, or nobody holds any end of the pipe any more.
    async fn run(mut self, mut unused: mpsc::Receiver<()>, patience: Duration) {
        let mut started = false;
        let late = tokio::time::sleep(patience);
        tokio::pin!(late);
        loop {
            let message = tokio::select! {
                message = self.reading.wait() => message,
                _ = unused.recv() => return,
                () = &mut late, if !started => {
                    self.complain("the host does not start the command").await;
                    return;
                }
            };
            let Some(message) = message else { return };
            // Window adjustments say nothing about the command.
            started |= !matches!(message, ChannelMsg::WindowAdjusted { .. });
            if !self.take(message).await {
                return;
            }
        }
    }

    /// Passes a message on. False at the end.
    async fn take(&mut self, message: ChannelMsg) -> bool {
        match message {
            // When nobody reads a stream, what comes for it is lost, as with a closed terminal.
            ChannelMsg::Data { data } => drop(self.output.write_all(&data).await),
            ChannelMsg::ExtendedData { data, ext: 1 } => drop(self.errors.write_all(&data).await),
            ChannelMsg::Failure => {
                self.complain("the host refuses to start the command").await;
                return false;
            }
            ChannelMsg::ExitStatus { exit_status } => self.ended(i32::try_from(exit_status).unwrap_or(255)),
            ChannelMsg::ExitSignal { signal_name, .. } => self.ended(128 + number(&signal_name)),
            ChannelMsg::Eof => {
                drop(self.output.shutdown().await);
                drop(self.errors.shutdown().await);
            }
            ChannelMsg::Close => return false,
            _ => {}
        }
        true
    }

    fn ended(&mut self, code: i32) {
        if let Some(status) = self.status.take() {
            // Nobody may be interested.
            let _ = status.send(Some(code));
        }
    }

    async fn complain(&mut self, text: &str) {
        drop(self.errors.write_all(format!("{text}\n").as_bytes()).await);
    }
}

/// The number of a signal, as shells add it to 128.
fn number(signal: &Sig) -> i32 {
    match signal {
        Sig::HUP => 1,
        Sig::INT => 2,
        Sig::QUIT => 3,
        Sig::ILL => 4,
        Sig::ABRT => 6,
        Sig::FPE => 8,
        Sig::KILL => 9,
        Sig::USR1 => 10,
        Sig::SEGV => 11,
        Sig::PIPE => 13,
        Sig::ALRM => 14,
        Sig::TERM => 15,
        Sig::Custom(_) => 127,
    }
}

/// One end of a pipe. The channel is closed when the last is dropped.
struct End {
    stream: DuplexStream,
    _used: mpsc::Sender<()>,
}

impl AsyncRead for End {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for End {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}
