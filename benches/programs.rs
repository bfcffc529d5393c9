//! The programs as a whole, over real SSH to a real sshd on this machine, beside one plain `ssh` that does the same.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::sshd::{Home, Sshd, user};
use super::{median, millis, row};

const REGATTA: &str = env!("CARGO_BIN_EXE_regatta");

pub fn all() {
    sizes();
    let version = median(15, || quiet(Command::new(REGATTA).arg("--version")));
    row("regatta --version", &millis(version), "5 ms");
    local();
    memory();
    over_ssh();
}

fn quiet(command: &mut Command) {
    let status = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap();
    assert!(status.success(), "{command:?}");
}

/// The worker that is shipped has a profile of its own.
fn sizes() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let build = [
        "build",
        "--quiet",
        "--locked",
        "--profile",
        "worker",
        "--no-default-features",
        "--bin",
        "regatta-worker",
    ];
    let built = Command::new(env!("CARGO")).args(build).current_dir(root).status().unwrap();
    assert!(built.success());
    // Beside the folder of this profile.
    let worker = Path::new(REGATTA).parent().unwrap().with_file_name("worker").join("regatta-worker");
    let bytes = fs::read(worker).unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    std::io::Write::write_all(&mut packed, &bytes).unwrap();
    let kib = |n: usize| format!("{} KiB", n / 1024);
    row("worker", &kib(bytes.len()), "2048 KiB");
    row("worker, packed for the wire", &kib(packed.finish().unwrap().len()), "800 KiB");
}

/// A play of modules that change nothing.
fn tasks(folder: &Path, count: usize) -> String {
    let mut text = "- hosts: all\n  gather_facts: false\n  tasks:\n".to_owned();
    for number in 0..count {
        let path = folder.join(format!("f{}", number % 10));
        let _ = writeln!(text, "    - file: {{path: {}, state: directory, mode: '0755'}}", path.display());
    }
    text
}

fn local() {
    let folder = tempfile::tempdir().unwrap();
    let play = folder.path().join("play.yml");
    fs::write(&play, tasks(folder.path(), 8)).unwrap();
    let run =
        || quiet(Command::new(REGATTA).arg("play").arg(&play).args(["-i", "localhost,", "-c", "local"]));
    row("8 tasks on this machine", &millis(median(11, run)), "15 ms");
}

fn memory() {
    let folder = tempfile::tempdir().unwrap();
    let play = folder.path().join("play.yml");
    fs::write(&play, tasks(folder.path(), 10)).unwrap();
    let hosts: Vec<String> = (0..100).map(|n| format!("h{n}")).collect();
    let mut child = Command::new(REGATTA)
        .arg("play")
        .arg(&play)
        .args(["-i", &(hosts.join(",") + ","), "-c", "local"])
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let status = format!("/proc/{}/status", child.id());
    let mut peak = 0u64;
    while child.try_wait().unwrap().is_none() {
        let text = fs::read_to_string(&status).unwrap_or_default();
        let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap_or_default();
        peak = peak.max(line.split_whitespace().next().and_then(|n| n.parse().ok()).unwrap_or(0));
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
    row("peak memory of the controller, 100 hosts", &format!("{} MB", peak / 1000), "100 MB");
}

fn over_ssh() {
    let sshd = Sshd::start();
    let home = Home::of(&sshd);
    let folder = tempfile::tempdir().unwrap();
    for number in 0..10 {
        fs::create_dir_all(folder.path().join(format!("f{number}"))).unwrap();
    }
    let key = home.ssh("id_ed25519");
    let known = home.ssh("known_hosts");
    let own = home.ssh("").parent().unwrap().to_path_buf();
    let inventory = format!(
        "[all]\nh ansible_host=127.0.0.1 ansible_port={} ansible_user={} ansible_ssh_private_key_file={} \
         ansible_ssh_common_args='-o UserKnownHostsFile={}'\n",
        sshd.port,
        user(),
        key.display(),
        known.display()
    );
    let hosts = folder.path().join("hosts.ini");
    fs::write(&hosts, inventory).unwrap();
    let play = folder.path().join("play.yml");
    let regatta = || {
        quiet(Command::new(REGATTA).env("HOME", &own).arg("play").arg(&play).arg("-i").arg(&hosts));
    };
    let ssh = |script: &str| {
        let mut child = Command::new("ssh")
            .args(["-F", "none", "-o", "BatchMode=yes", "-o"])
            .arg(format!("UserKnownHostsFile={}", known.display()))
            .arg("-i")
            .arg(&key)
            .args(["-p", &sshd.port.to_string(), &format!("{}@127.0.0.1", user()), "sh -s"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::io::Write::write_all(&mut child.stdin.take().unwrap(), script.as_bytes()).unwrap();
        assert!(child.wait().unwrap().success());
    };
    let checks = |count: usize| -> String {
        (0..count)
            .map(|n| {
                format!(
                    "test \"$(stat -c '%F %a' {}/f{})\" = 'directory 755' || exit 1\n",
                    folder.path().display(),
                    n % 10
                )
            })
            .collect()
    };
    fs::write(&play, tasks(folder.path(), 100)).unwrap();
    compare("100 tasks over ssh", "2.0 x", regatta, || ssh(&checks(100)));
    let items: Vec<String> = (0..200).map(|n| format!("{}/f{}", folder.path().display(), n % 10)).collect();
    let text = format!(
        "- hosts: all\n  gather_facts: false\n  tasks:\n    - file: {{path: \"{{{{ item }}}}\", state: directory, mode: '0755'}}\n      loop: [{}]\n",
        items.join(", ")
    );
    fs::write(&play, text).unwrap();
    compare("loop of 200 items over ssh", "1.5 x", regatta, || ssh(&checks(200)));
}

/// A ratio, the two taken in turn so that both see the same machine.
fn compare(name: &str, target: &str, mut ours: impl FnMut(), mut plain: impl FnMut()) {
    let mut pairs = Vec::new();
    ours();
    plain();
    for _ in 0..7 {
        pairs.push((median_of_one(&mut ours), median_of_one(&mut plain)));
    }
    let mut ratios: Vec<f64> = pairs.iter().map(|(a, b)| a / b).collect();
    ratios.sort_by(f64::total_cmp);
    let middle = |pick: fn(&(f64, f64)) -> f64| {
        let mut times: Vec<f64> = pairs.iter().map(pick).collect();
        times.sort_by(f64::total_cmp);
        times[times.len() / 2] * 1000.0
    };
    row(&format!("{name}: regatta"), &format!("{:.1} ms", middle(|pair| pair.0)), "");
    row(&format!("{name}: plain ssh with a script"), &format!("{:.1} ms", middle(|pair| pair.1)), "");
    row(&format!("{name}: ratio"), &format!("{:.2} x", ratios[ratios.len() / 2]), target);
}

fn median_of_one(work: &mut impl FnMut()) -> f64 {
    let start = std::time::Instant::now();
    work();
    start.elapsed().as_secs_f64()
}
