//! AES256 of ansible-vault: PBKDF2 makes two keys and a counter of the password and a salt; AES-256 in counter mode
//! encrypts, HMAC-SHA256 over the result proves the password and that nothing was changed.

use aes::Aes256;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

const ROUNDS: u32 = 10_000;
const KEY: usize = 32;
const BLOCK: usize = 16;

/// What a password and a salt give.
struct Keys(Zeroizing<[u8; KEY * 2 + BLOCK]>);

impl Keys {
    fn of(password: &[u8], salt: &[u8]) -> Keys {
        let mut bytes = Zeroizing::new([0; KEY * 2 + BLOCK]);
        pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, ROUNDS, &mut *bytes);
        Keys(bytes)
    }

    /// Encrypts or decrypts, which is the same in counter mode. None never happens: the lengths are fixed.
    fn apply(&self, data: &mut [u8]) -> Option<()> {
        let mut cipher = Ctr128BE::<Aes256>::new_from_slices(&self.0[..KEY], &self.0[KEY * 2..]).ok()?;
        cipher.try_apply_keystream(data).ok()
    }

    fn mac(&self, data: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0[KEY..KEY * 2]).ok()?;
        mac.update(data);
        Some(mac)
    }
}

/// The encrypted bytes and their HMAC. None only if the data is too long for the cipher's counter.
pub(super) fn seal(plain: &[u8], password: &[u8], salt: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let keys = Keys::of(password, salt);
    let padding = BLOCK - plain.len() % BLOCK;
    let mut data = plain.to_vec();
    data.resize(plain.len() + padding, u8::try_from(padding).ok()?);
    keys.apply(&mut data)?;
    let mac = keys.mac(&data)?.finalize().into_bytes().to_vec();
    Some((data, mac))
}

/// The plain bytes; none if the password is another one or the data was changed. Compares in constant time.
pub(super) fn open(data: &[u8], mac: &[u8], password: &[u8], salt: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let keys = Keys::of(password, salt);
    keys.mac(data)?.verify_slice(mac).ok()?;
    let mut plain = Zeroizing::new(data.to_vec());
    keys.apply(&mut plain)?;
    let padding = usize::from(*plain.last()?);
    if padding == 0 || padding > BLOCK || padding > plain.len() {
        return None;
    }
    let length = plain.len() - padding;
    plain.truncate(length);
    Some(plain)
}
