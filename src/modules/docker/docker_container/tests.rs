//! What differs between a container and a task, and what is run about it.

use super::Args;
use crate::modules::api::fake::FakeHost;
use crate::modules::api::{Outcome, Ran};

const IMAGE: &str = r#"[{"Id": "sha256:1", "Os": "linux", "Architecture": "amd64",
    "Config": {"Env": ["PATH=/bin"], "Labels": {"from": "image"}, "ExposedPorts": {"80/tcp": {}}}}]"#;

/// A container with a bit of everything.
const CONTAINER: &str = r#"[{"Id": "abc", "Image": "sha256:1", "Name": "/app",
  "State": {"Running": RUNNING, "Paused": false, "Health": {"Status": "healthy"}},
  "Config": {"Image": "app:1", "Cmd": ["sleep", "1 0"], "Entrypoint": null, "User": "1", "WorkingDir": "/srv",
    "Env": ["A=1", "SECRET=old", "PATH=/bin"], "Labels": {"a": "b", "from": "image"}, "Hostname": "h", "Tty": false,
    "ExposedPorts": {"53/udp": {}, "80/tcp": {}}, "StopTimeout": 5, "Volumes": {"/anon": {}},
    "Healthcheck": {"Test": ["CMD-SHELL", "true"], "Interval": 30000000000, "Retries": 3}},
  "HostConfig": {"Binds": ["data:/data", "/tmp:/y:ro"], "NetworkMode": "default", "Memory": 67108864,
    "NanoCpus": 500000000, "RestartPolicy": {"Name": "on-failure", "MaximumRetryCount": 3},
    "PortBindings": {"53/udp": [{"HostIp": "", "HostPort": "53"}], "80/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8080"}]},
    "CapAdd": ["CAP_NET_ADMIN"], "Dns": ["1.1.1.1"], "ExtraHosts": ["a:1.2.3.4"], "Privileged": false,
    "Tmpfs": {"/tt": "rw,size=5m"}, "ShmSize": 33554432, "Sysctls": {"net.ipv4.ip_forward": "1"}, "Init": true,
    "Devices": [{"PathOnHost": "/dev/null", "PathInContainer": "/dev/n", "CgroupPermissions": "r"}],
    "Ulimits": [{"Name": "nofile", "Soft": 10, "Hard": 20}], "LogConfig": {"Type": "json-file", "Config": {"max-size": "1m"}},
    "BlkioDeviceReadBps": [{"Path": "/dev/sda", "Rate": 1048576}], "SecurityOpt": ["label=disable"],
    "Mounts": [{"Type": "tmpfs", "Target": "/t", "TmpfsOptions": {"SizeBytes": 1048576}},
      {"Type": "volume", "Source": "v2", "Target": "/v2", "VolumeOptions": {"Labels": {"a": "b"}, "DriverConfig": {}}}]},
  "NetworkSettings": {"Networks": {"bridge": {"Aliases": null}, "back": {"IPAMConfig": {"IPv4Address": "10.0.0.5"},
    "Aliases": ["app", "abc"], "Links": null}}}}]"#;

fn absent() -> Ran {
    Ran { rc: 1, stderr: b"Error: No such container: app".to_vec(), ..Ran::default() }
}

fn host() -> FakeHost {
    FakeHost::new()
        .answer("docker image inspect app:1", 0, IMAGE)
        .answer("docker image inspect sha256:1", 0, IMAGE)
        .answer("docker", 0, "")
}

fn running() -> FakeHost {
    host().answer("docker container inspect app", 0, &CONTAINER.replace("RUNNING", "true"))
}

fn check(host: &mut FakeHost, args: &str) -> Outcome {
    host.check::<Args>(&format!("{{name: app, {args}}}"))
        .unwrap_or_else(|fail| panic!("{args}: {}", fail.msg))
}

fn shown(outcome: &Outcome) -> String {
    outcome.diff.iter().map(|diff| format!("{}-> {}", diff.before, diff.after)).collect()
}

#[test]
fn what_is_as_wanted_is_no_difference() {
    for args in [
        "image: 'app:1'",
        "command: 'sleep \"1 0\"'",
        "command: [sleep, '1 0']",
        "entrypoint: [sleep], command: ['1 0']",
        "env: {A: '1'}",
        "env: {A: 1, SECRET: old}, image: 'app:1', comparisons: {env: strict}",
        "user: 1, working_dir: /srv, hostname: h, tty: false, init: true",
        "memory: 64m, cpus: 0.5, shm_size: 32M",
        "restart_policy: on-failure, restart_retries: 3",
        "restart_policy: on-failure",
        "ports: ['53:53/udp', '127.0.0.1:8080:80']",
        "ports: ['53:53/udp', '127.0.0.1:8080:80'], comparisons: {ports: strict}",
        "ports: ['0.0.0.0:53:53/udp']",
        "exposed: [80, 53/udp]",
        "volumes: ['data:/data', '/tmp/:/y:ro', /anon]",
        "volumes: ['data:/data:rw'], tmpfs: ['/tt:rw,size=5m']",
        "mounts: [{target: /t, type: tmpfs, tmpfs_size: 1m}, {target: /v2, source: v2, labels: {a: b}, read_only: false}]",
        "capabilities: [net_admin], dns_servers: [1.1.1.1], etc_hosts: {a: 1.2.3.4}",
        "sysctls: {net.ipv4.ip_forward: 1}, privileged: false",
        "devices: ['/dev/null:/dev/n:r'], ulimits: ['nofile:10:20']",
        "device_read_bps: [{path: /dev/sda, rate: 1mb}], security_opts: ['label:disable']",
        "log_driver: json-file, log_options: {max-size: 1m}",
        "healthcheck: {test: 'true', interval: 30s, retries: 3}",
        "healthcheck: {test: [CMD, 'true']}",
        "labels: {a: b}",
        "labels: {a: b}, image: 'app:1', comparisons: {labels: strict}",
        "stop_timeout: 9",
        "network_mode: bridge",
        "networks: [{name: bridge}]",
        "networks: [{name: back, aliases: [app], ipv4_address: 10.0.0.5}]",
        "memory: 1g, comparisons: {memory: ignore}",
        "memory: 1g, user: 9, comparisons: {'*': ignore}",
        "container_default_behavior: no_defaults",
        "state: healthy",
        "state: present",
    ] {
        let outcome = check(&mut running(), args);
        assert!(!outcome.changed, "{args}: {}", shown(&outcome));
    }
}

#[test]
fn each_difference_is_found_and_said() {
    for (args, said) in [
        ("command: sleep 2", "command: [\"sleep\", \"1 0\"]\n-> command: [\"sleep\", \"2\"]\n"),
        ("entrypoint: [x]", "entrypoint: [\"sleep\", \"1 0\"]\n-> entrypoint: [\"x\"]\n"),
        (
            "env: {B: x}",
            "env: A (old value hidden), SECRET (old value hidden)\n-> env: B (new value hidden)\n",
        ),
        ("user: 2", "user: 1\n-> user: 2\n"),
        (
            "ports: ['81:81']",
            "published_ports: 53/udp=:53, 80/tcp=127.0.0.1:8080\n-> published_ports: 81/tcp=:81\n",
        ),
        (
            "ports: ['8080:80']",
            "published_ports: 53/udp=:53, 80/tcp=127.0.0.1:8080\n-> published_ports: 80/tcp=:8080\n",
        ),
        ("volumes: ['data:/data:ro']", "volumes: /anon, /tmp:/y:ro, data:/data\n-> volumes: data:/data:ro\n"),
        ("tmpfs: [/x]", "tmpfs: /tt=rw,size=5m\n-> tmpfs: /x=\n"),
        (
            "mounts: [{target: /t, type: tmpfs, tmpfs_size: 2m}]",
            "mounts: /t=tmpfs 1048576, /v2=volume v2\n-> mounts: /t=tmpfs 2097152\n",
        ),
        ("capabilities: [SYS_TIME]", "capabilities: NET_ADMIN\n-> capabilities: SYS_TIME\n"),
        ("healthcheck: {test: 'false'}", "healthcheck: test=true\n-> healthcheck: test=false\n"),
        ("healthcheck: {test: [NONE]}", "healthcheck: test=true\n-> healthcheck: test=\n"),
        (
            "healthcheck: {test: 'true', interval: 1m}",
            "healthcheck: interval=30000000000\n-> healthcheck: interval=60000000000\n",
        ),
        ("labels: {a: c}", "labels: a=b\n-> labels: a=c\n"),
        ("privileged: true", "privileged: false\n-> privileged: true\n"),
        ("exposed: [81]", "exposed_ports: 53/udp\n-> exposed_ports: 81/tcp\n"),
        ("env: {A: '1'}, comparisons: {env: strict}", "env: SECRET (old value hidden)\n-> env: \n"),
        ("stop_timeout: 9, comparisons: {stop_timeout: strict}", "stop_timeout: 5\n-> stop_timeout: 9\n"),
        ("recreate: true", "recreate: as asked for\n-> recreate: anew\n"),
    ] {
        let outcome = check(&mut running(), &format!("{args}, state: present"));
        assert!(outcome.changed, "{args}");
        assert_eq!(shown(&outcome), said, "{args}");
        assert!(!format!("{:?}", outcome.diff).contains("old\""));
        assert_eq!(outcome.fields["actions"].to_string(), "['stopped', 'removed', 'created']", "{args}");
    }
}

#[test]
fn a_container_is_made_with_the_words_for_all_of_it() {
    let fresh = |args: &str| {
        let mut host = host()
            .answer_with("docker container inspect app", absent(), None)
            .answer_with("docker container inspect app", absent(), None)
            .answer_with("docker container inspect app", absent(), None)
            .answer("docker container inspect app", 0, &CONTAINER.replace("RUNNING", "true"));
        let args = format!("{{name: app, image: 'app:1', {args}}}");
        assert!(host.check::<Args>(&args).unwrap().changed);
        host.play::<Args>(&args).unwrap();
        host.ran
    };
    for (args, words) in [
        ("command: 'sleep \"1 0\"'", "app:1 sleep 1 0"),
        ("entrypoint: [a, b], command: c", "--entrypoint a app:1 b c"),
        ("env: {A: '1', PATH: /x}", "--env A --env PATH=/x app:1"),
        (
            "ports: ['8080:80', 81, '127.0.0.1::82', '[::1]:1:1']",
            "--publish 8080:80/tcp --publish 81/tcp --publish 127.0.0.1::82/tcp --publish [::1]:1:1/tcp app:1",
        ),
        ("memory: 64m, cpus: 0.5", "--memory 67108864 --cpus 0.5 app:1"),
        ("restart_policy: on-failure, restart_retries: 3", "--restart on-failure:3 app:1"),
        ("volumes: ['~/x:/x', 'v:/v:ro']", "--volume /root/x:/x --volume v:/v:ro app:1"),
        (
            "mounts: [{target: /t, type: bind, source: /s, read_only: true}]",
            "--mount type=bind,source=/s,target=/t,readonly=true app:1",
        ),
        (
            "healthcheck: {test: [CMD, a, 'b c'], interval: 5s}",
            "--health-cmd a 'b c' --health-interval 5000000000ns app:1",
        ),
        (
            "device_requests: [{device_ids: [0, 1], capabilities: [[gpu, utility]]}]",
            "--gpus \"capabilities=utility\",\"device=0,1\" app:1",
        ),
        ("platform: linux/amd64, privileged: true", "--platform linux/amd64 --privileged=true app:1"),
        (
            "networks: [{name: n, aliases: [x], ipv4_address: 10.0.0.9}]",
            "--network n --network-alias x --ip 10.0.0.9 app:1",
        ),
    ] {
        let ran = fresh(&format!("state: present, {args}"));
        assert_eq!(ran, [format!("docker create --name app --pull never {words}")], "{args}");
    }
    let ran = fresh("networks: [{name: n}, {name: m, aliases: [y]}]");
    assert_eq!(
        ran,
        [
            "docker create --name app --pull never --network n app:1",
            "docker network connect --alias y m app",
            "docker start app"
        ]
    );
}

#[test]
fn what_can_be_changed_in_place_is() {
    for (args, ran) in [
        ("memory: 128m, cpus: 1.5", vec!["docker update --memory 134217728 --cpus 1.5 app"]),
        ("restart_policy: always", vec!["docker update --restart always app"]),
        ("networks: [{name: new}]", vec!["docker network connect new app"]),
        (
            "networks: [{name: back, aliases: [z]}]",
            vec!["docker network disconnect back app", "docker network connect --alias z back app"],
        ),
        ("networks: [{name: back}], purge_networks: true", vec!["docker network disconnect bridge app"]),
        (
            "networks: [{name: back}], comparisons: {networks: strict}",
            vec!["docker network disconnect bridge app"],
        ),
        ("restart: true", vec!["docker restart app"]),
        ("paused: true", vec!["docker pause app"]),
        ("state: stopped", vec!["docker stop app"]),
        ("state: stopped, stop_timeout: 3", vec!["docker stop -t 3 app"]),
        ("state: stopped, force_kill: true, kill_signal: HUP", vec!["docker kill --signal HUP app"]),
        ("state: absent", vec!["docker stop app", "docker rm --force app"]),
        (
            "state: absent, keep_volumes: false, force_kill: true",
            vec!["docker kill --signal KILL app", "docker rm --force --volumes app"],
        ),
        (
            "user: 9, image: 'app:1'",
            vec![
                "docker stop app",
                "docker rm --force app",
                "docker create --name app --pull never --user 9 app:1",
                "docker start app",
            ],
        ),
    ] {
        let mut host = running();
        assert!(check(&mut host, args).changed, "{args}");
        assert!(host.play::<Args>(&format!("{{name: app, {args}}}")).unwrap().changed, "{args}");
        assert_eq!(host.ran, ran, "{args}");
    }
    let mut stopped =
        host().answer("docker container inspect app", 0, &CONTAINER.replace("RUNNING", "false"));
    assert!(!check(&mut stopped, "state: stopped").changed);
    stopped.play::<Args>("name: app").unwrap();
    assert_eq!(stopped.ran, ["docker start app"]);
}

#[test]
fn another_image_makes_another_container() {
    let other = IMAGE.replace("sha256:1", "sha256:2");
    let mut host = running().answer("docker image inspect app:2", 0, &other);
    let outcome = check(&mut host, "image: 'app:2', state: present");
    assert_eq!(shown(&outcome), "image: sha256:1\n-> image: sha256:2 (app:2)\n");
    assert!(!check(&mut host, "image: 'app:2', comparisons: {image: ignore}").changed);

    let mut same = running().answer("docker image inspect alias:1", 0, IMAGE);
    assert!(check(&mut same, "image: 'alias:1'").changed);
    assert!(!check(&mut same, "image: 'alias:1', image_name_mismatch: ignore").changed);

    // The registry has another one: pulled, found to be other, made anew.
    let none = Ran { rc: 1, stderr: b"No such image".to_vec(), ..Ran::default() };
    let mut gone = FakeHost::new()
        .answer("docker", 0, "")
        .answer("docker image inspect sha256:1", 0, IMAGE)
        .answer("docker container inspect app", 0, &CONTAINER.replace("RUNNING", "true"))
        .answer_with("docker image inspect app:3", none.clone(), None)
        .answer_with("docker image inspect app:3", none, None)
        .answer("docker image inspect app:3", 0, &other);
    gone.play::<Args>("{name: app, image: 'app:3'}").unwrap();
    assert_eq!(
        gone.ran,
        [
            "docker image pull app:3",
            "docker stop app",
            "docker rm --force app",
            "docker create --name app --pull never app:3",
            "docker start app"
        ]
    );
}

#[test]
fn a_container_in_the_foreground_is_waited_for() {
    for (code, fails) in [(0, false), (3, true)] {
        let ended = format!(r#"[{{"Id": "abc", "State": {{"Running": false, "ExitCode": {code}}}}}]"#);
        let mut host = host()
            .answer_with("docker container inspect app", absent(), None)
            .answer("docker container inspect app", 0, &ended)
            .answer("docker start --attach app", code, "hello\n");
        let args = "{name: app, image: 'app:1', detach: false, cleanup: true}";
        let outcome = host.play::<Args>(args).unwrap();
        assert_eq!((outcome.failed, outcome.fields["status"].as_int()), (fails, Some(i64::from(code))));
        assert_eq!(outcome.fields["container"].get("Output").unwrap().as_str(), Some("hello\n"));
        assert_eq!(host.ran.last().unwrap(), "docker rm --force app");
    }
}

#[test]
fn health_is_waited_for_and_its_absence_said() {
    let with = |health: &str| {
        format!(
            r#"[{{"Id": "abc", "State": {{"Running": true, "Health": {{"Status": "{health}", "Log": [{{"Output": "no"}}]}}}}}}]"#
        )
    };
    let mut host = FakeHost::new()
        .answer("docker container inspect app", 0, &with("starting"))
        .answer("docker container inspect app", 0, &with("starting"))
        .answer("docker container inspect app", 0, &with("healthy"))
        .answer("sleep 0.5", 0, "");
    assert!(!host.play::<Args>("{name: app, state: healthy}").unwrap().changed, "waiting changes nothing");
    let mut ill = FakeHost::new().answer("docker container inspect app", 0, &with("unhealthy"));
    let fail = ill.play::<Args>("{name: app, state: healthy}").unwrap_err();
    assert_eq!(fail.msg, "the container app is unhealthy: no");
    let mut none =
        FakeHost::new().answer("docker container inspect app", 0, r#"[{"State": {"Running": true}}]"#);
    assert!(none.play::<Args>("{name: app, state: healthy}").unwrap_err().msg.contains("no health check"));
}

#[test]
fn what_can_not_be_is_refused() {
    for args in [
        "comparisons: {env: loose}",
        "comparisons: {'*': allow_more_present}",
        "user: 2, comparisons: {user: allow_more_present}",
        "ports: [http]",
        "ports: ['1-3:4-5']",
        "memory: lots",
        "ulimits: [nofile]",
        "command: 'a \"b'",
        "env: {A: true}",
        "restart_retries: 3",
        "pull: sometimes",
        "healthcheck: {test: [x]}",
        "mounts: [{target: /x, type: bind}]",
        "image: 'app:1', labels: {a: b}, image_label_mismatch: fail, comparisons: {labels: strict}",
    ] {
        assert!(running().play::<Args>(&format!("{{name: app, {args}}}")).is_err(), "{args}");
    }
    let mut none = host().answer_with("docker container inspect app", absent(), None);
    assert!(none.play::<Args>("name: app").is_err());
    assert!(!none.play::<Args>("{name: app, state: absent}").unwrap().changed);
}
