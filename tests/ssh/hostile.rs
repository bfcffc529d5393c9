//! Servers that hang, break off or talk nonsense: always an error, always in time.

use std::time::{Duration, Instant};

use regatta::connection::ssh::connect;
use regatta::connection::{ConnectError, Target};
use tokio::io::AsyncReadExt;

use super::refused;
use crate::support::liar::{Liar, Manners, port_that_sends};
use crate::support::sshd::{Home, target};

fn hasty(port: u16) -> Target {
    Target { timeout: Duration::from_secs(1), ..target(port) }
}

#[tokio::test]
async fn what_does_not_speak_ssh_is_an_error_in_time() {
    for (bytes, flows, stays) in [
        (b"".as_slice(), false, false),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", false, false),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", false, true),
        (b"garbage without an end ", true, false),
        (b"a line and another\r\n", true, false),
        (b"SSH-1.5-old\r\n", false, true),
        (b"SSH-2.0-x\r\n", false, false),
        (b"SSH-2.0-x\r\n", false, true),
        (b"SSH-2.0-x\r\n\0\0\0\x0c\x04\x14garbage", false, true),
        (b"SSH-2.0-x\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff", false, true),
        (b"SSH-2.0-x\r\n\0\0\0\0\0\0\0\0\0\0\0\0\0\0", false, true),
    ] {
        let (port, serving) = port_that_sends(bytes, flows, stays).await;
        let start = Instant::now();
        let error = refused(&hasty(port), &Home::new().context()).await;
        assert!(start.elapsed() < Duration::from_secs(4), "{bytes:?}");
        assert!(
            matches!(error, ConnectError::Lost { .. } | ConnectError::Timeout { .. }),
            "{bytes:?}: {error:?}"
        );
        serving.abort();
    }
}

#[tokio::test]
async fn a_login_without_an_answer_names_its_stage() {
    let liar = Liar::start(Manners { silent_login: true, ..Manners::default() }).await;
    let (_home, context) = liar.known_with_key();
    let error = refused(&hasty(liar.port), &context).await.to_string();
    assert_eq!(error, format!("timed out after 1 s while authenticating (127.0.0.1:{})", liar.port));
}

#[tokio::test]
async fn a_channel_that_does_not_open_is_given_up() {
    let liar = Liar::start(Manners { key: true, silent_channel: true, ..Manners::default() }).await;
    let (_home, context) = liar.known_with_key();
    let connection = connect(&hasty(liar.port), &context).await.unwrap();
    let error = connection.exec("true", false).await.err().unwrap().to_string();
    assert_eq!(error, format!("timed out after 1 s while opening a channel (127.0.0.1:{})", liar.port));
    let start = Instant::now();
    connection.close().await;
    assert!(start.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn a_command_that_is_not_started_ends_its_pipe() {
    for (manners, said) in [
        (
            Manners { key: true, silent_command: true, ..Manners::default() },
            "the host does not start the command\n",
        ),
        (
            Manners { key: true, refuses_command: true, ..Manners::default() },
            "the host refuses to start the command\n",
        ),
    ] {
        let liar = Liar::start(manners).await;
        let (_home, context) = liar.known_with_key();
        let connection = connect(&hasty(liar.port), &context).await.unwrap();
        let mut pipe = connection.exec("true", false).await.unwrap();
        let mut text = String::new();
        tokio::time::timeout(Duration::from_secs(4), pipe.stderr.read_to_string(&mut text))
            .await
            .unwrap()
            .unwrap();
        assert_eq!((text.as_str(), pipe.exit.await), (said, None));
    }
}

#[tokio::test]
async fn output_that_breaks_off_is_what_came_and_no_status() {
    let liar = Liar::start(Manners { key: true, breaks_off: true, ..Manners::default() }).await;
    let (_home, context) = liar.known_with_key();
    let connection = connect(&hasty(liar.port), &context).await.unwrap();
    let mut pipe = connection.exec("true", false).await.unwrap();
    let mut text = String::new();
    tokio::time::timeout(Duration::from_secs(4), pipe.stdout.read_to_string(&mut text))
        .await
        .unwrap()
        .unwrap();
    assert_eq!((text.as_str(), pipe.exit.await), ("half of the out", None));
    let error = connection.exec("true", false).await.err().unwrap().to_string();
    assert!(error.contains("the host ended the session: enough"), "{error}");
}

#[tokio::test]
async fn questions_without_end_are_given_up() {
    let manners = Manners { questions: &[("Password: ", true, "")], endless: true, ..Manners::default() };
    let liar = Liar::start(manners).await;
    let (_home, context) = liar.known();
    let to = Target { password: Some(regatta::secret::Secret::new("x")), ..hasty(liar.port) };
    let start = Instant::now();
    assert!(matches!(refused(&to, &context).await, ConnectError::Auth(_) | ConnectError::Timeout { .. }));
    assert!(start.elapsed() < Duration::from_secs(4));
}

#[tokio::test]
async fn giving_up_leaves_no_connection_behind() {
    let (port, serving) = port_that_sends(b"SSH-2.0-x\r\n", false, true).await;
    let listed = || {
        let text = std::fs::read_to_string("/proc/net/tcp").unwrap();
        // The column after the remote address: 01 is an established connection.
        let remote = format!("0100007F:{port:04X} 01 ");
        text.lines().filter(|line| line.contains(&remote)).count()
    };
    let context = Home::new().context();
    assert!(refused(&hasty(port), &context).await.to_string().contains("timed out"));
    let start = Instant::now();
    while listed() > 0 && start.elapsed() < Duration::from_secs(3) {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(listed(), 0);
    serving.abort();
}
