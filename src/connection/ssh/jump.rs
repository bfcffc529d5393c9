//! The text of `ProxyJump`: `user@host:port`, `ssh://user@host:port`, several with commas.

use std::fmt;

use crate::connection::ConnectError;

/// A host on the way.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Hop {
    pub(super) user: Option<String>,
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

/// The hops, the nearest first.
pub(super) fn hops(text: &str, origin: &str) -> Result<Vec<Hop>, ConnectError> {
    text.split(',').map(|hop| parse(hop.trim(), origin)).collect()
}

fn parse(text: &str, origin: &str) -> Result<Hop, ConnectError> {
    let wrong = || ConnectError::Config(format!("{origin}: `{text}` is not [user@]host[:port]"));
    let rest = text.strip_prefix("ssh://").unwrap_or(text).trim_end_matches('/');
    let (user, rest) = match rest.rsplit_once('@') {
        Some((user, rest)) => (Some(user.to_owned()), rest),
        None => (None, rest),
    };
    let (host, port) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((host, "")) => (host, None),
        Some((host, port)) => (host, Some(port.strip_prefix(':').ok_or_else(wrong)?)),
        // More than one colon without brackets is an IPv6 address.
        None if rest.matches(':').count() == 1 => {
            rest.split_once(':').map_or((rest, None), |(h, p)| (h, Some(p)))
        }
        None => (rest, None),
    };
    let port = port.map(str::parse).transpose().map_err(|_| wrong())?;
    if host.is_empty() || user.as_deref() == Some("") {
        return Err(wrong());
    }
    Ok(Hop { user, host: host.to_owned(), port })
}

impl fmt::Display for Hop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(user) = &self.user {
            write!(f, "{user}@")?;
        }
        if self.host.contains(':') {
            write!(f, "[{}]", self.host)?;
        } else {
            f.write_str(&self.host)?;
        }
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hops_are_read_and_written() {
        for (text, user, host, port) in [
            ("bastion", None, "bastion", None),
            ("ann@bastion:2222", Some("ann"), "bastion", Some(2222)),
            ("ssh://ann@bastion:2222", Some("ann"), "bastion", Some(2222)),
            ("[2001:db8::1]:22", None, "2001:db8::1", Some(22)),
            ("2001:db8::1", None, "2001:db8::1", None),
            ("a@b@bastion", Some("a@b"), "bastion", None),
        ] {
            let hop = parse(text, "o").unwrap();
            assert_eq!((hop.user.as_deref(), hop.host.as_str(), hop.port), (user, host, port), "{text}");
            assert_eq!(parse(&hop.to_string(), "o").unwrap(), hop, "{text}");
        }
        assert_eq!(hops("a, b:1", "o").unwrap().len(), 2);
        for text in ["", "a,,b", "a:port", "[::1]x", "@a", "a:70000"] {
            assert!(hops(text, "o").is_err(), "{text}");
        }
    }
}
