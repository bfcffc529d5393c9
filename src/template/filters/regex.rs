//! Filters with patterns in Python's syntax, matched by fancy-regex. Tests with patterns use [`Pattern`] too.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use fancy_regex::Regex;
use minijinja::State;
use minijinja::value::{Value, ValueKind};

use super::python::{self, Outcome, fail, list};
use super::{Args, Filter, filter};
use crate::pattern;

pub(super) const FILTERS: &[Filter] = &[
    filter(
        "regex_replace",
        "value, pattern=, replacement=, ignorecase=, multiline=, count=, mandatory_count=",
        regex_replace,
        "what matches a pattern, replaced",
    ),
    filter("regex_search", "value, regex, *args, ignorecase=, multiline=", regex_search, "the first match"),
    filter("regex_findall", "value, regex, multiline=, ignorecase=", regex_findall, "all matches"),
    filter("regex_escape", "string, re_type=", regex_escape, "a text as a pattern that matches just it"),
];

/// What a pattern found.
pub(crate) type Captures<'t> = fancy_regex::Captures<'t, str>;

/// A compiled pattern.
pub(crate) struct Pattern(Rc<Regex>);

/// What a pattern was compiled from: its text, whether case is ignored, whether lines count.
type Key = (String, bool, bool);

thread_local! {
    /// The patterns met lately: loops use the same one again and again.
    static COMPILED: RefCell<HashMap<Key, Rc<Regex>>> = RefCell::default();
}

/// How many patterns are kept.
const KEPT: usize = 256;

impl Pattern {
    /// Compiles a pattern that is in Python's syntax.
    ///
    /// # Errors
    /// If it is no pattern.
    pub(crate) fn new(pattern: &str, ignore_case: bool, multi_line: bool) -> Outcome<Pattern> {
        let key = (pattern.to_owned(), ignore_case, multi_line);
        if let Some(regex) = COMPILED.with_borrow(|compiled| compiled.get(&key).cloned()) {
            return Ok(Pattern(regex));
        }
        let regex = Rc::new(pattern::compile(pattern, ignore_case, multi_line).map_err(fail)?);
        COMPILED.with_borrow_mut(|compiled| {
            if compiled.len() >= KEPT {
                compiled.clear();
            }
            compiled.insert(key, regex.clone());
        });
        Ok(Pattern(regex))
    }

    /// The first match at or after the beginning of the text.
    ///
    /// # Errors
    /// If matching takes too many steps.
    pub(crate) fn find<'t>(&self, text: &'t str) -> Outcome<Option<Captures<'t>>> {
        self.0.captures(text).map_err(|error| fail(format!("the pattern does not work out: {error}")))
    }

    fn all<'t>(&self, text: &'t str) -> Outcome<Vec<Captures<'t>>> {
        let found: Result<Vec<_>, _> = self.0.captures_iter(text).collect();
        found.map_err(|error| fail(format!("the pattern does not work out: {error}")))
    }
}

fn named(args: &Args, error: &minijinja::Error) -> minijinja::Error {
    args.fail(error.detail().unwrap_or_default())
}

fn regex_replace(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let (text, replacement) = (args.text("value"), args.text("replacement"));
    let (case, lines) = (args.flag("ignorecase", false), args.flag("multiline", false));
    let pattern = Pattern::new(&args.text("pattern"), case, lines).map_err(|e| named(args, &e))?;
    let most = args.size("count")?.filter(|it| *it > 0).unwrap_or(usize::MAX);
    let (mut out, mut end, mut count) = (String::new(), 0, 0);
    for found in pattern.all(&text).map_err(|e| named(args, &e))?.iter().take(most) {
        let Some(whole) = found.get(0) else { continue };
        out.push_str(&text[end..whole.start()]);
        pattern::expand(&replacement, found, &mut out).map_err(|why| args.fail(why))?;
        end = whole.end();
        count += 1;
    }
    match args.size("mandatory_count")? {
        Some(wanted) if wanted > 0 && wanted != count => {
            Err(args.fail(format!("'{}' matches {count} times, not {wanted}", args.text("pattern"))))
        }
        _ => Ok((out + &text[end..]).into()),
    }
}

fn text_of(found: &Captures<'_>, group: usize) -> Value {
    found.get(group).map_or(Value::from(()), |it| it.as_str().into())
}

fn regex_search(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let text = args.text("value");
    let (case, lines) = (args.flag("ignorecase", false), args.flag("multiline", false));
    let pattern = Pattern::new(&args.text("regex"), case, lines).map_err(|e| named(args, &e))?;
    let Some(found) = pattern.find(&text).map_err(|e| named(args, &e))? else { return Ok(Value::from(())) };
    if args.rest().is_empty() {
        return Ok(text_of(&found, 0));
    }
    let mut groups = Vec::new();
    for wanted in args.rest().iter().map(python::text) {
        let group = if let Some(name) = wanted.strip_prefix("\\g<").and_then(|it| it.strip_suffix('>')) {
            name.to_owned()
        } else if let Some(index) =
            wanted.strip_prefix('\\').filter(|it| it.bytes().all(|b| b.is_ascii_digit()))
        {
            index.to_owned()
        } else {
            return Err(args.fail(format!("'{wanted}' is no group: \\1 or \\g<name>")));
        };
        groups.push(match group.parse::<usize>() {
            Ok(index) if index < found.len() => text_of(&found, index),
            Ok(_) => return Err(args.fail(format!("there is no group {group}"))),
            Err(_) => found.name(&group).map_or(Value::from(()), |it| it.as_str().into()),
        });
    }
    Ok(list(groups))
}

fn regex_findall(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let text = args.text("value");
    let (case, lines) = (args.flag("ignorecase", false), args.flag("multiline", false));
    let pattern = Pattern::new(&args.text("regex"), case, lines).map_err(|e| named(args, &e))?;
    let group = |found: &Captures<'_>, at| Value::from(found.get(at).map_or("", |it| it.as_str()));
    let all = pattern.all(&text).map_err(|e| named(args, &e))?;
    Ok(all
        .iter()
        .map(|found| match found.len() {
            0 | 1 => group(found, 0),
            2 => group(found, 1),
            len => {
                minijinja::value::Tuple::from((1..len).map(|at| group(found, at)).collect::<Vec<_>>()).into()
            }
        })
        .collect())
}

fn regex_escape(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let special: &str = match args.str_or("re_type", "python")? {
        "python" => "()[]{}?*+-|^$\\.&~# \t\n\r\x0b\x0c",
        "posix_basic" => ".[]*^$\\",
        "posix_extended" => return Err(args.fail("posix_extended is not implemented, nor is it by Ansible")),
        other => return Err(args.fail(format!("'{other}' is no re_type: python or posix_basic"))),
    };
    let value = args.value("string");
    if !matches!(value.kind(), ValueKind::String | ValueKind::Number | ValueKind::Bool) {
        return Err(args.fail(format!("expected a string, not '{}'", python::type_name(&value))));
    }
    let mut out = String::new();
    for c in args.text("string").chars() {
        if special.contains(c) {
            out.push('\\');
        }
        out.push(c);
    }
    Ok(out.into())
}
