//! Filters that change text: case, white space, width, replacing. Patterns are in `regex`, markup in `markup`.

use minijinja::State;
use minijinja::value::{Tuple, Value, ValueKind};

use super::python::{self, is_space, split_lines};
use super::{Args, Filter, Outcome, filter};
use crate::template::format::percent;

pub(super) const FILTERS: &[Filter] = &[
    filter("lower", "s", |_, a| Ok(a.text("s").to_lowercase().into()), "text in lower case"),
    filter("upper", "s", |_, a| Ok(a.text("s").to_uppercase().into()), "text in upper case"),
    filter(
        "capitalize",
        "s",
        |_, a| Ok(capitalize(&a.text("s")).into()),
        "first letter upper, the others lower",
    ),
    filter(
        "title",
        "s",
        |_, a| Ok(title(&a.text("s")).into()),
        "first letter of each word upper, the others lower",
    ),
    filter("trim", "value, chars=", trim, "without white space, or other characters, at both ends"),
    filter(
        "replace",
        "s, old, new, count=",
        replace,
        "with a text replaced by another, everywhere or count times",
    ),
    filter("split", "value, sep=, maxsplit=", split, "the parts between white space or a separator"),
    filter("center", "value, width=", center, "the text in the middle of a field"),
    filter("indent", "s, width=, first=, blank=", indent, "each line but the first indented"),
    filter("truncate", "s, length=, killwords=, end=, leeway=", truncate, "a text shortened to a length"),
    filter("wordcount", "s", wordcount, "how many words the text has"),
    filter(
        "wordwrap",
        "s, width=, break_long_words=, wrapstring=, break_on_hyphens=",
        wordwrap,
        "the text broken into lines of a width",
    ),
    filter(
        "format",
        "value, *args, **kwargs",
        format,
        "values filled into a text by the rules of Python's %",
    ),
    filter(
        "pprint",
        "value",
        |_, a| Ok(python::repr(&a.value("value")).into()),
        "the value as Python shows it",
    ),
];

/// Python's `str.capitalize`.
pub(crate) fn capitalize(text: &str) -> String {
    let mut chars = text.chars();
    let first = chars.next().map(char::to_uppercase).into_iter().flatten();
    first.chain(chars.as_str().to_lowercase().chars()).collect()
}

/// Jinja's `title`: words begin after white space, hyphens and opening brackets.
fn title(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut begins = true;
    for c in text.chars() {
        if is_space(c) || "-({[<".contains(c) {
            begins = true;
            out.push(c);
        } else if begins {
            begins = false;
            out.extend(c.to_uppercase());
        } else {
            out.extend(c.to_lowercase());
        }
    }
    out
}

/// Python's `str.strip(chars)`.
pub(crate) fn strip<'a>(text: &'a str, chars: Option<&str>, left: bool, right: bool) -> &'a str {
    let drop = |c: char| chars.map_or_else(|| is_space(c), |set| set.contains(c));
    let text = if left { text.trim_start_matches(drop) } else { text };
    if right { text.trim_end_matches(drop) } else { text }
}

fn trim(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let chars = args.some("chars").map(python::text);
    Ok(strip(&args.text("value"), chars.as_deref(), true, true).into())
}

fn replace(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let (s, old, new) = (args.text("s"), args.text("old"), args.text("new"));
    Ok(match args.int("count")?.map(usize::try_from) {
        Some(Ok(count)) => s.replacen(&*old, &new, count).into(),
        _ => s.replace(&*old, &new).into(),
    })
}

/// Python's `str.split`; `reverse` is `rsplit`. Parts in their order.
pub(crate) fn split_text(text: &str, sep: Option<&str>, max: Option<usize>, reverse: bool) -> Vec<String> {
    let limit = max.map_or(usize::MAX, |it| it.saturating_add(1));
    let Some(sep) = sep else { return split_space(text, limit, reverse) };
    let mut parts: Vec<String> = if reverse {
        text.rsplitn(limit, sep).map(str::to_owned).collect()
    } else {
        text.splitn(limit, sep).map(str::to_owned).collect()
    };
    if reverse {
        parts.reverse();
    }
    parts
}

fn split_space(text: &str, limit: usize, reverse: bool) -> Vec<String> {
    let mut parts = Vec::new();
    let mut rest = text.trim_matches(is_space);
    while !rest.is_empty() {
        let at = if reverse { rest.rfind(is_space) } else { rest.find(is_space) };
        let Some(at) = at.filter(|_| parts.len() + 1 < limit) else {
            // With a limit Python keeps the white space at the far end of what remains.
            let whole =
                if reverse { text.trim_end_matches(is_space) } else { text.trim_start_matches(is_space) };
            let kept = match (parts.is_empty(), rest.find(is_space)) {
                (true, None) => rest,
                (true, Some(_)) => whole,
                (false, _) if reverse => &text[..text.find(rest).unwrap_or(0) + rest.len()],
                (false, _) => &text[text.rfind(rest).unwrap_or(0)..],
            };
            parts.push(if limit == usize::MAX { rest.to_owned() } else { kept.to_owned() });
            break;
        };
        if reverse {
            let end = at + rest[at..].chars().next().map_or(1, char::len_utf8);
            parts.push(rest[end..].to_owned());
            rest = rest[..at].trim_end_matches(is_space);
        } else {
            parts.push(rest[..at].to_owned());
            rest = rest[at..].trim_start_matches(is_space);
        }
    }
    if reverse {
        parts.reverse();
    }
    parts
}

fn split(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let sep = args.some("sep").map(python::text);
    if sep.as_deref() == Some("") {
        return Err(args.fail("empty separator"));
    }
    let max = args.int("maxsplit")?.and_then(|it| usize::try_from(it).ok());
    Ok(split_text(&args.text("value"), sep.as_deref(), max, false).into())
}

/// Python's `str.center`.
pub(crate) fn center_text(text: &str, width: usize, fill: char) -> String {
    let pad = width.saturating_sub(text.chars().count());
    let left = pad / 2 + (pad & width & 1);
    let space = |count| std::iter::repeat_n(fill, count).collect::<String>();
    format!("{}{text}{}", space(left), space(pad - left))
}

fn center(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    Ok(center_text(&args.text("value"), args.size("width")?.unwrap_or(80), ' ').into())
}

fn indent(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let by = match args.get("width") {
        Some(width) if width.kind() == ValueKind::String => args.text("width").into_owned(),
        _ => " ".repeat(args.size("width")?.unwrap_or(4)),
    };
    let (first, blank) = (args.flag("first", false), args.flag("blank", false));
    let text = args.text("s").into_owned() + "\n";
    let mut out = String::with_capacity(text.len() * 2);
    for (i, line) in split_lines(&text, false).into_iter().enumerate() {
        if i > 0 {
            out.push('\n');
        }
        if if i == 0 { first } else { blank || !line.is_empty() } {
            out.push_str(&by);
        }
        out.push_str(line);
    }
    Ok(out.into())
}

fn truncate(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let text = args.text("s");
    let (length, leeway) = (args.size("length")?.unwrap_or(255), args.size("leeway")?.unwrap_or(5));
    let end = args.str_or("end", "...")?;
    if text.chars().count() <= length + leeway {
        return Ok(text.into());
    }
    let keep = length
        .checked_sub(end.chars().count())
        .ok_or_else(|| args.fail(format!("the length {length} is shorter than the end {end:?}")))?;
    let cut: String = text.chars().take(keep).collect();
    let kept = match cut.rfind(' ') {
        Some(at) if !args.flag("killwords", false) => &cut[..at],
        _ => &cut,
    };
    Ok(format!("{kept}{end}").into())
}

fn wordcount(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let text = args.text("s");
    Ok(text.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|it| !it.is_empty()).count().into())
}

fn wordwrap(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let rules = Wrap {
        width: args.size("width")?.unwrap_or(79).max(1),
        long_words: args.flag("break_long_words", true),
        hyphens: args.flag("break_on_hyphens", true),
    };
    let line_end = args.str_or("wrapstring", "\n")?;
    let text = args.text("s");
    let lines: Vec<String> =
        split_lines(&text, false).into_iter().map(|line| rules.wrap(line).join(line_end)).collect();
    Ok(lines.join(line_end).into())
}

/// How Python's `textwrap` breaks a line.
struct Wrap {
    width: usize,
    long_words: bool,
    hyphens: bool,
}

impl Wrap {
    /// Words and the white space between them; words also break behind a hyphen between letters.
    fn chunks(&self, line: &str) -> Vec<String> {
        let mut chunks: Vec<String> = Vec::new();
        let chars: Vec<char> = line.chars().collect();
        for (i, &c) in chars.iter().enumerate() {
            let letter =
                |at: Option<usize>| at.and_then(|at| chars.get(at)).is_some_and(|c| c.is_alphabetic());
            let same = i > 0 && is_space(chars[i - 1]) == is_space(c);
            let behind_hyphen = self.hyphens
                && i > 1
                && chars[i - 1] == '-'
                && letter(i.checked_sub(2))
                && letter(i.checked_sub(3))
                && letter(Some(i))
                && (letter(Some(i + 1)) || chars.get(i + 1) == Some(&'-'));
            match chunks.last_mut() {
                Some(last) if same && !behind_hyphen => last.push(c),
                _ => chunks.push(c.to_string()),
            }
        }
        chunks
    }

    fn wrap(&self, line: &str) -> Vec<String> {
        let blank = |it: &String| it.chars().all(is_space);
        let mut chunks = self.chunks(line);
        chunks.reverse();
        let mut lines: Vec<String> = Vec::new();
        while !chunks.is_empty() {
            let (mut current, mut length): (Vec<String>, usize) = (Vec::new(), 0);
            if !lines.is_empty() && chunks.last().is_some_and(blank) {
                chunks.pop();
            }
            while let Some(chunk) = chunks.pop_if(|it| length + it.chars().count() <= self.width) {
                length += chunk.chars().count();
                current.push(chunk);
            }
            if let Some(long) = chunks.pop_if(|it| it.chars().count() > self.width) {
                if self.long_words {
                    let room = self.width - length;
                    let at = long.char_indices().nth(room).map_or(long.len(), |(at, _)| at);
                    current.push(long[..at].to_owned());
                    chunks.push(long[at..].to_owned());
                } else if current.is_empty() {
                    current.push(long);
                } else {
                    chunks.push(long);
                }
            }
            current.pop_if(|it| blank(it));
            if !current.is_empty() {
                lines.push(current.concat());
            }
        }
        lines
    }
}

fn format(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    if !args.rest().is_empty() && !args.named().is_empty() {
        return Err(args.fail("values are given by position or by name, not both"));
    }
    let template = args.text("value");
    if args.named().is_empty() {
        return Ok(percent(&template, &Value::from(Tuple::from(args.rest())))?.into());
    }
    let named = Value::from_pairs(args.named().iter().map(|(name, value)| (name.as_str(), value.clone())));
    Ok(percent(&template, &named)?.into())
}
