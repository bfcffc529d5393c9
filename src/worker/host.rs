//! The host as a running module sees it: the real one, with this call's way to the controller.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use super::{Server, control::Control, outlet::Outlet};
use crate::modules::api::{Controller, Entry, Fail, Outcome, RealHost};
use crate::proto::Call;

impl Controller for Outlet {
    fn line(&self, stderr: bool, text: &str) {
        Outlet::line(self, stderr, text);
    }
    fn live(&self) -> bool {
        Outlet::live(self)
    }
    fn receive(&self, blob: usize, file: &mut File) -> Result<(), Fail> {
        let blob = u32::try_from(blob).map_err(|_| Fail::new("the call has no such file"))?;
        Outlet::receive(self, blob, 0, &mut |data| file.write_all(data))
    }
    fn piece(&self, data: &[u8]) -> Result<(), Fail> {
        Outlet::piece(self, data)
    }
    fn cancelled(&self) -> bool {
        Outlet::cancelled(self)
    }
}

/// Runs a call's module here.
pub(super) fn run(
    server: &Arc<Server>,
    call: &Call,
    control: &Arc<Control>,
    entry: &Entry,
) -> Result<Outcome, Fail> {
    let Some(exec) = entry.exec else {
        return Err(Fail::new(format!("{} runs on the controller only", entry.name)));
    };
    let outlet = Outlet::new(server, control, call.id, call.live);
    let mut host = RealHost::new(&outlet, &call.blobs, &call.environment);
    exec(&call.args, &mut host, call.check, call.diff)
}
