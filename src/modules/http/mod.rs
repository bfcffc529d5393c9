//! HTTP for modules: one blocking request with the host's own certificates and the task's proxies.
//!
//! Not a module. `get_url`, `apt` and others fetch with it; what is fetched goes to the caller's reader, never to disk.

mod names;
mod tls;
mod unix;

use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use ureq::http::{HeaderName, HeaderValue, Request, StatusCode, Uri};
use ureq::tls::TlsConfig;
use ureq::{Agent, Proxy, ResponseExt};

pub(crate) use names::{disposition_name, file_name};

use super::api::{Fail, HostPath, Look, timestamp};
use crate::secret::Secret;

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Call<'a> {
    /// `GET`, `HEAD` …
    pub method: &'a str,
    /// Where to.
    pub url: &'a str,
    /// More headers.
    pub headers: Vec<(String, String)>,
    /// How long to wait for a connection and for each answer.
    pub timeout: Duration,
    /// Sent as basic authentication: always, or only when the server asks for it.
    pub login: Option<(String, Secret)>,
    /// Send the login at once instead of after a refusal.
    pub login_first: bool,
    /// Check the server's certificate.
    pub verify: bool,
    /// Obey `http_proxy` and its like.
    pub use_proxy: bool,
    /// The `User-Agent`.
    pub agent: &'a str,
    /// The client's own certificate, and its key if that is in another file.
    pub client: Option<(HostPath, Option<HostPath>)>,
    /// A file of certificates to trust instead of the host's.
    pub trust: Option<HostPath>,
    /// What is sent with it.
    pub body: Option<Vec<u8>>,
    /// Go where the server says; else that answer is the answer.
    pub redirects: bool,
    /// Talk to this socket of the host instead of to the URL's server.
    pub socket: Option<PathBuf>,
}

impl<'a> Call<'a> {
    /// A plain GET.
    pub fn get(url: &'a str) -> Call<'a> {
        Call {
            method: "GET",
            url,
            headers: Vec::new(),
            timeout: Duration::from_secs(10),
            login: None,
            login_first: false,
            verify: true,
            use_proxy: true,
            agent: "ansible-httpget",
            client: None,
            trust: None,
            body: None,
            redirects: true,
            socket: None,
        }
    }

    /// Sends it and waits for the answer's head. Any status is an answer, not a failure.
    ///
    /// # Errors
    /// No connection, no valid certificate, no answer in time.
    pub fn send(&self, host: &dyn Look) -> Result<Answer, Fail> {
        if let Some(path) = self.url.strip_prefix("file://") {
            return from_file(host, path);
        }
        let answer = self.once(host, self.login_first)?;
        if answer.status == StatusCode::UNAUTHORIZED.as_u16() && self.login.is_some() && !self.login_first {
            return self.once(host, true);
        }
        Ok(answer)
    }

    fn once(&self, host: &dyn Look, with_login: bool) -> Result<Answer, Fail> {
        let failed = |why: String| Fail::new(format!("{}: {why}", without_password(self.url)));
        let uri: Uri = self.url.parse().map_err(|error| failed(format!("this is no URL: {error}")))?;
        let agent = self.agent(host, &uri)?;
        let mut request = Request::builder().method(self.method).uri(uri);
        for (name, value) in &self.headers {
            let name = HeaderName::try_from(name.as_str())
                .map_err(|_| failed(format!("{name:?} is no name of a header")))?;
            let value = HeaderValue::try_from(value.as_str());
            let value = value.map_err(|_| failed(format!("the value of the header {name} can't be sent")))?;
            request = request.header(name, value);
        }
        if let Some((name, password)) = self.login.as_ref().filter(|_| with_login) {
            use base64::Engine;
            let login = format!("{name}:{}", password.expose());
            let login = base64::engine::general_purpose::STANDARD.encode(login);
            request = request.header("Authorization", format!("Basic {login}"));
        }
        // These say how much comes even if it is nothing.
        let body = match (&self.body, self.method) {
            (None, "POST" | "PUT" | "PATCH") => Some(&[][..]),
            (body, _) => body.as_deref(),
        };
        let answer = match body {
            Some(body) => request.body(body).map(|request| agent.run(request)),
            None => request.body(()).map(|request| agent.run(request)),
        };
        let answer = answer.map_err(|error| failed(error.to_string()))?;
        let response = answer.map_err(|error| failed(explain(&error)))?;
        let url = response.get_uri().to_string();
        let (head, body) = response.into_parts();
        let headers = head.headers.iter();
        Ok(Answer {
            status: head.status.as_u16(),
            reason: head.status.canonical_reason().unwrap_or_default(),
            url,
            headers: headers
                .map(|(name, value)| {
                    (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
                })
                .collect(),
            body: Box::new(body.into_with_config().limit(u64::MAX).reader()),
        })
    }

    fn agent(&self, host: &dyn Look, uri: &Uri) -> Result<Agent, Fail> {
        let client = self.client.as_ref().map(|(cert, key)| tls::client(host, cert, key.as_ref()));
        let tls = TlsConfig::builder()
            .disable_verification(!self.verify)
            .root_certs(tls::roots(host, self.trust.as_ref())?)
            .client_cert(client.transpose()?);
        let proxy = if self.use_proxy && self.socket.is_none() { proxy(host, uri)? } else { None };
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .allow_non_standard_methods(true)
            .max_redirects(if self.redirects { 10 } else { 0 })
            .max_redirects_will_error(self.redirects)
            .user_agent(self.agent)
            .accept_encoding("identity")
            .timeout_resolve(Some(self.timeout))
            .timeout_connect(Some(self.timeout))
            .timeout_recv_response(Some(self.timeout))
            .timeout_per_read(Some(self.timeout))
            .tls_config(tls.build())
            .proxy(proxy);
        Ok(match &self.socket {
            Some(path) => unix::agent(config.build(), path),
            None => config.build().new_agent(),
        })
    }
}

/// An answer; its body is still to be read.
pub(crate) struct Answer {
    /// The status code.
    pub status: u16,
    reason: &'static str,
    /// Where the redirects led.
    pub url: String,
    /// Lower-case names and values.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Box<dyn Read>,
}

impl Answer {
    /// The first header of a name, given in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    /// The status with its usual words: `404: Not Found`.
    pub fn error(&self) -> String {
        format!("{}: {}", self.status, self.reason)
    }

    /// Whether the status says success.
    pub fn ok(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// A moment, in seconds since 1970, as HTTP writes it: `Sat, 21 Nov 2026 09:58:00 GMT`.
pub(crate) fn http_date(seconds: f64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let since = Duration::try_from_secs_f64(seconds).unwrap_or_default();
    let text = timestamp(UNIX_EPOCH + since);
    let part = |from: usize, to: usize| text.get(from..to).unwrap_or_default();
    let month = part(5, 7).parse::<usize>().unwrap_or(1).saturating_sub(1);
    let day = DAYS[usize::try_from(since.as_secs() / 86_400 % 7).unwrap_or(0)];
    format!("{day}, {} {} {} {} GMT", part(8, 10), MONTHS[month.min(11)], part(0, 4), part(11, 19))
}

/// A URL without the password that may stand in it, for messages and results.
pub(crate) fn without_password(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@') {
        Some((login, host)) => {
            let name = login.split(':').next().unwrap_or_default();
            let hidden = if login.contains(':') { ":********" } else { "" };
            format!("{scheme}://{name}{hidden}@{host}{path}")
        }
        None => url.to_owned(),
    }
}

/// A file of the host as if a server had sent it.
fn from_file(host: &dyn Look, path: &str) -> Result<Answer, Fail> {
    let path = path.strip_prefix("localhost").unwrap_or(path);
    let contents = host.read(Path::new(&unescape(path)))?;
    let status = if contents.is_some() { StatusCode::OK } else { StatusCode::NOT_FOUND };
    Ok(Answer {
        status: status.as_u16(),
        reason: status.canonical_reason().unwrap_or_default(),
        url: format!("file://{path}"),
        headers: Vec::new(),
        body: Box::new(std::io::Cursor::new(contents.unwrap_or_default())),
    })
}

/// Text with its `%20` and the like undone.
pub(crate) fn unescape(text: &str) -> String {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        let hex = after.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| first == b'%') {
            Some(byte) => {
                out.push(byte);
                rest = &after[2..];
            }
            None => out.push(first),
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

/// The proxy that the task's environment names for this URL.
fn proxy(host: &dyn Look, uri: &Uri) -> Result<Option<Proxy>, Fail> {
    let variable = |name: &str| {
        let value = host.env(&name.to_lowercase()).or_else(|| host.env(&name.to_uppercase()));
        value.filter(|it| !it.is_empty())
    };
    let scheme = uri.scheme_str().unwrap_or("http");
    let Some(address) = variable(&format!("{scheme}_proxy")).or_else(|| variable("all_proxy")) else {
        return Ok(None);
    };
    if is_direct(uri.host().unwrap_or_default(), &variable("no_proxy").unwrap_or_default()) {
        return Ok(None);
    }
    let proxy = Proxy::new(&address)
        .map_err(|_| Fail::new(format!("{scheme}_proxy is no proxy: {}", without_password(&address))))?;
    Ok(Some(proxy))
}

/// Whether `no_proxy` names a host: `*`, the host, or a domain that it is in.
fn is_direct(host: &str, list: &str) -> bool {
    list.split(',').map(|it| it.trim().trim_start_matches("*.").trim_start_matches('.')).any(|entry| {
        let entry = entry.split(':').next().unwrap_or_default();
        !entry.is_empty()
            && (entry == "*"
                || host.eq_ignore_ascii_case(entry)
                || host
                    .to_lowercase()
                    .strip_suffix(&entry.to_lowercase())
                    .is_some_and(|front| front.ends_with('.')))
    })
}

/// What went wrong, in words that help.
fn explain(error: &ureq::Error) -> String {
    match error {
        ureq::Error::HostNotFound => "the host's name can't be resolved".into(),
        ureq::Error::Timeout(_) => "no answer in time".into(),
        ureq::Error::TooManyRedirects => "it redirects too often".into(),
        ureq::Error::Rustls(inner) => format!("TLS: {inner}"),
        ureq::Error::Io(inner) => {
            let text = inner.to_string();
            text.split(" (os error").next().unwrap_or(&text).to_owned()
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_proxy_names_hosts_and_domains() {
        for (host, list, direct) in [
            ("example.org", "", false),
            ("example.org", "*", true),
            ("example.org", "localhost, example.org", true),
            ("www.example.org", ".example.org", true),
            ("www.example.org", "*.example.org", true),
            ("www.example.org", "example.org:8080", true),
            ("badexample.org", "example.org", false),
            ("127.0.0.1", "localhost,127.0.0.1", true),
        ] {
            assert_eq!(is_direct(host, list), direct, "{host} {list}");
        }
    }

    #[test]
    fn dates_are_written_as_http_does() {
        assert_eq!(http_date(0.0), "Thu, 01 Jan 1970 00:00:00 GMT");
        assert_eq!(http_date(1_795_255_080.5), "Sat, 21 Nov 2026 09:58:00 GMT");
    }

    #[test]
    fn passwords_in_urls_are_hidden() {
        for (url, shown) in [
            ("http://a:b@h/x", "http://a:********@h/x"),
            ("http://a@h/x@y", "http://a@h/x@y"),
            ("http://h/x?m=a@b", "http://h/x?m=a@b"),
            ("nonsense", "nonsense"),
        ] {
            assert_eq!(without_password(url), shown);
        }
    }
}
