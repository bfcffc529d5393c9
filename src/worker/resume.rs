//! Outliving a cut link: what runs goes on for a while, and a worker that the controller starts over a new link hands
//! that link over to this one, so that no task is lost or run twice.
//!
//! While it is adrift a worker can be reached through a socket in a directory of its own user; before that nothing of it
//! is anywhere. Only a worker that was told to keep on (`FromController::Keep`) does; others end with their link.

use std::fs::{self, DirBuilder};
use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, geteuid, kill_process, test_kill_process};

use super::control::Stop;
use super::{Phase, Server, lock};
use crate::proto::frame::write_frame;
use crate::proto::{CallId, FromController, FromWorker, Reply};

/// How often a worker that is adrift looks for somebody who comes for it.
const TICK: Duration = Duration::from_millis(50);

/// How long a worker may take to open its socket after it was asked to.
const PATIENCE: Duration = Duration::from_secs(5);

/// The signal that tells a worker that its link is cut when it has not noticed yet.
pub(super) const SIGNAL: i32 = libc::SIGUSR1;

/// A directory with the socket of a worker that is adrift; it goes with it.
struct Place {
    directory: PathBuf,
    listener: UnixListener,
}

impl Drop for Place {
    fn drop(&mut self) {
        drop(fs::remove_dir_all(&self.directory));
    }
}

/// Where such a directory may be.
fn directories(token: &str) -> impl Iterator<Item = PathBuf> {
    let own = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|it| it.is_absolute());
    let name = format!("regatta-{token}");
    let shared = ["/dev/shm", "/var/tmp", "/tmp"].map(PathBuf::from);
    own.into_iter().chain(shared).map(move |parent| parent.join(&name))
}

impl Place {
    fn make(token: &str) -> Option<Place> {
        directories(token).find_map(|directory| {
            // Fails if the name is taken, whoever took it.
            DirBuilder::new().mode(0o700).create(&directory).ok()?;
            match UnixListener::bind(directory.join("s")) {
                Ok(listener) => Some(Place { directory, listener }),
                Err(_) => {
                    drop(fs::remove_dir_all(&directory));
                    None
                }
            }
        })
    }
}

/// Waits for a new link after the old one was cut. None: nothing is left to be done for the controller, it does not
/// come back in time, or the worker is to end.
pub(super) fn adrift(server: &Server) -> Option<UnixStream> {
    let grace = (*lock(&server.grace))?;
    if server.phase() != Phase::Serving || !server.owes() {
        return None;
    }
    server.stop_transfers();
    let place = Place::make(&server.token)?;
    place.listener.set_nonblocking(true).ok()?;
    let until = Instant::now() + grace;
    while Instant::now() < until && server.phase() == Phase::Serving {
        if let Ok((stream, _)) = place.listener.accept() {
            stream.set_nonblocking(false).ok()?;
            return Some(stream);
        }
        thread::sleep(TICK);
    }
    None
}

/// A link to the worker that an earlier link of this controller led to, which loses that one. None: it is gone.
pub(super) fn reach(pid: u32, token: &str) -> Option<UnixStream> {
    let pid = Pid::from_raw(pid.try_into().ok()?)?;
    // The nonce that it was started with tells it from every other process.
    let words = fs::read(format!("/proc/{}/cmdline", pid.as_raw_nonzero())).ok()?;
    let words: Vec<&[u8]> = words.split(|byte| *byte == 0).collect();
    let [_, b"serve", first, second, ..] = words.as_slice() else { return None };
    if [*first, *second].concat() != token.as_bytes() {
        return None;
    }
    let asked = Instant::now();
    kill_process(pid, Signal::USR1).ok()?;
    while asked.elapsed() < PATIENCE && test_kill_process(pid).is_ok() {
        if let Some(stream) = directories(token).find_map(|it| connect(&it)) {
            return Some(stream);
        }
        thread::sleep(TICK);
    }
    None
}

fn connect(directory: &std::path::Path) -> Option<UnixStream> {
    let about = fs::symlink_metadata(directory).ok()?;
    let private = about.is_dir() && about.uid() == geteuid().as_raw() && about.mode() & 0o077 == 0;
    if private { UnixStream::connect(directory.join("s")).ok() } else { None }
}

impl Server {
    /// Whether the controller waits for anything.
    fn owes(&self) -> bool {
        !lock(&self.calls).is_empty() || !lock(&self.finished).is_empty()
    }

    /// Ends what was in the middle of sending or getting a file: nobody knows how much of it has arrived.
    fn stop_transfers(&self) {
        for control in lock(&self.calls).values().filter(|control| control.transfers()) {
            control.stop(Stop::LinkCut);
        }
        for (reply, sent_file) in lock(&self.finished).values_mut() {
            if *sent_file {
                *reply = Reply::Died("the link was cut while its file was on the way".into());
            }
        }
    }

    /// The controller is back on a new link and waits for these calls only.
    pub(super) fn resumed(&self, open: &[CallId]) {
        lock(&self.finished).retain(|call, _| open.contains(call));
        for (call, control) in lock(&self.calls).iter() {
            if !open.contains(call) {
                control.stop(Stop::Cancelled);
            }
        }
        self.send(&FromWorker::Resumed(true));
    }

    /// Hands this worker's link over to the one that the controller means. Returns the input if there is none.
    pub(super) fn hand_over<I: Read>(
        self: &Arc<Self>,
        mut input: I,
        pid: u32,
        token: String,
        open: Vec<CallId>,
    ) -> io::Result<Option<I>> {
        let Some(mut other) = reach(pid, &token) else {
            self.send(&FromWorker::Resumed(false));
            return Ok(Some(input));
        };
        write_frame(&mut other, &FromController::Resume { pid, token, open })?;
        let mut from_other = other.try_clone()?;
        let Some(mut output) = lock(&self.link).output.take() else { return Ok(None) };
        let server = Arc::clone(self);
        thread::Builder::new().name("relay".into()).spawn(move || {
            drop(io::copy(&mut from_other, &mut output).and_then(|_| output.flush()));
            server.enter(Phase::Ending);
        })?;
        drop(io::copy(&mut input, &mut other));
        other.shutdown(Shutdown::Write)?;
        Ok(None)
    }
}
