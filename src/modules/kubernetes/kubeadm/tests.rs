//! kubeadm as a fake host's program: what it is told, what it reads, what is made of its files.

use super::config::api_version;
use super::standing::{ADMIN, API_SERVER, MARK, Version};
use super::{Args, steps};
use crate::modules::api::Ran;
use crate::modules::api::fake::FakeHost;

const KUBELET: &str = "/etc/kubernetes/kubelet.conf";
const BOOTSTRAP: &str = "/etc/kubernetes/bootstrap-kubelet.conf";
const TICKET: &str =
    "{action: join, endpoint: 'k8s:6443', token: abcdef.0123456789abcdef, ca_cert_hashes: 'sha256:12'}";

fn host() -> FakeHost {
    FakeHost::new().answer("kubeadm version -o short", 0, "v1.20.2\n").dir("/etc/kubernetes/manifests")
}

fn leaves(host: FakeHost, line: &str, rc: i32, files: &'static [&str]) -> FakeHost {
    let effect = move |host: &mut FakeHost| {
        assert!(
            host.has(MARK) || !host.ran.iter().any(|line| line.contains("/dev/stdin")),
            "it began without our mark"
        );
        let taken = std::mem::take(host);
        *host = files.iter().fold(taken, |host, path| host.file(path, "image: r/kube-apiserver:v1.20.2\n"));
    };
    let stderr = b"could not use abcdef.0123456789abcdef".to_vec();
    host.answer_with(line, Ran { rc, stderr, ..Ran::default() }, Some(Box::new(effect)))
}

fn resets(host: FakeHost) -> FakeHost {
    let effect = |host: &mut FakeHost| {
        for path in [KUBELET, BOOTSTRAP, API_SERVER, ADMIN] {
            if host.has(path) {
                crate::modules::api::Touch::remove_file(host, path.as_ref()).unwrap();
            }
        }
    };
    host.answer_with("kubeadm reset --force", Ran::default(), Some(Box::new(effect)))
}

fn input(host: &FakeHost) -> String {
    String::from_utf8(host.stdin.clone()).unwrap()
}

#[test]
fn a_cluster_begins_once_and_leaves_no_mark() {
    let mut host = leaves(host(), "kubeadm init", 0, &[KUBELET, API_SERVER, ADMIN]);
    let outcome = host.converge::<Args>(
        "{action: init, cri_socket: /run/c.sock, ignore_preflight_errors: [Swap, Mem], config: {
          ClusterConfiguration: {networking: {podSubnet: 10.244.0.0/16}, apiServer: {extraArgs: {v: 2, x: true}}},
          InitConfiguration: {nodeRegistration: {name: h1}}, KubeletConfiguration: {failSwapOn: false}}}",
    );
    assert_eq!(outcome.fields["role"].as_str(), Some("control_plane"));
    assert!(!host.has(MARK));
    assert_eq!(
        host.ran,
        ["kubeadm init --config /dev/stdin --skip-token-print --ignore-preflight-errors=Swap,Mem"]
    );
    let text = input(&host);
    for part in [
        r#""apiVersion":"kubeadm.k8s.io/v1beta2","kind":"InitConfiguration","nodeRegistration":{"criSocket":"/run/c.sock","name":"h1"}"#,
        r#""kubernetesVersion":"v1.20.2","networking":{"podSubnet":"10.244.0.0/16"},"apiServer":{"extraArgs":{"v":"2","x":"true"}}"#,
        r#""apiVersion":"kubelet.config.k8s.io/v1beta1","kind":"KubeletConfiguration","failSwapOn":false"#,
    ] {
        assert!(text.contains(part), "{part} is not in {text}");
    }
}

#[test]
fn the_api_version_and_the_form_of_arguments_follow_kubeadm() {
    for (text, api) in [("v1.14.9", 1), ("1.20.2", 2), ("v1.22.0-rc.1", 3), ("v1.30.4", 3), ("v1.31.0", 4)] {
        let version = Version::parse(text).unwrap();
        assert_eq!(api_version(&version), format!("kubeadm.k8s.io/v1beta{api}"), "{text}");
    }
    let mut host = leaves(FakeHost::new(), "kubeadm init", 0, &[KUBELET, API_SERVER]).answer(
        "kubeadm version -o short",
        0,
        "v1.31.1\n",
    );
    host.play::<Args>("{action: init, config: {ClusterConfiguration: {scheduler: {extraArgs: {v: 2}}}}}")
        .unwrap();
    assert!(input(&host).contains(r#""extraArgs":[{"name":"v","value":"2"}]"#), "{}", input(&host));
    for text in ["", "v1", "1.20", "1.x.2", "latest"] {
        assert_eq!(Version::parse(text), None, "{text}");
    }
}

#[test]
fn a_worker_joins_once_and_its_token_is_read_and_never_named() {
    let mut host = leaves(host(), "kubeadm join", 0, &[KUBELET]);
    let outcome = host.converge::<Args>(TICKET);
    assert_eq!(outcome.fields["role"].as_str(), Some("worker"));
    assert_eq!(host.ran, ["kubeadm join --config /dev/stdin"]);
    let token = r#""token":"abcdef.0123456789abcdef","caCertHashes":["sha256:12"]"#;
    assert!(input(&host).contains(token), "{}", input(&host));
    assert!(!format!("{:?}{:?}", outcome, host.queries).contains("abcdef."));
}

#[test]
fn another_control_plane_joins_with_the_key() {
    let mut host = leaves(host(), "kubeadm join", 0, &[KUBELET, API_SERVER]);
    let args = TICKET.replace(
        '}',
        ", control_plane: true, certificate_key: ff, config: {JoinConfiguration:
        {controlPlane: {localAPIEndpoint: {advertiseAddress: 10.0.0.2}}}}}",
    );
    host.converge::<Args>(&args);
    let control_plane =
        r#""controlPlane":{"certificateKey":"ff","localAPIEndpoint":{"advertiseAddress":"10.0.0.2"}}"#;
    assert!(input(&host).contains(control_plane), "{}", input(&host));
    let mut worker = self::host().file(KUBELET, "");
    assert!(worker.play::<Args>(&args).unwrap_err().msg.contains("reset"));
    assert!(worker.play::<Args>("action: init").unwrap_err().msg.contains("worker"));
}

#[test]
fn a_join_without_a_ticket_is_refused() {
    let mut host = host();
    assert!(host.play::<Args>("action: join").unwrap_err().msg.contains("ca_cert_hashes"));
    assert!(!host.has(MARK));
    let file = "{action: join, config: {JoinConfiguration: {discovery: {file: {kubeConfigPath: /k}}}}}";
    leaves(self::host(), "kubeadm join", 0, &[KUBELET]).converge::<Args>(file);
}

#[test]
fn a_failure_tells_no_secret_and_the_next_run_repairs() {
    // Half-way: the token is on the host, the node is not.
    let mut host = leaves(host(), "kubeadm join", 1, &[BOOTSTRAP]);
    let fail = host.play::<Args>(TICKET).unwrap_err();
    assert!(fail.msg.contains("could not use ***"), "{}", fail.msg);
    assert!(!format!("{fail:?}").contains("0123456789abcdef"));
    assert!(host.has(MARK));
    let mut host =
        leaves(resets(self::host().file(MARK, "join").file(BOOTSTRAP, "")), "kubeadm join", 0, &[KUBELET]);
    assert_eq!(host.play::<Args>("action: info").unwrap().fields["unfinished"].as_bool(), Some(true));
    let outcome = host.converge::<Args>(TICKET);
    assert_eq!(outcome.fields["repaired"].as_bool(), Some(true));
    assert_eq!(host.ran, ["kubeadm reset --force", "kubeadm join --config /dev/stdin"]);
}

#[test]
fn a_failure_before_anything_was_made_leaves_no_mark() {
    let mut host = leaves(host(), "kubeadm init", 1, &[]);
    assert!(host.play::<Args>("action: init").is_err());
    assert!(!host.has(MARK));
}

#[test]
fn what_came_to_its_end_alone_is_not_done_again() {
    let all = "kubectl --request-timeout=20s --kubeconfig /etc/kubernetes/admin.conf -n kube-system get";
    let there = |mark: &str| host().file(MARK, mark).file(KUBELET, "").file(API_SERVER, "");
    let mut done = there("init").answer(all, 0, "configmap/kubeadm-config");
    assert_eq!(done.converge::<Args>("action: init").fields["role"].as_str(), Some("control_plane"));
    assert_eq!(done.ran, [""; 0]);
    let mut half =
        leaves(resets(there("init").answer(all, 1, "")), "kubeadm init", 0, &[KUBELET, API_SERVER]);
    half.converge::<Args>("action: init");
    assert_eq!(half.ran[0], "kubeadm reset --force");
    let mut worker = host().file(MARK, "join").file(KUBELET, "");
    worker.converge::<Args>(TICKET);
    assert_eq!(worker.ran, [""; 0]);
    // Somebody else's kubeadm is waited for.
    let mut busy = host().file(MARK, "join").file("/proc/77/comm", "kubeadm\n").answer("sleep", 0, "");
    let fail = busy.play::<Args>(&TICKET.replace('}', ", timeout: 0}")).unwrap_err();
    assert!(fail.msg.contains("still running"), "{}", fail.msg);
}

#[test]
fn remains_that_may_hold_data_are_never_reset_unasked() {
    for (there, named) in [
        (host().file(API_SERVER, ""), API_SERVER),
        (host().file(BOOTSTRAP, "").file("/var/lib/etcd/member/x", ""), "/var/lib/etcd/member"),
    ] {
        let mut there = resets(there);
        for action in ["init", "join"] {
            let fail = there.play::<Args>(&format!("action: {action}")).unwrap_err();
            assert!(fail.msg.contains(named), "{}", fail.msg);
        }
        assert_eq!(there.touches, 0);
        assert!(there.play::<Args>("action: reset").unwrap().changed);
    }
    // A join that was cut off and holds none is.
    let mut host = leaves(resets(host().file(BOOTSTRAP, "")), "kubeadm join", 0, &[KUBELET]);
    host.converge::<Args>(TICKET);
}

#[test]
fn a_ticket_holds_what_a_join_needs_and_is_hidden() {
    let key = "c".repeat(64);
    let admin = "kubeadm token create --print-join-command --ttl 10m --kubeconfig /etc/kubernetes/admin.conf";
    let command = "kubeadm join k8s:6443 --token abcdef.0123456789abcdef     --discovery-token-ca-cert-hash sha256:12 \n";
    let printed = format!("[upload-certs] Using certificate key:\n{key}\n");
    let mut host = host().answer(admin, 0, command).answer(
        "kubeadm init phase upload-certs --upload-certs",
        0,
        &printed,
    );
    let outcome = host.play::<Args>("{action: token, ttl: 10m, upload_certs: true}").unwrap();
    let text = |name: &str| outcome.fields[name].to_string();
    assert_eq!(
        [text("endpoint"), text("token"), text("certificate_key")],
        ["k8s:6443", "abcdef.0123456789abcdef", &key]
    );
    assert_eq!(text("ca_cert_hashes"), "['sha256:12']");
    assert!(outcome.fields["_ansible_no_log"].truthy());
    let mut silent = self::host().answer("kubeadm token create", 0, "");
    assert!(silent.play::<Args>("action: token").is_err());
    assert!(host.check::<Args>("action: token").unwrap().changed);
}

#[test]
fn an_upgrade_takes_the_cluster_first_then_each_node_and_then_nothing() {
    let cluster = |version: &str| format!("apiVersion: x\nkubernetesVersion: {version}\n");
    let node = |own: &str, all: &str| {
        FakeHost::new()
            .file(KUBELET, "")
            .file(API_SERVER, format!("    - image: r:5000/kube-apiserver:{own}\n"))
            .answer("kubeadm version -o short", 0, "v1.20.2\n")
            .answer("kubectl", 0, &cluster(all))
            .answer("kubeadm upgrade", 0, "")
    };
    for (own, all, ran) in [
        ("v1.19.7", "v1.19.7", Some("kubeadm upgrade apply v1.20.2 --yes")),
        ("v1.19.7", "v1.20.2", Some("kubeadm upgrade node")),
        ("v1.20.2", "v1.20.2", None),
    ] {
        let mut host = node(own, all);
        let args = "{action: upgrade, version: 1.20.2}";
        assert_eq!(host.check::<Args>(args).unwrap().changed, ran.is_some());
        assert_eq!(host.play::<Args>(args).unwrap().changed, ran.is_some());
        assert_eq!(host.ran, ran.into_iter().collect::<Vec<_>>());
    }
    let worker = |version: &str| {
        let host = FakeHost::new().file(KUBELET, "").answer("kubeadm version -o short", 0, "v1.20.2\n");
        host.answer("kubelet --version", 0, &format!("Kubernetes {version}\n")).answer(
            "kubeadm upgrade",
            0,
            "",
        )
    };
    assert!(worker("v1.19.7").play::<Args>("{action: upgrade, version: v1.20.2}").unwrap().changed);
    assert!(!worker("v1.20.2").play::<Args>("{action: upgrade, version: v1.20.2}").unwrap().changed);
    for (args, why) in
        [("version: 1.21.0", "install v1.21.0"), ("version: new", "no version"), ("ttl: 1h", "version")]
    {
        let fail = worker("v1.19.7").play::<Args>(&format!("{{action: upgrade, {args}}}")).unwrap_err();
        assert!(fail.msg.contains(why), "{}", fail.msg);
    }
    assert!(host().play::<Args>("{action: upgrade, version: 1.20.2}").is_err());
}

#[test]
fn a_reset_is_done_once_and_needs_no_kubeadm_where_there_is_nothing() {
    let mut host = resets(host().file(KUBELET, ""));
    host.converge::<Args>("{action: reset}");
    assert!(!FakeHost::new().play::<Args>("action: reset").unwrap().changed);
    let mut new = FakeHost::new().file(KUBELET, "").answer("kubeadm version -o short", 0, "v1.31.1");
    new = resets(new);
    new.play::<Args>("{action: reset, config: {ResetConfiguration: {cleanupTmpDir: true}}}").unwrap();
    assert_eq!(new.ran, ["kubeadm reset --force --config /dev/stdin"]);
    assert!(input(&new).contains(r#""kind":"ResetConfiguration","cleanupTmpDir":true"#));
}

#[test]
fn bad_configuration_and_a_missing_kubeadm_are_said() {
    let fail = host().play::<Args>("{action: init, config: {Cluster: {}}}").unwrap_err();
    assert!(fail.msg.contains("ClusterConfiguration"), "{}", fail.msg);
    let fail = FakeHost::new().play::<Args>("action: init").unwrap_err();
    assert!(fail.msg.contains("install it first"), "{}", fail.msg);
}

#[test]
fn tokens_are_taken_out_of_texts() {
    for (text, hidden) in [
        ("a abcdef.0123456789abcdef, b", "a ***, b"),
        ("\"abcdef.0123456789abcdef\".", "\"***\"."),
        ("v1.20.2 abcdef.0123 k8s.example.org", "v1.20.2 abcdef.0123 k8s.example.org"),
    ] {
        assert_eq!(steps::without_tokens(text), hidden);
    }
}
