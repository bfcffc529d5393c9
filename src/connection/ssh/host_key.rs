//! Whether the key that a host shows is taken: what known_hosts says about it, certificates of hosts, and the
//! words for a refusal. Called from the key exchange, before anything secret is sent.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use russh::keys::{Algorithm, Certificate, EcdsaCurve, HashAlg, PublicKey, PublicKeyOrCertificate};

use super::context::SshContext;
use super::known_hosts::{Known, Marker, name_of};
use super::link::printable;
use super::pattern;
use super::settings::{Route, Settings};
use crate::connection::HostKeyCheck;

/// Checks the key of one host.
pub(super) struct HostKeyChecker {
    context: Arc<SshContext>,
    settings: Arc<Settings>,
    /// The name in known_hosts.
    name: String,
    known: Vec<Known>,
    /// Keys of the same host at the usual port: good if they match, nothing to compare with otherwise.
    elsewhere: Vec<Known>,
}

/// How a check ended, when not well.
#[derive(Debug)]
pub(super) struct Refused(pub(super) String);

impl HostKeyChecker {
    /// Looks the host up.
    pub(super) fn new(context: &Arc<SshContext>, settings: &Arc<Settings>) -> HostKeyChecker {
        let keys = &settings.host_keys;
        let files: Vec<_> = keys.user_files.iter().chain(&keys.global_files).cloned().collect();
        let warn = |text| context.warn(text);
        let look_up = |name: &str| context.known_hosts.look_up(&files, name, &warn);
        let name = match &keys.alias {
            Some(alias) => alias.to_ascii_lowercase(),
            None => name_of(&settings.host, settings.port),
        };
        let bare = name_of(&settings.host, 22);
        let known = look_up(&name);
        let elsewhere = if keys.alias.is_none() && bare != name { look_up(&bare) } else { Vec::new() };
        HostKeyChecker { context: context.clone(), settings: settings.clone(), name, known, elsewhere }
    }

    /// The algorithms to offer, those of known keys first: a host that has several keys then shows the one that is
    /// known. The second list is for certificates, and is empty when no authority is known for the host.
    pub(super) fn algorithms(&self) -> (Vec<Algorithm>, Vec<Algorithm>) {
        let mut all = offered(self.settings.host_keys.algorithms.as_deref());
        if all.is_empty() {
            let said = self.settings.host_keys.algorithms.as_deref().unwrap_or_default();
            self.context
                .warn(format!("HostKeyAlgorithms `{said}` has none that can be checked safely, left out"));
            all = usual();
        }
        let of = |marker: Marker| {
            let known = self.known.iter().chain(&self.elsewhere);
            known.filter(move |known| known.marker == marker).collect::<Vec<_>>()
        };
        let hosts = of(Marker::Host);
        let is_known =
            |algorithm: &Algorithm| hosts.iter().any(|known| same_kind(&known.key.algorithm(), algorithm));
        let (mut first, rest): (Vec<_>, Vec<_>) = all.iter().cloned().partition(is_known);
        first.extend(rest);
        let certificates = if of(Marker::Authority).is_empty() { Vec::new() } else { all };
        (first, certificates)
    }

    /// Decides on what the host shows.
    pub(super) fn check(&self, shown: &PublicKeyOrCertificate) -> Result<(), Refused> {
        let key = shown.public_key();
        if self.settings.host_keys.check == HostKeyCheck::Off {
            self.context.warn(
                "host keys are not checked: whoever is between here and the hosts can read and change everything \
                 (host_key_checking is off)",
            );
            return Ok(());
        }
        self.revoked(&key, shown.certificate())?;
        if let Some(certificate) = shown.certificate() {
            match self.certified(certificate) {
                Some(Ok(())) => return Ok(()),
                Some(Err(why)) => {
                    return Err(self.refused(&format!("its host certificate is not valid: {why}")));
                }
                // No authority of ours signed it: the key in it counts as any other.
                None => {}
            }
        }
        self.plain(&key)
    }

    fn refused(&self, why: &str) -> Refused {
        let settings = &self.settings;
        let host = if settings.name == settings.host {
            settings.address()
        } else {
            format!("{} ({})", settings.name, settings.address())
        };
        Refused(format!("host key of {host} refused: {why}"))
    }

    fn revoked(&self, key: &PublicKey, certificate: Option<&Certificate>) -> Result<(), Refused> {
        let authority = certificate.map(Certificate::signature_key);
        let revoked = self.known.iter().chain(&self.elsewhere).find(|known| {
            let data = known.key.key_data();
            known.marker == Marker::Revoked && (data == key.key_data() || Some(data) == authority)
        });
        match revoked {
            Some(known) => {
                let place = known.place();
                Err(self.refused(&format!("{} is marked as revoked in {place}", fingerprint(key))))
            }
            None => Ok(()),
        }
    }

    /// Whether an authority that is known for this host signed the certificate, and whether it is valid.
    fn certified(&self, certificate: &Certificate) -> Option<Result<(), String>> {
        let mut authorities =
            self.known.iter().chain(&self.elsewhere).filter(|k| k.marker == Marker::Authority);
        let authority = authorities.find(|known| known.key.key_data() == certificate.signature_key())?;
        Some(self.valid(certificate, &authority.key))
    }

    fn valid(&self, certificate: &Certificate, authority: &PublicKey) -> Result<(), String> {
        let keys = &self.settings.host_keys;
        let host = keys.alias.as_deref().unwrap_or(&self.settings.host).to_ascii_lowercase();
        if !certificate.cert_type().is_host() {
            return Err("it is for a user".to_owned());
        }
        if matches!(certificate.signature().algorithm(), Algorithm::Rsa { hash: None } | Algorithm::Dsa) {
            return Err("it is signed with SHA-1".to_owned());
        }
        let principals = certificate.valid_principals();
        if !principals.is_empty()
            && !principals.iter().any(|p| pattern::matches(&p.to_ascii_lowercase(), &host))
        {
            return Err(format!("it is for {}, not for {host}", printable(&principals.join(", "))));
        }
        if let Some((option, _)) = certificate.critical_options().iter().next() {
            return Err(format!("it demands `{}`, which is unknown", printable(option)));
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        if now < certificate.valid_after() {
            return Err("it is not valid yet".to_owned());
        }
        if now >= certificate.valid_before() {
            return Err("it has expired".to_owned());
        }
        let trusted = [authority.fingerprint(HashAlg::Sha256)];
        certificate.validate_at(now, &trusted).map_err(|_| "its signature is wrong".to_owned())
    }

    fn plain(&self, key: &PublicKey) -> Result<(), Refused> {
        let known: Vec<_> = self.known.iter().filter(|known| known.marker == Marker::Host).collect();
        let same = |known: &&Known| known.key.key_data() == key.key_data();
        let elsewhere = self.elsewhere.iter().filter(|known| known.marker == Marker::Host);
        if known.iter().copied().any(|known| same(&known)) || elsewhere.into_iter().any(|known| same(&known))
        {
            return Ok(());
        }
        let like = |known: &&&Known| same_kind(&known.key.algorithm(), &key.algorithm());
        if let Some(old) = known.iter().find(like).or(known.first()) {
            return Err(self.changed(old, key));
        }
        match self.settings.host_keys.check {
            HostKeyCheck::AcceptNew => {
                self.learn(key);
                Ok(())
            }
            HostKeyCheck::Strict | HostKeyCheck::Off => Err(self.unknown(key)),
        }
    }

    fn changed(&self, old: &Known, new: &PublicKey) -> Refused {
        self.refused(&format!(
            "it has changed. It shows {}, but {} has {}. Somebody may be in between, or the host was installed \
             anew; if you know that it was: ssh-keygen -f {} -R {}",
            fingerprint(new),
            old.place(),
            fingerprint(&old.key),
            shell_word(&old.file.to_string_lossy()),
            shell_word(&self.name),
        ))
    }

    fn unknown(&self, key: &PublicKey) -> Refused {
        let settings = &self.settings;
        let files = settings.host_keys.user_files.first();
        let file = files.map_or_else(|| "~/.ssh/known_hosts".to_owned(), |path| path.display().to_string());
        let port = if settings.port == 22 { String::new() } else { format!(" -p {}", settings.port) };
        let by_hand = match settings.route {
            Route::Direct => {
                let (host, file) = (shell_word(&settings.host), shell_word(&file));
                format!("If that is the right one: ssh-keyscan{port} {host} >> {file}; to")
            }
            // ssh-keyscan knows no other ways.
            Route::Jump(_) | Route::Command(_) => "To".to_owned(),
        };
        self.refused(&format!(
            "it is not in {file}. It shows {}. {by_hand} take the keys of all new hosts: --host-key-check accept-new",
            fingerprint(key),
        ))
    }

    fn learn(&self, key: &PublicKey) {
        let keys = &self.settings.host_keys;
        let Some(file) = keys.user_files.first() else { return };
        if let Err(error) = self.context.known_hosts.add(file, &self.name, key, keys.hash_names) {
            let text = format!("can't add the key of {} to {}: {error}", self.name, file.display());
            self.context.warn(text);
        }
    }
}

/// Such as `SHA256:… (ED25519)`.
fn fingerprint(key: &PublicKey) -> String {
    let kind = match key.algorithm() {
        Algorithm::Ed25519 => "ED25519".to_owned(),
        Algorithm::Ecdsa { .. } => "ECDSA".to_owned(),
        Algorithm::Rsa { .. } => "RSA".to_owned(),
        other => other.to_string(),
    };
    format!("{} ({kind})", key.fingerprint(HashAlg::Sha256))
}

fn shell_word(text: &str) -> String {
    shlex::try_quote(text).map_or_else(|_| text.to_owned(), std::borrow::Cow::into_owned)
}

/// Whether a key of one algorithm can serve another: RSA keys serve with every hash.
fn same_kind(key: &Algorithm, algorithm: &Algorithm) -> bool {
    key == algorithm || matches!((key, algorithm), (Algorithm::Rsa { .. }, Algorithm::Rsa { .. }))
}

/// What we can check, best first. SHA-1 is not in it.
fn usual() -> Vec<Algorithm> {
    let ecdsa = |curve| Algorithm::Ecdsa { curve };
    let rsa = |hash| Algorithm::Rsa { hash: Some(hash) };
    vec![
        Algorithm::Ed25519,
        ecdsa(EcdsaCurve::NistP256),
        ecdsa(EcdsaCurve::NistP384),
        ecdsa(EcdsaCurve::NistP521),
        rsa(HashAlg::Sha512),
        rsa(HashAlg::Sha256),
    ]
}

/// The algorithms after `HostKeyAlgorithms`: a list, or one that is added (`+`), taken away (`-`) or put first (`^`).
fn offered(text: Option<&str>) -> Vec<Algorithm> {
    let usual = usual();
    let Some(text) = text else { return usual };
    let (mode, list) = match text.split_at_checked(1) {
        Some((mode @ ("+" | "-" | "^"), list)) => (mode, list),
        _ => ("", text),
    };
    let listed = |algorithm: &Algorithm| {
        let (plain, certificate) = (algorithm.as_str(), algorithm.to_certificate_type());
        list.split(',').any(|p| pattern::matches(p, plain) || pattern::matches(p, &certificate))
    };
    match mode {
        "+" => usual,
        "-" => usual.into_iter().filter(|algorithm| !listed(algorithm)).collect(),
        "^" => {
            let (mut first, rest): (Vec<_>, Vec<_>) = usual.into_iter().partition(listed);
            first.extend(rest);
            first
        }
        _ => {
            let place = |algorithm: &Algorithm| {
                let mut patterns = list.split(',');
                patterns.position(|p| {
                    pattern::matches(p, algorithm.as_str())
                        || pattern::matches(p, &algorithm.to_certificate_type())
                })
            };
            let mut chosen: Vec<_> = usual.into_iter().filter(listed).collect();
            chosen.sort_by_key(place);
            chosen
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_key_algorithms_are_chosen_as_in_ssh() {
        for (text, expected) in [
            ("ssh-rsa", ""),
            ("rsa-sha2-512,ssh-ed25519", "rsa-sha2-512 ssh-ed25519"),
            (
                "+ssh-rsa",
                "ssh-ed25519 ecdsa-sha2-nistp256 ecdsa-sha2-nistp384 ecdsa-sha2-nistp521 rsa-sha2-512 rsa-sha2-256",
            ),
            ("-ecdsa-*", "ssh-ed25519 rsa-sha2-512 rsa-sha2-256"),
            (
                "^rsa-*,ecdsa-sha2-nistp521",
                "ecdsa-sha2-nistp521 rsa-sha2-512 rsa-sha2-256 ssh-ed25519 ecdsa-sha2-nistp256 ecdsa-sha2-nistp384",
            ),
        ] {
            let names: Vec<_> = offered(Some(text)).iter().map(ToString::to_string).collect();
            assert_eq!(names.join(" "), expected, "{text}");
        }
    }
}
