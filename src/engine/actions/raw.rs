//! `raw`: a command through the login shell, without a worker and so on any host that answers.

use futures::FutureExt;

use crate::connection::RawOutput;
use crate::engine::args;
use crate::engine::call::{self, Prepared};
use crate::engine::reach::Reach;
use crate::engine::result::Once;
use crate::engine::task::HostTask;
use crate::outcome::Outcome;
use crate::template::TemplateError;
use crate::value::{Map, Value};
use crate::vars::TaskScope;

/// Runs the text as it is.
pub(super) fn run(task: &HostTask, scope: &TaskScope, args: &Map) -> Result<Prepared, TemplateError> {
    let Some(command) = args::text(args, "_raw_params") else {
        return Err(super::at_action(task, "raw: no command is given"));
    };
    if task.check {
        return Ok(Prepared::Done(Box::new(Once::of(Outcome { skipped: true, ..Outcome::default() }))));
    }
    let mut remote = call::remote(task, scope, "raw")?;
    remote.args.clone_from(args);
    let executable = args::text(args, "executable");
    let command = match &executable {
        Some(shell) => words(&[shell, "-c", &command]),
        None => command.to_string(),
    };
    check(&remote.at, &remote.environment).map_err(|why| super::at_action(task, why))?;
    let (command, stdin, pty) = command_line(&remote.at, &command, &remote.environment);
    let (connector, target) = (task.shared.connector.clone(), remote.at.target.clone());
    let delegate = remote.delegate.clone();
    Ok(Prepared::Local(
        async move {
            let mut once = match connector.raw(&target, &command, stdin, pty).await {
                Ok(output) => finished(&output),
                Err(error) => Once::unreachable(error.to_string()),
            };
            once.delegate = delegate;
            once
        }
        .boxed(),
    ))
}

/// The result fields of a plain command.
pub(super) fn finished(output: &RawOutput) -> Once {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (out, err) = (text(&output.stdout), text(&output.stderr));
    let lines = |text: &str| text.lines().map(Value::from).collect::<Value>();
    let mut outcome = Outcome::changed()
        .with("rc", output.rc)
        .with("stdout_lines", lines(&out))
        .with("stderr_lines", lines(&err))
        .with("stdout", out)
        .with("stderr", err);
    if output.rc != 0 {
        outcome.failed = true;
        outcome = outcome.with("msg", "non-zero return code");
    }
    Once::of(outcome)
}

/// Refuses what a shell or a program would read as more than a name: neither can be quoted there.
pub(super) fn check(at: &Reach, environment: &[(String, String)]) -> Result<(), String> {
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
    };
    if let Some((name, _)) = environment.iter().find(|(name, _)| !is_name(name)) {
        return Err(format!("`{name}` can't be the name of a variable of the environment"));
    }
    match &at.identity {
        Some(identity) if identity.user.starts_with('-') => {
            Err(format!("'{}' is no name of a user", identity.user))
        }
        _ => Ok(()),
    }
}

/// A command with environment and identity around it, what it reads first, and whether it needs a terminal.
pub(super) fn command_line(
    at: &Reach,
    command: &str,
    environment: &[(String, String)],
) -> (String, Option<Vec<u8>>, bool) {
    let mut inner = command.to_owned();
    if !environment.is_empty() {
        let pairs: Vec<String> =
            environment.iter().map(|(name, value)| format!("{name}={}", quote(value))).collect();
        inner = format!("{} {}", pairs.join(" "), words(&["/bin/sh", "-c", command]));
    }
    let Some(identity) = &at.identity else { return (inner, None, false) };
    let exe = identity.exe.as_deref().unwrap_or(&identity.method);
    let mut argv: Vec<&str> = vec![exe];
    argv.extend(identity.flags.iter().map(String::as_str));
    let password = identity.password.as_ref();
    match identity.method.as_str() {
        "su" => argv.extend([identity.user.as_str(), "-c", &inner]),
        "doas" => argv.extend(["-u", &identity.user, "/bin/sh", "-c", &inner]),
        _ => {
            // An empty prompt: the password is read from standard input and nothing is printed for it.
            argv.extend(if password.is_some() {
                ["-H", "-S", "-p", ""].as_slice()
            } else {
                ["-H", "-n"].as_slice()
            });
            argv.extend(["-u", &identity.user, "/bin/sh", "-c", &inner]);
        }
    }
    let stdin = password.map(|secret| format!("{}\n", secret.expose()).into_bytes());
    (words(&argv), stdin, false)
}

fn words(argv: &[&str]) -> String {
    argv.iter().map(|word| quote(word)).collect::<Vec<_>>().join(" ")
}

/// One word for a shell.
pub(super) fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
