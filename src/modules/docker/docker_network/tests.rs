//! What of a network is compared and run.

use super::Args;
use crate::modules::api::Ran;
use crate::modules::api::fake::FakeHost;

const NETWORK: &str = r#"[{"Name": "n", "Driver": "bridge", "Scope": "local", "EnableIPv6": false, "Internal": false,
  "IPAM": {"Driver": "default", "Config": [{"Subnet": "10.9.0.0/24", "Gateway": "10.9.0.1"}]},
  "Options": {"com.docker.network.driver.mtu": "1400"}, "Labels": {"a": "b"},
  "Containers": {"aaaaaaaaaaaaaaaa": {"Name": "app"}, "bbbbbbbbbbbbbbbb": {"Name": "db"}}}]"#;

fn absent() -> Ran {
    Ran { rc: 1, stderr: b"Error response from daemon: network n not found".to_vec(), ..Ran::default() }
}

fn there() -> FakeHost {
    FakeHost::new().answer("docker network inspect n", 0, NETWORK).answer("docker network", 0, "")
}

#[test]
fn a_network_comes_and_goes_once() {
    let mut host = FakeHost::new()
        .answer_with("docker network inspect n", absent(), None)
        .answer_with("docker network inspect n", absent(), None)
        .answer_with("docker network inspect n", absent(), None)
        .answer("docker network inspect n", 0, NETWORK)
        .answer("docker network", 0, "");
    let args = "{name: n, driver_options: {com.docker.network.driver.mtu: '1400'}, \
                ipam_config: [{subnet: 10.9.0.0/24, gateway: 10.9.0.1}], labels: {a: b}}";
    host.converge::<Args>(args);
    assert_eq!(
        host.ran,
        ["docker network create --driver bridge --opt com.docker.network.driver.mtu=1400 --label a=b \
          --subnet 10.9.0.0/24 --gateway 10.9.0.1 n"]
    );
    let mut host = there();
    host.play::<Args>("{name: n, state: absent, force: true}").unwrap();
    assert_eq!(
        host.ran,
        [
            "docker network disconnect --force n app",
            "docker network disconnect --force n db",
            "docker network rm n"
        ]
    );
}

#[test]
fn only_what_the_task_says_is_compared() {
    for (args, differs) in [
        ("driver: bridge", None),
        ("enable_ipv6: false, internal: false, ipam_driver: default, scope: local", None),
        ("ipam_config: [{subnet: 10.9.0.0/24}]", None),
        ("enable_ipv4: true", None),
        ("driver: macvlan", Some("driver: macvlan\n")),
        ("internal: true", Some("internal: true\n")),
        ("labels: {a: c}", Some("labels.a: c\n")),
        ("ipam_config: [{subnet: 10.8.0.0/24}]", Some("ipam_config: --subnet 10.8.0.0/24\n")),
        ("connected: [app, db]", None),
        ("connected: [aaaaaaaaaaaa, db]", None),
        ("connected: [app]", Some("connected: app\n")),
        ("connected: [app], appends: true", None),
        ("connected: [new], appends: true", Some("connected: app, db, new\n")),
    ] {
        let outcome = there().check::<Args>(&format!("{{name: n, {args}}}")).unwrap();
        let after = outcome.diff.first().and_then(|diff| diff.after.as_str().map(str::to_owned));
        assert_eq!((outcome.changed, after.as_deref()), (differs.is_some(), differs), "{args}");
    }
}

#[test]
fn containers_come_back_when_a_network_is_made_anew() {
    let mut host = there();
    host.play::<Args>("{name: n, internal: true}").unwrap();
    assert_eq!(host.ran.len(), 6);
    assert_eq!(host.ran[3], "docker network create --driver bridge --internal=true n");
    assert_eq!(host.ran[5], "docker network connect n db");
}
