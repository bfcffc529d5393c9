//! The lines of a known_hosts file. Keys are decoded only when a host is looked up: such files may be long.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use russh::keys::PublicKey;
use sha1::Sha1;

use super::super::pattern;

/// What a key is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// The host's own key.
    Host,
    /// A key that signs keys of hosts.
    Authority,
    /// A key that must not be trusted any more.
    Revoked,
}

/// A line.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Where, from 1.
    pub line: usize,
    /// What it says about the key.
    pub marker: Marker,
    hosts: Hosts,
    key: String,
}

#[derive(Clone, Debug)]
enum Hosts {
    Patterns(String),
    Hashed { salt: Vec<u8>, hash: Vec<u8> },
}

impl Entry {
    /// Reads a line: none for empty ones and comments.
    ///
    /// # Errors
    /// What is no entry, and why.
    pub fn parse(line: usize, text: &str) -> Result<Option<Entry>, &'static str> {
        let mut words = text.split_ascii_whitespace();
        let Some(mut first) = words.next().filter(|word| !word.starts_with('#')) else { return Ok(None) };
        let marker = match first {
            "@cert-authority" => Marker::Authority,
            "@revoked" => Marker::Revoked,
            word if word.starts_with('@') => return Err("unknown marker"),
            _ => Marker::Host,
        };
        if marker != Marker::Host {
            first = words.next().ok_or("no host")?;
        }
        let kind = words.next().ok_or("no key")?;
        if kind.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err("a key of protocol 1");
        }
        let key = words.next().ok_or("no key")?;
        Ok(Some(Entry { line, marker, hosts: Hosts::parse(first)?, key: format!("{kind} {key}") }))
    }

    /// Whether it is about a name (lower case, with `[…]:port` for an unusual port).
    pub fn is_for(&self, name: &str) -> bool {
        match &self.hosts {
            Hosts::Patterns(list) => {
                let list = list.to_ascii_lowercase();
                pattern::list_matches(list.split(','), name)
            }
            Hosts::Hashed { salt, hash } => hash_name(salt, name) == *hash,
        }
    }

    /// The key.
    pub fn key(&self) -> Option<PublicKey> {
        PublicKey::from_openssh(&self.key).ok()
    }
}

impl Hosts {
    fn parse(text: &str) -> Result<Hosts, &'static str> {
        let Some(hashed) = text.strip_prefix("|1|") else {
            return if text.starts_with('|') {
                Err("unknown hash")
            } else {
                Ok(Hosts::Patterns(text.to_owned()))
            };
        };
        let (salt, hash) = hashed.split_once('|').ok_or("broken hash")?;
        let decode = |text| STANDARD.decode(text).map_err(|_| "broken hash");
        Ok(Hosts::Hashed { salt: decode(salt)?, hash: decode(hash)? })
    }
}

/// HMAC-SHA1 of a name, as `HashKnownHosts` writes it.
fn hash_name(salt: &[u8], name: &str) -> Vec<u8> {
    // HMAC takes keys of every length, so this can't fail; an empty answer matches nothing.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(salt) else { return Vec::new() };
    mac.update(name.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

/// A name as it stands in a line with hashed names.
pub(super) fn hashed(name: &str) -> String {
    let salt: [u8; 20] = rand::random();
    format!("|1|{}|{}", STANDARD.encode(salt), STANDARD.encode(hash_name(&salt, name)))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILagOJFgwaMNhBWQINinKOXmqS4Gh5NgxgriXwdOoINJ";

    fn entry(text: &str) -> Entry {
        Entry::parse(1, text).unwrap().unwrap()
    }

    #[test]
    fn lines_match_the_names_that_ssh_matches() {
        for (hosts, name, expected) in [
            ("web1", "web1", true),
            ("web1,10.0.0.1", "10.0.0.1", true),
            ("WEB1", "web1", true),
            ("web1", "[web1]:2222", false),
            ("[web1]:2222", "[web1]:2222", true),
            ("[*.example.com]:*", "[a.example.com]:22022", true),
            ("*.example.com,!bad.example.com", "good.example.com", true),
            ("*.example.com,!bad.example.com", "bad.example.com", false),
            ("10.0.0.?", "10.0.0.7", true),
        ] {
            assert_eq!(entry(&format!("{hosts} {KEY}")).is_for(name), expected, "{hosts} {name}");
        }
    }

    #[test]
    fn a_hashed_name_of_openssh_is_found() {
        let line = format!("|1|{} {KEY}", hashed("web1").strip_prefix("|1|").unwrap());
        assert!(entry(&line).is_for("web1"));
        assert!(!entry(&line).is_for("web2"));
        // This one `ssh-keygen -H` wrote.
        let known = "|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg=";
        assert!(entry(&format!("{known} {KEY}")).is_for("192.168.1.61"));
    }

    #[test]
    fn markers_comments_and_broken_lines() {
        assert_eq!(entry(&format!("@cert-authority *.a {KEY} comment")).marker, Marker::Authority);
        assert_eq!(entry(&format!("@revoked * {KEY}")).marker, Marker::Revoked);
        for text in ["", "   ", "# web1 ssh-ed25519 AAAA"] {
            assert!(Entry::parse(1, text).unwrap().is_none(), "{text}");
        }
        for text in
            ["web1", "web1 ssh-ed25519", "@other web1 ssh-ed25519 A", "|2|a|b ssh-rsa A", "|1|%|b ssh-rsa A"]
        {
            assert!(Entry::parse(1, text).is_err(), "{text}");
        }
        assert!(entry("web1 ssh-ed25519 notbase64").key().is_none());
        assert!(entry(&format!("web1 {KEY}")).key().is_some());
    }

    proptest::proptest! {
        #[test]
        fn no_line_is_too_strange(text in "\\PC*", line in "[@|]?(1\\||revoked |cert-authority )?[a-zA-Z0-9*?!,=|\\[\\]: ]*") {
            for text in [text, line] {
                if let Ok(Some(entry)) = Entry::parse(1, &text) {
                    entry.is_for("[web1]:2222");
                    entry.key();
                }
            }
        }
    }
}
