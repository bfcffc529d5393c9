//! Words of `ansible_ssh_common_args` and the like, written for the program `ssh`: what of them we can do is put
//! among the values for the host, the rest is warned of.

use std::path::PathBuf;

use super::config::{Found, Kind, Line, canonical, kind};
use super::context::SshContext;
use crate::connection::ConnectError;

/// Options of `ssh` that take a value.
const WITH_VALUE: &str = "BbcDEeFIiJLlmOoPpQRSWw";
/// Options that change nothing for us: verbosity, terminal, background, X11, master sockets.
const HARMLESS: &str = "aefGgKkMmnNOPqSsTtVvXxYyBc";

/// Takes the words in. The answer is the file of `-F`.
pub(super) fn apply(
    words: &[String],
    found: &mut Found,
    context: &SshContext,
) -> Result<Option<PathBuf>, ConnectError> {
    let mut file = None;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let Some(mut letters) = word.strip_prefix('-').filter(|letters| !letters.is_empty()) else {
            context.warn(format!("ssh argument `{word}` is not an option, left out"));
            continue;
        };
        // Letters come in bundles; the first that takes a value takes the rest of the word or the next one.
        while let Some(letter) = letters.chars().next() {
            letters = &letters[letter.len_utf8()..];
            if !WITH_VALUE.contains(letter) {
                flag(letter, found, context);
                continue;
            }
            let value = if letters.is_empty() { words.next().map(String::as_str) } else { Some(letters) };
            let Some(value) = value else {
                return Err(ConnectError::Config(format!("ssh argument -{letter} has no value")));
            };
            match letter {
                'F' => file = Some(PathBuf::from(value)),
                'o' => option(value, found, context)?,
                _ => valued(letter, value, found, context),
            }
            break;
        }
    }
    Ok(file)
}

fn put(found: &mut Found, keyword: &str, value: &str) {
    let (words, rest) = (vec![value.to_owned()], value.to_owned());
    let line = Line { number: 0, keyword: keyword.to_owned(), words, rest };
    found.set(&line, || "ssh arguments".to_owned());
}

fn flag(letter: char, found: &mut Found, context: &SshContext) {
    match letter {
        '4' => put(found, "addressfamily", "inet"),
        '6' => put(found, "addressfamily", "inet6"),
        'A' => put(found, "forwardagent", "yes"),
        'a' => put(found, "forwardagent", "no"),
        'C' => put(found, "compression", "yes"),
        letter if HARMLESS.contains(letter) => {}
        letter => context.warn(format!("ssh argument -{letter} has no meaning here, left out")),
    }
}

fn valued(letter: char, value: &str, found: &mut Found, context: &SshContext) {
    match letter {
        'b' => put(found, "bindaddress", value),
        'i' => put(found, "identityfile", value),
        'J' => put(found, "proxyjump", value),
        'l' => put(found, "user", value),
        'p' => put(found, "port", value),
        letter if HARMLESS.contains(letter) => {}
        letter => context.warn(format!("ssh argument -{letter} {value} has no meaning here, left out")),
    }
}

/// `-o Keyword=value`.
fn option(text: &str, found: &mut Found, context: &SshContext) -> Result<(), ConnectError> {
    let wrong = || ConnectError::Config(format!("ssh argument -o {text}: expected Keyword=value"));
    let line = Line::parse(0, text).filter(|line| !line.words.is_empty()).ok_or_else(wrong)?;
    let keyword = canonical(&line.keyword).to_owned();
    match kind(&keyword) {
        Kind::Used | Kind::Collected => {
            found.set(&Line { keyword, ..line }, || "ssh arguments".to_owned());
        }
        Kind::Harmless => {}
        Kind::Unsupported => context.warn(format!("ssh argument -o {text}: not supported, left out")),
        Kind::Unknown => context.warn(format!("ssh argument -o {text}: unknown keyword, left out")),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::connection::ssh::tests::context;

    fn taken(text: &str) -> (Found, Option<PathBuf>, Vec<String>) {
        let context = context();
        let mut found = Found::default();
        let words = shlex::split(text).unwrap();
        let file = apply(&words, &mut found, &context).unwrap();
        (found, file, context.take_warnings())
    }

    #[test]
    fn arguments_of_ssh_become_values() {
        for (text, keyword, expected) in [
            ("-o Port=2222", "port", "2222"),
            ("-oPort=2222", "port", "2222"),
            ("-o 'Port 2222'", "port", "2222"),
            ("-p2222", "port", "2222"),
            ("-p 2222", "port", "2222"),
            ("-vvCp 2222", "port", "2222"),
            ("-p 1 -p 2", "port", "1"),
            ("-J a,b", "proxyjump", "a,b"),
            ("-l ann", "user", "ann"),
            ("-o StrictHostKeyChecking=no", "stricthostkeychecking", "no"),
            ("-o UserKnownHostsFile=/dev/null", "userknownhostsfile", "/dev/null"),
            ("-tt -C", "compression", "yes"),
            ("-4", "addressfamily", "inet"),
            ("-6A", "forwardagent", "yes"),
            ("-o ChallengeResponseAuthentication=no", "kbdinteractiveauthentication", "no"),
        ] {
            let (found, _, warnings) = taken(text);
            assert_eq!(found.text(keyword), Some(expected), "{text}");
            assert!(warnings.is_empty(), "{text}: {warnings:?}");
        }
    }

    #[test]
    fn a_proxy_command_keeps_its_words() {
        let (found, _, _) = taken(r#"-o 'ProxyCommand=ssh -W %h:%p -q "bastion"'"#);
        assert_eq!(found.get("proxycommand").unwrap().rest, r#"ssh -W %h:%p -q "bastion""#);
    }

    #[test]
    fn key_files_are_collected_and_f_names_a_file() {
        let (found, file, _) = taken("-i a -F other -i b -o IdentityFile=c");
        let files: Vec<_> = found.all("identityfile").map(|setting| setting.rest.as_str()).collect();
        assert_eq!((files, file), (vec!["a", "b", "c"], Some(PathBuf::from("other"))));
    }

    #[test]
    fn what_has_no_meaning_here_is_warned_of() {
        for (text, part) in [
            ("-L 80:a:80", "-L 80:a:80"),
            ("host", "`host` is not an option"),
            ("-o Ciphers=aes128-ctr", "not supported"),
            ("-o Nonsense=1", "unknown keyword"),
            ("-f -z", "-z"),
        ] {
            let (_, _, warnings) = taken(text);
            assert!(warnings.len() == 1 && warnings[0].contains(part), "{text}: {warnings:?}");
        }
        let words = ["-o".to_owned(), "Port".to_owned()];
        assert!(apply(&words, &mut Found::default(), &context()).is_err());
        assert!(apply(&["-p".to_owned()], &mut Found::default(), &context()).is_err());
        let (_, _, warnings) = taken("-o ControlMaster=auto -o ControlPersist=60s -S none -q");
        assert!(warnings.is_empty(), "{warnings:?}");
    }
}
