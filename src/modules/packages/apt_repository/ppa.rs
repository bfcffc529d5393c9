//! Launchpad's personal package archives: `ppa:user/name`.

use std::io::Read;
use std::path::PathBuf;

use crate::facts::distribution;
use crate::modules::api::{Fail, Look};
use crate::modules::http::Call;

/// No answer of Launchpad or of a key server needs more.
const MAX: u64 = 1 << 20;

/// An archive.
pub(super) struct Ppa {
    owner: String,
    name: String,
}

impl Ppa {
    pub fn parse(text: &str) -> Result<Ppa, Fail> {
        let (owner, name) = text.split_once('/').unwrap_or((text, "ppa"));
        let name = name.strip_prefix("ubuntu/").unwrap_or(name);
        let plain = |it: &str| {
            !it.is_empty()
                && it.starts_with(|c: char| c.is_ascii_alphanumeric())
                && it.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
        };
        if !plain(owner) || !plain(name) {
            return Err(Fail::new(format!("ppa:{text} is no archive: it must be ppa:USER/NAME")));
        }
        Ok(Ppa { owner: owner.to_owned(), name: name.to_owned() })
    }

    pub fn line(&self, host: &dyn Look, codename: Option<&str>) -> Result<String, Fail> {
        let found = distribution(host);
        if found.name != "Ubuntu" && codename.is_none() {
            return Err(Fail::new(
                "PPAs are for Ubuntu; on other distributions codename says for which release",
            ));
        }
        let codename = codename.map_or(found.release, str::to_owned);
        Ok(format!("deb http://ppa.launchpad.net/{}/{}/ubuntu {codename} main", self.owner, self.name))
    }

    /// The key that signs the archive and the file it goes to, unless that is there.
    pub fn key(&self, host: &dyn Look, verify: bool) -> Result<Option<(PathBuf, String)>, Fail> {
        let path = PathBuf::from(format!("/etc/apt/trusted.gpg.d/{}-{}.asc", self.owner, self.name));
        if host.stat(&path, true)?.is_some() {
            return Ok(None);
        }
        let url = format!("https://api.launchpad.net/1.0/~{}/+archive/{}", self.owner, self.name);
        let text = fetch(host, &url, verify)?;
        let json: serde_json::Value = serde_json::from_str(&text)
            .map_err(|error| Fail::new(format!("{url} says nothing sensible: {error}")))?;
        let fingerprint = json["signing_key_fingerprint"].as_str().unwrap_or_default();
        if fingerprint.len() < 40 || !fingerprint.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Fail::new(format!("Launchpad knows no key of ppa:{}/{}", self.owner, self.name)));
        }
        let url = format!("https://keyserver.ubuntu.com/pks/lookup?op=get&options=mr&search=0x{fingerprint}");
        Ok(Some((path, fetch(host, &url, verify)?)))
    }
}

fn fetch(host: &dyn Look, url: &str, verify: bool) -> Result<String, Fail> {
    let mut call = Call { verify, ..Call::get(url) };
    call.headers.push(("Accept".into(), "application/json, */*".into()));
    let mut answer = call.send(host)?;
    if !answer.ok() {
        return Err(Fail::new(format!("{url}: HTTP Error {}", answer.error())));
    }
    let mut text = String::new();
    let read = answer.body.by_ref().take(MAX).read_to_string(&mut text);
    read.map_err(|error| Fail::new(format!("{url}: {error}")))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::Ppa;

    #[test]
    fn archives_are_a_user_and_a_name() {
        for (text, is) in [
            ("a/b", "a b"),
            ("a", "a ppa"),
            ("a/ubuntu/b", "a b"),
            ("ond\u{159}ej/php", ""),
            ("../x", ""),
            ("a/", ""),
        ] {
            let found = Ppa::parse(text).map(|it| format!("{} {}", it.owner, it.name)).unwrap_or_default();
            assert_eq!(found, is, "{text}");
        }
    }
}
