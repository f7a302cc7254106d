//! The address of an HTTP proxy.

use std::fmt;

use percent_encoding::percent_decode_str;

use crate::host::Host;
use crate::secret::Secret;

/// The port of HTTP.
const HTTP: u16 = 80;

/// `http://[user:password@]host[:port]`: a proxy that connects to Duo (CONNECT, RFC 9110, section
/// 9.3.6).
#[derive(Clone)]
pub struct ProxyAddress {
    /// As it was written; the password is in it.
    text: Secret,
    host: Host,
    port: u16,
    credentials: Option<(Secret, Secret)>,
    /// As ureq wants it.
    proxy: ureq::Proxy,
}

/// A text that is not a proxy's address. Nothing of it is shown: a password may be in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected http://[user:password@]host[:port]")]
pub struct BadProxy;

impl ProxyAddress {
    /// Reads an address. The scheme may be left out. Everything up to the last `@` is user and
    /// password, whatever characters are in it; `%XX` is decoded, any other `%` stands for itself.
    ///
    /// # Errors
    /// [`BadProxy`] if it is not one.
    pub fn parse(text: &str) -> Result<Self, BadProxy> {
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            // A password may hold "://" where the scheme is left out.
            Some((scheme, _)) if !scheme.contains('@') && !scheme.contains(':') => {
                return Err(BadProxy);
            }
            _ => text,
        };
        let (credentials, address) = match rest.rsplit_once('@') {
            Some((both, address)) => (Some(both), address),
            None => (None, rest),
        };
        let address = address.strip_suffix('/').unwrap_or(address);
        let host = Host::parse(address).map_err(|_| BadProxy)?;
        let decoded = |text: &str| Secret::new(percent_decode_str(text).decode_utf8_lossy().into());
        let credentials = credentials.map(|both| {
            let (user, password) = both.split_once(':').unwrap_or((both, ""));
            (decoded(user), decoded(password))
        });
        let has_port = host.name().len() < address.len();
        let port = if has_port { host.port() } else { HTTP };
        let mut proxy = ureq::Proxy::builder(ureq::ProxyProtocol::Http)
            .host(host.name())
            .port(port);
        if let Some((user, password)) = &credentials {
            proxy = proxy.username(user.expose()).password(password.expose());
        }
        Ok(Self {
            text: Secret::from(text),
            host,
            port,
            credentials,
            proxy: proxy.build().map_err(|_| BadProxy)?,
        })
    }

    /// The address as it was written, with its password.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.text.expose()
    }

    /// The proxy's name or address, without brackets.
    #[must_use]
    pub fn bare_name(&self) -> &str {
        self.host.bare_name()
    }

    /// The proxy's port; HTTP's own where none is written.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// User and password for the proxy.
    #[must_use]
    pub fn credentials(&self) -> Option<(&Secret, &Secret)> {
        self.credentials
            .as_ref()
            .map(|(user, password)| (user, password))
    }

    /// As ureq wants it.
    pub(super) fn for_ureq(&self) -> ureq::Proxy {
        self.proxy.clone()
    }
}

/// Host and port, never the password.
impl fmt::Display for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host.name(), self.port())
    }
}

impl fmt::Debug for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyAddress({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::ProxyAddress;
    use proptest::prelude::*;

    #[test]
    fn host_port_and_credentials_are_taken_apart() {
        for (text, shown, credentials) in [
            ("http://proxy", "proxy:80", None),
            ("http://proxy:3128", "proxy:3128", None),
            ("HTTP://proxy:3128/", "proxy:3128", None),
            ("proxy:3128", "proxy:3128", None),
            ("http://[::1]:3128", "[::1]:3128", None),
            ("http://[::1]", "[::1]:80", None),
            ("http://me:pw@proxy:1", "proxy:1", Some(("me", "pw"))),
            ("http://me@proxy:1", "proxy:1", Some(("me", ""))),
            (
                "http://me:p%40%zz%2@proxy",
                "proxy:80",
                Some(("me", "p@%zz%2")),
            ),
            (
                "http://me:a/b#c?d@e:f g@proxy",
                "proxy:80",
                Some(("me", "a/b#c?d@e:f g")),
            ),
        ] {
            let proxy = ProxyAddress::parse(text).unwrap();
            assert_eq!(proxy.to_string(), shown, "{text}");
            let found = proxy.credentials().map(|(u, p)| (u.expose(), p.expose()));
            assert_eq!(found, credentials, "{text}");
            let ureq = proxy.for_ureq();
            assert_eq!(ureq.port(), proxy.port(), "{text}");
            assert_eq!(ureq.username(), credentials.map(|(user, _)| user), "{text}");
        }
    }

    #[test]
    fn other_schemes_paths_and_bad_ports_are_not_proxies() {
        for text in [
            "",
            "http://",
            "https://proxy",
            "socks5://proxy:1080",
            "http://proxy:port",
            "http://proxy:0",
            "http://proxy/path",
            "http://me:pw@",
            "http://a b",
        ] {
            assert!(ProxyAddress::parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_password_comes_through_whole(password in "[^%]{0,40}") {
            let text = format!("http://me:{password}@proxy:3128");
            let proxy = ProxyAddress::parse(&text).unwrap();
            prop_assert_eq!(proxy.to_string(), "proxy:3128");
            prop_assert_eq!(proxy.credentials().unwrap().1.expose(), password.as_str());
            let shown = format!("{proxy:?} {proxy}");
            prop_assert!(password.len() < 14 || !shown.contains(&password));
        }
    }
}
