//! What Ansible's argument specifications mean: required options, types, choices, and rules between options.

use super::{convert, within};
use crate::value::{Map, Str, Value};

/// Instead of the value of an option that is a secret.
const HIDDEN: &str = "VALUE_SPECIFIED_IN_NO_LOG_PARAMETER";

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    /// The option that it is about, nested ones after those that hold them. Empty: no single one.
    pub(super) path: Vec<Str>,
    pub(super) text: String,
}

#[derive(Default)]
struct Check {
    problems: Vec<Problem>,
    unknown: Vec<(Vec<Str>, String)>,
}

/// Everything that is wrong with what is given.
pub(super) fn check(spec: &Map, given: &Map) -> Vec<Problem> {
    let mut check = Check::default();
    check.level(&Value::map(spec.clone()), spec, given, &[]);
    let Check { mut problems, unknown } = check;
    problems.extend(unknown.into_iter().map(|(path, text)| Problem { path, text }));
    problems
}

/// Other names of an option.
pub(super) fn aliases(option: &Value) -> Vec<Str> {
    words(field(option, "aliases"))
}

fn field<'a>(option: &'a Value, name: &str) -> Option<&'a Value> {
    match option {
        Value::Map(map) => map.get(name).filter(|value| !matches!(**value, Value::Null)),
        _ => None,
    }
}

fn flag(option: &Value, name: &str) -> bool {
    field(option, name).is_some_and(|value| convert::truth(value).unwrap_or(false))
}

/// A list of texts, or one text.
fn words(value: Option<&Value>) -> Vec<Str> {
    match value {
        None => Vec::new(),
        Some(Value::List(items)) => items.iter().map(|item| Str::from(item.to_string())).collect(),
        Some(other) => vec![Str::from(other.to_string())],
    }
}

/// Lists of lists; one flat list counts as the only one.
fn groups(value: Option<&Value>) -> Vec<Vec<Str>> {
    match value {
        Some(Value::List(items))
            if items.iter().all(|item| !matches!(item, Value::List(_))) && !items.is_empty() =>
        {
            vec![words(value)]
        }
        Some(Value::List(items)) => items.iter().map(|item| words(Some(item))).collect(),
        _ => Vec::new(),
    }
}

impl Check {
    fn say(&mut self, context: &[Str], option: Option<&str>, text: String) {
        let mut path = context.to_vec();
        path.extend(option.map(Str::from));
        self.problems.push(Problem { path, text: text + &within(context) });
    }

    /// The options of one level. `rules`: what holds `mutually_exclusive` and its like.
    fn level(&mut self, rules: &Value, spec: &Map, given: &Map, context: &[Str]) {
        let named = self.named(spec, given, context);
        for group in groups(field(rules, "mutually_exclusive").filter(|_| !context.is_empty())) {
            if group.iter().filter(|name| has(&named, name)).count() > 1 {
                self.say(context, None, format!("parameters are mutually exclusive: {}", group.join("|")));
            }
        }
        let missing: Vec<&str> = spec
            .iter()
            .filter(|(name, option)| flag(option, "required") && !named.contains_key(*name))
            .map(|(name, _)| &**name)
            .collect();
        if !missing.is_empty() {
            let only = missing.first().copied().filter(|_| missing.len() == 1);
            self.say(context, only, format!("missing required arguments: {}", missing.join(", ")));
        }
        for (name, option) in spec {
            if let Some(value) = named.get(name) {
                self.typed(name, option, value, context);
            }
        }
        for (name, option) in spec {
            if let Some(value) = named.get(name).filter(|value| !matches!(**value, Value::Null)) {
                self.chosen(name, option, value, context);
            }
        }
        if !context.is_empty() {
            self.rules(rules, &named, context);
        }
        for (name, option) in spec {
            if let (Some(Value::Map(inner)), Some(value)) = (field(option, "options"), named.get(name)) {
                self.nested(name, option, inner, value, context);
            }
        }
    }

    /// What is given by the options' own names, aliases resolved. Names that no option has are noted.
    fn named(&mut self, spec: &Map, given: &Map, context: &[Str]) -> Map {
        let mut named = Map::new();
        for (name, value) in given {
            let alias = || spec.iter().find(|(_, option)| aliases(option).contains(name)).map(|(own, _)| own);
            if let Some(own) = spec.get_key_value(name).map(|(own, _)| own).or_else(alias) {
                named.insert(own.clone(), value.clone());
                continue;
            }
            let mut path = context.to_vec();
            path.push(name.clone());
            let mut known: Vec<&str> = spec.keys().map(|name| &**name).collect();
            known.sort_unstable();
            let text = format!("{}. Supported parameters include: {}.", path.join("."), known.join(", "));
            self.unknown.push((path, text));
        }
        named
    }

    fn typed(&mut self, name: &Str, option: &Value, value: &Value, context: &[Str]) {
        let required = flag(option, "required");
        if matches!(value, Value::Null) && !required {
            return;
        }
        let wanted = field(option, "type").map_or_else(|| "str".to_owned(), ToString::to_string);
        let shown = if flag(option, "no_log") { HIDDEN.to_owned() } else { value.to_string() };
        let Some(converted) = convert::to(&wanted, value) else {
            let kind = convert::kind(value);
            let text = format!(
                "argument '{name}' is of type {kind} and we were unable to convert to {wanted}: '{shown}' cannot be \
                 converted to {}",
                article(&wanted)
            );
            return self.say(context, Some(name), text);
        };
        let Some(element) = field(option, "elements").map(ToString::to_string) else { return };
        for item in converted.as_list().unwrap_or_default() {
            if convert::to(&element, item).is_none() {
                let (kind, shown) =
                    (convert::kind(item), if shown == HIDDEN { shown.clone() } else { item.to_string() });
                let text = format!(
                    "Elements value for option '{name}' is of type {kind} and we were unable to convert to \
                     {element}: '{shown}' cannot be converted to {}",
                    article(&element)
                );
                self.say(context, Some(name), text);
            }
        }
    }

    fn chosen(&mut self, name: &Str, option: &Value, value: &Value, context: &[Str]) {
        let Some(Value::List(choices)) = field(option, "choices") else { return };
        let fits = |value: &Value| choices.iter().any(|choice| convert::same(choice, value));
        let listed: Vec<String> = choices.iter().map(ToString::to_string).collect();
        let (listed, hidden) = (listed.join(", "), flag(option, "no_log"));
        let shown = |text: String| if hidden { HIDDEN.to_owned() } else { text };
        match convert::to(&field(option, "type").map_or_else(|| "str".into(), ToString::to_string), value) {
            Some(Value::List(items)) => {
                let wrong: Vec<String> =
                    items.iter().filter(|item| !fits(item)).map(ToString::to_string).collect();
                if !wrong.is_empty() {
                    let wrong = shown(wrong.join(", "));
                    let text = format!(
                        "value of {name} must be one or more of: {listed}. Got no match for: {wrong}"
                    );
                    self.say(context, Some(name), text);
                }
            }
            Some(converted) if !fits(&converted) && !fits(value) => {
                let text =
                    format!("value of {name} must be one of: {listed}, got: {}", shown(value.to_string()));
                self.say(context, Some(name), text);
            }
            _ => {}
        }
    }

    /// `required_together`, `required_one_of`, `required_if`, `required_by`.
    fn rules(&mut self, rules: &Value, named: &Map, context: &[Str]) {
        for group in groups(field(rules, "required_together")) {
            let count = group.iter().filter(|name| has(named, name)).count();
            if count > 0 && count < group.len() {
                self.say(context, None, format!("parameters are required together: {}", group.join(", ")));
            }
        }
        for group in groups(field(rules, "required_one_of")) {
            if !group.iter().any(|name| has(named, name)) {
                self.say(context, None, format!("one of the following is required: {}", group.join(", ")));
            }
        }
        for rule in field(rules, "required_if").and_then(Value::as_list).unwrap_or_default() {
            let [key, wanted, needs, rest @ ..] = rule.as_list().unwrap_or_default() else { continue };
            let key = key.to_string();
            if !named.get(key.as_str()).is_some_and(|value| convert::same(wanted, value)) {
                continue;
            }
            let any = rest.first().is_some_and(Value::truthy);
            let needs = words(Some(needs));
            let missing: Vec<Str> = needs.iter().filter(|name| !has(named, name)).cloned().collect();
            let enough = missing.is_empty() || any && missing.len() < needs.len();
            if !enough {
                let which = if any { "any" } else { "all" };
                let text = format!(
                    "{key} is {wanted} but {which} of the following are missing: {}",
                    missing.join(", ")
                );
                self.say(context, None, text);
            }
        }
        if let Some(Value::Map(rules)) = field(rules, "required_by") {
            for (key, needs) in rules.iter().filter(|(key, _)| has(named, key)) {
                let missing: Vec<Str> =
                    words(Some(needs)).into_iter().filter(|name| !has(named, name)).collect();
                if !missing.is_empty() {
                    let text = format!("missing parameter(s) required by '{key}': {}", missing.join(", "));
                    self.say(context, None, text);
                }
            }
        }
    }

    fn nested(&mut self, name: &Str, option: &Value, inner: &Map, value: &Value, context: &[Str]) {
        let mut deeper = context.to_vec();
        deeper.push(name.clone());
        let elements = field(option, "type").is_some_and(|kind| kind.to_string() == "list");
        let items = match value {
            Value::List(items) if elements => items.to_vec(),
            Value::Null => return,
            other => vec![other.clone()],
        };
        for item in items {
            if let Some(Value::Map(map)) = convert::to("dict", &item) {
                self.level(option, inner, &map, &deeper);
            }
        }
    }
}

/// Whether an option is given and not nothing.
fn has(named: &Map, name: &str) -> bool {
    named.get(name).is_some_and(|value| !matches!(value, Value::Null))
}

fn article(kind: &str) -> String {
    let vowel = kind.starts_with(['a', 'e', 'i', 'o', 'u']);
    format!("{} {kind}", if vowel { "an" } else { "a" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::Sources;
    use crate::yaml;

    const SPEC: &str = "
req: {type: str, required: true}
num: {type: int}
st: {choices: [a, b]}
li: {type: list, elements: int}
lc: {type: list, elements: str, choices: [x, y]}
bo: {type: bool}
di:
  type: dict
  mutually_exclusive: [[a, b]]
  required_one_of: [[a, b]]
  required_if: [[n, 5, [a]]]
  required_by: {s: [a]}
  required_together: [[n, s]]
  options:
    k: {required: true}
    n: {type: int}
    s: {type: dict, options: {deep: {required: true}}}
    a: {}
    b: {}
ld: {type: list, elements: dict, options: {name: {required: true}}}
al: {aliases: [al2], type: int}
pw: {no_log: true, choices: [good]}
by: {type: bytes}
";

    fn map(text: &str) -> Map {
        let node = yaml::parse_text("x", text, &Sources::default()).documents.remove(0);
        match node.to_value() {
            Value::Map(map) => (*map).clone(),
            other => panic!("{other}"),
        }
    }

    #[test]
    fn what_is_given_is_compared_with_what_is_specified() {
        let cases: &[(&str, &[&str])] = &[
            ("{req: x}", &[]),
            ("{req: 5, num: '7', bo: 'yes', li: '1,2', al2: 3, by: 1K, st: a, lc: [x]}", &[]),
            ("{num: 1}", &["missing required arguments: req"]),
            ("{req: null}", &["argument 'req' is of type NoneType"]),
            ("{req: x, num: null}", &[]),
            (
                "{req: x, num: q}",
                &["argument 'num' is of type str and we were unable to convert to int: 'q'"],
            ),
            ("{req: x, num: 1.5}", &["argument 'num' is of type float"]),
            ("{req: x, st: c}", &["value of st must be one of: a, b, got: c"]),
            ("{req: x, li: [1, a]}", &["Elements value for option 'li' is of type str"]),
            ("{req: x, lc: [x, z]}", &["value of lc must be one or more of: x, y. Got no match for: z"]),
            ("{req: x, al2: q}", &["argument 'al' is of type str"]),
            ("{req: x, by: 1Z0}", &["argument 'by' is of type str"]),
            ("{req: x, pw: hunter2}", &["value of pw must be one of: good, got: VALUE_SPECIFIED"]),
            ("{req: x, zz: 1}", &["zz. Supported parameters include: al, bo"]),
            (
                "{req: x, ld: [{name: 1}, {q: 1}]}",
                &["missing required arguments: name found in ld", "ld.q. Supported"],
            ),
            (
                "{req: x, di: {n: 5, s: {}}}",
                &[
                    "missing required arguments: k found in di",
                    "one of the following is required: a, b found in di",
                    "n is 5 but all of the following are missing: a found in di",
                    "missing parameter(s) required by 's': a found in di",
                    "missing required arguments: deep found in di -> s",
                ],
            ),
            ("{req: x, di: {k: 1, a: 1, b: 2}}", &["parameters are mutually exclusive: a|b found in di"]),
            ("{req: x, di: {k: 1, a: 1, n: 2}}", &["parameters are required together: n, s found in di"]),
        ];
        for (given, expected) in cases {
            let found = check(&map(SPEC), &map(given));
            assert_eq!(found.len(), expected.len(), "{given}: {found:#?}");
            for (problem, text) in found.iter().zip(*expected) {
                assert!(problem.text.starts_with(text), "{given}: {}", problem.text);
                assert!(!problem.text.contains("hunter2"));
            }
        }
        assert_eq!(check(&map(SPEC), &map("{req: x, num: q}"))[0].path, ["num".into()]);
    }
}
