//! Ways to a host: a connection starts programs there; the worker, once started over one, runs the tasks.

pub mod client;
pub mod connector;
pub mod image;
mod line;
pub mod local;
mod push;
pub mod ssh;
mod transfer;

use std::path::PathBuf;
use std::time::Duration;

use futures::future::BoxFuture;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::secret::Secret;

pub use client::{BlobSource, CallError, Lines, NoFiles, Worker};
pub use connector::{Connector, ConnectorOptions, RawOutput};
pub use image::Images;
pub use local::Local;

/// A way to start programs on a host.
pub trait Connection: Send + Sync {
    /// Starts a command through the login user's shell (ssh) or `/bin/sh` (local). `pty`: with a terminal.
    fn exec<'a>(&'a self, command: &'a str, pty: bool) -> BoxFuture<'a, Result<Pipe, ConnectError>>;
    /// Whether it is still usable.
    fn is_open(&self) -> bool;
    /// Says goodbye.
    fn close(&self) -> BoxFuture<'_, ()>;
}

/// A started program.
pub struct Pipe {
    /// What it reads.
    pub stdin: Box<dyn AsyncWrite + Send + Unpin>,
    /// What it prints.
    pub stdout: Box<dyn AsyncRead + Send + Unpin>,
    /// What it complains about.
    pub stderr: Box<dyn AsyncRead + Send + Unpin>,
    /// Its exit code once it ended; none when the link was cut first.
    pub exit: BoxFuture<'static, Option<i32>>,
}

/// Where and as whom to connect: all that variables, options and settings say, before `~/.ssh/config` is read.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Target {
    /// `ssh` or `local`.
    pub transport: Transport,
    /// `ansible_host`, or the inventory name.
    pub host: String,
    /// `ansible_port`, if said.
    pub port: Option<u16>,
    /// `ansible_user` or `remote_user`, if said.
    pub user: Option<String>,
    /// `ansible_password`, or what `-k` asked for.
    pub password: Option<Secret>,
    /// `ansible_ssh_private_key_file` or `--private-key`.
    pub key_file: Option<PathBuf>,
    /// Words of `ansible_ssh_common_args` and `ansible_ssh_extra_args` (`-o Option=value`, `-J`, `-i`, `-p` …).
    pub ssh_args: Vec<String>,
    /// `timeout`: to connect and log in.
    pub timeout: Duration,
    /// How host keys are checked, if said; else by `StrictHostKeyChecking` of the ssh configuration, else strictly.
    pub host_keys: Option<HostKeyCheck>,
    /// How many times to try again to connect.
    pub retries: u32,
}

/// How a host is reached.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Transport {
    /// Over SSH.
    #[default]
    Ssh,
    /// This machine.
    Local,
}

/// What to do with a host key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum HostKeyCheck {
    /// Only keys that known_hosts has.
    Strict,
    /// Unknown ones are added, changed ones refused.
    AcceptNew,
    /// Anything is taken.
    Off,
}

/// Why a host could not be reached, or its worker not be started. All of them end as UNREACHABLE.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ConnectError {
    /// No address for the name.
    #[error("could not resolve {host}: {reason}")]
    Resolve {
        /// The name.
        host: String,
        /// Why.
        reason: String,
    },
    /// Nobody answers there.
    #[error("could not connect to {address}: {reason}")]
    Connect {
        /// Host and port.
        address: String,
        /// Why.
        reason: String,
    },
    /// It took too long.
    #[error("timed out after {seconds} s while {stage} ({address})")]
    Timeout {
        /// What was being done.
        stage: &'static str,
        /// Host and port.
        address: String,
        /// How long.
        seconds: u64,
    },
    /// The host's key is not the one that is known, or not known at all.
    #[error("{0}")]
    HostKey(String),
    /// None of the ways to log in was taken.
    #[error("{0}")]
    Auth(String),
    /// The ssh configuration can't be read.
    #[error("{0}")]
    Config(String),
    /// The worker can't be started there.
    #[error("{0}")]
    Worker(String),
    /// The link was cut.
    #[error("connection to {address} lost: {reason}")]
    Lost {
        /// Host and port.
        address: String,
        /// Why.
        reason: String,
    },
}

#[cfg(test)]
mod tests;
