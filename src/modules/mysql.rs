//! MySQL and MariaDB for modules: their own client, asked on standard input. Not a module.
//!
//! The password goes through the environment, statements through standard input: neither is ever an argument.

use schemars::JsonSchema;
use serde::Deserialize;

use super::api::{Cmd, Fail, HostPath, Look, Ran, Touch};
use crate::secret::Secret;

/// How to log in: the arguments that the modules of this server share.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Login {
    /// The user to log in as. None: as `config_file` says, else the user that the task runs as.
    login_user: Option<String>,
    /// The password to log in with.
    login_password: Option<Secret>,
    /// The server.
    login_host: Option<String>,
    /// The server's port.
    login_port: Option<u16>,
    /// The server's socket on the host.
    login_unix_socket: Option<HostPath>,
    /// A file of the host with a section `[client]`.
    #[serde(default = "config")]
    config_file: HostPath,
    /// Seconds to wait for the connection.
    #[serde(default = "thirty")]
    connect_timeout: u64,
    /// A file of certificates to check the server's with.
    #[serde(alias = "ssl_ca")]
    #[schemars(extend("x-aliases" = ["ssl_ca"]))]
    ca_cert: Option<HostPath>,
    /// A file with the client's certificate.
    #[serde(alias = "ssl_cert")]
    #[schemars(extend("x-aliases" = ["ssl_cert"]))]
    client_cert: Option<HostPath>,
    /// A file with the key of the client's certificate.
    #[serde(alias = "ssl_key")]
    #[schemars(extend("x-aliases" = ["ssl_key"]))]
    client_key: Option<HostPath>,
}

fn config() -> HostPath {
    HostPath::new("~/.my.cnf")
}

fn thirty() -> u64 {
    30
}

impl Login {
    /// The same server as another user.
    pub fn as_user(&self, name: &str, password: &Secret) -> Login {
        Login { login_user: Some(name.into()), login_password: Some(password.clone()), ..self.clone() }
    }

    /// A program of the server's client (`mysql`, `mysqldump`), logged in, to be given more words.
    ///
    /// # Errors
    /// No such program on the host.
    pub fn program(&self, host: &dyn Look, names: &[&str]) -> Result<Cmd, Fail> {
        let Some(name) = names.iter().find(|name| host.which(name).is_some()) else {
            let names = names.join(" nor ");
            return Err(Fail::new(format!(
                "there is neither {names} on the host: install the client of the server"
            )));
        };
        let mut cmd = Cmd::new([*name]);
        let config = self.config_file.on(host);
        if self.login_password.is_some() {
            // A password in an option file would win over this one.
            cmd = cmd.arg("--no-defaults");
        } else if host.stat(&config, true)?.is_some() {
            cmd = cmd.arg(format!("--defaults-extra-file={}", config.display()));
        }
        let path =
            |path: &Option<HostPath>| path.as_ref().map(|path| path.on(host).to_string_lossy().into_owned());
        let given = [
            ("user", self.login_user.clone()),
            ("host", self.login_host.clone()),
            ("port", self.login_port.map(|port| port.to_string())),
            ("socket", path(&self.login_unix_socket)),
            ("ssl-ca", path(&self.ca_cert)),
            ("ssl-cert", path(&self.client_cert)),
            ("ssl-key", path(&self.client_key)),
        ];
        for (option, value) in given {
            cmd = cmd.args(value.map(|value| format!("--{option}={value}")));
        }
        if let Some(password) = &self.login_password {
            cmd = cmd.env("MYSQL_PWD", password.expose());
        }
        Ok(cmd)
    }

    fn client(&self, host: &dyn Look, names: bool, statements: &str) -> Result<Cmd, Fail> {
        let mut cmd = self.program(host, &["mysql", "mariadb"])?.arg("--batch");
        if !names {
            cmd = cmd.arg("--skip-column-names");
        }
        cmd = cmd.arg(format!("--connect-timeout={}", self.connect_timeout)).stdin(statements);
        cmd.quiet = true;
        Ok(cmd)
    }

    /// What the server answers to statements that only read: rows of fields.
    ///
    /// # Errors
    /// No server; a statement that it does not take.
    pub fn ask(&self, host: &dyn Look, statements: &str) -> Result<Vec<Vec<String>>, Fail> {
        rows(&host.query(&self.client(host, false, statements)?)?)
    }

    /// The same with the names of the columns as the first row.
    ///
    /// # Errors
    /// See [`Login::ask`].
    pub fn ask_with_names(&self, host: &dyn Look, statements: &str) -> Result<Vec<Vec<String>>, Fail> {
        rows(&host.query(&self.client(host, true, statements)?)?)
    }

    /// The same for statements that change something.
    ///
    /// # Errors
    /// No server; a statement that it does not take.
    pub fn run(&self, host: &mut dyn Touch, statements: &str) -> Result<Vec<Vec<String>>, Fail> {
        let cmd = self.client(host.as_look(), false, statements)?;
        rows(&host.run(&cmd)?)
    }

    /// The same with the names of the columns as the first row.
    ///
    /// # Errors
    /// See [`Login::run`].
    pub fn run_with_names(&self, host: &mut dyn Touch, statements: &str) -> Result<Vec<Vec<String>>, Fail> {
        let cmd = self.client(host.as_look(), true, statements)?;
        rows(&host.run(&cmd)?)
    }
}

fn rows(ran: &Ran) -> Result<Vec<Vec<String>>, Fail> {
    if !ran.ok() {
        let said = ran.err();
        let refused = ["ERROR 1045", "ERROR 1698", "ERROR 2002", "ERROR 2003", "ERROR 2005"];
        let msg = if refused.iter().any(|code| said.contains(code)) {
            format!(
                "unable to connect to database, check login_user and login_password are correct or config_file has \
                 the credentials. Exception message: {}",
                said.trim()
            )
        } else {
            said.trim().to_owned()
        };
        return Err(Fail::new(msg));
    }
    Ok(ran.out().lines().map(|line| line.split('\t').map(unescape).collect()).collect())
}

/// A field as `--batch` writes it.
fn unescape(field: &str) -> String {
    let mut out = String::new();
    let mut chars = field.chars();
    while let Some(c) = chars.next() {
        match (c, c == '\\') {
            (_, true) => match chars.next() {
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('0') => out.push('\0'),
                Some(other) => out.push(other),
                None => out.push('\\'),
            },
            (c, false) => out.push(c),
        }
    }
    out
}

/// A name in a statement.
#[must_use]
pub(crate) fn name(text: &str) -> String {
    format!("`{}`", text.replace('`', "``"))
}

/// A text in a statement.
#[must_use]
pub(crate) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_texts_and_fields_are_quoted_and_back() {
        assert_eq!(name("a`b"), "`a``b`");
        assert_eq!(text(r"it's \ x"), r"'it''s \\ x'");
        assert_eq!(unescape(r"a\tb\\n\nc\"), "a\tb\\n\nc\\");
    }
}
