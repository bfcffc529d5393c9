//! What an `apt` task must do: refresh the lists, and which calls of apt-get, found by asking apt itself.

use super::*;

impl Args {
    /// Whether new package lists are all that is wanted.
    pub(super) fn only_refreshes(&self) -> bool {
        self.name.is_empty() && self.deb.is_none() && self.upgrade == Upgrade::No
    }

    pub(super) fn refresh_is_due(&self, host: &dyn Look) -> Result<bool, Fail> {
        if !self.update_cache.unwrap_or(self.cache_valid_time > 0) {
            return Ok(false);
        }
        let now = host.now().duration_since(UNIX_EPOCH).map_or(0, |it| it.as_secs());
        let age = cache_time(host).map_or(u64::MAX, |since| now.saturating_sub(since));
        Ok(self.cache_valid_time == 0 || age > self.cache_valid_time)
    }

    /// Updates the package lists, again and again while that fails.
    pub(in crate::modules::packages) fn refresh(&self, host: &mut dyn Touch) -> Result<(), Fail> {
        // Without the error mode a list that can't be fetched is only a warning, and old lists would pass for new.
        let cmd = Cmd::new(["apt-get", "-y", "-o", "APT::Update::Error-Mode=any", "update"])
            .env("DEBIAN_FRONTEND", "noninteractive")
            .env("LANG", "C")
            .env("LC_ALL", "C");
        let mut pause = 1;
        for left in (0..=self.update_cache_retries).rev() {
            match self.run(host, &cmd) {
                Ok(_) => return Ok(()),
                Err(fail) if left == 0 => {
                    return Err(Fail { msg: format!("Failed to update apt cache: {}", fail.msg), ..fail });
                }
                Err(_) => {
                    std::thread::sleep(Duration::from_secs(pause.min(self.update_cache_retry_max_delay)));
                }
            }
            pause *= 2;
        }
        Ok(())
    }

    /// What must be done besides new package lists, and its lines for the diff.
    pub(super) fn steps(&self, host: &dyn Look) -> Result<(Vec<Step>, Vec<String>), Fail> {
        let mut steps = Vec::new();
        let mut lines = Vec::new();
        let names: Vec<_> = self.name.iter().filter(|name| !name.trim().is_empty()).collect();
        let everything = names.iter().any(|name| name.as_str() == "*") && self.state == State::Latest;
        if let Some(file) = &self.deb {
            if !deb::is_url(file) && deb::is_installed(host, file)? {
                return Ok((steps, lines));
            }
            steps.push(Step::File(file.clone()));
            lines.push(format!("+ {file}"));
        } else if everything || self.upgrade != Upgrade::No {
            let words: &[&str] = match self.upgrade {
                Upgrade::Full | Upgrade::Dist => &["dist-upgrade"],
                _ => &["upgrade", "--with-new-pkgs"],
            };
            self.simulate(host, words, Vec::new(), &mut steps, &mut lines)?;
        } else if !names.is_empty() {
            let specs = names.iter().map(|name| Spec::parse(name)).collect::<Result<Vec<_>, _>>()?;
            self.named(host, &specs, &mut steps, &mut lines)?;
        }
        // Together with names, `--auto-remove` of the same call has done it.
        if self.autoremove && names.is_empty() && self.upgrade == Upgrade::No && self.deb.is_none() {
            self.simulate(host, &["autoremove"], Vec::new(), &mut steps, &mut lines)?;
        }
        if self.autoclean && !host.query(&simulation(&["autoclean"]))?.out().lines().all(is_no_deletion) {
            steps.push(Step::call(&["autoclean"], Vec::new()));
        }
        if self.clean && has_downloads(host) {
            steps.push(Step::call(&["clean"], Vec::new()));
        }
        Ok((steps, lines))
    }

    pub(super) fn named(
        &self,
        host: &dyn Look,
        specs: &[Spec],
        steps: &mut Vec<Step>,
        lines: &mut Vec<String>,
    ) -> Result<(), Fail> {
        if self.state == State::BuildDep {
            let names = specs.iter().map(Spec::text).collect();
            return self.simulate(host, &["build-dep", "--"], names, steps, lines);
        }
        let installed = Installed::read(host)?;
        if self.state == State::Absent {
            let gone = self.to_remove(specs, &installed);
            lines.extend(gone.iter().map(|name| format!("- {name}")));
            if !gone.is_empty() {
                steps.push(Step::call(&["remove", "--"], gone));
            }
            return Ok(());
        }
        let missing = self.to_install(host, specs, &installed)?;
        lines.extend(missing.iter().map(|name| format!("+ {name}")));
        if self.state == State::Fixed {
            steps.push(Step::call(&["install", "--fix-broken", "--"], missing));
        } else if !missing.is_empty() {
            steps.push(Step::call(&["install", "--"], missing));
        }
        Ok(())
    }

    pub(super) fn to_remove(&self, specs: &[Spec], installed: &Installed) -> Vec<String> {
        let mut gone = Vec::new();
        for spec in specs {
            if spec.is_pattern() {
                gone.extend(installed.of(spec).map(|package| package.name.clone()));
            } else if installed.of(spec).next().is_some() || (self.purge && installed.remains(spec)) {
                gone.push(spec.name.clone());
            }
        }
        gone.dedup();
        gone
    }

    pub(super) fn to_install(
        &self,
        host: &dyn Look,
        specs: &[Spec],
        installed: &Installed,
    ) -> Result<Vec<String>, Fail> {
        let mut missing = Vec::new();
        let mut newest = Vec::new();
        for spec in expand(host, specs)? {
            let found: Vec<_> = installed.of(&spec).collect();
            match found.first() {
                Some(_) if self.state == State::Latest && spec.version.is_none() => {
                    newest.push(spec.name.clone());
                }
                Some(package) if spec.satisfied_by(host, &package.version)? => {}
                None if self.only_upgrade => {}
                None if spec.version.is_none() && installed.provided(host, &spec.name)? => {}
                _ => missing.push(spec.word(host)?),
            }
        }
        if !newest.is_empty() {
            let names: Vec<_> = newest.iter().map(String::as_str).collect();
            let offers = self.offers(host, &names)?;
            missing.extend(newest.into_iter().filter(|name| offers.contains(name)));
        }
        Ok(missing)
    }

    /// Which of these installed packages can be had in another version, as apt-get itself would decide.
    pub(super) fn offers(&self, host: &dyn Look, names: &[&str]) -> Result<Vec<String>, Fail> {
        let cmd = self.apt_get().args(["--simulate", "install", "--"]).args(names.iter().copied());
        let ran = host.query(&cmd)?;
        if !ran.ok() {
            return Err(failure(&cmd, &ran));
        }
        let output = ran.out();
        let upgraded: Vec<_> =
            output.lines().filter_map(|line| line.strip_prefix("Inst ")?.split_whitespace().next()).collect();
        let bare = |name: &str| name.split(':').next().unwrap_or_default().to_owned();
        Ok(names
            .iter()
            .filter(|name| upgraded.contains(&bare(name).as_str()))
            .map(|it| (*it).to_owned())
            .collect())
    }

    /// A step that apt-get alone can judge: it is planned if a simulation would do something.
    pub(super) fn simulate(
        &self,
        host: &dyn Look,
        words: &[&str],
        names: Vec<String>,
        steps: &mut Vec<Step>,
        lines: &mut Vec<String>,
    ) -> Result<(), Fail> {
        let cmd = self.apt_get().arg("--simulate").args(words.iter().copied()).args(names.iter());
        let ran = host.query(&cmd)?;
        if !ran.ok() {
            return Err(failure(&cmd, &ran));
        }
        if changes(&ran.out()) {
            lines.extend(simulated(&ran.out()));
            steps.push(Step::call(words, names));
        }
        Ok(())
    }
}

fn simulation(words: &[&str]) -> Cmd {
    Cmd::new(["apt-get", "-y", "--simulate"]).args(words.iter().copied()).env("LC_ALL", "C")
}

fn is_no_deletion(line: &str) -> bool {
    !line.starts_with("Del ")
}

/// Patterns become the names that they fit.
fn expand(host: &dyn Look, specs: &[Spec]) -> Result<Vec<Spec>, Fail> {
    let mut all = Vec::new();
    for spec in specs {
        if !spec.is_pattern() {
            all.push(spec.clone());
            continue;
        }
        let names = installed::known(host, spec)?;
        if names.is_empty() {
            return Err(Fail::new(format!("No package(s) matching '{}' available", spec.name)));
        }
        all.extend(names.into_iter().map(|name| Spec { name, version: spec.version.clone() }));
    }
    Ok(all)
}
