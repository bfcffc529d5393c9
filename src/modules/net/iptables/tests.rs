//! Tests of `iptables`.

use super::Args;
use crate::modules::api::Ran;
use crate::modules::api::fake::FakeHost;

/// A host that answers `before` to a question until something is run, then `after`.
fn host(question: &'static str, before: (i32, &'static str), after: (i32, &'static str)) -> FakeHost {
    let ran =
        |(rc, text): (i32, &str)| Ran { rc, stdout: text.into(), stderr: text.into(), ..Ran::default() };
    FakeHost::new().answer_with(question, ran(before), None).answer_with(
        "iptables -t",
        Ran::default(),
        Some(Box::new(move |host| {
            *host = std::mem::take(host).answer_with(question, ran(after), None);
        })),
    )
}

const NO: (i32, &str) = (1, "iptables: Bad rule (does a matching rule exist in that chain?).\n");
const NONE: (i32, &str) = (0, "-P INPUT ACCEPT\n-A INPUT -j Y\n");

#[test]
fn rules_policies_and_chains_converge() {
    for (args, question, before, after, ran) in [
        (
            "chain: INPUT, source: 8.8.8.8, jump: DROP",
            "iptables -t filter -C INPUT -s 8.8.8.8 -j DROP",
            NO,
            (0, ""),
            "iptables -t filter -A INPUT -s 8.8.8.8 -j DROP",
        ),
        (
            "chain: INPUT, jump: DROP, action: insert, rule_num: 2, wait: 5",
            "iptables -t filter -C INPUT -w 5 -j DROP",
            NO,
            (0, ""),
            "iptables -t filter -I INPUT 2 -w 5 -j DROP",
        ),
        (
            "chain: OUT, table: nat, jump: ACCEPT, state: absent",
            "iptables -t nat -C OUT -j ACCEPT",
            (0, ""),
            NO,
            "iptables -t nat -D OUT -j ACCEPT",
        ),
        (
            "chain: INPUT, policy: DROP",
            "iptables -t filter -S",
            (0, "-P INPUT ACCEPT\n-A INPUT -j X\n"),
            (0, "-P INPUT DROP\n"),
            "iptables -t filter -P INPUT DROP",
        ),
        (
            "flush: true",
            "iptables -t filter -S",
            (0, "-P INPUT DROP\n-A INPUT -j X\n"),
            (0, "-P INPUT DROP\n"),
            "iptables -t filter -F",
        ),
        (
            "chain: X, flush: true",
            "iptables -t filter -S",
            (0, "-N X\n-A X -j Y\n"),
            (0, "-N X\n"),
            "iptables -t filter -F X",
        ),
        (
            "chain: X, chain_management: true",
            "iptables -t filter -S",
            NONE,
            (0, "-N X\n"),
            "iptables -t filter -N X",
        ),
        (
            "chain: X, chain_management: true, state: absent",
            "iptables -t filter -S",
            (0, "-N X\n"),
            NONE,
            "iptables -t filter -X X",
        ),
    ] {
        let mut host = host(question, before, after);
        let outcome = host.converge::<Args>(&format!("{{{args}}}"));
        assert_eq!(host.ran, [ran], "{args}");
        assert_eq!(outcome.diff[0].prepared.as_deref(), Some(format!("+ {ran}\n").as_str()));
    }
}

#[test]
fn a_chain_is_made_for_its_first_rule() {
    let mut host =
        FakeHost::new().answer("ip6tables -t filter -S", 0, NONE.1).answer("ip6tables -t filter", 0, "");
    let args =
        "{chain: X, chain_management: true, ip_version: ipv6, protocol: icmpv6, icmp_type: 1, jump: DROP}";
    let outcome = host.play::<Args>(args).unwrap();
    let rule = "-p icmpv6 -j DROP --icmpv6-type 1";
    assert_eq!(host.ran, ["ip6tables -t filter -N X".to_owned(), format!("ip6tables -t filter -A X {rule}")]);
    assert_eq!(outcome.fields["rule"].as_str(), Some(rule));
}

#[test]
fn what_can_not_be_is_said() {
    let refused = Ran { rc: 4, stderr: "Permission denied (you must be root)".into(), ..Ran::default() };
    let mut locked = FakeHost::new().answer_with("iptables", refused, None);
    assert!(locked.play::<Args>("{chain: INPUT, jump: DROP}").unwrap_err().msg.contains("must be root"));
    let mut custom = FakeHost::new().answer("iptables -t filter -S", 0, "-N X\n");
    assert!(custom.play::<Args>("{chain: X, policy: DROP}").unwrap_err().msg.contains("no policy"));
    assert!(custom.play::<Args>("{chain: X, state: absent}").unwrap_err().msg.contains("chain_management"));
    let fail = FakeHost::new().play::<Args>("{chain: INPUT, jump: DROP}").unwrap_err();
    assert!(fail.msg.contains("install iptables"), "{}", fail.msg);
    for args in [
        "jump: DROP",
        "{chain: -x, jump: DROP}",
        "{chain: X, flush: true, policy: DROP}",
        "{chain: X, wait: long}",
    ] {
        assert!(FakeHost::new().play::<Args>(args).is_err(), "{args}");
    }
}
