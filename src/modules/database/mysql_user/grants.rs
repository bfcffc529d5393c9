//! Privileges of accounts: as users write them, as the server shows them, and the statements from one to the other.

use std::collections::{BTreeMap, BTreeSet};

use crate::modules::api::{Fail, Value};
use crate::modules::mysql::name;

/// Privileges by object (`` `db`.* ``).
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Grants(BTreeMap<String, BTreeSet<String>>);

/// What becomes of privileges that are not named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// They stay; the named ones come.
    Add,
    /// They stay; the named ones go.
    Remove,
    /// They go.
    Exactly,
}

const ALL: &str = "ALL";
/// The right to hand rights on; a part of the statement's end, not of its list.
const GRANT: &str = "GRANT";

/// Whoever has these on everything has all: newer servers show the whole list.
const EVERYTHING: [&str; 10] =
    ["SELECT", "INSERT", "UPDATE", "DELETE", "CREATE", "DROP", "RELOAD", "SHUTDOWN", "SUPER", "CREATE USER"];

impl Grants {
    /// As users write them.
    ///
    /// # Errors
    /// What is no such text and no such mapping.
    pub(super) fn wanted(value: &Value) -> Result<Grants, Fail> {
        let pairs: Vec<(String, String)> = match value {
            Value::Map(map) => map
                .iter()
                .map(|(object, value)| {
                    let list = value
                        .as_list()
                        .map(|items| items.iter().map(ToString::to_string).collect::<Vec<_>>());
                    (object.to_string(), list.map_or_else(|| value.to_string(), |list| list.join(",")))
                })
                .collect(),
            other => other
                .to_string()
                .split('/')
                .filter(|part| !part.trim().is_empty())
                .map(|part| match part.rsplit_once(':') {
                    Some((object, list)) => Ok((object.trim().to_owned(), list.to_owned())),
                    None => Err(Fail::new(format!(
                        "invalid privileges string: {part:?} is not of the form db.table:PRIV1,PRIV2"
                    ))),
                })
                .collect::<Result<_, _>>()?,
        };
        let mut grants = Grants::default();
        for (written, list) in pairs {
            let privileges = privileges(&list);
            let odd = |it: &String| it.is_empty() || it.contains([';', '\'', '"', '\n']);
            if let Some(wrong) = privileges.iter().find(|it| odd(it)) {
                return Err(Fail::new(format!("invalid privileges string: {wrong:?} is no privilege")));
            }
            if privileges.contains("REQUIRESSL") {
                return Err(Fail::new("REQUIRESSL is no privilege: use tls_requires"));
            }
            grants.0.entry(object(&written)?).or_default().extend(privileges);
        }
        Ok(grants)
    }

    /// As the server shows them: `GRANT SELECT, INSERT ON `db`.* TO …`.
    pub(super) fn shown<'l>(lines: impl Iterator<Item = &'l String>) -> Grants {
        let mut grants = Grants::default();
        for line in lines {
            let Some((list, rest)) = line.strip_prefix("GRANT ").and_then(|rest| rest.split_once(" ON "))
            else {
                continue;
            };
            let Some((object, end)) = rest.split_once(" TO ").filter(|_| list != "PROXY") else { continue };
            let own = grants.0.entry(object.to_owned()).or_default();
            own.extend(privileges(list));
            if end.ends_with("WITH GRANT OPTION") {
                own.insert(GRANT.into());
            }
        }
        if let Some(everything) = grants.0.get_mut("*.*")
            && EVERYTHING.iter().all(|it| everything.contains(*it))
        {
            everything.retain(|it| it == GRANT);
            everything.insert(ALL.into());
        }
        grants
    }

    /// The statements that lead from these privileges to the wanted ones.
    pub(super) fn statements(&self, wanted: &Grants, way: Way, account: &str) -> Vec<String> {
        let none = BTreeSet::new();
        let mut statements = Vec::new();
        let mut objects: BTreeSet<&String> = wanted.0.keys().collect();
        if way == Way::Exactly {
            objects.extend(self.0.keys());
        }
        for object in objects {
            let (now, named) = (self.0.get(object).unwrap_or(&none), wanted.0.get(object).unwrap_or(&none));
            let has_all = now.contains(ALL);
            let (goes, comes): (BTreeSet<&String>, BTreeSet<&String>) = match way {
                Way::Add => (BTreeSet::new(), named.iter().filter(|it| !now.contains(*it)).collect()),
                Way::Remove => (named.iter().filter(|it| now.contains(*it)).collect(), BTreeSet::new()),
                Way::Exactly if named.contains(ALL) => {
                    let goes = now.iter().filter(|it| *it == GRANT && !named.contains(*it)).collect();
                    (goes, named.iter().filter(|it| !now.contains(*it)).collect())
                }
                Way::Exactly => (now.difference(named).collect(), named.difference(now).collect()),
            };
            // Whoever has all has each of them already.
            let comes: Vec<&String> =
                comes.into_iter().filter(|it| way != Way::Add || !has_all || *it == GRANT).collect();
            statements.extend(revoke(&goes, object, account));
            statements.extend(grant(&comes, object, account));
        }
        statements
    }
}

fn revoke(goes: &BTreeSet<&String>, object: &str, account: &str) -> Vec<String> {
    let plain: Vec<&str> = goes.iter().map(|it| it.as_str()).filter(|it| *it != GRANT).collect();
    let mut statements = Vec::new();
    if goes.iter().any(|it| *it == GRANT) {
        statements.push(format!("REVOKE GRANT OPTION ON {object} FROM {account}"));
    }
    if plain.contains(&ALL) {
        statements.push(format!("REVOKE ALL PRIVILEGES ON {object} FROM {account}"));
    } else if !plain.is_empty() {
        statements.push(format!("REVOKE {} ON {object} FROM {account}", plain.join(", ")));
    }
    statements
}

fn grant(comes: &[&String], object: &str, account: &str) -> Option<String> {
    if comes.is_empty() {
        return None;
    }
    let plain: Vec<&str> = comes.iter().map(|it| it.as_str()).filter(|it| *it != GRANT).collect();
    let list = match plain.as_slice() {
        [] => "USAGE".to_owned(),
        list if list.contains(&ALL) => "ALL PRIVILEGES".to_owned(),
        list => list.join(", "),
    };
    let option = if comes.iter().any(|it| *it == GRANT) { " WITH GRANT OPTION" } else { "" };
    Some(format!("GRANT {list} ON {object} TO {account}{option}"))
}

/// Privileges of a list, in capital letters but for columns; `USAGE` is none.
fn privileges(list: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut depth = 0;
    for part in list.split(|c: char| {
        depth += match c {
            '(' => 1,
            ')' => -1,
            _ => 0,
        };
        c == ',' && depth == 0
    }) {
        let (word, columns) = match part.split_once('(') {
            Some((word, columns)) => (word, Some(columns.trim_end().trim_end_matches(')'))),
            None => (part, None),
        };
        let word: Vec<String> = word.split_whitespace().map(str::to_uppercase).collect();
        let word = match word.join(" ").as_str() {
            "ALL PRIVILEGES" => ALL.to_owned(),
            "GRANT OPTION" => GRANT.to_owned(),
            other => other.to_owned(),
        };
        let columns = columns.map(|columns| {
            let mut names: Vec<String> =
                columns.split(',').map(|it| it.trim().trim_matches('`').to_owned()).collect();
            names.sort();
            format!(" ({})", names.iter().map(|it| name(it)).collect::<Vec<_>>().join(", "))
        });
        if word != "USAGE" {
            found.insert(word + &columns.unwrap_or_default());
        }
    }
    found
}

/// An object as the server shows it: names in backticks.
fn object(written: &str) -> Result<String, Fail> {
    let written = written.trim();
    let kinds = ["FUNCTION ", "PROCEDURE "];
    let kind =
        kinds.iter().find(|kind| written.to_uppercase().starts_with(**kind)).copied().unwrap_or_default();
    let rest = written.get(kind.len()..).unwrap_or_default();
    // A dot inside of backticks belongs to the name.
    let dot = match rest.strip_prefix('`').and_then(|inner| inner.find("`.")) {
        Some(at) => Some(at + 2),
        None => rest.find('.'),
    };
    let Some((database, table)) = dot.map(|at| (&rest[..at], &rest[at + 1..])) else {
        return Err(Fail::new(format!("invalid privileges string: {written:?} must be database.table")));
    };
    let part = |text: &str| match text {
        "*" => "*".to_owned(),
        text => name(text.strip_prefix('`').and_then(|it| it.strip_suffix('`')).unwrap_or(text)),
    };
    Ok(format!("{kind}{}.{}", part(database), part(table)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wanted(text: &str) -> Grants {
        Grants::wanted(&Value::from(text)).unwrap()
    }

    fn shown(lines: &[&str]) -> Grants {
        let lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
        Grants::shown(lines.iter())
    }

    #[test]
    fn what_is_shown_is_what_was_wanted() {
        for (text, lines) in [
            ("db.*:ALL", &["GRANT USAGE ON *.* TO `a`@`h`", "GRANT ALL PRIVILEGES ON `db`.* TO `a`@`h`"][..]),
            (
                "db.t:select, INSERT (b,a),GRANT",
                &["GRANT SELECT, INSERT (`a`, `b`) ON `db`.`t` TO 'a'@'h' WITH GRANT OPTION"],
            ),
            ("*.*:USAGE", &["GRANT USAGE ON *.* TO `a`@`h` IDENTIFIED BY PASSWORD '*X'"]),
            (
                "*.*:CREATE TEMPORARY TABLES/FUNCTION d.f:EXECUTE",
                &[
                    "GRANT CREATE TEMPORARY TABLES ON *.* TO `a`@`h`",
                    "GRANT EXECUTE ON FUNCTION `d`.`f` TO `a`@`h`",
                    "GRANT `role`@`%` TO `a`@`h`",
                ],
            ),
            (
                "*.*:ALL,GRANT",
                &[
                    "GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, DROP, RELOAD, SHUTDOWN, SUPER, CREATE USER ON *.* TO `a`@`h` WITH GRANT OPTION",
                    "GRANT BACKUP_ADMIN ON *.* TO `a`@`h` WITH GRANT OPTION",
                ],
            ),
        ] {
            assert_eq!(
                shown(lines).statements(&wanted(text), Way::Exactly, "A"),
                Vec::<String>::new(),
                "{text}"
            );
        }
    }

    #[test]
    fn the_statements_make_it_so() {
        let now = shown(&[
            "GRANT SELECT, INSERT ON `d`.* TO `a`@`h`",
            "GRANT ALL PRIVILEGES ON `e`.* TO `a`@`h` WITH GRANT OPTION",
        ]);
        for (text, way, statements) in [
            (
                "d.*:SELECT,UPDATE",
                Way::Exactly,
                vec![
                    "REVOKE INSERT ON `d`.* FROM A",
                    "GRANT UPDATE ON `d`.* TO A",
                    "REVOKE GRANT OPTION ON `e`.* FROM A",
                    "REVOKE ALL PRIVILEGES ON `e`.* FROM A",
                ],
            ),
            (
                "d.*:ALL/e.*:ALL",
                Way::Exactly,
                vec!["GRANT ALL PRIVILEGES ON `d`.* TO A", "REVOKE GRANT OPTION ON `e`.* FROM A"],
            ),
            ("d.*:UPDATE,SELECT/e.*:SELECT", Way::Add, vec!["GRANT UPDATE ON `d`.* TO A"]),
            ("d.*:INSERT,DROP", Way::Remove, vec!["REVOKE INSERT ON `d`.* FROM A"]),
            ("d.*:GRANT", Way::Add, vec!["GRANT USAGE ON `d`.* TO A WITH GRANT OPTION"]),
        ] {
            assert_eq!(now.statements(&wanted(text), way, "A"), statements, "{text} {way:?}");
        }
    }

    #[test]
    fn what_is_no_privilege_is_refused() {
        for text in ["db.*", "db:ALL", "db.*:A;DROP", "db.*:", "*.*:REQUIRESSL"] {
            assert!(Grants::wanted(&Value::from(text)).is_err(), "{text}");
        }
        let map = Value::from_pairs([
            ("d.*", Value::from("SELECT,INSERT")),
            ("`a.b`.t", Value::list(vec!["ALL".into()])),
        ]);
        let grants = Grants::wanted(&map).unwrap();
        assert_eq!(grants.0.keys().collect::<Vec<_>>(), ["`a.b`.`t`", "`d`.*"]);
    }
}
