//! The log: syslog as other PAM modules write it, or standard error where the argument `debug`
//! says so, or nowhere, for a command that shows what would have been logged. A log that is missing, full or slow never delays or fails a login.

mod socket;

use std::cell::{Cell, RefCell};
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;
use std::time::{Duration, SystemTime};

use duo_auth::clean;
use socket::Socket;

use crate::config::LogStyle;

/// Longest line, in characters.
const LONGEST: usize = 4000;
/// How long the lines of one login that say that somebody came in without a factor may wait for a
/// full socket, in all.
const PATIENCE: Duration = Duration::from_secs(1);

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

/// One line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its weight.
    pub severity: Severity,
    /// What it says.
    pub text: String,
    /// Fields in brackets at its end, after a blank; empty if there are none. Duo's own module
    /// knows none.
    pub fields: String,
    /// Whether it says that somebody came in without a factor: it may wait for a full socket, so
    /// that whoever floods the log cannot hide it.
    pub waits: bool,
}

impl Line {
    /// A line without fields, which never waits.
    #[must_use]
    pub fn new(severity: Severity, text: String) -> Self {
        Self {
            severity,
            text,
            fields: String::new(),
            waits: false,
        }
    }
}

/// Where log lines go.
pub struct Log {
    /// `pam_duo(sshd:auth): `; none on standard error.
    prefix: String,
    style: Cell<LogStyle>,
    to_stderr: bool,
    trace: bool,
    /// Lines that go nowhere, if they are to be kept.
    kept: Option<RefCell<Vec<(Severity, String)>>>,
    socket: RefCell<Socket>,
    /// What is left of [`PATIENCE`].
    patience: Cell<Duration>,
}

impl Log {
    /// A log for a login through `service`.
    #[must_use]
    pub fn new(service: &str, debug: bool, trace: bool) -> Self {
        Self {
            prefix: format!("pam_duo({}:auth): ", clean(service)),
            style: Cell::new(LogStyle::Pam),
            to_stderr: debug || trace,
            trace,
            kept: None,
            socket: RefCell::default(),
            patience: Cell::new(PATIENCE),
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

    /// From now on, lines are written as the key `log` says.
    pub fn set_style(&self, style: LogStyle) {
        self.style.set(style);
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

    /// Writes one line without fields.
    pub fn line(&self, severity: Severity, text: &str) {
        self.write(&Line::new(severity, text.to_owned()));
    }

    /// Writes one line. Callers sanitise what comes from outside; this is a second line of defence.
    pub fn write(&self, line: &Line) {
        let severity = line.severity;
        let (prefix, fields) = match self.style.get() {
            LogStyle::Pam => (self.prefix.as_str(), line.fields.as_str()),
            LogStyle::DuoUnix => ("", ""),
        };
        // The fields are ours, and are never what is cut off.
        let room = LONGEST.saturating_sub(fields.chars().count());
        let mut text: String = clean(&line.text).chars().take(room).collect();
        text.push_str(&clean(fields));
        if let Some(lines) = &self.kept {
            lines
                .borrow_mut()
                .push((severity, format!("{prefix}{text}")));
            return;
        }
        if self.to_stderr {
            // Standard error may be closed; that must not fail a login.
            let _ = writeln!(io::stderr(), "[{}] {text}", severity as u8);
            return;
        }
        let message = format_line(severity, &format!("{prefix}{text}"));
        let mut patience = if line.waits {
            self.patience.get()
        } else {
            Duration::ZERO
        };
        self.socket.borrow_mut().send(&message, &mut patience);
        if line.waits {
            self.patience.set(patience);
        }
    }

    /// Writes one line of a trace, if traces are wanted.
    pub fn trace(&self, text: &str) {
        if self.trace {
            self.line(Severity::Debug, text);
        }
    }
}

/// One message as RFC 3164 has it (section 4.1), with the facility authpriv and the identity of the
/// application. The time is UTC: what reads the socket has a clock of its own.
fn format_line(severity: Severity, text: &str) -> Vec<u8> {
    const AUTHPRIV: u8 = 10;
    let priority = AUTHPRIV * 8 + severity as u8;
    // "Sun, 06 Nov 1994 08:49:37 GMT" has day, month and time at fixed places.
    let date = httpdate::fmt_http_date(SystemTime::now());
    let part = |from, to| date.get(from..to).unwrap_or("?");
    let day = part(5, 7).replacen('0', " ", usize::from(part(5, 6) == "0"));
    let (month, time) = (part(8, 11), part(17, 25));
    let (program, pid) = (program(), std::process::id());
    format!("<{priority}>{month} {day} {time} {program}[{pid}]: {text}").into_bytes()
}

/// Name of the application's program. Its arguments and its environment are not asked: it may have
/// changed the former, and its caller the latter.
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
    use super::{Log, Severity, format_line};

    #[test]
    fn a_message_has_the_form_of_rfc_3164() {
        let message = String::from_utf8(format_line(Severity::Warning, "text")).unwrap();
        let rest = message.strip_prefix("<84>").unwrap();
        let (date, rest) = rest.split_at(15);
        let shape: String = date
            .chars()
            .map(|c| match c {
                '0'..='9' => '0',
                'a'..='z' => 'a',
                'A'..='Z' => 'A',
                other => other,
            })
            .collect();
        assert!(
            ["Aaa 00 00:00:00", "Aaa  0 00:00:00"].contains(&shape.as_str()),
            "{date}"
        );
        let tag = format!("[{}]: text", std::process::id());
        assert!(rest.starts_with(' ') && rest.ends_with(&tag), "{rest}");
    }

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
