//! Passwords and questions: against a server of our own, since a real one would need a user with a password.

use regatta::connection::Target;
use regatta::connection::ssh::connect;
use regatta::secret::Secret;

use super::login::Answers;
use super::refused;
use crate::support::liar::{Liar, Manners};
use crate::support::sshd::{run, target};

fn with_password(port: u16, password: &str) -> Target {
    Target { password: Some(Secret::new(password)), ..target(port) }
}

#[tokio::test]
async fn a_password_is_taken_as_it_is() {
    let liar = Liar::start(Manners { password: Some("{{ 7*7 }} $x"), ..Manners::default() }).await;
    let (_home, context) = liar.known();
    let connection = connect(&with_password(liar.port, "{{ 7*7 }} $x"), &context).await.unwrap();
    assert_eq!(run(&*connection, "true").await.1, "half of the out");
    let error = refused(&with_password(liar.port, "wrong"), &context).await.to_string();
    assert!(error.contains("the password was not accepted"), "{error}");
    assert!(!error.contains("wrong") && !error.contains("Give a password"), "{error}");
}

#[tokio::test]
async fn a_host_may_ask_for_the_password_in_its_own_words() {
    let manners = Manners { questions: &[("ann's password for web1: ", true, "open")], ..Manners::default() };
    let liar = Liar::start(manners).await;
    let (_home, context) = liar.known();
    connect(&with_password(liar.port, "open"), &context).await.unwrap();
    let error = refused(&with_password(liar.port, "shut"), &context).await.to_string();
    assert!(error.contains("the password (keyboard-interactive)"), "{error}");
}

#[tokio::test]
async fn further_questions_go_to_the_user() {
    let questions = &[("Password: ", true, "open"), ("Code\x1b[2J: ", false, "123456")];
    let liar = Liar::start(Manners { questions, ..Manners::default() }).await;
    let (home, _) = liar.known();
    let (answers, asked) = Answers::new(&["123456"]);
    connect(&with_password(liar.port, "open"), &home.context_with(Some(answers))).await.unwrap();
    // Without what would move the cursor.
    assert_eq!(*asked.lock().unwrap(), [format!("127.0.0.1:{} asks: Code[2J:", liar.port)]);
    let error = refused(&with_password(liar.port, "open"), &home.context()).await.to_string();
    assert!(error.contains("no answer to `Code[2J:`"), "{error}");
}

#[tokio::test]
async fn a_host_may_want_a_key_and_a_password() {
    let liar = Liar::start(Manners { key_first: true, password: Some("open"), ..Manners::default() }).await;
    let (_home, context) = liar.known_with_key();
    connect(&with_password(liar.port, "open"), &context).await.unwrap();
    let error = refused(&target(liar.port), &context).await.to_string();
    assert!(error.contains("was taken, but the host wants more"), "{error}");
    assert!(
        error.ends_with("the host accepts password. Give a password with ansible_password or -k"),
        "{error}"
    );
}

#[tokio::test]
async fn methods_can_be_switched_off() {
    let liar = Liar::start(Manners { key: true, password: Some("open"), ..Manners::default() }).await;
    let (_home, context) = liar.known_with_key();
    for (option, good) in [
        ("PreferredAuthentications=publickey", true),
        ("PreferredAuthentications=keyboard-interactive", false),
        ("PubkeyAuthentication=no", true),
        ("PasswordAuthentication=no", true),
    ] {
        let to = Target { ssh_args: vec!["-o".into(), option.into()], ..with_password(liar.port, "open") };
        assert_eq!(connect(&to, &context).await.is_ok(), good, "{option}");
    }
    let neither = ["-oPubkeyAuthentication=no", "-oPasswordAuthentication=no"].map(str::to_owned).to_vec();
    refused(&Target { ssh_args: neither, ..with_password(liar.port, "open") }, &context).await;
}
