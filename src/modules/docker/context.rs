//! The context of a build: where it is, and a digest of all that the engine would get of it.
//!
//! Times do not count, as they do not count for the builder's own cache; permission bits do.

use std::path::{Path, PathBuf};

use super::ignore::Ignore;
use crate::modules::api::{Fail, FileKind, HostPath, Look};

/// Where a build's files come from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Context {
    /// A folder of the host and the Dockerfile in or beside it.
    Folder {
        /// The folder.
        path: PathBuf,
        /// The Dockerfile, by its full path.
        dockerfile: PathBuf,
    },
    /// A repository or archive that the builder fetches, and the Dockerfile's name in it.
    Remote {
        /// Its address.
        url: String,
        /// The Dockerfile, if it is not `Dockerfile`.
        dockerfile: Option<String>,
    },
}

impl Context {
    /// Finds it on the host.
    ///
    /// # Errors
    /// No folder or no Dockerfile there.
    pub fn find(host: &dyn Look, path: &HostPath, dockerfile: Option<&str>) -> Result<Context, Fail> {
        let text = path.text();
        if text.contains("://") || text.starts_with("git@") || text.starts_with("github.com/") {
            return Ok(Context::Remote { url: text.to_owned(), dockerfile: dockerfile.map(str::to_owned) });
        }
        let folder = path.on(host);
        match host.stat(&folder, true)? {
            Some(stat) if stat.kind == FileKind::Directory => {}
            Some(_) => return Err(Fail::new(format!("the build's path {path} is no folder"))),
            None => return Err(Fail::new(format!("there is no folder {path} to build from"))),
        }
        let dockerfile = folder.join(dockerfile.unwrap_or("Dockerfile"));
        match host.stat(&dockerfile, true)? {
            Some(stat) if stat.kind != FileKind::Directory => {}
            _ => return Err(Fail::new(format!("there is no Dockerfile {}", dockerfile.display()))),
        }
        Ok(Context::Folder { path: folder, dockerfile })
    }

    /// A line for each file and folder that the builder gets, the Dockerfile first. A remote context is its address.
    ///
    /// # Errors
    /// What can't be read.
    pub fn lines(&self, host: &dyn Look) -> Result<String, Fail> {
        let (path, dockerfile) = match self {
            Context::Folder { path, dockerfile } => (path, dockerfile),
            Context::Remote { url, dockerfile } => {
                return Ok(format!("remote {url} {}\n", dockerfile.as_deref().unwrap_or_default()));
            }
        };
        let mut lines = format!("dockerfile {}\n", digest(host, dockerfile)?);
        // One of its own wins over the context's.
        let mut own = dockerfile.clone().into_os_string();
        own.push(".dockerignore");
        let ignore = match host.read(Path::new(&own))? {
            Some(text) => Some(text),
            None => host.read(&path.join(".dockerignore"))?,
        };
        let ignore = Ignore::new(&String::from_utf8_lossy(&ignore.unwrap_or_default()))?;
        walk(host, path, "", &ignore, &mut lines)?;
        Ok(lines)
    }
}

fn walk(host: &dyn Look, root: &Path, folder: &str, ignore: &Ignore, lines: &mut String) -> Result<(), Fail> {
    for name in host.list(&root.join(folder))? {
        let name = name.to_string_lossy();
        let at = if folder.is_empty() { name.into_owned() } else { format!("{folder}/{name}") };
        let path = root.join(&at);
        let Some(stat) = host.stat(&path, false)? else { continue };
        let out = ignore.leaves_out(&at);
        if out && !(stat.kind == FileKind::Directory && ignore.takes_back()) {
            continue;
        }
        if !out {
            let what = match stat.kind {
                FileKind::File => digest(host, &path)?,
                FileKind::Symlink => host.read_link(&path)?.to_string_lossy().into_owned(),
                FileKind::Directory => "folder".into(),
                // The client sends no sockets; other special files have no contents.
                FileKind::Socket => continue,
                _ => "special".into(),
            };
            lines.push_str(&format!("{at:?} {:o} {what}\n", stat.mode));
        }
        if stat.kind == FileKind::Directory {
            walk(host, root, &at, ignore, lines)?;
        }
    }
    Ok(())
}

fn digest(host: &dyn Look, path: &Path) -> Result<String, Fail> {
    let digest = host.digest(path, "sha256")?;
    digest.ok_or_else(|| Fail::new(format!("{} went away while it was read", path.display())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::api::fake::FakeHost;

    fn lines(host: &FakeHost, dockerfile: Option<&str>) -> String {
        Context::find(host, &HostPath::new("/srv/app"), dockerfile).unwrap().lines(host).unwrap()
    }

    fn app() -> FakeHost {
        FakeHost::new().file("/srv/app/Dockerfile", "FROM x").file("/srv/app/src/a.c", "a")
    }

    #[test]
    fn all_that_is_sent_counts_and_nothing_else() {
        let first = lines(&app(), None);
        for (other, same) in [
            (app(), true),
            (app().file("/srv/app/src/a.c", "b"), false),
            (app().file("/srv/app/Dockerfile", "FROM y"), false),
            (app().with("/srv/app/src/a.c", 0o755, 0, 0), false),
            (app().link("/srv/app/l", "src"), false),
            (app().file("/srv/other", "x"), true),
        ] {
            assert_eq!(lines(&other, None) == first, same);
        }
        let ignoring = app().file("/srv/app/.dockerignore", "*.log\nsrc\n!src/b.c");
        let first = lines(&ignoring, None);
        assert!(!first.contains("a.c"), "{first}");
        let ignoring = ignoring.file("/srv/app/x.log", "").file("/srv/app/src/c.c", "");
        assert_eq!(lines(&ignoring, None), first);
        assert_ne!(lines(&ignoring.file("/srv/app/src/b.c", ""), None), first);
    }

    #[test]
    fn a_dockerfile_may_have_its_own_ignore_file() {
        let host = app()
            .file("/srv/app/d/Prod", "FROM z")
            .file("/srv/app/d/Prod.dockerignore", "src")
            .file("/srv/app/.dockerignore", "d");
        let lines = lines(&host, Some("d/Prod"));
        assert!(lines.contains("\"d/Prod\"") && !lines.contains("src"), "{lines}");
    }

    #[test]
    fn what_is_not_there_is_said() {
        let host = app();
        assert!(Context::find(&host, &HostPath::new("/none"), None).is_err());
        assert!(Context::find(&host, &HostPath::new("/srv/app/Dockerfile"), None).is_err());
        assert!(Context::find(&host, &HostPath::new("/srv/app"), Some("No")).is_err());
        let remote = Context::find(&host, &HostPath::new("https://example.org/a.git#x"), Some("D")).unwrap();
        assert_eq!(remote.lines(&host).unwrap(), "remote https://example.org/a.git#x D\n");
    }
}
