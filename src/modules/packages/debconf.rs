//! `debconf`: answers to the questions of Debian packages, before or after they are installed.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Cmd, Diff, Fail, Look, Map, Module, Outcome, Touch, Value};
use crate::modules::programs::program;

/// Answer the questions of a Debian package.
///
/// A package that is installed already does not look again by itself: `dpkg-reconfigure -f noninteractive` makes it.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The package.
    #[serde(alias = "pkg")]
    #[schemars(extend("x-aliases" = ["pkg"]))]
    name: String,
    /// The question, as `package/topic`. Without one the answers that are there are returned.
    #[serde(default, alias = "selection", alias = "setting")]
    #[schemars(extend("x-aliases" = ["selection", "setting"]))]
    question: Option<String>,
    /// The question's type. Required with `question`.
    #[serde(default)]
    vtype: Option<Type>,
    /// The answer, for a `multiselect` a list. Required with `question`.
    #[serde(default, alias = "answer")]
    #[schemars(extend("x-aliases" = ["answer"]))]
    value: Option<Value>,
    /// Don't count the question as seen: it is asked again.
    #[serde(default)]
    unseen: bool,
}

/// A question's type.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum Type {
    /// Yes or no.
    Boolean,
    /// A message about what went wrong.
    Error,
    /// Several of several.
    Multiselect,
    /// A message.
    Note,
    /// A password; it is shown nowhere.
    Password,
    /// Not an answer, but whether the question was asked.
    Seen,
    /// One of several.
    Select,
    /// A line of text.
    String,
    /// A text that is shown.
    Text,
    /// A heading.
    Title,
}

impl Type {
    fn word(self) -> &'static str {
        match self {
            Type::Boolean => "boolean",
            Type::Error => "error",
            Type::Multiselect => "multiselect",
            Type::Note => "note",
            Type::Password => "password",
            Type::Seen => "seen",
            Type::Select => "select",
            Type::String => "string",
            Type::Text => "text",
            Type::Title => "title",
        }
    }
}

/// What stands for a password.
const HIDDEN: &str = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER";

/// An answer that is there.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Answer {
    question: String,
    value: String,
    seen: bool,
}

/// An answer that changes.
#[derive(Debug)]
pub struct Plan {
    question: String,
    kind: Type,
    before: Option<String>,
    after: String,
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: Accept the licence of the fonts
  debconf:
    name: ttf-mscorefonts-installer
    question: msttcorefonts/accepted-mscorefonts-eula
    vtype: boolean
    value: true

- name: Two locales
  debconf:
    name: locales
    question: locales/locales_to_be_generated
    vtype: multiselect
    value:
      - en_US.UTF-8 UTF-8
      - de_DE.UTF-8 UTF-8
";
    const RETURNS: &'static str = "
current: The answers, by question.
previous: The answers before.
msg: What was found, without a question.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        let Some((question, kind, after)) = self.wanted()? else { return Ok(None) };
        // It may not be there yet, though every Debian has it.
        let before =
            if host.which("debconf-show").is_none() { None } else { self.before(host, question, kind)? };
        let same = match (&before, kind) {
            (None, _) => false,
            (Some(before), Type::Boolean | Type::Seen) => before.to_lowercase() == after,
            (Some(before), Type::Multiselect) => items(before) == items(&after),
            (Some(before), _) => *before == after,
        };
        Ok((!same).then(|| Plan { question: question.to_owned(), kind, before, after }))
    }

    fn unchanged(&self, host: &dyn Look) -> Result<Outcome, Fail> {
        let answers = self.answers(host)?;
        let current: Map = answers
            .into_iter()
            .filter(|answer| self.question.as_ref().is_none_or(|question| *question == answer.question))
            .map(|answer| (answer.question.into(), Value::from(answer.value)))
            .collect();
        let outcome = Outcome::unchanged().with("current", Value::map(current.clone()));
        Ok(match self.question {
            Some(_) => outcome.with("previous", Value::map(current)),
            None => outcome.with("msg", "the answers that are there"),
        })
    }

    fn predicted(&self, plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(plan.describe())
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let [before, after] = plan.sides();
        vec![Diff { before, after, ..Diff::default() }]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        let mut cmd = program(host.as_look(), "debconf-set-selections", "debconf")?;
        if self.unseen {
            cmd = cmd.arg("-u");
        }
        let line = format!("{} {} {} {}\n", self.name, plan.question, plan.kind.word(), plan.after);
        let cmd = Cmd { quiet: true, ..cmd.stdin(line) };
        let ran = host.run(&cmd)?;
        if plan.kind == Type::Password && !ran.ok() {
            // What it complains about may be the line.
            return Err(Fail::new(format!("answering {} failed", plan.question)).with("rc", ran.rc));
        }
        ran.success(&format!("answering {}", plan.question))?;
        Ok(plan.describe())
    }
}

impl Plan {
    fn sides(&self) -> [Value; 2] {
        let side = |value: Option<&str>| {
            let value = value.map(|value| if self.kind == Type::Password { HIDDEN } else { value });
            Value::map(
                value.map(|value| (self.question.as_str().into(), Value::from(value))).into_iter().collect(),
            )
        };
        [side(self.before.as_deref()), side(Some(&self.after))]
    }

    fn describe(&self) -> Outcome {
        let [previous, current] = self.sides();
        Outcome::changed().with("current", current).with("previous", previous)
    }
}

/// The items of a multiselect, sorted.
fn items(text: &str) -> Vec<&str> {
    let mut items: Vec<&str> = text.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
    items.sort_unstable();
    items
}

impl Args {
    /// The question, its type and the answer; none: the answers that are there are wanted.
    fn wanted(&self) -> Result<Option<(&str, Type, String)>, Fail> {
        let word =
            |text: &str| !text.is_empty() && !text.starts_with('-') && !text.contains(char::is_whitespace);
        if !word(&self.name) || self.question.as_ref().is_some_and(|question| !word(question)) {
            return Err(Fail::new("name and question are one word each"));
        }
        let Some(question) = &self.question else { return Ok(None) };
        let (Some(kind), Some(value)) = (self.vtype, &self.value) else {
            return Err(Fail::new("when supplying a question you must supply a valid vtype and a value"));
        };
        let text = match (kind, value) {
            (Type::Multiselect, Value::List(items)) => {
                items.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            }
            (_, Value::List(_) | Value::Map(_)) => {
                return Err(Fail::new(format!("value must be a text for a {}", kind.word())));
            }
            (Type::Boolean | Type::Seen, value) => match value.to_string().to_lowercase().as_str() {
                "true" | "yes" | "on" | "1" => "true".into(),
                "false" | "no" | "off" | "0" => "false".into(),
                other => return Err(Fail::new(format!("value must be true or false, but is {other}"))),
            },
            (_, value) => value.to_string(),
        };
        if text.contains('\n') {
            return Err(Fail::new("value must be one line"));
        }
        Ok(Some((question, kind, text)))
    }

    fn answers(&self, host: &dyn Look) -> Result<Vec<Answer>, Fail> {
        let cmd = program(host, "debconf-show", "debconf")?.arg(&self.name);
        let out = host.query(&cmd)?.success("asking debconf")?.out();
        let answer = |line: &str| {
            let (seen, line) = line.strip_prefix('*').map_or((false, line), |rest| (true, rest));
            let (question, value) = line.trim().split_once(':')?;
            Some(Answer { question: question.to_owned(), value: value.trim().to_owned(), seen })
        };
        Ok(out.lines().filter_map(answer).collect())
    }

    /// The answer now.
    fn before(&self, host: &dyn Look, question: &str, kind: Type) -> Result<Option<String>, Fail> {
        let answer = self.answers(host)?.into_iter().find(|answer| answer.question == question);
        if kind == Type::Seen {
            return Ok(Some(answer.is_some_and(|answer| answer.seen).to_string()));
        }
        if kind != Type::Password || answer.is_none() {
            return Ok(answer.map(|answer| answer.value));
        }
        // `debconf-show` masks passwords.
        let cmd = program(host, "debconf-communicate", "debconf")?.arg(&self.name);
        let ran = host.query(&Cmd { quiet: true, ..cmd.stdin(format!("GET {question}\n")) })?;
        let out = ran.out();
        let (code, value) = out.trim_end_matches('\n').split_once(' ').unwrap_or((out.trim(), ""));
        Ok((code == "0").then(|| value.to_owned()))
    }
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::Args;
    use crate::modules::api::Ran;
    use crate::modules::api::fake::FakeHost;

    const SHOWN: &str = "* p/bool: false\n  p/text: a b: c\n* p/many: x, y\n* p/secret: (password omitted)\n";

    /// A host that shows `after` once something was set.
    fn host(after: &'static str) -> FakeHost {
        FakeHost::new()
            .answer("debconf-show p", 0, SHOWN)
            .answer("debconf-communicate p", 0, "0 old\n")
            .answer_with(
                "debconf-set-selections",
                Ran::default(),
                Some(Box::new(move |host| {
                    *host = std::mem::take(host).answer("debconf-show p", 0, after).answer(
                        "debconf-communicate p",
                        0,
                        "0 geheim\n",
                    );
                })),
            )
    }

    #[test]
    fn answers_are_given_once() {
        for (args, after, line) in [
            ("question: p/bool, vtype: boolean, value: true", "* p/bool: true\n", "p p/bool boolean true\n"),
            ("setting: p/text, vtype: string, answer: z", "* p/text: z\n", "p p/text string z\n"),
            (
                "question: p/many, vtype: multiselect, value: [z, x]",
                "* p/many: x, z\n",
                "p p/many multiselect z, x\n",
            ),
            ("question: p/text, vtype: seen, value: yes", "* p/text: a\n", "p p/text seen true\n"),
            ("question: p/new, vtype: select, value: 5", "* p/new: 5\n", "p p/new select 5\n"),
        ] {
            let mut host = host(after);
            host.converge::<Args>(&format!("{{name: p, {args}}}"));
            assert_eq!(String::from_utf8_lossy(&host.stdin), line, "{args}");
        }
        for args in [
            "question: p/bool, vtype: boolean, value: no",
            "question: p/text, vtype: string, value: 'a b: c'",
            "question: p/many, vtype: multiselect, value: 'y, x'",
            "question: p/bool, vtype: seen, value: true",
        ] {
            assert!(!host("").play::<Args>(&format!("{{name: p, {args}}}")).unwrap().changed, "{args}");
        }
    }

    #[test]
    fn passwords_are_compared_and_shown_nowhere() {
        let args = "{name: p, question: p/secret, vtype: password, value: geheim}";
        let mut host = host(SHOWN);
        let outcome = host.converge::<Args>(args);
        assert_eq!(host.stdin, b"p p/secret password geheim\n");
        assert!(!format!("{outcome:?}").contains("geheim") && !host.ran.concat().contains("geheim"));
        let refused = Ran { rc: 1, stderr: "error: p p/secret password geheim".into(), ..Ran::default() };
        let mut failing = FakeHost::new().answer("debconf-show p", 0, "").answer_with(
            "debconf-set-selections",
            refused,
            None,
        );
        assert!(!format!("{:?}", failing.play::<Args>(args).unwrap_err()).contains("geheim"));
    }

    #[test]
    fn without_a_question_the_answers_are_returned() {
        let outcome = host("").play::<Args>("pkg: p").unwrap();
        assert_eq!(
            (outcome.changed, outcome.fields["current"].get("p/text").unwrap().to_string().as_str()),
            (false, "a b: c")
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for args in [
            "{name: p, question: q}",
            "{name: p, question: q, vtype: boolean}",
            "{name: p, question: q, vtype: boolean, value: maybe}",
            "{name: p, question: q, vtype: string, value: [a]}",
            "{name: p, question: a b, vtype: string, value: a}",
            "{name: p, question: q, vtype: string, value: \"a\\nb\"}",
            "{name: -p}",
        ] {
            assert!(host("").play::<Args>(args).is_err(), "{args}");
        }
    }
}
