//! Filters that users bring along: macros in `filter_plugins/*.j2`. Plugins in Python beside them are not run, but
//! messages name them.
//!
//! A macro's first parameter is the value before the bar. What it prints is the filter's value: JSON of a list or a
//! mapping as such, anything else as text.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minijinja::value::{Rest, Value, ValueOrKwargs};
use minijinja::{Environment, Error, State};

use super::files::{Files, Overlay};
use super::functions;
use super::native::to_data;
use super::object::from_data;
use crate::diag::Diagnostic;
use crate::value::{Map, Value as Data};

/// Runs one macro of a file with what the filter was given.
const CALL: &str = "{% import __file as file %}{{ file[__name](*__args, **__named) }}";

/// The plugins of a run.
#[derive(Clone, Debug, Default)]
pub struct Plugins {
    /// Macros by their names, and the files that they are in.
    macros: Vec<(String, PathBuf)>,
    /// Plugins in Python for filters, tests and lookups.
    python: Vec<PathBuf>,
}

impl Plugins {
    /// Looks for plugins: in folders that have `filter_plugins/` and its like, and in folders of filter plugins.
    #[must_use]
    pub fn find(beside: &[PathBuf], filters: &[PathBuf]) -> Plugins {
        let mut plugins = Plugins::default();
        for folder in beside {
            plugins.add(&folder.join("filter_plugins"));
            plugins.add(&folder.join("test_plugins"));
            plugins.add(&folder.join("lookup_plugins"));
        }
        filters.iter().for_each(|folder| plugins.add(folder));
        plugins
    }

    fn add(&mut self, folder: &Path) {
        let mut files: Vec<PathBuf> =
            fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        files.sort();
        for path in files {
            match path.extension().and_then(|ending| ending.to_str()) {
                Some("py") => self.python.push(path),
                Some("j2") => {
                    let text = fs::read_to_string(&path).unwrap_or_default();
                    for name in macros(&text) {
                        // The first file with a name wins, as with Ansible's folders of plugins.
                        if !self.macros.iter().any(|(known, _)| *known == name) {
                            self.macros.push((name, path.clone()));
                        }
                    }
                }
                _ => {}
            }
        }
    }

    /// Adds the macros to an environment as filters. Those that are built in win.
    pub(super) fn register(&self, env: &mut Environment<'static>) {
        for (name, path) in &self.macros {
            let file = Files::name_of(path);
            let called = name.clone();
            let call =
                move |state: &mut State<'_, '_>, values: Rest<ValueOrKwargs>| -> Result<Value, Error> {
                    run(state, &file, &called, &values.into_values())
                };
            env.add_filter(name.clone(), call);
        }
    }

    /// A message about a name that nothing has, with the plugin in Python that brings it, if there is one.
    pub(super) fn explain(&self, name: &str, unknown: Diagnostic) -> Diagnostic {
        let quoted = [format!("'{name}'"), format!("\"{name}\"")];
        let is_there = |path: &&PathBuf| {
            let by_name = path.file_stem().is_some_and(|stem| stem.to_string_lossy() == name);
            let text = fs::read_to_string(path).unwrap_or_default();
            by_name || quoted.iter().any(|quoted| text.contains(quoted))
        };
        let Some(path) = self.python.iter().find(is_there) else { return unknown };
        let mut said = unknown.note(format!("{} is a plugin in Python, which is not run", path.display()));
        said.help = Some(format!("write it as a macro `{name}(value)` in `filter_plugins/{name}.j2`"));
        said
    }
}

/// The names of the macros of a template.
fn macros(text: &str) -> Vec<String> {
    let starts =
        text.match_indices("{%").map(|(at, _)| text[at + 2..].trim_start_matches(['-', '+']).trim_start());
    let names = starts.filter_map(|rest| rest.strip_prefix("macro ")).map(|rest| {
        rest.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect::<String>()
    });
    names.filter(|name| !name.is_empty()).collect()
}

fn run(state: &mut State<'_, '_>, file: &str, name: &str, values: &[Value]) -> Result<Value, Error> {
    let context = functions::context(state)?;
    let (named, args): (Vec<&Value>, Vec<&Value>) = values.iter().partition(|value| value.is_kwargs());
    let args = args.into_iter().map(to_data).collect::<Result<Vec<Data>, Error>>()?;
    let named = match named.first() {
        Some(named) => to_data(named)?,
        None => Data::map(Map::new()),
    };
    let front = Map::from_iter([
        ("__file".into(), Data::from(file)),
        ("__name".into(), Data::from(name)),
        ("__args".into(), Data::list(args)),
        ("__named".into(), named),
    ]);
    let inner = context.within(Arc::new(Overlay { front, base: context.scope().clone() }));
    let text = state.env().render_str(CALL, inner.root())?;
    let text = text.trim_matches('\n');
    let json = text.trim();
    if json.starts_with(['[', '{'])
        && let Ok(value) = serde_json::from_str::<serde_json::Value>(json)
    {
        return Ok(from_data(&Data::from(value)));
    }
    Ok(Value::from(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn macros_are_found_by_their_names() {
        let text =
            "{% macro a(x) %}{% endmacro %}\n{%- macro b_2(x, y=1) -%}{% endmacro %}{% set macro = 1 %}";
        assert_eq!(macros(text), ["a", "b_2"]);
    }

    #[test]
    fn a_plugin_in_python_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("filter_plugins/mine.py");
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "class FilterModule:\n def filters(self): return {'shout': shout}\n").unwrap();
        let plugins = Plugins::find(&[folder.path().to_path_buf()], &[]);
        let unknown = || Diagnostic::error("R203", "there is no filter `shout`");
        let said = plugins.explain("shout", unknown());
        assert!(said.notes[0].contains("mine.py is a plugin in Python"), "{said:?}");
        assert!(plugins.explain("other", unknown()).notes.is_empty());
    }
}
