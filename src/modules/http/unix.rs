//! HTTP over a socket of the host (`/run/docker.sock`) instead of TCP.

use std::io::{ErrorKind, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, LazyBuffers, NextTimeout, RustlsConnector, Transport,
};
use ureq::{Agent, Error};

/// An agent that talks to a socket whatever the URL names.
pub(super) fn agent(config: Config, path: &Path) -> Agent {
    let connector = ().chain(Socket(path.to_owned())).chain(RustlsConnector::default());
    Agent::with_parts(config, connector, Nowhere)
}

/// The URL's name is for the server alone: it is not looked up.
#[derive(Debug)]
struct Nowhere;

impl Resolver for Nowhere {
    fn resolve(&self, _: &Uri, _: &Config, _: NextTimeout) -> Result<ResolvedSocketAddrs, Error> {
        let mut none = self.empty();
        none.push(([0, 0, 0, 0], 0).into());
        Ok(none)
    }
}

#[derive(Debug)]
struct Socket(PathBuf);

impl Connector<()> for Socket {
    type Out = Link;

    fn connect(&self, details: &ConnectionDetails<'_>, _: Option<()>) -> Result<Option<Link>, Error> {
        let stream = UnixStream::connect(&self.0)?;
        let buffers =
            LazyBuffers::new(details.config.input_buffer_size(), details.config.output_buffer_size());
        Ok(Some(Link { stream, buffers }))
    }
}

#[derive(Debug)]
struct Link {
    stream: UnixStream,
    buffers: LazyBuffers,
}

impl Transport for Link {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.set_write_timeout(timeout.not_zero().map(|limit| *limit))?;
        let output = &self.buffers.output()[..amount];
        self.stream.write_all(output).map_err(|error| in_time(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.set_read_timeout(timeout.not_zero().map(|limit| *limit))?;
        let amount =
            self.stream.read(self.buffers.input_append_buf()).map_err(|error| in_time(error, timeout))?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// Asked before a link is used once more; each agent here is used for one request.
    fn is_open(&mut self) -> bool {
        false
    }
}

fn in_time(error: std::io::Error, timeout: NextTimeout) -> Error {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => Error::Timeout(timeout.reason),
        _ => Error::Io(error),
    }
}
