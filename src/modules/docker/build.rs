//! A build: its recipe (context, Dockerfile, arguments), the digest of that, and running it.
//!
//! The digest goes into the image as a label, so that the next run knows whether it would build the same again.
//! Works with the engine's classic builder and with BuildKit; what only one of them knows is said by it.

use schemars::JsonSchema;
use serde::Deserialize;
use sha2::{Digest, Sha256};

use super::context::Context;
use super::engine::Engine;
use super::image::Image;
use super::pairs::{Pairs, with_variables};
use crate::modules::api::{Cmd, Fail, HostPath, Look, Ran, Touch};

/// The label that holds a recipe's digest.
pub const LABEL: &str = "io.regatta.recipe";

/// All that decides what comes out of a build.
#[derive(Clone, Debug, Default)]
pub struct Recipe {
    /// The context's folder or address.
    pub path: Option<HostPath>,
    /// The Dockerfile, from the context's folder or by its full path.
    pub dockerfile: Option<String>,
    /// Build arguments.
    pub args: Pairs,
    /// Images whose layers may be used again.
    pub cache_from: Vec<String>,
    /// Look for newer base images.
    pub pull: bool,
    /// Keep the containers of the steps.
    pub keep_containers: bool,
    /// The network of the steps.
    pub network: Option<String>,
    /// Use no layer again.
    pub nocache: bool,
    /// Names for the steps' `/etc/hosts`.
    pub etc_hosts: Pairs,
    /// Limits of the steps' containers.
    pub limits: Limits,
    /// The stage to stop at.
    pub target: Option<String>,
    /// Platforms to build for.
    pub platform: Vec<String>,
    /// Size of `/dev/shm`.
    pub shm_size: Option<String>,
    /// Labels of the image.
    pub labels: Pairs,
    /// Secrets that steps can mount.
    pub secrets: Vec<BuildSecret>,
    /// Where the result goes instead of into the engine.
    pub outputs: Vec<String>,
}

/// Limits of the containers that run a build's steps. The classic builder alone has them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Memory, as `512m`.
    #[serde(default)]
    memory: Option<String>,
    /// Memory and swap together, `-1` for any.
    #[serde(default)]
    memswap: Option<String>,
    /// Weight of the processor time.
    #[serde(default)]
    cpushares: Option<i64>,
    /// Processors, as `0-3` or `0,1`.
    #[serde(default)]
    cpusetcpus: Option<String>,
}

/// A secret for steps that mount it; it comes into no layer.
#[derive(Clone, Debug)]
pub enum BuildSecret {
    /// From a file of the host.
    File {
        /// The name that steps mount it by.
        id: String,
        /// The file.
        path: HostPath,
    },
    /// From a variable of the task's environment.
    Variable {
        /// The name that steps mount it by.
        id: String,
        /// The variable.
        name: String,
    },
    /// Given with the task.
    Given {
        /// The name that steps mount it by.
        id: String,
        /// What it is.
        value: crate::secret::Secret,
    },
}

impl Recipe {
    /// The context, found on the host.
    ///
    /// # Errors
    /// As [`Context::find`].
    pub fn context(&self, host: &dyn Look) -> Result<Context, Fail> {
        let path = self.path.as_ref().ok_or_else(|| Fail::new("a build needs a path"))?;
        Context::find(host, path, self.dockerfile.as_deref())
    }

    /// The recipe's digest, `sha256:…`.
    ///
    /// # Errors
    /// What can't be read.
    pub fn digest(&self, host: &dyn Look, context: &Context) -> Result<String, Fail> {
        let mut hash = Sha256::new();
        hash.update(context.lines(host)?);
        for (name, map) in [("args", &self.args), ("labels", &self.labels), ("hosts", &self.etc_hosts)] {
            let mut pairs = map.texts(name)?;
            pairs.sort();
            hash.update(format!("{name} {pairs:?}\n"));
        }
        hash.update(format!(
            "{:?} {:?} {:?} {:?} {:?}\n",
            self.target, self.platform, self.network, self.shm_size, self.limits
        ));
        Ok(format!("sha256:{}", hex(&hash.finalize())))
    }

    /// Whether an image was built from this recipe.
    ///
    /// # Errors
    /// What can't be read.
    pub fn made(&self, host: &dyn Look, image: &Image) -> Result<bool, Fail> {
        Ok(image.label(LABEL) == Some(&*self.digest(host, &self.context(host)?)?))
    }

    /// The command that builds.
    ///
    /// # Errors
    /// Wrong arguments.
    pub fn cmd(&self, engine: &Engine, host: &dyn Look, name: &str) -> Result<Cmd, Fail> {
        let context = self.context(host)?;
        let mut cmd = engine.cmd(host, ["image", "build", "--tag", name])?;
        cmd = with_variables(cmd, "--build-arg", &self.args.texts("args")?);
        for (name, value) in self.labels.texts("labels")? {
            cmd = cmd.args(["--label".to_owned(), format!("{name}={value}")]);
        }
        cmd = cmd.args(["--label".to_owned(), format!("{LABEL}={}", self.digest(host, &context)?)]);
        for (name, value) in self.etc_hosts.texts("etc_hosts")? {
            cmd = cmd.args(["--add-host".to_owned(), format!("{name}:{value}")]);
        }
        for (option, value) in self.options() {
            cmd = cmd.args([option.to_owned(), value]);
        }
        for (option, given) in [("--pull", self.pull), ("--no-cache", self.nocache)] {
            if given {
                cmd = cmd.arg(option);
            }
        }
        // The classic builder leaves the container of a step that fails, unless it is told not to.
        cmd = cmd.arg(if self.keep_containers { "--rm=false" } else { "--force-rm" });
        cmd = self.with_secrets(cmd, host)?;
        match context {
            Context::Folder { path, dockerfile } => {
                Ok(cmd.arg("--file").arg(dockerfile.into_os_string()).arg(path.into_os_string()))
            }
            Context::Remote { url, dockerfile } => {
                let file = dockerfile.into_iter().flat_map(|name| ["--file".to_owned(), name]);
                Ok(cmd.args(file).arg(url))
            }
        }
    }

    fn options(&self) -> Vec<(&'static str, String)> {
        let mut options = Vec::new();
        for image in &self.cache_from {
            options.push(("--cache-from", image.clone()));
        }
        if !self.platform.is_empty() {
            options.push(("--platform", self.platform.join(",")));
        }
        let shares = self.limits.cpushares.map(|it| it.to_string());
        for (option, value) in [
            ("--network", &self.network),
            ("--target", &self.target),
            ("--shm-size", &self.shm_size),
            ("--memory", &self.limits.memory),
            ("--memory-swap", &self.limits.memswap),
            ("--cpu-shares", &shares),
            ("--cpuset-cpus", &self.limits.cpusetcpus),
        ] {
            options.extend(value.iter().map(|value| (option, value.clone())));
        }
        options.extend(self.outputs.iter().map(|output| ("--output", output.clone())));
        options
    }

    fn with_secrets(&self, mut cmd: Cmd, host: &dyn Look) -> Result<Cmd, Fail> {
        for (number, secret) in self.secrets.iter().enumerate() {
            let (id, from) = match secret {
                BuildSecret::File { id, path } => (id, format!("src={}", path.on(host).display())),
                BuildSecret::Variable { id, name } => (id, format!("env={name}")),
                BuildSecret::Given { id, value } => {
                    let name = format!("REGATTA_BUILD_SECRET_{number}");
                    cmd = cmd.env(&name, value.expose());
                    (id, format!("env={name}"))
                }
            };
            if id.contains(',') || from.contains(',') {
                return Err(Fail::new(format!(
                    "the secret {id:?}: there is no way to name it with a comma in it"
                )));
            }
            cmd = cmd.args(["--secret".to_owned(), format!("id={id},{from}")]);
        }
        // The classic builder knows neither.
        if !self.secrets.is_empty() || !self.outputs.is_empty() {
            cmd = cmd.env("DOCKER_BUILDKIT", "1");
        }
        Ok(cmd)
    }

    /// Builds.
    ///
    /// # Errors
    /// A step that fails; its output is in the failure's fields.
    pub fn run(&self, engine: &Engine, host: &mut dyn Touch, name: &str) -> Result<Ran, Fail> {
        let cmd = self.cmd(engine, host.as_look(), name)?;
        let ran = host.run(&cmd)?;
        if ran.ok() {
            return Ok(ran);
        }
        // What the step itself said is what matters, and it is the last that was printed.
        let text = if ran.err().trim().is_empty() { ran.out() } else { ran.err() };
        let last: Vec<&str> = text.trim().lines().rev().take(15).collect();
        let last: Vec<&str> = last.into_iter().rev().collect();
        Err(Fail::new(format!("building the image {name} failed: {}", last.join("\n")))
            .with("rc", ran.rc)
            .with("stdout", ran.out())
            .with("stderr", ran.err()))
    }
}

fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a text can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::modules::api::Value;
    use crate::modules::api::fake::FakeHost;

    fn host() -> FakeHost {
        FakeHost::new().program("docker").file("/srv/app/Dockerfile", "FROM x")
    }

    fn recipe() -> Recipe {
        Recipe { path: Some(HostPath::new("/srv/app")), ..Recipe::default() }
    }

    fn map(name: &str, value: &str) -> Pairs {
        Pairs(Value::from_pairs([(name, value)]).into_map())
    }

    #[test]
    fn whatever_decides_the_result_decides_the_digest() {
        let host = host();
        let digest = |recipe: Recipe| recipe.digest(&host, &recipe.context(&host).unwrap()).unwrap();
        let first = digest(recipe());
        for other in [
            Recipe { args: map("A", "1"), ..recipe() },
            Recipe { labels: map("A", "1"), ..recipe() },
            Recipe { etc_hosts: map("A", "1"), ..recipe() },
            Recipe { target: Some("x".into()), ..recipe() },
            Recipe { platform: vec!["linux/arm64".into()], ..recipe() },
            Recipe { network: Some("host".into()), ..recipe() },
        ] {
            assert_ne!(digest(other.clone()), first, "{other:?}");
        }
        for same in [
            Recipe { pull: true, ..recipe() },
            Recipe { nocache: true, ..recipe() },
            Recipe { cache_from: vec!["x".into()], ..recipe() },
        ] {
            assert_eq!(digest(same.clone()), first, "{same:?}");
        }
    }

    #[test]
    fn arguments_and_secrets_do_not_stand_in_the_process_list() {
        let recipe = Recipe {
            args: map("TOKEN", "s3cret"),
            secrets: vec![
                BuildSecret::Given { id: "a".into(), value: crate::secret::Secret::new("hidden") },
                BuildSecret::File { id: "b".into(), path: HostPath::new("~/b") },
            ],
            keep_containers: true,
            target: Some("prod".into()),
            ..recipe()
        };
        let host = host();
        let cmd = recipe.cmd(&Engine::default(), &host, "app:1").unwrap();
        let line = cmd.display();
        let digest = recipe.digest(&host, &recipe.context(&host).unwrap()).unwrap();
        assert_eq!(
            line,
            format!(
                "docker image build --tag app:1 --build-arg TOKEN --label {LABEL}={digest} --target prod --rm=false \
                 --secret id=a,env=REGATTA_BUILD_SECRET_0 --secret id=b,src=/root/b \
                 --file /srv/app/Dockerfile /srv/app"
            )
        );
        assert!(cmd.env.contains(&("TOKEN".into(), "s3cret".into())));
        assert!(cmd.env.contains(&("REGATTA_BUILD_SECRET_0".into(), "hidden".into())));
    }
}
