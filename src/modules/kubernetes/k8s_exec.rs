//! `k8s_exec`: a command in a running container.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Fail, Look, Module, Outcome, Support, Touch, split_words};
use crate::modules::kubectl::{Connection, Kubectl};

/// Run a command in a container of a pod.
///
/// No shell sees it: for one, say `sh -c '…'`. It counts as changed each time; say otherwise with `changed_when`.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The pod, or `deployment/NAME` and the like for one of its pods.
    pod: String,
    /// Its namespace.
    #[serde(default)]
    namespace: Option<String>,
    /// The container; by default the pod's first.
    #[serde(default)]
    container: Option<String>,
    /// The command, split into words as a shell would.
    command: String,
    /// Which API server.
    #[serde(rename = "@connection")]
    #[schemars(flatten)]
    connection: Connection,
}

/// What kubectl says last when the command, and not kubectl, failed.
const ENDED: &str = "command terminated with exit code ";

impl Module for Args {
    const SUPPORT: Support = Support::IMPERATIVE;
    const EXAMPLES: &'static str = "
- name: Does the application answer?
  k8s_exec:
    namespace: shop
    pod: web-7d9c
    command: curl -fsS http://localhost:8080/health
  register: health
  changed_when: false
";
    const RETURNS: &'static str = "
stdout: What the command printed.
stdout_lines: The same as a list of lines.
stderr: What it printed on standard error.
stderr_lines: The same as a list of lines.
rc: Its exit code.
return_code: The same.
";
    type Plan = (Kubectl, Vec<String>);

    fn plan(&self, host: &dyn Look) -> Result<Option<Self::Plan>, Fail> {
        let words = split_words(&self.command).filter(|words| !words.is_empty());
        let words = words.ok_or_else(|| Fail::new("the command is empty, or a quote in it is not closed"))?;
        if self.pod.starts_with('-') {
            return Err(Fail::new(format!("{} is no name of a pod", self.pod)));
        }
        let mut all = vec!["exec".to_owned(), self.pod.clone()];
        all.extend(self.namespace.iter().map(|name| format!("--namespace={name}")));
        all.extend(self.container.iter().map(|name| format!("--container={name}")));
        all.push("--".into());
        all.extend(words);
        Ok(Some((self.connection.open(host)?, all)))
    }

    fn predicted(&self, _plan: &Self::Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        let outcome = Outcome { skipped: true, ..Outcome::unchanged() };
        Ok(outcome.with("msg", "the command would have run if not in check mode"))
    }

    fn apply(&self, (kubectl, words): Self::Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let mut ran = host.run(&kubectl.cmd(words))?;
        if !ran.ok() {
            let text = ran.err();
            let Some((own, _)) = text.rsplit_once(ENDED) else {
                return Err(kubectl.explain(host.as_look(), &ran));
            };
            ran.stderr = own.as_bytes().to_vec();
        }
        let outcome = ran.fields(Outcome::changed()).with("return_code", ran.rc);
        if ran.ok() {
            return Ok(outcome);
        }
        Ok(Outcome { failed: true, ..outcome.with("msg", "non-zero return code") })
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::Args;
    use crate::modules::api::Ran;
    use crate::modules::api::fake::FakeHost;

    const ARGS: &str = "{pod: p, namespace: n, container: c, command: \"sh -c 'echo a; exit 3'\"}";
    const LINE: &str = "kubectl exec p --namespace=n --container=c -- sh -c echo a; exit 3";

    #[test]
    fn a_command_runs_and_its_exit_code_counts() {
        let mut host = FakeHost::new().answer(LINE, 0, "a\n");
        let outcome = host.play::<Args>(ARGS).unwrap();
        assert!(outcome.changed && !outcome.failed);
        assert_eq!((outcome.fields["stdout"].as_str(), outcome.fields["rc"].as_int()), (Some("a"), Some(0)));
        let outcome = host.check::<Args>(ARGS).unwrap();
        assert!(outcome.skipped && !outcome.changed);
        let stderr = b"oops\ncommand terminated with exit code 3\n".to_vec();
        let mut host = FakeHost::new().answer_with(LINE, Ran { rc: 3, stderr, ..Ran::default() }, None);
        let outcome = host.play::<Args>(ARGS).unwrap();
        assert!(outcome.failed);
        assert_eq!(
            (outcome.fields["stderr"].as_str(), outcome.fields["return_code"].as_int()),
            (Some("oops"), Some(3))
        );
    }

    #[test]
    fn what_kubectl_itself_can_not_do_is_said() {
        let stderr = b"Error from server (NotFound): pods \"p\" not found\n".to_vec();
        let mut host =
            FakeHost::new().answer_with("kubectl exec", Ran { rc: 1, stderr, ..Ran::default() }, None);
        assert_eq!(
            host.play::<Args>(ARGS).unwrap_err().msg,
            "Error from server (NotFound): pods \"p\" not found"
        );
        for args in ["{pod: p, command: 'a \"b'}", "{pod: p, command: ''}", "{pod: -p, command: a}"] {
            assert!(FakeHost::new().program("kubectl").play::<Args>(args).is_err(), "{args}");
        }
    }
}
