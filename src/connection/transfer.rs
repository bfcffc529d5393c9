//! Contents of files on their way between controller and worker, never more than a window of them in memory.

use std::collections::HashMap;
use std::io::{self, Read, Write};
use std::sync::Arc;

use tokio::sync::mpsc;

use super::client::{BlobSource, Shared, aside};
use crate::proto::{CHUNK, CallId, FromController};

/// The files of one call that are being sent.
pub(super) struct Streams {
    files: Arc<dyn BlobSource>,
    open: HashMap<u32, Stream>,
}

struct Stream {
    /// Up to which byte the worker has asked.
    asked: u64,
    credit: mpsc::UnboundedSender<u64>,
}

impl Streams {
    pub(super) fn new(files: Arc<dyn BlobSource>) -> Streams {
        Streams { files, open: HashMap::new() }
    }

    /// The worker wants `credit` bytes from `offset` on.
    pub(super) fn want(&mut self, shared: &Arc<Shared>, call: CallId, blob: u32, offset: u64, credit: u32) {
        let goes_on = self.open.get(&blob).is_some_and(|stream| stream.asked == offset);
        if !goes_on {
            let (sender, granted) = mpsc::unbounded_channel();
            self.open.insert(blob, Stream { asked: offset, credit: sender });
            let outgoing = Outgoing { shared: Arc::clone(shared), call, blob };
            tokio::spawn(outgoing.send(Arc::clone(&self.files), offset, granted));
        }
        if let Some(stream) = self.open.get_mut(&blob) {
            stream.asked = stream.asked.saturating_add(credit.into());
            // A stream that has ended needs no credit.
            let _ = stream.credit.send(credit.into());
        }
    }
}

struct Outgoing {
    shared: Arc<Shared>,
    call: CallId,
    blob: u32,
}

impl Outgoing {
    async fn send(self, files: Arc<dyn BlobSource>, offset: u64, granted: mpsc::UnboundedReceiver<u64>) {
        if let Err(error) = self.stream(files, offset, granted).await {
            let (call, blob) = (self.call, self.blob);
            self.shared.send(&FromController::BlobFailed { call, blob, reason: error.to_string() });
        }
    }

    /// Sends pieces as long as the worker asks for more and the call is open. The end is only told while bytes are
    /// still asked for, so nothing ever comes that was not.
    async fn stream(
        &self,
        files: Arc<dyn BlobSource>,
        offset: u64,
        mut granted: mpsc::UnboundedReceiver<u64>,
    ) -> io::Result<()> {
        let blob = self.blob;
        let ((), mut reader) = aside((), move |()| {
            let mut reader = files.open(blob)?;
            io::copy(&mut (&mut reader).take(offset), &mut io::sink())?;
            Ok(reader)
        })
        .await?;
        let mut credit = 0;
        loop {
            while credit == 0 {
                let Some(more) = granted.recv().await else { return Ok(()) };
                credit += more;
            }
            let limit = credit.min(CHUNK as u64);
            let (returned, data) = aside(reader, move |reader| {
                let mut data = Vec::new();
                reader.take(limit).read_to_end(&mut data)?;
                Ok(data)
            })
            .await?;
            reader = returned;
            credit -= data.len() as u64;
            let end = data.is_empty();
            self.shared.send(&FromController::Chunk { call: self.call, blob, data });
            if end {
                return Ok(());
            }
        }
    }
}

/// Stores what a call sends back, and lets it send more as that is done. A failure cancels the call.
pub(super) async fn store(
    shared: Arc<Shared>,
    call: CallId,
    mut sink: Box<dyn Write + Send>,
    mut pieces: mpsc::UnboundedReceiver<Vec<u8>>,
) -> io::Result<()> {
    while let Some(data) = pieces.recv().await {
        let bytes = u32::try_from(data.len()).unwrap_or(u32::MAX);
        match aside(sink, move |sink| sink.write_all(&data)).await {
            Ok((returned, ())) => sink = returned,
            Err(error) => {
                shared.send(&FromController::Cancel(call));
                return Err(error);
            }
        }
        if bytes > 0 {
            shared.send(&FromController::Credit { call, bytes });
        }
    }
    aside(sink, Write::flush).await.map(drop)
}
