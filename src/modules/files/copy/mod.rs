//! `copy`, and the host's half of `template`: puts contents in place.
//!
//! What the controller's half hands over: a single file is one blob with an empty name, the name that it gets inside a
//! folder in `_original_basename`. A folder is one blob for everything in it, named by its path below `dest`: the
//! first blob is the folder itself, with an empty name if only its contents are wanted (`src` ended with a slash). Without blobs
//! the contents are those of `content`, or with `remote_src` those of `src` on the host.

mod items;
mod plan;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{
    Cmd, Diff, Fail, FileAttributes, HostPath, Look, Mode, Module, Outcome, Touch, split_words,
};
use plan::Plan;

/// Copy a file or a folder to the host, or write a text into a file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The file or folder on the controller; with `remote_src` on the host. A slash at the end of a folder: only what is
    /// in it.
    pub src: Option<HostPath>,
    /// The text itself, instead of `src`. A list or mapping is written as JSON.
    pub content: Option<String>,
    /// Where it goes. A file goes into `dest` if that is a folder or ends with a slash.
    pub dest: HostPath,
    /// Keep the old contents under a name with date and time.
    #[serde(default)]
    pub backup: bool,
    /// Replace a file with other contents. Off: only write what is not there yet.
    #[serde(default = "yes", alias = "thirsty")]
    #[schemars(extend("x-aliases" = ["thirsty"]))]
    pub force: bool,
    /// Permission bits of the folders of a copied folder. By default new ones get the system's.
    pub directory_mode: Option<Mode>,
    /// `src` is on the host.
    #[serde(default)]
    pub remote_src: bool,
    /// If `dest` is a link, write what it points to instead of replacing the link.
    #[serde(default)]
    pub follow: bool,
    /// Copy what links in a folder point to instead of the links.
    #[serde(default = "yes")]
    pub local_follow: bool,
    /// A command that must succeed on the new contents before they are put in place; `%s` stands for the file.
    pub validate: Option<String>,
    /// The SHA-1 that the contents must have.
    pub checksum: Option<String>,
    /// Decrypt a file that is a vault.
    #[serde(default = "yes")]
    pub decrypt: bool,
    /// The name of the file inside a folder. Set by the controller.
    #[serde(rename = "_original_basename")]
    pub original_basename: Option<String>,
    /// Owner, group, permissions. `mode: preserve` takes the source's.
    #[serde(rename = "@file")]
    #[schemars(flatten)]
    pub attributes: FileAttributes,
}

pub(in crate::modules::files) fn yes() -> bool {
    true
}

/// What `copy` and `template` return.
pub(in crate::modules::files) const RETURNS: &str = "
dest: The file or folder that was written.
src: Where it came from.
checksum: SHA-1 of the contents.
md5sum: MD5 of the contents, where they were written.
backup_file: The old contents.
mode: Permission bits as octal text.
uid: Number of the owner.
gid: Number of the group.
owner: The owner.
group: The group.
size: Bytes.
state: What it is.
";

/// The command that validates a file.
///
/// # Errors
/// A command without `%s`, or with a quote that is not closed.
pub(in crate::modules::files) fn validation(text: Option<&str>) -> Result<Option<Cmd>, Fail> {
    let Some(text) = text else { return Ok(None) };
    if !text.contains("%s") {
        return Err(Fail::new(format!("validate must contain %s: {text}")));
    }
    let words = split_words(text);
    words
        .map(|words| Some(Cmd::new(words)))
        .ok_or_else(|| Fail::new(format!("validate has an open quote: {text}")))
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: A configuration file
  copy:
    src: app.conf
    dest: /etc/app.conf
    owner: root
    group: root
    mode: \"0644\"
    backup: true

- name: A text
  copy:
    content: |
      # managed
      port = 80
    dest: /etc/app.d/port.conf

- name: Only what is valid
  copy:
    src: sudoers
    dest: /etc/sudoers
    validate: /usr/sbin/visudo -cf %s

- name: A file that is on the host already
  copy:
    src: /etc/app.conf.example
    dest: /etc/app.conf
    remote_src: true
    force: false
";
    const RETURNS: &'static str = RETURNS;
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        Ok(Some(Plan::new(self, host)?).filter(|plan| !plan.is_empty()))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        Plan::new(self, host)?.result(self, Outcome::unchanged(), host)
    }

    fn predicted(&self, plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        plan.result(self, Outcome::changed(), host)
    }

    fn show(&self, plan: &Plan, host: &dyn Look) -> Result<Vec<Diff>, Fail> {
        plan.diff(self, host)
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let backup = plan.apply(self, host)?;
        let outcome = plan.result(self, Outcome::changed(), host.as_look())?.with_backup(backup);
        plan.sums(outcome, host.as_look())
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests;
