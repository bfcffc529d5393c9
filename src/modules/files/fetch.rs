//! `fetch`: the host's half sends a file. Where it goes on the controller, the controller alone decides; it says in
//! `_have_sha1` what it has there already.

use schemars::JsonSchema;
use serde::Deserialize;

use super::copy::yes;
use crate::modules::api::{Fail, FileKind, HostPath, Look, Module, Outcome, Support, Touch, Value};

/// Fetch a file of the host to the controller.
///
/// It goes to `dest/HOST/path/of/the/file`, or with `flat` to `dest` itself.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The file on the host.
    pub src: HostPath,
    /// The folder on the controller; with `flat` the file.
    pub dest: String,
    /// Don't make folders for the host and the path.
    #[serde(default)]
    pub flat: bool,
    /// Fail if the file is not there.
    #[serde(default = "yes")]
    pub fail_on_missing: bool,
    /// Compare what arrived with what was read.
    #[serde(default = "yes")]
    pub validate_checksum: bool,
    /// SHA-1 of what the controller has already. Set by the controller.
    #[serde(default, rename = "_have_sha1")]
    pub have_sha1: String,
}

impl Module for Args {
    const SUPPORT: Support = Support::NO_DIFF;
    const EXAMPLES: &'static str = "
- name: One log of each host
  fetch:
    src: /var/log/app.log
    dest: logs

- name: The one certificate of all
  fetch:
    src: /etc/pki/ca.crt
    dest: files/ca.crt
    flat: true
  run_once: true
";
    const RETURNS: &'static str = "
dest: The file on the controller.
checksum: SHA-1 of the contents.
md5sum: MD5 of the contents.
file: The file on the host, if nothing was fetched.
msg: Why nothing was fetched.
";
    /// SHA-1 of what is there.
    type Plan = String;

    fn plan(&self, host: &dyn Look) -> Result<Option<String>, Fail> {
        let Some(sha1) = self.look(host)? else { return Ok(None) };
        Ok((sha1 != self.have_sha1).then_some(sha1))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let path = self.src.on(host);
        let outcome = Outcome::unchanged().with("file", path.to_string_lossy().into_owned());
        let Some(sha1) = self.look(host)? else {
            return Ok(outcome.with("msg", "the remote file does not exist, not transferring, ignored"));
        };
        Ok(outcome
            .with("dest", self.dest.as_str())
            .with("checksum", sha1)
            .with("md5sum", host.digest(&path, "md5")?))
    }

    fn predicted(&self, plan: &String, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(Outcome::changed().with("dest", self.dest.as_str()).with("checksum", plan.as_str()))
    }

    fn apply(&self, plan: String, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let path = self.src.on(host.as_look());
        host.send(&path)?;
        let sum = if self.validate_checksum { plan.as_str() } else { "" };
        Ok(Outcome::changed()
            .with("dest", self.dest.as_str())
            .with("checksum", sum)
            .with("remote_checksum", plan.as_str())
            .with("md5sum", host.digest(&path, "md5")?)
            .with("remote_md5sum", Value::Null))
    }
}

impl Args {
    /// SHA-1 of the file; `None` if it is not there and need not be.
    fn look(&self, host: &dyn Look) -> Result<Option<String>, Fail> {
        let path = self.src.on(host);
        let shown = path.to_string_lossy().into_owned();
        let fail = |message: &str| Fail::new(message).with("file", shown.as_str());
        match host.stat(&path, true)? {
            None if self.fail_on_missing => Err(fail("the remote file does not exist")),
            None => Ok(None),
            Some(stat) if stat.kind == FileKind::Directory => {
                Err(fail("remote file is a directory, fetch cannot work on directories"))
            }
            Some(_) => host.digest(&path, "sha1"),
        }
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::*;
    use crate::modules::api::fake::FakeHost;

    const ABC: &str = "a9993e364706816aba3e25717850c26c9cd0d89d";

    #[test]
    fn a_file_is_sent_once() {
        let mut host = FakeHost::new().file("/etc/x", "abc");
        assert!(host.check::<Args>("{src: /etc/x, dest: /d/x}").unwrap().changed);
        assert!(host.sent.is_empty());
        let outcome = host.play::<Args>("{src: /etc/x, dest: /d/x}").unwrap();
        assert_eq!((outcome.changed, outcome.fields["checksum"].to_string()), (true, ABC.into()));
        assert_eq!(host.sent, b"abc");
        let again = format!("{{src: /etc/x, dest: /d/x, _have_sha1: {ABC}}}");
        let outcome = host.play::<Args>(&again).unwrap();
        assert_eq!((outcome.changed, outcome.fields["file"].to_string()), (false, "/etc/x".into()));
    }

    #[test]
    fn what_is_not_there_fails_unless_it_may_be_missing() {
        let mut host = FakeHost::new();
        let fail = host.play::<Args>("{src: /none, dest: d}").unwrap_err();
        assert_eq!(fail.msg, "the remote file does not exist");
        let outcome = host.play::<Args>("{src: /none, dest: d, fail_on_missing: false}").unwrap();
        assert!(!outcome.changed);
        assert!(outcome.fields["msg"].to_string().ends_with("ignored"));
        assert!(host.play::<Args>("{src: /etc, dest: d}").is_err());
    }
}
