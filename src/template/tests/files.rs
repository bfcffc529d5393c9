//! Template files: settings in and outside of the file, files that use others, errors that point into them.

use serde_json::json;

use super::*;

struct Folder {
    folder: tempfile::TempDir,
    bench: Bench,
}

impl Folder {
    fn new(files: &[(&str, &str)]) -> Folder {
        let folder = tempfile::tempdir().unwrap();
        for (name, text) in files {
            let path = folder.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        let mut bench = Bench::new()
            .source("name", json!("world"))
            .source("d", json!({"a": 1, "list": ["x", "{{ name }}"]}))
            .source("needs_missing", json!("{{ nope }}"));
        bench.vars.search.push(folder.path().join("role"));
        Folder { folder, bench }
    }

    fn render(&self, name: &str, options: &FileOptions) -> Result<String, TemplateError> {
        self.bench.engine.template(&self.folder.path().join(name), options, &self.bench.scope())
    }
}

#[test]
fn files_keep_their_newlines_and_settings() {
    let plain = FileOptions::default;
    for (text, options, wanted) in [
        ("a\n{% if true %}\nb\n{% endif %}\nc\n", plain(), "a\nb\nc\n"),
        ("a\n  {% if true %}\nb\n  {% endif %}\nc\n\n", plain(), "a\n  b\n  c\n\n"),
        (
            "a\n  {% if true %}\nb\n  {% endif %}\nc",
            FileOptions { lstrip_blocks: true, ..plain() },
            "a\nb\nc",
        ),
        ("a\n{% if true %}\nb\n{% endif %}\n", FileOptions { trim_blocks: false, ..plain() }, "a\n\nb\n"),
        (
            "#jinja2: trim_blocks: False, lstrip_blocks: True\na\n  {% if true %}\nb\n{% endif %}\n",
            plain(),
            "a\n\nb\n",
        ),
        (
            "#jinja2:variable_start_string:'[%' , variable_end_string:'%]'\n{{ x }} [% name %]\n",
            plain(),
            "{{ x }} world\n",
        ),
        ("a\r\nb {{ name }}\r\n", plain(), "a\nb world\n"),
        ("a\nb\n", FileOptions { newline_sequence: "\r\n".into(), ..plain() }, "a\r\nb\r\n"),
        (
            "<< name >>{# c #}",
            FileOptions {
                variable_start_string: Some("<<".into()),
                variable_end_string: Some(">>".into()),
                ..plain()
            },
            "world",
        ),
        (
            "{{ extra }}",
            FileOptions { extra: [("extra".into(), Value::from(1))].into_iter().collect(), ..plain() },
            "1",
        ),
        ("# {{ ansible_managed }}\n", plain(), "# Ansible managed\n"),
        ("{{ template_path | basename }} {{ none }}|{{ d.list }}\n", plain(), "t.j2 |['x', 'world']\n"),
        ("[1, 2]\n", plain(), "[1, 2]\n"),
        ("True", plain(), "True"),
        ("{%- for i in d.list -%}\n {{ i }},\n{%- endfor %}\n", plain(), "x,world,\n"),
        (
            "{{ 'x' if false }}{{ d.q.r | default('q') }}{% set l = [] %}{% for i in [1] %}{% set _ = l.append(i) %}{% endfor %}{{ l }}",
            plain(),
            "q[1]",
        ),
        ("a {%+ if true %} b{% endif +%}\nc\n", FileOptions { lstrip_blocks: true, ..plain() }, "a  b\nc\n"),
    ] {
        let folder = Folder::new(&[("t.j2", text)]);
        let found = folder.render("t.j2", &options).unwrap_or_else(|error| panic!("{text:?}: {error}"));
        assert_eq!(found, wanted, "{text:?}");
    }
}

#[test]
fn files_use_others_of_the_search_path_and_of_their_folder() {
    let folder = Folder::new(&[
        ("role/templates/part.j2", "part {{ name }} {{ local | default('-') }} {{ d.q.r | default('q') }}\n"),
        (
            "role/templates/macros.j2",
            "{% macro hi(who, mark='!') %}hi {{ who }}{{ mark }} {{ d.q.r | default('-') }}{% endmacro %}{% set v = 5 %}",
        ),
        ("role/templates/base.j2", "<{% block body %}base{% endblock %}>\n"),
        ("own/near.j2", "near"),
        (
            "own/include.j2",
            "{% set local = 'L' %}{% include 'part.j2' %}|{% include \"near.j2\" %}|{% include 'nope.j2' ignore missing %}|{% include ['nope.j2', 'near.j2'] %}",
        ),
        (
            "own/import.j2",
            "{% import 'macros.j2' as m %}{{ m.hi('a') }} {{ m.v }}{% from 'macros.j2' import hi as h with context %} {{ h(name, mark='?') }}",
        ),
        ("own/extends.j2", "{% extends 'base.j2' %}{% block body %}{{ super() }} {{ name }}{% endblock %}"),
        ("own/loop.j2", "{% for item in d.list %}{% include 'item.j2' %}{% endfor %}"),
        ("own/item.j2", "{{ loop.index if loop is defined else '?' }}{{ item }} "),
        (
            "own/call.j2",
            "{% macro wrap() %}<{{ caller() }}>{% endmacro %}{% call wrap() %}{{ name }}{% endcall %}{% filter upper %}{{ name }}{% endfilter %}",
        ),
    ]);
    for (name, wanted) in [
        ("own/include.j2", "part world L q|near||near"),
        ("own/import.j2", "hi a! - 5 hi world? -"),
        ("own/extends.j2", "<base world>"),
        ("own/loop.j2", "1x 2world "),
        ("own/call.j2", "<world>WORLD"),
    ] {
        let found =
            folder.render(name, &FileOptions::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(found, wanted, "{name}");
    }
}

#[test]
fn a_file_that_changes_is_read_again() {
    let folder = Folder::new(&[("t.j2", "one")]);
    assert_eq!(folder.render("t.j2", &FileOptions::default()).unwrap(), "one");
    std::fs::write(folder.folder.path().join("t.j2"), "three {{ name }}").unwrap();
    assert_eq!(folder.render("t.j2", &FileOptions::default()).unwrap(), "three world");
}

#[test]
fn errors_point_into_the_file() {
    let folder = Folder::new(&[
        ("undefined.j2", "#jinja2: trim_blocks: True\nfirst\n{{ d.a }} {{ d.b.c }}\n"),
        ("syntax.j2", "a\n{% if x %}\n"),
        ("filter.j2", "a\n{{ name | uper }}\n"),
        ("inner.j2", "{% include 'bad.j2' %}"),
        ("bad.j2", "ok {{ nothing }}"),
        ("deep.j2", "{{ needs_missing }}"),
        ("missing.j2", "\n{% include 'nope.j2' %}"),
        ("parent.j2", "{% extends 'nope.j2' %}"),
        ("type.j2", "{{ name + 1 }}"),
        ("chained.j2", "{{ d.q.r | default(1) }} {{ 1 + zz }}"),
    ]);
    for (name, message, place, line) in [
        ("undefined.j2", "`d.b` is undefined", "d.b", 3),
        ("syntax.j2", "template syntax error: unexpected end of input, expected end of block", "%}", 2),
        ("filter.j2", "there is no filter `uper`", "uper", 2),
        ("inner.j2", "`nothing` is undefined", "nothing", 1),
        ("deep.j2", "`nope` is undefined", "nope", 1),
        ("missing.j2", "there is no template `nope.j2`", "include 'nope.j2'", 2),
        ("parent.j2", "there is no template `nope.j2`", "extends 'nope.j2'", 1),
        ("type.j2", "tried to use + operator on unsupported types string and number", "name + 1", 1),
        ("chained.j2", "`zz` is undefined", "zz", 1),
    ] {
        let error = folder.render(name, &FileOptions::default()).expect_err(name);
        assert_eq!(error.diagnostic.message, message, "{name}");
        let span = error.diagnostic.span().unwrap();
        assert_eq!(folder.bench.sources.slice(span), place, "{name}");
        assert_eq!(folder.bench.sources.position(span).line, line, "{name}");
    }
    let error = folder.render("nope.j2", &FileOptions::default()).unwrap_err();
    assert!(error.diagnostic.message.starts_with("can't read the template "));
}
