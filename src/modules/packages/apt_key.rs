//! `apt_key`: the keys that apt trusts for every repository, as files. Neither `apt-key` nor gpg is needed.

use std::io::Read;
use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Diff, Fail, HostPath, Look, Module, Outcome, Touch, Value, Write};
use crate::modules::http::{Call, without_password};
use crate::modules::openpgp::{Key, is_armored, keys, plain_id};

/// Add and remove keys that apt trusts.
///
/// Such a key is trusted for every repository. Better give each repository its own, with `signed_by` of
/// `deb822_repository`, or `get_url` into `/etc/apt/keyrings` and `signed-by=` in `apt_repository`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The key's id or fingerprint. A key that is given must be this one.
    #[serde(default)]
    id: Option<String>,
    /// Where the key is downloaded from.
    #[serde(default)]
    url: Option<String>,
    /// The key itself.
    #[serde(default)]
    data: Option<String>,
    /// A file of the host with the key.
    #[serde(default)]
    file: Option<HostPath>,
    /// The key server to ask for `id`.
    #[serde(default)]
    keyserver: Option<String>,
    /// The file that the key goes to or is removed from; by default one of its own in `/etc/apt/trusted.gpg.d`.
    #[serde(default)]
    keyring: Option<HostPath>,
    /// Whether the key is there.
    #[serde(default)]
    state: State,
    /// Check the certificate of the URL's server.
    #[serde(default = "yes")]
    validate_certs: bool,
}

/// Whether a key is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is.
    #[default]
    Present,
    /// It is not.
    Absent,
}

fn yes() -> bool {
    true
}

/// A keyring that changes.
#[derive(Debug, PartialEq, Eq)]
struct Change {
    path: PathBuf,
    /// Its new contents; `None`: it goes.
    after: Option<Vec<u8>>,
}

/// What must change.
#[derive(Debug, PartialEq, Eq)]
pub struct Plan {
    changes: Vec<Change>,
    fingerprints: Vec<String>,
}

/// No key file is larger.
const MAX: u64 = 4 << 20;
const FOLDER: &str = "/etc/apt/trusted.gpg.d";

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Trust the key of a vendor
  apt_key:
    url: https://download.docker.com/linux/debian/gpg
    id: 9DC858229FC7DD38854AE2D88D81803C0EBFCD88

- name: No longer
  apt_key:
    id: 0EBFCD88
    state: absent
";
    const RETURNS: &'static str = "
id: The key's id as asked for.
fp: The key's fingerprint.
key_id: The last sixteen digits of the fingerprint.
short_id: The last eight digits of the fingerprint.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        if let Some(id) = &self.id {
            let plain = plain_id(id);
            if plain.len() < 8 || !plain.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                return Err(Fail::new(format!(
                    "Invalid key_id {id:?}: it must have at least eight hexadecimal digits"
                )));
            }
        }
        let rings = self.rings(host)?;
        match self.state {
            State::Present => self.adding(host, &rings),
            State::Absent => {
                let id = match &self.id {
                    Some(id) => id.clone(),
                    None => self.source(host)?.first().map(|key| key.fingerprint.clone()).unwrap_or_default(),
                };
                removing(&rings, &id)
            }
        }
    }

    fn unchanged(&self, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::unchanged(), &[]))
    }

    fn predicted(&self, plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::changed(), &plan.fingerprints))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let sign = if self.state == State::Present { '+' } else { '-' };
        let lines: String = plan.fingerprints.iter().map(|it| format!("{sign} {it}\n")).collect();
        vec![Diff { prepared: Some(lines), ..Diff::default() }]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        for change in &plan.changes {
            match &change.after {
                None => host.remove_file(&change.path)?,
                Some(contents) => {
                    let new = host.stat(&change.path, true)?.is_none();
                    let how = Write { mode: new.then_some(0o644), ..Write::default() };
                    host.write(&change.path, contents, &how)?;
                }
            }
        }
        Ok(self.describe(Outcome::changed(), &plan.fingerprints))
    }
}

impl Args {
    /// The files that may hold keys, with what is in them.
    fn rings(&self, host: &dyn Look) -> Result<Vec<(PathBuf, Vec<u8>)>, Fail> {
        let paths = match &self.keyring {
            Some(path) => vec![path.on(host)],
            None => {
                let names = host.list(Path::new(FOLDER)).unwrap_or_default();
                let names = names.into_iter().filter(|it| {
                    let name = it.to_string_lossy();
                    name.ends_with(".gpg") || name.ends_with(".asc")
                });
                let folder = names.map(|name| Path::new(FOLDER).join(name));
                std::iter::once(PathBuf::from("/etc/apt/trusted.gpg")).chain(folder).collect()
            }
        };
        let mut rings = Vec::new();
        for path in paths {
            if let Some(contents) = host.read(&path)? {
                rings.push((path, contents));
            }
        }
        Ok(rings)
    }

    fn adding(&self, host: &dyn Look, rings: &[(PathBuf, Vec<u8>)]) -> Result<Option<Plan>, Fail> {
        let there: Vec<Key> = rings.iter().flat_map(|(_, contents)| keys(contents)).collect();
        if self.id.as_ref().is_some_and(|id| there.iter().any(|key| key.is(id))) {
            return Ok(None);
        }
        let given = self.source(host)?;
        if let Some(id) = self.id.as_ref().filter(|id| !given.iter().any(|key| key.is(id))) {
            let found: Vec<_> = given.iter().map(|key| key.fingerprint.as_str()).collect();
            return Err(Fail::new(format!("the key that was given is not {id} but {}", found.join(", "))));
        }
        let missing: Vec<&Key> =
            given.iter().filter(|key| !there.iter().any(|it| it.is(&key.fingerprint))).collect();
        let Some(first) = missing.first() else { return Ok(None) };
        let bytes: Vec<u8> = missing.iter().flat_map(|key| key.bytes.clone()).collect();
        let path = match &self.keyring {
            Some(path) => path.on(host),
            None => Path::new(FOLDER).join(format!("{}.gpg", &first.fingerprint[24..])),
        };
        let before = rings.iter().find(|(ring, _)| *ring == path).map(|(_, contents)| contents.clone());
        let before = before.unwrap_or_default();
        if !before.is_empty() && keys(&before).is_empty() {
            let path = path.display();
            return Err(Fail::new(format!("{path} is no plain keyring that a key can be added to")));
        }
        // Several keys one after the other are a keyring; an armored one is taken out of its armor.
        let before = if is_armored(&before) { whole(&keys(&before)) } else { before };
        let fingerprints = missing.iter().map(|key| key.fingerprint.clone()).collect();
        let after = Some([before, bytes].concat());
        Ok(Some(Plan { changes: vec![Change { path, after }], fingerprints }))
    }

    /// The keys that are given, wherever they are.
    fn source(&self, host: &dyn Look) -> Result<Vec<Key>, Fail> {
        let (data, from) = if let Some(data) = &self.data {
            (data.clone().into_bytes(), "data".to_owned())
        } else if let Some(path) = &self.file {
            let contents = host.read(&path.on(host))?;
            (contents.ok_or_else(|| Fail::new(format!("there is no file {path}")))?, path.text().to_owned())
        } else if let Some(url) = &self.url {
            (self.fetch(host, url)?, without_password(url))
        } else if let (Some(server), Some(id)) = (&self.keyserver, &self.id) {
            let url = lookup(server, id);
            (self.fetch(host, &url)?, url)
        } else {
            return Err(Fail::new("one of data, file, url, or keyserver with id is required"));
        };
        let found = keys(&data);
        if found.is_empty() {
            return Err(Fail::new(format!("there is no public key in {from}")));
        }
        Ok(found)
    }

    fn fetch(&self, host: &dyn Look, url: &str) -> Result<Vec<u8>, Fail> {
        let mut answer = Call { verify: self.validate_certs, ..Call::get(url) }.send(host)?;
        let shown = without_password(url);
        if !answer.ok() {
            return Err(Fail::new(format!(
                "Failed to download key at {shown}: HTTP Error {}",
                answer.error()
            )));
        }
        let mut data = Vec::new();
        let read = answer.body.by_ref().take(MAX).read_to_end(&mut data);
        read.map_err(|error| Fail::new(format!("Failed to download key at {shown}: {error}")))?;
        Ok(data)
    }

    fn describe(&self, outcome: Outcome, fingerprints: &[String]) -> Outcome {
        let mut outcome = outcome.with("id", self.id.clone());
        if let Some(fingerprint) = fingerprints.first() {
            let end = |length: usize| Value::from(&fingerprint[fingerprint.len().saturating_sub(length)..]);
            outcome =
                outcome.with("fp", fingerprint.as_str()).with("key_id", end(16)).with("short_id", end(8));
        }
        outcome
    }
}

fn whole(keys: &[Key]) -> Vec<u8> {
    keys.iter().flat_map(|key| key.bytes.clone()).collect()
}

fn removing(rings: &[(PathBuf, Vec<u8>)], id: &str) -> Result<Option<Plan>, Fail> {
    let mut plan = Plan { changes: Vec::new(), fingerprints: Vec::new() };
    for (path, contents) in rings {
        let (gone, left): (Vec<Key>, Vec<Key>) = keys(contents).into_iter().partition(|key| key.is(id));
        if gone.is_empty() {
            continue;
        }
        if !left.is_empty() && is_armored(contents) {
            let path = path.display();
            return Err(Fail::new(format!("{path} has other keys too: take the key out of it by hand")));
        }
        plan.fingerprints.extend(gone.into_iter().map(|key| key.fingerprint));
        let after = (!left.is_empty()).then(|| whole(&left));
        plan.changes.push(Change { path: path.clone(), after });
    }
    Ok((!plan.changes.is_empty()).then_some(plan))
}

/// A key server's URL for a key.
fn lookup(server: &str, id: &str) -> String {
    let (scheme, rest) = server.split_once("://").unwrap_or(("hkp", server));
    let rest = rest.trim_end_matches('/');
    let named_port = rest.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
    let base = match scheme {
        "hkps" | "https" => format!("https://{rest}"),
        "hkp" if !named_port => format!("http://{rest}:11371"),
        _ => format!("http://{rest}"),
    };
    format!("{base}/pks/lookup?op=get&options=mr&search=0x{}", plain_id(id))
}

#[cfg(test)]
mod tests {
    use super::{Args, lookup};
    use crate::modules::api::Look;
    use crate::modules::api::fake::FakeHost;
    use crate::modules::openpgp::keys;
    use crate::modules::openpgp::tests::{ARMORED, FINGERPRINT};

    fn host() -> FakeHost {
        FakeHost::new().dir("/etc/apt/trusted.gpg.d").file("/srv/key.asc", ARMORED)
    }

    fn read(host: &FakeHost, path: &str) -> Vec<u8> {
        host.read(path.as_ref()).unwrap().unwrap()
    }

    #[test]
    fn a_key_comes_and_goes_once() {
        let mut host = host();
        let outcome = host.converge::<Args>("file: /srv/key.asc");
        let path = format!("/etc/apt/trusted.gpg.d/{}.gpg", &FINGERPRINT[24..]);
        let contents = read(&host, &path);
        assert_eq!(keys(&contents)[0].fingerprint, FINGERPRINT);
        assert_eq!(outcome.fields["short_id"].as_str(), Some(&FINGERPRINT[32..]));
        // Known by its id, it needs no source.
        assert!(!host.play::<Args>(&format!("id: '{}'", &FINGERPRINT[32..])).unwrap().changed);
        host.converge::<Args>(&format!("{{id: 0x{}, state: absent}}", FINGERPRINT.to_lowercase()));
        assert!(!host.has(&path));
    }

    #[test]
    fn a_keyring_of_its_own_keeps_its_other_keys() {
        let mut host = host().file("/srv/ring.gpg", "");
        host.converge::<Args>("{url: 'file:///srv/key.asc', keyring: /srv/ring.gpg}");
        assert_eq!(keys(&read(&host, "/srv/ring.gpg")).len(), 1);
        assert!(!host.has(&format!("/etc/apt/trusted.gpg.d/{}.gpg", &FINGERPRINT[24..])));
        let mut foreign = FakeHost::new().file("/srv/key.asc", ARMORED).file("/srv/ring.gpg", "KBXf");
        assert!(foreign.play::<Args>("{file: /srv/key.asc, keyring: /srv/ring.gpg}").is_err());
    }

    #[test]
    fn another_key_than_the_one_asked_for_is_refused() {
        let fail = host().play::<Args>("{file: /srv/key.asc, id: DEADBEEF}").unwrap_err();
        assert!(fail.msg.contains(FINGERPRINT), "{}", fail.msg);
        assert!(host().file("/srv/x", "<html>").play::<Args>("file: /srv/x").is_err());
        assert!(host().play::<Args>("id: DEADBEEF").is_err());
        assert!(host().play::<Args>("{id: xyz, file: /srv/key.asc}").is_err());
    }

    #[test]
    fn key_servers_are_asked_over_http() {
        let end = "/pks/lookup?op=get&options=mr&search=0xAB12CD34";
        for (server, base) in [
            ("keyserver.ubuntu.com", "http://keyserver.ubuntu.com:11371"),
            ("hkp://keyserver.ubuntu.com:80", "http://keyserver.ubuntu.com:80"),
            ("hkps://keys.openpgp.org/", "https://keys.openpgp.org"),
        ] {
            assert_eq!(lookup(server, "0xab12cd34"), format!("{base}{end}"));
        }
    }
}
