//! The lookups: a table of names and functions. Each runs on the controller and gives a list of finished data.
//!
//! `functions` calls them for `lookup()` and `query()`, `loops` for `with_…`. What they give is never a template.

mod dict;
mod env;
mod first_found;
mod list;
mod password;
mod pipe;
mod read;
mod sequence;
mod subelements;
mod table;
mod template;
mod url;
mod variables;

use std::path::{Path, PathBuf};

use crate::diag::{Diagnostic, code};
use crate::value::{Map, Value};

use super::context::Context;
use super::error::TemplateError;

/// A lookup: its name, the function, what it gives.
pub struct Lookup {
    /// The short name.
    pub name: &'static str,
    /// The collection it is known in.
    pub collection: &'static str,
    run: fn(&Call<'_>) -> Outcome,
    /// One line for the documentation.
    pub doc: &'static str,
}

const fn builtin(name: &'static str, run: fn(&Call<'_>) -> Outcome, doc: &'static str) -> Lookup {
    Lookup { name, collection: "ansible.builtin", run, doc }
}

const fn general(name: &'static str, run: fn(&Call<'_>) -> Outcome, doc: &'static str) -> Lookup {
    Lookup { name, collection: "community.general", run, doc }
}

/// All lookups.
pub const ALL: &[Lookup] = &[
    general("cartesian", list::nested, "all combinations of the items of lists"),
    builtin("csvfile", table::csvfile, "a field of the line of a CSV file that begins with a key"),
    builtin("dict", dict::dict, "a mapping as a list of `key` and `value`"),
    builtin("env", env::env, "environment variables of the controller"),
    builtin("file", read::file, "the contents of files on the controller"),
    builtin("fileglob", read::fileglob, "files on the controller that match patterns"),
    builtin("first_found", first_found::first_found, "the first file that exists"),
    general("flattened", list::flattened, "lists within lists as one list"),
    builtin("indexed_items", list::indexed_items, "items with their indexes"),
    builtin("ini", table::ini, "a value of an INI or properties file"),
    builtin("inventory_hostnames", variables::inventory_hostnames, "the hosts that a pattern names"),
    builtin("items", list::items, "items of lists, flattened one level"),
    builtin("lines", pipe::lines, "the lines that commands print"),
    builtin("list", list::list, "items as they are"),
    builtin("nested", list::nested, "all combinations of the items of lists"),
    builtin("password", password::password, "a random password, kept in a file"),
    builtin("pipe", pipe::pipe, "what commands print"),
    builtin("random_choice", list::random_choice, "one of the items"),
    builtin("sequence", sequence::sequence, "numbers, formatted"),
    builtin("subelements", subelements::subelements, "items with each of a list inside of them"),
    builtin("template", template::template, "rendered template files"),
    builtin("together", list::together, "the items of lists side by side"),
    builtin("unvault", read::unvault, "the contents of files, decrypted"),
    builtin("url", url::url, "what URLs answer"),
    builtin("varnames", variables::varnames, "the names of variables that match patterns"),
    builtin("vars", variables::vars, "variables by name"),
];

/// The lookup of a name, short or with its collection.
pub fn find(name: &str) -> Option<&'static Lookup> {
    ALL.iter().find(|lookup| {
        lookup.name == name
            || name.rsplit_once('.').is_some_and(|(collection, short)| {
                short == lookup.name
                    && (collection == lookup.collection
                        || matches!(collection, "ansible.legacy" | "community.general"))
            })
    })
}

/// Why a lookup failed.
pub(super) enum Failure {
    /// In words.
    Message(String),
    /// A template in it failed, or a variable is undefined.
    Template(TemplateError),
    /// There is no lookup of this name.
    Unknown,
}

impl From<String> for Failure {
    fn from(message: String) -> Failure {
        Failure::Message(message)
    }
}

impl From<&str> for Failure {
    fn from(message: &str) -> Failure {
        Failure::Message(message.to_owned())
    }
}

impl From<TemplateError> for Failure {
    fn from(error: TemplateError) -> Failure {
        Failure::Template(error)
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Failure::Message(message) => f.write_str(message),
            Failure::Template(error) => write!(f, "{error}"),
            Failure::Unknown => f.write_str("there is no such lookup"),
        }
    }
}

impl Failure {
    /// The failure as one of minijinja's errors. `name`: the lookup.
    pub(super) fn into_jinja(self, name: &str) -> minijinja::Error {
        let kind = minijinja::ErrorKind::InvalidOperation;
        match self {
            Failure::Message(message) => {
                minijinja::Error::new(kind, format!("{FAILED}`{name}` failed: {message}"))
            }
            Failure::Template(error) => error.into_jinja(),
            Failure::Unknown => minijinja::Error::new(kind, format!("{UNKNOWN}`{name}`")),
        }
    }

    /// The failure as an error without a place.
    pub(super) fn into_error(self, name: &str) -> TemplateError {
        match self {
            Failure::Message(message) => {
                let message = format!("{FAILED}`{name}` failed: {message}");
                TemplateError::new(Diagnostic::error(code::LOOKUP_FAILED, message))
            }
            Failure::Template(error) => error,
            Failure::Unknown => TemplateError::new(unknown(name)),
        }
    }
}

/// How the messages begin that `blame` gives codes of their own.
pub(super) const FAILED: &str = "the lookup ";
pub(super) const UNKNOWN: &str = "there is no lookup ";

/// That there is no such lookup.
pub fn unknown(name: &str) -> Diagnostic {
    let short = name.rsplit('.').next().unwrap_or(name);
    Diagnostic::error(code::UNKNOWN_LOOKUP, format!("{UNKNOWN}`{name}`"))
        .suggest(short, ALL.iter().map(|lookup| lookup.name))
}

/// Runs a lookup by its name.
pub(super) fn perform(context: &Context, name: &str, terms: Vec<Value>, options: Map) -> Outcome {
    let lookup = find(name).ok_or(Failure::Unknown)?;
    (lookup.run)(&Call { context, terms, options })
}

/// What a lookup gives.
pub(super) type Outcome<T = Vec<Value>> = Result<T, Failure>;

/// The arguments of one lookup.
pub(super) struct Call<'a> {
    pub(super) context: &'a Context,
    /// The positional arguments.
    pub(super) terms: Vec<Value>,
    /// The arguments by name.
    pub(super) options: Map,
}

impl Call<'_> {
    /// An argument by name, unless it is `None` or `omit`.
    fn option(&self, name: &str) -> Option<&Value> {
        self.options.get(name).filter(|value| !matches!(value, Value::Null | Value::Omit))
    }

    fn text(&self, name: &str) -> Option<String> {
        self.option(name).map(ToString::to_string)
    }

    fn flag(&self, name: &str, default: bool) -> Outcome<bool> {
        self.option(name).map_or(Ok(default), |value| truth(name, value))
    }

    /// The terms as text.
    fn words(&self) -> impl Iterator<Item = String> {
        self.terms.iter().map(ToString::to_string)
    }

    /// A file by a name relative to `folder` (such as `files`) or to the search path itself.
    fn find(&self, folder: &str, name: &str) -> Option<PathBuf> {
        let path = expand(name);
        if path.is_absolute() {
            return path.exists().then_some(path);
        }
        let found =
            self.folders().into_iter().flat_map(|near| [near.join(folder).join(&path), near.join(&path)]);
        found.into_iter().find(|path| path.exists())
    }

    /// The folders that relative names are searched in.
    fn folders(&self) -> Vec<PathBuf> {
        let scope = self.context.scope();
        let mut folders = scope.search_path().to_vec();
        if !folders.iter().any(|folder| folder == scope.playbook_dir()) {
            folders.push(scope.playbook_dir().to_owned());
        }
        folders
    }
}

/// A value as a boolean, as module arguments are read.
fn truth(name: &str, value: &Value) -> Outcome<bool> {
    match value {
        Value::Bool(it) => Ok(*it),
        Value::Int(0) => Ok(false),
        Value::Int(1) => Ok(true),
        Value::Str(text) => match text.to_ascii_lowercase().as_str() {
            "yes" | "true" | "on" | "1" | "y" | "t" => Ok(true),
            "no" | "false" | "off" | "0" | "n" | "f" | "" => Ok(false),
            _ => Err(format!("`{name}` must be true or false, not `{text}`").into()),
        },
        other => Err(format!("`{name}` must be true or false, not `{other}`").into()),
    }
}

/// `~` at the start as the home folder.
fn expand(path: &str) -> PathBuf {
    match path.strip_prefix("~/") {
        Some(rest) => {
            std::env::var_os("HOME").map_or_else(|| PathBuf::from(path), |home| Path::new(&home).join(rest))
        }
        None => PathBuf::from(path),
    }
}

/// `a=1 b='x y' name` as words and pairs, as lookups take them in one text.
fn split_arguments(text: &str) -> Outcome<Vec<(Option<String>, String)>> {
    let words = shlex::split(text).ok_or_else(|| format!("a quote is not closed in `{text}`"))?;
    Ok(words
        .into_iter()
        .map(|word| match word.split_once('=') {
            Some((key, value))
                if key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') && !key.is_empty() =>
            {
                (Some(key.to_owned()), value.to_owned())
            }
            _ => (None, word),
        })
        .collect())
}

#[cfg(test)]
mod tests;
