//! `k8s` against answers of kubectl; what a real API server makes of it is tested in `tests/kubernetes`.

use super::Args;
use crate::modules::api::Ran;
use crate::modules::api::fake::FakeHost;

const MAP: &str =
    "{definition: {apiVersion: v1, kind: ConfigMap, metadata: {name: a}, data: {x: '1'}}, namespace: n}";
const LIVE: &str = r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "n",
    "resourceVersion": "7", "uid": "u", "managedFields": []}, "data": {"x": "1"}}"#;
const GET: &str = "kubectl get --filename=- --ignore-not-found --output=json";
const CREATE: &str = "kubectl create --filename=- --output=json --validate=false --namespace=n";
const PATCH: &str =
    "kubectl patch ConfigMap.v1. a --type=strategic --patch-file=/dev/stdin --output=json --namespace=n";
const DRY: &str = "--dry-run=server";

fn drifted() -> String {
    LIVE.replace("\"x\": \"1\"", "\"x\": \"2\"")
}

fn complains(text: &str) -> Ran {
    Ran { rc: 1, stderr: text.into(), ..Ran::default() }
}

#[test]
fn an_object_is_made_once() {
    let mut host = FakeHost::new()
        .answer(GET, 0, "")
        .answer(GET, 0, "")
        .answer(GET, 0, LIVE)
        .answer(&format!("{CREATE} {DRY}"), 0, LIVE)
        .answer(CREATE, 0, LIVE);
    let outcome = host.converge::<Args>(MAP);
    assert_eq!(host.ran, [CREATE]);
    assert_eq!(outcome.fields["method"].as_str(), Some("create"));
    let result = outcome.fields["result"].to_string();
    assert!(result.contains("'resourceVersion': '7'") && !result.contains("managedFields"), "{result}");
    assert_eq!(outcome.diff.len(), 1);
    assert!(!outcome.diff[0].after.to_string().contains("resourceVersion"));
}

#[test]
fn what_drifted_is_patched_and_what_the_server_would_not_change_is_not() {
    let mut host = FakeHost::new()
        .answer(GET, 0, &drifted())
        .answer(GET, 0, &drifted())
        .answer(GET, 0, LIVE)
        .answer(&format!("{PATCH} {DRY}"), 0, LIVE)
        .answer(PATCH, 0, LIVE);
    let outcome = host.converge::<Args>(MAP);
    assert_eq!(host.ran, [PATCH]);
    assert!(String::from_utf8_lossy(&host.stdin).contains("\"x\":\"1\""));
    assert_eq!(outcome.fields["method"].as_str(), Some("patch"));
    // The server normalizes what was asked for to what is there.
    let mut host = FakeHost::new().answer(GET, 0, &drifted()).answer(PATCH, 0, &drifted());
    assert!(!host.play::<Args>(MAP).unwrap().changed);
    assert_eq!(host.touches, 0);
}

#[test]
fn a_kind_without_strategic_merge_is_merged() {
    let merge = PATCH.replace("strategic", "merge");
    let no = complains(
        "Error from server (UnsupportedMediaType): the body of the request was in an unknown format",
    );
    let mut host = FakeHost::new()
        .answer(GET, 0, &drifted())
        .answer_with(PATCH, no, None)
        .answer(&format!("{merge} {DRY}"), 0, LIVE)
        .answer(&merge, 0, LIVE);
    assert!(host.play::<Args>(MAP).unwrap().changed);
    assert_eq!(host.ran, [merge]);
}

#[test]
fn what_can_not_be_asked_for_yet_is_foretold_with_a_warning() {
    let no = complains("Error from server (NotFound): namespaces \"n\" not found");
    let mut host = FakeHost::new().answer(GET, 0, "").answer_with(CREATE, no, None);
    let outcome = host.check::<Args>(MAP).unwrap();
    assert!(outcome.changed);
    assert!(outcome.warnings[0].contains("namespaces \"n\" not found"), "{:?}", outcome.warnings);
    let fail = host.play::<Args>(MAP).unwrap_err();
    assert_eq!(fail.msg, "ConfigMap a: Error from server (NotFound): namespaces \"n\" not found");
    // A webhook that takes no part in dry runs.
    let no = complains("admission webhook \"w\" does not support dry run");
    let mut host = FakeHost::new()
        .answer(GET, 0, &drifted())
        .answer_with(&format!("{PATCH} {DRY}"), no, None)
        .answer(PATCH, 0, LIVE);
    assert!(host.check::<Args>(MAP).unwrap().changed);
}

#[test]
fn a_refusal_names_the_object_and_never_a_secret() {
    let args = "{definition: {apiVersion: v1, kind: Secret, metadata: {name: s}, stringData: {p: hush}}}";
    let no = complains("Error from server (Invalid): bad value \"hush\"");
    let mut host = FakeHost::new().answer(GET, 0, "").answer_with("kubectl create", no, None);
    let fail = host.play::<Args>(args).unwrap_err();
    assert_eq!(fail.msg, "Secret s: Error from server (Invalid): bad value \"********\"");
    assert!(!format!("{fail:?} {:?} {:?}", host.ran, host.queries).contains("hush"));
    let args = args.replace("namespace: n", "").replace("}}}", "}}, continue_on_error: true}");
    let outcome = host.play::<Args>(&args).unwrap();
    assert!(!outcome.changed && outcome.fields["error"].to_string().contains("********"), "{outcome:?}");
}

#[test]
fn objects_go_once_and_only_if_they_are_the_ones_meant() {
    let absent = "{state: absent, api_version: v1, kind: ConfigMap, name: a, namespace: n,
        delete_options: {propagationPolicy: Foreground, gracePeriodSeconds: 0, preconditions: {uid: u}}}";
    let delete = "kubectl delete --filename=- --ignore-not-found --wait=false --cascade=foreground --grace-period=0 \
                  --force --namespace=n";
    let mut host =
        FakeHost::new().answer(GET, 0, LIVE).answer(GET, 0, LIVE).answer(GET, 0, "").answer(delete, 0, "");
    let outcome = host.converge::<Args>(absent);
    assert_eq!(outcome.fields["method"].as_str(), Some("delete"));
    assert!(!String::from_utf8_lossy(&host.stdin).contains("\"x\""), "only its name is sent");
    let mut host = FakeHost::new().answer(GET, 0, LIVE);
    assert!(host.play::<Args>(&absent.replace("uid: u", "uid: v")).is_err());
    let going = LIVE.replace("\"uid\"", "\"deletionTimestamp\": \"now\", \"uid\"");
    let mut host = FakeHost::new().answer(GET, 0, &going);
    assert!(!host.play::<Args>(absent).unwrap().changed);
    let list = "kubectl get Pod --output=json --selector=a=b --namespace=n";
    let mut host = FakeHost::new().answer(list, 0, "").answer(GET, 0, "");
    assert!(
        !host.play::<Args>("{state: absent, kind: Pod, label_selectors: a=b, namespace: n}").unwrap().changed
    );
    assert!(host.play::<Args>("{state: absent, kind: Pod}").unwrap_err().msg.contains("delete_all"));
}

#[test]
fn patched_makes_nothing() {
    let mut host = FakeHost::new().answer(GET, 0, "");
    let outcome = host.play::<Args>(&MAP.replace("{definition", "{state: patched, definition")).unwrap();
    assert!(!outcome.changed && outcome.warnings[0].contains("is not there"), "{outcome:?}");
}

#[test]
fn waiting_looks_until_it_is_ready_and_not_in_check_mode() {
    let pod = |phase: &str| {
        format!(
            r#"{{"apiVersion": "v1", "kind": "Pod", "metadata": {{"name": "p"}}, "status": {{"phase": "{phase}"}}}}"#
        )
    };
    let args = "{kind: Pod, name: p, wait: true, wait_sleep: 1}";
    let one = "kubectl get Pod.v1. p --ignore-not-found --output=json";
    let mut host = FakeHost::new()
        .answer(GET, 0, &pod("Pending"))
        .answer(one, 0, &pod("Pending"))
        .answer(one, 0, &pod("Succeeded"))
        .answer("sleep", 0, "");
    assert!(!host.check::<Args>(args).unwrap().changed);
    let outcome = host.play::<Args>(args).unwrap();
    assert!(!outcome.changed && outcome.fields["result"].to_string().contains("Succeeded"));
    assert_eq!(host.ran, ["sleep 1"]);
    let mut host = FakeHost::new().answer("kubectl get", 0, &pod("Pending"));
    let fail = host.play::<Args>("{kind: Pod, name: p, wait: true, wait_timeout: 0}").unwrap_err();
    assert_eq!(fail.msg, "Pod p: timed out waiting on resource after 0 s: its phase is Pending");
}

#[test]
fn labels_choose_among_documents() {
    let doc = serde_json::json!({"metadata": {"labels": {"a": "1", "b": "x"}}});
    for (selector, fits) in [
        ("a=1", true),
        ("a==1", true),
        ("a!=1", false),
        ("c!=1", true),
        ("a", true),
        ("!a", false),
        ("!c", true),
        ("b in (x, y)", true),
        ("b notin (x, y)", false),
        ("c in (x)", false),
    ] {
        assert_eq!(super::has_labels(&doc, &[selector.to_owned()]), fits, "{selector}");
    }
}
