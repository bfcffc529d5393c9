//! `vars_files`: read for each host, since their names may depend on its variables. Every file is parsed once a run.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::keywords::Keywords;
use super::shared::Shared;
use super::state::State;
use crate::diag::{Diagnostic, code};
use crate::event::Event;
use crate::playbook::Play;
use crate::template::{Binding, TemplateError};
use crate::value::{Str, Value};
use crate::vars::{Bindings, HostData, PlayVars, TaskScope};
use crate::vault;
use crate::yaml::{Kind, Node};

/// Reads the files of a play for its hosts. Before facts are there (`complete` false), a name that needs them waits.
pub(super) fn load(
    shared: &Shared,
    state: &mut State,
    play: &Play,
    vars: &Arc<PlayVars>,
    hosts: &[Str],
    complete: bool,
) -> Result<(), TemplateError> {
    // What the files of earlier plays said is over with them.
    let stale = |(host, data): (&Str, &Arc<HostData>)| (!data.vars_files.is_empty()).then(|| host.clone());
    let stale: Vec<Str> = state.moment.hosts.iter().filter_map(stale).collect();
    stale.iter().for_each(|host| state.data(host).vars_files = Arc::default());
    let mut parsed: Vec<(PathBuf, Arc<Bindings>)> = Vec::new();
    for host in hosts {
        let mut all = Bindings::new();
        for entry in &play.vars_files {
            let scope = TaskScope::new(&shared.run_vars, vars, &state.moment, Some(host));
            match find(shared, &scope, play, entry) {
                Ok(Some(path)) => {
                    let known = parsed.iter().find(|(known, _)| *known == path).map(|(_, vars)| vars.clone());
                    let vars = match known {
                        Some(vars) => vars,
                        None => {
                            let vars = Arc::new(read(shared, state, entry, &path)?);
                            parsed.push((path, vars.clone()));
                            vars
                        }
                    };
                    all.extend(vars.iter().map(|(key, value)| (key.clone(), value.clone())));
                }
                Ok(None) => {}
                Err(error) if error.undefined.is_some() && !complete => {}
                Err(error) => return Err(error),
            }
            // Later names may use what earlier files said.
            state.data(host).vars_files = Arc::new(all.clone());
        }
    }
    Ok(())
}

/// The file of an entry: itself, or the first of a list that exists.
fn find(
    shared: &Shared,
    scope: &TaskScope,
    play: &Play,
    entry: &Node,
) -> Result<Option<PathBuf>, TemplateError> {
    let keywords = Keywords::new(shared, scope);
    let names = match keywords.value(Some(entry))? {
        Value::List(items) => items.iter().map(ToString::to_string).collect(),
        Value::Null | Value::Omit => return Ok(None),
        other => vec![other.to_string()],
    };
    let candidates = names.iter().flat_map(|name| {
        let path = Path::new(name);
        if path.is_absolute() {
            vec![path.to_path_buf()]
        } else {
            vec![play.dir.join(name), play.dir.join("vars").join(name)]
        }
    });
    let candidates: Vec<PathBuf> = candidates.collect();
    if let Some(found) = candidates.iter().find(|path| path.is_file()) {
        return Ok(Some(found.clone()));
    }
    let mut diagnostic =
        Diagnostic::error(code::MISSING_FILE, "the file of variables does not exist").at(entry.span);
    diagnostic.notes.extend(candidates.iter().map(|path| format!("looked for {}", path.display())));
    Err(TemplateError::new(diagnostic))
}

fn read(shared: &Shared, state: &mut State, entry: &Node, path: &Path) -> Result<Bindings, TemplateError> {
    let (node, warnings) =
        vault::load(path, &shared.sources, shared.templates.keyring()).map_err(|problems| {
            let first = problems.into_iter().next();
            let unknown = || {
                Diagnostic::error(code::FILE_UNREADABLE, format!("can't read {}", path.display()))
                    .at(entry.span)
            };
            TemplateError::new(first.unwrap_or_else(unknown))
        })?;
    warnings.into_iter().for_each(|warning| state.tell(&Event::Message(warning)));
    match &node.kind {
        Kind::Null => Ok(Bindings::new()),
        Kind::Map(map) => {
            Ok(map.iter().map(|(key, (_, node))| (key.clone(), Binding::Source(node.clone()))).collect())
        }
        _ => {
            let diagnostic =
                Diagnostic::error(code::VARIABLES_FILE, "a file of variables must hold a mapping")
                    .at(node.span);
            Err(TemplateError::new(diagnostic))
        }
    }
}
