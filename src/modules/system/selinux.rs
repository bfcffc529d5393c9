//! `selinux`: what SELinux does, now and after the next start.

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{
    Cmd, Diff, Edit, Fail, FileAttributes, HostPath, Look, Module, Outcome, Touch, read_to_edit, to_bytes,
    to_text,
};

/// Set the mode and the policy of SELinux.
///
/// The mode changes at once where that is possible; switching SELinux on or off takes effect with the next start, which
/// `reboot_required` says.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The policy (`targeted`). Needed unless SELinux is to be off.
    policy: Option<String>,
    /// The mode.
    state: State,
    /// The configuration file.
    #[serde(default = "config", alias = "conf", alias = "file")]
    #[schemars(extend("x-aliases" = ["conf", "file"]))]
    configfile: HostPath,
    /// Switch SELinux off or on for the kernel too, through grubby.
    #[serde(default)]
    update_kernel_param: bool,
}

/// A mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It forbids.
    Enforcing,
    /// It only warns.
    Permissive,
    /// It is off.
    Disabled,
}

fn config() -> HostPath {
    HostPath::new("/etc/selinux/config")
}

impl State {
    fn name(self) -> &'static str {
        match self {
            State::Enforcing => "enforcing",
            State::Permissive => "permissive",
            State::Disabled => "disabled",
        }
    }
}

/// What must change.
#[derive(Debug)]
pub struct Plan {
    edit: Edit,
    /// The mode to go to now.
    now: Option<State>,
    /// Whether the kernel's command line must change, and to be without SELinux.
    kernel: Option<bool>,
    reboot: bool,
    messages: Vec<String>,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Only warn
  selinux:
    policy: targeted
    state: permissive

- name: Off
  selinux:
    state: disabled
";
    const RETURNS: &'static str = "
configfile: The configuration file.
policy: The policy.
state: The mode.
msg: What was done, in words.
reboot_required: Whether it takes effect with the next start only.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let plan = self.work(host)?;
        Ok((!plan.edit.is_empty() || plan.now.is_some() || plan.kernel.is_some()).then_some(plan))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let plan = self.work(host)?;
        self.describe(Outcome::unchanged(), &plan, host)
    }

    fn predicted(&self, plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        self.describe(Outcome::changed(), plan, host)
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        plan.edit.diff()
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        if !plan.edit.is_empty() {
            plan.edit.apply(host, &FileAttributes::default(), false, None)?;
        }
        if let Some(state) = plan.now {
            let number = if state == State::Enforcing { "1" } else { "0" };
            host.run(&Cmd::new(["setenforce", number]))?.success("setting the mode of SELinux")?;
        }
        if let Some(off) = plan.kernel {
            let word = if off { "--args" } else { "--remove-args" };
            let cmd = Cmd::new(["grubby", "--update-kernel=ALL", word, "selinux=0"]);
            host.run(&cmd)?.success("setting the kernel's parameters")?;
        }
        self.describe(Outcome::changed(), &plan, host.as_look())
    }
}

impl Args {
    fn work(&self, host: &dyn Look) -> Result<Plan, Fail> {
        let path = self.configfile.on(host);
        if host.stat(&path, true)?.is_none() {
            return Err(Fail::new(format!("Unable to find file {}", path.display())));
        }
        let before = read_to_edit(host, &path, false)?.unwrap_or_default();
        let mut text = to_text(&before);
        let policy = match (&self.policy, self.state) {
            (Some(policy), _) => Some(policy.clone()),
            (None, State::Disabled) => None,
            (None, _) => return Err(Fail::new("Policy is required if state is not 'disabled'")),
        };
        let mut messages = Vec::new();
        let old_policy = setting(&text, "SELINUXTYPE").unwrap_or_default().to_owned();
        if let Some(policy) = policy.filter(|policy| *policy != old_policy) {
            let folder = Path::new("/etc/selinux").join(&policy);
            if host.stat(&folder, true)?.is_none() {
                return Err(Fail::new(format!("Policy {policy} does not exist in /etc/selinux/")));
            }
            messages.push(format!(
                "SELinux policy configuration in '{}' changed from '{old_policy}' to '{policy}'",
                path.display()
            ));
            text = set(&text, "SELINUXTYPE", &policy);
        }
        let old_state = setting(&text, "SELINUX").unwrap_or_default().to_owned();
        if old_state != self.state.name() {
            messages
                .push(format!("Config SELinux state changed from '{old_state}' to '{}'", self.state.name()));
            text = set(&text, "SELINUX", self.state.name());
        }
        let (now, reboot) = self.runtime(host, &mut messages)?;
        let kernel = if self.update_kernel_param { self.kernel(host)? } else { None };
        let edit = Edit::plan(host, &path, Some(before), to_bytes(&text), &FileAttributes::default())?;
        Ok(Plan { edit, now, kernel, reboot: reboot || kernel.is_some(), messages })
    }

    /// The mode to go to now, and whether the next start must do the rest.
    fn runtime(&self, host: &dyn Look, messages: &mut Vec<String>) -> Result<(Option<State>, bool), Fail> {
        if host.which("getenforce").is_none() {
            return Err(Fail::new("SELinux' tools are not on the host: there is no getenforce"));
        }
        let now = host.query(&Cmd::new(["getenforce"]))?.success("asking for the mode of SELinux")?.out();
        let now = now.trim().to_lowercase();
        let wanted = self.state.name();
        Ok(match (now.as_str(), self.state) {
            (now, state) if now == state.name() => (None, false),
            ("disabled", _) => {
                messages.push(format!("Reboot is required to set SELinux state to '{wanted}'"));
                (None, true)
            }
            ("permissive", State::Disabled) => (None, true),
            (now, State::Disabled) => {
                messages.push(format!(
                    "SELinux state temporarily changed from '{now}' to 'permissive'. State change will take effect next reboot."
                ));
                (Some(State::Permissive), true)
            }
            (now, state) => {
                messages.push(format!("SELinux state changed from '{now}' to '{wanted}'"));
                (Some(state), false)
            }
        })
    }

    /// Whether the kernel's command line must be changed, and how.
    fn kernel(&self, host: &dyn Look) -> Result<Option<bool>, Fail> {
        if host.which("grubby").is_none() {
            return Err(Fail::new("update_kernel_param needs grubby, which is not on the host"));
        }
        let info = host.query(&Cmd::new(["grubby", "--info=ALL"]))?.success("grubby")?.out();
        let lines = info.lines().filter(|line| line.starts_with("args="));
        let off = |line: &str| line.split(['"', ' ']).any(|word| word == "selinux=0");
        let wanted = self.state == State::Disabled;
        let (mut all, mut any) = (true, false);
        for line in lines {
            all &= off(line);
            any |= off(line);
        }
        Ok(if wanted { (!all || !any).then_some(true) } else { any.then_some(false) })
    }

    fn describe(&self, outcome: Outcome, plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        let path = self.configfile.on(host);
        let text = to_text(&host.read(&path)?.unwrap_or_default());
        let policy = self.policy.clone().or_else(|| setting(&text, "SELINUXTYPE").map(str::to_owned));
        Ok(outcome
            .with("configfile", path.to_string_lossy().into_owned())
            .with("policy", policy)
            .with("state", self.state.name())
            .with("msg", plan.messages.join(", "))
            .with("reboot_required", plan.reboot))
    }
}

/// What a file says of a name; the last time counts.
fn setting<'t>(text: &'t str, name: &str) -> Option<&'t str> {
    let lines = text.lines().rev();
    lines
        .filter_map(|line| line.split_once('='))
        .find(|(own, _)| own.trim() == name)
        .map(|(_, value)| value.trim())
}

/// The text with another value for a name.
fn set(text: &str, name: &str, value: &str) -> String {
    let is_ours = |line: &str| line.split_once('=').is_some_and(|(own, _)| own.trim() == name);
    let mut out: String = text
        .lines()
        .map(|line| if is_ours(line) { format!("{name}={value}\n") } else { format!("{line}\n") })
        .collect();
    if !text.lines().any(is_ours) {
        out += &format!("{name}={value}\n");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::fake::FakeHost;
    use crate::modules::api::{Ran, Value};

    const CONFIG: &str = "# SELINUX= can be one\nSELINUX=enforcing\nSELINUXTYPE=targeted\n";

    fn host(now: &'static str) -> FakeHost {
        let effect = |host: &mut FakeHost| {
            *host = std::mem::take(host).file("/now", "");
        };
        FakeHost::new()
            .file("/etc/selinux/config", CONFIG)
            .dir("/etc/selinux/targeted")
            .answer("getenforce", 0, now)
            .answer_with("setenforce", Ran::default(), Some(Box::new(effect)))
    }

    #[test]
    fn the_mode_is_set_now_and_for_the_next_start() {
        for (now, state, run, reboot, msg) in [
            (
                "Enforcing\n",
                "permissive",
                vec!["setenforce 0"],
                false,
                "SELinux state changed from 'enforcing' to 'permissive'",
            ),
            (
                "Permissive\n",
                "disabled",
                vec![],
                true,
                "Config SELinux state changed from 'enforcing' to 'disabled'",
            ),
            ("Enforcing\n", "disabled", vec!["setenforce 0"], true, "temporarily changed from 'enforcing'"),
            (
                "Disabled\n",
                "permissive",
                vec![],
                true,
                "Reboot is required to set SELinux state to 'permissive'",
            ),
        ] {
            let args = format!("{{policy: targeted, state: {state}}}");
            let mut host = host(now);
            assert!(host.check::<Args>(&args).unwrap().changed);
            let outcome = host.play::<Args>(&args).unwrap();
            assert!(outcome.changed && outcome.fields["msg"].to_string().contains(msg), "{outcome:?}");
            assert_eq!(outcome.fields["reboot_required"], Value::from(reboot), "{now} {state}");
            assert_eq!(host.ran, run);
            assert_eq!(host.text("/etc/selinux/config"), CONFIG.replace("=enforcing", &format!("={state}")));
            // With the mode as it is by then there is nothing left to do.
            let now = if run.is_empty() { now } else { "Permissive\n" };
            let mut again = self::host(now).file("/etc/selinux/config", host.text("/etc/selinux/config"));
            assert!(!again.play::<Args>(&args).unwrap().changed, "{now} {state}");
        }
    }

    #[test]
    fn a_right_host_is_left_alone_and_another_policy_set() {
        let mut host = host("Enforcing").dir("/etc/selinux/mls");
        assert!(!host.play::<Args>("{policy: targeted, state: enforcing}").unwrap().changed);
        host.converge::<Args>("{policy: mls, state: enforcing}");
        assert!(host.text("/etc/selinux/config").ends_with("SELINUXTYPE=mls\n"));
    }

    #[test]
    fn the_kernel_is_told_too() {
        for (info, state, word) in [
            ("args=\"ro quiet\"\n", "disabled", Some("--args")),
            ("args=\"ro selinux=0\"\n", "disabled", None),
            ("args=\"ro selinux=0\"\n", "enforcing", Some("--remove-args")),
            ("args=\"ro\"\n", "enforcing", None),
        ] {
            let now = if state == "disabled" { "Disabled" } else { "Enforcing" };
            let mut host = host(now)
                .file("/etc/selinux/config", CONFIG.replace("=enforcing", &format!("={state}")))
                .answer("grubby --info=ALL", 0, info)
                .answer("grubby --update-kernel=ALL", 0, "");
            let args = format!("{{policy: targeted, state: {state}, update_kernel_param: true}}");
            assert_eq!(host.play::<Args>(&args).unwrap().changed, word.is_some(), "{info} {state}");
            let ran = word.map(|word| format!("grubby --update-kernel=ALL {word} selinux=0"));
            assert_eq!(host.ran, Vec::from_iter(ran));
        }
    }

    #[test]
    fn what_can_not_be_done_is_said() {
        for (args, msg) in [
            ("{state: enforcing}", "Policy is required"),
            ("{state: enforcing, policy: nosuch}", "Policy nosuch does not exist"),
            ("{state: disabled, conf: /etc/nosuch}", "Unable to find file /etc/nosuch"),
            ("{state: disabled, update_kernel_param: true}", "needs grubby"),
        ] {
            assert!(host("Enforcing").play::<Args>(args).unwrap_err().msg.contains(msg), "{args}");
        }
        let mut bare = FakeHost::new().file("/etc/selinux/config", CONFIG);
        assert!(bare.play::<Args>("{state: disabled}").unwrap_err().msg.contains("no getenforce"));
    }
}
