//! Filters for HTML and XML. Nothing is escaped unless a template asks for it.

use minijinja::State;
use minijinja::value::ValueKind;

use super::python;
use super::regex::Pattern;
use super::{Args, Filter, Outcome, filter};

pub(super) const FILTERS: &[Filter] = &[
    filter("escape", "s", |_, a| Ok(escape(&a.text("s")).into()), "the text with & < > ' \" as entities"),
    filter("e", "s", |_, a| Ok(escape(&a.text("s")).into()), "the text with & < > ' \" as entities"),
    filter("forceescape", "value", |_, a| Ok(escape(&a.text("value")).into()), "as escape"),
    filter("striptags", "value", striptags, "the text without tags, with white space made single"),
    filter("xmlattr", "d, autospace=", xmlattr, "a dictionary as XML attributes"),
    filter(
        "urlize",
        "value, trim_url_limit=, nofollow=, target=, rel=, extra_schemes=",
        urlize,
        "the text with its URLs made links",
    ),
];

fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\'' => out.push_str("&#39;"),
            '"' => out.push_str("&#34;"),
            c => out.push(c),
        }
    }
    out
}

fn without(text: &str, open: &str, close: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once(open) {
        let Some((_, after)) = after.split_once(close) else { break };
        out.push_str(before);
        rest = after;
    }
    out + rest
}

fn striptags(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let text = without(&without(&args.text("value"), "<!--", "-->"), "<", ">");
    let words: Vec<&str> = text.split(python::is_space).filter(|it| !it.is_empty()).collect();
    let mut text = words.join(" ");
    for (entity, plain) in
        [("&lt;", "<"), ("&gt;", ">"), ("&#39;", "'"), ("&#34;", "\""), ("&quot;", "\""), ("&amp;", "&")]
    {
        text = text.replace(entity, plain);
    }
    Ok(text.into())
}

fn xmlattr(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let mut out = String::new();
    for (key, value) in args.pairs("d")? {
        if value.is_none() || value.is_undefined() {
            continue;
        }
        let key = python::text(&key);
        if key.contains(|c: char| python::is_space(c) || "/>=".contains(c)) {
            return Err(args.fail(format!("'{key}' is no attribute name")));
        }
        if !out.is_empty() {
            out.push(' ');
        }
        out.push_str(&format!("{}=\"{}\"", escape(&key), escape(&python::text(&value))));
    }
    let space = if args.flag("autospace", true) && !out.is_empty() { " " } else { "" };
    Ok(format!("{space}{out}").into())
}

/// What is taken for a URL: a scheme or `www.` and a host, or a host under a well-known top-level domain.
const URL: &str = r"\A(?:(?:https?://|www\.)(?:[\w%-]+\.)*(?:[a-z]{2,63}|xn--[\w%]{2,59})|(?:[\w%-]{2,63}\.)+(?:com|net|int|edu|gov|org|info|mil)|https?://(?:\d{1,3}(?:\.\d{1,3}){3}|\[[0-9a-f:.]+\]))(?::\d{1,5})?(?:[/?#]\S*)?\Z";

/// Words that begin with `http://`, `https://`, `www.` or hold an `@` become links.
fn urlize(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let text = escape(&args.text("value"));
    let limit = args.size("trim_url_limit")?.unwrap_or(usize::MAX);
    let mut rel: Vec<String> = args.str_or("rel", "")?.split_whitespace().map(str::to_owned).collect();
    if args.flag("nofollow", false) {
        rel.push("nofollow".into());
    }
    rel.push("noopener".into());
    rel.sort();
    rel.dedup();
    let mut attributes = format!(" rel=\"{}\"", rel.join(" "));
    if let Some(target) = args.some("target") {
        attributes += &format!(" target=\"{}\"", escape(&python::text(target)));
    }
    let schemes: Vec<String> = match args.some("extra_schemes") {
        Some(schemes) if schemes.kind() != ValueKind::None => {
            python::items(schemes)?.iter().map(python::text).collect()
        }
        _ => Vec::new(),
    };
    let pattern = Pattern::new(r"\A((?:[(<]|&lt;)*)(.*?)((?:[)>.,\n]|&gt;)*)\Z", false, false)?;
    let url = Pattern::new(URL, true, false)?;
    let link = |word: &str| -> Outcome<String> {
        let Some(found) = pattern.find(word)? else { return Ok(word.to_owned()) };
        let group = |at| found.get(at).map_or("", |it| it.as_str());
        let (head, middle, tail) = (group(1), group(2), group(3));
        let shown: String = if middle.chars().count() > limit {
            middle.chars().take(limit).chain("...".chars()).collect()
        } else {
            middle.to_owned()
        };
        let known = |it: &str| middle.starts_with(it) && middle.len() > it.len();
        let href = match middle {
            _ if schemes.iter().any(|it| known(it)) => middle.to_owned(),
            _ if url.find(middle)?.is_some() => {
                let scheme = if middle.contains("://") { "" } else { "https://" };
                format!("{scheme}{middle}")
            }
            _ if middle.starts_with("mailto:") => middle.to_owned(),
            _ if middle.contains('@')
                && !middle.contains(':')
                && middle.rsplit('@').next().is_some_and(|it| it.contains('.')) =>
            {
                return Ok(format!("{head}<a href=\"mailto:{middle}\">{middle}</a>{tail}"));
            }
            _ => return Ok(word.to_owned()),
        };
        Ok(format!("{head}<a href=\"{href}\"{attributes}>{shown}</a>{tail}"))
    };
    let mut out = String::new();
    for part in text.split_inclusive(python::is_space) {
        let word = part.trim_end_matches(python::is_space);
        out.push_str(&link(word)?);
        out.push_str(&part[word.len()..]);
    }
    Ok(out.into())
}
