//! The key `host`: Duo's API host name, maybe with a port.

use std::fmt;
use std::net::IpAddr;

/// A host name or address that can stand in a URL, with an optional port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host(String);

impl Host {
    /// Reads `name`, `name:port`, `address`, `address:port` or `[v6]:port`.
    ///
    /// # Errors
    /// What is wrong with it, in words that follow "host ".
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        if text.contains("://") || text.contains('/') {
            return Err(
                "is a URL; write the host name alone, such as api-xxxxxxxx.duosecurity.com",
            );
        }
        let (name, port) = match text.strip_prefix('[') {
            Some(rest) => match rest.split_once(']') {
                Some((name, "")) => (name, None),
                Some((name, port)) => (name, port.strip_prefix(':').or(Some(""))),
                None => return Err("has a [ without a ]"),
            },
            None => match text.split_once(':') {
                Some((name, port)) => (name, Some(port)),
                None => (text, None),
            },
        };
        if let Some(port) = port {
            match port.parse::<u16>() {
                Ok(1..) => {}
                _ => return Err("has a port that is not a number from 1 to 65535"),
            }
        }
        let is_address = text.starts_with('[') && matches!(name.parse(), Ok(IpAddr::V6(_)));
        let is_name = !text.starts_with('[')
            && name.len() <= 253
            && name.split('.').all(|label| {
                (1..=63).contains(&label.len())
                    && label
                        .bytes()
                        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
            });
        if is_address || is_name {
            Ok(Self(text.to_owned()))
        } else {
            Err("is no host name")
        }
    }

    /// The host as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::Host;

    #[test]
    fn names_and_addresses_with_and_without_port_are_hosts() {
        for text in [
            "api-12345678.duosecurity.com",
            "API-12345678.duosecurity.com:443",
            "localhost:8443",
            "127.0.0.1",
            "127.0.0.1:8443",
            "[::1]:8443",
            "[2001:db8::1]",
        ] {
            assert!(Host::parse(text).is_ok(), "{text}");
        }
    }

    #[test]
    fn urls_blanks_and_bad_ports_are_no_hosts() {
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
