//! A Docker engine and a registry of one test's own: own folders, own socket, own port, gone at the end.

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A running engine with the image `base:1`, and a registry that the user `ann` may use.
pub struct Engine {
    folder: tempfile::TempDir,
    engine: Child,
    registry: Child,
    port: u16,
}

impl Engine {
    /// Starts both and waits until they answer.
    pub fn start() -> Engine {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let engine = Command::new("dockerd")
            .args(["--bridge=none", "--storage-driver=vfs", "--iptables=false", "--ip6tables=false"])
            .arg("--data-root")
            .arg(at("data"))
            .arg("--exec-root")
            .arg(at("exec"))
            .arg("--pidfile")
            .arg(at("pid"))
            .arg("--host")
            .arg(format!("unix://{}", at("socket").display()))
            .stdout(Stdio::null())
            .stderr(fs::File::create(at("engine.log")).unwrap())
            .spawn()
            .expect("dockerd starts");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        // ann, s3cret-pass
        fs::write(at("users"), "ann:$2y$05$yV8iKAu6ZbdRi/tZvoCGF.NeoneIuBBwSZjl7H0VIq.vuN9QOrE/O\n").unwrap();
        fs::write(
            at("registry.yml"),
            format!(
                "version: 0.1\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: 127.0.0.1:{port}\n\
                 auth:\n  htpasswd:\n    realm: test\n    path: {}\n",
                at("registry").display(),
                at("users").display()
            ),
        )
        .unwrap();
        let registry = Command::new("docker-registry")
            .arg("serve")
            .arg(at("registry.yml"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("docker-registry starts");
        let engine = Engine { folder, engine, registry, port };
        engine.wait();
        engine.import_base();
        engine
    }

    fn wait(&self) {
        let began = Instant::now();
        while !self.docker(&["info"]).0 || TcpStream::connect(("127.0.0.1", self.port)).is_err() {
            let log = fs::read_to_string(self.path("engine.log")).unwrap_or_default();
            assert!(began.elapsed() < Duration::from_secs(60), "the engine does not start:\n{log}");
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// busybox and nothing else.
    fn import_base(&self) {
        let root = self.path("base");
        fs::create_dir_all(root.join("bin")).unwrap();
        fs::create_dir_all(root.join("tmp")).unwrap();
        fs::copy("/bin/busybox", root.join("bin/busybox")).expect("busybox-static is installed");
        for name in ["sh", "sleep", "true", "cat", "echo", "httpd"] {
            std::os::unix::fs::symlink("busybox", root.join("bin").join(name)).unwrap();
        }
        let tar = Command::new("tar").arg("-C").arg(&root).args(["-c", "."]).output().unwrap();
        let mut import = self.command(&["import", "-", "base:1"]);
        let mut import = import.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        import.stdin.take().unwrap().write_all(&tar.stdout).unwrap();
        assert!(import.wait().unwrap().success());
    }

    /// A path in its folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What `DOCKER_HOST` is for it.
    pub fn address(&self) -> String {
        format!("unix://{}", self.path("socket").display())
    }

    /// The registry's address.
    pub fn registry(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("docker");
        command.env("DOCKER_HOST", self.address()).args(words);
        command
    }

    /// Whether a command of the client went well, and all it printed.
    pub fn docker(&self, words: &[&str]) -> (bool, String) {
        let output = self.command(words).output().expect("the docker client runs");
        let text = [output.stdout, output.stderr].concat();
        (output.status.success(), String::from_utf8_lossy(&text).trim().to_owned())
    }

    /// Writes a file into its folder.
    pub fn write(&self, name: &str, text: &str, mode: u32) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("/"))).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let (_, containers) = self.docker(&["ps", "--all", "--quiet"]);
        for id in containers.lines() {
            self.docker(&["rm", "--force", id]);
        }
        self.docker(&["network", "rm", "back"]);
        // The engine ends what it started when it is asked to end.
        let _ = Command::new("kill").arg(self.engine.id().to_string()).status();
        let _ = self.engine.wait();
        let _ = self.registry.kill();
        let _ = self.registry.wait();
    }
}
