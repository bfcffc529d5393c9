//! Tables of lookups and what they give, in a folder of their own.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use serde_json::json;

use crate::template::tests::Bench;

fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    write("files/a.txt", "  text \n\n");
    write("files/b.txt", "b");
    write("plain.txt", "{{ name }}\n");
    write("templates/list.j2", "[{% for i in [1, 2] %}'{{ i }}',{% endfor %}]");
    write("templates/text.j2", "hello {{ name }} {{ extra | default('-') }}\n");
    write("templates/other.j2", "<< name >> {{ name }}");
    write("vars/main.yml", "x");
    write("files/table.csv", "k1,v1,\"w,1\"\nk2,v2,w2\n");
    write("files/a.ini", "[global]\nx = 1\n[s]\nx=2\nx_y=3\n");
    folder
}

fn bench(path: &Path) -> Bench {
    let mut bench = Bench::new()
        .source("name", json!("world"))
        .source("other", json!("{{ name }}"))
        .source("undef_inside", json!("{{ nope }}"))
        .data("dir", json!(path.to_str().unwrap()))
        .data("groups", json!({"all": ["h1", "h2", "h3"], "web": ["h1", "h2"], "db": ["h3"]}))
        .data("users", json!([{"name": "u1", "keys": ["k1", "k2"]}, {"name": "u2"}]));
    bench.vars.search.push(path.to_owned());
    bench
}

#[test]
fn lookups_give_what_ansibles_do() {
    let folder = folder();
    bench(folder.path()).gives(&[
        ("{{ lookup('file', 'a.txt') }}|", json!("  text|")),
        ("{{ lookup('file', 'a.txt', rstrip=false, lstrip=true) }}|", json!("text \n\n|")),
        ("{{ lookup('ansible.builtin.file', 'a.txt', 'b.txt') }}", json!("  text,b")),
        ("{{ query('file', 'a.txt', 'b.txt') }}", json!(["  text", "b"])),
        ("{{ lookup('file', 'plain.txt') }}", json!("{{ name }}")),
        ("{{ lookup('file', 'nope', errors='ignore') }}|{{ q('file', 'nope', errors='ignore') }}", json!("|[]")),
        ("{{ lookup('template', 'list.j2') }}", json!(["1", "2"])),
        ("{{ lookup('template', 'list.j2', convert_data=false) }}", json!("['1','2',]")),
        ("{{ lookup('template', 'text.j2', template_vars={'extra': 'e'}) }}", json!("hello world e\n")),
        ("{{ lookup('template', 'other.j2', variable_start_string='<<', variable_end_string='>>') }}", json!("world {{ name }}")),
        ("{{ lookup('vars', 'other') }} {{ lookup('vars', 'nope', default='d') }}", json!("world d")),
        ("{{ lookup('vars', 'undef_inside', default='d') }}", json!("d")),
        ("{{ q('varnames', '^na', 'er$') }}", json!(["name", "other"])),
        ("{{ lookup('varnames', 'me$') }}", json!("name")),
        ("{{ lookup('pipe', 'printf \"a\\nb\\n\\n\"') }}|", json!("a\nb|")),
        ("{{ query('lines', 'printf \"a\\nb\\n\"') }}", json!(["a", "b"])),
        ("{{ lookup('env', 'REGATTA_NO_SUCH', default='x') }}|{{ lookup('env', 'REGATTA_NO_SUCH') }}", json!("x|")),
        ("{{ lookup('dict', {'a': 1}) }}", json!({"key": "a", "value": 1})),
        ("{{ query('items', [1, [2, [3]]], 4) }}", json!([1, [2, [3]], 4])),
        ("{{ query('flattened', [1, [2, [3]]], 4) }}", json!([1, 2, 3, 4])),
        ("{{ lookup('sequence', 'count=3') }} {{ q('sequence', 'start=1 end=6 stride=2 format=web%02d') }}", json!("1,2,3 ['web01', 'web03', 'web05']")),
        ("{{ q('sequence', '3-5/2:x%d') }} {{ q('sequence', start=5, end=1, stride=-2) }}{{ q('sequence', '0x0f-020') }}", json!("['x3', 'x5'] ['5', '3', '1']['15', '16']")),
        ("{{ query('together', [1, 2], [3]) }}", json!([[1, 3], [2, null]])),
        ("{{ query('nested', [1, 2], [3, 4]) }}", json!([[1, 3], [1, 4], [2, 3], [2, 4]])),
        ("{{ query('indexed_items', ['a', ['b']]) }}", json!([[0, "a"], [1, ["b"]]])),
        ("{{ query('subelements', users, 'keys', {'skip_missing': true}) }}", json!([[{"name": "u1"}, "k1"], [{"name": "u1"}, "k2"]])),
        ("{{ query('first_found', ['nope', 'b.txt']) | map('basename') | list }}", json!(["b.txt"])),
        ("{{ lookup('first_found', {'files': ['x', 'main.yml'], 'paths': ['vars', 'y']}) | basename }}", json!("main.yml")),
        ("{{ query('first_found', ['nope'], skip=true) }}{{ lookup('first_found', ['nope'], errors='ignore') }}|", json!("[]|")),
        ("{{ query('fileglob', '*.txt') | map('basename') | list }}", json!(["a.txt", "b.txt"])),
        ("{{ query('fileglob', dir ~ '/files/*.txt') | length }}{{ q('fileglob', '/nope/*') }}", json!("2[]")),
        ("{{ lookup('csvfile', 'k2', file='table.csv', delimiter=',') }} {{ lookup('csvfile', 'k1 file=table.csv delimiter=, col=2') }}", json!("v2 w,1")),
        ("{{ lookup('ini', 'x', file='a.ini') }}{{ lookup('ini', 'x section=s file=a.ini') }}{{ q('ini', 'x.*', section='s', file='a.ini', re=true) }}", json!("12['2', '3']")),
        ("{{ q('inventory_hostnames', 'all:!web') }}{{ q('inventory_hostnames', 'h*,&db') }}", json!("['h3']['h3']")),
        ("{{ q('random_choice', [7]) }}", json!([7])),
    ]);
}

#[test]
fn failing_lookups_say_which_and_why() {
    let folder = folder();
    let bench = bench(folder.path());
    bench.fails(&[
        (
            "x {{ lookup('file', 'nope') }}",
            "the lookup `file` failed: there is no file `nope`",
            "lookup('file', 'nope')",
        ),
        ("{{ lookup('flie', 'nope') }}", "there is no lookup `flie`", "lookup('flie', 'nope')"),
        (
            "{{ lookup('pipe', 'exit 3') }}",
            "the lookup `pipe` failed: `exit 3` ended with exit code 3",
            "lookup('pipe', 'exit 3')",
        ),
        ("{{ lookup('file', nope) }}", "`nope` is undefined", "nope"),
        ("{{ lookup('file', nope.x, errors='ignore') }}", "`nope` is undefined", "nope"),
    ]);
    let error = bench.render("{{ lookup('vars', 'nope') }}").unwrap_err();
    assert_eq!(error.undefined.as_deref(), Some("nope"));
    let error = bench.render("{{ lookup('flie', 'x') }}").unwrap_err();
    assert_eq!(error.diagnostic.help.as_deref(), Some("did you mean `file`?"));
    assert_eq!(bench.render("{{ lookup('file', 'x', errors='warn') }}").unwrap().to_string(), "None");
    assert_eq!(bench.engine.take_warnings().len(), 1);
}

#[test]
fn passwords_stay_and_are_private() {
    let folder = folder();
    let bench = bench(folder.path());
    let first = bench.render("{{ lookup('password', dir ~ '/secrets/p length=12 chars=digits') }}").unwrap();
    let second = bench.render("{{ lookup('password', dir ~ '/secrets/p', length=12) }}").unwrap();
    assert_eq!(first, second);
    let text = first.to_string();
    assert!(text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()), "{text}");
    let path = folder.path().join("secrets/p");
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("{text}\n"));
    let seeded = |seed: &str| {
        bench.render(&format!("{{{{ lookup('password', '/dev/null', seed='{seed}') }}}}")).unwrap()
    };
    assert_eq!(seeded("a"), seeded("a"));
    assert_ne!(seeded("a"), seeded("b"));
    assert_eq!(seeded("a").to_string().chars().count(), 20);
    std::fs::write(&path, "pass word salt=abcdefgh\n").unwrap();
    assert_eq!(
        bench.render("{{ lookup('password', dir ~ '/secrets/p') }}").unwrap().to_string(),
        "pass word"
    );
}

#[test]
fn loops_take_their_items_as_ansible_does() {
    let folder = folder();
    let bench = bench(folder.path());
    for (name, over, items) in [
        ("items", json!("name"), json!(["name"])),
        ("items", json!("{{ [1, [2]] }}"), json!([1, 2])),
        ("items", json!(["{{ other }}", ["a", ["b"]]]), json!(["world", "a", ["b"]])),
        ("items", json!({"x": 1, "y": 2}), json!(["x", "y"])),
        ("items", json!("{{ omit }}"), json!([])),
        ("dict", json!({"x": "{{ name }}"}), json!([{"key": "x", "value": "world"}])),
        ("ansible.builtin.list", json!(["a", ["b"]]), json!(["a", ["b"]])),
        ("nested", json!([["{{ name }}"], [1, 2]]), json!([["world", 1], ["world", 2]])),
        ("sequence", json!("count=2"), json!(["1", "2"])),
        (
            "subelements",
            json!(["{{ users }}", "keys", {"skip_missing": true}]),
            json!([[{"name": "u1"}, "k1"], [{"name": "u1"}, "k2"]]),
        ),
        ("first_found", json!([{"files": ["nope"], "skip": true}]), json!([])),
    ] {
        let node = bench.node(over.clone());
        let found = bench.engine.loop_items(name, &node, &bench.scope());
        let found = found.unwrap_or_else(|error| panic!("{name} {over}: {error}"));
        assert_eq!(serde_json::Value::from(&crate::value::Value::list(found)), items, "{name} {over}");
    }
    assert_eq!(bench.engine.take_warnings()[0].help.as_deref(), Some("write \"{{ name }}\""));
    let node = bench.node(json!(["{{ nope }}.txt", "b.txt"]));
    let found = bench.engine.loop_items("first_found", &node, &bench.scope()).unwrap();
    assert!(found[0].to_string().ends_with("/files/b.txt"));
    let fails = |name: &str, over: serde_json::Value| {
        bench.engine.loop_items(name, &bench.node(over), &bench.scope()).unwrap_err()
    };
    assert_eq!(fails("items", json!(["{{ nope }}"])).undefined.as_deref(), Some("nope"));
    assert!(fails("dict", json!("x")).diagnostic.span().is_some());
}
