//! The controller half of `assemble`: pieces that are here are joined here, and go on as `copy` of the text.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::files::{self, Text};
use crate::engine::args;
use crate::engine::call::{Prepared, Remote};
use crate::engine::task::HostTask;
use crate::modules::files::assemble::{Pieces, join};
use crate::outcome::Blob;
use crate::template::TemplateError;
use crate::value::Value;
use crate::vars::TaskScope;
use crate::vault::{self, Keyring};

/// Arguments of `assemble` that `copy` does not have.
const OWN: [&str; 4] = ["delimiter", "regexp", "ignore_hidden", "remote_src"];

/// Joins the pieces unless they are on the host.
pub(super) fn run(task: &HostTask, scope: &TaskScope, mut remote: Remote) -> Result<Prepared, TemplateError> {
    let Some(src) = args::text(&remote.args, "src").filter(|_| !args::flag(&remote.args, "remote_src", true))
    else {
        return Ok(Prepared::Remote(Box::new(remote)));
    };
    let folder = files::find(task, scope, "files", &src)?;
    let regexp = args::text(&remote.args, "regexp");
    let pieces = Pieces::new(regexp.as_deref(), args::flag(&remote.args, "ignore_hidden", false));
    let pieces = pieces.map_err(|why| super::at_argument(task, "regexp", why))?;
    let keyring = files::keyring(task, &remote.args);
    let found = read(&folder, &pieces, keyring.as_deref());
    let found = found.map_err(|why| super::at_argument(task, "src", why))?;
    let text: Arc<[u8]> = join(found, args::text(&remote.args, "delimiter").as_deref()).into();
    remote.blobs = vec![Blob { name: String::new(), kind: super::contents(&text), mode: 0o644 }];
    remote.files = Arc::new(Text(text));
    remote.module = "copy".into();
    for own in OWN {
        remote.args.shift_remove(own);
    }
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    remote.args.insert("src".into(), Value::from(folder.to_string_lossy().into_owned()));
    remote.args.insert("_original_basename".into(), Value::from(name));
    // A file at the end of a link is written, as `assemble` does on the host.
    remote.args.insert("follow".into(), Value::Bool(true));
    Ok(Prepared::Remote(Box::new(remote)))
}

fn read(folder: &Path, pieces: &Pieces, keyring: Option<&Keyring>) -> Result<Vec<Vec<u8>>, String> {
    let why = |error: std::io::Error| format!("can't read {}: {error}", folder.display());
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(why)? {
        let path = entry.map_err(why)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_file() && pieces.has(&name) {
            paths.push(path);
        }
    }
    paths.sort();
    let contents = |path: &PathBuf| match keyring {
        Some(keyring) => vault::open(path, keyring).map(|(plain, _)| plain.to_vec()),
        None => std::fs::read(path).map_err(why),
    };
    paths.iter().map(contents).collect()
}
