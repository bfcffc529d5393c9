//! Reading a value from the wire: how deep one may be nested, so that no bytes overflow the reader's stack.

use std::cell::Cell;

use serde::de::{Deserialize, Deserializer, Error};

/// The deepest nesting that is read.
const DEPTH: u32 = 200;

thread_local! {
    static LEVEL: Cell<u32> = const { Cell::new(0) };
}

/// Counts a level while it lives.
struct Level;

impl Drop for Level {
    fn drop(&mut self) {
        LEVEL.set(LEVEL.get().saturating_sub(1));
    }
}

/// Reads what is inside a list or a mapping.
///
/// # Errors
/// What the format says, and values nested deeper than [`DEPTH`].
pub(super) fn nested<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<T, D::Error> {
    LEVEL.set(LEVEL.get() + 1);
    let _level = Level;
    if LEVEL.get() > DEPTH {
        return Err(D::Error::custom(format_args!("values are nested deeper than {DEPTH} levels")));
    }
    T::deserialize(deserializer)
}
