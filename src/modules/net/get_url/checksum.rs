//! `checksum: sha256:…`: what is wanted, where it is listed, and digests of what flows by.

use std::io::{self, Read};

use sha2::digest::DynDigest;

use super::Args;
use crate::modules::api::{Fail, Look};
use crate::modules::http::without_password;

/// A checksum that a file must have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Checksum {
    pub algorithm: String,
    /// Lower-case hex.
    pub digest: String,
}

/// A list of checksums is text; nobody needs more of it than this.
const MAX_LIST: u64 = 4 << 20;

impl Args {
    /// The checksum asked for, fetched if it is given as a URL.
    pub(super) fn wanted(&self, host: &dyn Look) -> Result<Option<Checksum>, Fail> {
        if let Some(digest) = self.sha256sum.as_deref().filter(|it| !it.is_empty()) {
            return Ok(Some(Checksum { algorithm: "sha256".into(), digest: digest.trim().to_lowercase() }));
        }
        let Some(text) = self.checksum.as_deref().map(str::trim).filter(|it| !it.is_empty()) else {
            return Ok(None);
        };
        let form = || {
            Fail::new("The checksum parameter has to be in format <algorithm>:<checksum>")
                .with("url", without_password(&self.url))
        };
        let (algorithm, rest) = text.split_once(':').ok_or_else(form)?;
        let (algorithm, rest) = (algorithm.trim().to_lowercase(), rest.trim());
        hasher(&algorithm)?;
        let digest = if rest.contains("://") { self.listed(host, rest)? } else { rest.to_lowercase() };
        if digest.is_empty() || !digest.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Fail::new("The checksum format is invalid: it must be hexadecimal"));
        }
        Ok(Some(Checksum { algorithm, digest }))
    }

    fn listed(&self, host: &dyn Look, url: &str) -> Result<String, Fail> {
        let mut answer = self.call("GET", url)?.send(host)?;
        let shown = without_password(url);
        if !answer.ok() {
            return Err(Fail::new(format!("the checksums at {shown}: HTTP Error {}", answer.error())));
        }
        let mut list = String::new();
        let read = answer.body.by_ref().take(MAX_LIST).read_to_string(&mut list);
        read.map_err(|error| Fail::new(format!("the checksums at {shown}: {error}")))?;
        let name = super::file_name(&self.url);
        in_list(&list, &name)
            .ok_or_else(|| Fail::new(format!("Unable to find a checksum for file '{name}' in '{shown}'")))
    }
}

/// The digest of a file in lines of `digest  name`; a list of one bare digest is about any file.
fn in_list(list: &str, name: &str) -> Option<String> {
    let lines: Vec<Vec<&str>> = list
        .lines()
        .map(|line| line.split_whitespace().collect())
        .filter(|it: &Vec<_>| !it.is_empty())
        .collect();
    if let [line] = lines.as_slice()
        && let [digest] = line.as_slice()
    {
        return Some(digest.to_lowercase());
    }
    lines.iter().find_map(|line| {
        let [digest, path] = line.as_slice() else { return None };
        let path = path.trim_start_matches('*');
        let base = path.rsplit('/').next().unwrap_or(path);
        (base == name).then(|| digest.to_lowercase())
    })
}

pub(super) fn hasher(algorithm: &str) -> Result<Box<dyn DynDigest>, Fail> {
    Ok(match algorithm {
        "md5" => Box::new(md5::Md5::default()),
        "sha1" => Box::new(sha1::Sha1::default()),
        "sha224" => Box::new(sha2::Sha224::default()),
        "sha256" => Box::new(sha2::Sha256::default()),
        "sha384" => Box::new(sha2::Sha384::default()),
        "sha512" => Box::new(sha2::Sha512::default()),
        other => {
            let known = "md5, sha1, sha224, sha256, sha384, sha512";
            return Err(Fail::new(format!("the checksum's algorithm {other:?} is none of {known}")));
        }
    })
}

/// Digests of what was read through it.
pub(super) struct Digests<R> {
    inner: R,
    hashers: Vec<(String, Box<dyn DynDigest>)>,
    /// Bytes so far.
    pub size: u64,
}

impl<R: Read> Digests<R> {
    pub fn new(inner: R, algorithms: &[&str]) -> Result<Digests<R>, Fail> {
        let mut hashers: Vec<(String, Box<dyn DynDigest>)> = Vec::new();
        for algorithm in algorithms {
            if !hashers.iter().any(|(own, _)| own == algorithm) {
                hashers.push(((*algorithm).to_owned(), hasher(algorithm)?));
            }
        }
        Ok(Digests { inner, hashers, size: 0 })
    }

    /// The digest in hex; empty for an algorithm that was not asked for.
    pub fn hex(&self, algorithm: &str) -> String {
        let found = self.hashers.iter().find(|(own, _)| own == algorithm);
        let bytes = found.map(|(_, hasher)| hasher.box_clone().finalize()).unwrap_or_default();
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl<R: Read> Read for Digests<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        for (_, hasher) in &mut self.hashers {
            hasher.update(&buffer[..length]);
        }
        self.size += length as u64;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_files_in_several_ways() {
        for (list, digest) in [
            ("AA11  a.txt\nbb22  b.txt\n", Some("aa11")),
            ("bb22 *b.txt\ncc33 *./dist/a.txt\n", Some("cc33")),
            ("dd44\n", Some("dd44")),
            ("dd44  other.txt\n", None),
            ("", None),
            ("aa\nbb\n", None),
        ] {
            assert_eq!(in_list(list, "a.txt").as_deref(), digest, "{list}");
        }
    }

    #[test]
    fn digests_of_what_flows_by() {
        let mut digests = Digests::new(&b"hello\n"[..], &["sha1", "md5", "sha1"]).unwrap();
        io::copy(&mut digests, &mut io::sink()).unwrap();
        assert_eq!(digests.hex("sha1"), "f572d396fae9206628714fb2ce00f72e94f2258f");
        assert_eq!(digests.hex("md5"), "b1946ac92492d2347c6235b4d2611184");
        assert_eq!((digests.hex("sha256").as_str(), digests.size), ("", 6));
        assert!(hasher("crc32").is_err());
    }
}
