//! A private login host for end-to-end tests: a mount and process namespace with its own users,
//! PAM stacks and configuration, a real sshd, a real `/dev/log` socket, and the real OpenSSH client
//! at a pseudo-terminal.
//!
//! This is test support: what goes wrong ends the test with the transcript or the log in the
//! message. Everything has a time limit, and everything ends when its owner is dropped.

#[allow(clippy::disallowed_methods)] // tests may be told where things are
mod host;
mod set_up;
mod syslog;
mod terminal;

pub use host::{Host, module_path};
pub use set_up::{HostBuilder, Syslog};
pub use syslog::{FLOOD, LogLine};
pub use terminal::{Finished, Terminal};

/// Names of syslog's severities that tests compare with (RFC 3164, section 4.1.1).
pub mod severity {
    /// Error.
    pub const ERROR: u8 = 3;
    /// Warning.
    pub const WARNING: u8 = 4;
    /// Informational.
    pub const INFO: u8 = 6;
}

/// Facility `LOG_AUTHPRIV` (syslog(3)).
pub const AUTHPRIV: u8 = 10;
