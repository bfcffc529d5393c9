//! `blockinfile`: lines between two markers in a file.

use fancy_regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;

use super::copy::validation;
use super::lineinfile::compiled;
use crate::modules::api::{
    Diff, Edit, Fail, FileAttributes, HostPath, Look, Module, Outcome, Touch, read_to_edit, to_bytes, to_text,
};

/// Keep a block of lines in a text file, between two marker lines.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The file.
    #[serde(alias = "dest", alias = "destfile", alias = "name")]
    #[schemars(extend("x-aliases" = ["dest", "destfile", "name"]))]
    path: HostPath,
    /// Whether the block must be there.
    #[serde(default)]
    state: State,
    /// The lines between the markers. Nothing: the block goes, markers included.
    #[serde(default, alias = "content")]
    #[schemars(extend("x-aliases" = ["content"]))]
    block: String,
    /// The marker lines; `{mark}` becomes `marker_begin` and `marker_end`. Several blocks in a file need markers that
    /// differ.
    #[serde(default = "marker")]
    marker: String,
    /// What `{mark}` is in the first marker.
    #[serde(default = "begin")]
    marker_begin: String,
    /// What `{mark}` is in the last marker.
    #[serde(default = "end")]
    marker_end: String,
    /// Where a new block goes: after the last line that fits this regular expression, or at the end of the file (`EOF`).
    insertafter: Option<String>,
    /// Where a new block goes: before the last line that fits this regular expression, or at the beginning (`BOF`).
    insertbefore: Option<String>,
    /// Make the file if it is not there.
    #[serde(default)]
    create: bool,
    /// Keep the old contents under a name with date and time.
    #[serde(default)]
    backup: bool,
    /// A command that must succeed on the new contents before they are put in place; `%s` stands for the file.
    validate: Option<String>,
    /// An empty line after the block, unless the file ends there.
    #[serde(default)]
    append_newline: bool,
    /// An empty line before the block, unless the file begins there.
    #[serde(default)]
    prepend_newline: bool,
    /// Owner, group, permissions.
    #[serde(rename = "@file")]
    #[schemars(flatten)]
    attributes: FileAttributes,
}

/// Whether the block must be there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It must.
    #[default]
    Present,
    /// It must not.
    Absent,
}

fn marker() -> String {
    "# {mark} ANSIBLE MANAGED BLOCK".into()
}

fn begin() -> String {
    "BEGIN".into()
}

fn end() -> String {
    "END".into()
}

/// What must change, and what is said of it.
#[derive(Debug)]
pub struct Plan {
    edit: Edit,
    message: &'static str,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: A few settings
  blockinfile:
    path: /etc/ssh/sshd_config
    block: |
      Match User ansible
      PasswordAuthentication no
    validate: /usr/sbin/sshd -t -f %s

- name: One block for each name
  blockinfile:
    path: /etc/hosts
    marker: '# {mark} {{ item.name }}'
    block: '{{ item.address }} {{ item.name }}'
  loop: '{{ machines }}'
";
    const RETURNS: &'static str = "
msg: What was done (`Block inserted`, `Block removed`, `File created`).
backup_file: The old contents.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        Ok(self.look(host)?.filter(|plan| !plan.edit.is_empty()))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.look(host)?.map_or_else(
            || Outcome::unchanged().with("msg", "File not present"),
            |plan| plan.result(Outcome::unchanged()),
        ))
    }

    fn predicted(&self, plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(plan.result(Outcome::changed()))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        plan.edit.diff()
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let validate = validation(self.validate.as_deref())?;
        let backup = plan.edit.apply(host, &self.attributes, self.backup, validate)?;
        Ok(plan.result(Outcome::changed()).with_backup(backup))
    }
}

impl Plan {
    fn result(&self, outcome: Outcome) -> Outcome {
        outcome.with("msg", self.edit.message(self.message))
    }
}

fn bare(line: &str) -> &str {
    line.trim_end_matches(['\r', '\n'])
}

impl Args {
    /// What differs; `None`: a file that is not there and need not be.
    fn look(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        if self.insertafter.is_some() && self.insertbefore.is_some() {
            return Err(Fail::new("insertafter and insertbefore exclude each other"));
        }
        validation(self.validate.as_deref())?;
        let path = self.path.on(host);
        let before = read_to_edit(host, &path, self.create || self.state == State::Absent)?;
        if before.is_none() && self.state == State::Absent {
            return Ok(None);
        }
        let text = to_text(before.as_deref().unwrap_or_default());
        let lines: Vec<String> = text.split_inclusive('\n').map(str::to_owned).collect();
        let block = self.lines();
        let after = to_bytes(&self.placed(lines, &block)?.concat());
        let message = match &before {
            None => "File created",
            Some(before) if *before == after => "",
            Some(_) if block.is_empty() => "Block removed",
            Some(_) => "Block inserted",
        };
        Ok(Some(Plan { edit: Edit::plan(host, &path, before, after, &self.attributes)?, message }))
    }

    fn markers(&self) -> [String; 2] {
        [&self.marker_begin, &self.marker_end].map(|mark| self.marker.replace("{mark}", mark))
    }

    /// The block with its markers; nothing if it must not be there.
    fn lines(&self) -> Vec<String> {
        if self.state == State::Absent || self.block.is_empty() {
            return Vec::new();
        }
        let [begin, end] = self.markers();
        let inner = self.block.lines().map(|line| format!("{line}\n"));
        std::iter::once(format!("{begin}\n")).chain(inner).chain([format!("{end}\n")]).collect()
    }

    /// The file with the block in place of the old one, or where a new one goes.
    fn placed(&self, mut lines: Vec<String>, block: &[String]) -> Result<Vec<String>, Fail> {
        let [begin, end] = self.markers();
        let last = |marker: &str| lines.iter().rposition(|line| bare(line) == marker);
        let mut at = match (last(&begin), last(&end)) {
            (Some(begin), Some(end)) => {
                let (first, last) = (begin.min(end), begin.max(end));
                lines.drain(first..=last);
                first
            }
            _ => self.new_place(&lines)?,
        };
        if block.is_empty() {
            return Ok(lines);
        }
        if let Some(before) =
            at.checked_sub(1).and_then(|at| lines.get_mut(at)).filter(|it| !it.ends_with('\n'))
        {
            before.push('\n');
        }
        if self.prepend_newline && at != 0 && lines[at - 1] != "\n" {
            lines.insert(at, "\n".into());
            at += 1;
        }
        lines.splice(at..at, block.iter().cloned());
        let next = at + block.len();
        if self.append_newline && lines.get(next).is_some_and(|line| line != "\n") {
            lines.insert(next, "\n".into());
        }
        Ok(lines)
    }

    fn new_place(&self, lines: &[String]) -> Result<usize, Fail> {
        let find = |regex: &Regex| -> Result<Option<usize>, Fail> {
            let mut found = None;
            for (at, line) in lines.iter().enumerate() {
                if regex
                    .is_match(line)
                    .map_err(|error| Fail::new(format!("insertafter or insertbefore: {error}")))?
                {
                    found = Some(at);
                }
            }
            Ok(found)
        };
        let end = lines.len();
        match (self.insertafter.as_deref(), self.insertbefore.as_deref()) {
            (_, Some("BOF")) | (Some("BOF"), _) => Ok(0),
            (None | Some("EOF"), None) => Ok(end),
            (Some(text), _) => match compiled(Some(text), "insertafter")? {
                Some(regex) => Ok(find(&regex)?.map_or(end, |at| at + 1)),
                None => Ok(end),
            },
            (None, Some(text)) => match compiled(Some(text), "insertbefore")? {
                Some(regex) => Ok(find(&regex)?.unwrap_or(end)),
                None => Ok(end),
            },
        }
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::*;
    use crate::modules::api::fake::FakeHost;

    const B: &str = "# BEGIN ANSIBLE MANAGED BLOCK\n";
    const E: &str = "# END ANSIBLE MANAGED BLOCK\n";

    #[test]
    fn blocks_are_inserted_replaced_and_removed() {
        for (before, args, after, message) in [
            ("a\n".to_owned(), "block: x", format!("a\n{B}x\n{E}"), "Block inserted"),
            ("a".to_owned(), "block: \"x\\ny\\n\"", format!("a\n{B}x\ny\n{E}"), "Block inserted"),
            (format!("a\n{B}x\n{E}b\n"), "block: y", format!("a\n{B}y\n{E}b\n"), "Block inserted"),
            (format!("a\n{B}x\n{E}b\n"), "state: absent", "a\nb\n".to_owned(), "Block removed"),
            (format!("a\n{B}x\n{E}b\n"), "block: ''", "a\nb\n".to_owned(), "Block removed"),
            ("a\nb\n".to_owned(), "block: x, insertafter: ^a", format!("a\n{B}x\n{E}b\n"), "Block inserted"),
            ("a\nb\n".to_owned(), "block: x, insertbefore: ^b", format!("a\n{B}x\n{E}b\n"), "Block inserted"),
            ("a\n".to_owned(), "block: x, insertbefore: BOF", format!("{B}x\n{E}a\n"), "Block inserted"),
            ("a\n".to_owned(), "block: x, insertafter: ^z", format!("a\n{B}x\n{E}"), "Block inserted"),
            (
                "a\nb\n".to_owned(),
                "block: x, insertafter: ^a, prepend_newline: true, append_newline: true",
                format!("a\n\n{B}x\n{E}\nb\n"),
                "Block inserted",
            ),
            (
                String::new(),
                "block: x, marker: '; {mark}', marker_begin: a, marker_end: z",
                "; a\nx\n; z\n".to_owned(),
                "Block inserted",
            ),
        ] {
            let mut host = FakeHost::new().file("/f", before);
            let outcome = host.converge::<Args>(&format!("{{path: /f, {args}}}"));
            assert_eq!(
                (host.text("/f"), outcome.fields["msg"].to_string()),
                (after, message.into()),
                "{args}"
            );
        }
    }

    #[test]
    fn a_file_is_made_only_if_asked_for() {
        let mut host = FakeHost::new();
        assert_eq!(host.play::<Args>("{path: /f, block: x}").unwrap_err().msg, "Path /f does not exist !");
        assert!(!host.play::<Args>("{path: /f, state: absent}").unwrap().changed);
        let outcome = host.converge::<Args>("{path: /f, block: x, create: true, mode: '0600'}");
        assert_eq!((outcome.fields["msg"].to_string().as_str(), host.mode("/f")), ("File created", 0o600));
    }
}
