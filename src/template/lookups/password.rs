//! `password`: a random password that is kept in a file on the controller, so that the next run gives the same.

use std::collections::HashMap;
use std::fs::{self, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rand::seq::IndexedRandom;

use crate::template::filters::hashed;
use crate::value::{Map, Value};

use super::{Call, Outcome, expand, split_arguments};

const LETTERS: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
const DIGITS: &str = "0123456789";
const SALT: &str = "./ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";

/// Two hosts that ask for the same file at the same time must get the same password.
static MAKING: Mutex<()> = Mutex::new(());

struct Request {
    path: PathBuf,
    length: usize,
    characters: Vec<char>,
    encrypt: Option<String>,
    ident: Option<String>,
    seed: Option<String>,
}

pub(super) fn password(call: &Call<'_>) -> Outcome {
    call.words().map(|term| request(call, &term)?.answer(call)).collect()
}

fn request(call: &Call<'_>, term: &str) -> Outcome<Request> {
    let mut options: HashMap<String, Value> =
        call.options.iter().map(|(key, value)| (key.to_string(), value.clone())).collect();
    let mut path = Vec::new();
    for (key, value) in split_arguments(term)? {
        match key {
            Some(key) if ["length", "encrypt", "chars", "ident", "seed"].contains(&key.as_str()) => {
                options.insert(key, Value::from(value));
            }
            Some(key) => path.push(format!("{key}={value}")),
            None => path.push(value),
        }
    }
    let path = expand(&path.join(" "));
    if path.as_os_str().is_empty() {
        return Err("it needs the path of a file".into());
    }
    let path = if path.is_absolute() { path } else { call.context.scope().playbook_dir().join(path) };
    let text = |name: &str| {
        options.get(name).filter(|it| !matches!(it, Value::Null | Value::Omit)).map(ToString::to_string)
    };
    let length = match text("length") {
        Some(length) => length.trim().parse().ok().filter(|it| (1..=100_000).contains(it)),
        None => Some(20),
    };
    let sets = match options.get("chars") {
        Some(Value::List(sets)) => sets.iter().map(ToString::to_string).collect(),
        Some(other) => comma(&other.to_string()),
        None => ["ascii_letters", "digits", ".,:-_"].map(str::to_owned).to_vec(),
    };
    let mut characters: Vec<char> = Vec::new();
    for c in sets.iter().flat_map(|set| expand_set(set)) {
        if !characters.contains(&c) {
            characters.push(c);
        }
    }
    if characters.is_empty() {
        return Err("`chars` gives no characters".into());
    }
    Ok(Request {
        path,
        length: length.ok_or("`length` must be a whole number over 0")?,
        characters,
        encrypt: text("encrypt").filter(|it| !it.is_empty() && it != "False"),
        ident: text("ident"),
        seed: text("seed"),
    })
}

/// `ascii_letters,digits,,` : names of sets and characters; two commas are a comma.
fn comma(text: &str) -> Vec<String> {
    let mut sets: Vec<String> = text
        .replace(",,", "\u{1}")
        .split(',')
        .filter(|it| !it.is_empty())
        .map(|it| it.replace('\u{1}', ""))
        .collect();
    if text.contains(",,") {
        sets.push(",".into());
    }
    sets
}

fn expand_set(set: &str) -> Vec<char> {
    let named = match set {
        "ascii_letters" => LETTERS.to_owned(),
        "ascii_lowercase" => LETTERS[..26].to_owned(),
        "ascii_uppercase" => LETTERS[26..].to_owned(),
        "digits" => DIGITS.to_owned(),
        "hexdigits" => format!("{DIGITS}abcdefABCDEF"),
        "octdigits" => DIGITS[..8].to_owned(),
        "punctuation" => (b'!'..=b'~').map(char::from).filter(char::is_ascii_punctuation).collect(),
        "printable" => (b' '..=b'~').map(char::from).collect(),
        "whitespace" => " \t\n\r\u{b}\u{c}".to_owned(),
        other => other.to_owned(),
    };
    named.chars().collect()
}

impl Request {
    fn answer(&self, call: &Call<'_>) -> Outcome<Value> {
        let _making = MAKING.lock().unwrap_or_else(PoisonError::into_inner);
        if self.path == Path::new("/dev/null") {
            let salt = self.encrypt.as_ref().map(|_| fresh_salt());
            return self.encrypted(call, self.fresh(), salt, self.ident.clone());
        }
        let stored = match fs::read_to_string(&self.path) {
            Ok(text) => Some(parse(text.trim_end_matches('\n'))),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(format!("can't read {}: {error}", self.path.display()).into()),
        };
        let known = stored.clone();
        let (password, salt, ident) = stored.unwrap_or_else(|| (self.fresh(), None, None));
        let wanted = self.encrypt.is_some();
        let salt = salt.or_else(|| wanted.then(fresh_salt));
        let ident = ident.or_else(|| self.ident.clone().filter(|_| wanted));
        let content = (password, salt, ident);
        if known.as_ref() != Some(&content) {
            self.write(&content)?;
        }
        let (password, salt, ident) = content;
        self.encrypted(call, password, salt, ident)
    }

    fn fresh(&self) -> String {
        random(&self.characters, self.length, self.seed.as_deref())
    }

    /// Private from the first byte on, and whole or not there at all.
    fn write(&self, (password, salt, ident): &(String, Option<String>, Option<String>)) -> Outcome<()> {
        let fail = |error: std::io::Error| format!("can't write {}: {error}", self.path.display());
        let mut line = password.clone();
        salt.iter().for_each(|salt| line.push_str(&format!(" salt={salt}")));
        ident.iter().for_each(|ident| line.push_str(&format!(" ident={ident}")));
        line.push('\n');
        let folder = self.path.parent().unwrap_or(Path::new("."));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(fail)?;
        let name = self.path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let part = folder.join(format!(".{name}.{}", uuid::Uuid::new_v4().simple()));
        let written = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&part)
            .and_then(|mut file| file.write_all(line.as_bytes()).and_then(|()| file.sync_all()))
            .and_then(|()| fs::rename(&part, &self.path));
        written.map_err(|error| {
            // The first error is what matters; the part is only litter.
            let _ = fs::remove_file(&part);
            fail(error).into()
        })
    }

    fn encrypted(
        &self,
        call: &Call<'_>,
        password: String,
        salt: Option<String>,
        ident: Option<String>,
    ) -> Outcome<Value> {
        let Some(method) = &self.encrypt else { return Ok(Value::from(password)) };
        let mut options = Map::new();
        options.extend(salt.map(|salt| ("salt".into(), Value::from(salt))));
        options.extend(ident.map(|ident| ("ident".into(), Value::from(ident))));
        let environment = call.context.engine().environment();
        Ok(Value::from(hashed(environment, &password, method, &options)?))
    }
}

/// The line of a password file: the password, and what it was encrypted with.
fn parse(line: &str) -> (String, Option<String>, Option<String>) {
    let (line, ident) = match line.rsplit_once(" ident=") {
        Some((line, ident)) => (line, Some(ident.to_owned())),
        None => (line, None),
    };
    match line.rsplit_once(" salt=") {
        Some((password, salt)) => (password.to_owned(), Some(salt.to_owned()), ident),
        None => (line.to_owned(), None, ident),
    }
}

fn fresh_salt() -> String {
    random(&SALT.chars().collect::<Vec<char>>(), 8, None)
}

/// Random characters; with a seed always the same ones.
fn random(characters: &[char], length: usize, seed: Option<&str>) -> String {
    use rand::SeedableRng;
    use sha2::Digest;
    match seed {
        Some(seed) => {
            let seed: [u8; 32] = sha2::Sha256::digest(seed.as_bytes()).into();
            let mut source = rand::rngs::StdRng::from_seed(seed);
            (0..length).filter_map(|_| characters.choose(&mut source)).collect()
        }
        None => (0..length).filter_map(|_| characters.choose(&mut rand::rng())).collect(),
    }
}
