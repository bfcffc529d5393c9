//! Frames on a blocking byte stream: a length (4 bytes, little endian) and a postcard-encoded message.
//!
//! The worker's side, and the coding that the controller's side (`frame_async`) shares. No message's meaning is here.

use std::io::{self, Read, Write};

use serde::Serialize;
use serde::de::DeserializeOwned;
use zeroize::Zeroizing;

use super::MAX_FRAME;

/// Bytes of a frame's length.
pub const HEADER: usize = 4;

/// How much of a frame is read before more memory is taken, so that a false length costs nothing.
const STEP: usize = 1 << 20;

/// A whole frame of a message. The bytes may hold a password, so they are wiped when they go.
///
/// # Errors
/// A message that is larger than [`MAX_FRAME`].
pub fn encode<T: Serialize>(message: &T) -> io::Result<Zeroizing<Vec<u8>>> {
    let frame = postcard::to_extend(message, vec![0; HEADER]).map_err(io::Error::other)?;
    let mut frame = Zeroizing::new(frame);
    let length = frame.len() - HEADER;
    if length > MAX_FRAME {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("a message of {length} bytes is more than the {MAX_FRAME} that one may have"),
        ));
    }
    // MAX_FRAME fits in 32 bits.
    let header = u32::try_from(length).unwrap_or(u32::MAX).to_le_bytes();
    frame[..HEADER].copy_from_slice(&header);
    Ok(frame)
}

/// The length in a frame's header.
///
/// # Errors
/// A length over [`MAX_FRAME`]: what comes is no frame.
pub fn length(header: [u8; HEADER]) -> io::Result<usize> {
    let length = usize::try_from(u32::from_le_bytes(header)).unwrap_or(usize::MAX);
    if length > MAX_FRAME {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "this is no frame: its length is too large"));
    }
    Ok(length)
}

/// The message of a frame's body.
///
/// # Errors
/// Bytes that are no such message, or more than one.
pub fn decode<T: DeserializeOwned>(body: &[u8]) -> io::Result<T> {
    let bad = |why: &str| io::Error::new(io::ErrorKind::InvalidData, format!("this is no message: {why}"));
    let (message, rest) = postcard::take_from_bytes(body).map_err(|error| bad(&error.to_string()))?;
    if rest.is_empty() { Ok(message) } else { Err(bad("bytes are left over")) }
}

/// Writes one message and flushes.
///
/// # Errors
/// A message that is too large, or a stream that can't be written.
pub fn write_frame<T: Serialize>(stream: &mut impl Write, message: &T) -> io::Result<()> {
    stream.write_all(&encode(message)?)?;
    stream.flush()
}

/// Reads one message; none at the end of the stream.
///
/// # Errors
/// A stream that can't be read or ends inside a frame, and bytes that are no message.
pub fn read_frame<T: DeserializeOwned>(stream: &mut impl Read) -> io::Result<Option<T>> {
    let mut header = [0; HEADER];
    let mut have = 0;
    while have < HEADER {
        match stream.read(&mut header[have..]) {
            Ok(0) if have == 0 => return Ok(None),
            Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => have += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    let length = length(header)?;
    let mut body = Zeroizing::new(Vec::new());
    while body.len() < length {
        let from = body.len();
        body.resize(length.min(from + STEP), 0);
        stream.read_exact(&mut body[from..])?;
    }
    decode(&body).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::{Call, FromController, FromWorker, Identity, Reply};
    use crate::secret::Secret;
    use crate::value::{Map, Value};
    use proptest::prelude::*;

    fn call() -> Call {
        Call {
            id: 7,
            module: "command".into(),
            args: Map::from([("cmd".into(), Value::from("true"))]),
            identity: Some(Identity {
                method: "sudo".into(),
                user: "bob".into(),
                exe: None,
                flags: Vec::new(),
                password: Some(Secret::new("open sesame")),
            }),
            ..Call::default()
        }
    }

    #[test]
    fn a_message_comes_back_as_it_went() {
        let sent = FromController::Run(Box::new(call()));
        let mut stream = Vec::new();
        write_frame(&mut stream, &sent).unwrap();
        write_frame(&mut stream, &FromController::Bye).unwrap();
        let mut stream = stream.as_slice();
        let first: FromController = read_frame(&mut stream).unwrap().unwrap();
        assert_eq!(first, sent);
        let second: FromController = read_frame(&mut stream).unwrap().unwrap();
        assert_eq!(second, FromController::Bye);
        assert_eq!(read_frame::<FromController>(&mut stream).unwrap(), None);
    }

    #[test]
    fn a_frame_that_is_cut_anywhere_is_an_error() {
        let frame = encode(&FromController::Run(Box::new(call()))).unwrap();
        for cut in 1..frame.len() {
            let result = read_frame::<FromController>(&mut &frame[..cut]);
            assert_eq!(result.unwrap_err().kind(), io::ErrorKind::UnexpectedEof, "cut at {cut}");
        }
    }

    #[test]
    fn a_length_over_the_limit_is_refused_before_anything_is_read() {
        let mut stream: &[u8] = &[0xff, 0xff, 0xff, 0xff, 1, 2, 3];
        assert_eq!(read_frame::<FromWorker>(&mut stream).unwrap_err().kind(), io::ErrorKind::InvalidData);
    }

    #[test]
    fn values_nested_without_end_are_refused_instead_of_overflowing_the_stack() {
        // A list of one list of one list …: variant 6, length 1.
        let body: Vec<u8> = [6_u8, 1].repeat(1 << 20);
        assert!(decode::<Value>(&body).is_err());
    }

    #[test]
    fn left_over_bytes_are_an_error() {
        let mut frame = encode(&FromController::Bye).unwrap().to_vec();
        frame.push(0);
        assert!(decode::<FromController>(&frame[HEADER..]).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
            let _ = read_frame::<FromWorker>(&mut bytes.as_slice());
            let _ = read_frame::<FromController>(&mut bytes.as_slice());
            let _ = decode::<FromWorker>(&bytes);
            let _ = decode::<FromController>(&bytes);
        }

        #[test]
        fn replies_come_back_as_they_went(text in ".*", rc in any::<i64>(), died in any::<bool>()) {
            let reply = if died {
                Reply::Died(text)
            } else {
                Reply::Ran(crate::outcome::Outcome::changed().with("stdout", text).with("rc", rc))
            };
            let sent = FromWorker::Done { call: 3, reply };
            let mut stream = Vec::new();
            write_frame(&mut stream, &sent).unwrap();
            let got: FromWorker = read_frame(&mut stream.as_slice()).unwrap().unwrap();
            prop_assert_eq!(got, sent);
        }
    }
}
