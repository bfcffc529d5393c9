//! The same frames on an asynchronous byte stream: the controller's side.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use zeroize::Zeroizing;

use super::frame::{HEADER, decode, encode, length};

/// Writes one message and flushes.
///
/// # Errors
/// A message that is too large, or a stream that can't be written.
pub async fn write_frame<T: Serialize>(
    stream: &mut (impl AsyncWrite + Unpin),
    message: &T,
) -> io::Result<()> {
    let frame = encode(message)?;
    stream.write_all(&frame).await?;
    stream.flush().await
}

/// Reads one message; none at the end of the stream.
///
/// # Errors
/// A stream that can't be read or ends inside a frame, and bytes that are no message.
pub async fn read_frame<T: DeserializeOwned>(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<Option<T>> {
    let mut header = [0; HEADER];
    let first = stream.read(&mut header).await?;
    if first == 0 {
        return Ok(None);
    }
    stream.read_exact(&mut header[first..]).await?;
    let length = length(header)?;
    // The limit makes memory grow with what comes, not with what the length promises.
    let mut body = Zeroizing::new(Vec::new());
    let limit = u64::try_from(length).unwrap_or(u64::MAX);
    if stream.take(limit).read_to_end(&mut body).await? < length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    decode(&body).map(Some)
}
