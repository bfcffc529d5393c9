//! Template files: where they are found, how they are read, `include`, `import` and `extends`.
//!
//! minijinja knows templates by name. Our names carry what finding another template from there needs: which search
//! path, and the file. `Engine::template` starts; the rest is called by minijinja.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, Error, TemplateSource};

use crate::diag::{FileId, Sources, Span};
use crate::value::{Map, Str, Value};
use crate::vault::{self, Keyring};

use super::context::{Context, has_template};
use super::engine::{Engine, with_newlines};
use super::error::TemplateError;
use super::plugins::Plugins;
use super::rewrite::{self, Edits};
use super::scope::{Binding, Scope};
use super::{blame, env, functions};

const INLINE: &str = "\0text\0";
const FILE: &str = "\0file\0";
const MISSING: &str = "\0none\0";

/// How a template file is to be read, and what it sees besides the scope. The delimiters are Jinja's where none are given.
#[derive(Clone, Debug)]
pub struct FileOptions {
    /// Whether the newline after a block is dropped.
    pub trim_blocks: bool,
    /// Whether the blanks before a block are dropped.
    pub lstrip_blocks: bool,
    /// What a line ends with in the result.
    pub newline_sequence: String,
    /// Instead of `{{`.
    pub variable_start_string: Option<String>,
    /// Instead of `}}`.
    pub variable_end_string: Option<String>,
    /// Instead of `{%`.
    pub block_start_string: Option<String>,
    /// Instead of `%}`.
    pub block_end_string: Option<String>,
    /// Instead of `{#`.
    pub comment_start_string: Option<String>,
    /// Instead of `#}`.
    pub comment_end_string: Option<String>,
    /// Variables besides the scope's; they win.
    pub extra: Map,
}

impl Default for FileOptions {
    fn default() -> FileOptions {
        FileOptions {
            trim_blocks: true,
            lstrip_blocks: false,
            newline_sequence: "\n".into(),
            variable_start_string: None,
            variable_end_string: None,
            block_start_string: None,
            block_end_string: None,
            comment_start_string: None,
            comment_end_string: None,
            extra: Map::new(),
        }
    }
}

impl FileOptions {
    /// With what the file itself asks for in its `#jinja2:` line.
    fn overridden(&self, pairs: &[(String, String)]) -> FileOptions {
        let mut options = self.clone();
        for (key, value) in pairs {
            let text = || Some(value.clone());
            match key.as_str() {
                "trim_blocks" => options.trim_blocks = truth(value),
                "lstrip_blocks" => options.lstrip_blocks = truth(value),
                "newline_sequence" => options.newline_sequence = unescape(value),
                "variable_start_string" => options.variable_start_string = text(),
                "variable_end_string" => options.variable_end_string = text(),
                "block_start_string" => options.block_start_string = text(),
                "block_end_string" => options.block_end_string = text(),
                "comment_start_string" => options.comment_start_string = text(),
                "comment_end_string" => options.comment_end_string = text(),
                _ => {}
            }
        }
        options
    }

    fn syntax(&self) -> Result<SyntaxConfig, Error> {
        let or = |text: &Option<String>, default: &str| text.clone().unwrap_or_else(|| default.to_owned());
        SyntaxConfig::builder()
            .trim_blocks(self.trim_blocks)
            .lstrip_blocks(self.lstrip_blocks)
            .variable_delimiters(or(&self.variable_start_string, "{{"), or(&self.variable_end_string, "}}"))
            .block_delimiters(or(&self.block_start_string, "{%"), or(&self.block_end_string, "%}"))
            .comment_delimiters(or(&self.comment_start_string, "{#"), or(&self.comment_end_string, "#}"))
            .build()
    }
}

/// A template file as it was read.
#[derive(Clone, Debug)]
pub(super) struct Place {
    file: FileId,
    /// The text as it is in the file.
    pub(super) text: Arc<str>,
    /// What was changed before compiling.
    pub(super) edits: Arc<Edits>,
    /// How many bytes of the file come before the text (the `#jinja2:` line).
    skipped: usize,
}

impl Place {
    /// A part of the text as a place in the file.
    pub(super) fn span(&self, range: Range<usize>) -> Span {
        let at = |offset: usize| u32::try_from(offset + self.skipped).unwrap_or(u32::MAX);
        Span { file: self.file, start: at(range.start), end: at(range.end) }
    }
}

#[derive(Default)]
struct State {
    searches: Vec<Vec<PathBuf>>,
    places: HashMap<String, Place>,
    environments: HashMap<String, &'static Environment<'static>>,
}

/// The template files of a run.
#[derive(Clone)]
pub(super) struct Files {
    sources: Arc<Sources>,
    keyring: Arc<Keyring>,
    plugins: Arc<Plugins>,
    state: Arc<Mutex<State>>,
}

impl Files {
    pub(super) fn new(sources: Arc<Sources>, keyring: Arc<Keyring>, plugins: Arc<Plugins>) -> Files {
        Files { sources, keyring, plugins, state: Arc::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The name of a template that is a text itself. `search`: where it may include from.
    pub(super) fn inline(text: &str, search: Option<usize>) -> String {
        format!("{INLINE}{}\0{text}", search.unwrap_or(0))
    }

    /// The search path of an inline template, if it may include others.
    pub(super) fn inline_search(&self, text: &str, context: &Context) -> Option<usize> {
        let includes =
            text.contains("{%") && ["include", "import", "extends"].iter().any(|word| text.contains(word));
        includes.then(|| self.search(search_folders(context.scope(), None)))
    }

    fn search(&self, folders: Vec<PathBuf>) -> usize {
        let mut state = self.state();
        if let Some(known) = state.searches.iter().position(|known| *known == folders) {
            return known;
        }
        state.searches.push(folders);
        state.searches.len() - 1
    }

    /// What is known of a file by the name that minijinja has for it.
    pub(super) fn place(&self, name: &str) -> Option<Place> {
        self.state().places.get(name).cloned()
    }

    /// The name of a file that includes nothing from a search path.
    pub(super) fn name_of(path: &Path) -> String {
        let full = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
        format!("{FILE}0\0{}", full.display())
    }

    /// Lets an environment find its templates here, and the filters that users brought along.
    pub(super) fn install(&self, env: &mut Environment<'static>) {
        self.plugins.register(env);
        let files = self.clone();
        env.set_path_join_callback(move |name, parent| match name.starts_with('\0') {
            true => Cow::Borrowed(name),
            false => Cow::Owned(files.resolve(name, parent)),
        });
        let files = self.clone();
        let syntax = env.syntax().clone();
        env.set_loader(move |name| files.load(name, &syntax));
    }

    fn resolve(&self, name: &str, parent: &str) -> String {
        let mut parts =
            parent.strip_prefix(FILE).or_else(|| parent.strip_prefix(INLINE)).unwrap_or("").splitn(2, '\0');
        let search = parts.next().and_then(|it| it.parse::<usize>().ok()).unwrap_or(0);
        let folders = self.state().searches.get(search).cloned().unwrap_or_default();
        let found = folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file());
        match found {
            Some(path) => format!("{FILE}{search}\0{}", path.display()),
            None => format!("{MISSING}{name}"),
        }
    }

    fn load(&self, name: &str, syntax: &SyntaxConfig) -> Result<Option<TemplateSource>, Error> {
        if let Some(inline) = name.strip_prefix(INLINE) {
            let text = inline.split_once('\0').map_or("", |(_, text)| text);
            return Ok(Some(TemplateSource::from(text)));
        }
        let Some((_, path)) = name.strip_prefix(FILE).and_then(|rest| rest.split_once('\0')) else {
            return Ok(None);
        };
        let path = PathBuf::from(path);
        let read = stamp(&path);
        if !path.is_file() {
            return Ok(None);
        }
        let (bytes, encrypted) = vault::open(&path, &self.keyring)
            .map_err(|why| Error::new(minijinja::ErrorKind::InvalidOperation, why))?;
        let raw = String::from_utf8_lossy(&bytes).replace("\r\n", "\n");
        let (_, skipped) = header(&raw);
        let text: Arc<str> = Arc::from(&raw[skipped..]);
        let file = match encrypted {
            true => self.sources.add_hidden(&path, raw),
            false => self.sources.add(&path, raw),
        };
        let (edits, edited) = match rewrite::template(&text, syntax, false) {
            Ok((_, edits)) => {
                let edited = edits.apply(&text);
                (edits, edited)
            }
            // minijinja finds the same mistake, with the file's name.
            Err(_) => (Edits::default(), text.to_string()),
        };
        let place = Place { file, text, edits: Arc::new(edits), skipped };
        self.state().places.insert(name.to_owned(), place);
        Ok(Some(TemplateSource::new(edited).with_uptodate_check(move || stamp(&path) == read)))
    }

    /// The environment for template files of one syntax.
    fn environment(&self, options: &FileOptions) -> Result<&'static Environment<'static>, TemplateError> {
        let syntax = options.syntax().map_err(|error| {
            TemplateError::plain(format!("these delimiters can't be used together: {error}"))
        })?;
        let key = format!("{syntax:?}");
        if let Some(environment) = self.state().environments.get(&key) {
            return Ok(environment);
        }
        // Compiled templates borrow from the environment, and both live as long as the run.
        let environment: &'static _ = Box::leak(Box::new(env::environment(syntax, self)));
        self.state().environments.insert(key, environment);
        Ok(environment)
    }
}

fn stamp(path: &Path) -> Option<(SystemTime, u64)> {
    let meta = std::fs::metadata(path).ok()?;
    Some((meta.modified().ok()?, meta.len()))
}

/// The settings of a `#jinja2:` line at the start of a file, and its length with the newline.
fn header(text: &str) -> (Vec<(String, String)>, usize) {
    let Some(rest) = text.strip_prefix("#jinja2:") else { return (Vec::new(), 0) };
    let line = rest.lines().next().unwrap_or_default();
    let pairs = line.split(',').filter_map(|pair| pair.split_once(':'));
    let pairs =
        pairs.map(|(key, value)| (key.trim().to_owned(), value.trim().trim_matches(['\'', '"']).to_owned()));
    let length = text.find('\n').map_or(text.len(), |at| at + 1);
    (pairs.collect(), length)
}

fn truth(text: &str) -> bool {
    matches!(text.to_ascii_lowercase().as_str(), "true" | "yes" | "on" | "1")
}

fn unescape(text: &str) -> String {
    text.replace("\\n", "\n").replace("\\r", "\r")
}

/// A scope with some names in front of it.
#[derive(Debug)]
pub(super) struct Overlay {
    pub(super) front: Map,
    pub(super) base: Arc<dyn Scope>,
}

impl Scope for Overlay {
    fn lookup(&self, name: &str) -> Option<Binding> {
        self.front.get(name).cloned().map(Binding::Data).or_else(|| self.base.lookup(name))
    }

    fn names(&self) -> Vec<Str> {
        let mut names = self.base.names();
        names.extend(self.front.keys().cloned());
        names.sort();
        names.dedup();
        names
    }

    fn search_path(&self) -> &[PathBuf] {
        self.base.search_path()
    }

    fn playbook_dir(&self) -> &Path {
        self.base.playbook_dir()
    }
}

impl Engine {
    /// A template file as text.
    ///
    /// # Errors
    /// If the file can't be read, is no template, or fails.
    pub fn template(
        &self,
        path: &Path,
        options: &FileOptions,
        scope: &Arc<dyn Scope>,
    ) -> Result<String, TemplateError> {
        let running = self.start(scope)?;
        self.file(path, options, &running.0)
    }

    /// The same within an evaluation.
    pub(super) fn file(
        &self,
        path: &Path,
        options: &FileOptions,
        context: &Context,
    ) -> Result<String, TemplateError> {
        let unreadable = |error: &dyn std::fmt::Display| {
            TemplateError::plain(format!("can't read the template {}: {error}", path.display()))
        };
        let full = std::path::absolute(path).map_err(|error| unreadable(&error))?;
        let (bytes, _) = vault::open(&full, self.keyring()).map_err(|why| unreadable(&why))?;
        let text = String::from_utf8(bytes.to_vec()).map_err(|_| unreadable(&"it is not UTF-8 text"))?;
        let text = text.replace("\r\n", "\n");
        let (pairs, _) = header(&text);
        let options = options.overridden(&pairs);
        let search = self.files.search(search_folders(context.scope(), full.parent()));
        let name = format!("{FILE}{search}\0{}", full.display());
        let template = self.files.environment(&options)?.get_template(&name);
        let front = self.file_variables(&full, options.extra, context)?;
        let context = context.within(Arc::new(Overlay { front, base: context.scope().clone() }));
        let rendered = template.and_then(|template| template.render(context.root()));
        let result = rendered.map_err(|error| match self.files.place(&name) {
            Some(place) => blame::file(&error, &place, &context),
            None => unreadable(&"it changed while it was read"),
        })?;
        context.take_failure()?;
        let newlines = text.len() - text.trim_end_matches('\n').len();
        let result = with_newlines(result, newlines);
        Ok(match options.newline_sequence.as_str() {
            "\n" => result,
            sequence => result.replace('\n', sequence),
        })
    }

    /// `ansible_managed`, `template_path` and the like.
    fn file_variables(&self, path: &Path, extra: Map, context: &Context) -> Result<Map, TemplateError> {
        let mut variables = Map::new();
        let shown = path.display().to_string();
        let mtime = std::fs::metadata(path).and_then(|meta| meta.modified()).ok();
        let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
        let owner = owner(path);
        let mut managed = self.settings.ansible_managed.clone();
        for (mark, value) in [("{host}", &host), ("{uid}", &owner), ("{file}", &shown)] {
            managed = managed.replace(mark, value);
        }
        if managed.contains('%')
            && let Some(time) = mtime
        {
            managed = functions::format_time(time, &managed);
        }
        let mut text = |name: &str, value: String| variables.insert(name.into(), Value::from(value));
        text("ansible_managed", self.managed(managed, context)?);
        text("template_host", host);
        text("template_path", shown.clone());
        text("template_fullpath", shown);
        text("template_uid", owner);
        text("template_run_date", functions::format_time(SystemTime::now(), "%Y-%m-%d %H:%M:%S"));
        if let Some(time) = mtime {
            text("template_mtime", functions::format_time(time, "%Y-%m-%d %H:%M:%S"));
        }
        variables.extend(extra);
        Ok(variables)
    }

    fn managed(&self, text: String, context: &Context) -> Result<String, TemplateError> {
        if !has_template(&text) {
            return Ok(text);
        }
        let file = self.sources.add("<ansible_managed>", text.as_str());
        let span = Span { file, start: 0, end: u32::try_from(text.len()).unwrap_or(0) };
        let value = self.run(&text.into(), span, context)?;
        Ok(context.finish(&value, span)?.to_string())
    }
}

/// The folders that a template's relative names are searched in.
fn search_folders(scope: &Arc<dyn Scope>, own: Option<&Path>) -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = Vec::new();
    let near = scope.search_path().iter().map(PathBuf::as_path);
    for folder in near.chain([scope.playbook_dir()]).chain(own) {
        for folder in [folder.join("templates"), folder.to_owned()] {
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
    }
    folders
}

/// The name of a file's owner, or the number where it has none.
fn owner(path: &Path) -> String {
    use std::os::unix::fs::MetadataExt;
    let Ok(meta) = std::fs::metadata(path) else { return String::new() };
    let uid = meta.uid().to_string();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let name = users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        (fields.nth(1)? == uid).then(|| name.to_owned())
    });
    name.unwrap_or(uid)
}
