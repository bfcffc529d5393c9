//! Tests of `uri` against a small server on this machine.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::sync::{Arc, Mutex};

use super::Args;
use crate::modules::api::fake::FakeHost;
use crate::modules::api::{Outcome, Value};

/// A server that answers by path, and the requests it got, heads in lower case.
struct Server {
    address: String,
    got: Arc<Mutex<Vec<String>>>,
}

impl Server {
    fn start() -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let got = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&got);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                seen.lock().unwrap().push(serve(stream.try_clone().unwrap(), stream));
            }
        });
        Server { address, got }
    }

    fn last(&self) -> String {
        self.got.lock().unwrap().last().unwrap().clone()
    }

    fn count(&self) -> usize {
        self.got.lock().unwrap().len()
    }

    fn ask(&self, path: &str, more: &str) -> Outcome {
        self.ask_on(&mut FakeHost::new(), path, more)
    }

    fn ask_on(&self, host: &mut FakeHost, path: &str, more: &str) -> Outcome {
        host.play::<Args>(&format!("{{url: '{}{path}', {more}}}", self.address)).unwrap()
    }
}

fn serve(from: impl Read, mut to: impl Write) -> String {
    let mut reader = BufReader::new(from);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
    let lower = head.to_lowercase();
    let length = lower.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
    let mut body = vec![0; length.trim().parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    let body = String::from_utf8_lossy(&body).into_owned();
    let _ = to.write_all(answer(&lower, &body).as_bytes());
    format!("{lower}{body}")
}

fn answer(head: &str, body: &str) -> String {
    let mut words = head.split(' ');
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let full = |status: &str, more: &str, body: &str| {
        let body = if method == "head" { "" } else { body };
        format!(
            "HTTP/1.1 {status}\r\n{more}Connection: close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
    };
    match path {
        "/text" if head.contains("if-modified-since") => full("304 Not Modified", "", ""),
        "/text" => full("200 OK", "Content-Type: text/plain\r\nX-Some-Thing: 1\r\n", "hello"),
        "/json" => full("200 OK", "Content-Type: application/json\r\n", "{\"a\": [1, null]}"),
        "/echo" => full("201 Created", "", body),
        "/moved" => full("302 Found", "Location: text\r\nSet-Cookie: s=1; Path=/\r\n", ""),
        "/kept" => full("307 Temporary Redirect", "Location: /echo\r\n", ""),
        "/round" => full("301 Moved Permanently", "Location: /round\r\n", ""),
        "/cookies" => full("200 OK", "Set-Cookie: a=b; HttpOnly\r\nSet-Cookie: c=d\r\n", ""),
        "/private" if head.contains("authorization: basic dtpw") => full("200 OK", "", "in"),
        "/private" => full("401 Unauthorized", "WWW-Authenticate: Basic realm=\"x\"\r\n", ""),
        _ => full("404 Not Found", "Content-Type: application/json\r\n", "{\"why\": \"no\"}"),
    }
}

#[test]
fn the_answer_is_the_result() {
    let server = Server::start();
    let outcome = server.ask("/text", "return_content: true");
    let field = |name: &str| outcome.fields[name].to_string();
    assert!(!outcome.changed && !outcome.failed);
    assert_eq!(
        (field("status"), field("content"), field("msg")),
        ("200".into(), "hello".into(), "OK (5 bytes)".into())
    );
    assert_eq!(
        (field("x_some_thing"), field("redirected"), field("elapsed")),
        ("1".into(), "False".into(), "0".into())
    );
    assert_eq!(field("url"), format!("{}/text", server.address));
    assert!(server.last().contains("user-agent: ansible-httpget"));
    let outcome = server.ask("/json", "");
    assert_eq!(outcome.fields["json"].get("a").unwrap().as_list().unwrap(), [Value::from(1), Value::Null]);
    assert!(!outcome.fields.contains_key("content"));
}

#[test]
fn other_statuses_fail_unless_they_are_wanted() {
    let server = Server::start();
    let outcome = server.ask("/nosuch", "");
    assert!(outcome.failed);
    let msg = outcome.fields["msg"].to_string();
    assert_eq!(msg, "Status code was 404 and not [200]: HTTP Error 404: Not Found");
    assert_eq!(outcome.fields["json"].get("why"), Some(&Value::from("no")));
    for (wanted, failed) in [
        ("404", false),
        ("[200, 404]", false),
        ("'200,404'", false),
        ("400-499", false),
        ("[200, 201-299]", true),
    ] {
        assert_eq!(server.ask("/nosuch", &format!("status_code: {wanted}")).failed, failed, "{wanted}");
    }
    assert!(FakeHost::new().play::<Args>("{url: 'http://x', status_code: abc}").is_err());
}

#[test]
fn no_answer_at_all_is_status_minus_one() {
    let ask = |more: &str| {
        let args = format!("{{url: 'http://u:pw@127.0.0.1:1/x', use_proxy: false{more}}}");
        FakeHost::new().play::<Args>(&args).unwrap()
    };
    let outcome = ask("");
    assert!(outcome.failed && !format!("{outcome:?}").contains("pw@"), "{outcome:?}");
    assert_eq!(outcome.fields["status"], Value::from(-1));
    assert!(outcome.fields["msg"].to_string().contains("Connection refused"), "{outcome:?}");
    assert!(!ask(", status_code: [200, -1]").failed);
}

#[test]
fn bodies_are_written_as_asked_for() {
    let server = Server::start();
    for (more, content_type, sent) in [
        ("body: {a: [1, 'ä']}, body_format: json", "application/json", r#"{"a":[1,"ä"]}"#),
        (r#"body: '{"a": 1}', body_format: json"#, "application/json", r#"{"a": 1}"#),
        ("body: {a: b c}, body_format: form-urlencoded", "application/x-www-form-urlencoded", "a=b+c"),
        ("body: plain", "", "plain"),
        ("body: {a: 1}, body_format: json, headers: {content-type: x/y}", "x/y", r#"{"a":1}"#),
    ] {
        let outcome =
            server.ask("/echo", &format!("method: post, status_code: 201, return_content: true, {more}"));
        assert_eq!(outcome.fields["content"].to_string(), sent, "{more}");
        let line = server.last().lines().find_map(|it| it.strip_prefix("content-type: ").map(str::to_owned));
        assert_eq!(line.unwrap_or_default(), content_type, "{more}");
        assert!(server.last().starts_with("post /echo http/1.1\r\n"));
    }
    assert!(
        FakeHost::new()
            .play::<Args>("{url: 'http://x', body: {a: 1}}")
            .unwrap_err()
            .msg
            .contains("body_format")
    );
    let both = FakeHost::new().play::<Args>("{url: 'http://x', body: a, src: b}").unwrap_err();
    assert!(both.msg.contains("mutually exclusive"));
}

#[test]
fn a_body_goes_with_any_method_and_a_post_without_one_says_so() {
    let server = Server::start();
    let outcome = server.ask("/echo", "method: DELETE, body: x, status_code: 201, return_content: true");
    assert_eq!(outcome.fields["content"], Value::from("x"));
    server.ask("/echo", "method: POST, status_code: 201");
    assert!(server.last().contains("content-length: 0"));
    assert!(FakeHost::new().play::<Args>("{url: 'http://x', method: 'GET x'}").is_err());
}

#[test]
fn files_are_sent_from_the_controller_or_the_host() {
    let server = Server::start();
    let more = "method: PUT, status_code: 201, return_content: true";
    let mut host = FakeHost::new().blob("", 0o644, "from here").file("/srv/f", "from there");
    let outcome = server.ask_on(&mut host, "/echo", &format!("{more}, src: f"));
    assert_eq!(outcome.fields["content"], Value::from("from here"));
    let outcome = server.ask_on(&mut host, "/echo", &format!("{more}, src: /srv/f, remote_src: true"));
    assert_eq!(outcome.fields["content"], Value::from("from there"));
    let form = "body_format: form-multipart, body: {a: text, file: {filename: x/up.json}, own: {content: c, filename: n.txt}}";
    let mut host = FakeHost::new().blob("file", 0o644, "{}");
    let outcome = server.ask_on(&mut host, "/echo", &format!("{more}, {form}"));
    let content = outcome.fields["content"].to_string();
    for piece in [
        "form-data; name=\"a\"\r\n\r\ntext\r\n--",
        "name=\"file\"; filename=\"up.json\"\r\nContent-Type: application/json\r\n\r\n{}\r\n--",
        "name=\"own\"; filename=\"n.txt\"\r\nContent-Type: text/plain\r\n\r\nc\r\n--",
    ] {
        assert!(content.contains(piece), "{content}");
    }
    let boundary = content.lines().next().unwrap();
    assert!(content.ends_with(&format!("{boundary}--\r\n")));
    let missing = FakeHost::new().play::<Args>("{url: 'http://x', src: /no, remote_src: true}").unwrap_err();
    assert_eq!(missing.msg, "Unable to open source file /no");
}

#[test]
fn redirects_are_followed_as_asked_for_and_keep_cookies() {
    let server = Server::start();
    let outcome = server.ask("/moved", "");
    assert_eq!(outcome.fields["url"].to_string(), format!("{}/text", server.address));
    assert_eq!(outcome.fields["redirected"], Value::from(true));
    assert!(server.last().contains("cookie: s=1"), "{}", server.last());
    let outcome = server.ask("/moved", "follow_redirects: none, status_code: 302");
    assert_eq!(outcome.fields["location"].to_string(), format!("{}/text", server.address));
    assert!(server.ask("/moved", "method: POST").failed, "safe does not follow a POST");
    let more = "method: POST, follow_redirects: all, body: b, unredirected_headers: [X-A], headers: {x-a: 1, x-b: 2}";
    let outcome = server.ask("/kept", &format!("{more}, status_code: 201, return_content: true"));
    assert_eq!(outcome.fields["content"], Value::from("b"));
    assert!(!server.last().contains("x-a:") && server.last().contains("x-b: 2"));
    let outcome = server.ask("/round", "");
    assert!(outcome.fields["msg"].to_string().contains("more than 10 times"), "{outcome:?}");
}

#[test]
fn a_login_does_not_go_to_another_server() {
    let server = Server::start();
    let more = "url_username: u, url_password: pw, return_content: true";
    assert_eq!(server.ask("/private", more).fields["content"], Value::from("in"));
    assert_eq!(server.count(), 2);
    server.ask("/private", &format!("{more}, force_basic_auth: true"));
    assert_eq!(server.count(), 3);
    let mut host = FakeHost::new().file("/root/.netrc", "machine 127.0.0.1 login u password pw\n");
    assert!(!server.ask_on(&mut host, "/private", "").failed);
    assert!(server.ask_on(&mut host, "/private", "use_netrc: false").failed);
    let away = TcpListener::bind("127.0.0.1:0").unwrap();
    let target = format!("http://{}", away.local_addr().unwrap());
    let back = server.address.clone();
    std::thread::spawn(move || {
        let (mut stream, _) = away.accept().unwrap();
        let mut head = String::new();
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        while !head.ends_with("\r\n\r\n") && reader.read_line(&mut head).unwrap() > 0 {}
        let line = format!("HTTP/1.1 302 Found\r\nLocation: {back}/text\r\nContent-Length: 0\r\n\r\n");
        stream.write_all(line.as_bytes()).unwrap();
    });
    let args = format!(
        "{{url: '{target}/', url_username: u, url_password: pw, force_basic_auth: true, headers: {{Cookie: x}}}}"
    );
    FakeHost::new().play::<Args>(&args).unwrap();
    assert!(
        !server.last().contains("authorization") && !server.last().contains("cookie"),
        "{}",
        server.last()
    );
}

#[test]
fn cookies_are_returned() {
    let outcome = Server::start().ask("/cookies", "");
    assert_eq!(outcome.fields["cookies"].get("a"), Some(&Value::from("b")));
    assert_eq!(outcome.fields["cookies_string"], Value::from("a=b; c=d"));
    assert_eq!(outcome.fields["set_cookie"], Value::from("a=b; HttpOnly, c=d"));
}

#[test]
fn an_answer_goes_to_a_file_once() {
    let server = Server::start();
    let mut host = FakeHost::new();
    let more = "dest: /srv, mode: '0600'";
    let outcome = server.ask_on(&mut host, "/text", more);
    assert_eq!((outcome.changed, outcome.fields["path"].to_string()), (true, "/srv/text".into()));
    assert_eq!((host.text("/srv/text").as_str(), host.mode("/srv/text")), ("hello", 0o600));
    assert!(!server.ask_on(&mut host, "/text", more).changed);
    let outcome = server.ask_on(&mut host, "/text", "dest: /srv/text, mode: '0600'");
    assert_eq!(
        (outcome.changed, outcome.failed, outcome.fields["status"].as_int()),
        (false, false, Some(304))
    );
    let outcome = server.ask_on(&mut host, "/text", "dest: /srv/text, force: true, return_content: true");
    assert_eq!((outcome.changed, outcome.fields["content"].to_string()), (false, "hello".into()));
    assert!(server.last().contains("cache-control: no-cache"));
    assert!(server.ask_on(&mut host, "/nosuch", "dest: /srv/other").failed && !host.has("/srv/other"));
}

#[test]
fn files_that_are_there_or_not_make_it_needless() {
    let server = Server::start();
    let mut host = FakeHost::new().file("/srv/a", "");
    let outcome = server.ask_on(&mut host, "/text", "creates: /srv/a");
    assert_eq!(outcome.fields["stdout"], Value::from("skipped, since '/srv/a' exists"));
    let outcome = server.ask_on(&mut host, "/text", "removes: /srv/b");
    assert_eq!(outcome.fields["stdout"], Value::from("skipped, since '/srv/b' does not exist"));
    assert_eq!(server.count(), 0);
    server.ask_on(&mut host, "/text", "creates: /srv/b, removes: /srv/a");
    assert_eq!(server.count(), 1);
    let checked = host.check::<Args>(&format!("{{url: '{}/text'}}", server.address)).unwrap();
    assert!(checked.skipped && !checked.changed);
    assert_eq!(server.count(), 1, "check mode must not ask");
}

#[test]
fn a_socket_of_the_host_answers_too() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let listener = UnixListener::bind(&path).unwrap();
    std::thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        serve(stream.try_clone().unwrap(), stream);
    });
    let args = format!("{{url: 'http://anything/json', unix_socket: '{}'}}", path.display());
    let outcome = FakeHost::new().play::<Args>(&args).unwrap();
    assert!(outcome.fields.contains_key("json"), "{outcome:?}");
    let gone = FakeHost::new().play::<Args>("{url: 'http://anything/', unix_socket: /no/such}").unwrap();
    assert!(gone.failed && gone.fields["msg"].to_string().contains("No such file"), "{gone:?}");
}

#[test]
fn what_can_not_be_done_is_refused_or_said() {
    for more in ["use_gssapi: true", "decompress: false"] {
        let fail = FakeHost::new().play::<Args>(&format!("{{url: 'http://x', {more}}}")).unwrap_err();
        assert!(fail.msg.contains("not supported"), "{more}: {}", fail.msg);
    }
    assert_eq!(Server::start().ask("/text", "ciphers: [A, B]").warnings.len(), 1);
}
