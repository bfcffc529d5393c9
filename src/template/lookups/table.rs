//! `csvfile` and `ini`: values of files that are tables of a kind.

use std::collections::HashMap;

use fancy_regex::Regex;

use crate::value::Value;

use super::{Call, Outcome, split_arguments, truth};

/// The options of one term: those of the call, and those that the term's own text has.
struct Options<'a> {
    call: &'a Call<'a>,
    own: HashMap<String, String>,
    key: String,
}

impl<'a> Options<'a> {
    fn new(call: &'a Call<'a>, term: &str, known: &[&str]) -> Outcome<Options<'a>> {
        let mut own = HashMap::new();
        let mut key = Vec::new();
        for (name, value) in split_arguments(term)? {
            match name {
                Some(name) if known.contains(&name.as_str()) => {
                    own.insert(name, value);
                }
                Some(name) => key.push(format!("{name}={value}")),
                None => key.push(value),
            }
        }
        Ok(Options { call, own, key: key.join(" ") })
    }

    fn text(&self, name: &str, default: &str) -> String {
        self.own.get(name).cloned().or_else(|| self.call.text(name)).unwrap_or_else(|| default.to_owned())
    }

    fn flag(&self, name: &str) -> Outcome<bool> {
        match self.own.get(name) {
            Some(text) => truth(name, &Value::from(text.as_str())),
            None => self.call.flag(name, false),
        }
    }

    fn file(&self, default: &str) -> Outcome<String> {
        let name = self.text("file", default);
        let path = self.call.find("files", &name).ok_or_else(|| format!("there is no file `{name}`"))?;
        let bytes =
            std::fs::read(&path).map_err(|error| format!("can't read {}: {error}", path.display()))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

pub(super) fn csvfile(call: &Call<'_>) -> Outcome {
    const KNOWN: &[&str] = &["file", "delimiter", "col", "keycol", "default", "encoding", "quotechar"];
    let mut out = Vec::new();
    for term in call.words() {
        let options = Options::new(call, &term, KNOWN)?;
        let delimiter = match options.text("delimiter", "TAB").as_str() {
            "TAB" | "\\t" | "\t" => '\t',
            text => text.chars().next().unwrap_or(','),
        };
        let number = |name: &str, default: &str| {
            let text = options.text(name, default);
            text.parse::<usize>().map_err(|_| format!("`{name}` must be a whole number, not `{text}`"))
        };
        let (column, key_column) = (number("col", "1")?, number("keycol", "0")?);
        let text = options.file("ansible.csv")?;
        let row = rows(&text, delimiter).into_iter().find(|row| row.get(key_column) == Some(&options.key));
        let found = row.map(|row| {
            row.get(column)
                .cloned()
                .ok_or_else(|| format!("the line of `{}` has no column {column}", options.key))
        });
        match found {
            Some(field) => out.push(Value::from(field?)),
            None => out.extend(
                call.option("default")
                    .cloned()
                    .or_else(|| options.own.get("default").map(|it| Value::from(it.as_str()))),
            ),
        }
    }
    Ok(out)
}

/// The rows of a CSV text. A quoted field may hold delimiters, newlines and doubled quotes.
fn rows(text: &str, delimiter: char) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut row = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.next_if_eq(&'"').is_some() => field.push('"'),
            '"' if quoted || field.is_empty() => quoted = !quoted,
            c if quoted => field.push(c),
            '\r' if chars.peek() == Some(&'\n') => {}
            '\n' => {
                row.push(std::mem::take(&mut field));
                rows.push(std::mem::take(&mut row));
            }
            c if c == delimiter => row.push(std::mem::take(&mut field)),
            c => field.push(c),
        }
    }
    if !field.is_empty() || !row.is_empty() {
        row.push(field);
        rows.push(row);
    }
    rows
}

pub(super) fn ini(call: &Call<'_>) -> Outcome {
    const KNOWN: &[&str] = &[
        "file",
        "section",
        "type",
        "re",
        "default",
        "encoding",
        "case_sensitive",
        "allow_no_value",
        "interpolation",
    ];
    let mut out = Vec::new();
    for term in call.words() {
        let options = Options::new(call, &term, KNOWN)?;
        let (regex, exact) = (options.flag("re")?, options.flag("case_sensitive")?);
        let properties = options.text("type", "ini") == "properties";
        let section = if properties { "" } else { &options.text("section", "global") };
        let text = options.file("ansible.ini")?;
        let entries = entries(&text, section, properties);
        let fold = |name: &str| if exact { name.to_owned() } else { name.to_lowercase() };
        if regex {
            let pattern = Regex::new(&options.key)
                .map_err(|error| format!("`{}` is no regular expression: {error}", options.key))?;
            let named =
                |name: &str| pattern.find(&fold(name)).ok().flatten().is_some_and(|found| found.start() == 0);
            out.extend(
                entries.iter().filter(|(name, _)| named(name)).map(|(_, value)| Value::from(value.as_str())),
            );
            continue;
        }
        let key = fold(&options.key);
        match entries.iter().rev().find(|(name, _)| fold(name) == key) {
            Some((_, value)) => out.push(Value::from(value.as_str())),
            None => out.push(Value::from(options.text("default", ""))),
        }
    }
    Ok(out)
}

/// The entries of one section, in order. A line that is indented goes on with the value before it.
fn entries(text: &str, section: &str, properties: bool) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    let mut defaults: Vec<(String, String)> = Vec::new();
    let mut current = if properties { section.to_owned() } else { "\0".to_owned() };
    for line in text.lines() {
        let bare = line.trim();
        if bare.is_empty() || bare.starts_with(['#', ';']) {
            continue;
        }
        if !properties && let Some(name) = bare.strip_prefix('[').and_then(|it| it.strip_suffix(']')) {
            current = name.to_owned();
            continue;
        }
        let into = match current.as_str() {
            it if it == section => &mut out,
            "DEFAULT" => &mut defaults,
            _ => continue,
        };
        if line.starts_with([' ', '\t'])
            && let Some((_, value)) = into.last_mut()
        {
            value.push('\n');
            value.push_str(bare);
            continue;
        }
        let (name, value) = match bare.find(['=', ':']) {
            Some(at) => (bare[..at].trim(), bare[at + 1..].trim()),
            None => (bare, ""),
        };
        into.push((name.to_owned(), value.to_owned()));
    }
    defaults.append(&mut out);
    defaults
}

#[cfg(test)]
mod tests {
    use super::{entries, rows};

    #[test]
    fn csv_quotes_hold_delimiters_and_newlines() {
        assert_eq!(rows("a,\"b,\"\"c\nd\",e\r\nf\n", ','), vec![vec!["a", "b,\"c\nd", "e"], vec!["f"]]);
    }

    #[test]
    fn ini_sections_are_apart_and_take_defaults() {
        let text = "[DEFAULT]\nz=0\n[a]\nx = 1\n y\n# c\n[b]\nx: 2\n";
        let pairs = |name: &str| {
            entries(text, name, false).into_iter().map(|(k, v)| k + "=" + &v).collect::<Vec<_>>()
        };
        assert_eq!(pairs("a"), ["z=0", "x=1\ny"]);
        assert_eq!(pairs("b"), ["z=0", "x=2"]);
        assert_eq!(
            entries("u=1\nv 2\n", "", true),
            [("u".into(), "1".into()), ("v 2".into(), String::new())]
        );
    }
}
