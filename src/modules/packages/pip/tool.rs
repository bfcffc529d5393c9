//! Which pip is used, and the making of virtual environments.

use std::path::PathBuf;

use super::Args;
use crate::modules::api::{Cmd, Fail, FileKind, Look, Touch, split_words};

/// The command that makes virtual environments if none is named.
pub(super) const VIRTUALENV: &str = "virtualenv";

/// A pip.
#[derive(Debug)]
pub(super) struct Tool {
    words: Vec<String>,
    /// The virtual environment it is in.
    venv: Option<PathBuf>,
}

impl Tool {
    /// The one that the arguments name; by default the host's.
    ///
    /// # Errors
    /// No pip on the host.
    pub(super) fn of(args: &Args, host: &dyn Look) -> Result<Tool, Fail> {
        if let Some(venv) = &args.virtualenv {
            let venv = venv.on(host);
            let pip = venv.join("bin/pip").to_string_lossy().into_owned();
            return Ok(Tool { words: vec![pip], venv: Some(venv) });
        }
        if let Some(path) = &args.executable {
            let name = path.on(host).to_string_lossy().into_owned();
            if host.which(&name).is_none() {
                return Err(Fail::new(format!("Unable to find {name} in PATH: it is not installed")));
            }
            return Ok(Tool { words: vec![name], venv: None });
        }
        let found = ["pip3", "pip"].into_iter().find(|name| host.which(name).is_some());
        if let Some(name) = found {
            return Ok(Tool { words: vec![name.into()], venv: None });
        }
        let words = ["python3", "-m", "pip"].map(str::to_owned).to_vec();
        let works = host.which("python3").is_some()
            && host.query(&Cmd::new(words.iter().cloned()).arg("--version"))?.ok();
        if !works {
            return Err(Fail::new(
                "Unable to find any of pip3, pip to use. pip needs to be installed (the package python3-pip).",
            ));
        }
        Ok(Tool { words, venv: None })
    }

    /// Whether its virtual environment is still to be made.
    ///
    /// # Errors
    /// A path that can't be looked at.
    pub(super) fn is_missing(&self, host: &dyn Look) -> Result<bool, Fail> {
        let Some(venv) = &self.venv else { return Ok(false) };
        let stat = host.stat(&venv.join("bin/activate"), true)?;
        Ok(stat.is_none_or(|stat| stat.kind != FileKind::File))
    }

    /// The pip, to be given its words.
    pub(super) fn command(&self, host: &dyn Look) -> Cmd {
        let cmd = Cmd::new(self.words.iter().cloned());
        match &self.venv {
            Some(venv) => {
                let path = host.env("PATH").unwrap_or_default();
                cmd.env("PATH", &format!("{}:{path}", venv.join("bin").display()))
            }
            None => cmd,
        }
    }

    /// Makes its virtual environment.
    ///
    /// # Errors
    /// What the command says.
    pub(super) fn make(&self, args: &Args, host: &mut dyn Touch) -> Result<(), Fail> {
        let Some(venv) = &self.venv else { return Ok(()) };
        let text = &args.virtualenv_command;
        let open = || Fail::new(format!("virtualenv_command has an open quote: {text}"));
        let mut words = split_words(text).ok_or_else(open)?;
        if text == VIRTUALENV && host.which(VIRTUALENV).is_none() {
            let python = args.virtualenv_python.as_deref().unwrap_or("python3");
            words = [python, "-m", "venv"].map(str::to_owned).to_vec();
        } else if let Some(python) = &args.virtualenv_python {
            if words.iter().any(|word| word.ends_with("venv") && !word.contains("virtualenv")) {
                return Err(Fail::new(
                    "virtualenv_python should not be used when using the venv module or pyvenv as virtualenv_command",
                ));
            }
            words.push(format!("-p{python}"));
        }
        if args.virtualenv_site_packages {
            words.push("--system-site-packages".into());
        }
        let mut cmd = Cmd::new(words).arg(venv);
        cmd.cwd = args.chdir.as_ref().map(|path| path.on(host.as_look()));
        host.run(&cmd)?.success("making the virtual environment").map(drop)
    }
}
