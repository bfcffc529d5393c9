//! What a container may use: memory, processors, devices.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value as Json;

use super::property::{Around, Property, Side, each, plain};
use super::size::{size, whole};
use crate::modules::api::Fail;
use crate::modules::docker::pairs::Pairs;

/// What the container may use. Sizes are texts like `512m` or `1g`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Limits {
    /// Memory.
    #[serde(default)]
    memory: Option<String>,
    /// Memory that it gets back to when the host is short of it.
    #[serde(default)]
    memory_reservation: Option<String>,
    /// Memory and swap together; `unlimited` or `-1` for any.
    #[serde(default)]
    memory_swap: Option<String>,
    /// How readily its memory is swapped, 0 to 100.
    #[serde(default)]
    memory_swappiness: Option<i64>,
    /// Memory of the kernel for it. Newer kernels have no such limit.
    #[serde(default)]
    kernel_memory: Option<String>,
    /// Processors, as 0.5 or 2.
    #[serde(default)]
    cpus: Option<f64>,
    /// The scheduler's period in microseconds.
    #[serde(default)]
    cpu_period: Option<i64>,
    /// Processor time in each period, in microseconds.
    #[serde(default)]
    cpu_quota: Option<i64>,
    /// Weight of its processor time.
    #[serde(default)]
    cpu_shares: Option<i64>,
    /// The processors that it may use, as `0-3` or `0,1`.
    #[serde(default)]
    cpuset_cpus: Option<String>,
    /// The memory nodes that it may use.
    #[serde(default)]
    cpuset_mems: Option<String>,
    /// Weight of its input and output, 10 to 1000.
    #[serde(default)]
    blkio_weight: Option<i64>,
    /// How many processes it may have; -1 for any.
    #[serde(default)]
    pids_limit: Option<i64>,
    /// How readily the kernel kills it when memory runs out, -1000 to 1000.
    #[serde(default)]
    oom_score_adj: Option<i64>,
    /// Keep the kernel from killing it when memory runs out.
    #[serde(default)]
    oom_killer: Option<bool>,
    /// Limits of its processes: `nofile:1024:2048`, `nproc:512`.
    #[serde(default)]
    ulimits: Option<Vec<String>>,
    /// Devices of the host: `path[:path in the container[:rwm]]`.
    #[serde(default)]
    devices: Option<Vec<String>>,
    /// Rules for devices: `c 42:* rmw`.
    #[serde(default)]
    device_cgroup_rules: Option<Vec<String>>,
    /// Bytes a second that may be read from devices.
    #[serde(default)]
    device_read_bps: Option<Vec<Bytes>>,
    /// Bytes a second that may be written to devices.
    #[serde(default)]
    device_write_bps: Option<Vec<Bytes>>,
    /// Reads a second from devices.
    #[serde(default)]
    device_read_iops: Option<Vec<Operations>>,
    /// Writes a second to devices.
    #[serde(default)]
    device_write_iops: Option<Vec<Operations>>,
    /// Graphics processors and the like. The docker client asks for those with the capability `gpu`.
    #[serde(default)]
    device_requests: Option<Vec<Request>>,
}

/// A limit of bytes a second.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Bytes {
    /// The device of the host.
    path: String,
    /// The limit, as `1mb`.
    rate: String,
}

/// A limit of operations a second.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Operations {
    /// The device of the host.
    path: String,
    /// The limit.
    rate: i64,
}

/// A request for devices that a driver gives out.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Request {
    /// What the devices can do: a list of lists of which one must fit.
    #[serde(default)]
    capabilities: Vec<Vec<String>>,
    /// How many devices; -1 for all.
    #[serde(default)]
    count: Option<i64>,
    /// Which devices.
    #[serde(default)]
    device_ids: Vec<String>,
    /// The driver.
    #[serde(default)]
    driver: Option<String>,
    /// Options of the driver.
    #[serde(default)]
    options: Option<Pairs>,
}

impl Limits {
    /// The properties that are given.
    ///
    /// # Errors
    /// Wrong values.
    pub fn collect(&self, around: &mut Around<'_>) -> Result<(), Fail> {
        self.memory(around)?;
        self.processors(around)?;
        let number = |it: Option<i64>| it.map(|it| it.to_string());
        around.live("blkio_weight", number(self.blkio_weight), "/HostConfig/BlkioWeight", "--blkio-weight");
        around.live("pids_limit", number(self.pids_limit), "/HostConfig/PidsLimit", "--pids-limit");
        around.one("oom_score_adj", number(self.oom_score_adj), "/HostConfig/OomScoreAdj", "--oom-score-adj");
        around.flag_if("oom_killer", self.oom_killer, "/HostConfig/OomKillDisable", "--oom-kill-disable");
        self.of_processes(around)?;
        self.devices(around)?;
        for (name, given, pointer, option) in [
            ("device_read_bps", &self.device_read_bps, "BlkioDeviceReadBps", "--device-read-bps"),
            ("device_write_bps", &self.device_write_bps, "BlkioDeviceWriteBps", "--device-write-bps"),
        ] {
            let Some(given) = given else { continue };
            let rates = given.iter().map(|it| Ok(format!("{}:{}", it.path, bytes(name, &it.rate)?)));
            rated(around, name, rates.collect::<Result<_, Fail>>()?, pointer, option);
        }
        for (name, given, pointer, option) in [
            ("device_read_iops", &self.device_read_iops, "BlkioDeviceReadIOps", "--device-read-iops"),
            ("device_write_iops", &self.device_write_iops, "BlkioDeviceWriteIOps", "--device-write-iops"),
        ] {
            let Some(given) = given else { continue };
            rated(
                around,
                name,
                given.iter().map(|it| format!("{}:{}", it.path, it.rate)).collect(),
                pointer,
                option,
            );
        }
        self.requests(around)
    }

    fn memory(&self, around: &mut Around<'_>) -> Result<(), Fail> {
        let default = around.compatible.then(|| "0".to_owned());
        for (name, given, pointer, option) in [
            ("memory", self.memory.clone().or(default), "Memory", "--memory"),
            (
                "memory_reservation",
                self.memory_reservation.clone(),
                "MemoryReservation",
                "--memory-reservation",
            ),
            ("memory_swap", self.memory_swap.clone(), "MemorySwap", "--memory-swap"),
            ("kernel_memory", self.kernel_memory.clone(), "KernelMemory", "--kernel-memory"),
        ] {
            let wanted = given.map(|text| bytes(name, &text).map(|it| it.to_string())).transpose()?;
            around.live(name, wanted, &format!("/HostConfig/{pointer}"), option);
        }
        let swappiness = self.memory_swappiness.map(|it| it.to_string());
        around.one("memory_swappiness", swappiness, "/HostConfig/MemorySwappiness", "--memory-swappiness");
        Ok(())
    }

    fn processors(&self, around: &mut Around<'_>) -> Result<(), Fail> {
        if let Some(cpus) = self.cpus {
            let nano = whole(cpus * 1e9).filter(|nano| *nano >= 0);
            let nano = nano.ok_or_else(|| Fail::new(format!("cpus: {cpus} is no number of processors")))?;
            let words = vec!["--cpus".to_owned(), format!("{cpus}")];
            around.properties.push(Property {
                name: "cpus",
                wanted: Side::One(shown(nano)),
                actual: Side::One(shown(around.at("/HostConfig/NanoCpus").as_i64().unwrap_or(0))),
                create: words.clone(),
                update: Some(words),
                hidden: false,
            });
        }
        let number = |it: Option<i64>| it.map(|it| it.to_string());
        around.live("cpu_period", number(self.cpu_period), "/HostConfig/CpuPeriod", "--cpu-period");
        around.live("cpu_quota", number(self.cpu_quota), "/HostConfig/CpuQuota", "--cpu-quota");
        around.live("cpu_shares", number(self.cpu_shares), "/HostConfig/CpuShares", "--cpu-shares");
        around.live("cpuset_cpus", self.cpuset_cpus.clone(), "/HostConfig/CpusetCpus", "--cpuset-cpus");
        around.live("cpuset_mems", self.cpuset_mems.clone(), "/HostConfig/CpusetMems", "--cpuset-mems");
        Ok(())
    }

    fn of_processes(&self, around: &mut Around<'_>) -> Result<(), Fail> {
        let Some(given) = &self.ulimits else { return Ok(()) };
        let mut wanted = BTreeSet::new();
        for text in given {
            let parts: Vec<&str> = text.split([':', '=']).collect();
            let (name, soft, hard) = match parts[..] {
                [name, soft] => (name, soft, soft),
                [name, soft, hard] => (name, soft, hard),
                _ => return Err(Fail::new(format!("ulimits: {text:?} is not NAME:SOFT or NAME:SOFT:HARD"))),
            };
            wanted.insert(format!("{name}={soft}:{hard}"));
        }
        let actual = around.at("/HostConfig/Ulimits").as_array().into_iter().flatten().map(|json| {
            format!("{}={}:{}", plain(&json["Name"]), plain(&json["Soft"]), plain(&json["Hard"]))
        });
        let actual = actual.collect();
        let words: Vec<String> = wanted.iter().cloned().collect();
        around.special("ulimits", Side::Set(wanted), Side::Set(actual), each("--ulimit", &words));
        Ok(())
    }

    fn devices(&self, around: &mut Around<'_>) -> Result<(), Fail> {
        if let Some(given) = &self.devices {
            let wanted: BTreeSet<String> = given
                .iter()
                .map(|text| {
                    let parts: Vec<&str> = text.split(':').collect();
                    let (path, inside, rights) = match parts[..] {
                        // Two parts: a path, or rights.
                        [path, second] if second.chars().all(|c| "rwm".contains(c)) => (path, path, second),
                        [path, inside] => (path, inside, "rwm"),
                        [path, inside, rights] => (path, inside, rights),
                        _ => (text.as_str(), text.as_str(), "rwm"),
                    };
                    format!("{path}:{inside}:{rights}")
                })
                .collect();
            let actual = around.at("/HostConfig/Devices").as_array().into_iter().flatten().map(|json| {
                let part = |name: &str| plain(&json[name]);
                format!("{}:{}:{}", part("PathOnHost"), part("PathInContainer"), part("CgroupPermissions"))
            });
            let actual = actual.collect();
            let words: Vec<String> = wanted.iter().cloned().collect();
            around.special("devices", Side::Set(wanted), Side::Set(actual), each("--device", &words));
        }
        let rules = self.device_cgroup_rules.as_ref();
        around.list("device_cgroup_rules", rules, "/HostConfig/DeviceCgroupRules", "--device-cgroup-rule");
        Ok(())
    }

    fn requests(&self, around: &mut Around<'_>) -> Result<(), Fail> {
        let Some(given) = &self.device_requests else { return Ok(()) };
        let mut wanted = BTreeSet::new();
        let mut words = Vec::new();
        for request in given {
            wanted.insert(request.form());
            words.extend(["--gpus".to_owned(), request.word()?]);
        }
        let actual =
            around.at("/HostConfig/DeviceRequests").as_array().into_iter().flatten().map(request_form);
        let actual = actual.collect();
        around.special("device_requests", Side::Set(wanted), Side::Set(actual), words);
        Ok(())
    }
}

impl Around<'_> {
    /// A truth value without a default of old versions.
    fn flag_if(&mut self, name: &'static str, wanted: Option<bool>, pointer: &str, option: &str) {
        if wanted.is_some() {
            self.flag(name, wanted, pointer, option);
        }
    }
}

impl Request {
    /// As the client reads it: comma-separated with quotes.
    fn word(&self) -> Result<String, Fail> {
        let mut fields = Vec::new();
        match &self.capabilities[..] {
            [] => {}
            [only] if only.iter().any(|it| it == "gpu") => {
                let others: Vec<&str> = only.iter().map(String::as_str).filter(|it| *it != "gpu").collect();
                if !others.is_empty() {
                    fields.push(format!("\"capabilities={}\"", others.join(",")));
                }
            }
            _ => {
                return Err(Fail::new(
                    "device_requests: the docker client takes one list of capabilities, with `gpu` in it",
                ));
            }
        }
        if !self.device_ids.is_empty() {
            fields.push(format!("\"device={}\"", self.device_ids.join(",")));
        } else {
            let count = self.count.unwrap_or(-1);
            fields.push(if count < 0 { "count=all".into() } else { format!("count={count}") });
        }
        fields.extend(self.driver.iter().map(|driver| format!("driver={driver}")));
        if let Some(options) = &self.options {
            let options = options.texts("device_requests: options")?;
            let options: Vec<String> =
                options.iter().map(|(name, value)| format!("{name}={value}")).collect();
            fields.push(format!("\"options={}\"", options.join(",")));
        }
        Ok(fields.join(","))
    }

    fn form(&self) -> String {
        let mut capabilities = self.capabilities.first().cloned().unwrap_or_else(|| vec!["gpu".into()]);
        capabilities.sort();
        let count = if self.device_ids.is_empty() { self.count.unwrap_or(-1) } else { 0 };
        let driver = self.driver.clone().unwrap_or_default();
        format!("{count} {:?} {capabilities:?} {driver}", self.device_ids)
    }
}

fn request_form(json: &Json) -> String {
    let texts = |json: &Json| -> Vec<String> { json.as_array().into_iter().flatten().map(plain).collect() };
    let mut capabilities = texts(&json["Capabilities"][0]);
    capabilities.sort();
    let count = json["Count"].as_i64().unwrap_or(0);
    format!("{count} {:?} {capabilities:?} {}", texts(&json["DeviceIDs"]), plain(&json["Driver"]))
}

fn rated(around: &mut Around<'_>, name: &'static str, wanted: Vec<String>, pointer: &str, option: &str) {
    let actual = around.at(&format!("/HostConfig/{pointer}")).as_array().into_iter().flatten();
    let actual = actual.map(|json| format!("{}:{}", plain(&json["Path"]), plain(&json["Rate"]))).collect();
    let words = each(option, &wanted);
    around.special(name, Side::Set(wanted.into_iter().collect()), Side::Set(actual), words);
}

fn bytes(name: &str, text: &str) -> Result<i64, Fail> {
    size(text).ok_or_else(|| Fail::new(format!("{name}: {text:?} is no size; write 512m or 1g")))
}

/// Billionths of a processor as a number of them.
fn shown(nano: i64) -> String {
    let text = format!("{}.{:09}", nano / 1_000_000_000, nano % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
