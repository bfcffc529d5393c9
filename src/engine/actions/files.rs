//! The controller half of `copy` and `template`: which files, their hashes, and their contents when the host asks.
//!
//! A single file is one blob with an empty name. A folder is one blob for everything in it, named by its path below
//! the destination; without a slash at the end of `src` the folder's own name comes first.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Cursor, Read};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use crate::connection::BlobSource;
use crate::engine::args;
use crate::engine::call::{Prepared, Remote};
use crate::engine::task::HostTask;
use crate::outcome::{Blob, BlobKind};
use crate::template::{FileOptions, Scope, TemplateError};
use crate::value::{Map, Str, Value};
use crate::vars::TaskScope;
use crate::vault::{self, Keyring, Plain};

/// A file of the controller that may be sent.
#[derive(Clone)]
pub(super) struct SourceFile {
    contents: Contents,
    size: u64,
    sha1: String,
    mode: u32,
}

/// Where the bytes of such a file are.
#[derive(Clone)]
enum Contents {
    File(PathBuf),
    /// Decrypted, in memory alone.
    Plain(Plain),
}

type Hashes = Mutex<HashMap<PathBuf, (SystemTime, u64, String)>>;

/// Hashes of files that were read in this run: a file that goes to a hundred hosts is hashed once.
static HASHES: std::sync::LazyLock<Hashes> = std::sync::LazyLock::new(Hashes::default);

impl SourceFile {
    /// Looks at a file and hashes it.
    pub(super) fn open(path: &Path) -> Result<SourceFile, String> {
        let why = |error: io::Error| format!("can't read {}: {error}", path.display());
        let meta = std::fs::metadata(path).map_err(why)?;
        let mode = meta.permissions().mode() & 0o7777;
        let (modified, size) = (meta.modified().map_err(why)?, meta.size());
        let known = HASHES.lock().unwrap_or_else(PoisonError::into_inner).get(path).cloned();
        let sha1 = match known {
            Some((at, length, sha1)) if at == modified && length == size => sha1,
            _ => {
                let sha1 = hash(path).map_err(why)?;
                let entry = (modified, size, sha1.clone());
                HASHES.lock().unwrap_or_else(PoisonError::into_inner).insert(path.to_path_buf(), entry);
                sha1
            }
        };
        Ok(SourceFile { contents: Contents::File(path.to_path_buf()), size, sha1, mode })
    }

    /// The same, but of a vault file the plain contents.
    pub(super) fn open_decrypted(path: &Path, keyring: &Keyring) -> Result<SourceFile, String> {
        let file = SourceFile::open(path)?;
        let mut start = Vec::new();
        let head = File::open(path).and_then(|file| file.take(16).read_to_end(&mut start));
        if head.is_err() || !vault::is_encrypted(&start) {
            return Ok(file);
        }
        let (plain, _) = vault::open(path, keyring)?;
        let sha1 = sha1_of(&plain);
        Ok(SourceFile { size: plain.len() as u64, contents: Contents::Plain(plain), sha1, mode: file.mode })
    }

    pub(super) fn kind(&self) -> BlobKind {
        BlobKind::File { size: self.size, sha1: self.sha1.clone() }
    }
}

fn hash(path: &Path) -> io::Result<String> {
    use sha1::Digest;
    let (mut file, mut hasher, mut buffer) = (File::open(path)?, sha1::Sha1::new(), vec![0; 64 << 10]);
    loop {
        match file.read(&mut buffer)? {
            0 => break,
            n => hasher.update(&buffer[..n]),
        }
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn sha1_of(bytes: &[u8]) -> String {
    use sha1::Digest;
    sha1::Sha1::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The files of a call, by the numbers of its blobs.
#[derive(Default)]
pub(super) struct Sources(Vec<Option<Contents>>);

impl Sources {
    pub(super) fn of(files: Vec<SourceFile>) -> Sources {
        Sources(files.into_iter().map(|file| Some(file.contents)).collect())
    }
}

impl BlobSource for Sources {
    fn open(&self, blob: u32) -> io::Result<Box<dyn Read + Send>> {
        match self.0.get(blob as usize).and_then(Option::as_ref).ok_or(io::ErrorKind::NotFound)? {
            Contents::File(path) => Ok(Box::new(File::open(path)?)),
            Contents::Plain(plain) => Ok(Box::new(Cursor::new(SharedPlain(plain.clone())))),
        }
    }
}

/// Decrypted bytes as a cursor reads them.
struct SharedPlain(Plain);

impl AsRef<[u8]> for SharedPlain {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

/// One text that was made for this call.
pub(super) struct Text(pub(super) Arc<[u8]>);

impl BlobSource for Text {
    fn open(&self, _blob: u32) -> io::Result<Box<dyn Read + Send>> {
        Ok(Box::new(Cursor::new(self.0.clone())))
    }
}

/// Finds a file of the controller: in `folder` of the role and beside the task and the playbook.
pub(super) fn find(
    task: &HostTask,
    scope: &TaskScope,
    folder: &str,
    name: &str,
) -> Result<PathBuf, TemplateError> {
    let given = match (name.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(name),
    };
    let candidates: Vec<PathBuf> = if given.is_absolute() {
        vec![given]
    } else {
        scope.search_path().iter().flat_map(|dir| [dir.join(folder).join(name), dir.join(name)]).collect()
    };
    candidates.iter().find(|path| path.exists()).cloned().ok_or_else(|| {
        let mut error =
            super::at_argument(task, "src", format!("there is no file `{name}` on the controller"));
        error.diagnostic.notes.extend(candidates.iter().map(|path| format!("looked for {}", path.display())));
        error
    })
}

/// `copy`: offers the file or folder; what is on the host already needs no sending.
pub(super) async fn copy(
    task: &HostTask,
    scope: &TaskScope,
    mut remote: Remote,
) -> Result<Prepared, TemplateError> {
    if let Some(content) = remote.args.get_mut("content")
        && matches!(content, Value::List(_) | Value::Map(_))
    {
        *content = Value::from(crate::template::json_text(content));
    }
    let src = args::text(&remote.args, "src").filter(|_| !args::flag(&remote.args, "remote_src", false));
    let Some(src) = src else { return Ok(Prepared::Remote(Box::new(remote))) };
    let path = find(task, scope, "files", &src)?;
    let follow_local = args::flag(&remote.args, "local_follow", true);
    let keyring = keyring(task, &remote.args);
    let listed = tokio::task::spawn_blocking(move || {
        offer(&path, src.ends_with('/'), follow_local, keyring.as_deref())
    });
    let listed = listed.await;
    let (blobs, sources) = match listed {
        Ok(Ok(offered)) => offered,
        Ok(Err(why)) => return Err(super::at_argument(task, "src", why)),
        Err(_) => return Err(super::at_argument(task, "src", "reading the file was interrupted")),
    };
    if let [Blob { name, kind: BlobKind::File { .. }, .. }] = blobs.as_slice()
        && name.is_empty()
    {
        let base = args::text(&remote.args, "src").unwrap_or_else(|| Str::from(""));
        remote
            .args
            .insert("_original_basename".into(), Value::from(base.rsplit('/').next().unwrap_or_default()));
    }
    remote.blobs = blobs;
    remote.files = Arc::new(sources);
    Ok(Prepared::Remote(Box::new(remote)))
}

/// The passwords for files that are to be sent decrypted, unless the task says `decrypt: false`.
pub(super) fn keyring(task: &HostTask, args: &Map) -> Option<Arc<Keyring>> {
    args::flag(args, "decrypt", true).then(|| task.shared.templates.keyring().clone())
}

/// A file as it is, or with passwords decrypted if it is a vault.
pub(super) fn open(path: &Path, keyring: Option<&Keyring>) -> Result<SourceFile, String> {
    match keyring {
        Some(keyring) => SourceFile::open_decrypted(path, keyring),
        None => SourceFile::open(path),
    }
}

fn offer(
    path: &Path,
    contents_only: bool,
    follow: bool,
    keyring: Option<&Keyring>,
) -> Result<(Vec<Blob>, Sources), String> {
    let mut blobs = Vec::new();
    let mut sources = Sources::default();
    if !path.is_dir() {
        let file = open(path, keyring)?;
        blobs.push(Blob { name: String::new(), kind: file.kind(), mode: file.mode });
        sources.0.push(Some(file.contents));
        return Ok((blobs, sources));
    }
    let prefix =
        if contents_only { PathBuf::new() } else { PathBuf::from(path.file_name().unwrap_or_default()) };
    add_folder(path, &prefix, (follow, keyring), &mut blobs, &mut sources)?;
    Ok((blobs, sources))
}

fn add_folder(
    path: &Path,
    name: &Path,
    (follow, keyring): (bool, Option<&Keyring>),
    blobs: &mut Vec<Blob>,
    sources: &mut Sources,
) -> Result<(), String> {
    let why = |error: io::Error| format!("can't read {}: {error}", path.display());
    let mode = |meta: &std::fs::Metadata| meta.permissions().mode() & 0o7777;
    let meta = std::fs::metadata(path).map_err(why)?;
    blobs.push(Blob {
        name: name.to_string_lossy().into_owned(),
        kind: BlobKind::Directory,
        mode: mode(&meta),
    });
    sources.0.push(None);
    let entries = std::fs::read_dir(path).map_err(why)?;
    let mut entries: Vec<PathBuf> =
        entries.collect::<io::Result<Vec<_>>>().map_err(why)?.into_iter().map(|e| e.path()).collect();
    entries.sort();
    for entry in entries {
        let below = name.join(entry.file_name().unwrap_or_default());
        let link = entry.is_symlink();
        if link && !follow {
            let target = std::fs::read_link(&entry).map_err(why)?;
            let kind = BlobKind::Symlink(target.to_string_lossy().into_owned());
            blobs.push(Blob { name: below.to_string_lossy().into_owned(), kind, mode: 0o777 });
            sources.0.push(None);
        } else if entry.is_dir() {
            add_folder(&entry, &below, (follow, keyring), blobs, sources)?;
        } else {
            let file = open(&entry, keyring)?;
            blobs.push(Blob {
                name: below.to_string_lossy().into_owned(),
                kind: file.kind(),
                mode: file.mode,
            });
            sources.0.push(Some(file.contents));
        }
    }
    Ok(())
}

/// `template`: renders here, then goes on as `copy` of the text.
pub(super) async fn template(
    task: &HostTask,
    scope: &TaskScope,
    mut remote: Remote,
) -> Result<Prepared, TemplateError> {
    let src = args::text(&remote.args, "src").unwrap_or_else(|| Str::from(""));
    let path = find(task, scope, "templates", &src)?;
    let options = file_options(task, &remote.args)?;
    let as_scope: Arc<dyn Scope> = Arc::new(scope.clone());
    let text = task.shared.templates.template(&path, &options, &as_scope)?;
    let bytes: Arc<[u8]> = Arc::from(encode(task, &remote.args, text)?);
    let mode = std::fs::metadata(&path).map_or(0o644, |meta| meta.permissions().mode() & 0o7777);
    remote.blobs = vec![Blob { name: String::new(), kind: super::contents(&bytes), mode }];
    remote.files = Arc::new(Text(bytes));
    remote.module = "copy".into();
    for own in OWN {
        remote.args.shift_remove(*own);
    }
    remote.args.insert("src".into(), Value::from(path.to_string_lossy().into_owned()));
    let base = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    remote.args.insert("_original_basename".into(), Value::from(base));
    Ok(Prepared::Remote(Box::new(remote)))
}

/// Arguments of `template` that `copy` does not have.
const OWN: &[&str] = &[
    "newline_sequence",
    "block_start_string",
    "block_end_string",
    "variable_start_string",
    "variable_end_string",
    "comment_start_string",
    "comment_end_string",
    "trim_blocks",
    "lstrip_blocks",
    "output_encoding",
];

pub(super) fn file_options(task: &HostTask, args: &Map) -> Result<FileOptions, TemplateError> {
    let mut options = FileOptions::default();
    options.trim_blocks = args::flag(args, "trim_blocks", options.trim_blocks);
    options.lstrip_blocks = args::flag(args, "lstrip_blocks", options.lstrip_blocks);
    let set = |name: &str| args::text(args, name).map(|text| text.to_string());
    options.block_start_string = set("block_start_string");
    options.block_end_string = set("block_end_string");
    options.variable_start_string = set("variable_start_string");
    options.variable_end_string = set("variable_end_string");
    options.comment_start_string = set("comment_start_string");
    options.comment_end_string = set("comment_end_string");
    if let Some(sequence) = args::text(args, "newline_sequence") {
        options.newline_sequence = match &*sequence {
            "\\n" | "\n" => "\n".into(),
            "\\r" | "\r" => "\r".into(),
            "\\r\\n" | "\r\n" => "\r\n".into(),
            other => {
                let message = format!("`{other}` is not a newline: \\n, \\r or \\r\\n");
                return Err(super::at_argument(task, "newline_sequence", message));
            }
        };
    }
    Ok(options)
}

fn encode(task: &HostTask, args: &Map, text: String) -> Result<Vec<u8>, TemplateError> {
    let encoding =
        args::text(args, "output_encoding").map(|name| name.to_ascii_lowercase().replace(['-', '_'], ""));
    match encoding.as_deref() {
        None | Some("utf8") => Ok(text.into_bytes()),
        Some("latin1" | "iso88591") => text
            .chars()
            .map(|c| u8::try_from(u32::from(c)).map_err(|_| format!("`{c}` can't be written in latin-1")))
            .collect::<Result<_, _>>()
            .map_err(|why| super::at_argument(task, "output_encoding", why)),
        Some("utf16") => {
            Ok(std::iter::once(0xfeff).chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect())
        }
        Some("ascii") if text.is_ascii() => Ok(text.into_bytes()),
        Some(other) => Err(super::at_argument(
            task,
            "output_encoding",
            format!("the text can't be written in `{other}`"),
        )),
    }
}
