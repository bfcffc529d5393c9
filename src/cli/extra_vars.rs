//! `-e`: `key=value` pairs, JSON, YAML, or a file of variables.

use std::path::Path;

use crate::diag::{Diagnostic, Sources, code};
use crate::template::Binding;
use crate::vars::Bindings;
use crate::vault::{self, Keyring};
use crate::yaml::{self, Kind, Node};

/// All variables of the options in order; later ones win. Their text may hold templates: the user wrote it.
pub(super) fn read(
    options: &[String],
    sources: &Sources,
    keyring: &Keyring,
) -> Result<Bindings, Vec<Diagnostic>> {
    let mut all = Bindings::new();
    for option in options {
        let text = option.trim_start();
        let node = if let Some(path) = text.strip_prefix('@') {
            vault::load(Path::new(path), sources, keyring)?.0
        } else if text.starts_with(['{', '[']) {
            let parsed = yaml::parse_text("<-e>", option, sources);
            match parsed.documents.into_iter().next() {
                Some(node) => node,
                None => return Err(parsed.diagnostics),
            }
        } else {
            pairs(option, sources, &mut all)?;
            continue;
        };
        match &node.kind {
            Kind::Map(map) => {
                all.extend(map.iter().map(|(key, (_, value))| (key.clone(), Binding::Source(value.clone()))));
            }
            Kind::Null => {}
            _ => {
                return Err(vec![
                    Diagnostic::error(code::VARIABLES_FILE, "`-e` needs a mapping").at(node.span),
                ]);
            }
        }
    }
    Ok(all)
}

/// `a=1 b='two words'`: values are text, as in Ansible.
fn pairs(option: &str, sources: &Sources, all: &mut Bindings) -> Result<(), Vec<Diagnostic>> {
    let file = sources.add("<-e>", option);
    let span = crate::diag::Span { file, start: 0, end: u32::try_from(option.len()).unwrap_or(u32::MAX) };
    let wrong = |message: &str| vec![Diagnostic::error(code::VARIABLES_FILE, message).at(span)];
    let words = crate::playbook::split_pairs(option).map_err(|problem| wrong(&problem))?;
    for (key, value) in words {
        let node = Node::new(Kind::Str(value), span);
        all.insert(key, Binding::Source(node));
    }
    Ok(())
}
