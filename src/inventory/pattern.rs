//! Patterns of hosts: `web:&stage:!old`, `db[0:2]`, `web*`, `~(a|b)\d+`.
//!
//! `hosts:` of plays and `--limit` are read here. Unions are made first, then `&`, then `!`, wherever they stand.

use fancy_regex::Regex;
use indexmap::IndexSet;

use super::graph::Graph;
use super::range;
use crate::diag::{Diagnostic, code};
use crate::value::Str;

/// The names that stand for this machine even if the inventory does not know them.
pub(super) const LOCALHOST: [&str; 3] = ["localhost", "127.0.0.1", "::1"];

/// The hosts that a pattern chooses.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Selection {
    /// Each host once, in the order of the pattern and then of the inventory.
    pub hosts: IndexSet<Str>,
    /// Parts of the pattern that match nothing.
    pub warnings: Vec<Diagnostic>,
}

/// The hosts that a pattern chooses. Error: a bad regular expression, an index beyond the group.
pub(super) fn select(pattern: &str, graph: &Graph) -> Result<Selection, Diagnostic> {
    select_terms(&split(pattern), graph)
}

/// As [`select`], for a pattern that is split already.
pub(super) fn select_terms(terms: &[String], graph: &Graph) -> Result<Selection, Diagnostic> {
    let (mut with, mut only, mut without) = (Vec::new(), Vec::new(), Vec::new());
    for term in terms {
        match term.chars().next() {
            None => {}
            Some('&') => only.push(&term[1..]),
            Some('!') => without.push(&term[1..]),
            Some(_) => with.push(term.as_str()),
        }
    }
    if with.is_empty() && !(only.is_empty() && without.is_empty()) {
        with.push("all");
    }
    let mut selection = Selection::default();
    for term in with {
        let found = matching(term, graph, &mut selection.warnings)?;
        selection.hosts.extend(found);
    }
    for term in only {
        let found = matching(term, graph, &mut selection.warnings)?;
        selection.hosts.retain(|host| found.contains(host));
    }
    for term in without {
        let found = matching(term, graph, &mut selection.warnings)?;
        selection.hosts.retain(|host| !found.contains(host));
    }
    Ok(selection)
}

/// The terms of a pattern. A colon separates too, unless it belongs to an address or stands in brackets.
pub(super) fn split(pattern: &str) -> Vec<String> {
    let mut terms = Vec::new();
    for part in pattern.split(',').map(str::trim) {
        let bare = part.trim_start_matches(['&', '!']);
        let is_address = bare.parse::<std::net::Ipv6Addr>().is_ok() || range::split_port(bare).1.is_some();
        if is_address {
            terms.push(part.to_owned());
            continue;
        }
        let mut term = String::new();
        let mut brackets = 0usize;
        for c in part.chars() {
            match c {
                '[' => brackets += 1,
                ']' => brackets = brackets.saturating_sub(1),
                ':' if brackets == 0 => {
                    terms.push(std::mem::take(&mut term));
                    continue;
                }
                _ => {}
            }
            term.push(c);
        }
        terms.push(term);
    }
    terms.iter_mut().for_each(|term| *term = term.trim().to_owned());
    terms.retain(|term| !term.is_empty());
    terms
}

/// The hosts of one term, without its `&` or `!`.
fn matching(term: &str, graph: &Graph, warnings: &mut Vec<Diagnostic>) -> Result<IndexSet<Str>, Diagnostic> {
    if graph.hosts.contains_key(term) && !graph.groups.contains_key(term) {
        return Ok(IndexSet::from([term.into()]));
    }
    let (name, part) = subscript(term);
    let (hosts, is_known) = enumerate(name, graph)?;
    if !is_known && name != "all" {
        let message = format!("no host or group matches the pattern `{name}`");
        let known = graph.groups.keys().chain(graph.hosts.keys()).map(|it| &**it);
        warnings.push(Diagnostic::warning(code::PATTERN_NO_MATCH, message).suggest(name, known));
    }
    match part {
        Some(part) if !hosts.is_empty() => part.of(&hosts).ok_or_else(|| {
            let message =
                format!("the pattern `{term}` asks for more than the {} hosts of `{name}`", hosts.len());
            Diagnostic::error(code::PATTERN_SYNTAX, message)
        }),
        _ => Ok(hosts),
    }
}

/// The hosts for a name, a glob or a regular expression, and whether anything is called so.
fn enumerate(name: &str, graph: &Graph) -> Result<(IndexSet<Str>, bool), Diagnostic> {
    let matcher = Matcher::new(name)?;
    let groups: Vec<&Str> =
        matcher.filter(&graph.groups.keys().collect::<Vec<_>>(), |it| graph.groups.contains_key(it));
    let mut found = IndexSet::new();
    for group in &groups {
        found.extend(graph.hosts_in(group));
    }
    // A name with a dot may be meant for a host even if there is such a group.
    if groups.is_empty() || name.starts_with('~') || name.contains(['.', '?', '*', '[']) {
        let hosts = graph.hosts.keys().collect::<Vec<_>>();
        found.extend(matcher.filter(&hosts, |it| graph.hosts.contains_key(it)).into_iter().cloned());
        let bracketed = name.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
        if let Some((address, _)) = bracketed.and_then(|name| graph.hosts.get_key_value(name)) {
            found.insert(address.clone());
        }
    }
    if found.is_empty() && LOCALHOST.contains(&name) {
        found.insert(name.into());
    }
    let is_known = !groups.is_empty() || !found.is_empty();
    Ok((found, is_known))
}

enum Matcher<'a> {
    Name(&'a str),
    Regex(Regex),
}

impl<'a> Matcher<'a> {
    fn new(name: &'a str) -> Result<Matcher<'a>, Diagnostic> {
        let pattern = match name.strip_prefix('~') {
            // As Python's `match`: anchored at the start only.
            Some(expression) => format!(r"\A(?:{expression})"),
            None if name.contains(['*', '?', '[']) => format!(r"(?s)\A{}\z", glob(name)),
            None => return Ok(Matcher::Name(name)),
        };
        Regex::new(&pattern).map(Matcher::Regex).map_err(|error| {
            let message = format!("`{name}` is not a valid regular expression: {error}");
            Diagnostic::error(code::PATTERN_SYNTAX, message)
        })
    }

    fn filter<'s>(&self, names: &[&'s Str], is_known: impl Fn(&str) -> bool) -> Vec<&'s Str> {
        match self {
            Matcher::Name(name) if !is_known(name) => Vec::new(),
            Matcher::Name(name) => names.iter().copied().filter(|it| &***it == *name).collect(),
            Matcher::Regex(regex) => {
                names.iter().copied().filter(|name| regex.is_match(&***name).unwrap_or(false)).collect()
            }
        }
    }
}

/// A glob as a regular expression: `*`, `?`, `[abc]`, `[!abc]`.
fn glob(pattern: &str) -> String {
    let mut out = String::new();
    let mut rest = pattern;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '*' => out.push_str(".*"),
            '?' => out.push('.'),
            // A bracket that closes at once belongs to the class: `[]a]`.
            '[' => match rest
                .char_indices()
                .skip(1 + usize::from(rest.starts_with('!')))
                .find(|(_, c)| *c == ']')
            {
                Some((end, _)) => {
                    let class = &rest[..end];
                    let (not, members) = class.strip_prefix('!').map_or(("", class), |it| ("^", it));
                    let members = members.replace('\\', r"\\").replace('[', r"\[").replace(']', r"\]");
                    let members = members.replace("&&", r"&\&").replace('^', r"\^").replace("~~", r"~\~");
                    out.push_str(&format!("[{not}{members}]"));
                    rest = &rest[end + 1..];
                }
                None => out.push_str(r"\["),
            },
            c => out.push_str(&fancy_regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    out
}

/// Which of a term's hosts are meant.
enum Part {
    /// The one at this place; negative: from the end.
    One(i64),
    /// From the first to the second, both included; without a second: to the end.
    Slice(usize, Option<usize>),
}

impl Part {
    fn of(&self, hosts: &IndexSet<Str>) -> Option<IndexSet<Str>> {
        match self {
            Part::One(index) => {
                let length = i64::try_from(hosts.len()).ok()?;
                let index = if *index < 0 { length + index } else { *index };
                let host = hosts.get_index(usize::try_from(index).ok()?)?;
                Some(IndexSet::from([host.clone()]))
            }
            Part::Slice(first, last) => {
                let last = last.unwrap_or(usize::MAX).min(hosts.len().saturating_sub(1));
                let count = (last + 1).saturating_sub(*first);
                Some(hosts.iter().skip(*first).take(count).cloned().collect())
            }
        }
    }
}

/// Splits `name[0]`, `name[-1]`, `name[1:]` and `name[0:2]`; a regular expression has no such part.
fn subscript(term: &str) -> (&str, Option<Part>) {
    let split = || {
        let (name, inner) = term.strip_suffix(']')?.rsplit_once('[')?;
        if name.is_empty() || term.starts_with('~') {
            return None;
        }
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        if digits(inner.strip_prefix('-').unwrap_or(inner)) {
            return Some((name, Part::One(inner.parse().ok()?)));
        }
        let (first, last) = inner.split_once([':', '-'])?;
        if !digits(first) || !(last.is_empty() || digits(last)) {
            return None;
        }
        let last = if last.is_empty() { None } else { Some(last.parse().ok()?) };
        Some((name, Part::Slice(first.parse().ok()?, last)))
    };
    split().map_or((term, None), |(name, part)| (name, Some(part)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn graph() -> Graph {
        let mut graph = Graph::new();
        for (group, hosts) in [
            ("ungrouped", "w9 w1 w2"),
            ("web", "w1 w2 w3 web1"),
            ("db", "d1 w3"),
            ("stage", "w2 d1"),
            ("we", "x.y"),
            ("fe", "fe80::1"),
        ] {
            for host in hosts.split(' ') {
                graph.add_host(&host.into(), group, None);
            }
        }
        graph.settle();
        graph
    }

    #[test]
    fn patterns_choose_what_ansible_chooses() {
        let graph = graph();
        for (pattern, expected) in [
            ("all", "w9 w1 w2 w3 web1 d1 x.y fe80::1"),
            ("*", "w9 w1 w2 w3 web1 d1 x.y fe80::1"),
            ("web", "w1 w2 w3 web1"),
            ("web:db", "w1 w2 w3 web1 d1"),
            ("web,db", "w1 w2 w3 web1 d1"),
            ("web, db", "w1 w2 w3 web1 d1"),
            ("web:&stage", "w2"),
            ("web:!stage", "w1 w3 web1"),
            ("!web", "w9 d1 x.y fe80::1"),
            ("&web", "w1 w2 w3 web1"),
            ("web:db:&stage:!d1", "w2"),
            ("!d1:web", "w1 w2 w3 web1"),
            ("web[0]", "w1"),
            ("web[-1]", "web1"),
            ("web[0:1]", "w1 w2"),
            ("web[1:]", "w2 w3 web1"),
            ("web[1-2]", "w2 w3"),
            ("web[5:9]", ""),
            ("w*", "w1 w2 w3 web1 x.y w9"),
            ("w?", "x.y w9 w1 w2 w3"),
            ("w[!1]", "x.y w9 w2 w3"),
            ("~w[12]", "w1 w2"),
            (r"~(w|d)\d$", "w9 w1 w2 w3 d1"),
            ("~w", "w1 w2 w3 web1 x.y w9"),
            ("w2,w1", "w2 w1"),
            ("web:w9", "w1 w2 w3 web1 w9"),
            ("fe80::1", "fe80::1"),
            ("[fe80::1]", "fe80::1"),
            ("x.y", "x.y"),
            ("x*", "x.y"),
            ("*.y", "x.y"),
            ("localhost", "localhost"),
            ("127.0.0.1", "127.0.0.1"),
            ("we", "x.y"),
            ("we*", "w1 w2 w3 web1 x.y"),
            ("ungrouped", "w9"),
            ("web:", "w1 w2 w3 web1"),
            ("web[0]:db", "w1 d1 w3"),
            ("!web[0]", "w9 w2 w3 web1 d1 x.y fe80::1"),
            ("all:!w*", "d1 fe80::1"),
            ("d1:web", "d1 w1 w2 w3 web1"),
            ("*[0]", "w9"),
            ("all[2:3]", "w2 w3"),
            ("stage:&web[0:1]", "w2"),
            ("!all", ""),
            ("", ""),
        ] {
            let selection = select(pattern, &graph).unwrap();
            let names: Vec<&str> = selection.hosts.iter().map(AsRef::as_ref).collect();
            assert_eq!(names.join(" "), expected, "{pattern}");
            assert!(selection.warnings.is_empty(), "{pattern}: {:?}", selection.warnings);
        }
    }

    #[test]
    fn what_matches_nothing_is_a_warning() {
        for (pattern, count, help) in [
            ("nope", 0, None),
            ("w[12]", 0, None),
            ("nope:web", 4, None),
            ("webb,web", 4, Some("did you mean `web`?")),
            ("w9:22", 0, Some("did you mean `w9`?")),
            ("WEB", 0, Some("did you mean `web`?")),
        ] {
            let selection = select(pattern, &graph()).unwrap();
            assert_eq!(selection.hosts.len(), count, "{pattern}");
            let [warning] = selection.warnings.as_slice() else { panic!("{pattern}") };
            assert_eq!(warning.code, code::PATTERN_NO_MATCH);
            if help.is_some() {
                assert_eq!(warning.help.as_deref(), help, "{pattern}");
            }
        }
    }

    #[test]
    fn bad_patterns_are_mistakes() {
        for pattern in ["~[", "web[9]", "web[-9]", "~(", "web:&db[7]"] {
            assert_eq!(select(pattern, &graph()).unwrap_err().code, code::PATTERN_SYNTAX, "{pattern}");
        }
    }

    proptest! {
        #[test]
        fn no_pattern_makes_it_panic(pattern in r"(web|db|w1|all|é|[\[\]~!&*?:,.^\\0-9-]){0,12}") {
            let _ = select(&pattern, &graph());
        }
    }
}
