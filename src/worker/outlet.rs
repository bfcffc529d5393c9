//! What leaves the host while a module runs: lines of commands, and contents of files in both directions.

use std::cell::Cell;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use super::Server;
use super::control::{Control, Stop};
use crate::modules::api::{Context, Controller, Fail};
use crate::proto::{CHUNK, CallId, FromWorker, WINDOW};

/// The longest line that is shown live, in bytes; the result has the whole line.
const LINE: usize = 4096;

/// How many lines may be sent at once, and how many more each second; the result has all of them.
const LINES: f64 = 200.0;

/// How much of a file is asked for at once, in bytes.
const HALF_WINDOW: u64 = WINDOW as u64 / 2;

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

    /// Asks for half a window more of a file.
    fn want(&self, blob: u32, offset: u64) {
        let credit = u32::try_from(HALF_WINDOW).unwrap_or(u32::MAX);
        self.send(&FromWorker::Want { call: self.call, blob, offset, credit });
    }

    fn send(&self, message: &FromWorker) {
        self.control.note(message);
        self.server.send(message);
    }
}

impl Controller for Outlet {
    /// Shows a line, unless nobody wants lines or there are too many.
    fn line(&self, stderr: bool, text: &str) {
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

    fn live(&self) -> bool {
        self.live
    }

    fn receive(&self, blob: usize, file: &mut dyn Write) -> Result<(), Fail> {
        let blob = u32::try_from(blob).map_err(|_| Fail::new("the call has no such file"))?;
        let (mut asked, mut got) = (0, 0);
        let mut failed = None;
        loop {
            // Half a window is always under way. After a failure only what was asked for is still taken, so that
            // it can't be mistaken for a part of what is asked for next.
            while failed.is_none() && asked - got <= HALF_WINDOW {
                self.want(blob, asked);
                asked += HALF_WINDOW;
            }
            if let Some(error) = failed.take_if(|_| got >= asked) {
                return Err(error);
            }
            let (from, data) = self.control.next_chunk().map_err(stopped)?;
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
                failed = file.write_all(&data).about(|| "writing what the controller sends".into()).err();
            }
        }
    }

    fn piece(&self, data: &[u8]) -> Result<(), Fail> {
        if data.is_empty() {
            self.send(&FromWorker::Piece { call: self.call, data: Vec::new() });
        }
        for part in data.chunks(CHUNK) {
            self.control.spend(part.len()).map_err(stopped)?;
            self.send(&FromWorker::Piece { call: self.call, data: part.to_vec() });
        }
        Ok(())
    }

    fn cancelled(&self) -> bool {
        self.control.stopped().is_some()
    }
}

fn stopped(stop: Stop) -> Fail {
    Fail::new(stop.to_string())
}
