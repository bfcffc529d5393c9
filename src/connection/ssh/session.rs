//! One session with a host: opened over any stream, checked, logged in; then commands run in channels of it, and jumps
//! to other hosts go through channels of it.

use std::borrow::Cow;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::FutureExt;
use futures::future::BoxFuture;
use russh::client::{self, ChannelOpenHandle, DisconnectReason, GexParams, Handle, Handler, Msg};
use russh::keys::PublicKeyOrCertificate;
use russh::{Channel, Disconnect, Preferred, SshId, compression};
use tokio::net::UnixStream;

use super::auth;
use super::clock::{Clock, stage};
use super::context::SshContext;
use super::host_key::{HostKeyChecker, Refused};
use super::link::{Knife, Link, Stream, printable, reason};
use super::pipe;
use super::settings::Settings;
use crate::connection::{ConnectError, Connection, Pipe};

/// A session that is logged in.
pub(super) struct Session {
    handle: Handle<Events>,
    settings: Arc<Settings>,
    farewell: Farewell,
    /// Gone when it was closed.
    knife: Mutex<Option<Knife>>,
    /// The session that this one runs through.
    _via: Option<Arc<Session>>,
}

/// Why a session ended, as far as the host or the network said.
#[derive(Clone, Default)]
pub(super) struct Farewell(Arc<Mutex<Option<String>>>);

impl Farewell {
    fn set(&self, text: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
    }

    /// The reason, if there is one by now.
    pub(super) fn get(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Session {
    /// Exchanges keys over a stream, checks the host, and logs in.
    pub(super) async fn open(
        settings: &Arc<Settings>,
        context: &Arc<SshContext>,
        stream: Box<dyn Stream>,
        via: Option<Arc<Session>>,
        clock: &Clock,
    ) -> Result<Session, ConnectError> {
        clock.enter(stage::HOST_KEY);
        let checker = {
            let (settings, context) = (settings.clone(), context.clone());
            let made = tokio::task::spawn_blocking(move || HostKeyChecker::new(&context, &settings));
            made.await.map_err(|error| ConnectError::Config(error.to_string()))?
        };
        let (link, knife) = Link::new(stream);
        let farewell = Farewell::default();
        let config = Arc::new(config(settings, &checker));
        let events = Events {
            checker,
            farewell: farewell.clone(),
            agent: settings.login.agent.clone().filter(|_| settings.forward_agent),
        };
        let handle = client::connect_stream(config, link, events).await;
        let mut handle = handle.map_err(|trouble| trouble.into_error(settings))?;
        clock.enter(stage::AUTHENTICATE);
        auth::log_in(&mut handle, settings, context, &farewell, clock).await?;
        Ok(Session {
            handle,
            settings: settings.clone(),
            farewell,
            knife: Mutex::new(Some(knife)),
            _via: via,
        })
    }

    /// A stream to another host, as this one sees it.
    pub(super) async fn tunnel(&self, host: &str, port: u16) -> Result<Box<dyn Stream>, ConnectError> {
        let opened = self.handle.channel_open_direct_tcpip(host, u32::from(port), "127.0.0.1", 0).await;
        let channel = opened.map_err(|error| match error {
            russh::Error::ChannelOpenFailure(why) => ConnectError::Connect {
                address: format!("{host}:{port} through {}", self.settings.address()),
                reason: match why {
                    russh::ChannelOpenFailure::ConnectFailed => "it can't be reached from there".to_owned(),
                    russh::ChannelOpenFailure::AdministrativelyProhibited => {
                        "forwarding is not allowed there (AllowTcpForwarding)".to_owned()
                    }
                    other => format!("{other:?}"),
                },
            },
            error => self.lost(&error),
        })?;
        Ok(super::tunnel::stream(channel))
    }

    fn lost(&self, error: &russh::Error) -> ConnectError {
        let reason = self.farewell.get().unwrap_or_else(|| said(error));
        ConnectError::Lost { address: self.settings.address(), reason }
    }

    async fn start(&self, command: &str, pty: bool) -> Result<Pipe, ConnectError> {
        let channel = self.handle.channel_open_session().await.map_err(|error| match error {
            russh::Error::ChannelOpenFailure(_) => ConnectError::Connect {
                address: self.settings.address(),
                reason: "the host opens no more channels in this session (MaxSessions)".to_owned(),
            },
            error => self.lost(&error),
        })?;
        self.ask(&channel, command, pty).await.map_err(|error| self.lost(&error))?;
        Ok(pipe::pipe(channel, self.settings.timeout))
    }

    /// Only the command's own start is answered: the requests before it change comfort, not meaning.
    async fn ask(&self, channel: &Channel<Msg>, command: &str, pty: bool) -> Result<(), russh::Error> {
        if self.settings.forward_agent {
            channel.agent_forward(false).await?;
        }
        if pty {
            channel.request_pty(false, "xterm", 80, 24, 0, 0, &[]).await?;
        }
        channel.exec(true, command).await
    }
}

impl Connection for Session {
    fn exec<'a>(&'a self, command: &'a str, pty: bool) -> BoxFuture<'a, Result<Pipe, ConnectError>> {
        async move {
            let clock = Clock::start(self.settings.timeout);
            clock.enter(stage::CHANNEL);
            clock.limit(&self.settings.address(), self.start(command, pty)).await
        }
        .boxed()
    }

    fn is_open(&self) -> bool {
        !self.handle.is_closed()
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        async move {
            let goodbye = self.handle.disconnect(Disconnect::ByApplication, "", "");
            // A host that does not listen any more is not waited for.
            let _ = tokio::time::timeout(Duration::from_secs(1), goodbye).await;
            let gone = async {
                while self.is_open() {
                    tokio::time::sleep(Duration::from_millis(5)).await;
                }
            };
            let _ = tokio::time::timeout(Duration::from_secs(1), gone).await;
            drop(self.knife.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
        .boxed()
    }
}

fn config(settings: &Settings, checker: &HostKeyChecker) -> client::Config {
    let (key, host_key_certificates) = checker.algorithms();
    let none: &[_] = &[compression::NONE];
    let compressed: &[_] = &[compression::ZLIB_LEGACY, compression::ZLIB, compression::NONE];
    client::Config {
        client_id: SshId::Standard(Cow::Borrowed(concat!("SSH-2.0-regatta_", env!("CARGO_PKG_VERSION")))),
        preferred: Preferred {
            key: Cow::Owned(key),
            host_key_certificates: Cow::Owned(host_key_certificates),
            compression: Cow::Borrowed(if settings.compression { compressed } else { none }),
            ..Preferred::DEFAULT
        },
        keepalive_interval: settings.keepalive,
        keepalive_max: settings.keepalive_max,
        gex: GexParams::new(2048, 4096, 8192).unwrap_or_default(),
        nodelay: true,
        ..client::Config::default()
    }
}

/// What the library tells us during a session.
pub(super) struct Events {
    checker: HostKeyChecker,
    farewell: Farewell,
    /// The agent that the host may use.
    agent: Option<PathBuf>,
}

/// Why a session could not be opened.
#[derive(Debug)]
pub(super) enum Trouble {
    HostKey(String),
    Library(russh::Error),
}

impl From<russh::Error> for Trouble {
    fn from(error: russh::Error) -> Trouble {
        Trouble::Library(error)
    }
}

impl Trouble {
    fn into_error(self, settings: &Settings) -> ConnectError {
        let address = settings.address();
        match self {
            Trouble::HostKey(text) => ConnectError::HostKey(text),
            Trouble::Library(russh::Error::NoCommonAlgo { kind, ours, theirs }) => {
                let what = match kind {
                    russh::AlgorithmKind::Key => "host key algorithm",
                    russh::AlgorithmKind::Kex => "key exchange",
                    russh::AlgorithmKind::Cipher => "cipher",
                    russh::AlgorithmKind::Mac => "message authentication",
                    russh::AlgorithmKind::Compression => "compression",
                };
                let theirs = printable(&theirs.join(","));
                let reason = format!("no {what} in common: it has {theirs}, we have {}", ours.join(","));
                ConnectError::Connect { address, reason }
            }
            Trouble::Library(error) => {
                let mut reason = said(&error);
                if reason == CLOSED {
                    reason.push_str(
                        " before it was known who it is (it may have too many at once: MaxStartups)",
                    );
                }
                ConnectError::Lost { address, reason }
            }
        }
    }
}

const CLOSED: &str = "the host closed the connection";

/// An error of the library in words.
fn said(error: &russh::Error) -> String {
    match error {
        russh::Error::Disconnect | russh::Error::HUP | russh::Error::SendError | russh::Error::RecvError => {
            CLOSED.to_owned()
        }
        russh::Error::IO(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => CLOSED.to_owned(),
        russh::Error::IO(error) => reason(error),
        russh::Error::KeepaliveTimeout => "the host does not answer any more".to_owned(),
        russh::Error::Version => "what answers there does not speak SSH 2".to_owned(),
        russh::Error::Join(_) => "the SSH library failed".to_owned(),
        error => printable(&error.to_string()),
    }
}

impl Handler for Events {
    type Error = Trouble;

    async fn check_server_key(&mut self, shown: &PublicKeyOrCertificate) -> Result<bool, Trouble> {
        self.checker.check(shown).map(|()| true).map_err(|Refused(why)| Trouble::HostKey(why))
    }

    async fn disconnected(&mut self, reason: DisconnectReason<Trouble>) -> Result<(), Trouble> {
        match reason {
            DisconnectReason::ReceivedDisconnect(info) => {
                self.farewell.set(format!("the host ended the session: {}", printable(&info.message)));
                Ok(())
            }
            DisconnectReason::Error(error) => {
                if let Trouble::Library(error) = &error {
                    self.farewell.set(said(error));
                }
                Err(error)
            }
        }
    }

    async fn server_channel_open_agent_forward(
        &mut self,
        channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<(), Trouble> {
        // Dropping the reply refuses, which is right when forwarding was not asked for.
        if let Some(path) = self.agent.clone() {
            reply.accept().await;
            tokio::spawn(async move {
                let Ok(mut agent) = UnixStream::connect(path).await else { return };
                let _ = tokio::io::copy_bidirectional(&mut channel.into_stream(), &mut agent).await;
            });
        }
        Ok(())
    }

    // What else a host may want to open has no business with us: refused by dropping the reply.

    async fn server_channel_open_forwarded_tcpip(
        &mut self,
        _channel: Channel<Msg>,
        _connected_address: &str,
        _connected_port: u32,
        _originator_address: &str,
        _originator_port: u32,
        _reply: ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<(), Trouble> {
        Ok(())
    }

    async fn server_channel_open_forwarded_streamlocal(
        &mut self,
        _channel: Channel<Msg>,
        _socket_path: &str,
        _reply: ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<(), Trouble> {
        Ok(())
    }

    async fn server_channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        _reply: ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<(), Trouble> {
        Ok(())
    }

    async fn server_channel_open_direct_tcpip(
        &mut self,
        _channel: Channel<Msg>,
        _host_to_connect: &str,
        _port_to_connect: u32,
        _originator_address: &str,
        _originator_port: u32,
        _reply: ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<(), Trouble> {
        Ok(())
    }

    async fn server_channel_open_direct_streamlocal(
        &mut self,
        _channel: Channel<Msg>,
        _socket_path: &str,
        _reply: ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<(), Trouble> {
        Ok(())
    }

    async fn server_channel_open_x11(
        &mut self,
        _channel: Channel<Msg>,
        _originator_address: &str,
        _originator_port: u32,
        _reply: ChannelOpenHandle,
        _session: &mut client::Session,
    ) -> Result<(), Trouble> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::Target;
    use crate::connection::ssh::tests::context;

    #[test]
    fn nothing_weak_is_offered_and_the_exchange_is_strict() {
        for argument in ["-oCompression=no", "-oHostKeyAlgorithms=+ssh-rsa,ssh-dss"] {
            let context = context();
            let target =
                Target { host: "web1".to_owned(), ssh_args: vec![argument.to_owned()], ..Target::default() };
            let settings = Arc::new(Settings::of(&target, &context).unwrap());
            let config = config(&settings, &HostKeyChecker::new(&context, &settings));
            let preferred = &config.preferred;
            let names =
                preferred.kex.iter().map(AsRef::as_ref).chain(preferred.mac.iter().map(AsRef::as_ref));
            let names = names.chain(preferred.cipher.iter().map(AsRef::as_ref)).map(str::to_owned);
            let keys = preferred.key.iter().chain(preferred.host_key_certificates.iter());
            let names: Vec<_> = names.chain(keys.map(ToString::to_string)).collect();
            for weak in ["sha1", "cbc", "ssh-rsa", "ssh-dss", "none", "arcfour", "hmac-md5", "clear"] {
                assert!(!names.iter().any(|name| name.contains(weak)), "{weak} in {names:?}");
            }
            assert!(names.iter().any(|name| name == "kex-strict-c-v00@openssh.com"));
            assert_eq!(preferred.compression.iter().map(AsRef::as_ref).collect::<Vec<&str>>(), ["none"]);
            assert!(config.nodelay);
        }
    }
}
