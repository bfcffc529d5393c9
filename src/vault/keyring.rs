//! The vault passwords of a run, by vault id, and what was decrypted with them.
//!
//! Making keys of a password is slow on purpose, so every text is decrypted once a run.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

use super::Envelope;
use crate::secret::Secret;

/// Decrypted bytes; wiped when nobody needs them any more.
pub type Plain = Arc<Zeroizing<Vec<u8>>>;

type Hash = [u8; 32];

/// A password and the vault id that it is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    /// The vault id; `default` if none was given.
    pub id: String,
    /// The password.
    pub password: Secret,
}

/// Why a text can't be decrypted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No password was given at all.
    NoPassword {
        /// The vault id of the text.
        id: Option<String>,
    },
    /// None of the passwords is the one.
    Wrong {
        /// The vault id of the text.
        id: Option<String>,
        /// The vault ids that have a password.
        tried: Vec<String>,
    },
    /// The text is no vault.
    Damaged(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = |id: &Option<String>| match id {
            Some(id) => format!(" with the vault id `{id}`"),
            None => String::new(),
        };
        match self {
            Refused::NoPassword { id } => {
                write!(f, "it is encrypted{}, and there is no vault password", of(id))
            }
            Refused::Wrong { id, tried } => {
                let tried: Vec<String> = tried.iter().map(|id| format!("`{id}`")).collect();
                let word = if tried.len() == 1 { "password" } else { "passwords" };
                let of = of(id);
                write!(f, "it is encrypted{of}, and the {word} for {} can't decrypt it", tried.join(", "))
            }
            Refused::Damaged(why) => f.write_str(why),
        }
    }
}

impl From<Refused> for String {
    fn from(refused: Refused) -> String {
        refused.to_string()
    }
}

/// All passwords of a run. Without any it decrypts nothing, and says so.
#[derive(Default)]
pub struct Keyring {
    keys: Vec<Key>,
    /// Whether only a password of the same vault id is tried.
    exact: bool,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    plain: HashMap<Hash, Plain>,
    /// Hashes of what came out of `!vault` values, for the test `vault_encrypted`.
    values: HashSet<Hash>,
    /// Vault ids of values that were tried before the run.
    probed: HashSet<Option<String>>,
}

impl Keyring {
    /// The passwords, in the order in which they are tried. `exact` is the setting `vault_id_match`.
    #[must_use]
    pub fn new(keys: Vec<Key>, exact: bool) -> Keyring {
        Keyring { keys, exact, known: Mutex::default() }
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The passwords.
    #[must_use]
    pub fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// Decrypts the contents of a file.
    ///
    /// # Errors
    /// If no password fits, or the text is no vault.
    pub fn decrypt(&self, text: &[u8]) -> Result<Plain, Refused> {
        let hash: Hash = Sha256::digest(text).into();
        if let Some(plain) = self.known().plain.get(&hash) {
            return Ok(plain.clone());
        }
        let plain = Arc::new(self.key_and_plain(text)?.1);
        Ok(self.known().plain.entry(hash).or_insert(plain).clone())
    }

    /// Decrypts the text of a `!vault` value.
    ///
    /// # Errors
    /// As [`Keyring::decrypt`], or if it is not UTF-8.
    pub fn decrypt_value(&self, text: &str) -> Result<String, Refused> {
        let plain = self.decrypt(text.as_bytes())?;
        self.known().values.insert(Sha256::digest(plain.as_slice()).into());
        String::from_utf8(plain.to_vec()).map_err(|_| Refused::Damaged("its plain text is not UTF-8".into()))
    }

    /// Whether a text is what some `!vault` value stands for.
    #[must_use]
    pub fn is_value(&self, text: &str) -> bool {
        let hash: Hash = Sha256::digest(text.as_bytes()).into();
        self.known().values.contains(&hash)
    }

    /// The key that decrypts a text, and what it says.
    ///
    /// # Errors
    /// As [`Keyring::decrypt`].
    pub fn key_and_plain(&self, text: &[u8]) -> Result<(&Key, Zeroizing<Vec<u8>>), Refused> {
        let envelope = Envelope::parse(text).map_err(Refused::Damaged)?;
        if self.keys.is_empty() {
            return Err(Refused::NoPassword { id: envelope.label });
        }
        let own = |key: &&Key| envelope.label.as_ref().is_none_or(|label| *label == key.id);
        let first = self.keys.iter().filter(own);
        let others = self.keys.iter().filter(|key| !own(key) && !self.exact);
        for key in first.chain(others) {
            if let Some(plain) = envelope.open(&key.password) {
                return Ok((key, plain));
            }
        }
        let tried = self.keys.iter().map(|key| key.id.clone()).collect();
        Err(Refused::Wrong { id: envelope.label, tried })
    }

    /// Tries the first `!vault` value of each vault id that passwords were given for: a wrong one should be known
    /// before any host is touched. A value that nobody has a password for may still be one that nobody uses.
    ///
    /// # Errors
    /// If there is a password for the value, and it is the wrong one.
    pub fn probe(&self, text: &str) -> Result<(), Refused> {
        let Ok(envelope) = Envelope::parse(text.as_bytes()) else { return Ok(()) };
        let meant = |key: &Key| envelope.label.as_ref().is_none_or(|label| *label == key.id);
        if !self.keys.iter().any(meant) || !self.known().probed.insert(envelope.label.clone()) {
            return Ok(());
        }
        self.decrypt(text.as_bytes()).map(drop)
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyring")
            .field("keys", &self.keys)
            .field("exact", &self.exact)
            .finish_non_exhaustive()
    }
}
