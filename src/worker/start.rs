//! From the command line of `regatta-worker` to a worker that serves.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use rustix::io::fcntl_dupfd_cloexec;
use rustix::process::getuid;

use super::{detached, signals};
use crate::proto::boot::Nonce;
use crate::proto::{BUILD, Hello};

const HELP: &str =
    "regatta-worker runs tasks on a host for regatta, which starts it there by itself over SSH.
There is nothing to do with it by hand.
";

/// How long a program stays in the cache after it was put there, in seconds: 30 days. One that is still used is then
/// sent again.
const KEPT: u64 = 30 * 24 * 3600;

/// What the program does: `serve FIRST SECOND START [DIRECTORY]`, with both halves of the nonce to greet with, the folder
/// where the login began, and a directory that held the program and is no longer needed; or `job FILE` and `job-itself FILE`, see [`detached`].
#[must_use]
pub fn run(arguments: &[OsString]) -> ExitCode {
    let words: Vec<_> = arguments.iter().map(|word| word.to_string_lossy()).collect();
    let words: Vec<&str> = words.iter().map(AsRef::as_ref).collect();
    let result = match words.as_slice() {
        ["--version"] => writeln!(io::stdout(), "regatta-worker {} {BUILD}", env!("CARGO_PKG_VERSION")),
        ["serve", first, second, _, rest @ ..] if rest.len() < 2 && !io::stdin().is_terminal() => {
            let directory = rest.first().map(|_| PathBuf::from(&arguments[4]));
            serve(&Nonce::from_halves(first, second), Path::new(&arguments[3]), directory.as_deref())
        }
        ["job", _] => detached::leave(Path::new(&arguments[1])),
        ["job-itself", _] => detached::run(Path::new(&arguments[1])),
        _ => {
            // Nobody to tell if this fails.
            drop(io::stderr().write_all(HELP.as_bytes()));
            return ExitCode::from(2);
        }
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(io::stderr(), "regatta-worker: {error}"));
            ExitCode::FAILURE
        }
    }
}

fn serve(nonce: &Nonce, start: &Path, directory: Option<&Path>) -> io::Result<()> {
    if let Some(directory) = directory {
        drop(fs::remove_dir_all(directory));
    }
    forget_old_programs();
    let signals = signals::block();
    let hello = hello();
    // A login begins at home, one on the controller's own machine where the controller stands: as commands expect.
    if std::env::set_current_dir(start).is_err() && std::env::set_current_dir(&hello.home).is_err() {
        std::env::set_current_dir("/")?;
    }
    let (input, mut output) = take_over()?;
    output.write_all(nonce.hello().as_bytes())?;
    super::serve(input, output, hello, nonce.token(), signals)
}

/// Removes workers of other builds from the cache that this one runs from.
fn forget_old_programs() {
    let Ok(own) = std::env::current_exe() else { return };
    let is_hash = |name: &std::ffi::OsStr| {
        name.to_str()
            .is_some_and(|name| name.len() == 64 && name.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let Some(folder) = own.parent().filter(|it| it.file_name().is_some_and(is_hash)) else { return };
    let Some(cache) = folder.parent().filter(|it| it.ends_with("regatta")) else { return };
    for entry in fs::read_dir(cache).into_iter().flatten().flatten() {
        let age = entry.metadata().and_then(|it| it.modified()).ok().and_then(|it| it.elapsed().ok());
        let old = age.is_some_and(|age| age.as_secs() > KEPT);
        if old && is_hash(&entry.file_name()) && entry.path() != folder {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

/// The two streams of the wire, taken away from the standard ones, so that no command that a module starts can read
/// or write frames.
fn take_over() -> io::Result<(File, File)> {
    let input = fcntl_dupfd_cloexec(io::stdin(), 3)?;
    let output = fcntl_dupfd_cloexec(io::stdout(), 3)?;
    rustix::stdio::dup2_stdin(File::open("/dev/null")?)?;
    rustix::stdio::dup2_stdout(io::stderr())?;
    Ok((File::from(input), File::from(output)))
}

fn hello() -> Hello {
    let uid = getuid().as_raw();
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let entry = passwd
        .lines()
        .map(|line| line.split(':').collect::<Vec<_>>())
        .find(|fields| fields.get(2).and_then(|it| it.parse().ok()) == Some(uid));
    let field = |index: usize| entry.as_ref().and_then(|fields| fields.get(index)).map(|it| (*it).to_owned());
    let variable = |name| std::env::var(name).ok().filter(|it| !it.is_empty());
    Hello {
        build: BUILD.to_owned(),
        pid: std::process::id(),
        user: field(0)
            .or_else(|| variable("LOGNAME"))
            .or_else(|| variable("USER"))
            .unwrap_or(uid.to_string()),
        home: variable("HOME").or_else(|| field(5)).unwrap_or_else(|| "/".to_owned()),
    }
}
