//! Settings of Ansible that do nothing here: those that nobody would miss, and those that are worth a warning.

use std::collections::BTreeSet;

use crate::diag::{Diagnostic, code};

use super::ini::Entry;
use super::table::SETTINGS;
use super::{World, table};

/// They tune how Ansible reaches its hosts, keeps its files or draws its screen; the same playbook does the same without.
const HARMLESS: &[(&str, &[&str])] = &[
    (
        "defaults",
        &[
            "action_warnings",
            "allow_world_readable_tmpfiles",
            "bin_ansible_callbacks",
            "callback_result_format",
            "check_mode_markers",
            "collections_on_ansible_version_mismatch",
            "collections_scan_sys_path",
            "command_warnings",
            "cow_selection",
            "cowpath",
            "cowsay_enabled_stencils",
            "debug",
            "deprecation_warnings",
            "devel_warning",
            "display_failed_stderr",
            "docsite_root_url",
            "editor",
            "facts_modules",
            "force_valid_group_names",
            "home",
            "host_key_auto_add",
            "internal_poll_interval",
            "interpreter_python",
            "inventory_unparsed_warning",
            "jinja2_extensions",
            "keep_remote_files",
            "local_tmp",
            "localhost_warning",
            "module_compression",
            "module_set_locale",
            "module_strict_utf8_response",
            "no_target_syslog",
            "nocows",
            "old_plugin_cache_clear",
            "pager",
            "pattern",
            "pipelining",
            "plugin_filters_cfg",
            "poll_interval",
            "python_module_rlimit_nofile",
            "remote_tmp",
            "result_format",
            "show_per_host_start",
            "show_task_path_on_failure",
            "squash_actions",
            "stderr_callback",
            "string_conversion_action",
            "su",
            "sudo_flags",
            "syslog_facility",
            "system_tmpdirs",
            "system_warnings",
            "target_log_info",
            "use_persistent_connections",
            "validate_action_group_metadata",
            "verbose_to_stderr",
            "win_async_startup_timeout",
            "yaml_valid_extensions",
            "callable_accept_list",
        ],
    ),
    ("privilege_escalation", &["agnostic_become_prompt", "become_allow_same_user"]),
    (
        "ssh_connection",
        &[
            "control_path",
            "control_path_dir",
            "pipelining",
            "pkcs11_provider",
            "scp_executable",
            "scp_extra_args",
            "scp_if_ssh",
            "sftp_batch_mode",
            "sftp_executable",
            "sftp_extra_args",
            "ssh_executable",
            "ssh_transfer_method",
            "sshpass_prompt",
            "transfer_method",
            "usetty",
        ],
    ),
    (
        "inventory",
        &[
            "enable_plugins",
            "inventory_unparsed_warning",
            "cache",
            "cache_connection",
            "cache_plugin",
            "cache_prefix",
            "cache_timeout",
            "export",
        ],
    ),
    ("diff", &["context"]),
    ("tags", &[]),
];

/// They would change what happens. The third: the value that is the way it works here.
const MISSED: &[(&str, &str, &str)] = &[
    ("defaults", "action_plugins", ""),
    ("defaults", "allow_broken_conditionals", "true"),
    ("defaults", "allow_unsafe_lookups", "false"),
    ("defaults", "become_plugins", ""),
    ("defaults", "cache_plugins", ""),
    ("defaults", "callback_plugins", ""),
    ("defaults", "cliconf_plugins", ""),
    ("defaults", "connection_plugins", ""),
    ("defaults", "display_args_to_stdout", "false"),
    ("defaults", "doc_fragment_plugins", ""),
    ("defaults", "duplicate_dict_key", "warn"),
    ("defaults", "enable_task_debugger", "false"),
    ("defaults", "error_on_missing_handler", "true"),
    ("defaults", "error_on_undefined_vars", "true"),
    ("defaults", "executable", "/bin/sh"),
    ("defaults", "gather_timeout", "10"),
    ("defaults", "hash_behaviour", "replace"),
    ("defaults", "httpapi_plugins", ""),
    ("defaults", "inject_facts_as_vars", "true"),
    ("defaults", "invalid_task_attribute_failed", "true"),
    ("defaults", "inventory_ignore_extensions", ""),
    ("defaults", "inventory_ignore_patterns", ""),
    ("defaults", "inventory_plugins", ""),
    ("defaults", "jinja2_native", "false"),
    ("defaults", "log_filter", ""),
    ("defaults", "lookup_plugins", ""),
    ("defaults", "max_diff_size", "104448"),
    ("defaults", "module_args", ""),
    ("defaults", "module_lang", ""),
    ("defaults", "module_name", "command"),
    ("defaults", "module_utils", ""),
    ("defaults", "netconf_plugins", ""),
    ("defaults", "null_representation", ""),
    ("defaults", "playbook_dir", ""),
    ("defaults", "playbook_vars_root", "top"),
    ("defaults", "precedence", ""),
    ("defaults", "private_role_vars", "false"),
    ("defaults", "remote_port", "22"),
    ("defaults", "run_vars_plugins", "demand"),
    ("defaults", "strategy_plugins", ""),
    ("defaults", "task_debugger_ignore_errors", "true"),
    ("defaults", "task_timeout", "0"),
    ("defaults", "terminal_plugins", ""),
    ("defaults", "test_plugins", ""),
    ("defaults", "vars_plugins", ""),
    ("defaults", "vars_plugins_enabled", "host_group_vars"),
    ("defaults", "vault_identity", "default"),
    ("inventory", "host_pattern_mismatch", "warning"),
    ("inventory", "ignore_extensions", ""),
    ("inventory", "ignore_patterns", ""),
    ("inventory", "unparsed_is_failed", "false"),
];

/// Says which entries of the file do nothing. Sections of other programs and of plugins are not looked at.
pub(super) fn report(entries: &[Entry], world: &World, diagnostics: &mut Vec<Diagnostic>) {
    let mut missed: Vec<&Entry> = Vec::new();
    for entry in entries {
        let Some((_, harmless)) = HARMLESS.iter().find(|(section, _)| *section == entry.section) else {
            continue;
        };
        let known = SETTINGS.iter().any(|line| line.ini.iter().any(|(section, key)| entry.is(section, key)));
        if known || harmless.contains(&&*entry.key) {
            continue;
        }
        match MISSED.iter().find(|(section, key, _)| entry.is(section, key)) {
            Some((_, _, usual)) if is_usual(entry, usual, world) => {}
            Some(_) => missed.push(entry),
            None => diagnostics.push(unknown(entry)),
        }
    }
    let Some(first) = missed.first() else { return };
    let names: Vec<&str> = missed.iter().map(|entry| &*entry.key).collect();
    let message = format!("no effect here: {}", names.join(", "));
    let mut warning = Diagnostic::warning(code::SETTING_IGNORED, message).at(first.key_at);
    for entry in missed.iter().skip(1) {
        warning = warning.label(entry.key_at, "");
    }
    diagnostics.push(warning);
}

/// Whether the entry asks for what is done anyway: the usual value, or folders of plugins that are not there.
fn is_usual(entry: &Entry, usual: &str, world: &World) -> bool {
    let value = entry.value.trim().to_lowercase();
    let truth = crate::playbook::keywords::truth;
    if value.is_empty() || value == usual || (truth(usual).is_some() && truth(&value) == truth(usual)) {
        return true;
    }
    let folders = entry.key.ends_with("_plugins") || entry.key == "module_utils";
    folders && entry.value.split(':').all(|part| !table::path(part.trim(), &world.here, world).is_dir())
}

fn unknown(entry: &Entry) -> Diagnostic {
    let mut names: BTreeSet<&str> = BTreeSet::new();
    let own = SETTINGS.iter().flat_map(|line| line.ini).filter(|(section, _)| *section == entry.section);
    names.extend(own.map(|(_, key)| *key));
    let missed = MISSED.iter().filter(|(section, _, _)| *section == entry.section);
    names.extend(missed.map(|(_, key, _)| *key));
    let harmless = HARMLESS.iter().find(|(section, _)| *section == entry.section);
    names.extend(harmless.iter().flat_map(|(_, keys)| keys.iter().copied()));
    let message = format!("there is no setting `{}` in [{}]", entry.key, entry.section);
    Diagnostic::warning(code::SETTING_UNKNOWN, message).at(entry.key_at).suggest(&entry.key, names)
}
