//! `lineinfile` on a host in memory.

use super::*;
use crate::modules::api::fake::FakeHost;

/// Old contents, arguments besides the path, new contents, message.
const CASES: &[(&str, &str, &str, &str)] = &[
    ("a\nb\n", "line: c", "a\nb\nc\n", "line added"),
    ("a\nb", "line: c", "a\nb\nc\n", "line added"),
    ("", "line: c", "c\n", "line added"),
    ("a\nb\n", "line: b", "a\nb\n", ""),
    ("a\nb", "line: b", "a\nb", ""),
    ("x=1\nx=2\n", "{regexp: ^x=, line: x=3}", "x=1\nx=3\n", "line replaced"),
    ("x=1\nx=2\n", "{regexp: ^x=, line: x=3, firstmatch: true}", "x=3\nx=2\n", "line replaced"),
    ("x=1\n", "{regexp: '^x=\\d$', line: x=3}", "x=3\n", "line replaced"),
    ("a x\n", "{search_string: ' x', line: b}", "b\n", "line replaced"),
    ("a\n", "{regexp: ^x=, line: x=3}", "a\nx=3\n", "line added"),
    ("a\nx=3\nb\n", "{regexp: ^y, line: x=3}", "a\nx=3\nb\n", ""),
    ("a\nb\na\nc\n", "{line: n, insertafter: ^a}", "a\nb\na\nn\nc\n", "line added"),
    ("a\nb\na\nc\n", "{line: n, insertafter: ^a, firstmatch: true}", "a\nn\nb\na\nc\n", "line added"),
    ("a\nb\nb\n", "{line: n, insertbefore: ^b}", "a\nb\nn\nb\n", "line added"),
    ("a\n", "{line: n, insertbefore: BOF}", "n\na\n", "line added"),
    ("a\n", "{line: n, insertafter: EOF}", "a\nn\n", "line added"),
    ("a\n", "{line: n, insertafter: ^zzz}", "a\nn\n", "line added"),
    ("a", "{line: n, insertafter: ^a}", "a\nn\n", "line added"),
    (
        "k = 1\n",
        "{regexp: '^(k) = (?P<v>\\d)', line: '\\1=\\g<v>0', backrefs: true}",
        "k=10\n",
        "line replaced",
    ),
    ("z\n", "{regexp: '^(k)', line: '\\1', backrefs: true}", "z\n", ""),
    ("a\nb\na\n", "{regexp: ^a, state: absent}", "b\n", "2 line(s) removed"),
    ("a\nab\n", "{line: a, state: absent}", "ab\n", "1 line(s) removed"),
    ("a\nab\n", "{search_string: b, state: absent}", "a\n", "1 line(s) removed"),
    ("a\r\nb\r\n", "{line: b}", "a\r\nb\r\n", ""),
];

#[test]
fn lines_are_found_replaced_added_and_removed() {
    for (before, args, after, message) in CASES {
        let mut host = FakeHost::new().file("/f", before);
        let args = args.trim_start_matches('{').trim_end_matches('}');
        let args = format!("{{path: /f, {args}}}");
        let changes = before != after;
        assert_eq!(host.check::<Args>(&args).unwrap().changed, changes, "{args}");
        let outcome = host.play::<Args>(&args).unwrap();
        assert_eq!((host.text("/f").as_str(), outcome.changed), (*after, changes), "{args}");
        assert_eq!(outcome.fields["msg"].to_string(), *message, "{args}");
        assert_eq!(outcome.diff.len(), usize::from(changes));
        let again = host.play::<Args>(&args).unwrap();
        let settles = !args.contains("backrefs") && !args.contains("search_string: ' x'");
        assert!(!(settles && again.changed), "{args}: the second run changes something");
    }
}

#[test]
fn files_are_made_kept_and_validated() {
    let mut host = FakeHost::new();
    let fail = host.play::<Args>("{path: /etc/d/f, line: a}").unwrap_err();
    assert_eq!(fail.msg, "Destination /etc/d/f does not exist !");
    assert_eq!(fail.fields["rc"].as_int(), Some(257));
    host.converge::<Args>("{path: /etc/d/f, line: a, create: true, mode: '0600'}");
    assert_eq!((host.text("/etc/d/f").as_str(), host.mode("/etc/d/f")), ("a\n", 0o600));
    let outcome = host.converge::<Args>("{path: /etc/d/f, line: b, backup: true, mode: '0640'}");
    assert_eq!(outcome.fields["backup"].to_string(), "/etc/d/f.1.2026-01-01@00:00:00~");
    assert_eq!(
        outcome.fields["msg"].to_string(),
        "line added and ownership, perms or SE linux context changed"
    );
    let mut host = host.answer("check", 1, "");
    assert!(host.play::<Args>("{path: /etc/d/f, line: c, validate: 'check %s'}").is_err());
    assert_eq!(host.text("/etc/d/f"), "a\nb\n");
    let outcome = host.play::<Args>("{path: /none, line: a, state: absent}").unwrap();
    assert_eq!(outcome.fields["msg"].to_string(), "file not present");
}

#[test]
fn bytes_that_are_no_text_survive() {
    let mut host = FakeHost::new().file("/f", b"\xff\xfe\nx=1\n");
    host.converge::<Args>("{path: /f, regexp: ^x, line: x=2}");
    assert_eq!(host.read(Path::new("/f")).unwrap().unwrap(), b"\xff\xfe\nx=2\n");
}

#[test]
fn contradictions_are_refused() {
    for (args, message) in [
        ("{path: /f}", "line is required with state=present"),
        ("{path: /f, state: absent}", "one of line, search_string, or regexp is required with state=absent"),
        ("{path: /f, line: a, backrefs: true}", "regexp is required with backrefs=true"),
        ("{path: /f, line: a, regexp: a, search_string: a}", "regexp and search_string exclude each other"),
        ("{path: /etc, line: a}", "Path /etc is a directory !"),
    ] {
        assert_eq!(FakeHost::new().file("/f", "").play::<Args>(args).unwrap_err().msg, message);
    }
    let fail = FakeHost::new().file("/f", "").play::<Args>("{path: /f, line: a, regexp: '('}").unwrap_err();
    assert!(fail.msg.starts_with("regexp: '(' is no pattern"));
}
