//! The host as a running module sees it, until the modules' own host on the real system is there: it can only be
//! asked for nothing.

use super::{Server, control::Control, outlet::Outlet};
use crate::modules::api::*;
use crate::proto::Call;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;
pub(super) struct Host {
    blobs: Vec<Blob>,
    outlet: Outlet,
}
pub(super) fn for_call(server: &Arc<Server>, call: &Call, control: &Arc<Control>) -> Host {
    Host { blobs: call.blobs.clone(), outlet: Outlet::new(server, control, call.id, call.live) }
}
fn no<T>() -> Result<T, Fail> {
    Err(Fail::new("this build can't look at the host"))
}
impl Look for Host {
    fn stat(&self, _: &std::path::Path, _: bool) -> Result<Option<Stat>, Fail> {
        no()
    }
    fn read(&self, _: &std::path::Path) -> Result<Option<Vec<u8>>, Fail> {
        no()
    }
    fn read_link(&self, _: &std::path::Path) -> Result<PathBuf, Fail> {
        no()
    }
    fn list(&self, _: &std::path::Path) -> Result<Vec<std::ffi::OsString>, Fail> {
        no()
    }
    fn digest(&self, _: &std::path::Path, _: &str) -> Result<Option<String>, Fail> {
        no()
    }
    fn access(&self, _: &std::path::Path, _: u32) -> bool {
        false
    }
    fn query(&self, _: &Cmd) -> Result<Ran, Fail> {
        self.outlet.line(false, "x");
        let _ = self.outlet.receive(0, 0, &mut |_| Ok(()));
        let _ = self.outlet.piece(b"");
        self.outlet.cancelled();
        no()
    }
    fn which(&self, _: &str) -> Option<PathBuf> {
        None
    }
    fn user(&self, _: &str) -> Result<Option<User>, Fail> {
        no()
    }
    fn group(&self, _: &str) -> Result<Option<Group>, Fail> {
        no()
    }
    fn ids(&self) -> (u32, u32) {
        (0, 0)
    }
    fn env(&self, _: &str) -> Option<String> {
        None
    }
    fn now(&self) -> SystemTime {
        SystemTime::now()
    }
    fn blobs(&self) -> &[Blob] {
        &self.blobs
    }
}
type P = std::path::Path;
impl Touch for Host {
    fn as_look(&self) -> &dyn Look {
        self
    }
    fn write(&mut self, _: &P, _: &[u8], _: &Write) -> Result<Option<PathBuf>, Fail> {
        no()
    }
    fn receive(&mut self, _: usize, _: &P, _: &Write) -> Result<Option<PathBuf>, Fail> {
        no()
    }
    fn write_with(
        &mut self,
        _: &P,
        _: &mut dyn FnMut(&mut std::fs::File) -> Result<(), Fail>,
        _: &Write,
    ) -> Result<Option<PathBuf>, Fail> {
        no()
    }
    fn send(&mut self, _: &P) -> Result<(), Fail> {
        no()
    }
    fn make_dir(&mut self, _: &P, _: u32) -> Result<(), Fail> {
        no()
    }
    fn remove_file(&mut self, _: &P) -> Result<(), Fail> {
        no()
    }
    fn remove_tree(&mut self, _: &P) -> Result<(), Fail> {
        no()
    }
    fn rename(&mut self, _: &P, _: &P) -> Result<(), Fail> {
        no()
    }
    fn symlink(&mut self, _: &P, _: &P, _: bool) -> Result<(), Fail> {
        no()
    }
    fn hard_link(&mut self, _: &P, _: &P, _: bool) -> Result<(), Fail> {
        no()
    }
    fn chmod(&mut self, _: &P, _: u32) -> Result<(), Fail> {
        no()
    }
    fn chown(&mut self, _: &P, _: Option<u32>, _: Option<u32>, _: bool) -> Result<(), Fail> {
        no()
    }
    fn set_times(&mut self, _: &P, _: Option<f64>, _: Option<f64>, _: bool) -> Result<(), Fail> {
        no()
    }
    fn temp_dir(&mut self) -> Result<PathBuf, Fail> {
        no()
    }
    fn run(&mut self, _: &Cmd) -> Result<Ran, Fail> {
        no()
    }
}
