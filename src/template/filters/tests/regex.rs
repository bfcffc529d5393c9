//! Patterns.

use super::check;

const CASES: &[(&str, &str)] = &[
    ("'foobar'|regex_replace('o+','0')", "'f0bar'"),
    (r"'foobar'|regex_replace('^(f)(o+)','\\2\\1')", "'oofbar'"),
    (r"'foobar'|regex_replace('(?P<x>b)','[\\g<x>]\\g<1>')", "'foo[b]bar'"),
    ("'FOO'|regex_replace('o','x',ignorecase=true)", "'Fxx'"),
    (r"'a\nb'|regex_replace('^','> ',multiline=true)", r"'> a\n> b'"),
    ("'aaa'|regex_replace('a','b',count=2)", "'bba'"),
    ("'aaa'|regex_replace('a','b',mandatory_count=2)", "!"),
    (r"'a.b'|regex_replace('\\.','\\n')", r"'a\nb'"),
    ("'abc'|regex_replace('b')", "'ac'"),
    (r"'a/b'|regex_replace('/','\\\\')", r"'a\\b'"),
    (r"'abc'|regex_replace('(x)?b','[\\1]')", "'a[]c'"),
    ("'a$b'|regex_replace('b','$1')", "'a$$1'"),
    ("'aXbX'|regex_replace('X$','')", "'aXb'"),
    ("123|regex_replace('2','x')", "'1x3'"),
    (r"'a1b22'|regex_replace('\\d+','N')", "'aNbN'"),
    ("'foo{bar}'|regex_replace('{bar}','x')", "'foox'"),
    ("'x[y]'|regex_replace('[[y]','z')", "'xzz]'"),
    ("'foo'|regex_replace('','-')", "'-f-o-o-'"),
    ("'host.example.com'|regex_search('^[^.]+')", "'host'"),
    ("'server1/database42'|regex_search('database[0-9]+')", "'database42'"),
    (r"'server1/database42'|regex_search('server([0-9]+)/database([0-9]+)','\\1','\\2')", "['1', '42']"),
    (
        r"'21/42'|regex_search('(?P<dividend>[0-9]+)/(?P<divisor>[0-9]+)','\\g<dividend>','\\g<divisor>')",
        "['21', '42']",
    ),
    ("'abc'|regex_search('x')", "None"),
    ("'abc'|regex_search('B',ignorecase=true)", "'b'"),
    ("'abc'|regex_search('(?i)B')", "'b'"),
    (r"'a\nb'|regex_search('^b')", "None"),
    (r"'a\nb'|regex_search('^b',multiline=true)", "'b'"),
    (r"'abc'|regex_search('(x)?b','\\1')", "[None]"),
    ("'abc'|regex_search('b','x')", "!"),
    ("'foobar'|regex_search('(?<=foo)bar')", "'bar'"),
    ("'foobar'|regex_search('foo(?!baz)')", "'foo'"),
    (r"'ab\n'|regex_search('b$')", "'b'"),
    (r"'ab'|regex_search('b\\Z')", "'b'"),
    (r"'a1b22'|regex_findall('\\d+')", "['1', '22']"),
    (r"'a1b22'|regex_findall('([a-z])(\\d+)')", "[('a', '1'), ('b', '22')]"),
    (r"'a1b22'|regex_findall('([a-z])\\d+')", "['a', 'b']"),
    ("'aA'|regex_findall('a',ignorecase=true)", "['a', 'A']"),
    (r"'a\nb'|regex_findall('^.',multiline=true)", "['a', 'b']"),
    ("'x'|regex_findall('y')", "[]"),
    ("'a.b*c'|regex_escape", r"'a\\.b\\*c'"),
    ("'a b#c-d/e_f~g&h'|regex_escape", r"'a\\ b\\#c\\-d/e_f\\~g\\&h'"),
    ("'^f.*o(.*)$'|regex_escape('posix_basic')", r"'\\^f\\.\\*o(\\.\\*)\\$'"),
    (r#"'é@"\':;<>,!%='|regex_escape"#, r#"'é@"\':;<>,!%='"#),
];

#[test]
fn patterns_behave_as_in_python() {
    check(CASES);
}
