//! Archives of images (`docker save`): which images are in one, without loading it.

use std::path::Path;

use serde_json::Value as Json;

use super::engine::{Engine, json};
use crate::modules::api::{Cmd, Fail, Look, Touch};

/// An image in an archive.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Archived {
    /// Its id, `sha256:…`.
    pub id: String,
    /// The names it is loaded under.
    pub names: Vec<String>,
}

/// The images in an archive, sorted by id. `None`: no such file, or no archive of images.
///
/// # Errors
/// No `tar` on the host.
pub fn images(host: &dyn Look, path: &Path) -> Result<Option<Vec<Archived>>, Fail> {
    if host.stat(path, true)?.is_none() {
        return Ok(None);
    }
    let cmd = Cmd::new(["tar", "-xOf"]).arg(path.as_os_str()).arg("manifest.json");
    let ran = host.query(&cmd)?;
    let Ok(list) = json(&ran.stdout) else { return Ok(None) };
    let mut images: Vec<Archived> = list.as_array().into_iter().flatten().map(archived).collect();
    images.sort();
    Ok(Some(images))
}

fn archived(json: &Json) -> Archived {
    // `HEX.json`, or `blobs/sha256/HEX`.
    let config = json["Config"].as_str().unwrap_or_default();
    let hex = config.rsplit('/').next().unwrap_or_default().trim_end_matches(".json");
    let names = json["RepoTags"].as_array().into_iter().flatten();
    let mut names: Vec<String> = names.filter_map(Json::as_str).map(str::to_owned).collect();
    names.sort();
    Archived { id: format!("sha256:{hex}"), names }
}

/// Saves images; the client puts the archive in place at once.
///
/// # Errors
/// What the engine says against it.
pub fn save(engine: &Engine, host: &mut dyn Touch, names: &[String], path: &Path) -> Result<(), Fail> {
    let path = path.to_string_lossy();
    let words = ["image", "save", "--output", &path].into_iter().chain(names.iter().map(String::as_str));
    engine.tell(host, words, &format!("saving {} to {path}", names.join(", "))).map(drop)
}

/// Loads an archive. Returns the names and ids that the engine says it loaded.
///
/// # Errors
/// What the engine says against it.
pub fn load(engine: &Engine, host: &mut dyn Touch, path: &Path) -> Result<(Vec<String>, String), Fail> {
    let path = path.to_string_lossy();
    let text =
        engine.tell(host, ["image", "load", "--input", &path], &format!("loading images from {path}"))?.out();
    let names = text.lines().filter_map(|line| {
        let rest = line.strip_prefix("Loaded image: ").or_else(|| line.strip_prefix("Loaded image ID: "));
        rest.map(|name| name.trim().to_owned())
    });
    Ok((names.collect(), text))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn an_archive_says_what_is_in_it() {
        for (manifest, id, names) in [
            (r#"[{"Config": "ab.json", "RepoTags": ["b:1", "a:1"]}]"#, "sha256:ab", vec!["a:1", "b:1"]),
            (r#"[{"Config": "blobs/sha256/cd", "RepoTags": null}]"#, "sha256:cd", vec![]),
        ] {
            let host =
                FakeHost::new().file("/a.tar", "").answer("tar -xOf /a.tar manifest.json", 0, manifest);
            let images = images(&host, Path::new("/a.tar")).unwrap().unwrap();
            assert_eq!(
                (images[0].id.as_str(), images[0].names.clone()),
                (id, names.iter().map(|it| (*it).to_owned()).collect())
            );
        }
        let host = FakeHost::new().file("/a.tar", "").answer("tar", 2, "");
        assert_eq!(images(&host, Path::new("/a.tar")).unwrap(), None);
        assert_eq!(images(&host, Path::new("/none")).unwrap(), None);
    }
}
