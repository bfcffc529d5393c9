//! Tests of `wait_for`.

use std::io::Write;
use std::net::TcpListener;

use super::Args;
use crate::modules::api::Value;
use crate::modules::api::fake::FakeHost;

const QUICK: &str = "timeout: 0, sleep: 0, connect_timeout: 1";

fn play(host: &mut FakeHost, args: &str) -> Result<crate::modules::api::Outcome, String> {
    host.play::<Args>(&format!("{{{args}, {QUICK}}}")).map_err(|fail| fail.msg)
}

#[test]
fn files_come_go_and_say_something() {
    let mut host = FakeHost::new().file("/run/log", "start\nready in 12 ms\n");
    assert!(play(&mut host, "path: /run/log").is_ok());
    assert!(play(&mut host, "path: /run/nosuch, state: absent").is_ok());
    assert_eq!(
        play(&mut host, "path: /run/nosuch").unwrap_err(),
        "Timeout when waiting for file /run/nosuch"
    );
    assert_eq!(
        play(&mut host, "path: /run/log, state: absent").unwrap_err(),
        "Timeout when waiting for /run/log to be absent."
    );
    let found = play(&mut host, r"path: /run/log, search_regex: '^ready in (?P<time>\d+) (s|ms)'").unwrap();
    assert_eq!(found.fields["match_groups"].to_string(), "['12', 'ms']");
    assert_eq!(found.fields["match_groupdict"].to_string(), "{'time': '12'}");
    assert!(!found.changed);
    assert!(play(&mut host, "path: /run/log, search_regex: nothing, state: absent").is_ok());
    assert_eq!(play(&mut host, "path: /run/log, search_regex: nothing, msg: mine").unwrap_err(), "mine");
}

#[test]
fn ports_open_and_close_and_speak() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let mut host = FakeHost::new();
    assert_eq!(
        play(&mut host, &format!("port: {port}")).unwrap().fields["port"],
        Value::from(u32::from(port))
    );
    let msg = play(&mut host, &format!("port: {port}, state: stopped")).unwrap_err();
    assert_eq!(msg, format!("Timeout when waiting for 127.0.0.1:{port} to stop."));
    let speaker = std::thread::spawn(move || {
        for stream in listener.incoming().take(3) {
            // The first two connections are those of the looks above.
            let _ = stream.unwrap().write_all(b"220 mail ready\r\n");
        }
    });
    let args = format!("{{port: {port}, search_regex: '^220 (\\w+)', timeout: 5, sleep: 0}}");
    let found = host.play::<Args>(&args).unwrap();
    assert_eq!(found.fields["match_groups"].to_string(), "['mail']");
    speaker.join().unwrap();
    assert!(play(&mut host, &format!("port: {port}, state: stopped")).is_ok());
    assert!(play(&mut host, &format!("port: {port}")).is_err());
}

#[test]
fn connections_drain() {
    let row = |state: &str| format!("head\n 0: 0100007F:1F90 0200000A:C350 {state} 0\n");
    for (state, more, drained) in [
        ("01", "", false),
        ("0A", "", true),
        ("01", ", exclude_hosts: 10.0.0.2", true),
        ("01", ", host: 0.0.0.0", false),
        ("01", ", host: 10.9.9.9", true),
        ("01", ", active_connection_states: [SYN_RECV]", true),
    ] {
        let mut host = FakeHost::new().file("/proc/net/tcp", row(state));
        let found = play(&mut host, &format!("port: 8080, state: drained{more}"));
        assert_eq!(found.is_ok(), drained, "{state}{more}");
    }
}

#[test]
fn longer_times_are_waited_for_by_a_command() {
    let mut host = FakeHost::new().answer("sleep", 0, "").file("/x", "");
    host.play::<Args>("{path: /x, delay: 3}").unwrap();
    assert_eq!(host.ran, ["sleep 3"]);
}

#[test]
fn check_mode_does_not_wait() {
    assert!(FakeHost::new().check::<Args>("{path: /nosuch}").unwrap().skipped);
}

#[test]
fn what_makes_no_sense_is_refused() {
    for args in [
        "port: 1, path: /x",
        "path: /x, state: stopped",
        "state: drained",
        "path: /x, search_regex: '('",
        "port: 1, active_connection_states: [OPEN]",
    ] {
        assert!(play(&mut FakeHost::new(), args).is_err(), "{args}");
    }
    assert!(play(&mut FakeHost::new(), "state: started").is_ok());
}
