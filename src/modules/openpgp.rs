//! OpenPGP public keys as far as package managers need them: which keys are in a file, and the file without one.
//!
//! Not a module. Nothing is verified here: apt and rpm do that. `apt_key` and `rpm_key` use it.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest, Sha1};

/// A public key with all that belongs to it (names, signatures, subkeys).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    /// The primary key's fingerprint: 40 upper-case hexadecimal digits.
    pub fingerprint: String,
    /// Those of its subkeys.
    pub subkeys: Vec<String>,
    /// Its packets, unarmored.
    pub bytes: Vec<u8>,
}

impl Key {
    /// Whether an id (8, 16 or 40 digits, in any case) names the key or a subkey.
    pub fn is(&self, id: &str) -> bool {
        let id = plain_id(id);
        !id.is_empty() && (self.fingerprint.ends_with(&id) || self.subkeys.iter().any(|it| it.ends_with(&id)))
    }
}

/// An id without `0x` and spaces, in upper case.
pub(crate) fn plain_id(id: &str) -> String {
    let id: String = id.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_uppercase();
    id.strip_prefix("0X").map_or(id.clone(), str::to_owned)
}

/// The keys in a file, armored or not; none if it is something else.
pub(crate) fn keys(data: &[u8]) -> Vec<Key> {
    let unarmored = if is_armored(data) { unarmor(data) } else { data.to_vec() };
    let mut keys: Vec<Key> = Vec::new();
    let mut rest = unarmored.as_slice();
    while let Some((packet, after)) = Packet::take(rest) {
        let whole = &rest[..rest.len() - after.len()];
        rest = after;
        match (packet.tag, fingerprint(packet.body)) {
            (6, Some(fingerprint)) => {
                keys.push(Key { fingerprint, subkeys: Vec::new(), bytes: whole.to_vec() });
                continue;
            }
            (14, Some(fingerprint)) => {
                if let Some(key) = keys.last_mut() {
                    key.subkeys.push(fingerprint);
                }
            }
            // A public key of a version that is not known here ends the one before.
            (6, None) => return keys,
            _ => {}
        }
        if let Some(key) = keys.last_mut() {
            key.bytes.extend_from_slice(whole);
        }
    }
    keys
}

/// Whether this is text with the usual frame.
pub(crate) fn is_armored(data: &[u8]) -> bool {
    let start = data.iter().position(|byte| !byte.is_ascii_whitespace()).unwrap_or(0);
    data[start..].starts_with(b"-----BEGIN PGP")
        || String::from_utf8_lossy(data).contains("\n-----BEGIN PGP PUBLIC KEY BLOCK")
}

/// The bytes in all frames of a text.
fn unarmor(data: &[u8]) -> Vec<u8> {
    let text = String::from_utf8_lossy(data);
    let mut bytes = Vec::new();
    let mut block: Option<String> = None;
    let mut headers = false;
    for line in text.lines().map(str::trim) {
        if line.starts_with("-----BEGIN PGP") {
            block = Some(String::new());
            headers = true;
        } else if line.starts_with("-----END PGP") {
            let text = block.take().unwrap_or_default();
            bytes.extend(STANDARD.decode(text).unwrap_or_default());
        } else if let Some(block) = &mut block {
            // Headers such as `Version: …` end with an empty line; `=abcd` is the checksum.
            if headers && (line.is_empty() || line.contains(": ")) {
                headers = line.contains(": ");
            } else if !line.starts_with('=') {
                headers = false;
                block.push_str(line);
            }
        }
    }
    bytes
}

/// One packet.
struct Packet<'a> {
    tag: u8,
    body: &'a [u8],
}

impl<'a> Packet<'a> {
    /// The first packet and what follows; `None` at the end or where no packet begins.
    fn take(data: &'a [u8]) -> Option<(Packet<'a>, &'a [u8])> {
        let (&first, rest) = data.split_first()?;
        if first & 0x80 == 0 {
            return None;
        }
        let (tag, length, rest) = if first & 0x40 == 0 { old(first, rest)? } else { new(first, rest)? };
        let (body, rest) = rest.split_at_checked(length)?;
        Some((Packet { tag, body }, rest))
    }
}

/// A header of the old form: the length has 1, 2 or 4 bytes.
fn old(first: u8, rest: &[u8]) -> Option<(u8, usize, &[u8])> {
    let tag = (first >> 2) & 0x0f;
    let size = match first & 3 {
        0 => 1,
        1 => 2,
        2 => 4,
        _ => return Some((tag, rest.len(), rest)),
    };
    let (length, rest) = rest.split_at_checked(size)?;
    Some((tag, number(length), rest))
}

/// A header of the new form: the first byte of the length says how many there are.
fn new(first: u8, rest: &[u8]) -> Option<(u8, usize, &[u8])> {
    let tag = first & 0x3f;
    let (&lead, rest) = rest.split_first()?;
    match lead {
        0..=191 => Some((tag, usize::from(lead), rest)),
        192..=223 => {
            let (&second, rest) = rest.split_first()?;
            Some((tag, ((usize::from(lead) - 192) << 8) + usize::from(second) + 192, rest))
        }
        255 => {
            let (length, rest) = rest.split_at_checked(4)?;
            Some((tag, number(length), rest))
        }
        // Partial lengths are for data, not for keys.
        _ => None,
    }
}

fn number(bytes: &[u8]) -> usize {
    bytes.iter().fold(0, |sum, byte| (sum << 8) + usize::from(*byte))
}

/// The fingerprint of a key of version 4.
fn fingerprint(body: &[u8]) -> Option<String> {
    if body.first() != Some(&4) {
        return None;
    }
    let length = u16::try_from(body.len()).ok()?;
    let digest =
        Sha1::new().chain_update([0x99]).chain_update(length.to_be_bytes()).chain_update(body).finalize();
    Some(digest.iter().map(|byte| format!("{byte:02X}")).collect())
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An Ed25519 key made for these tests, with an encryption subkey.
    pub(crate) const ARMORED: &str = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\
        \n\
        mDMEawF0OxYJKwYBBAHaRw8BAQdAYS6j1gfSnfxbdap8lyF3M4TNkhF2nlRTxuoL\n\
        NEhIcsO0F1Rlc3QgPHRlc3RAZXhhbXBsZS5vcmc+iJAEExYIADgWIQQhvBXMe+GU\n\
        xRgI30GJKV0kYFBM3gUCawF0OwIbAwULCQgHAgYVCgkICwIEFgIDAQIeAQIXgAAK\n\
        CRCJKV0kYFBM3jTSAPoDn6A7oCMD1g19czNBvSmzpXG7fKOiwLXKA6yXRIoj1AEA\n\
        kLbk9jwKhCzvnU20IuYZgtiiuGf3x5Ge4bpZ3KHHtQ+4OARrAXQ7EgorBgEEAZdV\n\
        AQUBAQdApBlBqA2e9G7R0WC9k+62fNE1OZ/TL2ijaeYwdBAorzQDAQgHiHgEGBYI\n\
        ACAWIQQhvBXMe+GUxRgI30GJKV0kYFBM3gUCawF0OwIbDAAKCRCJKV0kYFBM3lbe\n\
        AQCTUFQm+Ihj+dF8myj/Unn/pfB5B2WVgZjXtBunJ7BYHgEArNF/PgpI511BQvUU\n\
        02VJMXxlcc2ihcC5KzovFQP9Ywk=\n\
        =YZJ7\n\
        -----END PGP PUBLIC KEY BLOCK-----\n";
    /// Its fingerprint.
    pub(crate) const FINGERPRINT: &str = "21BC15CC7BE194C51808DF4189295D2460504CDE";
    const SUBKEY: &str = "35A7EDF80AA333D53BCFAFAB9C82264F82D15A46";

    #[test]
    fn a_key_is_found_armored_and_not() {
        let found = keys(ARMORED.as_bytes());
        assert_eq!(found.len(), 1);
        assert_eq!(
            (found[0].fingerprint.as_str(), found[0].subkeys.as_slice()),
            (FINGERPRINT, [SUBKEY.to_owned()].as_slice())
        );
        assert_eq!(keys(&found[0].bytes), found);
        let two = [found[0].bytes.clone(), found[0].bytes.clone()].concat();
        assert_eq!(keys(&two).len(), 2);
        let text = format!("{ARMORED}\n{ARMORED}");
        assert_eq!(keys(text.as_bytes()).len(), 2);
    }

    #[test]
    fn ids_are_ends_of_fingerprints() {
        let key = &keys(ARMORED.as_bytes())[0];
        for id in [FINGERPRINT, &FINGERPRINT[24..], &FINGERPRINT[32..], &SUBKEY[24..]] {
            assert!(key.is(id) && key.is(&format!("0x{}", id.to_lowercase())), "{id}");
        }
        assert!(!key.is("") && !key.is("DEADBEEF"));
    }

    #[test]
    fn garbage_has_no_keys() {
        for data in
            [&b""[..], b"<html>", b"\x99", b"\xff\xff\xff\xff\xff\xff", b"-----BEGIN PGP\n!!\n-----END PGP"]
        {
            assert_eq!(keys(data), []);
        }
        // Cut anywhere, it never panics.
        let bytes = keys(ARMORED.as_bytes())[0].bytes.clone();
        for length in 0..bytes.len() {
            let _ = keys(&bytes[..length]);
        }
    }
}
