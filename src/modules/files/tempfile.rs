//! `tempfile`: a new file or folder with a name that nobody uses.

use std::path::PathBuf;
use std::time::UNIX_EPOCH;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Fail, HostPath, Look, Module, Outcome, Support, Touch, Write, describe};

/// Make a temporary file or folder that stays until a task removes it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// What to make.
    #[serde(default)]
    state: State,
    /// The folder to make it in. By default the system's.
    path: Option<HostPath>,
    /// What its name begins with.
    #[serde(default = "prefix")]
    prefix: String,
    /// What its name ends with.
    #[serde(default)]
    suffix: String,
}

/// What to make.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// An empty file of mode 0600.
    #[default]
    File,
    /// A folder of mode 0700.
    Directory,
}

fn prefix() -> String {
    "ansible.".into()
}

impl Module for Args {
    const SUPPORT: Support = Support::IMPERATIVE;
    const EXAMPLES: &'static str = "
- name: A folder to build in
  tempfile:
    state: directory
    suffix: build
  register: folder
";
    const RETURNS: &'static str = "path: What was made.";
    type Plan = ();

    fn plan(&self, _host: &dyn Look) -> Result<Option<()>, Fail> {
        if self.prefix.contains('/') || self.suffix.contains('/') {
            return Err(Fail::new("prefix and suffix are parts of a name, so they have no slash"));
        }
        Ok(Some(()))
    }

    fn predicted(&self, (): &(), _host: &dyn Look) -> Result<Outcome, Fail> {
        let skipped = Outcome { skipped: true, ..Outcome::unchanged() };
        Ok(skipped.with("msg", "tempfile does nothing in check mode"))
    }

    fn apply(&self, (): (), host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let folder = match &self.path {
            Some(path) => path.on(host.as_look()),
            None => host.env("TMPDIR").map_or_else(|| PathBuf::from("/tmp"), PathBuf::from),
        };
        let seed = host.now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
        for attempt in 0..100_u128 {
            let name = format!("{}{}{}", self.prefix, letters(seed + attempt * 7919), self.suffix);
            let path = folder.join(name);
            if host.stat(&path, false)?.is_some() {
                continue;
            }
            match self.state {
                // Who takes the name in between loses it to the new file; a folder refuses to be made then.
                State::File => {
                    let how = Write { mode: Some(0o600), replace_link: true, ..Write::default() };
                    host.write(&path, b"", &how)?;
                }
                State::Directory => host.make_dir(&path, 0o700)?,
            }
            let outcome = Outcome::changed().with("path", path.to_string_lossy().into_owned());
            return describe(outcome, host.as_look(), &path);
        }
        Err(Fail::new(format!("no name is free in {}", folder.display())))
    }
}

/// Eight letters and digits.
fn letters(mut number: u128) -> String {
    const ALPHABET: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789_";
    let mut out = String::new();
    for _ in 0..8 {
        let at = usize::try_from(number % ALPHABET.len() as u128).unwrap_or_default();
        out.push(char::from(ALPHABET[at]));
        number /= ALPHABET.len() as u128;
    }
    out
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::*;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn every_call_makes_another() {
        let mut host = FakeHost::new();
        let path = |outcome: &Outcome| outcome.fields["path"].to_string();
        let first = path(&host.play::<Args>("{state: directory, suffix: x}").unwrap());
        let second = path(&host.play::<Args>("{path: /srv}").unwrap());
        let third = path(&host.play::<Args>("{path: /srv}").unwrap());
        assert!(first.starts_with("/tmp/ansible.") && first.ends_with('x') && host.mode(&first) == 0o700);
        assert!(second != third && host.mode(&third) == 0o600);
        assert!(host.check::<Args>("{}").unwrap().skipped);
        assert!(host.play::<Args>("{prefix: ../x}").is_err());
    }
}
