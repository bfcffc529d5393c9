//! A terminal of its own for a program that asks for a password there, or refuses to run without one.

#![expect(unsafe_code, reason = "a child takes its controlling terminal between fork and exec")]

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::CommandExt;
use std::process::Command;

use rustix::fs::{Mode, OFlags, open};
use rustix::process::{ioctl_tiocsctty, setsid};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};

/// Both sides of a pseudo-terminal. The program's session is hung up once all copies of both are closed.
pub(super) struct Terminal {
    /// Our side.
    pub(super) ours: File,
    /// The program's side. Kept open, because ours can't be read while nobody has it open.
    _theirs: OwnedFd,
}

/// Makes the program the leader of a session with a new controlling terminal that does not echo. None, and only a
/// session: the host has no terminals to give.
pub(super) fn lead(command: &mut Command) -> Option<Terminal> {
    let (terminal, theirs) = match make() {
        Ok((terminal, theirs)) => (Some(terminal), Some(theirs)),
        Err(_) => (None, None),
    };
    let before_exec = move || -> io::Result<()> {
        setsid()?;
        if let Some(theirs) = &theirs {
            ioctl_tiocsctty(theirs)?;
        }
        Ok(())
    };
    // SAFETY: between fork and exec the closure makes two system calls and touches no memory that is not its own.
    unsafe { command.pre_exec(before_exec) };
    terminal
}

fn make() -> io::Result<(Terminal, OwnedFd)> {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&ours)?;
    unlockpt(&ours)?;
    let name = ptsname(&ours, Vec::new())?;
    let theirs = open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty())?;
    let mut modes = tcgetattr(&theirs)?;
    modes.local_modes.remove(LocalModes::ECHO | LocalModes::ECHONL);
    tcsetattr(&theirs, OptionalActions::Now, &modes)?;
    let for_child = theirs.try_clone()?;
    Ok((Terminal { ours: File::from(ours), _theirs: theirs }, for_child))
}
