//! What changes behind the playbook's back: `--check --diff` names exactly that, the next run repairs exactly that.

use std::collections::BTreeSet;

use super::{Site, assert_all_well};
use crate::run::Output;
use crate::say;

/// What is done behind its back, on which host, the command, and the tasks and hosts that say so.
type Drift = (&'static str, &'static str, &'static str, &'static [(&'static str, &'static str)]);

const DRIFTS: &[Drift] = &[
    (
        "another number of replicas",
        "h1",
        "kubectl --kubeconfig /etc/kubernetes/admin.conf scale deployment app --replicas=5",
        &[("app : Give it its resources", "h1 deployment")],
    ),
    (
        "a deleted Service",
        "h1",
        "kubectl --kubeconfig /etc/kubernetes/admin.conf delete service app",
        &[("app : Give it its resources", "h1 service")],
    ),
    ("a stopped kubelet", "h2", "systemctl stop kubelet", &[("worker : Run kubelet", "h2")]),
    (
        "an edited daemon.json",
        "h3",
        "echo '{}' > /etc/docker/daemon.json",
        &[("docker : Configure the engine", "h3"), ("docker : Restart Docker", "h3")],
    ),
    (
        "a removed file of the kernel's parameters",
        "h2",
        "rm /etc/sysctl.d/90-kubernetes.conf",
        &[("kubernetes-node : Set the kernel's parameters", "h2")],
    ),
    (
        "a retagged image",
        "h1",
        "docker tag regatta/base:latest localhost:5000/app:1.0",
        &[("image : Build and push the image", "h1")],
    ),
];

/// The tasks that changed something, with host and item.
fn changed(output: &Output) -> BTreeSet<(String, String)> {
    let (mut task, mut all) = (String::new(), BTreeSet::new());
    for line in output.stdout.lines() {
        let name = line.strip_prefix("TASK [").or_else(|| line.strip_prefix("RUNNING HANDLER ["));
        if let Some(name) = name {
            task = name.split(']').next().unwrap_or_default().to_owned();
        } else if let Some(rest) = line.strip_prefix("changed: [") {
            let host = rest.split([']', ' ']).next().unwrap_or_default();
            let item = rest.split_once("(item=").map(|(_, item)| item.trim_end_matches(')'));
            // An item of a mapping is named by its task alone.
            let item = item.filter(|item| !item.contains(['{', ' ']));
            all.insert((task.clone(), item.map_or(host.to_owned(), |item| format!("{host} {item}"))));
        }
    }
    all
}

/// Each drift by itself.
pub(super) fn each_is_named_and_repaired_alone(site: &Site) {
    for (what, host, command, tasks) in DRIFTS {
        site.fleet.on(host, command);
        let wanted: BTreeSet<_> =
            tasks.iter().map(|(task, who)| ((*task).to_owned(), (*who).to_owned())).collect();
        let foreseen = site.play("site", &["--check", "--diff"]);
        assert_eq!(changed(&foreseen), wanted, "{what}, foreseen:\n{}{}", foreseen.stdout, foreseen.stderr);
        let repaired = site.play("site", &[]);
        assert_all_well(&repaired);
        assert_eq!(changed(&repaired), wanted, "{what}, repaired:\n{}", repaired.stdout);
        say(&format!("{what}: named and repaired"));
    }
}
