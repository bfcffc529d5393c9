//! Settings from files and variables of a made-up world.

use std::os::unix::fs::PermissionsExt;

use super::*;

struct Case {
    dir: tempfile::TempDir,
    world: World,
}

impl Case {
    fn new(config: &str, environment: &[(&str, &str)]) -> Case {
        let dir = tempfile::tempdir().unwrap();
        let (here, home, system) = (dir.path().join("here"), dir.path().join("home"), dir.path().join("etc"));
        for folder in [&here, &home, &system] {
            std::fs::create_dir(folder).unwrap();
        }
        if !config.is_empty() {
            std::fs::write(here.join("ansible.cfg"), config).unwrap();
        }
        let environment = environment.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        Case { world: World { environment, here, home: Some(home), system }, dir }
    }

    fn load(&self) -> (Settings, Vec<String>) {
        let sources = Sources::default();
        let (settings, found) = load_from(&self.world, &sources);
        let shown = |it: &Diagnostic| {
            let place = it.span().map(|span| sources.slice(span)).unwrap_or_default();
            format!("{} {} @{place} {}", it.code, it.message, it.help.clone().unwrap_or_default())
        };
        (settings, found.iter().map(|it| shown(it).trim().to_owned()).collect())
    }
}

#[test]
fn the_file_here_decides_and_paths_start_beside_it() {
    let case = Case::new(
        "[defaults]
inventory = hosts, more
roles_path = roles:~/r:/abs
forks=7
host_key_checking = False
private_key_file = $KEYS/id
stdout_callback = ansible.posix.json
callbacks_enabled = profile_tasks, timer
remote_user = me
gathering = smart
nocows = 1
[privilege_escalation]
become = yes
become_method=su
[ssh_connection]
ssh_args = -o ControlMaster=auto -C
ssh_common_args = '-o ProxyJump=\"a b\"'
pipelining = True
retries = 3
[tags]
skip = a, b
[diff]
always = on
[galaxy]
server = x
",
        &[("KEYS", "/keys")],
    );
    let (settings, found) = case.load();
    assert_eq!(found, Vec::<String>::new());
    let here = &case.world.here;
    assert_eq!(settings.file.as_deref(), Some(here.join("ansible.cfg").as_path()));
    assert_eq!(
        settings.inventory,
        [here.join("hosts").display().to_string(), here.join("more").display().to_string()]
    );
    assert_eq!(settings.roles_path, [here.join("roles"), case.dir.path().join("home/r"), "/abs".into()]);
    assert_eq!((settings.forks, settings.connection_retries, settings.diff), (7, 3, true));
    assert_eq!((settings.become_, settings.become_method.as_deref()), (true, Some("su")));
    assert_eq!(settings.host_keys, Some(HostKeyCheck::Off));
    assert_eq!(settings.private_key_file.as_deref(), Some(Path::new("/keys/id")));
    assert_eq!((settings.output, settings.profile), (Format::Json, true));
    assert_eq!(settings.ssh_args, ["-o", "ControlMaster=auto", "-C", "-o", "ProxyJump=a b"]);
    assert_eq!(settings.skip_tags, ["a".into(), "b".into()]);
    assert!(matches!(settings.origins["forks"], Origin::File(_)));
}

#[test]
fn variables_win_over_the_file_and_ours_over_ansibles() {
    let text = "[defaults]\nforks = 7\nremote_user = file\n";
    let variables =
        [("ANSIBLE_FORKS", "8"), ("REGATTA_FORKS", "9"), ("ANSIBLE_REMOTE_USER", "them"), ("NO_COLOR", "1")];
    let (settings, found) = Case::new(text, &variables).load();
    assert_eq!(
        (settings.forks, settings.remote_user.as_deref(), settings.color),
        (9, Some("them"), Some(false))
    );
    assert_eq!(settings.origins["forks"], Origin::Environment("REGATTA_FORKS".into()));
    assert_eq!(found, Vec::<String>::new());
    let (settings, _) =
        Case::new("", &[("ANSIBLE_INVENTORY", "web1,web2,"), ("ANSIBLE_FORCE_COLOR", "1")]).load();
    assert_eq!((settings.inventory, settings.color), (vec!["web1,web2,".into()], Some(true)));
}

#[test]
fn mistakes_are_shown_where_they_are() {
    let cases: &[(&str, &[&str])] = &[
        ("[defaults]\nforks = many\n", &["R503 `forks` must be a whole number, but is `many` @many"]),
        (
            "[defaults]\ngathering = clever\n",
            &["R503 `gathering` must be one of implicit, explicit, smart, but is `clever` @clever"],
        ),
        (
            "[defaults]\nrole_path = x\n",
            &["R502 there is no setting `role_path` in [defaults] @role_path did you mean `roles_path`?"],
        ),
        (
            "[defaults]\nhash_behaviour = merge\ninject_facts_as_vars = false\n",
            &["R501 no effect here: hash_behaviour, inject_facts_as_vars @hash_behaviour"],
        ),
        ("[defaults]\nhash_behaviour = replace\nretry_files_enabled = 0\nfilter_plugins = nowhere\n", &[]),
        ("[unknown]\nx = 1\n", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(Case::new(text, &[]).load().1, *expected, "{text}");
    }
    let (_, found) = Case::new("", &[("ANSIBLE_FORKS", "x")]).load();
    assert_eq!(found, ["R503 `forks` must be a whole number, but is `x` @"]);
}

#[test]
fn files_are_searched_as_ansible_searches_them() {
    let case = Case::new("[defaults]\nforks = 1\n", &[]);
    std::fs::write(case.dir.path().join("home/.ansible.cfg"), "[defaults]\nforks = 2\n").unwrap();
    std::fs::write(case.dir.path().join("etc/ansible.cfg"), "[defaults]\nforks = 3\n").unwrap();
    std::fs::write(case.dir.path().join("etc/hosts"), "").unwrap();
    assert_eq!(case.load().0.forks, 1);
    assert!(case.load().0.inventory[0].ends_with("etc/hosts"));
    std::fs::set_permissions(&case.world.here, std::fs::Permissions::from_mode(0o777)).unwrap();
    let (settings, found) = case.load();
    assert_eq!(
        (settings.forks, found.len()),
        (2, 1),
        "a file in a folder that all may write to is not trusted"
    );
    std::fs::remove_file(case.dir.path().join("home/.ansible.cfg")).unwrap();
    assert_eq!(case.load().0.forks, 3);
    let mut named = case;
    named.world.environment.insert("ANSIBLE_CONFIG".into(), "../etc".into());
    assert_eq!(named.load().0.forks, 3);
    named.world.environment.insert("ANSIBLE_CONFIG".into(), "/nowhere".into());
    assert_eq!(named.load().1.len(), 2);
}
