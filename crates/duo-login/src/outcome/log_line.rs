//! The log line of an outcome: Duo's event words, then what is known of the login.

use std::fmt::Write as _;

use duo_auth::clean;

use super::{Attempt, Outcome};
use crate::log::Severity;

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
            Self::Failsecure { fault, reason } => {
                let reason = reason.as_deref().map(|reason| format!("; {reason}"));
                let detail = format!("{fault}{}", reason.unwrap_or_default());
                warning("Failsecure Duo login", &detail)
            }
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
