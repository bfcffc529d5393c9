//! What tags make of scalars and collections. The composer calls it for each value that has one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::{Kind, Node, Tag, scalar};
use crate::diag::{Diagnostic, Span, code};

const CORE: &str = "tag:yaml.org,2002:";

/// A tag as the composer handles it.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Meaning {
    /// None, or one that changes nothing.
    Plain,
    /// One of ours.
    Ours(Tag),
    /// One of YAML's own, by its short name.
    Core(String),
    /// Not known; as it was written.
    Unknown(String),
}

/// The meaning of a tag that the parser has resolved to a handle and a suffix.
pub(super) fn meaning(tag: Option<&saphyr_parser::Tag>) -> Meaning {
    let Some(tag) = tag else { return Meaning::Plain };
    let full = format!("{}{}", tag.handle, tag.suffix);
    match full.as_str() {
        // PyYAML takes the tag `!` as none.
        "!" => Meaning::Plain,
        "!unsafe" => Meaning::Ours(Tag::Unsafe),
        "!vault" | "!vault-encrypted" => Meaning::Ours(Tag::Vault),
        _ => match full.strip_prefix(CORE) {
            Some(
                name @ ("str" | "int" | "float" | "bool" | "null" | "binary" | "timestamp" | "seq" | "map"
                | "set" | "omap" | "pairs"),
            ) => Meaning::Core(name.to_owned()),
            Some(name) => Meaning::Unknown(format!("!!{name}")),
            None => Meaning::Unknown(full),
        },
    }
}

/// A scalar under a tag. `plain`: it was written without quotes.
pub(super) fn scalar(text: &str, plain: bool, meaning: &Meaning, span: Span) -> Result<Node, Diagnostic> {
    let as_text = || Kind::Str(text.into());
    let (kind, tag) = match meaning {
        Meaning::Plain if plain => (scalar::resolve(text), None),
        Meaning::Plain => (as_text(), None),
        Meaning::Ours(tag) => (as_text(), Some(*tag)),
        Meaning::Unknown(tag) => return Err(unknown(tag, span)),
        Meaning::Core(name) => {
            let kind = core(name, text).ok_or_else(|| {
                Diagnostic::error(code::YAML_VALUE, format!("this is not a `!!{name}`")).at(span)
            })?;
            (kind, None)
        }
    };
    Ok(Node { kind, span, tag })
}

fn core(name: &str, text: &str) -> Option<Kind> {
    match name {
        "str" => Some(Kind::Str(text.into())),
        "int" => scalar::int(text),
        "float" => scalar::float(text).or_else(|| match scalar::int(text)? {
            #[expect(clippy::cast_precision_loss, reason = "the tag asks for a float")]
            Kind::Int(number) => Some(Kind::Float(number as f64)),
            _ => text.parse().ok().map(Kind::Float),
        }),
        "bool" => scalar::boolean(text).map(Kind::Bool),
        "null" => scalar::is_null(text).then_some(Kind::Null),
        "timestamp" => scalar::timestamp(text),
        "binary" => {
            let compact: String = text.split_ascii_whitespace().collect();
            STANDARD.decode(compact).ok().map(|bytes| Kind::Bytes(bytes.into()))
        }
        _ => None,
    }
}

/// A collection under a tag: a set becomes the list of its members.
pub(super) fn collection(kind: Kind, meaning: &Meaning, span: Span) -> Result<Node, Diagnostic> {
    let misfit =
        |name: &str| Diagnostic::error(code::YAML_VALUE, format!("this is not a `!!{name}`")).at(span);
    match (meaning, kind) {
        (Meaning::Unknown(tag), _) => Err(unknown(tag, span)),
        (Meaning::Core(name), Kind::Map(map)) if name == "set" => {
            let members = map.iter().map(|(key, (span, _))| Node::new(Kind::Str(key.clone()), *span));
            Ok(Node::new(Kind::Seq(members.collect::<Vec<_>>().into()), span))
        }
        (Meaning::Core(name), kind) => {
            let fits = match kind {
                Kind::Map(_) => name == "map",
                _ => matches!(name.as_str(), "seq" | "omap" | "pairs"),
            };
            if fits { Ok(Node::new(kind, span)) } else { Err(misfit(name)) }
        }
        (Meaning::Ours(Tag::Vault), _) => {
            Err(misfit("str").help("`!vault` stands before encrypted text: `!vault |`"))
        }
        (Meaning::Ours(tag), kind) => Ok(Node { kind, span, tag: Some(*tag) }),
        (Meaning::Plain, kind) => Ok(Node::new(kind, span)),
    }
}

fn unknown(tag: &str, span: Span) -> Diagnostic {
    let known = ["!vault", "!unsafe", "!!str", "!!int", "!!float", "!!bool", "!!null", "!!binary", "!!set"];
    let diagnostic = Diagnostic::error(code::YAML_TAG, format!("unknown tag `{tag}`")).at(span);
    let suggested = diagnostic.suggest(tag, known);
    if suggested.help.is_some() {
        return suggested;
    }
    suggested.help("a plain text that begins with an exclamation mark must be quoted")
}
