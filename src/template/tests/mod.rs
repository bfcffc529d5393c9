//! Tables of templates and what they give. Checked against ansible-core 2.18 unless a comment says otherwise.

mod files;
mod undefined;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use super::*;
use crate::diag::{Sources, Span};
use crate::value::{Str, Value};
use crate::yaml::{Kind, Node, NodeMap, Tag};

/// Variables for a test.
#[derive(Debug, Default)]
pub(super) struct Vars {
    pub(super) map: IndexMap<String, Binding>,
    pub(super) search: Vec<PathBuf>,
}

impl Scope for Vars {
    fn lookup(&self, name: &str) -> Option<Binding> {
        self.map.get(name).cloned()
    }
    fn names(&self) -> Vec<Str> {
        let mut names: Vec<Str> = self.map.keys().map(|it| Str::from(it.as_str())).collect();
        names.sort();
        names
    }
    fn search_path(&self) -> &[PathBuf] {
        &self.search
    }
    fn playbook_dir(&self) -> &Path {
        Path::new("/playbooks")
    }
}

/// An engine and variables, with helpers that make nodes from JSON.
pub(super) struct Bench {
    pub(super) sources: Arc<Sources>,
    pub(super) engine: Arc<Engine>,
    pub(super) vars: Vars,
}

impl Bench {
    pub(super) fn new() -> Bench {
        let sources = Arc::new(Sources::default());
        let engine = Engine::new(sources.clone(), Settings::default());
        Bench { sources, engine, vars: Vars::default() }
    }

    pub(super) fn node(&self, json: serde_json::Value) -> Node {
        node(&self.sources, json)
    }

    /// A variable from a file: texts in it are templates.
    pub(super) fn source(mut self, name: &str, json: serde_json::Value) -> Bench {
        let node = self.node(json);
        self.vars.map.insert(name.into(), Binding::Source(node));
        self
    }

    /// Finished data.
    pub(super) fn data(mut self, name: &str, json: serde_json::Value) -> Bench {
        self.vars.map.insert(name.into(), Binding::Data(Value::from(json)));
        self
    }

    pub(super) fn scope(&self) -> Arc<dyn Scope> {
        Arc::new(Vars { map: self.vars.map.clone(), search: self.vars.search.clone() })
    }

    pub(super) fn render(&self, text: &str) -> Result<Value, TemplateError> {
        self.engine.render(&self.node(text.into()), &self.scope())
    }

    pub(super) fn holds(&self, text: &str) -> Result<bool, TemplateError> {
        self.engine.condition(&self.node(text.into()), &self.scope())
    }

    pub(super) fn gives(&self, rows: &[(&str, serde_json::Value)]) {
        for (text, wanted) in rows {
            match self.render(text) {
                Ok(value) => assert_eq!(serde_json::Value::from(&value), *wanted, "{text}"),
                Err(error) => panic!("{text}: {error} {:?}", error.diagnostic),
            }
        }
    }

    /// Message, and what the first label covers.
    pub(super) fn fails(&self, rows: &[(&str, &str, &str)]) {
        for (text, message, place) in rows {
            let error = self.render(text).expect_err(text);
            assert_eq!(error.diagnostic.message, *message, "{text}");
            let span = error.diagnostic.span().expect("a place");
            assert_eq!(self.sources.slice(span), *place, "{text}");
        }
    }
}

pub(super) fn node(sources: &Sources, json: serde_json::Value) -> Node {
    let text = match &json {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    let file = sources.add("test.yml", text.as_str());
    let span = Span { file, start: 0, end: u32::try_from(text.len()).unwrap() };
    let kind = match json {
        serde_json::Value::Null => Kind::Null,
        serde_json::Value::Bool(it) => Kind::Bool(it),
        serde_json::Value::Number(it) => {
            it.as_i64().map_or_else(|| Kind::Float(it.as_f64().unwrap()), Kind::Int)
        }
        serde_json::Value::String(it) => Kind::Str(it.into()),
        serde_json::Value::Array(items) => {
            Kind::Seq(Arc::new(items.into_iter().map(|item| node(sources, item)).collect()))
        }
        serde_json::Value::Object(map) => {
            let map = map.into_iter().map(|(k, v)| (Str::from(k), (span, node(sources, v))));
            Kind::Map(Arc::new(map.collect::<NodeMap>()))
        }
    };
    Node::new(kind, span)
}

fn bench() -> Bench {
    use serde_json::json;
    Bench::new()
        .source("five", json!("{{ 5 }}"))
        .source("name", json!("world"))
        .source("greeting", json!("hello {{ name }}"))
        .source("needs_missing", json!("{{ nope }}"))
        .source("deep_missing", json!({"ok": 1, "bad": "{{ nope }}"}))
        .source("d", json!({"a": 1, "b": {"c": "{{ five }}"}, "items": 3}))
        .source("l", json!(["x", "{{ five }}", {"k": "v"}]))
        .source("a", json!("{{ b }}"))
        .source("b", json!("{{ c }}"))
        .source("c", json!("{{ a }}"))
        .source("hidden", json!("{{ omit }}"))
        .data("fact", json!({"os": "{{ lookup('pipe', 'id') }}", "n": 3, "list": [1, 2], "none": null}))
        .data("text", json!("some text"))
}

#[test]
fn templates_give_values_of_their_own_type() {
    use serde_json::json;
    bench().gives(&[
        ("plain", json!("plain")),
        ("{{ five }}", json!(5)),
        (" {{ five }}", json!(" 5")),
        ("{{ five }}0", json!("50")),
        ("{{ greeting }}", json!("hello world")),
        ("{{ d }}", json!({"a": 1, "b": {"c": 5}, "items": 3})),
        ("{{ d.b.c + 1 }}", json!(6)),
        ("{{ l[1] }} {{ l[-1].k }} {{ l | length }}", json!("5 v 3")),
        ("{{ d }}", json!({"a": 1, "b": {"c": 5}, "items": 3})),
        ("x{{ d.b }}", json!("x{'c': 5}")),
        ("a{{ none }}b", json!("ab")),
        ("{{ 'q' ~ none ~ 1.0 }}", json!("qNone1.0")),
        ("{{ 7 / 2 }} {{ 4 / 2 }} {{ 7 // 2 }} {{ 2 ** 3 }}", json!("3.5 2.0 3 8")),
        ("{{ 'x' if false }}", json!("")),
        ("{{ 'x' if true }}", json!("x")),
        ("{{ [1, 2] }}\n", json!([1, 2])),
        ("{{ 'x' }}\n", json!("x\n")),
        ("{% if true %}\nabc{% endif %}\n", json!("abc\n")),
        ("[{% for i in [1,2] %}'{{ i }}',{% endfor %}]", json!(["1", "2"])),
        ("{\"a\": {{ 1 }}, \"b\": true}", json!("{\"a\": 1, \"b\": true}")),
        ("{% if true %}True{% endif %}", json!(true)),
        ("{{ True }} {{ none }} {{ [1, 1.5, none, 'it'] }}", json!("True  [1, 1.5, None, 'it']")),
        ("{{ 1e20 }}|", json!("1e+20|")),
        ("{{ 'a\\nb' }}{{ 'a\\d' | regex_replace('\\w', '<\\g<0>>') }}{% if 'a\\nb' | length == 3 %}3{% endif %}", json!("a\\nb<a>\\<d>3")),
        ("{{ 'it\\'s' }}{{ 'x\\\\' }}", json!("it'sx\\\\")),
        ("{{ dict([('a', 1)], b=2) }}", json!({"a": 1, "b": 2})),
        ("{{ dict(['x'] | zip([1])) }}", json!({"x": 1})),
        ("{{ dict(a=1, b=2) }}", json!({"a": 1, "b": 2})),
        ("{{ range(3) | list }}", json!([0, 1, 2])),
        ("{{ (1, 2) }}", json!([1, 2])),
        ("{{ 'ab' * 2 }}{{ 'a' in 'abc' }}{{ 'a' in d }}", json!("ababTrueTrue")),
        ("{{ 'abcdef'[1:3] }}{{ [1,2,3][::-1] }}", json!("bc[3, 2, 1]")),
        (
            "{% set x = namespace(n=0) %}{% for i in [1,2] %}{% set x.n = x.n + i %}{% endfor %}{{ x.n }}",
            json!("3"),
        ),
        ("{% for k, v in d.items() %}{{ k }} {% endfor %}", json!("a b items ")),
        ("{{ d.keys() | list }}", json!(["a", "b", "items"])),
        ("{{ d['items'] }}", json!(3)),
        ("{{ vars['name'] }} {{ vars.name }}", json!("world world")),
        ("{%- if true %} a {%- endif %}", json!(" a")),
        ("{# only a comment #}", json!("")),
        ("{% raw %}{{ x }}{% endraw %}", json!("{{ x }}")),
        ("{{ '{{ x }}' }}", json!("{{ x }}")),
    ]);
}

#[test]
fn what_is_finished_is_never_a_template() {
    use serde_json::json;
    bench().gives(&[
        ("{{ fact.os }}", json!("{{ lookup('pipe', 'id') }}")),
        ("x {{ fact.os }}", json!("x {{ lookup('pipe', 'id') }}")),
        ("{{ fact }}", json!({"os": "{{ lookup('pipe', 'id') }}", "n": 3, "list": [1, 2], "none": null})),
        ("{{ '{' ~ '{ five }' ~ '}' }}", json!("{{ five }}")),
    ]);
}

#[test]
fn omit_goes_from_containers_and_stays_alone() {
    let bench = bench();
    let scope = bench.scope();
    let node = bench.node(
        serde_json::json!({"a": "{{ omit }}", "b": ["{{ nope | default(omit) }}", 1], "c": "{{ hidden }}"}),
    );
    let value = bench.engine.render(&node, &scope).unwrap();
    assert_eq!(value.to_string(), "{'b': [1]}");
    assert_eq!(bench.render("{{ omit }}").unwrap(), Value::Omit);
    assert_eq!(bench.render("{{ hidden }}").unwrap(), Value::Omit);
    assert_eq!(bench.render("{{ nope.x | default(omit) }}").unwrap(), Value::Omit);
}

#[test]
fn keys_are_rendered_and_unsafe_nodes_are_not() {
    let bench = bench();
    let mut node = bench.node(serde_json::json!({"{{ name }}_1": "{{ five }}"}));
    assert_eq!(bench.engine.render(&node, &bench.scope()).unwrap().to_string(), "{'world_1': 5}");
    node.tag = Some(Tag::Unsafe);
    let value = bench.engine.render(&node, &bench.scope()).unwrap();
    assert_eq!(value.to_string(), "{'{{ name }}_1': '{{ five }}'}");
}

#[test]
fn percent_formats_text_and_divides_numbers() {
    use serde_json::json;
    bench().gives(&[
        ("{{ '%s-%05d' % ('a', 3) }}", json!("a-00003")),
        ("{{ 7 % 3 }} {{ d.b.c % 3 }} {{ (d.a + 6) % (five - 1) }} {{ -7 % 3 }}", json!("1 2 3 2")),
        ("{{ '%s' % d.b.c }}{{ ('%s' % five) | length }}", json!("51")),
        ("{{ '%(a)s' % d }}", json!("1")),
    ]);
}

#[test]
fn only_what_has_an_order_is_compared() {
    use serde_json::json;
    bench().gives(&[
        ("{{ five < 6 }} {{ (five) >= (2 + 3) }} {{ 'a' < 'b' }} {{ [1, 2] < [1, 3] }} {{ true > 0 }} {{ 1 < 1.5 }}", json!("True True True True True True")),
        ("{{ not five > 6 and d.a <= 1 }} {{ 1 < five < 6 }} {{ (d.b).c > (d.a) }} {{ l | length > 2 }}", json!("True True True True")),
    ]);
    bench().fails(&[
        (
            "{{ name > 1 }}",
            "`>` can't compare text with an int; convert one of them, as in `x | int`",
            "name > 1",
        ),
        (
            "{{ 1 <= none }}",
            "`<=` can't compare an int with None; convert one of them, as in `x | int`",
            "1 <= none",
        ),
        ("{{ d.a < d.x }}", "`d.x` is undefined", "d.x"),
    ]);
}

#[test]
fn templates_may_change_their_own_lists() {
    use serde_json::json;
    bench().gives(&[
        ("{% set x = [] %}{% for i in [1, 2] %}{{ x.append(i) }}{% endfor %}{{ x }}", json!([1, 2])),
        (
            "{% set x = {} %}{% set _ = x.update({'a': []}) %}{% set _ = x.a.append(1) %}{{ x }}",
            json!({"a": [1]}),
        ),
        ("{% set x = l %}{% do x.append(d.x.y | default(7)) %}{{ x | length }}{{ l | length }}", json!("43")),
        ("{% set ns = namespace(out=[]) %}{% set _ = ns.out.extend([1]) %}{{ ns.out }}", json!([1])),
    ]);
}

#[test]
fn conditions_count_by_pythons_truth() {
    let bench = bench();
    for (text, wanted) in [
        ("five == 5", true),
        ("five == 5 and not d.a == 2", true),
        ("name", true),
        ("fact.list", true),
        ("fact.none", false),
        ("fact.n > 2", true),
        ("nope is defined and nope.x == 1", false),
        ("'hello' in greeting", true),
        ("true", true),
        ("False", false),
        ("not (nope is defined)", true),
        ("nope is not defined or nope.x.y", true),
        ("'{{ name }}' == 'world'", true),
        ("{{ five }} == 5", true),
        ("{{ five == 6 }}", false),
        ("{{ 'false' }}", false),
        ("d.x.y | default(false)", false),
        ("", true),
    ] {
        assert_eq!(bench.holds(text).unwrap_or_else(|error| panic!("{text}: {error}")), wanted, "{text}");
    }
    assert_eq!(bench.engine.take_warnings().len(), 4);
    for text in ["nope", "nope == 1", "nope.x", "needs_missing", "d.x"] {
        assert!(bench.holds(text).unwrap_err().undefined.is_some(), "{text}");
    }
    let list = bench.node(serde_json::json!(["five == 5", "five == 6", "nope"]));
    assert!(!bench.engine.condition(&list, &bench.scope()).unwrap());
}

#[test]
fn mistakes_are_found_before_anything_runs() {
    let bench = Bench::new();
    for (text, condition, wanted) in [
        (
            "{{ a | uper }} {{ b is defned }}",
            false,
            vec![("there is no filter `uper`", "uper"), ("there is no test `defned`", "defned")],
        ),
        ("{{ lookup('flie', 'x') }}", false, vec![("there is no lookup `flie`", "flie")]),
        (
            "{{ x | map('uper') | select('defned') | selectattr('a', 'eqaul', 1) | list }}",
            false,
            vec![
                ("there is no test `eqaul`", "eqaul"),
                ("there is no test `defned`", "defned"),
                ("there is no filter `uper`", "uper"),
            ],
        ),
        ("{% do lokup('file', 'x') %}", false, vec![("there is no function `lokup`", "lokup")]),
        ("a is defned and b", true, vec![("there is no test `defned`", "defned")]),
        ("a == ", true, vec![("template syntax error: unexpected end of input, expected expression", "==")]),
        (
            "{% macro m(x) %}{{ x | ansible.builtin.upper }}{% endmacro %}{{ m(1) }} {{ now() }}",
            false,
            vec![],
        ),
        ("{{ x | ansible.builtin.default(1) is ansible.builtin.version('1', '>') }}", false, vec![]),
        (
            "{{ ansible_ec2_instance_id }} {{ ansible_facts.ip_addresses }} {{ ansible_facts['facter_x'] }}",
            false,
            vec![
                ("nothing here gathers the fact `ec2_instance_id`", "ansible_ec2_instance_id"),
                ("nothing here gathers the fact `ip_addresses`", "ip_addresses"),
                ("nothing here gathers the fact `facter_x`", "facter_x"),
            ],
        ),
        ("ansible_os_family == ansible_facts.os_family", true, vec![]),
        ("x is defined and y | default(z) and 'a' in lookup('env', 'b')", true, vec![]),
    ] {
        let node = bench.node(serde_json::json!([text]));
        let found =
            if condition { bench.engine.check_condition(&node) } else { bench.engine.check_template(&node) };
        let found: Vec<(String, String)> = found
            .into_iter()
            .map(|it| (it.message.clone(), bench.sources.slice(it.span().unwrap())))
            .collect();
        let found: Vec<(&str, &str)> =
            found.iter().map(|(message, place)| (&**message, place.trim())).collect();
        assert_eq!(found, wanted, "{text}");
    }
}

#[test]
fn a_list_that_holds_itself_harms_nobody() {
    let bench = bench();
    for text in
        ["{% set x = [] %}{% do x.append(x) %}{{ x }}", "{% set x = [] %}{% do x.append(x) %}{{ 'a' ~ x }}"]
    {
        let _ = bench.render(text);
    }
}

/// The variables of other hosts, each rendered in the scope of its own host.
#[derive(Debug)]
struct Hosts {
    name: String,
    own: Arc<dyn Scope>,
}

impl LazyMap for Hosts {
    fn get(&self, key: &str) -> Option<Binding> {
        let own = Arc::new(Hosts { name: key.into(), own: self.own.clone() });
        (key != "h9")
            .then_some(Binding::Lazy(own))
            .filter(|_| self.name.is_empty())
            .or_else(|| self.own.lookup(key))
    }
    fn keys(&self) -> Vec<Str> {
        if self.name.is_empty() { vec!["h1".into()] } else { self.own.names() }
    }
    fn scope(&self) -> Option<Arc<dyn Scope>> {
        (!self.name.is_empty()).then(|| self.own.clone())
    }
}

#[test]
fn other_hosts_variables_are_rendered_in_their_own_scope() {
    use serde_json::json;
    let other = Bench::new()
        .source("ip", json!("10.0.0.{{ n }}"))
        .source("n", json!(7))
        .source("bad", json!("{{ nope }}"));
    let mut bench = Bench::new().source("n", json!(1)).source("ip", json!("here {{ hostvars['h1'].ip }}"));
    let hosts = Hosts { name: String::new(), own: other.scope() };
    bench.vars.map.insert("hostvars".into(), Binding::Lazy(Arc::new(hosts)));
    bench.gives(&[
        ("{{ hostvars['h1'].ip }} {{ hostvars.h1['ip'] }} {{ n }}", json!("10.0.0.7 10.0.0.7 1")),
        ("{{ ip }}", json!("here 10.0.0.7")),
        ("{{ hostvars['h1'].zz | default('x') }}{{ hostvars['h9'].ip | default('y') }}", json!("xy")),
        (
            "{{ hostvars['h1'].bad | default('z') }}{{ 'h1' in hostvars }}{{ 'h9' in hostvars }}",
            json!("zTrueFalse"),
        ),
        (
            "{{ hostvars | list }} {{ ['h1'] | map('extract', hostvars, 'ip') | list }}",
            json!("['h1'] ['10.0.0.7']"),
        ),
        ("{{ hostvars['h1'] | dict2items | map(attribute='key') | list }}", json!(["bad", "ip", "n"])),
    ]);
    let error = bench.render("{{ hostvars['h1'].bad }}").unwrap_err();
    assert_eq!(error.undefined.as_deref(), Some("nope"));
    assert_eq!(error.diagnostic.message, "`nope` is undefined");
}

#[test]
fn an_evaluation_keeps_nothing_alive() {
    let bench = bench();
    let scope = bench.scope();
    for text in ["{{ d }}", "{{ vars['d'].b.c }}", "{{ a }}", "{{ nope }}", "{{ l | map('string') | list }}"]
    {
        let _ = bench.engine.render(&bench.node(text.into()), &scope);
        let _ = bench.engine.condition(&bench.node("d.b.c == 5".into()), &scope);
    }
    assert_eq!(Arc::strong_count(&scope), 1);
}
