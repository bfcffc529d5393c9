//! The command lines of sudo, su and doas.

use crate::proto::Identity;
use crate::proto::boot::{Nonce, Program};

/// Options of sudo that take no value, so that they may stand in one word.
const SUDO_SWITCHES: &str = "ABbEeHiKklnNPSsv";

/// The command that starts a worker as the user, with `prompt` where the method lets us choose how it asks.
///
/// # Errors
/// A method that there is no way for.
pub(super) fn argv(
    identity: &Identity,
    prompt: &str,
    nonce: &Nonce,
    programs: &[Program],
) -> Result<Vec<String>, String> {
    let Identity { method, user, .. } = identity;
    if user.is_empty() || user.starts_with('-') {
        return Err(format!("'{user}' is no name of a user"));
    }
    let mut argv = vec![identity.exe.clone().unwrap_or_else(|| method.clone())];
    argv.extend(flags(identity));
    let mut add = |words: &[&str]| argv.extend(words.iter().map(|word| (*word).to_owned()));
    match method.as_str() {
        "sudo" => {
            if identity.password.is_some() {
                add(&["-p", prompt]);
            }
            add(&["-u", user]);
            argv.extend(nonce.argv(programs));
        }
        "doas" => {
            if identity.password.is_none() && !identity.flags.iter().any(|flag| flag == "-n") {
                add(&["-n"]);
            }
            add(&["-u", user]);
            argv.extend(nonce.argv(programs));
        }
        "su" => {
            add(&[user, "-c"]);
            argv.push(nonce.line(programs));
        }
        _ => return Err(format!("the become method {method} is not supported; sudo, su and doas are")),
    }
    Ok(argv)
}

/// The options for the method: those that were given, else the usual ones. One that forbids to ask for a password
/// makes no sense where there is one.
fn flags(identity: &Identity) -> Vec<String> {
    let sudo = identity.method == "sudo";
    if identity.flags.is_empty() && sudo {
        let usual: &[&str] = if identity.password.is_some() { &["-H", "-S"] } else { &["-H", "-S", "-n"] };
        return usual.iter().map(|&flag| flag.to_owned()).collect();
    }
    if identity.password.is_none() {
        return identity.flags.clone();
    }
    identity.flags.iter().filter_map(|flag| may_ask(flag, sudo)).collect()
}

/// The option without what forbids to ask.
fn may_ask(flag: &str, sudo: bool) -> Option<String> {
    let switches =
        flag.strip_prefix('-').filter(|rest| sudo && rest.chars().all(|it| SUDO_SWITCHES.contains(it)));
    match switches {
        _ if flag == "-n" || (sudo && flag == "--non-interactive") => None,
        Some(rest) => Some(format!("-{}", rest.replace('n', ""))),
        None => Some(flag.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn identity(method: &str, flags: &[&str], password: bool) -> Identity {
        Identity {
            method: method.into(),
            user: "bob".into(),
            exe: None,
            flags: flags.iter().map(|&flag| flag.to_owned()).collect(),
            password: password.then(|| Secret::new("geheim")),
        }
    }

    fn words(identity: &Identity) -> String {
        let argv = argv(identity, "PROMPT", &Nonce::from_halves("a", "b"), &[]).unwrap();
        argv.join(" ").split(" /bin/sh").next().unwrap().to_owned()
    }

    #[test]
    fn the_command_lines_are_the_usual_ones() {
        let table: &[(&str, &[&str], bool, &str)] = &[
            ("sudo", &[], false, "sudo -H -S -n -u bob"),
            ("sudo", &[], true, "sudo -H -S -p PROMPT -u bob"),
            ("sudo", &["-HSn"], true, "sudo -HS -p PROMPT -u bob"),
            ("sudo", &["-H", "-n"], true, "sudo -H -p PROMPT -u bob"),
            ("sudo", &["-g", "nogroup"], true, "sudo -g nogroup -p PROMPT -u bob"),
            ("doas", &[], false, "doas -n -u bob"),
            ("doas", &["-n"], true, "doas -u bob"),
        ];
        for (method, flags, password, expected) in table {
            assert_eq!(words(&identity(method, flags, *password)), *expected);
        }
        assert!(
            words(&identity("su", &["-s", "/bin/bash"], true)).starts_with("su -s /bin/bash bob -c exec")
        );
    }

    #[test]
    fn no_command_line_holds_the_password() {
        for method in ["sudo", "su", "doas"] {
            let argv = argv(&identity(method, &[], true), "PROMPT", &Nonce::new().unwrap(), &[]).unwrap();
            assert!(!argv.join(" ").contains("geheim"));
        }
    }

    #[test]
    fn a_user_that_would_be_an_option_and_an_unknown_method_are_refused() {
        let nonce = Nonce::from_halves("a", "b");
        let option = Identity { user: "-s".into(), ..identity("su", &[], false) };
        assert!(argv(&option, "", &nonce, &[]).is_err());
        let error = argv(&identity("pbrun", &[], false), "", &nonce, &[]).unwrap_err();
        assert!(error.contains("pbrun is not supported"), "{error}");
    }
}
