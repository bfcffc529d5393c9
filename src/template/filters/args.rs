//! Arguments of filters, tests and methods by Python's rules: by position or by name, as a signature says.
//!
//! A signature is a text such as `value, pattern, replacement=, *more, **named`: `=` marks what may be left out.

use std::borrow::Cow;

use minijinja::value::{Kwargs, Value, ValueKind};
use minijinja::{Error, ErrorKind};

use super::python::{self, Outcome, fail};

/// The arguments of one call.
pub(crate) struct Args {
    owner: &'static str,
    slots: Vec<(&'static str, Option<Value>)>,
    rest: Vec<Value>,
    named: Vec<(String, Value)>,
}

impl Args {
    /// Sorts the values of a call into the places that a signature names.
    ///
    /// # Errors
    /// For too many, missing or unknown arguments, and for undefined ones unless the signature begins with `?`.
    pub(crate) fn bind(owner: &'static str, signature: &'static str, values: Vec<Value>) -> Outcome<Args> {
        let lenient = signature.starts_with('?');
        let mut args = Args { owner, slots: Vec::new(), rest: Vec::new(), named: Vec::new() };
        let (mut takes_rest, mut takes_named, mut positional) = (false, false, 0);
        let mut required = Vec::new();
        for part in signature.trim_start_matches('?').split(',').map(str::trim).filter(|it| !it.is_empty()) {
            if part.starts_with("**") {
                takes_named = true;
            } else if part.starts_with('*') {
                takes_rest = true;
            } else {
                positional += usize::from(!takes_rest);
                let name = part.strip_suffix('=');
                required.push(name.is_none());
                args.slots.push((name.unwrap_or(part), None));
            }
        }
        let mut next = 0;
        for value in values {
            let value = python::valid(value)?;
            if value.is_kwargs() {
                args.bind_named(value, takes_named, lenient)?;
                continue;
            }
            args.refuse_undefined(&value, lenient)?;
            if next < positional {
                args.slots[next].1 = Some(value);
                next += 1;
            } else if takes_rest {
                args.rest.push(value);
            } else {
                return Err(Error::new(
                    ErrorKind::TooManyArguments,
                    format!("{owner}: takes at most {} arguments", positional.saturating_sub(1)),
                ));
            }
        }
        match args.slots.iter().zip(required).find(|((_, value), required)| *required && value.is_none()) {
            Some(((name, _), _)) => Err(Error::new(
                ErrorKind::MissingArgument,
                format!("{owner}: the argument '{name}' is missing"),
            )),
            None => Ok(args),
        }
    }

    fn bind_named(&mut self, value: Value, takes_named: bool, lenient: bool) -> Outcome<()> {
        let kwargs = Kwargs::try_from(value)?;
        let names: Vec<String> = kwargs.args().map(str::to_owned).collect();
        for name in names {
            let value = python::valid(kwargs.peek(&name)?)?;
            self.refuse_undefined(&value, lenient)?;
            match self.slots.iter_mut().find(|(slot, _)| *slot == name) {
                Some((_, filled @ None)) => *filled = Some(value),
                Some(_) => return Err(fail(format!("{}: '{name}' is given twice", self.owner))),
                None if takes_named => self.named.push((name, value)),
                None => {
                    let owner = self.owner;
                    return Err(Error::new(
                        ErrorKind::TooManyArguments,
                        format!("{owner}: there is no argument '{name}'"),
                    ));
                }
            }
        }
        Ok(())
    }

    fn refuse_undefined(&self, value: &Value, lenient: bool) -> Outcome<()> {
        if value.is_undefined() && !lenient {
            return Err(Error::new(
                ErrorKind::UndefinedError,
                format!("{}: a value is undefined", self.owner),
            ));
        }
        Ok(())
    }

    /// An error that names the filter.
    pub(crate) fn fail(&self, message: impl AsRef<str>) -> Error {
        fail(format!("{}: {}", self.owner, message.as_ref()))
    }

    /// An argument that was given.
    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        let slot = self.slots.iter().find(|(slot, _)| *slot == name);
        debug_assert!(slot.is_some(), "{}: the signature has no {name}", self.owner);
        slot?.1.as_ref()
    }

    /// An argument that was given and is not `None`.
    pub(crate) fn some(&self, name: &str) -> Option<&Value> {
        self.get(name).filter(|value| !value.is_none())
    }

    /// A required argument; `None` if the signature let it be left out.
    pub(crate) fn value(&self, name: &str) -> Value {
        self.get(name).cloned().unwrap_or(Value::from(()))
    }

    /// The positional arguments after the named places.
    pub(crate) fn rest(&self) -> &[Value] {
        &self.rest
    }

    /// The arguments by name that the signature does not know.
    pub(crate) fn named(&self) -> &[(String, Value)] {
        &self.named
    }

    /// An argument as text, whatever it is, as Python's `str()` prints it.
    pub(crate) fn text(&self, name: &str) -> Cow<'_, str> {
        match self.get(name) {
            Some(value) if value.kind() == ValueKind::String => {
                Cow::Borrowed(value.as_str().unwrap_or_default())
            }
            Some(value) if value.kind() == ValueKind::Bytes => {
                String::from_utf8_lossy(value.as_bytes().unwrap_or_default())
            }
            Some(value) => Cow::Owned(python::text(value)),
            None => Cow::Borrowed(""),
        }
    }

    /// An argument that must be text.
    ///
    /// # Errors
    /// If it is something else.
    pub(crate) fn str(&self, name: &str) -> Outcome<&str> {
        let value = self.get(name);
        value.filter(|it| it.kind() == ValueKind::String).and_then(Value::as_str).ok_or_else(|| {
            self.fail(format!("'{name}' must be a string, not '{}'", value.map_or("None", python::type_name)))
        })
    }

    /// An argument that must be text, or its default where it is not given.
    ///
    /// # Errors
    /// If it is something else.
    pub(crate) fn str_or<'a>(&'a self, name: &str, default: &'a str) -> Outcome<&'a str> {
        if self.some(name).is_some() { self.str(name) } else { Ok(default) }
    }

    /// Whether an argument is true, as Python sees it.
    pub(crate) fn flag(&self, name: &str, default: bool) -> bool {
        self.get(name).map_or(default, Value::is_true)
    }

    /// A whole number, if given and not `None`.
    ///
    /// # Errors
    /// If it is something else. Text that is a number is taken.
    pub(crate) fn int(&self, name: &str) -> Outcome<Option<i64>> {
        let Some(value) = self.some(name) else { return Ok(None) };
        let number = match value.kind() {
            ValueKind::String => value.as_str().and_then(|it| it.trim().parse().ok()),
            _ => python::as_int(value).and_then(|it| i64::try_from(it).ok()),
        };
        number
            .map(Some)
            .ok_or_else(|| self.fail(format!("'{name}' must be a whole number, not {}", python::repr(value))))
    }

    /// A count, if given and not `None`; a negative one counts as 0.
    ///
    /// # Errors
    /// As [`Args::int`], and for counts that no memory holds.
    pub(crate) fn size(&self, name: &str) -> Outcome<Option<usize>> {
        const MOST: usize = 10_000_000;
        match self.int(name)?.map(|it| usize::try_from(it).unwrap_or(0)) {
            Some(size) if size > MOST => Err(self.fail(format!("'{name}' is too large: {size}"))),
            size => Ok(size),
        }
    }

    /// The items of an argument, as Python's `for` gives them.
    ///
    /// # Errors
    /// If it has none.
    pub(crate) fn items(&self, name: &str) -> Outcome<Vec<Value>> {
        python::items(&self.value(name)).map_err(|error| self.fail(error.detail().unwrap_or_default()))
    }

    /// The items of a list.
    ///
    /// # Errors
    /// If it is not a list: text and mappings are refused too.
    pub(crate) fn list(&self, name: &str) -> Outcome<Vec<Value>> {
        let value = self.value(name);
        if !python::is_list(&value) {
            let found = python::type_name(&value);
            return Err(self.fail(format!("'{name}' must be a list, not '{found}'")));
        }
        self.items(name)
    }

    /// The entries of a mapping.
    ///
    /// # Errors
    /// If it is not one.
    pub(crate) fn pairs(&self, name: &str) -> Outcome<Vec<(Value, Value)>> {
        python::pairs(&self.value(name)).map_err(|error| self.fail(error.detail().unwrap_or_default()))
    }
}
