//! `docker_login`: credentials for a registry, in the docker client's configuration or its credential helper.

use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map as JsonMap, Value as Json};

use super::engine::{Engine, json};
use crate::modules::api::{Cmd, Diff, Fail, HostPath, Look, Map, Module, Outcome, Touch, Value, Write};
use crate::secret::Secret;

/// Log in to a registry, or out of it.
///
/// The client tries the password with the registry and stores it where its configuration says: in the file
/// `config_path`, which only its owner can read, or with a credential helper. The password goes through a pipe.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The registry's address.
    #[serde(default = "hub", alias = "registry", alias = "url")]
    #[schemars(extend("x-aliases" = ["registry", "url"]))]
    registry_url: String,
    /// The user.
    #[serde(default)]
    username: Option<String>,
    /// The password.
    #[serde(default)]
    password: Option<Secret>,
    /// Try the password with the registry even if it is the one that is stored.
    #[serde(default, alias = "reauth")]
    #[schemars(extend("x-aliases" = ["reauth"]))]
    reauthorize: bool,
    /// The client's configuration.
    #[serde(default = "config", alias = "dockercfg_path")]
    #[schemars(extend("x-aliases" = ["dockercfg_path"]))]
    config_path: HostPath,
    /// Whether there are credentials.
    #[serde(default)]
    state: State,
    /// Which engine.
    #[serde(rename = "@engine")]
    #[schemars(flatten)]
    engine: Engine,
}

/// Whether there are credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// There are.
    #[default]
    Present,
    /// There are none.
    Absent,
}

const HUB: &str = "https://index.docker.io/v1/";

fn hub() -> String {
    HUB.into()
}

fn config() -> HostPath {
    HostPath::new("~/.docker/config.json")
}

/// What must be done.
#[derive(Debug)]
pub struct Plan {
    path: PathBuf,
    /// The user whose credentials are stored now.
    before: Option<String>,
    /// Log in or out; else only the file's mode is wrong.
    login: bool,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Log in to the site's registry
  docker_login:
    registry_url: registry.example.org:5000
    username: deploy
    password: \"{{ registry_password }}\"

- name: Log out of Docker Hub
  docker_login:
    state: absent
";
    const RETURNS: &'static str = "
login_result: username, serveraddress and Status; never the password.
actions: What was done, in words.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let path = self.config_path.on(host);
        let config = read(host, &path)?;
        let stored = self.stored(host, &config)?;
        let before = stored.as_ref().map(|(user, _)| user.clone());
        let login = match self.state {
            State::Absent => stored.is_some(),
            State::Present => {
                let (user, password) = self.credentials()?;
                let same = stored.is_some_and(|(name, secret)| name == user && secret == *password);
                !same || self.reauthorize
            }
        };
        let exposed = host.stat(&path, true)?.is_some_and(|stat| stat.mode & 0o077 != 0);
        Ok((login || exposed).then_some(Plan { path, before, login }))
    }

    fn unchanged(&self, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::unchanged(), Vec::new()))
    }

    fn predicted(&self, plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::changed(), self.actions(plan)))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let side = |user: Option<&str>| {
            Value::from(format!("{}: {}\n", key(&self.registry_url), user.unwrap_or("not logged in")))
        };
        let after = match self.state {
            State::Present => self.username.as_deref(),
            State::Absent => None,
        };
        let mut after = side(after);
        let before = side(plan.before.as_deref());
        if before == after {
            let what = if plan.login { "another password" } else { "the file for its owner alone" };
            after = Value::from(format!("{} ({what})\n", after.to_string().trim()));
        }
        let header = plan.path.display().to_string();
        vec![Diff { before_header: header.clone(), after_header: header, before, after, prepared: None }]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        if !plan.login {
            host.chmod(&plan.path, 0o600)?;
            return Ok(self.describe(Outcome::changed(), self.actions(&plan)));
        }
        // The client writes into a copy: what it does to the real file would neither be atomic nor keep its mode.
        let folder = host.temp_dir()?;
        let copy = folder.join("config.json");
        let private = Write { mode: Some(0o600), ..Write::default() };
        let before = host.read(&plan.path)?.unwrap_or_else(|| b"{}".to_vec());
        host.write(&copy, &before, &private)?;
        let cmd = self.command(host.as_look(), &folder)?;
        host.run(&cmd)?.success(&format!("{} {}", self.word(), self.registry_url))?;
        let after = host.read(&copy)?.unwrap_or_default();
        make_parents(host, &plan.path)?;
        host.write(&plan.path, &after, &private)?;
        Ok(self.describe(Outcome::changed(), self.actions(&plan)))
    }
}

impl Args {
    fn word(&self) -> &'static str {
        match self.state {
            State::Present => "logging in to",
            State::Absent => "logging out of",
        }
    }

    fn credentials(&self) -> Result<(&str, &str), Fail> {
        match (&self.username, &self.password) {
            (Some(user), Some(password)) => Ok((user, password.expose())),
            _ => Err(Fail::new("state is present but all of the following are missing: username, password")),
        }
    }

    /// The command that logs in or out with the configuration in `folder`.
    fn command(&self, host: &dyn Look, folder: &Path) -> Result<Cmd, Fail> {
        let folder = folder.to_string_lossy().into_owned();
        let mut words = vec!["--config".to_owned(), folder];
        let mut input = None;
        match self.state {
            State::Absent => words.push("logout".into()),
            State::Present => {
                let (user, password) = self.credentials()?;
                words.extend(["login", "--username", user, "--password-stdin"].map(str::to_owned));
                input = Some(password.to_owned());
            }
        }
        if self.registry_url.starts_with('-') || self.registry_url.contains(char::is_whitespace) {
            return Err(Fail::new(format!("{:?} is no address of a registry", self.registry_url)));
        }
        // Docker Hub is the one that needs no name.
        if key(&self.registry_url) != HUB {
            words.push(self.registry_url.clone());
        }
        let mut cmd = self.engine.cmd(host, words)?;
        cmd.quiet = true;
        Ok(match input {
            Some(password) => cmd.stdin(password),
            None => cmd,
        })
    }

    /// User and password that are stored for the registry.
    fn stored(&self, host: &dyn Look, config: &Json) -> Result<Option<(String, String)>, Fail> {
        let wanted = key(&self.registry_url);
        let helper = config["credHelpers"].get(&wanted).or_else(|| config.get("credsStore"));
        if let Some(helper) = helper.and_then(Json::as_str).filter(|name| !name.is_empty()) {
            let cmd = Cmd::new([format!("docker-credential-{helper}"), "get".into()]).stdin(wanted);
            let cmd = Cmd { quiet: true, ..cmd };
            let ran = host.query(&cmd)?;
            if !ran.ok() {
                return Ok(None);
            }
            let answer = json(&ran.stdout)?;
            let text = |name: &str| answer[name].as_str().unwrap_or_default().to_owned();
            return Ok(Some((text("Username"), text("Secret"))));
        }
        let none = JsonMap::new();
        let auths = config["auths"].as_object().unwrap_or(&none);
        let Some((_, entry)) = auths.iter().find(|(name, _)| key(name) == wanted) else { return Ok(None) };
        let bytes = STANDARD.decode(entry["auth"].as_str().unwrap_or_default()).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes).trim_end_matches('\0').to_owned();
        Ok(Some(text.split_once(':').map_or((text.clone(), String::new()), |(user, password)| {
            (user.to_owned(), password.to_owned())
        })))
    }

    fn actions(&self, plan: &Plan) -> Vec<String> {
        let registry = &self.registry_url;
        vec![match (plan.login, self.state) {
            (false, _) => format!("Closed {} to other users", plan.path.display()),
            (true, State::Present) => format!("Logged into {registry}"),
            (true, State::Absent) => format!("Logged out of {registry}"),
        }]
    }

    fn describe(&self, outcome: Outcome, actions: Vec<String>) -> Outcome {
        let mut result = Map::new();
        if self.state == State::Present {
            result.insert("username".into(), self.username.clone().into());
            result.insert("serveraddress".into(), Value::from(self.registry_url.as_str()));
            result.insert("Status".into(), Value::from("Login Succeeded"));
        }
        outcome.with("login_result", result).with("actions", actions)
    }
}

fn read(host: &dyn Look, path: &Path) -> Result<Json, Fail> {
    match host.read(path)? {
        Some(text) if !text.iter().all(u8::is_ascii_whitespace) => serde_json::from_slice(&text)
            .map_err(|error| Fail::new(format!("{} is no valid JSON: {error}", path.display()))),
        _ => Ok(Json::Null),
    }
}

/// What the client stores a registry's credentials under: host and port; for Docker Hub its old address.
fn key(registry: &str) -> String {
    let rest = registry.split_once("://").map_or(registry, |(_, rest)| rest);
    let host = rest.split('/').next().unwrap_or_default();
    match host {
        "" | "index.docker.io" | "docker.io" | "registry-1.docker.io" => HUB.to_owned(),
        host => host.to_owned(),
    }
}

fn make_parents(host: &mut dyn Touch, path: &Path) -> Result<(), Fail> {
    let Some(folder) = path.parent() else { return Ok(()) };
    let mut missing: Vec<&Path> = Vec::new();
    for folder in folder.ancestors() {
        if host.stat(folder, true)?.is_some() {
            break;
        }
        missing.push(folder);
    }
    missing.iter().rev().try_for_each(|folder| host.make_dir(folder, 0o700))
}

#[cfg(test)]
mod tests {
    use super::{Args, key};
    use crate::modules::api::fake::FakeHost;
    use crate::modules::api::{Ran, Write};

    const CONFIG: &str = "/root/.docker/config.json";
    const PRESENT: &str = "{registry: 'reg:5000', username: ann, password: pa:ss}";

    fn host() -> FakeHost {
        let login = |host: &mut FakeHost| {
            use crate::modules::api::Touch;
            let text = r#"{"auths": {"reg:5000": {"auth": "YW5uOnBhOnNz"}}}"#;
            host.write("/tmp/regatta-1/config.json".as_ref(), text.as_bytes(), &Write::default()).unwrap();
        };
        FakeHost::new().answer_with(
            "docker --config /tmp/regatta-1 login --username ann --password-stdin reg:5000",
            Ran::default(),
            Some(Box::new(login)),
        )
    }

    #[test]
    fn logging_in_stores_credentials_for_the_owner_alone() {
        let mut host = host();
        let outcome = host.converge::<Args>(PRESENT);
        assert_eq!((host.mode(CONFIG), host.mode("/root/.docker")), (0o600, 0o700));
        assert_eq!(host.stdin, b"pa:ss");
        assert!(!format!("{outcome:?}").contains("pa:ss"));
        assert!(host.ran.iter().all(|line| !line.contains("pa:ss")));
        // A password that changed, and one that is to be tried again.
        assert!(host.check::<Args>(&PRESENT.replace("pa:ss", "x")).unwrap().changed);
        assert!(host.check::<Args>(&PRESENT.replace("{", "{reauth: true, ")).unwrap().changed);
    }

    #[test]
    fn a_file_that_others_can_read_is_closed() {
        let mut host =
            FakeHost::new().file(CONFIG, r#"{"auths": {"https://reg:5000/v2/": {"auth": "YW5uOnBhOnNz"}}}"#);
        host.converge::<Args>(PRESENT);
        assert_eq!(host.mode(CONFIG), 0o600);
    }

    #[test]
    fn helpers_are_asked_for_what_they_keep() {
        let stored = r#"{"Username": "ann", "Secret": "pa:ss"}"#;
        for (config, changed) in
            [(r#"{"credsStore": "pass"}"#, false), (r#"{"credHelpers": {"reg:5000": "other"}}"#, true)]
        {
            let mut host = FakeHost::new()
                .file(CONFIG, config)
                .with(CONFIG, 0o600, 0, 0)
                .answer("docker-credential-pass get", 0, stored)
                .answer("docker-credential-other get", 1, "");
            assert_eq!(host.check::<Args>(PRESENT).unwrap().changed, changed, "{config}");
        }
    }

    #[test]
    fn logging_out_happens_once() {
        let out = |host: &mut FakeHost| {
            use crate::modules::api::Touch;
            host.write("/tmp/regatta-1/config.json".as_ref(), b"{}", &Write::default()).unwrap();
        };
        let mut host =
            FakeHost::new().file(CONFIG, r#"{"auths": {"reg:5000": {"auth": "YW5uOnBhOnNz"}}}"#).answer_with(
                "docker --config /tmp/regatta-1 logout reg:5000",
                Ran::default(),
                Some(Box::new(out)),
            );
        host.converge::<Args>("{registry: 'reg:5000', state: absent}");
        assert_eq!(host.text(CONFIG), "{}");
    }

    #[test]
    fn what_can_not_be_is_refused() {
        assert!(host().play::<Args>("registry: 'reg:5000'").is_err());
        assert!(host().play::<Args>("{registry: '-x', username: a, password: b}").is_err());
        assert!(
            FakeHost::new()
                .file(CONFIG, "{")
                .play::<Args>(PRESENT)
                .unwrap_err()
                .msg
                .contains("no valid JSON")
        );
        assert_eq!(key("https://index.docker.io/v1/"), key("docker.io"));
        assert_eq!(key("https://reg:5000/v2/"), "reg:5000");
    }
}
