//! Encodings, hashes, URLs, shell words.

use super::check;

const CASES: &[(&str, &str)] = &[
    ("'hello'|b64encode", "'aGVsbG8='"),
    ("'aGVsbG8='|b64decode", "'hello'"),
    ("'aGVsbG8'|b64decode", "!"),
    ("'é'|b64encode", "'w6k='"),
    ("'é'|b64encode(encoding='utf-16-le')", "'6QA='"),
    ("'6QA='|b64decode(encoding='utf-16-le')", "'é'"),
    ("'x'|hash", "'11f6ad8ec52a2984abaafd7c3b516503785c2072'"),
    ("'x'|hash('md5')", "'9dd4e461268c8034f5c8564e155c67a6'"),
    ("'x'|hash('sha256')", "'2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881'"),
    (
        "'x'|hash('sha512')",
        "'a4abd4448c49562d828115d13a1fccea927f52b4d5459297f8b43e42da89238bc13626e43dcb38ddb082488927ec904fb42057443983e88585179d50551afe62'",
    ),
    ("'x'|hash('sha224')", "'54a2f7f92a5f975d8096af77a126edda7da60c5aa872ef1b871701ae'"),
    ("'x'|hash('nope')", "!"),
    ("'x'|checksum", "'11f6ad8ec52a2984abaafd7c3b516503785c2072'"),
    ("'x'|md5", "'9dd4e461268c8034f5c8564e155c67a6'"),
    ("'x'|sha1", "'11f6ad8ec52a2984abaafd7c3b516503785c2072'"),
    ("1|hash('sha1')", "'356a192b7913b04c54574d18c28d46e6395428ab'"),
    ("'a'|to_uuid", "'9b6d1a0c-51b1-5093-93fc-cf09a700edff'"),
    (
        "'a'|to_uuid(namespace='11111111-2222-3333-4444-555555555555')",
        "'096d135a-ebc0-5af4-848c-49fa7fdbe382'",
    ),
    ("'a'|quote", "'a'"),
    ("'a b'|quote", r#""'a b'""#),
    (r#""it's"|quote"#, r#"'\'it\'"\'"\'s\''"#),
    ("''|quote", r#""''""#),
    ("none|quote", r#""''""#),
    ("'a;b'|quote", r#""'a;b'""#),
    ("'a@%+=:,./-_'|quote", "'a@%+=:,./-_'"),
    ("5|quote", "'5'"),
    ("'é'|quote", r#""'é'""#),
    ("'a b&c/d'|urlencode", "'a%20b%26c/d'"),
    ("{'a b':1,'c':'d/e'}|urlencode", "'a+b=1&c=d%2Fe'"),
    ("[('a',1),('b',2)]|urlencode", "'a=1&b=2'"),
    ("'a%20b+c%C3%A9'|urldecode", "'a b cé'"),
    (
        "'http://user:pw@www.Acme.com:9000/dir/index.html?query=term#fragment'|urlsplit",
        "{'fragment': 'fragment', 'hostname': 'www.acme.com', 'netloc': 'user:pw@www.Acme.com:9000', 'password': 'pw', 'path': '/dir/index.html', 'port': 9000, 'query': 'query=term', 'scheme': 'http', 'username': 'user'}",
    ),
    ("'http://www.acme.com/x'|urlsplit('hostname')", "'www.acme.com'"),
    ("'http://www.acme.com/x'|urlsplit('port')", "None"),
    ("'http://[::1]:80/x'|urlsplit('hostname')", "'::1'"),
    (
        "'/just/path'|urlsplit",
        "{'fragment': '', 'hostname': None, 'netloc': '', 'password': None, 'path': '/just/path', 'port': None, 'query': '', 'scheme': '', 'username': None}",
    ),
    ("'mailto:a@b'|urlsplit('scheme')", "'mailto'"),
    ("'http://www.acme.com/x'|urlsplit('nope')", "!"),
    ("'http://user@h'|urlsplit('password')", "None"),
];

#[test]
fn encodings_behave_as_in_python() {
    check(CASES);
}
