//! Contents of files on their way to a host: large ones, for other users, onto a full disk.

use std::fs;
use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use regatta::connection::{BlobSource, Worker};
use regatta::outcome::{Blob, BlobKind};
use regatta::proto::{Call, Reply};
use sha1::{Digest, Sha1};

use super::bring_up::{may_mount, with_mounts};
use super::{call, field, machine, run, start};

/// A file of the controller, which counts how often it is opened.
pub(super) struct File {
    pub(super) contents: Vec<u8>,
    opened: AtomicUsize,
    /// Where reading it fails.
    breaks_at: usize,
}

impl File {
    pub(super) fn new(size: usize) -> Arc<File> {
        let contents = (0..size).map(|at| u8::try_from(at * 7 % 251).unwrap()).collect();
        Arc::new(File { contents, opened: AtomicUsize::new(0), breaks_at: usize::MAX })
    }

    pub(super) fn blob(&self) -> Blob {
        let sha1 = Sha1::digest(&self.contents).iter().map(|byte| format!("{byte:02x}")).collect();
        let kind = BlobKind::File { size: self.contents.len() as u64, sha1 };
        Blob { name: String::new(), kind, mode: 0o644 }
    }
}

struct Reader(Arc<File>, usize);

impl Read for Reader {
    fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
        if self.1 >= self.0.breaks_at {
            return Err(io::Error::other("the disk is broken"));
        }
        let count = (&self.0.contents[self.1..]).read(to)?;
        self.1 += count;
        Ok(count)
    }
}

pub(super) struct Source(pub(super) Arc<File>);

impl BlobSource for Source {
    fn open(&self, _blob: u32) -> io::Result<Box<dyn Read + Send>> {
        self.0.opened.fetch_add(1, Ordering::Relaxed);
        Ok(Box::new(Reader(Arc::clone(&self.0), 0)))
    }
}

async fn copy(worker: &Arc<Worker>, file: &Arc<File>, dest: &str) -> Reply {
    let copy = Call { blobs: vec![file.blob()], ..call(worker, "copy", &[("dest", dest)]) };
    worker.call(copy, Arc::new(Source(Arc::clone(file))), None, None).await.unwrap()
}

fn failed(reply: &Reply) -> bool {
    matches!(reply, Reply::Ran(outcome) if outcome.failed)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_file_arrives_whole_and_an_unchanged_one_is_not_sent_at_all() {
    let home = tempfile::tempdir().unwrap();
    let worker = start(&machine(home.path())).await.unwrap();
    let dest = home.path().join("file");
    for size in [0, 1, 64 << 10, 512 << 10, (20 << 20) + 1] {
        let file = File::new(size);
        let reply = copy(&worker, &file, dest.to_str().unwrap()).await;
        assert!(
            matches!(&reply, Reply::Ran(outcome) if outcome.changed && !outcome.failed),
            "{size}: {reply:?}"
        );
        assert!(fs::read(&dest).unwrap() == file.contents, "{size}");
        let opened = file.opened.load(Ordering::Relaxed);
        let reply = copy(&worker, &file, dest.to_str().unwrap()).await;
        assert!(
            matches!(&reply, Reply::Ran(outcome) if !outcome.changed && !outcome.failed),
            "{size}: {reply:?}"
        );
        assert_eq!(file.opened.load(Ordering::Relaxed), opened);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_files_at_once_neither_mix_nor_starve_other_calls() {
    let home = tempfile::tempdir().unwrap();
    let worker = start(&machine(home.path())).await.unwrap();
    let files: Vec<_> = (0..8).map(|number| File::new((2 << 20) + number)).collect();
    let dests: Vec<_> =
        (0..8).map(|number| home.path().join(format!("{number}")).display().to_string()).collect();
    let copies = files.iter().zip(&dests).map(|(file, dest)| copy(&worker, file, dest));
    let ping = run(&worker, call(&worker, "ping", &[]));
    let (replies, pong) = tokio::join!(futures::future::join_all(copies), ping);
    assert_eq!(field(&pong, "ping"), "pong");
    for ((file, dest), reply) in files.iter().zip(&dests).zip(replies) {
        assert!(!failed(&reply), "{reply:?}");
        assert!(fs::read(dest).unwrap() == file.contents);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_breaks_off_and_a_full_disk_fail_the_task_and_leave_the_old_file() {
    if !may_mount() {
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let small = home.path().join("small");
    fs::create_dir(&small).unwrap();
    let machine = with_mounts(home.path(), &format!("mount -t tmpfs -o size=1m none {}", small.display()));
    let worker = start(&machine).await.unwrap();
    let dest = small.join("file").display().to_string();
    assert!(!failed(&copy(&worker, &File::new(1000), &dest).await));
    let reply = copy(&worker, &File::new(5 << 20), &dest).await;
    assert!(failed(&reply) && field(&reply, "msg").contains("No space left on device"), "{reply:?}");
    let mut broken = Arc::into_inner(File::new(500 << 10)).unwrap();
    broken.breaks_at = 300 << 10;
    let reply = copy(&worker, &Arc::new(broken), &dest).await;
    assert!(failed(&reply) && field(&reply, "msg").contains("the disk is broken"), "{reply:?}");
    let look = format!("ls -A {}; wc -c < {dest}", small.display());
    let reply = run(&worker, call(&worker, "shell", &[("cmd", &look)])).await;
    assert_eq!(field(&reply, "stdout"), "file\n1000");
}
