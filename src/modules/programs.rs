//! Programs of the host that modules can't do without: found, or a failure that says which package brings them.

use super::api::{Cmd, Fail, Look};

/// The program's command line to add arguments to, in the C locale. `package`: what brings it.
pub(crate) fn program(host: &dyn Look, name: &str, package: &str) -> Result<Cmd, Fail> {
    if host.which(name).is_none() {
        return Err(Fail::new(format!("there is no program {name} on the host: install {package}")));
    }
    Ok(Cmd::new([name]).env("LC_ALL", "C"))
}
