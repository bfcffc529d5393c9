//! Encrypted texts as ansible-vault writes them: their format, the passwords of a run, and reading files with both.
//!
//! Not the command `regatta vault`, and not where passwords are asked for: that is `cli`.

mod cipher;
mod envelope;
mod keyring;
mod password;
mod read;

#[cfg(test)]
mod tests;

pub use envelope::{Envelope, is_encrypted};
pub use keyring::{Key, Keyring, Plain, Refused};
pub use password::{Ask, DEFAULT_ID, Purpose, Source, password};
pub use read::{load, open, text};
