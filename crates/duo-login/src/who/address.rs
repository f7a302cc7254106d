//! The client's address, and this server's where it has to stand in.

use std::net::{IpAddr, SocketAddr, UdpSocket};

/// The client's address: from `SSH_CONNECTION` of the PAM environment ("client-ip client-port
/// server-ip server-port"), else a literal `PAM_RHOST`, else none. A name is never looked up.
#[must_use]
pub fn client(ssh_connection: Option<&str>, rhost: Option<&str>) -> Option<IpAddr> {
    ssh_connection
        .and_then(|connection| connection.split_ascii_whitespace().next())
        .and_then(literal)
        .or_else(|| rhost.and_then(literal))
}

/// Reads an address, without the interface of a link-local one; IPv4-mapped IPv6 becomes IPv4.
fn literal(text: &str) -> Option<IpAddr> {
    let text = text.trim();
    let address = text.split_once('%').map_or(text, |(address, _)| address);
    let address: IpAddr = address.parse().ok()?;
    Some(address.to_canonical())
}

/// The address that this server uses towards the outside, IPv4 if there is one, else IPv6.
///
/// Connecting a UDP socket chooses a source address and sends nothing. The targets are the
/// documentation's addresses (RFC 5737, RFC 3849): any that is not local will do.
#[must_use]
pub fn server() -> Option<IpAddr> {
    [
        ("0.0.0.0:0", "192.0.2.1:53"),
        ("[::]:0", "[2001:db8::1]:53"),
    ]
    .into_iter()
    .find_map(|(any, target)| {
        let target: SocketAddr = target.parse().ok()?;
        let socket = UdpSocket::bind(any).ok()?;
        socket.connect(target).ok()?;
        let address = socket.local_addr().ok()?.ip();
        (!address.is_unspecified()).then_some(address)
    })
}

#[cfg(test)]
mod tests {
    use super::client;
    use proptest::prelude::*;

    #[test]
    fn the_clients_address_is_found_or_left_out() {
        for (ssh_connection, rhost, expected) in [
            (
                Some("203.0.113.5 40000 10.0.0.1 22"),
                Some("h.example"),
                Some("203.0.113.5"),
            ),
            (Some("2001:db8::7 40000 ::1 22"), None, Some("2001:db8::7")),
            (
                Some("fe80::1%eth0 1 fe80::2%eth0 22"),
                None,
                Some("fe80::1"),
            ),
            (
                Some("::ffff:203.0.113.5 1 ::1 22"),
                None,
                Some("203.0.113.5"),
            ),
            (
                Some("UNKNOWN 65535 UNKNOWN 65535"),
                Some("203.0.113.6"),
                Some("203.0.113.6"),
            ),
            (Some(""), Some("203.0.113.6"), Some("203.0.113.6")),
            (None, Some("203.0.113.6"), Some("203.0.113.6")),
            (None, Some("client.example.com"), None),
            (None, Some(""), None),
            (None, None, None),
        ] {
            let found = client(ssh_connection, rhost).map(|address| address.to_string());
            assert_eq!(found.as_deref(), expected, "{ssh_connection:?} {rhost:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(connection in ".*", rhost in ".*") {
            let _ = client(Some(&connection), Some(&rhost));
        }
    }
}
