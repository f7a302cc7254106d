//! How a login ends: what it means, when a fault may let someone in, and the log line.

mod fault;
mod log_line;
mod pam_code;

use std::fmt::Write as _;
use std::time::Duration;

use duo_auth::{DuoError, clean};

pub use fault::{Consent, Fault, Reason, Verdict};
pub use log_line::Who;
pub use pam_code::PamCode;

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
    /// ` [factor=push device=… txid=… ms=…]`; nothing where no factor was tried.
    fn fields(&self) -> String {
        if self.factor.is_empty() {
            return String::new();
        }
        format!(" [{} ms={}]", self.named(), self.took.as_millis())
    }

    /// ` [factor=push device=… txid=…]`, before anything is known of the time.
    fn fields_when_sent(&self) -> String {
        format!(" [{}]", self.named())
    }

    fn named(&self) -> String {
        let mut text = format!("factor={}", self.factor);
        if let Some(device) = &self.device {
            let _ = write!(text, " device={}", word(device));
        }
        if let Some(txid) = &self.txid {
            let _ = write!(text, " txid={}", word(txid));
        }
        text
    }
}

/// Duo's ids as one word of bounded length.
fn word(text: &str) -> String {
    clean(text)
        .chars()
        .map(|c| {
            if matches!(c, ' ' | '[' | ']' | '=') {
                '_'
            } else {
                c
            }
        })
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
    /// A fault has kept the user out of this connection a moment ago.
    RefusedBefore,
    /// A fault keeps the user out.
    Failsecure {
        /// The fault.
        fault: Fault,
        /// Why it keeps out where Duo's own module would let in.
        reason: Option<String>,
    },
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
