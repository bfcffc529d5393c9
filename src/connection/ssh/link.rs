//! The byte streams that a session runs over: TCP to one of the addresses of a name, or anything else that is
//! readable and writable. A link can be cut from outside, which ends the session whatever it waits for.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpSocket, TcpStream, lookup_host};
use tokio::sync::oneshot;
use tokio::task::JoinSet;

use super::clock::{Clock, stage};
use super::settings::{Family, Settings};
use crate::connection::ConnectError;

/// How long one address may take before the next is tried beside it (RFC 8305).
const STAGGER: Duration = Duration::from_millis(250);

/// Anything that a session can run over.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A stream that ends when its [`Knife`] goes.
pub(super) struct Link {
    stream: Box<dyn Stream>,
    knife: oneshot::Receiver<()>,
    cut: bool,
}

/// Cuts a link when it is dropped. The library's session task outlives its handle while it waits for the peer, so a
/// silent peer would keep it and the socket for ever.
pub(super) struct Knife {
    _sender: oneshot::Sender<()>,
}

impl Link {
    pub(super) fn new(stream: Box<dyn Stream>) -> (Link, Knife) {
        let (sender, knife) = oneshot::channel();
        (Link { stream, knife, cut: false }, Knife { _sender: sender })
    }

    fn check(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if !self.cut && Pin::new(&mut self.knife).poll(cx).is_pending() {
            return Ok(());
        }
        self.cut = true;
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}

impl AsyncRead for Link {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Link {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.check(cx)?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

/// Connects by TCP, trying all addresses of the name.
pub(super) async fn dial(settings: &Settings, clock: &Clock) -> Result<TcpStream, ConnectError> {
    clock.enter(stage::RESOLVE);
    let addresses = resolve(settings).await?;
    clock.enter(stage::CONNECT);
    let stream = race(addresses, settings.bind)
        .await
        .map_err(|error| ConnectError::Connect { address: settings.address(), reason: reason(&error) })?;
    // Frames are small and each waits for its answer: Nagle would add a round trip to most.
    if let Err(error) = stream.set_nodelay(true) {
        return Err(ConnectError::Connect { address: settings.address(), reason: reason(&error) });
    }
    Ok(stream)
}

async fn resolve(settings: &Settings) -> Result<Vec<SocketAddr>, ConnectError> {
    let error = |reason: String| ConnectError::Resolve { host: settings.host.clone(), reason };
    let found = lookup_host((settings.host.as_str(), settings.port)).await;
    let found = found.map_err(|e| error(reason(&e)))?;
    let wanted = |address: &SocketAddr| match settings.family {
        Family::Any => true,
        Family::V4 => address.is_ipv4(),
        Family::V6 => address.is_ipv6(),
    };
    let addresses: Vec<_> = found.filter(wanted).collect();
    if addresses.is_empty() {
        return Err(error("it has no address of the wanted kind".to_owned()));
    }
    Ok(addresses)
}

/// The first address that answers. A new one is tried when the last failed, or took long.
async fn race(addresses: Vec<SocketAddr>, bind: Option<IpAddr>) -> io::Result<TcpStream> {
    let mut waiting = addresses.into_iter();
    let mut tries = JoinSet::new();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    loop {
        let next = waiting.next();
        let more = next.is_some();
        if let Some(address) = next {
            tries.spawn(open(address, bind));
        }
        let done = if more {
            tokio::time::timeout(STAGGER, tries.join_next()).await
        } else {
            Ok(tries.join_next().await)
        };
        match done {
            Ok(Some(Ok(Ok(stream)))) => return Ok(stream),
            Ok(Some(Ok(Err(error)))) => last = error,
            Ok(Some(Err(panic))) => last = io::Error::other(panic),
            Ok(None) => return Err(last),
            Err(_) => {}
        }
    }
}

async fn open(address: SocketAddr, bind: Option<IpAddr>) -> io::Result<TcpStream> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if let Some(local) = bind {
        socket.bind(SocketAddr::new(local, 0))?;
    }
    socket.connect(address).await
}

/// What somebody else says, in a message of ours: one line, not endless, nothing that moves a cursor.
pub(super) fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(300).collect::<String>().trim().to_owned()
}

/// What the system says, without its number.
pub(super) fn reason(error: &io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let text = text.strip_prefix("failed to lookup address information: ").unwrap_or(text);
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_refused_address_does_not_hide_the_next() {
        let refused = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = race(vec![refused, listener.local_addr().unwrap()], None).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), listener.local_addr().unwrap());
        let error = race(vec![refused, refused], None).await.unwrap_err();
        assert_eq!(reason(&error), "Connection refused");
    }

    #[tokio::test]
    async fn cutting_a_link_ends_a_read_that_waits() {
        let (near, _far) = tokio::io::duplex(16);
        let (mut link, knife) = Link::new(Box::new(near));
        let reading = tokio::spawn(async move { link.read_u8().await });
        tokio::task::yield_now().await;
        drop(knife);
        assert_eq!(reading.await.unwrap().unwrap_err().kind(), io::ErrorKind::ConnectionAborted);
    }
}
