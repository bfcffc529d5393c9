//! An image as the engine knows it, and the ways to find, name and describe one. Not how one is built, pulled or pushed.

use serde_json::Value as Json;

use super::engine::{Engine, Kind};
use super::reference::{Reference, is_id};
use crate::modules::api::{Diff, Fail, Look, Touch, Value};

/// What `docker image inspect` says of one image.
#[derive(Clone, Debug, PartialEq)]
pub struct Image(pub Json);

impl Image {
    /// Its id, `sha256:…`.
    #[must_use]
    pub fn id(&self) -> &str {
        self.0["Id"].as_str().unwrap_or_default()
    }

    /// A label.
    #[must_use]
    pub fn label(&self, name: &str) -> Option<&str> {
        self.0["Config"]["Labels"][name].as_str()
    }

    /// The digests that registries know it by: `repository@sha256:…`.
    pub fn repository_digests(&self) -> impl Iterator<Item = &str> {
        self.0["RepoDigests"].as_array().into_iter().flatten().filter_map(Json::as_str)
    }

    /// The digest that the reference's registry knows it by.
    #[must_use]
    pub fn digest_in(&self, reference: &Reference) -> Option<String> {
        let mut all = self.repository_digests().filter_map(|text| text.split_once('@'));
        all.find(|(repository, _)| *repository == reference.repository).map(|(_, digest)| digest.to_owned())
    }

    /// Whether it is for a platform: `os/architecture/variant`, a part alone, or none.
    #[must_use]
    pub fn is_for(&self, platform: &str) -> bool {
        let text = |name: &str| self.0[name].as_str().unwrap_or_default().to_owned();
        let (os, architecture, variant) = (text("Os"), text("Architecture"), text("Variant"));
        match platform.split('/').collect::<Vec<_>>()[..] {
            [one] => one == os || one == architecture,
            [first, second] => first == os && second == architecture,
            [first, second, third] => first == os && second == architecture && third == variant,
            _ => false,
        }
    }

    /// As a returned field.
    #[must_use]
    pub fn value(&self) -> Value {
        Value::from(self.0.clone())
    }
}

/// The image of a name or id.
///
/// # Errors
/// No engine to ask.
pub fn find(engine: &Engine, host: &dyn Look, name: &str) -> Result<Option<Image>, Fail> {
    Ok(engine.inspect(host, Kind::Image, name)?.map(Image))
}

/// What the user means with a name and a tag: an id as it is, else a reference.
///
/// # Errors
/// What can't be a name.
pub fn named(name: &str, tag: &str) -> Result<String, Fail> {
    if is_id(name) {
        return Ok(name.to_owned());
    }
    Ok(Reference::new(name, tag)?.to_string())
}

/// Gives an image one more name.
///
/// # Errors
/// What the engine says against it.
pub fn tag(engine: &Engine, host: &mut dyn Touch, image: &str, target: &Reference) -> Result<(), Fail> {
    let target = target.to_string();
    engine.tell(host, ["image", "tag", image, &target], &format!("tagging {image} as {target}")).map(drop)
}

/// What a name stood for and will stand for; `None`: nothing.
#[must_use]
pub fn name_diff(name: &str, before: Option<&str>, after: Option<&str>) -> Diff {
    let side = |id: Option<&str>| Value::from(format!("{name} = {}\n", id.unwrap_or("none")));
    Diff { before: side(before), after: side(after), ..Diff::default() }
}

/// Where the new image's id is not known yet.
pub const UNKNOWN: &str = "(known after the change)";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn platforms_are_compared_by_the_parts_that_are_named() {
        let image = Image(serde_json::json!({"Os": "linux", "Architecture": "arm64", "Variant": "v8"}));
        for (platform, fits) in [
            ("linux", true),
            ("arm64", true),
            ("linux/arm64", true),
            ("linux/arm64/v8", true),
            ("linux/arm64/v7", false),
            ("linux/amd64", false),
            ("a/b/c/d", false),
        ] {
            assert_eq!(image.is_for(platform), fits, "{platform}");
        }
    }
}
