//! Requests one after the other: where redirects lead, and the cookies that are set on the way.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Fail, Look};
use crate::modules::http::{Answer, Call};

/// Which redirects are followed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Follow {
    /// All of them; a 303 and a 302 become a `GET`, as does a 301 of a `POST`.
    All,
    /// Those of `GET` and `HEAD`.
    #[default]
    Safe,
    /// None: the redirect itself is the answer.
    None,
    /// Those of `GET` and `HEAD`, and those of a `POST`, which becomes a `GET`.
    Urllib2,
    /// The same as `all`.
    Yes,
    /// The same as `none`.
    No,
}

/// No more redirects than these.
const MOST: usize = 10;

/// What is followed and how.
pub(super) struct Rules<'a> {
    pub(super) follow: Follow,
    /// Headers that are sent only with the first request.
    pub(super) once: &'a [String],
}

/// The last answer and what was collected on the way.
pub(super) struct Got {
    pub(super) answer: Answer,
    pub(super) url: String,
    pub(super) cookies: Vec<(String, String)>,
}

/// Sends a request and goes where the answers lead.
///
/// # Errors
/// No answer; more redirects than anybody means.
pub(super) fn exchange(call: &Call<'_>, rules: &Rules<'_>, host: &dyn Look) -> Result<Got, Fail> {
    let mut call = call.clone();
    let (mut method, mut url) = (call.method.to_ascii_uppercase(), without_login(call.url));
    let mut cookies: Vec<(String, String)> = Vec::new();
    for _ in 0..=MOST {
        let mut next = Call { method: &method, url: &url, ..call.clone() };
        if !cookies.is_empty() && !has(&next.headers, "cookie") {
            next.headers.push(("Cookie".into(), cookie_line(&cookies)));
        }
        let answer = next.send(host)?;
        collect(&answer, &mut cookies);
        let status = answer.status;
        let Some(new) = rules.follow.next_method(&method, status) else {
            return Ok(Got { answer, url, cookies });
        };
        let Some(target) = answer.header("location").map(|to| join(&url, to)) else {
            return Ok(Got { answer, url, cookies });
        };
        if !target.starts_with("http://") && !target.starts_with("https://") {
            return Err(Fail::new(format!("the redirect to {target} is not followed: it is no web address")));
        }
        call.headers.retain(|(name, _)| !rules.once.iter().any(|it| it.eq_ignore_ascii_case(name)));
        if !matches!(status, 307 | 308) {
            call.body = None;
            call.headers.retain(|(name, _)| !name.to_ascii_lowercase().starts_with("content-"));
        }
        if origin(&target) != origin(&url) {
            let secret = ["authorization", "cookie"];
            call.headers.retain(|(name, _)| !secret.contains(&&*name.to_ascii_lowercase()));
            call.login = None;
            cookies.clear();
        }
        (method, url) = (new, target);
    }
    Err(Fail::new(format!("it redirects more than {MOST} times")))
}

impl Follow {
    /// The method to go on with; `None`: this answer is the last.
    fn next_method(self, method: &str, status: u16) -> Option<String> {
        let reading = matches!(method, "GET" | "HEAD");
        if !matches!(status, 301 | 302 | 303 | 307 | 308) {
            return None;
        }
        let goes = match self {
            Follow::All | Follow::Yes => true,
            Follow::Safe => reading,
            Follow::Urllib2 => reading || method == "POST" && matches!(status, 301..=303),
            Follow::None | Follow::No => false,
        };
        let becomes_get = match status {
            302 | 303 => method != "HEAD",
            301 => method == "POST",
            _ => false,
        };
        goes.then(|| if becomes_get { "GET".into() } else { method.to_owned() })
    }
}

fn has(headers: &[(String, String)], name: &str) -> bool {
    headers.iter().any(|(own, _)| own.eq_ignore_ascii_case(name))
}

/// Takes the cookies of an answer; a later one of the same name wins.
fn collect(answer: &Answer, cookies: &mut Vec<(String, String)>) {
    for (_, line) in answer.headers.iter().filter(|(name, _)| name == "set-cookie") {
        let pair = line.split(';').next().unwrap_or_default();
        let Some((name, value)) = pair.split_once('=') else { continue };
        let (name, value) = (name.trim().to_owned(), value.trim().to_owned());
        cookies.retain(|(own, _)| *own != name);
        cookies.push((name, value));
    }
}

/// Cookies as a header.
pub(super) fn cookie_line(cookies: &[(String, String)]) -> String {
    let pairs: Vec<String> = cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("; ")
}

/// Scheme, host and port.
fn origin(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    &url[..end]
}

/// A URL without the login in it, which is sent as a header instead.
fn without_login(url: &str) -> String {
    let origin = origin(url);
    match (origin.split_once("://"), origin.rfind('@')) {
        (Some((scheme, _)), Some(at)) => format!("{scheme}://{}", &url[at + 1..]),
        _ => url.to_owned(),
    }
}

/// The address that a `Location` means, seen from `base`.
pub(super) fn join(base: &str, to: &str) -> String {
    let to = to.split('#').next().unwrap_or_default();
    let base = base.split(['?', '#']).next().unwrap_or_default();
    let has_scheme = to.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    });
    if has_scheme {
        return to.to_owned();
    }
    let origin = origin(base);
    if to.starts_with("//") {
        return format!("{}:{to}", base.split(':').next().unwrap_or("http"));
    }
    if to.is_empty() || to.starts_with('?') {
        return format!("{base}{to}");
    }
    let (path, query) = to.find('?').map_or((to, ""), |at| to.split_at(at));
    let folder =
        base.strip_prefix(origin).unwrap_or_default().rsplit_once('/').map_or("", |(folder, _)| folder);
    let whole = if path.starts_with('/') { path.to_owned() } else { format!("{folder}/{path}") };
    let mut parts: Vec<&str> = Vec::new();
    for part in whole.split('/').skip(1) {
        match part {
            "." => {}
            ".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    let end =
        if matches!(whole.rsplit('/').next(), Some("." | "..")) && !parts.is_empty() { "/" } else { "" };
    format!("{origin}/{}{end}{query}", parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_location_is_seen_from_where_it_was_said() {
        for (base, to, joined) in [
            ("http://h/a/b?x=1", "http://other/y", "http://other/y"),
            ("https://h/a/b", "//other/y", "https://other/y"),
            ("http://h/a/b", "/y?z=1#part", "http://h/y?z=1"),
            ("http://h/a/b", "c", "http://h/a/c"),
            ("http://h/a/b", "../c/./d", "http://h/c/d"),
            ("http://h/a/b", "../../../c", "http://h/c"),
            ("http://h/a/b/", "..", "http://h/a/"),
            ("http://h", "c", "http://h/c"),
            ("http://h:80/a?b", "?c", "http://h:80/a?c"),
            ("http://h/a", "x/y:z", "http://h/x/y:z"),
        ] {
            assert_eq!(join(base, to), joined, "{base} {to}");
        }
    }

    #[test]
    fn each_way_to_follow_has_its_rules() {
        for (follow, method, status, next) in [
            (Follow::Safe, "GET", 302, Some("GET")),
            (Follow::Safe, "HEAD", 302, Some("HEAD")),
            (Follow::Safe, "POST", 302, None),
            (Follow::Safe, "GET", 200, None),
            (Follow::Safe, "GET", 304, None),
            (Follow::None, "GET", 301, None),
            (Follow::No, "GET", 301, None),
            (Follow::All, "POST", 301, Some("GET")),
            (Follow::All, "PUT", 301, Some("PUT")),
            (Follow::Yes, "PUT", 302, Some("GET")),
            (Follow::All, "POST", 307, Some("POST")),
            (Follow::Urllib2, "POST", 303, Some("GET")),
            (Follow::Urllib2, "POST", 307, None),
            (Follow::Urllib2, "PUT", 301, None),
        ] {
            assert_eq!(follow.next_method(method, status).as_deref(), next, "{follow:?} {method} {status}");
        }
    }

    #[test]
    fn a_login_in_the_url_is_taken_out() {
        assert_eq!(without_login("http://u:p@h/x@y"), "http://h/x@y");
        assert_eq!(without_login("http://h/x@y"), "http://h/x@y");
    }
}
