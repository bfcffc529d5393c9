//! Filters between texts and their encodings: base64, hashes, UUIDs, shell words, URLs.

use base64::Engine;
use base64::alphabet::STANDARD as ALPHABET;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig, STANDARD};
use minijinja::State;
use minijinja::value::{Value, ValueKind};

use super::python;
use super::{Args, Filter, Outcome, filter};

pub(super) const FILTERS: &[Filter] = &[
    filter("b64encode", "string, encoding=", b64encode, "the text in base64"),
    filter("b64decode", "string, encoding=", b64decode, "the text that a base64 text says"),
    filter("hash", "data, hashtype=", hash, "a hash of the text in hexadecimal; SHA-1 unless told"),
    filter(
        "checksum",
        "data",
        |_, a| Ok(hex(&digest("sha1", &bytes(a, "data")).unwrap_or_default())),
        "its SHA-1",
    ),
    filter(
        "sha1",
        "data",
        |_, a| Ok(hex(&digest("sha1", &bytes(a, "data")).unwrap_or_default())),
        "its SHA-1",
    ),
    filter("md5", "data", |_, a| Ok(hex(&digest("md5", &bytes(a, "data")).unwrap_or_default())), "its MD5"),
    filter("to_uuid", "string, namespace=", to_uuid, "a UUID made of the text, always the same"),
    filter("quote", "a", quote, "the text as one word of a shell"),
    filter("urlencode", "value", urlencode, "the text, or pairs, with escapes for a URL"),
    filter("urldecode", "string", urldecode, "the text without the escapes of a URL"),
    filter("urlsplit", "url, query=, alias=", urlsplit, "the parts of a URL"),
];

fn bytes<'a>(args: &'a Args, name: &str) -> std::borrow::Cow<'a, [u8]> {
    match args.get(name) {
        Some(value) if value.kind() == ValueKind::Bytes => value.as_bytes().unwrap_or_default().into(),
        _ => match args.text(name) {
            std::borrow::Cow::Borrowed(text) => text.as_bytes().into(),
            std::borrow::Cow::Owned(text) => text.into_bytes().into(),
        },
    }
}

/// Text in one of the encodings that roles use, as bytes.
///
/// # Errors
/// For an encoding that is not known, or text that it cannot write.
pub(crate) fn encode(args: &Args, text: &str, encoding: &str) -> Outcome<Vec<u8>> {
    let unwritable = || args.fail(format!("the text cannot be written in {encoding}"));
    match encoding.to_lowercase().replace('_', "-").as_str() {
        "utf-8" | "utf8" => Ok(text.as_bytes().to_vec()),
        "ascii" | "us-ascii" if text.is_ascii() => Ok(text.as_bytes().to_vec()),
        "ascii" | "us-ascii" => Err(unwritable()),
        "latin-1" | "latin1" | "iso-8859-1" => {
            text.chars().map(|c| u8::try_from(c as u32).map_err(|_| unwritable())).collect()
        }
        "utf-16-le" | "utf-16le" => Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        "utf-16-be" | "utf-16be" => Ok(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        "utf-16" | "utf16" => {
            Ok([0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect())
        }
        _ => Err(args.fail(format!("the encoding '{encoding}' is not known"))),
    }
}

/// Bytes in one of the encodings that roles use, as text.
///
/// # Errors
/// For an encoding that is not known, or bytes that are not in it.
pub(crate) fn decode(args: &Args, bytes: &[u8], encoding: &str) -> Outcome<String> {
    let wide = |unit: fn([u8; 2]) -> u16, bytes: &[u8]| -> Option<String> {
        let pairs = bytes.chunks(2).map(|it| it.try_into().ok().map(unit)).collect::<Option<Vec<u16>>>()?;
        String::from_utf16(&pairs).ok()
    };
    let text = match encoding.to_lowercase().replace('_', "-").as_str() {
        "utf-8" | "utf8" => Some(String::from_utf8_lossy(bytes).into_owned()),
        "ascii" | "us-ascii" => {
            Some(bytes).filter(|it| it.is_ascii()).map(|it| it.iter().map(|b| *b as char).collect())
        }
        "latin-1" | "latin1" | "iso-8859-1" => Some(bytes.iter().map(|b| *b as char).collect()),
        "utf-16-le" | "utf-16le" => wide(u16::from_le_bytes, bytes),
        "utf-16-be" | "utf-16be" => wide(u16::from_be_bytes, bytes),
        "utf-16" | "utf16" => match bytes {
            [0xfe, 0xff, rest @ ..] => wide(u16::from_be_bytes, rest),
            [0xff, 0xfe, rest @ ..] | rest => wide(u16::from_le_bytes, rest),
        },
        _ => return Err(args.fail(format!("the encoding '{encoding}' is not known"))),
    };
    text.ok_or_else(|| args.fail(format!("the bytes are not in {encoding}")))
}

fn b64encode(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let raw = match args.get("string") {
        Some(value) if value.kind() == ValueKind::Bytes => bytes(args, "string").into_owned(),
        _ => encode(args, &args.text("string"), args.str_or("encoding", "utf-8")?)?,
    };
    Ok(STANDARD.encode(raw).into())
}

fn b64decode(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    // Python skips what is not in the alphabet and wants the padding.
    let text: String = args
        .text("string")
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '/' | '='))
        .collect();
    let config = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireCanonical);
    let raw = GeneralPurpose::new(&ALPHABET, config)
        .decode(text)
        .map_err(|error| args.fail(format!("no base64: {error}")))?;
    Ok(decode(args, &raw, args.str_or("encoding", "utf-8")?)?.into())
}

/// The digest by one of the names that Python's hashlib knows.
pub(crate) fn digest(name: &str, data: &[u8]) -> Option<Vec<u8>> {
    use sha1::Digest;
    Some(match name {
        "md5" => md5::Md5::digest(data).to_vec(),
        "sha1" => sha1::Sha1::digest(data).to_vec(),
        "sha224" => sha2::Sha224::digest(data).to_vec(),
        "sha256" => sha2::Sha256::digest(data).to_vec(),
        "sha384" => sha2::Sha384::digest(data).to_vec(),
        "sha512" => sha2::Sha512::digest(data).to_vec(),
        _ => return None,
    })
}

fn hex(bytes: &[u8]) -> Value {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
}

fn hash(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let kind = args.str_or("hashtype", "sha1")?;
    let sum = digest(&kind.to_lowercase(), &bytes(args, "data"));
    Ok(hex(&sum.ok_or_else(|| args.fail(format!("the hash '{kind}' is not known")))?))
}

/// Ansible's own namespace for names without one.
const NAMESPACE: uuid::Uuid = uuid::uuid!("361E6D51-FAEC-444A-9079-341386DA8E2E");

fn to_uuid(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let namespace = match args.some("namespace") {
        Some(value) => uuid::Uuid::parse_str(&python::text(value))
            .map_err(|error| args.fail(format!("'{}' is no UUID: {error}", args.text("namespace"))))?,
        None => NAMESPACE,
    };
    Ok(uuid::Uuid::new_v5(&namespace, args.text("string").as_bytes()).to_string().into())
}

/// Python's `shlex.quote`.
pub(crate) fn shell_quote(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "@%+=:,./-_".contains(c);
    match text {
        "" => "''".into(),
        text if text.chars().all(safe) => text.into(),
        text => format!("'{}'", text.replace('\'', "'\"'\"'")),
    }
}

fn quote(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let value = args.value("a");
    Ok(shell_quote(&if value.is_none() { String::new() } else { python::text(&value) }).into())
}

/// Python's `urllib.parse.quote` with more safe characters than letters, digits and `_.-~`.
pub(crate) fn percent_encode(text: &str, safe: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte) || safe.as_bytes().contains(&byte) {
            out.push(byte as char);
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

fn urlencode(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let value = args.value("value");
    let pairs = match value.kind() {
        ValueKind::Map => args.pairs("value")?,
        ValueKind::Seq | ValueKind::Iterable => {
            let parts = |item: &Value| match python::items(item)?.as_slice() {
                [key, value] => Ok((key.clone(), value.clone())),
                _ => Err(args.fail("expects pairs")),
            };
            args.items("value")?.iter().map(parts).collect::<Outcome<_>>()?
        }
        _ => return Ok(percent_encode(&args.text("value"), "/").into()),
    };
    let part = |value: &Value| percent_encode(&python::text(value), "").replace("%20", "+");
    Ok(pairs.iter().map(|(k, v)| format!("{}={}", part(k), part(v))).collect::<Vec<_>>().join("&").into())
}

/// Python's `urllib.parse.unquote_plus`.
fn urldecode(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let text = args.text("string").replace('+', " ");
    let raw = text.as_bytes();
    let (mut out, mut at) = (Vec::with_capacity(raw.len()), 0);
    while at < raw.len() {
        let hex =
            raw.get(at + 1..at + 3).filter(|it| raw[at] == b'%' && it.iter().all(u8::is_ascii_hexdigit));
        let byte =
            hex.and_then(|it| std::str::from_utf8(it).ok()).and_then(|it| u8::from_str_radix(it, 16).ok());
        out.push(byte.unwrap_or(raw[at]));
        at += if byte.is_some() { 3 } else { 1 };
    }
    Ok(String::from_utf8_lossy(&out).into_owned().into())
}

fn urlsplit(_: &mut State<'_, '_>, args: &Args) -> Outcome {
    let url = args.text("url");
    let (before, fragment) = url.split_once('#').unwrap_or((&url, ""));
    let (before, query) = before.split_once('?').unwrap_or((before, ""));
    let is_scheme = |it: &str| {
        it.starts_with(|c: char| c.is_ascii_alphabetic())
            && it.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    let (scheme, rest) = match before.split_once(':') {
        Some((scheme, rest)) if is_scheme(scheme) => (scheme.to_lowercase(), rest),
        _ => (String::new(), before),
    };
    let (netloc, path) = match rest.strip_prefix("//") {
        Some(rest) => rest.split_at(rest.find('/').unwrap_or(rest.len())),
        None => ("", rest),
    };
    let (user, host) = netloc.rsplit_once('@').map_or((None, netloc), |(user, host)| (Some(user), host));
    let (name, password) = match user.map(|it| it.split_once(':').map_or((it, None), |(a, b)| (a, Some(b)))) {
        Some((name, password)) => (Some(name), password),
        None => (None, None),
    };
    let (hostname, port) = match host.strip_prefix('[').and_then(|it| it.split_once(']')) {
        Some((inside, after)) => (inside, after.strip_prefix(':')),
        None => host.split_once(':').map_or((host, None), |(name, port)| (name, Some(port))),
    };
    let port = match port.filter(|it| !it.is_empty()) {
        Some(text) => {
            Value::from(text.parse::<u16>().map_err(|_| args.fail(format!("'{text}' is no port")))?)
        }
        None => Value::from(()),
    };
    let parts = [
        ("fragment", Value::from(fragment)),
        ("hostname", Some(hostname.to_lowercase()).filter(|it| !it.is_empty()).into()),
        ("netloc", netloc.into()),
        ("password", password.into()),
        ("path", path.into()),
        ("port", port),
        ("query", query.into()),
        ("scheme", scheme.into()),
        ("username", name.into()),
    ];
    match args.some("query").map(python::text) {
        None => Ok(Value::from_pairs(parts)),
        Some(wanted) => match parts.into_iter().find(|(name, _)| *name == wanted) {
            Some((_, value)) => Ok(value),
            None => Err(args.fail(format!("unknown URL component: {wanted}"))),
        },
    }
}
