//! Package files: `deb: /path/x.deb` and `deb: https://…/x.deb`.

use std::path::{Path, PathBuf};

use super::Args;
use super::installed::Installed;
use super::spec::Spec;
use crate::modules::api::{Cmd, Context, Fail, Look, Ran, Touch, Write, expand};
use crate::modules::http::{Call, without_password};

pub(super) fn is_url(file: &str) -> bool {
    ["http://", "https://"].iter().any(|scheme| file.starts_with(scheme))
}

/// Whether exactly the package in a file is installed.
pub(super) fn is_installed(host: &dyn Look, file: &str) -> Result<bool, Fail> {
    let file = &*expand(file, host);
    if host.stat(Path::new(file), true)?.is_none() {
        return Err(Fail::new(format!("there is no package file {file}")));
    }
    let format = "${Package}\\t${Version}\\t${Architecture}";
    let cmd = Cmd::new(["dpkg-deb", "-W", "--showformat", format, file]).env("LC_ALL", "C");
    let text = host.query(&cmd)?.success(&format!("reading the package file {file}"))?.out();
    let fields: Vec<_> = text.trim_end_matches('\n').split('\t').collect();
    let [name, version, architecture] = fields[..] else {
        return Err(Fail::new(format!("{file} is no package file that dpkg understands")));
    };
    let spec = Spec { name: name.to_owned(), version: None };
    let installed = Installed::read(host)?;
    Ok(installed.of(&spec).any(|it| it.version == version && it.architecture == architecture))
}

impl Args {
    /// Installs a package file with what it depends on; `None` if a downloaded one turns out to be installed.
    pub(super) fn install_file(&self, host: &mut dyn Touch, file: &str) -> Result<Option<Ran>, Fail> {
        let path =
            if is_url(file) { download(host, file)? } else { PathBuf::from(expand(file, host.as_look())) };
        let path = path.to_string_lossy().into_owned();
        if is_installed(host.as_look(), &path)? {
            return Ok(None);
        }
        // Without a slash apt-get would take it for the name of a package.
        let path = if path.contains('/') { path } else { format!("./{path}") };
        self.run(host, &self.apt_get().args(["install", "--"]).arg(path)).map(Some)
    }
}

fn download(host: &mut dyn Touch, url: &str) -> Result<PathBuf, Fail> {
    let mut answer = Call::get(url).send(host.as_look())?;
    if !answer.ok() {
        let shown = without_password(url);
        return Err(Fail::new(format!("{shown}: HTTP Error {}", answer.error())));
    }
    let path = host.temp_dir()?.join("package.deb");
    let mut fill = |file: &mut std::fs::File| {
        std::io::copy(&mut answer.body, file)
            .map(drop)
            .about(|| format!("downloading {}", without_password(url)))
    };
    host.write_with(&path, &mut fill, &Write { mode: Some(0o600), ..Write::default() })?;
    Ok(path)
}
