//! Settings are those that OpenSSH itself reads from the same files and arguments (`ssh -G`), and few of our own.

use std::collections::HashMap;
use std::fs;
use std::process::Command;

use super::super::{SshEnvironment, tests::context};
use super::*;

/// What `ssh -G` says, and what we say, about a host.
struct Both {
    ours: Settings,
    theirs: HashMap<String, Vec<String>>,
}

fn both(config: &str, arguments: &[&str], host: &str) -> Both {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("config");
    fs::write(&path, config.replace("FOLDER", folder.path().to_str().unwrap())).unwrap();
    fs::write(folder.path().join("included"), "Host inc*\n User included\n Port 2001\nHost *\n").unwrap();
    let mut arguments: Vec<String> = arguments.iter().map(ToString::to_string).collect();
    arguments.extend(["-F".to_owned(), path.display().to_string()]);
    let ssh = Command::new("ssh").arg("-G").args(&arguments).arg(host).output().expect("this test needs ssh");
    assert!(ssh.status.success(), "{}", String::from_utf8_lossy(&ssh.stderr));
    let mut theirs: HashMap<String, Vec<String>> = HashMap::new();
    for line in String::from_utf8(ssh.stdout).unwrap().lines() {
        let (name, value) = line.split_once(' ').unwrap_or((line, ""));
        theirs.entry(name.to_owned()).or_default().push(value.to_owned());
    }
    let context = SshContext::new(SshEnvironment::of_process(), None);
    let target = Target { host: host.to_owned(), ssh_args: arguments, ..Target::default() };
    Both { ours: Settings::of(&target, &context).unwrap(), theirs }
}

impl Both {
    fn compare(&self, what: &str) {
        let Both { ours, .. } = self;
        let yes = |flag: bool| if flag { "yes" } else { "no" }.to_owned();
        let theirs = |name: &str| self.theirs.get(name).and_then(|values| values.first()).cloned();
        let pairs = [
            ("hostname", Some(ours.host.clone())),
            ("user", Some(ours.user.clone())),
            ("port", Some(ours.port.to_string())),
            ("compression", Some(yes(ours.compression))),
            ("identitiesonly", Some(yes(ours.login.identities_only))),
            ("hostkeyalias", ours.host_keys.alias.clone()),
            ("hashknownhosts", Some(yes(ours.host_keys.hash_names))),
            (
                "proxyjump",
                match &ours.route {
                    Route::Jump(hops) => {
                        Some(hops.iter().map(ToString::to_string).collect::<Vec<_>>().join(","))
                    }
                    _ => None,
                },
            ),
        ];
        for (name, value) in pairs {
            assert_eq!(value, theirs(name), "{name} of {what}");
        }
        if let Route::Command(_) = &ours.route {
            assert!(theirs("proxycommand").is_some(), "proxycommand of {what}");
        } else {
            assert_eq!(
                theirs("proxycommand").filter(|command| command != "none"),
                None,
                "proxycommand of {what}"
            );
        }
        let files: Vec<_> = ours.login.identities.iter().filter(|identity| identity.named).collect();
        if !files.is_empty() {
            let files: Vec<_> = files.iter().map(|identity| identity.path.display().to_string()).collect();
            let home = SshEnvironment::of_process().home.display().to_string();
            let expected = self.theirs.get("identityfile").unwrap().iter();
            let expected: Vec<_> = expected.map(|path| path.replace('~', &home)).collect();
            assert_eq!(files, expected, "identityfile of {what}");
        }
    }
}

#[test]
fn settings_are_those_of_openssh() {
    for (config, arguments, hosts) in [
        ("", &[][..], "web1 10.0.0.1 ::1"),
        ("Host web*\n HostName %h.example.com\n Port 2222\n User deploy\n", &[], "web1 db1"),
        ("Host web* !web2\n Port 1\nHost *\n Port 2\n", &[], "web1 web2 db1"),
        ("Port=1\nPort 2\n", &[], "a"),
        ("User \"a user\"\nUser b\n", &["-l", "ann"], "a"),
        ("Port 1\n", &["-p", "2", "-o", "Port=3"], "a"),
        ("Port 1\n", &["-oPort=3", "-p2"], "a"),
        ("Host a\n ProxyJump b\n", &[], "a b"),
        ("Host a\n ProxyJump u@b:22,c\n", &[], "a"),
        ("Host a\n ProxyJump none\nHost *\n ProxyJump c\n", &[], "a b"),
        ("Host a\n ProxyCommand nc %h %p\nHost *\n ProxyJump c\n", &[], "a b"),
        ("ProxyCommand nc %h %p\n", &["-o", "ProxyJump=c"], "a"),
        ("ProxyJump c\n", &["-o", "ProxyCommand=none"], "a"),
        ("ProxyJump c\n", &["-o", "ProxyCommand=nc %h %p"], "a"),
        ("IdentityFile ~/.ssh/one\nHost a\n IdentityFile ~/.ssh/two\n IdentityFile ~/.ssh/one\n", &[], "a b"),
        ("IdentityFile /k/b\nUser u\n", &["-i", "/etc/passwd"], "a"),
        ("Match host a,b user u\n Port 7\nMatch all\n User u\n", &[], "a c"),
        ("User u\nMatch host a,b user u\n Port 7\n", &[], "a c"),
        ("HostName x.y\nMatch host x.*\n Port 7\nMatch originalhost a\n HostKeyAlias k\n", &[], "a b"),
        (
            "Host a\n HostName long.name\nMatch final host long.*\n Port 9\nMatch final all\n User f\n",
            &[],
            "a b",
        ),
        ("Match exec \"test %h = a\"\n Port 7\nMatch !exec true\n User no\n", &[], "a b"),
        ("Include FOLDER/included\nUser outer\n", &[], "inc1 other"),
        ("Host x\n Include FOLDER/included\n User inner\nHost *\n User outer\n", &[], "inc1 x"),
        ("Compression yes\nHashKnownHosts yes\nIdentitiesOnly true\n", &["-C"], "a"),
        ("Compression yes\n", &["-o", "Compression no"], "a"),
        ("Host A\n Port 1\nHost a\n Port 2\n", &[], "a A"),
        ("\tHost\ta # comment\n\tPort\t3 # comment\n", &[], "a b"),
    ] {
        for host in hosts.split(' ') {
            both(config, arguments, host).compare(&format!("{host} by {arguments:?} and {config:?}"));
        }
    }
}

fn settings(target: &Target) -> Result<Settings, ConnectError> {
    Settings::of(target, &context())
}

fn target(ssh_args: &[&str]) -> Target {
    Target {
        host: "web1".to_owned(),
        ssh_args: ssh_args.iter().map(ToString::to_string).collect(),
        ..Target::default()
    }
}

#[test]
fn what_the_variables_say_comes_first() {
    let said = Target {
        port: Some(1),
        user: Some("root".to_owned()),
        key_file: Some(PathBuf::from("~/key")),
        host_keys: Some(HostKeyCheck::Strict),
        timeout: Duration::from_secs(3),
        retries: 4,
        ..target(&["-p2", "-lann", "-iother", "-oStrictHostKeyChecking=no", "-oConnectTimeout=9"])
    };
    let settings = settings(&said).unwrap();
    assert_eq!((settings.port, settings.user.as_str()), (1, "root"));
    assert_eq!(settings.login.identities[0].path, Path::new("/nowhere/home/key"));
    assert_eq!(settings.login.identities.len(), 2);
    assert_eq!(settings.host_keys.check, HostKeyCheck::Strict);
    assert_eq!((settings.timeout, settings.attempts), (Duration::from_secs(3), 5));
}

#[test]
fn paths_and_commands_have_tokens() {
    let arguments =
        ["-oHostName=real", "-lroot", "-p7", "-oIdentityFile=~/%n/%h_%r", "-oProxyCommand=nc %h %p"];
    let settings = settings(&target(&arguments)).unwrap();
    assert_eq!(settings.login.identities[0].path, Path::new("/nowhere/home/web1/real_root"));
    assert_eq!(settings.route, Route::Command("nc real 7".to_owned()));
}

#[test]
fn what_nobody_says_is_safe_and_keeps_connections_alive() {
    let settings = settings(&target(&[])).unwrap();
    assert_eq!((settings.port, settings.user.as_str()), (22, "ann"));
    assert_eq!(settings.host_keys.check, HostKeyCheck::Strict);
    assert_eq!((settings.keepalive, settings.keepalive_max), (Some(Duration::from_secs(15)), 3));
    assert_eq!((settings.timeout, settings.attempts), (DEFAULT_TIMEOUT, 1));
    assert!(!settings.compression && !settings.forward_agent);
    assert_eq!(settings.login.methods, ["publickey", "keyboard-interactive", "password"]);
}

#[test]
fn host_key_checking_has_the_words_of_ssh() {
    for (word, check) in [
        ("yes", HostKeyCheck::Strict),
        ("ask", HostKeyCheck::Strict),
        ("accept-new", HostKeyCheck::AcceptNew),
        ("no", HostKeyCheck::Off),
        ("OFF", HostKeyCheck::Off),
    ] {
        let word = format!("-oStrictHostKeyChecking={word}");
        assert_eq!(settings(&target(&[&word])).unwrap().host_keys.check, check);
    }
}

#[test]
fn wrong_values_are_named() {
    for (argument, part) in [
        ("-oPort=70000", "port is `70000`"),
        ("-oStrictHostKeyChecking=maybe", "stricthostkeychecking is `maybe`"),
        ("-oCompression=much", "compression is `much`, it has to be `yes` or `no`"),
        ("-oBindAddress=here", "bindaddress is `here`"),
        ("-oProxyJump=a:b", "is not [user@]host[:port]"),
        ("-oHostName=-x", "begins with `-`"),
        ("-l-oProxyCommand=x", "the user name"),
    ] {
        let error = settings(&target(&[argument])).unwrap_err().to_string();
        assert!(error.contains(part), "{argument}: {error}");
    }
}
