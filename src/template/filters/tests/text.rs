//! Types, case, white space, width.

use super::check;

const CASES: &[(&str, &str)] = &[
    ("[1]|type_debug", "'list'"),
    ("(1,)|type_debug", "'tuple'"),
    ("'x'|type_debug", "'str'"),
    ("1|type_debug", "'int'"),
    ("1.0|type_debug", "'float'"),
    ("None|type_debug", "'NoneType'"),
    ("{}|type_debug", "'dict'"),
    ("true|type_debug", "'bool'"),
    ("[1,'a',None,true,1.0]|string", r#""[1, 'a', None, True, 1.0]""#),
    ("1e20|string", "'1e+20'"),
    ("1e-7|string", "'1e-07'"),
    ("123456789012345680.0|string", "'1.2345678901234568e+17'"),
    (r#"{'a':"it's"}|string"#, r#"'{\'a\': "it\'s"}'"#),
    ("'é'|string", "'é'"),
    (r#"['é\n\t\\"']|string"#, r#"'[\'é\\n\\t\\\\"\']'"#),
    ("'HELLO wORLD'|lower", "'hello world'"),
    ("'straße'|upper", "'STRASSE'"),
    ("'HELLO wORLD'|capitalize", "'Hello world'"),
    (r"'hello wORLD-foo (bar) [baz] a\'b'|title", r#""Hello World-Foo (Bar) [Baz] A'b""#),
    ("''|capitalize", "''"),
    ("'  x '|trim", "'x'"),
    ("'xxaxx'|trim('x')", "'a'"),
    ("5|trim", "'5'"),
    ("'aaa'|replace('a','b')", "'bbb'"),
    ("'aaa'|replace('a','b',2)", "'bba'"),
    ("'aaa'|replace('a',1)", "'111'"),
    ("'a b  c'|split", "['a', 'b', 'c']"),
    ("'a,b,c'|split(',')", "['a', 'b', 'c']"),
    ("'a,b,c'|split(',',1)", "['a', 'b,c']"),
    ("' a  b c '|split(None,1)", "['a', 'b c ']"),
    ("'a b c '|split(maxsplit=1)", "['a', 'b c ']"),
    ("''|split", "[]"),
    ("''|split(',')", "['']"),
    ("'abc'|center(10)", "'   abc    '"),
    ("'abcd'|center(9)", "'   abcd  '"),
    ("'abc'|center(8)", "'  abc   '"),
    (r"'a\nb\n\nc'|indent", r"'a\n    b\n\n    c'"),
    (r"'a\nb\n\nc'|indent(2,true)", r"'  a\n  b\n\n  c'"),
    (r"'a\nb\n\nc'|indent(2,true,true)", r"'  a\n  b\n  \n  c'"),
    (r"'a\nb\n'|indent(2)", r"'a\n  b\n'"),
    (r"'a\nb'|indent('>>',first=true)", r"'>>a\n>>b'"),
    ("''|indent(2,true)", "'  '"),
    ("'foo bar baz qux'|truncate(9)", "'foo...'"),
    ("'foo bar baz qux'|truncate(9,true)", "'foo ba...'"),
    ("'foo bar baz qux'|truncate(11)", "'foo bar baz qux'"),
    ("'foo bar baz qux'|truncate(9,false,'..',0)", "'foo..'"),
    ("'foo bar baz qux'|truncate(9,true,'..',0)", "'foo bar..'"),
    ("'foo bar_baz  qux-quux'|wordcount", "4"),
    (
        "'the quick brown fox jumps over the lazy dog'|wordwrap(10)",
        r"'the quick\nbrown fox\njumps over\nthe lazy\ndog'",
    ),
    (
        "'the quick brown-fox jumps overthelazydog'|wordwrap(10)",
        r"'the quick\nbrown-fox\njumps over\nthelazydog'",
    ),
    (
        "'the quick brown-fox jumps overthelazydog'|wordwrap(10,false)",
        r"'the quick\nbrown-fox\njumps\noverthelazydog'",
    ),
    (
        "'the quick brown-fox jumps overthelazydog'|wordwrap(10,false,'|',false)",
        "'the quick|brown-fox|jumps|overthelazydog'",
    ),
    (r"'a b\nc   d e'|wordwrap(3)", r"'a b\nc\nd e'"),
    ("'%s is %d'|format('a',3)", "'a is 3'"),
    ("'%(a)s-%(b)05.1f'|format(a=1,b=2.25)", "'1-002.2'"),
    ("'%-5s|%5s|%x'|format('a','b',255)", "'a    |    b|ff'"),
];

#[test]
fn texts_behave_as_in_python() {
    check(CASES);
}
