//! Mounting and unmounting with the programs `mount` and `umount`, and undoing what was begun if that fails.

use std::path::{Path, PathBuf};

use super::fstab::Entry;
use super::table::Table;
use super::{Action, Args, Plan, State};
use crate::modules::api::{Cmd, Fail, FileAttributes, FileKind, Ran, Touch, Write};
use crate::modules::programs::program;

/// Does what was planned; returns the backup of fstab.
pub(super) fn change(args: &Args, plan: &Plan, host: &mut dyn Touch) -> Result<Option<PathBuf>, Fail> {
    // First off, then out of fstab: if it is in use, nothing has changed and the next run tries again.
    if let Action::Unmount { mounted, remove } = plan.action {
        unmount(args, host, mounted, remove)?;
    }
    let backup = match &plan.fstab {
        Some(fstab) => fstab.edit.apply(host, &FileAttributes::default(), args.backup, None)?,
        None => None,
    };
    if !matches!(plan.action, Action::Mount | Action::Remount | Action::Replace) {
        return Ok(backup);
    }
    let mut made = Vec::new();
    let done = make_place(args, host, &mut made).and_then(|()| mount(args, host, plan.action));
    if let Err(fail) = done {
        // A line that does not work may keep the host from starting.
        if let Some(fstab) = &plan.fstab {
            match &fstab.before {
                Some(before) => drop(host.write(&fstab.path, before, &Write::default())?),
                None => host.remove_file(&fstab.path)?,
            }
        }
        for path in made.iter().rev() {
            remove_place(host, path)?;
        }
        return Err(fail);
    }
    Ok(backup)
}

fn unmount(args: &Args, host: &mut dyn Touch, mounted: bool, remove: bool) -> Result<(), Fail> {
    let path = args.path.on(host.as_look());
    if mounted {
        let ran = umount(host, &path)?;
        failed(args, ran, "unmounting")?;
    }
    if remove { remove_place(host, &path) } else { Ok(()) }
}

fn umount(host: &mut dyn Touch, path: &Path) -> Result<Ran, Fail> {
    let cmd = program(host.as_look(), "umount", "mount (or util-linux)")?.arg(path);
    host.run(&cmd)
}

/// Removes an empty folder, or the empty file that a file was mounted on.
fn remove_place(host: &mut dyn Touch, path: &Path) -> Result<(), Fail> {
    let stat = host.stat(path, false)?;
    match stat {
        Some(stat) if stat.kind == FileKind::File && stat.size == 0 => host.remove_file(path),
        _ => {
            let cmd = Cmd::new(["rmdir", "--"]).arg(path).env("LC_ALL", "C");
            host.run(&cmd)?.success(&format!("removing {}", path.display())).map(drop)
        }
    }
}

/// Makes what is to be mounted on, and says what was made.
fn make_place(args: &Args, host: &mut dyn Touch, made: &mut Vec<PathBuf>) -> Result<(), Fail> {
    let path = args.path.on(host.as_look());
    let mut missing = Vec::new();
    for place in path.ancestors() {
        if host.stat(place, true)?.is_some() {
            break;
        }
        missing.push(place.to_owned());
    }
    let file = args.binds_a_file(host.as_look())?;
    let mode = 0o777 & !host.umask();
    for place in missing.into_iter().rev() {
        if file && place == path {
            host.write(&place, b"", &Write::default())?;
        } else {
            host.make_dir(&place, mode)?;
        }
        made.push(place);
    }
    Ok(())
}

fn mount(args: &Args, host: &mut dyn Touch, action: Action) -> Result<(), Fail> {
    let path = args.path.on(host.as_look());
    if action == Action::Remount {
        let ran = run(args, host, true)?;
        if ran.ok() {
            return Ok(());
        }
        if args.state == State::Remounted && args.opts.is_some() {
            return failed(args, ran, "remounting").map_err(|fail| Fail {
                msg: format!(
                    "{} (with opts it is not unmounted and mounted instead, because that might lose options)",
                    fail.msg
                ),
                ..fail
            });
        }
    }
    if action != Action::Mount {
        let ran = umount(host, &path)?;
        failed(args, ran, "remounting")?;
    }
    let ran = run(args, host, false)?;
    failed(args, ran, "mounting")
}

/// Runs `mount`. Options that must not be seen go through a file that only root can read, because everybody sees
/// command lines.
fn run(args: &Args, host: &mut dyn Touch, again: bool) -> Result<Ran, Fail> {
    let look = host.as_look();
    let mut cmd = program(look, "mount", "mount (or util-linux)")?;
    cmd.quiet = args.opts_no_log;
    let ephemeral = args.state == State::Ephemeral;
    let own = ephemeral || (again && args.state == State::Remounted && args.opts.is_some());
    let mut options: Vec<String> = Vec::new();
    if again {
        options.push("remount".into());
    }
    if own && args.opts_no_log {
        let mut entry = args.entry(look);
        if !ephemeral {
            let now = Table::read(look)?;
            if let Some(now) = now.at(look, &args.path.on(look))? {
                entry = Entry { source: now.source.clone(), kind: now.kind.clone(), ..entry };
            }
        }
        let file = host.temp_dir()?.join("fstab");
        host.write(&file, entry.line().as_bytes(), &Write { mode: Some(0o600), ..Write::default() })?;
        cmd = cmd.arg("-T").arg(file);
    } else if own {
        options.extend(args.opts.clone());
        if ephemeral {
            cmd = cmd.arg("-t").arg(args.fstype.clone().unwrap_or_default());
        }
    } else if let Some(fstab) = args.fstab.as_ref().filter(|path| path.text() != "/etc/fstab") {
        cmd = cmd.arg("-T").arg(fstab.on(look));
    }
    if !options.is_empty() {
        cmd = cmd.arg("-o").arg(options.join(","));
    }
    let look = host.as_look();
    if let Some(source) = args.source(look).filter(|_| ephemeral && !args.opts_no_log) {
        cmd = cmd.arg(source);
    }
    let cmd = cmd.arg(args.path.on(look));
    host.run(&cmd)
}

fn failed(args: &Args, ran: Ran, what: &str) -> Result<(), Fail> {
    ran.success(&format!("{what} {}", args.path)).map(drop).map_err(|fail| {
        let secrets = args.opts.iter().filter(|_| args.opts_no_log).flat_map(|opts| opts.split(','));
        let values = secrets.filter_map(|option| Some(option.split_once('=')?.1)).filter(|it| !it.is_empty());
        // The message holds what the outputs do.
        let msg = values.fold(fail.msg, |msg, value| msg.replace(value, "********"));
        Fail::new(msg).with("rc", fail.fields.get("rc").cloned().unwrap_or_default())
    })
}
