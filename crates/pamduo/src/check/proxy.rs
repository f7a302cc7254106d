//! The step `proxy`.

use std::io::{self, Read as _, Write as _};
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use duo_auth::clean;
use duo_auth::net::ProxyAddress;
use zeroize::Zeroizing;

use super::connection::{Stream, Target, words};
use super::logins::Obstacle;
use super::problem::Problem;
use super::step::Step;

/// Limit for the head of a proxy's reply, in bytes.
const HEAD: usize = 16 * 1024;

/// Asks the proxy for a connection to Duo (CONNECT, RFC 9110, section 9.3.6).
pub(super) fn through(
    stream: &mut Stream,
    proxy: &ProxyAddress,
    duo: &Target,
    limit: Duration,
) -> (Step, bool) {
    Step::timed("proxy", |step| {
        stream.limit(limit);
        let status = match connect(stream, proxy, duo) {
            Ok(status) => status,
            Err(error) => {
                step.stops_logins(Obstacle::unreachable(&duo.name, words(&error)));
                step.find(
                    Problem::ProxyFailed,
                    format!("the proxy gives no answer: {}", words(&error)),
                    "check whether http_proxy names an HTTP proxy and its port",
                );
                return false;
            }
        };
        let code = status.split(' ').nth(1).unwrap_or_default();
        // ureq, which logins use, accepts nothing but 200, either.
        if code == "200" {
            step.say(format!("connects to {}:{}", duo.name, duo.port));
            return true;
        }
        step.stops_logins(Obstacle::unreachable(&duo.name, status.as_str()));
        if code == "407" {
            let user = proxy.credentials().is_some();
            step.find(
                Problem::ProxyCredentials,
                if user {
                    "the proxy rejects the user and the password of http_proxy"
                } else {
                    "the proxy requires a user and a password"
                },
                "write http_proxy = http://USER:PASSWORD@HOST:PORT",
            );
        } else {
            step.find(
                Problem::ProxyFailed,
                format!("the proxy does not connect to Duo: {}", clean(&status)),
                format!("let the proxy connect to {}, port {}", duo.name, duo.port),
            );
        }
        false
    })
}

/// Sends CONNECT and reads the reply's head; returns its first line.
fn connect(stream: &mut Stream, proxy: &ProxyAddress, duo: &Target) -> io::Result<String> {
    let host = if duo.name.contains(':') {
        format!("[{}]:{}", duo.name, duo.port)
    } else {
        format!("{}:{}", duo.name, duo.port)
    };
    let mut request = Zeroizing::new(format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n"));
    if let Some((user, password)) = proxy.credentials() {
        let both = Zeroizing::new(format!("{}:{}", user.expose(), password.expose()));
        let encoded = Zeroizing::new(BASE64_STANDARD.encode(both.as_bytes()));
        request.push_str("Proxy-Authorization: Basic ");
        request.push_str(&encoded);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes())?;
    // Byte by byte: what follows the head belongs to TLS.
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= HEAD {
            return Err(io::Error::other("its reply is too long"));
        }
        stream.read_exact(&mut byte)?;
        head.extend_from_slice(&byte);
    }
    let head = String::from_utf8_lossy(&head);
    let line: String = head
        .lines()
        .next()
        .unwrap_or_default()
        .chars()
        .take(120)
        .collect();
    if line.starts_with("HTTP/") {
        Ok(line)
    } else {
        Err(io::Error::other("it does not speak HTTP"))
    }
}
