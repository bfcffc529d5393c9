//! `authorized_key`: the SSH keys with which a user may log in.

mod line;
mod place;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{
    Context, Diff, Fail, HostPath, Look, Module, Outcome, Touch, Value, text_diff, to_bytes, to_text,
};
use crate::modules::http::{Call, without_password};
use line::{Key, options_of};
use place::Place;

/// Add and remove SSH keys with which a user may log in.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an argument of its own")]
pub struct Args {
    /// The user.
    user: String,
    /// Public keys, one a line, or a URL to get them from.
    key: String,
    /// The file, by default `.ssh/authorized_keys` in the user's home.
    #[serde(default)]
    path: Option<HostPath>,
    /// Make the file's folder, and have it belong to the user alone. Turn it off where the folder is shared.
    #[serde(default = "yes")]
    manage_dir: bool,
    /// Whether the keys are in the file.
    #[serde(default)]
    state: State,
    /// Options for the keys, separated by commas. A key that is there with other options gets these.
    #[serde(default)]
    key_options: Option<String>,
    /// Remove all other keys from the file.
    #[serde(default)]
    exclusive: bool,
    /// Check the certificate of a URL's server.
    #[serde(default = "yes")]
    validate_certs: bool,
    /// A comment for the keys instead of their own.
    #[serde(default)]
    comment: Option<String>,
    /// Follow a link at the file's path instead of replacing it.
    #[serde(default)]
    follow: bool,
}

/// Whether keys are in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// They are.
    #[default]
    Present,
    /// They are not.
    Absent,
}

fn yes() -> bool {
    true
}

/// What must change.
#[derive(Debug)]
pub enum Plan {
    /// There is no such user yet.
    NoUser,
    /// The file's old and new contents.
    Rewrite {
        /// None: there is no file.
        before: Option<Vec<u8>>,
        /// All of it.
        after: Vec<u8>,
    },
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Let the deployment in
  authorized_key:
    user: deploy
    key: \"{{ lookup('file', 'keys/deploy.pub') }}\"

- name: For one command, from one network
  authorized_key:
    user: backup
    key: ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILagOJFgwaMNhBWQINinKOXmqS4Gh5NgxgriXwdOoINJ store
    key_options: 'command=\"/usr/local/bin/backup\",from=\"10.0.0.0/8\"'

- name: These keys and no others
  authorized_key:
    user: root
    key: \"{{ admins | join('\\n') }}\"
    exclusive: true
";
    const RETURNS: &'static str = "
user: The user.
key: The keys as given.
keyfile: The file.
key_options: The options as given.
exclusive: Whether all other keys were to go.
manage_dir: Whether the folder was looked after.
path: The file as given.
state: present or absent.
unique: Always false.
validate_certs: Whether a server's certificate was to be checked.
comment: The comment as given.
follow: Whether a link was to be followed.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let wanted = self.keys(host)?;
        let Some(place) = self.place(host)? else {
            return Ok((self.state == State::Present).then_some(Plan::NoUser));
        };
        let before = place.read(host)?;
        let text = to_text(before.as_deref().unwrap_or_default());
        let after = match self.state {
            State::Present => with(&text, &wanted, self.exclusive),
            State::Absent => without(&text, &wanted),
        };
        Ok((after != text).then(|| Plan::Rewrite { before, after: to_bytes(&after) }))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        self.describe(host, Outcome::unchanged())
    }

    fn predicted(&self, _plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        self.describe(host, Outcome::changed())
    }

    fn show(&self, plan: &Plan, host: &dyn Look) -> Result<Vec<Diff>, Fail> {
        let (Plan::Rewrite { before, after }, Some(place)) = (plan, self.place(host)?) else {
            return Ok(Vec::new());
        };
        let name = place.path.to_string_lossy();
        Ok(vec![text_diff(&place.path, &name, before.as_deref(), after)])
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let place = self.place(host.as_look())?;
        let (Plan::Rewrite { after, .. }, Some(place)) = (plan, place) else {
            return Err(Fail::new(format!("there is no user {}", self.user)));
        };
        place.write(host, &after, self.manage_dir)?;
        self.describe(host.as_look(), Outcome::changed())
    }
}

/// The text with these keys: a key that is there otherwise is changed where it is, a new one is appended.
fn with(text: &str, wanted: &[Key], exclusive: bool) -> String {
    let mut written = vec![false; wanted.len()];
    let mut out = String::with_capacity(text.len() + 256);
    for line in text.split_inclusive('\n') {
        let key = match Key::parse(line) {
            Ok(Some(key)) => key,
            Ok(None) => {
                out.push_str(line);
                continue;
            }
            Err(_) => {
                if !exclusive {
                    out.push_str(line);
                }
                continue;
            }
        };
        match wanted.iter().position(|it| it.blob == key.blob) {
            None if exclusive => {}
            None => out.push_str(line),
            // The same key once more might be there without its options.
            Some(at) if written[at] => {}
            Some(at) => {
                written[at] = true;
                if wanted[at].is(&key) {
                    out.push_str(line);
                } else {
                    let comment = &wanted[at].comment;
                    let comment = if comment.is_empty() { key.comment } else { comment.clone() };
                    out.push_str(&Key { comment, ..wanted[at].clone() }.line());
                }
            }
        }
    }
    for (key, _) in wanted.iter().zip(written).filter(|(_, written)| !written) {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        out.push_str(&key.line());
    }
    out
}

/// The text without these keys, whatever their options.
fn without(text: &str, wanted: &[Key]) -> String {
    let gone = |line: &&str| match Key::parse(line) {
        Ok(Some(key)) => wanted.iter().any(|it| it.blob == key.blob),
        _ => false,
    };
    text.split_inclusive('\n').filter(|line| !gone(line)).collect()
}

impl Args {
    /// The keys that are given, each once.
    fn keys(&self, host: &dyn Look) -> Result<Vec<Key>, Fail> {
        let text = if self.key.starts_with("http://")
            || self.key.starts_with("https://")
            || self.key.starts_with("file://")
        {
            self.fetch(host)?
        } else {
            self.key.clone()
        };
        if self.comment.as_ref().is_some_and(|comment| comment.contains('\n')) {
            return Err(Fail::new("comment must be one line"));
        }
        if self.key_options.as_ref().is_some_and(|options| options.contains('\n')) {
            return Err(Fail::new("key_options must be one line"));
        }
        let mut keys: Vec<Key> = Vec::new();
        for line in text.lines() {
            let Some(mut key) = Key::parse(line)? else { continue };
            if let Some(options) = &self.key_options {
                key.options = options_of(options);
            }
            if let Some(comment) = &self.comment {
                comment.clone_into(&mut key.comment);
            }
            if !keys.iter().any(|it| it.blob == key.blob) {
                keys.push(key);
            }
        }
        if keys.is_empty() {
            return Err(Fail::new("there is no key in key"));
        }
        Ok(keys)
    }

    fn fetch(&self, host: &dyn Look) -> Result<String, Fail> {
        let mut answer = Call { verify: self.validate_certs, ..Call::get(&self.key) }.send(host)?;
        let url = without_password(&self.key);
        if answer.status >= 300 {
            return Err(Fail::new(format!("getting keys from {url} failed: HTTP {}", answer.status)));
        }
        let mut text = String::new();
        let read =
            std::io::Read::read_to_string(&mut std::io::Read::take(&mut answer.body, 1 << 20), &mut text);
        read.about(|| format!("getting keys from {url}"))?;
        Ok(text)
    }

    /// None: there is no such user.
    fn place(&self, host: &dyn Look) -> Result<Option<Place>, Fail> {
        let Some(user) = host.user(&self.user)? else { return Ok(None) };
        let path = self.path.as_ref().map(|path| path.on(host));
        Place::new(host, user, path, self.follow).map(Some)
    }

    fn describe(&self, host: &dyn Look, outcome: Outcome) -> Result<Outcome, Fail> {
        let file = self.place(host)?.map(|place| place.path.to_string_lossy().into_owned());
        let state = if self.state == State::Present { "present" } else { "absent" };
        let text = |text: Option<&str>| text.map_or(Value::Null, Value::from);
        Ok(outcome
            .with("user", self.user.as_str())
            .with("key", self.key.as_str())
            .with("keyfile", text(file.as_deref()))
            .with("key_options", text(self.key_options.as_deref()))
            .with("exclusive", self.exclusive)
            .with("manage_dir", self.manage_dir)
            .with("path", text(self.path.as_ref().map(HostPath::text)))
            .with("state", state)
            .with("unique", false)
            .with("validate_certs", self.validate_certs)
            .with("comment", text(self.comment.as_deref()))
            .with("follow", self.follow))
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests;
