//! What the files say about a host, in small texts.

use std::fs;

use super::super::SshEnvironment;
use super::*;

/// Reads texts as `~/.ssh/<name>`, the first as `config`.
struct Files(tempfile::TempDir);

impl Files {
    fn new(config: &str) -> Files {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("home/.ssh")).unwrap();
        fs::create_dir(folder.path().join("etc")).unwrap();
        let files = Files(folder);
        files.with("home/.ssh/config", config)
    }

    fn with(self, path: &str, text: &str) -> Files {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn read(&self, host: &str) -> (Result<Found, ConnectError>, Vec<String>) {
        let environment = SshEnvironment {
            home: self.0.path().join("home"),
            system: self.0.path().join("etc"),
            user: "ann".to_owned(),
            agent: None,
        };
        let context = SshContext::new(environment, None);
        let found = read(&context, host, Found::default(), None);
        (found, context.take_warnings())
    }

    fn value(&self, host: &str, keyword: &str) -> Option<String> {
        let (found, warnings) = self.read(host);
        assert!(warnings.is_empty(), "{warnings:?}");
        found.unwrap().text(keyword).map(str::to_owned)
    }
}

#[test]
fn the_first_value_wins_and_hosts_are_patterns() {
    let files = Files::new(
        "User first\nHost web* !web3\n  Port 1\n  User second\nHost web3 db?\n  Port 2\nHost *\n  Port 3\n",
    );
    for (host, port) in [("web1", "1"), ("web3", "2"), ("db1", "2"), ("other", "3")] {
        assert_eq!(files.value(host, "port").as_deref(), Some(port), "{host}");
        assert_eq!(files.value(host, "user").as_deref(), Some("first"), "{host}");
    }
}

#[test]
fn the_users_file_comes_before_the_systems() {
    let files = Files::new("Host a\n Port 1\n").with("etc/ssh_config", "Port 2\nUser root\n");
    assert_eq!(files.value("a", "port").as_deref(), Some("1"));
    assert_eq!(files.value("a", "user").as_deref(), Some("root"));
    assert_eq!(files.value("b", "port").as_deref(), Some("2"));
    let files = Files::new("").with("etc/ssh_config", "Include ssh_config.d/*.conf\n");
    let files =
        files.with("etc/ssh_config.d/site.conf", "Port 3\n").with("etc/ssh_config.d/old", "User never\n");
    assert_eq!((files.value("a", "port").as_deref(), files.value("a", "user")), (Some("3"), None));
}

#[test]
fn match_conditions_hold_as_in_ssh() {
    for (condition, expected) in [
        ("all", true),
        ("host web1.example.com", true),
        ("host=web1.example.com", true),
        ("originalhost web1", true),
        ("host web1", false),
        ("host *.example.com,!web1*", false),
        ("user deploy", true),
        ("user root", false),
        ("localuser ann user deploy", true),
        ("localuser bob", false),
        ("!localuser bob", true),
        ("exec true", true),
        ("exec \"test %h = web1.example.com\"", true),
        ("!exec false", true),
        ("exec false", false),
        ("canonical", false),
        ("tagged x", false),
    ] {
        let text = format!("Host web1\n HostName %h.example.com\n User deploy\nMatch {condition}\n Port 7\n");
        assert_eq!(Files::new(&text).value("web1", "port").is_some(), expected, "{condition}");
    }
}

#[test]
fn what_no_longer_matters_is_not_executed() {
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark");
    let text = format!("Match host other exec \"touch {}\"\n Port 7\n", mark.display());
    Files::new(&text).value("web1", "port");
    assert!(!mark.exists());
}

#[test]
fn match_final_sees_the_name_of_the_first_round() {
    let files = Files::new(
        "Host short\n HostName long.example.com\nMatch final host *.example.com\n Port 9\nHost *.example.com\n User u\n",
    );
    assert_eq!(files.value("short", "port").as_deref(), Some("9"));
    assert_eq!(files.value("short", "user").as_deref(), Some("u"));
    assert_eq!(files.value("else", "port"), None);
}

#[test]
fn files_include_others_where_the_host_fits() {
    let files = Files::new("Include conf.d/*\nHost a\n Include only-a\nHost *\n User last\n")
        .with("home/.ssh/conf.d/1", "Host b\n Port 1\n")
        .with("home/.ssh/conf.d/2", "Host b\n Port 2\nHost a\n Port 3\n")
        .with("home/.ssh/only-a", "User included\nHost b\n User never\n");
    assert_eq!(files.value("b", "port").as_deref(), Some("1"));
    assert_eq!(files.value("a", "port").as_deref(), Some("3"));
    assert_eq!(files.value("a", "user").as_deref(), Some("included"));
    assert_eq!(files.value("b", "user").as_deref(), Some("last"));
}

#[test]
fn files_that_include_themselves_are_an_error() {
    let (found, _) = Files::new("Include config\n").read("a");
    assert!(found.err().unwrap().to_string().contains("too deep"));
}

#[test]
fn key_files_add_up_without_repetition() {
    let files =
        Files::new("IdentityFile a\nHost x\n IdentityFile b\n IdentityFile a\nHost *\n IdentityFile c\n");
    let (found, _) = files.read("x");
    let found = found.unwrap();
    let all: Vec<_> = found.all("identityfile").map(|setting| setting.rest.as_str()).collect();
    assert_eq!(all, ["a", "b", "c"]);
}

#[test]
fn unknown_keywords_are_warned_of_once_and_known_ones_are_not() {
    let files = Files::new(
        "IgnoreUnknown UseK*,Other\nUseKeychain yes\nOther 1\nControlMaster auto\nNonsense 1\nPort\n",
    );
    let (found, warnings) = files.read("a");
    assert!(found.is_ok());
    assert_eq!(warnings.len(), 2, "{warnings:?}");
    assert!(warnings[0].ends_with("config line 5: unknown keyword `nonsense`, left out"), "{warnings:?}");
    assert!(warnings[1].ends_with("config line 6: port has no value"), "{warnings:?}");
}

#[test]
fn wrong_conditions_and_values_name_their_line() {
    for (text, part) in [
        ("Match host\n", "config line 1: `Match host` has no value"),
        ("\nMatch sometimes yes\n", "config line 2: unknown condition `sometimes`"),
        ("Match exec \"echo %z\"\n", "config line 1: unknown token `%z`"),
    ] {
        let (found, _) = Files::new(text).read("a");
        let error = found.err().unwrap().to_string();
        assert!(error.contains(part), "{error}");
    }
    let (found, _) = Files::new("Host a\n Port ssh\n Compression maybe\n").read("a");
    let found = found.unwrap();
    let error = found.parsed::<u16>("port", "a number").unwrap_err().to_string();
    assert!(error.ends_with("config line 2: port is `ssh`, it has to be a number"), "{error}");
    assert!(found.flag("compression").unwrap_err().to_string().contains("line 3"));
}
