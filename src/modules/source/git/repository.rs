//! What a clone is like, and what the server has: questions to git that change nothing.

use std::path::PathBuf;

use super::Args;
use crate::modules::api::{Cmd, Fail, FileKind, Look, Mode, Ran, digest_of};
use crate::modules::http::without_password;

/// A clone, there or not yet, and the git to ask.
pub(super) struct Repository<'a> {
    pub(super) args: &'a Args,
    program: String,
    pub(super) dest: PathBuf,
    environment: Vec<(String, String)>,
    umask: Option<u32>,
}

/// What a version is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// The branch, and its commit on the server.
    Branch { name: String, commit: String },
    /// A tag, and the commit that it names.
    Tag { name: String, commit: String },
    /// A commit, or another name whose commit is known.
    Commit(String),
    /// Nothing that the server or the clone knows before it is fetched.
    Unknown,
}

impl Version {
    /// The commit, if it is known.
    pub(super) fn commit(&self) -> Option<String> {
        match self {
            Version::Branch { commit, .. } | Version::Tag { commit, .. } | Version::Commit(commit) => {
                Some(commit.clone())
            }
            Version::Unknown => None,
        }
    }
}

impl<'a> Repository<'a> {
    /// The clone that the arguments are about.
    ///
    /// # Errors
    /// No git on the host.
    pub(super) fn of(args: &'a Args, host: &dyn Look) -> Result<Repository<'a>, Fail> {
        let program = match &args.executable {
            Some(path) => path.on(host).to_string_lossy().into_owned(),
            None => "git".to_owned(),
        };
        if host.which(&program).is_none() {
            return Err(Fail::new(format!(
                "Failed to find required executable \"{program}\": install the package git"
            )));
        }
        let umask = match &args.umask {
            None => None,
            Some(Mode::Preserve) => return Err(Fail::new("umask must be octal, as in \"0022\"")),
            Some(mode) => Some(mode.apply(0, false, 0)),
        };
        let dest = args.dest.as_ref().map(|dest| dest.on(host)).unwrap_or_default();
        // Nobody is there to answer, and looking must not write: `git status` would refresh the index.
        let mut environment: Vec<(String, String)> =
            [("GIT_TERMINAL_PROMPT", "0"), ("GIT_OPTIONAL_LOCKS", "0")]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .into();
        environment.extend(args.ssh(host).map(|line| ("GIT_SSH_COMMAND".to_owned(), line)));
        Ok(Repository { args, program, dest, environment, umask })
    }

    /// A command of git, inside of the clone if `inside`.
    pub(super) fn git(&self, inside: bool, words: &[&str]) -> Cmd {
        let cmd = Cmd::new([self.program.as_str()]).args(words.iter().copied());
        Cmd {
            env: self.environment.clone(),
            cwd: inside.then(|| self.dest.clone()),
            umask: self.umask,
            ..cmd
        }
    }

    /// What git answers; `None` if it says no.
    fn ask(&self, host: &dyn Look, words: &[&str]) -> Result<Option<String>, Fail> {
        let ran = host.query(&self.git(true, words))?;
        Ok(ran.ok().then(|| ran.out().trim_end().to_owned()))
    }

    /// Whether there is a clone.
    ///
    /// # Errors
    /// A path that can't be looked at.
    pub(super) fn is_there(&self, host: &dyn Look) -> Result<bool, Fail> {
        if self.args.dest.is_none() {
            return Ok(false);
        }
        let folder = self.dest.join(if self.args.bare { "config" } else { ".git" });
        Ok(host.stat(&folder, true)?.is_some())
    }

    /// The commit that a name means in the clone.
    ///
    /// # Errors
    /// No git.
    pub(super) fn commit(&self, host: &dyn Look, name: &str) -> Result<Option<String>, Fail> {
        if host.stat(&self.dest, true)?.is_none() || self.args.dest.is_none() {
            return Ok(None);
        }
        self.ask(host, &["rev-parse", "--quiet", "--verify", &format!("{name}^{{commit}}")])
    }

    /// Whether a reference is there.
    ///
    /// # Errors
    /// No git.
    pub(super) fn has(&self, host: &dyn Look, reference: &str) -> Result<bool, Fail> {
        Ok(self.ask(host, &["rev-parse", "--quiet", "--verify", reference])?.is_some())
    }

    /// Whether somebody changed files; those that git does not know do not count, and submodules are looked at alone.
    ///
    /// # Errors
    /// What git says.
    pub(super) fn is_modified(&self, host: &dyn Look) -> Result<bool, Fail> {
        if self.args.bare {
            return Ok(false);
        }
        let ran = host.query(
            &self.git(true, &["status", "--porcelain", "--untracked-files=no", "--ignore-submodules=all"]),
        )?;
        let ran = ran.success("Failed to look for local modifications")?;
        Ok(ran.out().lines().any(|line| !line.starts_with("??")))
    }

    /// The address that the clone has for the server.
    ///
    /// # Errors
    /// No git.
    pub(super) fn url(&self, host: &dyn Look) -> Result<Option<String>, Fail> {
        self.ask(host, &["config", "--get", &format!("remote.{}.url", self.args.remote)])
    }

    /// What the wanted version is, asked of the server at `address` and, failing that, of the clone.
    ///
    /// # Errors
    /// No answer from the server.
    pub(super) fn version(&self, host: &dyn Look, address: &str) -> Result<Version, Fail> {
        let version = self.args.version.as_str();
        let on_server = version.strip_prefix(&format!("{}/", self.args.remote));
        let branch = format!("refs/heads/{}", on_server.unwrap_or(version));
        let tag = format!("refs/tags/{version}");
        let peeled = format!("{tag}^{{}}");
        let names: Vec<&str> = match version {
            "HEAD" => vec!["HEAD"],
            _ => vec![&branch, &tag, &peeled, version],
        };
        let mut words = vec!["ls-remote", "--symref", "--", address];
        words.extend(names);
        let lines = self.remote(host, &words)?;
        let find = |name: &str| {
            lines.lines().find_map(|line| {
                let (commit, found) = line.split_once('\t')?;
                (found == name && !commit.starts_with("ref:")).then(|| commit.to_owned())
            })
        };
        if version == "HEAD" {
            let default = lines.lines().find_map(|line| {
                line.strip_prefix("ref: refs/heads/")?.strip_suffix("\tHEAD").map(str::to_owned)
            });
            // The server's choice must not be read as an option.
            let default = default.filter(|name| !name.starts_with('-'));
            return Ok(match (default, find("HEAD")) {
                (Some(name), Some(commit)) => Version::Branch { name, commit },
                (None, Some(commit)) => Version::Commit(commit),
                (_, None) => Version::Unknown,
            });
        }
        if let Some(commit) = find(&branch) {
            return Ok(match on_server {
                Some(_) => Version::Commit(commit),
                None => Version::Branch { name: version.to_owned(), commit },
            });
        }
        if let Some(commit) = find(&peeled).or_else(|| find(&tag)) {
            return Ok(Version::Tag { name: version.to_owned(), commit });
        }
        if let Some(commit) = find(version).filter(|_| version.starts_with("refs/")) {
            return Ok(Version::Commit(commit));
        }
        let known = if self.is_there(host)? { self.commit(host, version)? } else { None };
        let full = version.len() == 40 && version.bytes().all(|byte| byte.is_ascii_hexdigit());
        Ok(known.or_else(|| full.then(|| version.to_owned())).map_or(Version::Unknown, Version::Commit))
    }

    fn remote(&self, host: &dyn Look, words: &[&str]) -> Result<String, Fail> {
        let ran = host.query(&self.git(false, words))?;
        Ok(self.hide(ran).success("git ls-remote")?.out())
    }

    /// The same without the password that may stand in the address.
    pub(super) fn hide(&self, mut ran: Ran) -> Ran {
        let shown = without_password(&self.args.repo);
        if shown != self.args.repo {
            let hidden =
                |bytes: &[u8]| String::from_utf8_lossy(bytes).replace(&self.args.repo, &shown).into_bytes();
            ran.stdout = hidden(&ran.stdout);
            ran.stderr = hidden(&ran.stderr);
        }
        ran
    }

    /// Whether the clone is at another commit or on another branch than wanted.
    ///
    /// # Errors
    /// No git.
    pub(super) fn moves(
        &self,
        host: &dyn Look,
        version: &Version,
        before: Option<&str>,
    ) -> Result<bool, Fail> {
        // A bare clone has no files that could be at a version: its branches follow the server's.
        let now = match (self.args.bare, version) {
            (true, Version::Branch { name, .. }) => self.commit(host, &format!("refs/heads/{name}"))?,
            (true, Version::Tag { name, .. }) => self.commit(host, &format!("refs/tags/{name}"))?,
            (true, Version::Commit(commit)) => self.commit(host, commit)?,
            _ => before.map(str::to_owned),
        };
        let on_branch = match version {
            Version::Branch { name, .. } if !self.args.bare => {
                self.ask(host, &["symbolic-ref", "--quiet", "--short", "HEAD"])?.as_ref() == Some(name)
            }
            _ => true,
        };
        Ok(match version.commit() {
            Some(wanted) => now.as_ref() != Some(&wanted) || !on_branch,
            // Of an empty repository nothing is known: it is fetched when something is.
            None => self.args.version != "HEAD",
        })
    }

    /// Whether a submodule is missing or not at its commit (with `track_submodules`: not at its branch's).
    ///
    /// # Errors
    /// What git says.
    pub(super) fn submodules_differ(&self, host: &dyn Look) -> Result<bool, Fail> {
        if self.args.bare || host.stat(&self.dest.join(".gitmodules"), true)?.is_none() {
            return Ok(false);
        }
        let ran = host.query(&self.git(true, &["submodule", "status", "--recursive"]))?;
        let status = ran.success("Failed to look at the submodules")?.out();
        if status.lines().any(|line| line.starts_with('-')) {
            return Ok(true);
        }
        if !self.args.track_submodules {
            return Ok(status.lines().any(|line| !line.starts_with(' ')));
        }
        let modules =
            self.ask(host, &["config", "-f", ".gitmodules", "--get-regexp", r"^submodule\..*\.path$"])?;
        for line in modules.unwrap_or_default().lines() {
            let Some((key, path)) = line.split_once(' ') else { continue };
            let branch = format!("{}.branch", key.trim_end_matches(".path"));
            let branch = self.ask(host, &["config", "-f", ".gitmodules", "--get", &branch])?;
            let name = branch.map_or_else(|| "HEAD".to_owned(), |branch| format!("refs/heads/{branch}"));
            let newest = self.remote(host, &["-C", &self.inner(path), "ls-remote", "origin", &name])?;
            let now = self.ask(host, &["-C", path, "rev-parse", "HEAD"])?;
            if newest.split('\t').next() != now.as_deref() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn inner(&self, path: &str) -> String {
        self.dest.join(path).to_string_lossy().into_owned()
    }

    /// Where git's own folder is, if it is to be elsewhere.
    ///
    /// # Errors
    /// No git.
    pub(super) fn moved_git_dir(&self, host: &dyn Look) -> Result<Option<String>, Fail> {
        let Some(wanted) = &self.args.separate_git_dir else { return Ok(None) };
        let now = self.ask(host, &["rev-parse", "--absolute-git-dir"])?.unwrap_or_default();
        let same = |path: PathBuf| host.stat(&path, true).map(|stat| stat.map(|it| (it.dev, it.inode)));
        let (there, here) = (same(wanted.on(host))?, same(PathBuf::from(&now))?);
        Ok((there.is_none() || there != here).then_some(now))
    }

    /// Whether the archive is not that of a commit. One whose commit is still to be fetched differs.
    ///
    /// # Errors
    /// A name that says no kind of archive.
    pub(super) fn archive_differs(&self, host: &dyn Look, commit: Option<&str>) -> Result<bool, Fail> {
        let Some(path) = &self.args.archive else { return Ok(false) };
        let path = path.on(host);
        let there = host.stat(&path, true)?;
        if there.as_ref().is_some_and(|stat| stat.kind == FileKind::Directory) {
            return Err(Fail::new(format!("{} is a folder, so it can't be an archive", path.display())));
        }
        let (Some(_), Some(commit)) = (there, commit) else { return Ok(true) };
        let ran = host
            .query(&self.git(true, &self.archive(commit)?.iter().map(String::as_str).collect::<Vec<_>>()))?;
        Ok(!ran.ok() || host.digest(&path, "sha1")? != Some(digest_of(&ran.stdout, "sha1")?))
    }

    /// The words that print an archive.
    ///
    /// # Errors
    /// A name that says no kind of archive.
    pub(super) fn archive(&self, commit: &str) -> Result<Vec<String>, Fail> {
        let name = self.args.archive.as_ref().map(ToString::to_string).unwrap_or_default();
        let kinds = [(".zip", "zip"), (".tar.gz", "tar.gz"), (".tgz", "tgz"), (".tar", "tar")];
        let kind = kinds.iter().find(|(end, _)| name.ends_with(end)).map(|(_, kind)| *kind);
        let Some(kind) = kind else {
            return Err(Fail::new(format!("archive: {name} must end with .zip, .tar, .tar.gz or .tgz")));
        };
        let mut words = vec!["archive".to_owned(), format!("--format={kind}")];
        words.extend(self.args.archive_prefix.as_ref().map(|prefix| format!("--prefix={prefix}")));
        words.push(commit.to_owned());
        Ok(words)
    }
}

impl Args {
    /// How git calls ssh, if it is not as always.
    pub(super) fn ssh(&self, host: &dyn Look) -> Option<String> {
        let mut line = String::new();
        if self.accept_hostkey {
            line += " -o StrictHostKeyChecking=no";
        }
        if self.accept_newhostkey {
            line += " -o StrictHostKeyChecking=accept-new";
        }
        if let Some(key) = &self.key_file {
            let key = key.on(host).to_string_lossy().replace('\'', r"'\''");
            line += &format!(" -i '{key}' -o IdentitiesOnly=yes");
        }
        if let Some(options) = &self.ssh_opts {
            line += &format!(" {options}");
        }
        let own = host.env("GIT_SSH_COMMAND").or_else(|| host.env("GIT_SSH"));
        if line.is_empty() && own.is_some() {
            return None;
        }
        // Nobody is there to answer a question.
        Some(format!("{} -o BatchMode=yes{line}", own.unwrap_or_else(|| "ssh".into())))
    }
}
