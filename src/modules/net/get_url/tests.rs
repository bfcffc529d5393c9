//! Tests of `get_url` against a small server on this machine.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use super::{Args, headers};
use crate::modules::api::fake::FakeHost;
use crate::modules::api::{Fail, Value};

const SHA1: &str = "f572d396fae9206628714fb2ce00f72e94f2258f";
const SHA256: &str = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03";

/// A server that answers by path, and the heads of the requests it got.
struct Server {
    address: String,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let heads = Arc::new(Mutex::new(Vec::new()));
        let (seen, own) = (Arc::clone(&heads), address.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut head = String::new();
                let mut reader = BufReader::new(stream.try_clone().unwrap());
                while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
                let _ = stream.write_all(answer(&head, &own).as_bytes());
                seen.lock().unwrap().push(head);
            }
        });
        Server { address, heads }
    }

    fn last(&self) -> String {
        self.heads.lock().unwrap().last().unwrap().to_lowercase()
    }

    fn count(&self) -> usize {
        self.heads.lock().unwrap().len()
    }

    fn args(&self, path: &str, more: &str) -> String {
        format!("{{url: '{}{path}', {more}}}", self.address)
    }
}

fn answer(head: &str, own: &str) -> String {
    let path = head.split(' ').nth(1).unwrap_or_default();
    let full = |status: &str, more: &str, body: &str| {
        let body = if head.starts_with("HEAD") { "" } else { body };
        format!(
            "HTTP/1.1 {status}\r\n{more}Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    match path {
        "/a.txt" if head.to_lowercase().contains("if-modified-since") => full("304 Not Modified", "", ""),
        "/a.txt" | "/always.txt" => full("200 OK", "", "hello\n"),
        "/sums" => full("200 OK", "", &format!("{SHA256}  a.txt\n")),
        "/named" => full("200 OK", "Content-Disposition: attachment; filename=\"../../x.bin\"\r\n", "x"),
        "/moved" => full("302 Found", &format!("Location: {own}/a.txt\r\n"), ""),
        "/private" if head.to_lowercase().contains("authorization: basic dtpw") => {
            full("200 OK", "", "secret")
        }
        "/private" => full("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", ""),
        _ => full("404 Not Found", "", "no"),
    }
}

#[test]
fn a_file_is_downloaded_once_and_only_if_its_checksum_is_right() {
    let server = Server::start();
    let mut host = FakeHost::new();
    let args = server.args("/a.txt", &format!("dest: /srv/a, mode: '0640', checksum: 'sha256:{SHA256}'"));
    let outcome = host.converge::<Args>(&args);
    assert_eq!((host.text("/srv/a").as_str(), host.mode("/srv/a")), ("hello\n", 0o640));
    assert_eq!(outcome.fields["checksum_src"], Value::from(SHA1));
    assert_eq!(outcome.fields["msg"], Value::from("OK (6 bytes)"));
    assert_eq!(server.count(), 2, "the second run must not ask again");
    let wrong = server.args("/a.txt", "dest: /srv/b, checksum: 'md5:abc'");
    let fail = host.play::<Args>(&wrong).unwrap_err();
    assert!(fail.msg.contains("did not match abc; it was b1946ac92492d2347c6235b4d2611184"), "{}", fail.msg);
    assert!(!host.has("/srv/b"));
}

#[test]
fn a_list_names_the_checksum() {
    let server = Server::start();
    let args = server.args("/a.txt", &format!("dest: /srv/a, checksum: 'sha256:{}/sums'", server.address));
    FakeHost::new().converge::<Args>(&args);
    let missing =
        server.args("/always.txt", &format!("dest: /srv/a, checksum: 'sha256:{}/sums'", server.address));
    let fail = FakeHost::new().play::<Args>(&missing).unwrap_err();
    assert!(fail.msg.starts_with("Unable to find a checksum for file 'always.txt'"), "{}", fail.msg);
}

#[test]
fn without_a_checksum_the_server_is_asked_for_something_newer() {
    let server = Server::start();
    let mut host = FakeHost::new().file("/srv/a", "old");
    let outcome = host.play::<Args>(&server.args("/a.txt", "dest: /srv/a")).unwrap();
    assert_eq!((outcome.changed, outcome.fields["status_code"].as_int()), (false, Some(304)));
    assert!(server.last().contains("if-modified-since: thu, 01 jan 2026 00:00:00 gmt"), "{}", server.last());
    // A server without dates sends it all: only a difference is a change.
    let args = server.args("/always.txt", "dest: /srv/a, backup: true");
    assert!(host.check::<Args>(&args).unwrap().changed);
    let outcome = host.play::<Args>(&args).unwrap();
    assert_eq!((outcome.changed, host.text("/srv/a").as_str()), (true, "hello\n"));
    assert!(outcome.fields.contains_key("backup_file"));
    assert!(!host.check::<Args>(&args).unwrap().changed);
    assert!(!host.play::<Args>(&args).unwrap().changed);
    let forced = host.play::<Args>(&server.args("/a.txt", "dest: /srv/a, force: true")).unwrap();
    assert!(!forced.changed && server.last().contains("cache-control: no-cache"));
}

#[test]
fn attributes_of_a_right_file_are_set_without_a_download() {
    let server = Server::start();
    let mut host = FakeHost::new().file("/srv/a", "hello\n");
    let args = server.args("/a.txt", &format!("dest: /srv/a, mode: '0600', checksum: 'sha1:{SHA1}'"));
    host.converge::<Args>(&args);
    assert_eq!((server.count(), host.mode("/srv/a")), (0, 0o600));
}

#[test]
fn a_folder_gets_the_name_of_the_server_without_its_folders() {
    let server = Server::start();
    let mut host = FakeHost::new();
    host.play::<Args>(&server.args("/named", "dest: /srv")).unwrap();
    assert_eq!(host.text("/srv/x.bin"), "x");
    let outcome = host.play::<Args>(&server.args("/moved", "dest: /srv")).unwrap();
    assert_eq!(outcome.fields["dest"], Value::from("/srv/a.txt"));
}

#[test]
fn logins_and_headers_are_sent() {
    let server = Server::start();
    let mut host = FakeHost::new();
    let login = "dest: /srv/p, url_username: u, url_password: pw";
    host.play::<Args>(&server.args("/private", login)).unwrap();
    assert_eq!((host.text("/srv/p").as_str(), server.count()), ("secret", 2));
    let more = "dest: /srv/p, url_username: u, url_password: pw, force_basic_auth: true, force: true, headers: {X-A: b}";
    host.play::<Args>(&server.args("/private", more)).unwrap();
    assert_eq!(server.count(), 3);
    assert!(server.last().contains("x-a: b") && server.last().contains("user-agent: ansible-httpget"));
}

#[test]
fn failures_say_what_the_server_said() {
    let server = Server::start();
    let fail = |args: &str| -> Fail { FakeHost::new().play::<Args>(args).unwrap_err() };
    let missing = fail(&server.args("/nosuch", "dest: /srv/a"));
    assert!(missing.msg.starts_with("Request failed"), "{}", missing.msg);
    assert_eq!(missing.fields["status_code"], Value::from(404));
    assert_eq!(missing.fields["response"], Value::from("HTTP Error 404: Not Found"));
    assert_eq!(fail(&server.args("/a.txt", "dest: /no/such/a")).msg, "Destination /no/such does not exist");
    let refused = fail("{url: 'http://u:pw@127.0.0.1:1/x', dest: /srv/a, use_proxy: false}");
    assert!(
        refused.msg.contains("Connection refused") && !format!("{refused:?}").contains("pw@"),
        "{refused:?}"
    );
    assert!(
        fail(&server.args("/a.txt", "dest: /srv/a, checksum: abc")).msg.contains("<algorithm>:<checksum>")
    );
    assert!(FakeHost::new().check::<Args>(&server.args("/nosuch", "dest: /srv/a")).is_err());
}

#[test]
fn a_file_url_is_read_from_the_host() {
    let mut host = FakeHost::new().file("/srv/my file", "local");
    host.play::<Args>("{url: 'file:///srv/my%20file', dest: /srv/copy}").unwrap();
    assert_eq!(host.text("/srv/copy"), "local");
    assert!(host.play::<Args>("{url: 'file:///srv/nosuch', dest: /srv/copy}").is_err());
}

#[test]
fn headers_are_a_mapping_or_text() {
    let pairs = [("a".to_owned(), "b".to_owned()), ("c".to_owned(), "1".to_owned())];
    assert_eq!(headers(Some(&Value::from("a:b, c: 1"))).unwrap(), pairs);
    assert_eq!(headers(Some(&Value::from_pairs([("a", Value::from("b")), ("c", 1.into())]))).unwrap(), pairs);
    assert!(headers(Some(&Value::from("nonsense"))).is_err());
}
