//! What `uri` sends: text, JSON, or one of the two kinds of forms.

use std::path::Path;

use schemars::JsonSchema;
use serde::Deserialize;

use super::Args;
use crate::modules::api::{Blob, Fail, HostPath, Look, Map, Value, digest_of};

/// How a body is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Format {
    /// As JSON; text is taken to be JSON already.
    Json,
    /// As a form; text is taken to be one already.
    FormUrlencoded,
    /// As it is.
    #[default]
    Raw,
    /// As a form with files: `field: text`, or `field: {filename, content, mime_type}`.
    FormMultipart,
}

impl Format {
    /// The `Content-Type` and the body.
    ///
    /// # Errors
    /// A body that can't be written so; a file that is not there.
    pub(super) fn write(
        self,
        args: &Args,
        host: &dyn Look,
    ) -> Result<(Option<String>, Option<Vec<u8>>), Fail> {
        if let Some(src) = &args.src {
            return Ok((None, Some(file(host, args, src, "")?)));
        }
        let Some(body) = &args.body else {
            let json = (self == Format::Json).then(|| "application/json".to_owned());
            return Ok((json, None));
        };
        Ok(match (self, body) {
            (Format::Json, Value::Str(text)) => {
                (Some("application/json".into()), Some(text.as_bytes().into()))
            }
            (Format::Json, other) => {
                let text = serde_json::Value::from(other).to_string();
                (Some("application/json".into()), Some(text.into_bytes()))
            }
            (Format::FormUrlencoded, body) => {
                (Some("application/x-www-form-urlencoded".into()), Some(form(body)?.into_bytes()))
            }
            (Format::FormMultipart, body) => {
                let (content_type, body) = multipart(body, args, host)?;
                (Some(content_type), Some(body))
            }
            (Format::Raw, Value::List(_) | Value::Map(_)) => {
                return Err(Fail::new(format!(
                    "body is a {}: it needs a body_format to be written with",
                    body.type_name()
                )));
            }
            (Format::Raw, Value::Bytes(bytes)) => (None, Some(bytes.to_vec())),
            (Format::Raw, other) => (None, Some(other.to_string().into_bytes())),
        })
    }
}

/// A file to be sent: one of the host, or one that came from the controller under the name of its field.
fn file(host: &dyn Look, args: &Args, path: &HostPath, field: &str) -> Result<Vec<u8>, Fail> {
    if args.remote_src {
        let contents = host.read(&path.on(host))?;
        return contents
            .ok_or_else(|| Fail::new(format!("Unable to open source file {path}")).with("elapsed", 0));
    }
    let number = host.blobs().iter().position(|Blob { name, .. }| name == field);
    let number = number.ok_or_else(|| Fail::new(format!("the file {path} did not come with the task")))?;
    host.blob(number)
}

/// Pairs as a form, in their order; a list gives one pair an item.
fn form(body: &Value) -> Result<String, Fail> {
    let wrong =
        || Fail::new("failed to parse body as form_urlencoded: it needs a mapping or a list of pairs");
    let pairs: Vec<(String, Value)> = match body {
        Value::Str(text) => return Ok(text.to_string()),
        Value::Map(map) => map.iter().map(|(name, value)| (name.to_string(), value.clone())).collect(),
        Value::List(items) => items
            .iter()
            .map(|item| match item.as_list() {
                Some([name, value]) => Ok((name.to_string(), value.clone())),
                _ => Err(wrong()),
            })
            .collect::<Result<_, _>>()?,
        _ => return Err(wrong()),
    };
    let mut out = Vec::new();
    for (name, value) in pairs {
        let values = match &value {
            Value::List(items) => items.to_vec(),
            _ => vec![value],
        };
        let values = values.iter().filter(|value| !matches!(value, Value::Null | Value::Omit));
        out.extend(values.map(|value| format!("{}={}", escape(&name), escape(&value.to_string()))));
    }
    Ok(out.join("&"))
}

/// Text as it stands in a form.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => out.push('+'),
            _ if byte.is_ascii_alphanumeric() || b"_.-~".contains(&byte) => out.push(char::from(byte)),
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// A field of a form with files.
struct Part {
    head: String,
    content: Vec<u8>,
}

fn multipart(body: &Value, args: &Args, host: &dyn Look) -> Result<(String, Vec<u8>), Fail> {
    let fields = body.as_map().ok_or_else(|| {
        Fail::new("failed to parse body as form-multipart: it needs a mapping from field to value")
    })?;
    let parts: Vec<Part> =
        fields.iter().map(|(name, value)| part(name, value, args, host)).collect::<Result<_, _>>()?;
    let boundary = boundary(&parts)?;
    let mut out = Vec::new();
    for part in parts {
        out.extend_from_slice(format!("--{boundary}\r\n{}\r\n\r\n", part.head).as_bytes());
        out.extend_from_slice(&part.content);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(format!("--{boundary}--\r\n").as_bytes());
    Ok((format!("multipart/form-data; boundary=\"{boundary}\""), out))
}

fn part(name: &str, value: &Value, args: &Args, host: &dyn Look) -> Result<Part, Fail> {
    let head = format!("Content-Disposition: form-data; name=\"{}\"", quoted(name));
    let Value::Map(field) = value else {
        return Ok(Part { head, content: value.to_string().into_bytes() });
    };
    let text = |key: &str| field.get(key).filter(|it| **it != Value::Null).map(ToString::to_string);
    let (filename, content) = (text("filename"), text("content"));
    let Some((shown, content)) = content_of(field, filename, content, name, args, host)? else {
        return Err(Fail::new(format!(
            "failed to parse body as form-multipart: {name} needs a filename or a content"
        )));
    };
    let mime = text("mime_type").unwrap_or_else(|| guess(shown.as_deref()).to_owned());
    let head = match shown {
        Some(shown) => format!("{head}; filename=\"{}\"", quoted(&shown)),
        None => head,
    };
    let mime: String = mime.chars().filter(|c| !c.is_control()).collect();
    Ok(Part { head: format!("{head}\r\nContent-Type: {mime}"), content })
}

/// The name that is shown and the contents.
type Contents = (Option<String>, Vec<u8>);

fn content_of(
    field: &Map,
    filename: Option<String>,
    content: Option<String>,
    name: &str,
    args: &Args,
    host: &dyn Look,
) -> Result<Option<Contents>, Fail> {
    let base = |path: &str| Path::new(path).file_name().map(|name| name.to_string_lossy().into_owned());
    let bytes = match (field.get("content"), content) {
        (Some(Value::Bytes(bytes)), _) => Some(bytes.to_vec()),
        (_, content) => content.map(String::into_bytes),
    };
    Ok(match (filename, bytes) {
        (filename, Some(bytes)) => Some((filename.as_deref().and_then(base), bytes)),
        (Some(path), None) => {
            let bytes = file(host, args, &HostPath::new(path.clone()), name)?;
            Some((base(&path), bytes))
        }
        (None, None) => None,
    })
}

/// A name inside of quotes of a header, as browsers write it.
fn quoted(name: &str) -> String {
    name.replace('"', "%22").replace('\r', "%0D").replace('\n', "%0A")
}

/// A line that none of the parts has in it.
fn boundary(parts: &[Part]) -> Result<String, Fail> {
    let all: Vec<u8> = parts.iter().flat_map(|part| part.content.iter().copied()).collect();
    let mut boundary = digest_of(&all, "sha1")?;
    while all.windows(boundary.len()).any(|piece| piece == boundary.as_bytes()) {
        boundary = digest_of(boundary.as_bytes(), "sha1")?;
    }
    Ok(boundary)
}

/// The type of a file by the end of its name.
fn guess(name: Option<&str>) -> &'static str {
    let Some(name) = name else { return "text/plain" };
    match name.rsplit_once('.').map(|(_, end)| end.to_ascii_lowercase()).as_deref() {
        Some("txt" | "log" | "conf") => "text/plain",
        Some("html" | "htm") => "text/html",
        Some("css") => "text/css",
        Some("csv") => "text/csv",
        Some("js") => "text/javascript",
        Some("json") => "application/json",
        Some("xml") => "text/xml",
        Some("zip") => "application/zip",
        Some("tar") => "application/x-tar",
        Some("pdf") => "application/pdf",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("gif") => "image/gif",
        Some("svg") => "image/svg+xml",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_written_in_order_and_escaped() {
        let value = |yaml: &str| serde_yaml::from_str::<Value>(yaml).unwrap();
        for (body, text) in [
            ("{a: b c, d: [1, true], e: null, f: 'ä&='}", "a=b+c&d=1&d=True&f=%C3%A4%26%3D"),
            ("[[a, 1], [a, 2]]", "a=1&a=2"),
            ("a=%20b", "a=%20b"),
        ] {
            assert_eq!(form(&value(body)).unwrap(), text, "{body}");
        }
        assert!(form(&value("[1]")).is_err() && form(&value("5")).is_err());
    }

    #[test]
    fn a_boundary_is_in_no_part() {
        let part = |text: &str| Part { head: String::new(), content: text.into() };
        let first = boundary(&[part("x")]).unwrap();
        let second = boundary(&[part(&first)]).unwrap();
        assert!(first.len() == 40 && first != second);
    }
}
