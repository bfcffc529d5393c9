//! From bare hosts to a running app, on three hosts of `scripts/fleet` and a real Kubernetes: what the playbooks promise, in
//! the order in which a user meets it.
//!
//! It needs the programs of Kubernetes (`REGATTA_K8S`, see `scripts/mirror`) and what the fleet needs; elsewhere it is listed
//! as ignored, with that reason.

mod drift;
mod watch;

use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use crate::fleet::Fleet;
use crate::run::{Output, Run};
use crate::say;

/// Secrets that are nowhere to be seen: the app's and the registry's.
const SECRET: &str = "canary-7f3a91c2";

/// The cluster's hosts.
pub struct Site {
    fleet: Fleet,
}

impl Site {
    /// Three fresh hosts.
    fn new() -> Site {
        Site { fleet: Fleet::with_kubernetes(3) }
    }

    /// Runs a playbook; its output must hold no secret.
    fn play(&self, playbook: &str, more: &[&str]) -> Output {
        self.play_for(900, playbook, more)
    }

    /// The same for some seconds at most: then the controller is killed.
    fn play_for(&self, seconds: u64, playbook: &str, more: &[&str]) -> Output {
        let vars = self.fleet.folder().join("secrets.yml");
        let text = format!("app_secrets: {{password: {SECRET}}}\nregistry_password: {SECRET}\n");
        std::fs::write(&vars, text).unwrap();
        let (inventory, vars) = (self.fleet.inventory(), format!("@{}", vars.display()));
        let playbook = format!("playbooks/{playbook}.yml");
        let run = Run::new(Path::new(env!("CARGO_MANIFEST_DIR"))).patience(seconds);
        let run = run.env("ANSIBLE_RETRY_FILES_ENABLED", "1");
        let retries = self.fleet.folder().display().to_string();
        let run = run.env("ANSIBLE_RETRY_FILES_SAVE_PATH", &retries);
        let output = run.args(["play", &playbook, "-i", &inventory, "-e", &vars]).args(more).go();
        watch::assert_hidden(&format!("{}{}", output.stdout, output.stderr));
        output
    }

    /// What `kubectl` prints.
    fn kubectl(&self, words: &str) -> String {
        self.fleet.on("h1", &format!("kubectl --kubeconfig /etc/kubernetes/admin.conf {words}"))
    }

    /// Nobody but root finds a secret in a host's files.
    fn assert_files_hide_the_secrets(&self) {
        for host in HOSTS {
            let seen = self.fleet.on(host, &watch::search());
            assert_eq!(seen, "", "{host}: others can read a secret in these files");
        }
    }

    /// What the app answers on a host, asked from outside.
    fn answer(&self, host: &str) -> String {
        let address = self.fleet.on(host, "hostname -i");
        let mut answer = match ureq::get(format!("http://{}:30080/", address.trim())).call() {
            Ok(answer) => answer,
            Err(error) => return error.to_string(),
        };
        answer.body_mut().read_to_string().unwrap_or_default()
    }
}

/// A number of a host's line of the recap.
#[track_caller]
fn recap(output: &Output, host: &str, what: &str) -> u32 {
    let line = output.stdout.lines().rev().find(|line| line.starts_with(&format!("{host} ")));
    let line = line.unwrap_or_else(|| panic!("no recap of {host}:\n{}{}", output.stdout, output.stderr));
    let number = line.split_whitespace().find_map(|word| word.strip_prefix(&format!("{what}=")));
    number.and_then(|it| it.parse().ok()).unwrap_or_else(|| panic!("no {what} in {line}"))
}

const HOSTS: [&str; 3] = ["h1", "h2", "h3"];

#[track_caller]
fn assert_all_well(output: &Output) {
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    for host in HOSTS {
        assert_eq!(recap(output, host, "failed") + recap(output, host, "unreachable"), 0);
    }
}

#[track_caller]
fn assert_unchanged(output: &Output) {
    assert_all_well(output);
    let changed: u32 = HOSTS.iter().map(|host| recap(output, host, "changed")).sum();
    assert_eq!(changed, 0, "{}", output.stdout);
}

/// All that site.yml promises holds now.
fn assert_the_app_runs(site: &Site) {
    let nodes = site.kubectl("get nodes --no-headers");
    assert_eq!(nodes.lines().filter(|line| line.contains(" Ready ")).count(), 3, "{nodes}");
    let pods = site.kubectl("get pods -l app.kubernetes.io/name=app -o wide --no-headers");
    // Those of the version before may still be on their way out.
    let pods: Vec<&str> = pods.lines().filter(|pod| !pod.contains("Terminating")).collect();
    assert_eq!(pods.len(), 3, "{pods:?}");
    assert!(
        pods.iter().all(|pod| pod.contains("Running") && (pod.contains(" h2 ") || pod.contains(" h3 "))),
        "{pods:?}"
    );
    for host in HOSTS {
        let answer = site.answer(host);
        for part in ["greeting: hello", "secret: mounted", "data: mounted"] {
            assert!(answer.contains(part), "{host}: {answer}");
        }
    }
    let pod = pods[0].split_whitespace().next().unwrap_or_default();
    assert_eq!(site.kubectl(&format!("exec {pod} -- cat /run/secrets/app/password")), SECRET);
}

#[test]
#[cfg_attr(
    not(all(regatta_hosts, regatta_k8s)),
    ignore = "needs Kubernetes' programs (REGATTA_K8S) and a fleet"
)]
fn bare_hosts_become_a_cluster_with_an_app_and_stay_what_they_are() {
    let site = Site::new();
    let watch = watch::Watch::begin();

    let made = site.play("site", &["--profile"]);
    assert_all_well(&made);
    assert_the_app_runs(&site);
    let times = made.stdout.lines().rev().find(|line| line.starts_with("total ")).unwrap_or_default();
    say(&format!("site.yml from bare hosts: {times}"));

    let begun = Instant::now();
    assert_unchanged(&site.play("site", &[]));
    say(&format!("site.yml again: {:.1?}", begun.elapsed()));

    drift::each_is_named_and_repaired_alone(&site);
    a_new_version_is_tried_promoted_and_rolled_back(&site);
    the_app_is_scaled(&site);
    assert_all_well(&site.play("article", &[]));
    assert_unchanged(&site.play("article", &[]));
    assert_unchanged(&site.play("upgrade", &[]));

    assert_all_well(&site.play("reset", &[]));
    assert_unchanged(&site.play("reset", &[]));
    assert_all_well(&site.play("site", &[]));
    assert_the_app_runs(&site);

    watch.assert_nothing_was_seen();
    site.assert_files_hide_the_secrets();
}

fn a_new_version_is_tried_promoted_and_rolled_back(site: &Site) {
    let (old, image) = ("localhost:5000/app:1.0", "localhost:5000/app:2.0");
    site.fleet.on("h1", &format!("docker tag {old} {image} && docker push -q {image}"));
    let canary = |what: &str| {
        site.play("canary", &["-e", &format!("canary={what}"), "-e", &format!("canary_image={image}")])
    };
    let changed = |output: &Output| {
        assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
        recap(output, "h1", "changed") > 0
    };
    assert!(changed(&canary("start")));
    assert!(!changed(&canary("start")), "a second start changed something");
    assert!(changed(&canary("rollback")));
    assert!(!changed(&canary("rollback")), "a second rollback changed something");
    assert!(changed(&canary("start")));
    assert!(changed(&canary("promote")));
    assert!(!changed(&canary("promote")), "a second promotion changed something");
    // One that does not work is gone by itself.
    let missing = site.play(
        "canary",
        &["-e", "canary=start", "-e", "canary_image=localhost:5000/none:1", "-e", "app_patience=15"],
    );
    assert_eq!(missing.code, 2, "{}", missing.stdout);
    assert_eq!(site.kubectl("get deployment app-canary --ignore-not-found"), "");
    let running = site.kubectl("get deployment app -o jsonpath={.spec.template.spec.containers[0].image}");
    assert_eq!(running, image, "the promotion did not last");
    assert_eq!(recap(&site.play("app", &[]), "h1", "changed"), 1, "app.yml names the old image");
    assert_unchanged_on_first(&site.play("app", &[]));
}

fn assert_unchanged_on_first(output: &Output) {
    assert_eq!((output.code, recap(output, "h1", "changed")), (0, 0), "{}{}", output.stdout, output.stderr);
}

fn the_app_is_scaled(site: &Site) {
    let scaled = site.play("scale", &["-e", "app_replicas=4"]);
    assert_eq!((scaled.code, recap(&scaled, "h1", "changed")), (0, 1), "{}", scaled.stdout);
    assert_eq!(site.kubectl("get deployment app -o jsonpath={.spec.replicas}"), "4");
    assert_unchanged_on_first(&site.play("scale", &["-e", "app_replicas=4"]));
    assert_eq!(recap(&site.play("scale", &[]), "h1", "changed"), 1);
}

#[test]
#[cfg_attr(
    not(all(regatta_hosts, regatta_k8s)),
    ignore = "needs Kubernetes' programs (REGATTA_K8S) and a fleet"
)]
fn a_frozen_host_is_given_up_alone_and_completed_later() {
    let site = Site::new();
    let (output, took) = std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(Duration::from_secs(30));
            site.fleet.docker(&["pause", "h3"]);
        });
        let begun = Instant::now();
        (site.play("site", &["-e", r#"{"app_patience": 400}"#]), begun.elapsed())
    });
    site.fleet.docker(&["unpause", "h3"]);
    say(&format!("site.yml with a host frozen: {took:.1?}"));
    assert_eq!(output.code, 4, "{}{}", output.stdout, output.stderr);
    assert_eq!(recap(&output, "h3", "unreachable"), 1);
    assert_eq!(recap(&output, "h1", "failed") + recap(&output, "h2", "failed"), 0, "{}", output.stdout);
    let retry = format!("@{}", site.fleet.folder().join("site.retry").display());
    let retried = site.play("site", &["--limit", &retry]);
    assert_eq!(
        (retried.code, recap(&retried, "h3", "failed")),
        (0, 0),
        "{}{}",
        retried.stdout,
        retried.stderr
    );
    // What the app's pods did without the third host is theirs: all of it runs on.
    site.kubectl("rollout restart deployment app");
    site.kubectl("rollout status deployment app --timeout=120s");
    assert_the_app_runs(&site);
}

#[test]
#[cfg_attr(
    not(all(regatta_hosts, regatta_k8s)),
    ignore = "needs Kubernetes' programs (REGATTA_K8S) and a fleet"
)]
fn a_killed_run_is_completed_by_the_next() {
    let site = Site::new();
    // While packages are installed, and as soon as the control plane answers.
    assert_eq!(site.play_for(20, "site", &[]).code, -1, "the run was over before it was killed");
    let killed = std::thread::scope(|scope| {
        scope.spawn(|| {
            let ready = "get --raw /readyz";
            (0..600).find(|_| {
                std::thread::sleep(Duration::from_secs(1));
                site.kubectl(ready) == "ok"
            });
            let of_this_site = format!("play playbooks/site.yml -i {}", site.fleet.inventory());
            Command::new("pkill").args(["-KILL", "-f", &of_this_site]).status().expect("pkill runs");
        });
        site.play("site", &[])
    });
    assert_eq!(killed.code, -1, "{}{}", killed.stdout, killed.stderr);
    let authority = "cat /etc/kubernetes/pki/ca.crt";
    let before = site.fleet.on("h1", authority);
    assert_all_well(&site.play("site", &[]));
    assert_eq!(site.fleet.on("h1", authority), before, "the cluster was begun again");
    assert_unchanged(&site.play("site", &[]));
    assert_the_app_runs(&site);
    site.assert_files_hide_the_secrets();
}
