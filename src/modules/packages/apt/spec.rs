//! What the user writes as a package: `nginx`, `nginx=1.22*`, `nginx>=1.18`, `lib*`, `libc6:i386`, `task^`.

use super::installed::{Package, policy};
use crate::modules::api::{Cmd, Fail, Look};

/// A package and what is said of its version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Spec {
    /// The name, with `:architecture` if given; may be a pattern.
    pub name: String,
    pub version: Option<Version>,
}

/// What a version must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// This one, or one that fits the pattern.
    Is(String),
    /// Compared as dpkg compares; the relation as dpkg names it (`ge`).
    Compared(&'static str, String),
}

impl Spec {
    /// Takes a specification apart. Names that could be taken for an option are refused.
    pub fn parse(text: &str) -> Result<Spec, Fail> {
        let text = text.trim();
        let split = text.find(['=', '<', '>']);
        let (name, rest) = text.split_at(split.unwrap_or(text.len()));
        let known = |c: char| c.is_ascii_alphanumeric() || "+-.:_*?[]!^".contains(c);
        if name.is_empty() || name.starts_with('-') || !name.chars().all(known) {
            return Err(Fail::new(format!("{text:?} is no name of a package")));
        }
        let version = match rest {
            "" => None,
            rest => Some(version(rest).ok_or_else(|| {
                Fail::new(format!("{text:?}: after the name there must be =VERSION, >=VERSION or <=VERSION"))
            })?),
        };
        Ok(Spec { name: name.to_owned(), version })
    }

    /// Whether the name is a shell pattern.
    pub fn is_pattern(&self) -> bool {
        self.name.contains(['*', '?', '['])
    }

    /// Whether it names this package.
    pub fn names(&self, package: &Package) -> bool {
        match self.name.split_once(':') {
            Some((name, "any" | "native")) => name == package.name,
            Some((name, architecture)) => name == package.name && architecture == package.architecture,
            None if self.is_pattern() => fits(&self.name, &package.name),
            None => self.name == package.name,
        }
    }

    /// Whether an installed version is one that is wanted.
    pub fn satisfied_by(&self, host: &dyn Look, version: &str) -> Result<bool, Fail> {
        match &self.version {
            None => Ok(true),
            Some(Version::Is(wanted)) => Ok(fits(wanted, version)),
            Some(Version::Compared(relation, wanted)) => {
                let argv = ["dpkg", "--compare-versions", version, *relation, wanted];
                Ok(host.query(&Cmd::new(argv))?.rc == 0)
            }
        }
    }

    /// The word for apt-get's command line: the name, with the version that fits best if one was asked for.
    pub fn word(&self, host: &dyn Look) -> Result<String, Fail> {
        if self.version.is_none() {
            return Ok(self.name.clone());
        }
        for version in policy(host, &[&self.name])?.remove(&self.name).unwrap_or_default().versions {
            if self.satisfied_by(host, &version)? {
                return Ok(format!("{}={version}", self.name));
            }
        }
        Err(Fail::new(format!("no available version of {} fits {}", self.name, self.text())))
    }

    /// As the user wrote it.
    pub fn text(&self) -> String {
        match &self.version {
            None => self.name.clone(),
            Some(Version::Is(version)) => format!("{}={version}", self.name),
            Some(Version::Compared("ge", version)) => format!("{}>={version}", self.name),
            Some(Version::Compared(_, version)) => format!("{}<={version}", self.name),
        }
    }
}

fn version(rest: &str) -> Option<Version> {
    let (relation, number) = if let Some(number) = rest.strip_prefix(">=") {
        (Some("ge"), number)
    } else if let Some(number) = rest.strip_prefix("<=") {
        (Some("le"), number)
    } else {
        (None, rest.strip_prefix('=').map(|it| it.strip_prefix('=').unwrap_or(it))?)
    };
    let known = |c: char| c.is_ascii_alphanumeric() || "+-.:~_*?[]!".contains(c);
    if number.is_empty() || number.starts_with('-') || !number.chars().all(known) {
        return None;
    }
    Some(match relation {
        Some(relation) => Version::Compared(relation, number.to_owned()),
        None => Version::Is(number.to_owned()),
    })
}

/// Shell patterns with `*`, `?`; without them equality.
pub(super) fn fits(pattern: &str, text: &str) -> bool {
    crate::facts::glob(pattern, text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_is_a_name_and_perhaps_a_version() {
        let is = |version: &str| Some(Version::Is(version.into()));
        for (text, name, version) in [
            ("nginx", "nginx", None),
            (" g++ ", "g++", None),
            ("libc6:i386", "libc6:i386", None),
            ("foo=1.0-1", "foo", is("1.0-1")),
            ("foo==1.0", "foo", is("1.0")),
            ("foo=1:2.0*", "foo", is("1:2.0*")),
            ("foo>=1.2~rc1", "foo", Some(Version::Compared("ge", "1.2~rc1".into()))),
            ("foo<=3", "foo", Some(Version::Compared("le", "3".into()))),
            ("lib*-dev", "lib*-dev", None),
        ] {
            assert_eq!(Spec::parse(text).unwrap(), Spec { name: name.into(), version }, "{text}");
        }
    }

    #[test]
    fn what_could_be_an_option_or_a_command_is_refused() {
        for text in ["", "-oDebug=1", "--force-yes", "a b", "a;b", "a=", "a>1", "a=$(x)", "a=-1", "/etc/x"] {
            assert!(Spec::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn the_text_is_as_written() {
        for text in ["a", "a=1*", "a>=1", "a<=1"] {
            assert_eq!(Spec::parse(text).unwrap().text(), text);
        }
    }
}
