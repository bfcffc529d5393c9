//! A folder with the files of a test, and the program run in it.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::run::{Output, Run};

/// A folder with files.
pub struct Files(tempfile::TempDir);

impl Files {
    /// With these files; a name that ends in `*` is executable.
    pub fn new(files: &[(&str, &str)]) -> Files {
        let folder = Files(tempfile::tempdir().unwrap());
        files.iter().for_each(|(name, text)| folder.write(name, text));
        folder
    }

    /// One more file, or another text for it.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name.trim_end_matches('*'));
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        if name.ends_with('*') {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }
    }

    /// Where they are.
    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Whether there is a file of that name.
    pub fn has(&self, name: &str) -> bool {
        self.path().join(name).symlink_metadata().is_ok()
    }

    /// The text of a file.
    pub fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// Runs the program in the folder.
    pub fn run(&self, words: &str) -> Output {
        Run::new(self.path()).words(words).go()
    }

    /// Plays on two hosts that are both this machine.
    pub fn play(&self, words: &str) -> Output {
        self.run(&format!("play -i h1,h2, -c local {words}"))
    }
}
