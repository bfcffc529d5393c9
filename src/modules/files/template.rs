//! `template`: the controller renders the file and offers the text as the call's only blob; on the host it is `copy`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::copy::{self, RETURNS, yes};
use crate::modules::api::{Diff, Fail, FileAttributes, HostPath, Look, Module, Outcome, Touch};

/// Render a template of the controller into a file of the host.
///
/// In the template stands also `ansible_managed`. Newlines at its end stay.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The template on the controller; a relative one is looked for in the role's `templates` and beside the playbook.
    pub src: String,
    /// The file on the host, or the folder that it goes into.
    pub dest: HostPath,
    /// Keep the old contents under a name with date and time.
    #[serde(default)]
    pub backup: bool,
    /// Replace a file with other contents. Off: only write what is not there yet.
    #[serde(default = "yes")]
    pub force: bool,
    /// If `dest` is a link, write what it points to instead of replacing the link.
    #[serde(default)]
    pub follow: bool,
    /// A command that must succeed on the new contents before they are put in place; `%s` stands for the file.
    pub validate: Option<String>,
    /// What ends the lines.
    #[serde(default)]
    pub newline_sequence: Newline,
    /// What begins a block. By default `{%`.
    pub block_start_string: Option<String>,
    /// What ends a block. By default `%}`.
    pub block_end_string: Option<String>,
    /// What begins an expression. By default `{{`.
    pub variable_start_string: Option<String>,
    /// What ends an expression. By default `}}`.
    pub variable_end_string: Option<String>,
    /// What begins a comment. By default `{#`.
    pub comment_start_string: Option<String>,
    /// What ends a comment. By default `#}`.
    pub comment_end_string: Option<String>,
    /// Take the newline after a block away.
    #[serde(default = "yes")]
    pub trim_blocks: bool,
    /// Take the spaces before a block away.
    #[serde(default)]
    pub lstrip_blocks: bool,
    /// The encoding of the file.
    #[serde(default = "utf8")]
    pub output_encoding: String,
    /// The name of the file inside a folder. Set by the controller.
    #[serde(rename = "_original_basename")]
    pub original_basename: Option<String>,
    /// Owner, group, permissions. `mode: preserve` takes the template's.
    #[serde(rename = "@file")]
    #[schemars(flatten)]
    pub attributes: FileAttributes,
}

/// What ends a line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
pub enum Newline {
    /// As everywhere on Linux.
    #[default]
    #[serde(rename = "\\n", alias = "\n")]
    Lf,
    /// As on old Macs.
    #[serde(rename = "\\r", alias = "\r")]
    Cr,
    /// As on Windows.
    #[serde(rename = "\\r\\n", alias = "\r\n")]
    CrLf,
}

fn utf8() -> String {
    "utf-8".into()
}

impl Args {
    /// What is left to do once the text is rendered.
    fn copy(&self) -> copy::Args {
        copy::Args {
            src: Some(HostPath::new(self.src.as_str())),
            content: None,
            dest: self.dest.clone(),
            backup: self.backup,
            force: self.force,
            directory_mode: None,
            remote_src: false,
            follow: self.follow,
            local_follow: true,
            validate: self.validate.clone(),
            checksum: None,
            decrypt: true,
            original_basename: self.original_basename.clone(),
            attributes: self.attributes.clone(),
        }
    }
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: The web server's configuration
  template:
    src: nginx.conf.j2
    dest: /etc/nginx/nginx.conf
    owner: root
    group: root
    mode: \"0644\"
    validate: nginx -t -c %s
  notify: Reload nginx
";
    const RETURNS: &'static str = RETURNS;
    type Plan = <copy::Args as Module>::Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Self::Plan>, Fail> {
        self.copy().plan(host)
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        self.copy().unchanged(host)
    }

    fn predicted(&self, plan: &Self::Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        self.copy().predicted(plan, host)
    }

    fn show(&self, plan: &Self::Plan, host: &dyn Look) -> Result<Vec<Diff>, Fail> {
        self.copy().show(plan, host)
    }

    fn apply(&self, plan: Self::Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        self.copy().apply(plan, host)
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::*;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn the_rendered_text_is_put_in_place() {
        let mut host = FakeHost::new().blob("", 0o640, "port = 80\n");
        let args = "{src: app.conf.j2, dest: /etc/app.conf, mode: preserve, newline_sequence: '\\n'}";
        let outcome = host.converge::<Args>(args);
        assert_eq!((host.text("/etc/app.conf").as_str(), host.mode("/etc/app.conf")), ("port = 80\n", 0o640));
        assert_eq!(outcome.fields["src"].to_string(), "app.conf.j2");
    }
}
