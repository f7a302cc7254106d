//! Duo's API host name, maybe with a port.

use std::fmt;
use std::net::IpAddr;

/// The port of HTTPS.
const HTTPS: u16 = 443;

/// A host name or address that can stand in a URL (RFC 3986, section 3.2.2), with an optional port.
/// The case of letters is kept; signing lowers it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    name: String,
    port: Option<u16>,
}

/// Why a text is not a host; the words follow "it".
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadHost {
    /// It has a scheme or a path.
    #[error("is a URL; write the host name alone, such as api-xxxxxxxx.duosecurity.com")]
    Url,
    /// It begins as an IPv6 address and does not end as one.
    #[error("has a [ without a ]")]
    Bracket,
    /// The port is not one.
    #[error("has a port that is not a number from 1 to 65535")]
    Port,
    /// It has characters or lengths that no host name has.
    #[error("is not a host name")]
    Name,
}

impl Host {
    /// Reads `name`, `name:port`, `address`, `address:port`, `[v6]` or `[v6]:port`; a port is 1 to
    /// 65535. Nothing is looked up.
    ///
    /// # Errors
    /// [`BadHost`] if it is not one of these.
    pub fn parse(text: &str) -> Result<Self, BadHost> {
        if text.contains("://") || text.contains('/') {
            return Err(BadHost::Url);
        }
        let in_brackets = text.starts_with('[');
        let (name, port) = if in_brackets {
            match text.split_once(']') {
                Some((name, "")) => (format!("{name}]"), None),
                Some((name, port)) => (format!("{name}]"), port.strip_prefix(':').or(Some(""))),
                None => return Err(BadHost::Bracket),
            }
        } else {
            match text.split_once(':') {
                Some((name, port)) => (name.to_owned(), Some(port)),
                None => (text.to_owned(), None),
            }
        };
        let port = match port.map(str::parse::<u16>) {
            None => None,
            Some(Ok(port @ 1..)) => Some(port),
            Some(_) => return Err(BadHost::Port),
        };
        let host = Self { name, port };
        let is_host = if in_brackets {
            matches!(host.bare_name().parse(), Ok(IpAddr::V6(_)))
        } else {
            is_name(&host.name)
        };
        is_host.then_some(host).ok_or(BadHost::Name)
    }

    /// The name as it stands in a URL, without the port: an IPv6 address is in brackets.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name or address without brackets, as it is looked up or compared with a certificate.
    #[must_use]
    pub fn bare_name(&self) -> &str {
        self.name.trim_matches(['[', ']'])
    }

    /// The port; 443, HTTPS's own, where none is written.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(HTTPS)
    }
}

/// Labels of letters, digits, hyphens and underscores (RFC 1123, section 2.1; underscores are
/// common in internal names).
fn is_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && label
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    };
    name.len() <= 253 && name.split('.').all(is_label)
}

/// The host as it was written.
impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)?;
        match self.port {
            Some(port) => write!(f, ":{port}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Host;

    #[test]
    fn names_and_addresses_with_and_without_port_are_hosts() {
        for (text, name, port) in [
            ("api-1.duosecurity.com", "api-1.duosecurity.com", 443),
            ("API-1.duosecurity.com:443", "API-1.duosecurity.com", 443),
            ("localhost:8443", "localhost", 8443),
            ("127.0.0.1", "127.0.0.1", 443),
            ("127.0.0.1:8443", "127.0.0.1", 8443),
            ("[::1]:8443", "::1", 8443),
            ("[2001:db8::1]", "2001:db8::1", 443),
        ] {
            let host = Host::parse(text).unwrap();
            assert_eq!((host.bare_name(), host.port()), (name, port), "{text}");
            assert_eq!(host.to_string(), text);
        }
        let host = Host::parse("[::1]:8443").unwrap();
        assert_eq!(host.name(), "[::1]");
    }

    #[test]
    fn urls_blanks_and_bad_ports_are_not_hosts() {
        for text in [
            "",
            "https://api-12345678.duosecurity.com",
            "api.duosecurity.com/",
            "api duo.com",
            "api.duosecurity.com:",
            "api.duosecurity.com:0",
            "api.duosecurity.com:65536",
            "[::1",
            "[::1]8443",
            "[127.0.0.1]",
            "user@host",
            "a..b",
        ] {
            assert!(Host::parse(text).is_err(), "{text}");
        }
    }
}
