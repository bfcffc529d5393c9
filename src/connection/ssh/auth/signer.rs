//! Signs what the host asks to be signed, by the agent or with a key file. A file is opened only now, when the host
//! has said that it would take the key: nobody types a passphrase for nothing.

use std::path::PathBuf;
use std::sync::Arc;

use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::signature::Signer as _;
use russh::keys::ssh_encoding::Encode;
use russh::keys::ssh_key::Signature;
use russh::keys::ssh_key::private::KeypairData;
use russh::keys::{HashAlg, PrivateKey};
use tokio::net::UnixStream;

use super::super::clock::Clock;
use super::super::context::SshContext;
use super::super::link::printable;
use super::super::questions;
use super::super::settings::Settings;
use super::files::{self, FileError};
use super::keys::{Candidate, Holder};
use crate::secret::Secret;

/// Signs with one key.
pub(super) enum Signer<'a> {
    Agent(AgentClient<UnixStream>),
    File { path: PathBuf, context: &'a Arc<SshContext>, clock: &'a Clock },
}

/// Why nothing was signed.
#[derive(Debug, thiserror::Error)]
pub(super) enum SignError {
    /// The session is over.
    #[error("the session is over")]
    Gone,
    /// The agent would not.
    #[error("the agent refuses to sign: {0}")]
    Agent(String),
    /// The file is of no use.
    #[error("{0}")]
    File(#[from] FileError),
    /// The key can't do it.
    #[error("signing failed")]
    Key,
}

impl From<russh::SendError> for SignError {
    fn from(_: russh::SendError) -> SignError {
        SignError::Gone
    }
}

impl<'a> Signer<'a> {
    /// For a key.
    pub(super) async fn new(
        candidate: &Candidate,
        context: &'a Arc<SshContext>,
        clock: &'a Clock,
    ) -> Result<Signer<'a>, SignError> {
        match &candidate.holder {
            Holder::File(path) => Ok(Signer::File { path: path.clone(), context, clock }),
            Holder::Agent(socket) => {
                let stream = UnixStream::connect(socket).await;
                let stream = stream.map_err(|error| SignError::Agent(super::super::link::reason(&error)))?;
                Ok(Signer::Agent(AgentClient::connect(stream)))
            }
        }
    }
}

impl russh::Signer for Signer<'_> {
    type Error = SignError;

    async fn auth_sign(
        &mut self,
        key: &AgentIdentity,
        hash: Option<HashAlg>,
        mut data: Vec<u8>,
    ) -> Result<Vec<u8>, SignError> {
        match self {
            // The agent may ask its user, who takes time as ours does; but that is not known here.
            Signer::Agent(agent) => {
                let signed = agent.sign_request(key, hash, data).await;
                signed.map_err(|error| SignError::Agent(error.to_string()))
            }
            Signer::File { path, context, clock } => {
                let private = files::open(path, context, clock).await?;
                let signature = sign(&private, hash, &data).ok_or(SignError::Key)?;
                signature.encode(&mut data).map_err(|_| SignError::Key)?;
                Ok(data)
            }
        }
    }
}

/// The signature as it goes into the packet.
fn sign(key: &PrivateKey, hash: Option<HashAlg>, data: &[u8]) -> Option<Vec<u8>> {
    let signature: Signature = match key.key_data() {
        KeypairData::Rsa(rsa) => (rsa, Some(hash.unwrap_or(HashAlg::Sha512))).try_sign(data).ok()?,
        other => other.try_sign(data).ok()?,
    };
    let mut bytes = Vec::new();
    signature.encode(&mut bytes).ok()?;
    Some(bytes)
}

/// Asks the user a question of the host.
pub(super) async fn question(
    context: &Arc<SshContext>,
    clock: &Clock,
    settings: &Settings,
    text: &str,
) -> Option<Secret> {
    let text = format!("{} asks: {}", settings.address(), printable(text));
    questions::ask_afresh(context, clock, &text).await
}
