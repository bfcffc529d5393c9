//! Tests of `mount`.

use super::Args;
use crate::modules::api::fake::{Effect, FakeHost};
use crate::modules::api::{Ran, Touch};

const ROOT: &str = "21 1 8:1 / / rw - ext4 /dev/sda1 rw\n";
const FSTAB: &str = "/dev/sda1 / ext4 defaults 0 1\n";
const DATA: &str = "30 21 8:17 / /srv/data rw - ext4 /dev/sdb1 rw\n";
const LINE: &str = "/dev/sdb1 /srv/data ext4 noatime 0 0\n";
const MOUNTED: &str = "path: /srv/data, src: /dev/sdb1, fstype: ext4, opts: noatime, state: mounted";

/// What a command leaves mounted besides the root.
fn leaves(mounts: &'static str) -> Option<Effect> {
    Some(Box::new(move |host| {
        *host = std::mem::take(host).file("/proc/self/mountinfo", format!("{ROOT}{mounts}"));
    }))
}

fn host(fstab: &str, mounts: &str) -> FakeHost {
    FakeHost::new()
        .file("/etc/fstab", format!("{FSTAB}{fstab}"))
        .file("/proc/self/mountinfo", format!("{ROOT}{mounts}"))
        .answer_with("mount", Ran::default(), leaves(DATA))
        .answer_with("umount", Ran::default(), leaves(""))
        .answer_with(
            "rmdir -- /srv/data",
            Ran::default(),
            Some(Box::new(|host| {
                let _ = host.remove_tree("/srv/data".as_ref());
            })),
        )
}

#[test]
fn states_that_come_to_rest() {
    for (args, fstab, mounts, after, ran) in [
        (MOUNTED, "", "", LINE, vec!["mount /srv/data"]),
        (MOUNTED, LINE, "", LINE, vec!["mount /srv/data"]),
        // Another line, the same source: once more. Another source: off and on.
        (MOUNTED, "/dev/sdb1 /srv/data ext4 ro 0 0\n", DATA, LINE, vec!["mount -o remount /srv/data"]),
        (
            MOUNTED,
            "/dev/sdc1 /srv/data ext4 noatime 0 0\n",
            "30 21 8:33 / /srv/data rw - ext4 /dev/sdc1 rw\n",
            LINE,
            vec!["umount /srv/data", "mount /srv/data"],
        ),
        (
            "path: /srv/data, src: /dev/sdb1, fstype: ext4, opts: noatime, state: present",
            "",
            "",
            LINE,
            vec![],
        ),
        (
            "path: /srv/data, src: /dev/sdb1, fstype: ext4, boot: false, passno: 2, state: present",
            LINE,
            "",
            "/dev/sdb1 /srv/data ext4 defaults,noauto 0 2\n",
            vec![],
        ),
        ("path: /srv/data, state: unmounted", LINE, DATA, LINE, vec!["umount /srv/data"]),
        ("path: /srv/data/, state: absent_mount", LINE, DATA, "", vec!["umount /srv/data/"]),
        ("path: /srv/data, state: absent_from_fstab", LINE, DATA, "", vec![]),
        ("path: /srv/data, state: absent", LINE, DATA, "", vec!["umount /srv/data", "rmdir -- /srv/data"]),
        ("path: /srv/data, state: absent", LINE, "", "", vec!["rmdir -- /srv/data"]),
    ] {
        let mut host = host(fstab, mounts).dir("/srv/data");
        host.converge::<Args>(&format!("{{{args}}}"));
        assert_eq!(host.text("/etc/fstab"), format!("{FSTAB}{after}"), "{args}");
        assert_eq!(host.ran, ran, "{args}");
    }
}

#[test]
fn nothing_is_done_where_nothing_is_to_do() {
    for (args, fstab, mounts) in [
        (MOUNTED, LINE, DATA),
        ("path: /srv/data, state: unmounted", LINE, ""),
        // Without a line in fstab, absent has no effect.
        ("path: /srv/data, state: absent", "", DATA),
        ("path: none, fstype: swap, state: absent", LINE, ""),
    ] {
        let mut host = host(fstab, mounts);
        assert!(!host.play::<Args>(&format!("{{{args}}}")).unwrap().changed, "{args}");
        assert_eq!((host.touches, host.ran.len()), (0, 0), "{args}");
    }
}

#[test]
fn swap_leaves_fstab_without_any_command() {
    let swap = "UUID=1 none swap sw 0 0\n/swapfile swap swap defaults 0 0\n";
    let mut host = host(swap, "");
    for path in ["none", "swap"] {
        host.converge::<Args>(&format!("{{name: {path}, fstype: swap, state: absent}}"));
    }
    assert_eq!(host.text("/etc/fstab"), FSTAB);
    host.converge::<Args>("{name: none, src: /swapfile, fstype: swap, opts: sw, state: present}");
    assert_eq!(host.text("/etc/fstab"), format!("{FSTAB}/swapfile none swap sw 0 0\n"));
    assert!(host.ran.is_empty());
    let fail = host.play::<Args>("{name: none, src: /swapfile, fstype: swap, state: mounted}").unwrap_err();
    assert!(fail.msg.contains("swapon"), "{}", fail.msg);
}

#[test]
fn what_is_mounted_on_is_made() {
    let mut one = host("", "");
    one.converge::<Args>(&format!("{{{MOUNTED}}}"));
    assert_eq!(one.mode("/srv/data"), 0o755);
    // A file is shown on a file.
    let mut two = host("", "").file("/etc/motd", "x");
    two.play::<Args>("{path: /srv/a/b, src: /etc/motd, fstype: none, opts: bind, state: mounted}").unwrap();
    assert_eq!(two.text("/srv/a/b"), "");
}

#[test]
fn a_mount_that_fails_leaves_everything_as_it_was() {
    let mut host = FakeHost::new()
        .file("/proc/self/mountinfo", ROOT)
        .answer_with("mount", Ran { rc: 32, stderr: "no such device".into(), ..Ran::default() }, None)
        .answer_with(
            "rmdir -- /srv/data",
            Ran::default(),
            Some(Box::new(|host| {
                let _ = host.remove_tree("/srv/data".as_ref());
            })),
        );
    let fail = host.play::<Args>(&format!("{{{MOUNTED}}}")).unwrap_err();
    assert_eq!(fail.msg, "mounting /srv/data failed: no such device");
    assert!(!host.has("/etc/fstab") && !host.has("/srv/data"));
    let mut host = host.file("/etc/fstab", FSTAB);
    host.play::<Args>(&format!("{{{MOUNTED}}}")).unwrap_err();
    assert_eq!(host.text("/etc/fstab"), FSTAB);
}

#[test]
fn what_can_not_be_unmounted_stays_in_fstab() {
    let busy = Ran { rc: 32, stderr: "target is busy".into(), ..Ran::default() };
    let mut host = FakeHost::new()
        .file("/etc/fstab", LINE)
        .file("/proc/self/mountinfo", format!("{ROOT}{DATA}"))
        .answer_with("umount", busy, None);
    let fail = host.play::<Args>("{path: /srv/data, state: absent}").unwrap_err();
    assert_eq!(fail.msg, "unmounting /srv/data failed: target is busy");
    assert_eq!(host.text("/etc/fstab"), LINE);
}

#[test]
fn remounting_and_passing_mounts_are_always_changes() {
    let ephemeral = "path: /srv/data, src: /dev/sdb1, fstype: ext4, opts: ro, state: ephemeral";
    for (args, mounts, ran) in [
        ("path: /srv/data, state: remounted", DATA, "mount -o remount /srv/data"),
        ("path: /srv/data, state: remounted, opts: noexec", DATA, "mount -o remount,noexec /srv/data"),
        (ephemeral, "", "mount -t ext4 -o ro /dev/sdb1 /srv/data"),
        (ephemeral, DATA, "mount -t ext4 -o remount,ro /dev/sdb1 /srv/data"),
    ] {
        let mut host = host("", mounts).dir("/srv/data");
        let args = format!("{{{args}}}");
        assert!(host.check::<Args>(&args).unwrap().changed, "{args}");
        assert!(host.play::<Args>(&args).unwrap().changed, "{args}");
        assert_eq!(host.ran, [ran]);
        assert_eq!(host.text("/etc/fstab"), FSTAB);
    }
    let other = "30 21 8:33 / /srv/data rw - ext4 /dev/sdc1 rw\n";
    let fail = host("", other).play::<Args>(&format!("{{{ephemeral}}}")).unwrap_err();
    assert!(fail.msg.starts_with("/dev/sdc1 is mounted at /srv/data already"), "{}", fail.msg);
}

#[test]
fn a_remount_that_is_refused_becomes_off_and_on_without_options() {
    let refused = || Ran { rc: 32, stderr: "busy".into(), ..Ran::default() };
    let mut host = host("", DATA).answer_with("mount -o", refused(), None);
    host.play::<Args>("{path: /srv/data, state: remounted}").unwrap();
    assert_eq!(host.ran, ["mount -o remount /srv/data", "umount /srv/data", "mount /srv/data"]);
    let fail = host.play::<Args>("{path: /srv/data, opts: ro, state: remounted}").unwrap_err();
    assert!(fail.msg.contains("might lose options"), "{}", fail.msg);
}

#[test]
fn hidden_options_are_seen_nowhere() {
    let cifs =
        "path: /srv/data, src: //nas/share, fstype: cifs, opts: 'user=x,password=geheim', opts_no_log: true";
    let refused = Ran { rc: 1, stderr: "bad option password=geheim".into(), ..Ran::default() };
    let mut failing = FakeHost::new().file("/proc/self/mountinfo", ROOT).answer_with("mount", refused, None);
    failing = failing.answer("rmdir", 0, "");
    let mut fine = host("", "");
    for state in ["ephemeral", "mounted", "present"] {
        let args = format!("{{{cifs}, state: {state}}}");
        let outcome = fine.play::<Args>(&args).unwrap();
        assert!(!format!("{outcome:?}").contains("geheim"), "{outcome:?}");
        assert!(!fine.ran.concat().contains("geheim"), "{:?}", fine.ran);
        if state == "ephemeral" {
            assert_eq!(fine.ran, ["mount -T /tmp/regatta-1/fstab /srv/data"]);
            assert_eq!(fine.mode("/tmp/regatta-1/fstab"), 0o600);
            let fail = failing.play::<Args>(&args).unwrap_err();
            assert!(!format!("{fail:?}").contains("geheim"), "{fail:?}");
            fine = host("", "");
        }
    }
}

#[test]
fn another_fstab_is_told_to_mount() {
    let mut host = host("", "");
    let outcome = host.play::<Args>(&format!("{{{MOUNTED}, fstab: /srv/fstab, backup: true}}")).unwrap();
    assert_eq!(host.ran, ["mount -T /srv/fstab /srv/data"]);
    assert_eq!((host.text("/srv/fstab").as_str(), host.text("/etc/fstab").as_str()), (LINE, FSTAB));
    assert_eq!(outcome.fields["name"].as_str(), Some("/srv/data"));
    let outcome =
        host.play::<Args>(&format!("{{{MOUNTED}, fstab: /srv/fstab, backup: true, passno: 1}}")).unwrap();
    assert!(outcome.fields["backup_file"].as_str().unwrap().starts_with("/srv/fstab."));
}

#[test]
fn what_is_missing_is_said() {
    for (args, word) in [
        ("{path: /x, state: mounted}", "src, fstype"),
        ("{path: x, src: y, fstype: z, state: present}", "begin with /"),
        ("{path: /x, src: y, fstype: '', state: present}", "empty"),
    ] {
        let fail = host("", "").play::<Args>(args).unwrap_err();
        assert!(fail.msg.contains(word), "{}", fail.msg);
    }
}
