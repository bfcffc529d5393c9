//! Any bytes as what the worker says to the controller, and the other way round.
#![no_main]

use libfuzzer_sys::fuzz_target;
use regatta::proto::frame::{decode, read_frame};
use regatta::proto::{FromController, FromWorker};

fuzz_target!(|bytes: &[u8]| {
    let _ = read_frame::<FromWorker>(&mut &*bytes);
    let _ = read_frame::<FromController>(&mut &*bytes);
    let _ = decode::<FromWorker>(bytes);
    let _ = decode::<FromController>(bytes);
});
