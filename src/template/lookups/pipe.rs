//! `pipe` and `lines`: what commands on the controller print.

use std::process::{Command, Stdio};

use crate::value::Value;

use super::{Call, Outcome};

pub(super) fn pipe(call: &Call<'_>) -> Outcome {
    call.words().map(|command| Ok(Value::from(output(call, &command)?.trim_end()))).collect()
}

pub(super) fn lines(call: &Call<'_>) -> Outcome {
    let mut out = Vec::new();
    for command in call.words() {
        out.extend(output(call, &command)?.lines().map(Value::from));
    }
    Ok(out)
}

/// What a shell command prints. Its errors go to the user's terminal, as Ansible has it.
fn output(call: &Call<'_>, command: &str) -> Outcome<String> {
    let folder = call.context.scope().playbook_dir();
    let folder = if folder.is_dir() { folder } else { std::path::Path::new(".") };
    let run = Command::new("/bin/sh")
        .arg("-c")
        .arg(command)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("can't run a shell: {error}"))?;
    match run.status.code() {
        Some(0) => Ok(String::from_utf8_lossy(&run.stdout).into_owned()),
        Some(code) => Err(format!("`{command}` ended with exit code {code}").into()),
        None => Err(format!("`{command}` was ended by a signal").into()),
    }
}
