//! How a login ends: what it means, when a fault may let someone in, and the log line.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use crate::config::Failmode;
use crate::duo::client::DuoError;
use crate::text::clean;

/// A fault in what the administrator set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigFault {
    /// The file is missing, unreadable or not to be trusted.
    #[error("Couldn't open {}: {reason}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// `host`, `ikey` or `skey` is missing or empty.
    #[error("Missing host, ikey, or skey")]
    MissingKeys,
    /// `host` cannot be a host.
    #[error("Bad value of 'host': it {0}")]
    BadHost(&'static str),
    /// `noverify` is set.
    #[error("'noverify' is refused: Duo's certificate is always verified; use cafile instead")]
    NoVerify,
    /// There is nothing to trust.
    #[error("{0}")]
    Trust(String),
    /// Duo does not take the keys.
    #[error("{0}")]
    KeysRejected(DuoError),
}

/// What can go wrong up to and including preauth and be answered by `failmode`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Duo cannot be asked, through nobody's fault here.
    #[error("{0}")]
    Outage(DuoError),
    /// The set-up is wrong.
    #[error("{0}")]
    Config(#[from] ConfigFault),
}

impl Fault {
    /// What `failmode` makes of it: an outage lets the user in unless it is `secure`; a
    /// configuration fault keeps the user out unless it is `safe`. One typo must not switch
    /// two-factor login off for everyone.
    pub fn judge(self, failmode: Option<Failmode>) -> Outcome {
        let let_in = match (&self, failmode) {
            (_, Some(Failmode::Safe)) | (Self::Outage(_), None) => true,
            (_, Some(Failmode::Secure)) | (Self::Config(_), None) => false,
        };
        if let_in {
            Outcome::Failsafe(self)
        } else {
            Outcome::Failsecure(self)
        }
    }
}

/// One attempt with a factor, for the log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Attempt {
    /// Duo's word for the factor.
    pub factor: &'static str,
    /// The device's id.
    pub device: Option<String>,
    /// Duo's transaction.
    pub txid: Option<String>,
    /// How long Duo and the user took.
    pub took: Duration,
}

impl Attempt {
    /// `[factor=push device=… txid=… ms=…]`; nothing where no factor was tried.
    fn fields(&self) -> String {
        if self.factor.is_empty() {
            return String::new();
        }
        let mut text = format!(" [factor={}", self.factor);
        if let Some(device) = &self.device {
            let _ = write!(text, " device={}", word(device));
        }
        if let Some(txid) = &self.txid {
            let _ = write!(text, " txid={}", word(txid));
        }
        let _ = write!(text, " ms={}]", self.took.as_millis());
        text
    }
}

/// Duo's ids as one word of bounded length.
fn word(text: &str) -> String {
    clean(text)
        .chars()
        .map(|c| if c == ' ' || c == ']' { '_' } else { c })
        .take(64)
        .collect()
}

/// How a login ends.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Outcome {
    /// The user approved.
    Approved(Attempt),
    /// The user approved a moment ago, on the same PAM handle.
    ApprovedBefore,
    /// Duo lets the user in without a factor.
    Skipped {
        /// Duo's words.
        message: String,
    },
    /// The user is outside `groups`.
    Bypassed {
        /// Whether `PAM_IGNORE` is wanted.
        ignore: bool,
    },
    /// A fault lets the user in.
    Failsafe(Fault),
    /// A fault keeps the user out.
    Failsecure(Fault),
    /// Duo keeps the user out at preauth, or wants the user to enrol.
    Denied {
        /// Duo's words.
        message: String,
    },
    /// Duo refuses the request at preauth (4xx).
    Refused(DuoError),
    /// Locked out, or reported as fraud: no further attempt.
    Stopped {
        /// The attempt.
        attempt: Attempt,
        /// What happened.
        why: String,
    },
    /// Denied, wrong or timed out as often as `prompts` allows. Each attempt has its own log line.
    OutOfTries,
    /// The conversation failed or was cancelled.
    ConversationFailed {
        /// What an administrator may want to know.
        detail: String,
    },
    /// `login_timeout` is over.
    TimedOut {
        /// `login_timeout`.
        limit: Duration,
    },
    /// Something failed after preauth.
    Error {
        /// What.
        detail: String,
    },
    /// Duo refuses a request after preauth (4xx).
    RefusedLate(DuoError),
    /// The user or the user's groups cannot be looked up.
    LookUpFailed {
        /// Why.
        detail: String,
    },
    /// There is no such user.
    NoSuchUser,
    /// A module argument is wrong. Each has its own log line.
    BadArguments,
}

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

/// Whom a log line is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Who {
    /// Unix user name.
    pub user: String,
    /// Where the login comes from, as PAM gave it.
    pub from: Option<String>,
}

impl Who {
    /// `EVENT for 'USER' from HOST: DETAIL`, absent parts left out.
    fn line(&self, event: &str, detail: &str) -> String {
        let mut line = event.to_owned();
        if !self.user.is_empty() {
            let _ = write!(line, " for '{}'", bounded(&self.user));
        }
        if let Some(from) = self.from.as_deref().filter(|from| !from.is_empty()) {
            let _ = write!(line, " from {}", bounded(from));
        }
        if !detail.is_empty() {
            let _ = write!(line, ": {}", clean(detail));
        }
        line
    }

    /// The line of one failed attempt.
    #[must_use]
    pub fn failed_attempt(&self, attempt: &Attempt, why: &str) -> (Severity, String) {
        let line = self.line("Failed Duo login", why) + &attempt.fields();
        (Severity::Warning, line)
    }
}

/// A name from outside: cleaned and of bounded length.
fn bounded(text: &str) -> String {
    clean(text).chars().take(256).collect()
}

impl Outcome {
    /// The log line, if there is one beyond those already written.
    #[must_use]
    pub fn log_line(&self, who: &Who) -> Option<(Severity, String)> {
        let warning = |event, detail: &str| (Severity::Warning, who.line(event, detail));
        let error = |detail: &str| (Severity::Error, who.line("Error in Duo login", detail));
        Some(match self {
            Self::Approved(attempt) => {
                let line = who.line("Successful Duo login", "") + &attempt.fields();
                (Severity::Info, line)
            }
            Self::ApprovedBefore => {
                let detail = "approved a moment ago in the same connection";
                (Severity::Info, who.line("Successful Duo login", detail))
            }
            Self::Skipped { message } => warning("Skipped Duo login", message),
            Self::Bypassed { .. } => (
                Severity::Info,
                format!(
                    "User {} bypassed Duo 2FA due to user's UNIX group",
                    bounded(&who.user)
                ),
            ),
            Self::Failsafe(fault) => warning("Failsafe Duo login", &fault.to_string()),
            Self::Failsecure(fault) => warning("Failsecure Duo login", &fault.to_string()),
            Self::Denied { message } => warning("Aborted Duo login", message),
            Self::Refused(refusal) | Self::RefusedLate(refusal) => {
                warning("Aborted Duo login", &refusal.to_string())
            }
            Self::Stopped { attempt, why } => who.failed_attempt(attempt, why),
            Self::OutOfTries | Self::BadArguments => return None,
            Self::ConversationFailed { detail } => warning("Aborted Duo login", detail),
            Self::TimedOut { limit } => warning(
                "Aborted Duo login",
                &format!("not finished within login_timeout, {} s", limit.as_secs()),
            ),
            Self::Error { detail } | Self::LookUpFailed { detail } => error(detail),
            Self::NoSuchUser => warning("Aborted Duo login", "no such user"),
        })
    }
}
