//! What can go wrong before the user is asked, and when it may let someone in.
//!
//! The rule: ask who can cause it. What only Duo can cause lets in unless `failmode` is `secure`.
//! What whoever starts the application can cause, by its limits, ports or stops, lets in only where
//! nobody but root starts it, or where the PAM line itself says so. What anybody with a password
//! can cause, and what this machine lacks, never lets in.

use duo_auth::DuoError;

use crate::config::{ConfigFault, Failmode};
use crate::starter::Starter;

/// What can go wrong up to and including preauth.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Duo answers with 5xx or with what cannot be read: a whole reply over TLS, which nobody here
    /// can forge.
    #[error("{0}")]
    BadAnswer(DuoError),
    /// The way to Duo fails: DNS, TCP, TLS, a proxy, a time-out, a connection that breaks.
    #[error("{0}")]
    Unreachable(DuoError),
    /// This machine does not permit the connection: SELinux, or a local firewall.
    #[error("{0}")]
    NotPermitted(DuoError),
    /// Duo answers 429 to the end. Whoever has a password can bring it about.
    #[error("{0}")]
    RateLimited(DuoError),
    /// This machine lacks descriptors, memory or ports, or the process was stopped.
    #[error("{0}")]
    ResourceExhaustion(String),
    /// The set-up is wrong.
    #[error("{0}")]
    Config(#[from] ConfigFault),
    /// Duo does not take the keys: the set-up is wrong, too.
    #[error("{0}")]
    KeysRejected(DuoError),
}

/// What the administrator has said, and who can cause what it is said about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Consent {
    /// `failmode` of the file.
    pub file: Option<Failmode>,
    /// `failmode` of the PAM line, which overrides the file's.
    pub argument: Option<Failmode>,
    /// Who started the application.
    pub starter: Starter,
}

impl Consent {
    fn failmode(self) -> Option<Failmode> {
        self.argument.or(self.file)
    }
}

/// Whether a fault lets someone in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// The user comes in without a second factor.
    LetIn,
    /// The user stays out.
    KeepOut(Reason),
}

/// Why a fault keeps someone out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// `failmode` is `secure`.
    Secure,
    /// A configuration fault needs the word `safe`: one typo must not switch two-factor login off.
    NotSafe,
    /// A user started the application and can cause this; only the PAM line's word lets in.
    StartedByUser,
    /// Whoever has a password can cause this.
    AnyoneWithPassword,
    /// What this machine lacks is never an outage.
    OwnMachine,
}

impl TryFrom<DuoError> for Fault {
    type Error = DuoError;

    /// What an error is before the user is asked. What is no fault that `failmode` may judge comes
    /// back: Duo refuses the request (4xx), or a bug.
    fn try_from(error: DuoError) -> Result<Self, DuoError> {
        Ok(match error {
            DuoError::Status(_) | DuoError::BadReply(_) => Self::BadAnswer(error),
            DuoError::Unreachable { .. } => Self::Unreachable(error),
            DuoError::NotPermitted { .. } => Self::NotPermitted(error),
            DuoError::RateLimited => Self::RateLimited(error),
            DuoError::ResourceExhausted { .. } => Self::ResourceExhaustion(error.to_string()),
            DuoError::KeysRejected(_) => Self::KeysRejected(error),
            DuoError::Refused { .. } | DuoError::Bug(_) => return Err(error),
        })
    }
}

impl Fault {
    /// The table "When does a fault let someone in?" of `docs/contract.md`.
    pub fn judge(&self, consent: Consent) -> Verdict {
        let failmode = consent.failmode();
        let trusted_way = match consent.starter {
            Starter::Root => true,
            Starter::User => consent.argument == Some(Failmode::Safe),
        };
        match (self, failmode) {
            (_, Some(Failmode::Secure)) => Verdict::KeepOut(Reason::Secure),
            (Self::RateLimited(_), _) => Verdict::KeepOut(Reason::AnyoneWithPassword),
            (Self::ResourceExhaustion(_), _) => Verdict::KeepOut(Reason::OwnMachine),
            (Self::Config(_) | Self::KeysRejected(_) | Self::NotPermitted(_), None) => {
                Verdict::KeepOut(Reason::NotSafe)
            }
            (Self::Unreachable(_) | Self::NotPermitted(_), _) if !trusted_way => {
                Verdict::KeepOut(Reason::StartedByUser)
            }
            (Self::BadAnswer(_) | Self::Unreachable(_), None)
            | (
                Self::BadAnswer(_)
                | Self::Unreachable(_)
                | Self::NotPermitted(_)
                | Self::Config(_)
                | Self::KeysRejected(_),
                Some(Failmode::Safe),
            ) => Verdict::LetIn,
        }
    }

    /// Whether the set-up is wrong, rather than something on the way to Duo.
    #[must_use]
    pub fn is_configuration(&self) -> bool {
        matches!(self, Self::Config(_) | Self::KeysRejected(_))
    }
}

impl Reason {
    /// The reason in words for the log of the PAM service `service`; none for `secure`, which says
    /// it all.
    #[must_use]
    pub fn in_words(self, service: &str) -> Option<String> {
        Some(match self {
            Self::Secure => return None,
            Self::NotSafe => "this lets in only where failmode says safe".to_owned(),
            Self::StartedByUser => format!(
                "{service} was started by a user, who can cause this; failmode=safe in \
                 /etc/pam.d/{service} lets in all the same"
            ),
            Self::AnyoneWithPassword => {
                "whoever has a password can cause this, so it lets nobody in".to_owned()
            }
            Self::OwnMachine => "what this machine lacks never lets in".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Consent, Fault, Reason, Verdict};
    use crate::config::{ConfigFault, Failmode};
    use crate::starter::Starter;
    use duo_auth::{DuoError, Refusal};

    fn faults() -> [(&'static str, Fault); 7] {
        let (host, detail) = ("h".to_owned(), "d".to_owned());
        [
            ("answer", Fault::BadAnswer(DuoError::Status(503))),
            (
                "way",
                Fault::Unreachable(DuoError::Unreachable {
                    host: host.clone(),
                    detail: detail.clone(),
                }),
            ),
            (
                "permission",
                Fault::NotPermitted(DuoError::NotPermitted { host, detail }),
            ),
            ("rate", Fault::RateLimited(DuoError::RateLimited)),
            ("machine", Fault::ResourceExhaustion("d".to_owned())),
            ("config", Fault::Config(ConfigFault::MissingKeys)),
            (
                "config",
                Fault::KeysRejected(DuoError::KeysRejected(Refusal::default())),
            ),
        ]
    }

    /// The contract's table, by hand: kind of fault, started by root or not, and who is let in with
    /// failmode not set, safe in the file, and safe as the argument. Secure lets nobody in.
    const TABLE: [(&str, Starter, bool, bool, bool); 12] = [
        ("answer", Starter::Root, true, true, true),
        ("answer", Starter::User, true, true, true),
        ("way", Starter::Root, true, true, true),
        ("way", Starter::User, false, false, true),
        ("permission", Starter::Root, false, true, true),
        ("permission", Starter::User, false, false, true),
        ("rate", Starter::Root, false, false, false),
        ("rate", Starter::User, false, false, false),
        ("machine", Starter::Root, false, false, false),
        ("machine", Starter::User, false, false, false),
        ("config", Starter::Root, false, true, true),
        ("config", Starter::User, false, true, true),
    ];

    #[test]
    fn every_cell_of_the_contracts_table_holds() {
        const SAFE: Option<Failmode> = Some(Failmode::Safe);
        const SECURE: Option<Failmode> = Some(Failmode::Secure);
        for (kind, fault) in faults() {
            for (row, starter, unset, file, argument) in TABLE {
                if row != kind {
                    continue;
                }
                for (in_file, on_line, let_in) in [
                    (None, None, unset),
                    (SAFE, None, file),
                    (None, SAFE, argument),
                    (SAFE, SAFE, argument),
                    (SECURE, SAFE, argument),
                    (SECURE, None, false),
                    (None, SECURE, false),
                    (SAFE, SECURE, false),
                ] {
                    let verdict = fault.judge(Consent {
                        file: in_file,
                        argument: on_line,
                        starter,
                    });
                    let place = format!("{kind}, {starter:?}, file {in_file:?}, line {on_line:?}");
                    assert_eq!(verdict == Verdict::LetIn, let_in, "{place}");
                    if let Verdict::KeepOut(reason) = verdict {
                        let secure = on_line.or(in_file) == SECURE;
                        assert_eq!(reason == Reason::Secure, secure, "{place}");
                        assert_eq!(reason.in_words("sudo").is_none(), secure, "{place}");
                    }
                }
            }
        }
    }
}
