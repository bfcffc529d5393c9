//! A host with users of its own and a real sshd, in a private copy of /etc that the machine never sees. Needs root.

use std::fs;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use regatta::connection::Images;

use crate::support::sshd::{free_port, generate_key, public_key};

/// The users: who logs in, whom it becomes, and who has no business there.
const USERS: [&str; 3] = ["alice", "bob", "mallory"];

/// A running one.
pub struct Village {
    folder: tempfile::TempDir,
    port: u16,
    sshd: Child,
}

impl Village {
    /// With this password for all users, of whom alice may become anybody. None: the tests may not make one.
    pub fn start(password: &str) -> Option<Village> {
        let allowed = Command::new("unshare").args(["--mount", "true"]).status();
        if !allowed.is_ok_and(|status| status.success()) {
            return None;
        }
        let folder = tempfile::tempdir_in("/var/tmp").unwrap();
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
        generate_key(&folder.path().join("host"), "ed25519", "");
        fs::create_dir_all("/run/sshd").unwrap();
        let port = free_port();
        let at = folder.path().display();
        let config = format!(
            "ListenAddress 127.0.0.1:{port}\nHostKey {at}/host\nUsePAM no\nStrictModes no\nPidFile none\nUseDNS no\n\
             PasswordAuthentication yes\nKbdInteractiveAuthentication no\nPubkeyAuthentication no\n"
        );
        fs::write(folder.path().join("sshd_config"), config).unwrap();
        // The worker is there already: that it comes is shown elsewhere, and takes its time.
        let worker = env!("CARGO_BIN_EXE_regatta-worker");
        let hash = Images::only(worker.into()).all()[0].program().unwrap().sha256.clone();
        let script = format!(
            "set -e; cd {at}; umask 022; mkdir etc homes tmp shm; chmod 1777 tmp shm; cp -a /etc/. etc\n\
             mount --bind etc /etc; mount --bind tmp /tmp; mount --bind shm /dev/shm; cd /\n\
             for name in {users}; do\n  useradd -m -d {at}/homes/$name -s /bin/sh $name\n\
             \x20 c=homes/$name/.cache; (cd {at}; install -d -o $name -m 700 $c $c/regatta $c/regatta/{hash}\n\
             \x20 install -o $name -m 700 {worker} $c/regatta/{hash}/regatta-worker)\ndone\n\
             chpasswd; echo 'alice ALL=(ALL) ALL' > /etc/sudoers\n\
             exec /usr/sbin/sshd -D -f {at}/sshd_config -E {at}/log </dev/null",
            users = USERS.join(" "),
        );
        let mut sshd = Command::new("unshare")
            .args(["--mount", "--propagation", "private", "/bin/sh", "-c", &script])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let lines: String = USERS.iter().map(|name| format!("{name}:{password}\n")).collect();
        sshd.stdin.take().unwrap().write_all(lines.as_bytes()).unwrap();
        let mut village = Village { folder, port, sshd };
        let began = Instant::now();
        while TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(village.sshd.try_wait().unwrap().is_none(), "no village: {}", village.log());
            assert!(began.elapsed() < Duration::from_secs(30), "no village: {}", village.log());
            std::thread::sleep(Duration::from_millis(10));
        }
        Some(village)
    }

    /// What its sshd wrote down.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// Its folder of temporary files.
    pub fn temporary(&self) -> PathBuf {
        self.folder.path().join("tmp")
    }

    /// The house of a user.
    pub fn house(&self, user: &str) -> PathBuf {
        self.folder.path().join("homes").join(user)
    }

    /// The number of a user.
    pub fn uid(&self, user: &str) -> String {
        let passwd = fs::read_to_string(self.folder.path().join("etc/passwd")).unwrap();
        let line = passwd.lines().find(|line| line.starts_with(&format!("{user}:"))).unwrap();
        line.split(':').nth(2).unwrap().to_owned()
    }

    /// An inventory with it as `box`, where one logs in as alice.
    pub fn inventory(&self) -> String {
        let known = self.folder.path().join("known_hosts");
        let line =
            format!("[127.0.0.1]:{} {}\n", self.port, public_key(&self.folder.path().join("host.pub")));
        fs::write(&known, line).unwrap();
        format!(
            "box ansible_host=127.0.0.1 ansible_port={} ansible_user=alice \
             ansible_ssh_common_args='-o UserKnownHostsFile={}'\n",
            self.port,
            known.display()
        )
    }

    /// The files with a text in them that a user may read, in the homes and where temporary files are.
    pub fn readable(&self, user: &str, text: &str) -> Vec<String> {
        let uid = self.uid(user);
        // In a file: the process list is watched for it.
        fs::write(self.folder.path().join("text"), text).unwrap();
        let script = "find homes tmp shm -type f -readable -exec grep -lFf text {} +";
        let found = Command::new("setpriv")
            .args(["--reuid", &uid, "--regid", &uid, "--clear-groups", "/bin/sh", "-c", script])
            .current_dir(self.folder.path())
            .stderr(Stdio::null())
            .output()
            .unwrap();
        String::from_utf8(found.stdout).unwrap().lines().map(str::to_owned).collect()
    }
}

impl Drop for Village {
    fn drop(&mut self) {
        let _ = self.sshd.kill();
        let _ = self.sshd.wait();
    }
}

/// Runs the program as root with a private copy of /etc in which `prepare` was done: its exit code and all it printed.
/// None: the tests may not.
pub fn privately(files: &crate::support::files::Files, prepare: &str, words: &str) -> Option<(i32, String)> {
    let allowed = Command::new("unshare").args(["--mount", "true"]).status();
    if !allowed.is_ok_and(|status| status.success()) {
        return None;
    }
    fs::set_permissions(files.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let script = format!(
        "set -e; here=$PWD; umask 022; mkdir -p etc home; cp -a /etc/. etc; mount --bind etc /etc\n{prepare}\n\
         cd \"$here\"; exec \"$0\" \"$@\""
    );
    let output = Command::new("unshare")
        .args(["--mount", "--propagation", "private", "/bin/sh", "-c", &script])
        .arg(env!("CARGO_BIN_EXE_regatta"))
        .args(shlex::split(words).unwrap())
        .current_dir(files.path())
        .env("HOME", files.path())
        .env("NO_COLOR", "1")
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some((output.status.code().unwrap_or(-1), text(&output.stdout) + &text(&output.stderr)))
}
