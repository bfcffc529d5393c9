//! Running commands over a session.

use regatta::connection::ssh::connect;

use crate::support::sshd::{Home, Sshd, run, run_with, target};

#[tokio::test]
async fn a_command_gets_its_input_and_gives_output_errors_and_status() {
    let sshd = Sshd::start();
    let home = Home::of(&sshd);
    let connection = connect(&target(sshd.port), &home.context()).await.unwrap();
    let ended = run_with(&*connection, "tr a-z A-Z; echo oh >&2; exit 3", b"hello", false).await;
    assert_eq!(ended, (Some(3), "HELLO".to_owned(), "oh\n".to_owned()));
    assert_eq!(run(&*connection, "kill -9 $$").await.0, Some(137));
    assert!(connection.is_open());
    connection.close().await;
    assert!(!connection.is_open());
    assert!(connection.exec("true", false).await.is_err());
}
