//! Logging in: the methods that both sides know, in order, until the host is content or nothing is left. A host may
//! ask for several methods one after the other.

mod files;
mod keys;
mod report;
mod signer;

use std::sync::Arc;

use russh::MethodKind;
use russh::client::{AuthResult, Handle, KeyboardInteractiveAuthResponse};
use russh::keys::{Algorithm, HashAlg};

use self::keys::{Candidate, Keys};
use self::report::Report;
use super::clock::Clock;
use super::context::SshContext;
use super::link::printable;
use super::session::{Events, Farewell};
use super::settings::Settings;
use crate::connection::ConnectError;

/// How often a host may ask in one keyboard-interactive dialogue.
const MAX_ROUNDS: usize = 8;

/// Logs in.
pub(super) async fn log_in(
    handle: &mut Handle<Events>,
    settings: &Arc<Settings>,
    context: &Arc<SshContext>,
    farewell: &Farewell,
    clock: &Clock,
) -> Result<(), ConnectError> {
    let wants_keys = settings.login.methods.iter().any(|method| method == "publickey");
    let mut report = Report::default();
    let keys =
        if wants_keys { Keys::gather(settings, context, clock, &mut report).await } else { Keys::default() };
    let mut dialogue = Dialogue {
        handle,
        settings,
        context,
        clock,
        keys,
        report,
        allowed: None,
        used: Vec::new(),
        rsa_hash: None,
        done: false,
    };
    let went = dialogue.run().await;
    if dialogue.done {
        return Ok(());
    }
    let closed = dialogue.handle.is_closed() || went.is_err();
    let reason = farewell.get().filter(|_| closed);
    let offered = dialogue.allowed.as_deref().unwrap_or_default();
    match (went, &reason) {
        // Cut before the host said anything about our attempts.
        (Err(error), None) if dialogue.report.is_empty() => {
            Err(ConnectError::Lost { address: settings.address(), reason: error.to_string() })
        }
        _ => Err(ConnectError::Auth(dialogue.report.message(settings, offered, reason.as_deref()))),
    }
}

struct Dialogue<'a> {
    handle: &'a mut Handle<Events>,
    settings: &'a Settings,
    context: &'a Arc<SshContext>,
    clock: &'a Clock,
    keys: Keys,
    report: Report,
    /// What the host would take next; none until it has said so.
    allowed: Option<Vec<MethodKind>>,
    /// Methods that are through: tried, or taken as one of several.
    used: Vec<&'static str>,
    /// What RSA keys sign with.
    rsa_hash: Option<HashAlg>,
    done: bool,
}

impl Dialogue<'_> {
    async fn run(&mut self) -> Result<(), russh::Error> {
        // Asking what the host takes costs a round trip, which is saved when there is a key to try anyway.
        if self.keys.is_empty() {
            let result = self.handle.authenticate_none(&self.settings.user).await?;
            self.note(&result);
        }
        while !self.done && !self.handle.is_closed() {
            let Some(method) = self.next_method() else { return Ok(()) };
            match method {
                "publickey" => self.public_key().await?,
                "password" => self.password().await?,
                _ => self.interactive().await?,
            }
        }
        Ok(())
    }

    /// The next method that the host takes and we have something for.
    fn next_method(&self) -> Option<&'static str> {
        let order = self.settings.login.methods.iter();
        let known = order.filter_map(|name| {
            ["publickey", "password", "keyboard-interactive"].into_iter().find(|k| k == name)
        });
        let has_secret = self.settings.login.password.is_some();
        known.into_iter().find(|name| {
            let allowed =
                self.allowed.as_ref().is_none_or(|kinds| kinds.iter().any(|k| <&str>::from(k) == *name));
            let able = match *name {
                "publickey" => !self.keys.is_empty(),
                "password" => has_secret,
                // A host may ask for something else than a password, such as a code.
                _ => has_secret || self.context.prompt.is_some(),
            };
            allowed && able && !self.used.contains(name)
        })
    }

    /// Takes an answer in. True when this method was taken, alone or as one of several.
    fn note(&mut self, result: &AuthResult) -> bool {
        match result {
            AuthResult::Success => {
                self.done = true;
                true
            }
            AuthResult::Failure { remaining_methods, partial_success } => {
                // When the session is over, the library says that nothing is left; what the host said stands.
                if !(remaining_methods.is_empty() && self.handle.is_closed()) {
                    self.allowed = Some(remaining_methods.to_vec());
                }
                *partial_success
            }
        }
    }

    fn may(&self, kind: MethodKind) -> bool {
        !self.done
            && !self.handle.is_closed()
            && self.allowed.as_ref().is_none_or(|kinds| kinds.contains(&kind))
    }

    async fn public_key(&mut self) -> Result<(), russh::Error> {
        while let Some(candidate) = self.keys.next() {
            let result = self.try_key(&candidate).await?;
            let Some(result) = result else { continue };
            if self.note(&result) {
                if !self.done {
                    self.report.taken(format!("key {}", candidate.label));
                }
                return Ok(());
            }
            self.report.tried_key(&candidate.label);
            if !self.may(MethodKind::PublicKey) {
                break;
            }
        }
        if self.keys.is_empty() {
            self.used.push("publickey");
        }
        Ok(())
    }

    /// Offers a key. None when it could not be used, which the report then says.
    async fn try_key(&mut self, candidate: &Candidate) -> Result<Option<AuthResult>, russh::Error> {
        let hash = match candidate.public.algorithm() {
            Algorithm::Rsa { .. } => {
                // Hosts that don't say what they take get the better one, and are not asked again, since asking
                // takes a second then. SHA-1 is never used.
                if self.rsa_hash.is_none() {
                    let best = self.handle.best_supported_rsa_hash().await?.flatten();
                    self.rsa_hash = Some(best.unwrap_or(HashAlg::Sha512));
                }
                self.rsa_hash
            }
            _ => None,
        };
        let mut signer = match signer::Signer::new(candidate, self.context, self.clock).await {
            Ok(signer) => signer,
            Err(why) => {
                self.report.unusable(&candidate.label, &why.to_string());
                return Ok(None);
            }
        };
        let user = self.settings.user.as_str();
        let result = match &candidate.certificate {
            Some(certificate) => {
                self.handle.authenticate_certificate_with(user, certificate.clone(), hash, &mut signer).await
            }
            None => {
                let key = candidate.public.clone();
                self.handle.authenticate_publickey_with(user, key, hash, &mut signer).await
            }
        };
        match result {
            Ok(result) => Ok(Some(result)),
            Err(signer::SignError::Gone) => Err(russh::Error::Disconnect),
            Err(why) => {
                self.report.unusable(&candidate.label, &why.to_string());
                Ok(None)
            }
        }
    }

    async fn password(&mut self) -> Result<(), russh::Error> {
        self.used.push("password");
        let Some(password) = &self.settings.login.password else { return Ok(()) };
        let result = self.handle.authenticate_password(&self.settings.user, password.expose()).await?;
        match self.note(&result) {
            true if !self.done => self.report.taken("the password".to_owned()),
            true => {}
            false => self.report.tried("the password"),
        }
        Ok(())
    }

    /// Answers the first hidden question with the password, others with what the user says.
    async fn interactive(&mut self) -> Result<(), russh::Error> {
        self.used.push("keyboard-interactive");
        let mut password = self.settings.login.password.clone();
        let start = self.handle.authenticate_keyboard_interactive_start(&self.settings.user, None);
        let mut response = start.await?;
        for _ in 0..MAX_ROUNDS {
            let prompts = match response {
                KeyboardInteractiveAuthResponse::Success => {
                    self.done = true;
                    return Ok(());
                }
                KeyboardInteractiveAuthResponse::Failure { remaining_methods, partial_success } => {
                    let result = AuthResult::Failure { remaining_methods, partial_success };
                    if self.note(&result) {
                        self.report.taken("the answers to its questions".to_owned());
                    } else if self.settings.login.password.is_some() {
                        self.report.tried("the password (keyboard-interactive)");
                    }
                    return Ok(());
                }
                KeyboardInteractiveAuthResponse::InfoRequest { prompts, .. } => prompts,
            };
            let mut answers = Vec::with_capacity(prompts.len());
            for prompt in prompts {
                let known = if prompt.echo { None } else { password.take() };
                let answer = match known {
                    Some(password) => Some(password),
                    None => signer::question(self.context, self.clock, self.settings, &prompt.prompt).await,
                };
                if answer.is_none() {
                    let why = format!("no answer to `{}`", printable(&prompt.prompt));
                    self.report.unusable("keyboard-interactive", &why);
                }
                answers.push(answer.map_or_else(String::new, |answer| answer.expose().to_owned()));
            }
            response = self.handle.authenticate_keyboard_interactive_respond(answers).await?;
        }
        Ok(())
    }
}
