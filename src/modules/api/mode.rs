//! Permission bits as an argument: a number, octal text or symbolic text.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Visitor;
use serde::{Deserialize, Deserializer};

/// What `mode:` says.
///
/// YAML reads `0644` as octal, so the number 420 comes here and means what was meant; it reads `644` as decimal, which
/// means 01204, as it does for Ansible. Text is octal digits or symbolic (`u=rwX,g-w`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mode {
    /// The twelve bits themselves.
    Bits(u32),
    /// Changes to the bits that are there.
    Symbolic(Vec<Clause>),
    /// As the source has them (`copy`, `template`).
    Preserve,
}

/// One clause of a symbolic mode: `ug+rX`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clause {
    /// Bits 4 user, 2 group, 1 other; 0: nobody named, the umask counts.
    who: u8,
    steps: Vec<(Operator, Permissions)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Add,
    Remove,
    Set,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Permissions {
    /// Letters of `rwxXst`.
    Letters(String),
    /// What the user (6), group (3) or others (0) have: the shift of their bits.
    CopyOf(u32),
}

impl Mode {
    /// From text.
    ///
    /// # Errors
    /// Text that is neither octal nor symbolic, in words.
    pub fn parse(text: &str) -> Result<Mode, String> {
        let text = text.trim();
        if text == "preserve" {
            return Ok(Mode::Preserve);
        }
        let digits = text.trim_start_matches("0o");
        if !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()) {
            return u32::from_str_radix(digits, 8)
                .ok()
                .filter(|bits| *bits <= 0o7777)
                .map(Mode::Bits)
                .ok_or_else(|| {
                    format!("must be permission bits, but `{text}` is no octal number up to 7777")
                });
        }
        let clauses: Option<Vec<Clause>> = text.split(',').map(clause).collect();
        clauses.filter(|_| !text.is_empty()).map(Mode::Symbolic).ok_or_else(|| {
            format!("must be permission bits such as \"0644\" or `u=rw,go=r`, but is `{text}`")
        })
    }

    /// The bits that result on something that has `current`. `umask` counts where a clause names nobody.
    #[must_use]
    pub fn apply(&self, current: u32, directory: bool, umask: u32) -> u32 {
        match self {
            Mode::Bits(bits) => *bits,
            Mode::Preserve => current,
            Mode::Symbolic(clauses) => {
                clauses.iter().fold(current, |mode, clause| clause.apply(mode, current, directory, umask))
            }
        }
    }
}

impl Clause {
    fn apply(&self, mode: u32, before: u32, directory: bool, umask: u32) -> u32 {
        let who = if self.who == 0 { 7 } else { self.who };
        let execute = directory || before & 0o111 != 0;
        let mut mode = mode;
        for (operator, permissions) in &self.steps {
            let mut wanted = 0;
            let mut covered = 0;
            for class in CLASSES.iter().filter(|class| who & class.who != 0) {
                covered |= 0o7 << class.shift | class.special;
                wanted |= permissions.bits(mode, execute, class);
            }
            if self.who == 0 {
                wanted &= !(umask & 0o777);
            }
            mode = match operator {
                Operator::Add => mode | wanted,
                Operator::Remove => mode & !wanted,
                Operator::Set => mode & !covered | wanted,
            };
        }
        mode & 0o7777
    }
}

/// User, group or others: the bit in [`Clause::who`], where its three bits stand, its special bit and that one's letter.
struct Class {
    who: u8,
    shift: u32,
    special: u32,
    letter: char,
}

const CLASSES: [Class; 3] = [
    Class { who: 4, shift: 6, special: 0o4000, letter: 's' },
    Class { who: 2, shift: 3, special: 0o2000, letter: 's' },
    Class { who: 1, shift: 0, special: 0o1000, letter: 't' },
];

impl Permissions {
    /// The bits for one class. `execute`: whether `X` counts.
    fn bits(&self, mode: u32, execute: bool, class: &Class) -> u32 {
        match self {
            Permissions::CopyOf(from) => (mode >> from & 0o7) << class.shift,
            Permissions::Letters(letters) => letters.chars().fold(0, |bits, letter| {
                bits | match letter {
                    'r' => 0o4 << class.shift,
                    'w' => 0o2 << class.shift,
                    'x' => 0o1 << class.shift,
                    'X' if execute => 0o1 << class.shift,
                    letter if letter == class.letter => class.special,
                    _ => 0,
                }
            }),
        }
    }
}

fn clause(text: &str) -> Option<Clause> {
    let text = text.trim();
    let operators = text.find(['+', '-', '='])?;
    let mut who = 0;
    for letter in text[..operators].chars() {
        who |= match letter {
            'u' => 4,
            'g' => 2,
            'o' => 1,
            'a' => 7,
            _ => return None,
        };
    }
    let mut steps = Vec::new();
    let mut rest = &text[operators..];
    while let Some(operator) = rest.chars().next() {
        let operator = match operator {
            '+' => Operator::Add,
            '-' => Operator::Remove,
            '=' => Operator::Set,
            _ => return None,
        };
        rest = &rest[1..];
        let letters = &rest[..rest.find(['+', '-', '=']).unwrap_or(rest.len())];
        rest = &rest[letters.len()..];
        steps.push((
            operator,
            match letters {
                "u" => Permissions::CopyOf(6),
                "g" => Permissions::CopyOf(3),
                "o" => Permissions::CopyOf(0),
                _ if letters.chars().all(|c| "rwxXst".contains(c)) => Permissions::Letters(letters.into()),
                _ => return None,
            },
        ));
    }
    Some(Clause { who, steps })
}

impl<'de> Deserialize<'de> for Mode {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Mode, D::Error> {
        struct Given;
        impl Visitor<'_> for Given {
            type Value = Mode;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("permission bits such as \"0644\" or `u=rw,go=r`")
            }
            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<Mode, E> {
                u32::try_from(number).ok().filter(|bits| *bits <= 0o7777).map(Mode::Bits).ok_or_else(|| {
                    E::custom(format!("must be permission bits, but {number} is out of range"))
                })
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Mode, E> {
                Mode::parse(text).map_err(E::custom)
            }
        }
        from.deserialize_any(Given)
    }
}

impl JsonSchema for Mode {
    fn schema_name() -> Cow<'static, str> {
        "Mode".into()
    }
    fn inline_schema() -> bool {
        true
    }
    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({"type": ["integer", "string"], "format": "mode"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbolic_modes_change_what_is_there() {
        for (text, current, directory, wanted) in [
            ("0644", 0, false, 0o644),
            ("644", 0, false, 0o644),
            ("0o750", 0, false, 0o750),
            ("u=rw,g=r,o=r", 0o777, false, 0o644),
            ("u=rwX,go=rX", 0o600, true, 0o755),
            ("u=rwX,go=rX", 0o600, false, 0o644),
            ("u=rwX,go=rX", 0o700, false, 0o755),
            ("a+X", 0o644, false, 0o644),
            ("+x", 0o644, false, 0o755),
            ("+w", 0o444, false, 0o644),
            ("o-rwx", 0o755, false, 0o750),
            ("g=u", 0o740, false, 0o770),
            ("u+s,g+s", 0o755, false, 0o6755),
            ("+t", 0o755, true, 0o1755),
            ("a=", 0o777, false, 0),
            ("u+rw-x", 0o100, false, 0o600),
            ("u=rwx", 0o4755, false, 0o755),
            ("o=rx", 0o1777, true, 0o775),
            ("u+t", 0o755, true, 0o755),
        ] {
            assert_eq!(Mode::parse(text).unwrap().apply(current, directory, 0o022), wanted, "{text}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "rw", "u+q", "99", "17777", "u=rw;", "b+x"] {
            assert!(Mode::parse(text).is_err(), "{text}");
        }
    }
}
