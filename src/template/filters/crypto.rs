//! `password_hash`: the hashes that `/etc/shadow` holds.

use minijinja::State;
use sha_crypt::Params;

use super::python;
use super::{Args, Filter, Outcome, filter};

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

fn password_hash(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let kind = args.str_or("hashtype", "sha512")?;
    let (most, prefix) = match kind {
        "sha512" => (16, "$6$"),
        "sha256" => (16, "$5$"),
        "md5" => (8, "$1$"),
        other => {
            return Err(args.fail(format!("the hash '{other}' is not implemented: sha512, sha256 or md5")));
        }
    };
    let salt = match args.some("salt") {
        Some(salt) => python::text(salt),
        None => new_salt(args.size("salt_size")?.unwrap_or(most).min(most)),
    };
    if salt.len() > most || !salt.bytes().all(|byte| ALPHABET.contains(&byte)) {
        return Err(
            args.fail(format!("the salt must have at most {most} characters of a-z, A-Z, 0-9, '.' and '/'"))
        );
    }
    let password = args.text("password");
    let hash = match kind {
        "md5" => md5_crypt(password.as_bytes(), salt.as_bytes()),
        _ => {
            let default = if kind == "sha512" { 656_000 } else { 535_000 };
            let rounds = args.int("rounds")?.unwrap_or(default);
            let rounds = u32::try_from(rounds).map_err(|_| args.fail("'rounds' is out of range"))?;
            let params = Params::new(rounds).map_err(|error| args.fail(format!("'rounds': {error}")))?;
            let shown = match rounds {
                IMPLICIT_ROUNDS => String::new(),
                rounds => format!("rounds={rounds}$"),
            };
            let encoded = match kind {
                "sha512" => encode(&sha_crypt::sha512_crypt(password.as_bytes(), salt.as_bytes(), params)),
                _ => encode(&sha_crypt::sha256_crypt(password.as_bytes(), salt.as_bytes(), params)),
            };
            return Ok(format!("{prefix}{shown}{salt}${encoded}").into());
        }
    };
    Ok(format!("{prefix}{salt}${hash}").into())
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
