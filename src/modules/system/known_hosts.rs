//! `known_hosts`: the keys by which ssh knows other hosts.
//!
//! Not how this program itself knows its hosts: that is a matter of the connection.

use std::hash::{BuildHasher, RandomState};
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Deserialize;
use sha1::{Digest, Sha1};

use crate::modules::api::{
    Diff, Fail, HostPath, Look, Module, Outcome, Touch, Value, Write, text_diff, to_bytes, to_text,
};

/// Add and remove the keys by which ssh knows other hosts.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The other host; with an unusual port `[host]:port`.
    #[serde(alias = "host")]
    #[schemars(extend("x-aliases" = ["host"]))]
    name: String,
    /// A line as it stands in known_hosts: host, type, key. Required with `state: present`; without it, `state: absent`
    /// removes every key of the host.
    #[serde(default)]
    key: Option<String>,
    /// The file.
    #[serde(default = "file")]
    path: HostPath,
    /// Write the host's name as a hash.
    #[serde(default)]
    hash_host: bool,
    /// Whether the key is in the file.
    #[serde(default)]
    state: State,
}

/// Whether a key is in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is, and no other of its type.
    #[default]
    Present,
    /// It is not.
    Absent,
}

fn file() -> HostPath {
    HostPath::new("~/.ssh/known_hosts")
}

/// A line.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry<'t> {
    /// `@cert-authority` or `@revoked`.
    marker: Option<&'t str>,
    hosts: &'t str,
    kind: &'t str,
    key: &'t str,
}

impl<'t> Entry<'t> {
    fn parse(line: &'t str) -> Option<Entry<'t>> {
        let mut words = line.split_whitespace().peekable();
        words.peek().filter(|word| !word.starts_with('#'))?;
        let marker = words.next_if(|word| word.starts_with('@'));
        Some(Entry { marker, hosts: words.next()?, kind: words.next()?, key: words.next()? })
    }

    fn is_hashed(&self) -> bool {
        self.hosts.starts_with("|1|")
    }

    /// Whether it is about a host, whose name is in lower case.
    fn is_for(&self, name: &str) -> bool {
        let Some((salt, hash)) = self.hosts.strip_prefix("|1|").and_then(|rest| rest.split_once('|')) else {
            return self.hosts.split(',').any(|host| host.to_lowercase() == name);
        };
        let (Ok(salt), Ok(hash)) = (STANDARD.decode(salt), STANDARD.decode(hash)) else { return false };
        hash_of(&salt, name) == *hash
    }
}

/// HMAC-SHA1 of a name, as ssh hashes it.
fn hash_of(salt: &[u8], name: &str) -> Vec<u8> {
    let mut block = [0; 64];
    // ssh's salts have 20 bytes.
    let salt = if salt.len() > block.len() { Sha1::digest(salt).to_vec() } else { salt.to_vec() };
    block[..salt.len()].copy_from_slice(&salt);
    let inner = Sha1::digest([block.map(|byte| byte ^ 0x36).as_slice(), name.as_bytes()].concat());
    Sha1::digest([block.map(|byte| byte ^ 0x5c).as_slice(), inner.as_slice()].concat()).to_vec()
}

/// A name with a new salt.
fn hashed(name: &str) -> String {
    // The standard library's random keys are the system's randomness.
    let salt: Vec<u8> =
        (0..3_u8).flat_map(|part| RandomState::new().hash_one(part).to_ne_bytes()).take(20).collect();
    format!("|1|{}|{}", STANDARD.encode(&salt), STANDARD.encode(hash_of(&salt, name)))
}

/// The file before and after.
#[derive(Debug)]
pub struct Plan {
    before: Option<Vec<u8>>,
    after: String,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Know the host of the repositories
  known_hosts:
    name: git.example.com
    key: git.example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILagOJFgwaMNhBWQINinKOXmqS4Gh5NgxgriXwdOoINJ
    path: /etc/ssh/ssh_known_hosts

- name: Forget a host
  known_hosts:
    name: old.example.com
    state: absent
";
    const RETURNS: &'static str = "
name: The host.
key: The key as given.
path: The file.
hash_host: Whether the name was to be hashed.
state: present or absent.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let name = self.name();
        if name.is_empty() || name.contains([',', '|']) || name.contains(char::is_whitespace) {
            return Err(Fail::new(format!("{:?} is no name of one host", self.name)));
        }
        let given = self.given()?;
        let before = host.read(&self.path.on(host))?;
        let text = to_text(before.as_deref().unwrap_or_default());
        let after = match self.state {
            State::Present => self.with(&text, &given),
            State::Absent => self.without(&text, &given),
        };
        Ok((after != text).then_some(Plan { before, after }))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(host, Outcome::unchanged()))
    }

    fn predicted(&self, _plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(host, Outcome::changed()))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let (path, name) = (Path::new(self.path.text()), self.path.text());
        vec![text_diff(path, name, plan.before.as_deref(), &to_bytes(&plan.after))]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let path = self.path.on(host.as_look());
        if let Some(folder) = path.parent()
            && host.stat(folder, true)?.is_none()
        {
            host.make_dir(folder, 0o700)?;
        }
        let how = Write { mode: plan.before.is_none().then_some(0o644), ..Write::default() };
        host.write(&path, &to_bytes(&plan.after), &how)?;
        Ok(self.describe(host.as_look(), Outcome::changed()))
    }
}

impl Args {
    fn name(&self) -> String {
        self.name.trim().to_lowercase()
    }

    /// The lines that are given.
    fn given(&self) -> Result<Vec<Entry<'_>>, Fail> {
        let text = self.key.as_deref().unwrap_or_default();
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let mut given = Vec::new();
        for line in lines {
            let entry =
                Entry::parse(line).filter(|it| STANDARD.decode(it.key).is_ok_and(|key| key.len() > 16));
            let entry = entry.ok_or_else(|| {
                Fail::new(format!("key must be a line as in known_hosts (host, type, key), but is {line:?}"))
            })?;
            if !entry.is_for(&self.name()) {
                return Err(Fail::new(format!("the key is for {}, not for {}", entry.hosts, self.name)));
            }
            given.push(entry);
        }
        if given.is_empty() && self.state == State::Present {
            return Err(Fail::new("key is required to have a host's key in the file"));
        }
        Ok(given)
    }

    /// One line for each key; others of the host with the same type go.
    fn with(&self, text: &str, given: &[Entry<'_>]) -> String {
        let name = self.name();
        let mut written = vec![false; given.len()];
        let mut out = String::with_capacity(text.len() + 256);
        for line in text.split_inclusive('\n') {
            let own = Entry::parse(line).filter(|it| it.is_for(&name));
            let at = own
                .as_ref()
                .and_then(|own| given.iter().position(|it| it.kind == own.kind && it.marker == own.marker));
            let (Some(own), Some(at)) = (own, at) else {
                out.push_str(line);
                continue;
            };
            if written[at] {
                continue;
            }
            written[at] = true;
            let same = own.key == given[at].key && (own.is_hashed() || !self.hash_host);
            out.push_str(&if same { line.to_owned() } else { self.line(&given[at]) });
        }
        for (entry, _) in given.iter().zip(written).filter(|(_, written)| !written) {
            if !out.is_empty() && !out.ends_with('\n') {
                out.push('\n');
            }
            out.push_str(&self.line(entry));
        }
        out
    }

    fn without(&self, text: &str, given: &[Entry<'_>]) -> String {
        let name = self.name();
        let goes = |line: &&str| {
            Entry::parse(line).is_some_and(|own| {
                own.is_for(&name)
                    && (given.is_empty() || given.iter().any(|it| it.kind == own.kind && it.key == own.key))
            })
        };
        text.split_inclusive('\n').filter(|line| !goes(line)).collect()
    }

    fn line(&self, entry: &Entry<'_>) -> String {
        let hosts =
            if self.hash_host && !entry.is_hashed() { hashed(&self.name()) } else { entry.hosts.to_owned() };
        let marker = entry.marker.map(|marker| format!("{marker} ")).unwrap_or_default();
        format!("{marker}{hosts} {} {}\n", entry.kind, entry.key)
    }

    fn describe(&self, host: &dyn Look, outcome: Outcome) -> Outcome {
        let state = if self.state == State::Present { "present" } else { "absent" };
        outcome
            .with("name", self.name.as_str())
            .with("key", self.key.as_deref().map_or(Value::Null, Value::from))
            .with("path", self.path.on(host).to_string_lossy().into_owned())
            .with("hash_host", self.hash_host)
            .with("state", state)
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::*;
    use crate::modules::api::fake::FakeHost;

    const A: &str = "AAAAC3NzaC1lZDI1NTE5AAAAILagOJFgwaMNhBWQINinKOXmqS4Gh5NgxgriXwdOoINJ";
    const B: &str = "AAAAC3NzaC1lZDI1NTE5AAAAIBBBBJFgwaMNhBWQINinKOXmqS4Gh5NgxgriXwdOoINJ";
    const FILE: &str = "/root/.ssh/known_hosts";

    #[test]
    fn keys_of_hosts_come_change_and_go() {
        for (before, args, after) in [
            (String::new(), format!("name: Web, key: web ssh-ed25519 {A}"), format!("web ssh-ed25519 {A}\n")),
            (
                format!("# x\nweb,10.0.0.1 ssh-ed25519 {B}\ndb ssh-ed25519 {B}"),
                format!("name: web, key: 'web,10.0.0.1 ssh-ed25519 {A} comment'"),
                format!("# x\nweb,10.0.0.1 ssh-ed25519 {A}\ndb ssh-ed25519 {B}"),
            ),
            (
                format!("web ssh-rsa {B}"),
                format!("name: web, key: web ssh-ed25519 {A}"),
                format!("web ssh-rsa {B}\nweb ssh-ed25519 {A}\n"),
            ),
            (
                format!("web ssh-rsa {B}\nweb ssh-ed25519 {A}\ndb ssh-rsa {A}\n"),
                "name: web, state: absent".into(),
                format!("db ssh-rsa {A}\n"),
            ),
            (
                format!("web ssh-ed25519 {B}\nweb ssh-ed25519 {A}\n"),
                format!("name: web, state: absent, key: web ssh-ed25519 {A}"),
                format!("web ssh-ed25519 {B}\n"),
            ),
            (
                String::new(),
                format!("name: '[web]:2222', key: '[web]:2222 ssh-ed25519 {A}'"),
                format!("[web]:2222 ssh-ed25519 {A}\n"),
            ),
            (
                format!("*.a ssh-ed25519 {B}\n"),
                format!("name: '*.a', key: '@cert-authority *.a ssh-ed25519 {A}'"),
                format!("*.a ssh-ed25519 {B}\n@cert-authority *.a ssh-ed25519 {A}\n"),
            ),
        ] {
            let mut host = FakeHost::new().dir("/root/.ssh").file(FILE, before);
            let outcome = host.converge::<Args>(&format!("{{{args}}}"));
            assert_eq!(host.text(FILE), after, "{args}");
            assert_eq!(outcome.fields["path"].as_str(), Some(FILE));
        }
    }

    #[test]
    fn names_are_hashed_as_ssh_does() {
        let mut host = FakeHost::new().dir("/root/.ssh").file(FILE, format!("web ssh-ed25519 {A}\n"));
        host.converge::<Args>(&format!("{{name: web, key: web ssh-ed25519 {A}, hash_host: true}}"));
        let text = host.text(FILE);
        assert!(text.starts_with("|1|") && text.ends_with(&format!(" ssh-ed25519 {A}\n")), "{text}");
        assert!(Entry::parse(&text).unwrap().is_for("web"));
        assert!(!Entry::parse(&text).unwrap().is_for("db"));
        host.converge::<Args>("{name: web, state: absent}");
        assert_eq!(host.text(FILE), "");
        // This one `ssh-keygen -H` wrote.
        let known = format!("|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= ssh-ed25519 {A}");
        assert!(Entry::parse(&known).unwrap().is_for("192.168.1.61"));
    }

    #[test]
    fn a_new_file_gets_a_folder_of_its_own() {
        let mut host = FakeHost::new();
        host.converge::<Args>(&format!("{{name: web, key: web ssh-ed25519 {A}}}"));
        assert_eq!((host.mode("/root/.ssh"), host.mode(FILE)), (0o700, 0o644));
        assert!(!FakeHost::new().play::<Args>("{name: web, state: absent}").unwrap().changed);
    }

    #[test]
    fn what_is_no_key_of_the_host_is_refused() {
        for args in [
            "name: web".to_owned(),
            "{name: web, key: web ssh-rsa}".into(),
            "{name: web, key: web ssh-rsa notbase64!}".into(),
            format!("{{name: web, key: db ssh-ed25519 {A}}}"),
            format!("{{name: web, key: ssh-ed25519 {A} me@web}}"),
            format!("{{name: 'a,b', key: 'a,b ssh-ed25519 {A}'}}"),
        ] {
            assert!(FakeHost::new().play::<Args>(&args).is_err(), "{args}");
        }
    }
}
