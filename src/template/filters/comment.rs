//! `comment`: a text made a comment of one of several languages.

use minijinja::State;

use super::python;
use super::{Args, Filter, Outcome, filter};

pub(super) const FILTERS: &[Filter] = &[filter(
    "comment",
    "text, style=, decoration=, beginning=, prefix=, prefix_count=, postfix=, postfix_count=, end=, newline=",
    comment,
    "the text as a comment",
)];

/// What a style writes before, after and on each line.
struct Style {
    beginning: &'static str,
    decoration: &'static str,
    end: &'static str,
}

fn style(name: &str) -> Option<Style> {
    let (beginning, decoration, end) = match name {
        "plain" => ("", "# ", ""),
        "erlang" => ("", "% ", ""),
        "c" => ("", "// ", ""),
        "cblock" => ("/*", " * ", " */"),
        "xml" => ("<!--", " - ", "-->"),
        _ => return None,
    };
    Some(Style { beginning, decoration, end })
}

fn comment(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let name = args.str_or("style", "plain")?;
    let style = style(name).ok_or_else(|| args.fail(format!("the style '{name}' is not known")))?;
    let given = |name: &str, default: &str| args.some(name).map_or_else(|| default.to_owned(), python::text);
    let newline = given("newline", "\n");
    let decoration = given("decoration", style.decoration);
    let (beginning, end) = (given("beginning", style.beginning), given("end", style.end));
    let around = decoration.trim_end().to_owned();
    let (prefix, postfix) = (given("prefix", &around), given("postfix", &around));
    let repeat = |text: &str, count: Option<usize>| format!("{text}{newline}").repeat(count.unwrap_or(1));
    let text = args.text("text");
    // An empty line in the middle loses the white space behind its decoration, the last one keeps it.
    let body = format!("{decoration}{}", text.replace(&newline, &format!("{newline}{decoration}")))
        .replace(&format!("{decoration}{newline}"), &format!("{around}{newline}"));
    let mut out = String::new();
    if !beginning.is_empty() {
        out.push_str(&beginning);
        out.push_str(&newline);
    }
    if !prefix.is_empty() {
        out.push_str(&repeat(&prefix, args.size("prefix_count")?));
    }
    out.push_str(&body);
    if !postfix.is_empty() {
        for _ in 0..args.size("postfix_count")?.unwrap_or(1) {
            out.push_str(&newline);
            out.push_str(&postfix);
        }
    }
    if !end.is_empty() {
        out.push_str(&newline);
        out.push_str(&end);
    }
    Ok(out.into())
}
