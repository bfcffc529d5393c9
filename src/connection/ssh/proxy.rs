//! Ways to a host that is not reached directly: through other hosts, whose sessions are shared by all hosts behind
//! them, or through a program.

use std::collections::HashMap;
use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::context::SshContext;
use super::jump::Hop;
use super::link::{Stream, reason};
use super::session::Session;
use super::settings::{Route, Settings};
use crate::connection::{ConnectError, Connection, HostKeyCheck, Target};

/// Which session to a jump host: the hops, how their keys are checked, and the words that choose the configuration.
type Key = (Vec<Hop>, Option<HostKeyCheck>, Vec<String>);

/// A place for a session; its lock is held while the session is opened.
type Place = Arc<tokio::sync::Mutex<Opened>>;

/// How opening a session went.
#[derive(Default)]
struct Opened {
    session: Option<Arc<Session>>,
    failed: Option<(Instant, ConnectError)>,
}

/// How a host is reached, all settings read.
pub(super) struct Way {
    pub(super) settings: Arc<Settings>,
    /// The host before it.
    via: Option<(Key, Box<Way>)>,
}

impl Way {
    /// Finds the way to a target. Nothing is connected yet, so that a circle is found before anybody waits in it.
    pub(super) fn find(target: &Target, context: &SshContext) -> Result<Way, ConnectError> {
        Way::after(target, context, &mut Vec::new())
    }

    fn after(target: &Target, context: &SshContext, seen: &mut Vec<Key>) -> Result<Way, ConnectError> {
        let settings = Arc::new(Settings::of(target, context)?);
        let Route::Jump(hops) = &settings.route else { return Ok(Way { settings, via: None }) };
        let Some((last, before)) = hops.split_last() else { return Ok(Way { settings, via: None }) };
        let mut ssh_args = config_file(&target.ssh_args);
        let key = (hops.clone(), target.host_keys, ssh_args.clone());
        if seen.contains(&key) {
            return Err(ConnectError::Config(format!("ProxyJump goes round in circles: {last} again")));
        }
        seen.push(key.clone());
        if !before.is_empty() {
            let before: Vec<_> = before.iter().map(ToString::to_string).collect();
            ssh_args.extend(["-J".to_owned(), before.join(",")]);
        }
        let hop = Target {
            host: last.host.clone(),
            port: last.port,
            user: last.user.clone(),
            ssh_args,
            timeout: target.timeout,
            host_keys: target.host_keys,
            retries: target.retries,
            ..Target::default()
        };
        let via = Some((key, Box::new(Way::after(&hop, context, seen)?)));
        Ok(Way { settings, via })
    }

    /// The session to the host before, opened once for all that go through it.
    pub(super) async fn before(
        &self,
        context: &Arc<SshContext>,
    ) -> Result<Option<Arc<Session>>, ConnectError> {
        let Some((key, way)) = &self.via else { return Ok(None) };
        let place = context.jumps.place(key.clone());
        let asked = Instant::now();
        let mut place = place.lock().await;
        if let Some(session) = place.session.as_ref().filter(|session| session.is_open()) {
            return Ok(Some(session.clone()));
        }
        // Those who waited while it failed need not try one after the other.
        if let Some((_, error)) = place.failed.as_ref().filter(|(when, _)| *when > asked) {
            return Err(error.clone());
        }
        let opened = Box::pin(super::reach(way, context)).await;
        place.failed = opened.as_ref().err().map(|error| (Instant::now(), error.clone()));
        place.session = opened.as_ref().ok().cloned();
        opened.map(Some)
    }
}

/// The sessions to jump hosts.
#[derive(Default)]
pub(super) struct Jumps {
    places: Mutex<HashMap<Key, Place>>,
}

impl Jumps {
    fn place(&self, key: Key) -> Place {
        self.places.lock().unwrap_or_else(PoisonError::into_inner).entry(key).or_default().clone()
    }

    /// Ends them all.
    pub(super) async fn close(&self) {
        let places = std::mem::take(&mut *self.places.lock().unwrap_or_else(PoisonError::into_inner));
        let closing = places.into_values().map(|place| async move {
            if let Some(session) = place.lock().await.session.take() {
                session.close().await;
            }
        });
        futures::future::join_all(closing).await;
    }
}

/// As with ssh, only the choice of the configuration file holds for jump hosts too.
fn config_file(ssh_args: &[String]) -> Vec<String> {
    let mut words = ssh_args.iter();
    while let Some(word) = words.next() {
        if let Some(path) = word.strip_prefix("-F") {
            let path = if path.is_empty() { words.next().cloned() } else { Some(path.to_owned()) };
            return path.map(|path| vec!["-F".to_owned(), path]).unwrap_or_default();
        }
    }
    Vec::new()
}

/// Starts the program of `ProxyCommand`.
pub(super) fn command(text: &str, settings: &Settings) -> Result<Box<dyn Stream>, ConnectError> {
    let failed = |error: io::Error| ConnectError::Connect {
        address: settings.address(),
        reason: format!("the proxy command can't be started: {}", reason(&error)),
    };
    // `exec`: the shell gives way to the program, so that ending the one ends the other.
    let mut command = Command::new("/bin/sh");
    command.arg("-c").arg(format!("exec {text}"));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true);
    let mut child = command.spawn().map_err(failed)?;
    match (child.stdin.take(), child.stdout.take()) {
        (Some(input), Some(output)) => Ok(Box::new(Program { input, output, _child: child })),
        _ => Err(failed(io::ErrorKind::BrokenPipe.into())),
    }
}

/// A program as a stream. It is killed when the stream goes.
struct Program {
    input: ChildStdin,
    output: ChildStdout,
    _child: Child,
}

impl AsyncRead for Program {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.output).poll_read(cx, buf)
    }
}

impl AsyncWrite for Program {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.input).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_shutdown(cx)
    }
}
