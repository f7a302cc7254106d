//! What can go wrong before the user is asked, and when it may let someone in.

use duo_auth::DuoError;

use super::Outcome;
use crate::config::{ConfigFault, Failmode};

/// What can go wrong up to and including preauth and be answered by `failmode`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Duo cannot be asked, through nobody's fault here.
    #[error("{0}")]
    Outage(DuoError),
    /// The set-up is wrong.
    #[error("{0}")]
    Config(#[from] ConfigFault),
    /// Duo does not take the keys: the set-up is wrong, too.
    #[error("{0}")]
    KeysRejected(DuoError),
}

impl Fault {
    /// What `failmode` makes of it: an outage lets the user in unless it is `secure`; a
    /// configuration fault keeps the user out unless it is `safe`. One typo must not switch
    /// two-factor login off for everyone.
    pub fn judge(self, failmode: Option<Failmode>) -> Outcome {
        let let_in = match (&self, failmode) {
            (_, Some(Failmode::Safe)) | (Self::Outage(_), None) => true,
            (_, Some(Failmode::Secure)) | (Self::Config(_) | Self::KeysRejected(_), None) => false,
        };
        if let_in {
            Outcome::Failsafe(self)
        } else {
            Outcome::Failsecure(self)
        }
    }
}
