//! The user's editor on plain text that is in no other file: 0600, in memory where the system has such a folder,
//! overwritten and removed whatever happens.

use std::fs;
use std::io::{self, IsTerminal, Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

use crate::cli::common::private_folder;

/// Lets the user edit a text; `path` is the file that it is for.
pub(super) fn edit(path: &Path, before: &[u8], anywhere: bool) -> Result<Zeroizing<Vec<u8>>, String> {
    if !anywhere && !io::stdout().is_terminal() {
        return Err("there is no terminal for an editor; --skip-tty-check starts it nevertheless".into());
    }
    let why = |error: io::Error| format!("can't keep the text for the editor: {error}");
    let folder = private_folder(&memory()).map_err(why)?;
    // The ending tells the editor what it is.
    let name = path.file_name().map_or_else(|| "vault".into(), PathBuf::from);
    let draft = Draft(folder.path().join(name));
    draft.write(before).map_err(why)?;
    let words = ["VISUAL", "EDITOR"].iter().find_map(|name| std::env::var(name).ok());
    let words = words.filter(|text| !text.trim().is_empty()).unwrap_or_else(|| "vi".into());
    let words = shlex::split(&words).unwrap_or_else(|| vec![words.clone()]);
    let [program, arguments @ ..] = words.as_slice() else { return Err("EDITOR names no program".into()) };
    // A signal that is for the editor must not end this process, which has the text to remove.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(why)?;
    let _guard = runtime.enter();
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup(), SignalKind::quit()];
    let _held: Vec<_> = kinds.into_iter().map(signal).collect::<io::Result<_>>().map_err(why)?;
    let ended = Command::new(program)
        .args(arguments)
        .arg(&draft.0)
        .status()
        .map_err(|error| format!("can't start the editor {program}: {error}"))?;
    if !ended.success() {
        return Err(format!("the editor {program} failed ({ended}): nothing was changed"));
    }
    fs::read(&draft.0).map(Zeroizing::new).map_err(why)
}

/// A folder that is not on a disk, if there is one.
fn memory() -> PathBuf {
    let runtime = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    let known = runtime.into_iter().chain(["/dev/shm".into()]);
    known.into_iter().find(|dir| tempfile::tempfile_in(dir).is_ok()).unwrap_or_else(std::env::temp_dir)
}

/// The plain text while it is edited. Dropping it overwrites it; its folder is removed after it.
struct Draft(PathBuf);

impl Draft {
    fn write(&self, text: &[u8]) -> io::Result<()> {
        use std::os::unix::fs::OpenOptionsExt;
        let mut file = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&self.0)?;
        file.write_all(text)?;
        file.sync_all()
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // The best that can be done here; the folder goes in any case.
        let _ = fs::OpenOptions::new().write(true).open(&self.0).and_then(|mut file| {
            let length = file.metadata()?.len();
            file.rewind()?;
            io::copy(&mut io::repeat(0).take(length), &mut file)?;
            file.sync_all()
        });
    }
}
