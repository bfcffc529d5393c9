//! `find`: files of the host by name, age, size, kind and contents.

use std::path::Path;
use std::time::UNIX_EPOCH;

use schemars::JsonSchema;
use serde::Deserialize;

use super::stat::{Algorithm, fields, names};
use crate::modules::api::{
    Fail, FileKind, HostPath, Look, Map, Module, Outcome, Stat, Support, Touch, Value, matches, to_text,
};
use crate::pattern;

/// List files of the host that fit all of the given conditions.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The folders to look in.
    #[serde(alias = "name", alias = "path")]
    #[schemars(extend("x-aliases" = ["name", "path"]))]
    paths: Vec<HostPath>,
    /// What names must fit, one of these: `*` and `?` patterns, or with `use_regex` regular expressions.
    #[serde(default, alias = "pattern")]
    #[schemars(extend("x-aliases" = ["pattern"]))]
    patterns: Vec<String>,
    /// What names must not fit, in the same form.
    #[serde(default, alias = "exclude")]
    #[schemars(extend("x-aliases" = ["exclude"]))]
    excludes: Vec<String>,
    /// `patterns` and `excludes` are regular expressions that fit from the beginning of the name.
    #[serde(default)]
    use_regex: bool,
    /// A regular expression that a line of the file must fit from its beginning.
    contains: Option<String>,
    /// `contains` looks anywhere in the whole file.
    #[serde(default)]
    read_whole_file: bool,
    /// What kind of thing to list.
    #[serde(default)]
    file_type: Kind,
    /// At least this old (`2d`), or with a minus at most: seconds, or with `m`, `h`, `d`, `w`.
    age: Option<String>,
    /// The time that `age` is about.
    #[serde(default)]
    age_stamp: Stamp,
    /// At least this large (`10m`), or with a minus at most: bytes, or with `k`, `m`, `g`, `t`.
    size: Option<String>,
    /// Also names that begin with a dot.
    #[serde(default)]
    hidden: bool,
    /// Go into folders that links point to.
    #[serde(default)]
    follow: bool,
    /// Go into folders.
    #[serde(default)]
    recurse: bool,
    /// How many levels deep to go; 1: only `paths` themselves.
    depth: Option<usize>,
    /// Compute the checksum of every file.
    #[serde(default)]
    get_checksum: bool,
    /// Which checksum.
    #[serde(default, alias = "checksum_algo", alias = "checksum")]
    #[schemars(extend("x-aliases" = ["checksum_algo", "checksum"]))]
    checksum_algorithm: Algorithm,
    /// Stop after this many.
    limit: Option<usize>,
}

/// What kind of thing to list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Kind {
    /// Everything.
    Any,
    /// Folders.
    Directory,
    /// Files.
    #[default]
    File,
    /// Symbolic links.
    Link,
}

/// A time of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Stamp {
    /// Last read.
    Atime,
    /// Last changed, attributes included.
    Ctime,
    /// Last written.
    #[default]
    Mtime,
}

impl Module for Args {
    const SUPPORT: Support = Support::NO_DIFF;
    const EXAMPLES: &'static str = "
- name: Old and large logs
  find:
    paths: /var/log
    patterns: '*.log,*.gz'
    age: 4w
    size: 10m
    recurse: true
  register: old

- name: No more
  file:
    path: '{{ item.path }}'
    state: absent
  loop: '{{ old.files }}'
";
    const RETURNS: &'static str = "
files: What was found, each with the fields that `stat` returns.
matched: How many.
examined: How many were looked at.
skipped_paths: Why folders were left out.
";
    type Plan = ();

    fn plan(&self, _host: &dyn Look) -> Result<Option<()>, Fail> {
        Ok(None)
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let mut search =
            Search { files: Vec::new(), examined: 0, skipped: Map::new(), rules: self.rules(host)? };
        for path in &self.paths {
            let path = path.on(host);
            if host.stat(&path, true)?.is_some_and(|stat| stat.kind == FileKind::Directory) {
                self.walk(host, &path, &mut search)?;
            } else {
                let shown = path.to_string_lossy().into_owned();
                let why = format!("'{shown}' is not a directory");
                search.skipped.insert(shown.into(), Value::from(why));
            }
        }
        let all = search.skipped.is_empty();
        Ok(Outcome::unchanged()
            .with("matched", search.files.len())
            .with("files", search.files)
            .with("examined", search.examined)
            .with("skipped_paths", search.skipped)
            .with(
                "msg",
                if all {
                    "All paths examined."
                } else {
                    "Not all paths examined, check warnings for details"
                },
            ))
    }

    fn apply(&self, (): (), host: &mut dyn Touch) -> Result<Outcome, Fail> {
        self.unchanged(host.as_look())
    }
}

/// The conditions, read once.
struct Rules {
    patterns: Vec<fancy_regex::Regex>,
    excludes: Vec<fancy_regex::Regex>,
    contains: Option<fancy_regex::Regex>,
    /// Seconds.
    age: Option<f64>,
    /// Bytes.
    size: Option<f64>,
    now: f64,
}

struct Search {
    files: Vec<Value>,
    examined: usize,
    skipped: Map,
    rules: Rules,
}

impl Args {
    fn rules(&self, host: &dyn Look) -> Result<Rules, Fail> {
        let compile = |text: &str| pattern::compile(text, false, false).map_err(Fail::new);
        let names = |texts: &[String]| -> Result<Vec<_>, Fail> {
            let texts = texts.iter().filter(|_| self.use_regex);
            texts.map(|text| compile(&format!("^(?:{text})"))).collect()
        };
        let contains = self.contains.as_deref().map(|text| {
            compile(&if self.read_whole_file { text.to_owned() } else { format!("^(?:{text})") })
        });
        let amount = |text: &Option<String>, units: &[(char, f64)], name: &str| match text {
            None => Ok(None),
            Some(text) => quantity(text, units)
                .map(Some)
                .ok_or_else(|| Fail::new(format!("failed to process {name} {text}"))),
        };
        Ok(Rules {
            patterns: names(&self.patterns)?,
            excludes: names(&self.excludes)?,
            contains: contains.transpose()?,
            age: amount(
                &self.age,
                &[('s', 1.0), ('m', 60.0), ('h', 3600.0), ('d', 86_400.0), ('w', 604_800.0)],
                "age",
            )?,
            size: amount(
                &self.size,
                &[
                    ('b', 1.0),
                    ('k', 1024.0),
                    ('m', 1_048_576.0),
                    ('g', 1_073_741_824.0),
                    ('t', 1_099_511_627_776.0),
                ],
                "size",
            )?,
            now: host.now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64(),
        })
    }

    fn walk(&self, host: &dyn Look, top: &Path, search: &mut Search) -> Result<(), Fail> {
        let mut todo = vec![(top.to_owned(), 1)];
        let mut seen = Vec::new();
        while let Some((folder, depth)) = todo.pop() {
            let Ok(entries) = host.list(&folder) else {
                let shown = folder.to_string_lossy().into_owned();
                search.skipped.insert(shown.into(), Value::from("it can't be listed"));
                continue;
            };
            for name in entries {
                if self.limit.is_some_and(|limit| search.files.len() >= limit) {
                    return Ok(());
                }
                let path = folder.join(&name);
                let Some(stat) = host.stat(&path, false)? else { continue };
                search.examined += 1;
                let name = name.to_string_lossy();
                if !self.hidden && name.starts_with('.') {
                    continue;
                }
                let target = if self.follow { host.stat(&path, true)? } else { None };
                let inner = target.as_ref().unwrap_or(&stat);
                let deeper = self.depth.is_none_or(|most| depth < most);
                if self.recurse
                    && deeper
                    && inner.kind == FileKind::Directory
                    && !seen.contains(&(inner.dev, inner.inode))
                {
                    seen.push((inner.dev, inner.inode));
                    todo.push((path.clone(), depth + 1));
                }
                if self.fits(host, &path, &name, &stat, &search.rules)? {
                    search.files.push(self.entry(host, &path, &stat)?);
                }
            }
        }
        Ok(())
    }

    fn fits(
        &self,
        host: &dyn Look,
        path: &Path,
        name: &str,
        stat: &Stat,
        rules: &Rules,
    ) -> Result<bool, Fail> {
        let kind = match self.file_type {
            Kind::Any => true,
            Kind::Directory => stat.kind == FileKind::Directory,
            Kind::File => stat.kind == FileKind::File,
            Kind::Link => stat.kind == FileKind::Symlink,
        };
        let one = |texts: &[String], regexes: &[fancy_regex::Regex]| {
            if self.use_regex {
                regexes.iter().any(|regex| regex.is_match(name).unwrap_or(false))
            } else {
                texts.iter().any(|text| matches(text, name))
            }
        };
        let named = self.patterns.is_empty() || one(&self.patterns, &rules.patterns);
        if !kind || !named || one(&self.excludes, &rules.excludes) {
            return Ok(false);
        }
        let time = match self.age_stamp {
            Stamp::Atime => stat.atime,
            Stamp::Ctime => stat.ctime,
            Stamp::Mtime => stat.mtime,
        };
        #[expect(clippy::cast_precision_loss, reason = "a size is compared, not computed with")]
        let size = stat.size as f64;
        if !at_least(rules.now - time, rules.age) || !at_least(size, rules.size) {
            return Ok(false);
        }
        match &rules.contains {
            None => Ok(true),
            Some(_) if stat.kind != FileKind::File => Ok(self.file_type == Kind::Any),
            Some(regex) => {
                let text = to_text(&host.read(path)?.unwrap_or_default());
                let hit = |part: &str| regex.is_match(part).unwrap_or(false);
                Ok(if self.read_whole_file { hit(&text) } else { text.split_inclusive('\n').any(hit) })
            }
        }
    }

    fn entry(&self, host: &dyn Look, path: &Path, stat: &Stat) -> Result<Value, Fail> {
        let mut entry = fields(path, stat);
        entry.shift_remove("exists");
        names(host, path, stat, &mut entry)?;
        if self.get_checksum && stat.kind == FileKind::File {
            entry.insert("checksum".into(), host.digest(path, self.checksum_algorithm.name())?.into());
        }
        Ok(Value::map(entry))
    }
}

/// Whether a number is at least `bound`, or at most its size if that is negative.
fn at_least(number: f64, bound: Option<f64>) -> bool {
    bound.is_none_or(|bound| if bound >= 0.0 { number >= bound } else { number <= -bound })
}

/// `10m`, `-1k`, `3`: a whole number with a unit.
fn quantity(text: &str, units: &[(char, f64)]) -> Option<f64> {
    let text = text.trim().to_lowercase();
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = &text[digits.len()..];
    let factor = match unit.chars().next() {
        None => 1.0,
        Some(letter) => units.iter().find(|(known, _)| *known == letter)?.1,
    };
    digits.parse::<i32>().ok().map(|number| f64::from(number) * factor)
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::*;
    use crate::modules::api::fake::FakeHost;

    fn found(host: &mut FakeHost, args: &str) -> Result<String, Fail> {
        let outcome = host.play::<Args>(args)?;
        let files = outcome.fields["files"].as_list().unwrap_or_default();
        let mut names: Vec<String> = files
            .iter()
            .filter_map(|file| file.get("path").map(ToString::to_string))
            .map(|path| path.trim_start_matches("/d/").to_owned())
            .collect();
        names.sort();
        Ok(names.join(" "))
    }

    #[test]
    fn conditions_pick_files() {
        let mut host = FakeHost::new()
            .file("/d/a.log", "one\ntwo\n")
            .file("/d/b.txt", "x".repeat(2048))
            .file("/d/.hid", "")
            .file("/d/s/c.log", "two\n")
            .file("/d/s/t/d.log", "")
            .link("/d/s/up", "/d");
        for (args, names) in [
            ("", "a.log b.txt"),
            ("hidden: true", ".hid a.log b.txt"),
            ("patterns: '*.log'", "a.log"),
            ("patterns: '*.log', recurse: true", "a.log s/c.log s/t/d.log"),
            ("patterns: '*.log', recurse: true, depth: 2", "a.log s/c.log"),
            ("patterns: '*.log', recurse: true, follow: true, excludes: 'c*,d*'", "a.log s/up/a.log"),
            ("patterns: '^[ab]\\.', use_regex: true, excludes: '.*txt$'", "a.log"),
            ("file_type: directory", "s"),
            ("file_type: link, recurse: true", "s/up"),
            ("size: 1k", "b.txt"),
            ("size: -1k", "a.log"),
            ("contains: two", "a.log"),
            ("contains: wo", ""),
            ("contains: wo, read_whole_file: true", "a.log"),
            ("age: 1d", ""),
            ("age: -1d", "a.log b.txt"),
            ("limit: 1", "a.log"),
        ] {
            let args = format!("{{paths: /d, {args}}}");
            let names_found = found(&mut host, &args).unwrap();
            assert_eq!(names_found, names, "{args}");
        }
    }

    #[test]
    fn what_is_no_folder_is_skipped_and_nonsense_refused() {
        let mut host = FakeHost::new();
        let outcome = host.play::<Args>("paths: /none").unwrap();
        assert_eq!(outcome.fields["skipped_paths"].to_string(), "{'/none': \"'/none' is not a directory\"}");
        assert!(host.play::<Args>("{paths: /etc, size: 1x}").is_err());
        assert!(host.play::<Args>("{paths: /etc, use_regex: true, patterns: '('}").is_err());
    }
}
