//! Runs the program as a user would, and says what came of it.

use std::path::Path;

use assert_cmd::Command;

/// A run of the program that is being prepared.
pub struct Run {
    command: Command,
    home: tempfile::TempDir,
    folder: std::path::PathBuf,
}

/// What came of a run.
pub struct Output {
    /// Exit code.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
    /// The home of its own that it had.
    pub home: String,
    folder: std::path::PathBuf,
}

impl Run {
    /// In a folder, with a home of its own and without settings of the environment.
    pub fn new(folder: &Path) -> Run {
        let home = tempfile::tempdir().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_regatta"));
        command
            .current_dir(folder)
            .env_clear()
            .env("HOME", home.path())
            .env("NO_COLOR", "1")
            .env("LC_ALL", "C.UTF-8")
            .env("TZ", "UTC");
        command.env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
        command.timeout(std::time::Duration::from_secs(60));
        Run { command, home, folder: folder.to_path_buf() }
    }

    /// With these arguments.
    pub fn args<I: IntoIterator<Item = S>, S: AsRef<std::ffi::OsStr>>(mut self, args: I) -> Run {
        self.command.args(args);
        self
    }

    /// With another limit than a minute, in seconds.
    pub fn patience(mut self, seconds: u64) -> Run {
        self.command.timeout(std::time::Duration::from_secs(seconds));
        self
    }

    /// With the words of a text as arguments.
    pub fn words(self, text: &str) -> Run {
        let words: Vec<String> = shlex::split(text).unwrap();
        self.args(words)
    }

    /// With this in its environment.
    pub fn env(mut self, name: &str, value: &str) -> Run {
        self.command.env(name, value);
        self
    }

    /// With this on its standard input.
    pub fn stdin(mut self, text: &str) -> Run {
        self.command.write_stdin(text);
        self
    }

    /// Runs it.
    pub fn go(mut self) -> Output {
        let output = self.command.output().unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Output {
            code: output.status.code().unwrap_or(-1),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
            folder: self.folder,
            home: self.home.path().to_string_lossy().into_owned(),
        }
    }
}

impl Output {
    /// Everything it printed, the folder's own path as `DIR`, times as `TIME`.
    pub fn text(&self) -> String {
        let folder = std::fs::canonicalize(&self.folder).unwrap();
        let text = format!("{}{}", self.stdout, self.stderr)
            .replace(&*folder.to_string_lossy(), "DIR")
            .replace(&self.home, "HOME");
        let parent = folder.parent().unwrap().to_string_lossy().into_owned();
        text.replace(&parent, "UP").lines().map(|line| line.trim_end().to_owned() + "\n").collect()
    }
}

/// The same with the results of each task in the order of the hosts: hosts answer when they are done.
pub fn by_host(text: &str) -> String {
    let host = |line: &str| -> Option<String> {
        let words = ["ok: [", "changed: [", "skipping: [", "fatal: [", "failed: ["];
        let rest = words.iter().find_map(|word| line.strip_prefix(word))?;
        rest.split([']', ' ']).next().map(str::to_owned)
    };
    let (mut out, mut results) = (String::new(), Vec::<(String, String)>::new());
    let flush = |out: &mut String, results: &mut Vec<(String, String)>| {
        results.sort_by(|a, b| a.0.cmp(&b.0));
        out.extend(results.drain(..).map(|(_, text)| text));
    };
    for line in text.split_inclusive('\n') {
        match (host(line), results.last_mut()) {
            (Some(host), _) => results.push((host, line.to_owned())),
            // What belongs to a result: a value, the place of a failure, `...ignoring`.
            (None, Some((_, result))) if !line.trim().is_empty() && !line.starts_with("included") => {
                result.push_str(line);
            }
            (None, _) => {
                flush(&mut out, &mut results);
                out.push_str(line);
            }
        }
    }
    flush(&mut out, &mut results);
    out
}
