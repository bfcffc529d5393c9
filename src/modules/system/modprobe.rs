//! `modprobe`: modules of the kernel, now and for the next start.
//!
//! What is loaded is read from `/proc/modules`, `/sys/module` and the list of what is built in.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{
    Cmd, Diff, Edit, Fail, FileAttributes, Look, Module, Outcome, Touch, Value, split_words, to_bytes,
    to_text,
};
use crate::modules::programs::program;

/// Load and unload modules of the kernel.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The kernel module.
    name: String,
    /// Whether it is loaded. What is built into the kernel counts as loaded.
    #[serde(default)]
    state: State,
    /// Its parameters, `name=value` separated by spaces. They count when it is loaded; a module that is loaded already
    /// keeps those that it has.
    #[serde(default)]
    params: String,
    /// Whether it is loaded at each start, with these `params`.
    #[serde(default)]
    persistent: Persistent,
}

/// Whether a kernel module is loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is.
    #[default]
    Present,
    /// It is not.
    Absent,
}

/// What the files in `/etc/modules-load.d` and `/etc/modprobe.d` say. They need systemd.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Persistent {
    /// Leave them as they are.
    #[default]
    Disabled,
    /// Its name and its parameters stand in them.
    Present,
    /// Its name and its parameters are commented out.
    Absent,
}

/// What must change.
#[derive(Debug)]
pub struct Plan {
    /// Whether to load (or, with `state: absent`, unload) it.
    switch: bool,
    edits: Vec<Edit>,
}

const LOAD: &str = "/etc/modules-load.d";
const OPTIONS: &str = "/etc/modprobe.d";

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: What container networks need
  modprobe:
    name: br_netfilter
    persistent: present

- name: With parameters
  modprobe:
    name: dummy
    params: numdummies=2

- name: Not this one
  modprobe:
    name: floppy
    state: absent
    persistent: absent
";
    const RETURNS: &'static str = "
name: The kernel module.
params: The parameters asked for.
state: present or absent.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let fits = |c: char| c.is_ascii_alphanumeric() || "-_.:".contains(c);
        if !self.name.chars().all(fits) || !self.name.starts_with(|c: char| c.is_ascii_alphanumeric()) {
            return Err(Fail::new(format!("{:?} is no name of a kernel module", self.name)));
        }
        self.words()?;
        let switch = self.loaded(host)? != (self.state == State::Present);
        let (mut edits, options) = match self.persistent {
            Persistent::Disabled => (Vec::new(), Vec::new()),
            Persistent::Present => (self.named(host)?, self.configured(host)?),
            Persistent::Absent => (
                commented(host, LOAD, &|line| self.is_name(line))?,
                commented(host, OPTIONS, &|line| self.options_of(line).is_some())?,
            ),
        };
        edits.extend(options);
        edits.retain(|edit| !edit.is_empty());
        Ok((switch || !edits.is_empty()).then_some(Plan { switch, edits }))
    }

    fn unchanged(&self, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::unchanged()))
    }

    fn predicted(&self, plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        // It may not be there yet: a task before this one may install it.
        if plan.switch && host.which("modprobe").is_some() {
            let ran = host.query(&self.modprobe(host, &["-n"])?)?;
            ran.success(&self.doing()).map_err(|fail| self.explain(host, fail))?;
        }
        Ok(self.describe(Outcome::changed()))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let mut diffs = Vec::new();
        if plan.switch {
            let side = |loaded: bool| {
                let state = if loaded { "present" } else { "absent" };
                Value::from_pairs([("name", Value::from(self.name.as_str())), ("state", state.into())])
            };
            let wanted = self.state == State::Present;
            diffs.push(Diff { before: side(!wanted), after: side(wanted), ..Diff::default() });
        }
        diffs.extend(plan.edits.iter().flat_map(Edit::diff));
        diffs
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        if plan.switch {
            let cmd = self.modprobe(host.as_look(), &[])?;
            let ran = host.run(&cmd)?;
            ran.success(&self.doing()).map_err(|fail| self.explain(host.as_look(), fail))?;
        }
        for edit in &plan.edits {
            edit.apply(host, &FileAttributes::default(), false, None)?;
        }
        Ok(self.describe(Outcome::changed()))
    }
}

/// A name as the kernel writes it.
fn kernel_name(name: &str) -> String {
    name.replace('-', "_")
}

impl Args {
    fn describe(&self, outcome: Outcome) -> Outcome {
        let state = if self.state == State::Present { "present" } else { "absent" };
        outcome.with("name", self.name.as_str()).with("params", self.params.as_str()).with("state", state)
    }

    fn doing(&self) -> String {
        let verb = if self.state == State::Present { "loading" } else { "unloading" };
        format!("{verb} the kernel module {}", self.name)
    }

    /// The parameters one by one.
    fn words(&self) -> Result<Vec<String>, Fail> {
        split_words(&self.params)
            .ok_or_else(|| Fail::new(format!("params has an open quote: {}", self.params)))
    }

    fn modprobe(&self, host: &dyn Look, options: &[&str]) -> Result<Cmd, Fail> {
        let cmd = program(host, "modprobe", "kmod")?.args(options);
        Ok(match self.state {
            State::Present => cmd.arg(&self.name).args(self.words()?),
            State::Absent => cmd.arg("-r").arg(&self.name),
        })
    }

    fn explain(&self, host: &dyn Look, fail: Fail) -> Fail {
        let modules = Path::new("/lib/modules").join(release(host));
        if self.state == State::Present && matches!(host.stat(&modules, true), Ok(None)) {
            let why = format!(
                "the host has no modules for its kernel: there is no {}; a container uses the kernel of the machine \
                 that it runs on, so load it there",
                modules.display()
            );
            return Fail { msg: format!("{} ({why})", fail.msg), ..fail };
        }
        fail
    }

    fn loaded(&self, host: &dyn Look) -> Result<bool, Fail> {
        let name = kernel_name(&self.name);
        if is_loaded(host, &name)? || is_built_in(host, &name)? {
            return Ok(true);
        }
        // Another name of it. Without the lists of modules there is none to be found.
        if host.which("modprobe").is_none() {
            return Ok(false);
        }
        let ran = host.query(&Cmd::new(["modprobe", "--resolve-alias", &self.name]))?;
        let out = ran.out();
        let mut real = out.split_whitespace().filter(|_| ran.ok()).map(kernel_name).filter(|it| *it != name);
        real.try_fold(false, |found, it| Ok(found || is_loaded(host, &it)? || is_built_in(host, &it)?))
    }

    /// Whether a line of `/etc/modules-load.d` names it.
    fn is_name(&self, line: &str) -> bool {
        let line = line.split(['#', ';']).next().unwrap_or_default();
        kernel_name(line.trim()) == kernel_name(&self.name)
    }

    /// The parameters in a line of `/etc/modprobe.d`; none if it is about something else.
    fn options_of<'l>(&self, line: &'l str) -> Option<Vec<&'l str>> {
        let line = line.split('#').next().unwrap_or_default();
        let mut words = line.split_whitespace();
        let own = words.next() == Some("options")
            && words.next().is_some_and(|it| kernel_name(it) == kernel_name(&self.name));
        own.then(|| words.collect())
    }

    fn own_file(&self, folder: &str) -> PathBuf {
        Path::new(folder).join(format!("{}.conf", self.name))
    }

    /// The edits that name it in `/etc/modules-load.d`.
    fn named(&self, host: &dyn Look) -> Result<Vec<Edit>, Fail> {
        let files = files(host, LOAD)?;
        if files.iter().any(|(_, text)| text.lines().any(|line| self.is_name(line))) {
            return Ok(Vec::new());
        }
        let path = self.own_file(LOAD);
        let before = files.into_iter().find(|(other, _)| *other == path).map(|(_, text)| text);
        let disabled = |line: &&str| line.strip_prefix('#').is_some_and(|rest| self.is_name(rest));
        let kept = before.as_deref().unwrap_or_default().lines().filter(|line| !disabled(line));
        let after: String = kept.chain([self.name.as_str()]).map(|line| format!("{line}\n")).collect();
        edit(host, &path, before.as_deref(), &after).map(|edit| vec![edit])
    }

    /// The edits that leave exactly its parameters in `/etc/modprobe.d`.
    fn configured(&self, host: &dyn Look) -> Result<Vec<Edit>, Fail> {
        let files = files(host, OPTIONS)?;
        let lines = files.iter().flat_map(|(_, text)| text.lines());
        let mut now: Vec<&str> = lines.filter_map(|line| self.options_of(line)).flatten().collect();
        let mut wanted: Vec<&str> = self.params.split_whitespace().collect();
        let own: String = wanted.iter().map(|param| format!("options {} {param}\n", self.name)).collect();
        now.sort_unstable();
        wanted.sort_unstable();
        now.dedup();
        wanted.dedup();
        if now == wanted {
            return Ok(Vec::new());
        }
        let path = self.own_file(OPTIONS);
        let mut edits = Vec::new();
        for (other, text) in files.iter().filter(|(other, _)| *other != path) {
            let after = comment(text, &|line| self.options_of(line).is_some());
            edits.push(edit(host, other, Some(text), &after)?);
        }
        let before = files.iter().find(|(other, _)| *other == path).map(|(_, text)| text.as_str());
        let kept = before.unwrap_or_default().lines().filter(|line| {
            self.options_of(line).is_none() && self.options_of(line.trim_start_matches('#')).is_none()
        });
        let after: String = kept.map(|line| format!("{line}\n")).chain([own]).collect();
        if before.is_some() || !after.is_empty() {
            edits.push(edit(host, &path, before, &after)?);
        }
        Ok(edits)
    }
}

fn edit(host: &dyn Look, path: &Path, before: Option<&str>, after: &str) -> Result<Edit, Fail> {
    Edit::plan(host, path, before.map(to_bytes), to_bytes(after), &FileAttributes::default())
}

/// The `.conf` files of a folder with their text.
fn files(host: &dyn Look, folder: &str) -> Result<Vec<(PathBuf, String)>, Fail> {
    let folder = Path::new(folder);
    if host.stat(folder, true)?.is_none() {
        return Ok(Vec::new());
    }
    let mut files = Vec::new();
    for name in host.list(folder)? {
        let path = folder.join(&name);
        if !name.to_string_lossy().ends_with(".conf") {
            continue;
        }
        if let Some(text) = host.read(&path)? {
            files.push((path, to_text(&text)));
        }
    }
    Ok(files)
}

/// The edits that put a `#` before some lines of a folder's files.
fn commented(host: &dyn Look, folder: &str, which: &dyn Fn(&str) -> bool) -> Result<Vec<Edit>, Fail> {
    let files = files(host, folder)?;
    files.iter().map(|(path, text)| edit(host, path, Some(text), &comment(text, which))).collect()
}

fn comment(text: &str, which: &dyn Fn(&str) -> bool) -> String {
    let lines = text.split_inclusive('\n');
    lines.map(|line| if which(line) { format!("#{line}") } else { line.to_owned() }).collect()
}

/// The kernel's version.
fn release(host: &dyn Look) -> String {
    let text = host.read(Path::new("/proc/sys/kernel/osrelease")).ok().flatten().unwrap_or_default();
    String::from_utf8_lossy(&text).trim().to_owned()
}

fn is_loaded(host: &dyn Look, name: &str) -> Result<bool, Fail> {
    // A kernel without loadable modules has no such file.
    let text = host.read(Path::new("/proc/modules"))?.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    Ok(text.lines().any(|line| line.split(' ').next() == Some(name)))
}

/// Whether it is part of the kernel itself. One that is loaded also has a folder in `/sys/module`, and with it a file
/// that says so: one that is just being unloaded is not built in.
fn is_built_in(host: &dyn Look, name: &str) -> Result<bool, Fail> {
    let folder = Path::new("/sys/module").join(name);
    if host.stat(&folder, true)?.is_some() && host.stat(&folder.join("initstate"), true)?.is_none() {
        return Ok(true);
    }
    let list = Path::new("/lib/modules").join(release(host)).join("modules.builtin");
    let text = host.read(&list)?.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).into_owned();
    let stem = |line: &str| {
        let file = line.trim().rsplit('/').next().unwrap_or_default().to_owned();
        file.strip_suffix(".ko").map(kernel_name)
    };
    Ok(text.lines().any(|line| stem(line).as_deref() == Some(name)))
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::Args;
    use crate::modules::api::Ran;
    use crate::modules::api::fake::{Effect, FakeHost};

    fn host() -> FakeHost {
        let now = |text: &'static str| -> Option<Effect> {
            Some(Box::new(move |host| *host = std::mem::take(host).file("/proc/modules", text)))
        };
        FakeHost::new()
            .file("/proc/modules", "floppy 1 0 - Live 0x0\n")
            .file("/proc/sys/kernel/osrelease", "6.1.0\n")
            .file("/lib/modules/6.1.0/modules.builtin", "kernel/fs/overlay-fs.ko\n")
            .dir("/sys/module/loop")
            .answer("modprobe --resolve-alias", 1, "")
            .answer("modprobe -n", 0, "")
            .answer_with("modprobe br-netfilter", Ran::default(), now("br_netfilter 1 0 - Live 0x0\n"))
            .answer_with("modprobe -r floppy", Ran::default(), now(""))
    }

    #[test]
    fn modules_are_loaded_and_unloaded_once() {
        for (args, ran) in [
            ("name: br-netfilter", "modprobe br-netfilter"),
            ("{name: br-netfilter, params: 'a=1 b=\"x y\"'}", "modprobe br-netfilter a=1 b=x y"),
            ("{name: floppy, state: absent}", "modprobe -r floppy"),
        ] {
            let mut host = host();
            let outcome = host.converge::<Args>(args);
            assert_eq!(host.ran, [ran]);
            assert_eq!(outcome.diff.len(), 1);
        }
    }

    #[test]
    fn what_is_there_already_is_left_alone() {
        for args in ["name: overlay_fs", "name: loop", "name: floppy", "{name: nothere, state: absent}"] {
            assert!(!host().play::<Args>(args).unwrap().changed, "{args}");
        }
        let mut other = host().answer("modprobe --resolve-alias block-major-2", 0, "floppy\n");
        assert!(!other.play::<Args>("name: block-major-2").unwrap().changed);
    }

    #[test]
    fn it_is_loaded_at_each_start_with_its_parameters() {
        let mut host = host()
            .dir("/etc/modules-load.d")
            .file("/etc/modprobe.d/old.conf", "options floppy x=0\nblacklist floppy\noptions other y=1\n");
        let args = "{name: floppy, params: 'x=1 z=2', persistent: present}";
        let outcome = host.converge::<Args>(args);
        assert_eq!(host.text("/etc/modules-load.d/floppy.conf"), "floppy\n");
        assert_eq!(host.text("/etc/modprobe.d/floppy.conf"), "options floppy x=1\noptions floppy z=2\n");
        assert_eq!(
            host.text("/etc/modprobe.d/old.conf"),
            "#options floppy x=0\nblacklist floppy\noptions other y=1\n"
        );
        assert_eq!((outcome.diff.len(), host.ran.len()), (3, 0));
        // Other parameters, in its own file.
        host.converge::<Args>("{name: floppy, params: x=2, persistent: present}");
        assert_eq!(host.text("/etc/modprobe.d/floppy.conf"), "options floppy x=2\n");

        let args = "{name: floppy, persistent: absent}";
        host.converge::<Args>(args);
        assert_eq!(host.text("/etc/modules-load.d/floppy.conf"), "#floppy\n");
        assert_eq!(host.text("/etc/modprobe.d/floppy.conf"), "#options floppy x=2\n");
        host.converge::<Args>("{name: floppy, persistent: present}");
        assert_eq!(host.text("/etc/modules-load.d/floppy.conf"), "floppy\n");
    }

    #[test]
    fn a_name_in_any_file_of_the_folder_counts() {
        let mut host = host().file("/etc/modules-load.d/modules.conf", "# all\nbr-netfilter ; bridges\n");
        let args = "{name: br_netfilter, state: absent, persistent: present}";
        assert!(!host.play::<Args>(args).unwrap().changed);
    }

    #[test]
    fn a_host_without_modules_says_why() {
        let failing = |tree: &str| {
            let err = "modprobe: FATAL: Module vxlan not found in directory /lib/modules/6.1.0\n";
            let ran = Ran { rc: 1, stderr: err.into(), ..Ran::default() };
            FakeHost::new()
                .dir(tree)
                .file("/proc/sys/kernel/osrelease", "6.1.0\n")
                .answer_with("modprobe", ran, None)
        };
        for check in [false, true] {
            let mut host = failing("/lib");
            let ran =
                if check { host.check::<Args>("name: vxlan") } else { host.play::<Args>("name: vxlan") };
            let fail = ran.unwrap_err();
            assert!(fail.msg.contains("load it there"), "{}", fail.msg);
        }
        let fail = failing("/lib/modules/6.1.0").play::<Args>("name: vxlan").unwrap_err();
        assert!(!fail.msg.contains("container") && fail.msg.contains("FATAL"), "{}", fail.msg);
        assert!(FakeHost::new().play::<Args>("name: vxlan").unwrap_err().msg.contains("install kmod"));
        assert!(FakeHost::new().check::<Args>("name: vxlan").unwrap().changed);
    }

    #[test]
    fn what_can_be_no_module_is_refused() {
        for args in ["name: ''", "name: -r", "name: a b", "name: ../x", "{name: a, params: \"'x\"}"] {
            assert!(host().play::<Args>(args).is_err(), "{args}");
        }
    }
}
