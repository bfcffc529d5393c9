//! Whom we believe to be the host.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use regatta::connection::ssh::connect;
use regatta::connection::{ConnectError, HostKeyCheck};

use super::refused;
use crate::support::sshd::{Home, Setup, Sshd, keygen, public_key, target, target_with};

/// A client that may log in but knows no host.
fn stranger(sshd: &Sshd) -> Home {
    let home = Home::new();
    sshd.authorize(&home.key("ed25519"));
    home
}

fn fingerprint(path: &Path) -> String {
    let output = std::process::Command::new("ssh-keygen").arg("-lf").arg(path).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split_whitespace().nth(1).unwrap().to_owned()
}

#[tokio::test]
async fn an_unknown_key_is_refused_with_its_fingerprint_before_anything_is_sent() {
    let sshd = Sshd::start();
    let home = stranger(&sshd);
    let error = refused(&target(sshd.port), &home.context()).await;
    assert!(matches!(error, ConnectError::HostKey(_)), "{error:?}");
    let text = error.to_string();
    for part in [
        &fingerprint(&sshd.folder().join("host_ed25519.pub")),
        &format!("ssh-keyscan -p {} 127.0.0.1 >> {}", sshd.port, home.ssh("known_hosts").display()),
        "accept-new",
    ] {
        assert!(text.contains(part), "{text} lacks {part}");
    }
    assert!(!sshd.log().contains("userauth-request"), "{}", sshd.log());
}

#[tokio::test]
async fn new_keys_are_added_when_that_is_wanted_and_changed_ones_refused_all_the_same() {
    let sshd = Sshd::start();
    let home = stranger(&sshd);
    fs::remove_file(home.ssh("known_hosts")).ok();
    connect(&target_with(sshd.port, HostKeyCheck::AcceptNew), &home.context()).await.unwrap();
    let text = fs::read_to_string(home.ssh("known_hosts")).unwrap();
    assert_eq!(text, format!("{} {}\n", sshd.name(), sshd.host_key("ed25519")));
    assert_eq!(home.ssh("known_hosts").metadata().unwrap().permissions().mode() & 0o777, 0o600);
    // From now on it is known.
    connect(&target(sshd.port), &home.context()).await.unwrap();

    let other = Sshd::start();
    fs::write(home.ssh("known_hosts"), format!("# mine\n{} {}\n", sshd.name(), other.host_key("ed25519")))
        .unwrap();
    let error = refused(&target_with(sshd.port, HostKeyCheck::AcceptNew), &home.context()).await.to_string();
    for part in [
        "it has changed",
        &format!("{}:2", home.ssh("known_hosts").display()),
        &fingerprint(&sshd.folder().join("host_ed25519.pub")),
        &fingerprint(&other.folder().join("host_ed25519.pub")),
        &format!("ssh-keygen -f {} -R '{}'", home.ssh("known_hosts").display(), sshd.name()),
    ] {
        assert!(error.contains(part), "{error} lacks {part}");
    }
}

#[tokio::test]
async fn the_command_of_the_message_makes_a_changed_host_unknown_again() {
    let (sshd, other) = (Sshd::start(), Sshd::start());
    let home = stranger(&sshd);
    home.known_hosts(&format!("{} {}", sshd.name(), other.host_key("ed25519")));
    let error = refused(&target(sshd.port), &home.context()).await.to_string();
    let command = error.split("if you know that it was: ").nth(1).unwrap();
    assert!(std::process::Command::new("sh").arg("-c").arg(command).output().unwrap().status.success());
    let error = refused(&target(sshd.port), &home.context()).await.to_string();
    assert!(error.contains("it is not in"), "{error}");
}

#[tokio::test]
async fn names_may_be_hashed_and_are_written_so_when_that_is_wanted() {
    let sshd = Sshd::start();
    let home = Home::of(&sshd);
    keygen(&["-H", "-f", home.ssh("known_hosts").to_str().unwrap()]);
    assert!(fs::read_to_string(home.ssh("known_hosts")).unwrap().starts_with("|1|"));
    connect(&target(sshd.port), &home.context()).await.unwrap();

    fs::remove_file(home.ssh("known_hosts")).unwrap();
    home.config("HashKnownHosts yes\nStrictHostKeyChecking accept-new\n");
    connect(&target(sshd.port), &home.context()).await.unwrap();
    assert!(fs::read_to_string(home.ssh("known_hosts")).unwrap().starts_with("|1|"));
    connect(&target_with(sshd.port, HostKeyCheck::Strict), &home.context()).await.unwrap();
    keygen(&["-F", &sshd.name(), "-f", home.ssh("known_hosts").to_str().unwrap()]);
}

#[tokio::test]
async fn entries_may_be_patterns_bare_names_aliases_and_in_other_files() {
    let sshd = Sshd::start();
    let home = stranger(&sshd);
    let key = sshd.host_key("ed25519");
    for (line, config, good) in [
        (format!("[127.0.0.?]:* {key}"), "", true),
        (format!("[127.0.0.*]:*,!{} {key}", sshd.name()), "", false),
        (format!("127.0.0.1 {key}"), "", true),
        (format!("web1 {key}"), "", false),
        (format!("web1 {key}"), "HostKeyAlias web1\n", true),
        (format!("web1 {key}"), "HostKeyAlias WEB1\n", true),
    ] {
        fs::write(home.ssh("known_hosts"), format!("{line}\n")).unwrap();
        home.config(config);
        assert_eq!(connect(&target(sshd.port), &home.context()).await.is_ok(), good, "{line} {config}");
    }
    home.config("UserKnownHostsFile ~/.ssh/none ~/.ssh/%h.keys\n");
    assert!(connect(&target(sshd.port), &home.context()).await.is_err());
    fs::write(home.ssh("127.0.0.1.keys"), format!("{} {key}\n", sshd.name())).unwrap();
    connect(&target(sshd.port), &home.context()).await.unwrap();
    home.config("UserKnownHostsFile none\n");
    assert!(connect(&target(sshd.port), &home.context()).await.is_err());
    fs::write(home.ssh("../etc/ssh_known_hosts"), format!("{} {key}\n", sshd.name())).unwrap();
    connect(&target(sshd.port), &home.context()).await.unwrap();
}

#[tokio::test]
async fn a_revoked_key_is_refused_even_if_it_is_known() {
    let sshd = Sshd::start();
    let home = Home::of(&sshd);
    home.known_hosts(&format!("@revoked * {}", sshd.host_key("ed25519")));
    for check in [HostKeyCheck::Strict, HostKeyCheck::AcceptNew] {
        let error = refused(&target_with(sshd.port, check), &home.context()).await.to_string();
        assert!(error.contains("revoked") && error.contains("known_hosts:2"), "{error}");
    }
}

#[tokio::test]
async fn checking_can_be_given_up_which_is_said() {
    let sshd = Sshd::start();
    let home = stranger(&sshd);
    home.known_hosts(&format!("{} {}", sshd.name(), Sshd::start().host_key("ed25519")));
    let context = home.context();
    for _ in 0..2 {
        connect(&target_with(sshd.port, HostKeyCheck::Off), &context).await.unwrap();
    }
    let warnings = context.take_warnings();
    assert!(warnings.len() == 1 && warnings[0].contains("host keys are not checked"), "{warnings:?}");
}

#[tokio::test]
async fn a_host_with_several_keys_shows_the_one_that_is_known() {
    let sshd = Setup::default().host_key("ed25519").host_key("ecdsa").host_key("rsa").start();
    for kind in ["ecdsa", "rsa", "ed25519"] {
        let home = stranger(&sshd);
        home.known_hosts(&format!("{} {}", sshd.name(), sshd.host_key(kind)));
        connect(&target(sshd.port), &home.context()).await.unwrap();
    }
    // Nothing but SHA-1 to choose from: what is safe is offered instead, and that is said.
    let home = Home::of(&sshd);
    home.config("HostKeyAlgorithms ssh-rsa\n");
    let context = home.context();
    connect(&target(sshd.port), &context).await.unwrap();
    assert!(context.take_warnings()[0].contains("HostKeyAlgorithms `ssh-rsa`"));
    // A known host that shows a key of another type is not new.
    let only_rsa = Setup::default().host_key("rsa").start();
    let home = stranger(&only_rsa);
    home.known_hosts(&format!("{} {}", only_rsa.name(), sshd.host_key("ed25519")));
    let error =
        refused(&target_with(only_rsa.port, HostKeyCheck::AcceptNew), &home.context()).await.to_string();
    assert!(error.contains("it has changed"), "{error}");
}

#[tokio::test]
async fn broken_lines_are_warned_of_and_do_no_harm() {
    let sshd = Sshd::start();
    let home = stranger(&sshd);
    home.known_hosts("what is this");
    home.known_hosts(&format!("{} ssh-ed25519 rubbish", sshd.name()));
    home.known_hosts(&format!("{} {}", sshd.name(), sshd.host_key("ed25519")));
    let context = home.context();
    connect(&target(sshd.port), &context).await.unwrap();
    let warnings = context.take_warnings();
    assert!(warnings.iter().any(|warning| warning.contains("known_hosts:2")), "{warnings:?}");
}

/// A server with a certificate that an authority made with these arguments of ssh-keygen.
fn certified(arguments: &[&str], kind: &'static str) -> (Sshd, String) {
    let mut authority = String::new();
    let setup = Setup::default().host_key(kind).line(&format!("HostCertificate FOLDER/host_{kind}-cert.pub"));
    let sshd = setup.start_with(|folder| {
        let ca = folder.join("ca");
        keygen(&["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", ca.to_str().unwrap()]);
        authority = public_key(&folder.join("ca.pub"));
        let key = folder.join(format!("host_{kind}.pub"));
        let mut all = vec!["-q", "-s", ca.to_str().unwrap(), "-I", "test"];
        all.extend(arguments);
        all.push(key.to_str().unwrap());
        keygen(&all);
    });
    (sshd, authority)
}

#[tokio::test]
async fn a_certificate_of_a_known_authority_is_as_good_as_a_known_key() {
    for kind in ["ed25519", "ecdsa", "rsa"] {
        let (sshd, authority) = certified(&["-h", "-n", "127.0.0.1,web1"], kind);
        let home = stranger(&sshd);
        home.known_hosts(&format!("@cert-authority [127.0.0.*]:* {authority}"));
        connect(&target(sshd.port), &home.context()).await.unwrap();
    }
}

#[tokio::test]
async fn certificates_that_are_not_for_the_host_or_not_valid_are_refused() {
    for (arguments, part) in [
        (["-h", "-n", "web1", "-V", "always:forever"].as_slice(), "it is for web1, not for 127.0.0.1"),
        (&["-h", "-n", "127.0.0.1", "-V", "-2d:-1d"], "it has expired"),
        (&["-h", "-n", "127.0.0.1", "-V", "+1d:+2d"], "it is not valid yet"),
    ] {
        let (sshd, authority) = certified(arguments, "ed25519");
        let home = stranger(&sshd);
        home.known_hosts(&format!("@cert-authority * {authority}"));
        home.known_hosts(&format!("@cert-authority [*]:* {authority}"));
        let error =
            refused(&target_with(sshd.port, HostKeyCheck::AcceptNew), &home.context()).await.to_string();
        assert!(error.contains(part), "{error}");
    }
}

#[tokio::test]
async fn an_authority_speaks_only_for_its_hosts_and_may_be_revoked() {
    let (sshd, authority) = certified(&["-h", "-n", "127.0.0.1"], "ed25519");
    let home = stranger(&sshd);
    home.known_hosts(&format!("@cert-authority *.example.com {authority}"));
    let error = refused(&target(sshd.port), &home.context()).await.to_string();
    assert!(error.contains("it is not in"), "{error}");
    home.known_hosts(&format!("@cert-authority [127.*]:* {authority}"));
    connect(&target(sshd.port), &home.context()).await.unwrap();
    home.known_hosts(&format!("@revoked [127.*]:* {authority}"));
    let error = refused(&target(sshd.port), &home.context()).await.to_string();
    assert!(error.contains("revoked"), "{error}");
}

#[tokio::test]
async fn a_key_that_is_known_itself_needs_no_authority() {
    let (sshd, _) = certified(&["-h", "-n", "web1"], "ed25519");
    let home = stranger(&sshd);
    home.known_hosts(&format!("{} {}", sshd.name(), sshd.host_key("ed25519")));
    // Another authority for the host, so that certificates are asked for.
    home.known_hosts(&format!("@cert-authority [*]:* {}", Sshd::start().host_key("ed25519")));
    connect(&target(sshd.port), &home.context()).await.unwrap();
}

#[tokio::test]
async fn many_first_contacts_at_once_write_every_key_once() {
    let servers: Vec<_> = (0..4).map(|_| Sshd::start()).collect();
    let home = Home::new();
    let public = home.key("ed25519");
    servers.iter().for_each(|sshd| sshd.authorize(&public));
    let context = home.context();
    let connecting = servers.iter().chain(&servers).map(|sshd| {
        let context = &context;
        async move { connect(&target_with(sshd.port, HostKeyCheck::AcceptNew), context).await.map(drop) }
    });
    for done in futures::future::join_all(connecting).await {
        done.unwrap();
    }
    let text = fs::read_to_string(home.ssh("known_hosts")).unwrap();
    let mut lines: Vec<_> = text.lines().collect();
    lines.sort_unstable();
    lines.dedup();
    assert_eq!((lines.len(), text.lines().count()), (4, 4), "{text}");
}
