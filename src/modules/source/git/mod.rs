//! `git`: a clone of a repository at a version. `repository` asks git, `update` makes it change things.

mod repository;
mod update;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Diff, Fail, HostPath, Look, Mode, Module, Outcome, Touch, Value};
use repository::{Repository, Version};

/// Clone repositories and keep them at a version.
///
/// The host's own git does it. A password in `repo` is never shown; better use `key_file` or a credential helper.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an argument of its own")]
pub struct Args {
    /// The repository: a URL, `host:path`, or a path.
    #[serde(alias = "name")]
    #[schemars(extend("x-aliases" = ["name"]))]
    repo: String,
    /// Where the clone is. Needed unless `clone` is off.
    dest: Option<HostPath>,
    /// A branch, a tag, a commit, or `HEAD` for the branch that the repository itself names.
    #[serde(default = "head")]
    version: String,
    /// What the repository is called in the clone.
    #[serde(default = "origin")]
    remote: String,
    /// More to fetch, in git's own words (`+refs/pull/*:refs/heads/*`).
    refspec: Option<String>,
    /// Throw away changes that somebody made to the files.
    #[serde(default)]
    force: bool,
    /// Fetch only so many commits.
    depth: Option<u32>,
    /// Clone if there is nothing at `dest`. Off: only say what the version is.
    #[serde(default = "yes")]
    clone: bool,
    /// Fetch what is new. Off: what is there stays as it is.
    #[serde(default = "yes")]
    update: bool,
    /// A clone without files.
    #[serde(default)]
    bare: bool,
    /// Clone only the history of the version.
    #[serde(default)]
    single_branch: bool,
    /// A repository of the host to take objects from (`git clone --reference`).
    reference: Option<String>,
    /// Bring submodules along, and theirs.
    #[serde(default = "yes")]
    recursive: bool,
    /// Submodules follow their branches instead of the commits that the repository names.
    #[serde(default)]
    track_submodules: bool,
    /// A folder for what git itself needs, apart from the files.
    separate_git_dir: Option<HostPath>,
    /// Accept any key of an SSH server. Takes a protection away: `accept_newhostkey` does not.
    #[serde(default)]
    accept_hostkey: bool,
    /// Accept keys of SSH servers that are not known yet.
    #[serde(default)]
    accept_newhostkey: bool,
    /// More options for ssh.
    ssh_opts: Option<String>,
    /// The private key to log in to the SSH server with, a file of the host.
    key_file: Option<HostPath>,
    /// The git to use.
    executable: Option<HostPath>,
    /// File mode creation mask for what git writes.
    umask: Option<Mode>,
    /// An archive of the version to make: the end of the name says which kind (`zip`, `tar`, `tar.gz`, `tgz`).
    archive: Option<HostPath>,
    /// What stands before each name in the archive.
    archive_prefix: Option<String>,
    /// The version must be signed with a key that git trusts.
    #[serde(default)]
    verify_commit: bool,
    /// Fingerprints of the only keys that may have signed it.
    #[serde(default, alias = "gpg_whitelist")]
    #[schemars(extend("x-aliases" = ["gpg_whitelist"]))]
    gpg_allowlist: Vec<String>,
}

fn head() -> String {
    "HEAD".into()
}

fn origin() -> String {
    "origin".into()
}

fn yes() -> bool {
    true
}

/// What must change.
#[derive(Debug)]
pub enum Plan {
    /// Nothing is there yet, and only the version was asked for.
    Inform(Option<String>),
    /// There is no clone.
    #[expect(private_interfaces, reason = "nobody but this module looks inside")]
    Clone(Version),
    /// The clone is not as wanted.
    #[expect(private_interfaces, reason = "nobody but this module looks inside")]
    Update(Changes),
}

/// What is not as wanted in a clone.
#[derive(Debug, Default)]
struct Changes {
    version: Option<Version>,
    before: Option<String>,
    /// The commit or branch is another.
    moves: bool,
    /// Somebody changed files.
    modified: bool,
    url: bool,
    submodules: bool,
    /// The folder for git itself is elsewhere.
    git_dir: Option<String>,
    archive: bool,
}

impl Changes {
    fn any(&self) -> bool {
        let more = self.git_dir.is_some() || self.archive;
        self.moves || self.modified || self.url || self.submodules || more
    }
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: An application at a release
  git:
    repo: https://example.org/app.git
    dest: /opt/app
    version: v1.4.2

- name: The newest of a branch, with a deployment key
  git:
    repo: git@example.org:team/site.git
    dest: /srv/site
    version: main
    key_file: /root/.ssh/deploy
    accept_newhostkey: true
    depth: 1
    force: true
";
    const RETURNS: &'static str = "
before: The commit that was there before; none for a new clone.
after: The commit that is there now.
remote_url_changed: Whether the address of the repository was another.
git_dir_before: Where git's own folder was, if that changed.
git_dir_now: Where it is now, if that changed.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        self.refuse()?;
        let repository = Repository::of(self, host)?;
        if !repository.is_there(host)? {
            let version = repository.version(host, &self.repo)?;
            return Ok(Some(match self.clone {
                true => Plan::Clone(version),
                false => Plan::Inform(version.commit()),
            }));
        }
        let before = repository.commit(host, "HEAD")?;
        if !self.update {
            let archive = repository.archive_differs(host, before.as_deref())?;
            let changes = Changes { archive, before, ..Changes::default() };
            return Ok(changes.any().then_some(Plan::Update(changes)));
        }
        let modified = repository.is_modified(host)?;
        if modified && !self.force {
            let dest = repository.dest.display();
            let msg = format!("Local modifications exist in the destination: {dest} (force=no).");
            return Err(Fail::new(msg).with("before", before));
        }
        let version = repository.version(host, &self.repo)?;
        let moves = repository.moves(host, &version, before.as_deref())?;
        let changes = Changes {
            url: repository.url(host)?.as_deref() != Some(&*self.repo),
            // What another commit needs shows only there.
            submodules: !moves && self.recursive && repository.submodules_differ(host)?,
            git_dir: repository.moved_git_dir(host)?,
            archive: repository.archive_differs(host, version.commit().as_deref())?,
            version: Some(version),
            before,
            moves,
            modified,
        };
        Ok(changes.any().then_some(Plan::Update(changes)))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let now = Repository::of(self, host)?.commit(host, "HEAD")?;
        Ok(Outcome::unchanged()
            .with("before", now.clone())
            .with("after", now)
            .with("remote_url_changed", false))
    }

    fn predicted(&self, plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        let outcome = Outcome::changed();
        Ok(match plan {
            Plan::Inform(after) => outcome
                .with("before", Value::Null)
                .with("after", after.clone())
                .with("remote_url_changed", false),
            Plan::Clone(version) => outcome
                .with("before", Value::Null)
                .with("after", version.commit())
                .with("remote_url_changed", false),
            Plan::Update(changes) => {
                let after = changes.version.as_ref().and_then(Version::commit);
                self.told(outcome, changes, after.or_else(|| changes.before.clone()), host)
            }
        })
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let (before, after) = match plan {
            Plan::Inform(_) => return Vec::new(),
            Plan::Clone(version) => (None, version.commit()),
            Plan::Update(changes) => {
                (changes.before.clone(), changes.version.as_ref().and_then(Version::commit))
            }
        };
        if before == after {
            return Vec::new();
        }
        let side = |commit: Option<String>| Value::from(commit.map(|it| it + "\n").unwrap_or_default());
        vec![Diff { before: side(before), after: side(after), ..Diff::default() }]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let repository = Repository::of(self, host.as_look())?;
        match plan {
            Plan::Inform(after) => self.predicted(&Plan::Inform(after), host.as_look()),
            Plan::Clone(version) => {
                let warning = repository.clone(&version, host)?;
                repository.finish(&version, host)?;
                let after = repository.commit(host.as_look(), "HEAD")?;
                let outcome = Outcome::changed()
                    .with("before", Value::Null)
                    .with("after", after)
                    .with("remote_url_changed", false);
                Ok(match warning {
                    Some(warning) => outcome.warn(warning),
                    None => outcome,
                })
            }
            Plan::Update(changes) => {
                repository.update(&changes, host)?;
                let after = repository.commit(host.as_look(), "HEAD")?;
                Ok(self.told(Outcome::changed(), &changes, after, host.as_look()))
            }
        }
    }
}

impl Args {
    fn refuse(&self) -> Result<(), Fail> {
        if self.dest.is_none() && self.clone {
            return Err(Fail::new("the destination directory must be specified unless clone=no"));
        }
        if self.archive_prefix.is_some() && self.archive.is_none() {
            return Err(Fail::new("archive_prefix needs an archive"));
        }
        if self.separate_git_dir.is_some() && self.bare {
            return Err(Fail::new("parameters are mutually exclusive: separate_git_dir|bare"));
        }
        if self.accept_hostkey && self.accept_newhostkey {
            return Err(Fail::new("parameters are mutually exclusive: accept_hostkey|accept_newhostkey"));
        }
        let words = [("version", &self.version), ("remote", &self.remote), ("repo", &self.repo)];
        for (name, value) in words.into_iter().chain(self.refspec.as_ref().map(|it| ("refspec", it))) {
            if value.is_empty() || value.starts_with('-') {
                return Err(Fail::new(format!("{name}: {value:?} is nothing that git could take")));
            }
        }
        Ok(())
    }

    fn told(&self, outcome: Outcome, changes: &Changes, after: Option<String>, host: &dyn Look) -> Outcome {
        let mut outcome = outcome
            .with("before", changes.before.clone())
            .with("after", after)
            .with("remote_url_changed", changes.url);
        if changes.modified {
            let dest = self.dest.as_ref().map(|dest| dest.on(host).to_string_lossy().into_owned());
            let dest = dest.unwrap_or_default();
            outcome = outcome.with("msg", format!("Local modifications exist in the destination: {dest}"));
        }
        if let (Some(before), Some(now)) = (&changes.git_dir, &self.separate_git_dir) {
            let now = now.on(host).to_string_lossy().into_owned();
            outcome = outcome.with("git_dir_before", before.as_str()).with("git_dir_now", now);
        }
        outcome
    }
}

#[cfg(all(test, feature = "controller"))]
#[expect(clippy::unwrap_used, reason = "tests alone")]
mod tests;
