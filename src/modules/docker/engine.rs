//! The way to a Docker engine: through the docker client of the host, as argument vectors and JSON.
//!
//! Not a client of the engine's HTTP interface (docs/adr/0009-docker-client.md says why). Everything that the docker
//! modules run goes through here, so that an absent client or engine is explained in one place.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use crate::modules::api::{Cmd, Fail, HostPath, Look, Outcome, Ran, Touch, Value};

/// Which engine, and how it is reached: arguments that all docker modules share.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Engine {
    /// The engine: `unix:///var/run/docker.sock`, `tcp://192.0.2.23:2376`, `ssh://user@host`. By default what
    /// `DOCKER_HOST` or the client's current context says.
    #[serde(default, alias = "docker_url")]
    #[schemars(extend("x-aliases" = ["docker_url"]))]
    docker_host: Option<String>,
    /// The name in the engine's certificate; the client takes it from `docker_host` and can take no other.
    #[serde(default)]
    tls_hostname: Option<String>,
    /// The version of the engine's interface to speak; `auto`: the newest that both know.
    #[serde(default, alias = "docker_api_version")]
    #[schemars(extend("x-aliases" = ["docker_api_version"]))]
    api_version: Option<String>,
    /// How many seconds a question to the engine may take. Building, pulling and the like may take longer.
    #[serde(default = "minute")]
    timeout: u64,
    /// The certificate authority that the engine's certificate is checked against.
    #[serde(default, alias = "ca_cert", alias = "tls_ca_cert", alias = "cacert_path")]
    #[schemars(extend("x-aliases" = ["ca_cert", "tls_ca_cert", "cacert_path"]))]
    ca_path: Option<HostPath>,
    /// The client's certificate.
    #[serde(default, alias = "tls_client_cert", alias = "cert_path")]
    #[schemars(extend("x-aliases" = ["tls_client_cert", "cert_path"]))]
    client_cert: Option<HostPath>,
    /// The key of the client's certificate.
    #[serde(default, alias = "tls_client_key", alias = "key_path")]
    #[schemars(extend("x-aliases" = ["tls_client_key", "key_path"]))]
    client_key: Option<HostPath>,
    /// Use TLS without checking the engine's certificate.
    #[serde(default)]
    tls: bool,
    /// Use TLS and check the engine's certificate.
    #[serde(default, alias = "tls_verify")]
    #[schemars(extend("x-aliases" = ["tls_verify"]))]
    validate_certs: bool,
    /// Accepted and without effect: the docker client always uses ssh's own client.
    #[serde(default)]
    #[expect(dead_code, reason = "documented as without effect")]
    use_ssh_client: bool,
    /// The docker client, if it is not the one in `PATH`.
    #[serde(default)]
    docker_cli: Option<HostPath>,
    /// The client's context to use instead of `docker_host`.
    #[serde(default)]
    cli_context: Option<String>,
    /// Accepted and without effect.
    #[serde(default)]
    #[expect(dead_code, reason = "documented as without effect")]
    debug: bool,
}

fn minute() -> u64 {
    60
}

/// What can be inspected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An image.
    Image,
    /// A container.
    Container,
    /// A network.
    Network,
    /// A volume.
    Volume,
}

impl Kind {
    /// The client's word for it.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Image => "image",
            Kind::Container => "container",
            Kind::Network => "network",
            Kind::Volume => "volume",
        }
    }
}

impl Engine {
    /// What the `_info` modules return: whether something is there, and what `docker inspect` says of it.
    ///
    /// # Errors
    /// No client, no engine that answers.
    pub fn describe(&self, host: &dyn Look, kind: Kind, name: &str) -> Result<Outcome, Fail> {
        let found = self.inspect(host, kind, name)?;
        Ok(Outcome::unchanged().with("exists", found.is_some()).with(kind.word(), found.map(Value::from)))
    }

    /// A command of the docker client.
    ///
    /// # Errors
    /// No client on the host, settings that contradict each other.
    pub fn cmd<S: AsRef<str>>(
        &self,
        host: &dyn Look,
        words: impl IntoIterator<Item = S>,
    ) -> Result<Cmd, Fail> {
        let program = self
            .docker_cli
            .as_ref()
            .map_or_else(|| "docker".to_owned(), |path| path.on(host).to_string_lossy().into_owned());
        if host.which(&program).is_none() {
            return Err(Fail::new(format!(
                "there is no docker client ({program}) on this host: install docker.io (Debian, Ubuntu) or docker-ce-cli"
            )));
        }
        let mut argv = vec![program];
        if let Some(context) = &self.cli_context {
            if self.docker_host.is_some() {
                return Err(Fail::new("only docker_host or cli_context can be given, not both"));
            }
            argv.extend(["--context".to_owned(), context.clone()]);
        }
        self.tls_words(host, &mut argv)?;
        let mut cmd = Cmd::new(argv);
        // What the client advises people to try next is read by nobody here.
        cmd = cmd.env("DOCKER_CLI_HINTS", "false");
        if let Some(at) = &self.docker_host {
            let plain = at.replacen("https://", "tcp://", 1).replacen("http://", "tcp://", 1);
            cmd = cmd.env("DOCKER_HOST", &plain);
        }
        if let Some(version) = self.api_version.as_ref().filter(|version| *version != "auto") {
            cmd = cmd.env("DOCKER_API_VERSION", version);
        }
        Ok(cmd.args(words.into_iter().map(|word| word.as_ref().to_owned())))
    }

    fn tls_words(&self, host: &dyn Look, argv: &mut Vec<String>) -> Result<(), Fail> {
        if let Some(name) = &self.tls_hostname {
            let at = self.docker_host.clone().unwrap_or_default();
            let address = at.split_once("://").map_or(&*at, |(_, rest)| rest);
            if address.split(':').next() != Some(name) {
                return Err(Fail::new(format!(
                    "tls_hostname {name}: the docker client takes the name from docker_host; name the engine so there"
                )));
            }
        }
        if self.validate_certs {
            argv.push("--tlsverify".into());
        } else if self.tls {
            argv.push("--tls".into());
        }
        for (option, path) in
            [("--tlscacert", &self.ca_path), ("--tlscert", &self.client_cert), ("--tlskey", &self.client_key)]
        {
            if let Some(path) = path {
                argv.extend([option.to_owned(), path.on(host).to_string_lossy().into_owned()]);
            }
        }
        Ok(())
    }

    /// Asks the engine something; any exit code is an answer, but an engine that can't be reached is not.
    ///
    /// # Errors
    /// No client, no engine, no answer in time.
    pub fn ask<S: AsRef<str>>(
        &self,
        host: &dyn Look,
        words: impl IntoIterator<Item = S>,
    ) -> Result<Ran, Fail> {
        let mut cmd = self.cmd(host, words)?;
        cmd.timeout = Some(Duration::from_secs(self.timeout.max(1)));
        let ran = host.query(&cmd)?;
        if ran.timed_out {
            return Err(Fail::new(format!(
                "the Docker engine did not answer within {} seconds (`timeout`)",
                self.timeout
            )));
        }
        reachable(ran)
    }

    /// Asks for a text.
    ///
    /// # Errors
    /// Also when the engine refuses.
    pub fn text<S: AsRef<str>>(
        &self,
        host: &dyn Look,
        words: impl IntoIterator<Item = S>,
        what: &str,
    ) -> Result<String, Fail> {
        Ok(self.ask(host, words)?.success(what)?.out())
    }

    /// Has the engine do something.
    ///
    /// # Errors
    /// What the engine says against it.
    pub fn tell<S: AsRef<str>>(
        &self,
        host: &mut dyn Touch,
        words: impl IntoIterator<Item = S>,
        what: &str,
    ) -> Result<Ran, Fail> {
        let cmd = self.cmd(host.as_look(), words)?;
        reachable(host.run(&cmd)?)?.success(what)
    }

    /// What the engine knows of a thing; `None` if there is no such thing.
    ///
    /// # Errors
    /// No engine, or an answer that is no JSON.
    pub fn inspect(&self, host: &dyn Look, kind: Kind, name: &str) -> Result<Option<Json>, Fail> {
        plain_name(kind, name)?;
        let ran = self.ask(host, [kind.word(), "inspect", name])?;
        if !ran.ok() {
            let error = ran.err().to_lowercase();
            if error.contains("no such") || error.contains("not found") {
                return Ok(None);
            }
            return Err(ran.success(&format!("inspecting the {} {name}", kind.word())).err().unwrap_or_else(
                || Fail::new(format!("the Docker engine says nothing of the {} {name}", kind.word())),
            ));
        }
        Ok(json(&ran.stdout)?.as_array_mut().and_then(|all| (!all.is_empty()).then(|| all.remove(0))))
    }

    /// What the engine knows of several things at once, those that are not there left out.
    ///
    /// # Errors
    /// As [`Engine::inspect`].
    pub fn inspect_all(&self, host: &dyn Look, kind: Kind, names: &[String]) -> Result<Vec<Json>, Fail> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        for name in names {
            plain_name(kind, name)?;
        }
        let words = [kind.word(), "inspect"].into_iter().chain(names.iter().map(String::as_str));
        // One that is not there makes the exit code 1; the others are printed all the same.
        let ran = self.ask(host, words)?;
        Ok(json(&ran.stdout)?.as_array().cloned().unwrap_or_default())
    }

    /// The JSON objects that a listing prints, one a line (`--format '{{json .}}'`).
    ///
    /// # Errors
    /// As [`Engine::inspect`].
    pub fn list<S: AsRef<str>>(
        &self,
        host: &dyn Look,
        words: impl IntoIterator<Item = S>,
        what: &str,
    ) -> Result<Vec<Json>, Fail> {
        let text = self.text(host, words, what)?;
        text.lines().filter(|line| !line.trim().is_empty()).map(|line| json(line.as_bytes())).collect()
    }
}

/// A name that can't be taken for an option or for several words.
///
/// # Errors
/// Any other.
pub fn plain_name(kind: Kind, name: &str) -> Result<(), Fail> {
    let bad = |c: char| c.is_whitespace() || c.is_control();
    if name.is_empty() || name.starts_with('-') || name.contains(bad) {
        return Err(Fail::new(format!("{name:?} is no name of {} {}", article(kind), kind.word())));
    }
    Ok(())
}

fn article(kind: Kind) -> &'static str {
    if kind == Kind::Image { "an" } else { "a" }
}

/// Reads JSON that the client printed.
///
/// # Errors
/// Anything else.
pub fn json(text: &[u8]) -> Result<Json, Fail> {
    serde_json::from_slice(text).map_err(|error| {
        let text = String::from_utf8_lossy(text);
        let start: String = text.trim().chars().take(200).collect();
        Fail::new(format!("the docker client answered with what is no JSON ({error}): {start}"))
    })
}

/// Explains why there is no engine to talk to.
fn reachable(ran: Ran) -> Result<Ran, Fail> {
    if ran.ok() {
        return Ok(ran);
    }
    let error = ran.err();
    let lower = error.to_lowercase();
    let help = if lower.contains("permission denied") && lower.contains("docker daemon socket") {
        "this user may not talk to the Docker engine: use `become`, or put the user into the group docker"
    } else if lower.contains("cannot connect to the docker daemon")
        || lower.contains("error during connect")
        || lower.contains("failed to connect to the docker api")
    {
        "the Docker engine can't be reached: install it (docker.io or docker-ce) and start the service docker, or set \
         docker_host"
    } else {
        return Ok(ran);
    };
    Err(Fail::new(format!("{help}: {}", error.trim())).with("rc", ran.rc).with("stderr", error))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::api::fake::FakeHost;
    use crate::modules::api::{Ran, Value, decode};

    fn engine(yaml: &str) -> Engine {
        decode(&serde_yaml::from_str::<Value>(yaml).unwrap().into_map()).unwrap()
    }

    fn words(engine: &Engine, host: &FakeHost) -> String {
        let cmd = engine.cmd(host, ["info"]).unwrap();
        let env: Vec<String> = cmd.env.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("{} | {}", env.join(" "), cmd.display())
    }

    #[test]
    fn settings_become_options_and_variables_of_the_client() {
        let host = FakeHost::new().program("docker").file("/opt/docker", "");
        for (args, expected) in [
            ("{}", "DOCKER_CLI_HINTS=false | docker info"),
            (
                "{docker_host: 'https://10.0.0.1:2376', validate_certs: true, ca_cert: ~/ca.pem}",
                "DOCKER_CLI_HINTS=false DOCKER_HOST=tcp://10.0.0.1:2376 | docker --tlsverify --tlscacert /root/ca.pem info",
            ),
            (
                "{tls: true, cert_path: /c, key_path: /k, api_version: '1.40'}",
                "DOCKER_CLI_HINTS=false DOCKER_API_VERSION=1.40 | docker --tls --tlscert /c --tlskey /k info",
            ),
            (
                "{docker_cli: /opt/docker, cli_context: far}",
                "DOCKER_CLI_HINTS=false | /opt/docker --context far info",
            ),
        ] {
            assert_eq!(words(&engine(args), &host), expected);
        }
        assert!(engine("{docker_host: 'tcp://a', cli_context: b}").cmd(&host, ["info"]).is_err());
        assert!(engine("{docker_host: 'tcp://a:1', tls_hostname: b}").cmd(&host, ["info"]).is_err());
        assert!(engine("{docker_host: 'tcp://a:1', tls_hostname: a}").cmd(&host, ["info"]).is_ok());
    }

    #[test]
    fn what_is_not_there_is_explained() {
        let fail = Engine::default().inspect(&FakeHost::new(), Kind::Image, "x").unwrap_err();
        assert!(fail.msg.contains("install docker.io"), "{}", fail.msg);
        for (error, help) in [
            (
                "Cannot connect to the Docker daemon at unix:///x. Is the docker daemon running?",
                "start the service",
            ),
            (
                "Got permission denied while trying to connect to the Docker daemon socket at unix:///x",
                "group docker",
            ),
        ] {
            let ran = Ran { rc: 1, stderr: error.into(), ..Ran::default() };
            let host = FakeHost::new().answer_with("docker image inspect x", ran, None);
            let fail = Engine::default().inspect(&host, Kind::Image, "x").unwrap_err();
            assert!(fail.msg.contains(help) && fail.msg.contains(error), "{}", fail.msg);
        }
    }

    #[test]
    fn an_absent_thing_is_no_failure_but_a_refusal_is() {
        for (error, there) in [
            ("Error: No such image: x", Some(false)),
            ("Error response from daemon: network x not found", Some(false)),
            ("Error response from daemon: get x: no such volume", Some(false)),
            ("Error response from daemon: invalid reference format", None),
        ] {
            let ran = Ran { rc: 1, stdout: b"[]\n".to_vec(), stderr: error.into(), ..Ran::default() };
            let host = FakeHost::new().answer_with("docker image inspect x", ran, None);
            let found = Engine::default().inspect(&host, Kind::Image, "x");
            assert_eq!(found.ok().map(|it| it.is_some()), there, "{error}");
        }
        let host = FakeHost::new().answer("docker image inspect", 0, "[{\"Id\": \"1\"}]");
        assert!(Engine::default().inspect(&host, Kind::Image, "x").unwrap().is_some());
        for name in ["-x", "", "a b"] {
            assert!(Engine::default().inspect(&host, Kind::Image, name).is_err(), "{name}");
        }
    }
}
