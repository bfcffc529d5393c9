//! What git is made to change.

use super::Changes;
use super::repository::{Repository, Version};
use crate::modules::api::{Fail, Look, Touch, Write};

impl Repository<'_> {
    fn run(&self, host: &mut dyn Touch, inside: bool, words: &[&str], what: &str) -> Result<(), Fail> {
        let ran = host.run(&self.git(inside, words))?;
        self.hide(ran).success(what).map(drop)
    }

    /// Makes the clone. Returns what the user should know.
    ///
    /// # Errors
    /// What git says.
    pub(super) fn clone(
        &self,
        version: &Version,
        host: &mut dyn Touch,
    ) -> Result<Option<&'static str>, Fail> {
        let args = self.args;
        let mut words: Vec<String> = vec!["clone".into()];
        words.push(if args.bare { "--bare".into() } else { format!("--origin={}", args.remote) });
        let named = match version {
            Version::Branch { name, .. } | Version::Tag { name, .. } => Some(name),
            Version::Commit(_) | Version::Unknown => None,
        };
        let shallow = args.depth.filter(|_| named.is_some() || args.refspec.is_some());
        words.extend(shallow.map(|depth| format!("--depth={}", depth.max(1))));
        if args.single_branch || shallow.is_some() {
            words.extend(named.filter(|_| args.version != "HEAD").map(|name| format!("--branch={name}")));
        }
        if args.single_branch {
            words.push("--single-branch".into());
        }
        words.extend(args.reference.as_ref().map(|path| format!("--reference={path}")));
        let git_dir = args.separate_git_dir.as_ref().map(|path| path.on(host.as_look()));
        words.extend(git_dir.map(|path| format!("--separate-git-dir={}", path.display())));
        if !args.bare {
            words.push("--no-checkout".into());
        }
        let dest = self.dest.to_string_lossy().into_owned();
        words.extend(["--".to_owned(), args.repo.clone(), dest]);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.run(host, false, &words, "Failed to clone")?;
        if args.bare && args.remote != "origin" {
            self.run(host, true, &["remote", "rename", "origin", &args.remote], "Failed to name the remote")?;
        }
        if let Some(refspec) = &args.refspec {
            self.run(host, true, &["fetch", &args.remote, refspec], "Failed to fetch the refspec")?;
        }
        let ignored = args.depth.is_some() && shallow.is_none();
        Ok(ignored.then_some(
            "git: `depth` is ignored: it needs HEAD, a branch, a tag, or a refspec that brings the version",
        ))
    }

    /// Brings a clone to what is wanted.
    ///
    /// # Errors
    /// What git says.
    pub(super) fn update(&self, changes: &Changes, host: &mut dyn Touch) -> Result<(), Fail> {
        let args = self.args;
        if let (Some(_), Some(wanted)) = (&changes.git_dir, &args.separate_git_dir) {
            let wanted = format!("--separate-git-dir={}", wanted.on(host.as_look()).display());
            self.run(host, true, &["init", "--quiet", &wanted], "Failed to move git's folder")?;
        }
        let Some(version) = &changes.version else {
            return self.write_archive(host);
        };
        if changes.modified {
            self.run(
                host,
                true,
                &["reset", "--hard", "HEAD", "--"],
                "Failed to throw local modifications away",
            )?;
        }
        if changes.url {
            let known = self.url(host.as_look())?.is_some();
            let word = if known { "set-url" } else { "add" };
            self.run(
                host,
                true,
                &["remote", word, "--", &args.remote, &args.repo],
                "Failed to set the address",
            )?;
        }
        if changes.moves || changes.url {
            self.fetch(version, host)?;
        }
        self.finish(version, host)
    }

    /// Fetches the version, and as little else as may be if the clone is shallow.
    fn fetch(&self, version: &Version, host: &mut dyn Touch) -> Result<(), Fail> {
        let args = self.args;
        let mut words: Vec<String> = vec!["fetch".into()];
        if args.force {
            words.push("--force".into());
        }
        let minimal = args.depth.and_then(|depth| Some((depth, self.minimal(version)?)));
        if let Some((depth, refspec)) = minimal {
            words.extend([format!("--depth={}", depth.max(1)), args.remote.clone(), refspec]);
        } else if args.bare {
            let all = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
            words.push(args.remote.clone());
            words.extend(all.map(str::to_owned));
        } else {
            words.extend(["--tags".into(), args.remote.clone()]);
            words.extend(args.refspec.clone());
        }
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.run(host, true, &words, "Failed to download remote objects and refs")
    }

    fn minimal(&self, version: &Version) -> Option<String> {
        let remote = &self.args.remote;
        match version {
            _ if self.args.refspec.is_some() => self.args.refspec.clone(),
            Version::Branch { name, .. } if self.args.bare => {
                Some(format!("+refs/heads/{name}:refs/heads/{name}"))
            }
            Version::Branch { name, .. } => Some(format!("+refs/heads/{name}:refs/remotes/{remote}/{name}")),
            Version::Tag { name, .. } => Some(format!("+refs/tags/{name}:refs/tags/{name}")),
            Version::Commit(_) | Version::Unknown => None,
        }
    }

    /// After the objects are there: files, submodules, signature, archive.
    ///
    /// # Errors
    /// What git says; a signature that is not right.
    pub(super) fn finish(&self, version: &Version, host: &mut dyn Touch) -> Result<(), Fail> {
        if self.args.verify_commit {
            self.verify(version, host.as_look())?;
        }
        if !self.args.bare {
            self.check_out(version, host)?;
            if self.args.recursive {
                self.update_submodules(host)?;
            }
        }
        self.write_archive(host)
    }

    fn check_out(&self, version: &Version, host: &mut dyn Touch) -> Result<(), Fail> {
        let remote = &self.args.remote;
        let failed = format!("Failed to checkout {}", self.args.version);
        let Version::Branch { name, .. } = version else {
            if *version == Version::Unknown && self.args.version == "HEAD" {
                // An empty repository has nothing to check out.
                return Ok(());
            }
            let name = match version {
                Version::Tag { name, .. } => format!("refs/tags/{name}"),
                Version::Commit(commit) => commit.clone(),
                _ => self.args.version.clone(),
            };
            return self.run(host, true, &["checkout", "--force", &name, "--"], &failed);
        };
        let tracked = format!("refs/remotes/{remote}/{name}");
        if !self.has(host.as_look(), &tracked)? {
            // A clone of a single branch does not know the others yet.
            let mut words = vec!["fetch".to_owned()];
            words.extend(self.args.depth.map(|depth| format!("--depth={}", depth.max(1))));
            words.extend([remote.clone(), format!("+refs/heads/{name}:{tracked}")]);
            self.run(host, true, &["remote", "set-branches", "--add", remote, name], &failed)?;
            self.run(host, true, &words.iter().map(String::as_str).collect::<Vec<_>>(), &failed)?;
        }
        if self.has(host.as_look(), &format!("refs/heads/{name}"))? {
            self.run(host, true, &["checkout", "--force", name, "--"], &failed)?;
            return self.run(host, true, &["reset", "--hard", &tracked, "--"], &failed);
        }
        if self.args.depth.is_some() {
            // A shallow clone follows one branch alone: it must be told of another to track it.
            self.run(host, true, &["remote", "set-branches", "--add", remote, name], &failed)?;
        }
        let start = format!("{remote}/{name}");
        self.run(host, true, &["checkout", "--force", "--track", "-b", name, &start, "--"], &failed)
    }

    fn update_submodules(&self, host: &mut dyn Touch) -> Result<(), Fail> {
        if host.stat(&self.dest.join(".gitmodules"), true)?.is_none() {
            return Ok(());
        }
        self.run(host, true, &["submodule", "sync", "--recursive"], "Failed to sync submodules")?;
        let mut words = vec!["submodule", "update", "--init", "--recursive"];
        if self.args.track_submodules {
            words.push("--remote");
        }
        if self.args.force {
            words.push("--force");
        }
        self.run(host, true, &words, "Failed to init/update submodules")
    }

    /// The version must be signed by a key that git trusts, and that is listed if there is a list.
    fn verify(&self, version: &Version, host: &dyn Look) -> Result<(), Fail> {
        let (word, name) = match version {
            Version::Tag { name, .. } if self.is_annotated(host, name)? => ("verify-tag", name.clone()),
            Version::Unknown => ("verify-commit", self.args.version.clone()),
            other => ("verify-commit", other.commit().unwrap_or_default()),
        };
        let ran = host.query(&self.git(true, &[word, "--raw", &name]))?;
        let said = ran.err();
        ran.success(&format!("Failed to verify GPG signature of commit/tag \"{}\"", self.args.version))?;
        if self.args.gpg_allowlist.is_empty() {
            return Ok(());
        }
        let signer = said.lines().find_map(|line| line.strip_prefix("[GNUPG:] VALIDSIG "));
        let words: Vec<&str> = signer.unwrap_or_default().split(' ').collect();
        // The key itself, and the primary key that it belongs to.
        let keys = [words.first(), words.last()];
        let listed = |key: &&&str| self.args.gpg_allowlist.iter().any(|it| it.replace(' ', "") == ***key);
        if keys.iter().flatten().any(|key| !key.is_empty() && listed(key)) {
            return Ok(());
        }
        let signer = words.first().copied().unwrap_or("nobody");
        Err(Fail::new(format!(
            "The gpg_allowlist does not include the public key \"{signer}\" for this commit"
        )))
    }

    fn is_annotated(&self, host: &dyn Look, tag: &str) -> Result<bool, Fail> {
        self.has(host, &format!("refs/tags/{tag}^{{tag}}"))
    }

    fn write_archive(&self, host: &mut dyn Touch) -> Result<(), Fail> {
        let Some(path) = &self.args.archive else { return Ok(()) };
        let path = path.on(host.as_look());
        let commit = self.commit(host.as_look(), "HEAD")?;
        if !self.archive_differs(host.as_look(), commit.as_deref())? {
            return Ok(());
        }
        let words = self.archive(commit.as_deref().unwrap_or("HEAD"))?;
        let cmd = self.git(true, &words.iter().map(String::as_str).collect::<Vec<_>>());
        let ran = host.query(&cmd)?.success("Failed to perform archive operation")?;
        host.write(&path, &ran.stdout, &Write::default()).map(drop)
    }
}
