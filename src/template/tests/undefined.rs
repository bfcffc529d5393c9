//! Undefined values: where they are allowed, and what is said where they are not. Circles of variables.

use super::*;

#[test]
fn access_below_undefined_is_allowed_and_use_is_not() {
    use serde_json::json;
    let bench = bench();
    bench.gives(&[
        ("{{ nope | default('x') }}", json!("x")),
        ("{{ nope.a.b['c'][0].d | default('x') }}", json!("x")),
        ("{{ d.x.y.z | default(d.b.c) }}", json!(5)),
        ("{{ d.b.c | default('x') }}", json!(5)),
        (
            "{{ (d.x).y.z is defined }} {{ d.b.c is defined }} {{ nope is undefined }}",
            json!("False True True"),
        ),
        ("{{ needs_missing | default('x') }} {{ needs_missing is defined }}", json!("x False")),
        ("{{ deep_missing.ok }} {{ deep_missing.bad | default('x') }}", json!("1 x")),
        ("{{ d.x is string }} {{ d.x.y is none }} {{ nope is mapping }}", json!("False False False")),
        (
            "{{ '' | default('x') }}|{{ '' | default('x', true) }}|{{ none | d('x', boolean=true) }}",
            json!("|x|x"),
        ),
        ("{{ true or nope }} {{ false and nope.x.y }}", json!("True False")),
        ("{{ (nope.x.y if false else d.x.y) | default('z') }}", json!("z")),
        ("{{ (false or d.x.y) | default('z') }}", json!("z")),
        ("{% set x = d.x.y %}{{ x | default('s') }}", json!("s")),
        ("{{ nope | default(nope2.a.b) | default('third') }}", json!("third")),
        ("{{ d.x.y.split(',') if d.x.y is defined else 'no' }}", json!("no")),
        ("{{ d.b['c'] | default(1) }}{{ l[7].x | default('-') }}{{ l.0 | default('-') }}", json!("5-x")),
    ]);
    bench.fails(&[
        ("{{ nope }}", "`nope` is undefined", "nope"),
        ("abc {{ nope }}", "`nope` is undefined", "nope"),
        ("{{ d.x }}", "`d.x` is undefined", "d.x"),
        ("{{ d.b.x.y }}", "`d.b.x` is undefined", "d.b.x"),
        ("{{ nope == 1 }}", "`nope` is undefined", "nope"),
        ("{{ 1 + nope }}", "`nope` is undefined", "nope"),
        ("{{ d.zz * 2 }}", "`d.zz` is undefined", "d.zz"),
        ("{{ -nope }}", "`nope` is undefined", "nope"),
        ("{{ range(nope) | list }}", "`nope` is undefined", "nope"),
        ("{{ nope % 2 }}", "`nope` is undefined", "nope"),
        ("{{ nope[1:] }}", "`nope` is undefined", "nope"),
        ("{{ nope() }}", "there is no function `nope`", "nope()"),
        ("{{ [d.x, 1] }}", "`d.x` is undefined", "d.x"),
        ("{{ {'a': nope} }}", "`nope` is undefined", "nope"),
        ("{{ 'x' | ternary(nope, 1) }}", "`nope` is undefined", "nope"),
        ("{{ d | combine(nope) }}", "`nope` is undefined", "nope"),
        ("{{ 1 + nope.x }}", "`nope` is undefined", "nope"),
        ("{{ 'a' ~ d.zz }}", "`d.zz` is undefined", "d.zz"),
        ("{{ 'a' in nope }}", "`nope` is undefined", "nope"),
        ("{{ nope or 'x' }}", "`nope` is undefined", "nope"),
        ("{{ not nope }}", "`nope` is undefined", "nope"),
        ("{{ nope | upper }}", "`nope` is undefined", "nope"),
        ("{% for i in nope %}{% endfor %}", "`nope` is undefined", "nope"),
        ("{% if d.q %}{% endif %}", "`d.q` is undefined", "d.q"),
        ("{{ l[9] }}", "`l[9]` is undefined", "l[9]"),
        ("{{ nope.split(',') }}", "`nope` is undefined", "nope"),
        ("{{ d.a | default(1) }} {{ d.x.y | default(nope3) }}", "`nope3` is undefined", "nope3"),
    ]);
}

#[test]
fn an_undefined_variable_inside_a_variable_is_shown_where_it_is() {
    let bench = bench();
    for text in
        ["{{ needs_missing }}", "x {{ needs_missing }}", "{{ deep_missing.bad }}", "{{ deep_missing }}"]
    {
        let error = bench.render(text).expect_err(text);
        assert_eq!(error.undefined.as_deref(), Some("nope"), "{text}");
        assert_eq!(bench.sources.slice(error.diagnostic.span().unwrap()), "nope", "{text}");
    }
}

#[test]
fn a_close_name_is_suggested() {
    let error = bench().render("{{ greting }}").unwrap_err();
    assert_eq!(error.diagnostic.help.as_deref(), Some("did you mean `greeting`?"));
}

#[test]
fn a_circle_is_named() {
    let error = bench().render("{{ a }}").unwrap_err();
    assert_eq!(error.diagnostic.message, "`a` needs itself: a → b → c → a");
    assert!(error.undefined.is_none());
}

#[test]
fn deep_needs_fit_the_stack_and_deeper_ones_are_refused() {
    // What a worker thread of tokio has.
    let deep = || {
        let mut bench = Bench::new().source("v0", serde_json::json!("end"));
        for i in 1..60 {
            bench = bench.source(
                &format!("v{i}"),
                serde_json::json!({"x": format!("{{{{ v{}.x | default(v{}) }}}}", i - 1, i - 1)}),
            );
        }
        assert_eq!(bench.render("{{ v30 }}").unwrap().get("x").unwrap().to_string(), "end");
        let error = bench.render("{{ v59 }}").unwrap_err();
        assert_eq!(error.diagnostic.code, crate::diag::code::RECURSION);
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(deep).unwrap().join().unwrap();
}
