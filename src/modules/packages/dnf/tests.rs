//! Tests of `dnf`.

use super::Args;
use crate::modules::api::fake::FakeHost;

fn host() -> FakeHost {
    FakeHost::new()
        .file("/etc/os-release", "NAME=\"Rocky Linux\"\nID=rocky\nVERSION_ID=9.4\n")
        .file("/usr/bin/dnf", "")
        .answer("rpm -q curl", 0, "curl-7.76-1.el9.x86_64\n")
        .answer("rpm -q", 1, "")
        .answer("rpm -q --whatprovides webserver", 0, "nginx-1.20-1.el9\n")
        .answer("rpm -qp --nosignature /tmp/curl.rpm", 0, "curl-7.76-1.el9.x86_64\n")
        .answer("rpm -q curl-7.76-1.el9.x86_64", 0, "curl-7.76-1.el9.x86_64\n")
        .answer("dnf -q check-update", 100, "\ncurl.x86_64    7.80-1.el9    baseos\n")
        .answer("dnf -y", 0, "Complete!\n")
        .answer("dnf -y install @nothing", 0, "Dependencies resolved.\nNothing to do.\nComplete!\n")
}

#[test]
fn states_and_options_reach_dnf() {
    for (args, lines) in [
        ("name: curl", vec![]),
        ("name: webserver", vec![]),
        ("name: /tmp/curl.rpm", vec![]),
        ("name: [curl, git]", vec!["dnf -y install git"]),
        (
            "{name: git, enablerepo: 'epel,crb', disable_gpg_check: true, install_weak_deps: false}",
            vec![
                "dnf -y install --enablerepo=epel --enablerepo=crb --nogpgcheck --setopt=install_weak_deps=False git",
            ],
        ),
        ("{name: curl, state: latest}", vec!["dnf -y install curl"]),
        ("{name: '*', state: latest}", vec!["dnf -y upgrade"]),
        ("{name: '*', state: latest, security: true}", vec!["dnf -y upgrade --security"]),
        (
            "{name: curl, state: absent}",
            vec!["dnf -y remove --setopt=clean_requirements_on_remove=False curl"],
        ),
        ("{name: git, state: removed}", vec![]),
        ("{name: '@development'}", vec!["dnf -y install @development"]),
        ("{autoremove: true}", vec!["dnf -y autoremove"]),
    ] {
        let mut host = host();
        assert_eq!(host.check::<Args>(args).unwrap().changed, !lines.is_empty(), "{args}");
        assert_eq!(host.play::<Args>(args).unwrap().changed, !lines.is_empty(), "{args}");
        assert_eq!(host.ran, lines, "{args}");
    }
}

#[test]
fn what_only_dnf_can_tell_may_turn_out_to_be_there() {
    assert!(!host().play::<Args>("name: '@nothing'").unwrap().changed);
}

#[test]
fn the_lists_are_fetched_first() {
    let mut host = host();
    assert!(!host.play::<Args>("update_cache: true").unwrap().changed);
    assert!(host.play::<Args>("{name: git, update_cache: true}").unwrap().changed);
    assert_eq!(host.ran, ["dnf -y makecache", "dnf -y makecache", "dnf -y install git"]);
}

#[test]
fn a_host_without_dnf_says_so() {
    assert_eq!(
        FakeHost::new().play::<Args>("name: a").unwrap_err().msg,
        "there is neither dnf nor yum on this host"
    );
}
