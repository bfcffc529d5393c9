//! What a scalar's text allows: plain, in which quotes, on how many lines. PyYAML's and libyaml's rules.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use fancy_regex::Regex;

use super::Tree;
use crate::value::Value;

/// Plain texts that PyYAML reads as something else than text.
static SPECIAL: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)\A(?:
        | yes | Yes | YES | no | No | NO | true | True | TRUE | false | False | FALSE | on | On | ON | off | Off | OFF
        | ~ | null | Null | NULL | = | <<
        | [-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)? | \.[0-9][0-9_]*(?:[eE][-+][0-9]+)?
        | [-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]* | [-+]?\.(?:inf|Inf|INF) | \.(?:nan|NaN|NAN)
        | [-+]?0b[0-1_]+ | [-+]?0[0-7_]+ | [-+]?(?:0|[1-9][0-9_]*) | [-+]?0x[0-9a-fA-F_]+
        | [-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+
        | [0-9]{4}-[0-9]{2}-[0-9]{2}
        | [0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt]|[\ \t]+)[0-9]{1,2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]*)?
          (?:[\ \t]*(?:Z|[-+][0-9]{1,2}(?::[0-9]{2})?))?
        )\z",
    )
    .ok()
});

fn reads_as_text(text: &str) -> bool {
    SPECIAL.as_ref().is_none_or(|special| !special.is_match(text).unwrap_or(true))
}

/// How a scalar is written.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

/// A scalar as its text, and what that would be read as if it stood plain.
pub(super) struct Scalar {
    pub(super) text: String,
    pub(super) plain: bool,
    pub(super) tag: Option<&'static str>,
}

/// What is written for a leaf; none for a container.
pub(super) fn scalar(tree: &Tree) -> Option<Scalar> {
    // In quotes such a scalar would be text but for libyaml's bare `!`.
    let own = |text: String| Some(Scalar { text, plain: true, tag: Some("!") });
    match tree {
        Tree::Null => own("null".into()),
        Tree::Bool(it) => own(it.to_string()),
        Tree::Int(it) => own(it.to_string()),
        Tree::Float(it) => own(float(*it)),
        Tree::Str(text) => Some(Scalar { text: text.clone(), plain: reads_as_text(text), tag: None }),
        Tree::Bytes(bytes) => {
            let encoded = STANDARD.encode(bytes);
            let lines = encoded.as_bytes().chunks(76).map(String::from_utf8_lossy);
            let text: String = lines.map(|line| line.into_owned() + "\n").collect();
            Some(Scalar { text, plain: false, tag: Some("!!binary") })
        }
        Tree::List(_) | Tree::Map(_) => None,
    }
}

fn float(it: f64) -> String {
    if it.is_nan() {
        return ".nan".into();
    }
    if it.is_infinite() {
        return if it > 0.0 { ".inf".into() } else { "-.inf".into() };
    }
    let text = Value::Float(it).to_string();
    if text.contains('.') { text } else { text.replacen('e', ".0e", 1) }
}

/// What a text allows.
pub(super) struct Analysis {
    pub(super) multi_line: bool,
    pub(super) flow_plain: bool,
    pub(super) block_plain: bool,
    pub(super) single: bool,
}

/// Whether the character ends a line.
pub(super) fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What libyaml takes as printable: nothing beyond the basic plane, no tab, no byte order mark.
pub(super) fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}')
}

/// Looks at a text as libyaml does before it writes it.
pub(super) fn analyse(text: &str, unicode: bool) -> Analysis {
    let (mut flow, mut block) = (false, false);
    let (mut multi_line, mut special, mut edge_blank) = (false, false, false);
    let (mut break_space, mut space_break) = (false, false);
    if text.starts_with("---") || text.starts_with("...") {
        (flow, block) = (true, true);
    }
    let chars: Vec<char> = text.chars().collect();
    let blank = |c: Option<&char>| c.is_none_or(|c| matches!(c, ' ' | '\t' | '\0') || is_break(*c));
    for (i, &c) in chars.iter().enumerate() {
        let before = i.checked_sub(1).and_then(|at| chars.get(at)).copied();
        let followed = blank(chars.get(i + 1));
        let (in_flow, in_block) = match c {
            '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@'
            | '`'
                if i == 0 =>
            {
                (true, true)
            }
            '?' | ':' if i == 0 => (true, followed),
            '-' if i == 0 => (followed, followed),
            ',' | '?' | '[' | ']' | '{' | '}' => (true, false),
            ':' => (true, followed),
            '#' if blank(before.as_ref()) => (true, true),
            _ => (false, false),
        };
        (flow, block) = (flow || in_flow, block || in_block);
        special |= !is_printable(c) && !matches!(c, '\u{2028}' | '\u{2029}') || (!unicode && !c.is_ascii());
        multi_line |= is_break(c);
        let edge = i == 0 || i + 1 == chars.len();
        edge_blank |= edge && (c == ' ' || is_break(c));
        break_space |= c == ' ' && before.is_some_and(is_break);
        space_break |= is_break(c) && before == Some(' ');
    }
    let plain = !(edge_blank || break_space || space_break || special || multi_line);
    Analysis {
        multi_line,
        flow_plain: plain && !flow && !text.is_empty(),
        block_plain: plain && !block,
        single: !(break_space || space_break || special),
    }
}

/// A character as it stands between double quotes.
pub(super) fn escape(c: char) -> String {
    let short = match c {
        '\0' => '0',
        '\x07' => 'a',
        '\x08' => 'b',
        '\t' => 't',
        '\n' => 'n',
        '\x0b' => 'v',
        '\x0c' => 'f',
        '\r' => 'r',
        '\x1b' => 'e',
        '"' => '"',
        '\\' => '\\',
        '\u{85}' => 'N',
        '\u{a0}' => '_',
        '\u{2028}' => 'L',
        '\u{2029}' => 'P',
        c => {
            return match c as u32 {
                code @ 0..=0xff => format!("\\x{code:02X}"),
                code @ 0x100..=0xffff => format!("\\u{code:04X}"),
                code => format!("\\U{code:08X}"),
            };
        }
    };
    format!("\\{short}")
}
