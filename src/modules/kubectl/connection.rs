//! Which API server and as whom: the arguments that all modules of `kubernetes/` share, turned into kubectl's.
//!
//! What is no secret goes into flags. Tokens and passwords go into a kubeconfig in memory that only kubectl reads.

use std::ffi::OsString;
use std::path::PathBuf;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value as Json, json};

use super::run::Kubectl;
use crate::modules::api::{Fail, HostPath, Look, Value, expand};
use crate::secret::Secret;

/// The shared arguments. Each that is not given is taken from the environment: `K8S_AUTH_KUBECONFIG` and so on.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Connection {
    /// The kubeconfig on the host: a file, or its contents as a mapping. By default what kubectl takes.
    pub kubeconfig: Option<Value>,
    /// The context in the kubeconfig.
    pub context: Option<String>,
    /// The URL of the API server, instead of the kubeconfig's.
    pub host: Option<String>,
    /// A bearer token.
    pub api_key: Option<Secret>,
    /// The user's name, together with `password`.
    pub username: Option<String>,
    /// The user's password.
    pub password: Option<Secret>,
    /// A file of the host with the certificates that the API server's is checked with.
    #[serde(alias = "ssl_ca_cert")]
    #[schemars(extend("x-aliases" = ["ssl_ca_cert"]))]
    pub ca_cert: Option<HostPath>,
    /// A file of the host with the client's certificate.
    #[serde(alias = "cert_file")]
    #[schemars(extend("x-aliases" = ["cert_file"]))]
    pub client_cert: Option<HostPath>,
    /// A file of the host with the key of the client's certificate.
    #[serde(alias = "key_file")]
    #[schemars(extend("x-aliases" = ["key_file"]))]
    pub client_key: Option<HostPath>,
    /// Check the API server's certificate.
    #[serde(alias = "verify_ssl")]
    #[schemars(extend("x-aliases" = ["verify_ssl"]))]
    pub validate_certs: Option<bool>,
    /// The URL of an HTTP proxy to go through.
    pub proxy: Option<String>,
    /// Hosts, domains and networks that are reached without the proxy, with commas between.
    pub no_proxy: Option<String>,
    /// The user to act as.
    pub impersonate_user: Option<String>,
    /// The groups to act as.
    pub impersonate_groups: Option<Vec<String>>,
}

/// What the user of the kubeconfig in memory is called.
const USER: &str = "regatta";

impl Connection {
    /// kubectl with these arguments.
    ///
    /// # Errors
    /// No kubectl; a kubeconfig that is not there; a password without a name.
    pub fn open(&self, host: &dyn Look) -> Result<Kubectl, Fail> {
        if host.which("kubectl").is_none() {
            return Err(Fail::new(
                "kubectl is not installed on this host: install it, or delegate the task to a host that has it \
                 together with the kubeconfig",
            ));
        }
        let mut flags: Vec<OsString> = Vec::new();
        self.server(host, &mut flags);
        let mut configs: Vec<PathBuf> = Vec::new();
        if let Some(user) = self.user(host)? {
            let config =
                json!({"apiVersion": "v1", "kind": "Config", "users": [{"name": USER, "user": user}]});
            configs.push(host.private_file(config.to_string().as_bytes())?);
            flags.push(format!("--user={USER}").into());
        }
        let given = self.kubeconfig(host)?;
        let mut env = Vec::new();
        match (given, configs.pop()) {
            (Some(config), None) => flags.push(flag("kubeconfig", &config.to_string_lossy())),
            (config, Some(user)) => {
                let usual = config.map_or_else(|| usual_config(host), |it| it.to_string_lossy().into_owned());
                env.push(("KUBECONFIG".to_owned(), format!("{}:{usual}", user.display())));
            }
            (None, None) => {}
        }
        if let Some(proxy) = self.proxy.clone().or_else(|| host.env("K8S_AUTH_PROXY")) {
            env.push(("HTTPS_PROXY".into(), proxy));
        }
        if let Some(hosts) = self.no_proxy.clone().or_else(|| host.env("K8S_AUTH_NO_PROXY")) {
            env.push(("NO_PROXY".into(), hosts));
        }
        Ok(Kubectl::new(flags, env))
    }

    /// The parts that are no secret.
    fn server(&self, host: &dyn Look, flags: &mut Vec<OsString>) {
        let text = |own: &Option<String>, name: &str| own.clone().or_else(|| variable(host, name));
        let path = |own: &Option<HostPath>, name: &str| {
            let own = own.as_ref().map(|path| path.on(host).to_string_lossy().into_owned());
            own.or_else(|| variable(host, name))
        };
        let verify = self.validate_certs.or_else(|| {
            let given = variable(host, "VERIFY_SSL")?;
            Some(!["0", "no", "off", "false"].contains(&given.to_lowercase().as_str()))
        });
        let all = [
            ("context", text(&self.context, "CONTEXT")),
            ("server", text(&self.host, "HOST")),
            ("certificate-authority", path(&self.ca_cert, "SSL_CA_CERT")),
            ("client-certificate", path(&self.client_cert, "CERT_FILE")),
            ("client-key", path(&self.client_key, "KEY_FILE")),
            ("insecure-skip-tls-verify", verify.filter(|verify| !verify).map(|_| "true".to_owned())),
            ("as", text(&self.impersonate_user, "IMPERSONATE_USER")),
        ];
        flags.extend(all.into_iter().filter_map(|(name, value)| Some(flag(name, &value?))));
        let groups = self.impersonate_groups.clone().or_else(|| {
            let list = variable(host, "IMPERSONATE_GROUPS")?;
            Some(list.split(',').map(|group| group.trim().to_owned()).collect())
        });
        flags.extend(groups.iter().flatten().map(|group| flag("as-group", group)));
    }

    /// The user's entry for a kubeconfig, if a secret is given.
    fn user(&self, host: &dyn Look) -> Result<Option<Json>, Fail> {
        let secret = |own: &Option<Secret>, name: &str| {
            own.as_ref().map(|it| it.expose().to_owned()).or_else(|| variable(host, name))
        };
        if let Some(token) = secret(&self.api_key, "API_KEY") {
            return Ok(Some(json!({"token": token})));
        }
        let name = self.username.clone().or_else(|| variable(host, "USERNAME"));
        match (name, secret(&self.password, "PASSWORD")) {
            (Some(name), Some(password)) => Ok(Some(json!({"username": name, "password": password}))),
            (None, None) => Ok(None),
            (Some(_), None) => Err(Fail::new("username needs password")),
            (None, Some(_)) => Err(Fail::new("password needs username")),
        }
    }

    fn kubeconfig(&self, host: &dyn Look) -> Result<Option<PathBuf>, Fail> {
        let given = self.kubeconfig.clone().or_else(|| variable(host, "KUBECONFIG").map(Value::from));
        let Some(given) = given else { return Ok(None) };
        if matches!(given, Value::Map(_)) {
            return host.private_file(Json::from(&given).to_string().as_bytes()).map(Some);
        }
        let path = PathBuf::from(expand(&given.to_string(), host));
        if host.stat(&path, true)?.is_none() {
            return Err(Fail::new(format!("there is no kubeconfig {} on this host", path.display())));
        }
        Ok(Some(path))
    }
}

fn flag(name: &str, value: &str) -> OsString {
    format!("--{name}={value}").into()
}

fn variable(host: &dyn Look, name: &str) -> Option<String> {
    host.env(&format!("K8S_AUTH_{name}")).filter(|value| !value.is_empty())
}

/// Where kubectl looks by itself.
pub(super) fn usual_config(host: &dyn Look) -> String {
    host.env("KUBECONFIG").filter(|value| !value.is_empty()).unwrap_or_else(|| expand("~/.kube/config", host))
}

#[cfg(all(test, feature = "controller"))]
#[expect(clippy::unwrap_used, reason = "tests alone")]
mod tests {
    use super::*;
    use crate::modules::api::fake::FakeHost;
    use crate::modules::api::{Map, decode};

    fn host() -> FakeHost {
        FakeHost::new().program("kubectl").file("/root/.kube/config", "").file("/srv/k", "")
    }

    fn open(host: &FakeHost, yaml: &str) -> Result<String, String> {
        let args: Map = serde_yaml::from_str::<Value>(yaml).unwrap().into_map();
        let connection: Connection = decode(&args).unwrap();
        let kubectl = connection.open(host).map_err(|fail| fail.msg)?;
        let cmd = kubectl.cmd(["get"]);
        let env: Vec<String> = cmd.env.iter().map(|(name, value)| format!("{name}={value} ")).collect();
        Ok(format!("{}{}", env.concat(), cmd.display()))
    }

    #[test]
    fn what_is_no_secret_becomes_flags() {
        for (yaml, line) in [
            ("{}", "kubectl get"),
            ("{kubeconfig: /srv/k, context: c}", "kubectl --context=c --kubeconfig=/srv/k get"),
            ("{kubeconfig: ~/.kube/config}", "kubectl --kubeconfig=/root/.kube/config get"),
            (
                "{host: 'https://a:6443', ca_cert: /a, cert_file: /b, key_file: /c, validate_certs: false}",
                "kubectl --server=https://a:6443 --certificate-authority=/a --client-certificate=/b \
                 --client-key=/c --insecure-skip-tls-verify=true get",
            ),
            (
                "{impersonate_user: u, impersonate_groups: [a, b]}",
                "kubectl --as=u --as-group=a --as-group=b get",
            ),
            (
                "{proxy: 'http://p', no_proxy: h, validate_certs: true}",
                "HTTPS_PROXY=http://p NO_PROXY=h kubectl get",
            ),
        ] {
            assert_eq!(open(&host(), yaml).unwrap(), line, "{yaml}");
        }
        let host = host().variable("K8S_AUTH_CONTEXT", "e").variable("K8S_AUTH_VERIFY_SSL", "no");
        assert_eq!(open(&host, "{}").unwrap(), "kubectl --context=e --insecure-skip-tls-verify=true get");
    }

    #[test]
    fn secrets_go_into_a_kubeconfig_in_memory() {
        for (yaml, line, inside) in [
            (
                "{api_key: geheim}",
                "KUBECONFIG=/proc/1/fd/1:/root/.kube/config kubectl --user=regatta get",
                "token",
            ),
            (
                "{username: u, password: geheim, kubeconfig: /srv/k}",
                "KUBECONFIG=/proc/1/fd/1:/srv/k kubectl --user=regatta get",
                "password",
            ),
            ("{kubeconfig: {users: [{token: geheim}]}}", "kubectl --kubeconfig=/proc/1/fd/1 get", "users"),
        ] {
            let host = host();
            assert_eq!(open(&host, yaml).unwrap(), line);
            let private = String::from_utf8(host.private.borrow()[0].clone()).unwrap();
            assert!(private.contains("geheim") && private.contains(inside), "{private}");
        }
    }

    #[test]
    fn what_is_missing_is_said() {
        for (host, yaml, message) in [
            (FakeHost::new(), "{}", "kubectl is not installed on this host"),
            (host(), "{kubeconfig: /none}", "there is no kubeconfig /none on this host"),
            (host(), "{username: u}", "username needs password"),
            (host(), "{password: p}", "password needs username"),
        ] {
            let error = open(&host, yaml).unwrap_err();
            assert!(error.starts_with(message), "{error}");
        }
    }
}
