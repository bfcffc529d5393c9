//! Images in registries: what a tag stands for there, pulling, pushing. The engine's client asks the registry, with
//! the credentials it has stored; nothing here sees a password.

use serde_json::Value as Json;

use super::engine::{Engine, json};
use super::image::Image;
use super::reference::Reference;
use crate::modules::api::{Fail, Look, Ran, Touch};

/// What a registry has under a tag, one entry a platform.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Remote {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    /// `os/architecture` or with a variant after it.
    platform: String,
    /// The manifest's digest.
    digest: String,
    /// The digest of the image's configuration: its id in most engines.
    config: String,
}

impl Remote {
    /// Asks the registry. `None`: it has no such tag, or can't be asked.
    ///
    /// # Errors
    /// No client or no engine.
    pub fn ask(engine: &Engine, host: &dyn Look, reference: &Reference) -> Result<Option<Remote>, Fail> {
        let name = reference.to_string();
        let mut words = vec!["manifest", "inspect", "--verbose"];
        if reference.is_local() || is_insecure(engine, host, reference.registry())? {
            words.push("--insecure");
        }
        words.push(&name);
        let cmd = engine.cmd(host, words)?.env("DOCKER_CLI_EXPERIMENTAL", "enabled");
        let ran = host.query(&cmd)?;
        if !ran.ok() {
            return Ok(None);
        }
        let answer = json(&ran.stdout)?;
        let all = answer.as_array().cloned().unwrap_or_else(|| vec![answer]);
        Ok(Some(Remote { entries: all.iter().map(Entry::new).collect() }))
    }

    /// Whether an image is what the tag stands for, for the platform wanted if one is.
    #[must_use]
    pub fn is(&self, image: &Image, platform: Option<&str>) -> bool {
        let fits = |entry: &&Entry| platform.is_none_or(|wanted| entry.is_for(wanted));
        self.entries.iter().filter(fits).any(|entry| {
            entry.config == image.id()
                || entry.digest == image.id()
                || image.repository_digests().any(|it| it.ends_with(&format!("@{}", entry.digest)))
        })
    }

    /// The manifest's digest, if there is one for all platforms.
    #[must_use]
    pub fn digest(&self) -> Option<&str> {
        match &self.entries[..] {
            [only] => Some(&only.digest),
            _ => None,
        }
    }
}

impl Entry {
    fn new(json: &Json) -> Entry {
        let text = |json: &Json| json.as_str().unwrap_or_default().to_owned();
        let platform = &json["Descriptor"]["platform"];
        let parts = ["os", "architecture", "variant"].map(|name| text(&platform[name]));
        let manifest = ["SchemaV2Manifest", "OCIManifest"].map(|name| &json[name]["config"]["digest"]);
        Entry {
            platform: parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("/"),
            digest: text(&json["Descriptor"]["digest"]),
            config: manifest.iter().map(|json| text(json)).find(|text| !text.is_empty()).unwrap_or_default(),
        }
    }

    fn is_for(&self, wanted: &str) -> bool {
        let rest = self.platform.strip_prefix(wanted);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            || self.platform.split('/').nth(1) == Some(wanted)
    }
}

/// Whether the engine was told to speak to a registry without TLS or without checking its certificate.
fn is_insecure(engine: &Engine, host: &dyn Look, registry: &str) -> Result<bool, Fail> {
    let ran = engine.ask(host, ["info", "--format", "{{json .RegistryConfig}}"])?;
    let config = json(&ran.stdout).unwrap_or_default();
    if config["IndexConfigs"][registry]["Secure"] == false {
        return Ok(true);
    }
    let address = registry.split(':').next().unwrap_or_default();
    let Ok(address) = address.parse::<std::net::Ipv4Addr>() else { return Ok(false) };
    let ranges = config["InsecureRegistryCIDRs"].as_array();
    Ok(ranges.into_iter().flatten().filter_map(Json::as_str).any(|range| holds(range, address)))
}

/// Whether an address is in `192.0.2.0/24`.
fn holds(range: &str, address: std::net::Ipv4Addr) -> bool {
    let Some((base, bits)) = range.split_once('/') else { return false };
    let (Ok(base), Ok(bits)) = (base.parse::<std::net::Ipv4Addr>(), bits.parse::<u32>()) else {
        return false;
    };
    let mask = u32::MAX.checked_shl(32_u32.saturating_sub(bits)).unwrap_or(0);
    base.to_bits() & mask == address.to_bits() & mask
}

/// Pulls.
///
/// # Errors
/// What engine or registry say against it.
pub fn pull(engine: &Engine, host: &mut dyn Touch, name: &str, platform: Option<&str>) -> Result<Ran, Fail> {
    let mut words = vec!["image", "pull"];
    if let Some(platform) = platform {
        words.extend(["--platform", platform]);
    }
    words.push(name);
    engine.tell(host, words, &format!("pulling the image {name}"))
}

/// What came of a push.
pub struct Pushed {
    /// The manifest's digest.
    pub digest: Option<String>,
    /// Whether the registry got something that it did not have.
    pub new: bool,
}

/// Pushes.
///
/// # Errors
/// What engine or registry say against it.
pub fn push(engine: &Engine, host: &mut dyn Touch, reference: &Reference) -> Result<Pushed, Fail> {
    let name = reference.to_string();
    let ran = engine.tell(host, ["image", "push", &name], &format!("pushing the image {name}"))?.out();
    let digest = ran.lines().rev().find_map(|line| {
        let rest = line.split_once("digest: ")?.1;
        rest.split_whitespace().next().map(str::to_owned)
    });
    let new = ran.lines().any(|line| line.ends_with(": Pushed") || line.contains(": Mounted from"));
    Ok(Pushed { digest, new })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::api::fake::FakeHost;

    const LIST: &str = r#"[
        {"Descriptor": {"digest": "sha256:m1", "platform": {"os": "linux", "architecture": "amd64"}},
         "SchemaV2Manifest": {"config": {"digest": "sha256:c1"}}},
        {"Descriptor": {"digest": "sha256:m2", "platform": {"os": "linux", "architecture": "arm64", "variant": "v8"}},
         "OCIManifest": {"config": {"digest": "sha256:c2"}}}]"#;

    fn image(id: &str, digest: &str) -> Image {
        Image(serde_json::json!({"Id": id, "RepoDigests": [digest]}))
    }

    #[test]
    fn a_tag_is_compared_by_id_or_digest_and_platform() {
        let reference = Reference::new("localhost:5000/app", "1").unwrap();
        let host = FakeHost::new().answer("docker manifest inspect --verbose --insecure", 0, LIST);
        let remote = Remote::ask(&Engine::default(), &host, &reference).unwrap().unwrap();
        for (image, platform, same) in [
            (image("sha256:c1", ""), None, true),
            (image("sha256:m2", ""), None, true),
            (image("sha256:x", "app@sha256:m1"), None, true),
            (image("sha256:x", "app@sha256:m3"), None, false),
            (image("sha256:c1", ""), Some("linux/arm64"), false),
            (image("sha256:c2", ""), Some("linux/arm64"), true),
            (image("sha256:c2", ""), Some("arm64"), true),
            (image("sha256:c2", ""), Some("linux/arm"), false),
        ] {
            assert_eq!(remote.is(&image, platform), same, "{image:?} {platform:?}");
        }
        assert_eq!(remote.digest(), None);
    }

    #[test]
    fn only_registries_without_tls_are_asked_without() {
        let info =
            r#"{"InsecureRegistryCIDRs": ["10.1.0.0/16"], "IndexConfigs": {"reg:5000": {"Secure": false}}}"#;
        for (name, words) in [
            ("reg:5000/a", "--verbose --insecure reg:5000/a:1"),
            ("10.1.2.3:5000/a", "--verbose --insecure 10.1.2.3:5000/a:1"),
            ("10.2.2.3:5000/a", "--verbose 10.2.2.3:5000/a:1"),
            ("reg.example.org/a", "--verbose reg.example.org/a:1"),
            ("localhost/a", "--verbose --insecure localhost/a:1"),
        ] {
            let host =
                FakeHost::new().answer("docker info", 0, info).answer("docker manifest inspect", 1, "");
            let reference = Reference::new(name, "1").unwrap();
            assert_eq!(Remote::ask(&Engine::default(), &host, &reference).unwrap(), None);
            assert_eq!(host.queries.borrow().last().unwrap(), &format!("docker manifest inspect {words}"));
        }
    }

    #[test]
    fn a_push_says_what_it_did() {
        let reference = Reference::new("localhost:5000/app", "1").unwrap();
        for (text, new) in [("abc: Pushed", true), ("abc: Layer already exists", false)] {
            let text = format!("{text}\n1: digest: sha256:d size: 527\n");
            let mut host = FakeHost::new().answer("docker image push localhost:5000/app:1", 0, &text);
            let pushed = push(&Engine::default(), &mut host, &reference).unwrap();
            assert_eq!((pushed.digest.as_deref(), pushed.new), (Some("sha256:d"), new));
        }
    }
}
