//! Names of images: `registry:5000/path/name:tag@sha256:…`.
//!
//! Not a check of what a registry would accept; the engine does that.

use crate::modules::api::Fail;

/// An image's name with its tag or digest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// Registry and path: `localhost:5000/team/app`.
    pub repository: String,
    /// The tag, or a digest (`sha256:…`).
    pub tag: String,
}

impl Reference {
    /// From a name that may carry a tag or digest, else with the tag given.
    ///
    /// # Errors
    /// What can't be a name.
    pub fn new(name: &str, tag: &str) -> Result<Reference, Fail> {
        let (repository, own) = split(name);
        let tag = own.unwrap_or(tag);
        let bad = |c: char| c.is_whitespace() || c.is_control();
        if repository.is_empty() || repository.starts_with('-') || repository.contains(bad) {
            return Err(Fail::new(format!("{name:?} is no name of an image")));
        }
        if tag.is_empty() || tag.starts_with('-') || tag.contains(|c: char| bad(c) || c == '/') {
            return Err(Fail::new(format!("{tag:?} is no tag of an image")));
        }
        Ok(Reference { repository: repository.to_owned(), tag: tag.to_owned() })
    }

    /// Whether it names a digest instead of a tag.
    #[must_use]
    pub fn is_digest(&self) -> bool {
        self.tag.contains(':')
    }

    /// The registry's address; Docker Hub's if none is named.
    #[must_use]
    pub fn registry(&self) -> &str {
        match self.repository.split_once('/') {
            Some((first, _)) if first.contains(['.', ':']) || first == "localhost" => first,
            _ => "docker.io",
        }
    }

    /// Whether the registry is on this very host: docker speaks to such without TLS.
    #[must_use]
    pub fn is_local(&self) -> bool {
        let host = self.registry();
        let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
        host == "localhost" || host.starts_with("127.") || host == "[::1]"
    }
}

impl std::fmt::Display for Reference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let by = if self.is_digest() { '@' } else { ':' };
        write!(f, "{}{by}{}", self.repository, self.tag)
    }
}

/// Whether a name is an image's id.
#[must_use]
pub fn is_id(name: &str) -> bool {
    let hex = name.strip_prefix("sha256:").unwrap_or(name);
    hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Repository, and tag or digest if there is one. A colon before the last slash is a port's.
fn split(name: &str) -> (&str, Option<&str>) {
    if let Some((rest, digest)) = name.split_once('@') {
        // `name:tag@digest`: the digest alone counts.
        return (split(rest).0, Some(digest));
    }
    match name.rsplit_once(':') {
        Some((repository, tag)) if !tag.contains('/') => (repository, Some(tag)),
        _ => (name, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_and_put_together() {
        let digest = format!("sha256:{}", "a".repeat(64));
        for (name, tag, whole, registry, local) in [
            ("app", "latest", "app:latest".to_owned(), "docker.io", false),
            ("app:2", "latest", "app:2".into(), "docker.io", false),
            ("localhost:5000/app", "1.0", "localhost:5000/app:1.0".into(), "localhost:5000", true),
            ("127.0.0.1:5000/a/b:x", "1", "127.0.0.1:5000/a/b:x".into(), "127.0.0.1:5000", true),
            ("reg.example.org/app", "1", "reg.example.org/app:1".into(), "reg.example.org", false),
            (&format!("team/app:1@{digest}"), "9", format!("team/app@{digest}"), "docker.io", false),
        ] {
            let reference = Reference::new(name, tag).unwrap();
            assert_eq!(
                (reference.to_string(), reference.registry(), reference.is_local()),
                (whole, registry, local)
            );
        }
        for (name, tag) in [("", "x"), ("-a", "x"), ("a b", "x"), ("a", ""), ("a", "-x"), ("a", "x/y")] {
            assert!(Reference::new(name, tag).is_err(), "{name} {tag}");
        }
        assert!(is_id(&digest) && is_id(&"0".repeat(64)) && !is_id("app") && !is_id("sha256:12"));
    }
}
