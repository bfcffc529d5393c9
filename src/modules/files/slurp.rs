//! `slurp`: a file's contents as a result.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Fail, FileKind, HostPath, Look, Module, Outcome, Support, Touch};

/// The largest file that fits into a result.
const MOST: u64 = 32 << 20;

/// Read a file of the host into a variable, in base64.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The file.
    #[serde(alias = "path")]
    #[schemars(extend("x-aliases" = ["path"]))]
    src: HostPath,
}

impl Module for Args {
    const SUPPORT: Support = Support::NO_DIFF;
    const EXAMPLES: &'static str = "
- name: The host's key
  slurp:
    src: /etc/ssh/ssh_host_ed25519_key.pub
  register: key

- name: As text
  debug:
    msg: \"{{ key.content | b64decode }}\"
";
    const RETURNS: &'static str = "
content: The contents in base64.
encoding: The word base64.
source: The file.
";
    type Plan = ();

    fn plan(&self, _host: &dyn Look) -> Result<Option<()>, Fail> {
        Ok(None)
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let path = self.src.on(host);
        let shown = path.to_string_lossy();
        let Some(stat) = host.stat(&path, true)? else {
            return Err(Fail::new(format!("file not found: {shown}")));
        };
        if stat.kind == FileKind::Directory {
            return Err(Fail::new(format!("source is a directory and must be a file: {shown}")));
        }
        if stat.size > MOST {
            return Err(Fail::new(format!("{shown} is larger than 32 MiB: use fetch")));
        }
        if !host.access(&path, 4) {
            return Err(Fail::new(format!("file is not readable: {shown}")));
        }
        let contents = host.read(&path)?.unwrap_or_default();
        Ok(Outcome::unchanged()
            .with("content", STANDARD.encode(contents))
            .with("source", &*shown)
            .with("encoding", "base64"))
    }

    fn apply(&self, (): (), host: &mut dyn Touch) -> Result<Outcome, Fail> {
        self.unchanged(host.as_look())
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::*;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn contents_come_in_base64() {
        let mut host = FakeHost::new().file("/etc/x", "hello\n");
        let outcome = host.play::<Args>("src: /etc/x").unwrap();
        assert_eq!(outcome.fields["content"].to_string(), "aGVsbG8K");
        assert!(!outcome.changed);
        for (path, message) in
            [("/none", "file not found: /none"), ("/etc", "source is a directory and must be a file: /etc")]
        {
            assert_eq!(host.play::<Args>(&format!("src: {path}")).unwrap_err().msg, message);
        }
    }
}
