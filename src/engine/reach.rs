//! How a host is reached and as whom the task runs: variables win over keywords, keywords over options.

use std::path::PathBuf;
use std::time::Duration;

use super::keywords::{Keywords, as_bool};
use super::options::Options;
use crate::connection::{HostKeyCheck, Target, Transport};
use crate::diag::{Diagnostic, code};
use crate::playbook::Common;
use crate::proto::Identity;
use crate::secret::Secret;
use crate::template::TemplateError;

/// Where a task goes.
#[derive(Clone, Debug)]
pub(super) struct Reach {
    pub(super) target: Target,
    pub(super) identity: Option<Identity>,
}

/// Works it out for a host. `keywords` renders in the scope of the host that is connected to.
pub(super) fn reach(keywords: &Keywords<'_>, common: &Common, host: &str) -> Result<Reach, TemplateError> {
    Ok(Reach { target: target(keywords, common, host)?, identity: identity(keywords, common)? })
}

fn target(keywords: &Keywords<'_>, common: &Common, host: &str) -> Result<Target, TemplateError> {
    let options = &keywords.shared.options;
    let transport = match keywords.variable("ansible_connection")? {
        Some(value) => value.to_string(),
        None => match keywords.text(common.connection.as_ref())?.or_else(|| options.connection.clone()) {
            Some(text) => text,
            None => "ssh".into(),
        },
    };
    let transport = match transport.rsplit('.').next().unwrap_or_default() {
        "local" => Transport::Local,
        "ssh" | "smart" | "paramiko" | "paramiko_ssh" | "openssh" => Transport::Ssh,
        other => return Err(unknown_connection(common, other)),
    };
    if transport == Transport::Local {
        return Ok(Target { transport, host: host.to_owned(), ..Target::default() });
    }
    let mut ssh_args = options.ssh_args.clone();
    for name in ["ansible_ssh_args", "ansible_ssh_common_args", "ansible_ssh_extra_args"] {
        if let Some(text) = keywords.variable(name)? {
            ssh_args.extend(shlex::split(&text.to_string()).unwrap_or_default());
        }
    }
    let port = keywords.first_text(&["ansible_port", "ansible_ssh_port"])?;
    let port = match port {
        Some(text) => Some(text),
        None => keywords.text(common.port.as_ref())?,
    };
    let user = keywords.first_text(&["ansible_user", "ansible_ssh_user"])?;
    let user = match user {
        Some(text) => Some(text),
        None => keywords.text(common.remote_user.as_ref())?.or_else(|| options.remote_user.clone()),
    };
    let password = keywords.first_text(&["ansible_password", "ansible_ssh_password", "ansible_ssh_pass"])?;
    let key = keywords.first_text(&["ansible_private_key_file", "ansible_ssh_private_key_file"])?;
    let timeout =
        keywords.first_text(&["ansible_ssh_timeout", "ansible_timeout"])?.and_then(|text| text.parse().ok());
    let retries = keywords.first_text(&["ansible_ssh_retries"])?.and_then(|text| text.parse().ok());
    Ok(Target {
        transport,
        host: keywords.first_text(&["ansible_host", "ansible_ssh_host"])?.unwrap_or_else(|| host.to_owned()),
        port: port.as_deref().map(|text| port_number(text, common)).transpose()?,
        user,
        password: password.map(Secret::new).or_else(|| options.ssh_password.clone()),
        key_file: key.map(expand_home).or_else(|| options.private_key.clone()),
        ssh_args,
        timeout: timeout.map_or(options.timeout, Duration::from_secs),
        host_keys: host_keys(keywords, options)?,
        retries: retries.unwrap_or(options.connection_retries),
    })
}

fn host_keys(keywords: &Keywords<'_>, options: &Options) -> Result<Option<HostKeyCheck>, TemplateError> {
    for name in ["ansible_ssh_host_key_checking", "ansible_host_key_checking"] {
        if let Some(value) = keywords.variable(name)? {
            let strict = as_bool(&value).unwrap_or(true);
            return Ok(Some(if strict { HostKeyCheck::Strict } else { HostKeyCheck::Off }));
        }
    }
    Ok(options.host_keys)
}

fn expand_home(text: String) -> PathBuf {
    match (text.strip_prefix("~/"), std::env::home_dir()) {
        (Some(rest), Some(home)) => home.join(rest),
        _ => PathBuf::from(text),
    }
}

fn port_number(text: &str, common: &Common) -> Result<u16, TemplateError> {
    text.trim().parse().map_err(|_| {
        let diagnostic = Diagnostic::error(code::BAD_KEYWORD, format!("`{text}` is not a port number"));
        failed(match &common.port {
            Some(node) => diagnostic.at(node.span),
            None => diagnostic.help("see `ansible_port` of this host"),
        })
    })
}

fn unknown_connection(common: &Common, name: &str) -> TemplateError {
    let diagnostic = Diagnostic::error(code::UNKNOWN_CONNECTION, format!("there is no connection `{name}`"))
        .help("`ssh` and `local` are there");
    failed(match &common.connection {
        Some(node) => diagnostic.at(node.span),
        None => diagnostic,
    })
}

fn failed(diagnostic: Diagnostic) -> TemplateError {
    TemplateError::new(diagnostic)
}

fn identity(keywords: &Keywords<'_>, common: &Common) -> Result<Option<Identity>, TemplateError> {
    let options = &keywords.shared.options;
    let wanted = match keywords.variable("ansible_become")? {
        Some(value) => as_bool(&value).unwrap_or(false),
        None => keywords.flag(common.become_.as_ref(), options.become_)?,
    };
    if !wanted {
        return Ok(None);
    }
    let pick = |names: &[&str], keyword: &Option<crate::yaml::Node>, option: &Option<String>| {
        Ok::<_, TemplateError>(match keywords.first_text(names)? {
            Some(text) => Some(text),
            None => keywords.text(keyword.as_ref())?.or_else(|| option.clone()),
        })
    };
    let method = pick(&["ansible_become_method"], &common.become_method, &options.become_method)?;
    let method = method.unwrap_or_else(|| "sudo".into());
    let method = method.rsplit('.').next().unwrap_or_default().to_owned();
    let user = pick(&["ansible_become_user"], &common.become_user, &options.become_user)?;
    let own = |what: &str| [format!("ansible_become_{what}"), format!("ansible_{method}_{what}")];
    let (exe, flags, password) = (own("exe"), own("flags"), own("password"));
    let exe = pick(&[&exe[0], &exe[1]], &common.become_exe, &options.become_exe)?;
    let flags = pick(&[&flags[0], &flags[1]], &common.become_flags, &options.become_flags)?;
    let pass = format!("ansible_{method}_pass");
    let password = keywords.first_text(&[&password[0], "ansible_become_pass", &password[1], &pass])?;
    Ok(Some(Identity {
        method,
        user: user.filter(|user| !user.is_empty()).unwrap_or_else(|| "root".into()),
        exe,
        flags: flags.map(|text| shlex::split(&text).unwrap_or_default()).unwrap_or_default(),
        password: password.map(Secret::new).or_else(|| options.become_password.clone()),
    }))
}
