//! Tests of `ufw`.

use super::Args;
use crate::modules::api::Ran;
use crate::modules::api::fake::{Effect, FakeHost};

fn then(change: impl Fn(FakeHost) -> FakeHost + 'static) -> Option<Effect> {
    Some(Box::new(move |host| *host = change(std::mem::take(host))))
}

fn host() -> FakeHost {
    FakeHost::new()
        .file(
            "/etc/default/ufw",
            "IPV6=yes\nDEFAULT_INPUT_POLICY=\"ACCEPT\"\nDEFAULT_OUTPUT_POLICY=\"ACCEPT\"\n",
        )
        .file("/etc/ufw/ufw.conf", "ENABLED=no\nLOGLEVEL=low\n")
        .answer("ufw status", 0, "Status: inactive\n")
        .answer_with(
            "ufw -f enable",
            Ran::default(),
            then(|host| host.answer("ufw status", 0, "Status: active\n")),
        )
        .answer_with(
            "ufw default",
            Ran::default(),
            then(|host| host.file("/etc/default/ufw", "DEFAULT_INPUT_POLICY=\"DROP\"\n")),
        )
        .answer_with(
            "ufw logging",
            Ran::default(),
            then(|host| host.file("/etc/ufw/ufw.conf", "LOGLEVEL=high\n")),
        )
}

#[test]
fn state_policy_and_logging_converge() {
    for (args, ran) in [
        ("state: enabled", "ufw -f enable"),
        ("policy: deny", "ufw default deny incoming"),
        ("logging: high", "ufw logging high"),
    ] {
        let mut host = host();
        let outcome = host.converge::<Args>(&format!("{{{args}}}"));
        assert_eq!(host.ran, [ran]);
        assert_eq!(outcome.diff[0].prepared.as_deref(), Some(format!("+ {ran}\n").as_str()));
    }
    for args in ["state: disabled", "{default: allow, direction: outgoing}", "logging: 'on'", "logging: low"]
    {
        assert!(!host().play::<Args>(args).unwrap().changed, "{args}");
    }
    assert!(host().check::<Args>("state: reloaded").unwrap().changed);
}

#[test]
fn rules_are_built_in_the_long_form() {
    for (args, line) in [
        ("rule: limit, port: ssh, proto: tcp", "limit from any to any port ssh proto tcp"),
        ("rule: allow, name: OpenSSH, delete: true, insert: 3", "delete allow from any to any app OpenSSH"),
        (
            "rule: allow, interface: eth0, direction: in, src: 1.2.3.5, from_port: 5469, dest: 1.2.3.4, to_port: 5469, proto: udp, log: true",
            "allow in on eth0 log from 1.2.3.5 port 5469 to 1.2.3.4 port 5469 proto udp",
        ),
        (
            "rule: deny, route: true, if_in: a, if_out: b, comment: two words",
            "route deny in on a out on b from any to any comment two words",
        ),
        ("rule: reject, insert: 2", "insert 2 reject from any to any"),
        ("rule: deny, insert: 0, insert_relative_to: first-ipv6", "insert 2 deny from any to any"),
        ("rule: deny, insert: -1, insert_relative_to: last-ipv6", "insert 2 deny from any to any"),
        ("rule: deny, insert: 1, insert_relative_to: last-ipv6", "deny from any to any"),
    ] {
        let numbered = "     To   Action  From\n[ 1] 22 ALLOW IN Any\n[ 2] 22 (v6) ALLOW IN Any (v6)\n[ 3] 80 (v6) DENY IN Any (v6)\n";
        let mut host = host()
            .answer("ufw status numbered", 0, numbered)
            .answer("ufw --dry-run", 0, "*filter\n### tuple ###\nRules updated\n")
            .answer_with(
                "ufw",
                Ran::default(),
                then(|host| {
                    host.answer(
                        "ufw --dry-run",
                        0,
                        "Skipping adding existing rule\nSkipping adding existing rule (v6)\n",
                    )
                }),
            );
        host.converge::<Args>(&format!("{{{args}}}"));
        assert_eq!(host.ran, [format!("ufw {line}")], "{args}");
    }
}

#[test]
fn what_ufw_skips_is_no_change() {
    for out in [
        "Skipping adding existing rule\n",
        "Could not delete non-existent rule\nCould not delete non-existent rule (v6)\n",
    ] {
        let mut host = host().answer("ufw --dry-run", 0, out);
        assert!(!host.play::<Args>("{rule: allow, port: 22}").unwrap().changed);
    }
    let mut half = host()
        .answer("ufw --dry-run", 0, "Skipping adding existing rule\nRule added (v6)\n")
        .answer("ufw", 0, "");
    assert!(half.play::<Args>("{rule: allow, port: 22}").unwrap().changed);
    let early = Ran { rc: 1, stderr: "ERROR: Invalid position '1'".into(), ..Ran::default() };
    let mut empty =
        host().answer_with("ufw --dry-run", early.clone(), None).answer_with("ufw insert", early, None);
    assert!(empty.check::<Args>("{rule: allow, insert: 1}").unwrap().changed);
    assert!(empty.play::<Args>("{rule: allow, insert: 1}").unwrap_err().msg.contains("Invalid position"));
    let refused = Ran { rc: 1, stderr: "ERROR: Bad port".into(), ..Ran::default() };
    let mut bad = host().answer_with("ufw --dry-run", refused, None);
    assert!(bad.check::<Args>("{rule: allow, port: x y}").unwrap_err().msg.contains("Bad port"));
}

#[test]
fn a_host_without_ufw_fails_when_it_matters() {
    assert!(FakeHost::new().check::<Args>("state: enabled").unwrap().changed);
    let fail = FakeHost::new().play::<Args>("{rule: allow, port: 22}").unwrap_err();
    assert!(fail.msg.contains("install ufw"), "{}", fail.msg);
}

#[test]
fn what_does_not_fit_together_is_refused() {
    for args in [
        "{}",
        "{rule: allow, interface: eth0}",
        "{rule: allow, direction: incoming}",
        "{default: deny, direction: in}",
        "{rule: allow, name: x, proto: tcp}",
        "{rule: allow, if_in: a, if_out: b}",
        "{rule: allow, direction: in, if_in: a}",
    ] {
        assert!(host().play::<Args>(args).is_err(), "{args}");
    }
}
