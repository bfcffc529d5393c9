//! `alternatives`: which of several programs a common name leads to, with Debian's `update-alternatives` or Red Hat's.

use schemars::JsonSchema;
use serde::Deserialize;

use crate::modules::api::{Diff, Fail, HostPath, Look, Module, Outcome, Touch, Value};
use crate::modules::programs::program;

/// Choose which of several programs a common name leads to (`update-alternatives`).
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Args {
    /// The common name.
    name: String,
    /// The program. Required unless `family` is given.
    #[serde(default)]
    path: Option<HostPath>,
    /// A family of alternatives to choose instead of a path (Red Hat).
    #[serde(default)]
    family: Option<String>,
    /// The link that is to lead to the program. Required if the name is new.
    #[serde(default)]
    link: Option<HostPath>,
    /// Its priority. A new alternative without one gets 50.
    #[serde(default)]
    priority: Option<i64>,
    /// Whether it is an alternative, and the chosen one.
    #[serde(default)]
    state: State,
    /// Other links that go along with it.
    #[serde(default, alias = "slaves")]
    #[schemars(extend("x-aliases" = ["slaves"]))]
    subcommands: Option<Vec<Subcommand>>,
}

/// What an alternative is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
enum State {
    /// There, and chosen.
    #[default]
    Selected,
    /// There; which is chosen stays as it is.
    Present,
    /// There, and the choice is by priority.
    Auto,
    /// Not there.
    Absent,
}

/// A link that goes along.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Subcommand {
    /// Its common name.
    name: String,
    /// Where it leads.
    path: HostPath,
    /// The link.
    link: HostPath,
}

/// A link that goes along: name, link, path.
type Along = (String, String, String);

/// What the host knows under a name.
#[derive(Debug, Default, PartialEq, Eq)]
struct Known {
    manual: bool,
    current: Option<String>,
    link: Option<String>,
    alternatives: Vec<Alternative>,
}

/// One of the programs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Alternative {
    path: String,
    family: Option<String>,
    priority: i64,
    /// Sorted.
    along: Vec<Along>,
}

/// What must change.
#[derive(Debug)]
pub struct Plan {
    /// The commands' arguments, with what is said of each.
    commands: Vec<(Vec<String>, String)>,
    sides: [Value; 2],
}

impl Module for Args {
    const EXAMPLES: &'static str = "
- name: This Java
  alternatives:
    name: java
    path: /usr/lib/jvm/java-17-openjdk-amd64/bin/java

- name: A new name
  alternatives:
    name: app
    link: /usr/bin/app
    path: /opt/app-2/bin/app
    priority: 20
    subcommands:
      - name: appctl
        link: /usr/bin/appctl
        path: /opt/app-2/bin/appctl
";
    const RETURNS: &'static str = "
msg: What was done.
";
    type Plan = Plan;

    fn plan(&self, host: &dyn Look) -> Result<Option<Plan>, Fail> {
        if self.path.is_none() && self.family.is_none() {
            return Err(Fail::new("path or family is required"));
        }
        if self.name.is_empty() || self.name.starts_with('-') || self.name.contains(['/', ' ', '\n']) {
            return Err(Fail::new(format!("{:?} is no common name of programs", self.name)));
        }
        let known = self.known(host)?;
        let path = self.path.as_ref().map(|path| path.on(host).to_string_lossy().into_owned());
        let now = path.as_ref().and_then(|path| known.alternatives.iter().find(|it| it.path == *path));
        let mut commands = Vec::new();
        let mut put = |words: &[&str], said: String| {
            commands.push((words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>(), said));
        };
        if self.state == State::Absent {
            if let Some(path) = path.as_ref().filter(|_| now.is_some()) {
                put(
                    &["--remove", &self.name, path],
                    format!("Remove alternative '{path}' from '{}'.", self.name),
                );
            }
        } else {
            if let Some(path) = path.as_ref().filter(|_| !self.is_installed(host, now)) {
                let words = self.install(host, &known, path, now)?;
                let words: Vec<&str> = words.iter().map(String::as_str).collect();
                put(&words, format!("Install alternative '{path}' for '{}'.", self.name));
            }
            let choice = self.family.as_ref().or(path.as_ref());
            let current = known.alternatives.iter().find(|it| Some(&it.path) == known.current.as_ref());
            let chosen = match &self.family {
                Some(family) => known.manual && current.is_some_and(|it| it.family.as_ref() == Some(family)),
                None => path.is_some() && known.current == path,
            };
            match (self.state, choice) {
                (State::Selected, Some(choice)) if !chosen => {
                    put(
                        &["--set", &self.name, choice],
                        format!("Set alternative '{choice}' for '{}'.", self.name),
                    );
                }
                (State::Auto, _) if known.manual => {
                    put(&["--auto", &self.name], format!("Set alternative to auto for '{}'.", self.name));
                }
                _ => {}
            }
        }
        let sides = [before(&known, now), self.after(host, &known, path.as_deref(), now)];
        Ok((!commands.is_empty()).then_some(Plan { commands, sides }))
    }

    fn unchanged(&self, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(Outcome::unchanged().with("msg", ""))
    }

    fn predicted(&self, plan: &Plan, _host: &dyn Look) -> Result<Outcome, Fail> {
        Ok(plan.said())
    }

    fn diff(&self, plan: &Plan) -> Vec<Diff> {
        let [before, after] = plan.sides.clone();
        vec![Diff { before, after, ..Diff::default() }]
    }

    fn apply(&self, plan: Plan, host: &mut dyn Touch) -> Result<Outcome, Fail> {
        if let (Some(path), State::Selected | State::Present | State::Auto) = (&self.path, self.state)
            && host.stat(&path.on(host.as_look()), true)?.is_none()
        {
            return Err(Fail::new(format!("there is no {path} that {} could lead to", self.name)));
        }
        for (words, said) in &plan.commands {
            let cmd = program(host.as_look(), tool(host.as_look()), "dpkg (or alternatives)")?.args(words);
            host.run(&cmd)?.success(said.trim_end_matches('.'))?;
        }
        Ok(plan.said())
    }
}

impl Plan {
    fn said(&self) -> Outcome {
        let said: Vec<&str> = self.commands.iter().map(|(_, said)| said.as_str()).collect();
        Outcome::changed().with("msg", said.join(" "))
    }
}

/// The program's name: Debian and Red Hat have the first, others only the second.
fn tool(host: &dyn Look) -> &'static str {
    if host.which("update-alternatives").is_none() && host.which("alternatives").is_some() {
        "alternatives"
    } else {
        "update-alternatives"
    }
}

/// What `--display` prints, in either dialect.
fn parse(text: &str) -> Known {
    let mut known = Known::default();
    let mut links: Vec<(&str, &str)> = Vec::new();
    for line in text.lines() {
        let words = line.trim();
        if let Some(target) = words.strip_prefix("link currently points to ") {
            known.current = Some(target.trim().to_owned());
        } else if let Some(rest) = words.strip_prefix("slave ").or_else(|| words.strip_prefix("follower ")) {
            match (rest.split_once(" is "), rest.split_once(": "), known.alternatives.last_mut()) {
                (_, Some((name, path)), Some(alternative)) => {
                    let link = links.iter().find(|(it, _)| *it == name).map(|(_, link)| (*link).to_owned());
                    if path.trim() != "(null)" {
                        alternative.along.push((
                            name.to_owned(),
                            link.unwrap_or_default(),
                            path.trim().to_owned(),
                        ));
                    }
                }
                (Some((name, link)), _, None) => links.push((name, link.trim())),
                _ => {}
            }
        } else if let Some((_, link)) = words.strip_prefix("link ").and_then(|rest| rest.split_once(" is ")) {
            // `link best version is` names a program, `link NAME is` the link.
            if !words.starts_with("link best version is ") {
                known.link = Some(link.trim().to_owned());
            }
        } else if let Some((path, rest)) = words.rsplit_once(" - ") {
            let after = |word: &str| rest.split_once(word)?.1.split_whitespace().next();
            match after("priority ").and_then(|number| number.parse().ok()) {
                Some(priority) if path.starts_with('/') => {
                    let (path, family) = (path.to_owned(), after("family ").map(str::to_owned));
                    known.alternatives.push(Alternative { path, family, priority, along: Vec::new() });
                }
                _ => known.manual = rest.contains("manual"),
            }
        }
    }
    known.alternatives.iter_mut().for_each(|it| it.along.sort());
    known
}

impl Args {
    fn known(&self, host: &dyn Look) -> Result<Known, Fail> {
        let tool = tool(host);
        // It may not be there yet: a task before this one may install it.
        if host.which(tool).is_none() {
            return Ok(Known::default());
        }
        let ran = host.query(&program(host, tool, "dpkg")?.arg("--display").arg(&self.name))?;
        Ok(if ran.ok() { parse(&ran.out()) } else { Known::default() })
    }

    /// The links that are to go along, sorted; none if nothing is said of them.
    fn along(&self, host: &dyn Look) -> Option<Vec<Along>> {
        let text = |path: &HostPath| path.on(host).to_string_lossy().into_owned();
        let mut along: Vec<Along> = self
            .subcommands
            .as_ref()?
            .iter()
            .map(|it| (it.name.clone(), text(&it.link), text(&it.path)))
            .collect();
        along.sort();
        Some(along)
    }

    fn is_installed(&self, host: &dyn Look, now: Option<&Alternative>) -> bool {
        let Some(now) = now else { return false };
        self.priority.is_none_or(|priority| priority == now.priority)
            && self.along(host).is_none_or(|wanted| {
                // Red Hat's tool does not print the links.
                let same =
                    |(a, b): (&Along, &Along)| a.0 == b.0 && a.2 == b.2 && (b.1.is_empty() || a.1 == b.1);
                wanted.len() == now.along.len() && wanted.iter().zip(&now.along).all(same)
            })
    }

    fn install(
        &self,
        host: &dyn Look,
        known: &Known,
        path: &str,
        now: Option<&Alternative>,
    ) -> Result<Vec<String>, Fail> {
        let link = self.link.as_ref().map(|link| link.on(host).to_string_lossy().into_owned());
        let link = link.or_else(|| known.link.clone()).ok_or_else(|| {
            Fail::new(format!(
                "{} is no known name: which link is to lead to {path}? It is missing",
                self.name
            ))
        })?;
        let priority = self.priority.or(now.map(|it| it.priority)).unwrap_or(50);
        let mut words =
            vec!["--install".into(), link, self.name.clone(), path.to_owned(), priority.to_string()];
        if let Some(family) = &self.family {
            words.extend(["--family".into(), family.clone()]);
        }
        // Without them, installing anew would drop those that are there.
        let along = self.along(host).or_else(|| now.map(|it| it.along.clone()));
        for (name, link, path) in along.unwrap_or_default() {
            words.extend(["--slave".into(), link, name, path]);
        }
        Ok(words)
    }

    fn after(&self, host: &dyn Look, known: &Known, path: Option<&str>, now: Option<&Alternative>) -> Value {
        let link = self.link.as_ref().map(|link| link.on(host).to_string_lossy().into_owned());
        let link = link.or_else(|| known.link.clone());
        let priority = self.priority.or(now.map(|it| it.priority)).unwrap_or(50);
        match self.state {
            State::Absent => side("absent", None, None, None),
            State::Selected => side("selected", path, Some(priority), link.as_deref()),
            State::Present | State::Auto => side("present", path, Some(priority), link.as_deref()),
        }
    }
}

fn before(known: &Known, now: Option<&Alternative>) -> Value {
    let Some(now) = now else { return side("absent", None, None, None) };
    let chosen = known.manual && known.current.as_ref() == Some(&now.path);
    let state = if chosen { "selected" } else { "present" };
    side(state, Some(&now.path), Some(now.priority), known.link.as_deref())
}

fn side(state: &str, path: Option<&str>, priority: Option<i64>, link: Option<&str>) -> Value {
    let mut fields = vec![("state", Value::from(state))];
    fields.extend(path.map(|path| ("path", path.into())));
    fields.extend(priority.map(|priority| ("priority", priority.into())));
    fields.extend(link.map(|link| ("link", link.into())));
    Value::from_pairs(fields)
}

#[cfg(all(test, feature = "controller"))]
mod tests {
    use super::*;
    use crate::modules::api::Ran;
    use crate::modules::api::fake::FakeHost;

    const DEBIAN: &str = "\
editor - auto mode
  link best version is /usr/bin/vim
  link currently points to /usr/bin/vim
  link editor is /usr/bin/editor
  slave editor.1.gz is /usr/share/man/man1/editor.1.gz
/bin/nano - priority 40
  slave editor.1.gz: /usr/share/man/man1/nano.1.gz
/usr/bin/vim - priority 50
";
    const REDHAT: &str = "\
java - status is manual.
 link currently points to /usr/lib/jvm/17/bin/java
/usr/lib/jvm/17/bin/java - family java-17.x86_64 priority 170001
 slave jre: /usr/lib/jvm/17
 slave man: (null)
Current `best' version is /usr/lib/jvm/17/bin/java.
";

    /// A host that prints `before` until something is run, then `after`.
    fn host(before: &str, after: String) -> FakeHost {
        FakeHost::new()
            .file("/bin/nano", "")
            .file("/usr/bin/ed", "")
            .answer("update-alternatives --display editor", 0, before)
            .answer_with(
                "update-alternatives",
                Ran::default(),
                Some(Box::new(move |host| {
                    *host = std::mem::take(host).answer("update-alternatives --display editor", 0, &after);
                })),
            )
    }

    #[test]
    fn both_dialects_are_read() {
        let known = parse(DEBIAN);
        assert_eq!((known.manual, known.current.as_deref()), (false, Some("/usr/bin/vim")));
        assert_eq!(known.link.as_deref(), Some("/usr/bin/editor"));
        let along = vec![(
            "editor.1.gz".into(),
            "/usr/share/man/man1/editor.1.gz".into(),
            "/usr/share/man/man1/nano.1.gz".into(),
        )];
        assert_eq!(
            known.alternatives[0],
            Alternative { path: "/bin/nano".into(), family: None, priority: 40, along }
        );
        let known = parse(REDHAT);
        assert!(known.manual && known.link.is_none());
        assert_eq!(known.alternatives[0].priority, 170_001);
        assert_eq!(known.alternatives[0].family.as_deref(), Some("java-17.x86_64"));
        assert_eq!(known.alternatives[0].along, [("jre".into(), String::new(), "/usr/lib/jvm/17".into())]);
    }

    #[test]
    fn alternatives_are_chosen_added_and_removed() {
        let nano = DEBIAN.replace("auto", "manual").replace("points to /usr/bin/vim", "points to /bin/nano");
        let ed = format!("{DEBIAN}/usr/bin/ed - priority 50\n");
        for (args, after, ran) in [
            ("path: /bin/nano", nano, "--set editor /bin/nano"),
            (
                "path: /usr/bin/ed, state: present",
                ed.clone(),
                "--install /usr/bin/editor editor /usr/bin/ed 50",
            ),
            (
                "path: /bin/nano, priority: 60, state: present",
                DEBIAN.replace("priority 40", "priority 60"),
                "--install /usr/bin/editor editor /bin/nano 60 --slave /usr/share/man/man1/editor.1.gz editor.1.gz \
                 /usr/share/man/man1/nano.1.gz",
            ),
            (
                "path: /bin/nano, state: present, slaves: []",
                DEBIAN.replace("  slave editor.1.gz: /usr/share/man/man1/nano.1.gz\n", ""),
                "--install /usr/bin/editor editor /bin/nano 40",
            ),
            ("path: /bin/nano, state: absent", "editor - auto mode\n".into(), "--remove editor /bin/nano"),
        ] {
            let mut host = host(DEBIAN, after);
            host.converge::<Args>(&format!("{{name: editor, {args}}}"));
            assert_eq!(host.ran, [format!("update-alternatives {ran}")], "{args}");
        }
        let mut manual = host(&DEBIAN.replace("auto", "manual"), DEBIAN.into());
        let outcome = manual.converge::<Args>("{name: editor, path: /bin/nano, state: auto}");
        assert_eq!(outcome.fields["msg"].as_str(), Some("Set alternative to auto for 'editor'."));
        let mut same = host(DEBIAN, String::new());
        assert!(!same.play::<Args>("{name: editor, path: /usr/bin/vim}").unwrap().changed);
    }

    #[test]
    fn a_family_is_chosen_once() {
        let other = REDHAT.replace("17", "21");
        let mut host = FakeHost::new().answer("alternatives --display java", 0, &other).answer_with(
            "alternatives --set java java-17.x86_64",
            Ran::default(),
            Some(Box::new(|host| {
                *host = std::mem::take(host).answer("alternatives --display java", 0, REDHAT);
            })),
        );
        host.converge::<Args>("{name: java, family: java-17.x86_64}");
    }

    #[test]
    fn a_new_name_needs_a_link_and_a_program() {
        let mut none = FakeHost::new().answer("update-alternatives --display", 2, "").answer(
            "update-alternatives",
            0,
            "",
        );
        assert!(none.play::<Args>("{name: x, path: /opt/x}").unwrap_err().msg.contains("which link"));
        let args = "{name: x, path: /opt/x, link: /usr/bin/x}";
        assert!(none.check::<Args>(args).unwrap().changed);
        assert!(none.play::<Args>(args).unwrap_err().msg.contains("there is no /opt/x"));
        let mut there = none.file("/opt/x", "");
        there.play::<Args>(args).unwrap();
        assert_eq!(
            there.ran,
            ["update-alternatives --install /usr/bin/x x /opt/x 50", "update-alternatives --set x /opt/x"]
        );
        for args in ["name: x", "{name: -x, path: /a}", "{name: '', path: /a}"] {
            assert!(there.play::<Args>(args).is_err(), "{args}");
        }
    }
}
