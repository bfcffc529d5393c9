//! `docker_image_build`: an image from a Dockerfile. The building itself is in `build`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::build::{BuildSecret, Recipe};
use super::engine::Engine;
use super::image::{Image, UNKNOWN, find, name_diff};
use super::pairs::Pairs;
use super::reference::Reference;
use crate::modules::api::{Diff, Fail, HostPath, Look, Map, Module, Outcome, Touch, Value};
use crate::secret::Secret;

/// Build an image from a Dockerfile.
///
/// `rebuild` says what happens when there is an image of that name. Secrets and outputs need BuildKit; all else works
/// with the classic builder too. Values of build arguments and secrets never stand in the process list.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The image's name, with a tag if `tag` is not given.
    name: String,
    /// The tag.
    #[serde(default = "latest")]
    tag: String,
    /// The context: a folder of the host, or the address of a repository or archive.
    path: HostPath,
    /// The Dockerfile, from the context's folder; `Dockerfile` by default.
    #[serde(default)]
    dockerfile: Option<String>,
    /// Images whose layers may be used again.
    #[serde(default)]
    cache_from: Vec<String>,
    /// Look for newer base images.
    #[serde(default)]
    pull: bool,
    /// The network of the build's steps.
    #[serde(default)]
    network: Option<String>,
    /// Use no layer again.
    #[serde(default)]
    nocache: bool,
    /// Names for the steps' `/etc/hosts`, each with its address.
    #[serde(default)]
    etc_hosts: Pairs,
    /// Build arguments.
    #[serde(default)]
    args: Pairs,
    /// The stage to stop at.
    #[serde(default)]
    target: Option<String>,
    /// Platforms to build for.
    #[serde(default)]
    platform: Vec<String>,
    /// Size of `/dev/shm`, as `64m`.
    #[serde(default)]
    shm_size: Option<String>,
    /// Labels of the image.
    #[serde(default)]
    labels: Pairs,
    /// When to build although there is an image.
    #[serde(default)]
    rebuild: Rebuild,
    /// Secrets that steps can mount.
    #[serde(default)]
    secrets: Vec<SecretArgs>,
    /// Where the result goes instead of into the engine.
    #[serde(default)]
    outputs: Vec<OutputArgs>,
    /// Which engine.
    #[serde(rename = "@engine")]
    #[schemars(flatten)]
    engine: Engine,
}

/// When an image that is there is built again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(super) enum Rebuild {
    /// Never.
    #[default]
    Never,
    /// When its context, Dockerfile or arguments changed.
    Changed,
    /// Each time; layers that did not change are used again.
    Always,
}

/// A secret of the build.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct SecretArgs {
    /// The name that steps mount it by.
    id: String,
    /// Where it comes from.
    #[serde(rename = "type")]
    kind: SecretKind,
    /// The file of the host (`type: file`).
    #[serde(default)]
    src: Option<HostPath>,
    /// The variable of the task's environment (`type: env`).
    #[serde(default)]
    env: Option<String>,
    /// The secret itself (`type: value`).
    #[serde(default)]
    value: Option<Secret>,
}

/// Where a secret comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum SecretKind {
    /// From a file.
    File,
    /// From a variable.
    Env,
    /// From the task.
    Value,
}

/// A place for the result.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct OutputArgs {
    /// What kind of result.
    #[serde(rename = "type")]
    kind: OutputKind,
    /// The file or folder (`local`, `tar`, `oci`, `docker`).
    #[serde(default)]
    dest: Option<HostPath>,
    /// The context of the engine that gets the image (`docker`).
    #[serde(default)]
    context: Option<String>,
    /// Names of the image (`image`).
    #[serde(default)]
    name: Vec<String>,
    /// Push it (`image`).
    #[serde(default)]
    push: bool,
}

/// What kind of result a build has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum OutputKind {
    /// Files in a folder.
    Local,
    /// Files in an archive.
    Tar,
    /// An OCI archive.
    Oci,
    /// An archive as `docker save` writes, or an engine.
    Docker,
    /// An image.
    Image,
}

fn latest() -> String {
    "latest".into()
}

/// A build to be run.
#[derive(Debug)]
pub struct Plan {
    name: String,
    before: Option<Image>,
    /// Whether the result is sure to be another image than before.
    new: bool,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Build the application when something in it changed
  docker_image_build:
    name: localhost:5000/app
    tag: \"1.0\"
    path: /srv/app
    rebuild: changed
    args:
      BASE: localhost:5000/base:1
";
    const RETURNS: &'static str = "
image: What `docker image inspect` says of the image.
actions: What was done, in words.
stdout: What the builder printed.
command: The command that was run.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let name = self.reference()?.to_string();
        let recipe = self.recipe()?;
        recipe.context(host)?;
        let before = find(&self.engine, host, &name)?;
        let made = match &before {
            None => false,
            Some(_) if self.rebuild == Rebuild::Never => return Ok(None),
            Some(image) => recipe.made(host, image)?,
        };
        if made && self.rebuild == Rebuild::Changed {
            return Ok(None);
        }
        Ok(Some(Plan { name, before, new: !made || self.nocache || self.pull }))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let image = find(&self.engine, host, &self.reference()?.to_string())?;
        let none: Vec<String> = Vec::new();
        Ok(Outcome::unchanged().with("image", value(image.as_ref())).with("actions", none).with("stdout", ""))
    }

    fn predicted(&self, plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        let outcome = Outcome { changed: plan.new, ..Outcome::default() };
        Ok(outcome
            .with("image", value(plan.before.as_ref()))
            .with("actions", vec![self.action(&plan.name)])
            .with("stdout", ""))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        vec![name_diff(&plan.name, plan.before.as_ref().map(Image::id), Some(UNKNOWN))]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let recipe = self.recipe()?;
        let words = recipe.cmd(&self.engine, host.as_look(), &plan.name)?.argv;
        let ran = recipe.run(&self.engine, host, &plan.name)?;
        let after = find(&self.engine, host.as_look(), &plan.name)?;
        let old = plan.before.as_ref().map(Image::id);
        let new = after.as_ref().map(Image::id);
        let changed = old != new || !self.outputs.is_empty();
        let outcome = Outcome { changed, ..Outcome::default() };
        let words: Vec<String> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
        Ok(outcome
            .with("image", value(after.as_ref()))
            .with("actions", vec![self.action(&plan.name)])
            .with("command", words)
            .with("stdout", ran.out()))
    }
}

fn value(image: Option<&Image>) -> Value {
    image.map_or_else(|| Value::map(Map::new()), Image::value)
}

impl Args {
    fn reference(&self) -> Result<Reference, Fail> {
        let reference = Reference::new(&self.name, &self.tag)?;
        if reference.is_digest() {
            return Err(Fail::new(format!("{reference}: a build's result has a tag, not a digest")));
        }
        Ok(reference)
    }

    fn action(&self, name: &str) -> String {
        format!("Built image {name} from {}", self.path)
    }

    fn recipe(&self) -> Result<Recipe, Fail> {
        Ok(Recipe {
            path: Some(self.path.clone()),
            dockerfile: self.dockerfile.clone(),
            args: self.args.clone(),
            cache_from: self.cache_from.clone(),
            pull: self.pull,
            network: self.network.clone(),
            nocache: self.nocache,
            etc_hosts: self.etc_hosts.clone(),
            target: self.target.clone(),
            platform: self.platform.clone(),
            shm_size: self.shm_size.clone(),
            labels: self.labels.clone(),
            secrets: self.secrets.iter().map(SecretArgs::secret).collect::<Result<_, _>>()?,
            outputs: self.outputs.iter().map(OutputArgs::text).collect::<Result<_, _>>()?,
            ..Recipe::default()
        })
    }
}

impl SecretArgs {
    fn secret(&self) -> Result<BuildSecret, Fail> {
        let id = self.id.clone();
        let missing = |name: &str| Fail::new(format!("the secret {id:?}: {name} is required for this type"));
        Ok(match self.kind {
            SecretKind::File => {
                BuildSecret::File { path: self.src.clone().ok_or_else(|| missing("src"))?, id }
            }
            SecretKind::Env => {
                BuildSecret::Variable { name: self.env.clone().ok_or_else(|| missing("env"))?, id }
            }
            SecretKind::Value => {
                BuildSecret::Given { value: self.value.clone().ok_or_else(|| missing("value"))?, id }
            }
        })
    }
}

impl OutputArgs {
    /// As the client reads it: comma-separated, quoted where a value has commas.
    fn text(&self) -> Result<String, Fail> {
        let (kind, needs_dest) = match self.kind {
            OutputKind::Local => ("local", true),
            OutputKind::Tar => ("tar", true),
            OutputKind::Oci => ("oci", true),
            OutputKind::Docker => ("docker", false),
            OutputKind::Image => ("image", false),
        };
        if needs_dest && self.dest.is_none() {
            return Err(Fail::new(format!("outputs: dest is required for type {kind}")));
        }
        let mut fields = vec![format!("type={kind}")];
        fields.extend(self.dest.iter().map(|path| format!("dest={path}")));
        fields.extend(self.context.iter().map(|context| format!("context={context}")));
        if !self.name.is_empty() {
            fields.push(format!("name={}", self.name.join(",")));
        }
        if self.push {
            fields.push("push=true".into());
        }
        let quoted = fields.iter().map(|field| {
            if field.contains([',', '"']) {
                format!("\"{}\"", field.replace('"', "\"\""))
            } else {
                field.clone()
            }
        });
        Ok(quoted.collect::<Vec<_>>().join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::Args;
    use crate::modules::api::Ran;
    use crate::modules::api::fake::FakeHost;
    use crate::modules::docker::build::{LABEL, Recipe};

    fn image(id: &str, digest: &str) -> String {
        format!(r#"[{{"Id": "{id}", "Config": {{"Labels": {{"{LABEL}": "{digest}"}}}}}}]"#)
    }

    fn host() -> FakeHost {
        FakeHost::new().file("/srv/app/Dockerfile", "FROM x").answer(
            "docker image build --tag app:1",
            0,
            "done",
        )
    }

    fn digest() -> String {
        let recipe =
            Recipe { path: Some(crate::modules::api::HostPath::new("/srv/app")), ..Recipe::default() };
        recipe.digest(&host(), &recipe.context(&host()).unwrap()).unwrap()
    }

    #[test]
    fn rebuild_decides_what_happens_to_an_image_that_is_there() {
        for (label, rebuild, foreseen, runs) in [
            (digest(), "never", false, false),
            ("x".into(), "never", false, false),
            (digest(), "changed", false, false),
            ("x".into(), "changed", true, true),
            (digest(), "always", false, true),
            ("x".into(), "always", true, true),
        ] {
            let args = format!("{{name: app, tag: 1, path: /srv/app, rebuild: {rebuild}}}");
            let mut host = host().answer("docker image inspect app:1", 0, &image("sha256:1", &label));
            assert_eq!(host.check::<Args>(&args).unwrap().changed, foreseen, "{args}");
            // The builder gave the same image again.
            assert!(!host.play::<Args>(&args).unwrap().changed, "{args}");
            assert_eq!(!host.ran.is_empty(), runs, "{args}");
        }
    }

    #[test]
    fn an_image_that_is_not_there_is_built() {
        let absent = Ran { rc: 1, stderr: b"No such image".to_vec(), ..Ran::default() };
        let mut host = host().answer_with("docker image inspect app:1", absent, None).answer(
            "docker image inspect app:1",
            0,
            &image("sha256:1", "x"),
        );
        let outcome = host.play::<Args>("{name: 'app:1', path: /srv/app}").unwrap();
        assert!(outcome.changed);
        assert_eq!(outcome.fields["image"].get("Id").unwrap().as_str(), Some("sha256:1"));
    }

    #[test]
    fn outputs_and_secrets_must_be_whole() {
        for (args, error) in [
            ("outputs: [{type: local}]", "outputs: dest is required for type local"),
            ("secrets: [{id: a, type: file}]", "the secret \"a\": src is required for this type"),
        ] {
            let fail = host().play::<Args>(&format!("{{name: a, path: /srv/app, {args}}}")).unwrap_err();
            assert_eq!(fail.msg, error);
        }
        let args: Args = crate::modules::api::decode(
            &serde_yaml::from_str::<crate::modules::api::Value>(
                "{name: a, path: /, outputs: [{type: image, name: [a, b], push: true}]}",
            )
            .unwrap()
            .into_map(),
        )
        .unwrap();
        assert_eq!(args.outputs[0].text().unwrap(), "type=image,\"name=a,b\",push=true");
    }
}
