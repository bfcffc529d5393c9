//! Which keys are offered, and in which order: certificates, keys that somebody named, other keys of the agent, the usual
//! files. Hosts count attempts (`MaxAuthTries`), so what was named must not come after all the agent has.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use russh::keys::agent::AgentIdentity;
use russh::keys::agent::client::AgentClient;
use russh::keys::{Certificate, HashAlg, PublicKey};
use tokio::net::UnixStream;

use super::super::clock::Clock;
use super::super::context::SshContext;
use super::super::settings::{Identity, Login, Settings};
use super::files::{self, FileError, beside};
use super::report::Report;

/// A key to offer.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) public: PublicKey,
    /// With this, it is offered as a certificate.
    pub(super) certificate: Option<Certificate>,
    pub(super) holder: Holder,
    /// How messages call it.
    pub(super) label: String,
}

/// Who signs with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Holder {
    /// The agent at this socket.
    Agent(PathBuf),
    /// This file.
    File(PathBuf),
}

/// The keys that are left to offer.
#[derive(Default)]
pub(super) struct Keys {
    left: VecDeque<Candidate>,
}

impl Keys {
    pub(super) fn is_empty(&self) -> bool {
        self.left.is_empty()
    }

    pub(super) fn next(&mut self) -> Option<Candidate> {
        self.left.pop_front()
    }

    /// Finds all that may be offered.
    pub(super) async fn gather(
        settings: &Settings,
        context: &Arc<SshContext>,
        clock: &Clock,
        report: &mut Report,
    ) -> Keys {
        let login = &settings.login;
        let agent = match &login.agent {
            Some(path) => agent_keys(path, report).await,
            None => Vec::new(),
        };
        let mut files = Vec::new();
        for identity in &login.identities {
            match file_key(identity, context, clock).await {
                Ok(file) => files.push(file),
                // Usual files need not exist.
                Err(FileError::Missing) if !identity.named => {}
                Err(why) => report.unusable(&identity.path.display().to_string(), &why.to_string()),
            }
        }
        let (plain, certified): (Vec<_>, Vec<_>) =
            agent.into_iter().partition(|key| key.certificate.is_none());
        let mut keys = Order { login, agent: plain, files, chosen: VecDeque::new() };
        keys.certificates(certified, report);
        keys.plain();
        Keys { left: keys.chosen }
    }
}

/// A file of the login settings.
struct FileKey {
    path: PathBuf,
    public: PublicKey,
    private: bool,
    named: bool,
}

struct Order<'a> {
    login: &'a Login,
    agent: Vec<Candidate>,
    files: Vec<FileKey>,
    chosen: VecDeque<Candidate>,
}

impl Order<'_> {
    /// Who can sign for a key: the agent if it has it, else the file.
    fn holder_of(&self, certificate: &Certificate) -> Option<Holder> {
        let held = self.agent.iter().find(|key| key.public.key_data() == certificate.public_key());
        let file =
            || self.files.iter().find(|f| f.private && f.public.key_data() == certificate.public_key());
        held.map(|key| key.holder.clone()).or_else(|| file().map(|file| Holder::File(file.path.clone())))
    }

    fn certificates(&mut self, of_agent: Vec<Candidate>, report: &mut Report) {
        let beside_files = self.files.iter().map(|file| (beside(&file.path, "-cert.pub"), false));
        let named = self.login.certificates.iter().map(|path| (path.clone(), true));
        for (path, named) in named.chain(beside_files).collect::<Vec<_>>() {
            let label = format!("certificate {}", path.display());
            let certificate = match files::certificate(&path) {
                Ok(certificate) => certificate,
                Err(FileError::Missing) if !named => continue,
                Err(why) => {
                    report.unusable(&label, &why.to_string());
                    continue;
                }
            };
            match self.holder_of(&certificate) {
                Some(holder) => self.choose(Candidate {
                    public: PublicKey::new(certificate.public_key().clone(), ""),
                    label: dated(&label, &certificate),
                    certificate: Some(certificate),
                    holder,
                }),
                None => report.unusable(&label, "no key for it"),
            }
        }
        for candidate in of_agent {
            if !self.login.identities_only || self.is_listed(&candidate) {
                self.choose(candidate);
            }
        }
    }

    fn is_listed(&self, key: &Candidate) -> bool {
        self.files.iter().any(|file| file.public.key_data() == key.public.key_data())
    }

    fn plain(&mut self) {
        let files = std::mem::take(&mut self.files);
        let agent = std::mem::take(&mut self.agent);
        let (named, usual): (Vec<_>, Vec<_>) = files.into_iter().partition(|file| file.named);
        let in_agent =
            |public: &PublicKey| agent.iter().find(|key| key.public.key_data() == public.key_data());
        let of_file = |file: &FileKey| match in_agent(&file.public) {
            Some(key) => Some(Candidate { label: format!("{} (agent)", file.path.display()), ..key.clone() }),
            None => file.private.then(|| Candidate {
                public: file.public.clone(),
                certificate: None,
                holder: Holder::File(file.path.clone()),
                label: file.path.display().to_string(),
            }),
        };
        let named: Vec<_> = named.iter().filter_map(of_file).collect();
        let usual: Vec<_> = usual.iter().filter_map(of_file).collect();
        let others = if self.login.identities_only { Vec::new() } else { agent.clone() };
        for candidate in named.into_iter().chain(others).chain(usual) {
            self.choose(candidate);
        }
    }

    /// Takes a key in, unless the same is there already.
    fn choose(&mut self, candidate: Candidate) {
        let same = |other: &Candidate| {
            other.public.key_data() == candidate.public.key_data()
                && other.certificate == candidate.certificate
        };
        if !self.chosen.iter().any(same) {
            self.chosen.push_back(candidate);
        }
    }
}

async fn file_key(
    identity: &Identity,
    context: &Arc<SshContext>,
    clock: &Clock,
) -> Result<FileKey, FileError> {
    let Identity { path, named } = identity.clone();
    let (public, private) = match files::inspect(&path) {
        Ok(key) => (key.public, key.private),
        // Only opening it shows which key it is.
        Err(FileError::Locked) => (files::open(&path, context, clock).await?.public_key().clone(), true),
        Err(error) => return Err(error),
    };
    Ok(FileKey { path, public, private, named })
}

async fn agent_keys(path: &Path, report: &mut Report) -> Vec<Candidate> {
    match ask_agent(path).await {
        Ok(identities) => identities.into_iter().map(|identity| of_agent(identity, path)).collect(),
        Err(why) => {
            report.unusable(&format!("the agent at {}", path.display()), &why);
            Vec::new()
        }
    }
}

async fn ask_agent(path: &Path) -> Result<Vec<AgentIdentity>, String> {
    let stream = UnixStream::connect(path).await.map_err(|error| super::super::link::reason(&error))?;
    AgentClient::connect(stream).request_identities().await.map_err(|error| error.to_string())
}

fn of_agent(identity: AgentIdentity, path: &Path) -> Candidate {
    let (public, certificate, comment) = match identity {
        AgentIdentity::PublicKey { key, comment } => (key, None, comment),
        AgentIdentity::Certificate { certificate, comment } => {
            (PublicKey::new(certificate.public_key().clone(), ""), Some(certificate), comment)
        }
    };
    let name = if comment.is_empty() { public.fingerprint(HashAlg::Sha256).to_string() } else { comment };
    let label = match &certificate {
        Some(certificate) => dated(&format!("certificate {name} (agent)"), certificate),
        None => format!("{name} (agent)"),
    };
    Candidate { public, certificate, holder: Holder::Agent(path.to_owned()), label }
}

/// The label of a certificate says so when its time is over.
fn dated(label: &str, certificate: &Certificate) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    if now >= certificate.valid_before() { format!("{label} (expired)") } else { label.to_owned() }
}
