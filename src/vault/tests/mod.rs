//! Texts that ansible-vault 2.18 wrote, with the password `correct horse` and but for one the salt `regatta-salt`:
//! they open here, and what is written here is the same to the byte, so it opens there.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;

use super::*;
use crate::diag::{Sources, code, render};
use crate::secret::Secret;

const YAML: &str = "a: 1\nb: [x, \"é\"]\n";
const SALT: &[u8] = b"regatta-salt";
const FILES: &[(&str, &str, Option<&str>)] = &[
    (include_str!("plain11.vault"), YAML, None),
    (include_str!("label12.vault"), YAML, Some("prod")),
    (include_str!("block.vault"), "0123456789abcdef", None),
    (include_str!("empty.vault"), "", None),
];
const RANDOM: &str = include_str!("random.vault");

fn password() -> Secret {
    Secret::new("correct horse")
}

fn keyring(keys: &[(&str, &str)]) -> Arc<Keyring> {
    let keys = keys.iter().map(|(id, word)| Key { id: (*id).into(), password: Secret::new(*word) });
    Arc::new(Keyring::new(keys.collect(), false))
}

#[test]
fn what_ansible_vault_wrote_opens_and_is_written_the_same() {
    for (text, plain, label) in FILES {
        let envelope = Envelope::parse(text.as_bytes()).unwrap();
        assert_eq!(envelope.label.as_deref(), *label);
        assert_eq!(envelope.open(&password()).unwrap().as_slice(), plain.as_bytes());
        assert_eq!(envelope.open(&Secret::new("wrong")), None);
        assert_eq!(Envelope::seal(plain.as_bytes(), &password(), *label, Some(SALT)).unwrap(), *text);
    }
    assert_eq!(
        Envelope::seal(YAML.as_bytes(), &password(), Some(DEFAULT_ID), Some(SALT)).unwrap(),
        FILES[0].0
    );
    assert_eq!(
        Envelope::parse(RANDOM.as_bytes()).unwrap().open(&password()).unwrap().as_slice(),
        b"random salt"
    );
}

#[test]
fn a_random_salt_differs_each_time_and_every_length_comes_back() {
    for length in [0, 1, 15, 16, 17, 4096] {
        let plain = vec![b'x'; length];
        let one = Envelope::seal(&plain, &password(), None, None).unwrap();
        assert_ne!(one, Envelope::seal(&plain, &password(), None, None).unwrap());
        assert!(one.lines().all(|line| line.len() <= 80));
        assert_eq!(*Envelope::parse(one.as_bytes()).unwrap().open(&password()).unwrap(), plain);
    }
}

#[test]
fn damaged_texts_are_refused_with_the_reason() {
    let good = FILES[0].0;
    let cases = [
        ("x".to_owned(), "begin"),
        (good.replace("1.1", "1.0"), "1.0"),
        (good.replace("1.1", "9"), "`9`"),
        (good.replace("AES256", "AES"), "`AES`"),
        (good[..good.len() - 2].to_owned(), "damaged"),
        (good.replace('\n', "zz\n"), "zz"),
        ("$ANSIBLE_VAULT;1.1;AES256\n".into(), "damaged"),
    ];
    for (text, reason) in cases {
        let said = Envelope::parse(text.as_bytes()).unwrap_err();
        assert!(said.contains(reason), "{text}: {said}");
    }
    // One bit of the data changed: the HMAC says so.
    let body = good.trim_end().char_indices().last().unwrap().0;
    let flipped = format!("{}{}\n", &good[..body], if &good[body..=body] == "0" { '1' } else { '0' });
    let opened = Envelope::parse(flipped.as_bytes()).ok().and_then(|envelope| envelope.open(&password()));
    assert_eq!(opened, None);
}

#[test]
fn all_passwords_are_tried_unless_the_vault_id_must_match() {
    let text = FILES[1].0.as_bytes();
    let ring = keyring(&[("dev", "other"), ("test", "correct horse")]);
    assert_eq!(ring.decrypt(text).unwrap().as_slice(), YAML.as_bytes());
    assert_eq!(ring.key_and_plain(text).unwrap().0.id, "test");
    let exact = Keyring::new(ring.keys().to_vec(), true);
    assert!(matches!(exact.decrypt(text), Err(Refused::Wrong { .. })));
    let wrong = keyring(&[("prod", "other")]).decrypt(text).unwrap_err().to_string();
    assert!(wrong.contains("`prod`"), "{wrong}");
    let none = Keyring::default().decrypt(text).unwrap_err().to_string();
    assert!(none.contains("`prod`") && none.contains("no vault password"), "{none}");
}

#[test]
fn a_wrong_password_is_known_when_the_file_is_read_and_no_line_of_a_decrypted_file_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("secrets.yml");
    let sources = Sources::default();
    fs::write(&path, FILES[1].0).unwrap();
    let mistakes = load(&path, &sources, &keyring(&[("prod", "no")])).unwrap_err();
    assert_eq!(mistakes[0].code, code::VAULT_UNREADABLE);
    assert!(mistakes[0].message.contains("secrets.yml") && mistakes[0].message.contains("`prod`"));
    assert_eq!(
        load(&path, &sources, &keyring(&[("x", "correct horse")])).unwrap().0.get("a").unwrap().to_value(),
        1.into()
    );

    let broken = Envelope::seal(b"top: secret\nbad: [hunter2\n", &password(), None, None).unwrap();
    fs::write(&path, broken).unwrap();
    let mistakes = load(&path, &sources, &keyring(&[("x", "correct horse")])).unwrap_err();
    let shown = render(&mistakes[0], &sources, false);
    assert!(
        shown.contains("secrets.yml:") && shown.contains("encrypted") && !shown.contains("hunter2"),
        "{shown}"
    );
}

#[test]
fn values_with_a_wrong_password_are_reported_and_those_without_one_wait() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vars.yml");
    let indented = FILES[1].0.lines().map(|line| format!("  {line}\n")).collect::<String>();
    fs::write(&path, format!("key: !vault |\n{indented}")).unwrap();
    let sources = Sources::default();
    for (ring, mistakes) in
        [(keyring(&[]), 0), (keyring(&[("dev", "no")]), 0), (keyring(&[("prod", "no")]), 1)]
    {
        assert_eq!(load(&path, &sources, &ring).err().map_or(0, |found| found.len()), mistakes);
    }
    let ring = keyring(&[("prod", "correct horse")]);
    let (node, _) = load(&path, &sources, &ring).unwrap();
    let text = node.get("key").unwrap().as_str().unwrap();
    assert!(!ring.is_value(YAML));
    assert_eq!(ring.decrypt_value(text).unwrap(), YAML);
    assert!(ring.is_value(YAML));
}

#[test]
fn passwords_come_from_files_programs_and_the_user() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str, mode: u32| {
        let path = folder.path().join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
        Source::Path(path)
    };
    let vaulted = Envelope::seal(b"inner\n", &password(), None, None).unwrap();
    let ring = keyring(&[("x", "correct horse")]);
    let ask = |text: &str| Some(Secret::new(text));
    let get = |source: &Source, purpose| password_of(source, purpose, &ring, &ask);
    let known = Purpose::Known;
    assert_eq!(get(&file("p", " word \n", 0o600), known), Ok(Some("word".into())));
    assert_eq!(get(&file("v", &vaulted, 0o600), known), Ok(Some("inner".into())));
    assert_eq!(get(&file("s", "#!/bin/sh\necho out \"$@\"\n", 0o700), known), Ok(Some("out".into())));
    let client = file("get-client.sh", "#!/bin/sh\necho \"$@\"\n", 0o700);
    assert_eq!(get(&client, known), Ok(Some("--vault-id lab".into())));
    assert_eq!(get(&file("no-client", "#!/bin/sh\nexit 2\n", 0o700), known), Ok(None));
    assert!(get(&file("f", "#!/bin/sh\necho why >&2; exit 1\n", 0o700), known).unwrap_err().contains("why"));
    assert!(get(&file("e", "\n", 0o600), known).unwrap_err().contains("no password"));
    assert!(get(&Source::Path(folder.path().join("absent")), known).unwrap_err().contains("absent"));
    assert_eq!(get(&Source::Prompt, known), Ok(Some("Vault password (lab): ".into())));
    assert_eq!(get(&Source::AskPass, known), Ok(Some("Vault password: ".into())));
    assert!(get(&Source::Prompt, Purpose::New).unwrap_err().contains("not the same"));
    assert!(password_of(&Source::Prompt, known, &ring, &|_| None).unwrap_err().contains("nobody"));
}

fn password_of(
    source: &Source,
    purpose: Purpose,
    ring: &Keyring,
    ask: Ask<'_>,
) -> Result<Option<String>, String> {
    let found = super::password("lab", source, purpose, ring, ask)?;
    Ok(found.map(|password| password.expose().to_owned()))
}

#[test]
fn a_vault_id_is_a_label_and_a_source() {
    let path = |text: &str| Source::Path(text.into());
    let cases = [
        ("prod@prompt", ("prod", Source::Prompt)),
        ("prompt", ("default", Source::Prompt)),
        ("@prompt_ask_vault_pass", ("default", Source::AskPass)),
        ("a@b@c", ("a", path("b@c"))),
        ("file", ("default", path("file"))),
    ];
    for (text, (id, source)) in cases {
        assert_eq!(Source::parse(text), (id.to_owned(), source), "{text}");
    }
}
