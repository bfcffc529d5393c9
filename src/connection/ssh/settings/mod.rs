//! Everything that decides how one host is connected to, after the target, the ssh arguments, the configuration files
//! and the defaults of ssh are put together.

use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::config::{self, Found, Line};
use super::context::SshContext;
use super::tokens::{self, Tokens};
use super::{args, jump};
use crate::connection::{ConnectError, HostKeyCheck, Target};
use crate::secret::Secret;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_KEYS: &[&str] = &["id_ed25519", "id_ecdsa", "id_rsa"];

/// How one host is connected to.
#[derive(Clone, Debug)]
pub(super) struct Settings {
    /// The name it was asked for by.
    pub(super) name: String,
    /// The name or address to connect to.
    pub(super) host: String,
    pub(super) port: u16,
    pub(super) user: String,
    pub(super) timeout: Duration,
    /// How many times to try, at least once.
    pub(super) attempts: u32,
    pub(super) route: Route,
    pub(super) bind: Option<IpAddr>,
    pub(super) family: Family,
    pub(super) compression: bool,
    /// How long silence may last before asking whether the host is still there.
    pub(super) keepalive: Option<Duration>,
    /// How many such questions may stay unanswered.
    pub(super) keepalive_max: usize,
    pub(super) forward_agent: bool,
    pub(super) host_keys: HostKeys,
    pub(super) login: Login,
}

/// Which way to the host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Route {
    Direct,
    /// Through other hosts, the nearest first.
    Jump(Vec<jump::Hop>),
    /// Through a program.
    Command(String),
}

/// Which kind of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    Any,
    V4,
    V6,
}

/// How the host shows that it is the right one.
#[derive(Clone, Debug)]
pub(super) struct HostKeys {
    pub(super) check: HostKeyCheck,
    /// Its name in known_hosts, when it is not the one connected to.
    pub(super) alias: Option<String>,
    pub(super) user_files: Vec<PathBuf>,
    pub(super) global_files: Vec<PathBuf>,
    /// `HostKeyAlgorithms`, as it stands.
    pub(super) algorithms: Option<String>,
    /// Whether names are hashed when a key is added.
    pub(super) hash_names: bool,
}

/// How we show that we may log in.
#[derive(Clone, Debug)]
pub(super) struct Login {
    pub(super) password: Option<Secret>,
    pub(super) identities: Vec<Identity>,
    pub(super) certificates: Vec<PathBuf>,
    /// Only keys that are named, though the agent may have more.
    pub(super) identities_only: bool,
    pub(super) agent: Option<PathBuf>,
    /// The methods in their order, by their names in the protocol.
    pub(super) methods: Vec<String>,
}

/// A file with a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Identity {
    pub(super) path: PathBuf,
    /// Whether somebody named it. Other ones may be missing.
    pub(super) named: bool,
}

impl Settings {
    /// Puts together what holds for a target. Reads files and may run commands of `Match exec`, so it blocks.
    pub(super) fn of(target: &Target, context: &SshContext) -> Result<Settings, ConnectError> {
        safe_name("host", &target.host)?;
        let mut found = Found::default();
        said_by(target, &mut found);
        let file = args::apply(&target.ssh_args, &mut found, context)?;
        let found = config::read(context, &target.host, found, file.as_deref())?;
        Builder { target, context, found }.build()
    }

    /// Host and port, for messages.
    pub(super) fn address(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// What the target itself says comes before everything else.
fn said_by(target: &Target, found: &mut Found) {
    let mut put = |keyword: &str, value: String| {
        let line = Line { number: 0, keyword: keyword.to_owned(), words: vec![value.clone()], rest: value };
        found.set(&line, || "the variables of the host".to_owned());
    };
    if let Some(port) = target.port {
        put("port", port.to_string());
    }
    if let Some(user) = &target.user {
        put("user", user.clone());
    }
}

/// A name that could be taken for an option by a program is refused.
fn safe_name(what: &str, name: &str) -> Result<(), ConnectError> {
    let problem = if name.is_empty() {
        "is empty"
    } else if name.starts_with('-') {
        "begins with `-`"
    } else if name.chars().any(|c| c.is_control() || c.is_whitespace()) {
        "has blanks or control characters"
    } else {
        return Ok(());
    };
    Err(ConnectError::Config(format!("the {what} name `{}` {problem}", name.escape_debug())))
}

struct Builder<'a> {
    target: &'a Target,
    context: &'a SshContext,
    found: Found,
}

impl Builder<'_> {
    fn build(self) -> Result<Settings, ConnectError> {
        let Builder { target, context, found } = &self;
        let host = match found.get("hostname") {
            Some(setting) => Tokens::of(&[('h', &target.host), ('n', &target.host)])
                .expand(setting.words.first().map_or("", String::as_str), &setting.origin)?,
            None => target.host.clone(),
        };
        safe_name("host", &host)?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_ascii_lowercase();
        let user = found.text("user").unwrap_or(&context.environment.user).to_owned();
        safe_name("user", &user)?;
        let port = found.parsed::<u16>("port", "a number from 1 to 65535")?.unwrap_or(22);
        let names = Names { name: &target.host, host: &host, port, user: &user };

        let configured =
            found.parsed::<u64>("connecttimeout", "a number of seconds")?.map(Duration::from_secs);
        let said = Some(target.timeout).filter(|timeout| !timeout.is_zero());
        let attempts: u32 = found.parsed("connectionattempts", "a number")?.unwrap_or(1);
        let keepalive: u64 = found.parsed("serveraliveinterval", "a number of seconds")?.unwrap_or(15);
        let keepalive_max = found.parsed("serveralivecountmax", "a number")?.unwrap_or(3);
        Ok(Settings {
            timeout: said.or(configured).unwrap_or(DEFAULT_TIMEOUT),
            attempts: attempts.max(target.retries.saturating_add(1)),
            route: self.route(&names)?,
            bind: found.parsed("bindaddress", "an address")?,
            family: match found.text("addressfamily").map(str::to_ascii_lowercase).as_deref() {
                Some("inet") => Family::V4,
                Some("inet6") => Family::V6,
                _ => Family::Any,
            },
            compression: found.flag("compression")?.unwrap_or(false),
            keepalive: (keepalive > 0).then(|| Duration::from_secs(keepalive)),
            keepalive_max,
            forward_agent: self.forward_agent(),
            host_keys: self.host_keys(&names)?,
            login: self.login(&names)?,
            name: target.host.clone(),
            host,
            port,
            user,
        })
    }

    fn forward_agent(&self) -> bool {
        match self.found.text("forwardagent") {
            None | Some("no" | "false") => false,
            Some(_) => true,
        }
    }

    fn route(&self, names: &Names) -> Result<Route, ConnectError> {
        let none = |text: &str| text.eq_ignore_ascii_case("none");
        if let Some(setting) = self.found.get("proxyjump") {
            let text = setting.words.first().map_or("", String::as_str);
            if none(text) {
                return Ok(Route::Direct);
            }
            let text = names.expand(text, &setting.origin, self.context)?;
            return Ok(Route::Jump(jump::hops(&text, &setting.origin)?));
        }
        let Some(setting) = self.found.get("proxycommand") else { return Ok(Route::Direct) };
        if none(&setting.rest) || setting.rest.is_empty() {
            return Ok(Route::Direct);
        }
        names
            .with(self.context, |tokens| tokens.quoted().expand(&setting.rest, &setting.origin))
            .map(Route::Command)
    }

    fn host_keys(&self, names: &Names) -> Result<HostKeys, ConnectError> {
        let environment = &self.context.environment;
        let files = |keyword: &str, usual: &[PathBuf]| match self.found.get(keyword) {
            Some(setting) if setting.words.iter().any(|word| word.eq_ignore_ascii_case("none")) => {
                Ok(Vec::new())
            }
            Some(setting) => {
                let words = setting.words.iter();
                words.map(|word| names.path(word, &setting.origin, self.context)).collect()
            }
            None => Ok(usual.to_vec()),
        };
        let ssh = environment.home.join(".ssh");
        let system = &environment.system;
        Ok(HostKeys {
            check: match self.target.host_keys {
                Some(check) => check,
                None => self.configured_check()?,
            },
            alias: self.found.text("hostkeyalias").map(str::to_owned),
            user_files: files("userknownhostsfile", &[ssh.join("known_hosts"), ssh.join("known_hosts2")])?,
            global_files: files(
                "globalknownhostsfile",
                &[system.join("ssh_known_hosts"), system.join("ssh_known_hosts2")],
            )?,
            algorithms: self.found.text("hostkeyalgorithms").map(str::to_owned),
            hash_names: self.found.flag("hashknownhosts")?.unwrap_or(false),
        })
    }

    /// `ask` asks nobody: many hosts at once can't, so it is as strict as `yes`.
    fn configured_check(&self) -> Result<HostKeyCheck, ConnectError> {
        let Some(setting) = self.found.get("stricthostkeychecking") else { return Ok(HostKeyCheck::Strict) };
        match setting.words.first().map(|word| word.to_ascii_lowercase()).as_deref() {
            Some("yes" | "true" | "ask") => Ok(HostKeyCheck::Strict),
            Some("accept-new") => Ok(HostKeyCheck::AcceptNew),
            Some("no" | "false" | "off") => Ok(HostKeyCheck::Off),
            _ => Err(setting.wrong("stricthostkeychecking", "`yes`, `ask`, `accept-new` or `no`")),
        }
    }

    fn login(&self, names: &Names) -> Result<Login, ConnectError> {
        let Builder { target, context, found } = self;
        let named = |path: PathBuf| Identity { path, named: true };
        let home = &context.environment.home;
        let said =
            target.key_file.iter().map(|path| path.strip_prefix("~").map_or(path.clone(), |p| home.join(p)));
        let mut identities: Vec<Identity> = said.map(named).collect();
        let mut none = false;
        for setting in found.all("identityfile") {
            let text = setting.words.first().map_or("", String::as_str);
            if text.eq_ignore_ascii_case("none") {
                none = true;
                continue;
            }
            let identity = named(names.path(text, &setting.origin, context)?);
            if !identities.contains(&identity) {
                identities.push(identity);
            }
        }
        if identities.is_empty() && !none {
            let folder = context.environment.home.join(".ssh");
            let usual = DEFAULT_KEYS.iter().map(|name| Identity { path: folder.join(name), named: false });
            identities = usual.collect();
        }
        let certificates = found.all("certificatefile").map(|setting| {
            names.path(setting.words.first().map_or("", String::as_str), &setting.origin, context)
        });
        Ok(Login {
            password: target.password.clone(),
            identities,
            certificates: certificates.collect::<Result<_, _>>()?,
            identities_only: found.flag("identitiesonly")?.unwrap_or(false),
            agent: self.agent(names)?,
            methods: self.methods()?,
        })
    }

    fn agent(&self, names: &Names) -> Result<Option<PathBuf>, ConnectError> {
        let usual = self.context.environment.agent.clone();
        let Some(setting) = self.found.get("identityagent") else { return Ok(usual) };
        match setting.words.first().map_or("", String::as_str) {
            "SSH_AUTH_SOCK" => Ok(usual),
            text if text.eq_ignore_ascii_case("none") => Ok(None),
            text => match text.strip_prefix('$').filter(|name| !name.starts_with('{')) {
                Some(variable) => Ok(std::env::var_os(variable).map(PathBuf::from)),
                None => names.path(text, &setting.origin, self.context).map(Some),
            },
        }
    }

    fn methods(&self) -> Result<Vec<String>, ConnectError> {
        let usual = "publickey,keyboard-interactive,password";
        let preferred = self.found.text("preferredauthentications").unwrap_or(usual);
        let mut methods = Vec::new();
        for name in preferred.split(',').map(str::trim) {
            let keyword = match name {
                "publickey" => "pubkeyauthentication",
                "keyboard-interactive" => "kbdinteractiveauthentication",
                "password" => "passwordauthentication",
                _ => continue,
            };
            // `PubkeyAuthentication` also takes `host-bound` and `unbound`.
            let off = matches!(self.found.text(keyword), Some("no" | "false"));
            if !off {
                methods.push(name.to_owned());
            }
        }
        Ok(methods)
    }
}

/// What tokens stand for in values of this host.
struct Names<'a> {
    name: &'a str,
    host: &'a str,
    port: u16,
    user: &'a str,
}

impl Names<'_> {
    fn with<T>(&self, context: &SshContext, f: impl FnOnce(Tokens) -> T) -> T {
        let local = tokens::local_host();
        let short = local.split('.').next().unwrap_or_default();
        let home = context.environment.home.to_string_lossy();
        let port = self.port.to_string();
        let uid = rustix::process::getuid().as_raw().to_string();
        f(Tokens::of(&[
            ('h', self.host),
            ('n', self.name),
            ('k', self.host),
            ('p', &port),
            ('r', self.user),
            ('u', &context.environment.user),
            ('d', &home),
            ('i', &uid),
            ('l', &local),
            ('L', short),
        ]))
    }

    fn expand(&self, text: &str, origin: &str, context: &SshContext) -> Result<String, ConnectError> {
        self.with(context, |tokens| tokens.expand(text, origin))
    }

    fn path(&self, text: &str, origin: &str, context: &SshContext) -> Result<PathBuf, ConnectError> {
        let home: &Path = &context.environment.home;
        self.with(context, |tokens| tokens::path(text, home, &tokens, origin))
    }
}

#[cfg(test)]
mod tests;
