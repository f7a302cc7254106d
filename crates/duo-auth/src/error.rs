//! Why Duo gave no usable answer, in the words that log parsers know.

use crate::reply::Refusal;
use crate::sanitize::clean;

/// Why Duo gave no usable answer. As text, the detail of a log line: on one line, without control
/// characters and without secrets.
///
/// A login may treat [`Status`](Self::Status) and [`BadReply`](Self::BadReply) as an outage, and
/// [`Unreachable`](Self::Unreachable) where nobody who wants to log in can bring it about; none of
/// the others is one.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DuoError {
    /// DNS, TCP, TLS, a proxy, a time-out, or a connection that broke.
    #[error("Couldn't connect to {host}: {detail}")]
    Unreachable {
        /// The application's host, with its port where one is given.
        host: String,
        /// What went wrong.
        detail: String,
    },
    /// Local resource exhaustion: descriptors, memory, ports, or time in which this process was
    /// stopped. Not an outage, whatever it looks like.
    #[error("Couldn't connect to {host}: {detail}")]
    ResourceExhausted {
        /// The application's host, with its port where one is given.
        host: String,
        /// What went wrong.
        detail: String,
    },
    /// This machine does not permit the connection (EACCES, EPERM).
    #[error("Couldn't connect to {host}: {detail}; SELinux or a local firewall forbids it")]
    NotPermitted {
        /// The application's host, with its port where one is given.
        host: String,
        /// What went wrong.
        detail: String,
    },
    /// Too many requests (429), to the end. Whoever has a password can bring it about.
    #[error("HTTP 429")]
    RateLimited,
    /// A status that says that Duo cannot answer now: 5xx, a redirect.
    #[error("HTTP {0}")]
    Status(u16),
    /// A body that is not what Duo documents.
    #[error("invalid JSON response: {0}")]
    BadReply(String),
    /// Duo does not take the keys, the signature or the date (HTTP 401; codes 40101 to 40105). A
    /// 40105 comes here only if signing again by Duo's clock did not help.
    #[error("Invalid ikey or skey: {}{}", words(.0), hint(.0))]
    KeysRejected(Refusal),
    /// Duo does not take the request (other 4xx, such as 40002 for a parameter or 40301 for an
    /// application of the wrong type).
    #[error("HTTP {status}: {}", words(refusal))]
    Refused {
        /// HTTP status.
        status: u16,
        /// Duo's words.
        refusal: Refusal,
    },
    /// Something that cannot happen, such as a request that cannot be signed. Never an outage.
    #[error("internal error: {0}")]
    Bug(String),
}

/// Duo's code, message and detail, fit for a log line.
fn words(refusal: &Refusal) -> String {
    let mut text = String::new();
    if let Some(code) = refusal.code {
        text.push_str(&code.to_string());
        text.push(' ');
    }
    text.push_str(&clean(&refusal.message));
    if let Some(detail) = &refusal.detail {
        text.push_str(" (");
        text.push_str(&clean(detail));
        text.push(')');
    }
    text.trim().to_owned()
}

/// What an administrator should look at.
fn hint(refusal: &Refusal) -> &'static str {
    match refusal.code {
        Some(40102) => "; check ikey, and that host belongs to the same application",
        Some(40103) => "; check that skey is whole and belongs to ikey and host",
        Some(40104 | 40105) => "; check this server's clock",
        _ => "; check ikey, skey and host",
    }
}
