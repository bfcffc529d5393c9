//! What parts a container from the host: capabilities, namespaces, security options.

use schemars::JsonSchema;
use serde::Deserialize;

use super::property::{Around, Side, plain};
use crate::modules::api::Fail;
use crate::modules::docker::engine::Kind;
use crate::modules::docker::pairs::Pairs;

/// What parts the container from the host.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Isolation {
    /// Give it all rights of the host.
    #[serde(default)]
    privileged: Option<bool>,
    /// Capabilities to give it.
    #[serde(default)]
    capabilities: Option<Vec<String>>,
    /// Capabilities to take from it.
    #[serde(default)]
    cap_drop: Option<Vec<String>>,
    /// Options of the security modules: `no-new-privileges`, `seccomp=unconfined`.
    #[serde(default)]
    security_opts: Option<Vec<String>>,
    /// Its root file system can't be written.
    #[serde(default)]
    read_only: Option<bool>,
    /// The namespace for shared memory: `private`, `shareable`, `host`, `container:NAME`.
    #[serde(default)]
    ipc_mode: Option<String>,
    /// The namespace of processes: `host` or `container:NAME`.
    #[serde(default)]
    pid_mode: Option<String>,
    /// The namespace of the host's name: `host`.
    #[serde(default)]
    uts: Option<String>,
    /// The namespace of users: `host`.
    #[serde(default)]
    userns_mode: Option<String>,
    /// The namespace of control groups.
    #[serde(default)]
    cgroupns_mode: Option<CgroupNamespace>,
    /// The control group that its own is made in.
    #[serde(default)]
    cgroup_parent: Option<String>,
    /// The runtime.
    #[serde(default)]
    runtime: Option<String>,
    /// Kernel settings of its namespaces.
    #[serde(default)]
    sysctls: Option<Pairs>,
    /// The name that it knows itself by.
    #[serde(default)]
    hostname: Option<String>,
    /// The domain that it knows itself in.
    #[serde(default)]
    domainname: Option<String>,
}

/// A namespace of control groups.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum CgroupNamespace {
    /// The host's.
    Host,
    /// Its own.
    Private,
}

impl Isolation {
    /// The properties that are given.
    ///
    /// # Errors
    /// Wrong values.
    pub fn collect(&self, around: &mut Around<'_>) -> Result<(), Fail> {
        around.flag("privileged", self.privileged, "/HostConfig/Privileged", "--privileged");
        around.set("capabilities", self.capabilities.as_ref(), "/HostConfig/CapAdd", "--cap-add", capability);
        around.set("cap_drop", self.cap_drop.as_ref(), "/HostConfig/CapDrop", "--cap-drop", capability);
        let options = self.security_opts.as_ref();
        around.set("security_opts", options, "/HostConfig/SecurityOpt", "--security-opt", security);
        around.flag("read_only", self.read_only, "/HostConfig/ReadonlyRootfs", "--read-only");
        shared(around, "ipc_mode", self.ipc_mode.as_ref(), "/HostConfig/IpcMode", "--ipc")?;
        shared(around, "pid_mode", self.pid_mode.as_ref(), "/HostConfig/PidMode", "--pid")?;
        around.one("uts", self.uts.clone(), "/HostConfig/UTSMode", "--uts");
        around.one("userns_mode", self.userns_mode.clone(), "/HostConfig/UsernsMode", "--userns");
        let cgroups = self.cgroupns_mode.map(|mode| match mode {
            CgroupNamespace::Host => "host".to_owned(),
            CgroupNamespace::Private => "private".to_owned(),
        });
        around.one("cgroupns_mode", cgroups, "/HostConfig/CgroupnsMode", "--cgroupns");
        around.one(
            "cgroup_parent",
            self.cgroup_parent.clone(),
            "/HostConfig/CgroupParent",
            "--cgroup-parent",
        );
        around.one("runtime", self.runtime.clone(), "/HostConfig/Runtime", "--runtime");
        let sysctls = self.sysctls.as_ref().map(|it| it.texts("sysctls")).transpose()?;
        around.dict("sysctls", sysctls, "/HostConfig/Sysctls", "--sysctl");
        around.one("hostname", self.hostname.clone(), "/Config/Hostname", "--hostname");
        around.one("domainname", self.domainname.clone(), "/Config/Domainname", "--domainname");
        Ok(())
    }
}

/// `net_admin` and `CAP_NET_ADMIN` are the same.
fn capability(name: &str) -> String {
    let upper = name.to_uppercase();
    upper.strip_prefix("CAP_").map_or_else(|| upper.clone(), str::to_owned)
}

/// Older engines write `label:x`, newer ones `label=x`; `no-new-privileges` may be said with `=true`.
fn security(option: &str) -> String {
    let option = option.strip_suffix("=true").or_else(|| option.strip_suffix(":true")).unwrap_or(option);
    match option.split_once([':', '=']) {
        Some((name, value)) => format!("{name}={value}"),
        None => option.to_owned(),
    }
}

/// A namespace that may be another container's: the engine keeps that one's id, the task may name it.
pub(super) fn shared(
    around: &mut Around<'_>,
    name: &'static str,
    wanted: Option<&String>,
    pointer: &str,
    option: &str,
) -> Result<(), Fail> {
    let Some(given) = wanted else { return Ok(()) };
    let mut wanted = given.clone();
    if let Some(other) = given.strip_prefix("container:")
        && let Some(json) = around.engine.inspect(around.host, Kind::Container, other)?
    {
        wanted = format!("container:{}", plain(&json["Id"]));
    }
    let actual = plain(around.at(pointer));
    around.special(name, Side::One(wanted), Side::One(actual), vec![option.to_owned(), given.clone()]);
    Ok(())
}
