//! What runs in a container: command, environment, user, health check, restarts.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::property::{Around, Property, Side, each, pairs, plain};
use super::size::duration;
use crate::modules::api::{Fail, HostPath, Value, split_words};
use crate::modules::docker::pairs::Pairs;

/// What runs in the container.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Process {
    /// The command: a text that is split into words as a shell would, or a list of words.
    #[serde(default)]
    command: Option<Value>,
    /// Accepted and without effect: words stay words.
    #[serde(default)]
    #[expect(dead_code, reason = "documented as without effect")]
    command_handling: Option<CommandHandling>,
    /// The program that the command is given to, and its first arguments.
    #[serde(default)]
    entrypoint: Option<Vec<String>>,
    /// Variables of the environment. Their values never stand in the process list.
    #[serde(default)]
    env: Option<Pairs>,
    /// A file of the host with `NAME=VALUE` lines; `env` wins over it.
    #[serde(default)]
    env_file: Option<HostPath>,
    /// The user, by name or number, maybe with `:group`.
    #[serde(default)]
    user: Option<String>,
    /// More groups of the user.
    #[serde(default)]
    groups: Option<Vec<String>>,
    /// The folder that the command starts in.
    #[serde(default)]
    working_dir: Option<String>,
    /// Give it a terminal.
    #[serde(default)]
    tty: Option<bool>,
    /// Keep its standard input open.
    #[serde(default)]
    interactive: Option<bool>,
    /// Run a small init as its first process.
    #[serde(default)]
    init: Option<bool>,
    /// The signal that stops it.
    #[serde(default)]
    stop_signal: Option<String>,
    /// How many seconds it may take to stop.
    #[serde(default)]
    pub(super) stop_timeout: Option<i64>,
    /// When it is started again.
    #[serde(default)]
    restart_policy: Option<RestartPolicy>,
    /// How often it is started again after a failure (`restart_policy: on-failure`).
    #[serde(default)]
    restart_retries: Option<i64>,
    /// How its health is checked.
    #[serde(default)]
    healthcheck: Option<Healthcheck>,
    /// Labels.
    #[serde(default)]
    labels: Option<Pairs>,
    /// Where its output goes.
    #[serde(default)]
    log_driver: Option<String>,
    /// Options of the log driver.
    #[serde(default, alias = "log_opt")]
    #[schemars(extend("x-aliases" = ["log_opt"]))]
    log_options: Option<Pairs>,
}

/// How a command given as a list is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum CommandHandling {
    /// As words.
    Correct,
    /// As words, too.
    Compatibility,
}

/// When a container is started again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum RestartPolicy {
    /// Never.
    No,
    /// When it failed.
    OnFailure,
    /// Whenever it ended.
    Always,
    /// Whenever it ended, unless it was stopped by hand.
    UnlessStopped,
}

impl RestartPolicy {
    fn word(self) -> &'static str {
        match self {
            RestartPolicy::No => "no",
            RestartPolicy::OnFailure => "on-failure",
            RestartPolicy::Always => "always",
            RestartPolicy::UnlessStopped => "unless-stopped",
        }
    }
}

/// How a container's health is checked. Durations are texts like `1m30s`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Healthcheck {
    /// The check: a shell command, or a list that begins with `CMD`, `CMD-SHELL` or `NONE`. The docker client knows
    /// shell commands alone: the words of `CMD` are quoted for one.
    #[serde(default)]
    test: Option<Value>,
    /// Without a test: take the image's (else no health check is made).
    #[serde(default)]
    test_cli_compatible: bool,
    /// Time between checks.
    #[serde(default)]
    interval: Option<String>,
    /// How long a check may take.
    #[serde(default)]
    timeout: Option<String>,
    /// How many failures in a row make it unhealthy.
    #[serde(default)]
    retries: Option<i64>,
    /// Failures this long after the start do not count.
    #[serde(default)]
    start_period: Option<String>,
    /// Time between checks in that period.
    #[serde(default)]
    start_interval: Option<String>,
}

impl Process {
    /// The properties that are given.
    ///
    /// # Errors
    /// Wrong values.
    pub fn collect(&self, around: &mut Around<'_>) -> Result<(), Fail> {
        self.words(around)?;
        self.environment(around)?;
        around.one("user", self.user.clone(), "/Config/User", "--user");
        around.set("groups", self.groups.as_ref(), "/HostConfig/GroupAdd", "--group-add", str::to_owned);
        around.one("working_dir", self.working_dir.clone(), "/Config/WorkingDir", "--workdir");
        around.flag("tty", self.tty, "/Config/Tty", "--tty");
        around.flag("interactive", self.interactive, "/Config/OpenStdin", "--interactive");
        around.flag("init", self.init, "/HostConfig/Init", "--init");
        around.one("stop_signal", self.stop_signal.clone(), "/Config/StopSignal", "--stop-signal");
        let seconds = self.stop_timeout.map(|it| it.to_string());
        around.one("stop_timeout", seconds, "/Config/StopTimeout", "--stop-timeout");
        self.restarts(around)?;
        if let Some(check) = &self.healthcheck {
            check.collect(around)?;
        }
        self.described(around)?;
        around.one("log_driver", self.log_driver.clone(), "/HostConfig/LogConfig/Type", "--log-driver");
        let options = self.log_options.as_ref().map(|it| it.texts("log_options")).transpose()?;
        around.dict("log_options", options, "/HostConfig/LogConfig/Config", "--log-opt");
        Ok(())
    }

    /// The words after the image's name: what of `entrypoint` the client's option can't take, and the command.
    ///
    /// # Errors
    /// A quote that is not closed.
    pub fn command_words(&self) -> Result<Vec<String>, Fail> {
        let rest = self.entrypoint.iter().flat_map(|words| words.iter().skip(1).cloned());
        Ok(rest.chain(self.command()?.unwrap_or_default()).collect())
    }

    fn command(&self) -> Result<Option<Vec<String>>, Fail> {
        let words = match &self.command {
            None | Some(Value::Null | Value::Omit) => return Ok(None),
            Some(Value::List(words)) => words.iter().map(ToString::to_string).collect(),
            Some(text) => {
                split_words(&text.to_string()).ok_or_else(|| Fail::new("command: a quote is not closed"))?
            }
        };
        Ok(Some(words).filter(|words: &Vec<String>| !words.is_empty()))
    }

    /// The client's `--entrypoint` takes one word: what comes after it leads the command. So both are compared as one
    /// when there is an entrypoint.
    fn words(&self, around: &mut Around<'_>) -> Result<(), Fail> {
        let now = |pointer: &str| -> Vec<String> {
            around.texts(pointer).into_iter().filter(|word| !word.is_empty()).collect()
        };
        let command = self.command()?;
        match (&self.entrypoint, command) {
            (Some(entrypoint), command) => {
                let actual = [now("/Config/Entrypoint"), now("/Config/Cmd")].concat();
                let wanted = [entrypoint.clone(), command.unwrap_or_default()].concat();
                let option = vec!["--entrypoint".into(), entrypoint.first().cloned().unwrap_or_default()];
                around.special("entrypoint", Side::List(wanted), Side::List(actual), option);
            }
            (None, Some(command)) => {
                let actual = Side::List(now("/Config/Cmd"));
                around.special("command", Side::List(command), actual, Vec::new());
            }
            (None, None) => {}
        }
        Ok(())
    }

    /// What the task sets, without what the image sets.
    ///
    /// # Errors
    /// A file that can't be read, a value that is no text.
    pub fn variables(&self, host: &dyn crate::modules::api::Look) -> Result<Vec<(String, String)>, Fail> {
        let mut all = Vec::new();
        if let Some(path) = &self.env_file {
            let text = host.read(&path.on(host))?;
            let text = text.ok_or_else(|| Fail::new(format!("there is no env_file {path}")))?;
            for line in String::from_utf8_lossy(&text).lines() {
                let line = line.trim_start();
                if line.is_empty() || line.starts_with('#') {
                    continue;
                }
                let (name, value) = line.split_once('=').unwrap_or((line, ""));
                all.push((name.to_owned(), value.to_owned()));
            }
        }
        for (name, value) in self.env.as_ref().map(|env| env.texts("env")).transpose()?.unwrap_or_default() {
            all.retain(|(other, _)| *other != name);
            all.push((name, value));
        }
        Ok(all)
    }

    fn environment(&self, around: &mut Around<'_>) -> Result<(), Fail> {
        if self.env.is_none() && self.env_file.is_none() {
            return Ok(());
        }
        let of_image = around.of_image("/Env").as_array().cloned().unwrap_or_default();
        let of_image = of_image.iter().map(plain);
        let own = self.variables(around.host)?;
        let mut wanted: BTreeMap<String, String> = of_image
            .map(|line| {
                line.split_once('=').map_or((line.clone(), String::new()), |(a, b)| (a.into(), b.into()))
            })
            .collect();
        wanted.extend(own);
        let wanted: BTreeSet<String> = wanted.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let actual = around.texts("/Config/Env").into_iter().collect();
        // The words go through the client's own environment.
        let property = Property {
            name: "env",
            wanted: Side::Set(wanted),
            actual: Side::Set(actual),
            create: Vec::new(),
            update: None,
            hidden: true,
        };
        around.properties.push(property);
        Ok(())
    }

    fn restarts(&self, around: &mut Around<'_>) -> Result<(), Fail> {
        let Some(policy) = self.restart_policy else {
            return match self.restart_retries {
                Some(_) => Err(Fail::new("restart_retries needs `restart_policy: on-failure`")),
                None => Ok(()),
            };
        };
        let mut word = policy.word().to_owned();
        let mut actual = plain(around.at("/HostConfig/RestartPolicy/Name"));
        if let Some(retries) = self.restart_retries.filter(|_| policy == RestartPolicy::OnFailure) {
            word = format!("{word}:{retries}");
            actual = format!("{actual}:{}", plain(around.at("/HostConfig/RestartPolicy/MaximumRetryCount")));
        }
        let words = vec!["--restart".to_owned(), word.clone()];
        around.properties.push(Property {
            name: "restart_policy",
            wanted: Side::One(word),
            actual: Side::One(actual),
            create: words.clone(),
            update: Some(words),
            hidden: false,
        });
        Ok(())
    }

    fn described(&self, around: &mut Around<'_>) -> Result<(), Fail> {
        let Some(labels) = &self.labels else { return Ok(()) };
        let own = labels.texts("labels")?;
        let words: Vec<String> = own.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let actual = pairs(around.at("/Config/Labels"));
        let mut wanted = pairs(around.of_image("/Labels"));
        // Labels of the image that the container lacks are no reason to make it anew.
        wanted.retain(|name, value| actual.get(name) == Some(value));
        wanted.extend(own);
        around.special("labels", Side::Dict(wanted), Side::Dict(actual), each("--label", &words));
        Ok(())
    }

    /// The labels that the task gives.
    pub fn label_names(&self) -> Vec<&str> {
        self.labels.iter().flat_map(|labels| labels.0.keys().map(|name| &**name)).collect()
    }
}

impl Healthcheck {
    fn collect(&self, around: &mut Around<'_>) -> Result<(), Fail> {
        let mut wanted = BTreeMap::new();
        let mut words = Vec::new();
        match (self.test()?, self.test_cli_compatible) {
            (Some(test), _) if !test.is_empty() => {
                words.extend(["--health-cmd".to_owned(), test.clone()]);
                wanted.insert("test".to_owned(), test);
            }
            (None, true) => {}
            _ => {
                let off = BTreeMap::from([("test".to_owned(), String::new())]);
                let actual =
                    BTreeMap::from([("test".to_owned(), test_of(around.at("/Config/Healthcheck/Test")))]);
                let words = vec!["--no-healthcheck".to_owned()];
                around.special("healthcheck", Side::Dict(off), Side::Dict(actual), words);
                return Ok(());
            }
        }
        let mut actual =
            BTreeMap::from([("test".to_owned(), test_of(around.at("/Config/Healthcheck/Test")))]);
        for (name, given, pointer, option) in [
            ("interval", &self.interval, "Interval", "--health-interval"),
            ("timeout", &self.timeout, "Timeout", "--health-timeout"),
            ("start_period", &self.start_period, "StartPeriod", "--health-start-period"),
            ("start_interval", &self.start_interval, "StartInterval", "--health-start-interval"),
        ] {
            let Some(given) = given else { continue };
            let time = duration(given)
                .ok_or_else(|| Fail::new(format!("healthcheck: {name}: {given:?} is no duration")))?;
            wanted.insert(name.to_owned(), time.to_string());
            words.extend([option.to_owned(), format!("{time}ns")]);
            let now = around.at(&format!("/Config/Healthcheck/{pointer}")).as_i64().unwrap_or(0);
            actual.insert(name.to_owned(), now.to_string());
        }
        if let Some(retries) = self.retries {
            wanted.insert("retries".into(), retries.to_string());
            words.extend(["--health-retries".to_owned(), retries.to_string()]);
            let now = around.at("/Config/Healthcheck/Retries").as_i64().unwrap_or(0);
            actual.insert("retries".into(), now.to_string());
        }
        around.special("healthcheck", Side::Dict(wanted), Side::Dict(actual), words);
        Ok(())
    }

    /// The check as a shell command; empty: none.
    fn test(&self) -> Result<Option<String>, Fail> {
        match &self.test {
            None | Some(Value::Null | Value::Omit) => Ok(None),
            Some(Value::List(words)) => {
                let words: Vec<String> = words.iter().map(ToString::to_string).collect();
                match words.first().map(String::as_str) {
                    Some("NONE") => Ok(Some(String::new())),
                    Some("CMD" | "CMD-SHELL") => Ok(Some(test_words(&words))),
                    _ => Err(Fail::new(
                        "healthcheck: a test that is a list begins with CMD, CMD-SHELL or NONE",
                    )),
                }
            }
            Some(text) => Ok(Some(text.to_string())),
        }
    }
}

fn test_of(json: &Json) -> String {
    test_words(&json.as_array().into_iter().flatten().map(plain).collect::<Vec<_>>())
}

fn test_words(words: &[String]) -> String {
    match words {
        [kind, words @ ..] if kind == "CMD" => {
            words.iter().map(|word| quoted(word)).collect::<Vec<_>>().join(" ")
        }
        [kind, words @ ..] if kind == "CMD-SHELL" => words.join(" "),
        _ => String::new(),
    }
}

/// For a shell.
fn quoted(word: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !word.is_empty() && word.chars().all(safe) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}
