//! What a container keeps and where: volumes, mounts, memory file systems.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::property::{Around, Side, each, pairs, plain};
use super::size::size;
use crate::modules::api::{Fail, Look, Value, expand};
use crate::modules::docker::pairs::Pairs;

/// Where the container keeps what.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Storage {
    /// Volumes and folders of the host: `volume:/path[:ro]`, `/folder:/path[:ro]`; `/path` alone for a volume without a
    /// name.
    #[serde(default)]
    volumes: Option<Vec<String>>,
    /// The driver of volumes that are made for it.
    #[serde(default)]
    volume_driver: Option<String>,
    /// Containers whose volumes it gets too.
    #[serde(default)]
    volumes_from: Option<Vec<String>>,
    /// Mounts, one by one.
    #[serde(default)]
    mounts: Option<Vec<Mount>>,
    /// File systems in memory: `/path` or `/path:options`.
    #[serde(default)]
    tmpfs: Option<Vec<String>>,
    /// Size of `/dev/shm`, as `64m`.
    #[serde(default)]
    shm_size: Option<String>,
    /// Options of the storage driver.
    #[serde(default)]
    storage_opts: Option<Pairs>,
}

/// One mount.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Mount {
    /// The path in the container.
    target: String,
    /// The volume's name or the path on the host.
    #[serde(default)]
    source: Option<String>,
    /// What is mounted.
    #[serde(default, rename = "type")]
    kind: MountKind,
    /// It can't be written.
    #[serde(default)]
    read_only: Option<bool>,
    /// How exactly host and container must agree (macOS alone).
    #[serde(default)]
    consistency: Option<String>,
    /// Make the folder on the host if it is not there (`bind`).
    #[serde(default)]
    create_mountpoint: Option<bool>,
    /// Whether mounts in it are seen on the other side (`bind`).
    #[serde(default)]
    propagation: Option<String>,
    /// Leave mounts in it out (`bind`).
    #[serde(default)]
    non_recursive: Option<bool>,
    /// Mounts in it stay writable where it is not (`bind`).
    #[serde(default)]
    read_only_non_recursive: Option<bool>,
    /// Fail if mounts in it can't be made read-only (`bind`).
    #[serde(default)]
    read_only_force_recursive: Option<bool>,
    /// Do not fill the volume with what the image has there (`volume`).
    #[serde(default)]
    no_copy: Option<bool>,
    /// Labels of the volume (`volume`).
    #[serde(default)]
    labels: Option<Pairs>,
    /// The volume's driver (`volume`).
    #[serde(default)]
    volume_driver: Option<String>,
    /// Options of that driver (`volume`).
    #[serde(default)]
    volume_options: Option<Pairs>,
    /// The folder in the volume (`volume`) or image (`image`).
    #[serde(default)]
    subpath: Option<String>,
    /// Its size, as `64m` (`tmpfs`).
    #[serde(default)]
    tmpfs_size: Option<String>,
    /// Its permission bits in octal (`tmpfs`).
    #[serde(default)]
    tmpfs_mode: Option<String>,
    /// More options (`tmpfs`). The docker client has no way to give them here: use `tmpfs`.
    #[serde(default)]
    tmpfs_options: Option<Vec<Value>>,
}

/// What is mounted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum MountKind {
    /// A path of the host.
    Bind,
    /// A named pipe (Windows).
    Npipe,
    /// Memory.
    Tmpfs,
    /// A volume.
    #[default]
    Volume,
    /// A volume of the cluster.
    Cluster,
    /// An image's files.
    Image,
}

impl MountKind {
    fn word(self) -> &'static str {
        match self {
            MountKind::Bind => "bind",
            MountKind::Npipe => "npipe",
            MountKind::Tmpfs => "tmpfs",
            MountKind::Volume => "volume",
            MountKind::Cluster => "cluster",
            MountKind::Image => "image",
        }
    }
}

impl Storage {
    /// The properties that are given.
    ///
    /// # Errors
    /// Wrong values.
    pub fn collect(&self, around: &mut Around<'_>) -> Result<(), Fail> {
        if let Some(given) = &self.volumes {
            let words: Vec<String> = given.iter().map(|text| on_host(text, around.host)).collect();
            let wanted = words.iter().map(|text| volume(text)).collect();
            let mut actual: BTreeSet<String> =
                around.texts("/HostConfig/Binds").iter().map(|text| volume(text)).collect();
            actual.extend(pairs(around.at("/Config/Volumes")).into_keys());
            around.special("volumes", Side::Set(wanted), Side::Set(actual), each("--volume", &words));
        }
        around.one(
            "volume_driver",
            self.volume_driver.clone(),
            "/HostConfig/VolumeDriver",
            "--volume-driver",
        );
        let from = self.volumes_from.as_ref();
        around.set("volumes_from", from, "/HostConfig/VolumesFrom", "--volumes-from", |it| {
            it.strip_suffix(":rw").unwrap_or(it).to_owned()
        });
        if let Some(mounts) = &self.mounts {
            mounted(mounts, around)?;
        }
        if let Some(given) = &self.tmpfs {
            let pair = |text: &String| {
                text.split_once(':').map_or((text.clone(), String::new()), |(a, b)| (a.into(), b.into()))
            };
            let wanted: BTreeMap<String, String> = given.iter().map(pair).collect();
            let actual = pairs(around.at("/HostConfig/Tmpfs"));
            around.special("tmpfs", Side::Dict(wanted), Side::Dict(actual), each("--tmpfs", given));
        }
        let shm = self.shm_size.as_ref().map(|text| {
            size(text)
                .map(|it| it.to_string())
                .ok_or_else(|| Fail::new(format!("shm_size: {text:?} is no size")))
        });
        around.one("shm_size", shm.transpose()?, "/HostConfig/ShmSize", "--shm-size");
        let options = self.storage_opts.as_ref().map(|it| it.texts("storage_opts")).transpose()?;
        around.dict("storage_opts", options, "/HostConfig/StorageOpt", "--storage-opt");
        Ok(())
    }
}

/// `~/a:/b` with the path of the host written out.
fn on_host(text: &str, host: &dyn Look) -> String {
    match text.split_once(':') {
        Some((source, rest)) if source.starts_with(['~', '$']) => format!("{}:{rest}", expand(source, host)),
        _ => text.to_owned(),
    }
}

/// A volume with its mode in one form: `rw` is no word of its own, others are sorted, slashes at the end go.
fn volume(text: &str) -> String {
    let path = |path: &str| {
        let bare = path.trim_end_matches('/');
        if bare.is_empty() { path.to_owned() } else { bare.to_owned() }
    };
    let parts: Vec<&str> = text.split(':').collect();
    match parts[..] {
        [source, target] => format!("{}:{}", path(source), path(target)),
        [source, target, mode] => {
            let mut modes: Vec<&str> = mode.split(',').filter(|mode| *mode != "rw").collect();
            modes.sort_unstable();
            let bare = format!("{}:{}", path(source), path(target));
            if modes.is_empty() { bare } else { format!("{bare}:{}", modes.join(",")) }
        }
        _ => path(text),
    }
}

/// Mounts are compared one by one by what the task says of each.
fn mounted(mounts: &[Mount], around: &mut Around<'_>) -> Result<(), Fail> {
    let there: Vec<Json> = around.at("/HostConfig/Mounts").as_array().cloned().unwrap_or_default();
    let (mut wanted, mut actual, mut words) = (BTreeMap::new(), BTreeMap::new(), Vec::new());
    for mount in mounts {
        let fields = mount.fields()?;
        words.extend(["--mount".to_owned(), mount.word()?]);
        if let Some(json) = there.iter().find(|json| json["Target"] == mount.target.as_str()) {
            let same: Vec<String> = fields.iter().map(|(pointer, _)| at(json, pointer)).collect();
            actual.insert(mount.target.clone(), same.join(" "));
        }
        let values: Vec<String> = fields.into_iter().map(|(_, value)| value).collect();
        wanted.insert(mount.target.clone(), values.join(" "));
    }
    for json in &there {
        let target = plain(&json["Target"]);
        actual
            .entry(target)
            .or_insert_with(|| format!("{} {}", plain(&json["Type"]), plain(&json["Source"])));
    }
    around.special("mounts", Side::Dict(wanted), Side::Dict(actual), words);
    Ok(())
}

fn at(json: &Json, pointer: &str) -> String {
    match json.pointer(pointer) {
        None | Some(Json::Null) if pointer.ends_with("ReadOnly") || pointer.contains("No") => "false".into(),
        Some(Json::Object(all)) => {
            let all: BTreeMap<&String, String> = all.iter().map(|(name, it)| (name, plain(it))).collect();
            format!("{all:?}")
        }
        other => plain(other.unwrap_or(&Json::Null)),
    }
}

impl Mount {
    /// What the task says of it: where `docker inspect` has it, and the value there.
    fn fields(&self) -> Result<Vec<(&'static str, String)>, Fail> {
        let mut fields = vec![("/Type", self.kind.word().to_owned())];
        let mut add = |pointer: &'static str, value: Option<String>| {
            fields.extend(value.map(|value| (pointer, value)));
        };
        let flag = |it: Option<bool>| it.map(|it| it.to_string());
        add("/Source", self.source.clone());
        add("/ReadOnly", flag(self.read_only));
        add("/Consistency", self.consistency.clone());
        add("/BindOptions/Propagation", self.propagation.clone());
        add("/BindOptions/NonRecursive", flag(self.non_recursive));
        add("/VolumeOptions/NoCopy", flag(self.no_copy));
        add("/VolumeOptions/Labels", self.labels.as_ref().map(|it| form(it, "labels")).transpose()?);
        add("/VolumeOptions/DriverConfig/Name", self.volume_driver.clone());
        let options = self.volume_options.as_ref().map(|it| form(it, "volume_options")).transpose()?;
        add("/VolumeOptions/DriverConfig/Options", options);
        let sub =
            if self.kind == MountKind::Image { "/ImageOptions/Subpath" } else { "/VolumeOptions/Subpath" };
        add(sub, self.subpath.clone());
        add("/TmpfsOptions/SizeBytes", self.bytes()?.map(|it| it.to_string()));
        add("/TmpfsOptions/Mode", self.mode()?.map(|it| it.to_string()));
        Ok(fields)
    }

    fn bytes(&self) -> Result<Option<i64>, Fail> {
        let bytes = self.tmpfs_size.as_ref().map(|text| {
            size(text).ok_or_else(|| Fail::new(format!("mounts: {}: {text:?} is no size", self.target)))
        });
        bytes.transpose()
    }

    fn mode(&self) -> Result<Option<u32>, Fail> {
        let mode = self.tmpfs_mode.as_ref().map(|text| {
            u32::from_str_radix(text, 8)
                .map_err(|_| Fail::new(format!("mounts: {}: {text:?} is no octal mode", self.target)))
        });
        mode.transpose()
    }

    /// As the client reads it: comma-separated, quoted where a value has commas.
    fn word(&self) -> Result<String, Fail> {
        if self.tmpfs_options.as_ref().is_some_and(|it| !it.is_empty()) {
            return Err(Fail::new(
                "mounts: the docker client takes no tmpfs_options; use the argument tmpfs",
            ));
        }
        if self.source.is_none() && matches!(self.kind, MountKind::Bind | MountKind::Image) {
            let kind = self.kind.word();
            return Err(Fail::new(format!("mounts: {}: source is required for type {kind}", self.target)));
        }
        let mut fields = vec![format!("type={}", self.kind.word())];
        let mut add = |name: &str, value: Option<String>| {
            fields.extend(value.map(|value| format!("{name}={value}")));
        };
        let flag = |it: Option<bool>| it.filter(|it| *it).map(|it| it.to_string());
        add("source", self.source.clone());
        add("target", Some(self.target.clone()));
        add("readonly", flag(self.read_only));
        add("consistency", self.consistency.clone());
        add("bind-propagation", self.propagation.clone());
        add("bind-create-src", flag(self.create_mountpoint));
        let recursive =
            match (self.non_recursive, self.read_only_non_recursive, self.read_only_force_recursive) {
                (Some(true), ..) => Some("disabled"),
                (_, Some(true), _) => Some("writable"),
                (.., Some(true)) => Some("readonly"),
                _ => None,
            };
        add("bind-recursive", recursive.map(str::to_owned));
        add("volume-nocopy", flag(self.no_copy));
        add("volume-driver", self.volume_driver.clone());
        let sub = if self.kind == MountKind::Image { "image-subpath" } else { "volume-subpath" };
        add(sub, self.subpath.clone());
        add("tmpfs-size", self.bytes()?.map(|it| it.to_string()));
        add("tmpfs-mode", self.mode()?.map(|it| format!("{it:o}")));
        for (option, map) in [("volume-label", &self.labels), ("volume-opt", &self.volume_options)] {
            let map = map.as_ref().map(|map| map.texts(option)).transpose()?;
            for (name, value) in map.unwrap_or_default() {
                fields.push(format!("{option}={name}={value}"));
            }
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

fn form(pairs: &Pairs, what: &str) -> Result<String, Fail> {
    let all: BTreeMap<String, String> = pairs.texts(what)?.into_iter().collect();
    Ok(format!("{all:?}"))
}
