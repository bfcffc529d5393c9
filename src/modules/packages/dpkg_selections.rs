//! `dpkg_selections`: what dpkg is to do with a package: install it, hold it, remove it.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Cmd, Diff, Fail, Look, Module, Outcome, Touch, Value};
use crate::modules::programs::program;

/// Set what is selected for a package in dpkg's database, for example hold it at its version.
///
/// Nothing is installed or removed by this; use `apt` for that.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The package.
    name: String,
    /// What is selected for it.
    selection: Selection,
}

/// What dpkg is to do with a package.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Selection {
    /// Have it installed.
    Install,
    /// Leave it at the version that it has.
    Hold,
    /// Remove it, not its configuration files.
    Deinstall,
    /// Remove it with its configuration files.
    Purge,
}

impl Selection {
    fn word(self) -> &'static str {
        match self {
            Selection::Install => "install",
            Selection::Hold => "hold",
            Selection::Deinstall => "deinstall",
            Selection::Purge => "purge",
        }
    }
}

/// The package's lines in dpkg's list: one for each of its architectures, none for a package that dpkg does not know.
#[derive(Debug)]
pub struct Plan {
    now: Vec<(String, String)>,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Keep the version of the kubelet
  dpkg_selections:
    name: kubelet
    selection: hold

- name: Let it be upgraded again
  dpkg_selections:
    name: kubelet
    selection: install
";
    const RETURNS: &'static str = "
before: What was selected; `not present` for a package that dpkg does not know.
after: What is selected.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let now = self.selected(host)?;
        let wanted = self.selection.word();
        let so = !now.is_empty() && now.iter().all(|(_, selection)| selection == wanted);
        Ok((!so).then_some(Plan { now }))
    }

    fn unchanged(&self, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::unchanged(), self.selection.word()))
    }

    fn predicted(&self, plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::changed(), plan.before()))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let side = |selection: &str| Value::from(format!("{} {selection}\n", self.name));
        vec![Diff { before: side(plan.before()), after: side(self.selection.word()), ..Diff::default() }]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let wanted = self.selection.word();
        if plan.now.is_empty() {
            let name = &self.name;
            return Err(Fail::new(format!("dpkg knows no package {name}, so it can't be set to {wanted}")));
        }
        let lines: String = plan.now.iter().map(|(name, _)| format!("{name} {wanted}\n")).collect();
        let cmd = Cmd::new(["dpkg", "--set-selections"]).env("LC_ALL", "C").stdin(lines);
        host.run(&cmd)?.success(&format!("selecting {wanted} for {}", self.name))?;
        Ok(self.describe(Outcome::changed(), plan.before()))
    }
}

impl Plan {
    /// What is selected now; if the architectures differ, what is selected for the first.
    fn before(&self) -> &str {
        self.now.first().map_or("not present", |(_, selection)| selection)
    }
}

impl Args {
    fn selected(&self, host: &dyn Look) -> Result<Vec<(String, String)>, Fail> {
        // A pattern would name several packages.
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "+-.:".contains(c);
        if !self.name.chars().all(fits) || !self.name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(Fail::new(format!("{:?} is no name of a package", self.name)));
        }
        let cmd = program(host, "dpkg", "dpkg")?.args(["--get-selections", &self.name]);
        let ran = host.query(&cmd)?.success("asking dpkg what is selected")?;
        let out = ran.out();
        let lines = out.lines().filter_map(|line| {
            let (name, selection) = line.split_once(char::is_whitespace)?;
            Some((name.to_owned(), selection.trim().to_owned()))
        });
        Ok(lines.collect())
    }

    fn describe(&self, outcome: Outcome, before: &str) -> Outcome {
        outcome.with("before", before).with("after", self.selection.word())
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::Args;
    use crate::modules::api::fake::FakeHost;

    /// A host whose dpkg lists `before` until something is set, then `after`.
    fn host(before: &str, after: &'static str) -> FakeHost {
        FakeHost::new().answer("dpkg --get-selections", 0, before).answer_with(
            "dpkg --set-selections",
            Default::default(),
            Some(Box::new(move |host| {
                *host = std::mem::take(host).answer("dpkg --get-selections kubelet", 0, after);
            })),
        )
    }

    #[test]
    fn a_package_is_held_once() {
        for (selection, before, after, stdin) in [
            ("hold", "kubelet\t\t\tinstall\n", "kubelet\t\thold\n", "kubelet hold\n"),
            ("install", "kubelet hold\n", "kubelet install\n", "kubelet install\n"),
            ("deinstall", "kubelet purge\n", "kubelet deinstall\n", "kubelet deinstall\n"),
            (
                "hold",
                "kubelet:amd64 hold\nkubelet:i386 install\n",
                "kubelet:amd64 hold\nkubelet:i386 hold\n",
                "kubelet:amd64 hold\nkubelet:i386 hold\n",
            ),
        ] {
            let mut host = host(before, after);
            let outcome = host.converge::<Args>(&format!("{{name: kubelet, selection: {selection}}}"));
            assert_eq!(host.stdin, stdin.as_bytes(), "{selection}");
            assert_eq!(outcome.fields["after"].as_str(), Some(selection));
        }
        let mut host = host("kubelet hold\n", "");
        let outcome = host.play::<Args>("{name: kubelet, selection: hold}").unwrap();
        assert_eq!((outcome.changed, outcome.fields["before"].as_str()), (false, Some("hold")));
        assert!(host.ran.is_empty());
    }

    #[test]
    fn a_package_that_dpkg_does_not_know_fails_when_it_matters() {
        let args = "{name: kubelet, selection: hold}";
        let predicted = host("", "").check::<Args>(args).unwrap();
        assert_eq!(predicted.fields["before"].as_str(), Some("not present"));
        let fail = host("", "").play::<Args>(args).unwrap_err();
        assert!(fail.msg.contains("no package kubelet"), "{}", fail.msg);
        assert!(FakeHost::new().play::<Args>(args).unwrap_err().msg.contains("install dpkg"));
    }

    #[test]
    fn names_that_are_none_are_refused() {
        for name in ["''", "'*'", "'-x'", "'a b'", "'a?'"] {
            let args = format!("{{name: {name}, selection: hold}}");
            assert!(host("", "").play::<Args>(&args).is_err(), "{name}");
        }
    }
}
