//! YAML out and in: values as the text that PyYAML writes, and what it reads.

use minijinja::State;
use minijinja::value::{Value, ValueKind};

use super::python;
use super::{Args, Filter, Outcome, filter};
use crate::diag::{Severity, Sources};
use crate::template::object::from_data;
use crate::yaml::emit::{Flow, Options, Tree, dump};
use crate::yaml::parse_text;

pub(super) const FILTERS: &[Filter] = &[
    filter(
        "to_yaml",
        "a, default_flow_style=, indent=, width=, sort_keys=, allow_unicode=, explicit_start=, explicit_end=, default_style=",
        |_, args| to_yaml(args, 2, Flow::Leaves),
        "the value as YAML; containers that hold no others stand in brackets",
    ),
    filter(
        "to_nice_yaml",
        "a, indent=, default_flow_style=, width=, sort_keys=, allow_unicode=, explicit_start=, explicit_end=, default_style=",
        |_, args| to_yaml(args, 4, Flow::Never),
        "the value as YAML, indented by 4",
    ),
    filter("from_yaml", "data", from_yaml, "the value that a YAML text says"),
    filter("from_yaml_all", "data", from_yaml_all, "the values of all documents of a YAML text"),
];

fn to_yaml(args: &Args, indent: usize, flow: Flow) -> Outcome {
    let flow = match args.get("default_flow_style") {
        None => flow,
        Some(value) if value.is_none() => Flow::Leaves,
        Some(value) if value.is_true() => Flow::Always,
        Some(_) => Flow::Never,
    };
    let width = match args.some("width").and_then(python::as_float) {
        Some(width) if width < 0.0 || width.is_infinite() => None,
        _ => args.int("width")?.map_or(Some(80), |it| usize::try_from(it).ok()),
    };
    let quotes = match args.some("default_style").map(python::text).as_deref() {
        None | Some("") => None,
        Some("'") => Some('\''),
        Some("\"") => Some('"'),
        Some(other) => return Err(args.fail(format!("the default_style {other:?} is not implemented"))),
    };
    let options = Options {
        indent: args.size("indent")?.unwrap_or(indent),
        width,
        flow,
        sort_keys: args.flag("sort_keys", true),
        unicode: args.flag("allow_unicode", true),
        start: args.flag("explicit_start", false),
        end: args.flag("explicit_end", false),
        quotes,
    };
    let tree = tree(&args.value("a")).map_err(|error| args.fail(error.detail().unwrap_or_default()))?;
    Ok(dump(&tree, &options).into())
}

/// A value as what the YAML writer takes.
fn tree(value: &Value) -> Outcome<Tree> {
    Ok(match value.kind() {
        ValueKind::None => Tree::Null,
        ValueKind::Bool => Tree::Bool(value.is_true()),
        ValueKind::Number => match python::as_int(value) {
            Some(whole) => Tree::Int(whole),
            None => Tree::Float(python::as_float(value).unwrap_or(f64::NAN)),
        },
        ValueKind::String => Tree::Str(python::text(value)),
        ValueKind::Bytes => Tree::Bytes(value.as_bytes().unwrap_or_default().to_vec()),
        ValueKind::Seq | ValueKind::Iterable => {
            Tree::List(python::items(value)?.iter().map(tree).collect::<Outcome<_>>()?)
        }
        ValueKind::Map => {
            let entry = |(key, item): &(Value, Value)| Ok((tree(key)?, tree(item)?));
            Tree::Map(python::pairs(value)?.iter().map(entry).collect::<Outcome<_>>()?)
        }
        ValueKind::Undefined => return Err(python::fail("an undefined value has no YAML")),
        _ => Tree::Str(value.to_string()),
    })
}

/// The documents of a text; none if it is no text.
fn documents(args: &Args) -> Outcome<Option<Vec<Value>>> {
    if args.value("data").kind() != ValueKind::String {
        return Ok(None);
    }
    let parsed = parse_text("the text", &args.text("data"), &Sources::default());
    if let Some(mistake) = parsed.diagnostics.iter().find(|it| it.severity == Severity::Error) {
        return Err(args.fail(format!("no YAML: {}", mistake.message)));
    }
    Ok(Some(parsed.documents.iter().map(|node| from_data(&node.to_value())).collect()))
}

fn from_yaml(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let mut documents = match documents(args)? {
        Some(documents) => documents.into_iter(),
        None => return Ok(args.value("data")),
    };
    match (documents.next(), documents.next()) {
        (_, Some(_)) => Err(args.fail("the text has several documents; from_yaml_all reads them")),
        (document, None) => Ok(document.unwrap_or(Value::from(()))),
    }
}

fn from_yaml_all(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    Ok(documents(args)?.map_or_else(|| args.value("data"), python::list))
}
