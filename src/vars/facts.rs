//! What is known of one host: facts, registered results, `set_fact` and `include_vars`.

use std::sync::Arc;

use super::Bindings;
use crate::value::{Map, Str, Value};

/// What the run learned of a host. Shared with every scope that looks at it; copied when it changes.
#[derive(Clone, Debug, Default)]
pub struct HostData {
    /// Facts as modules return them (`ansible_hostname`, `services`): seen as variables.
    pub facts: Arc<Map>,
    /// The same without the prefix: seen as `ansible_facts`.
    pub ansible_facts: Arc<Map>,
    /// `set_fact` and `register`.
    pub set: Arc<Map>,
    /// `include_vars`.
    pub included: Arc<Bindings>,
    /// `vars_files`, read for this host.
    pub vars_files: Arc<Bindings>,
}

impl HostData {
    /// Takes facts over the ones that are there. What would change how the host is reached is left out.
    pub fn add_facts(&mut self, facts: &Map) {
        let raw = Arc::make_mut(&mut self.facts);
        let short = Arc::make_mut(&mut self.ansible_facts);
        for (name, value) in facts.iter().filter(|(name, _)| !decides_connection(name)) {
            let bare = name.strip_prefix("ansible_").unwrap_or(name);
            short.insert(Str::from(bare), value.clone());
            raw.insert(name.clone(), value.clone());
        }
    }

    /// Whether facts were gathered, in this run or in one that kept them, and not only set.
    #[must_use]
    pub fn knows_itself(&self) -> bool {
        self.facts.keys().any(|name| name.starts_with("ansible_"))
    }

    /// Forgets the facts (`meta: clear_facts`).
    pub fn clear_facts(&mut self) {
        self.facts = Arc::default();
        self.ansible_facts = Arc::default();
    }

    /// Sets a variable as `set_fact` and `register` do.
    pub fn set(&mut self, name: Str, value: Value) {
        Arc::make_mut(&mut self.set).insert(name, value);
    }
}

/// Whether a variable says how a host is reached or is one that only the run may set. A host must not decide that.
fn decides_connection(name: &str) -> bool {
    const NAMES: &[&str] = &[
        "connection",
        "host",
        "host_key_checking",
        "port",
        "user",
        "password",
        "pass",
        "private_key_file",
        "timeout",
        "delegated_vars",
        "remote_tmp",
        "async_dir",
        "shell_type",
        "shell_executable",
        "facts",
        "check_mode",
        "diff_mode",
        "loop",
        "loop_var",
        "index_var",
        "managed",
        "failed_task",
        "failed_result",
    ];
    // Options of connections and of ways to become another user (`ansible_sudo_exe`).
    const PREFIXES: &[&str] = &["become", "ssh_", "sudo_", "su_", "doas_"];
    let Some(bare) = name.strip_prefix("ansible_") else { return super::magic::NAMES.contains(&name) };
    let is_host_key =
        bare.strip_prefix("ssh_host_key_").is_some_and(|rest| rest.split('_').nth(1) == Some("public"));
    NAMES.contains(&bare)
        || super::magic::NAMES.contains(&name)
        || (PREFIXES.iter().any(|prefix| bare.starts_with(prefix)) && !is_host_key)
        || bare.ends_with("_interpreter")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_never_say_how_to_reach_a_host() {
        let names = "ansible_connection ansible_host ansible_port ansible_user ansible_password ansible_private_key_file \
            ansible_timeout ansible_host_key_checking ansible_ssh_host_key_checking ansible_ssh_common_args \
            ansible_ssh_pass ansible_ssh_retries ansible_become ansible_become_pass ansible_become_exe \
            ansible_sudo_exe ansible_sudo_flags ansible_su_exe ansible_doas_pass ansible_python_interpreter \
            ansible_shell_executable ansible_remote_tmp ansible_facts ansible_check_mode ansible_play_hosts \
            ansible_role_name ansible_failed_result inventory_hostname hostvars groups omit vars role_path playbook_dir";
        let mut host = HostData::default();
        host.add_facts(
            &names.split_whitespace().map(|name| (Str::from(name), Value::from("evil"))).collect(),
        );
        assert_eq!(host.facts.keys().collect::<Vec<_>>(), Vec::<&Str>::new());
        assert!(host.ansible_facts.is_empty());
    }

    #[test]
    fn facts_that_only_look_like_it_are_kept() {
        let names = ["ansible_hostname", "ansible_user_id", "ansible_ssh_host_key_rsa_public", "services"];
        let mut host = HostData::default();
        host.add_facts(&names.iter().map(|name| (Str::from(*name), Value::from("a"))).collect());
        assert_eq!(
            host.ansible_facts.keys().map(|k| &**k).collect::<Vec<_>>(),
            ["hostname", "user_id", "ssh_host_key_rsa_public", "services"]
        );
    }
}
