//! The functions that templates can call: `lookup`, `query`, `now`, and the ones that `rewrite` puts in.

use std::cmp::Ordering;
use std::sync::Arc;
use std::time::SystemTime;

use jiff::Zoned;
use jiff::fmt::strtime;
use minijinja::value::{DynObject, Kwargs, Rest, Value, ValueKind, ValueOrKwargs};
use minijinja::{Environment, Error, ErrorKind, State};

use crate::diag::{Diagnostic, code};
use crate::value::{Map, Value as Data};

use super::context::Context;
use super::lookups::{self, Failure};
use super::native::{self, to_data};
use super::object::{Root, SELF, from_data};
use super::own;

/// Adds the functions to an environment.
pub(super) fn register(env: &mut Environment<'_>) {
    env.add_function("now", now);
    env.add_function("dict", dict);
    env.add_function("lookup", |state: &mut State<'_, '_>, name: &str, args: Rest<Value>, kwargs: Kwargs| {
        lookup(state, name, &args, &kwargs, false)
    });
    for name in ["query", "q"] {
        env.add_function(name, |state: &mut State<'_, '_>, name: &str, args: Rest<Value>, kwargs: Kwargs| {
            lookup(state, name, &args, &kwargs, true)
        });
    }
    env.add_function("__percent", percent);
    env.add_function("__minus", minus);
    env.add_function("__lt", |a: &Value, b: &Value| ordered("<", a, b).map(Ordering::is_lt));
    env.add_function("__le", |a: &Value, b: &Value| ordered("<=", a, b).map(Ordering::is_le));
    env.add_function("__gt", |a: &Value, b: &Value| ordered(">", a, b).map(Ordering::is_gt));
    env.add_function("__ge", |a: &Value, b: &Value| ordered(">=", a, b).map(Ordering::is_ge));
    env.add_filter("__own", own::own);
}

/// The evaluation that a function runs in.
pub(super) fn context(state: &State<'_, '_>) -> Result<Context, Error> {
    let root = state.lookup(SELF).and_then(|value| value.downcast_object::<Root>());
    root.map(|root: Arc<Root>| root.0.clone())
        .ok_or_else(|| Error::new(ErrorKind::InvalidOperation, "there are no variables here"))
}

/// `dict(pairs, a=1)`: a mapping from a mapping or a list of pairs, and from arguments by name.
fn dict(args: Rest<ValueOrKwargs>) -> Result<Value, Error> {
    let mut pairs: Vec<(Value, Value)> = Vec::new();
    for arg in args.into_values() {
        if arg.kind() == ValueKind::Map {
            pairs.extend(arg.as_object().and_then(DynObject::try_iter_pairs).into_iter().flatten());
            continue;
        }
        if arg.is_undefined() {
            return Err(Error::from(ErrorKind::UndefinedError));
        }
        for item in arg.try_iter()? {
            let pair: Vec<Value> = item.try_iter()?.collect();
            let [key, value] = <[Value; 2]>::try_from(pair)
                .map_err(|_| Error::new(ErrorKind::InvalidOperation, "dict: each item must be a pair"))?;
            pairs.push((key, value));
        }
    }
    Ok(Value::from_pairs(pairs))
}

/// `lookup(name, term, …, option=…)`; `query` is the same with `wantlist=True`.
fn lookup(
    state: &mut State<'_, '_>,
    name: &str,
    args: &[Value],
    kwargs: &Kwargs,
    list: bool,
) -> Result<Value, Error> {
    let context = context(state)?;
    let mut options = Map::new();
    for name in kwargs.args() {
        options.insert(name.into(), to_data(&kwargs.peek::<Value>(name)?)?);
    }
    let list = options.shift_remove("wantlist").map_or(list, |it| it.truthy());
    let errors = options.shift_remove("errors").unwrap_or(Data::Null).to_string();
    let terms = args.iter().map(to_data).collect::<Result<Vec<_>, Error>>()?;
    let given = match lookups::perform(&context, name, terms, options) {
        Ok(given) => given,
        Err(Failure::Template(error)) if error.undefined.is_some() => return Err(error.into_jinja()),
        Err(failure) => {
            let message = failure.to_string();
            match errors.as_str() {
                "ignore" => {}
                "warn" => context.engine().warn(Diagnostic::warning(
                    code::LOOKUP_FAILED,
                    format!("the lookup `{name}` failed: {message}"),
                )),
                _ => return Err(failure.into_jinja(name)),
            }
            return Ok(if list { Value::from(Vec::<Value>::new()) } else { Value::from(()) });
        }
    };
    Ok(if list { from_data(&Data::list(given)) } else { from_data(&joined(given)) })
}

/// Without `wantlist` texts are joined with commas, and a list of one other value is that value.
fn joined(given: Vec<Data>) -> Data {
    if !given.is_empty() && given.iter().all(|item| matches!(item, Data::Str(_))) {
        let texts: Vec<&str> = given.iter().filter_map(Data::as_str).collect();
        return Data::from(texts.join(","));
    }
    match <[Data; 1]>::try_from(given) {
        Ok([only]) => only,
        Err(given) => Data::list(given),
    }
}

/// A time in local time, by `strftime`'s directives; unknown ones give the time in ISO form.
pub(super) fn format_time(time: SystemTime, format: &str) -> String {
    match Zoned::try_from(time) {
        Ok(time) => strtime::format(format, &time).unwrap_or_else(|_| time.datetime().to_string()),
        Err(_) => String::new(),
    }
}

/// `now(utc=False, fmt=None)`. Without a format it gives the date itself.
#[expect(clippy::needless_pass_by_value, reason = "the template engine passes arguments so")]
fn now(utc: Option<bool>, fmt: Option<String>, kwargs: Kwargs) -> Result<Value, Error> {
    let utc = utc.or(kwargs.get::<Option<bool>>("utc")?).unwrap_or(false);
    let fmt = fmt.or(kwargs.get::<Option<String>>("fmt")?);
    kwargs.assert_all_used()?;
    let now = if utc { Zoned::now().with_time_zone(jiff::tz::TimeZone::UTC) } else { Zoned::now() };
    match fmt {
        Some(format) => strtime::format(&format, &now)
            .map(Value::from)
            .map_err(|error| Error::new(ErrorKind::InvalidOperation, format!("now: {error}"))),
        None => Ok(super::filters::date(now.datetime())),
    }
}

/// `a - b`: the difference of numbers, or the time between two dates.
fn minus(left: &Value, right: &Value) -> Result<Value, Error> {
    for side in [left, right] {
        if side.is_undefined() {
            return Err(Error::new(ErrorKind::UndefinedError, "a value is undefined"));
        }
    }
    if let Some(result) = super::filters::date_minus(left, right) {
        return result;
    }
    let exact = |value: &Value| match whole(value) {
        Some(it) => Some(i128::from(it)),
        None if value.is_integer() => i128::try_from(value.clone()).ok(),
        None => None,
    };
    if let (Some(a), Some(b)) = (exact(left), exact(right))
        && let Some(difference) = a.checked_sub(b)
    {
        return Ok(i64::try_from(difference).map_or_else(|_| Value::from(difference), Value::from));
    }
    match (float(left), float(right)) {
        (Some(a), Some(b)) => Ok(Value::from(a - b)),
        _ => Err(Error::new(
            ErrorKind::InvalidOperation,
            format!(
                "`-` can't take {} from {}; convert one of them, as in `x | int`",
                native::type_name(right),
                native::type_name(left)
            ),
        )),
    }
}

/// `a % b`: the remainder of numbers, or Python's formatting of text.
fn percent(left: &Value, right: &Value) -> Result<Value, Error> {
    for side in [left, right] {
        if side.is_undefined() {
            return Err(Error::new(ErrorKind::UndefinedError, "a value is undefined"));
        }
    }
    if left.kind() == ValueKind::String {
        return super::format::percent(left.as_str().unwrap_or_default(), right).map(Value::from);
    }
    let fail = |message: String| Error::new(ErrorKind::InvalidOperation, message);
    if let (Some(a), Some(b)) = (whole(left), whole(right)) {
        return match b {
            0 => Err(fail("modulo by zero".into())),
            _ => Ok(Value::from(a.wrapping_rem(b).wrapping_add(b).wrapping_rem(b))),
        };
    }
    match (float(left), float(right)) {
        (Some(_), Some(0.0)) => Err(fail("modulo by zero".into())),
        (Some(a), Some(b)) => Ok(Value::from(a - b * (a / b).floor())),
        _ => Err(fail(format!(
            "% needs numbers, or text on its left: these are {} and {}",
            native::type_name(left),
            native::type_name(right)
        ))),
    }
}

/// The order of two values that have one: numbers with numbers, text with text, lists with lists.
fn ordered(operator: &str, left: &Value, right: &Value) -> Result<Ordering, Error> {
    if left.is_undefined() || right.is_undefined() {
        return Err(Error::new(ErrorKind::UndefinedError, "a value is undefined"));
    }
    let family = |value: &Value| match value.kind() {
        ValueKind::Bool | ValueKind::Number => Some(0),
        ValueKind::String => Some(1),
        ValueKind::Seq | ValueKind::Iterable => Some(2),
        ValueKind::Bytes => Some(3),
        _ => None,
    };
    match (family(left), family(right)) {
        (Some(a), Some(b)) if a == b => Ok(match left.kind() == right.kind() {
            true => left.cmp(right),
            // One of the two is a boolean: it counts as 0 or 1.
            false => whole(left)
                .map_or_else(|| left.clone(), Value::from)
                .cmp(&whole(right).map_or_else(|| right.clone(), Value::from)),
        }),
        _ => {
            let (left, right) = (native::type_name(left), native::type_name(right));
            Err(Error::new(
                ErrorKind::InvalidOperation,
                format!(
                    "`{operator}` can't compare {left} with {right}; convert one of them, as in `x | int`"
                ),
            ))
        }
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value.kind() {
        ValueKind::Bool => Some(i64::from(value.is_true())),
        ValueKind::Number if value.is_integer() => value.as_i64(),
        _ => None,
    }
}

fn float(value: &Value) -> Option<f64> {
    match value.kind() {
        ValueKind::Bool | ValueKind::Number => {
            f64::try_from(value.clone()).ok().or(whole(value).map(|it| it as f64))
        }
        _ => None,
    }
}
