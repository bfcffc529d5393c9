//! `k8s` and `k8s_info`: objects from every kind of source, made, changed, applied, removed.

use super::{Site, changed};

#[test]
#[cfg_attr(not(regatta_k8s), ignore = "needs Kubernetes' programs: REGATTA_K8S")]
fn objects_of_every_source_are_made_once() {
    let site = Site::new("objects_of_every_source_are_made_once");
    site.file(
        "on-host.yml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-file}\ndata: {mode: \"0644\"}\n",
    );
    site.file("files/beside.yml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: beside}\n");
    site.file(
        "templates/two.yml.j2",
        "{% for name in ['x', 'w'] %}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ name }}\ndata:\n  \
         at: {{ inventory_hostname }}\n{% endfor %}\n",
    );
    let tasks = "
- k8s:
    definition:
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: from-mapping, namespace: NS}
      data: {a: '1'}
- k8s: {src: DIR/on-host.yml, namespace: NS}
- k8s: {src: beside.yml, namespace: NS}
- k8s: {template: two.yml.j2, namespace: NS}
- k8s:
    namespace: NS
    definition: |
      apiVersion: v1
      kind: Secret
      metadata: {name: from-text}
      stringData: {password: correct horse}
      ---
      apiVersion: apps/v1
      kind: Deployment
      metadata: {name: web}
      spec:
        replicas: 2
        selector: {matchLabels: {app: web}}
        template:
          metadata: {labels: {app: web}}
          spec:
            containers:
              - name: web
                image: nginx
                resources: {limits: {cpu: 0.5}}
                ports: [{containerPort: 80}]
";
    site.converges(tasks, 5);
    assert_eq!(site.kubectl("get cm from-file -o jsonpath={.data.mode}"), "0644");
    assert_eq!(site.kubectl("get cm w -o jsonpath={.data.at}"), "localhost");
    // Drift, each named by check mode and repaired, and nothing else.
    site.kubectl("scale deployment web --replicas 5");
    site.kubectl("delete cm x");
    let output = site.run(tasks, "--check --diff");
    assert_eq!(changed(&output), 2, "{}", output.text());
    let text = output.text();
    for line in ["-    \"replicas\": 5", "+    \"replicas\": 2", "+++ after: ConfigMap"] {
        assert!(text.contains(line), "{line}: {text}");
    }
    assert!(!text.contains("correct horse"), "{text}");
    assert_eq!(changed(&site.run(tasks, "")), 2);
    assert_eq!(changed(&site.run(tasks, "")), 0);
}

#[test]
#[cfg_attr(not(regatta_k8s), ignore = "needs Kubernetes' programs: REGATTA_K8S")]
fn a_patch_keeps_what_it_does_not_name_and_a_replacement_does_not() {
    let site = Site::new("a_patch_keeps_what_it_does_not_name");
    site.kubectl("create cm c --from-literal=a=1 --from-literal=b=2");
    let task = |more: &str| {
        format!(
            "- k8s:\n    {more}\n    definition: {{apiVersion: v1, kind: ConfigMap, metadata: {{name: c, namespace: NS}}, \
             data: {{a: '3'}}}}\n"
        )
    };
    site.converges(&task("state: patched"), 1);
    assert_eq!(site.kubectl("get cm c -o jsonpath={.data}"), r#"{"a":"3","b":"2"}"#);
    site.converges(&task("force: true"), 1);
    assert_eq!(site.kubectl("get cm c -o jsonpath={.data}"), r#"{"a":"3"}"#);
    site.converges("- k8s: {state: absent, kind: ConfigMap, name: c, namespace: NS, wait: true}", 1);
    let output = site.run(&task("state: patched"), "");
    assert_eq!((output.code, changed(&output)), (0, 0), "{}", output.text());
}

#[test]
#[cfg_attr(not(regatta_k8s), ignore = "needs Kubernetes' programs: REGATTA_K8S")]
fn apply_takes_away_what_the_last_definition_had() {
    let site = Site::new("apply_takes_away_what_the_last_definition_had");
    let task = |data: &str| {
        format!(
            "- k8s:\n    apply: true\n    definition: {{apiVersion: v1, kind: ConfigMap, metadata: {{name: c, namespace: \
             NS}}, data: {{{data}}}}}\n"
        )
    };
    site.converges(&task("a: '1', b: '2'"), 1);
    site.kubectl("patch cm c --patch '{\"data\": {\"c\": \"3\"}}'");
    site.converges(&task("a: '1'"), 1);
    assert_eq!(site.kubectl("get cm c -o jsonpath={.data}"), r#"{"a":"1","c":"3"}"#);
}

#[test]
#[cfg_attr(not(regatta_k8s), ignore = "needs Kubernetes' programs: REGATTA_K8S")]
fn server_side_apply_explains_who_owns_what() {
    let site = Site::new("server_side_apply_explains_who_owns_what");
    let task = |manager: &str, value: &str, force: bool| {
        format!(
            "- k8s:\n    apply: true\n    server_side_apply: {{field_manager: {manager}, force_conflicts: {force}}}\n    \
             definition: {{apiVersion: v1, kind: ConfigMap, metadata: {{name: c, namespace: NS}}, data: {{a: '{value}'}}}}\n"
        )
    };
    site.converges(&task("one", "1", false), 1);
    site.fails(
        &task("two", "2", false),
        "other field managers own fields that this apply would change: .data.a of one",
    );
    site.converges(&task("two", "2", true), 1);
}

#[test]
#[cfg_attr(not(regatta_k8s), ignore = "needs Kubernetes' programs: REGATTA_K8S")]
fn secrets_appear_in_no_output_and_no_command_line() {
    let site = Site::new("secrets_appear_in_no_output_and_no_command_line");
    site.file(
        "bin/kubectl",
        &format!(
            "#!/bin/sh\nprintf '%s\\n' \"$*\" >>DIRECTORY/lines\nexec {}/kubectl \"$@\"\n",
            site.programs().display()
        )
        .replace("DIRECTORY", &site.folder.path().to_string_lossy()),
    );
    let made =
        std::process::Command::new("chmod").arg("755").arg(site.folder.path().join("bin/kubectl")).status();
    assert!(made.unwrap().success());
    let tasks = |value: &str| {
        format!(
            "- k8s:\n    api_key: token-of-the-administrator\n    definition:\n      apiVersion: v1\n      kind: Secret\n      \
             metadata: {{name: s, namespace: NS}}\n      stringData: {{p: {value}}}\n  environment: {{PATH: \
             'DIR/bin:/usr/bin:/bin'}}\n  register: made\n- debug: {{var: made}}\n- k8s:\n    apply: true\n    \
             definition:\n      apiVersion: v1\n      kind: Secret\n      metadata: {{name: t, namespace: NS}}\n      \
             data: {{p: \"{{{{ '{value}' | b64encode }}}}\"}}\n  environment: {{PATH: 'DIR/bin:/usr/bin:/bin'}}\n"
        )
    };
    for (value, options) in
        [("tiger-one", "-vvvv --diff"), ("tiger-two", "-vvv --check --diff"), ("tiger-two", "--diff")]
    {
        let output = site.run(&tasks(value), options);
        let text = output.text();
        assert_eq!((output.code, changed(&output)), (0, 2), "{text}");
        for secret in [value, "dGlnZXItb25l", "dGlnZXItdHdv"] {
            assert!(!text.replace("play.yml", "").contains(secret), "{options}: {text}");
        }
    }
    let lines = std::fs::read_to_string(site.folder.path().join("lines")).unwrap();
    assert!(lines.contains("patch Secret.v1. s"), "{lines}");
    for secret in ["tiger", "dGlnZXI", "token-of-the-administrator"] {
        assert!(!lines.contains(secret), "{lines}");
    }
}

#[test]
#[cfg_attr(not(regatta_k8s), ignore = "needs Kubernetes' programs: REGATTA_K8S")]
fn a_new_namespace_and_a_new_kind_come_before_what_needs_them() {
    let site = Site::new("a_new_namespace_and_a_new_kind");
    let tasks = "
- k8s:
    definition: |
      apiVersion: v1
      kind: Namespace
      metadata: {name: NS-inner}
      ---
      apiVersion: v1
      kind: ConfigMap
      metadata: {name: c, namespace: NS-inner}
      ---
      apiVersion: apiextensions.k8s.io/v1
      kind: CustomResourceDefinition
      metadata: {name: boats.sail.example}
      spec:
        group: sail.example
        scope: Namespaced
        names: {plural: boats, singular: boat, kind: Boat}
        versions:
          - name: v1
            served: true
            storage: true
            schema:
              openAPIV3Schema:
                type: object
                properties:
                  spec: {type: object, x-kubernetes-preserve-unknown-fields: true}
      ---
      apiVersion: sail.example/v1
      kind: Boat
      metadata: {name: b, namespace: NS-inner}
      spec: {crew: [{name: ann, age: 30}]}
";
    site.converges(tasks, 1);
    // Custom resources know no strategic merge: lists are replaced.
    site.converges(&tasks.replace("{name: ann, age: 30}", "{name: ann}"), 1);
    let crew = site.cluster.kubectl(&format!("get boat b -n {}-inner -o jsonpath={{.spec.crew}}", site.name));
    assert_eq!(crew, r#"[{"name":"ann"}]"#);
}

#[test]
#[cfg_attr(not(regatta_k8s), ignore = "needs Kubernetes' programs: REGATTA_K8S")]
fn mistakes_are_told_before_anything_is_made() {
    let site = Site::new("mistakes_are_told_before_anything_is_made");
    let task = |more: &str, data: &str| {
        format!(
            "- k8s:\n    {more}\n    definition: {{apiVersion: v1, kind: ConfigMap, metadata: {{name: c, namespace: NS}}, \
             {data}}}\n"
        )
    };
    site.fails(&task("validate: {fail_on_error: true}", "dota: {a: b}"), "unknown field");
    site.fails(&task("apply: false", "data: {a: [1]}"), "ConfigMap NS/c: Error from server");
    site.fails("- k8s: {definition: 'a: b: c'}", "the definition can't be read");
    site.fails("- k8s: {kind: Boot, api_version: sea/v1, name: b, namespace: NS}", "no matches for kind");
    site.fails(
        "- k8s: {kind: ConfigMap, name: c, kubeconfig: /none}",
        "there is no kubeconfig /none on this host",
    );
    site.fails("- k8s: {kind: ConfigMap, name: c, context: none}", "context was not found");
    assert_eq!(site.kubectl("get cm c --ignore-not-found"), "");
}

#[test]
#[cfg_attr(not(regatta_k8s), ignore = "needs Kubernetes' programs: REGATTA_K8S")]
fn what_is_there_is_found() {
    let site = Site::new("what_is_there_is_found");
    site.kubectl("create cm one");
    site.kubectl("create cm two");
    site.kubectl("label cm two tier=web");
    let tasks = "
- k8s_info: {kind: ConfigMap, namespace: NS, label_selectors: [tier = web]}
  register: by_label
- k8s_info: {kind: ConfigMap, namespace: NS, name: one}
  register: by_name
- k8s_info: {kind: ConfigMap, namespace: NS, name: none}
  register: nothing
- k8s_info: {kind: Boat, api_version: sea/v1}
  register: no_kind
- kubernetes.core.k8s_info: {kind: Namespace, field_selectors: metadata.name=NS}
  register: cluster_wide
- assert:
    that:
      - by_label.resources | map(attribute='metadata.name') | list == ['two']
      - by_name.resources[0].metadata.name == 'one'
      - nothing.resources == [] and nothing.api_found
      - no_kind.resources == [] and not no_kind.api_found
      - cluster_wide.resources | length == 1
";
    site.converges(tasks, 0);
}
