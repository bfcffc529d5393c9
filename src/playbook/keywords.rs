//! The keywords of plays, role entries, blocks, tasks and `loop_control`: one table.
//!
//! The loader takes unknown, misplaced and ill-shaped keywords from it, the documentation its lines. What a keyword
//! does is not here.

mod table;

use crate::diag::Diagnostic;
use crate::yaml::{Kind, Node, NodeMap};

use crate::diag::code;
pub use table::KEYWORDS;

/// Where a keyword may stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// In a play.
    Play,
    /// In an entry of `roles` or of a role's `dependencies`.
    Role,
    /// Beside `block`.
    Block,
    /// In a task; `import_tasks` and `import_role` take the same.
    Task,
    /// In a handler.
    Handler,
    /// Beside `include_tasks` and `include_role`: only what is about the include itself.
    Include,
    /// Beside `import_playbook`.
    ImportPlaybook,
    /// In `loop_control`.
    LoopControl,
}

impl Place {
    const ALL: [Place; 8] = [
        Place::Play,
        Place::Role,
        Place::Block,
        Place::Task,
        Place::Handler,
        Place::Include,
        Place::ImportPlaybook,
        Place::LoopControl,
    ];

    const fn bit(self) -> u8 {
        1 << self as u8
    }

    /// As messages name it.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Place::Play => "a play",
            Place::Role => "a role entry",
            Place::Block => "a block",
            Place::Task => "a task",
            Place::Handler => "a handler",
            Place::Include => "an include",
            Place::ImportPlaybook => "import_playbook",
            Place::LoopControl => "loop_control",
        }
    }
}

/// A set of places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Places(u8);

impl Places {
    const fn of(places: &[Place]) -> Places {
        let mut bits = 0;
        let mut i = 0;
        while i < places.len() {
            bits |= places[i].bit();
            i += 1;
        }
        Places(bits)
    }

    /// Whether the place is among them.
    #[must_use]
    pub const fn has(self, place: Place) -> bool {
        self.0 & place.bit() != 0
    }

    /// All that are among them.
    pub fn iter(self) -> impl Iterator<Item = Place> {
        Place::ALL.into_iter().filter(move |place| self.has(*place))
    }
}

/// What a keyword's value looks like, where it is no template.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// Anything; looked at elsewhere.
    Any,
    /// Text or another scalar.
    Text,
    /// A truth value, also written as text (`"yes"`).
    Bool,
    /// A number, also written as text, perhaps with `%`.
    Number,
    /// A scalar or a list of scalars.
    Texts,
    /// A mapping.
    Map,
    /// A mapping or a list of mappings.
    Maps,
    /// An expression, a truth value, or a list of them.
    Condition,
    /// A list of tasks.
    Tasks,
    /// One of these words.
    Choice(&'static [&'static str]),
}

/// A line of the table.
#[derive(Clone, Copy, Debug)]
pub struct Keyword {
    /// Its name.
    pub name: &'static str,
    /// Where it may stand.
    pub places: Places,
    /// What its value looks like.
    pub shape: Shape,
    /// Its value is taken when the file is read: it can't be a template.
    pub fixed: bool,
    /// What it is for, one sentence.
    pub doc: &'static str,
}

/// The line of a keyword.
#[must_use]
pub fn find(name: &str) -> Option<&'static Keyword> {
    KEYWORDS.iter().find(|keyword| keyword.name == name)
}

/// The names of all keywords of a place.
pub fn names(place: Place) -> impl Iterator<Item = &'static str> {
    KEYWORDS.iter().filter(move |keyword| keyword.places.has(place)).map(|keyword| keyword.name)
}

/// Whether `name` is a keyword there; `with_…` is one in tasks and handlers.
#[must_use]
pub fn is(name: &str, place: Place) -> bool {
    let looped = name.starts_with("with_") && matches!(place, Place::Task | Place::Handler | Place::Include);
    looped || find(name).is_some_and(|keyword| keyword.places.has(place))
}

/// Words that Ansible once had, and what to write now.
const OLD: &[(&str, &str)] = &[
    ("sudo", "write `become: true`"),
    ("sudo_user", "write `become_user`"),
    ("sudo_pass", "set the variable `ansible_become_password`"),
    ("su", "write `become: true` and `become_method: su`"),
    ("su_user", "write `become_user` and `become_method: su`"),
    ("su_pass", "set the variable `ansible_become_password`"),
    ("always_run", "write `check_mode: false`"),
    ("first_available_file", "loop with `with_first_found`"),
    ("accelerate", "remove it: one connection per host is the way it works here"),
    ("static", "write `import_tasks` for a static and `include_tasks` for a dynamic include"),
];

/// What to write instead of a keyword that is gone.
#[must_use]
pub fn replaced(name: &str) -> Option<&'static str> {
    OLD.iter().find(|(old, _)| *old == name).map(|(_, now)| *now)
}

/// The message for a word that is no keyword of this place.
pub fn unknown(name: &str, span: crate::diag::Span, place: Place) -> Diagnostic {
    if let Some(now) = replaced(name) {
        return Diagnostic::error(code::UNKNOWN_KEYWORD, format!("`{name}` is gone")).at(span).help(now);
    }
    if let Some(keyword) = find(name) {
        let places: Vec<_> = keyword.places.iter().map(Place::title).collect();
        return Diagnostic::error(
            code::MISPLACED_KEYWORD,
            format!("`{name}` has no place in {}", place.title()),
        )
        .at(span)
        .help(format!("it may stand in {}", places.join(", ")));
    }
    Diagnostic::error(code::UNKNOWN_KEYWORD, format!("unknown keyword `{name}` in {}", place.title()))
        .at(span)
        .suggest(name, names(place))
}

/// Reports keywords that are unknown or misplaced, and values of a wrong shape. Keys in `skip` are not looked at.
pub fn check(map: &NodeMap, place: Place, skip: &[&str], diagnostics: &mut Vec<Diagnostic>) {
    for (name, (span, value)) in map {
        if skip.contains(&&**name) {
            continue;
        }
        if !is(name, place) {
            diagnostics.push(unknown(name, *span, place));
        } else if let Some(keyword) = find(name) {
            diagnostics.extend(misshapen(keyword, value));
        }
    }
}

/// Whether text is one of the words that Ansible takes for a truth value.
#[must_use]
pub fn truth(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "y" | "yes" | "on" | "1" | "true" | "t" | "1.0" => Some(true),
        "n" | "no" | "off" | "0" | "false" | "f" | "0.0" => Some(false),
        _ => None,
    }
}

/// A literal truth value, in any of the ways to write one.
#[must_use]
pub fn literal_bool(node: &Node) -> Option<bool> {
    match &node.kind {
        Kind::Bool(it) => Some(*it),
        Kind::Int(0) => Some(false),
        Kind::Int(1) => Some(true),
        Kind::Str(text) if !node.has_template() => truth(text.trim()),
        _ => None,
    }
}

fn misshapen(keyword: &Keyword, node: &Node) -> Option<Diagnostic> {
    if node.is_null() {
        return None;
    }
    if node.has_template() {
        return (keyword.fixed && node.as_str().is_some()).then(|| {
            Diagnostic::error(code::BAD_KEYWORD, format!("`{}` can't be a template", keyword.name))
                .at(node.span)
                .note("it is read before any variable is known")
        });
    }
    let wanted = fits(keyword.shape, node).err()?;
    let wrong = Diagnostic::error(code::BAD_KEYWORD, format!("`{}` must be {wanted}", keyword.name))
        .label(node.span, format!("this is {}", describe(node)));
    Some(match (keyword.shape, node.as_str()) {
        (Shape::Choice(words), Some(text)) => wrong.suggest(text, words.iter().copied()),
        _ => wrong,
    })
}

fn fits(shape: Shape, node: &Node) -> Result<(), String> {
    let scalar = |node: &Node| !matches!(node.kind, Kind::Seq(_) | Kind::Map(_));
    let ok = match shape {
        Shape::Any => true,
        Shape::Text => scalar(node),
        Shape::Bool => literal_bool(node).is_some(),
        Shape::Number => match &node.kind {
            Kind::Int(_) | Kind::Float(_) => true,
            Kind::Str(text) => text.trim().trim_end_matches('%').parse::<f64>().is_ok(),
            _ => false,
        },
        Shape::Texts => scalar(node) || node.as_seq().is_some_and(|items| items.iter().all(scalar)),
        Shape::Map => node.as_map().is_some(),
        Shape::Maps => {
            let empty_or_map = |node: &Node| node.is_null() || node.as_map().is_some() || node.has_template();
            node.as_map().is_some() || node.as_seq().is_some_and(|items| items.iter().all(empty_or_map))
        }
        Shape::Condition => scalar(node) || node.as_seq().is_some_and(|items| items.iter().all(scalar)),
        Shape::Tasks => node.as_seq().is_some(),
        Shape::Choice(words) => node.as_str().is_some_and(|text| words.contains(&text)),
    };
    if ok { Ok(()) } else { Err(wanted(shape)) }
}

fn wanted(shape: Shape) -> String {
    match shape {
        Shape::Any => "a value".into(),
        Shape::Text => "text".into(),
        Shape::Bool => "true or false".into(),
        Shape::Number => "a number".into(),
        Shape::Texts => "text or a list of texts".into(),
        Shape::Map => "a mapping".into(),
        Shape::Maps => "a mapping or a list of mappings".into(),
        Shape::Condition => "an expression or a list of expressions".into(),
        Shape::Tasks => "a list of tasks".into(),
        Shape::Choice(words) => format!("one of {}", words.join(", ")),
    }
}

/// What a node is, for messages.
#[must_use]
pub fn describe(node: &Node) -> &'static str {
    match &node.kind {
        Kind::Null => "nothing",
        Kind::Bool(_) => "a truth value",
        Kind::Int(_) | Kind::Float(_) => "a number",
        Kind::Str(_) => "text",
        Kind::Bytes(_) => "bytes",
        Kind::Seq(_) => "a list",
        Kind::Map(_) => "a mapping",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_keyword_is_there_once_and_has_a_place_and_a_line() {
        for (i, keyword) in KEYWORDS.iter().enumerate() {
            assert!(keyword.places.iter().next().is_some(), "{} has no place", keyword.name);
            assert!(
                keyword.doc.ends_with('.') && keyword.doc.len() > 15,
                "{}: `{}`",
                keyword.name,
                keyword.doc
            );
            assert!(
                KEYWORDS[..i].iter().all(|other| other.name != keyword.name),
                "{} is twice",
                keyword.name
            );
        }
    }

    #[test]
    fn places_are_those_of_ansible() {
        let cases: &[(&str, Place, bool)] = &[
            ("hosts", Place::Play, true),
            ("hosts", Place::Task, false),
            ("when", Place::Play, false),
            ("when", Place::Block, true),
            ("listen", Place::Handler, true),
            ("listen", Place::Task, false),
            ("become", Place::Include, false),
            ("become", Place::Role, true),
            ("notify", Place::Block, true),
            ("register", Place::Include, true),
            ("with_items", Place::Include, true),
            ("with_items", Place::Block, false),
            ("loop", Place::Block, false),
            ("delegate_to", Place::Role, true),
        ];
        for (name, place, expected) in cases {
            assert_eq!(is(name, *place), *expected, "{name} in {}", place.title());
        }
    }
}
