//! What `uri` returns for an answer, and where it puts the answer's body.

use std::io::{self, Read};

use super::exchange::{Got, cookie_line, join};
use super::{Args, Dest};
use crate::modules::api::{Context, Fail, Look, Map, Outcome, Touch, Value, Write, digest_of};
use crate::modules::http::{Answer, disposition_name, file_name, without_password};

impl Args {
    /// The result of an answer: a success, or a failure that says as much.
    pub(super) fn finish(
        &self,
        got: Got,
        dest: Option<Dest>,
        elapsed: &dyn Fn(&dyn Look) -> u64,
        host: &mut dyn Touch,
    ) -> Result<Outcome, Fail> {
        let Got { mut answer, url, cookies } = got;
        let status = i64::from(answer.status);
        // Asked for something newer than what is there, the server has none.
        let kept = status == 304 && dest.as_ref().is_some_and(|dest| dest.since.is_some());
        let wanted = kept || self.accepts(status)?;
        let is_json = is_json(answer.header("content-type").unwrap_or_default());
        let mut contents = None;
        if is_json || self.return_content || !wanted {
            let mut bytes = Vec::new();
            let read = answer.body.read_to_end(&mut bytes);
            read.about(|| format!("reading the answer of {}", without_password(&url)))?;
            contents = Some(bytes);
        }
        let mut outcome = self.describe(&answer, &url, &cookies);
        if let Some(dest) = dest {
            let path = match dest.folder {
                true => dest.path.join(name(&answer, &url)),
                false => dest.path,
            };
            if wanted && !kept {
                outcome.changed = self.store(&path, &mut answer, contents.as_deref(), host)?;
            }
            if wanted {
                outcome.changed |= self.file.enforce(host, &path, true)?;
            }
            outcome = outcome.with("path", path.to_string_lossy().into_owned());
        }
        if let Some(bytes) = &contents {
            let text = decode(bytes, answer.header("content-type").unwrap_or_default());
            let json = serde_json::from_str::<Value>(&text).ok().filter(|_| is_json);
            if let Some(json) = json {
                outcome = outcome.with("json", json);
            }
            if self.return_content {
                outcome = outcome.with("content", text);
            }
        }
        let outcome = outcome.with("elapsed", elapsed(host.as_look()));
        Ok(if wanted { outcome } else { self.unwanted(outcome, status) })
    }

    /// The result when there was no answer at all: a status of -1, so that conditions can ask for it.
    pub(super) fn without_answer(&self, fail: &Fail, elapsed: u64) -> Result<Outcome, Fail> {
        let outcome = Outcome::unchanged()
            .with("status", -1)
            .with("url", without_password(&self.url))
            .with("redirected", false)
            .with("msg", format!("Request failed: {}", fail.msg))
            .with("elapsed", elapsed);
        Ok(if self.accepts(-1)? { outcome } else { self.unwanted(outcome, -1) })
    }

    fn unwanted(&self, mut outcome: Outcome, status: i64) -> Outcome {
        let said = outcome.fields.get("msg").map(ToString::to_string).unwrap_or_default();
        outcome.failed = true;
        let wanted = self.status_code.join(", ");
        outcome.with("msg", format!("Status code was {status} and not [{wanted}]: {said}"))
    }

    fn describe(&self, answer: &Answer, url: &str, cookies: &[(String, String)]) -> Outcome {
        let mut fields = Map::new();
        for (name, value) in &answer.headers {
            let name = name.replace('-', "_");
            let value = match fields.get(name.as_str()) {
                Some(before) => format!("{before}, {value}"),
                None => value.clone(),
            };
            fields.insert(name.into(), value.into());
        }
        if let Some(to) = answer.header("location") {
            fields.insert("location".into(), join(url, to).into());
        }
        let msg = match (answer.status, answer.header("content-length")) {
            (200..300, Some(size)) => format!("OK ({size} bytes)"),
            (200..300, None) => "OK (unknown bytes)".to_owned(),
            _ => format!("HTTP Error {}", answer.error()),
        };
        let jar = cookies.iter().map(|(name, value)| (name.as_str(), Value::from(value.as_str())));
        Outcome { fields, ..Outcome::unchanged() }
            .with("status", i64::from(answer.status))
            .with("msg", msg)
            .with("url", without_password(url))
            .with("redirected", url != self.url && without_password(url) != without_password(&self.url))
            .with("cookies", Value::from_pairs(jar))
            .with("cookies_string", cookie_line(cookies))
    }

    /// Writes the body to a file unless it is there already; says whether it was not.
    fn store(
        &self,
        path: &std::path::Path,
        answer: &mut Answer,
        contents: Option<&[u8]>,
        host: &mut dyn Touch,
    ) -> Result<bool, Fail> {
        let before = host.digest(path, "sha1")?;
        let how = Write { backup: false, ..self.file.write(host.as_look(), path)? };
        if let Some(contents) = contents {
            if before.as_deref() == Some(digest_of(contents, "sha1")?.as_str()) {
                return Ok(false);
            }
            return host.write(path, contents, &how).map(|_| true);
        }
        // What is equal is not written again: the write is given up where it would be put in place.
        let mut same = false;
        let mut fill = |file: &mut std::fs::File| {
            let mut body = Hashing { from: &mut answer.body, hasher: Sha1::default() };
            io::copy(&mut body, file).about(|| format!("downloading {}", without_password(&self.url)))?;
            same = before.as_deref() == Some(body.hasher.hex().as_str());
            if same { Err(Fail::new("it is there already")) } else { Ok(()) }
        };
        let written = host.write_with(path, &mut fill, &how);
        match written {
            Err(_) if same => Ok(false),
            other => other.map(|_| true),
        }
    }
}

#[derive(Default)]
struct Sha1(sha1::Sha1);

impl Sha1 {
    fn hex(self) -> String {
        use sha1::Digest;
        self.0.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// A reader that hashes what goes through.
struct Hashing<R> {
    from: R,
    hasher: Sha1,
}

impl<R: Read> Read for Hashing<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.from.read(buffer)?;
        sha1::Digest::update(&mut self.hasher.0, &buffer[..len]);
        Ok(len)
    }
}

/// What the answer is called in a folder.
fn name(answer: &Answer, url: &str) -> String {
    let offered = answer.header("content-disposition").and_then(disposition_name);
    offered.unwrap_or_else(|| file_name(url))
}

/// Whether a `Content-Type` is JSON: `application/json`, or something `+json`.
fn is_json(content_type: &str) -> bool {
    let kind = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let Some((_, kind)) = kind.split_once('/') else { return false };
    let kind = kind.rsplit_once('+').map_or(kind, |(_, suffix)| suffix);
    matches!(kind, "json" | "javascript")
}

/// The body as text, in the character set that its type names.
fn decode(bytes: &[u8], content_type: &str) -> String {
    let charset = content_type.split(';').skip(1).find_map(|part| {
        let (name, value) = part.split_once('=')?;
        let value = value.trim().trim_matches('"').to_ascii_lowercase();
        name.trim().eq_ignore_ascii_case("charset").then_some(value)
    });
    match charset.as_deref() {
        Some("iso-8859-1" | "latin-1" | "latin1") => bytes.iter().map(|byte| char::from(*byte)).collect(),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_is_known_by_its_type() {
        for (kind, json) in [
            ("application/json", true),
            ("application/json; charset=utf-8", true),
            ("application/vnd.api+json", true),
            ("text/javascript", true),
            ("text/html", false),
            ("application/jsonp", false),
            ("", false),
        ] {
            assert_eq!(is_json(kind), json, "{kind}");
        }
    }

    #[test]
    fn the_character_set_of_the_answer_counts() {
        assert_eq!(decode(b"\xe4", "text/plain; Charset=\"ISO-8859-1\""), "ä");
        assert_eq!(decode("ä".as_bytes(), "text/plain"), "ä");
    }
}
