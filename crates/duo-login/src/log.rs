//! The log: syslog as other PAM modules write it, or standard error where the argument `debug`
//! says so, or nowhere, for a command that shows what would have been logged. A log that is missing, full or slow never delays or fails a login.

use std::cell::{OnceCell, RefCell};
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::net::UnixDatagram;
use std::path::Path;

use syslog::{Facility, Formatter3164, Logger};

use duo_auth::clean;

/// Where syslog listens on Linux.
const SOCKET: &str = "/dev/log";
/// Longest line, in characters.
const LONGEST: usize = 4000;

/// Weight of a log line; the numbers are syslog's (RFC 3164, section 4.1.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Something is broken.
    Error = 3,
    /// Someone stayed out, or came in without a factor.
    Warning = 4,
    /// As it should be.
    Info = 6,
    /// For whoever looks for a fault.
    Debug = 7,
}

/// Where log lines go.
pub struct Log {
    /// `pam_duo(sshd:auth): `; none on standard error.
    prefix: String,
    to_stderr: bool,
    trace: bool,
    /// Lines that go nowhere, if they are to be kept.
    kept: Option<RefCell<Vec<(Severity, String)>>>,
    socket: OnceCell<Option<UnixDatagram>>,
}

impl Log {
    /// A log for a login through `service`.
    #[must_use]
    pub fn new(service: &str, debug: bool, trace: bool) -> Self {
        Self {
            prefix: format!("pam_duo({}:auth): ", clean(service)),
            to_stderr: debug || trace,
            trace,
            kept: None,
            socket: OnceCell::new(),
        }
    }

    /// A log that goes nowhere and can be read afterwards.
    #[must_use]
    pub fn kept(service: &str) -> Self {
        Self {
            kept: Some(RefCell::default()),
            ..Self::new(service, false, false)
        }
    }

    /// What a log that is kept holds: whole lines, with the prefix that syslog would show.
    #[must_use]
    pub fn lines(&self) -> Vec<(Severity, String)> {
        self.kept
            .as_ref()
            .map(|lines| lines.borrow().clone())
            .unwrap_or_default()
    }

    /// Whether requests and replies are wanted.
    #[must_use]
    pub fn traces(&self) -> bool {
        self.trace
    }

    /// Writes one line. Callers sanitise what comes from outside; this is
    /// a second line of defence.
    pub fn line(&self, severity: Severity, text: &str) {
        let text: String = clean(text).chars().take(LONGEST).collect();
        if let Some(lines) = &self.kept {
            let line = format!("{}{text}", self.prefix);
            lines.borrow_mut().push((severity, line));
            return;
        }
        if self.to_stderr {
            // Standard error may be closed; that must not fail a login.
            let _ = writeln!(io::stderr(), "[{}] {text}", severity as u8);
            return;
        }
        let socket = self.socket.get_or_init(connect);
        if let Some(socket) = socket {
            let message = format_line(severity, &format!("{}{text}", self.prefix));
            let _ = socket.send(&message);
        }
    }

    /// Writes one line of a trace, if traces are wanted.
    pub fn trace(&self, text: &str) {
        if self.trace {
            self.line(Severity::Debug, text);
        }
    }
}

/// A socket that never blocks: a log line that nobody takes is dropped.
fn connect() -> Option<UnixDatagram> {
    let socket = UnixDatagram::unbound().ok()?;
    socket.set_nonblocking(true).ok()?;
    socket.connect(SOCKET).ok()?;
    Some(socket)
}

/// One RFC 3164 message, as the identity of the application.
fn format_line(severity: Severity, text: &str) -> Vec<u8> {
    let formatter = Formatter3164 {
        facility: Facility::LOG_AUTHPRIV,
        hostname: None,
        process: program(),
        pid: std::process::id(),
    };
    // Collected first: the formatter writes in pieces, and a datagram has to be whole.
    let mut logger = Logger::new(Vec::with_capacity(text.len() + 64), formatter);
    let _ = match severity {
        Severity::Error => logger.err(text),
        Severity::Warning => logger.warning(text),
        Severity::Info => logger.info(text),
        Severity::Debug => logger.debug(text),
    };
    logger.backend
}

/// Name of the application's program. Its arguments and its environment are not asked: it may have changed
/// the former, and its caller the latter.
fn program() -> String {
    let name = fs::read_link("/proc/self/exe").ok().and_then(|path| {
        let name = path.file_name()?.to_string_lossy().into_owned();
        // A program that was replaced by an upgrade while it runs.
        Some(name.strip_suffix(" (deleted)").unwrap_or(&name).to_owned())
    });
    let name = name.or_else(|| {
        let comm = fs::read_to_string(Path::new("/proc/self/comm")).ok()?;
        Some(comm.trim().to_owned())
    });
    clean(&name.unwrap_or_else(|| "pam_duo".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::{Log, Severity};

    #[test]
    fn a_log_that_is_kept_holds_the_lines_as_syslog_would_show_them() {
        let log = Log::kept("sshd");
        log.line(Severity::Info, "one\ntwo");
        log.trace("not wanted");
        let expected = "pam_duo(sshd:auth): one?two".to_owned();
        assert_eq!(log.lines(), [(Severity::Info, expected)]);
        assert!(Log::new("sshd", false, false).lines().is_empty());
    }
}
