//! The text form of a vault: `$ANSIBLE_VAULT;1.2;AES256;label`, then the salt, the HMAC and the data in hexadecimal,
//! that once more in hexadecimal, in lines of 80 characters.

use zeroize::Zeroizing;

use super::{DEFAULT_ID, cipher};
use crate::secret::Secret;

const MAGIC: &[u8] = b"$ANSIBLE_VAULT";
const WIDTH: usize = 80;

/// Whether these are the contents of a vault file or the text of a `!vault` value.
#[must_use]
pub fn is_encrypted(bytes: &[u8]) -> bool {
    bytes.strip_prefix(MAGIC).is_some_and(|rest| rest.starts_with(b";"))
}

/// A vault taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The vault id that it is marked with, if it is.
    pub label: Option<String>,
    salt: Vec<u8>,
    mac: Vec<u8>,
    data: Vec<u8>,
}

impl Envelope {
    /// Takes the text of a vault apart.
    ///
    /// # Errors
    /// What is wrong with it, as the end of a sentence about it.
    pub fn parse(text: &[u8]) -> Result<Envelope, String> {
        let text = std::str::from_utf8(text).map_err(|_| "it is damaged: it is not text".to_owned())?;
        let mut lines = text.trim_start().lines();
        let mut fields = lines.next().unwrap_or_default().trim().split(';').map(str::trim);
        let (magic, version, cipher) = (fields.next(), fields.next(), fields.next());
        if magic.map(str::as_bytes) != Some(MAGIC) {
            return Err("it does not begin with `$ANSIBLE_VAULT`".into());
        }
        match version {
            Some("1.1" | "1.2") => {}
            Some("1.0") => {
                return Err("it has the format 1.0, which ansible-vault no longer reads either".into());
            }
            other => return Err(format!("its format `{}` is not known", other.unwrap_or_default())),
        }
        if cipher != Some("AES256") {
            return Err(format!("its cipher `{}` is not known", cipher.unwrap_or_default()));
        }
        let label = fields.next().filter(|label| !label.is_empty()).map(str::to_owned);
        let damaged = || "it is damaged".to_owned();
        let body: String = lines.flat_map(str::chars).filter(|c| !c.is_whitespace()).collect();
        let inner = from_hex(body.as_bytes()).ok_or_else(damaged)?;
        let mut parts = inner.splitn(3, |byte| *byte == b'\n').map(from_hex);
        let mut part = || parts.next().flatten().ok_or_else(damaged);
        Ok(Envelope { label, salt: part()?, mac: part()?, data: part()? })
    }

    /// The plain bytes; none if this is not the password.
    #[must_use]
    pub fn open(&self, password: &Secret) -> Option<Zeroizing<Vec<u8>>> {
        cipher::open(&self.data, &self.mac, password.expose().as_bytes(), &self.salt)
    }

    /// Encrypts. `label`: the vault id that stands in the text; for `default` it has none. `salt`: none means random.
    ///
    /// # Errors
    /// If it is too long for the cipher, which no file is.
    pub fn seal(
        plain: &[u8],
        password: &Secret,
        label: Option<&str>,
        salt: Option<&[u8]>,
    ) -> Result<String, String> {
        let random: [u8; 32] = rand::random();
        let salt = salt.unwrap_or(&random);
        let (data, mac) = cipher::seal(plain, password.expose().as_bytes(), salt)
            .ok_or("the text is too long to encrypt")?;
        let inner = format!("{}\n{}\n{}", to_hex(salt), to_hex(&mac), to_hex(&data));
        let label = label.filter(|label| *label != DEFAULT_ID);
        let mut text = match label {
            Some(label) => format!("$ANSIBLE_VAULT;1.2;AES256;{label}\n"),
            None => "$ANSIBLE_VAULT;1.1;AES256\n".to_owned(),
        };
        for line in to_hex(inner.as_bytes()).as_bytes().chunks(WIDTH) {
            text.extend(line.iter().map(|byte| char::from(*byte)));
            text.push('\n');
        }
        Ok(text)
    }
}

fn to_hex(bytes: &[u8]) -> String {
    let digit = |value: u8| char::from_digit(u32::from(value), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn from_hex(text: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|value| u8::try_from(value).ok());
    let (pairs, rest) = text.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?)).collect()
}
