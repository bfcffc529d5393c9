//! Tests of `git` with real repositories on this machine.

use super::Args;
use crate::modules::api::Value;
use crate::modules::api::fake::{FakeHost, OnDisk};

/// A repository `up` with a commit on `main`, a tag, a branch `next`, and settings for git.
fn host() -> OnDisk {
    let host = OnDisk::new();
    std::fs::write(
        host.path(".gitconfig"),
        "[user]\nname=a\nemail=a@b\n[init]\ndefaultBranch=main\n[protocol \"file\"]\nallow=always\n[advice]\ndetachedHead=false\n",
    )
    .unwrap();
    host.sh(
        "git init -q up; cd up; echo 1 > f; git add f; git commit -qm one; git tag v1; git tag -a -m x v1a
         git checkout -qb next; echo n > n; git add n; git commit -qm next; git checkout -q main",
    );
    host
}

fn commit(host: &OnDisk, text: &str) -> String {
    host.sh(&format!("cd up; echo {text} > f; git commit -qam {text}; git rev-parse HEAD"))
}

const BASE: &str = "repo: DIR/up, dest: DIR/deep/clone";

#[test]
fn a_clone_is_made_and_follows() {
    let host = host();
    let args = format!("{{{BASE}}}");
    let outcome = host.converge::<Args>(&args);
    let first = host.sh("cd up; git rev-parse HEAD");
    assert_eq!(
        (&outcome.fields["before"], &outcome.fields["after"]),
        (&Value::Null, &Value::from(first.as_str()))
    );
    assert_eq!(host.sh("cd deep/clone; cat f; git branch --show-current"), "1\nmain");
    let second = commit(&host, "2");
    let foreseen = host.check::<Args>(&args).unwrap();
    assert_eq!(foreseen.fields["after"], Value::from(second.as_str()));
    assert_eq!(foreseen.diff[0].before, Value::from(format!("{first}\n")));
    let outcome = host.converge::<Args>(&args);
    assert_eq!(outcome.fields["before"], Value::from(first));
    assert_eq!(outcome.fields["after"], Value::from(second));
    assert_eq!(outcome.fields["remote_url_changed"], Value::from(false));
}

#[test]
fn versions_are_branches_tags_and_commits() {
    let host = host();
    let first = host.sh("cd up; git rev-parse v1");
    commit(&host, "2");
    for (version, file, branch) in [
        ("next", "1 n", "next"),
        ("v1", "1", ""),
        ("main", "2", "main"),
        ("v1a", "1", ""),
        ("origin/next", "1 n", ""),
        (first.as_str(), "1", ""),
        ("HEAD", "2", "main"),
        ("refs/heads/next", "1 n", ""),
    ] {
        host.converge::<Args>(&format!("{{{BASE}, version: '{version}'}}"));
        let now = host.sh("cd deep/clone; echo $(cat *); git branch --show-current");
        assert_eq!(now, format!("{file}\n{branch}").trim_end(), "{version}");
    }
    // A branch that was thrown away and made anew on the server.
    host.sh("cd up; git checkout -q next; git commit -q --amend -m other; git checkout -q main");
    host.converge::<Args>(&format!("{{{BASE}, version: next}}"));
    let fail = host.play::<Args>(&format!("{{{BASE}, version: nosuch}}")).unwrap_err();
    assert!(fail.msg.starts_with("Failed to checkout nosuch"), "{}", fail.msg);
}

#[test]
fn changes_of_somebody_else_are_only_thrown_away_if_asked_for() {
    let host = host();
    host.converge::<Args>(&format!("{{{BASE}}}"));
    host.sh("cd deep/clone; echo unknown > u");
    host.settled::<Args>(&format!("{{{BASE}}}"));
    host.sh("cd deep/clone; echo mine > f");
    let fail = host.play::<Args>(&format!("{{{BASE}}}")).unwrap_err();
    assert!(fail.msg.starts_with("Local modifications exist in the destination: "), "{}", fail.msg);
    assert!(fail.msg.ends_with("/deep/clone (force=no)."), "{}", fail.msg);
    host.settled::<Args>(&format!("{{{BASE}, update: false, version: v1}}"));
    let outcome = host.converge::<Args>(&format!("{{{BASE}, force: true}}"));
    assert!(outcome.fields.contains_key("msg"));
    assert_eq!(host.sh("cd deep/clone; cat f u"), "1\nunknown");
}

#[test]
fn shallow_clones_stay_shallow() {
    let host = host();
    commit(&host, "2");
    commit(&host, "3");
    let args = "repo: 'file://DIR/up', dest: DIR/clone, depth: 1";
    host.converge::<Args>(&format!("{{{args}}}"));
    let depth = || host.sh("cd clone; git rev-list --count HEAD");
    assert_eq!(depth(), "1");
    commit(&host, "4");
    host.converge::<Args>(&format!("{{{args}}}"));
    assert_eq!((depth(), host.sh("cat clone/f")), ("1".into(), "4".into()));
    for version in ["next", "v1", "main"] {
        host.converge::<Args>(&format!("{{{args}, version: {version}}}"));
        assert_eq!(depth(), "1", "{version}");
    }
    let first = host.sh("cd up; git rev-parse v1");
    let outcome = host
        .converge::<Args>(&format!("{{repo: 'file://DIR/up', dest: DIR/other, depth: 1, version: {first}}}"));
    assert!(outcome.warnings[0].contains("`depth` is ignored"));
    host.converge::<Args>("{repo: DIR/up, dest: DIR/single, single_branch: true, version: main}");
    host.converge::<Args>("{repo: DIR/up, dest: DIR/single, single_branch: true, version: next}");
}

#[test]
fn bare_clones_follow_too() {
    let host = host();
    let args = "{repo: DIR/up, dest: DIR/bare.git, bare: true, remote: up}";
    host.converge::<Args>(args);
    let second = commit(&host, "2");
    let outcome = host.converge::<Args>(args);
    assert_eq!(outcome.fields["after"], Value::from(second));
    assert_eq!(host.sh("git -C bare.git show main:f; git -C bare.git remote"), "2\nup");
}

#[test]
fn another_address_is_a_change() {
    let host = host();
    host.converge::<Args>(&format!("{{{BASE}}}"));
    host.sh("cp -r up other");
    let outcome = host.converge::<Args>("{repo: DIR/other, dest: DIR/deep/clone}");
    assert_eq!(outcome.fields["remote_url_changed"], Value::from(true));
    host.sh("cd deep/clone; git remote remove origin");
    host.converge::<Args>(&format!("{{{BASE}}}"));
}

#[test]
fn submodules_come_along() {
    let host = host();
    host.sh("git init -q sub; cd sub; echo s1 > s; git add s; git commit -qm s");
    host.sh("cd up; git submodule --quiet add $HOME/sub inner; git commit -qm sub");
    let args = format!("{{{BASE}}}");
    host.converge::<Args>(&args);
    assert_eq!(host.sh("cat deep/clone/inner/s"), "s1");
    host.sh("cd sub; echo s2 > s; git commit -qam s2");
    host.settled::<Args>(&args);
    host.converge::<Args>(&format!("{{{BASE}, track_submodules: true, force: true}}"));
    assert_eq!(host.sh("cat deep/clone/inner/s"), "s2");
    host.sh("rm -rf up/inner/*; cd up/inner; git checkout -q .; git pull -q; cd ..; git commit -qam s2");
    host.converge::<Args>(&format!("{{{BASE}, force: true}}"));
    host.sh("cd deep/clone; git submodule --quiet deinit -f inner");
    host.converge::<Args>(&args);
    host.play::<Args>("{repo: DIR/up, dest: DIR/plain, recursive: false}").unwrap();
    assert_eq!(host.sh("ls plain/inner"), "");
}

#[test]
fn gits_own_folder_may_be_elsewhere() {
    let host = host();
    let args = "{repo: DIR/up, dest: DIR/clone, separate_git_dir: DIR/own}";
    host.converge::<Args>(args);
    host.sh("test -f clone/.git; test -f own/config");
    host.converge::<Args>(&format!("{{{BASE}}}"));
    let outcome = host.converge::<Args>(&format!("{{{BASE}, separate_git_dir: DIR/moved}}"));
    assert!(outcome.fields["git_dir_before"].to_string().ends_with("/deep/clone/.git"));
    assert!(outcome.fields["git_dir_now"].to_string().ends_with("/moved"));
}

#[test]
fn archives_are_those_of_the_version() {
    let host = host();
    for name in ["a.tar", "a.tar.gz", "a.zip"] {
        host.converge::<Args>(&format!("{{{BASE}, archive: DIR/{name}, archive_prefix: p/}}"));
    }
    assert_eq!(host.sh("tar -tf a.tar"), "p/\np/f");
    commit(&host, "2");
    host.converge::<Args>(&format!("{{{BASE}, archive: DIR/a.tar, archive_prefix: p/}}"));
    host.sh("rm a.tar");
    host.converge::<Args>(&format!("{{{BASE}, archive: DIR/a.tar, update: false}}"));
    let fail = host.play::<Args>(&format!("{{{BASE}, archive: DIR/a.rar}}")).unwrap_err();
    assert!(fail.msg.contains("must end with .zip"), "{}", fail.msg);
}

#[test]
fn without_a_clone_the_version_is_said() {
    let host = host();
    let tag = host.sh("cd up; git rev-parse v1");
    let outcome = host.play::<Args>("{repo: DIR/up, clone: false, version: v1a}").unwrap();
    assert_eq!(outcome.fields["after"], Value::from(tag));
    let outcome = host.play::<Args>(&format!("{{{BASE}, clone: false}}")).unwrap();
    assert!(outcome.changed && !host.path("deep").exists());
}

#[test]
fn an_empty_repository_is_cloned_once() {
    let host = host();
    host.sh("git init -q empty");
    let args = "{repo: DIR/empty, dest: DIR/clone}";
    host.converge::<Args>(args);
    host.sh("cd empty; echo 1 > f; git add f; git commit -qm one");
    host.converge::<Args>(args);
    assert_eq!(host.sh("cat clone/f"), "1");
}

#[test]
fn what_fails_says_why_and_no_password() {
    let host = host();
    for (args, msg) in [
        ("{repo: DIR/nosuch, dest: DIR/x}", "git ls-remote failed: fatal:"),
        ("{repo: DIR/up}", "must be specified unless clone=no"),
        ("{repo: '--upload-pack=x', dest: DIR/x}", "is nothing that git could take"),
        ("{repo: DIR/up, dest: DIR/x, verify_commit: true}", "Failed to verify GPG signature"),
        ("{repo: DIR/up, dest: DIR/up/f}", "Failed to clone"),
        ("{repo: DIR/up, dest: DIR/x, executable: /nosuch}", "Failed to find required executable"),
    ] {
        let fail = host.play::<Args>(args).unwrap_err();
        assert!(fail.msg.contains(msg), "{args}: {}", fail.msg);
    }
    let fail = host.play::<Args>("{repo: 'http://u:pass@127.0.0.1:1/x', dest: DIR/y}").unwrap_err();
    assert!(!format!("{fail:?}").contains("pass@"), "{fail:?}");
}

#[test]
fn ssh_is_called_as_asked_for() {
    for (args, line) in [
        ("", Some("ssh -o BatchMode=yes")),
        ("accept_hostkey: true", Some("ssh -o BatchMode=yes -o StrictHostKeyChecking=no")),
        (
            "accept_newhostkey: true, key_file: ~/it's, ssh_opts: -v",
            Some(
                r"ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new -i '/root/it'\''s' -o IdentitiesOnly=yes -v",
            ),
        ),
    ] {
        let yaml = format!("{{repo: x, dest: y, {args}}}");
        let given = serde_yaml::from_str::<Value>(&yaml).unwrap().into_map();
        let module: Args = crate::modules::api::decode(&given).unwrap();
        assert_eq!(module.ssh(&FakeHost::new()).as_deref(), line, "{args}");
        let own = FakeHost::new().variable("GIT_SSH_COMMAND", "mine");
        assert_eq!(module.ssh(&own).is_none(), args.is_empty(), "{args}");
    }
}
