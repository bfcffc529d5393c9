//! Watches the process list while something runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

/// What others see of a process: its arguments.
pub const ARGUMENTS: &[&str] = &["cmdline"];

/// What its user and root see too.
pub const ALL: &[&str] = &["cmdline", "environ"];

/// Looks at all processes, again and again.
pub struct Watch {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<Vec<String>>,
}

impl Watch {
    /// For these texts.
    pub fn start(files: &'static [&'static str], texts: &[&str]) -> Watch {
        let stop = Arc::new(AtomicBool::new(false));
        let (told, texts) =
            (Arc::clone(&stop), texts.iter().map(|it| (*it).to_owned()).collect::<Vec<String>>());
        let thread = std::thread::spawn(move || {
            let mut seen = Vec::new();
            while !told.load(Ordering::Relaxed) {
                seen.extend(shown(files, &texts));
                std::thread::sleep(Duration::from_millis(3));
            }
            seen
        });
        Watch { stop, thread }
    }

    /// The files that held one of the texts.
    pub fn stop(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// What of all processes holds one of the texts right now.
fn shown(files: &[&str], texts: &[String]) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let lines = processes.flat_map(|it| files.iter().map(move |file| it.path().join(file)));
    let lines = lines.filter_map(|path| std::fs::read(path).ok());
    let lines = lines.map(|line| String::from_utf8_lossy(&line).replace('\0', " "));
    lines.filter(|line| texts.iter().any(|text| line.contains(text))).collect()
}
