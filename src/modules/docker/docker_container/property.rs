//! One property of a container: what is wanted, what is there, how they compare, and the client's words for it.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde_json::Value as Json;

use crate::modules::api::{Fail, Look, Map, Value};
use crate::modules::docker::engine::Engine;
use crate::modules::docker::image::Image;

/// One side of a comparison, in a form in which equal things look equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Side {
    /// One value; empty: unset.
    One(String),
    /// Values in order.
    List(Vec<String>),
    /// Values in any order.
    Set(BTreeSet<String>),
    /// Values by name.
    Dict(BTreeMap<String, String>),
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Side::One(text) => f.write_str(text),
            Side::List(all) => write!(f, "{all:?}"),
            Side::Set(all) => f.write_str(&all.iter().cloned().collect::<Vec<_>>().join(", ")),
            Side::Dict(all) => {
                let all: Vec<String> = all.iter().map(|(name, value)| format!("{name}={value}")).collect();
                f.write_str(&all.join(", "))
            }
        }
    }
}

/// A property that the task mentions.
#[derive(Debug)]
pub struct Property {
    /// The argument's name.
    pub name: &'static str,
    /// As the task wants it.
    pub wanted: Side,
    /// As the container has it.
    pub actual: Side,
    /// The words of `docker create`.
    pub create: Vec<String>,
    /// The words of `docker update`, for what can be changed while the container is there.
    pub update: Option<Vec<String>>,
    /// Whether values stay out of what is shown.
    pub hidden: bool,
}

/// How a property is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// Both are the same.
    Strict,
    /// Any difference is fine.
    Ignore,
    /// The container may have more.
    AllowMorePresent,
}

/// What stands against what when properties are collected.
pub struct Around<'a> {
    /// To ask for other containers.
    pub engine: &'a Engine,
    /// The host, for paths and files.
    pub host: &'a dyn Look,
    /// `docker inspect` of the container; null if there is none.
    pub container: &'a Json,
    /// The image whose settings the container inherits.
    pub image: Option<&'a Image>,
    /// Arguments that are not given have the values that they had in old versions of the module.
    pub compatible: bool,
    /// What was collected.
    pub properties: Vec<Property>,
}

impl Around<'_> {
    /// What the container has at a path (`/HostConfig/Memory`).
    pub fn at(&self, pointer: &str) -> &Json {
        self.container.pointer(pointer).unwrap_or(&Json::Null)
    }

    /// The texts of a list.
    pub fn texts(&self, pointer: &str) -> Vec<String> {
        self.at(pointer).as_array().into_iter().flatten().map(plain).collect()
    }

    /// A setting of the image at a path from its configuration.
    pub fn of_image(&self, pointer: &str) -> &Json {
        self.image.and_then(|image| image.0.pointer(&format!("/Config{pointer}"))).unwrap_or(&Json::Null)
    }

    fn add(
        &mut self,
        name: &'static str,
        wanted: Side,
        actual: Side,
        create: Vec<String>,
        update: Option<Vec<String>>,
    ) {
        self.properties.push(Property { name, wanted, actual, create, update, hidden: false });
    }

    /// One value, at `pointer`, set with `--option VALUE`.
    pub fn one(&mut self, name: &'static str, wanted: Option<String>, pointer: &str, option: &str) {
        let Some(wanted) = wanted else { return };
        let actual = plain(self.at(pointer));
        let create = vec![option.to_owned(), wanted.clone()];
        self.add(name, Side::One(wanted), Side::One(actual), create, None);
    }

    /// The same for what `docker update` can change.
    pub fn live(&mut self, name: &'static str, wanted: Option<String>, pointer: &str, option: &str) {
        self.one(name, wanted, pointer, option);
        if let Some(last) = self.properties.last_mut().filter(|last| last.name == name) {
            last.update = Some(last.create.clone());
        }
    }

    /// A truth value, set with `--option=true`.
    pub fn flag(&mut self, name: &'static str, wanted: Option<bool>, pointer: &str, option: &str) {
        let wanted = wanted.or(self.compatible.then_some(false));
        let Some(wanted) = wanted else { return };
        let actual = self.at(pointer).as_bool().unwrap_or(false);
        let create = vec![format!("{option}={wanted}")];
        self.add(name, Side::One(wanted.to_string()), Side::One(actual.to_string()), create, None);
    }

    /// Values in order, each with the option.
    pub fn list(&mut self, name: &'static str, wanted: Option<&Vec<String>>, pointer: &str, option: &str) {
        let Some(wanted) = wanted else { return };
        let actual = Side::List(self.texts(pointer));
        self.add(name, Side::List(wanted.clone()), actual, each(option, wanted), None);
    }

    /// Values in any order, each with the option; `form` makes both sides comparable.
    pub fn set(
        &mut self,
        name: &'static str,
        wanted: Option<&Vec<String>>,
        pointer: &str,
        option: &str,
        form: fn(&str) -> String,
    ) {
        let Some(wanted) = wanted else { return };
        let actual = self.texts(pointer).iter().map(|it| form(it)).collect();
        let create = each(option, wanted);
        let wanted = wanted.iter().map(|it| form(it)).collect();
        self.add(name, Side::Set(wanted), Side::Set(actual), create, None);
    }

    /// Values by name, each with the option as `NAME=VALUE`.
    pub fn dict(
        &mut self,
        name: &'static str,
        wanted: Option<Vec<(String, String)>>,
        pointer: &str,
        option: &str,
    ) {
        let Some(wanted) = wanted else { return };
        let words: Vec<String> = wanted.iter().map(|(key, value)| format!("{key}={value}")).collect();
        let actual = Side::Dict(pairs(self.at(pointer)));
        self.add(name, Side::Dict(wanted.into_iter().collect()), actual, each(option, &words), None);
    }

    /// A property that fits none of these.
    pub fn special(&mut self, name: &'static str, wanted: Side, actual: Side, create: Vec<String>) {
        self.add(name, wanted, actual, create, None);
    }
}

/// The option before each value.
pub fn each(option: &str, values: &[String]) -> Vec<String> {
    values.iter().flat_map(|value| [option.to_owned(), value.clone()]).collect()
}

/// A JSON value as plain text; nothing for null.
pub fn plain(json: &Json) -> String {
    match json {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// A JSON object's entries as texts.
pub fn pairs(json: &Json) -> BTreeMap<String, String> {
    let all = json.as_object().into_iter().flatten();
    all.map(|(name, value)| (name.clone(), plain(value))).collect()
}

impl Property {
    /// Whether the container has it otherwise than wanted.
    #[must_use]
    pub fn differs(&self, comparison: Comparison) -> bool {
        match (comparison, &self.wanted, &self.actual) {
            (Comparison::Ignore, ..) => false,
            (Comparison::AllowMorePresent, Side::List(wanted), Side::List(actual)) => {
                !wanted.iter().all(|it| actual.contains(it))
            }
            (Comparison::AllowMorePresent, Side::Set(wanted), Side::Set(actual)) => !wanted.is_subset(actual),
            (Comparison::AllowMorePresent, Side::Dict(wanted), Side::Dict(actual)) => {
                !wanted.iter().all(|(name, value)| actual.get(name) == Some(value))
            }
            (_, wanted, actual) => wanted != actual,
        }
    }

    /// How it is compared if the task does not say.
    #[must_use]
    pub fn default_comparison(&self) -> Comparison {
        match (self.name, &self.wanted) {
            ("stop_timeout", _) => Comparison::Ignore,
            (_, Side::Set(_) | Side::Dict(_)) => Comparison::AllowMorePresent,
            _ => Comparison::Strict,
        }
    }

    /// Both sides, for people: what is the same in both is left out of sets and mappings.
    #[must_use]
    pub fn shown(&self) -> (String, String) {
        let (before, after) = match (&self.actual, &self.wanted) {
            (Side::Set(actual), Side::Set(wanted)) => (
                Side::Set(actual.difference(wanted).cloned().collect()),
                Side::Set(wanted.difference(actual).cloned().collect()),
            ),
            (Side::Dict(actual), Side::Dict(wanted)) => (only(actual, wanted), only(wanted, actual)),
            (actual, wanted) => (actual.clone(), wanted.clone()),
        };
        if self.hidden {
            return (names(&before, "old value hidden"), names(&after, "new value hidden"));
        }
        (before.to_string(), after.to_string())
    }
}

fn only(these: &BTreeMap<String, String>, those: &BTreeMap<String, String>) -> Side {
    let new = these.iter().filter(|(name, value)| those.get(*name) != Some(value));
    Side::Dict(new.map(|(name, value)| (name.clone(), value.clone())).collect())
}

/// The names in a set of `NAME=VALUE`.
fn names(side: &Side, note: &str) -> String {
    let Side::Set(all) = side else { return note.to_owned() };
    let names = all.iter().map(|it| format!("{} ({note})", it.split('=').next().unwrap_or_default()));
    names.collect::<Vec<_>>().join(", ")
}

/// How the task wants properties compared.
#[derive(Debug, Default)]
pub struct Comparisons {
    all: Option<Comparison>,
    each: BTreeMap<String, Comparison>,
}

impl Comparisons {
    /// Reads the argument `comparisons`.
    ///
    /// # Errors
    /// A word that is no comparison.
    pub fn new(given: &Map) -> Result<Comparisons, Fail> {
        let mut comparisons = Comparisons::default();
        for (name, value) in given {
            let how = match value {
                Value::Str(text) if &**text == "strict" => Comparison::Strict,
                Value::Str(text) if &**text == "ignore" => Comparison::Ignore,
                Value::Str(text) if &**text == "allow_more_present" && &**name != "*" => {
                    Comparison::AllowMorePresent
                }
                other => {
                    return Err(Fail::new(format!(
                        "comparisons: {name} is {other}; it must be strict, ignore or allow_more_present{}",
                        if &**name == "*" { " (not for *)" } else { "" }
                    )));
                }
            };
            let name = match &**name {
                "*" => {
                    comparisons.all = Some(how);
                    continue;
                }
                "ports" => "published_ports",
                "exposed" | "expose" => "exposed_ports",
                "log_opt" => "log_options",
                name => name,
            };
            comparisons.each.insert(name.to_owned(), how);
        }
        Ok(comparisons)
    }

    /// How a name is compared, if the task says it.
    #[must_use]
    pub fn given(&self, name: &str) -> Option<Comparison> {
        self.each.get(name).copied().or(self.all)
    }

    /// How a property is compared.
    ///
    /// # Errors
    /// A comparison that its kind does not have.
    pub fn of(&self, property: &Property) -> Result<Comparison, Fail> {
        let how = self.given(property.name).unwrap_or_else(|| property.default_comparison());
        if how == Comparison::AllowMorePresent && matches!(property.wanted, Side::One(_)) {
            return Err(Fail::new(format!(
                "comparisons: {} is one value; it can't be compared with allow_more_present",
                property.name
            )));
        }
        Ok(how)
    }
}
