//! A log file (`log_path`): what people see, each line with the time, appended.
//!
//! Not an output of its own: it is what an output for people writes to.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Appends lines to a log file.
pub struct Log {
    file: File,
    /// `p=… u=… n=ansible INFO| `
    source: String,
    /// What was written since the last end of a line.
    line: Vec<u8>,
}

impl Log {
    /// Opens or creates the file, for nobody else to read.
    ///
    /// # Errors
    /// If it can't be written.
    pub fn open(path: &Path) -> io::Result<Log> {
        let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
        let user =
            std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_else(|_| "root".into());
        let source = format!("p={} u={user} n=ansible INFO| ", std::process::id());
        Ok(Log { file, source, line: Vec::new() })
    }

    fn end_line(&mut self) -> io::Result<()> {
        let line = std::mem::take(&mut self.line);
        if line.is_empty() {
            return Ok(());
        }
        let time = jiff::Zoned::now().strftime("%Y-%m-%d %H:%M:%S,%3f").to_string();
        let mut whole = format!("{time} {}", self.source).into_bytes();
        whole.extend_from_slice(&line);
        whole.push(b'\n');
        self.file.write_all(&whole)
    }
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for part in bytes.split_inclusive(|byte| *byte == b'\n') {
            match part.strip_suffix(b"\n") {
                Some(rest) => {
                    self.line.extend_from_slice(rest);
                    self.end_line()?;
                }
                None => self.line.extend_from_slice(part),
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        // Nobody is left to tell.
        let _ = self.end_line();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_its_time_and_empty_ones_are_left_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        let mut log = Log::open(&path).unwrap();
        log.write_all(b"\nPLAY [a]").unwrap();
        log.write_all(b" ***\n\nok: [h]").unwrap();
        drop(log);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<(&str, &str)> = text.lines().filter_map(|line| line.split_once("INFO| ")).collect();
        assert_eq!(lines.iter().map(|(_, said)| *said).collect::<Vec<_>>(), ["PLAY [a] ***", "ok: [h]"]);
        let head = format!(",000 p={} u=", std::process::id());
        assert!(lines[0].0.len() >= "2026-01-01 00:00:00".len() + head.len());
        assert_eq!(lines[0].0.as_bytes()[19], b',');
    }
}
