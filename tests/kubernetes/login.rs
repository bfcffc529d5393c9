//! The ways to say which API server and as whom.

use super::Site;

#[test]
#[cfg_attr(not(regatta_k8s), ignore = "needs Kubernetes' programs: REGATTA_K8S")]
fn every_way_to_the_api_leads_there() {
    let site = Site::new("every_way_to_the_api_leads_there");
    let cluster = &site.cluster;
    let config = cluster.kubeconfig().to_string_lossy().into_owned();
    let url = format!("https://127.0.0.1:{}", cluster.port);
    let token = crate::support::kubernetes::TOKEN;
    let mapping = std::fs::read_to_string(&config).unwrap();
    let mapping: String = mapping.lines().map(|line| format!("      {line}\n")).collect();
    for (arguments, environment) in [
        (format!("    kubeconfig: {config}\n"), "{KUBECONFIG: /none}"),
        (format!("    kubeconfig:\n{mapping}"), "{KUBECONFIG: /none}"),
        (
            format!(
                "    host: '{url}'\n    api_key: {token}\n    ca_cert: {}\n",
                cluster.certificate().display()
            ),
            "{KUBECONFIG: /none}",
        ),
        (
            format!("    host: '{url}'\n    api_key: {token}\n    validate_certs: false\n"),
            "{KUBECONFIG: /none}",
        ),
        (format!("    host: '{url}'\n    kubeconfig: {config}\n    context: test\n"), "{KUBECONFIG: /none}"),
        (String::new(), "{}"),
    ] {
        let task = format!(
            "- k8s_info:\n    kind: Namespace\n    name: NS\n{arguments}  environment: {environment}\n"
        );
        let output = site.run(&task, "");
        assert_eq!(output.code, 0, "{task}{}", output.text());
    }
    site.fails(
        &format!(
            "- k8s_info: {{kind: Namespace, api_key: wrong}}\n  environment: {{KUBECONFIG: '{config}'}}"
        ),
        "does not accept these credentials",
    );
    site.fails("- k8s_info: {kind: Pod, impersonate_user: bob}", "User \"bob\" cannot list resource");
    site.fails("- k8s_info: {kind: Pod, host: 'https://127.0.0.1:1'}", "the Kubernetes API can't be reached");
}
