//! The steps of kubeadm: what each runs, what it reads, and what is made of what it prints.

use std::path::Path;
use std::time::{Duration, Instant};

use super::config::{documents, merged};
use super::standing::{API_SERVER, MARK, Standing, Version, kubeadm_runs, there};
use super::{Args, version};
use crate::modules::api::{Cmd, Fail, Look, Map, Outcome, Ran, Touch, Value, Write};

/// An upgrade of a node.
#[derive(Debug, PartialEq, Eq)]
pub struct Upgrade {
    pub(super) from: String,
    pub(super) to: String,
    /// Of the cluster, not only of this node.
    pub(super) cluster: bool,
}

impl Args {
    /// Initializes or joins.
    pub(super) fn make(&self, host: &mut dyn Touch, step: &str, repair: bool) -> Result<Outcome, Fail> {
        let version = version(host.as_look(), "kubeadm", &["version", "-o", "short"])?;
        let input = if step == "init" { self.init(&version) } else { self.join(&version)? };
        if repair {
            self.wait_for_kubeadm(host)?;
            if self.is_done(host.as_look(), step)? {
                unmark(host)?;
                return Ok(Outcome::changed().with("repaired", true));
            }
            self.reset(host)?;
        }
        mark(host, step)?;
        let mut cmd = self.kubeadm([step, "--config", "/dev/stdin"]).stdin(input);
        if step == "init" {
            cmd = cmd.arg("--skip-token-print");
        }
        let ran = self.run(host, &self.ignoring(cmd), &format!("kubeadm {step}"));
        // What failed before it began left nothing to repair.
        if ran.is_ok() || Standing::of_files(host.as_look())? == Standing::Bare {
            unmark(host)?;
        }
        ran?;
        Ok(Outcome::changed().with("repaired", repair))
    }

    /// What `kubeadm init` reads.
    fn init(&self, version: &Version) -> Vec<u8> {
        let of = |kind: &str| self.config.get(kind).cloned().unwrap_or_default();
        let registration = self.registration();
        let mut kinds = vec![
            ("InitConfiguration", merged(&registration, &of("InitConfiguration"))),
            // Named, so that kubeadm does not ask the internet for the newest.
            (
                "ClusterConfiguration",
                merged(&field("kubernetesVersion", version.text.as_str()), &of("ClusterConfiguration")),
            ),
        ];
        for kind in ["KubeletConfiguration", "KubeProxyConfiguration"] {
            kinds.extend(self.config.get(kind).map(|fields| (kind, fields.clone())));
        }
        documents(&kinds, version)
    }

    /// What `kubeadm join` reads.
    fn join(&self, version: &Version) -> Result<Vec<u8>, Fail> {
        let given = self.config.get("JoinConfiguration").cloned().unwrap_or_default();
        let mut fields = self.registration();
        match (&self.endpoint, &self.token) {
            (Some(endpoint), Some(token)) if !self.ca_cert_hashes.is_empty() => {
                let token = Value::from_pairs([
                    ("apiServerEndpoint", Value::from(endpoint.as_str())),
                    ("token", Value::from(token.expose())),
                    ("caCertHashes", Value::from(self.ca_cert_hashes.clone())),
                ]);
                fields.insert("discovery".into(), Value::from_pairs([("bootstrapToken", token)]));
            }
            _ if given.contains_key("discovery") => {}
            _ => {
                return Err(Fail::new(
                    "to join, `endpoint`, `token` and `ca_cert_hashes` are needed, as `action: token` returns them",
                ));
            }
        }
        if self.control_plane {
            let key = self.certificate_key.as_ref().map(|key| field("certificateKey", key.expose()));
            fields.insert("controlPlane".into(), Value::map(key.unwrap_or_default()));
        }
        Ok(documents(&[("JoinConfiguration", merged(&fields, &given))], version))
    }

    fn registration(&self) -> Map {
        let socket = self.cri_socket.as_ref().map(|socket| Value::map(field("criSocket", socket.as_str())));
        socket.map(|socket| Map::from_iter([("nodeRegistration".into(), socket)])).unwrap_or_default()
    }

    /// Whether the step that was cut off came to its end by itself.
    fn is_done(&self, host: &dyn Look, step: &str) -> Result<bool, Fail> {
        match (Standing::of_files(host)?, step) {
            (Standing::ControlPlane, "init") => {
                let last =
                    ["configmap/kubeadm-config", "deployment.apps/coredns", "daemonset.apps/kube-proxy"];
                let ask = self.kubectl(host).args(["-n", "kube-system", "get", "-o", "name"]).args(last);
                Ok(host.query(&ask)?.ok())
            }
            (Standing::ControlPlane, _) => {
                let name = host.read(Path::new("/proc/sys/kernel/hostname"))?.unwrap_or_default();
                let name = format!("node/{}", String::from_utf8_lossy(&name).trim().to_lowercase());
                let label = "node-role.kubernetes.io/control-plane";
                let nodes =
                    host.query(&self.kubectl(host).args(["get", "nodes", "-o", "name", "-l", label]))?;
                Ok(nodes.ok() && nodes.out().lines().any(|line| line == name))
            }
            (Standing::Worker, "join") => Ok(!self.control_plane),
            _ => Ok(false),
        }
    }

    /// A kubeadm whose controller is gone goes on by itself: two at a time would ruin the host.
    fn wait_for_kubeadm(&self, host: &mut dyn Touch) -> Result<(), Fail> {
        let begun = Instant::now();
        while kubeadm_runs(host.as_look()) {
            if begun.elapsed() > Duration::from_secs(self.timeout) {
                return Err(Fail::new("another kubeadm is still running on this host"));
            }
            host.run(&Cmd::new(["sleep", "1"]))?.success("waiting for another kubeadm")?;
        }
        Ok(())
    }

    /// Takes the host out of its cluster.
    pub(super) fn reset(&self, host: &mut dyn Touch) -> Result<(), Fail> {
        let version = version(host.as_look(), "kubeadm", &["version", "-o", "short"])?;
        let mut cmd = self.kubeadm(["reset", "--force"]);
        let given = self.config.get("ResetConfiguration").filter(|_| version.minor >= 31);
        if let Some(given) = given {
            let socket =
                self.cri_socket.as_ref().map(|it| field("criSocket", it.as_str())).unwrap_or_default();
            let input = documents(&[("ResetConfiguration", merged(&socket, given))], &version);
            cmd = cmd.args(["--config", "/dev/stdin"]).stdin(input);
        } else if let Some(socket) = &self.cri_socket {
            cmd = cmd.args(["--cri-socket", socket]);
        }
        self.run(host, &self.ignoring(cmd), "kubeadm reset")?;
        unmark(host)
    }

    /// Makes a token, and a key if asked for.
    pub(super) fn make_token(&self, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let kubeconfig = self.kubeconfig.on(host.as_look());
        let create = self.kubeadm(["token", "create", "--print-join-command", "--ttl", &self.ttl]);
        let create = Cmd { quiet: true, ..create.arg("--kubeconfig").arg(&kubeconfig) };
        let text = self.run(host, &create, "making a token")?.out();
        let command = text.lines().find(|line| line.trim_start().starts_with("kubeadm join "));
        let words: Vec<&str> = command.unwrap_or_default().split_whitespace().collect();
        let after = |flag: &str| words.iter().zip(words.iter().skip(1)).find(|(word, _)| **word == flag);
        let (Some(endpoint), Some((_, token)), Some((_, hash))) =
            (words.get(2), after("--token"), after("--discovery-token-ca-cert-hash"))
        else {
            return Err(Fail::new("kubeadm printed no command to join with"));
        };
        let hashes = Value::from(vec![Value::from(*hash)]);
        let outcome = Outcome::changed()
            .with("_ansible_no_log", true)
            .with("endpoint", *endpoint)
            .with("token", *token)
            .with("ca_cert_hashes", hashes);
        if !self.upload_certs {
            return Ok(outcome);
        }
        let version = version(host.as_look(), "kubeadm", &["version", "-o", "short"])?;
        let words = ["init", "phase", "upload-certs", "--upload-certs", "--config", "/dev/stdin"];
        let upload = Cmd { quiet: true, ..self.kubeadm(words).stdin(self.init(&version)) };
        let text = self.run(host, &upload, "uploading the certificates")?.out();
        let is_key = |line: &&str| line.len() == 64 && line.bytes().all(|byte| byte.is_ascii_hexdigit());
        let key = text.lines().map(str::trim).find(is_key);
        let key = key.ok_or_else(|| Fail::new("kubeadm printed no key of the certificates"))?;
        Ok(outcome.with("certificate_key", key))
    }

    /// What must be upgraded.
    pub(super) fn upgrade(&self, host: &dyn Look, standing: &Standing) -> Result<Option<Upgrade>, Fail> {
        let wanted = self.version.as_deref().ok_or_else(|| Fail::new("`version` says what to upgrade to"))?;
        let to = Version::parse(wanted)
            .ok_or_else(|| Fail::new(format!("{wanted:?} is no version like 1.20.2")))?;
        let to = to.text;
        match standing {
            Standing::Worker => {
                let from = version(host, "kubelet", &["--version"])?.text;
                Ok((from != to).then_some(Upgrade { from, to, cluster: false }))
            }
            Standing::ControlPlane => {
                let cluster = self.cluster_version(host)?;
                let own = own_version(host)?;
                let from = if cluster == to { &own } else { &cluster };
                let upgrade = Upgrade { from: from.clone(), to: to.clone(), cluster: cluster != to };
                Ok((cluster != to || own != to).then_some(upgrade))
            }
            _ => Err(Fail::new("this host is no node of a cluster")),
        }
    }

    pub(super) fn make_upgrade(&self, host: &mut dyn Touch, upgrade: &Upgrade) -> Result<Outcome, Fail> {
        let has = version(host.as_look(), "kubeadm", &["version", "-o", "short"])?.text;
        if has != upgrade.to {
            return Err(Fail::new(format!("kubeadm is {has}: install {} before the upgrade", upgrade.to)));
        }
        let cmd = if upgrade.cluster {
            self.kubeadm(["upgrade", "apply", &upgrade.to, "--yes"])
        } else {
            self.kubeadm(["upgrade", "node"])
        };
        self.run(host, &self.ignoring(cmd), "kubeadm upgrade")?;
        Ok(Outcome::changed())
    }

    /// The version that the cluster says it has.
    fn cluster_version(&self, host: &dyn Look) -> Result<String, Fail> {
        let path = "jsonpath={.data.ClusterConfiguration}";
        let ask =
            self.kubectl(host).args(["-n", "kube-system", "get", "configmap", "kubeadm-config", "-o", path]);
        let text = host.query(&ask)?.success("asking the cluster for its version")?.out();
        let version =
            text.lines().find_map(|line| line.strip_prefix("kubernetesVersion:")).and_then(Version::parse);
        Ok(version.ok_or_else(|| Fail::new("the cluster's kubeadm-config names no version"))?.text)
    }

    fn kubectl(&self, host: &dyn Look) -> Cmd {
        let kubeconfig = self.kubeconfig.on(host);
        Cmd::new(["kubectl", "--request-timeout=20s", "--kubeconfig"]).arg(kubeconfig)
    }

    fn kubeadm<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Cmd {
        let timeout = Some(Duration::from_secs(self.timeout));
        Cmd { timeout, ..Cmd::new(["kubeadm"]).args(words) }
    }

    fn ignoring(&self, cmd: Cmd) -> Cmd {
        let names = self.ignore_preflight_errors.join(",");
        if names.is_empty() { cmd } else { cmd.arg(format!("--ignore-preflight-errors={names}")) }
    }

    /// Runs it; a failure's message and output are without the secrets.
    fn run(&self, host: &mut dyn Touch, cmd: &Cmd, what: &str) -> Result<Ran, Fail> {
        let ran = host.run(cmd)?;
        if ran.ok() {
            return Ok(ran);
        }
        let hide = |bytes: &[u8]| {
            let mut text = without_tokens(&String::from_utf8_lossy(bytes));
            for secret in [&self.token, &self.certificate_key].into_iter().flatten() {
                text = text.replace(secret.expose(), "***");
            }
            text.into_bytes()
        };
        let (stdout, stderr) = (hide(&ran.stdout), hide(&ran.stderr));
        Ran { stdout, stderr, ..ran }.success(what)
    }
}

/// The version of this host's API server.
fn own_version(host: &dyn Look) -> Result<String, Fail> {
    let text = host.read(Path::new(API_SERVER))?.unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let image = text.lines().find_map(|line| line.trim().trim_start_matches("- ").strip_prefix("image:"));
    let tag = image.and_then(|image| image.rsplit(':').next()).and_then(Version::parse);
    Ok(tag.ok_or_else(|| Fail::new(format!("{API_SERVER} names no image with a version")))?.text)
}

/// A text without the tokens in it: six letters and digits, a dot, sixteen more.
pub(super) fn without_tokens(text: &str) -> String {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let is_token = |word: &str| {
        let parts = word.split_once('.');
        parts.is_some_and(|(id, rest)| {
            id.len() == 6 && rest.len() == 16 && format!("{id}{rest}").chars().all(plain)
        })
    };
    let pieces = text.split_inclusive(|c: char| !plain(c) && c != '.');
    let hidden = pieces.map(|piece| {
        let word = piece.trim_end_matches(|c: char| !plain(c) && c != '.');
        if is_token(word.trim_end_matches('.')) { piece.replace(word, "***") } else { piece.to_owned() }
    });
    hidden.collect()
}

fn field(name: &str, value: &str) -> Map {
    Map::from_iter([(name.into(), Value::from(value))])
}

fn mark(host: &mut dyn Touch, step: &str) -> Result<(), Fail> {
    if !there(host.as_look(), "/etc/kubernetes")? {
        host.make_dir(Path::new("/etc/kubernetes"), 0o755)?;
    }
    let how = Write { mode: Some(0o644), ..Write::default() };
    host.write(Path::new(MARK), format!("{step}\n").as_bytes(), &how).map(drop)
}

fn unmark(host: &mut dyn Touch) -> Result<(), Fail> {
    if there(host.as_look(), MARK)? { host.remove_file(Path::new(MARK)) } else { Ok(()) }
}
