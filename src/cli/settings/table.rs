//! The settings that have an effect: where each stands in `ansible.cfg`, its variables, and how its text is read.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::connection::HostKeyCheck;
use crate::output::Format;
use crate::playbook::keywords::truth;
use crate::value::Str;

use super::{Settings, World};

/// A setting.
pub(super) struct Setting {
    /// Its name in messages.
    pub name: &'static str,
    /// Section and key in the file, older names among them.
    pub ini: &'static [(&'static str, &'static str)],
    /// Environment variables of Ansible; ours have the same names with `REGATTA_`.
    pub env: &'static [&'static str],
    /// Takes the text. An error says what is expected.
    pub set: fn(&mut Settings, &Given<'_>) -> Result<(), String>,
}

/// The text of a setting.
pub(super) struct Given<'a> {
    pub text: &'a str,
    /// The folder that relative paths start in.
    pub base: &'a Path,
    pub world: &'a World,
}

impl Given<'_> {
    fn text(&self) -> Option<String> {
        Some(self.text.trim().to_owned()).filter(|text| !text.is_empty())
    }

    fn flag(&self) -> Result<bool, String> {
        truth(self.text.trim()).ok_or_else(|| "true or false".into())
    }

    fn number<T: FromStr>(&self) -> Result<T, String> {
        self.text.trim().parse().map_err(|_| "a whole number".into())
    }

    fn list(&self) -> Vec<String> {
        let parts = self.text.split([',', '\n']).map(str::trim).filter(|part| !part.is_empty());
        parts.map(str::to_owned).collect()
    }

    fn tags(&self) -> Vec<Str> {
        self.list().into_iter().map(Str::from).collect()
    }

    fn path(&self) -> Option<PathBuf> {
        self.text().map(|text| path(&text, self.base, self.world))
    }

    fn paths(&self) -> Vec<PathBuf> {
        let parts = self.text.split([':', '\n']).map(str::trim).filter(|part| !part.is_empty());
        parts.map(|part| path(part, self.base, self.world)).collect()
    }

    fn choice(&self, choices: &[&str]) -> Result<String, String> {
        let text = self.text.trim().to_lowercase();
        if choices.contains(&text.as_str()) {
            Ok(text)
        } else {
            Err(format!("one of {}", choices.join(", ")))
        }
    }

    fn words(&self) -> Result<Vec<String>, String> {
        shlex::split(self.text).ok_or_else(|| "options with every quote closed".into())
    }
}

/// A path as settings write it: `~`, `$VARIABLE`, `{{CWD}}`, or relative to a folder.
pub(super) fn path(text: &str, base: &Path, world: &World) -> PathBuf {
    let mut whole = text.replace("{{CWD}}", &world.here.to_string_lossy());
    for (name, value) in world.environment.iter().rev() {
        whole = whole.replace(&format!("${{{name}}}"), value);
        if whole.contains('$') && is_word(&whole, name) {
            whole = whole.replace(&format!("${name}"), value);
        }
    }
    let home = whole
        .strip_prefix('~')
        .filter(|rest| rest.is_empty() || rest.starts_with('/'))
        .zip(world.home.as_ref());
    match home {
        Some((rest, home)) => home.join(rest.trim_start_matches('/')),
        None => base.join(whole),
    }
}

/// Whether `$name` stands in the text with nothing behind it that would belong to a longer name.
fn is_word(text: &str, name: &str) -> bool {
    let marked = format!("${name}");
    text.match_indices(&marked).any(|(at, _)| {
        !text[at + marked.len()..].starts_with(|char: char| char.is_ascii_alphanumeric() || char == '_')
    })
}

const DEFAULTS: &str = "defaults";
const BECOME: &str = "privilege_escalation";
const SSH: &str = "ssh_connection";

macro_rules! settings {
    ($( $name:literal $ini:expr, $env:expr, $set:expr; )*) => {
        /// Every setting that has an effect.
        pub(super) const SETTINGS: &[Setting] = &[ $( Setting { name: $name, ini: &$ini, env: &$env, set: $set } ),* ];
    };
}

settings! {
    "inventory" [(DEFAULTS, "inventory"), (DEFAULTS, "hostfile")], ["ANSIBLE_INVENTORY"], |to, it| {
        // A trailing comma makes it a list of hosts, anything else is paths.
        let hosts = it.text.trim_end().ends_with(',');
        let whole = || path(it.text.trim(), it.base, it.world).display().to_string();
        let each = |part: &String| path(part, it.base, it.world).display().to_string();
        to.inventory = match hosts {
            true => vec![it.text.trim().to_owned()],
            false if it.text.contains(',') => it.list().iter().map(each).collect(),
            false => vec![whole()],
        };
        Ok(())
    };
    "roles_path" [(DEFAULTS, "roles_path")], ["ANSIBLE_ROLES_PATH"], |to, it| { to.roles_path = it.paths(); Ok(()) };
    "collections_path" [(DEFAULTS, "collections_path"), (DEFAULTS, "collections_paths")],
        ["ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_COLLECTIONS_PATHS"],
        |to, it| { to.collections_path = it.paths(); Ok(()) };
    "library" [(DEFAULTS, "library")], ["ANSIBLE_LIBRARY"], |to, it| { to.library = it.paths(); Ok(()) };
    "forks" [(DEFAULTS, "forks")], ["ANSIBLE_FORKS"], |to, it| { to.forks = it.number::<usize>()?.max(1); Ok(()) };
    "remote_user" [(DEFAULTS, "remote_user")], ["ANSIBLE_REMOTE_USER"], |to, it| { to.remote_user = it.text(); Ok(()) };
    "private_key_file" [(DEFAULTS, "private_key_file")], ["ANSIBLE_PRIVATE_KEY_FILE"],
        |to, it| { to.private_key_file = it.path(); Ok(()) };
    "transport" [(DEFAULTS, "transport")], ["ANSIBLE_TRANSPORT"], |to, it| {
        // Ansible's other ways to speak SSH are the same thing here.
        let same = ["ssh", "smart", "paramiko", "paramiko_ssh", "libssh", "ansible.builtin.ssh"];
        to.connection = it.text().filter(|text| !same.contains(&text.as_str()));
        Ok(())
    };
    "timeout" [(SSH, "timeout"), (DEFAULTS, "timeout")], ["ANSIBLE_SSH_TIMEOUT", "ANSIBLE_TIMEOUT"],
        |to, it| { to.timeout = it.number()?; Ok(()) };
    "retries" [(SSH, "retries"), ("connection", "retries")], ["ANSIBLE_SSH_RETRIES"],
        |to, it| { to.connection_retries = it.number()?; Ok(()) };
    "host_key_checking" [(SSH, "host_key_checking"), (DEFAULTS, "host_key_checking")],
        ["ANSIBLE_SSH_HOST_KEY_CHECKING", "ANSIBLE_HOST_KEY_CHECKING"],
        |to, it| { to.host_keys = Some(if it.flag()? { HostKeyCheck::Strict } else { HostKeyCheck::Off }); Ok(()) };
    "ssh_args" [(SSH, "ssh_args")], ["ANSIBLE_SSH_ARGS"], |to, it| { to.ssh_args.extend(it.words()?); Ok(()) };
    "ssh_common_args" [(SSH, "ssh_common_args")], ["ANSIBLE_SSH_COMMON_ARGS"],
        |to, it| { to.ssh_args.extend(it.words()?); Ok(()) };
    "ssh_extra_args" [(SSH, "ssh_extra_args")], ["ANSIBLE_SSH_EXTRA_ARGS"],
        |to, it| { to.ssh_args.extend(it.words()?); Ok(()) };
    "ask_pass" [(DEFAULTS, "ask_pass")], ["ANSIBLE_ASK_PASS"], |to, it| { to.ask_pass = it.flag()?; Ok(()) };
    "connection_password_file" [(DEFAULTS, "connection_password_file")], ["ANSIBLE_CONNECTION_PASSWORD_FILE"],
        |to, it| { to.connection_password_file = it.path(); Ok(()) };
    "become" [(BECOME, "become")], ["ANSIBLE_BECOME"], |to, it| { to.become_ = it.flag()?; Ok(()) };
    "become_method" [(BECOME, "become_method")], ["ANSIBLE_BECOME_METHOD"], |to, it| { to.become_method = it.text(); Ok(()) };
    "become_user" [(BECOME, "become_user"), ("sudo_become_plugin", "user")], ["ANSIBLE_BECOME_USER", "ANSIBLE_SUDO_USER"],
        |to, it| { to.become_user = it.text(); Ok(()) };
    "become_exe" [(BECOME, "become_exe"), ("sudo_become_plugin", "executable")], ["ANSIBLE_BECOME_EXE", "ANSIBLE_SUDO_EXE"],
        |to, it| { to.become_exe = it.text(); Ok(()) };
    "become_flags" [(BECOME, "become_flags"), ("sudo_become_plugin", "flags")],
        ["ANSIBLE_BECOME_FLAGS", "ANSIBLE_SUDO_FLAGS"], |to, it| { to.become_flags = it.text(); Ok(()) };
    "become_ask_pass" [(BECOME, "become_ask_pass")], ["ANSIBLE_BECOME_ASK_PASS"],
        |to, it| { to.become_ask_pass = it.flag()?; Ok(()) };
    "become_password_file" [(DEFAULTS, "become_password_file")], ["ANSIBLE_BECOME_PASSWORD_FILE"],
        |to, it| { to.become_password_file = it.path(); Ok(()) };
    "ask_vault_pass" [(DEFAULTS, "ask_vault_pass")], ["ANSIBLE_ASK_VAULT_PASS"],
        |to, it| { to.ask_vault_pass = it.flag()?; Ok(()) };
    "vault_password_file" [(DEFAULTS, "vault_password_file")], ["ANSIBLE_VAULT_PASSWORD_FILE"],
        |to, it| { to.vault_password_file = it.path(); Ok(()) };
    "vault_identity_list" [(DEFAULTS, "vault_identity_list")], ["ANSIBLE_VAULT_IDENTITY_LIST"],
        |to, it| { to.vault_identity_list = it.list().iter().map(|vault| vault_id(vault, it)).collect(); Ok(()) };
    "vault_encrypt_identity" [(DEFAULTS, "vault_encrypt_identity")], ["ANSIBLE_VAULT_ENCRYPT_IDENTITY"],
        |to, it| { to.vault_encrypt_identity = it.text(); Ok(()) };
    "vault_encrypt_salt" [(DEFAULTS, "vault_encrypt_salt")], ["ANSIBLE_VAULT_ENCRYPT_SALT"],
        |to, it| { to.vault_encrypt_salt = it.text(); Ok(()) };
    "vault_id_match" [(DEFAULTS, "vault_id_match")], ["ANSIBLE_VAULT_ID_MATCH"],
        |to, it| { to.vault_id_match = it.flag()?; Ok(()) };
    "filter_plugins" [(DEFAULTS, "filter_plugins")], ["ANSIBLE_FILTER_PLUGINS"],
        |to, it| { to.filter_plugins = it.paths(); Ok(()) };
    "fact_caching" [(DEFAULTS, "fact_caching")], ["ANSIBLE_CACHE_PLUGIN"], |to, it| {
        let text = it.text().unwrap_or_default();
        to.fact_cache.files = match text.trim_start_matches("ansible.builtin.") {
            "memory" => false,
            "jsonfile" | "community.general.jsonfile" => true,
            _ => return Err("memory or jsonfile".into()),
        };
        Ok(())
    };
    "fact_caching_connection" [(DEFAULTS, "fact_caching_connection")], ["ANSIBLE_CACHE_PLUGIN_CONNECTION"],
        |to, it| { to.fact_cache.folder = it.path(); Ok(()) };
    "fact_caching_prefix" [(DEFAULTS, "fact_caching_prefix")], ["ANSIBLE_CACHE_PLUGIN_PREFIX"],
        |to, it| { to.fact_cache.prefix = it.text().unwrap_or_default(); Ok(()) };
    "fact_caching_timeout" [(DEFAULTS, "fact_caching_timeout")], ["ANSIBLE_CACHE_PLUGIN_TIMEOUT"],
        |to, it| { to.fact_cache.timeout = it.number()?; Ok(()) };
    "fact_path" [(DEFAULTS, "fact_path")], ["ANSIBLE_FACT_PATH"], |to, it| { to.fact_path = it.text(); Ok(()) };
    "log_path" [(DEFAULTS, "log_path")], ["ANSIBLE_LOG_PATH"], |to, it| { to.log_path = it.path(); Ok(()) };
    "show_custom_stats" [(DEFAULTS, "show_custom_stats")], ["ANSIBLE_SHOW_CUSTOM_STATS"],
        |to, it| { to.show_custom_stats = it.flag()?; Ok(()) };
    "gathering" [(DEFAULTS, "gathering")], ["ANSIBLE_GATHERING"],
        |to, it| { to.gathering = it.choice(&["implicit", "explicit", "smart"])?; Ok(()) };
    "gather_subset" [(DEFAULTS, "gather_subset")], ["ANSIBLE_GATHER_SUBSET"],
        |to, it| { to.gather_subset = it.text(); Ok(()) };
    "force_handlers" [(DEFAULTS, "force_handlers")], ["ANSIBLE_FORCE_HANDLERS"],
        |to, it| { to.force_handlers = it.flag()?; Ok(()) };
    "any_errors_fatal" [(DEFAULTS, "any_errors_fatal")], ["ANSIBLE_ANY_ERRORS_FATAL"],
        |to, it| { to.any_errors_fatal = it.flag()?; Ok(()) };
    "any_unparsed_is_failed" [("inventory", "any_unparsed_is_failed")], ["ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"],
        |to, it| { to.inventory_unparsed = !it.flag()?; Ok(()) };
    "retry_files_enabled" [(DEFAULTS, "retry_files_enabled")], ["ANSIBLE_RETRY_FILES_ENABLED"],
        |to, it| { to.retry_files = it.flag()?; Ok(()) };
    "retry_files_save_path" [(DEFAULTS, "retry_files_save_path")], ["ANSIBLE_RETRY_FILES_SAVE_PATH"],
        |to, it| { to.retry_folder = it.path(); Ok(()) };
    "no_log" [(DEFAULTS, "no_log")], ["ANSIBLE_NO_LOG"], |to, it| { to.no_log = it.flag()?; Ok(()) };
    "strategy" [(DEFAULTS, "strategy")], ["ANSIBLE_STRATEGY"], |to, it| {
        let text = it.text().unwrap_or_default();
        // Plugins that make Ansible itself faster keep the meaning of the strategy they are named after.
        let name = text.trim_start_matches("ansible.builtin.").trim_start_matches("mitogen_");
        if !["linear", "free", "host_pinned"].contains(&name) {
            return Err("linear, free or host_pinned".into());
        }
        to.strategy = Some(name.into());
        Ok(())
    };
    "run" [("tags", "run")], ["ANSIBLE_RUN_TAGS"], |to, it| { to.tags = it.tags(); Ok(()) };
    "skip" [("tags", "skip")], ["ANSIBLE_SKIP_TAGS"], |to, it| { to.skip_tags = it.tags(); Ok(()) };
    "always" [("diff", "always")], ["ANSIBLE_DIFF_ALWAYS"], |to, it| { to.diff = it.flag()?; Ok(()) };
    "stdout_callback" [(DEFAULTS, "stdout_callback")], ["ANSIBLE_STDOUT_CALLBACK"], |to, it| {
        let text = it.text().unwrap_or_default();
        let short = text.rsplit('.').next().unwrap_or_default();
        to.output = match short {
            "minimal" => Format::Minimal,
            "oneline" => Format::Oneline,
            "json" => Format::Json,
            "jsonl" => Format::Jsonl,
            // All others are ways to show the same to people.
            _ => Format::Human,
        };
        if short == "junit" {
            to.junit = Some(junit(it));
        }
        Ok(())
    };
    "callbacks_enabled" [(DEFAULTS, "callbacks_enabled"), (DEFAULTS, "callback_whitelist"), (DEFAULTS, "callback_enabled")],
        ["ANSIBLE_CALLBACKS_ENABLED", "ANSIBLE_CALLBACK_WHITELIST"], |to, it| {
        for name in it.list() {
            match name.rsplit('.').next().unwrap_or_default() {
                "profile_tasks" | "timer" | "profile_roles" => to.profile = true,
                "junit" => to.junit = Some(junit(it)),
                _ => {}
            }
        }
        Ok(())
    };
    "nocolor" [(DEFAULTS, "nocolor")], ["ANSIBLE_NOCOLOR"], |to, it| {
        if it.flag()? {
            to.color = Some(false);
        }
        Ok(())
    };
    "force_color" [(DEFAULTS, "force_color")], ["ANSIBLE_FORCE_COLOR"], |to, it| {
        if it.flag()? {
            to.color = Some(true);
        }
        Ok(())
    };
    "verbosity" [(DEFAULTS, "verbosity")], ["ANSIBLE_VERBOSITY"], |to, it| { to.verbosity = it.number()?; Ok(()) };
    "display_skipped_hosts" [(DEFAULTS, "display_skipped_hosts")],
        ["ANSIBLE_DISPLAY_SKIPPED_HOSTS", "DISPLAY_SKIPPED_HOSTS"],
        |to, it| { to.display_skipped_hosts = it.flag()?; Ok(()) };
    "display_ok_hosts" [(DEFAULTS, "display_ok_hosts")], ["ANSIBLE_DISPLAY_OK_HOSTS"],
        |to, it| { to.display_ok_hosts = it.flag()?; Ok(()) };
    "ansible_managed" [(DEFAULTS, "ansible_managed")], [], |to, it| {
        to.ansible_managed = it.text.to_owned();
        Ok(())
    };
}

/// `label@source`: the source is a path unless it is `prompt`.
fn vault_id(text: &str, it: &Given<'_>) -> String {
    match text.split_once('@') {
        Some((_, "prompt")) => text.to_owned(),
        Some((label, source)) => format!("{label}@{}", path(source, it.base, it.world).display()),
        None if text == "prompt" => text.to_owned(),
        None => path(text, it.base, it.world).display().to_string(),
    }
}

/// The report, in the folder where Ansible's plugin writes its own.
fn junit(it: &Given<'_>) -> PathBuf {
    match it.world.variable("JUNIT_OUTPUT_DIR") {
        Some(dir) => path(dir, &it.world.here, it.world).join("regatta.xml"),
        None => path("~/.ansible.log/regatta.xml", it.base, it.world),
    }
}
