//! Requirements: what a `requirements.yml` or the command line asks for, and where it comes from.

use std::path::{Path, PathBuf};

use crate::diag::{Sources, render};
use crate::modules::http::without_password;
use crate::yaml::{self, Node};

/// What is installed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Role,
    Collection,
}

/// Where it comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Origin {
    /// A git repository, perhaps a folder in it.
    Git { address: String, folder: Option<String> },
    /// A tar archive on the web.
    Url(String),
    /// A tar archive or a folder of this machine.
    Path(PathBuf),
}

/// One entry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Requirement {
    pub(super) kind: Kind,
    /// As written but for a password, for messages.
    pub(super) source: String,
    pub(super) origin: Origin,
    /// A tag, branch or commit.
    pub(super) version: Option<String>,
    /// The name to install under; none: the source's own.
    pub(super) name: Option<String>,
}

impl Requirement {
    /// From `source[,version[,name]]`.
    pub(super) fn of_text(text: &str, kind: Kind) -> Result<Requirement, String> {
        let mut parts = text.split(',').map(str::trim);
        let source = parts.next().unwrap_or_default();
        let mut rest = || parts.next().filter(|part| !part.is_empty()).map(str::to_owned);
        let (version, name) = (rest(), rest());
        Requirement::new(kind, source, None, version, name, Path::new(""))
    }

    /// `hint`: `scm` of a role or `type` of a collection. Relative paths start in `base`.
    fn new(
        kind: Kind,
        source: &str,
        hint: Option<&str>,
        version: Option<String>,
        name: Option<String>,
        base: &Path,
    ) -> Result<Requirement, String> {
        // What begins with a dash would be an option of git.
        if source.starts_with('-') || version.as_deref().is_some_and(|version| version.starts_with('-')) {
            return Err(format!("`{source}`: neither a source nor a version may begin with a dash"));
        }
        let origin = origin(source, hint, base)?;
        let version = version.filter(|version| version != "*" && !version.is_empty());
        Ok(Requirement { kind, source: without_password(source), origin, version, name })
    }
}

fn origin(source: &str, hint: Option<&str>, base: &Path) -> Result<Origin, String> {
    let (address, fragment) = match source.split_once('#') {
        Some((address, folder)) => (address, Some(folder.trim_start_matches('/').to_owned())),
        None => (source, None),
    };
    let bare = address.strip_prefix("git+").unwrap_or(address);
    let is_git = hint == Some("git")
        || address.starts_with("git+")
        || address.starts_with("git@")
        || address.starts_with("git://")
        || address.starts_with("ssh://")
        || address.ends_with(".git");
    if matches!(hint, Some("hg" | "svn")) {
        return Err("only git repositories can be read".into());
    }
    if is_git {
        let is_here = !bare.contains(':') && !bare.starts_with('/');
        let address = if is_here { base.join(bare).display().to_string() } else { bare.to_owned() };
        return Ok(Origin::Git { address, folder: fragment.filter(|folder| !folder.is_empty()) });
    }
    if source.starts_with("http://") || source.starts_with("https://") {
        let is_repository = source.starts_with("https://github.com/") && !source.ends_with(".gz");
        return Ok(if is_repository {
            Origin::Git { address: bare.to_owned(), folder: fragment }
        } else {
            Origin::Url(source.to_owned())
        });
    }
    let path = source.strip_prefix("file://").unwrap_or(source);
    let path = match (path.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => base.join(path),
    };
    if path.exists() {
        return Ok(Origin::Path(path));
    }
    Err(format!(
        "`{source}` is no address, archive or folder; no server is asked for names: write where it is, for example \
         git+https://HOST/PATH.git"
    ))
}

/// The entries of a requirements file. `only`: leave the other kind out.
pub(super) fn read(path: &Path, only: Option<Kind>, sources: &Sources) -> Result<Vec<Requirement>, String> {
    let (root, _) = yaml::load(path, sources)
        .map_err(|problems| problems.iter().map(|it| render(it, sources, false)).collect::<String>())?;
    let base = path.parent().unwrap_or(Path::new(""));
    let wants = |kind: Kind| only.is_none_or(|only| only == kind);
    let mut all = Vec::new();
    let empty: &[Node] = &[];
    let list = |key: &str| root.get(key).and_then(Node::as_seq).unwrap_or(empty);
    let (roles, collections) = match root.as_seq() {
        Some(roles) => (roles, empty),
        None => (list("roles"), list("collections")),
    };
    for node in roles.iter().filter(|_| wants(Kind::Role)) {
        match node.get("include").and_then(Node::as_str) {
            Some(file) => all.extend(read(&base.join(file), only, sources)?),
            None => all.push(role(node, base)?),
        }
    }
    for node in collections.iter().filter(|_| wants(Kind::Collection)) {
        all.push(collection(node, base)?);
    }
    Ok(all)
}

fn text(node: &Node, key: &str) -> Option<String> {
    let value = node.get(key).filter(|node| !node.is_null())?;
    Some(value.to_value().to_string())
}

/// An entry of `roles`: text, or `src`, `scm`, `version`, `name`.
pub(super) fn role(node: &Node, base: &Path) -> Result<Requirement, String> {
    if let Some(words) = node.as_str() {
        return Requirement::of_text(words, Kind::Role);
    }
    let source = text(node, "src").or_else(|| text(node, "role")).or_else(|| text(node, "name"));
    let source = source.ok_or("an entry of the requirements has no `src`")?;
    let name = text(node, "name").filter(|name| *name != source);
    Requirement::new(Kind::Role, &source, text(node, "scm").as_deref(), text(node, "version"), name, base)
}

/// An entry of `collections`: text, or `name`, `type`, `version`, `source`.
fn collection(node: &Node, base: &Path) -> Result<Requirement, String> {
    if let Some(words) = node.as_str() {
        return Requirement::of_text(words, Kind::Collection);
    }
    let given = text(node, "name").ok_or("an entry of the requirements has no `name`")?;
    let address = text(node, "source").filter(|source| source.contains(':') || Path::new(source).exists());
    let is_address = |text: &str| text.contains(['/', ':']) || base.join(text).exists();
    let source = if is_address(&given) { given } else { address.unwrap_or(given) };
    let hint = text(node, "type");
    Requirement::new(Kind::Collection, &source, hint.as_deref(), text(node, "version"), None, base)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(address: &str, folder: Option<&str>) -> Origin {
        Origin::Git { address: address.into(), folder: folder.map(Into::into) }
    }

    #[test]
    fn sources_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let here = folder.path().display().to_string();
        let cases = [
            ("git+https://h/r.git", git("https://h/r.git", None)),
            ("git+https://h/r.git#/sub/dir", git("https://h/r.git", Some("sub/dir"))),
            ("git@h:o/r.git", git("git@h:o/r.git", None)),
            ("https://github.com/o/r", git("https://github.com/o/r", None)),
            ("https://h/r.tar.gz", Origin::Url("https://h/r.tar.gz".into())),
            (&here, Origin::Path(here.clone().into())),
        ];
        for (source, expected) in cases {
            assert_eq!(origin(source, None, Path::new("")), Ok(expected), "{source}");
        }
        assert!(origin("geerlingguy.docker", None, Path::new("")).unwrap_err().contains("no server"));
        assert!(origin("https://h/r", Some("hg"), Path::new("")).is_err());
        for text in ["--upload-pack=x,1", "git+https://h/r.git,--orphan"] {
            assert!(Requirement::of_text(text, Kind::Role).unwrap_err().contains("dash"), "{text}");
        }
    }

    #[test]
    fn a_requirements_file_lists_roles_and_collections() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("requirements.yml");
        let text = "roles:\n- {src: 'https://h/a.git', version: 1.0, name: one}\n- {src: 'https://h/b', scm: git}\n\
                    - include: more.yml\ncollections:\n- {name: 'https://h/c.git', type: git, version: '*'}\n\
                    - {name: ns.c, source: 'git@h:ns/c.git', type: git}\n";
        std::fs::write(&file, text).unwrap();
        std::fs::write(folder.path().join("more.yml"), "- src: git+https://h/d.git\n").unwrap();
        let all = read(&file, None, &Sources::default()).unwrap();
        let seen: Vec<_> = all
            .iter()
            .map(|it| (it.kind, it.source.as_str(), it.version.as_deref(), it.name.as_deref()))
            .collect();
        assert_eq!(
            seen,
            [
                (Kind::Role, "https://h/a.git", Some("1.0"), Some("one")),
                (Kind::Role, "https://h/b", None, None),
                (Kind::Role, "git+https://h/d.git", None, None),
                (Kind::Collection, "https://h/c.git", None, None),
                (Kind::Collection, "git@h:ns/c.git", None, None),
            ]
        );
        let roles = read(&file, Some(Kind::Role), &Sources::default()).unwrap();
        assert_eq!(roles.len(), 3);
    }
}
