//! The PAM code of an outcome.

use super::{Fault, Outcome};

/// Writes the codes once: name here, name in Linux-PAM, and whether it lets the user in.
macro_rules! pam_codes {
    ($($(#[doc = $doc:literal])+ $code:ident $name:literal $lets_in:literal,)+) => {
        /// What the module answers libpam. Those of libpam's codes that a login can end with; the
        /// module turns each into its number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[must_use]
        pub enum PamCode {
            $($(#[doc = $doc])+ $code,)+
        }

        impl PamCode {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$code,)+];

            /// Its name, such as `PAM_SUCCESS` (`security/_pam_types.h` of Linux-PAM).
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$code => $name,)+
                }
            }

            /// Whether PAM goes on with the login, as far as this module is concerned.
            #[must_use]
            pub fn lets_in(self) -> bool {
                match self {
                    $(Self::$code => $lets_in,)+
                }
            }
        }
    };
}

pam_codes! {
    /// The user may come in.
    Success "PAM_SUCCESS" true,
    /// This module has no say.
    Ignore "PAM_IGNORE" true,
    /// Duo could not be asked, or something failed after preauth.
    AuthinfoUnavail "PAM_AUTHINFO_UNAVAIL" false,
    /// The set-up is wrong, or a look-up failed.
    ServiceErr "PAM_SERVICE_ERR" false,
    /// Duo keeps the user out.
    PermDenied "PAM_PERM_DENIED" false,
    /// The tries are used up.
    Maxtries "PAM_MAXTRIES" false,
    /// There is no such user.
    UserUnknown "PAM_USER_UNKNOWN" false,
    /// The user cannot be asked, or has cancelled.
    ConvErr "PAM_CONV_ERR" false,
    /// `login_timeout` is over.
    AuthErr "PAM_AUTH_ERR" false,
    /// A panic, caught: no outcome has this code, the hooks give it.
    Abort "PAM_ABORT" false,
}

impl Outcome {
    /// Its PAM code. Nothing that went wrong is ever [`PamCode::Success`] or [`PamCode::Ignore`].
    pub fn pam_code(&self) -> PamCode {
        match self {
            Self::Approved(_)
            | Self::ApprovedBefore
            | Self::Skipped { .. }
            | Self::Failsafe(_)
            | Self::Bypassed { ignore: false } => PamCode::Success,
            Self::Bypassed { ignore: true } => PamCode::Ignore,
            Self::Failsecure { fault, .. } => match fault {
                Fault::Config(_) | Fault::KeysRejected(_) => PamCode::ServiceErr,
                Fault::BadAnswer(_)
                | Fault::Unreachable(_)
                | Fault::NotPermitted(_)
                | Fault::RateLimited(_)
                | Fault::ResourceExhaustion(_) => PamCode::AuthinfoUnavail,
            },
            Self::RefusedBefore | Self::Error { .. } | Self::RefusedLate(_) => {
                PamCode::AuthinfoUnavail
            }
            Self::LookUpFailed { .. } | Self::BadArguments => PamCode::ServiceErr,
            Self::Denied { .. } | Self::Refused(_) | Self::Stopped { .. } => PamCode::PermDenied,
            Self::OutOfTries => PamCode::Maxtries,
            Self::NoSuchUser => PamCode::UserUnknown,
            Self::ConversationFailed { .. } => PamCode::ConvErr,
            Self::TimedOut { .. } => PamCode::AuthErr,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::PamCode as Pam;
    use crate::config::ConfigFault;
    use crate::outcome::{Attempt, Fault, Outcome};
    use duo_auth::{DuoError, Refusal};
    use std::time::Duration;

    #[test]
    fn every_outcome_has_the_code_of_the_contract() {
        let text = String::new;
        let outage = || Fault::BadAnswer(DuoError::Status(503));
        let kept_out = |fault| Outcome::Failsecure {
            fault,
            reason: None,
        };
        let config = || Fault::Config(ConfigFault::MissingKeys);
        let refused = || DuoError::Refused {
            status: 400,
            refusal: Refusal::default(),
        };
        for (outcome, expected) in [
            (Outcome::Approved(Attempt::default()), Pam::Success),
            (Outcome::ApprovedBefore, Pam::Success),
            (Outcome::Skipped { message: text() }, Pam::Success),
            (Outcome::Bypassed { ignore: false }, Pam::Success),
            (Outcome::Bypassed { ignore: true }, Pam::Ignore),
            (Outcome::Failsafe(outage()), Pam::Success),
            (Outcome::Failsafe(config()), Pam::Success),
            (kept_out(outage()), Pam::AuthinfoUnavail),
            (
                kept_out(Fault::RateLimited(DuoError::RateLimited)),
                Pam::AuthinfoUnavail,
            ),
            (
                kept_out(Fault::ResourceExhaustion(text())),
                Pam::AuthinfoUnavail,
            ),
            (Outcome::RefusedBefore, Pam::AuthinfoUnavail),
            (kept_out(config()), Pam::ServiceErr),
            (
                kept_out(Fault::KeysRejected(DuoError::KeysRejected(
                    Refusal::default(),
                ))),
                Pam::ServiceErr,
            ),
            (Outcome::Denied { message: text() }, Pam::PermDenied),
            (Outcome::Refused(refused()), Pam::PermDenied),
            (
                Outcome::Stopped {
                    attempt: Attempt::default(),
                    why: text(),
                },
                Pam::PermDenied,
            ),
            (Outcome::OutOfTries, Pam::Maxtries),
            (Outcome::ConversationFailed { detail: text() }, Pam::ConvErr),
            (
                Outcome::TimedOut {
                    limit: Duration::ZERO,
                },
                Pam::AuthErr,
            ),
            (Outcome::Error { detail: text() }, Pam::AuthinfoUnavail),
            (Outcome::RefusedLate(refused()), Pam::AuthinfoUnavail),
            (Outcome::LookUpFailed { detail: text() }, Pam::ServiceErr),
            (Outcome::NoSuchUser, Pam::UserUnknown),
            (Outcome::BadArguments, Pam::ServiceErr),
        ] {
            assert_eq!(outcome.pam_code(), expected, "{outcome:?}");
        }
    }
}
