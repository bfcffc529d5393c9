//! Looks for secrets where others could see them: in output, in the process list and environments of everything that runs
//! here (the hosts' processes are this machine's too), and in files.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use super::SECRET;

/// The secret as it is and in base64, and whatever looks like a token to join with.
fn found(text: &str) -> Option<&str> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let token = |word: &&str| {
        word.split_once('.').is_some_and(|(id, rest)| {
            id.len() == 6 && rest.len() == 16 && id.chars().all(plain) && rest.chars().all(plain)
        })
    };
    let encoded = "Y2FuYXJ5LTdmM2E5MWMy";
    // Compilers and linkers that run beside this have `regatta_worker.` and a number in their words.
    let mut words = text.split(|c: char| !plain(c) && !"._-".contains(c));
    [SECRET, encoded].into_iter().find(|secret| text.contains(secret)).or_else(|| words.find(token))
}

/// Fails if a text holds a secret.
#[track_caller]
pub(super) fn assert_hidden(text: &str) {
    let line = text.lines().find(|line| found(line).is_some());
    assert_eq!(line, None, "a secret is in the output");
}

/// Reads the process list again and again until it is asked what it saw.
pub(super) struct Watch {
    stop: Arc<AtomicBool>,
    seen: Arc<Mutex<BTreeSet<String>>>,
    thread: JoinHandle<()>,
}

impl Watch {
    /// Begins.
    pub(super) fn begin() -> Watch {
        let (stop, seen) = (Arc::new(AtomicBool::new(false)), Arc::new(Mutex::new(BTreeSet::new())));
        let (ended, noted) = (stop.clone(), seen.clone());
        let thread = std::thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                look(&noted);
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        Watch { stop, seen, thread }
    }

    /// Ends, and fails if there was something.
    pub(super) fn assert_nothing_was_seen(self) {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap();
        let seen = self.seen.lock().unwrap();
        assert!(seen.is_empty(), "secrets in the process list: {seen:?}");
    }
}

fn look(seen: &Mutex<BTreeSet<String>>) {
    for process in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let number = process.file_name();
        if !number.to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()) {
            continue;
        }
        let read = |name: &str| std::fs::read(process.path().join(name)).unwrap_or_default();
        let line = [read("cmdline"), read("environ")].concat();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if let Some(what) = found(&line) {
            let program = line.split(' ').next().unwrap_or_default();
            seen.lock().unwrap().insert(format!("{what} in {program}"));
        }
    }
}

/// The command that prints the files in which anybody of a host can read the secret.
pub(super) fn search() -> String {
    format!(
        "su -s /bin/sh nobody -c \"grep -rslF -e {SECRET} -e Y2FuYXJ5LTdmM2E5MWMy \
         /etc /home /opt /root /run /srv /tmp /usr/local /var 2>/dev/null\" || true"
    )
}
