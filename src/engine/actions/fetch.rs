//! `fetch`: a file of the host to the controller. Where it goes is decided here, from the arguments alone: nothing that
//! a host says can change it.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use crate::engine::args;
use crate::engine::call::{Prepared, Remote};
use crate::engine::task::HostTask;
use crate::outcome::Outcome;
use crate::template::{Scope, TemplateError};
use crate::value::{Str, Value};
use crate::vars::TaskScope;

/// Where fetched contents go.
#[derive(Clone)]
pub(in crate::engine) struct Fetched {
    dest: PathBuf,
    /// Contents arrive here, in the folder of `dest`, and are moved into place when they are whole.
    temporary: Arc<tempfile::NamedTempFile>,
}

/// Prepares the place and tells the module what is there already.
pub(super) fn run(task: &HostTask, scope: &TaskScope, mut remote: Remote) -> Result<Prepared, TemplateError> {
    let text = |name: &str| args::text(&remote.args, name);
    let (Some(src), Some(dest)) = (text("src"), text("dest")) else {
        return Err(super::at_action(task, "fetch: `src` and `dest` are needed"));
    };
    let flat = args::flag(&remote.args, "flat", false);
    let dest =
        place(scope, &task.host, &src, &dest, flat).map_err(|why| super::at_argument(task, "dest", why))?;
    let have = if dest.is_file() { hash(&dest).unwrap_or_default() } else { String::new() };
    remote.args.insert("_have_sha1".into(), Value::from(have));
    remote.args.insert("dest".into(), Value::from(dest.to_string_lossy().into_owned()));
    if !task.check {
        let folder = dest.parent().unwrap_or(Path::new("/"));
        let why = |error: io::Error| {
            super::at_argument(task, "dest", format!("can't write in {}: {error}", folder.display()))
        };
        std::fs::create_dir_all(folder).map_err(why)?;
        let temporary = tempfile::Builder::new().prefix(".regatta-").tempfile_in(folder).map_err(why)?;
        remote.sink = Some(Fetched { dest, temporary: Arc::new(temporary) });
    }
    Ok(Prepared::Remote(Box::new(remote)))
}

/// `dest/host/path`, or with `flat` the name itself.
fn place(scope: &TaskScope, host: &Str, src: &str, dest: &str, flat: bool) -> Result<PathBuf, String> {
    let base = scope.playbook_dir().join(dest);
    let name = Path::new(src).file_name().ok_or("`src` must name a file")?;
    if flat {
        let folder = dest.ends_with('/') || base.is_dir();
        return Ok(if folder { base.join(name) } else { base });
    }
    let below: PathBuf =
        Path::new(src).components().filter(|part| matches!(part, Component::Normal(_))).collect();
    let host = host.replace('/', "_");
    if matches!(host.as_str(), "." | "..") {
        return Err(format!("the host name `{host}` can't be a folder"));
    }
    Ok(base.join(host).join(below))
}

fn hash(path: &Path) -> io::Result<String> {
    use sha1::Digest;
    let mut hasher = Hasher(sha1::Sha1::new());
    io::copy(&mut File::open(path)?, &mut hasher)?;
    Ok(hasher.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

struct Hasher(sha1::Sha1);

impl Write for Hasher {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        sha1::Digest::update(&mut self.0, bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Fetched {
    /// What the contents are written to while they arrive.
    pub(in crate::engine) fn sink(&self) -> Option<Box<dyn Write + Send>> {
        self.temporary.reopen().ok().map(|file| Box::new(file) as Box<dyn Write + Send>)
    }

    /// Puts what arrived in place, after comparing it with what the host said it is.
    pub(in crate::engine) fn finish(&self, outcome: Outcome) -> Outcome {
        if !outcome.changed {
            return outcome;
        }
        let said = outcome.fields.get("checksum").map(ToString::to_string).unwrap_or_default();
        let failed = |msg: String| Outcome { failed: true, ..Outcome::default() }.with("msg", msg);
        match hash(self.temporary.path()) {
            Ok(got) if said.is_empty() || got == said => {}
            Ok(_) => {
                return failed("the file changed while it was fetched: its checksum does not fit".into());
            }
            Err(error) => return failed(format!("can't read what was fetched: {error}")),
        }
        match std::fs::rename(self.temporary.path(), &self.dest) {
            Ok(()) => outcome,
            Err(error) => failed(format!("can't write {}: {error}", self.dest.display())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_host_says_of_a_file_decides_neither_where_it_goes_nor_what_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let dest = folder.path().join("dest");
        let fetched = |contents: &str| {
            let temporary = tempfile::NamedTempFile::new_in(folder.path()).unwrap();
            let fetched = Fetched { dest: dest.clone(), temporary: Arc::new(temporary) };
            fetched.sink().unwrap().write_all(contents.as_bytes()).unwrap();
            fetched
        };
        let said = |checksum: &str| Outcome::changed().with("dest", "../../evil").with("checksum", checksum);
        let outcome = fetched("abc").finish(said("0000000000000000000000000000000000000000"));
        assert!(outcome.failed && !outcome.changed && !dest.exists());
        let outcome = fetched("abc").finish(said("a9993e364706816aba3e25717850c26c9cd0d89d"));
        assert!(outcome.changed && !outcome.failed);
        assert_eq!(std::fs::read_to_string(&dest).unwrap(), "abc");
        // It says that nothing changed, whatever it sent.
        fetched("evil").finish(Outcome::unchanged().with("dest", "../../evil"));
        assert_eq!(std::fs::read_to_string(&dest).unwrap(), "abc");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
