//! `replace`: every match of a regular expression in a file.

use schemars::JsonSchema;
use serde::Deserialize;

use super::copy::validation;
use crate::modules::api::{
    Diff, Edit, Fail, FileAttributes, HostPath, Look, Module, Outcome, Touch, read_to_edit, to_bytes, to_text,
};
use crate::pattern;

/// Replace everything in a text file that fits a regular expression.
///
/// Make sure that the new text does not fit again, else every run changes the file.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The file.
    #[serde(alias = "dest", alias = "destfile", alias = "name")]
    #[schemars(extend("x-aliases" = ["dest", "destfile", "name"]))]
    path: HostPath,
    /// What to replace; `^` and `$` fit at every line.
    regexp: String,
    /// The new text, with groups as `\1` or `\g<name>`. By default nothing: what fits goes.
    #[serde(default)]
    replace: String,
    /// Only after what fits this regular expression.
    after: Option<String>,
    /// Only before what fits this regular expression.
    before: Option<String>,
    /// Keep the old contents under a name with date and time.
    #[serde(default)]
    backup: bool,
    /// A command that must succeed on the new contents before they are put in place; `%s` stands for the file.
    validate: Option<String>,
    /// Owner, group, permissions.
    #[serde(rename = "@file")]
    #[schemars(flatten)]
    attributes: FileAttributes,
}

/// What must change, and what is said of it.
#[derive(Debug)]
pub struct Plan {
    edit: Edit,
    message: String,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Another host name everywhere
  replace:
    path: /etc/hosts
    regexp: '(\\s+)old\\.host\\.name(\\s+.*)?$'
    replace: '\\1new.host.name\\2'

- name: Only inside a section
  replace:
    path: /etc/app.conf
    after: '\\[server\\]'
    before: '\\[client\\]'
    regexp: '^port = .*$'
    replace: port = 8080
";
    const RETURNS: &'static str = "
msg: How many replacements were made.
backup_file: The old contents.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        Ok(Some(self.look(host)?).filter(|plan| !plan.edit.is_empty()))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.look(host)?.result(Outcome::unchanged()))
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
        outcome.with("msg", self.edit.message(&self.message))
    }
}

impl Args {
    fn look(&self, host: &dyn Look) -> Result<Plan, Fail> {
        validation(self.validate.as_deref())?;
        let path = self.path.on(host);
        let before = read_to_edit(host, &path, false)?.unwrap_or_default();
        let text = to_text(&before);
        let (message, after) = match self.section(&text)? {
            None => {
                let what = format!(
                    "Pattern for before/after params did not match the given file: {}",
                    self.subsection().unwrap_or_default()
                );
                (what, before.clone())
            }
            Some((start, end)) => {
                let (new, count) = self.replaced(&text[start..end])?;
                let changed = count > 0 && new != text[start..end];
                let message = if changed { format!("{count} replacements made") } else { String::new() };
                let whole = [&text[..start], &new, &text[end..]].concat();
                (message, if changed { to_bytes(&whole) } else { before.clone() })
            }
        };
        Ok(Plan { edit: Edit::plan(host, &path, Some(before), after, &self.attributes)?, message })
    }

    /// The regular expression that finds the section to work in.
    fn subsection(&self) -> Option<String> {
        match (&self.after, &self.before) {
            (Some(after), Some(before)) => Some(format!("{after}(?P<subsection>.*?){before}")),
            (Some(after), None) => Some(format!("{after}(?P<subsection>.*)")),
            (None, Some(before)) => Some(format!("(?P<subsection>.*){before}")),
            (None, None) => None,
        }
    }

    /// Where the section is; `None`: not there.
    fn section(&self, text: &str) -> Result<Option<(usize, usize)>, Fail> {
        let Some(subsection) = self.subsection() else { return Ok(Some((0, text.len()))) };
        let regex = pattern::compile(&format!("(?s){subsection}"), false, false)
            .map_err(|why| Fail::new(format!("after or before: {why}")))?;
        let found = regex.captures(text).map_err(|error| works_not(&error))?;
        Ok(found.and_then(|found| found.name("subsection").map(|it| (it.start(), it.end()))))
    }

    fn replaced(&self, text: &str) -> Result<(String, usize), Fail> {
        let regex =
            pattern::compile(&self.regexp, false, true).map_err(|why| Fail::new(format!("regexp: {why}")))?;
        let (mut out, mut from, mut count) = (String::with_capacity(text.len()), 0, 0);
        for found in regex.captures_iter(text) {
            let found = found.map_err(|error| works_not(&error))?;
            let Some(whole) = found.get(0) else { continue };
            out.push_str(&text[from..whole.start()]);
            pattern::expand(&self.replace, &found, &mut out)
                .map_err(|why| Fail::new(format!("replace: {why}")))?;
            from = whole.end();
            count += 1;
        }
        out.push_str(&text[from..]);
        Ok((out, count))
    }
}

fn works_not(error: &fancy_regex::Error) -> Fail {
    Fail::new(format!("the regular expression does not work out: {error}"))
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::*;
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn everything_that_fits_is_replaced() {
        for (before, args, after) in [
            ("a=1\nb=1\n", "regexp: '=1$', replace: '=2'", "a=2\nb=2\n"),
            ("# a\nb\n", "regexp: '^#.*\\n'", "b\n"),
            ("x 1\n", "regexp: '(?P<w>\\w) (\\d)', replace: '\\2\\g<w>'", "1x\n"),
            (
                "a\n[s]\na\n[t]\na\n",
                "regexp: ^a$, replace: b, after: '\\[s\\]', before: '\\[t\\]'",
                "a\n[s]\nb\n[t]\na\n",
            ),
            ("a\n[s]\na\n", "regexp: ^a$, replace: b, before: '\\[s\\]'", "b\n[s]\na\n"),
            ("a\n[s]\na\n", "regexp: ^a$, replace: b, after: '\\[s\\]'", "a\n[s]\nb\n"),
        ] {
            let mut host = FakeHost::new().file("/f", before);
            let outcome = host.converge::<Args>(&format!("{{path: /f, {args}}}"));
            assert_eq!(host.text("/f"), after, "{args}");
            assert!(outcome.fields["msg"].to_string().ends_with("replacements made"));
        }
    }

    #[test]
    fn what_does_not_fit_stays() {
        let mut host = FakeHost::new().file("/f", "a\n");
        for args in
            ["{path: /f, regexp: z}", "{path: /f, regexp: a, replace: a}", "{path: /f, regexp: a, after: z}"]
        {
            assert!(!host.play::<Args>(args).unwrap().changed, "{args}");
        }
        let fail = host.play::<Args>("{path: /none, regexp: a}").unwrap_err();
        assert_eq!(
            (fail.msg.as_str(), fail.fields["rc"].as_int()),
            ("Path /none does not exist !", Some(257))
        );
        assert!(host.play::<Args>("{path: /f, regexp: '('}").is_err());
        assert!(host.play::<Args>("{path: /f, regexp: a, replace: '\\9'}").is_err());
    }
}
