//! `.dockerignore`: which files of a build's context the client leaves out.
//!
//! Patterns as the docker client reads them: from the context's root, `*`, `?`, `[…]`, `**` over folders, `!` takes
//! back, the last line that fits counts, and what fits a folder fits all in it.

use fancy_regex::Regex;

use crate::modules::api::Fail;

/// The patterns of a file, in order.
#[derive(Debug, Default)]
pub struct Ignore {
    patterns: Vec<(bool, Regex)>,
}

impl Ignore {
    /// Reads the file's text.
    ///
    /// # Errors
    /// A pattern that is none.
    pub fn new(text: &str) -> Result<Ignore, Fail> {
        let mut patterns = Vec::new();
        for line in text.trim_start_matches('\u{feff}').lines() {
            let line = if line.starts_with('#') { "" } else { line.trim() };
            let (negated, pattern) = match line.strip_prefix('!') {
                Some(rest) => (true, rest.trim()),
                None => (false, line),
            };
            let pattern = clean(pattern);
            if pattern.is_empty() {
                continue;
            }
            let regex = Regex::new(&regex(&pattern))
                .map_err(|_| Fail::new(format!(".dockerignore: {line:?} is no pattern")))?;
            patterns.push((negated, regex));
        }
        Ok(Ignore { patterns })
    }

    /// Whether a path, relative to the context, is left out.
    #[must_use]
    pub fn leaves_out(&self, path: &str) -> bool {
        let mut out = false;
        for (negated, regex) in &self.patterns {
            if *negated == out && ancestors(path).any(|at| regex.is_match(at).unwrap_or(false)) {
                out = !negated;
            }
        }
        out
    }

    /// Whether something in a folder that is left out may be taken back.
    #[must_use]
    pub fn takes_back(&self) -> bool {
        self.patterns.iter().any(|(negated, _)| *negated)
    }
}

/// A path and the folders it is in.
fn ancestors(path: &str) -> impl Iterator<Item = &str> {
    std::iter::successors(Some(path), |path| path.rsplit_once('/').map(|(parent, _)| parent))
}

/// Without `.`, `..` that can be resolved, double and leading slashes.
fn clean(pattern: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    parts.join("/")
}

fn regex(pattern: &str) -> String {
    let mut out = String::from("^");
    let mut chars = pattern.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '*' if chars.peek() == Some(&'*') => {
                chars.next();
                if chars.peek() == Some(&'/') {
                    chars.next();
                }
                out.push_str(if chars.peek().is_none() { ".*" } else { "(.*/)?" });
            }
            '*' => out.push_str("[^/]*"),
            '?' => out.push_str("[^/]"),
            '\\' => {
                let escaped = chars.next().unwrap_or('\\');
                out.push_str(&fancy_regex::escape(&escaped.to_string()));
            }
            '[' | ']' | '-' | '^' => out.push(c),
            c => out.push_str(&fancy_regex::escape(&c.to_string())),
        }
    }
    out.push('$');
    out
}

#[cfg(test)]
mod tests {
    use super::Ignore;

    #[test]
    fn patterns_are_read_as_docker_reads_them() {
        for (text, out, kept) in [
            ("*.md\n!README.md", vec!["a.md"], vec!["README.md", "docs/a.md"]),
            ("**/*.log", vec!["a.log", "x/y/a.log"], vec!["a.logs"]),
            ("# c\n\nnode_modules", vec!["node_modules", "node_modules/a/b"], vec!["x/node_modules"]),
            ("/build/", vec!["build/x"], vec!["src/build"]),
            ("*\n!src\nsrc/*.tmp", vec!["a", "src/x.tmp"], vec!["src", "src/x.c"]),
            ("a?c\n[xy]z", vec!["abc", "xz"], vec!["a/c", "zz"]),
            ("docs/**", vec!["docs/a", "docs/a/b"], vec!["docsa"]),
            ("./a/../b", vec!["b"], vec!["a"]),
            ("a.c\n\\!x", vec!["a.c", "!x"], vec!["abc"]),
        ] {
            let ignore = Ignore::new(text).unwrap();
            for path in out {
                assert!(ignore.leaves_out(path), "{text:?} keeps {path}");
            }
            for path in kept {
                assert!(!ignore.leaves_out(path), "{text:?} leaves out {path}");
            }
        }
        assert!(Ignore::new("[a").is_err());
        assert!(Ignore::new("*\n!a").unwrap().takes_back() && !Ignore::new("*").unwrap().takes_back());
    }
}
