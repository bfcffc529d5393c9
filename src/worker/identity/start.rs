//! Starting a worker as another user: answering for its password, handing it the program, and saying clearly why it
//! did not come up. Always over within a bounded time.

use std::fs;
use std::io::{self, Read, Write};
use std::process::{Child as Process, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process_group};
use rustix::system::uname;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::terminal::{self, Terminal};
use super::{Child, Heard, Server, lock, method, read};
use crate::proto::Identity;
use crate::proto::boot::{Nonce, Program, Said, random_hex};
use crate::secret::Secret;
use crate::worker::control::Control;

/// How long nothing may happen.
const PATIENCE: Duration = Duration::from_secs(12);

/// How long what looks like a question must stand unfinished to be one.
const SETTLED: Duration = Duration::from_millis(150);

/// How much of what a program prints is kept, in bytes.
const TAIL: usize = 4096;

/// This program's own file, which is there even when its name is gone.
const OWN: &str = "/proc/self/exe";

/// Starts a worker as the user.
///
/// # Errors
/// Why there is none, in words for the user.
pub(super) fn start(
    server: &Arc<Server>,
    identity: &Identity,
    control: &Control,
) -> Result<Arc<Child>, String> {
    let about = |what: &str, error: io::Error| format!("can't become {}: {what}: {error}", identity.user);
    let nonce = Nonce::new().map_err(|error| about("no random numbers", error))?;
    let key = random_hex(16).map_err(|error| about("no random numbers", error))?;
    let prompt = format!("[{} key={key}] password:", identity.method);
    let program = own_program().map_err(|error| about("can't read the worker's own program", error))?;
    let argv = method::argv(identity, &prompt, &nonce, std::slice::from_ref(program))?;
    let (process, terminal) = spawn(&argv).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => {
            format!("can't become {}: there is no {} on the host", identity.user, argv[0])
        }
        _ => about(&argv[0], error),
    })?;
    let starting = Starting {
        identity,
        prompt,
        terminal,
        control,
        asked: Vec::new(),
        printed: Vec::new(),
        answered: false,
    };
    starting.attend(server, process, nonce)
}

/// What this worker runs from. Read once.
fn own_program() -> io::Result<&'static Program> {
    static PROGRAM: OnceLock<Program> = OnceLock::new();
    if let Some(program) = PROGRAM.get() {
        return Ok(program);
    }
    let bytes = fs::read(OWN)?;
    let system = uname();
    let word = |text: &std::ffi::CStr| text.to_string_lossy().into_owned();
    let program = Program {
        machine: format!("{}/{}", word(system.sysname()), word(system.machine())),
        sha256: Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect(),
        size: bytes.len() as u64,
    };
    Ok(PROGRAM.get_or_init(|| program))
}

fn spawn(argv: &[String]) -> io::Result<(Process, Option<Terminal>)> {
    let mut command = Command::new(&argv[0]);
    command.args(&argv[1..]);
    // They name folders of the user that this worker runs as.
    command.env_remove("XDG_CACHE_HOME").env_remove("XDG_RUNTIME_DIR");
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let terminal = terminal::lead(&mut command);
    Ok((command.spawn()?, terminal))
}

/// A child that is not up yet.
struct Starting<'a> {
    identity: &'a Identity,
    prompt: String,
    terminal: Option<Terminal>,
    control: &'a Control,
    /// What it wrote to standard error or its terminal since the last answer.
    asked: Vec<u8>,
    /// What it printed that belongs to nothing.
    printed: Vec<u8>,
    answered: bool,
}

impl Starting<'_> {
    fn attend(
        mut self,
        server: &Arc<Server>,
        mut process: Process,
        nonce: Nonce,
    ) -> Result<Arc<Child>, String> {
        let group = i32::try_from(process.id()).ok().and_then(Pid::from_raw);
        let missing = || self.failed("a pipe of the child is missing");
        let stdin = process.stdin.take().ok_or_else(missing)?;
        let stdout = process.stdout.take().ok_or_else(missing)?;
        let stderr = process.stderr.take().ok_or_else(missing)?;
        let no_thread = |error: io::Error| format!("the host has no room for another thread: {error}");
        let child = Child::new(stdin).map_err(no_thread)?;
        let (tell, heard) = channel();
        let tail = Arc::new(Mutex::new(Vec::new()));
        if let Some(terminal) = &self.terminal {
            let ours = terminal.ours.try_clone().map_err(no_thread)?;
            listen(ours, tell.clone(), None, Heard::Terminal).map_err(no_thread)?;
        }
        listen(stderr, tell.clone(), Some(Arc::clone(&tail)), Heard::Stderr).map_err(no_thread)?;
        let (server, reading) = (Arc::clone(server), Arc::clone(&child));
        let user = self.identity.user.clone();
        let reader = move || {
            read(&server, &reading, &nonce, stdout, &tell);
            drop(tell);
            let status = process.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
            let tail = String::from_utf8_lossy(&lock(&tail)).trim().to_owned();
            reading.gone(format!("the worker of {user} ended ({status}) {tail}").trim_end());
        };
        thread::Builder::new().name("from child".into()).spawn(reader).map_err(no_thread)?;
        if let Err(why) = self.until_ready(&child, &heard) {
            self.give_up(&child, group);
            return Err(why);
        }
        if let Some(terminal) = self.terminal.take() {
            child.keep(terminal);
        }
        Ok(child)
    }

    /// Ends a program that may still wait for an answer, and may run as somebody whom we can't send a signal: the
    /// terminal's own interrupt reaches it all the same.
    fn give_up(&mut self, child: &Child, group: Option<Pid>) {
        child.close();
        if let Some(terminal) = &mut self.terminal {
            drop(terminal.ours.write_all(b"\x03\x04"));
        }
        if let Some(group) = group {
            let _ = kill_process_group(group, Signal::TERM);
        }
    }

    fn until_ready(&mut self, child: &Child, heard: &Receiver<Heard>) -> Result<(), String> {
        let mut refused = Vec::new();
        let mut deadline = Instant::now() + PATIENCE;
        let mut on_terminal = false;
        loop {
            let asks = self.asks();
            let wait = if asks { SETTLED } else { Duration::from_millis(250) };
            match heard.recv_timeout(wait) {
                Ok(Heard::Ready) => return Ok(()),
                Ok(Heard::Said(said)) => {
                    deadline = Instant::now() + PATIENCE;
                    self.said(said, child, &mut refused)?;
                }
                Ok(Heard::Noise(bytes)) => keep(&mut self.printed, &bytes),
                Ok(Heard::Stderr(bytes)) => {
                    on_terminal = false;
                    keep(&mut self.asked, &bytes);
                }
                Ok(Heard::Terminal(bytes)) => {
                    on_terminal = true;
                    keep(&mut self.asked, &bytes);
                }
                Ok(Heard::OtherBuild) => {
                    return Err(self.failed("the worker there is of another build"));
                }
                Ok(Heard::End) | Err(RecvTimeoutError::Disconnected) => return Err(self.ended(heard)),
                Err(RecvTimeoutError::Timeout) if asks => {
                    self.answer(child, on_terminal)?;
                    deadline = Instant::now() + PATIENCE;
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
            if let Some(stop) = self.control.stopped() {
                return Err(self.failed(&stop.to_string()));
            }
            if Instant::now() >= deadline {
                return Err(self.failed(&format!("timed out after {} s", PATIENCE.as_secs())));
            }
        }
    }

    fn said(&self, said: Said, child: &Child, refused: &mut Vec<String>) -> Result<(), String> {
        match said {
            Said::Need { .. } => {
                let bytes = fs::read(OWN).map_err(|error| self.failed(&error.to_string()))?;
                child.write(Zeroizing::new(Nonce::offer(bytes.len(), false).into_bytes()));
                child.write(Zeroizing::new(bytes));
                Ok(())
            }
            Said::No(why) => {
                refused.push(why);
                Ok(())
            }
            Said::Failed => {
                Err(self.failed(&format!("the worker can't be put anywhere:\n  {}", refused.join("\n  "))))
            }
            Said::Machine(machine) => Err(self.failed(&format!("the machine is {machine} now"))),
            Said::Hello => Ok(()),
        }
    }

    /// Whether the last thing it wrote looks like a question: our own, or an unfinished line that ends with a colon.
    fn asks(&self) -> bool {
        let text = String::from_utf8_lossy(&self.asked);
        text.contains(&self.prompt) || text.trim_end_matches([' ', '\t']).ends_with([':', '：'])
    }

    fn answer(&mut self, child: &Child, on_terminal: bool) -> Result<(), String> {
        let method = &self.identity.method;
        let Some(password) = &self.identity.password else {
            return Err(format!("Missing {method} password"));
        };
        if self.answered {
            return Err(format!("Incorrect {method} password"));
        }
        self.answered = true;
        self.asked.clear();
        let line = line(password);
        match &mut self.terminal {
            Some(terminal) if on_terminal => {
                terminal.ours.write_all(&line).map_err(|error| format!("can't answer {method}: {error}"))
            }
            _ => {
                child.write(line);
                Ok(())
            }
        }
    }

    /// Why it ended before it was up.
    fn ended(&mut self, heard: &Receiver<Heard>) -> String {
        let until = Instant::now() + Duration::from_millis(300);
        while let Ok(rest) = heard.recv_timeout(until.saturating_duration_since(Instant::now())) {
            match rest {
                Heard::Stderr(bytes) | Heard::Terminal(bytes) => keep(&mut self.asked, &bytes),
                Heard::Noise(bytes) => keep(&mut self.printed, &bytes),
                _ => {}
            }
        }
        let method = &self.identity.method;
        let text = String::from_utf8_lossy(&self.asked).to_lowercase();
        if self.answered && REFUSED.iter().any(|words| text.contains(words)) {
            return format!("Incorrect {method} password");
        }
        if NEEDED.iter().any(|words| text.contains(words)) {
            return format!("Missing {method} password");
        }
        self.failed("it ended before the worker ran")
    }

    fn failed(&self, what: &str) -> String {
        let mut text = format!("can't become {} with {}: {what}", self.identity.user, self.identity.method);
        for said in [&self.asked, &self.printed] {
            let said = String::from_utf8_lossy(said);
            let said = said.replace(&self.prompt, "");
            if !said.trim().is_empty() {
                text.push_str(": ");
                text.push_str(said.trim());
            }
        }
        text
    }
}

/// What sudo, su and doas say when a password was wrong.
const REFUSED: &[&str] = &[
    "authentication failure",
    "authentication failed",
    "incorrect password",
    "try again",
    "permission denied",
];

/// What they say when they may not ask for one.
const NEEDED: &[&str] = &["a password is required", "authorization required", "authentication required"];

fn line(password: &Secret) -> Zeroizing<Vec<u8>> {
    let mut line = Zeroizing::new(Vec::with_capacity(password.expose().len() + 1));
    line.extend_from_slice(password.expose().as_bytes());
    line.push(b'\n');
    line
}

/// Adds to the end and forgets what is too long ago.
fn keep(kept: &mut Vec<u8>, bytes: &[u8]) {
    kept.extend_from_slice(bytes);
    let surplus = kept.len().saturating_sub(TAIL);
    kept.drain(..surplus);
}

/// Hands on what a stream gives until it ends, even when nobody listens any more, so that its writer never waits.
fn listen(
    mut stream: impl Read + Send + 'static,
    tell: Sender<Heard>,
    tail: Option<Arc<Mutex<Vec<u8>>>>,
    kind: fn(Vec<u8>) -> Heard,
) -> io::Result<()> {
    thread::Builder::new().name("complaints".into()).spawn(move || {
        let mut part = [0; 1024];
        while let Ok(count @ 1..) = stream.read(&mut part) {
            if let Some(tail) = &tail {
                keep(&mut lock(tail), &part[..count]);
            }
            drop(tell.send(kind(part[..count].to_vec())));
        }
    })?;
    Ok(())
}
