//! The stream of a jump: a channel to another host, with a queue in between. A session that waits to write does not
//! read, and the outer session waits for the inner to read, so a bounded queue could hold up both for ever. What
//! the queue may hold is bounded all the same, by the windows of the inner session's channels.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use russh::client::Msg;
use russh::keys::ssh_encoding::bytes::Bytes;
use russh::{Channel, ChannelMsg};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::mpsc;

use super::link::Stream;

/// Turns a channel into a stream.
pub(super) fn stream(channel: Channel<Msg>) -> Box<dyn Stream> {
    let (near, mut far) = tokio::io::duplex(256 << 10);
    let (sender, incoming) = mpsc::unbounded_channel();
    let (mut reading, writing) = channel.split();
    let feeding = tokio::spawn(async move {
        let mut chunk = vec![0; 32 << 10];
        while let Ok(n @ 1..) = far.read(&mut chunk).await {
            if writing.data_bytes(chunk.get(..n).unwrap_or_default().to_vec()).await.is_err() {
                return;
            }
        }
        // Nobody writes any more: the inner session is over.
        let _ = writing.close().await;
    });
    tokio::spawn(async move {
        while let Some(message) = reading.wait().await {
            match message {
                ChannelMsg::Data { data } if sender.send(data.clone()).is_ok() => {}
                ChannelMsg::Data { .. } | ChannelMsg::Eof | ChannelMsg::Close => break,
                _ => {}
            }
        }
        feeding.abort();
    });
    Box::new(Tunnel { near, incoming, rest: Bytes::new() })
}

struct Tunnel {
    near: DuplexStream,
    incoming: mpsc::UnboundedReceiver<Bytes>,
    rest: Bytes,
}

impl AsyncRead for Tunnel {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.rest.is_empty() {
            match ready!(self.incoming.poll_recv(cx)) {
                Some(data) => self.rest = data,
                None => return Poll::Ready(Ok(())),
            }
        }
        let n = self.rest.len().min(buf.remaining());
        buf.put_slice(&self.rest.split_to(n));
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.near).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.near).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.near).poll_shutdown(cx)
    }
}
