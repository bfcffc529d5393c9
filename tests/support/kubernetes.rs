//! A real Kubernetes API on loopback: etcd, kube-apiserver and kube-controller-manager in a temporary folder, without
//! nodes. The programs are taken from `$REGATTA_K8S`.

use std::fs::{self, File};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, Weak};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A running API server.
pub struct Cluster {
    folder: TempDir,
    programs: PathBuf,
    /// Where it listens, on 127.0.0.1.
    pub port: u16,
    children: Vec<Child>,
}

/// The token of the user who may do everything.
pub const TOKEN: &str = "token-of-the-administrator";

/// The one that runs: tests share it as long as one of them needs it.
static RUNNING: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());

/// The API server for a test.
pub fn cluster() -> Arc<Cluster> {
    let mut running = RUNNING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(cluster) = running.upgrade() {
        return cluster;
    }
    let programs =
        std::env::var_os("REGATTA_K8S").expect("REGATTA_K8S names the folder of Kubernetes' programs");
    let cluster = Arc::new(Cluster::start(Path::new(&programs)));
    *running = Arc::downgrade(&cluster);
    cluster
}

impl Cluster {
    fn start(programs: &Path) -> Cluster {
        let folder = tempfile::tempdir().unwrap();
        let [port, etcd, peers] = [free_port(), free_port(), free_port()];
        let mut cluster =
            Cluster { folder, programs: programs.canonicalize().unwrap(), port, children: Vec::new() };
        cluster.make_files();
        let at = |port: u16| format!("http://127.0.0.1:{port}");
        let path = |name: &str| cluster.folder.path().join(name).to_string_lossy().into_owned();
        let database = path("etcd");
        let starts: [(&str, Vec<String>); 3] = [
            (
                "etcd",
                words(&[
                    ("data-dir", &database),
                    ("listen-client-urls", &at(etcd)),
                    ("advertise-client-urls", &at(etcd)),
                    ("listen-peer-urls", &at(peers)),
                ]),
            ),
            (
                "kube-apiserver",
                words(&[
                    ("etcd-servers", &at(etcd)),
                    ("secure-port", &port.to_string()),
                    ("bind-address", "127.0.0.1"),
                    ("tls-cert-file", &path("tls.crt")),
                    ("tls-private-key-file", &path("tls.key")),
                    ("token-auth-file", &path("tokens.csv")),
                    ("authorization-mode", "RBAC"),
                    ("service-cluster-ip-range", "10.96.0.0/16"),
                    ("service-account-issuer", "https://kubernetes"),
                    ("service-account-signing-key-file", &path("tls.key")),
                    ("service-account-key-file", &path("tls.key")),
                    ("api-audiences", "kubernetes"),
                    ("disable-admission-plugins", "ServiceAccount"),
                ]),
            ),
            (
                "kube-controller-manager",
                words(&[
                    ("kubeconfig", &path("admin.conf")),
                    ("service-account-private-key-file", &path("tls.key")),
                    ("port", "0"),
                    ("secure-port", "0"),
                ]),
            ),
        ];
        for (program, words) in starts {
            cluster.spawn(program, &words);
        }
        cluster.wait();
        cluster
    }

    /// A certificate, who may log in, and the administrator's kubeconfig.
    fn make_files(&self) {
        let folder = self.folder.path();
        let made = Command::new("openssl")
            .args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=kubernetes"])
            .args(["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "tls.key", "-out", "tls.crt"])
            .current_dir(folder)
            .stderr(Stdio::null())
            .status();
        assert!(made.expect("these tests need openssl").success());
        fs::write(folder.join("tokens.csv"), format!("{TOKEN},admin,1,system:masters\n")).unwrap();
        let config = format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: test\n\
             clusters: [{{name: test, cluster: {{server: 'https://127.0.0.1:{}', certificate-authority: {}}}}}]\n\
             contexts: [{{name: test, context: {{cluster: test, user: admin}}}}]\n\
             users: [{{name: admin, user: {{token: {TOKEN}}}}}]\n",
            self.port,
            folder.join("tls.crt").display()
        );
        fs::write(folder.join("admin.conf"), config).unwrap();
    }

    fn spawn(&mut self, program: &str, words: &[String]) {
        let log = File::create(self.folder.path().join(format!("{program}.log"))).unwrap();
        let child = Command::new(self.programs.join(program))
            .args(words)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn();
        self.children.push(child.unwrap());
    }

    /// Until it answers and has its first namespace.
    fn wait(&mut self) {
        let start = Instant::now();
        while start.elapsed() < Duration::from_secs(120) {
            let ended = self.children.iter_mut().any(|child| child.try_wait().unwrap().is_some());
            let asked = self.command(["get", "namespace", "default"]).output().unwrap();
            if asked.status.success() {
                return;
            }
            assert!(!ended, "{}", self.logs());
            std::thread::sleep(Duration::from_millis(300));
        }
        panic!("the API server does not answer: {}", self.logs());
    }

    fn logs(&self) -> String {
        let read = |name: &str| fs::read_to_string(self.folder.path().join(name)).unwrap_or_default();
        let all = ["etcd.log", "kube-apiserver.log"].map(read).concat();
        all.lines().rev().take(20).collect::<Vec<_>>().join("\n")
    }

    /// The administrator's kubeconfig.
    pub fn kubeconfig(&self) -> PathBuf {
        self.folder.path().join("admin.conf")
    }

    /// The certificate that its own is checked with.
    pub fn certificate(&self) -> PathBuf {
        self.folder.path().join("tls.crt")
    }

    /// The folder that kubectl is in.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    fn command<'a>(&self, words: impl IntoIterator<Item = &'a str>) -> Command {
        let mut command = Command::new(self.programs.join("kubectl"));
        command.env("KUBECONFIG", self.kubeconfig()).env("HOME", self.folder.path()).args(words);
        command
    }

    /// What kubectl prints for these words; it must succeed.
    #[track_caller]
    pub fn kubectl(&self, words: &str) -> String {
        let words = shlex::split(words).unwrap();
        let output = self.command(words.iter().map(String::as_str)).output().unwrap();
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for child in self.children.iter_mut().rev() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

fn words(options: &[(&str, &str)]) -> Vec<String> {
    options.iter().map(|(name, value)| format!("--{name}={value}")).collect()
}

fn free_port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}
