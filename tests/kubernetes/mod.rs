//! The Kubernetes modules against a real API server: each playbook is foreseen by check mode, run, and run again without a
//! change. Where the programs of Kubernetes (`REGATTA_K8S`) are not there, these tests are listed as ignored.

mod article;
mod login;
mod objects;
mod operations;

use std::path::Path;
use std::sync::Arc;

use crate::support::kubernetes::{Cluster, cluster};
use crate::support::run::{Output, Run};

/// A folder with playbooks for a namespace of its own on the API server.
struct Site {
    cluster: Arc<Cluster>,
    folder: tempfile::TempDir,
    /// Its namespace.
    name: String,
}

impl Site {
    /// For a test of this name.
    fn new(test: &str) -> Site {
        let cluster = cluster();
        let name = test.replace('_', "-");
        let name = name[..name.len().min(60)].trim_end_matches('-').to_owned();
        cluster.kubectl(&format!("create namespace {name}"));
        Site { cluster, folder: tempfile::tempdir().unwrap(), name }
    }

    /// With a file; `NS` stands for the namespace.
    fn file(&self, name: &str, text: &str) {
        let path = self.folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text.replace("NS", &self.name)).unwrap();
    }

    /// kubectl in the namespace.
    #[track_caller]
    fn kubectl(&self, words: &str) -> String {
        self.cluster.kubectl(&format!("--namespace {} {words}", self.name))
    }

    /// Runs tasks; `NS` stands for the namespace, `DIR` for the folder.
    fn run(&self, tasks: &str, options: &str) -> Output {
        let indented: String = tasks.trim_end().lines().map(|line| format!("    {line}\n")).collect();
        let text = format!("- hosts: localhost\n  gather_facts: false\n  tasks:\n{indented}");
        self.file("play.yml", &text.replace("DIR", &self.folder.path().to_string_lossy()));
        let path = format!("{}:/usr/sbin:/usr/bin:/sbin:/bin", self.programs().display());
        Run::new(self.folder.path())
            .args(["play", "play.yml", "-i", "localhost,", "-c", "local"])
            .words(options)
            .env("PATH", &path)
            .env("KUBECONFIG", &self.cluster.kubeconfig().to_string_lossy())
            .go()
    }

    fn programs(&self) -> &Path {
        self.cluster.programs()
    }

    /// Check mode foresees this many changes, a run makes them, a second run finds nothing to do.
    #[track_caller]
    fn converges(&self, tasks: &str, changes: usize) {
        for (options, expected) in [("--check --diff", changes), ("", changes), ("", 0)] {
            let output = self.run(tasks, options);
            assert_eq!(output.code, 0, "{options}: {}", output.text());
            assert_eq!(changed(&output), expected, "{options}: {}", output.text());
        }
    }

    /// A run fails, and says this.
    #[track_caller]
    fn fails(&self, tasks: &str, message: &str) {
        let message = message.replace("NS", &self.name);
        let output = self.run(tasks, "");
        assert_eq!(output.code, 2, "{}", output.text());
        assert!(output.text().contains(&message), "{}", output.text());
    }
}

/// How many tasks changed something.
#[track_caller]
fn changed(output: &Output) -> usize {
    let text = output.text();
    let recap = text.lines().find_map(|line| line.split_once("changed="));
    let (_, rest) = recap.unwrap_or_else(|| panic!("no recap: {text}"));
    rest.split(' ').next().unwrap().parse().unwrap()
}
