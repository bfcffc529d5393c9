//! Running a command: its own process group, both outputs read as they come, stopped as a group.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::io::Errno;
use rustix::process::{Pid, PidfdFlags, Signal, kill_process_group, pidfd_open};

use super::{Cmd, Context, Controller, Fail, Look, Ran, RealHost};

/// How long a stopped command may take to clean up before it is killed.
const GRACE: Duration = Duration::from_secs(2);
/// How long output may still come after the command itself has ended: what it left running may hold its pipes forever.
const LINGER: Duration = Duration::from_millis(250);
/// How often a stop is looked for while nothing happens.
const TICK: Duration = Duration::from_millis(100);

/// Runs a command to its end. `live`: shows its lines.
pub(super) fn run(host: &RealHost<'_>, cmd: &Cmd, live: bool) -> Result<Ran, Fail> {
    host.go_on()?;
    let mut child = spawn(host, cmd)?;
    let mut running = Running::new(&mut child, cmd, live.then_some(host.controller))?;
    let end = running.finish(host.controller);
    if end.is_err() || running.stopped.is_some() {
        running.signal(Signal::KILL);
    }
    let (status, timed_out) = end?;
    host.go_on()?;
    let [stdout, stderr] = running.streams.map(|stream| stream.data);
    let rc = status.code().unwrap_or_else(|| -status.signal().unwrap_or(1));
    Ok(Ran { rc, stdout, stderr, timed_out })
}

fn spawn(host: &RealHost<'_>, cmd: &Cmd) -> Result<Child, Fail> {
    let Some(program) = cmd.argv.first() else { return Err(Fail::new("there is no command to run")) };
    if let Some(dir) = &cmd.cwd
        && !dir.is_dir()
    {
        return Err(Fail::new(format!("can't change to {}: it is no folder", dir.display())));
    }
    let absent = || {
        let name = program.to_string_lossy();
        Fail::new(format!("[Errno 2] No such file or directory: '{name}'"))
            .with("rc", 2)
            .with("cmd", cmd.display())
    };
    let name = program.to_str().ok_or_else(absent)?;
    let path = cmd.env.iter().rev().find(|(name, _)| name == "PATH").map(|(_, path)| path.clone());
    let path = path.or_else(|| host.env("PATH")).unwrap_or_default();
    let found = if name.contains('/') {
        // A relative path counts from the command's own folder.
        name.into()
    } else {
        super::files::which(name, &path).ok_or_else(absent)?
    };
    let mut command = match cmd.umask {
        None => {
            let mut command = Command::new(found);
            command.arg0(program).args(&cmd.argv[1..]);
            command
        }
        Some(umask) => {
            let mut command = Command::new("/bin/sh");
            let script = OsString::from(format!("umask {umask:04o} && exec \"$@\""));
            command.args(["-c".into(), script, "sh".into(), found.into_os_string()]).args(&cmd.argv[1..]);
            command
        }
    };
    command.envs(host.environment.iter().map(|(name, value)| (name, value)));
    command.envs(cmd.env.iter().map(|(name, value)| (name, value)));
    if let Some(dir) = &cmd.cwd {
        command.current_dir(dir);
    }
    command.stdin(if cmd.stdin.is_some() { Stdio::piped() } else { Stdio::null() });
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    command.spawn().map_err(|error| match error.raw_os_error() {
        Some(code) if error.kind() == io::ErrorKind::NotFound => absent().with("rc", code),
        code => {
            let text = error.to_string();
            let text = text.split(" (os error").next().unwrap_or(&text).to_owned();
            let code = code.unwrap_or(1);
            Fail::new(format!("[Errno {code}] {text}: '{name}'")).with("rc", code).with("cmd", cmd.display())
        }
    })
}

/// One output of a running command.
struct Stream<'c> {
    pipe: Option<OwnedFd>,
    data: Vec<u8>,
    /// Up to where lines have been shown.
    shown: usize,
    live: Option<&'c dyn Controller>,
    stderr: bool,
}

impl Stream<'_> {
    /// Takes what has come; false if there was nothing.
    fn take(&mut self) -> io::Result<bool> {
        let Some(pipe) = &self.pipe else { return Ok(false) };
        let mut piece = [0; 16 << 10];
        match rustix::io::read(pipe, &mut piece) {
            Ok(0) => self.pipe = None,
            Ok(len) => {
                self.data.extend_from_slice(&piece[..len]);
                self.show(false);
                return Ok(true);
            }
            Err(Errno::AGAIN | Errno::INTR) => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        self.show(true);
        Ok(true)
    }

    fn show(&mut self, rest: bool) {
        let Some(live) = self.live else { return };
        while let Some(len) = self.data[self.shown..].iter().position(|byte| *byte == b'\n') {
            let line = &self.data[self.shown..self.shown + len];
            live.line(self.stderr, String::from_utf8_lossy(line).trim_end_matches('\r'));
            self.shown += len + 1;
        }
        if rest && self.shown < self.data.len() {
            live.line(self.stderr, &String::from_utf8_lossy(&self.data[self.shown..]));
            self.shown = self.data.len();
        }
    }
}

/// Where stopping a command has come to.
enum Stopped {
    /// Asked to end; killed after this.
    Asked(Instant),
    Killed,
}

struct Running<'c> {
    child: &'c mut Child,
    group: Option<Pid>,
    /// Tells when the child ends, where the kernel has that.
    pidfd: Option<OwnedFd>,
    stdin: Option<OwnedFd>,
    input: &'c [u8],
    streams: [Stream<'c>; 2],
    deadline: Option<Instant>,
    stopped: Option<Stopped>,
}

impl<'c> Running<'c> {
    fn new(child: &'c mut Child, cmd: &'c Cmd, live: Option<&'c dyn Controller>) -> Result<Self, Fail> {
        let stdin = child.stdin.take().map(OwnedFd::from);
        let stdout = child.stdout.take().map(OwnedFd::from);
        let stderr = child.stderr.take().map(OwnedFd::from);
        for pipe in [&stdin, &stdout, &stderr].into_iter().flatten() {
            let flags = fcntl_getfl(pipe).and_then(|flags| fcntl_setfl(pipe, flags | OFlags::NONBLOCK));
            flags.map_err(io::Error::from).about(|| "preparing a pipe".into())?;
        }
        let group = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        let pidfd = group.and_then(|pid| pidfd_open(pid, PidfdFlags::empty()).ok());
        let stream = |pipe, stderr| Stream { pipe, data: Vec::new(), shown: 0, live, stderr };
        Ok(Running {
            child,
            group,
            pidfd,
            stdin,
            input: cmd.stdin.as_deref().unwrap_or_default(),
            streams: [stream(stdout, false), stream(stderr, true)],
            deadline: cmd.timeout.map(|timeout| Instant::now() + timeout),
            stopped: None,
        })
    }

    /// Feeds and reads until the command has ended. Says how, and whether it ran out of time.
    fn finish(&mut self, controller: &dyn Controller) -> Result<(ExitStatus, bool), Fail> {
        let mut ended: Option<(ExitStatus, Instant)> = None;
        let mut timed_out = false;
        loop {
            let moved = self.step(ended.is_some()).about(|| "talking to the command".into())?;
            let now = Instant::now();
            if let Some((status, since)) = &mut ended {
                if moved {
                    *since = now;
                }
                let closed = self.streams.iter().all(|stream| stream.pipe.is_none());
                if closed || now >= *since + LINGER || self.stopped.is_some() && !moved {
                    return Ok((*status, timed_out));
                }
                continue;
            }
            if let Some(status) = self.child.try_wait().about(|| "waiting for the command".into())? {
                ended = Some((status, now));
                self.stdin = None;
                // Nothing is left to wait for: the usual end.
                if self.streams.iter().all(|stream| stream.pipe.is_none()) {
                    return Ok((status, timed_out));
                }
                continue;
            }
            let late = self.deadline.is_some_and(|deadline| now >= deadline);
            match self.stopped {
                None if late || controller.cancelled() => {
                    timed_out = late;
                    self.signal(Signal::TERM);
                    self.stopped = Some(Stopped::Asked(now + GRACE));
                }
                Some(Stopped::Asked(until)) if now >= until => {
                    self.signal(Signal::KILL);
                    self.stopped = Some(Stopped::Killed);
                }
                _ => {}
            }
        }
    }

    /// Waits a moment for something to happen and does it. Says whether anything was read.
    fn step(&mut self, ended: bool) -> io::Result<bool> {
        let mut fds = Vec::with_capacity(4);
        for pipe in self.streams.iter().filter_map(|stream| stream.pipe.as_ref()) {
            fds.push(PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::IN));
        }
        if let Some(stdin) = &self.stdin {
            fds.push(PollFd::from_borrowed_fd(stdin.as_fd(), PollFlags::OUT));
        }
        if let Some(pidfd) = self.pidfd.as_ref().filter(|_| !ended) {
            fds.push(PollFd::from_borrowed_fd(pidfd.as_fd(), PollFlags::IN));
        }
        let tick = if self.pidfd.is_some() || ended { TICK } else { Duration::from_millis(10) };
        let tick = self.deadline.map_or(tick, |at| tick.min(at.saturating_duration_since(Instant::now())));
        let tick = Timespec { tv_sec: 0, tv_nsec: i64::from(tick.subsec_nanos()).max(1_000_000) };
        match poll(&mut fds, Some(&tick)) {
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        self.feed();
        let mut moved = false;
        for stream in &mut self.streams {
            while stream.take()? {
                moved = true;
                if stream.pipe.is_none() {
                    break;
                }
            }
        }
        Ok(moved)
    }

    /// A command that stops reading is no failure: it need not want all of its input.
    fn feed(&mut self) {
        while let Some(stdin) = &self.stdin {
            if self.input.is_empty() {
                self.stdin = None;
                return;
            }
            match rustix::io::write(stdin, self.input) {
                Ok(len) => self.input = &self.input[len..],
                Err(Errno::AGAIN) => return,
                Err(Errno::INTR) => {}
                Err(_) => self.stdin = None,
            }
        }
    }

    fn signal(&self, signal: Signal) {
        if let Some(group) = self.group {
            // Gone already: nothing to stop.
            let _ = kill_process_group(group, signal);
        }
    }
}
