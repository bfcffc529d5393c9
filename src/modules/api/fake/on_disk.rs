//! The real host with a folder of its own, for the tests of modules whose work real programs do (`tar`, `git`).
//!
//! In arguments and scripts `DIR` stands for the folder.

use std::io;
use std::path::PathBuf;
use std::process::Command;

use tempfile::TempDir;

use super::arguments;
use crate::modules::api::{Blob, BlobKind, Controller, Fail, Module, Outcome, RealHost, digest_of, entry};

/// A folder of this machine, and what the controller offers.
pub struct OnDisk {
    folder: TempDir,
    blobs: Vec<Blob>,
    contents: Offered,
    environment: Vec<(String, String)>,
}

struct Offered(Vec<Vec<u8>>);

impl Controller for Offered {
    fn line(&self, _: bool, _: &str) {}
    fn live(&self) -> bool {
        false
    }
    fn receive(&self, blob: usize, sink: &mut dyn io::Write) -> Result<(), Fail> {
        sink.write_all(&self.0[blob]).map_err(|error| Fail::new(error.to_string()))
    }
    fn piece(&self, _: &[u8]) -> Result<(), Fail> {
        Ok(())
    }
    fn cancelled(&self) -> bool {
        false
    }
}

impl Default for OnDisk {
    fn default() -> OnDisk {
        OnDisk::new()
    }
}

impl OnDisk {
    /// An empty folder, which is the home too.
    pub fn new() -> OnDisk {
        let folder = tempfile::tempdir().unwrap();
        let home = ("HOME".to_owned(), folder.path().to_str().unwrap().to_owned());
        OnDisk { folder, blobs: Vec::new(), contents: Offered(Vec::new()), environment: vec![home] }
    }

    /// With a file of the folder as the controller's next one.
    pub fn offer(&mut self, name: &str, path: &str) {
        let contents = std::fs::read(self.path(path)).unwrap();
        let sha1 = digest_of(&contents, "sha1").unwrap();
        let kind = BlobKind::File { size: contents.len() as u64, sha1 };
        self.blobs.push(Blob { name: name.into(), kind, mode: 0o644 });
        self.contents.0.push(contents);
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn filled(&self, text: &str) -> String {
        text.replace("DIR", self.folder.path().to_str().unwrap())
    }

    /// Runs a script in the folder and returns what it prints; panics if it fails.
    #[track_caller]
    pub fn sh(&self, script: &str) -> String {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-euc", &self.filled(script)]).current_dir(self.folder.path());
        let output = shell.envs(self.environment.iter().cloned()).env("LC_ALL", "C").output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).trim_end().to_owned();
        assert!(output.status.success(), "{script}: {}{}", text(&output.stdout), text(&output.stderr));
        text(&output.stdout)
    }

    fn run<M: Module>(&self, args: &str, check: bool) -> Result<Outcome, Fail> {
        let mut host = RealHost::new(&self.contents, &self.blobs, &self.environment);
        entry::run::<M>(&arguments(&self.filled(args)), &mut host, check, true)
    }

    /// Runs a module with a diff; `args` is a YAML mapping.
    pub fn play<M: Module>(&self, args: &str) -> Result<Outcome, Fail> {
        self.run::<M>(args, false)
    }

    /// Runs a module in check mode with a diff; panics if anything in the folder is not as before.
    #[track_caller]
    pub fn check<M: Module>(&self, args: &str) -> Result<Outcome, Fail> {
        let look = || self.sh(r"find . -printf '%p %s %m %U %T@ %l\n' | sort");
        let before = look();
        let outcome = self.run::<M>(args, true);
        assert_eq!(look(), before, "check mode changed something");
        outcome
    }

    /// Check mode foresees a change, the real run makes it, and neither finds one after that. Returns the outcome of the
    /// real run.
    #[track_caller]
    pub fn converge<M: Module>(&self, args: &str) -> Outcome {
        assert!(self.check::<M>(args).unwrap().changed, "check mode foresees no change");
        let outcome = self.play::<M>(args).unwrap();
        assert!(outcome.changed, "nothing changed");
        self.settled::<M>(args);
        outcome
    }

    /// Neither check mode nor a real run finds anything to do.
    #[track_caller]
    pub fn settled<M: Module>(&self, args: &str) {
        let foreseen = self.check::<M>(args).unwrap();
        assert!(!foreseen.changed, "check mode foresees a second change: {foreseen:?}");
        let outcome = self.play::<M>(args).unwrap();
        assert!(!outcome.changed, "a second run changes something: {outcome:?}");
    }
}
