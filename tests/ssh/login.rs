//! Logging in with keys, certificates and an agent.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use regatta::connection::ssh::{Prompt, connect};
use regatta::connection::{ConnectError, Target};
use regatta::secret::Secret;

use super::refused;
use crate::support::sshd::{Home, Setup, Sshd, generate_key, keygen, run, target, user};

/// Answers every question with the next of these, the last again and again.
pub struct Answers {
    answers: Vec<&'static str>,
    asked: Arc<Mutex<Vec<String>>>,
    count: AtomicUsize,
}

impl Answers {
    pub fn new(answers: &[&'static str]) -> (Box<Answers>, Arc<Mutex<Vec<String>>>) {
        let asked: Arc<Mutex<Vec<String>>> = Arc::default();
        (
            Box::new(Answers { answers: answers.to_vec(), asked: asked.clone(), count: AtomicUsize::new(0) }),
            asked,
        )
    }
}

impl Prompt for Answers {
    fn secret(&self, what: &str) -> Option<Secret> {
        self.asked.lock().unwrap().push(what.to_owned());
        let index = self.count.fetch_add(1, Ordering::SeqCst).min(self.answers.len().saturating_sub(1));
        self.answers.get(index).map(|answer| Secret::new(*answer))
    }
}

/// A real agent, killed at the end.
struct Agent {
    child: Child,
    socket: std::path::PathBuf,
}

impl Agent {
    fn start(home: &mut Home) -> Agent {
        let socket = home.ssh("agent");
        let mut agent = Command::new("ssh-agent");
        agent.arg("-D").arg("-a").arg(&socket).stdout(Stdio::null()).stderr(Stdio::null());
        let child = agent.spawn().unwrap();
        let start = Instant::now();
        while !socket.exists() && start.elapsed() < Duration::from_secs(5) {
            std::thread::sleep(Duration::from_millis(5));
        }
        home.agent = Some(socket.clone());
        Agent { child, socket }
    }

    fn add(&self, key: &Path) {
        let mut add = Command::new("ssh-add");
        add.arg("-q").arg(key).env("SSH_AUTH_SOCK", &self.socket);
        assert!(add.status().unwrap().success());
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[tokio::test]
async fn keys_of_every_kind_are_found_at_their_usual_places() {
    let sshd = Sshd::start();
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let home = Home::new();
        home.trust(&sshd);
        sshd.authorize(&home.key(kind));
        let connection = connect(&target(sshd.port), &home.context()).await.unwrap();
        assert_eq!(run(&*connection, "echo $USER").await.1.trim(), user(), "{kind}");
    }
    // RSA never with SHA-1.
    assert!(sshd.log().contains("rsa-sha2-512"), "{}", sshd.log());
}

#[tokio::test]
async fn old_formats_of_key_files_are_read_too() {
    let sshd = Sshd::start();
    for format in ["PEM", "PKCS8"] {
        let home = Home::new();
        home.trust(&sshd);
        sshd.authorize(&home.key("rsa"));
        keygen(&["-p", "-q", "-N", "", "-m", format, "-f", home.ssh("id_rsa").to_str().unwrap()]);
        fs::remove_file(home.ssh("id_rsa.pub")).unwrap();
        connect(&target(sshd.port), &home.context())
            .await
            .unwrap_or_else(|error| panic!("{format}: {error}"));
    }
}

#[tokio::test]
async fn a_named_key_is_used_whatever_else_there_is() {
    // Only two attempts: the named key must come first.
    let sshd = Setup::default().line("MaxAuthTries 2").start();
    let mut home = Home::new();
    home.trust(&sshd);
    let agent = Agent::start(&mut home);
    for name in ["a", "b", "c", "d"] {
        generate_key(&home.ssh(name), "ed25519", "");
        agent.add(&home.ssh(name));
    }
    generate_key(&home.ssh("mine"), "ed25519", "");
    sshd.authorize(&home.ssh("mine.pub"));
    let named = Target { key_file: Some(home.ssh("mine")), ..target(sshd.port) };
    connect(&named, &home.context()).await.unwrap();
    let by_argument = Target {
        ssh_args: vec!["-i".to_owned(), home.ssh("mine").display().to_string()],
        ..target(sshd.port)
    };
    connect(&by_argument, &home.context()).await.unwrap();
    home.config("IdentityFile ~/.ssh/mine\nIdentitiesOnly yes\n");
    connect(&target(sshd.port), &home.context()).await.unwrap();
    home.config("");
    let error = refused(&target(sshd.port), &home.context()).await.to_string();
    assert!(error.contains("Too many authentication failures"), "{error}");
    assert!(error.contains("IdentitiesOnly"), "{error}");
}

#[tokio::test]
async fn the_agent_signs_with_the_keys_it_has() {
    let sshd = Sshd::start();
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let mut home = Home::new();
        home.trust(&sshd);
        let agent = Agent::start(&mut home);
        generate_key(&home.ssh("elsewhere"), kind, "");
        agent.add(&home.ssh("elsewhere"));
        sshd.authorize(&home.ssh("elsewhere.pub"));
        fs::remove_file(home.ssh("elsewhere")).unwrap();
        connect(&target(sshd.port), &home.context()).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
        // A public file is enough to choose it.
        home.config("IdentityFile ~/.ssh/elsewhere.pub\nIdentitiesOnly yes\n");
        connect(&target(sshd.port), &home.context()).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
        home.config("IdentityFile ~/.ssh/other\nIdentitiesOnly yes\n");
        refused(&target(sshd.port), &home.context()).await;
        home.config("IdentityAgent none\n");
        refused(&target(sshd.port), &home.context()).await;
    }
}

#[tokio::test]
async fn a_protected_key_asks_once_for_all_hosts() {
    let sshd = Sshd::start();
    let home = Home::new();
    home.trust(&sshd);
    generate_key(&home.ssh("id_ed25519"), "ed25519", "open sesame");
    sshd.authorize(&home.ssh("id_ed25519.pub"));
    let (answers, asked) = Answers::new(&["open sesame"]);
    let context = home.context_with(Some(answers));
    let (to, context) = (target(sshd.port), &context);
    let all = futures::future::join_all((0..3).map(|_| connect(&to, context))).await;
    assert!(all.iter().all(Result::is_ok));
    let asked = asked.lock().unwrap().clone();
    assert_eq!(asked, [format!("passphrase for {}", home.ssh("id_ed25519").display())]);
}

#[tokio::test]
async fn a_wrong_passphrase_may_be_corrected_and_is_not_asked_for_in_vain() {
    let sshd = Sshd::start();
    let home = Home::new();
    home.trust(&sshd);
    generate_key(&home.ssh("id_ed25519"), "ed25519", "right!");
    let (answers, asked) = Answers::new(&["wrong!", "right!"]);
    let context = home.context_with(Some(answers));
    // The host does not take the key: nobody has to type.
    let error = refused(&target(sshd.port), &context).await.to_string();
    assert!(error.contains("no key was accepted, tried") && error.contains("id_ed25519"), "{error}");
    assert!(asked.lock().unwrap().is_empty());
    sshd.authorize(&home.ssh("id_ed25519.pub"));
    connect(&target(sshd.port), &context).await.unwrap();
    assert!(asked.lock().unwrap()[1].ends_with("(that was wrong)"), "{asked:?}");
}

#[tokio::test]
async fn an_old_protected_key_is_opened_to_see_what_it_is() {
    let sshd = Sshd::start();
    for format in ["PEM", "PKCS8"] {
        let home = Home::new();
        home.trust(&sshd);
        sshd.authorize(&home.key("rsa"));
        keygen(&["-p", "-q", "-N", "secret", "-m", format, "-f", home.ssh("id_rsa").to_str().unwrap()]);
        for with_public in [true, false] {
            let (answers, asked) = Answers::new(&["secret"]);
            if !with_public {
                fs::remove_file(home.ssh("id_rsa.pub")).unwrap();
            }
            let context = home.context_with(Some(answers));
            connect(&target(sshd.port), &context).await.unwrap_or_else(|error| panic!("{format}: {error}"));
            assert_eq!(asked.lock().unwrap().len(), 1, "{format}");
        }
    }
}

#[tokio::test]
async fn without_anybody_to_ask_a_protected_key_is_named_in_the_message() {
    let sshd = Sshd::start();
    let home = Home::new();
    home.trust(&sshd);
    generate_key(&home.ssh("id_ed25519"), "ed25519", "secret");
    sshd.authorize(&home.ssh("id_ed25519.pub"));
    let error = refused(&target(sshd.port), &home.context()).await;
    assert!(matches!(error, ConnectError::Auth(_)));
    assert!(error.to_string().contains("its passphrase is not known"), "{error}");
}

#[tokio::test]
async fn certificates_of_users_are_offered_first() {
    let setup = Setup::default().line("TrustedUserCAKeys FOLDER/ca.pub");
    let sshd = setup.start_with(|folder| {
        generate_key(&folder.join("ca"), "ed25519", "");
    });
    let ca = sshd.folder().join("ca").display().to_string();
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let mut home = Home::new();
        home.trust(&sshd);
        let public = home.key(kind);
        keygen(&["-q", "-s", &ca, "-I", "test", "-n", &user(), public.to_str().unwrap()]);
        connect(&target(sshd.port), &home.context()).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
        // From the agent, which got both with the key.
        let agent = Agent::start(&mut home);
        agent.add(&home.ssh(&format!("id_{kind}")));
        for name in [format!("id_{kind}"), format!("id_{kind}.pub"), format!("id_{kind}-cert.pub")] {
            fs::rename(home.ssh(&name), home.ssh(&name).with_extension("gone")).unwrap();
        }
        connect(&target(sshd.port), &home.context()).await.unwrap_or_else(|error| panic!("{kind}: {error}"));
    }
    // Named by CertificateFile, the key being somewhere else.
    let home = Home::new();
    home.trust(&sshd);
    generate_key(&home.ssh("k"), "ed25519", "");
    keygen(&["-q", "-s", &ca, "-I", "test", "-n", &user(), home.ssh("k.pub").to_str().unwrap()]);
    fs::rename(home.ssh("k-cert.pub"), home.ssh("other.pub")).unwrap();
    home.config("IdentityFile ~/.ssh/k\nCertificateFile ~/.ssh/other.pub\n");
    connect(&target(sshd.port), &home.context()).await.unwrap();
}

#[tokio::test]
async fn a_refusal_says_what_was_tried_and_what_would_help() {
    let sshd = Setup::default().line("PasswordAuthentication yes").start();
    let home = Home::new();
    home.trust(&sshd);
    let none = refused(&target(sshd.port), &home.context()).await.to_string();
    assert_eq!(
        none,
        format!(
            "could not log in as {} on 127.0.0.1:{}: there is no key to try; the host accepts publickey, password. \
             Give a key with ansible_ssh_private_key_file, or a password with ansible_password or -k",
            user(),
            sshd.port
        )
    );
    home.key("ed25519");
    let one = refused(&target(sshd.port), &home.context()).await.to_string();
    assert!(
        one.contains(&format!("no key was accepted, tried {}", home.ssh("id_ed25519").display())),
        "{one}"
    );
    assert!(one.ends_with("Give a password with ansible_password or -k"), "{one}");
    let missing = Target { key_file: Some(home.ssh("absent")), ..target(sshd.port) };
    let missing = refused(&missing, &home.context()).await.to_string();
    assert!(missing.contains("absent: no such file"), "{missing}");
    fs::write(home.ssh("id_ed25519"), "not a key").unwrap();
    fs::remove_file(home.ssh("id_ed25519.pub")).unwrap();
    let broken = refused(&target(sshd.port), &home.context()).await.to_string();
    assert!(broken.contains("it is not a private key of a known kind"), "{broken}");
}

#[tokio::test]
async fn the_agent_is_lent_to_the_host_only_when_asked_for() {
    let sshd = Sshd::start();
    let mut home = Home::of(&sshd);
    let agent = Agent::start(&mut home);
    agent.add(&home.ssh("id_ed25519"));
    let connection = connect(&target(sshd.port), &home.context()).await.unwrap();
    assert_eq!(run(&*connection, "echo ${SSH_AUTH_SOCK:-none}").await.1, "none\n");
    let lent = Target { ssh_args: vec!["-A".to_owned()], ..target(sshd.port) };
    let connection = connect(&lent, &home.context()).await.unwrap();
    let (code, output, errors) = run(&*connection, "ssh-add -l").await;
    assert!(code == Some(0) && output.contains("ED25519"), "{code:?} {output} {errors} {}", sshd.log());
}
