//! `yum_repository`: package repositories of yum and dnf, a section in a file of `/etc/yum.repos.d` each.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::modules::api::{
    AttributePlan, Diff, Fail, FileAttributes, Look, Module, Outcome, Touch, Value, Write,
};
use crate::secret::Secret;

/// Add and remove package repositories of yum and dnf.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The repository's id.
    name: String,
    /// Its name for people. Required when it is to be there.
    #[serde(default)]
    description: Option<String>,
    /// Where it is.
    #[serde(default)]
    baseurl: Vec<String>,
    /// A list of its mirrors.
    #[serde(default)]
    mirrorlist: Option<String>,
    /// A metalink file of its mirrors.
    #[serde(default)]
    metalink: Option<String>,
    /// The keys that sign its packages.
    #[serde(default)]
    gpgkey: Vec<String>,
    /// Packages not to take from it.
    #[serde(default, alias = "excludepkgs")]
    #[schemars(extend("x-aliases" = ["excludepkgs"]))]
    exclude: Vec<String>,
    /// The only packages to take from it.
    #[serde(default)]
    includepkgs: Vec<String>,
    /// The file's name without its ending, the id by default.
    #[serde(default)]
    file: Option<String>,
    /// The folder of the file.
    #[serde(default = "folder")]
    reposdir: String,
    /// Whether the repository is there.
    #[serde(default)]
    state: State,
    #[serde(rename = "@file")]
    #[schemars(flatten)]
    attributes: FileAttributes,
    #[serde(rename = "@options")]
    #[schemars(flatten)]
    options: Options,
}

/// Whether a repository is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// It is.
    #[default]
    Present,
    /// It is not.
    Absent,
}

fn folder() -> String {
    "/etc/yum.repos.d".into()
}

/// The options that are written as they are given.
#[derive(Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
struct Options {
    /// Download several files at once.
    r#async: Option<bool>,
    /// The most bytes a second.
    bandwidth: Option<Value>,
    /// What using it costs, against other repositories.
    cost: Option<Value>,
    /// Count this host among its users.
    countme: Option<bool>,
    /// From which share of the full size on lists of deltas are not worth it.
    deltarpm_metadata_percentage: Option<Value>,
    /// From which share of the full size on deltas are not worth it.
    deltarpm_percentage: Option<Value>,
    /// Whether it is used.
    enabled: Option<bool>,
    /// Allow its groups of packages.
    enablegroups: Option<bool>,
    /// In which order its URLs are tried.
    failovermethod: Option<Value>,
    /// The key that signs the keys.
    gpgcakey: Option<Value>,
    /// Check the signatures of its packages.
    gpgcheck: Option<bool>,
    /// What caches on the way may keep.
    http_caching: Option<Value>,
    /// Another configuration file to take in.
    include: Option<Value>,
    /// Which version of IP to use.
    ip_resolve: Option<Value>,
    /// Keep connections open.
    keepalive: Option<bool>,
    /// Keep downloaded packages.
    keepcache: Option<Value>,
    /// How long its lists count as new.
    metadata_expire: Option<Value>,
    /// For which commands old lists will do.
    metadata_expire_filter: Option<Value>,
    /// How long the list of mirrors counts as new.
    mirrorlist_expire: Option<Value>,
    /// Let its packages pass the filter of modules.
    module_hotfixes: Option<bool>,
    /// The password for it. Kept from diffs; a new file that holds it is for root alone.
    password: Option<Secret>,
    /// Its rank: a lower number comes first.
    priority: Option<Value>,
    /// Protect its packages from those of other repositories.
    protect: Option<bool>,
    /// The proxy on the way to it.
    proxy: Option<Value>,
    /// The password for the proxy.
    proxy_password: Option<Secret>,
    /// The user name for the proxy.
    proxy_username: Option<Value>,
    /// Check the signature of its lists.
    repo_gpgcheck: Option<bool>,
    /// How often a download is tried again.
    retries: Option<Value>,
    /// Go on without it if it does not answer.
    skip_if_unavailable: Option<bool>,
    /// Check that the certificates are readable.
    ssl_check_cert_permissions: Option<bool>,
    /// The certificates to check its certificate with.
    #[serde(alias = "ca_cert")]
    #[schemars(extend("x-aliases" = ["ca_cert"]))]
    sslcacert: Option<Value>,
    /// The certificate to show it.
    #[serde(alias = "client_cert")]
    #[schemars(extend("x-aliases" = ["client_cert"]))]
    sslclientcert: Option<Value>,
    /// The key of that certificate.
    #[serde(alias = "client_key")]
    #[schemars(extend("x-aliases" = ["client_key"]))]
    sslclientkey: Option<Value>,
    /// Check its certificate.
    #[serde(alias = "validate_certs")]
    #[schemars(extend("x-aliases" = ["validate_certs"]))]
    sslverify: Option<bool>,
    /// Limit downloads to this.
    throttle: Option<Value>,
    /// Seconds to wait for a connection.
    timeout: Option<Value>,
    /// Variables to show beside its id.
    ui_repoid_vars: Option<Value>,
    /// The user name for it.
    username: Option<Value>,
}

/// A file that changes; `None`: it is not there.
#[derive(Debug)]
pub struct Plan {
    path: PathBuf,
    before: Option<String>,
    after: Option<String>,
    attributes: AttributePlan,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: The repository EPEL
  yum_repository:
    name: epel
    description: Extra packages
    baseurl: https://dl.fedoraproject.org/pub/epel/$releasever/Everything/$basearch/
    gpgcheck: true
    gpgkey: https://dl.fedoraproject.org/pub/epel/RPM-GPG-KEY-EPEL-9

- name: No such repository
  yum_repository:
    name: old
    state: absent
";
    const RETURNS: &'static str = "
repo: The repository's id.
state: present or absent.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        if self.name.is_empty() || self.name.contains([']', '\n', '/']) {
            return Err(Fail::new(format!("{:?} is no id for a repository", self.name)));
        }
        let path = self.path()?;
        let before = host.read(&path)?.map(|text| String::from_utf8_lossy(&text).into_owned());
        let section = if self.state == State::Present { Some(self.section()?) } else { None };
        let after = replace(before.as_deref().unwrap_or_default(), &self.name, section.as_deref());
        let after = (!after.trim().is_empty()).then_some(after);
        let attributes = self.attributes.plan(host, &path, true)?;
        let same = before == after || (self.state == State::Absent && !has(before.as_deref(), &self.name));
        if same && (attributes.is_empty() || after.is_none()) {
            return Ok(None);
        }
        Ok(Some(Plan { path, before, after, attributes }))
    }

    fn unchanged(&self, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::unchanged()))
    }

    fn predicted(&self, _plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(self.describe(Outcome::changed()))
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let path = plan.path.to_string_lossy().into_owned();
        let text = |it: &Option<String>| hidden(it.as_deref().unwrap_or_default()).into();
        let (before, after) = (text(&plan.before), text(&plan.after));
        vec![Diff { before_header: path.clone(), after_header: path, before, after, prepared: None }]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        match &plan.after {
            None => host.remove_file(&plan.path)?,
            Some(text) if plan.before != plan.after => {
                let how = self.attributes.write(host.as_look(), &plan.path)?;
                // A password in the file is for root alone unless the task says otherwise.
                let secret = hidden(text) != *text && plan.before.is_none();
                let mode = how.mode.or(secret.then_some(0o600));
                host.write(&plan.path, text.as_bytes(), &Write { mode, ..how })?;
                self.attributes.enforce(host, &plan.path, true)?;
            }
            Some(_) => plan.attributes.apply(host)?,
        }
        Ok(self.describe(Outcome::changed()))
    }
}

impl Args {
    fn describe(&self, outcome: Outcome) -> Outcome {
        let state = if self.state == State::Present { "present" } else { "absent" };
        outcome.with("repo", self.name.as_str()).with("state", state)
    }

    fn path(&self) -> Result<PathBuf, Fail> {
        let name = self.file.as_deref().unwrap_or(&self.name);
        if name.contains('/') {
            return Err(Fail::new(format!("file {name:?} must be a name without a folder")));
        }
        Ok(Path::new(&self.reposdir).join(format!("{name}.repo")))
    }

    /// The section's text, options in alphabetical order.
    fn section(&self) -> Result<String, Fail> {
        let Some(description) = &self.description else {
            return Err(Fail::new("Parameter 'description' is required."));
        };
        if self.baseurl.is_empty() && self.metalink.is_none() && self.mirrorlist.is_none() {
            return Err(Fail::new("Parameter 'baseurl', 'metalink' or 'mirrorlist' is required."));
        }
        let mut options = vec![("name".to_owned(), description.clone())];
        for (name, values, between) in [
            ("baseurl", &self.baseurl, "\n"),
            ("gpgkey", &self.gpgkey, "\n"),
            ("exclude", &self.exclude, " "),
            ("includepkgs", &self.includepkgs, " "),
        ] {
            if !values.is_empty() {
                options.push((name.to_owned(), values.join(between)));
            }
        }
        for (name, value) in [("mirrorlist", &self.mirrorlist), ("metalink", &self.metalink)] {
            options.extend(value.iter().map(|value| (name.to_owned(), value.clone())));
        }
        options.extend(self.options.given());
        options.sort();
        let mut text = format!("[{}]\n", self.name);
        for (name, value) in options {
            if value.contains('\n') && !["baseurl", "gpgkey"].contains(&name.as_str()) {
                return Err(Fail::new(format!("{name} must not have a line break")));
            }
            text.push_str(&format!("{name} = {}\n", value.replace('\n', "\n\t")));
        }
        Ok(text)
    }
}

impl Options {
    /// Those that are given, as they stand in the file: truth values as 0 and 1, lists with spaces.
    fn given(&self) -> Vec<(String, String)> {
        let Ok(serde_json::Value::Object(all)) = serde_json::to_value(self) else { return Vec::new() };
        let text = |value: serde_json::Value| match Value::from(value) {
            Value::Bool(on) => i32::from(on).to_string(),
            Value::List(items) => items.iter().map(Value::to_string).collect::<Vec<_>>().join(" "),
            other => other.to_string(),
        };
        all.into_iter()
            .filter(|(_, value)| !value.is_null())
            .map(|(name, value)| (name, text(value)))
            .collect()
    }
}

/// Whether a text has a section.
fn has(text: Option<&str>, name: &str) -> bool {
    text.unwrap_or_default().lines().any(|line| line.trim() == format!("[{name}]"))
}

/// The text with one section replaced, added or, without a new one, taken away.
fn replace(text: &str, name: &str, section: Option<&str>) -> String {
    let mut sections: Vec<(Option<String>, String)> = vec![(None, String::new())];
    for line in text.lines() {
        let title = line.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        if let Some(title) = title {
            sections.push((Some(title.to_owned()), String::new()));
        }
        if let Some((_, body)) = sections.last_mut() {
            body.push_str(line);
            body.push('\n');
        }
    }
    let mut placed = false;
    let mut parts: Vec<String> = Vec::new();
    for (title, body) in sections {
        if title.as_deref() != Some(name) {
            parts.push(body);
        } else if let Some(section) = section.filter(|_| !placed) {
            parts.push(format!("{section}\n"));
            placed = true;
        }
    }
    if let Some(section) = section.filter(|_| !placed) {
        let gap = parts.iter().any(|part| !part.trim().is_empty() && !part.ends_with("\n\n"));
        parts.push(if gap { format!("\n{section}") } else { section.to_owned() });
    }
    let text = parts.concat();
    format!("{}\n", text.trim_end())
}

/// A text whose passwords are not shown.
fn hidden(text: &str) -> String {
    let lines = text.lines().map(|line| match line.split_once('=') {
        Some((name, _)) if name.trim().ends_with("password") => format!("{}= ********\n", name),
        _ => format!("{line}\n"),
    });
    let shown: String = lines.collect();
    if text.ends_with('\n') { shown } else { shown.trim_end().to_owned() }
}

#[cfg(test)]
mod tests {
    use super::{Args, replace};
    use crate::modules::api::fake::FakeHost;

    const ARGS: &str =
        "name: epel, description: Extra, baseurl: [http://a, http://b], gpgcheck: yes, priority: 5";

    fn host() -> FakeHost {
        FakeHost::new().dir("/etc/yum.repos.d")
    }

    #[test]
    fn a_repository_comes_and_goes_once() {
        let mut host = host();
        host.converge::<Args>(&format!("{{{ARGS}, mode: '0644'}}"));
        let text = "[epel]\nbaseurl = http://a\n\thttp://b\ngpgcheck = 1\nname = Extra\npriority = 5\n";
        assert_eq!(host.text("/etc/yum.repos.d/epel.repo"), text);
        host.converge::<Args>(&format!("{{{ARGS}, enabled: false}}"));
        assert!(host.text("/etc/yum.repos.d/epel.repo").contains("enabled = 0\n"));
        host.converge::<Args>("{name: epel, state: absent}");
        assert!(!host.has("/etc/yum.repos.d/epel.repo"));
    }

    #[test]
    fn other_sections_of_the_file_stay() {
        let mut host = host().file("/etc/yum.repos.d/all.repo", "# mine\n[base]\nname = Base\n");
        host.converge::<Args>(&format!("{{{ARGS}, file: all}}"));
        assert!(
            host.text("/etc/yum.repos.d/all.repo").starts_with("# mine\n[base]\nname = Base\n\n[epel]\n")
        );
        host.converge::<Args>("{name: epel, file: all, state: absent}");
        assert_eq!(host.text("/etc/yum.repos.d/all.repo"), "# mine\n[base]\nname = Base\n");
    }

    #[test]
    fn sections_are_replaced_where_they_are() {
        let text = "[a]\nx = 1\n\n[b]\ny = 1\n\n[c]\nz = 1\n";
        assert_eq!(replace(text, "b", Some("[b]\ny = 2\n")), "[a]\nx = 1\n\n[b]\ny = 2\n\n[c]\nz = 1\n");
        assert_eq!(replace(text, "b", None), "[a]\nx = 1\n\n[c]\nz = 1\n");
        assert_eq!(replace("", "n", Some("[n]\n")), "[n]\n");
    }

    #[test]
    fn passwords_are_not_shown_and_not_readable() {
        let mut host = host();
        let outcome = host.play::<Args>(&format!("{{{ARGS}, username: u, password: geheim}}")).unwrap();
        assert!(!format!("{outcome:?}").contains("geheim"));
        assert_eq!(host.mode("/etc/yum.repos.d/epel.repo"), 0o600);
        assert!(host.text("/etc/yum.repos.d/epel.repo").contains("password = geheim\n"));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for args in [
            "{name: a}",
            "{name: a, description: A}",
            "{name: a, description: A, baseurl: http://a, nosuch: 1}",
            "{name: a, description: A, baseurl: http://a, file: ../a}",
            "{name: 'a]', description: A, baseurl: http://a}",
            "{name: a, description: A, baseurl: http://a, gpgcheck: maybe}",
        ] {
            assert!(host().play::<Args>(args).is_err(), "{args}");
        }
    }
}
