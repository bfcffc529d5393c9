//! What is done to objects that are there: scaled, rolled back, patched, tainted, cordoned; and what the cluster is.

use super::{Site, changed};

const WEB: &str = "
- k8s_deploy: {name: web, namespace: NS, image: 'web:1'}
";

#[test]
#[cfg_attr(not(regatta_k8s), ignore = "needs Kubernetes' programs: REGATTA_K8S")]
fn a_deployment_is_scaled() {
    let site = Site::new("a_deployment_is_scaled");
    site.converges(WEB, 1);
    let scale =
        "- k8s_scale: {api_version: apps/v1, kind: Deployment, name: web, namespace: NS, replicas: 4}";
    site.converges(scale, 1);
    assert_eq!(site.kubectl("get deployment web -o jsonpath={.spec.replicas}"), "4");
    // Who deploys without a number of replicas leaves it to who scales.
    site.converges(WEB, 0);
    let output = site.run(&scale.replace("replicas: 4", "replicas: 2, current_replicas: 9"), "");
    assert_eq!((output.code, changed(&output)), (0, 0), "{}", output.text());
    site.fails(
        &scale.replace("name: web", "name: none"),
        "Deployment none is not there, so it can't be scaled",
    );
}

#[test]
#[cfg_attr(not(regatta_k8s), ignore = "needs Kubernetes' programs: REGATTA_K8S")]
fn a_deployment_goes_back_to_the_revision_before() {
    let site = Site::new("a_deployment_goes_back");
    let back = "- k8s_rollback: {kind: Deployment, name: web, namespace: NS}";
    for image in ["web:1", "web:2"] {
        assert_eq!(site.run(&WEB.replace("web:1", image), "").code, 0);
        // The controller writes the revision down a moment later.
        for _ in 0..100 {
            let seen = site.kubectl(
                "get deployment web -o jsonpath={.metadata.generation}/{.status.observedGeneration}",
            );
            if seen.split_once('/').is_some_and(|(wanted, seen)| wanted == seen) {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
    }
    let output = site.run(back, "--check --diff");
    assert_eq!(changed(&output), 1, "{}", output.text());
    assert!(output.text().contains("+            \"image\": \"web:1\""), "{}", output.text());
    let output = site.run(back, "");
    assert_eq!((output.code, changed(&output)), (0, 1), "{}", output.text());
    assert_eq!(site.kubectl("get deployment web -o jsonpath={..image}"), "web:1");
}

#[test]
#[cfg_attr(not(regatta_k8s), ignore = "needs Kubernetes' programs: REGATTA_K8S")]
fn operations_of_a_json_patch_count_by_what_they_change() {
    let site = Site::new("operations_of_a_json_patch_count");
    site.converges(WEB, 1);
    let patch = "
- k8s_json_patch:
    api_version: apps/v1
    kind: Deployment
    name: web
    namespace: NS
    patch: [{op: replace, path: /spec/template/spec/containers/0/image, value: 'web:9'}]
";
    site.converges(patch, 1);
    site.fails(&patch.replace("/image", "/none/x"), "Deployment NS/web: ");
}

#[test]
#[cfg_attr(not(regatta_k8s), ignore = "needs Kubernetes' programs: REGATTA_K8S")]
fn a_service_is_made_changed_and_removed() {
    let site = Site::new("a_service_is_made_changed_and_removed");
    let service = "- k8s_service: {name: web, namespace: NS, selector: {app: web}, ports: ['80:8080']}";
    site.converges(service, 1);
    site.converges(&service.replace("80:8080", "80:9090"), 1);
    site.converges(&service.replace("ports:", "type: NodePort, ports:").replace("80:8080", "80:9090"), 1);
    assert_eq!(site.kubectl("get service web -o jsonpath={.spec.ports[0].targetPort}"), "9090");
    site.converges("- k8s_service: {name: web, namespace: NS, state: absent}", 1);
}

#[test]
#[cfg_attr(not(regatta_k8s), ignore = "needs Kubernetes' programs: REGATTA_K8S")]
fn a_node_is_tainted_cordoned_and_drained() {
    let site = Site::new("a_node_is_tainted_cordoned_and_drained");
    let taint = |more: &str| {
        format!(
            "- k8s_taint:\n    name: paper\n    taints: [{{key: dedicated, value: db, effect: NoSchedule}}]\n    {more}\n"
        )
    };
    site.converges("- k8s: {kind: Node, name: paper}", 1);
    site.converges(&taint("state: present"), 1);
    site.fails(&taint("state: present").replace("db", "web"), "dedicated:NoSchedule with another value");
    site.converges(&taint("replace: true").replace("db", "web"), 1);
    site.converges(&taint("state: absent").replace("db", "web"), 1);
    site.converges("- k8s_drain: {name: paper, state: cordon}", 1);
    site.converges("- k8s_drain: {name: paper, state: uncordon}", 1);
    site.converges("- k8s_drain: {name: paper, delete_options: {ignore_daemonsets: true}}", 1);
    site.fails("- k8s_drain: {name: none}", "there is no node none");
    site.converges("- k8s: {kind: Node, name: paper, state: absent}", 1);
}

#[test]
#[cfg_attr(not(regatta_k8s), ignore = "needs Kubernetes' programs: REGATTA_K8S")]
fn a_cluster_says_what_it_is() {
    let site = Site::new("a_cluster_says_what_it_is");
    let tasks = "
- kubernetes.core.k8s_cluster_info:
  register: cluster
- assert:
    that:
      - cluster.apis['apps/v1'].Deployment.short_names == ['deploy']
      - cluster.apis.v1.Namespace.namespaced == false
      - cluster.version.server.kubernetes.major == '1'
      - cluster.connection.host is match('https://127.0.0.1')
";
    site.converges(tasks, 0);
    let log = "- k8s_log: {name: none, namespace: NS}";
    site.fails(log, "pods \"none\" not found");
    site.fails("- k8s_exec: {pod: none, namespace: NS, command: id}", "pods \"none\" not found");
}
