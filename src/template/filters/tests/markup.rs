//! Markup, dates, hashed passwords, reading YAML.

use super::check;

const CASES: &[(&str, &str)] = &[
    (r#"'<a href="x">\'&\'</a>'|escape"#, "'&lt;a href=&#34;x&#34;&gt;&#39;&amp;&#39;&lt;/a&gt;'"),
    ("'a & b'|e", "'a &amp; b'"),
    ("5|e", "'5'"),
    (r"'<p>a <b>b</b>\n c</p>'|striptags", "'a b c'"),
    ("'a &lt; b <!-- x --> c'|striptags", "'a < b c'"),
    ("{'class':'my list','missing':none,'id':'l-1'}|xmlattr", r#"' class="my list" id="l-1"'"#),
    ("{}|xmlattr", "''"),
    (r#"{'a':'<"'}|xmlattr(false)"#, r#"'a="&lt;&#34;"'"#),
    (
        "'see http://ab.de/c?d=1 and www.x.org.'|urlize",
        r#"'see <a href="http://ab.de/c?d=1" rel="noopener">http://ab.de/c?d=1</a> and <a href="https://www.x.org" rel="noopener">www.x.org</a>.'"#,
    ),
    (
        "'mail me@x.org (http://x.yz.de/path)'|urlize(10)",
        r#"'mail <a href="mailto:me@x.org">me@x.org</a> (<a href="http://x.yz.de/path" rel="noopener">http://x.y...</a>)'"#,
    ),
    (
        "'http://localhost:80 or 10.0.0.1 x.com http://10.0.0.1/'|urlize(nofollow=true,target='_blank')",
        r#"'<a href="http://localhost:80" rel="nofollow noopener" target="_blank">http://localhost:80</a> or 10.0.0.1 x.com <a href="http://10.0.0.1/" rel="nofollow noopener" target="_blank">http://10.0.0.1/</a>'"#,
    ),
    ("'%Y-%m-%d %H:%M:%S'|strftime(0,utc=true)", "'1970-01-01 00:00:00'"),
    ("'%Y-%m-%d'|strftime('1700000000',utc=true)", "'2023-11-14'"),
    (
        "'%a %A %b %B %d %e %j %m %p %I %l %k %y %u %w %U %W %V %G %s %T %D %F %R %%'|strftime(34572345,utc=true)",
        "'Fri Friday Feb February 05  5 036 02 AM 03  3  3 71 5 5 05 05 05 1971 34572345 03:25:45 02/05/71 1971-02-05 03:25 %'",
    ),
    ("'%c|%x|%X|%r'|strftime(34572345,utc=true)", "'Fri Feb  5 03:25:45 1971|02/05/71|03:25:45|03:25:45 AM'"),
    ("'%H'|strftime('x')", "!"),
    ("'2016-08-14 20:00:12'|to_datetime|string", "'2016-08-14 20:00:12'"),
    ("('2016-08-14 20:00:12'|to_datetime).year", "2016"),
    ("('2016-08-14'|to_datetime('%Y-%m-%d')).isoformat()", "'2016-08-14T00:00:00'"),
    ("('2016-08-14 20:00:12'|to_datetime).strftime('%d/%m/%y')", "'14/08/16'"),
    ("('20:15'|to_datetime('%H:%M'))|string", "'1900-01-01 20:15:00'"),
    ("'x'|to_datetime", "!"),
    ("('2016-08-14'|to_datetime('%Y-%m-%d')).weekday()", "6"),
    (
        "'secret'|password_hash('sha512','mysecretsalt',rounds=5000)",
        "'$6$mysecretsalt$UxXf96m7qWf4gFJuQUWygLlhUrikalIr1qiN7P0Vz3ILP2s1EdopPgostsusBpNxETNkjpIYpr4lfwih0HmvD.'",
    ),
    (
        "'secret'|password_hash('sha256','mysecretsalt',rounds=5000)",
        "'$5$mysecretsalt$FMuCIBTMZvBuU/DDK0W/i4UFaWH.pk9qsUHC3io1o4/'",
    ),
    (
        "'a much longer password than sixteen and then some more of it to pass sixty-four bytes'|password_hash('sha512','x',rounds=1000)",
        "'$6$rounds=1000$x$vAHu2QqSKKAGWT2k6nH4QkLkfQ6bbQZREc6asbha39weotw.Oiv7EbyyEhlLHNKiiep9MbTxTipJO6h2ACk7K0'",
    ),
    (
        "'secret'|password_hash('sha512','mysecretsalt',rounds=1000)",
        "'$6$rounds=1000$mysecretsalt$q7vXmeZWv7GZeAOXCVQC4QPPI8FIwHzLuTjuYDLml/gSZyp10jyUK2fwt856xgqyrfyHGqk3wIQyh86q88SSh0'",
    ),
    (
        "'secret'|password_hash('sha256','abcdefgh',rounds=10000)",
        "'$5$rounds=10000$abcdefgh$xH5OIv1xXYrZ3ShkQqwef3DzYdGY9C2Tq1B2B75WTC0'",
    ),
    ("'secret'|password_hash('md5','abcdefgh')", "'$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1'"),
    ("'a much longer password than sixteen'|password_hash('md5','x')", "'$1$x$.fuevbPV6baO88BoIJuEx1'"),
    ("'secret'|password_hash('nope','x')", "!"),
    ("'secret'|password_hash('sha512','bad salt!')", "!"),
    (r"'a: 1\nb: [x, yes]'|from_yaml", "{'a': 1, 'b': ['x', True]}"),
    (r"'- 1\n- a'|from_yaml", "[1, 'a']"),
    ("'x'|from_yaml", "'x'"),
    ("''|from_yaml", "None"),
    ("5|from_yaml", "5"),
    ("{'a':1}|from_yaml", "{'a': 1}"),
    ("'a: [1'|from_yaml", "!"),
    (r"'a: 1\n---\nb: 2'|from_yaml_all", "[{'a': 1}, {'b': 2}]"),
    ("'a: 1'|from_yaml_all", "[{'a': 1}]"),
    ("''|from_yaml_all", "[]"),
    (
        "'secret'|password_hash('bcrypt','abcdefghijklmnopqrstuu',rounds=4)",
        "'$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW'",
    ),
    (
        "'secret'|password_hash('blowfish','abcdefghijklmnopqrstuu',rounds=4)",
        "'$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW'",
    ),
    (
        "'secret'|password_hash('bcrypt','abcdefghijklmnopqrstuv',rounds=4)",
        "'$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW'",
    ),
    ("'secret'|password_hash('bcrypt','short',rounds=4)", "!"),
    (
        "'secret'|password_hash('bcrypt','abcdefghijklmnopqrstuu',rounds=4,ident='2a')",
        "'$2a$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW'",
    ),
    (
        "'secret'|password_hash('bcrypt','abcdefghijklmnopqrstuu',rounds=4,ident='$2b$')",
        "'$2b$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW'",
    ),
    ("'secret'|password_hash('bcrypt','abcdefghijklmnopqrstuu',rounds=4,ident='2x')", "!"),
    (
        "'a much longer password than seventy-two bytes, which is where this scheme stops reading it'|password_hash('bcrypt','abcdefghijklmnopqrstuu',rounds=4)",
        "'$2b$04$abcdefghijklmnopqrstuu2plPlkEV486.2TA21DULXcGWxDvhbEm'",
    ),
    (
        "''|password_hash('bcrypt','abcdefghijklmnopqrstuu',rounds=4)",
        "'$2b$04$abcdefghijklmnopqrstuubyCG3zY1GIXMyxfivm.ClDiInHzxjiq'",
    ),
];

#[test]
fn markup_dates_and_passwords_are_as_ansibles() {
    check(CASES);
}
