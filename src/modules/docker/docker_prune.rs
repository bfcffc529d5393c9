//! `docker_prune`: what an engine keeps and nothing uses goes.

use schemars::JsonSchema;
use serde::Deserialize;

use super::engine::Engine;
use super::filters::words;
use super::pairs::Pairs;
use crate::modules::api::{Fail, Look, Map, Module, Outcome, Support, Touch, Value};

/// Remove what a Docker engine keeps and nothing uses.
///
/// What would go is not known before: check mode says that it may change something.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// Containers that do not run.
    #[serde(default)]
    containers: bool,
    /// Only those that fit: `until`, `label`, `label!`.
    #[serde(default)]
    containers_filters: Pairs,
    /// Images without a name; with the filter `dangling: false` all that no container uses.
    #[serde(default)]
    images: bool,
    /// Only those that fit: `dangling`, `until`, `label`, `label!`.
    #[serde(default)]
    images_filters: Pairs,
    /// Networks that no container is in.
    #[serde(default)]
    networks: bool,
    /// Only those that fit: `until`, `label`, `label!`.
    #[serde(default)]
    networks_filters: Pairs,
    /// Volumes that no container uses.
    #[serde(default)]
    volumes: bool,
    /// Only those that fit: `label`, `label!`, `all`.
    #[serde(default)]
    volumes_filters: Pairs,
    /// What the builder keeps to use again.
    #[serde(default)]
    builder_cache: bool,
    /// All of that, not only what nothing refers to.
    #[serde(default)]
    builder_cache_all: bool,
    /// Only what fits: `until`, `id`, `type` …
    #[serde(default)]
    builder_cache_filters: Pairs,
    /// How much of that may stay, as `1g`.
    #[serde(default)]
    builder_cache_keep_storage: Option<String>,
    /// Which engine.
    #[serde(rename = "@engine")]
    #[schemars(flatten)]
    engine: Engine,
}

/// What to prune: the client's words and the result's field.
#[derive(Debug)]
pub struct Plan(Vec<(&'static str, Vec<String>)>);

impl Module for Args {
    const SUPPORT: Support = Support::IMPERATIVE;
    const EXAMPLES: &'static str = "
- name: Images that nothing uses any more
  docker_prune:
    images: true
    images_filters:
      dangling: false

- name: All that is older than a day
  docker_prune:
    containers: true
    containers_filters:
      until: 24h
    networks: true
    volumes: true
    builder_cache: true
";
    const RETURNS: &'static str = "
containers: The ids of containers that went.
containers_space_reclaimed: How many bytes that gave.
images: What went of images.
images_space_reclaimed: How many bytes that gave.
networks: The networks that went.
volumes: The volumes that went.
volumes_space_reclaimed: How many bytes that gave.
builder_cache_caches_deleted: What of the builder's went.
builder_cache_space_reclaimed: How many bytes that gave.
";
    type Plan = Plan;

    fn plan(&self, _host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let mut all = Vec::new();
        for (wanted, name, word, filters) in [
            (self.containers, "containers", "container", &self.containers_filters),
            (self.images, "images", "image", &self.images_filters),
            (self.networks, "networks", "network", &self.networks_filters),
            (self.volumes, "volumes", "volume", &self.volumes_filters),
            (self.builder_cache, "builder_cache", "builder", &self.builder_cache_filters),
        ] {
            if !wanted {
                continue;
            }
            let mut line = [word, "prune", "--force"].map(str::to_owned).to_vec();
            let mut filters = filters.clone();
            // The client's word for an image without a name is the default, for all others `--all`.
            if word == "image"
                && let Some(dangling) = filters.0.shift_remove("dangling")
                && matches!(&*dangling.to_string().to_lowercase(), "false" | "0" | "no")
            {
                line.push("--all".into());
            }
            if word == "builder" {
                line.extend(self.builder_cache_all.then(|| "--all".to_owned()));
                let keep = self.builder_cache_keep_storage.iter();
                line.extend(keep.flat_map(|size| ["--keep-storage".to_owned(), size.clone()]));
            }
            line.extend(words(&filters)?);
            all.push((name, line));
        }
        Ok((!all.is_empty()).then_some(Plan(all)))
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let mut outcome = Outcome::unchanged();
        for (name, line) in plan.0 {
            let text = self.engine.tell(host, line, &format!("pruning {name}"))?.out();
            let (gone, bytes) = parse(&text);
            outcome.changed |= gone.truthy() || bytes > 0;
            let field = if name == "builder_cache" { "builder_cache_caches_deleted" } else { name };
            outcome = outcome.with(field, gone);
            if name != "networks" {
                outcome = outcome.with(&format!("{name}_space_reclaimed"), bytes);
            }
        }
        Ok(outcome)
    }

    fn unchanged(&self, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(Outcome { fields: Map::new(), ..Outcome::unchanged() })
    }
}

/// What went, and how many bytes that gave.
fn parse(text: &str) -> (Value, i64) {
    let mut gone = Vec::new();
    let mut bytes = 0;
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(size) =
            line.strip_prefix("Total reclaimed space:").or_else(|| line.strip_prefix("Total:"))
        {
            bytes = decimal(size.trim());
            continue;
        }
        // Headings end with a colon, tables of the builder begin with words in capitals.
        if line.ends_with(':') || line.starts_with("ID ") || line.starts_with("ID\t") {
            continue;
        }
        gone.push(line.split_once(": ").map_or(line, |(_, rest)| rest).to_owned());
    }
    (Value::from(gone), bytes)
}

/// `1.5kB`, as the client prints sizes: units of a thousand.
fn decimal(text: &str) -> i64 {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let number: f64 = text[..end].parse().unwrap_or(0.0);
    let power = match text[end..].trim().to_lowercase().as_str() {
        "kb" => 1,
        "mb" => 2,
        "gb" => 3,
        "tb" => 4,
        _ => 0,
    };
    super::docker_container::whole(number * 1000_f64.powi(power)).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{Args, parse};
    use crate::modules::api::fake::FakeHost;

    #[test]
    fn each_kind_is_pruned_with_its_filters() {
        let mut host = FakeHost::new()
            .answer(
                "docker container prune",
                0,
                "Deleted Containers:\nabc\ndef\n\nTotal reclaimed space: 1.5kB\n",
            )
            .answer(
                "docker image prune",
                0,
                "Deleted Images:\nuntagged: a:1\ndeleted: sha256:1\n\nTotal reclaimed space: 0B\n",
            )
            .answer("docker network prune", 0, "")
            .answer("docker volume prune", 0, "Total reclaimed space: 0B\n")
            .answer("docker builder prune", 0, "Total:\t0B\n");
        let args = "{containers: true, containers_filters: {until: 24h}, images: true, images_filters: {dangling: false}, \
                    networks: true, volumes: true, builder_cache: true, builder_cache_all: true}";
        assert!(host.check::<Args>(args).unwrap().changed);
        let outcome = host.play::<Args>(args).unwrap();
        assert!(outcome.changed);
        assert_eq!(outcome.fields["containers"].to_string(), "['abc', 'def']");
        assert_eq!(outcome.fields["containers_space_reclaimed"].as_int(), Some(1500));
        assert_eq!(outcome.fields["images"].to_string(), "['a:1', 'sha256:1']");
        assert_eq!(
            host.ran,
            [
                "docker container prune --force --filter until=24h",
                "docker image prune --force --all",
                "docker network prune --force",
                "docker volume prune --force",
                "docker builder prune --force --all",
            ]
        );
        let mut nothing = FakeHost::new().answer("docker network prune", 0, "");
        assert!(!nothing.play::<Args>("networks: true").unwrap().changed);
        assert!(!nothing.play::<Args>("{}").unwrap().changed);
    }

    #[test]
    fn tables_and_headings_are_told_from_what_went() {
        let table = "ID          RECLAIMABLE   SIZE\nxyz*   true   5MB\nTotal:  5MB\n";
        let (gone, bytes) = parse(table);
        assert_eq!((gone.to_string().as_str(), bytes), ("['xyz*   true   5MB']", 5_000_000));
    }
}
