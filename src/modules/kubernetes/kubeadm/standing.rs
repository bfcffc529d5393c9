//! How far a host is on its way into a cluster, told by the files that kubeadm leaves and by a mark of our own. Only looks.

use std::path::{Path, PathBuf};

use crate::modules::api::{Cmd, Fail, Look};

pub(super) const ADMIN: &str = "/etc/kubernetes/admin.conf";
const KUBELET: &str = "/etc/kubernetes/kubelet.conf";
/// The file with the token, which is there while a join lasts.
const BOOTSTRAP: &str = "/etc/kubernetes/bootstrap-kubelet.conf";
pub(super) const API_SERVER: &str = "/etc/kubernetes/manifests/kube-apiserver.yaml";
const DATA: &str = "/var/lib/etcd/member";
/// Our mark: there from before `init` or `join` begins until it is done. It holds nothing but the step's name.
pub(super) const MARK: &str = "/etc/kubernetes/regatta-unfinished";

/// How far a host is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// In no cluster.
    Bare,
    /// A node that runs no control plane.
    Worker,
    /// A node with an API server.
    ControlPlane,
    /// A step was cut off that can be undone and done again without loss.
    Unfinished,
    /// The same, not made by this module and possibly with data: what is there.
    Foreign(Vec<&'static str>),
}

impl Standing {
    /// Looks.
    pub(super) fn of(host: &dyn Look) -> Result<Standing, Fail> {
        if there(host, MARK)? { Ok(Standing::Unfinished) } else { Standing::of_files(host) }
    }

    /// The same, whatever our mark says.
    pub(super) fn of_files(host: &dyn Look) -> Result<Standing, Fail> {
        let [kubelet, bootstrap, server] = [KUBELET, BOOTSTRAP, API_SERVER].map(|path| there(host, path));
        let (kubelet, bootstrap, server) = (kubelet?, bootstrap?, server?);
        Ok(match (kubelet, bootstrap, server) {
            (true, false, true) => Standing::ControlPlane,
            (true, false, false) => Standing::Worker,
            (false, false, false) => Standing::Bare,
            (_, true, false) if !there(host, DATA)? => Standing::Unfinished,
            _ => {
                let all = [(kubelet, KUBELET), (bootstrap, BOOTSTRAP), (server, API_SERVER)];
                let mut found: Vec<_> =
                    all.iter().filter(|(there, _)| *there).map(|(_, path)| *path).collect();
                if there(host, DATA)? {
                    found.push(DATA);
                }
                Standing::Foreign(found)
            }
        })
    }

    /// Whether something unfinished must go before a host can become a node.
    pub(super) fn repair(self) -> Result<bool, Fail> {
        match self {
            Standing::Foreign(found) => Err(Fail::new(format!(
                "there are remains of a cluster that may hold data: {}; see what they are, then use `action: reset`",
                found.join(", ")
            ))),
            other => Ok(other == Standing::Unfinished),
        }
    }
}

pub(super) fn there(host: &dyn Look, path: &str) -> Result<bool, Fail> {
    Ok(host.stat(Path::new(path), true)?.is_some())
}

/// A version of Kubernetes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Version {
    /// In full, `v1.20.2`.
    pub(super) text: String,
    /// Its second number.
    pub(super) minor: u32,
}

impl Version {
    /// From `1.20.2`, `v1.20.2` or `Kubernetes v1.20.2`.
    pub(super) fn parse(text: &str) -> Option<Version> {
        let text = text.trim().rsplit(' ').next()?.trim_start_matches('v');
        let mut numbers = text.split('.');
        let (first, second, third) = (numbers.next()?, numbers.next()?, numbers.next()?);
        let number = |text: &str| text.parse::<u32>().ok();
        number(first)?;
        number(third.split(['-', '+']).next()?)?;
        Some(Version { text: format!("v{text}"), minor: number(second)? })
    }
}

/// The version of a program: what `arguments` make it print.
pub(super) fn version(host: &dyn Look, program: &str, arguments: &[&str]) -> Result<Version, Fail> {
    if host.which(program).is_none() {
        return Err(Fail::new(format!("there is no {program} on this host: install it first")));
    }
    let ran = host.query(&Cmd::new([program]).args(arguments.iter().copied()))?;
    let text = ran.success(&format!("asking {program} for its version"))?.out();
    Version::parse(&text).ok_or_else(|| Fail::new(format!("{program} says no version but {:?}", text.trim())))
}

/// Whether a kubeadm runs on the host, be it one that nobody waits for any more.
pub(super) fn kubeadm_runs(host: &dyn Look) -> bool {
    let processes = host.list(Path::new("/proc")).unwrap_or_default();
    let numbers =
        processes.iter().filter(|name| name.to_string_lossy().bytes().all(|it| it.is_ascii_digit()));
    let mut names = numbers.map(|number| host.read(&PathBuf::from("/proc").join(number).join("comm")));
    names.any(|name| name.is_ok_and(|name| name.is_some_and(|name| name == b"kubeadm\n")))
}
