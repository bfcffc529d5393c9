//! Other users (`become`): a worker of their own for each, started by this one through sudo, su or doas, to which
//! their calls are relayed. What it sends goes to the controller as it is; only its results pass through here.

mod method;
mod start;
mod terminal;

use std::collections::{BTreeMap, HashMap};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{ChildStdin, ChildStdout};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use zeroize::Zeroizing;

use self::terminal::Terminal;
use super::control::Control;
use super::{Server, lock};
use crate::proto::boot::{NOISE, Nonce, Said};
use crate::proto::frame::{encode, read_frame};
use crate::proto::{BUILD, Call, CallId, FromController, FromWorker, Identity, Reply};

/// The workers of other users.
#[derive(Default)]
pub(super) struct Identities(Mutex<HashMap<Identity, Slot>>);

/// One user's worker, if it was started; the lock is held while it is, so that it is started once.
type Slot = Arc<Mutex<Option<Arc<Child>>>>;

/// A worker that runs as another user.
pub(super) struct Child {
    /// What is written to it, by a thread of its own: nobody waits for a child that does not read.
    queue: Mutex<Option<Sender<Zeroizing<Vec<u8>>>>>,
    open: Mutex<Open>,
    /// Its terminal: the hang-up would end it.
    terminal: Mutex<Option<Terminal>>,
}

/// The calls that a child runs; none once it is gone, with the reason.
enum Open {
    Calls(BTreeMap<CallId, Arc<Control>>),
    Gone(String),
}

/// Runs a call as the user it asks for.
pub(super) fn perform(
    server: &Arc<Server>,
    identity: &Identity,
    mut call: Call,
    control: &Arc<Control>,
) -> Reply {
    let child = match server.identities.child(server, identity, control) {
        Ok(child) => child,
        Err(why) => return Reply::IdentityFailed(why),
    };
    let (id, limit) = (call.id, call.timeout.take());
    call.identity = None;
    call.only_if_previous_ok = false;
    if let Err(why) = child.adopt(id, control) {
        return Reply::Died(why);
    }
    control.relay(&child);
    child.send(&FromController::Run(Box::new(call)));
    control.outcome(limit, || child.send(&FromController::Cancel(id)))
}

impl Identities {
    /// The user's worker: the one that runs, or a new one.
    fn child(
        &self,
        server: &Arc<Server>,
        identity: &Identity,
        control: &Control,
    ) -> Result<Arc<Child>, String> {
        let slot = Arc::clone(lock(&self.0).entry(identity.clone()).or_default());
        let mut slot = lock(&slot);
        if let Some(child) = slot.as_ref().filter(|child| child.is_alive()) {
            return Ok(Arc::clone(child));
        }
        let child = start::start(server, identity, control)?;
        *slot = Some(Arc::clone(&child));
        Ok(child)
    }
}

impl Child {
    fn new(stdin: ChildStdin) -> io::Result<Arc<Child>> {
        let (queue, bytes) = channel();
        thread::Builder::new().name("to child".into()).spawn(move || write(stdin, &bytes))?;
        Ok(Arc::new(Child {
            queue: Mutex::new(Some(queue)),
            open: Mutex::new(Open::Calls(BTreeMap::new())),
            terminal: Mutex::default(),
        }))
    }

    /// Sends it a message. One to a child that is gone is dropped: its calls have ended already.
    pub(super) fn send(&self, message: &FromController) {
        if let Ok(frame) = encode(message) {
            self.write(frame);
        }
    }

    fn write(&self, bytes: Zeroizing<Vec<u8>>) {
        if let Some(queue) = &*lock(&self.queue) {
            drop(queue.send(bytes));
        }
    }

    /// Ends what it reads.
    fn close(&self) {
        lock(&self.queue).take();
    }

    fn keep(&self, terminal: Terminal) {
        *lock(&self.terminal) = Some(terminal);
    }

    fn is_alive(&self) -> bool {
        matches!(*lock(&self.open), Open::Calls(_))
    }

    fn adopt(&self, id: CallId, control: &Arc<Control>) -> Result<(), String> {
        match &mut *lock(&self.open) {
            Open::Calls(calls) => {
                calls.insert(id, Arc::clone(control));
                Ok(())
            }
            Open::Gone(why) => Err(why.clone()),
        }
    }

    /// It is gone: its calls end with the reason.
    fn gone(&self, why: &str) {
        let before = std::mem::replace(&mut *lock(&self.open), Open::Gone(why.to_owned()));
        lock(&self.terminal).take();
        if let Open::Calls(calls) = before {
            for control in calls.into_values() {
                control.end(Reply::Died(why.to_owned()));
            }
        }
    }

    fn take(&self, server: &Server, message: FromWorker) {
        match message {
            FromWorker::Done { call, reply } => {
                let control = match &mut *lock(&self.open) {
                    Open::Calls(calls) => calls.remove(&call),
                    Open::Gone(_) => None,
                };
                if let Some(control) = control {
                    control.end(reply);
                }
                self.send(&FromController::Seen(call));
            }
            FromWorker::Hello(_) | FromWorker::Resumed(_) => {}
            FromWorker::Want { call, .. }
            | FromWorker::Piece { call, .. }
            | FromWorker::Line { call, .. } => {
                let control = match &*lock(&self.open) {
                    Open::Calls(calls) => calls.get(&call).cloned(),
                    Open::Gone(_) => None,
                };
                if let Some(control) = control {
                    control.note(&message);
                }
                server.send(&message);
            }
        }
    }
}

fn write(mut stdin: ChildStdin, queue: &Receiver<Zeroizing<Vec<u8>>>) {
    // A child that reads no more is noticed by who reads from it.
    while let Ok(bytes) = queue.recv() {
        if stdin.write_all(&bytes).and_then(|()| stdin.flush()).is_err() {
            return;
        }
    }
}

/// What is heard from a program that is to become a child.
enum Heard {
    /// A message of the line that brings it up.
    Said(Said),
    /// Something else on its output.
    Noise(Vec<u8>),
    /// The child's first message: it is of this build.
    Ready,
    /// It is of another build.
    OtherBuild,
    /// Its output ended.
    End,
    /// It complained, or asked for something, on standard error.
    Stderr(Vec<u8>),
    /// The same on its terminal.
    Terminal(Vec<u8>),
}

/// Reads a child's output for its whole life: first the talk of its start, then frames.
fn read(server: &Server, child: &Child, nonce: &Nonce, stdout: ChildStdout, tell: &Sender<Heard>) {
    let mut stdout = BufReader::new(stdout);
    if up(&mut stdout, nonce, tell).is_none() {
        drop(tell.send(Heard::End));
        return;
    }
    while let Ok(Some(message)) = read_frame(&mut stdout) {
        child.take(server, message);
    }
}

/// Follows the start of a child until it is ready. None: it never was.
fn up(stdout: &mut BufReader<ChildStdout>, nonce: &Nonce, tell: &Sender<Heard>) -> Option<()> {
    let mut noise = 0;
    loop {
        let mut line = Vec::new();
        let room = (NOISE + 1).saturating_sub(noise) as u64;
        stdout.by_ref().take(room).read_until(b'\n', &mut line).ok().filter(|count| *count > 0)?;
        match nonce.parse(&line) {
            Some(Said::Hello) => break,
            Some(said) => tell.send(Heard::Said(said)).ok()?,
            None => {
                noise += line.len();
                tell.send(Heard::Noise(line)).ok()?;
            }
        }
    }
    match read_frame(stdout) {
        Ok(Some(FromWorker::Hello(hello))) if hello.build == BUILD => tell.send(Heard::Ready).ok(),
        Ok(Some(FromWorker::Hello(_))) => tell.send(Heard::OtherBuild).ok().and(None),
        _ => None,
    }
}
