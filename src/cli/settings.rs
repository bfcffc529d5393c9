//! STAND-IN until the settings land: replace this whole file. `cli/setup.rs` uses these fields and `load`.
//! tmp
#![allow(missing_docs, reason = "tmp")]
use crate::connection::HostKeyCheck;
use crate::diag::*;
use crate::output::Format;
use std::path::PathBuf;
#[derive(Default)]
pub struct Settings {
    pub color: Option<bool>,
    pub inventory: Vec<String>,
    pub output: Format,
    pub verbosity: u8,
    pub profile: bool,
    pub display_skipped_hosts: bool,
    pub display_ok_hosts: bool,
    pub ansible_managed: String,
    pub roles_path: Vec<PathBuf>,
    pub collections_path: Vec<PathBuf>,
    pub library: Vec<PathBuf>,
    pub ssh_args: Vec<String>,
    pub ask_pass: bool,
    pub become_ask_pass: bool,
    pub diff: bool,
    pub forks: usize,
    pub tags: Vec<crate::value::Str>,
    pub skip_tags: Vec<crate::value::Str>,
    pub remote_user: Option<String>,
    pub private_key_file: Option<PathBuf>,
    pub connection: Option<String>,
    pub become_: bool,
    pub become_method: Option<String>,
    pub become_user: Option<String>,
    pub become_exe: Option<String>,
    pub become_flags: Option<String>,
    pub timeout: u64,
    pub connection_retries: u32,
    pub host_keys: Option<HostKeyCheck>,
    pub gathering: String,
    pub gather_subset: Option<String>,
    pub force_handlers: bool,
    pub any_errors_fatal: bool,
    pub no_log: bool,
    pub file: Option<PathBuf>,
}
pub fn load(_s: &Sources) -> (Settings, Vec<Diagnostic>) {
    (
        Settings {
            display_skipped_hosts: true,
            display_ok_hosts: true,
            ansible_managed: "Ansible managed".into(),
            forks: 50,
            timeout: 10,
            ..Settings::default()
        },
        vec![],
    )
}
