//! Tests of `ini_file`.

use super::Args;
use crate::modules::api::Value;
use crate::modules::api::fake::FakeHost;

const TEXT: &str = "top = 1\n\n[a]\n# x = old\nx = 1\ny=2\n\n# end of a\n[b]\nx = 9\n";

#[test]
fn options_are_set_where_they_are() {
    for (args, before, after, msg) in [
        ("section: a, option: x, value: 2", TEXT, TEXT.replace("x = 1", "x = 2"), "option changed"),
        ("section: a, option: y, value: 2", TEXT, TEXT.replace("y=2", "y = 2"), "option changed"),
        ("section: a, option: z, value: 3", TEXT, TEXT.replace("y=2\n", "y=2\nz = 3\n"), "option added"),
        (
            "section: a, option: z, value: 3, no_extra_spaces: true",
            TEXT,
            TEXT.replace("y=2\n", "y=2\nz=3\n"),
            "option added",
        ),
        ("option: top, value: '2'", TEXT, TEXT.replace("top = 1", "top = 2"), "option changed"),
        ("option: new, value: n", TEXT, TEXT.replace("top = 1\n", "top = 1\nnew = n\n"), "option added"),
        ("section: c, option: o, value: v", TEXT, format!("{TEXT}[c]\no = v\n"), "section and option added"),
        ("section: c", TEXT, format!("{TEXT}[c]\n"), "only section added"),
        (
            "section: a, option: alone, allow_no_value: true",
            TEXT,
            TEXT.replace("y=2\n", "y=2\nalone\n"),
            "option added",
        ),
        (
            "section: a, option: x, values: ['1', '5']",
            TEXT,
            TEXT.replace("# x = old", "x = 5"),
            "option changed",
        ),
        (
            "section: a, option: x, values: ['5'], exclusive: false",
            TEXT,
            TEXT.replace("y=2\n", "y=2\nx = 5\n"),
            "option added",
        ),
        (
            "section: a, option: x, value: q",
            "[a]\nx = 1\nx = 2\n",
            "[a]\nx = q\n".to_owned(),
            "option changed",
        ),
        ("section: a, option: x, value: q", "[a]\n;x = 1\n", "[a]\nx = q\n".to_owned(), "option changed"),
        (
            "section: a, option: x, value: q, modify_inactive_option: false",
            "[a]\n;x = 1\n",
            "[a]\nx = q\n;x = 1\n".to_owned(),
            "option added",
        ),
        ("section: a b, option: x, value: ''", "[ a b ]\n", "[ a b ]\nx = \n".to_owned(), "option added"),
        (
            "section: a, option: x.y, value: q",
            "[a]\nxzy = 1",
            "[a]\nxzy = 1\nx.y = q\n".to_owned(),
            "option added",
        ),
        ("option: x, value: q", "", "x = q\n".to_owned(), "option added"),
    ] {
        let mut host = FakeHost::new().file("/etc/x.ini", before);
        let outcome = host.converge::<Args>(&format!("{{path: /etc/x.ini, {args}}}"));
        assert_eq!(host.text("/etc/x.ini"), after, "{args}");
        assert_eq!(outcome.fields["msg"], Value::from(msg), "{args}");
    }
}

#[test]
fn options_and_sections_are_removed() {
    for (args, after, msg) in [
        ("section: a, option: x", TEXT.replace("x = 1\n", ""), "option changed"),
        (
            "section: a, option: x, value: '1', exclusive: false",
            TEXT.replace("x = 1\n", ""),
            "option changed",
        ),
        ("section: b", TEXT.replace("[b]\nx = 9\n", ""), "section removed"),
        ("option: top", TEXT.replace("top = 1\n", ""), "option changed"),
    ] {
        let mut host = FakeHost::new().file("/etc/x.ini", TEXT);
        let outcome = host.converge::<Args>(&format!("{{dest: /etc/x.ini, state: absent, {args}}}"));
        assert_eq!(host.text("/etc/x.ini"), after, "{args}");
        assert_eq!(outcome.fields["msg"], Value::from(msg));
    }
    for args in [
        "section: nosuch",
        "section: a, option: nosuch",
        "section: a, option: x, value: '7', exclusive: false",
    ] {
        let mut host = FakeHost::new().file("/etc/x.ini", TEXT);
        let outcome = host.play::<Args>(&format!("{{path: /etc/x.ini, state: absent, {args}}}")).unwrap();
        assert!(!outcome.changed && outcome.fields["msg"] == Value::from("OK"), "{args}");
    }
}

#[test]
fn what_is_right_stays_as_it_is() {
    for args in [
        "section: a, option: x, value: '1'",
        "section: a, option: y, value: '2', ignore_spaces: true",
        "section: a, option: y, value: '2', no_extra_spaces: true",
        "section: b",
        "section: a, option: x, values: ['1'], exclusive: false",
    ] {
        let mut host = FakeHost::new().file("/etc/x.ini", TEXT);
        assert!(!host.play::<Args>(&format!("{{path: /etc/x.ini, {args}}}")).unwrap().changed, "{args}");
        assert_eq!(host.touches, 0);
    }
}

#[test]
fn of_sections_with_one_name_the_right_one_is_taken() {
    let text = "[peer]\nkey = 1\nip = a\n[peer]\nkey = 2\nip = b\n";
    let mut host = FakeHost::new().file("/etc/x.ini", text);
    let has = |key: &str| format!("section_has_values: [{{option: key, value: '{key}'}}]");
    host.converge::<Args>(&format!(
        "{{path: /etc/x.ini, section: peer, option: ip, value: c, {}}}",
        has("2")
    ));
    assert_eq!(host.text("/etc/x.ini"), text.replace("ip = b", "ip = c"));
    host.converge::<Args>(&format!(
        "{{path: /etc/x.ini, section: peer, option: ip, value: d, {}}}",
        has("3")
    ));
    assert!(host.text("/etc/x.ini").ends_with("[peer]\nkey = 3\nip = d\n"));
}

#[test]
fn files_are_made_with_their_attributes_and_kept() {
    let mut host = FakeHost::new();
    host.converge::<Args>("{path: /etc/new/x.ini, section: s, option: o, value: v, mode: '0600'}");
    assert_eq!((host.text("/etc/new/x.ini").as_str(), host.mode("/etc/new/x.ini")), ("[s]\no = v\n", 0o600));
    let outcome =
        host.converge::<Args>("{path: /etc/new/x.ini, section: s, option: o, value: w, backup: true}");
    assert_eq!(host.text(&outcome.fields["backup_file"].to_string()), "[s]\no = v\n");
    host.converge::<Args>("{path: /etc/new/x.ini, section: s, mode: '0644'}");
    for (args, msg) in [
        ("{path: /etc/nosuch, section: s, create: false}", "does not exist"),
        ("{path: /etc/x, section: s, option: o}", "must be defined"),
        ("{path: /etc/x, section: s, option: o, value: a, values: [b]}", "value|values"),
        ("{path: /etc/x, section: \"s]\\n[t\", option: o, value: a}", "on one line"),
    ] {
        let fail = host.play::<Args>(args).unwrap_err();
        assert!(fail.msg.contains(msg), "{args}: {}", fail.msg);
    }
}
