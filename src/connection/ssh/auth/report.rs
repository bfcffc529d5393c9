//! What was tried to log in, for the message when nothing was taken.

use russh::MethodKind;

use super::super::settings::Settings;

/// What was tried.
#[derive(Default)]
pub(super) struct Report {
    keys: Vec<String>,
    others: Vec<String>,
    taken: Vec<String>,
    unusable: Vec<String>,
}

impl Report {
    /// Whether the host was never asked anything.
    pub(super) fn is_empty(&self) -> bool {
        self.keys.is_empty() && self.others.is_empty() && self.taken.is_empty()
    }

    pub(super) fn tried_key(&mut self, label: &str) {
        self.keys.push(label.to_owned());
    }

    pub(super) fn tried(&mut self, what: &str) {
        self.others.push(what.to_owned());
    }

    /// One of several methods that the host wants was taken.
    pub(super) fn taken(&mut self, what: String) {
        self.taken.push(what);
    }

    pub(super) fn unusable(&mut self, what: &str, why: &str) {
        self.unusable.push(format!("{what}: {why}"));
    }

    /// The message. `offered`: what the host would still take. `reason`: why it ended the session.
    pub(super) fn message(
        &self,
        settings: &Settings,
        offered: &[MethodKind],
        reason: Option<&str>,
    ) -> String {
        let mut text = format!("could not log in as {} on {}", settings.user, settings.address());
        let mut parts = Vec::new();
        if let Some(reason) = reason {
            parts.push(reason.to_owned());
        }
        if !self.taken.is_empty() {
            parts.push(format!("{} was taken, but the host wants more", self.taken.join(" and ")));
        }
        let methods: Vec<&str> = offered.iter().map(<&str>::from).collect();
        let wants = |name: &str| methods.contains(&name);
        if !self.keys.is_empty() {
            parts.push(format!("no key was accepted, tried {}", self.keys.join(", ")));
        } else if wants("publickey") && self.taken.is_empty() {
            parts.push("there is no key to try".to_owned());
        }
        if !self.others.is_empty() {
            parts.push(format!("{} was not accepted", self.others.join(" and ")));
        }
        if !self.unusable.is_empty() {
            parts.push(format!("not used: {}", self.unusable.join(", ")));
        }
        if !methods.is_empty() {
            parts.push(format!("the host accepts {}", methods.join(", ")));
        }
        if !parts.is_empty() {
            text.push_str(": ");
            text.push_str(&parts.join("; "));
        }
        if let Some(help) = self.help(settings, &wants, reason) {
            text.push_str(&format!(". {help}"));
        }
        text
    }

    fn help(
        &self,
        settings: &Settings,
        wants: &dyn Fn(&str) -> bool,
        reason: Option<&str>,
    ) -> Option<&'static str> {
        let login = &settings.login;
        if reason.is_some_and(|reason| reason.contains("Too many authentication failures"))
            && self.keys.len() > 1
        {
            return Some(
                "Too many keys were offered: name the right one with ansible_ssh_private_key_file, or set \
                 IdentitiesOnly yes",
            );
        }
        let takes_password = wants("password") || wants("keyboard-interactive");
        match (takes_password && login.password.is_none(), wants("publickey") && self.keys.is_empty()) {
            (true, true) => Some(
                "Give a key with ansible_ssh_private_key_file, or a password with ansible_password or -k",
            ),
            (true, false) => Some("Give a password with ansible_password or -k"),
            (false, true) => Some("Give a key with ansible_ssh_private_key_file or --private-key"),
            (false, false) => None,
        }
    }
}
