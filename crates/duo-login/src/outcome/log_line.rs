//! The log line of an outcome: Duo's event words, then what is known of the login.

use std::fmt::Write as _;
use std::net::Ipv6Addr;

use duo_auth::clean;

use super::{Attempt, Outcome};
use crate::log::{Line, Severity};

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
            let _ = write!(line, ": {}", without_fields(&clean(detail)));
        }
        line
    }

    /// The line of one failed attempt.
    #[must_use]
    pub fn failed_attempt(&self, attempt: &Attempt, why: &str) -> Line {
        Line {
            fields: attempt.fields(),
            ..Line::new(Severity::Warning, self.line("Failed Duo login", why))
        }
    }

    /// The line of a push or call that has gone out.
    #[must_use]
    pub fn request_sent(&self, attempt: &Attempt) -> Line {
        Line {
            fields: attempt.fields_when_sent(),
            ..Line::new(Severity::Info, self.line("Duo login request sent", ""))
        }
    }

    /// The line of a push limit that is reached.
    #[must_use]
    pub fn push_limit_reached(&self) -> Line {
        let detail = "pushes and calls are closed for now, only passcodes are taken; pamduo limits \
                      shows for how long";
        Line::new(Severity::Warning, self.line("Push limit reached", detail))
    }
}

/// A name from outside: cleaned and of bounded length.
fn bounded(text: &str) -> String {
    let short: String = clean(text).chars().take(256).collect();
    without_fields(&short)
}

/// Text from outside cannot form one of the fields in brackets: parsers take those for ours. An IPv6
/// address keeps its brackets.
fn without_fields(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        safe.push_str(&before.replace(']', ")"));
        match after.split_once(']') {
            Some((address, behind)) if address.parse::<Ipv6Addr>().is_ok() => {
                safe.push('[');
                safe.push_str(address);
                safe.push(']');
                rest = behind;
            }
            _ => {
                safe.push('(');
                rest = after;
            }
        }
    }
    safe.push_str(&rest.replace(']', ")"));
    safe
}

impl Outcome {
    /// The log line, if there is one beyond those already written.
    #[must_use]
    pub fn log_line(&self, who: &Who) -> Option<Line> {
        let line = |severity, event, detail: &str| Line::new(severity, who.line(event, detail));
        let warning = |event, detail: &str| line(Severity::Warning, event, detail);
        // Somebody came in without a factor: nobody may hide that.
        let waiting = |event, detail: &str| Line {
            waits: true,
            ..warning(event, detail)
        };
        Some(match self {
            Self::Approved(attempt) => Line {
                fields: attempt.fields(),
                ..line(Severity::Info, "Successful Duo login", "")
            },
            Self::ApprovedBefore => line(
                Severity::Info,
                "Successful Duo login",
                "approved a moment ago in the same connection",
            ),
            Self::Skipped { message } => waiting("Skipped Duo login", message),
            Self::Bypassed { .. } => {
                let user = bounded(&who.user);
                let text = format!("User {user} bypassed Duo 2FA due to user's UNIX group");
                Line::new(Severity::Info, text)
            }
            Self::Failsafe(fault) => waiting("Failsafe Duo login", &fault.to_string()),
            Self::RefusedBefore => warning(
                "Failsecure Duo login",
                "a fault kept the user out of this connection a moment ago",
            ),
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
            Self::Error { detail } | Self::LookUpFailed { detail } => {
                line(Severity::Error, "Error in Duo login", detail)
            }
            Self::NoSuchUser => warning("Aborted Duo login", "no such user"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Who, without_fields};
    use crate::outcome::{Attempt, Outcome};
    use proptest::prelude::*;

    #[test]
    fn brackets_from_outside_become_parentheses_but_for_addresses() {
        for (text, expected) in [
            ("a [factor=push ms=1]", "a (factor=push ms=1)"),
            ("[[factor=push]]", "((factor=push))"),
            (
                "Couldn't connect to [::1]:8443: x",
                "Couldn't connect to [::1]:8443: x",
            ),
            ("[::1] [device=x", "[::1] (device=x"),
            ("]] [", ")) ("),
            ("", ""),
        ] {
            assert_eq!(without_fields(text), expected);
        }
    }

    #[test]
    fn a_request_that_was_sent_is_told_with_what_is_known() {
        let who = Who {
            user: "alice".to_owned(),
            from: Some("203.0.113.5".to_owned()),
        };
        let attempt = Attempt {
            factor: "push",
            device: Some("DP 1]".to_owned()),
            txid: Some("T[1".to_owned()),
            ..Attempt::default()
        };
        let line = who.request_sent(&attempt);
        assert_eq!(
            format!("{}{}", line.text, line.fields),
            "Duo login request sent for 'alice' from 203.0.113.5 [factor=push device=DP_1_ txid=T_1]"
        );
    }

    proptest! {
        #[test]
        fn nothing_from_outside_forms_a_field(text in "[a-z \\[\\]=:0-9]{0,60}") {
            let who = Who { user: text.clone(), from: Some(text.clone()) };
            let line = Outcome::Denied { message: text }.log_line(&who).unwrap();
            prop_assert!(line.fields.is_empty());
            let safe = line.text;
            let in_brackets = safe.split('[').skip(1).filter_map(|rest| rest.split(']').next());
            for part in in_brackets {
                prop_assert!(part.parse::<std::net::Ipv6Addr>().is_ok(), "{}", safe);
            }
        }
    }
}
