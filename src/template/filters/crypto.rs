//! `password_hash`: the hashes that `/etc/shadow` holds.

use base64::Engine;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use blowfish::Blowfish;
use minijinja::value::{Kwargs, Value as Engines};
use minijinja::{Environment, State};
use sha_crypt::Params;

use super::python;
use super::{Args, Filter, Outcome, filter};
use crate::value::Map;

pub(super) const FILTERS: &[Filter] = &[filter(
    "password_hash",
    "password, hashtype=, salt=, salt_size=, rounds=, ident=",
    password_hash,
    "the password as a salted hash for /etc/shadow; SHA-512 unless told",
)];

const ALPHABET: &[u8; 64] = b"./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
/// The rounds that a hash has which names none.
const IMPLICIT_ROUNDS: u32 = 5000;

/// A new salt of random characters.
fn new_salt(length: usize) -> String {
    (0..length).map(|_| char::from(ALPHABET[usize::from(rand::random::<u8>() & 63)])).collect()
}

/// What the filter makes of a password. `options` are its named arguments.
///
/// # Errors
/// In words, if there is no such hash or an option is wrong.
pub(in crate::template) fn hashed(
    environment: &Environment<'_>,
    password: &str,
    kind: &str,
    options: &Map,
) -> Result<String, String> {
    let options: Kwargs = options
        .iter()
        .map(|(name, value)| (name.to_string(), super::super::object::from_data(value)))
        .collect();
    let args: [Engines; 3] = [password.into(), kind.into(), options.into()];
    let hash = environment.empty_state().apply_filter("password_hash", &args);
    match hash {
        Ok(hash) => Ok(hash.to_string()),
        Err(error) => Err(error.detail().unwrap_or("the password can't be encrypted").to_owned()),
    }
}

fn password_hash(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let kind = args.str_or("hashtype", "sha512")?;
    let password = args.text("password");
    match kind {
        "sha512" | "sha256" => sha_crypt(args, password.as_bytes(), kind == "sha512"),
        "bcrypt" | "blowfish" => bcrypt(args, password.as_bytes()),
        "md5" => {
            let salt = salt(args, 8)?;
            Ok(format!("$1${salt}${}", md5_crypt(password.as_bytes(), salt.as_bytes())).into())
        }
        other => {
            Err(args
                .fail(format!("the hash '{other}' is not known: sha512, sha256, bcrypt, blowfish or md5")))
        }
    }
}

/// The salt that is given, or a new one.
fn salt(args: &Args, most: usize) -> Outcome<String> {
    let salt = match args.some("salt") {
        Some(salt) => python::text(salt),
        None => new_salt(args.size("salt_size")?.unwrap_or(most).min(most)),
    };
    if salt.len() > most || !salt.bytes().all(|byte| ALPHABET.contains(&byte)) {
        return Err(
            args.fail(format!("the salt must have at most {most} characters of a-z, A-Z, 0-9, '.' and '/'"))
        );
    }
    Ok(salt)
}

fn sha_crypt(args: &Args, password: &[u8], long: bool) -> Outcome {
    let salt = salt(args, 16)?;
    let rounds = args.int("rounds")?.unwrap_or(if long { 656_000 } else { 535_000 });
    let rounds = u32::try_from(rounds).map_err(|_| args.fail("'rounds' is out of range"))?;
    let params = Params::new(rounds).map_err(|error| args.fail(format!("'rounds': {error}")))?;
    let shown = match rounds {
        IMPLICIT_ROUNDS => String::new(),
        rounds => format!("rounds={rounds}$"),
    };
    let (prefix, hash) = if long {
        ("$6$", encode(&sha_crypt::sha512_crypt(password, salt.as_bytes(), params)))
    } else {
        ("$5$", encode(&sha_crypt::sha256_crypt(password, salt.as_bytes(), params)))
    };
    Ok(format!("{prefix}{shown}{salt}${hash}").into())
}

/// bcrypt writes base64 with an alphabet of its own, and its salts end in bits that say nothing.
const BCRYPT: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::BCRYPT,
    GeneralPurposeConfig::new()
        .with_encode_padding(false)
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

fn bcrypt(args: &Args, password: &[u8]) -> Outcome {
    let salt: [u8; 16] = match args.some("salt") {
        None => rand::random(),
        Some(salt) => {
            let raw = BCRYPT.decode(python::text(salt)).ok().and_then(|it| it.try_into().ok());
            raw.ok_or_else(|| args.fail("the salt must have 22 characters of a-z, A-Z, 0-9, '.' and '/'"))?
        }
    };
    let cost = args.int("rounds")?.unwrap_or(12);
    if !(4..=31).contains(&cost) {
        return Err(args.fail("'rounds' must be from 4 to 31"));
    }
    let ident = args.str_or("ident", "2b")?.trim_matches('$');
    if !["2", "2a", "2b", "2y"].contains(&ident) {
        return Err(args.fail(format!("'{ident}' is no ident: 2b, 2a or 2y")));
    }
    let mut key: Vec<u8> = [password, &[0]].concat();
    key.truncate(72);
    let mut cipher = Blowfish::bc_init_state();
    cipher.salted_expand_key(&salt, &key);
    for _ in 0..1u64 << cost {
        cipher.bc_expand_key(&key);
        cipher.bc_expand_key(&salt);
    }
    let mut sum = Vec::with_capacity(24);
    for pair in b"OrpheanBeholderScryDoubt".as_chunks::<8>().0 {
        let [a, b, c, d, e, f, g, h] = *pair;
        let mut halves = [u32::from_be_bytes([a, b, c, d]), u32::from_be_bytes([e, f, g, h])];
        for _ in 0..64 {
            halves = cipher.bc_encrypt(halves);
        }
        sum.extend(halves.map(u32::to_be_bytes).concat());
    }
    sum.truncate(23);
    Ok(format!("${ident}${cost:02}${}{}", BCRYPT.encode(salt), BCRYPT.encode(sum)).into())
}

/// Up to three bytes as characters, the lowest bits first.
fn digits(out: &mut String, bytes: &[u8], count: usize) {
    let mut bits = bytes.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte));
    for _ in 0..count {
        out.push(char::from(ALPHABET[(bits & 63) as usize]));
        bits >>= 6;
    }
}

/// The digest in the scrambled order that SHA-crypt writes it.
fn encode(digest: &[u8]) -> String {
    let mut out = String::new();
    let third = digest.len() / 3;
    let (mut a, mut b, mut c) = (0, third, 2 * third);
    for _ in 0..third {
        digits(&mut out, &[digest[a], digest[b], digest[c]], 4);
        (a, b, c) = match digest.len() {
            64 => (b + 1, c + 1, a + 1),
            _ => (c + 1, a + 1, b + 1),
        };
    }
    match digest {
        [.., last] if digest.len() == 64 => digits(&mut out, &[*last], 2),
        [.., x, y] => digits(&mut out, &[*y, *x], 3),
        _ => {}
    }
    out
}

/// The old scheme of FreeBSD, 1000 rounds of MD5.
fn md5_crypt(password: &[u8], salt: &[u8]) -> String {
    use md5::{Digest, Md5};
    let inner = Md5::new().chain_update(password).chain_update(salt).chain_update(password).finalize();
    let mut outer = Md5::new().chain_update(password).chain_update(b"$1$").chain_update(salt);
    for chunk in password.chunks(16) {
        outer.update(&inner[..chunk.len()]);
    }
    let mut length = password.len();
    while length > 0 {
        outer.update(if length & 1 == 1 { &[0] } else { password.get(..1).unwrap_or_default() });
        length >>= 1;
    }
    let mut sum = outer.finalize();
    for round in 0..1000 {
        let mut next = Md5::new();
        let odd = round & 1 == 1;
        next.update(if odd { password } else { &sum[..] });
        if round % 3 != 0 {
            next.update(salt);
        }
        if round % 7 != 0 {
            next.update(password);
        }
        next.update(if odd { &sum[..] } else { password });
        sum = next.finalize();
    }
    let mut out = String::new();
    for [a, b, c] in [[0, 6, 12], [1, 7, 13], [2, 8, 14], [3, 9, 15], [4, 10, 5]] {
        digits(&mut out, &[sum[a], sum[b], sum[c]], 4);
    }
    digits(&mut out, &[sum[11]], 2);
    out
}
