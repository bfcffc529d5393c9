//! `wait_for`: until a port opens or closes, a file comes, goes or says something, or connections end. `connections`
//! reads the kernel's tables.

mod connections;

use std::io::Read;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use fancy_regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Cmd, Fail, HostPath, Look, Map, Module, Outcome, Str, Support, Touch, Value};

/// Wait until something is so, or fail.
///
/// With neither `port` nor `path` it only waits for `timeout` seconds. It runs on the host, so `host` is what the host
/// sees under that name; delegate it to look from elsewhere.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The name or address to connect to.
    #[serde(default = "localhost")]
    host: String,
    /// The TCP port.
    #[serde(default)]
    port: Option<u16>,
    /// A file or folder.
    #[serde(default)]
    path: Option<HostPath>,
    /// What the file, or what comes from the port, must have in it.
    #[serde(default)]
    search_regex: Option<String>,
    /// What to wait for.
    #[serde(default)]
    state: State,
    /// The most seconds to wait.
    #[serde(default = "five_minutes")]
    timeout: u64,
    /// The most seconds for one attempt to connect.
    #[serde(default = "five")]
    connect_timeout: u64,
    /// Seconds to wait before the first look.
    #[serde(default)]
    delay: u64,
    /// Seconds between two looks.
    #[serde(default = "one")]
    sleep: u64,
    /// The states of TCP connections that count as active (for `drained`).
    #[serde(default = "connections::active_states")]
    active_connection_states: Vec<String>,
    /// Addresses whose connections do not count (for `drained`).
    #[serde(default)]
    exclude_hosts: Option<Vec<String>>,
    /// What to say when time is over.
    #[serde(default)]
    msg: Option<String>,
}

/// What to wait for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// The port is open, or the file is there.
    #[default]
    Started,
    /// The same.
    Present,
    /// The port is closed, or the file is gone.
    Stopped,
    /// The same.
    Absent,
    /// The port has no active connections.
    Drained,
}

fn localhost() -> String {
    "127.0.0.1".into()
}

fn five_minutes() -> u64 {
    300
}

fn five() -> u64 {
    5
}

fn one() -> u64 {
    1
}

impl Module for Args {
    const SUPPORT: Support = Support { check: false, diff: false, idempotent: true };
    const EXAMPLES: &'static str = "
- name: Until the database answers
  wait_for:
    port: 5432
    timeout: 60

- name: Until the log says that it is ready
  wait_for:
    path: /var/log/app.log
    search_regex: ready in \\d+ ms

- name: Until the lock is gone
  wait_for:
    path: /run/app.lock
    state: absent
";
    const RETURNS: &'static str = "
elapsed: How many seconds it took.
match_groups: What the groups of `search_regex` matched.
match_groupdict: What its named groups matched.
";
    type Plan = Option<Regex>;

    fn plan(&self, _host: &dyn Look) -> Result<Option<Option<Regex>>, Fail> {
        if self.port.is_some() && self.path.is_some() {
            return Err(Fail::new("port and path parameter can not both be passed to wait_for"));
        }
        if self.path.is_some() && matches!(self.state, State::Stopped | State::Drained) {
            let state = if self.state == State::Stopped { "stopped" } else { "drained" };
            return Err(Fail::new(format!(
                "state={state} should only be used for checking a port in the wait_for module"
            )));
        }
        if self.port.is_none() && self.state == State::Drained {
            return Err(Fail::new("state=drained needs a port"));
        }
        connections::check_states(&self.active_connection_states)?;
        let regex = self.search_regex.as_deref().map(|text| Regex::new(&format!("(?m){text}")));
        let regex = regex
            .transpose()
            .map_err(|error| Fail::new(format!("search_regex is no regular expression: {error}")))?;
        Ok(Some(regex))
    }

    fn predicted(&self, _plan: &Option<Regex>, _host: &dyn Look) -> Result<Outcome, Fail> {
        // What an earlier task would only have started will never come.
        let outcome = Outcome { skipped: true, ..Outcome::unchanged() };
        Ok(outcome.with("msg", "nothing is waited for in check mode"))
    }

    fn apply(&self, regex: Option<Regex>, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let began = Instant::now();
        let limit = Duration::from_secs(self.timeout);
        pause(host, Duration::from_secs(self.delay))?;
        if self.port.is_none() && self.path.is_none() {
            pause(host, limit.saturating_sub(began.elapsed()))?;
            return Ok(self.describe(began, Found::default()));
        }
        loop {
            let left = limit.saturating_sub(began.elapsed());
            if let Some(found) = self.look(host.as_look(), regex.as_ref(), left)? {
                return Ok(self.describe(began, found));
            }
            if began.elapsed() >= limit {
                let msg = self.msg.clone().unwrap_or_else(|| self.timeout_message());
                return Err(Fail::new(msg).with("elapsed", began.elapsed().as_secs()));
            }
            let left = limit.saturating_sub(began.elapsed());
            pause(host, Duration::from_secs(self.sleep).min(left))?;
        }
    }
}

/// Waits. Longer times are a command's: it ends when the run is stopped, a sleeping thread would not.
fn pause(host: &mut dyn Touch, time: Duration) -> Result<(), Fail> {
    if time < Duration::from_secs(1) {
        sleep(time.max(Duration::from_millis(10)));
        return Ok(());
    }
    host.run(&Cmd::new(["sleep", &time.as_secs().to_string()]))?.success("waiting").map(drop)
}

/// What a regular expression found.
#[derive(Debug, Default, PartialEq)]
struct Found {
    groups: Vec<Value>,
    named: Map,
}

impl Args {
    /// Whether it is so now.
    fn look(&self, host: &dyn Look, regex: Option<&Regex>, left: Duration) -> Result<Option<Found>, Fail> {
        let wanted = matches!(self.state, State::Started | State::Present);
        if self.state == State::Drained {
            let drained = connections::active(self, host)? == 0;
            return Ok(drained.then(Found::default));
        }
        let found = match &self.path {
            Some(path) => {
                let path = path.on(host);
                match regex {
                    None => host.stat(&path, true)?.map(|_| Found::default()),
                    Some(regex) => in_file(host, &path, regex),
                }
            }
            None => self.port_says(regex, left),
        };
        match (found, wanted) {
            (Some(found), true) => Ok(Some(found)),
            (None, false) => Ok(Some(Found::default())),
            _ => Ok(None),
        }
    }

    /// Whether the port accepts a connection, and says what it must.
    fn port_says(&self, regex: Option<&Regex>, left: Duration) -> Option<Found> {
        let wait = Duration::from_secs(self.connect_timeout).min(left).max(Duration::from_millis(100));
        // A name that can't be resolved yet is a port that is not open yet.
        let addresses = (self.host.as_str(), self.port?).to_socket_addrs().ok()?;
        let mut stream = addresses.into_iter().find_map(|at| TcpStream::connect_timeout(&at, wait).ok())?;
        let Some(regex) = regex else { return Some(Found::default()) };
        let until = Instant::now() + wait;
        let mut data = Vec::new();
        let mut piece = [0; 1024];
        while let Some(left) = until.checked_duration_since(Instant::now()).filter(|it| !it.is_zero()) {
            stream.set_read_timeout(Some(left)).ok()?;
            let length = stream.read(&mut piece).ok().filter(|length| *length > 0)?;
            data.extend_from_slice(&piece[..length]);
            if let Some(found) = search(regex, &String::from_utf8_lossy(&data)) {
                return Some(found);
            }
        }
        None
    }

    fn timeout_message(&self) -> String {
        let place = match (&self.path, self.port) {
            (Some(path), _) => path.text().to_owned(),
            (None, port) => format!("{}:{}", self.host, port.unwrap_or_default()),
        };
        match (&self.path, self.state, &self.search_regex) {
            (Some(_), State::Absent, None) => format!("Timeout when waiting for {place} to be absent."),
            (None, State::Stopped | State::Absent, None) => {
                format!("Timeout when waiting for {place} to stop.")
            }
            (_, State::Stopped | State::Absent, Some(text)) => {
                format!("Timeout when waiting for search string {text} in {place} to be absent.")
            }
            (_, State::Drained, _) => format!("Timeout when waiting for {place} to drain"),
            (_, _, Some(text)) => format!("Timeout when waiting for search string {text} in {place}"),
            (Some(_), ..) => format!("Timeout when waiting for file {place}"),
            (None, ..) => format!("Timeout when waiting for {place}"),
        }
    }

    fn describe(&self, began: Instant, found: Found) -> Outcome {
        let state = match self.state {
            State::Started => "started",
            State::Present => "present",
            State::Stopped => "stopped",
            State::Absent => "absent",
            State::Drained => "drained",
        };
        Outcome::unchanged()
            .with("state", state)
            .with("port", self.port.map(u32::from))
            .with("path", self.path.as_ref().map(|path| path.text().to_owned()))
            .with("search_regex", self.search_regex.clone())
            .with("match_groups", found.groups)
            .with("match_groupdict", found.named)
            .with("elapsed", began.elapsed().as_secs())
    }
}

fn in_file(host: &dyn Look, path: &Path, regex: &Regex) -> Option<Found> {
    // A file that can't be read now (it is being replaced) is looked at again.
    let contents = host.read(path).ok().flatten()?;
    search(regex, &String::from_utf8_lossy(&contents))
}

fn search(regex: &Regex, text: &str) -> Option<Found> {
    let captures = regex.captures(text).ok().flatten()?;
    let of = |group: Option<fancy_regex::Match>| group.map(|it| it.as_str().to_owned()).into();
    let named = regex.capture_names().flatten();
    Some(Found {
        groups: captures.iter().skip(1).map(of).collect(),
        named: named.map(|name| (Str::from(name), of(captures.name(name)))).collect(),
    })
}

#[cfg(test)]
mod tests;
