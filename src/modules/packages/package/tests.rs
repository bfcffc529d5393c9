//! Tests of `package` and of the managers behind it.

use super::Args;
use crate::modules::api::fake::FakeHost;

fn alpine() -> FakeHost {
    FakeHost::new()
        .file("/etc/os-release", "ID=alpine\n")
        .file("/sbin/apk", "")
        .answer("apk info -e curl", 0, "curl\n")
        .answer("apk info -e", 1, "")
        .answer("apk version -l <", 0, "Installed:   Available:\ncurl-8.1-r0 < 8.2-r0\n")
        .answer("apk", 0, "OK: 10 MiB\n")
}

#[test]
fn the_hosts_own_manager_does_the_work() {
    for (args, lines) in [
        ("name: curl", vec![]),
        ("name: [curl, git, vim]", vec!["apk add git vim"]),
        ("{name: [curl, git], state: absent}", vec!["apk del curl"]),
        ("{name: [curl, git], state: latest}", vec!["apk add --upgrade git curl"]),
        ("{name: curl, update_cache: true}", vec!["apk update"]),
    ] {
        let mut host = alpine();
        let changed = lines.iter().any(|line| *line != "apk update");
        assert_eq!(host.check::<Args>(args).unwrap().changed, changed, "{args}");
        assert_eq!(host.play::<Args>(args).unwrap().changed, changed, "{args}");
        assert_eq!(host.ran, lines, "{args}");
    }
}

#[test]
fn each_manager_has_words_of_its_own() {
    for (manager, installs, removes) in [
        ("dnf", "dnf -y install a", "dnf -y remove --setopt=clean_requirements_on_remove=False b"),
        ("yum", "yum -y install a", "yum -y remove --setopt=clean_requirements_on_remove=False b"),
        (
            "zypper",
            "zypper --non-interactive install --auto-agree-with-licenses a",
            "zypper --non-interactive remove b",
        ),
        (
            "pacman",
            "pacman -S --noconfirm --noprogressbar --needed a",
            "pacman -R --noconfirm --noprogressbar b",
        ),
    ] {
        let host = || {
            FakeHost::new()
                .answer("rpm -q a", 1, "package a is not installed\n")
                .answer("rpm -q --whatprovides a", 1, "")
                .answer("rpm -q b", 0, "b-1-1\n")
                .answer("pacman -Q a", 1, "")
                .answer("pacman -Q b", 0, "b 1-1\n")
                .answer("dnf", 0, "Complete!\n")
                .answer("yum", 0, "Complete!\n")
                .answer("zypper", 0, "")
                .answer("pacman", 0, "")
        };
        for (state, line) in [("present", installs), ("absent", removes)] {
            let mut host = host();
            let outcome =
                host.play::<Args>(&format!("{{name: [a, b], state: {state}, use: {manager}}}")).unwrap();
            assert_eq!((outcome.changed, host.ran.as_slice()), (true, [line.to_owned()].as_slice()));
        }
    }
}

#[test]
fn with_apt_it_is_apt() {
    let mut host = FakeHost::new()
        .file("/etc/os-release", "ID=debian\n")
        .file("/usr/bin/apt-get", "")
        .answer("dpkg-query", 0, "curl\tamd64\tii \t1\t\n")
        .answer("apt-get", 0, "0 upgraded, 1 newly installed, 0 to remove and 0 not upgraded.\n");
    assert!(!host.play::<Args>("name: curl").unwrap().changed);
    assert!(host.play::<Args>("{name: [curl, git], install_recommends: false}").unwrap().changed);
    assert!(host.ran[0].ends_with("-o APT::Install-Recommends=no install -- git"), "{:?}", host.ran);
    assert!(host.play::<Args>("{name: git, nosuch: 1}").unwrap_err().msg.contains("nosuch"));
}

#[test]
fn what_is_not_known_is_refused() {
    let fail = FakeHost::new().play::<Args>("name: a").unwrap_err();
    assert_eq!(fail.msg, "Could not find a matching action for the \"unknown\" package manager.");
    assert!(alpine().play::<Args>("name: --force").is_err());
    assert!(alpine().play::<Args>("{name: a, enablerepo: x}").unwrap_err().msg.contains("enablerepo"));
}

#[test]
fn a_failing_manager_says_why() {
    let ran =
        crate::modules::api::Ran { rc: 99, stderr: b"ERROR: no such package".to_vec(), ..Default::default() };
    let mut host = alpine().answer_with("apk add git", ran, None);
    let fail = host.play::<Args>("name: git").unwrap_err();
    assert_eq!(fail.msg, "'apk add git' failed: ERROR: no such package");
}
