//! `sysctl`: settings of the kernel, in a file for the next start and, if asked for, at once.
//!
//! What the kernel has is read from `/proc/sys`; only to change it is the program `sysctl` needed.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{
    Cmd, Diff, Edit, Fail, FileAttributes, HostPath, Look, Module, Outcome, Ran, Touch, read_to_edit,
    to_bytes, to_text,
};
use crate::modules::programs::program;

/// Set kernel settings, for the next start and now.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The setting, its parts separated by dots (`net.ipv4.ip_forward`) or slashes.
    #[serde(alias = "key")]
    #[schemars(extend("x-aliases" = ["key"]))]
    name: String,
    /// Its value; required with `state: present`. Truth values count as 1 and 0.
    #[serde(default, alias = "val")]
    #[schemars(extend("x-aliases" = ["val"]))]
    value: Option<String>,
    /// Whether the setting stands in the file.
    #[serde(default)]
    state: State,
    /// Ignore settings that the kernel does not know.
    #[serde(default)]
    ignoreerrors: bool,
    /// Load the file into the kernel (`sysctl -p`) when it changed, and also when the kernel has another value.
    #[serde(default = "yes")]
    reload: bool,
    /// The file.
    #[serde(default = "file")]
    sysctl_file: HostPath,
    /// Compare the kernel's value too, and set it directly.
    #[serde(default)]
    sysctl_set: bool,
    /// Owner, group, permissions.
    #[serde(rename = "@file")]
    #[schemars(flatten)]
    attributes: FileAttributes,
}

/// Whether a setting stands in the file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It does.
    #[default]
    Present,
    /// It does not.
    Absent,
}

fn yes() -> bool {
    true
}

fn file() -> HostPath {
    HostPath::new("/etc/sysctl.conf")
}

/// The kernel's value, which is to change.
#[derive(Debug)]
struct Live {
    /// What it is now; none: unknown to the kernel, or nobody may read it.
    now: Option<String>,
    wanted: String,
}

/// What must change.
#[derive(Debug)]
pub struct Plan {
    /// None: there is no file and none is needed.
    edit: Option<Edit>,
    live: Option<Live>,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Forward packets, now and after each start
  sysctl:
    name: net.ipv4.ip_forward
    value: '1'
    sysctl_set: true

- name: In a file of its own
  sysctl:
    name: vm.swappiness
    value: '5'
    sysctl_file: /etc/sysctl.d/90-app.conf

- name: No longer in the file
  sysctl:
    name: kernel.panic
    state: absent
    reload: false
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let value = self.wanted()?;
        let edit = self.edit(host, value.as_deref())?;
        let watched = value.filter(|_| self.reload || self.sysctl_set);
        let live = watched.map(|wanted| Live { now: current(host, self.name()), wanted }).filter(|live| {
            let known = live.now.as_deref().map(words);
            // Nothing can be set that is not there; whoever ignores that is content with the file.
            known.map_or(!self.ignoreerrors, |now| now != words(&live.wanted))
        });
        let edit = edit.filter(|edit| !edit.is_empty());
        Ok((edit.is_some() || live.is_some()).then_some(Plan { edit, live }))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let mut diffs = plan.edit.as_ref().map(Edit::diff).unwrap_or_default();
        if let Some(live) = &plan.live {
            let side = |value: &str| format!("{} = {value}\n", self.name()).into();
            let before = live.now.as_ref().map(|now| side(&words(now).join(" "))).unwrap_or_default();
            let kernel = || "in the kernel".to_owned();
            let (before_header, after_header) = (kernel(), kernel());
            diffs.push(Diff {
                before,
                after: side(&live.wanted),
                before_header,
                after_header,
                prepared: None,
            });
        }
        diffs
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let mut reload = self.reload && plan.edit.as_ref().is_some_and(Edit::rewrites);
        if let Some(live) = plan.live {
            if self.sysctl_set {
                let cmd = self.sysctl(host)?.arg("-w").arg(format!("{}={}", self.name(), live.wanted));
                accepted(host.run(&cmd)?, &format!("setting {}", self.name()))?;
            } else {
                reload = true;
            }
        }
        if let Some(edit) = plan.edit {
            edit.apply(host, &self.attributes, false, None)?;
        }
        if reload {
            let path = self.sysctl_file.on(host.as_look());
            let cmd = self.sysctl(host)?.arg("-p").arg(&path);
            accepted(host.run(&cmd)?, &format!("loading {} into the kernel", path.display()))?;
        }
        Ok(Outcome::changed())
    }
}

impl Args {
    fn name(&self) -> &str {
        self.name.trim()
    }

    /// The value that must be there; none with `state: absent`.
    fn wanted(&self) -> Result<Option<String>, Fail> {
        let name = self.name();
        if name.is_empty() {
            return Err(Fail::new("name cannot be blank"));
        }
        if name.starts_with('-') || name.contains(['=', '#', ';']) || name.contains(char::is_whitespace) {
            return Err(Fail::new(format!("{name:?} is no name of a kernel setting")));
        }
        if self.state == State::Absent {
            return Ok(None);
        }
        let value = self.value.as_deref().map(str::trim).unwrap_or_default();
        if value.is_empty() {
            return Err(Fail::new(format!("value cannot be blank: what is {name} to be?")));
        }
        if value.contains('\n') {
            return Err(Fail::new("value has several lines; a setting has one"));
        }
        Ok(Some(match value.to_lowercase().as_str() {
            "y" | "yes" | "on" | "true" | "t" | "1.0" => "1".into(),
            "n" | "no" | "off" | "false" | "f" | "0.0" => "0".into(),
            _ => value.into(),
        }))
    }

    fn edit(&self, host: &dyn Look, value: Option<&str>) -> Result<Option<Edit>, Fail> {
        let path = self.sysctl_file.on(host);
        let before = read_to_edit(host, &path, true)?;
        if before.is_none() && value.is_none() {
            return Ok(None);
        }
        let text = to_text(before.as_deref().unwrap_or_default());
        let after = to_bytes(&with_value(&text, self.name(), value));
        Edit::plan(host, &path, before, after, &self.attributes).map(Some)
    }

    fn sysctl(&self, host: &dyn Touch) -> Result<Cmd, Fail> {
        let cmd = program(host.as_look(), "sysctl", "procps (or procps-ng)")?;
        Ok(if self.ignoreerrors { cmd.arg("-e") } else { cmd })
    }
}

/// The words of a value: the kernel separates with tabs what people separate with spaces.
fn words(value: &str) -> Vec<&str> {
    value.split_whitespace().collect()
}

/// A setting's file below `/proc/sys`. The first separator in a name is the separator; in `net.ipv4.conf.eth0/1.mtu`
/// and `net/ipv4/conf/eth0.1/mtu` the other one is part of a name.
fn location(name: &str) -> PathBuf {
    let dotted = name.find(['.', '/']).is_some_and(|at| name.as_bytes()[at] == b'.');
    let swap = |c| match c {
        '.' => '/',
        '/' => '.',
        other => other,
    };
    let path: String = if dotted { name.chars().map(swap).collect() } else { name.to_owned() };
    Path::new("/proc/sys").join(path.trim_start_matches('/'))
}

/// The kernel's value. Some may be written but not read.
fn current(host: &dyn Look, name: &str) -> Option<String> {
    let text = host.read(&location(name)).ok()??;
    Some(String::from_utf8_lossy(&text).trim().to_owned())
}

/// The file's text with a value, or without the setting. Lines of other settings stay as they are. A setting that is
/// there several times keeps its first line, unless the last, which counts, is right already.
fn with_value(text: &str, name: &str, value: Option<&str>) -> String {
    let own = location(name);
    let found = |line: &str| -> Option<(bool, String)> {
        let line = line.trim();
        let (key, value) = line.split_once('=').filter(|_| !line.starts_with(['#', ';']))?;
        let (lenient, key) =
            key.trim().strip_prefix('-').map_or((false, key.trim()), |key| (true, key.trim()));
        (location(key) == own).then(|| (lenient, value.trim().to_owned()))
    };
    let last = text.lines().filter_map(found).next_back();
    if value.is_some() && last.as_ref().map(|(_, value)| value.as_str()) == value {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len() + 64);
    let mut pending = value;
    for line in text.split_inclusive('\n') {
        let Some((lenient, _)) = found(line) else {
            out.push_str(line);
            continue;
        };
        if let Some(value) = pending.take() {
            out.push_str(&format!("{}{name}={value}\n", if lenient { "-" } else { "" }));
        }
    }
    if let Some(value) = pending {
        if !out.is_empty() && !out.ends_with('\n') {
            out.push('\n');
        }
        out.push_str(&format!("{name}={value}\n"));
    }
    out
}

/// A run of `sysctl` that did all it should. Older ones complain and yet end with 0.
fn accepted(mut ran: Ran, what: &str) -> Result<(), Fail> {
    let text = ran.err();
    let refused = |line: &str| line.starts_with("sysctl: setting key") || line.contains("permission denied");
    if ran.ok() && text.lines().any(refused) {
        ran.rc = 255;
    }
    ran.success(what).map(drop).map_err(|fail| {
        let hint = if text.contains("Read-only file system") {
            "/proc/sys can't be written here, as in a container: set it on the machine that the container runs on"
        } else if text.contains("No such file") {
            "the kernel has no such setting; a kernel module may have to be loaded first, or set ignoreerrors"
        } else if text.to_lowercase().contains("permission denied") || text.contains("not permitted") {
            "this needs root's rights, and not all of them are there in a container"
        } else {
            return fail;
        };
        Fail { msg: format!("{} ({hint})", fail.msg), ..fail }
    })
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::*;
    use crate::modules::api::fake::{Effect, FakeHost};

    const FORWARD: &str = "/proc/sys/net/ipv4/ip_forward";

    fn host() -> FakeHost {
        let set = |value: &'static str| -> Option<Effect> {
            Some(Box::new(move |host| *host = std::mem::take(host).file(FORWARD, value)))
        };
        FakeHost::new()
            .file(FORWARD, "0\n")
            .file("/proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t6291456\n")
            .answer_with("sysctl -w net.ipv4.ip_forward=1", Ran::default(), set("1\n"))
            .answer_with("sysctl -p /etc/sysctl.conf", Ran::default(), set("1\n"))
            .answer("sysctl -e -p", 0, "")
    }

    #[test]
    fn only_the_settings_own_lines_change() {
        for (before, name, value, after) in [
            ("", "a.b", Some("1"), "a.b=1\n"),
            ("# a.b = 0\nx.y = 2\n", "a.b", Some("1"), "# a.b = 0\nx.y = 2\na.b=1\n"),
            ("x=2", "a.b", Some("1"), "x=2\na.b=1\n"),
            ("a.b = 1\n", "a.b", Some("1"), "a.b = 1\n"),
            ("a.b = 0\n;c\nx = 1\n", "a.b", Some("1"), "a.b=1\n;c\nx = 1\n"),
            ("a.b=0\nx=1\na/b=2\n", "a.b", Some("1"), "a.b=1\nx=1\n"),
            ("a.b=0\nx=1\na/b=1\n", "a.b", Some("1"), "a.b=0\nx=1\na/b=1\n"),
            ("-a.b=0\n", "a.b", Some("1"), "-a.b=1\n"),
            ("a.b=0\nx=1\na.b = 2\n", "a.b", None, "x=1\n"),
            ("no equals\na.bc=1\n", "a.b", None, "no equals\na.bc=1\n"),
        ] {
            assert_eq!(with_value(before, name, value), after, "{before:?}");
        }
    }

    #[test]
    fn names_lead_to_files() {
        for (name, path) in [
            ("net.ipv4.ip_forward", FORWARD),
            ("net/ipv4/ip_forward", FORWARD),
            ("net.ipv4.conf.eth0/100.mtu", "/proc/sys/net/ipv4/conf/eth0.100/mtu"),
            ("net/ipv4/conf/eth0.100/mtu", "/proc/sys/net/ipv4/conf/eth0.100/mtu"),
        ] {
            assert_eq!(location(name), Path::new(path), "{name}");
        }
    }

    #[test]
    fn the_file_is_written_and_loaded_and_the_kernel_is_set() {
        for (args, ran) in [
            ("value: 1", vec!["sysctl -p /etc/sysctl.conf"]),
            ("value: yes, sysctl_set: true, reload: false", vec!["sysctl -w net.ipv4.ip_forward=1"]),
            (
                "value: on, sysctl_set: true",
                vec!["sysctl -w net.ipv4.ip_forward=1", "sysctl -p /etc/sysctl.conf"],
            ),
            ("value: 1, reload: false", vec![]),
        ] {
            let mut host = host();
            let outcome = host.converge::<Args>(&format!("{{name: net.ipv4.ip_forward, {args}}}"));
            assert_eq!(host.text("/etc/sysctl.conf"), "net.ipv4.ip_forward=1\n", "{args}");
            assert_eq!(host.ran, ran, "{args}");
            assert_eq!(outcome.diff.len(), if args == "value: 1, reload: false" { 1 } else { 2 }, "{args}");
        }
    }

    #[test]
    fn a_kernel_that_drifted_is_set_again() {
        let mut host = host().file("/etc/sysctl.conf", "net.ipv4.ip_forward = 1\n");
        let outcome = host.converge::<Args>("{name: net.ipv4.ip_forward, value: 1}");
        assert_eq!(outcome.diff[0].before.as_str(), Some("net.ipv4.ip_forward = 0\n"));
        assert_eq!(host.text("/etc/sysctl.conf"), "net.ipv4.ip_forward = 1\n");
        // Tabs of the kernel are spaces of the file.
        let mut host = host.file("/etc/sysctl.conf", "net.ipv4.tcp_rmem=4096 131072 6291456\n");
        assert!(
            !host
                .play::<Args>("{name: net.ipv4.tcp_rmem, value: 4096 131072 6291456, sysctl_set: true}")
                .unwrap()
                .changed
        );
    }

    #[test]
    fn a_setting_leaves_the_file() {
        let mut host = host().file("/etc/x.conf", "a.b=1\nc.d=1\n");
        let args = "{name: a.b, state: absent, sysctl_file: /etc/x.conf, reload: false}";
        host.converge::<Args>(args);
        assert_eq!(host.text("/etc/x.conf"), "c.d=1\n");
        assert!(!host.play::<Args>("{name: a.b, state: absent, sysctl_file: /etc/none}").unwrap().changed);
        assert!(!host.has("/etc/none"));
    }

    #[test]
    fn a_setting_unknown_to_the_kernel_is_an_error_unless_ignored() {
        let err = "sysctl: cannot stat /proc/sys/a/b: No such file or directory\n";
        let ran = Ran { rc: 1, stderr: err.into(), ..Ran::default() };
        let mut host = host().answer_with("sysctl -p", ran, None);
        let fail = host.play::<Args>("{name: a.b, value: 1, sysctl_file: /etc/y}").unwrap_err();
        assert!(fail.msg.contains("kernel module may have to be loaded"), "{}", fail.msg);
        host.converge::<Args>("{name: a.b, value: 1, ignoreerrors: true}");
        assert_eq!(host.ran.last().unwrap(), "sysctl -e -p /etc/sysctl.conf");
    }

    #[test]
    fn a_container_that_may_not_set_it_says_so() {
        let err = "sysctl: setting key \"net.ipv4.ip_forward\": Read-only file system\n";
        let ran = Ran { rc: 0, stderr: err.into(), ..Ran::default() };
        let mut host = FakeHost::new().file(FORWARD, "0\n").answer_with("sysctl", ran, None);
        let args = "{name: net.ipv4.ip_forward, value: 1, sysctl_set: true}";
        let fail = host.play::<Args>(args).unwrap_err();
        assert!(fail.msg.contains("container"), "{}", fail.msg);
        assert!(!host.has("/etc/sysctl.conf"));
        let fail = FakeHost::new().play::<Args>(args).unwrap_err();
        assert!(fail.msg.contains("procps"), "{}", fail.msg);
    }

    #[test]
    fn what_can_be_no_setting_is_refused() {
        for args in
            ["{name: ' ', value: 1}", "{name: a.b}", "{name: a.b, value: ' '}", "{name: a b, value: 1}"]
        {
            assert!(host().play::<Args>(args).is_err(), "{args}");
        }
        assert!(host().play::<Args>("{name: a.b, value: \"1\\nx=2\"}").is_err());
    }

    #[test]
    fn the_files_attributes_are_kept_too() {
        let mut host = host().file("/etc/z", "a.b=1\n");
        host.converge::<Args>("{name: a.b, value: 1, sysctl_file: /etc/z, reload: false, mode: '0600'}");
        assert_eq!(host.mode("/etc/z"), 0o600);
    }
}
