//! `~/.ssh/config` and `/etc/ssh/ssh_config`: which values hold for one host. The first value of a keyword wins, so what
//! is said more directly (by the target, then by ssh arguments) is put in before the files are read.
//! What the values mean is in `settings`.

mod conditions;
mod keywords;
mod parse;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use indexmap::IndexMap;

pub(super) use keywords::{Kind, canonical, kind};
pub(super) use parse::{File, Line};

use super::context::SshContext;
use super::tokens::Tokens;
use crate::connection::ConnectError;

/// How deep files may include files.
const MAX_DEPTH: usize = 16;

/// The values that hold for one host.
#[derive(Default)]
pub(super) struct Found {
    single: HashMap<String, Setting>,
    collected: IndexMap<(String, String), Setting>,
}

/// A value and where it was said.
#[derive(Clone, Debug)]
pub(super) struct Setting {
    pub(super) words: Vec<String>,
    pub(super) rest: String,
    /// Such as `/home/x/.ssh/config line 3`.
    pub(super) origin: String,
}

impl Found {
    /// Takes a line in, unless its keyword has a value already.
    pub(super) fn set(&mut self, line: &Line, origin: impl FnOnce() -> String) {
        let setting = |origin: String| Setting { words: line.words.clone(), rest: line.rest.clone(), origin };
        let Some(first) = line.words.first() else { return };
        if kind(&line.keyword) == Kind::Collected {
            let key = (line.keyword.clone(), first.clone());
            self.collected.entry(key).or_insert_with(|| setting(origin()));
        } else if !self.single.contains_key(rival(&line.keyword)) && !self.single.contains_key(&line.keyword)
        {
            self.single.insert(line.keyword.clone(), setting(origin()));
        }
    }

    /// The value of a keyword.
    pub(super) fn get(&self, keyword: &str) -> Option<&Setting> {
        self.single.get(keyword)
    }

    /// The first word of the value of a keyword.
    pub(super) fn text(&self, keyword: &str) -> Option<&str> {
        self.get(keyword).and_then(|setting| setting.words.first()).map(String::as_str)
    }

    /// The value as a number or the like.
    pub(super) fn parsed<T: FromStr>(&self, keyword: &str, what: &str) -> Result<Option<T>, ConnectError> {
        let Some(setting) = self.get(keyword) else { return Ok(None) };
        let text = setting.words.first().map_or("", String::as_str);
        text.parse().map(Some).map_err(|_| setting.wrong(keyword, what))
    }

    /// The value as yes or no.
    pub(super) fn flag(&self, keyword: &str) -> Result<Option<bool>, ConnectError> {
        let Some(setting) = self.get(keyword) else { return Ok(None) };
        match setting.words.first().map(|word| word.to_ascii_lowercase()).as_deref() {
            Some("yes" | "true") => Ok(Some(true)),
            Some("no" | "false") => Ok(Some(false)),
            _ => Err(setting.wrong(keyword, "`yes` or `no`")),
        }
    }

    /// All values of a keyword that is collected.
    pub(super) fn all<'a>(&'a self, keyword: &'a str) -> impl Iterator<Item = &'a Setting> + 'a {
        self.collected.iter().filter(move |((name, _), _)| name == keyword).map(|(_, setting)| setting)
    }
}

/// Of two keywords that mean the same in different ways, the first said wins.
fn rival(keyword: &str) -> &str {
    match keyword {
        "proxyjump" => "proxycommand",
        "proxycommand" => "proxyjump",
        other => other,
    }
}

impl Setting {
    /// The error that says that a value is not what it has to be.
    pub(super) fn wrong(&self, keyword: &str, expected: &str) -> ConnectError {
        let text = self.words.first().map_or("", String::as_str);
        ConnectError::Config(format!("{}: {keyword} is `{text}`, it has to be {expected}", self.origin))
    }
}

/// Reads what the files say about a host. `found` comes with what is said elsewhere; `file` replaces the usual two.
pub(super) fn read(
    context: &SshContext,
    host: &str,
    found: Found,
    file: Option<&Path>,
) -> Result<Found, ConnectError> {
    let files = match file {
        Some(path) if path.as_os_str() == "none" => Vec::new(),
        Some(path) => {
            let file = context.config_file(path);
            file.ok_or_else(|| ConnectError::Config(format!("can't read {}", path.display())))?;
            vec![path.to_owned()]
        }
        None => {
            vec![context.environment.home.join(".ssh/config"), context.environment.system.join("ssh_config")]
        }
    };
    let mut reader =
        Reader { context, original: host, host: host.to_owned(), found, last: false, wants_last: false };
    reader.files(&files)?;
    if reader.wants_last {
        // `Match final` asks for a second round, in which patterns see the name that the first round led to.
        reader.host = reader.host_name()?;
        reader.last = true;
        reader.files(&files)?;
    }
    Ok(reader.found)
}

struct Reader<'a> {
    context: &'a SshContext,
    /// The name as it was asked for.
    original: &'a str,
    /// The name that `Host` lines look at.
    host: String,
    found: Found,
    last: bool,
    wants_last: bool,
}

impl Reader<'_> {
    fn files(&mut self, files: &[PathBuf]) -> Result<(), ConnectError> {
        for path in files {
            if let Some(file) = self.context.config_file(path) {
                self.lines(&file, true, 0)?;
            }
        }
        Ok(())
    }

    /// Goes through a file. `outer`: whether the lines around the `Include` count.
    fn lines(&mut self, file: &File, outer: bool, depth: usize) -> Result<(), ConnectError> {
        let mut active = outer;
        for line in &file.lines {
            let origin = || format!("{} line {}", file.path.display(), line.number);
            match line.keyword.as_str() {
                "host" => active = outer && self.host_line(line),
                "match" => active = outer && self.match_line(line, &origin())?,
                "include" if active => self.include(file, line, depth)?,
                "include" => {}
                _ if active => self.value(line, &origin()),
                _ => {}
            }
        }
        Ok(())
    }

    fn value(&mut self, line: &Line, origin: &str) {
        let keyword = canonical(&line.keyword);
        match kind(keyword) {
            Kind::Used | Kind::Collected if line.words.is_empty() => {
                self.context.warn(format!("{origin}: {keyword} has no value"));
            }
            Kind::Used | Kind::Collected => {
                let line = Line { keyword: keyword.to_owned(), ..line.clone() };
                self.found.set(&line, || origin.to_owned());
            }
            Kind::Harmless | Kind::Unsupported => {}
            Kind::Unknown => {
                let ignored = self.found.get("ignoreunknown");
                let mut ignored =
                    ignored.iter().flat_map(|setting| &setting.words).flat_map(|w| w.split(','));
                if !ignored.any(|pattern| super::pattern::matches(&pattern.to_ascii_lowercase(), keyword)) {
                    self.context.warn(format!("{origin}: unknown keyword `{keyword}`, left out"));
                }
            }
        }
    }

    /// Relative paths are below `~/.ssh`, or beside the system's file when that one includes.
    fn include(&mut self, file: &File, line: &Line, depth: usize) -> Result<(), ConnectError> {
        if depth >= MAX_DEPTH {
            let place = format!("{} line {}", file.path.display(), line.number);
            return Err(ConnectError::Config(format!("{place}: files include each other too deep")));
        }
        let environment = &self.context.environment;
        let user_files = environment.home.join(".ssh");
        let base = if file.path.starts_with(&environment.system) { &environment.system } else { &user_files };
        for word in &line.words {
            let pattern = match word.strip_prefix("~/") {
                Some(rest) => environment.home.join(rest),
                None => base.join(word),
            };
            // The order of names, as a shell would give them.
            let Ok(paths) = glob::glob(&pattern.to_string_lossy()) else { continue };
            for path in paths.flatten() {
                if let Some(included) = self.context.config_file(&path) {
                    self.lines(&included, true, depth + 1)?;
                }
            }
        }
        Ok(())
    }

    /// Where the host is, by what is known so far.
    fn host_name(&self) -> Result<String, ConnectError> {
        match self.found.get("hostname") {
            Some(setting) => {
                let text = setting.words.first().map_or("", String::as_str);
                Tokens::of(&[('h', &self.host), ('n', self.original)]).expand(text, &setting.origin)
            }
            None => Ok(self.host.clone()),
        }
    }
}

#[cfg(test)]
mod tests;
