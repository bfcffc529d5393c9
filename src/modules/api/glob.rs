//! File name patterns: `*`, `?`, `[a-z]`, `[!a-z]`, as Python's `fnmatch` and `glob` read them.

use std::path::{Component, Path, PathBuf};

use super::{Fail, FileKind, Look};

/// Whether a name fits a pattern; case counts, and `*` also takes dots and slashes.
#[must_use]
pub fn matches(pattern: &str, name: &str) -> bool {
    let (pattern, name): (Vec<char>, Vec<char>) = (pattern.chars().collect(), name.chars().collect());
    let (mut p, mut n) = (0, 0);
    // Where to go on after the last star if what follows it does not fit.
    let mut star: Option<(usize, usize)> = None;
    while n < name.len() {
        match pattern.get(p) {
            Some('*') => {
                star = Some((p + 1, n));
                p += 1;
                continue;
            }
            Some(_) => {
                if let Some(next) = one(&pattern, p, name[n]) {
                    (p, n) = (next, n + 1);
                    continue;
                }
            }
            None => {}
        }
        match &mut star {
            Some((after, taken)) => {
                *taken += 1;
                (p, n) = (*after, *taken);
            }
            None => return false,
        }
    }
    pattern[p..].iter().all(|c| *c == '*')
}

/// If the part of the pattern at `p` takes the character: where the next part begins.
fn one(pattern: &[char], p: usize, c: char) -> Option<usize> {
    match pattern[p] {
        '?' => Some(p + 1),
        '[' => {
            let negated = pattern.get(p + 1) == Some(&'!');
            let first = p + 1 + usize::from(negated);
            // A bracket right at the beginning is one of the characters.
            let Some(end) = (first + 1..pattern.len()).find(|at| pattern[*at] == ']') else {
                return (c == '[').then_some(p + 1);
            };
            let set = &pattern[first..end];
            let mut at = 0;
            let mut inside = false;
            while at < set.len() {
                if set.get(at + 1) == Some(&'-') && at + 2 < set.len() {
                    inside |= (set[at]..=set[at + 2]).contains(&c);
                    at += 3;
                } else {
                    inside |= set[at] == c;
                    at += 1;
                }
            }
            (inside != negated).then_some(end + 1)
        }
        literal => (literal == c).then_some(p + 1),
    }
}

/// The paths that fit a pattern. Names that begin with a dot fit only a pattern that does too.
///
/// # Errors
/// A folder that can't be listed for another reason than not being one.
pub fn glob(host: &dyn Look, pattern: &Path) -> Result<Vec<PathBuf>, Fail> {
    let mut found = vec![PathBuf::new()];
    for part in pattern.components() {
        let text = part.as_os_str().to_string_lossy();
        let wild = matches!(part, Component::Normal(_)) && text.contains(['*', '?', '[']);
        let mut next = Vec::new();
        for folder in found {
            if !wild {
                next.push(folder.join(part));
                continue;
            }
            let at = if folder.as_os_str().is_empty() { Path::new(".") } else { &folder };
            if host.stat(at, true)?.is_none_or(|stat| stat.kind != FileKind::Directory) {
                continue;
            }
            for name in host.list(at)? {
                let name = name.to_string_lossy();
                if matches(&text, &name) && (text.starts_with('.') || !name.starts_with('.')) {
                    next.push(folder.join(&*name));
                }
            }
        }
        found = next;
    }
    let mut there = Vec::new();
    for path in found {
        if host.stat(&path, false)?.is_some() {
            there.push(path);
        }
    }
    Ok(there)
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::*;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn patterns_fit_names() {
        for (pattern, name, fits) in [
            ("*.conf", "a.conf", true),
            ("*.conf", "a.conf.bak", false),
            ("a?c*", "abcde", true),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[", "[", true),
            ("*a*b", "xaxxb", true),
            ("", "", true),
            ("**", "x", true),
        ] {
            assert_eq!(matches(pattern, name), fits, "{pattern} {name}");
        }
    }

    #[test]
    fn paths_are_found_in_several_folders() {
        let host =
            FakeHost::new().file("/srv/a/x.conf", "").file("/srv/b/y.conf", "").file("/srv/b/.z.conf", "");
        let find = |pattern: &str| glob(&host, Path::new(pattern)).unwrap();
        assert_eq!(find("/srv/*/*.conf"), [Path::new("/srv/a/x.conf"), Path::new("/srv/b/y.conf")]);
        assert_eq!(find("/srv/b/.z*"), [Path::new("/srv/b/.z.conf")]);
        assert_eq!(find("/srv/a"), [Path::new("/srv/a")]);
        assert!(find("/srv/a/none").is_empty());
    }
}
