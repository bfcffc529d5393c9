//! Ways to a host: through others, through a program, and those that lead nowhere.

use std::fs;
use std::net::TcpListener;
use std::time::{Duration, Instant};

use regatta::connection::ssh::connect;
use regatta::connection::{ConnectError, Target};

use super::refused;
use crate::support::liar::port_that_sends;
use crate::support::sshd::{Home, Setup, Sshd, free_port, run, run_with, target, user};

fn through(sshd: &Sshd, jump: &str) -> Target {
    Target { ssh_args: vec!["-J".to_owned(), jump.to_owned()], ..target(sshd.port) }
}

#[tokio::test]
async fn hosts_behind_another_share_one_session_to_it() {
    let (bastion, inner, other) = (Sshd::start(), Sshd::start(), Sshd::start());
    let home = Home::of(&bastion);
    for sshd in [&inner, &other] {
        sshd.authorize(&home.ssh("id_ed25519.pub"));
        home.trust(sshd);
    }
    let context = home.context();
    let jump = format!("{}@127.0.0.1:{}", user(), bastion.port);
    let connections = futures::future::join_all([&inner, &other, &inner].map(|sshd| {
        let (target, context) = (through(sshd, &jump), &context);
        async move { connect(&target, context).await.unwrap() }
    }))
    .await;
    for connection in &connections {
        let (code, output, _) = run(&**connection, "echo $SSH_CONNECTION").await;
        assert_eq!((code, output.split(' ').next().unwrap()), (Some(0), "127.0.0.1"));
    }
    assert_eq!(bastion.log().matches("Accepted publickey").count(), 1, "{}", bastion.log());
    context.close().await;
    assert!(connections[0].exec("true", false).await.is_err());
}

#[tokio::test]
async fn a_chain_of_hosts_comes_from_the_configuration_and_none_ends_it() {
    let (first, second, last) = (Sshd::start(), Sshd::start(), Sshd::start());
    let home = Home::of(&first);
    for sshd in [&second, &last] {
        sshd.authorize(&home.ssh("id_ed25519.pub"));
        home.trust(sshd);
    }
    home.config(&format!(
        "Host first\n HostName 127.0.0.1\n Port {}\nHost second\n HostName 127.0.0.1\n Port {}\nHost last\n \
         HostName 127.0.0.1\n Port {}\n ProxyJump first,second\nHost direct\n HostName 127.0.0.1\n Port {}\n \
         ProxyJump none\nHost *\n ProxyJump absent.invalid\n",
        first.port, second.port, last.port, last.port
    ));
    // Each hop has its own settings; `second` gets its way from the chain, not from `Host *`.
    let first_alone = Target {
        host: "first".to_owned(),
        ssh_args: vec!["-o".into(), "ProxyJump=none".into()],
        ..target(first.port)
    };
    connect(&first_alone, &home.context()).await.unwrap();
    let direct = Target { host: "direct".to_owned(), port: None, ..target(0) };
    connect(&direct, &home.context()).await.unwrap();
    home.config(
        &fs::read_to_string(home.ssh("config"))
            .unwrap()
            .replace("Host first\n", "Host first\n ProxyJump none\n"),
    );
    let to = Target { host: "last".to_owned(), port: None, ..target(0) };
    let connection = connect(&to, &home.context()).await.unwrap();
    assert_eq!(run(&*connection, "echo hello").await.1, "hello\n");
    for sshd in [&first, &second] {
        assert!(sshd.log().contains("direct-tcpip"), "{}", sshd.log());
    }
}

#[tokio::test]
async fn every_hop_is_checked_and_nothing_is_sent_to_a_wrong_one() {
    let (bastion, inner, stranger) = (Sshd::start(), Sshd::start(), Sshd::start());
    let home = Home::of(&bastion);
    for sshd in [&inner, &stranger] {
        sshd.authorize(&home.ssh("id_ed25519.pub"));
    }
    // Somebody else's key is known for the inner host: who answers is in the middle.
    let jump = format!("127.0.0.1:{}", bastion.port);
    let error = refused(&through(&inner, &jump), &home.context()).await.to_string();
    assert!(error.contains("it is not in") && !error.contains("ssh-keyscan"), "{error}");
    home.known_hosts(&format!("{} {}", inner.name(), stranger.host_key("ed25519")));
    let error = refused(&through(&inner, &jump), &home.context()).await;
    assert!(matches!(&error, ConnectError::HostKey(text) if text.contains("it has changed")), "{error}");
    assert!(!inner.log().contains("userauth-request"), "{}", inner.log());
    // The same for the first hop.
    fs::write(home.ssh("known_hosts"), "").unwrap();
    home.trust(&inner);
    let error = refused(&through(&inner, &jump), &home.context()).await;
    assert!(error.to_string().contains(&format!("127.0.0.1:{}", bastion.port)), "{error}");
    assert!(!bastion.log().contains("Failed publickey"));
}

#[tokio::test]
async fn much_data_goes_both_ways_through_a_jump() {
    let (bastion, inner) = (Sshd::start(), Sshd::start());
    let home = Home::of(&bastion);
    inner.authorize(&home.ssh("id_ed25519.pub"));
    home.trust(&inner);
    let connection =
        connect(&through(&inner, &format!("127.0.0.1:{}", bastion.port)), &home.context()).await.unwrap();
    let input = "0123456789abcde\n".repeat(1 << 18);
    let (code, output, _) = run_with(&*connection, "cat", input.as_bytes(), false).await;
    assert_eq!((code, output.len(), output == input), (Some(0), input.len(), true));
}

#[tokio::test]
async fn a_jump_that_cannot_go_on_says_so() {
    let open = Sshd::start();
    let closed = Setup::default().line("AllowTcpForwarding no").start();
    let home = Home::of(&open);
    closed.authorize(&home.ssh("id_ed25519.pub"));
    home.trust(&closed);
    let nobody =
        Target { ssh_args: vec!["-J".into(), format!("127.0.0.1:{}", open.port)], ..target(free_port()) };
    let error = refused(&nobody, &home.context()).await.to_string();
    assert!(error.contains("it can't be reached from there"), "{error}");
    let forbidden =
        Target { ssh_args: vec!["-J".into(), format!("127.0.0.1:{}", closed.port)], ..target(open.port) };
    let error = refused(&forbidden, &home.context()).await.to_string();
    assert!(error.contains("AllowTcpForwarding"), "{error}");
    home.config("Host a\n ProxyJump b\nHost b\n ProxyJump a\n");
    let error = refused(&Target { host: "a".to_owned(), ..target(1) }, &home.context()).await.to_string();
    assert!(error.contains("round in circles"), "{error}");
}

#[tokio::test]
async fn hosts_that_wait_for_a_jump_in_vain_learn_it_together() {
    let (port, serving) = port_that_sends(b"SSH-2.0-x\r\n", false, true).await;
    let context = Home::new().context();
    let jump = vec!["-J".to_owned(), format!("127.0.0.1:{port}")];
    let to = Target { ssh_args: jump, timeout: Duration::from_secs(1), ..target(22) };
    let start = Instant::now();
    let all = futures::future::join_all((0..8).map(|_| connect(&to, &context))).await;
    assert!(all.iter().all(|done| matches!(done, Err(ConnectError::Timeout { .. }))));
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
    serving.abort();
}

#[tokio::test]
async fn a_program_may_be_the_way() {
    let sshd = Sshd::start();
    let home = Home::of(&sshd);
    home.trust(&sshd);
    let script = home.ssh("way");
    // `ssh -W` is what people use; here over a second server.
    let bastion = Sshd::start();
    bastion.authorize(&home.ssh("id_ed25519.pub"));
    home.trust(&bastion);
    fs::write(
        &script,
        format!(
            "#!/bin/sh\nexec ssh -F none -o UserKnownHostsFile={} -i {} -p {} -W $1:$2 127.0.0.1\n",
            home.ssh("known_hosts").display(),
            home.ssh("id_ed25519").display(),
            bastion.port
        ),
    )
    .unwrap();
    let command = format!("ProxyCommand=sh {} %h %p", script.display());
    let to = Target { ssh_args: vec!["-o".to_owned(), command], ..target(sshd.port) };
    let connection = connect(&to, &home.context()).await.unwrap();
    assert_eq!(run(&*connection, "echo hello").await.1, "hello\n");
    assert!(bastion.log().contains("direct-tcpip"));
}

#[tokio::test]
async fn what_a_proxy_command_gets_stays_one_word() {
    let home = Home::new();
    let mark = home.ssh("mark");
    home.config(&format!("ProxyCommand sh -c 'exit 1' %r\nUser \"x;touch${{IFS}}{}\"\n", mark.display()));
    let error = refused(&Target { port: None, ..target(0) }, &home.context()).await;
    assert!(matches!(error, ConnectError::Lost { .. } | ConnectError::Connect { .. }), "{error:?}");
    assert!(!mark.exists());
    for (host, user) in [("-oProxyCommand=touch x", None), ("web 1", None), ("", None), ("web1", Some("-x"))]
    {
        let to = Target { host: host.to_owned(), user: user.map(str::to_owned), ..target(22) };
        assert!(matches!(refused(&to, &home.context()).await, ConnectError::Config(_)), "{host}");
    }
}

#[tokio::test]
async fn a_program_that_ends_or_hangs_is_an_error_in_time() {
    let home = Home::new();
    for (command, seconds) in [("false", 5), ("sleep 60", 5)] {
        let to = Target {
            ssh_args: vec!["-o".to_owned(), format!("ProxyCommand={command}")],
            timeout: Duration::from_secs(1),
            ..target(22)
        };
        let start = Instant::now();
        refused(&to, &home.context()).await;
        assert!(start.elapsed() < Duration::from_secs(seconds), "{command}");
    }
}

#[tokio::test]
async fn a_refused_connection_and_a_wrong_name_say_so() {
    let home = Home::new();
    let port = free_port();
    let error = refused(&target(port), &home.context()).await;
    assert_eq!(error.to_string(), format!("could not connect to 127.0.0.1:{port}: Connection refused"));
    let nowhere = Target { host: "no-such-host.invalid".to_owned(), ..target(22) };
    assert!(matches!(refused(&nowhere, &home.context()).await, ConnectError::Resolve { .. }));
}

#[tokio::test]
async fn a_name_is_looked_up_and_all_its_addresses_tried() {
    let sshd = Sshd::start();
    let home = Home::of(&sshd);
    // It may be ::1 too, where nobody listens.
    home.known_hosts(&format!("[localhost]:{} {}", sshd.port, sshd.host_key("ed25519")));
    let to = Target { host: "LocalHost".to_owned(), ..target(sshd.port) };
    let connection = connect(&to, &home.context()).await.unwrap();
    assert_eq!(run(&*connection, "echo hello").await.1, "hello\n");
}

#[tokio::test]
async fn a_host_that_comes_up_late_is_reached_by_another_attempt() {
    let sshd = Sshd::start();
    let home = Home::of(&sshd);
    // Nothing listens on the port of the way at first.
    let port = free_port();
    let to = sshd.port;
    let late = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_millis(300)).await;
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        let (mut near, _) = listener.accept().await.unwrap();
        let mut far = tokio::net::TcpStream::connect(("127.0.0.1", to)).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut near, &mut far).await;
    });
    home.config(&format!("HostKeyAlias {}\n", sshd.name()));
    let patient = Target { retries: 2, ..target(port) };
    connect(&patient, &home.context()).await.unwrap();
    late.abort();
}

#[tokio::test]
async fn who_never_answers_is_given_up_in_time() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    let start = Instant::now();
    let to = Target { timeout: Duration::from_secs(1), ..target(port) };
    let error = refused(&to, &Home::new().context()).await;
    assert_eq!(error.to_string(), format!("timed out after 1 s while exchanging keys (127.0.0.1:{port})"));
    assert!(start.elapsed() < Duration::from_secs(3));
}

#[tokio::test]
async fn the_configuration_says_where_and_as_whom() {
    let sshd = Sshd::start();
    let home = Home::of(&sshd);
    home.config(&format!(
        "Host web1\n HostName 127.0.0.1\n Port {}\n User {}\n Compression yes\n ServerAliveInterval 5\n ConnectTimeout 9\n",
        sshd.port,
        user()
    ));
    let to = Target { host: "web1".to_owned(), port: None, timeout: Duration::ZERO, ..target(0) };
    let connection = connect(&to, &home.context()).await.unwrap();
    assert_eq!(run(&*connection, "echo hello").await.1, "hello\n");
    assert!(sshd.log().contains("compression: zlib@openssh.com"), "{}", sshd.log());
}
