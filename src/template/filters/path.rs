//! Filters about paths. Those that ask the file system ask the controller's, as everywhere in templates.

use std::path::Path;

use minijinja::State;
use minijinja::value::{Value, ValueKind};

use super::python::{self, list, pair};
use super::{Args, Filter, Outcome, filter};

pub(super) const FILTERS: &[Filter] = &[
    filter("basename", "path", |_, a| Ok(split(&a.text("path")).1.into()), "the last part of a path"),
    filter("dirname", "path", |_, a| Ok(split(&a.text("path")).0.into()), "a path without its last part"),
    filter("path_join", "paths", path_join, "the parts of a path joined"),
    filter("splitext", "path", |_, a| Ok(splitext(&a.text("path"))), "a path and its extension, as a pair"),
    filter(
        "normpath",
        "path",
        |_, a| Ok(normalize(&a.text("path")).into()),
        "a path without . and .. and //",
    ),
    filter("realpath", "path", |_, a| Ok(real(&a.text("path")).into()), "a path with its links followed"),
    filter("relpath", "path, start=", relpath, "a path as seen from a folder"),
    filter("commonpath", "paths", commonpath, "the longest path that all of them begin with"),
    filter("expanduser", "path", |_, a| Ok(expand_user(&a.text("path")).into()), "a path with ~ replaced"),
    filter(
        "expandvars",
        "path",
        |_, a| Ok(expand_vars(&a.text("path")).into()),
        "a text with $NAME replaced",
    ),
    filter("fileglob", "pathname", fileglob, "the files that a pattern matches"),
    filter(
        "win_basename",
        "path",
        |_, a| Ok(win_split(&a.text("path")).1.into()),
        "the last part of a Windows path",
    ),
    filter("win_dirname", "path", |_, a| Ok(win_split(&a.text("path")).0.into()), "a Windows path's folder"),
    filter("win_splitdrive", "path", win_splitdrive, "a Windows path's drive and rest, as a pair"),
];

/// Head and tail at the last slash, as `os.path.split`.
fn split(path: &str) -> (&str, &str) {
    let at = path.rfind('/').map_or(0, |at| at + 1);
    let (head, tail) = path.split_at(at);
    let trimmed = head.trim_end_matches('/');
    (if trimmed.is_empty() { head } else { trimmed }, tail)
}

/// `os.path.join`.
pub(crate) fn join(base: &str, part: &str) -> String {
    match base {
        _ if part.starts_with('/') => part.to_owned(),
        "" => part.to_owned(),
        base if base.ends_with('/') => format!("{base}{part}"),
        base => format!("{base}/{part}"),
    }
}

fn path_join(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let paths = args.value("paths");
    match paths.kind() {
        ValueKind::String => Ok(paths),
        _ if python::is_list(&paths) => {
            let mut parts = args.items("paths")?.into_iter();
            let first = parts.next().ok_or_else(|| args.fail("no paths to join"))?;
            Ok(parts.fold(python::text(&first), |base, part| join(&base, &python::text(&part))).into())
        }
        _ => Err(args.fail(format!("takes a string or a list, not '{}'", python::type_name(&paths)))),
    }
}

fn splitext(path: &str) -> Value {
    let name_at = path.rfind('/').map_or(0, |at| at + 1);
    let name = &path[name_at..];
    let leading = name.len() - name.trim_start_matches('.').len();
    let at = name[leading..].rfind('.').map_or(path.len(), |at| name_at + leading + at);
    pair(&path[..at], &path[at..])
}

/// `os.path.normpath`.
pub(crate) fn normalize(path: &str) -> String {
    let root = match path {
        _ if path.starts_with("//") && !path.starts_with("///") => "//",
        _ if path.starts_with('/') => "/",
        _ => "",
    };
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty() && *part != ".") {
        match parts.last() {
            Some(last) if part == ".." && *last != ".." => {
                parts.pop();
            }
            None if part == ".." && !root.is_empty() => {}
            _ => parts.push(part),
        }
    }
    let whole = format!("{root}{}", parts.join("/"));
    if whole.is_empty() { ".".into() } else { whole }
}

fn absolute(path: &str) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    normalize(&join(&here.to_string_lossy(), path))
}

/// `os.path.realpath`: parts that do not exist stay as they are.
fn real(path: &str) -> String {
    let whole = absolute(path);
    let mut existing = Path::new(&whole);
    loop {
        if let Ok(found) = existing.canonicalize() {
            let rest = Path::new(&whole).strip_prefix(existing).unwrap_or(Path::new(""));
            let joined = if rest.as_os_str().is_empty() { found } else { found.join(rest) };
            return joined.to_string_lossy().into_owned();
        }
        match existing.parent() {
            Some(parent) => existing = parent,
            None => return whole,
        }
    }
}

fn relpath(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let path = absolute(&args.text("path"));
    let start = absolute(args.str_or("start", ".")?);
    let parts =
        |whole: &str| whole.split('/').filter(|it| !it.is_empty()).map(str::to_owned).collect::<Vec<_>>();
    let (path, start) = (parts(&path), parts(&start));
    let same = path.iter().zip(&start).take_while(|(a, b)| a == b).count();
    let mut out: Vec<String> = vec!["..".into(); start.len() - same];
    out.extend_from_slice(&path[same..]);
    Ok(if out.is_empty() { ".".into() } else { out.join("/").into() })
}

fn commonpath(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let paths: Vec<String> = args.list("paths")?.iter().map(python::text).collect();
    let Some(first) = paths.first() else { return Err(args.fail("no paths")) };
    if paths.iter().any(|it| it.starts_with('/') != first.starts_with('/')) {
        return Err(args.fail("absolute and relative paths have nothing in common"));
    }
    let parts = |path: &str| -> Vec<String> {
        path.split('/').filter(|it| !it.is_empty() && *it != ".").map(str::to_owned).collect()
    };
    let mut common = parts(first);
    for path in &paths {
        let same = common.iter().zip(parts(path)).take_while(|(a, b)| *a == b).count();
        common.truncate(same);
    }
    let root = if first.starts_with('/') { "/" } else { "" };
    Ok(format!("{root}{}", common.join("/")).into())
}

/// `os.path.expanduser`: `~` by `HOME`, `~name` by the system's list of users.
fn expand_user(path: &str) -> String {
    let Some(rest) = path.strip_prefix('~') else { return path.to_owned() };
    let (name, tail) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let home = std::env::var("HOME").ok().filter(|_| name.is_empty()).or_else(|| home_of(name));
    home.map_or_else(|| path.to_owned(), |home| format!("{}{tail}", home.trim_end_matches('/')))
}

fn home_of(name: &str) -> Option<String> {
    let uid = rustix::process::getuid().as_raw().to_string();
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    users.lines().map(|line| line.split(':').collect::<Vec<_>>()).find_map(|fields| match fields[..] {
        [user, _, id, _, _, home, _] if user == name || (name.is_empty() && id == uid) => {
            Some(home.to_owned())
        }
        _ => None,
    })
}

/// `os.path.expandvars`: unknown names stay as they are.
fn expand_vars(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (name, len) = match after.strip_prefix('{').and_then(|it| it.split_once('}')) {
            Some((name, _)) => (name, name.len() + 2),
            None => {
                let len = after.find(|c: char| !c.is_ascii_alphanumeric() && c != '_').unwrap_or(after.len());
                (&after[..len], len)
            }
        };
        match std::env::var(name) {
            Ok(value) if !name.is_empty() => out.push_str(&value),
            _ => out.push_str(&rest[at..=at + len]),
        }
        rest = &after[len..];
    }
    out + rest
}

fn fileglob(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let found = glob::glob(&args.text("pathname")).map_err(|error| args.fail(error.to_string()))?;
    let files = found.flatten().filter(|path| path.is_file());
    Ok(list(files.map(|path| path.to_string_lossy().into_owned().into()).collect()))
}

fn win_drive(path: &str) -> (&str, &str) {
    let slash = |c: char| c == '\\' || c == '/';
    let unc =
        path.strip_prefix(slash).and_then(|it| it.strip_prefix(slash)).filter(|it| !it.starts_with(slash));
    if let Some(rest) = unc {
        let ends = rest.find(slash).and_then(|at| {
            let share = &rest[at + 1..];
            if share.starts_with(slash) {
                None
            } else {
                Some(2 + at + 1 + share.find(slash).unwrap_or(share.len()))
            }
        });
        return path.split_at(ends.unwrap_or(0));
    }
    let mut chars = path.char_indices();
    match (chars.next(), chars.next()) {
        (Some(_), Some((at, ':'))) => path.split_at(at + 1),
        _ => path.split_at(0),
    }
}

fn win_split(path: &str) -> (String, String) {
    let slash = |c: char| c == '\\' || c == '/';
    let (drive, rest) = win_drive(path);
    let (head, tail) = rest.split_at(rest.rfind(slash).map_or(0, |at| at + 1));
    let trimmed = head.trim_end_matches(slash);
    (format!("{drive}{}", if trimmed.is_empty() { head } else { trimmed }), tail.to_owned())
}

fn win_splitdrive(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let path = args.text("path");
    let (drive, rest) = win_drive(&path);
    Ok(pair(drive, rest))
}
