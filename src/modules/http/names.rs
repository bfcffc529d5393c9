//! What a downloaded file is called: by the server, or by its URL.

/// The last part of a URL's path, its escapes undone.
pub(crate) fn file_name(url: &str) -> String {
    let path = url.split_once("://").map_or(url, |(_, rest)| rest);
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let name = path.split_once('/').map_or("", |(_, path)| path.rsplit('/').next().unwrap_or_default());
    safe(&super::unescape(name)).unwrap_or_else(|| "index.html".into())
}

/// The name in `Content-Disposition: attachment; filename="x.tar"`.
pub(crate) fn disposition_name(header: &str) -> Option<String> {
    let value = header.split(';').find_map(|part| part.trim().strip_prefix("filename="))?;
    safe(value.trim().trim_matches('"'))
}

/// A name without any folder: a server must not choose where the file goes.
fn safe(name: &str) -> Option<String> {
    let name = name.rsplit(['/', '\\', '\0']).next().unwrap_or_default();
    (!name.is_empty() && name != "." && name != "..").then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_from_urls_and_headers() {
        for (url, name) in [
            ("http://h/a/b%20c.txt?x=/y#z", "b c.txt"),
            ("http://h/", "index.html"),
            ("http://h", "index.html"),
            ("http://h/a%2F..%2Fb", "b"),
            ("http://h/..", "index.html"),
        ] {
            assert_eq!(file_name(url), name, "{url}");
        }
        assert_eq!(disposition_name("attachment; filename=/etc/passwd").as_deref(), Some("passwd"));
        assert_eq!(disposition_name("attachment"), None);
    }
}
