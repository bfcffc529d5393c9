//! Lists and mappings that a template changes in place: `{% set x = [] %}{{ x.append(1) }}`.
//!
//! Values are immutable otherwise. `rewrite` puts `__own` where such a template makes or keeps a list or mapping.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use indexmap::IndexMap;
use minijinja::value::{Enumerator, Object, ObjectRepr, Tuple, Value, ValueKind};
use minijinja::{Error, ErrorKind, State};

use super::native;

/// A list or mapping (and what is in it) as one that can be changed; anything else as it is.
pub(super) fn own(value: &Value) -> Result<Value, Error> {
    if value.is_undefined() || value.downcast_object_ref::<OwnList>().is_some() || value.is_tuple() {
        return Ok(value.clone());
    }
    match value.kind() {
        ValueKind::Seq | ValueKind::Iterable => {
            let items: Result<Vec<Value>, Error> = value.try_iter()?.map(|item| own(&item)).collect();
            Ok(Value::from_object(OwnList(Mutex::new(items?))))
        }
        ValueKind::Map if plain_map(value) => {
            let mut map = IndexMap::new();
            for (key, item) in
                value.as_object().and_then(minijinja::value::DynObject::try_iter_pairs).into_iter().flatten()
            {
                map.insert(key, own(&item)?);
            }
            Ok(Value::from_object(OwnDict(Mutex::new(map))))
        }
        _ => Ok(value.clone()),
    }
}

/// Whether it is data: loops, namespaces and modules are mappings to minijinja too.
fn plain_map(value: &Value) -> bool {
    value.downcast_object_ref::<OwnDict>().is_none()
        && value.as_object().is_some_and(|object| {
            let name = object.type_name();
            ["IndexMap", "BTreeMap", "Dict", "NodeDict", "Kwargs"].iter().any(|known| name.contains(known))
        })
}

fn fail(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, message.into())
}

fn lock<T>(it: &Mutex<T>) -> MutexGuard<'_, T> {
    it.lock().unwrap_or_else(PoisonError::into_inner)
}

fn one<'a>(method: &str, args: &'a [Value]) -> Result<&'a Value, Error> {
    match args {
        [value] => Ok(value),
        _ => Err(fail(format!("{method}() takes one argument"))),
    }
}

/// A list that can be changed.
pub(super) struct OwnList(Mutex<Vec<Value>>);

impl fmt::Debug for OwnList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<list>")
    }
}

impl OwnList {
    /// Python's index: negative ones count from the end.
    fn index(items: &[Value], at: &Value) -> Result<usize, Error> {
        let index = at.as_i64().ok_or_else(|| fail("a list's index must be a whole number"))?;
        let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
        usize::try_from(if index < 0 { index + length } else { index })
            .ok()
            .filter(|index| *index < items.len())
            .ok_or_else(|| fail("the index is beyond the list"))
    }
}

impl Object for OwnList {
    fn repr(self: &Arc<Self>) -> ObjectRepr {
        ObjectRepr::Seq
    }

    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        lock(&self.0).get(key.as_usize()?).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(lock(&self.0).clone())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(lock(&self.0).len())
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        // What an argument iterates over may be this list itself.
        let taken: Vec<Value> = match (method, args) {
            ("extend", [other]) => other.try_iter()?.collect(),
            _ => Vec::new(),
        };
        let mut items = lock(&self.0);
        match (method, args) {
            ("append", _) => items.push(own(one(method, args)?)?),
            ("extend", [_]) => items.extend(taken),
            ("insert", [at, value]) => {
                let length = i64::try_from(items.len()).unwrap_or(i64::MAX);
                let at = at.as_i64().ok_or_else(|| fail("insert() needs a whole number first"))?;
                let at = if at < 0 { (at + length).max(0) } else { at.min(length) };
                items.insert(usize::try_from(at).unwrap_or(0), own(value)?);
            }
            ("pop", []) => return items.pop().ok_or_else(|| fail("pop() from an empty list")),
            ("pop" | "__delitem__", [at]) => {
                let at = OwnList::index(&items, at)?;
                let gone = items.remove(at);
                return Ok(if method == "pop" { gone } else { Value::from(()) });
            }
            ("__setitem__", [at, value]) => {
                let at = OwnList::index(&items, at)?;
                items[at] = own(value)?;
            }
            ("remove", [value]) => {
                let at = items.iter().position(|item| item == value);
                items.remove(at.ok_or_else(|| fail("remove(): the value is not in the list"))?);
            }
            ("clear", []) => items.clear(),
            ("reverse", []) => items.reverse(),
            ("sort", []) => items.sort(),
            ("copy", []) => return Ok(Value::from_object(OwnList(Mutex::new(items.clone())))),
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        }
        Ok(Value::from(()))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = Value::from_dyn_object(self.clone());
        // It can't be printed only if it holds itself: Python shows dots too.
        f.write_str(&native::to_data(&value).map_or_else(|_| "...".into(), |data| data.to_string()))
    }
}

/// A mapping that can be changed.
pub(super) struct OwnDict(Mutex<IndexMap<Value, Value>>);

impl fmt::Debug for OwnDict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<mapping>")
    }
}

impl Object for OwnDict {
    fn get_value(self: &Arc<Self>, key: &Value) -> Option<Value> {
        lock(&self.0).get(key).cloned()
    }

    fn enumerate(self: &Arc<Self>) -> Enumerator {
        Enumerator::Values(lock(&self.0).keys().cloned().collect())
    }

    fn enumerator_len(self: &Arc<Self>) -> Option<usize> {
        Some(lock(&self.0).len())
    }

    fn call_method(
        self: &Arc<Self>,
        _: &mut State<'_, '_>,
        method: &str,
        args: &[Value],
    ) -> Result<Value, Error> {
        // What an argument holds may be this mapping itself.
        let more = if method == "update" { pairs(args)? } else { Vec::new() };
        let mut map = lock(&self.0);
        match (method, args) {
            ("update", _) => {
                for (key, value) in more {
                    map.insert(key, own(&value)?);
                }
            }
            ("__setitem__", [key, value]) => {
                map.insert(key.clone(), own(value)?);
            }
            ("__delitem__", [key]) => {
                map.shift_remove(key).ok_or_else(|| fail(format!("there is no key {key:?}")))?;
            }
            ("setdefault", [key]) => return Ok(map.entry(key.clone()).or_insert_with(|| ().into()).clone()),
            ("setdefault", [key, value]) => {
                let value = own(value)?;
                return Ok(map.entry(key.clone()).or_insert(value).clone());
            }
            ("pop", [key]) => {
                return map.shift_remove(key).ok_or_else(|| fail(format!("there is no key {key:?}")));
            }
            ("pop", [key, fallback]) => return Ok(map.shift_remove(key).unwrap_or_else(|| fallback.clone())),
            ("popitem", []) => {
                let (key, value) = map.pop().ok_or_else(|| fail("popitem() from an empty mapping"))?;
                return Ok(Value::from(Tuple::from(vec![key, value])));
            }
            ("clear", []) => map.clear(),
            ("copy", []) => return Ok(Value::from_object(OwnDict(Mutex::new(map.clone())))),
            _ => return Err(Error::from(ErrorKind::UnknownMethod)),
        }
        Ok(Value::from(()))
    }

    fn render(self: &Arc<Self>, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = Value::from_dyn_object(self.clone());
        // It can't be printed only if it holds itself: Python shows dots too.
        f.write_str(&native::to_data(&value).map_or_else(|_| "...".into(), |data| data.to_string()))
    }
}

/// The pairs that `update` gets: mappings, lists of pairs, arguments by name.
fn pairs(args: &[Value]) -> Result<Vec<(Value, Value)>, Error> {
    let mut out = Vec::new();
    for arg in args {
        if arg.kind() == ValueKind::Map {
            out.extend(
                arg.as_object().and_then(minijinja::value::DynObject::try_iter_pairs).into_iter().flatten(),
            );
            continue;
        }
        for item in arg.try_iter()? {
            let pair: Vec<Value> = item.try_iter()?.collect();
            let [key, value] = &pair[..] else { return Err(fail("update() needs pairs")) };
            out.push((key.clone(), value.clone()));
        }
    }
    Ok(out)
}
