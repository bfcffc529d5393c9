//! A worker's client against a peer in memory that speaks the worker's side by hand.

use std::io::{self, Read, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures::FutureExt;
use tokio::io::{AsyncWriteExt, DuplexStream, duplex};
use tokio::time::timeout;

use super::push::{Complaints, Started};
use super::{BlobSource, CallError, NoFiles, Worker};
use crate::outcome::Outcome;
use crate::proto::frame_async::{read_frame, write_frame};
use crate::proto::{CHUNK, Call, CallId, FromController, FromWorker, Hello, Reply};

/// The other end of a client.
struct Peer {
    input: DuplexStream,
    output: DuplexStream,
}

impl Peer {
    async fn say(&mut self, message: FromWorker) {
        write_frame(&mut self.output, &message).await.unwrap();
    }

    async fn hear(&mut self) -> FromController {
        timeout(Duration::from_secs(10), read_frame(&mut self.input)).await.unwrap().unwrap().unwrap()
    }

    /// Whether nothing is said for a moment.
    async fn silent(&mut self) -> bool {
        timeout(Duration::from_millis(100), read_frame::<FromController>(&mut self.input)).await.is_err()
    }

    async fn call(&mut self) -> CallId {
        match self.hear().await {
            FromController::Run(call) => call.id,
            other => panic!("{other:?}"),
        }
    }

    async fn done(&mut self, call: CallId) {
        self.say(FromWorker::Done { call, reply: Reply::Ran(Outcome::changed()) }).await;
    }
}

fn pair(exit: Option<i32>) -> (Arc<Worker>, Peer) {
    let (stdin, input) = duplex(1 << 20);
    let (output, stdout) = duplex(1 << 20);
    let hello = Hello { build: String::new(), pid: 1, user: "root".into(), home: "/".into() };
    let started = Started {
        hello,
        token: String::new(),
        stdin: Box::new(stdin),
        stdout: tokio::io::BufReader::new(Box::new(stdout)),
        exit: std::future::ready(exit).boxed(),
        complaints: Complaints::gather(Box::new(&b"out of memory"[..])),
    };
    (Worker::new(started, "web1", None), Peer { input, output })
}

struct Zeros(u64);

impl BlobSource for Zeros {
    fn open(&self, blob: u32) -> io::Result<Box<dyn Read + Send>> {
        match blob {
            0 => Ok(Box::new(io::repeat(0).take(self.0))),
            _ => Err(io::Error::other("it is gone")),
        }
    }
}

#[derive(Clone, Default)]
struct Sink(Arc<Mutex<Vec<u8>>>);

impl Write for Sink {
    fn write(&mut self, data: &[u8]) -> io::Result<usize> {
        let mut all = self.0.lock().unwrap();
        if all.len() > 10 {
            return Err(io::Error::other("no space left"));
        }
        all.extend_from_slice(data);
        Ok(data.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn no_more_of_a_file_is_sent_than_was_asked_for() {
    let (worker, mut peer) = pair(None);
    let reply = worker.call(Call::default(), Arc::new(Zeros(150_000)), None, None);
    let call = peer.call().await;
    let mut got = 0;
    for offset in [0, 100_000] {
        peer.say(FromWorker::Want { call, blob: 0, offset, credit: 100_000 }).await;
        while got < (offset + 100_000).min(150_000) {
            let FromController::Chunk { data, .. } = peer.hear().await else { panic!() };
            assert!(!data.is_empty() && data.len() <= CHUNK);
            got += data.len() as u64;
        }
        if offset == 0 {
            assert_eq!(got, 100_000);
            assert!(peer.silent().await);
        }
    }
    assert_eq!(peer.hear().await, FromController::Chunk { call, blob: 0, data: Vec::new() });
    peer.done(call).await;
    assert_eq!(peer.hear().await, FromController::Seen(call));
    assert_eq!(reply.await.unwrap(), Reply::Ran(Outcome::changed()));
}

#[tokio::test]
async fn a_file_can_be_asked_for_from_the_middle_and_again() {
    let (worker, mut peer) = pair(None);
    let _reply = worker.call(Call::default(), Arc::new(Zeros(1000)), None, None);
    let call = peer.call().await;
    for (offset, length) in [(900, 100), (990, 10), (0, 1000)] {
        peer.say(FromWorker::Want { call, blob: 0, offset, credit: 5000 }).await;
        assert_eq!(peer.hear().await, FromController::Chunk { call, blob: 0, data: vec![0; length] });
        assert_eq!(peer.hear().await, FromController::Chunk { call, blob: 0, data: Vec::new() });
    }
}

#[tokio::test]
async fn a_file_that_can_not_be_read_is_told_to_the_worker() {
    let (worker, mut peer) = pair(None);
    let _reply = worker.call(Call::default(), Arc::new(Zeros(1)), None, None);
    let call = peer.call().await;
    peer.say(FromWorker::Want { call, blob: 1, offset: 0, credit: 1 }).await;
    let reason = "it is gone".to_owned();
    assert_eq!(peer.hear().await, FromController::BlobFailed { call, blob: 1, reason });
}

#[tokio::test]
async fn what_is_fetched_is_stored_before_the_reply_and_makes_room_for_more() {
    let (worker, mut peer) = pair(None);
    let sink = Sink::default();
    let reply = worker.call(Call::default(), Arc::new(NoFiles), None, Some(Box::new(sink.clone())));
    let call = peer.call().await;
    peer.say(FromWorker::Piece { call, data: b"hello".to_vec() }).await;
    assert_eq!(peer.hear().await, FromController::Credit { call, bytes: 5 });
    peer.say(FromWorker::Piece { call, data: Vec::new() }).await;
    peer.done(call).await;
    reply.await.unwrap();
    assert_eq!(*sink.0.lock().unwrap(), b"hello");
}

#[tokio::test]
async fn what_can_not_be_stored_cancels_the_call_and_fails_it() {
    let (worker, mut peer) = pair(None);
    let reply = worker.call(Call::default(), Arc::new(NoFiles), None, Some(Box::new(Sink::default())));
    let call = peer.call().await;
    for text in ["hello world", "and more"] {
        peer.say(FromWorker::Piece { call, data: text.into() }).await;
    }
    assert_eq!(peer.hear().await, FromController::Credit { call, bytes: 11 });
    assert_eq!(peer.hear().await, FromController::Cancel(call));
    peer.say(FromWorker::Done { call, reply: Reply::Died("cancelled".into()) }).await;
    let error = reply.await.unwrap_err();
    assert_eq!(error.to_string(), "can't store what the host sent: no space left");
}

#[tokio::test]
async fn calls_are_on_their_way_before_anybody_waits_and_a_dropped_one_is_cancelled() {
    let (worker, mut peer) = pair(None);
    let first = worker.call(Call::default(), Arc::new(NoFiles), None, None);
    let second = worker.call(Call::default(), Arc::new(NoFiles), None, None);
    let (one, two) = (peer.call().await, peer.call().await);
    assert!(one < two);
    drop(first);
    assert_eq!(peer.hear().await, FromController::Cancel(one));
    peer.done(one).await;
    peer.done(two).await;
    second.await.unwrap();
    assert_eq!(peer.hear().await, FromController::Seen(one));
}

#[tokio::test]
async fn a_peer_that_talks_nonsense_or_ends_fails_what_waits() {
    for (exit, garbage, words) in [
        (Some(137), &b""[..], "the worker on web1 was killed by signal 9: out of memory"),
        (Some(1), b"", "the worker on web1 ended with exit code 1: out of memory"),
        (None, b"", "connection to web1 lost: the host closed it: out of memory"),
        (None, b"\xff\xff\xff\xff and more", "this is no frame"),
        (None, b"\x02\x00\x00\x00\xee\xee", "this is no message"),
    ] {
        let (worker, mut peer) = pair(exit);
        let reply = worker.call(Call::default(), Arc::new(NoFiles), None, None);
        peer.call().await;
        peer.output.write_all(garbage).await.unwrap();
        drop(peer.output);
        let error = reply.await.unwrap_err();
        assert!(error.to_string().contains(words), "{error}");
        assert_eq!(matches!(error, CallError::WorkerDied(_)), exit.is_some());
        assert!(!worker.is_alive());
        let again = worker.call(Call::default(), Arc::new(NoFiles), None, None).await.unwrap_err();
        assert_eq!(again.to_string(), error.to_string());
    }
}

#[tokio::test]
async fn messages_for_calls_that_nobody_made_are_ignored() {
    let (worker, mut peer) = pair(None);
    let reply = worker.call(Call::default(), Arc::new(NoFiles), None, None);
    let call = peer.call().await;
    peer.say(FromWorker::Want { call: 999, blob: 0, offset: 0, credit: 1 }).await;
    peer.say(FromWorker::Piece { call: 999, data: vec![1] }).await;
    peer.say(FromWorker::Piece { call, data: vec![1] }).await;
    peer.say(FromWorker::Line { call: 999, stderr: false, text: "x".into() }).await;
    peer.done(999).await;
    assert_eq!(peer.hear().await, FromController::Seen(999));
    peer.done(call).await;
    reply.await.unwrap();
}
