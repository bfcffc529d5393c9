//! A server of our own that does what no sshd would: asks strange questions, hangs, breaks off.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use regatta::connection::ssh::SshContext;
use russh::keys::{Algorithm, PrivateKey};
use russh::server::{self, Auth, ChannelOpenHandle, Msg, Response, Session, VerifiedPublicKey};
use russh::{Channel, ChannelId, MethodKind, MethodSet};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::sshd::Home;

/// What it does.
#[derive(Clone, Copy, Debug, Default)]
pub struct Manners {
    /// Takes this password.
    pub password: Option<&'static str>,
    /// Asks these questions, hidden ones if true, and wants these answers.
    pub questions: &'static [(&'static str, bool, &'static str)],
    /// Asks the same for ever.
    pub endless: bool,
    /// Takes every key, but wants the password too.
    pub key_first: bool,
    /// Takes every key.
    pub key: bool,
    /// Does not answer an attempt to log in.
    pub silent_login: bool,
    /// Does not open channels.
    pub silent_channel: bool,
    /// Does not say whether it starts a command.
    pub silent_command: bool,
    /// Refuses to start commands.
    pub refuses_command: bool,
    /// Breaks off in the middle of the output.
    pub breaks_off: bool,
}

/// A running one.
pub struct Liar {
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    key: String,
    serving: JoinHandle<()>,
}

impl Liar {
    /// Starts it.
    pub async fn start(manners: Manners) -> Liar {
        let key = PrivateKey::random(&mut rand::rng(), Algorithm::Ed25519).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let public = key.public_key().to_openssh().unwrap();
        let config = Arc::new(server::Config {
            keys: vec![key],
            auth_rejection_time: Duration::from_millis(10),
            auth_rejection_time_initial: Some(Duration::ZERO),
            methods: MethodSet::from(
                [MethodKind::PublicKey, MethodKind::Password, MethodKind::KeyboardInteractive].as_slice(),
            ),
            ..server::Config::default()
        });
        let serving = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let guest = Guest { manners, asked: false };
                if let Ok(session) = server::run_stream(config.clone(), stream, guest).await {
                    tokio::spawn(session);
                }
            }
        });
        Liar { port, key: public, serving }
    }

    /// A home that knows it, and its context.
    pub fn known(&self) -> (Home, Arc<SshContext>) {
        let home = Home::new();
        home.known_hosts(&format!("[127.0.0.1]:{} {}", self.port, self.key));
        let context = home.context();
        (home, context)
    }

    /// The same, with a key.
    pub fn known_with_key(&self) -> (Home, Arc<SshContext>) {
        let (home, context) = self.known();
        home.key("ed25519");
        (home, context)
    }
}

impl Drop for Liar {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

struct Guest {
    manners: Manners,
    asked: bool,
}

fn answer(right: bool) -> Auth {
    if right { Auth::Accept } else { Auth::Reject { proceed_with_methods: None, partial_success: false } }
}

impl server::Handler for Guest {
    type Error = russh::Error;

    async fn auth_password(&mut self, _user: &str, password: &str) -> Result<Auth, russh::Error> {
        Ok(answer(self.manners.password == Some(password)))
    }

    async fn auth_publickey(
        &mut self,
        _user: &str,
        _key: VerifiedPublicKey<'_>,
    ) -> Result<Auth, russh::Error> {
        if self.manners.silent_login {
            std::future::pending::<()>().await;
        }
        if self.manners.key_first {
            let methods = MethodSet::from([MethodKind::Password].as_slice());
            return Ok(Auth::Reject { proceed_with_methods: Some(methods), partial_success: true });
        }
        Ok(answer(self.manners.key))
    }

    async fn auth_keyboard_interactive<'a>(
        &'a mut self,
        _user: &str,
        _submethods: &str,
        response: Option<Response<'a>>,
    ) -> Result<Auth, russh::Error> {
        let questions = self.manners.questions;
        if questions.is_empty() {
            return Ok(answer(false));
        }
        if let (true, Some(response), false) = (self.asked, response, self.manners.endless) {
            let answers: Vec<_> = response.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()).collect();
            return Ok(answer(
                questions.iter().map(|(_, _, answer)| *answer).eq(answers.iter().map(String::as_str)),
            ));
        }
        self.asked = true;
        let prompts: Vec<_> =
            questions.iter().map(|(text, hidden, _)| (Cow::Borrowed(*text), !hidden)).collect();
        Ok(Auth::Partial { name: "".into(), instructions: "".into(), prompts: prompts.into() })
    }

    async fn channel_open_session(
        &mut self,
        _channel: Channel<Msg>,
        reply: ChannelOpenHandle,
        _session: &mut Session,
    ) -> Result<(), russh::Error> {
        if self.manners.silent_channel {
            std::future::pending::<()>().await;
        }
        reply.accept().await;
        Ok(())
    }

    async fn exec_request(
        &mut self,
        channel: ChannelId,
        _data: &[u8],
        session: &mut Session,
    ) -> Result<(), russh::Error> {
        if self.manners.silent_command {
            return Ok(());
        }
        if self.manners.refuses_command {
            return session.channel_failure(channel);
        }
        session.channel_success(channel)?;
        session.data(channel, "half of the out")?;
        if self.manners.breaks_off {
            let handle = session.handle();
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_millis(100)).await;
                let _ = handle.disconnect(russh::Disconnect::ByApplication, "enough".into(), "".into()).await;
            });
            return Ok(());
        }
        session.exit_status_request(channel, 0)?;
        session.eof(channel)?;
        session.close(channel)
    }
}

/// A port that sends these bytes to everybody, again and again if they shall flow, and then keeps silent or goes.
pub async fn port_that_sends(bytes: &'static [u8], flows: bool, stays: bool) -> (u16, JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let serving = tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                use tokio::io::AsyncWriteExt;
                while stream.write_all(bytes).await.is_ok() && flows {}
                if stays {
                    std::future::pending::<()>().await;
                }
            });
        }
    });
    (port, serving)
}
