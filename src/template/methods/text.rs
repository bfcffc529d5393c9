//! Python's methods on text.

use minijinja::value::{Value, ValueKind};

use super::{Method, bytes, format, position};
use crate::template::filters::python::{self, is_space, split_lines};
use crate::template::filters::{Args, Outcome, encode, text};

pub(super) const METHODS: &[Method] = &[
    Method("upper", "value", |a| Ok(a.text("value").to_uppercase().into())),
    Method("lower", "value", |a| Ok(a.text("value").to_lowercase().into())),
    Method("casefold", "value", |a| Ok(a.text("value").to_lowercase().into())),
    Method("title", "value", |a| Ok(title(&a.text("value")).into())),
    Method("capitalize", "value", |a| Ok(text::capitalize(&a.text("value")).into())),
    Method("swapcase", "value", |a| Ok(swap_case(&a.text("value")).into())),
    Method("strip", "value, chars=", |a| strip(a, true, true)),
    Method("lstrip", "value, chars=", |a| strip(a, true, false)),
    Method("rstrip", "value, chars=", |a| strip(a, false, true)),
    Method("split", "value, sep=, maxsplit=", |a| split(a, false)),
    Method("rsplit", "value, sep=, maxsplit=", |a| split(a, true)),
    Method("splitlines", "value, keepends=", lines),
    Method("partition", "value, sep", |a| partition(a, false)),
    Method("rpartition", "value, sep", |a| partition(a, true)),
    Method("join", "value, iterable", join),
    Method("replace", "value, old, new, count=", replace),
    Method("removeprefix", "value, prefix", remove_prefix),
    Method("removesuffix", "value, suffix", remove_suffix),
    Method("startswith", "value, prefix, start=, end=", |a| {
        affix(a, "prefix", |text, it| text.starts_with(it))
    }),
    Method("endswith", "value, suffix, start=, end=", |a| affix(a, "suffix", |text, it| text.ends_with(it))),
    Method("find", "value, sub, start=, end=", |a| Ok(find(a, false)?.map_or(Value::from(-1), Value::from))),
    Method("rfind", "value, sub, start=, end=", |a| Ok(find(a, true)?.map_or(Value::from(-1), Value::from))),
    Method("index", "value, sub, start=, end=", |a| index(a, false)),
    Method("rindex", "value, sub, start=, end=", |a| index(a, true)),
    Method("count", "value, sub, start=, end=", count),
    Method("format", "value, *args, **kwargs", |a| {
        Ok(format::fill(&a.text("value"), a.rest(), a.named())?.into())
    }),
    Method("center", "value, width, fillchar=", |a| pad(a, text::center_text)),
    Method("ljust", "value, width, fillchar=", |a| {
        pad(a, |text, width, fill| fill_up(text, width, fill, false))
    }),
    Method("rjust", "value, width, fillchar=", |a| {
        pad(a, |text, width, fill| fill_up(text, width, fill, true))
    }),
    Method("zfill", "value, width", zero_fill),
    Method("expandtabs", "value, tabsize=", expand_tabs),
    Method("encode", "value, encoding=, errors=", encoded),
    Method("isdigit", "value", |a| Ok(all(a, char::is_numeric))),
    Method("isdecimal", "value", |a| Ok(all(a, char::is_numeric))),
    Method("isnumeric", "value", |a| Ok(all(a, char::is_numeric))),
    Method("isalpha", "value", |a| Ok(all(a, char::is_alphabetic))),
    Method("isalnum", "value", |a| Ok(all(a, char::is_alphanumeric))),
    Method("isspace", "value", |a| Ok(all(a, is_space))),
    Method("isascii", "value", |a| Ok(a.text("value").is_ascii().into())),
    Method("isprintable", "value", |a| Ok(a.text("value").chars().all(python::is_printable).into())),
    Method("isidentifier", "value", identifier),
    Method("isupper", "value", |a| Ok(cased(a, char::is_uppercase, char::is_lowercase))),
    Method("islower", "value", |a| Ok(cased(a, char::is_lowercase, char::is_uppercase))),
    Method("istitle", "value", |a| {
        Ok((a.text("value").chars().any(char::is_alphabetic) && title(&a.text("value")) == a.text("value"))
            .into())
    }),
];

fn is_cased(c: char) -> bool {
    c.is_uppercase() || c.is_lowercase()
}

/// A letter behind another is small, any other is large.
fn title(text: &str) -> String {
    let mut inside = false;
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if inside {
            out.extend(c.to_lowercase());
        } else {
            out.extend(c.to_uppercase());
        }
        inside = is_cased(c);
    }
    out
}

fn swap_case(text: &str) -> String {
    let swap = |c: char| -> String {
        if c.is_uppercase() { c.to_lowercase().collect() } else { c.to_uppercase().collect() }
    };
    text.chars().map(swap).collect()
}

fn strip(args: &Args, left: bool, right: bool) -> Outcome {
    let chars = if args.some("chars").is_some() { Some(args.str("chars")?) } else { None };
    Ok(text::strip(&args.text("value"), chars, left, right).into())
}

fn split(args: &Args, reverse: bool) -> Outcome {
    let sep = if args.some("sep").is_some() { Some(args.str("sep")?) } else { None };
    if sep == Some("") {
        return Err(args.fail("empty separator"));
    }
    let max = args.int("maxsplit")?.and_then(|it| usize::try_from(it).ok());
    Ok(text::split_text(&args.text("value"), sep, max, reverse).into())
}

fn lines(args: &Args) -> Outcome {
    let text = args.text("value");
    Ok(split_lines(&text, args.flag("keepends", false)).into_iter().map(Value::from).collect())
}

fn partition(args: &Args, reverse: bool) -> Outcome {
    let (text, sep) = (args.text("value"), args.str("sep")?);
    if sep.is_empty() {
        return Err(args.fail("empty separator"));
    }
    let found = if reverse { text.rsplit_once(sep) } else { text.split_once(sep) };
    Ok(match found {
        Some((before, after)) => (before, sep, after).into(),
        None if reverse => ("", "", &*text).into(),
        None => (&*text, "", "").into(),
    })
}

fn join(args: &Args) -> Outcome {
    let mut parts = Vec::new();
    for (at, item) in args.items("iterable")?.iter().enumerate() {
        if item.kind() != ValueKind::String {
            let found = python::type_name(item);
            return Err(args.fail(format!("sequence item {at}: expected str instance, {found} found")));
        }
        parts.push(python::text(item));
    }
    Ok(parts.join(&args.text("value")).into())
}

fn replace(args: &Args) -> Outcome {
    let (text, old, new) = (args.text("value"), args.str("old")?, args.str("new")?);
    Ok(match args.int("count")?.map(usize::try_from) {
        Some(Ok(count)) => text.replacen(old, new, count).into(),
        _ => text.replace(old, new).into(),
    })
}

fn remove_prefix(args: &Args) -> Outcome {
    let text = args.text("value");
    Ok(text.strip_prefix(args.str("prefix")?).unwrap_or(&text).into())
}

fn remove_suffix(args: &Args) -> Outcome {
    let text = args.text("value");
    Ok(text.strip_suffix(args.str("suffix")?).unwrap_or(&text).into())
}

/// The part between `start` and `end`, and how many characters stand before it.
fn window<'t>(args: &Args, text: &'t str) -> Outcome<Option<(usize, &'t str)>> {
    let length = text.chars().count();
    let asked = args.int("start")?.is_some_and(|it| usize::try_from(it).is_ok_and(|it| it > length));
    let (start, end) = (position(args, "start", length, 0)?, position(args, "end", length, length)?);
    if asked || start > end {
        return Ok(None);
    }
    let byte = |at: usize| text.char_indices().nth(at).map_or(text.len(), |(byte, _)| byte);
    Ok(Some((start, &text[byte(start)..byte(end)])))
}

fn affix(args: &Args, name: &str, matches: fn(&str, &str) -> bool) -> Outcome {
    let wanted = args.value(name);
    let wanted = match wanted.kind() {
        ValueKind::String => vec![wanted],
        _ if python::is_list(&wanted) => python::items(&wanted)?,
        _ => {
            return Err(
                args.fail(format!("takes a str or a tuple of str, not {}", python::type_name(&wanted)))
            );
        }
    };
    let text = args.text("value");
    let Some((_, text)) = window(args, &text)? else { return Ok(false.into()) };
    Ok(wanted.iter().any(|it| it.as_str().is_some_and(|it| matches(text, it))).into())
}

fn find(args: &Args, reverse: bool) -> Outcome<Option<usize>> {
    let (text, sub) = (args.text("value"), args.str("sub")?);
    let Some((before, part)) = window(args, &text)? else { return Ok(None) };
    let found = if reverse { part.rfind(sub) } else { part.find(sub) };
    Ok(found.map(|at| before + part[..at].chars().count()))
}

fn index(args: &Args, reverse: bool) -> Outcome {
    find(args, reverse)?.map(Value::from).ok_or_else(|| args.fail("substring not found"))
}

fn count(args: &Args) -> Outcome {
    let (text, sub) = (args.text("value"), args.str("sub")?);
    let part = window(args, &text)?;
    Ok(part.map_or(0, |(_, part)| part.matches(sub).count()).into())
}

fn pad(args: &Args, fill_with: fn(&str, usize, char) -> String) -> Outcome {
    let mut fill = args.str_or("fillchar", " ")?.chars();
    let (Some(fill), None) = (fill.next(), fill.next()) else {
        return Err(args.fail("the fill character must be exactly one character long"));
    };
    Ok(fill_with(&args.text("value"), args.size("width")?.unwrap_or(0), fill).into())
}

fn fill_up(text: &str, width: usize, fill: char, left: bool) -> String {
    let filling: String = std::iter::repeat_n(fill, width.saturating_sub(text.chars().count())).collect();
    if left { filling + text } else { text.to_owned() + &filling }
}

fn zero_fill(args: &Args) -> Outcome {
    let text = args.text("value");
    let (sign, digits) = text.split_at(usize::from(text.starts_with(['+', '-'])));
    let width = args.size("width")?.unwrap_or(0).saturating_sub(sign.len());
    Ok((sign.to_owned() + &fill_up(digits, width, '0', true)).into())
}

fn expand_tabs(args: &Args) -> Outcome {
    let size = args.size("tabsize")?.unwrap_or(8);
    let (mut out, mut column) = (String::new(), 0);
    for c in args.text("value").chars() {
        match c {
            '\t' => {
                let spaces = if size == 0 { 0 } else { size - column % size };
                out.extend(std::iter::repeat_n(' ', spaces));
                column += spaces;
            }
            c => {
                out.push(c);
                column = if matches!(c, '\n' | '\r') { 0 } else { column + 1 };
            }
        }
    }
    Ok(out.into())
}

fn encoded(args: &Args) -> Outcome {
    Ok(Value::from_bytes(encode::encode(args, &args.text("value"), args.str_or("encoding", "utf-8")?)?))
}

/// `bytes.decode`.
pub(super) fn decode(args: &Args) -> Outcome {
    Ok(encode::decode(args, bytes(&args.value("value")), args.str_or("encoding", "utf-8")?)?.into())
}

fn all(args: &Args, is: fn(char) -> bool) -> Value {
    let text = args.text("value");
    (!text.is_empty() && text.chars().all(is)).into()
}

fn cased(args: &Args, wanted: fn(char) -> bool, other: fn(char) -> bool) -> Value {
    let text = args.text("value");
    (text.chars().any(wanted) && !text.chars().any(other)).into()
}

fn identifier(args: &Args) -> Outcome {
    let text = args.text("value");
    let mut chars = text.chars();
    let begins = chars.next().is_some_and(|c| c.is_alphabetic() || c == '_');
    Ok((begins && chars.all(|c| c.is_alphanumeric() || c == '_')).into())
}
