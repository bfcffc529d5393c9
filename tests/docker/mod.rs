//! The docker modules on a real engine with a real registry: each change foreseen by check mode, made, and not made twice.
//!
//! They need root and Debian's docker.io, docker-registry and busybox-static; `scripts/test` says whether an engine can be
//! had (`REGATTA_ENGINE`). Elsewhere these tests are listed as ignored, with that reason.

mod engine;

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use crate::support::run::{Output, Run};
use crate::support::watch::{ARGUMENTS, Watch};
use engine::Engine;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/docker")
}

fn play(engine: &Engine, playbook: &str, more: &[&str]) -> Output {
    let (address, registry) = (engine.address(), engine.registry());
    let work = engine.path("work");
    let run = Run::new(&folder()).patience(300).args(["play", playbook, "-i", "localhost,", "-c", "local"]);
    let vars =
        [format!("engine={address}"), format!("registry={registry}"), format!("work={}", work.display())];
    vars.iter().fold(run, |run, var| run.args(["-e", var])).args(more).go()
}

/// How many tasks changed something; the play must have gone well.
fn changed(output: &Output) -> usize {
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
    let number = output.stdout.rsplit("changed=").next().and_then(|rest| rest.split_whitespace().next());
    number.and_then(|it| it.parse().ok()).unwrap_or_else(|| panic!("no recap:\n{}", output.stdout))
}

fn write_app(engine: &Engine, more: &str) {
    engine.write(
        "work/app/Dockerfile",
        "ARG BASE\nFROM ${BASE}\nARG VERSION\nENV VERSION=${VERSION}\nCOPY . /app\n",
        0o644,
    );
    engine.write("work/app/.dockerignore", "*.log\n", 0o644);
    engine.write("work/app/run", more, 0o755);
}

#[test]
#[cfg_attr(not(regatta_engine), ignore = "needs a Docker engine of its own: scripts/test as root on Debian")]
fn docker_modules_do_what_check_mode_foresees_and_nothing_twice() {
    let engine = Engine::start();
    write_app(&engine, "one");
    let watching = Watch::start(ARGUMENTS, &["s3cret-"]);
    for stage in [
        "login",
        "build",
        "push",
        "rebuild",
        "repush",
        "tag",
        "export",
        "untag",
        "load",
        "absent",
        "pull",
        "things",
        "container",
        "strict",
        "update",
        "recreate",
        "pause",
        "unpause",
        "leave",
        "enter",
        "stop",
        "gone",
        "end",
    ] {
        if stage == "rebuild" {
            // What the builder does not get changes nothing; what it gets does.
            engine.write("work/app/x.log", "noise", 0o644);
            assert_eq!(
                changed(&play(&engine, "modules.yml", &["--tags", "build"])),
                0,
                "a file that is left out"
            );
            write_app(&engine, "two");
        }
        let foreseen = play(&engine, "modules.yml", &["--tags", stage, "--check", "--diff"]);
        let done = play(&engine, "modules.yml", &["--tags", stage, "-vvv"]);
        // A container that was made as the task says is as the strictest comparison wants it.
        let expected = if stage == "strict" { 0 } else { changed(&done).max(1) };
        assert_eq!(changed(&foreseen), expected, "{stage} foreseen:\n{}", foreseen.stdout);
        assert_eq!(changed(&done), expected, "{stage} done:\n{}", done.stdout);
        let again = play(&engine, "modules.yml", &["--tags", stage, "--diff"]);
        assert_eq!(changed(&again), 0, "{stage} again:\n{}", again.stdout);
        for output in [&foreseen, &done, &again] {
            assert!(!output.stdout.contains("s3cret-pass"), "{stage} tells the password:\n{}", output.stdout);
        }
        assert!(!foreseen.stdout.contains("s3cret"), "{stage}'s diff tells a secret:\n{}", foreseen.stdout);
        if stage == "login" {
            let config = std::fs::metadata(engine.path("work/config/config.json")).unwrap();
            assert_eq!(config.permissions().mode() & 0o777, 0o600);
        }
    }
    assert_eq!(watching.stop(), Vec::<String>::new(), "secrets in the process list");
}

#[test]
#[cfg_attr(not(regatta_engine), ignore = "needs a Docker engine of its own: scripts/test as root on Debian")]
fn docker_modules_answer_what_they_are_asked() {
    let engine = Engine::start();
    let output = play(&engine, "ask.yml", &[]);
    assert_eq!(output.code, 0, "{}{}", output.stdout, output.stderr);
}

#[test]
#[cfg_attr(not(regatta_engine), ignore = "needs a Docker engine of its own: scripts/test as root on Debian")]
fn drift_behind_a_containers_back_is_named_and_mended() {
    let engine = Engine::start();
    write_app(&engine, "one");
    for stage in ["login", "build", "push", "tag", "things", "container"] {
        changed(&play(&engine, "modules.yml", &["--tags", stage]));
    }
    let registry = engine.registry();
    let name = format!("{registry}/team/app:1");
    for (drift, stage, named) in [
        (vec!["update", "--memory", "32m", "--memory-swap", "64m", "full"], "container", "-memory: 33554432"),
        (vec!["network", "disconnect", "back", "full"], "container", "-networks: not in back"),
        (vec!["kill", "full"], "container", "-running: false"),
        (vec!["rm", "--force", "full"], "container", "-exists: false"),
        // Another image under the tag.
        (vec!["tag", "base:1", &name], "build", &format!("-{name} = sha256:")),
    ] {
        let (ok, text) = engine.docker(&drift);
        assert!(ok, "{text}");
        let foreseen = play(&engine, "modules.yml", &["--tags", stage, "--check", "--diff"]);
        assert_eq!(changed(&foreseen), 1, "{drift:?}:\n{}", foreseen.stdout);
        let removed: Vec<&str> = foreseen
            .stdout
            .lines()
            .filter(|line| line.starts_with('-') && !line.starts_with("---"))
            .collect();
        assert!(
            removed.len() == 1 && removed[0].starts_with(named),
            "{drift:?}: {removed:?}\n{}",
            foreseen.stdout
        );
        assert_eq!(changed(&play(&engine, "modules.yml", &["--tags", stage])), 1, "{drift:?}");
        assert_eq!(changed(&play(&engine, "modules.yml", &["--tags", stage])), 0, "{drift:?}");
    }
}
