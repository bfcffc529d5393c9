//! A real `sshd` for one test: own folder, own keys, own port, killed at the end. And the home of a user who connects to it.
//! Works for root and for other users: everybody logs in as who runs the tests.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use regatta::connection::ssh::{Prompt, SshContext, SshEnvironment};
use regatta::connection::{Connection, HostKeyCheck, Target};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

/// A running sshd.
pub struct Sshd {
    folder: TempDir,
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    child: Child,
}

/// How it is to be.
#[derive(Default)]
pub struct Setup {
    host_keys: Vec<&'static str>,
    lines: String,
}

impl Setup {
    /// One more host key, of this type (`ed25519` if none is named).
    #[must_use]
    pub fn host_key(mut self, kind: &'static str) -> Setup {
        self.host_keys.push(kind);
        self
    }

    /// One more line of its configuration. `FOLDER` stands for its folder.
    #[must_use]
    pub fn line(mut self, line: &str) -> Setup {
        self.lines.push_str(line);
        self.lines.push('\n');
        self
    }

    /// Starts it and waits until it listens.
    pub fn start(self) -> Sshd {
        self.start_with(|_| {})
    }

    /// Like [`start`](Setup::start), after something was done to its folder, where the keys are by then.
    pub fn start_with(mut self, prepare: impl FnOnce(&Path)) -> Sshd {
        let mut folder = tempfile::tempdir().unwrap();
        if self.host_keys.is_empty() {
            self.host_keys.push("ed25519");
        }
        for kind in &self.host_keys {
            generate_key(&folder.path().join(format!("host_{kind}")), kind, "");
        }
        fs::write(folder.path().join("authorized_keys"), "").unwrap();
        prepare(folder.path());
        if user() == "root" {
            // Where privileges are separated; sshd does not start without it.
            fs::create_dir_all("/run/sshd").unwrap();
        }
        for _ in 0..5 {
            let port = free_port();
            let child = self.spawn(folder.path(), port);
            let mut sshd = Sshd { folder, port, child };
            if sshd.listens() {
                return sshd;
            }
            // Somebody else took the port meanwhile.
            folder = std::mem::replace(&mut sshd.folder, tempfile::tempdir().unwrap());
        }
        panic!("sshd does not start: {}", fs::read_to_string(folder.path().join("log")).unwrap_or_default());
    }

    fn spawn(&self, folder: &Path, port: u16) -> Child {
        let mut config = format!(
            "ListenAddress 127.0.0.1:{port}\nAuthorizedKeysFile FOLDER/authorized_keys\nPidFile none\nUsePAM no\n\
             StrictModes no\nPermitRootLogin yes\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitUserEnvironment yes\nLogLevel DEBUG1\nSubsystem sftp internal-sftp\nUseDNS no\n"
        );
        for kind in &self.host_keys {
            config.push_str(&format!("HostKey FOLDER/host_{kind}\n"));
        }
        // The first value of an option counts, so what a test says comes first.
        let config = format!("{}{config}", self.lines).replace("FOLDER", folder.to_str().unwrap());
        let path = folder.join("sshd_config");
        fs::write(&path, config).unwrap();
        let mut sshd = Command::new("/usr/sbin/sshd");
        sshd.arg("-D").arg("-f").arg(&path).arg("-E").arg(folder.join("log"));
        sshd.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        sshd.spawn().expect("these tests need /usr/sbin/sshd")
    }
}

impl Sshd {
    /// One with an ed25519 key.
    pub fn start() -> Sshd {
        Setup::default().start()
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    fn listens(&mut self) -> bool {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(10) && self.child.try_wait().unwrap().is_none() {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return true;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        false
    }

    /// Lets the owner of a public key in.
    pub fn authorize(&self, public: &Path) {
        self.authorize_line(&fs::read_to_string(public).unwrap());
    }

    /// One more line for those who may come in.
    pub fn authorize_line(&self, line: &str) {
        let path = self.folder().join("authorized_keys");
        fs::write(&path, format!("{}{}\n", fs::read_to_string(&path).unwrap(), line.trim_end())).unwrap();
    }

    /// Type and base64 of its host key.
    pub fn host_key(&self, kind: &str) -> String {
        public_key(&self.folder().join(format!("host_{kind}.pub")))
    }

    /// Its name in known_hosts.
    pub fn name(&self) -> String {
        format!("[127.0.0.1]:{}", self.port)
    }

    /// What it wrote down.
    pub fn log(&self) -> String {
        fs::read_to_string(self.folder().join("log")).unwrap_or_default()
    }
}

impl Drop for Sshd {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A free port on loopback.
pub fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

/// Who runs the tests.
pub fn user() -> String {
    SshEnvironment::of_process().user
}

/// Makes a key pair.
pub fn generate_key(path: &Path, kind: &str, passphrase: &str) {
    let mut keygen = Command::new("ssh-keygen");
    keygen.args(["-q", "-t", kind, "-N", passphrase, "-C", "", "-f"]).arg(path);
    if kind == "rsa" {
        keygen.args(["-b", "2048"]);
    }
    assert!(keygen.status().expect("these tests need ssh-keygen").success());
}

/// Runs `ssh-keygen` with these arguments.
pub fn keygen(args: &[&str]) {
    let output = Command::new("ssh-keygen").args(args).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Type and base64 of a public key, without its comment.
pub fn public_key(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.split_whitespace().take(2).collect::<Vec<_>>().join(" ")
}

/// The home of somebody who connects.
pub struct Home {
    folder: TempDir,
    /// The socket of an agent.
    pub agent: Option<PathBuf>,
}

impl Home {
    /// An empty one.
    pub fn new() -> Home {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".ssh")).unwrap();
        fs::create_dir(folder.path().join("etc")).unwrap();
        Home { folder, agent: None }
    }

    /// One with an ed25519 key that the server takes, and with the server's key in known_hosts.
    pub fn of(sshd: &Sshd) -> Home {
        let home = Home::new();
        sshd.authorize(&home.key("ed25519"));
        home.trust(sshd);
        home
    }

    /// A file in `.ssh`.
    pub fn ssh(&self, name: &str) -> PathBuf {
        self.folder.path().join(".ssh").join(name)
    }

    /// Makes a key with its usual name; the answer is its public half.
    pub fn key(&self, kind: &str) -> PathBuf {
        let path = self.ssh(&format!("id_{kind}"));
        generate_key(&path, kind, "");
        self.ssh(&format!("id_{kind}.pub"))
    }

    /// Puts all host keys of a server into known_hosts.
    pub fn trust(&self, sshd: &Sshd) {
        for file in fs::read_dir(sshd.folder()).unwrap() {
            let path = file.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap();
            if name.starts_with("host_") && name.ends_with(".pub") && !name.contains("-cert") {
                self.known_hosts(&format!("{} {}", sshd.name(), public_key(&path)));
            }
        }
    }

    /// Adds a line to known_hosts.
    pub fn known_hosts(&self, line: &str) {
        let path = self.ssh("known_hosts");
        let old = fs::read_to_string(&path).unwrap_or_default();
        fs::write(&path, format!("{old}{line}\n")).unwrap();
    }

    /// Writes the configuration.
    pub fn config(&self, text: &str) {
        fs::write(self.ssh("config"), text).unwrap();
    }

    /// The context of a run.
    pub fn context(&self) -> Arc<SshContext> {
        self.context_with(None)
    }

    /// The same, with somebody who answers.
    pub fn context_with(&self, prompt: Option<Box<dyn Prompt>>) -> Arc<SshContext> {
        let environment = SshEnvironment {
            home: self.folder.path().to_owned(),
            system: self.folder.path().join("etc"),
            user: user(),
            agent: self.agent.clone(),
        };
        SshContext::new(environment, prompt)
    }
}

/// How to reach a port on loopback.
pub fn target(port: u16) -> Target {
    Target {
        host: "127.0.0.1".to_owned(),
        port: Some(port),
        timeout: Duration::from_secs(10),
        ..Target::default()
    }
}

/// The same for a check of host keys.
pub fn target_with(port: u16, check: HostKeyCheck) -> Target {
    Target { host_keys: Some(check), ..target(port) }
}

/// What a command printed and how it ended.
pub async fn run(connection: &dyn Connection, command: &str) -> (Option<i32>, String, String) {
    run_with(connection, command, b"", false).await
}

/// The same with something to read, and maybe a terminal.
pub async fn run_with(
    connection: &dyn Connection,
    command: &str,
    input: &[u8],
    pty: bool,
) -> (Option<i32>, String, String) {
    let mut pipe = connection.exec(command, pty).await.unwrap();
    let (mut output, mut errors) = (String::new(), String::new());
    let writing = async {
        pipe.stdin.write_all(input).await.unwrap();
        pipe.stdin.shutdown().await.unwrap();
    };
    let (_, read, read_errors) = tokio::join!(
        writing,
        pipe.stdout.read_to_string(&mut output),
        pipe.stderr.read_to_string(&mut errors)
    );
    read.unwrap();
    read_errors.unwrap();
    (pipe.exit.await, output, errors)
}
