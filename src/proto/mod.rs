//! What controller and worker say to each other: frames of messages over one byte stream.
//!
//! Both ends are the same build (the handshake carries [`BUILD`]), so there is no compatibility code.
//! A frame is a length (4 bytes, little endian) and a postcard-encoded message.

pub mod boot;
pub mod frame;
#[cfg(feature = "controller")]
pub mod frame_async;

use serde::{Deserialize, Serialize};

use crate::outcome::{Blob, Outcome};
use crate::secret::Secret;
use crate::value::{Map, Str};

/// What this build is: a hash over the sources that controller and worker share. A pair that differs never talks.
pub const BUILD: &str = env!("REGATTA_BUILD");

/// The largest frame either side accepts, in bytes.
pub const MAX_FRAME: usize = 64 << 20;

/// The most that one [`FromController::Chunk`] carries, in bytes.
pub const CHUNK: usize = 64 << 10;

/// How many bytes of one file may be under way in either direction: what a [`FromWorker::Want`] asks for, and what
/// the worker may send of a call's [`FromWorker::Piece`]s before the first [`FromController::Credit`].
pub const WINDOW: usize = 8 * CHUNK;

/// Names one call of a connection; the controller counts up.
pub type CallId = u64;

/// From the controller to the worker.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub enum FromController {
    /// Run a module.
    Run(Box<Call>),
    /// A piece of a file's contents that the worker asked for. An empty piece is the end.
    Chunk {
        /// The call that asked.
        call: CallId,
        /// Which of the call's blobs.
        blob: u32,
        /// The bytes, at most [`CHUNK`].
        data: Vec<u8>,
    },
    /// The file can't be read any more; the call fails with this.
    BlobFailed {
        /// The call that asked.
        call: CallId,
        /// Which of the call's blobs.
        blob: u32,
        /// Why.
        reason: String,
    },
    /// More bytes of fetched contents may be sent.
    Credit {
        /// The call that sends.
        call: CallId,
        /// How many bytes more.
        bytes: u32,
    },
    /// The result has arrived and need not be kept any longer.
    Seen(CallId),
    /// Stop a running call: its processes are killed, its half-written files removed.
    Cancel(CallId),
    /// Finish what runs and end.
    Bye,
    /// If the link is cut while the controller still waits for something: go on for that many seconds.
    Keep(u32),
    /// A worker started by an earlier link may still run there: this link shall be its link.
    Resume {
        /// Its process, as its [`Hello`] said.
        pid: u32,
        /// The nonce it was started with.
        token: String,
        /// The calls that the controller still waits for.
        open: Vec<CallId>,
    },
}

/// From the worker to the controller.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub enum FromWorker {
    /// The first message: the worker is up.
    Hello(Hello),
    /// The worker wants (more of) a file's contents: `credit` bytes from `offset` on may be sent now. Where `offset`
    /// is the end of what was asked for before, the stream goes on; any other one starts it anew there.
    Want {
        /// The call that wants them.
        call: CallId,
        /// Which of the call's blobs.
        blob: u32,
        /// From which byte on.
        offset: u64,
        /// How many bytes may be sent now.
        credit: u32,
    },
    /// A line that a running command printed.
    Line {
        /// The call.
        call: CallId,
        /// Whether it came on standard error.
        stderr: bool,
        /// The line without its end.
        text: String,
    },
    /// A piece of contents that the call sends to the controller (`fetch`). An empty piece is the end.
    Piece {
        /// The call.
        call: CallId,
        /// The bytes, at most [`CHUNK`].
        data: Vec<u8>,
    },
    /// The call is over.
    Done {
        /// The call.
        call: CallId,
        /// What it came to.
        reply: Reply,
    },
    /// The answer to [`FromController::Resume`]: whether the earlier worker was found, and talks now.
    Resumed(bool),
}

/// Who the worker is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// [`BUILD`] of the worker.
    pub build: String,
    /// Its process.
    pub pid: u32,
    /// The user it runs as.
    pub user: String,
    /// That user's home.
    pub home: String,
}

/// One module run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// Names the call.
    pub id: CallId,
    /// Calls of one chain run one after another in the order they came; chains run side by side.
    pub chain: u64,
    /// Run only if the call before it in the chain did not fail; otherwise the reply is [`Reply::NotRun`].
    pub only_if_previous_ok: bool,
    /// The module's name without a collection (`file`, `apt`).
    pub module: Str,
    /// Its arguments.
    pub args: Map,
    /// Say what would change, change nothing.
    pub check: bool,
    /// Give before and after.
    pub diff: bool,
    /// Run as somebody else.
    pub identity: Option<Identity>,
    /// Added to the environment of what the module starts.
    pub environment: Vec<(String, String)>,
    /// Seconds until it is stopped; none: no limit.
    pub timeout: Option<u64>,
    /// Files of the controller that the module may want.
    pub blobs: Vec<Blob>,
    /// Send lines of running commands as they come.
    pub live: bool,
    /// Run detached for at most this many seconds (`async`), the reply only names the job.
    pub detach: Option<u64>,
}

/// How [`Reply::Died`] begins for a call that ran into its time limit; the limit in seconds follows.
pub const TIMED_OUT: &str = "timed out after";

/// Another user to run as (`become`). The worker starts a child worker under it and relays.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Identity {
    /// `sudo`, `su` or `doas`.
    pub method: String,
    /// The user.
    pub user: String,
    /// Another program for the method (`become_exe`).
    pub exe: Option<String>,
    /// Options for it (`become_flags`), already split.
    pub flags: Vec<String>,
    /// The password for the method. Travels through pipes only.
    pub password: Option<Secret>,
}

/// How a call ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Reply {
    /// The module ran; what it returns, `failed` among it if it failed.
    Ran(Outcome),
    /// Not run, because the call before it in its chain failed.
    NotRun,
    /// The child for the identity could not be started: a wrong password, no such user, not allowed.
    IdentityFailed(String),
    /// The module panicked, was killed or ran out of time.
    Died(String),
}
