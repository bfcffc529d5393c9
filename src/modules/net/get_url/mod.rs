//! `get_url`: a file from the network. It flows into a temporary file beside its place and is checked on the way; the
//! place changes only when all is well and something differs. `checksum` knows checksums, `modules::http` the network.

mod checksum;

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{
    AttributePlan, Context, Diff, Fail, FileAttributes, FileKind, HostPath, Look, Map, Module, Outcome,
    Support, Touch, Value, Write, describe,
};
use crate::modules::http::{Answer, Call, disposition_name, file_name, http_date, without_password};
use crate::secret::Secret;
use checksum::{Checksum, Digests};

/// Download a file.
///
/// A file that is there already is asked for only if the server has a newer one, or if it does not have the
/// `checksum`. Certificates are checked against those that the host trusts, and the proxies of the environment are
/// used.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is an argument of its own")]
pub struct Args {
    /// Where it is: an `http`, `https` or `file` URL.
    url: String,
    /// Where it goes. In a folder it gets the name that the server or the URL gives it.
    dest: HostPath,
    /// What it must be: `sha256:` (or another algorithm) and the digest, or and a URL of a list of digests.
    #[serde(default)]
    checksum: Option<String>,
    /// The SHA-256 digest; an old form of `checksum`.
    #[serde(default)]
    sha256sum: Option<String>,
    /// Download it every time, and replace the file if it differs.
    #[serde(default)]
    force: bool,
    /// Keep the old file under a name with date and time.
    #[serde(default)]
    backup: bool,
    /// Accepted and without effect: the temporary file is always beside `dest`, so that it can be renamed.
    #[serde(default)]
    #[expect(dead_code, reason = "documented as without effect")]
    tmp_dest: Option<String>,
    /// More headers: a mapping, or text of the form `name:value,name:value`.
    #[serde(default)]
    headers: Option<Value>,
    /// Seconds to wait for a connection and for each piece of the answer.
    #[serde(default = "ten")]
    timeout: u64,
    /// The user name for basic authentication.
    #[serde(default, alias = "username")]
    #[schemars(extend("x-aliases" = ["username"]))]
    url_username: Option<String>,
    /// The password for basic authentication.
    #[serde(default, alias = "password")]
    #[schemars(extend("x-aliases" = ["password"]))]
    url_password: Option<Secret>,
    /// Send user name and password at once, not only when the server asks.
    #[serde(default)]
    force_basic_auth: bool,
    /// Check the server's certificate.
    #[serde(default = "yes")]
    validate_certs: bool,
    /// Use the proxies of the environment.
    #[serde(default = "yes")]
    use_proxy: bool,
    /// The `User-Agent`.
    #[serde(default = "agent")]
    http_agent: String,
    /// A file with the client's certificate, and perhaps its key.
    #[serde(default)]
    client_cert: Option<HostPath>,
    /// A file with the key of the client's certificate.
    #[serde(default)]
    client_key: Option<HostPath>,
    /// Unpack an answer that the server compressed for the way. Always done; `false` is refused.
    #[serde(default = "yes")]
    decompress: bool,
    #[serde(rename = "@file")]
    #[schemars(flatten)]
    file: FileAttributes,
}

fn ten() -> u64 {
    10
}

fn yes() -> bool {
    true
}

fn agent() -> String {
    "ansible-httpget".into()
}

/// What must be done.
#[derive(Debug)]
pub enum Plan {
    /// The file is right; its attributes are not.
    Attributes(PathBuf, AttributePlan),
    /// Ask the server.
    #[expect(private_interfaces, reason = "nobody but this module looks inside")]
    Fetch(Fetch),
}

/// A download to be done.
#[derive(Debug)]
struct Fetch {
    dest: PathBuf,
    /// Whether `dest` is a folder, so that the name is still to come.
    folder: bool,
    checksum: Option<Checksum>,
    /// The time of the file that is there, if only a newer one is wanted.
    since: Option<f64>,
}

impl Module for Args {
    const SUPPORT: Support = Support::FULL;
    const EXAMPLES: &'static str = "
- name: Download a program and check it
  get_url:
    url: https://example.org/tool-1.0.tar.gz
    dest: /opt/tool.tar.gz
    checksum: sha256:https://example.org/tool-1.0.sha256
    mode: '0644'

- name: A key for a package repository
  get_url:
    url: https://example.org/key.asc
    dest: /etc/apt/keyrings/example.asc
    mode: '0644'
    force: true
";
    const RETURNS: &'static str = "
url: Where it was.
dest: Where it is.
checksum_src: The SHA-1 digest of what was downloaded.
checksum_dest: The SHA-1 digest of what was there before.
md5sum: The MD5 digest of what was downloaded.
size: Its size in bytes.
status_code: What the server answered.
msg: The same in words.
elapsed: How many seconds it took.
backup_file: Where the old file is kept.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        if !self.decompress {
            return Err(Fail::new(
                "decompress: false is not supported: what is compressed for the way is unpacked",
            ));
        }
        let dest = self.dest.on(host);
        let there = host.stat(&dest, true)?;
        let folder = there.as_ref().is_some_and(|stat| stat.kind == FileKind::Directory);
        let checksum = self.wanted(host)?;
        let mut since = None;
        if let Some(stat) = there.filter(|_| !folder && !self.force) {
            match &checksum {
                None => since = Some(stat.mtime),
                Some(wanted) if host.digest(&dest, &wanted.algorithm)?.as_ref() == Some(&wanted.digest) => {
                    let plan = self.file.plan(host, &dest, true)?;
                    return Ok((!plan.is_empty()).then_some(Plan::Attributes(dest, plan)));
                }
                Some(_) => {}
            }
        }
        Ok(Some(Plan::Fetch(Fetch { dest, folder, checksum, since })))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let dest = self.dest.on(host);
        let outcome = self.outcome(&dest).with("msg", "file already exists");
        describe(outcome.with("elapsed", 0), host, &dest)
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let (mut before, mut after) = (Map::new(), Map::new());
        match plan {
            Plan::Attributes(_, plan) => plan.diff(&mut before, &mut after),
            Plan::Fetch(_) => return Vec::new(),
        }
        vec![Diff { before: before.into(), after: after.into(), ..Diff::default() }]
    }

    fn predicted(&self, plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        match plan {
            Plan::Attributes(dest, _) => {
                let outcome = Outcome { changed: true, ..self.outcome(dest) };
                Ok(outcome.with("msg", "file already exists but file attributes changed").with("elapsed", 0))
            }
            Plan::Fetch(fetch) => self.foresee(fetch, host),
        }
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        match plan {
            Plan::Attributes(dest, plan) => {
                plan.apply(host)?;
                let outcome = Outcome { changed: true, ..self.outcome(&dest) };
                let outcome = outcome.with("msg", "file already exists but file attributes changed");
                describe(outcome.with("elapsed", 0), host.as_look(), &dest)
            }
            Plan::Fetch(fetch) => self.fetch(&fetch, host),
        }
    }
}

impl Args {
    fn outcome(&self, dest: &Path) -> Outcome {
        Outcome::unchanged()
            .with("url", without_password(&self.url))
            .with("dest", dest.to_string_lossy().into_owned())
    }

    fn call<'a>(&'a self, method: &'a str, url: &'a str) -> Result<Call<'a>, Fail> {
        let login = self
            .url_username
            .as_ref()
            .map(|name| (name.clone(), self.url_password.clone().unwrap_or_else(|| Secret::new(""))));
        Ok(Call {
            method,
            headers: headers(self.headers.as_ref())?,
            timeout: Duration::from_secs(self.timeout.max(1)),
            login,
            login_first: self.force_basic_auth,
            verify: self.validate_certs,
            use_proxy: self.use_proxy,
            agent: &self.http_agent,
            client: self.client_cert.clone().map(|cert| (cert, self.client_key.clone())),
            ..Call::get(url)
        })
    }

    /// Asks the server; `None`: it has nothing newer.
    fn ask(&self, method: &str, fetch: &Fetch, host: &dyn Look) -> Result<Option<Answer>, Fail> {
        let mut call = self.call(method, &self.url)?;
        if let Some(since) = fetch.since {
            call.headers.push(("If-Modified-Since".into(), http_date(since)));
        } else if self.force {
            call.headers.push(("Cache-Control".into(), "no-cache".into()));
        }
        let named = |fail: Fail| {
            let dest = fetch.dest.to_string_lossy().into_owned();
            fail.with("url", without_password(&self.url)).with("dest", dest)
        };
        let answer = call
            .send(host)
            .map_err(|fail| named(Fail { msg: format!("Request failed: {}", fail.msg), ..fail }))?;
        if answer.status == 304 && fetch.since.is_some() {
            return Ok(None);
        }
        if !answer.ok() {
            return Err(named(
                Fail::new(format!(
                    "Request failed: {}: HTTP Error {}",
                    without_password(&self.url),
                    answer.error()
                ))
                .with("status_code", i64::from(answer.status))
                .with("response", format!("HTTP Error {}", answer.error())),
            ));
        }
        Ok(Some(answer))
    }

    /// Check mode: a file that is there is compared with what flows by; nothing is written.
    fn foresee(&self, fetch: &Fetch, host: &dyn Look) -> Result<Outcome, Fail> {
        let compare = !fetch.folder && host.stat(&fetch.dest, true)?.is_some();
        let sure = fetch.checksum.is_some() || !compare;
        let Some(answer) = self.ask(if sure { "HEAD" } else { "GET" }, fetch, host)? else {
            return self.not_modified(fetch, host);
        };
        let (dest, status) = (place(fetch, &answer), answer.status);
        let before = host.digest(&dest, "sha1")?;
        let mut outcome = self.outcome(&dest).with("status_code", i64::from(status));
        outcome.changed = before.is_none() || fetch.checksum.is_some() || fetch.folder;
        if !sure {
            let mut digests = Digests::new(answer.body, &["sha1"])?;
            io::copy(&mut digests, &mut io::sink())
                .about(|| format!("downloading {}", without_password(&self.url)))?;
            let now = digests.hex("sha1");
            outcome.changed = before.as_ref() != Some(&now) || !self.file.plan(host, &dest, true)?.is_empty();
            outcome = outcome.with("checksum_src", now);
        }
        Ok(outcome.with("checksum_dest", before))
    }

    fn not_modified(&self, fetch: &Fetch, host: &dyn Look) -> Result<Outcome, Fail> {
        let plan = self.file.plan(host, &fetch.dest, true)?;
        let outcome = Outcome { changed: !plan.is_empty(), ..self.outcome(&fetch.dest) };
        let outcome = outcome.with("status_code", 304).with("msg", "HTTP Error 304: Not Modified");
        describe(outcome.with("elapsed", 0), host, &fetch.dest)
    }

    fn fetch(&self, fetch: &Fetch, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let began = host.now();
        let Some(answer) = self.ask("GET", fetch, host.as_look())? else {
            let outcome = self.not_modified(fetch, host.as_look())?;
            self.file.enforce(host, &fetch.dest, true)?;
            return describe(outcome, host.as_look(), &fetch.dest);
        };
        let dest = place(fetch, &answer);
        self.check_folder(host.as_look(), &dest)?;
        let status = answer.status;
        let before = host.digest(&dest, "sha1")?;
        let algorithm = fetch.checksum.as_ref().map_or("sha1", |it| it.algorithm.as_str());
        let mut digests = Digests::new(answer.body, &["sha1", "md5", algorithm])?;
        let how = Write { backup: self.backup, ..self.file.write(host.as_look(), &dest)? };
        // What is equal is not written again: the write is given up where it would be put in place.
        let mut same = false;
        let mut fill = |file: &mut std::fs::File| {
            io::copy(&mut digests, file).about(|| format!("downloading {}", without_password(&self.url)))?;
            if let Some(wanted) = &fetch.checksum {
                self.compare(wanted, &digests.hex(&wanted.algorithm))?;
            }
            same = before.as_deref() == Some(digests.hex("sha1").as_str());
            if same { Err(Fail::new("it is there already")) } else { Ok(()) }
        };
        let written = host.write_with(&dest, &mut fill, &how);
        let backup = match written {
            Err(_) if same => None,
            other => other?,
        };
        let attributes = self.file.enforce(host, &dest, true)?;
        let elapsed = host.now().duration_since(began).map_or(0, |it| it.as_secs());
        let outcome = Outcome { changed: !same || attributes, ..self.outcome(&dest) }
            .with("checksum_src", digests.hex("sha1"))
            .with("checksum_dest", before)
            .with("md5sum", digests.hex("md5"))
            .with("src", without_password(&self.url))
            .with("status_code", i64::from(status))
            .with("msg", format!("OK ({} bytes)", digests.size))
            .with("elapsed", elapsed);
        describe(outcome.with_backup(backup), host.as_look(), &dest)
    }

    fn check_folder(&self, host: &dyn Look, dest: &Path) -> Result<(), Fail> {
        let folder = dest.parent().unwrap_or(Path::new("/"));
        if host.stat(folder, true)?.is_none() {
            return Err(Fail::new(format!("Destination {} does not exist", folder.display()))
                .with("url", without_password(&self.url))
                .with("dest", dest.to_string_lossy().into_owned()));
        }
        Ok(())
    }

    fn compare(&self, wanted: &Checksum, found: &str) -> Result<(), Fail> {
        if found == wanted.digest {
            return Ok(());
        }
        let url = without_password(&self.url);
        Err(Fail::new(format!("The checksum for {url} did not match {}; it was {found}.", wanted.digest))
            .with("url", url)
            .with("checksum_src", found))
    }
}

/// Where the file goes, once the server may have named it.
fn place(fetch: &Fetch, answer: &Answer) -> PathBuf {
    if !fetch.folder {
        return fetch.dest.clone();
    }
    let offered = answer.header("content-disposition").and_then(disposition_name);
    fetch.dest.join(offered.unwrap_or_else(|| file_name(&answer.url)))
}

fn headers(given: Option<&Value>) -> Result<Vec<(String, String)>, Fail> {
    match given {
        None => Ok(Vec::new()),
        Some(Value::Map(map)) => {
            Ok(map.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect())
        }
        Some(Value::Str(text)) => text
            .split(',')
            .map(|pair| {
                let (name, value) = pair.split_once(':').ok_or_else(|| {
                    Fail::new("The string representation for the `headers` parameter requires a key:value,key:value form")
                })?;
                Ok((name.trim().to_owned(), value.trim().to_owned()))
            })
            .collect(),
        Some(other) => Err(Fail::new(format!("headers must be a mapping, but is {}", other.type_name()))),
    }
}

#[cfg(test)]
mod tests;
