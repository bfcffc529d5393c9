//! `deb822_repository`: apt's sources in their newer form, one file each.

use std::io::Read;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Diff, Fail, Look, Mode, Module, Outcome, Touch, Value, Write, expand, octal};
use crate::modules::http::{Call, without_password};

/// Add and remove package repositories of apt as `.sources` files.
///
/// The package lists are not updated: that is a task for `apt`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The repository's name; the file is named after it.
    name: String,
    /// Whether the repository is there.
    #[serde(default)]
    state: State,
    /// What it has: binary packages, sources or both.
    #[serde(default = "deb")]
    types: Vec<Type>,
    /// Where it is.
    #[serde(default)]
    uris: Vec<String>,
    /// The suites (`bookworm`), or a path that ends with a slash.
    #[serde(default)]
    suites: Vec<String>,
    /// The components (`main`).
    #[serde(default)]
    components: Vec<String>,
    /// For which architectures.
    #[serde(default)]
    architectures: Vec<String>,
    /// The key that signs it: a file on the host, a URL that it is downloaded from, or the key itself.
    #[serde(default)]
    signed_by: Option<String>,
    /// Whether apt uses it.
    #[serde(default)]
    enabled: Option<bool>,
    /// Trust it without a signature, or never.
    #[serde(default)]
    trusted: Option<bool>,
    /// Use it even if it has no signature.
    #[serde(default)]
    allow_insecure: Option<bool>,
    /// Use it even if its signature is weak.
    #[serde(default)]
    allow_weak: Option<bool>,
    /// Use it even if it had a signature and has none now.
    #[serde(default)]
    allow_downgrade_to_insecure: Option<bool>,
    /// Fetch indexes by their digests.
    #[serde(default)]
    by_hash: Option<bool>,
    /// Check that its date is not in the future.
    #[serde(default)]
    check_date: Option<bool>,
    /// Check that it is not too old.
    #[serde(default)]
    check_valid_until: Option<bool>,
    /// How many seconds its date may be in the future.
    #[serde(default)]
    date_max_future: Option<i64>,
    /// Where its `InRelease` is.
    #[serde(default)]
    inrelease_path: Option<String>,
    /// Which translations to fetch.
    #[serde(default)]
    languages: Vec<String>,
    /// Fetch differences of indexes.
    #[serde(default)]
    pdiffs: Option<bool>,
    /// What else to fetch.
    #[serde(default)]
    targets: Vec<String>,
    /// Permission bits of the file.
    #[serde(default)]
    mode: Option<Mode>,
    /// Accepted and without effect: no Python is needed here.
    #[serde(default)]
    #[expect(dead_code, reason = "documented as without effect")]
    install_python_debian: Option<bool>,
}

/// Whether a repository is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is.
    #[default]
    Present,
    /// It is not.
    Absent,
}

/// What a repository has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Type {
    /// Packages.
    Deb,
    /// Their sources.
    DebSrc,
}

fn deb() -> Vec<Type> {
    vec![Type::Deb]
}

/// A file that changes; `None`: it is not there.
#[derive(Debug, PartialEq, Eq)]
pub struct Change {
    path: PathBuf,
    before: Option<Vec<u8>>,
    after: Option<Vec<u8>>,
    mode: u32,
    /// Permission bits before, if only they change.
    bits: Option<u32>,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: The repository of a vendor, with its key
  deb822_repository:
    name: docker
    uris: https://download.docker.com/linux/debian
    suites: bookworm
    components: stable
    architectures: amd64
    signed_by: https://download.docker.com/linux/debian/gpg
";
    const RETURNS: &'static str = "
repo: The file's text.
dest: The file.
key_filename: The file of the key, if it came with the task.
";
    type Plan = Vec<Change>;

    fn plan(&self, host: &dyn Look) -> Result<Option<Vec<Change>>, Fail> {
        let mut changes = Vec::new();
        if self.state == State::Absent {
            for path in [self.file(), self.key_file("asc"), self.key_file("gpg")] {
                if let Some(before) = host.read(&path)? {
                    changes.push(Change { path, before: Some(before), after: None, mode: 0, bits: None });
                }
            }
            return Ok((!changes.is_empty()).then_some(changes));
        }
        if self.uris.is_empty() || self.suites.is_empty() {
            return Err(Fail::new("uris and suites are required when the repository is to be there"));
        }
        let key = self.key(host)?;
        if let Some((path, contents)) = &key {
            changes.extend(change(host, path, contents, 0o644)?);
        }
        let path = key.as_ref().map(|(path, _)| path.to_string_lossy().into_owned());
        let text = self.text(path.as_deref());
        let current = host.stat(&self.file(), true)?.map_or(0o644, |stat| stat.mode);
        let mode = self.mode.as_ref().map_or(0o644, |mode| mode.apply(current, false, host.umask()));
        changes.extend(change(host, &self.file(), text.as_bytes(), mode)?);
        Ok((!changes.is_empty()).then_some(changes))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        self.describe(Outcome::unchanged(), host)
    }

    fn diff(&self, plan: &Vec<Change>) -> Vec<Diff> {
        let text = |bytes: &Option<Vec<u8>>| {
            let text = String::from_utf8_lossy(bytes.as_deref().unwrap_or_default()).into_owned();
            Value::from(text)
        };
        let one = |it: &Change| {
            let path = it.path.to_string_lossy().into_owned();
            match it.bits {
                Some(bits) => Diff {
                    before: Value::from_pairs([("mode", octal(bits))]),
                    after: Value::from_pairs([("mode", octal(it.mode))]),
                    before_header: path.clone(),
                    after_header: path,
                    prepared: None,
                },
                None => Diff {
                    before: text(&it.before),
                    after: text(&it.after),
                    before_header: path.clone(),
                    after_header: path,
                    prepared: None,
                },
            }
        };
        plan.iter().map(one).collect()
    }

    fn apply(&self, plan: Vec<Change>, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        for change in plan {
            match (&change.after, change.bits) {
                (None, _) => host.remove_file(&change.path)?,
                (Some(_), Some(_)) => host.chmod(&change.path, change.mode)?,
                (Some(contents), None) => {
                    let folder = change.path.parent().unwrap_or(Path::new("/"));
                    if host.stat(folder, true)?.is_none() {
                        host.make_dir(folder, 0o755)?;
                    }
                    let how = Write { mode: Some(change.mode), ..Write::default() };
                    host.write(&change.path, contents, &how)?;
                }
            }
        }
        self.describe(Outcome::changed(), host.as_look())
    }
}

fn change(host: &dyn Look, path: &Path, wanted: &[u8], mode: u32) -> Result<Option<Change>, Fail> {
    let before = host.read(path)?;
    let bits = host.stat(path, true)?.map(|stat| stat.mode);
    let same = before.as_deref() == Some(wanted);
    if same && bits == Some(mode) {
        return Ok(None);
    }
    let bits = bits.filter(|_| same);
    Ok(Some(Change { path: path.to_owned(), before, after: Some(wanted.to_vec()), mode, bits }))
}

impl Args {
    /// The name as it may stand in the name of a file.
    fn slug(&self) -> String {
        let lower = self.name.to_lowercase();
        let text: String = lower
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() || "-_.".contains(c) { c } else { '-' })
            .collect();
        text.trim_matches(['-', '.']).to_owned()
    }

    fn file(&self) -> PathBuf {
        Path::new("/etc/apt/sources.list.d").join(format!("{}.sources", self.slug()))
    }

    fn key_file(&self, ending: &str) -> PathBuf {
        Path::new("/etc/apt/keyrings").join(format!("{}.{ending}", self.slug()))
    }

    /// The key that is downloaded, and where it goes.
    fn key(&self, host: &dyn Look) -> Result<Option<(PathBuf, Vec<u8>)>, Fail> {
        let Some(url) = self.signed_by.as_deref().filter(|it| it.contains("://")) else { return Ok(None) };
        let shown = without_password(url);
        let mut answer = Call::get(url).send(host)?;
        if !answer.ok() {
            return Err(Fail::new(format!("the key at {shown}: HTTP Error {}", answer.error())));
        }
        let mut key = Vec::new();
        // No key is larger.
        let read = answer.body.by_ref().take(4 << 20).read_to_end(&mut key);
        read.map_err(|error| Fail::new(format!("the key at {shown}: {error}")))?;
        // apt takes an armored key only with this ending, and any other only with that.
        let armored = key.starts_with(b"-----BEGIN PGP");
        Ok(Some((self.key_file(if armored { "asc" } else { "gpg" }), key)))
    }

    fn text(&self, key: Option<&str>) -> String {
        let list = |items: &[String]| (!items.is_empty()).then(|| items.join(" "));
        let truth = |it: Option<bool>| it.map(|it| if it { "yes" } else { "no" }.to_owned());
        let types = self.types.iter().map(|it| if *it == Type::Deb { "deb" } else { "deb-src" });
        let signed_by = key.map(str::to_owned).or_else(|| self.signed_by.as_deref().map(multiline));
        let fields = [
            ("X-Repolib-Name", Some(self.name.clone())),
            ("Allow-Downgrade-To-Insecure", truth(self.allow_downgrade_to_insecure)),
            ("Allow-Insecure", truth(self.allow_insecure)),
            ("Allow-Weak", truth(self.allow_weak)),
            ("Architectures", list(&self.architectures)),
            ("By-Hash", truth(self.by_hash)),
            ("Check-Date", truth(self.check_date)),
            ("Check-Valid-Until", truth(self.check_valid_until)),
            ("Components", list(&self.components)),
            ("Date-Max-Future", self.date_max_future.map(|it| it.to_string())),
            ("Enabled", truth(self.enabled)),
            ("InRelease-Path", self.inrelease_path.clone()),
            ("Languages", list(&self.languages)),
            ("PDiffs", truth(self.pdiffs)),
            ("Signed-By", signed_by),
            ("Suites", list(&self.suites)),
            ("Targets", list(&self.targets)),
            ("Trusted", truth(self.trusted)),
            ("Types", Some(types.collect::<Vec<_>>().join(" "))),
            ("URIs", list(&self.uris)),
        ];
        fields.iter().filter_map(|(name, value)| Some(format!("{name}: {}\n", value.as_ref()?))).collect()
    }

    fn describe(&self, outcome: Outcome, host: &dyn Look) -> Result<Outcome, Fail> {
        let key = [self.key_file("asc"), self.key_file("gpg")].into_iter();
        let mut key = key.filter(|path| matches!(host.stat(path, true), Ok(Some(_))));
        let key = key.next().map(|path| path.to_string_lossy().into_owned());
        let text = host.read(&self.file())?.map(|text| String::from_utf8_lossy(&text).into_owned());
        let dest = self.file().to_string_lossy().into_owned();
        let key = key.or_else(|| {
            self.signed_by.as_deref().filter(|it| it.starts_with(['/', '~'])).map(|it| expand(it, host))
        });
        Ok(outcome.with("repo", text).with("dest", dest).with("key_filename", key))
    }
}

/// A value of several lines: each further one is indented, an empty one is a dot.
fn multiline(text: &str) -> String {
    let text = text.trim();
    if !text.contains('\n') {
        return text.to_owned();
    }
    let lines =
        text.lines().map(|line| if line.trim().is_empty() { "\n .".into() } else { format!("\n {line}") });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::fake::FakeHost;

    const ARGS: &str =
        "name: My Repo, uris: http://h, suites: [stable], components: 'main,contrib', enabled: true";

    fn host() -> FakeHost {
        FakeHost::new().dir("/etc/apt/sources.list.d")
    }

    #[test]
    fn a_source_is_written_once_in_the_usual_order() {
        let mut host = host();
        let outcome = host.converge::<Args>(&format!("{{{ARGS}, signed_by: /k.asc, types: [deb, deb-src]}}"));
        let text = "X-Repolib-Name: My Repo\nComponents: main contrib\nEnabled: yes\nSigned-By: /k.asc\n\
            Suites: stable\nTypes: deb deb-src\nURIs: http://h\n";
        assert_eq!(host.text("/etc/apt/sources.list.d/my-repo.sources"), text);
        assert_eq!(outcome.fields["dest"].as_str(), Some("/etc/apt/sources.list.d/my-repo.sources"));
        assert_eq!(outcome.fields["key_filename"].as_str(), Some("/k.asc"));
        host.converge::<Args>(&format!("{{{ARGS}, signed_by: /k.asc, types: [deb, deb-src], mode: '0600'}}"));
        host.converge::<Args>("{name: My Repo, state: absent}");
        assert!(!host.has("/etc/apt/sources.list.d/my-repo.sources"));
    }

    #[test]
    fn a_key_of_several_lines_stands_in_the_file() {
        let mut host = host();
        host.play::<Args>(&format!("{{{ARGS}, signed_by: \"-----BEGIN\\n\\nabc\\n-----END\\n\"}}")).unwrap();
        let text = host.text("/etc/apt/sources.list.d/my-repo.sources");
        assert!(text.contains("Signed-By: \n -----BEGIN\n .\n abc\n -----END\n"), "{text}");
    }

    #[test]
    fn a_key_that_is_fetched_gets_a_file_of_its_own() {
        let mut host = host().file("/srv/key", "-----BEGIN PGP PUBLIC KEY BLOCK-----\n");
        let outcome = host.converge::<Args>(&format!("{{{ARGS}, signed_by: 'file:///srv/key'}}"));
        assert_eq!(outcome.fields["key_filename"].as_str(), Some("/etc/apt/keyrings/my-repo.asc"));
        assert!(
            host.text("/etc/apt/sources.list.d/my-repo.sources")
                .contains("Signed-By: /etc/apt/keyrings/my-repo.asc\n")
        );
    }

    #[test]
    fn a_repository_needs_a_place() {
        assert!(FakeHost::new().play::<Args>("name: a").is_err());
    }
}
