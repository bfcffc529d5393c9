//! What the repository brings for its users is without mistakes: playbooks, roles, inventories.

use super::{files, root};
use crate::support::run::Run;

#[test]
fn every_playbook_checks_clean_with_every_inventory_of_a_cluster() {
    let playbooks = files("playbooks", "yml");
    let playbooks = playbooks.iter().filter(|path| path.parent() == Some(&root().join("playbooks")));
    let names: Vec<_> = playbooks.collect();
    assert!(names.len() > 10);
    for inventory in ["inventory/sample/cluster.yml", "vagrant/inventory.ini"] {
        let output = Run::new(root()).args(["check", "-i", inventory]).args(&names).go();
        assert_eq!(output.code, 0, "{}", output.text());
        assert!(output.stdout.ends_with(&format!("0 errors, 0 warnings in {} playbooks\n", names.len())));
    }
}

#[test]
fn the_examples_of_inventories_load() {
    for (inventory, host) in [("hosts.ini", "db3.example.com"), ("cluster.yml", "w2")] {
        let path = format!("inventory/sample/{inventory}");
        let output = Run::new(root()).args(["inventory", "-i", &path, "--host", host]).go();
        assert_eq!((output.code, output.stderr.as_str()), (0, ""), "{}", output.text());
        assert!(output.stdout.contains("ansible_user"), "{}", output.stdout);
    }
}
