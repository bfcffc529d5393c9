//! `kubeadm`: makes a host a node of a cluster, upgrades it and takes it out again. Says nothing about packages, kubelet's
//! unit or what runs in the cluster. The files that say how far a host is are in `standing`, kubeadm's own configuration
//! in `config`, the steps in `steps`.

mod config;
mod standing;
mod steps;
#[cfg(all(test, feature = "controller"))]
#[expect(clippy::unwrap_used, reason = "tests alone")]
mod tests;

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use self::standing::{Standing, version};
use self::steps::Upgrade;
use crate::modules::api::{Diff, Fail, HostPath, Look, Map, Module, Outcome, Touch, Value};
use crate::secret::Secret;

/// Initialize a Kubernetes cluster, join it, upgrade it, and take a host out of it, through `kubeadm` of the host.
///
/// `init` and `join` change nothing on a host that is a node already, whatever `config` says: kubeadm can't change a node's
/// configuration afterwards. A run that was cut off in the middle is found by what it left in
/// `/etc/kubernetes`: the next one waits for a kubeadm that still runs, and resets the host and begins again
/// only if that did not finish. What another hand left half-done is reset only if no data can be in it.
///
/// `kubeadm` reads its configuration, and with it the token and the key, from its standard input: they are in no file and
/// in no process list. Results with secrets in them are hidden like those of `no_log`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// What to do.
    action: Action,
    /// kubeadm's configuration: from kinds (`ClusterConfiguration`, `InitConfiguration`, `JoinConfiguration`,
    /// `ResetConfiguration`, `KubeletConfiguration`, `KubeProxyConfiguration`) to their fields. Each action takes the kinds
    /// that it knows. `apiVersion` is chosen by kubeadm's version, and `extraArgs` are brought into its form.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, Value>")]
    config: BTreeMap<String, Map>,
    /// Where `join` finds the cluster: host and port of its API.
    #[serde(default)]
    endpoint: Option<String>,
    /// The token of `join`.
    #[serde(default)]
    token: Option<Secret>,
    /// How `join` knows the cluster's certificate authority: `sha256:` and the hash of its public key.
    #[serde(default)]
    ca_cert_hashes: Vec<String>,
    /// `join` makes the host a control plane.
    #[serde(default)]
    control_plane: bool,
    /// The key of the certificates that `token` uploaded, for another control plane to `join`.
    #[serde(default)]
    certificate_key: Option<Secret>,
    /// `token` uploads the control plane's certificates too, for two hours, under a new key.
    #[serde(default)]
    upload_certs: bool,
    /// How long a token of `token` is good for.
    #[serde(default = "half_an_hour")]
    ttl: String,
    /// The version that `upgrade` brings the node to. kubeadm must have it already.
    #[serde(default)]
    version: Option<String>,
    /// The socket of the container runtime, where there are several.
    #[serde(default)]
    cri_socket: Option<String>,
    /// Checks of kubeadm that need not pass.
    #[serde(default)]
    ignore_preflight_errors: Vec<String>,
    /// The administrator's access to the cluster.
    #[serde(default = "admin")]
    #[schemars(extend("default" = standing::ADMIN))]
    kubeconfig: HostPath,
    /// Seconds that a step of kubeadm may take.
    #[serde(default = "ten_minutes")]
    timeout: u64,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Action {
    /// Say what the host is. Changes nothing.
    Info,
    /// Make it the first control plane of a new cluster.
    Init,
    /// Make it a node of a cluster.
    Join,
    /// Make what others need to join, on a control plane. Makes a new token each time.
    Token,
    /// Bring the node to a version: `kubeadm upgrade apply` on the first control plane, `upgrade node` on the others.
    Upgrade,
    /// Undo what `init` or `join` did to the host.
    Reset,
}

fn half_an_hour() -> String {
    "30m".into()
}

fn admin() -> HostPath {
    HostPath::new(standing::ADMIN)
}

fn ten_minutes() -> u64 {
    600
}

/// What must be done.
#[derive(Debug, PartialEq, Eq)]
pub enum Plan {
    /// Initialize; `repair`: after something unfinished.
    Init {
        /// Whether something unfinished is in the way.
        repair: bool,
    },
    /// Join, likewise.
    Join {
        /// Whether something unfinished is in the way.
        repair: bool,
    },
    /// Make a token.
    Token,
    /// Upgrade.
    Upgrade(Upgrade),
    /// Reset.
    Reset,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Begin a cluster
  kubeadm:
    action: init
    config:
      ClusterConfiguration:
        controlPlaneEndpoint: k8s.example.org:6443
        networking:
          podSubnet: 10.244.0.0/16
      InitConfiguration:
        nodeRegistration:
          kubeletExtraArgs:
            node-ip: 192.0.2.11

- name: Make what the others need
  kubeadm:
    action: token
    ttl: 10m
  register: ticket
  delegate_to: control1
  run_once: true

- name: Join
  kubeadm:
    action: join
    endpoint: '{{ ticket.endpoint }}'
    token: '{{ ticket.token }}'
    ca_cert_hashes: '{{ ticket.ca_cert_hashes }}'

- name: Upgrade the node
  kubeadm:
    action: upgrade
    version: 1.20.2

- name: Take the host out of its cluster
  kubeadm:
    action: reset
";
    const RETURNS: &'static str = "
role: What the host is afterwards, `none`, `worker` or `control_plane`; in check mode what it is now.
unfinished: Whether an init or a join was cut off and not made good.
repaired: Whether something unfinished was made good.
endpoint: Host and port of the cluster's API, from `token`.
token: The token, from `token`. A secret.
ca_cert_hashes: The hashes of the certificate authority's public key, from `token`.
certificate_key: The key of the uploaded certificates, from `token` with `upload_certs`. A secret.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        config::check(&self.config)?;
        let standing = Standing::of(host)?;
        match self.action {
            Action::Info => Ok(None),
            Action::Init => match standing {
                Standing::ControlPlane => Ok(None),
                Standing::Worker => {
                    Err(Fail::new("this host is a worker of a cluster already: reset it first"))
                }
                other => other.repair().map(|repair| Some(Plan::Init { repair })),
            },
            Action::Join => match standing {
                Standing::Worker if self.control_plane => Err(Fail::new(
                    "this host is a worker already: reset it before it joins as a control plane",
                )),
                Standing::ControlPlane | Standing::Worker => Ok(None),
                other => other.repair().map(|repair| Some(Plan::Join { repair })),
            },
            Action::Token => Ok(Some(Plan::Token)),
            Action::Upgrade => Ok(self.upgrade(host, &standing)?.map(Plan::Upgrade)),
            Action::Reset => Ok((standing != Standing::Bare).then_some(Plan::Reset)),
        }
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        describe(Outcome::unchanged(), host)
    }

    fn predicted(&self, _plan: &Plan, host: &dyn Look) -> Result<Outcome, Fail> {
        describe(Outcome::changed(), host)
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let line = match plan {
            Plan::Init { repair: true } => "reset what is unfinished, then kubeadm init",
            Plan::Init { repair: false } => "kubeadm init",
            Plan::Join { repair: true } => "reset what is unfinished, then kubeadm join",
            Plan::Join { repair: false } => "kubeadm join",
            Plan::Token => "a new token",
            Plan::Upgrade(Upgrade { from, to, .. }) => {
                let (before, after) = (format!("{from}\n").into(), format!("{to}\n").into());
                return vec![Diff { before, after, ..Diff::default() }];
            }
            Plan::Reset => "kubeadm reset",
        };
        vec![Diff { prepared: Some(format!("+ {line}\n")), ..Diff::default() }]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let outcome = match plan {
            Plan::Init { repair } => self.make(host, "init", repair)?,
            Plan::Join { repair } => self.make(host, "join", repair)?,
            Plan::Token => self.make_token(host)?,
            Plan::Upgrade(upgrade) => self.make_upgrade(host, &upgrade)?,
            Plan::Reset => {
                self.reset(host)?;
                Outcome::changed()
            }
        };
        describe(outcome, host.as_look())
    }
}

fn describe(outcome: Outcome, host: &dyn Look) -> Result<Outcome, Fail> {
    let standing = Standing::of(host)?;
    let role = match standing {
        Standing::ControlPlane => "control_plane",
        Standing::Worker => "worker",
        _ => "none",
    };
    let unfinished = matches!(standing, Standing::Unfinished | Standing::Foreign(_));
    Ok(outcome.with("role", role).with("unfinished", Value::Bool(unfinished)))
}
