//! Tests of `mysql_user` with a scripted server.

use super::{Args, native};
use crate::modules::api::fake::FakeHost;
use crate::modules::api::{Ran, Value};

const CLIENT: &str = "mysql --batch --skip-column-names --connect-timeout=30";

/// A server that answers one question after the other.
fn host(answers: &[&str]) -> FakeHost {
    answers.iter().fold(FakeHost::new(), |host, answer| host.answer(CLIENT, 0, answer))
}

fn said(host: &FakeHost) -> String {
    String::from_utf8_lossy(&host.stdin).into_owned()
}

#[test]
fn a_new_account_gets_password_and_privileges() {
    for (args, version, statements) in [
        (
            "password: it's, priv: 'd.*:ALL'",
            "8.0",
            "CREATE USER 'a'@'localhost' IDENTIFIED BY 'it''s';\nGRANT ALL PRIVILEGES ON `d`.* TO 'a'@'localhost';\n",
        ),
        (
            "password: '*AB', encrypted: true",
            "8.0",
            "CREATE USER 'a'@'localhost' IDENTIFIED WITH mysql_native_password AS '*AB';\n",
        ),
        (
            "password: '*AB', encrypted: true",
            "10.6-MariaDB",
            "CREATE USER 'a'@'localhost' IDENTIFIED BY PASSWORD '*AB';\n",
        ),
        (
            "plugin: unix_socket, host: H.example",
            "10.6-MariaDB",
            "CREATE USER 'a'@'h.example' IDENTIFIED WITH `unix_socket`;\n",
        ),
        (
            "tls_requires: {SSL: null}, sql_log_bin: false",
            "8.0",
            "SET SQL_LOG_BIN = 0;\nCREATE USER 'a'@'localhost' REQUIRE SSL;\n",
        ),
        (
            "tls_requires: {subject: /x, ISSUER: y}",
            "8.0",
            "CREATE USER 'a'@'localhost' REQUIRE ISSUER 'y' AND SUBJECT '/x';\n",
        ),
    ] {
        let mut host = host(&["other\n", version, ""]);
        let args = format!("{{name: a, {args}}}");
        let outcome = host.play::<Args>(&args).unwrap();
        assert!(outcome.changed && outcome.fields["msg"] == Value::from("User added"), "{args}");
        assert_eq!(said(&host), statements, "{args}");
        assert!(!host.ran[0].contains("it's"));
    }
}

#[test]
fn an_account_that_is_right_is_left_alone() {
    let hash = native("pw").unwrap();
    assert_eq!(native("password").unwrap(), "*2470C0C06DEE42FD1618BB99005ADCA2EC9D1E19");
    let row = format!("mysql_native_password\t{hash}\tANY\t\t\t\n");
    let grants = "GRANT USAGE ON *.* TO `a`@`localhost`\nGRANT SELECT ON `d`.* TO `a`@`localhost`\n";
    for args in [
        "password: pw, priv: 'd.*:SELECT', tls_requires: {SSL: null}",
        "password: other, update_password: on_create, priv: 'd.*:SELECT'",
        "priv: {d.*: select}, append_privs: true",
        "priv: 'd.*:INSERT', subtract_privs: true",
        "plugin: mysql_native_password, priv: 'd.*:SELECT'",
    ] {
        let mut host = host(&["localhost\n", "8.0\n", &row, grants]);
        let outcome = host.play::<Args>(&format!("{{name: a, {args}}}")).unwrap();
        assert!(!outcome.changed && host.ran.is_empty(), "{args}");
    }
}

#[test]
fn what_differs_is_changed() {
    let row = "mysql_native_password\t*00\t\t\t\t\n";
    let grants = "GRANT SELECT ON `d`.* TO `a`@`localhost`\n";
    for (args, msg, statements) in [
        (
            "password: '*11', encrypted: true",
            "Password updated (new style)",
            "ALTER USER 'a'@'localhost' IDENTIFIED WITH mysql_native_password AS '*11';\n",
        ),
        (
            "priv: 'd.*:INSERT'",
            "Privileges updated",
            "REVOKE SELECT ON `d`.* FROM 'a'@'localhost';\nGRANT INSERT ON `d`.* TO 'a'@'localhost';\n",
        ),
        ("tls_requires: {X509: null}", "TLS requires updated", "ALTER USER 'a'@'localhost' REQUIRE X509;\n"),
    ] {
        let mut host = host(&["localhost\n", "8.0\n", row, grants, ""]);
        let args = format!("{{name: a, {args}}}");
        assert_eq!(host.play::<Args>(&args).unwrap().fields["msg"], Value::from(msg));
        assert_eq!(said(&host), statements, "{args}");
    }
}

#[test]
fn a_hash_that_can_not_be_compared_is_tried() {
    let row = "caching_sha2_password\t$A$005$x\t\t\t\t\n";
    let login = "mysql --no-defaults --user=a --batch";
    for (rc, changed) in [(0, false), (1, true)] {
        let ran = Ran { rc, ..Ran::default() };
        let mut host = host(&["localhost\n", "8.0\n", row, ""]).answer_with(login, ran, None);
        assert_eq!(host.play::<Args>("{name: a, password: pw}").unwrap().changed, changed);
    }
}

#[test]
fn accounts_are_removed() {
    let mut host = host(&["localhost\n%\n", "8.0\n", ""]);
    host.play::<Args>("{name: '', host_all: true, state: absent}").unwrap();
    assert_eq!(said(&host), "DROP USER ''@'localhost';\nDROP USER ''@'%';\n");
    let mut host = self::host(&["", "8.0\n"]);
    let outcome = host.play::<Args>("{name: a, state: absent}").unwrap();
    assert!(!outcome.changed && outcome.fields["msg"] == Value::from("User doesn't exist"));
}
