//! The modules that articles on containers use: a Deployment and a Service from arguments, and manifests applied.

use super::{Site, changed};

#[test]
#[cfg_attr(not(regatta_k8s), ignore = "needs Kubernetes' programs: REGATTA_K8S")]
fn a_deployment_and_a_service_come_from_arguments() {
    let site = Site::new("a_deployment_and_a_service_come_from_arguments");
    let tasks = "
- k8s_deploy:
    name: web
    namespace: NS
    image: registry.example/web:1
    replicas: 3
    env: {LEVEL: info, PORT: 8080}
    selector: {app: web}
    ports: [8080]
    strategy: {type: RollingUpdate, rollingUpdate: {maxSurge: 1, maxUnavailable: 0}}
    resources: {limits: {memory: 0.5Gi}}
- k8s_service:
    name: web
    namespace: NS
    type: NodePort
    selector: {app: web}
    ports: [{port: 80, targetPort: 8080, nodePort: 30123}]
- k8s_apply:
    namespace: NS
    template: more.yml.j2
";
    site.file(
        "templates/more.yml.j2",
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\nspec:\n  defaultBackend: {service: {name: \
         web, port: {number: 80}}}\n---\napiVersion: autoscaling/v1\nkind: HorizontalPodAutoscaler\nmetadata: {name: \
         web}\nspec: {maxReplicas: 5, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: web}}\n---\n\
         apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: web}\nspec: {accessModes: [ReadWriteOnce], \
         resources: {requests: {storage: 1024Mi}}}\n",
    );
    site.converges(tasks, 3);
    // What is no longer given goes.
    site.converges(&tasks.replace("LEVEL: info, ", ""), 1);
    let env = site.kubectl("get deployment web -o jsonpath={.spec.template.spec.containers[0].env[*].name}");
    assert_eq!(env, "PORT");
    let tasks = tasks.replace("LEVEL: info, ", "");
    // Drift of each kind is named alone and repaired.
    for drift in [
        "scale deployment web --replicas 1",
        "delete service web",
        "set image deployment/web web=other:2",
        "patch ingress web --type merge --patch '{\"spec\": {\"defaultBackend\": {\"service\": {\"name\": \"other\"}}}}'",
    ] {
        site.kubectl(drift);
        for (options, changes) in [("--check", 1), ("", 1), ("", 0)] {
            let output = site.run(&tasks, options);
            assert_eq!((output.code, changed(&output)), (0, changes), "{drift}: {}", output.text());
        }
    }
    let gone = "
- k8s_deploy: {name: web, namespace: NS, state: absent}
- k8s_service: {name: web, namespace: NS, state: absent}
";
    site.converges(gone, 2);
}

#[test]
#[cfg_attr(not(regatta_k8s), ignore = "needs Kubernetes' programs: REGATTA_K8S")]
fn waiting_for_what_never_comes_says_why() {
    let site = Site::new("waiting_for_what_never_comes_says_why");
    let task = "- k8s_deploy: {name: web, namespace: NS, image: web, replicas: 2, wait: true, wait_timeout: 3, wait_sleep: 1}";
    site.fails(task, "Deployment NS/web: timed out waiting on resource after 3 s: 0 of 2 replicas are ready");
    // Check mode does not wait.
    let output = site.run(task, "--check");
    assert_eq!((output.code, changed(&output)), (0, 0), "{}", output.text());
}
