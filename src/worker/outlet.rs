//! What leaves the host while a module runs: lines of commands, and contents of files in both directions.

use std::cell::Cell;
use std::io;
use std::sync::Arc;
use std::time::Instant;

use super::Server;
use super::control::{Control, Stop};
use crate::modules::api::Fail;
use crate::proto::{CHUNK, CallId, FromWorker, WINDOW};

/// The longest line that is shown live, in bytes; the result has the whole line.
const LINE: usize = 4096;

/// How many lines may be sent at once, and how many more each second; the result has all of them.
const LINES: f64 = 200.0;

/// One call's way to the controller.
pub(super) struct Outlet {
    server: Arc<Server>,
    control: Arc<Control>,
    call: CallId,
    live: bool,
    /// How many lines may still be sent, and when that was true.
    allowance: Cell<(f64, Instant)>,
}

impl Outlet {
    pub(super) fn new(server: &Arc<Server>, control: &Arc<Control>, call: CallId, live: bool) -> Outlet {
        Outlet {
            server: Arc::clone(server),
            control: Arc::clone(control),
            call,
            live,
            allowance: Cell::new((LINES, Instant::now())),
        }
    }

    /// Whether anybody wants lines.
    pub(super) fn live(&self) -> bool {
        self.live
    }

    /// Shows a line, unless nobody wants lines or there are too many.
    pub(super) fn line(&self, stderr: bool, text: &str) {
        if !self.live {
            return;
        }
        let (left, then) = self.allowance.get();
        let now = Instant::now();
        let left = (left + now.duration_since(then).as_secs_f64() * LINES).min(LINES);
        self.allowance.set(if left < 1.0 { (left, now) } else { (left - 1.0, now) });
        if left >= 1.0 {
            let text = String::from_utf8_lossy(&text.as_bytes()[..text.len().min(LINE)]).into_owned();
            self.server.send(&FromWorker::Line { call: self.call, stderr, text });
        }
    }

    /// Hands a file's contents from a byte on to `sink`, piece by piece.
    pub(super) fn receive(
        &self,
        blob: u32,
        offset: u64,
        sink: &mut dyn FnMut(&[u8]) -> io::Result<()>,
    ) -> Result<(), Fail> {
        let mut asked = offset;
        let mut got = offset;
        let mut failed = None;
        loop {
            // Half a window is always under way. After a failure only what was asked for is still taken, so that
            // it can't be mistaken for a part of what is asked for next.
            while failed.is_none() && asked - got <= WINDOW as u64 / 2 {
                let credit = WINDOW / 2;
                self.server.send(&FromWorker::Want {
                    call: self.call,
                    blob,
                    offset: asked,
                    credit: u32::try_from(credit).unwrap_or(u32::MAX),
                });
                asked += credit as u64;
            }
            if let Some(error) = failed.take_if(|_| got >= asked) {
                return Err(error);
            }
            let (from, data) = self.control.next_chunk().map_err(fail)?;
            if from != blob {
                continue;
            }
            let data = data
                .map_err(|reason| Fail::new(format!("the file can't be read on the controller: {reason}")))?;
            if data.is_empty() {
                return failed.map_or(Ok(()), Err);
            }
            got += data.len() as u64;
            if failed.is_none() {
                failed = sink(&data).err().map(|error| Fail::new(error.to_string()));
            }
        }
    }

    /// Sends a piece of contents; an empty one is their end.
    pub(super) fn piece(&self, data: &[u8]) -> Result<(), Fail> {
        if data.is_empty() {
            self.server.send(&FromWorker::Piece { call: self.call, data: Vec::new() });
        }
        for part in data.chunks(CHUNK) {
            self.control.spend(part.len()).map_err(fail)?;
            self.server.send(&FromWorker::Piece { call: self.call, data: part.to_vec() });
        }
        Ok(())
    }

    /// Whether the module shall stop.
    pub(super) fn cancelled(&self) -> bool {
        self.control.stopped().is_some()
    }
}

fn fail(stop: Stop) -> Fail {
    Fail::new(stop.to_string())
}
