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
        "ansible_connection",
        "ansible_host",
        "ansible_port",
        "ansible_user",
        "ansible_password",
        "ansible_pass",
        "ansible_private_key_file",
        "ansible_delegated_vars",
        "ansible_remote_tmp",
        "ansible_shell_type",
        "ansible_shell_executable",
        "ansible_facts",
        "ansible_check_mode",
        "ansible_diff_mode",
        "ansible_loop",
        "ansible_play_hosts",
        "ansible_play_batch",
        "ansible_play_hosts_all",
        "ansible_version",
    ];
    NAMES.contains(&name)
        || name.starts_with("ansible_become")
        || (name.starts_with("ansible_ssh_") && !name.starts_with("ansible_ssh_host_key_"))
        || (name.starts_with("ansible_") && name.ends_with("_interpreter"))
        || !name.starts_with("ansible_") && super::magic::NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_never_say_how_to_reach_a_host() {
        let mut host = HostData::default();
        let names = [
            "ansible_host",
            "ansible_become_pass",
            "ansible_python_interpreter",
            "ansible_ssh_common_args",
            "inventory_hostname",
            "hostvars",
        ];
        host.add_facts(&names.iter().map(|name| (Str::from(*name), Value::from("evil"))).collect());
        assert!(host.facts.is_empty());
        host.add_facts(&Map::from_iter([
            (Str::from("ansible_hostname"), Value::from("a")),
            (Str::from("ansible_ssh_host_key_rsa_public"), Value::from("k")),
            (Str::from("services"), Value::from("s")),
        ]));
        assert_eq!(
            host.ansible_facts.keys().map(|k| &**k).collect::<Vec<_>>(),
            ["hostname", "ssh_host_key_rsa_public", "services"]
        );
    }
}
