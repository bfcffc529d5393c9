//! Running commands over a session.

use std::time::{Duration, Instant};

use regatta::connection::Target;
use regatta::connection::ssh::connect;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::support::sshd::{Home, Setup, Sshd, run, run_with, target};

#[tokio::test]
async fn a_command_gets_its_input_and_gives_output_errors_and_status() {
    let sshd = Sshd::start();
    let home = Home::of(&sshd);
    let connection = connect(&target(sshd.port), &home.context()).await.unwrap();
    let ended = run_with(&*connection, "tr a-z A-Z; echo oh >&2; exit 3", b"hello", false).await;
    assert_eq!(ended, (Some(3), "HELLO".to_owned(), "oh\n".to_owned()));
    assert_eq!(run(&*connection, "kill -9 $$").await.0, Some(137));
    assert_eq!(run(&*connection, "test -t 1").await.0, Some(1));
    assert!(connection.is_open());
    connection.close().await;
    assert!(!connection.is_open());
    assert!(connection.exec("true", false).await.is_err());
}

#[tokio::test]
async fn a_terminal_is_there_when_it_is_asked_for() {
    let sshd = Sshd::start();
    let home = Home::of(&sshd);
    let connection = connect(&target(sshd.port), &home.context()).await.unwrap();
    let (code, output, _) =
        run_with(&*connection, "test -t 0 && test -t 1 && test -t 2 && echo yes", b"", true).await;
    // In some containers an sshd that is not root can't have terminals.
    let cannot = sshd.log().contains("chown(/dev/pts");
    assert!((code, output.as_str()) == (Some(0), "yes\r\n") || cannot, "{code:?} {output} {}", sshd.log());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_megabytes_go_both_ways() {
    const SIZE: usize = 100 << 20;
    let sshd = Sshd::start();
    let home = Home::of(&sshd);
    let connection = connect(&target(sshd.port), &home.context()).await.unwrap();
    let start = Instant::now();
    let mut pipe = connection.exec("cat", false).await.unwrap();
    let writing = tokio::spawn(async move {
        let chunk = vec![7; 1 << 20];
        for _ in 0..SIZE >> 20 {
            pipe.stdin.write_all(&chunk).await.unwrap();
        }
        pipe.stdin.shutdown().await.unwrap();
    });
    let mut chunk = vec![0; 1 << 20];
    let mut got = 0;
    loop {
        let n = pipe.stdout.read(&mut chunk).await.unwrap();
        if n == 0 {
            break;
        }
        assert!(chunk[..n].iter().all(|byte| *byte == 7));
        got += n;
    }
    writing.await.unwrap();
    assert_eq!((got, pipe.exit.await), (SIZE, Some(0)));
    println!("100 MB both ways: {:?}", start.elapsed());
    assert!(start.elapsed() < Duration::from_secs(30), "{:?}", start.elapsed());
}

#[tokio::test]
async fn output_and_errors_may_both_be_long_and_read_one_after_the_other() {
    let sshd = Sshd::start();
    let home = Home::of(&sshd);
    let connection = connect(&target(sshd.port), &home.context()).await.unwrap();
    let mut pipe =
        connection.exec("head -c 5000000 /dev/zero >&2; head -c 5000000 /dev/zero", false).await.unwrap();
    let mut bytes = Vec::new();
    pipe.stdout.read_to_end(&mut bytes).await.unwrap();
    pipe.stderr.read_to_end(&mut bytes).await.unwrap();
    assert_eq!((bytes.len(), pipe.exit.await), (10_000_000, Some(0)));
}

#[tokio::test]
async fn one_channel_that_nobody_reads_does_not_hold_up_others() {
    let sshd = Sshd::start();
    let home = Home::of(&sshd);
    let connection = connect(&target(sshd.port), &home.context()).await.unwrap();
    let unread = connection.exec("head -c 8000000 /dev/zero", false).await.unwrap();
    for _ in 0..5 {
        assert_eq!(run(&*connection, "echo hello").await.1, "hello\n");
    }
    drop(unread);
    assert_eq!(run(&*connection, "echo hello").await.1, "hello\n");
}

#[tokio::test]
async fn a_dropped_pipe_ends_the_command_and_frees_its_channel() {
    let sshd = Setup::default().line("MaxSessions 1").start();
    let home = Home::of(&sshd);
    let connection = connect(&target(sshd.port), &home.context()).await.unwrap();
    let pipe = connection.exec("cat", false).await.unwrap();
    let error = match connection.exec("true", false).await {
        Ok(_) => panic!("a second channel was opened"),
        Err(error) => error.to_string(),
    };
    assert!(error.contains("MaxSessions"), "{error}");
    drop(pipe);
    let start = Instant::now();
    while start.elapsed() < Duration::from_secs(5) {
        if let Ok(pipe) = connection.exec("exit 4", false).await {
            assert_eq!(pipe.exit.await, Some(4));
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("the channel was not freed");
}

#[tokio::test]
async fn a_status_is_known_though_something_holds_the_output_open() {
    let sshd = Sshd::start();
    let home = Home::of(&sshd);
    let connection = connect(&target(sshd.port), &home.context()).await.unwrap();
    let pipe = connection.exec("sleep 5 & exit 6", false).await.unwrap();
    let status = tokio::time::timeout(Duration::from_secs(3), pipe.exit).await.unwrap();
    assert_eq!(status, Some(6));
}

#[tokio::test]
async fn writing_to_a_command_that_has_ended_is_an_error_and_no_hang() {
    let sshd = Sshd::start();
    let home = Home::of(&sshd);
    let connection = connect(&target(sshd.port), &home.context()).await.unwrap();
    let mut pipe = connection.exec("true", false).await.unwrap();
    let writing = async {
        let chunk = vec![0; 1 << 20];
        while pipe.stdin.write_all(&chunk).await.is_ok() {}
    };
    tokio::time::timeout(Duration::from_secs(5), writing).await.unwrap();
}

#[tokio::test]
async fn rekeying_in_the_middle_is_not_noticed() {
    let sshd = Setup::default().line("RekeyLimit 1M").start();
    let home = Home::of(&sshd);
    let connection = connect(&target(sshd.port), &home.context()).await.unwrap();
    let input = "x".repeat(8 << 20);
    let (code, output, _) = run_with(&*connection, "cat", input.as_bytes(), false).await;
    assert_eq!((code, output.len()), (Some(0), input.len()));
    assert!(sshd.log().matches("rekey").count() > 1, "{}", sshd.log());
}

#[tokio::test]
async fn many_commands_run_at_once() {
    let sshd = Sshd::start();
    let home = Home::of(&sshd);
    let connection = connect(&target(sshd.port), &home.context()).await.unwrap();
    let commands = (0..8).map(|n| {
        let connection = connection.clone();
        async move { run(&*connection, &format!("sleep 0.2; echo {n}; exit {n}")).await }
    });
    let start = Instant::now();
    for (n, (code, output, _)) in futures::future::join_all(commands).await.into_iter().enumerate() {
        assert_eq!((code, output), (Some(i32::try_from(n).unwrap()), format!("{n}\n")));
    }
    assert!(start.elapsed() < Duration::from_secs(15));
}

#[tokio::test]
async fn a_cut_link_ends_commands_without_a_status() {
    let sshd = Sshd::start();
    let home = Home::of(&sshd);
    let connection = connect(&target(sshd.port), &home.context()).await.unwrap();
    // The session's own server process, which is the parent of the shell.
    let mut pipe = connection.exec("kill -9 $PPID; sleep 3", false).await.unwrap();
    let mut text = String::new();
    let read = tokio::time::timeout(Duration::from_secs(5), pipe.stdout.read_to_string(&mut text)).await;
    assert!(read.is_ok());
    assert_eq!(pipe.exit.await, None);
    assert!(!connection.is_open());
}

#[tokio::test]
async fn a_host_that_freezes_is_noticed() {
    let sshd = Sshd::start();
    let home = Home::of(&sshd);
    home.config("ServerAliveInterval 1\nServerAliveCountMax 1\n");
    let connection = connect(&target(sshd.port), &home.context()).await.unwrap();
    let mut pipe = connection.exec("echo $PPID; read go; kill -STOP $PPID", false).await.unwrap();
    let mut server = [0; 16];
    let n = pipe.stdout.read(&mut server).await.unwrap();
    pipe.stdin.write_all(b"go\n").await.unwrap();
    let mut rest = Vec::new();
    let ended = tokio::time::timeout(Duration::from_secs(15), pipe.stdout.read_to_end(&mut rest)).await;
    let server = std::str::from_utf8(&server[..n]).unwrap().trim();
    assert!(std::process::Command::new("kill").args(["-KILL", server]).status().unwrap().success());
    assert!(ended.is_ok());
    assert_eq!(pipe.exit.await, None);
    let error = connection.exec("true", false).await.err().unwrap().to_string();
    assert!(error.contains("the host does not answer any more"), "{error}");
}

#[tokio::test]
async fn compression_and_both_families_are_options() {
    let sshd = Sshd::start();
    let home = Home::of(&sshd);
    let to = Target { ssh_args: vec!["-C4".to_owned()], ..target(sshd.port) };
    let connection = connect(&to, &home.context()).await.unwrap();
    let input = "compress me ".repeat(100_000);
    assert_eq!(run_with(&*connection, "cat", input.as_bytes(), false).await.1.len(), input.len());
    let six = Target { ssh_args: vec!["-6".to_owned()], ..target(sshd.port) };
    assert!(connect(&six, &home.context()).await.is_err());
}
