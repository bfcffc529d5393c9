//! The real host in a folder of its own: writes, links, commands, accounts.

use std::cell::{Cell, RefCell};
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use super::*;
use crate::modules::api::BlobKind;

#[derive(Default)]
struct Recorder {
    /// Where files are looked at while contents arrive, and the modes that were found.
    folder: Option<PathBuf>,
    modes: RefCell<Vec<u32>>,
    lines: RefCell<Vec<String>>,
    pieces: RefCell<Vec<u8>>,
    contents: &'static [u8],
    cancelled: Cell<bool>,
}

impl Controller for Recorder {
    fn line(&self, stderr: bool, text: &str) {
        self.lines.borrow_mut().push(format!("{}{text}", if stderr { "!" } else { "" }));
    }
    fn live(&self) -> bool {
        true
    }
    fn receive(&self, _blob: usize, sink: &mut dyn io::Write) -> Result<(), Fail> {
        sink.write_all(self.contents).about(|| "test".into())?;
        if let Some(folder) = &self.folder {
            self.modes.borrow_mut().extend(names(folder).iter().map(|name| mode(&folder.join(name))));
        }
        Ok(())
    }
    fn piece(&self, data: &[u8]) -> Result<(), Fail> {
        self.pieces.borrow_mut().extend_from_slice(data);
        Ok(())
    }
    fn cancelled(&self) -> bool {
        self.cancelled.get()
    }
}

fn on_host<T>(test: impl FnOnce(&mut RealHost<'_>, &Path, &Recorder) -> T) -> T {
    let recorder = Recorder::default();
    let dir = tempfile::tempdir().unwrap();
    test(&mut RealHost::new(&recorder, &[], &[]), dir.path(), &recorder)
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn a_write_keeps_the_mode_and_leaves_nothing_behind() {
    on_host(|host, dir, _| {
        let path = dir.join("x");
        fs::write(&path, "old").unwrap();
        host.chmod(&path, 0o640).unwrap();
        let backup = host.write(&path, b"new", &Write { backup: true, ..Write::default() }).unwrap().unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_to_string(&backup).unwrap(), "old");
        assert_eq!((mode(&path), mode(&backup)), (0o640, 0o640));
        let name = backup.file_name().unwrap().to_str().unwrap();
        assert!(name.starts_with(&format!("x.{}.20", std::process::id())) && name.ends_with('~'), "{name}");
        host.write(&path, b"secret", &Write { mode: Some(0o600), ..Write::default() }).unwrap();
        assert_eq!(mode(&path), 0o600);
        assert_eq!(names(dir).len(), 2);
    });
}

#[test]
fn a_write_follows_a_link() {
    on_host(|host, dir, _| {
        host.symlink(Path::new("target"), &dir.join("link"), false).unwrap();
        host.write(&dir.join("link"), b"x", &Write::default()).unwrap();
        assert_eq!(names(dir), ["link", "target"]);
        assert_eq!(fs::read_to_string(dir.join("target")).unwrap(), "x");
        assert_eq!(host.read_link(&dir.join("link")).unwrap(), Path::new("target"));
    });
}

#[test]
fn what_does_not_validate_never_lands() {
    on_host(|host, dir, _| {
        let path = dir.join("x");
        fs::write(&path, "old").unwrap();
        let how = |check| Write { validate: Some(Cmd::new(["grep", "-q", check, "%s"])), ..Write::default() };
        let fail = host.write(&path, b"bad", &how("good")).unwrap_err();
        assert_eq!(fail.msg, "failed to validate");
        assert_eq!(fail.fields["exit_status"].as_int(), Some(1));
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(names(dir), ["x"]);
        host.write(&path, b"good", &how("good")).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "good");
    });
}

#[test]
fn a_blob_that_differs_from_its_digest_is_refused() {
    let recorder = Recorder { contents: b"tampered", ..Recorder::default() };
    let dir = tempfile::tempdir().unwrap();
    let sha1 = "a9993e364706816aba3e25717850c26c9cd0d89d".to_owned();
    let blobs = [Blob { name: String::new(), kind: BlobKind::File { size: 3, sha1 }, mode: 0o644 }];
    let mut host = RealHost::new(&recorder, &blobs, &[]);
    assert!(host.receive(0, &dir.path().join("x"), &Write::default()).is_err());
    assert!(names(dir.path()).is_empty());
    let recorder = Recorder { contents: b"abc", ..Recorder::default() };
    let mut host = RealHost::new(&recorder, &blobs, &[]);
    host.receive(0, &dir.path().join("x"), &Write::default()).unwrap();
    assert_eq!(
        host.digest(&dir.path().join("x"), "md5").unwrap().unwrap(),
        "900150983cd24fb0d6963f7d28e17f72"
    );
}

#[test]
fn a_new_file_is_its_users_alone_while_it_comes_and_is_checked() {
    let dir = tempfile::tempdir().unwrap();
    let recorder = Recorder { contents: b"abc", folder: Some(dir.path().to_owned()), ..Recorder::default() };
    let sha1 = "a9993e364706816aba3e25717850c26c9cd0d89d".to_owned();
    let blobs = [Blob { name: String::new(), kind: BlobKind::File { size: 3, sha1 }, mode: 0o644 }];
    let mut host = RealHost::new(&recorder, &blobs, &[]);
    let check = Cmd::new(["sh", "-c", "test $(stat -c %a %s) = 600"]);
    let how = Write { mode: Some(0o644), validate: Some(check), ..Write::default() };
    host.receive(0, &dir.path().join("x"), &how).unwrap();
    assert_eq!(*recorder.modes.borrow(), [0o600]);
    assert_eq!(mode(&dir.path().join("x")), 0o644);
}

#[test]
fn commands_read_write_and_end() {
    on_host(|host, dir, recorder| {
        let ran = host.run(&Cmd::new(["sh", "-c", "echo out; echo err >&2; exit 3"])).unwrap();
        assert_eq!((ran.rc, ran.out().as_str(), ran.err().as_str()), (3, "out\n", "err\n"));
        let mut lines = recorder.lines.take();
        lines.sort();
        assert_eq!(lines, ["!err", "out"]);
        let big = vec![b'x'; 3 << 20];
        let ran = host.query(&Cmd::new(["cat"]).stdin(big.clone())).unwrap();
        assert_eq!(ran.stdout.len(), big.len());
        assert_eq!(host.run(&Cmd::new(["true"]).stdin(big)).unwrap().rc, 0);
        let ran = host.run(&Cmd {
            cwd: Some(dir.into()),
            umask: Some(0o027),
            ..Cmd::new(["sh", "-c", "umask; pwd"])
        });
        assert_eq!(ran.unwrap().out(), format!("0027\n{}\n", dir.display()));
        assert_eq!(host.run(&Cmd::new(["sh", "-c", "kill -9 $$"])).unwrap().rc, -9);
        let ran = host.query(&Cmd::new(["sh", "-c", "echo $A $LC_ALL"]).env("A", "b")).unwrap();
        assert_eq!(ran.out(), "b C\n");
    });
}

#[test]
fn a_missing_program_fails_as_ansible_says_it() {
    on_host(|host, _, _| {
        for name in ["no-such-program", "/no/such/program"] {
            let fail = host.run(&Cmd::new([name])).unwrap_err();
            assert_eq!(fail.msg, format!("[Errno 2] No such file or directory: '{name}'"));
            assert_eq!(fail.fields["rc"].as_int(), Some(2));
        }
    });
}

#[test]
fn a_time_limit_stops_all_that_was_started() {
    on_host(|host, dir, recorder| {
        let file = dir.join("late");
        let script = format!("(sleep 1; touch {}) & sleep 30", file.display());
        let cmd = Cmd { timeout: Some(Duration::from_millis(100)), ..Cmd::new(["sh", "-c", &script]) };
        let start = Instant::now();
        let ran = host.run(&cmd).unwrap();
        assert!(ran.timed_out && !ran.ok() && start.elapsed() < Duration::from_secs(2));
        std::thread::sleep(Duration::from_millis(1100).saturating_sub(start.elapsed()));
        assert!(!file.exists());
        recorder.cancelled.set(true);
        assert!(host.run(&Cmd::new(["true"])).is_err());
    });
}

#[test]
fn a_command_that_leaves_something_running_ends_all_the_same() {
    on_host(|host, _, _| {
        let start = Instant::now();
        let ran = host.run(&Cmd::new(["sh", "-c", "sleep 5 & echo started"])).unwrap();
        assert_eq!(ran.out(), "started\n");
        assert!(start.elapsed() < Duration::from_secs(3));
    });
}

#[test]
fn links_are_replaced_at_once() {
    on_host(|host, dir, _| {
        let (link, file) = (dir.join("link"), dir.join("file"));
        fs::write(&file, "x").unwrap();
        host.symlink(Path::new("a"), &link, false).unwrap();
        assert!(host.symlink(Path::new("b"), &link, false).is_err());
        host.symlink(Path::new("b"), &link, true).unwrap();
        assert_eq!(host.read_link(&link).unwrap(), Path::new("b"));
        host.hard_link(&file, &link, true).unwrap();
        host.hard_link(&file, &link, true).unwrap();
        assert_eq!(host.stat(&link, false).unwrap().unwrap().nlink, 2);
        assert_eq!(names(dir), ["file", "link"]);
    });
}

#[test]
fn looking_at_what_is_not_there_is_no_error() {
    on_host(|host, dir, _| {
        let path = dir.join("none");
        assert_eq!(host.stat(&path, true).unwrap(), None);
        assert_eq!(host.read(&path).unwrap(), None);
        assert_eq!(host.digest(&path, "sha1").unwrap(), None);
        assert_eq!(host.xattr(&path, "user.x", true).unwrap(), None);
        assert!(host.list(&path).is_err());
        assert_eq!(host.user("no-such-user").unwrap(), None);
        assert_eq!(host.user("-x").unwrap(), None);
        assert_eq!(host.user("root").unwrap().unwrap().uid, 0);
        assert_eq!(host.user("0").unwrap().unwrap().name, "root");
        assert_eq!(host.group("0").unwrap().unwrap().name, "root");
        assert_eq!(host.which("no-such-program"), None);
        assert!(host.which("sh").is_some());
    });
}

#[test]
fn folders_times_and_contents_on_their_way() {
    on_host(|host, dir, recorder| {
        let temp = host.temp_dir().unwrap();
        assert_eq!(mode(&temp), 0o700);
        host.make_dir(&dir.join("d"), 0o1777).unwrap();
        assert_eq!(mode(&dir.join("d")), 0o1777);
        let path = dir.join("x");
        fs::write(&path, "contents").unwrap();
        host.set_times(&path, None, Some(1.5), true).unwrap();
        assert_eq!(host.stat(&path, true).unwrap().unwrap().mtime, 1.5);
        host.send(&path).unwrap();
        assert_eq!(*recorder.pieces.borrow(), b"contents");
        host.copy(&path, &dir.join("y"), &Write::default()).unwrap();
        assert_eq!(fs::read(dir.join("y")).unwrap(), b"contents");
        host.remove_tree(&dir.join("d")).unwrap();
        assert_eq!(names(dir), ["x", "y"]);
    });
}

#[test]
fn temporary_folders_go_with_the_call() {
    let recorder = Recorder::default();
    let mut host = RealHost::new(&recorder, &[], &[]);
    let path = host.temp_dir().unwrap();
    drop(host);
    assert!(!path.exists());
}

#[test]
fn a_private_file_is_read_by_commands_again_and_again_and_goes_with_the_call() {
    let recorder = Recorder::default();
    let host = RealHost::new(&recorder, &[], &[]);
    let path = host.private_file(b"secret").unwrap();
    let cat = Cmd::new(["cat".as_ref(), path.as_os_str(), path.as_os_str()]);
    assert_eq!(host.query(&cat).unwrap().out(), "secretsecret");
    drop(host);
    assert!(!fs::read(&path).is_ok_and(|contents| contents == b"secret"));
}
