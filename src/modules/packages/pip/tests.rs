//! Tests of `pip` with scripted answers.

use super::{Args, normal, split};
use crate::modules::api::Ran;
use crate::modules::api::fake::FakeHost;

const LIST: &str = "pip3 list --format=freeze --disable-pip-version-check";

fn ran(stdout: &str) -> Ran {
    Ran { stdout: stdout.into(), ..Ran::default() }
}

/// A host with pip, whose list is the first text for check mode and the first run, the second after that.
fn host(before: &str, after: &str) -> FakeHost {
    FakeHost::new()
        .answer(LIST, 0, before)
        .answer(LIST, 0, before)
        .answer(LIST, 0, after)
        .answer("pip3 install", 0, "Successfully installed x-1")
        .answer("pip3 uninstall", 0, "  Successfully uninstalled x-1")
}

#[test]
fn missing_and_wrong_versions_are_installed() {
    for (args, line) in [
        ("name: flask", "pip3 install flask"),
        ("name: 'flask>=2,<3'", "pip3 install flask>=2,<3"),
        (
            "name: [Flask_X, requests], extra_args: '--index-url http://x/'",
            "pip3 install --index-url http://x/ Flask_X requests",
        ),
        ("name: flask, version: '2.1'", "pip3 install flask==2.1"),
        ("name: flask, editable: true", "pip3 install -e flask"),
    ] {
        let mut host = host("flask==1.0\nrequests==2.0\n", "flask==2.1\nflask-x==1\nrequests==2.0\n");
        if args == "name: flask" || args.ends_with("editable: true") {
            host = self::host("other==1\n", "flask==1\n");
        }
        host.converge::<Args>(&format!("{{{args}}}"));
        assert_eq!(host.ran, [line], "{args}");
    }
}

#[test]
fn packages_are_removed_once() {
    let mut host = host("x==1\ny==2\n", "y==2\n");
    host.converge::<Args>("{name: [X, absent], state: absent}");
    assert_eq!(host.ran, ["pip3 uninstall -y X"]);
}

#[test]
fn pip_itself_says_what_nothing_else_knows() {
    for (args, words) in [
        ("requirements: r.txt", "-r r.txt"),
        ("name: x, state: latest", "-U x"),
        ("name: 'git+https://h/x@main'", "git+https://h/x@main"),
        ("name: 'x[extra]'", "x[extra]"),
    ] {
        let host = || FakeHost::new().answer(LIST, 0, "x==1\n");
        for (said, changed) in [("Would install x-2", true), ("Requirement already satisfied", false)] {
            let mut host = host().answer(&format!("pip3 install --dry-run {words}"), 0, said);
            assert_eq!(host.check::<Args>(&format!("{{{args}}}")).unwrap().changed, changed, "{args}");
        }
        let mut old = host().answer("pip3 install --dry-run", 2, "no such option");
        assert!(old.check::<Args>(&format!("{{{args}}}")).unwrap().changed);
        let mut same = host().answer(&format!("pip3 install {words}"), 0, "Requirement already satisfied");
        assert!(!same.play::<Args>(&format!("{{{args}}}")).unwrap().changed, "{args}");
        let mut new = FakeHost::new().answer(LIST, 0, "x==1\n").answer(LIST, 0, "x==2\n");
        new = new.answer(&format!("pip3 install {words}"), 0, "");
        assert!(new.play::<Args>(&format!("{{{args}}}")).unwrap().changed, "{args}");
    }
    let mut host =
        FakeHost::new().answer("pip3 install -U --force-reinstall x", 0, "Successfully installed x-1");
    assert!(host.check::<Args>("{name: x, state: forcereinstall}").unwrap().changed);
    assert!(host.play::<Args>("{name: x, state: forcereinstall}").unwrap().changed);
}

#[test]
fn virtual_environments_are_made() {
    let list = "/v/bin/pip list --format=freeze --disable-pip-version-check";
    for (more, line) in [
        ("", "python3 -m venv /v"),
        (
            ", virtualenv_command: python3.11 -m venv, virtualenv_site_packages: true",
            "python3.11 -m venv --system-site-packages /v",
        ),
        (
            ", virtualenv_command: /opt/virtualenv, virtualenv_python: python3.9",
            "/opt/virtualenv -ppython3.9 /v",
        ),
    ] {
        let make = |host: &mut FakeHost| {
            *host = std::mem::take(host).file("/v/bin/activate", "").file("/v/bin/pip", "");
        };
        let mut host = FakeHost::new()
            .answer_with(line.split(" /v").next().unwrap(), ran(""), Some(Box::new(make)))
            .answer(list, 0, "x==1\n")
            .answer("/v/bin/pip install x", 0, "Successfully installed x-1");
        host.converge::<Args>(&format!("{{name: x, virtualenv: /v{more}}}"));
        assert_eq!(host.ran, [line, "/v/bin/pip install x"]);
    }
    let mut host = FakeHost::new().answer("virtualenv", 0, "");
    host.play::<Args>("{virtualenv: /v}").unwrap();
    assert_eq!(host.ran, ["virtualenv /v"]);
    assert!(!host.play::<Args>("{virtualenv: /w, name: x, state: absent}").unwrap().changed);
    let wrong = "{virtualenv: /v, virtualenv_command: python3 -m venv, virtualenv_python: python3.9}";
    assert!(host.play::<Args>(wrong).unwrap_err().msg.contains("virtualenv_python should not be used"));
}

#[test]
fn the_pip_is_found_or_its_absence_said() {
    let mut host = FakeHost::new().answer("python3 -m pip list --format=freeze", 0, "x==1").answer(
        "python3 -m pip --version",
        0,
        "",
    );
    assert!(!host.play::<Args>("{name: x}").unwrap().changed);
    let mut host = FakeHost::new().answer("pip3.9 list --format=freeze", 0, "x==1");
    assert!(!host.play::<Args>("{name: x, executable: pip3.9}").unwrap().changed);
    for (args, msg) in [
        ("{name: x}", "pip needs to be installed"),
        ("{name: x, executable: pip9}", "Unable to find pip9"),
        ("{name: x, executable: a, virtualenv: b}", "executable|virtualenv"),
        ("{state: present}", "one of the following is required"),
        ("{name: x, requirements: r}", "name|requirements"),
        ("{name: [x, y], version: 1}", "ambiguous"),
        ("{name: 'x>1', version: 1}", "conflicts with any version specifier"),
        ("{name: '--upgrade'}", "is no package"),
    ] {
        let fail = FakeHost::new().play::<Args>(args).unwrap_err();
        assert!(fail.msg.contains(msg), "{args}: {}", fail.msg);
    }
    let mut host = self::host("", "").answer("pip3 install nosuch", 1, "");
    let fail = host.play::<Args>("{name: nosuch}").unwrap_err();
    assert!(fail.fields.contains_key("cmd") && fail.msg.starts_with("pip failed"), "{fail:?}");
    assert!(host.play::<Args>("{name: x, umask: '9'}").unwrap_err().msg.contains("octal"));
}

#[test]
fn names_and_conditions_are_told_apart() {
    for (package, parts) in [
        ("x", Some(("x", ""))),
        ("x >= 1", Some(("x", ">= 1"))),
        ("./x", None),
        ("x[y]", None),
        ("x; python_version > '3'", None),
        ("https://h/x.whl", None),
    ] {
        assert_eq!(split(package), parts, "{package}");
    }
    assert_eq!(normal("Foo._-Bar"), "foo-bar");
}
