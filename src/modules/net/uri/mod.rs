//! `uri`: a request to a web service, and its answer as the task's result. `body` writes what is sent, `exchange` follows
//! redirects and keeps cookies, `answer` makes the result of what came.

mod answer;
mod body;
mod exchange;
mod netrc;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{
    Fail, FileAttributes, FileKind, HostPath, Look, Module, Outcome, Support, Touch, Value,
};
use crate::modules::http::{Call, http_date};
use crate::secret::Secret;

/// Talk to web services.
///
/// The answer is the result: its headers stand in it in lower case with `_` for `-`, an answer in JSON is in `json`.
/// Certificates are checked against those that the host trusts, and the proxies of the environment are used. With `dest` the
/// file is only changed, and the task only `changed`, if the answer differs from it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an argument of its own")]
pub struct Args {
    /// Where to: an `http` or `https` URL.
    url: String,
    /// What is asked for: `GET`, `POST`, `PUT` …
    #[serde(default = "get")]
    method: String,
    /// What is sent.
    #[serde(default)]
    body: Option<Value>,
    /// How `body` is written. Sets the `Content-Type` if `headers` has none.
    #[serde(default)]
    body_format: body::Format,
    /// A file that is sent instead of `body`.
    #[serde(default)]
    src: Option<HostPath>,
    /// `src`, and the files of a `form-multipart`, are on the host.
    #[serde(default)]
    remote_src: bool,
    /// More headers.
    #[serde(default)]
    headers: BTreeMap<String, String>,
    /// The answers that are a success: numbers, or ranges of them (`200-299`).
    #[serde(default = "two_hundred")]
    status_code: Vec<String>,
    /// Return the answer's body in `content`.
    #[serde(default)]
    return_content: bool,
    /// A file or folder that the answer's body goes to.
    #[serde(default)]
    dest: Option<HostPath>,
    /// Do nothing if this is there.
    #[serde(default)]
    creates: Option<HostPath>,
    /// Do nothing if this is not there.
    #[serde(default)]
    removes: Option<HostPath>,
    /// Whether to go where the server says. Login, cookies and `Authorization` do not go along to another server.
    #[serde(default)]
    follow_redirects: exchange::Follow,
    /// Headers that are not sent again after a redirect.
    #[serde(default)]
    unredirected_headers: Vec<String>,
    /// Ask for an answer that no cache on the way has, and for one even if `dest` is not older.
    #[serde(default)]
    force: bool,
    /// Seconds to wait for a connection and for each piece of the answer.
    #[serde(default = "thirty")]
    timeout: u64,
    /// The user name for basic authentication.
    #[serde(default, alias = "user")]
    #[schemars(extend("x-aliases" = ["user"]))]
    url_username: Option<String>,
    /// The password for basic authentication.
    #[serde(default, alias = "password")]
    #[schemars(extend("x-aliases" = ["password"]))]
    url_password: Option<Secret>,
    /// Send user name and password at once, not only when the server asks.
    #[serde(default)]
    force_basic_auth: bool,
    /// Without `url_username`, take the login for this server from `~/.netrc` or the file that `NETRC` names.
    #[serde(default = "yes")]
    use_netrc: bool,
    /// Kerberos: not supported, `true` is refused.
    #[serde(default)]
    use_gssapi: bool,
    /// Check the server's certificate.
    #[serde(default = "yes")]
    validate_certs: bool,
    /// A file of certificates to check the server's with, instead of those that the host trusts.
    #[serde(default)]
    ca_path: Option<HostPath>,
    /// A file with the client's certificate, and perhaps its key.
    #[serde(default)]
    client_cert: Option<HostPath>,
    /// A file with the key of the client's certificate.
    #[serde(default)]
    client_key: Option<HostPath>,
    /// Ciphers for OpenSSL: ignored with a warning, there are only safe ones.
    #[serde(default)]
    ciphers: Vec<String>,
    /// Use the proxies of the environment.
    #[serde(default = "yes")]
    use_proxy: bool,
    /// A socket of the host to talk to instead of the URL's server.
    #[serde(default)]
    unix_socket: Option<HostPath>,
    /// The `User-Agent`.
    #[serde(default = "agent")]
    http_agent: String,
    /// Unpack an answer that the server compressed for the way. Always done; `false` is refused.
    #[serde(default = "yes")]
    decompress: bool,
    #[serde(rename = "@file")]
    #[schemars(flatten)]
    file: FileAttributes,
}

fn get() -> String {
    "GET".into()
}

fn two_hundred() -> Vec<String> {
    vec!["200".into()]
}

fn thirty() -> u64 {
    30
}

fn yes() -> bool {
    true
}

fn agent() -> String {
    "ansible-httpget".into()
}

/// A request to be made.
#[derive(Debug)]
pub struct Plan {
    body: Option<Vec<u8>>,
    headers: Vec<(String, String)>,
    login: Option<(String, Secret)>,
    dest: Option<Dest>,
}

/// Where the answer goes.
#[derive(Debug)]
struct Dest {
    path: PathBuf,
    /// Whether it is a folder, so that the name is still to come.
    folder: bool,
    /// The time of the file that is there, if only a newer one is wanted.
    since: Option<f64>,
}

impl Module for Args {
    const SUPPORT: Support = Support { check: false, diff: false, idempotent: false };
    const EXAMPLES: &'static str = "
- name: Wait until the application answers
  uri:
    url: http://localhost:8080/health
    status_code: [200, 204]
  register: health
  until: health.status == 200
  retries: 30
  delay: 2

- name: Create an entry
  uri:
    url: https://api.example.org/entries
    method: POST
    body_format: json
    body:
      name: web01
    headers:
      X-Token: abc
    status_code: 201

- name: Log in with a form
  uri:
    url: https://example.org/login
    method: POST
    body_format: form-urlencoded
    body:
      name: admin
      password: secret
    status_code: 302
    return_content: true
  no_log: true
";
    const RETURNS: &'static str = "
status: The status code; -1 if there was no answer at all.
msg: What the server said, in words.
url: Where the answer came from.
redirected: Whether that is somewhere else than asked for.
json: The answer, if it is JSON.
content: The answer as text, if `return_content` was set.
cookies: The cookies that the server set.
cookies_string: The same as a header.
path: The file that the answer went to.
elapsed: How many seconds it took.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        self.refuse()?;
        if self.why_not(host)?.is_some() {
            return Ok(None);
        }
        let dest = self.dest.as_ref().map(|dest| self.place(dest, host)).transpose()?;
        let (content_type, body) = self.body_format.write(self, host)?;
        let mut headers: Vec<(String, String)> = self.headers.clone().into_iter().collect();
        let has = |name: &str| self.headers.keys().any(|own| own.eq_ignore_ascii_case(name));
        if let Some(content_type) = content_type.filter(|_| !has("content-type")) {
            headers.push(("Content-Type".into(), content_type));
        }
        if let Some(since) = dest.as_ref().and_then(|dest| dest.since) {
            headers.push(("If-Modified-Since".into(), http_date(since)));
        } else if self.force {
            headers.push(("Cache-Control".into(), "no-cache".into()));
        }
        Ok(Some(Plan { body, headers, login: self.login(host)?, dest }))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(Outcome::unchanged().with("stdout", self.why_not(host)?))
    }

    fn predicted(&self, _plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        let msg = "uri does not support check mode: what a request changes is not known";
        Ok(Outcome { skipped: true, ..Outcome::unchanged() }.with("msg", msg))
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let began = host.now();
        let call = self.call(&plan, host.as_look());
        let rules = exchange::Rules { follow: self.follow_redirects, once: &self.unredirected_headers };
        let got = exchange::exchange(&call, &rules, host.as_look());
        let answered = |host: &dyn Look| host.now().duration_since(began).map_or(0, |it| it.as_secs());
        let outcome = match got {
            Ok(got) => self.finish(got, plan.dest, &answered, host)?,
            Err(fail) => self.without_answer(&fail, answered(host.as_look()))?,
        };
        Ok(match self.ciphers.is_empty() {
            true => outcome,
            false => outcome.warn("uri: `ciphers` is ignored: the ciphers are those that are safe"),
        })
    }
}

impl Args {
    fn refuse(&self) -> Result<(), Fail> {
        if self.use_gssapi {
            return Err(Fail::new("use_gssapi is not supported"));
        }
        if !self.decompress {
            return Err(Fail::new(
                "decompress: false is not supported: what is compressed for the way is unpacked",
            ));
        }
        if self.body.is_some() && self.src.is_some() {
            return Err(Fail::new("parameters are mutually exclusive: body|src"));
        }
        let method = self.method.to_ascii_uppercase();
        if method.is_empty() || !method.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Err(Fail::new(
                "Parameter 'method' needs to be a single word in uppercase, like GET or POST.",
            ));
        }
        self.accepts(0).map(drop)
    }

    /// What is there or not there already, so that nothing is to be done.
    fn why_not(&self, host: &dyn Look) -> Result<Option<String>, Fail> {
        for (path, wanted, words) in
            [(&self.creates, true, "exists"), (&self.removes, false, "does not exist")]
        {
            let Some(path) = path else { continue };
            if host.stat(&path.on(host), true)?.is_some() == wanted {
                return Ok(Some(format!("skipped, since '{path}' {words}")));
            }
        }
        Ok(None)
    }

    fn place(&self, dest: &HostPath, host: &dyn Look) -> Result<Dest, Fail> {
        let path = dest.on(host);
        let there = host.stat(&path, true)?;
        let folder = there.as_ref().is_some_and(|stat| stat.kind == FileKind::Directory);
        let since = there.filter(|_| !folder && !self.force).map(|stat| stat.mtime);
        Ok(Dest { path, folder, since })
    }

    fn login(&self, host: &dyn Look) -> Result<Option<(String, Secret)>, Fail> {
        if let Some(name) = &self.url_username {
            let password = self.url_password.clone().unwrap_or_else(|| Secret::new(""));
            return Ok(Some((name.clone(), password)));
        }
        let rest = self.url.split_once("://").map_or("", |(_, rest)| rest);
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        if let Some((login, _)) = authority.rsplit_once('@') {
            let (name, password) = login.split_once(':').unwrap_or((login, ""));
            return Ok(Some((name.to_owned(), Secret::new(password))));
        }
        if self.use_netrc { netrc::login(host, authority) } else { Ok(None) }
    }

    fn call<'a>(&'a self, plan: &Plan, host: &dyn Look) -> Call<'a> {
        Call {
            headers: plan.headers.clone(),
            body: plan.body.clone(),
            timeout: Duration::from_secs(self.timeout.max(1)),
            login: plan.login.clone(),
            login_first: self.force_basic_auth || (plan.login.is_some() && self.url_username.is_none()),
            verify: self.validate_certs,
            use_proxy: self.use_proxy,
            agent: &self.http_agent,
            client: self.client_cert.clone().map(|cert| (cert, self.client_key.clone())),
            trust: self.ca_path.clone(),
            redirects: false,
            socket: self.unix_socket.as_ref().map(|path| path.on(host)),
            method: &self.method,
            ..Call::get(&self.url)
        }
    }

    /// Whether a status is one of those that are wanted.
    fn accepts(&self, status: i64) -> Result<bool, Fail> {
        let mut accepted = false;
        for text in &self.status_code {
            let number = |part: &str| {
                let wrong =
                    || Fail::new(format!("status_code: {text:?} is no number and no range of numbers"));
                part.trim().parse::<i64>().map_err(|_| wrong())
            };
            // A dash in front is a sign.
            let dash = text.trim_start().char_indices().skip(1).find(|(_, c)| *c == '-').map(|(at, _)| at);
            accepted |= match dash.and_then(|at| text.trim_start().split_at_checked(at)) {
                Some((first, last)) => (number(first)?..=number(&last[1..])?).contains(&status),
                None => number(text)? == status,
            };
        }
        Ok(accepted)
    }
}

#[cfg(test)]
mod tests;
