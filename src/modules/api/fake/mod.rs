//! A host in memory for the modules' tests: files, links, accounts, scripted commands, and a count of touches.
//!
//! `FakeHost::new().file("/etc/x", "text").answer("lsattr -d", 0, "")`, then [`FakeHost::play`] or
//! [`FakeHost::check`] with a module and its arguments as YAML.

mod look;
mod on_disk;
mod touch;

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

pub use on_disk::OnDisk;

use super::{
    Blob, BlobKind, Cmd, Fail, FileKind, Group, Look, Module, Outcome, Ran, User, Value, Write, digest_of,
    entry,
};

/// What a path leads to. Hard links are several paths to one.
#[derive(Clone, Debug)]
struct Inode {
    kind: FileKind,
    mode: u32,
    uid: u32,
    gid: u32,
    /// Contents, or where a link points.
    data: Vec<u8>,
    atime: f64,
    mtime: f64,
    xattrs: BTreeMap<String, Vec<u8>>,
}

/// What a command does to the host when it is really run.
pub type Effect = Box<dyn Fn(&mut FakeHost)>;

struct Answer {
    line: String,
    ran: Ran,
    effect: Option<Effect>,
    used: std::cell::Cell<bool>,
}

/// A host in memory. Runs as root; its clock stands still.
#[derive(Default)]
pub struct FakeHost {
    paths: BTreeMap<PathBuf, usize>,
    inodes: Vec<Inode>,
    users: Vec<User>,
    groups: Vec<Group>,
    environment: BTreeMap<String, String>,
    programs: BTreeSet<String>,
    answers: Vec<Answer>,
    blobs: Vec<Blob>,
    contents: Vec<Vec<u8>>,
    temporary: usize,
    /// How often something was changed, commands run with [`Touch::run`] included.
    pub touches: usize,
    /// The commands run with [`Touch::run`], words joined by spaces.
    pub ran: Vec<String>,
    /// What the last of them read.
    pub stdin: Vec<u8>,
    /// The commands run with [`Look::query`], those that validate included.
    pub queries: RefCell<Vec<String>>,
    /// The contents given to [`Look::private_file`].
    pub private: RefCell<Vec<Vec<u8>>>,
    /// What was sent to the controller.
    pub sent: Vec<u8>,
}

impl FakeHost {
    /// A host with the usual folders, root, and the umask 022.
    pub fn new() -> FakeHost {
        let mut host = FakeHost::default();
        host.environment.insert("HOME".into(), "/root".into());
        for dir in ["/", "/etc", "/home", "/opt", "/root", "/srv", "/usr/bin", "/var/lib"] {
            host = host.dir(dir);
        }
        host.dir("/tmp").with("/tmp", 0o1777, 0, 0).user("root", 0, "/root").group("root", 0)
    }

    fn add(&mut self, path: &Path, kind: FileKind, mode: u32, data: &[u8]) {
        for parent in path.ancestors().skip(1) {
            if !self.paths.contains_key(parent) {
                self.add(parent, FileKind::Directory, 0o755, b"");
            }
        }
        let time = self.time();
        let inode = Inode {
            kind,
            mode,
            uid: 0,
            gid: 0,
            data: data.to_vec(),
            atime: time,
            mtime: time,
            xattrs: BTreeMap::new(),
        };
        self.inodes.push(inode);
        self.paths.insert(path.into(), self.inodes.len() - 1);
    }

    fn time(&self) -> f64 {
        self.now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
    }

    /// With a file of mode 0644 of root.
    #[must_use]
    pub fn file(mut self, path: &str, contents: impl AsRef<[u8]>) -> FakeHost {
        self.add(Path::new(path), FileKind::File, 0o644, contents.as_ref());
        self
    }

    /// With a folder of mode 0755 of root.
    #[must_use]
    pub fn dir(mut self, path: &str) -> FakeHost {
        if !self.paths.contains_key(Path::new(path)) {
            self.add(Path::new(path), FileKind::Directory, 0o755, b"");
        }
        self
    }

    /// With a symbolic link.
    #[must_use]
    pub fn link(mut self, path: &str, target: &str) -> FakeHost {
        self.add(Path::new(path), FileKind::Symlink, 0o777, target.as_bytes());
        self
    }

    /// With another mode and owner for what is already there.
    #[must_use]
    pub fn with(mut self, path: &str, mode: u32, uid: u32, gid: u32) -> FakeHost {
        let id = self.paths[Path::new(path)];
        let inode = &mut self.inodes[id];
        (inode.mode, inode.uid, inode.gid) = (mode, uid, gid);
        self
    }

    /// With a user whose primary group has the same number.
    #[must_use]
    pub fn user(mut self, name: &str, uid: u32, home: &str) -> FakeHost {
        let [name, home, shell] = [name, home, "/bin/sh"].map(str::to_owned);
        self.users.push(User { name, uid, gid: uid, gecos: String::new(), home, shell });
        self
    }

    /// With a group without members.
    #[must_use]
    pub fn group(mut self, name: &str, gid: u32) -> FakeHost {
        self.groups.push(Group { name: name.into(), gid, members: Vec::new() });
        self
    }

    /// With a variable in its environment.
    #[must_use]
    pub fn variable(mut self, name: &str, value: &str) -> FakeHost {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// With a program that [`Look::which`] finds.
    #[must_use]
    pub fn program(mut self, name: &str) -> FakeHost {
        self.programs.insert(name.into());
        self
    }

    /// What commands that begin with `line` print and return. The longest fitting line counts; of several equal ones
    /// each is used once, in order, and the last again and again. Its program is there for [`Look::which`].
    #[must_use]
    pub fn answer(self, line: &str, rc: i32, stdout: &str) -> FakeHost {
        self.answer_with(line, Ran { rc, stdout: stdout.into(), ..Ran::default() }, None)
    }

    /// The same with all that a command can return, and with what it does to the host when it is really run.
    #[must_use]
    pub fn answer_with(mut self, line: &str, ran: Ran, effect: Option<Effect>) -> FakeHost {
        let program = line.split(' ').next().unwrap_or_default();
        self.programs.insert(program.into());
        self.answers.push(Answer { line: line.into(), ran, effect, used: false.into() });
        self
    }

    /// With a file that the controller offers.
    #[must_use]
    pub fn blob(mut self, name: &str, mode: u32, contents: &str) -> FakeHost {
        let sha1 = digest_of(contents.as_bytes(), "sha1").unwrap();
        let kind = BlobKind::File { size: contents.len() as u64, sha1 };
        self.blobs.push(Blob { name: name.into(), kind, mode });
        self.contents.push(contents.into());
        self
    }

    /// With a folder or link that the controller offers.
    #[must_use]
    pub fn blob_of(mut self, name: &str, mode: u32, kind: BlobKind) -> FakeHost {
        self.blobs.push(Blob { name: name.into(), kind, mode });
        self.contents.push(Vec::new());
        self
    }

    /// A file's text; panics if there is none.
    #[track_caller]
    pub fn text(&self, path: &str) -> String {
        let bytes = self.read(Path::new(path)).unwrap().unwrap_or_else(|| panic!("no file {path}"));
        String::from_utf8(bytes).unwrap()
    }

    /// The permission bits of what is there (links followed); panics if nothing is.
    #[track_caller]
    pub fn mode(&self, path: &str) -> u32 {
        self.stat(Path::new(path), true).unwrap().unwrap_or_else(|| panic!("nothing at {path}")).mode
    }

    /// Whether something is there, be it a dangling link.
    pub fn has(&self, path: &str) -> bool {
        self.stat(Path::new(path), false).unwrap().is_some()
    }

    /// Runs a module with a diff; `args` is a YAML mapping.
    pub fn play<M: Module>(&mut self, args: &str) -> Result<Outcome, Fail> {
        entry::run::<M>(&arguments(args), self, false, true)
    }

    /// Runs a module in check mode with a diff; panics if it touches anything.
    #[track_caller]
    pub fn check<M: Module>(&mut self, args: &str) -> Result<Outcome, Fail> {
        let before = self.touches;
        let outcome = entry::run::<M>(&arguments(args), self, true, true);
        assert_eq!(self.touches, before, "check mode changed something");
        outcome
    }

    /// Runs a module in check mode, then really, then again: the first two must foresee and make a change, the last must
    /// find nothing to do. Returns the outcome of the real run.
    #[track_caller]
    pub fn converge<M: Module>(&mut self, args: &str) -> Outcome {
        assert!(self.check::<M>(args).unwrap().changed, "check mode foresees no change");
        let outcome = self.play::<M>(args).unwrap();
        assert!(outcome.changed, "nothing changed");
        let touches = self.touches;
        assert!(!self.play::<M>(args).unwrap().changed, "the second run changes something");
        assert_eq!(self.touches, touches, "the second run touches something");
        outcome
    }

    /// Where a path leads when the links in it are followed, the last one only if `last`.
    fn resolve(&self, path: &Path, last: bool) -> PathBuf {
        let mut todo: Vec<OsString> = path.components().rev().map(|part| part.as_os_str().into()).collect();
        let mut at = PathBuf::from("/");
        let mut links = 0;
        while let Some(part) = todo.pop() {
            match Path::new(&part).components().next() {
                Some(Component::ParentDir) => {
                    at.pop();
                    continue;
                }
                Some(Component::Normal(_)) => {}
                _ => continue,
            }
            let next = at.join(&part);
            let inode = self.paths.get(&next).map(|id| &self.inodes[*id]);
            match inode.filter(|inode| inode.kind == FileKind::Symlink && (last || !todo.is_empty())) {
                Some(inode) if links < 40 => {
                    links += 1;
                    let target = PathBuf::from(String::from_utf8_lossy(&inode.data).into_owned());
                    if target.is_absolute() {
                        at = PathBuf::from("/");
                    }
                    todo.extend(target.components().rev().map(|part| OsString::from(part.as_os_str())));
                }
                _ => at = next,
            }
        }
        at
    }

    fn inode(&self, path: &Path, follow: bool) -> Option<&Inode> {
        self.paths.get(&self.resolve(path, follow)).map(|id| &self.inodes[*id])
    }

    fn change(&mut self, path: &Path, follow: bool) -> Result<&mut Inode, Fail> {
        self.touches += 1;
        let id = self.paths.get(&self.resolve(path, follow)).copied();
        id.map(|id| &mut self.inodes[id])
            .ok_or_else(|| Fail::new(format!("{}: No such file or directory", path.display())))
    }

    /// The folder must be there to make something in it.
    fn make(&mut self, path: &Path, kind: FileKind, mode: u32, data: &[u8]) -> Result<(), Fail> {
        self.touches += 1;
        let path = self.resolve(path, false);
        let parent = path.parent().and_then(|dir| self.paths.get(dir)).map(|id| self.inodes[*id].kind);
        match parent {
            Some(FileKind::Directory) => {}
            Some(_) => return Err(Fail::new(format!("{}: Not a directory", path.display()))),
            None => return Err(Fail::new(format!("{}: No such file or directory", path.display()))),
        }
        self.add(&path, kind, mode, data);
        Ok(())
    }

    fn find_answer(&self, cmd: &Cmd) -> Result<usize, Fail> {
        let line = cmd.display();
        let fits = |answer: &Answer| {
            line.strip_prefix(&answer.line)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with([' ', '=', ':']))
        };
        let fitting: Vec<usize> = (0..self.answers.len()).filter(|i| fits(&self.answers[*i])).collect();
        let longest = fitting.iter().map(|i| self.answers[*i].line.len()).max();
        let best = fitting.into_iter().filter(|i| Some(self.answers[*i].line.len()) == longest);
        let best: Vec<usize> = best.collect();
        let fresh = best.iter().find(|i| !self.answers[**i].used.get());
        let found = fresh.or(best.last()).copied();
        let found = found.ok_or_else(|| Fail::new(format!("the test has no answer for `{line}`")))?;
        self.answers[found].used.set(true);
        Ok(found)
    }

    fn put(&mut self, path: &Path, contents: &[u8], how: &Write) -> Result<Option<PathBuf>, Fail> {
        let path = self.resolve(path, !how.replace_link);
        let old = self.inode(&path, false).filter(|inode| inode.kind != FileKind::Symlink).cloned();
        if old.as_ref().is_some_and(|old| old.kind == FileKind::Directory) {
            return Err(Fail::new(format!(
                "{} is a folder, so it can't be written as a file",
                path.display()
            )));
        }
        if let Some(cmd) = &how.validate {
            let words = cmd.argv.iter().map(|word| word.to_string_lossy().replace("%s", "/new"));
            let ran = self.query(&Cmd::new(words))?;
            if !ran.ok() {
                return Err(Fail::new("failed to validate").with("exit_status", ran.rc));
            }
        }
        let (mode, uid, gid) = old.as_ref().map_or((0o644, 0, 0), |old| (old.mode, old.uid, old.gid));
        let backup = old.filter(|_| how.backup).map(|old| {
            let name = path.file_name().unwrap().to_string_lossy();
            let backup = path.with_file_name(format!("{name}.1.2026-01-01@00:00:00~"));
            self.inodes.push(old);
            self.paths.insert(backup.clone(), self.inodes.len() - 1);
            backup
        });
        self.make(&path, FileKind::File, how.mode.unwrap_or(mode), contents)?;
        let id = self.paths[&path];
        self.inodes[id].uid = how.uid.unwrap_or(uid);
        self.inodes[id].gid = how.gid.unwrap_or(gid);
        Ok(backup)
    }

    fn missing(path: &Path) -> Fail {
        Fail::new(format!("{}: No such file or directory", path.display()))
    }
}

fn arguments(yaml: &str) -> super::Map {
    serde_yaml::from_str::<Value>(yaml).unwrap().into_map()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_used_in_order_and_the_longest_wins() {
        let host = FakeHost::new().answer("x", 0, "any").answer("x -a", 0, "1").answer("x -a", 0, "2");
        let ask = |line: &str| host.query(&Cmd::new(line.split(' '))).unwrap().out();
        assert_eq!([ask("x -b"), ask("x -a"), ask("x -a"), ask("x -a y")], ["any", "1", "2", "2"]);
        assert!(host.query(&Cmd::new(["xx"])).is_err());
        assert!(host.which("x").is_some());
    }

    #[test]
    fn links_lead_on() {
        let host = FakeHost::new().file("/srv/a/x", "1").link("/b", "srv/a").link("/c", "/b/x");
        assert_eq!(host.text("/c"), "1");
        assert_eq!(host.text("/b/../a/x"), "1");
        assert_eq!(host.list(Path::new("/b")).unwrap(), ["x"]);
    }
}
