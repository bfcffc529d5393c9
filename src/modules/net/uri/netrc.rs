//! Logins by server, from the file that `curl` and `ftp` read too.

use std::path::PathBuf;

use crate::modules::api::{Fail, Look, split_words};
use crate::secret::Secret;

/// The login for a server (`host` or `host:port`), if the user's file has one.
///
/// # Errors
/// A file that can't be read.
pub(super) fn login(host: &dyn Look, server: &str) -> Result<Option<(String, Secret)>, Fail> {
    let home = || host.env("HOME").map(|home| PathBuf::from(home).join(".netrc"));
    let Some(path) = host.env("NETRC").map(PathBuf::from).or_else(home) else { return Ok(None) };
    let Some(text) = host.read(&path)? else { return Ok(None) };
    let name = server.rsplit_once(':').map_or(server, |(name, _)| name);
    Ok(find(&String::from_utf8_lossy(&text), name))
}

/// The first entry of this name, or the default one.
fn find(text: &str, server: &str) -> Option<(String, Secret)> {
    let lines = text.lines().filter(|line| !line.trim_start().starts_with('#'));
    // A macro is the rest of the file as far as logins go: it ends with an empty line, which words do not show.
    let words: Vec<String> = lines.flat_map(|line| split_words(line).unwrap_or_default()).collect();
    let mut words = words.iter().take_while(|word| *word != "macdef");
    let (mut ours, mut name, mut password) = (false, None, None);
    while let Some(word) = words.next() {
        match word.as_str() {
            "machine" | "default" if ours && name.is_some() => break,
            "machine" => ours = words.next().is_some_and(|it| it == server),
            "default" => ours = true,
            "login" | "user" => name = words.next().filter(|_| ours).or(name),
            "password" => password = words.next().filter(|_| ours).or(password),
            _ => drop(words.next()),
        }
    }
    let password = Secret::new(password.map(String::as_str).unwrap_or_default());
    name.map(|name| (name.clone(), password))
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn the_entry_of_a_server_or_the_default_counts() {
        let text = "# comment\nmachine a login me password \"p w\"\nmachine b\n login you\n account x\n password q\n\
                    default login any password z\nmacdef m\nmachine c login wrong\n";
        for (server, name, password) in
            [("a", "me", "p w"), ("b", "you", "q"), ("c", "any", "z"), ("other", "any", "z")]
        {
            let (found, secret) = find(text, server).unwrap();
            assert_eq!((found.as_str(), secret.expose()), (name, password), "{server}");
        }
        assert!(find("machine a login me", "b").is_none());
        assert!(find("machine", "").is_none());
    }
}
