//! What preauth's reply, or its failure, means for the login.

use duo_auth::{DuoError, Offer, Preauth};

use super::screen::Screen;
use crate::messages;
use crate::outcome::{Fault, Outcome};

/// What preauth's reply means.
pub(super) enum Admitted {
    /// A factor is needed.
    Offer(Offer),
    /// The login is decided.
    Ended(Outcome),
}

/// Reads the reply; says what the user has to know.
pub(super) fn admit(preauth: Preauth, screen: &mut Screen<'_>) -> Admitted {
    Admitted::Ended(match preauth {
        Preauth::Auth(offer) => return Admitted::Offer(offer),
        Preauth::Allow { message } => Outcome::Skipped { message },
        Preauth::Deny { message } => {
            screen.last_words(&messages::duo_says(&message, messages::NOT_ALLOWED));
            Outcome::Denied { message }
        }
        Preauth::Enroll {
            message,
            portal_url,
        } => {
            screen.last_words(&messages::duo_says(&message, messages::ENROLL));
            if let Some(url) = &portal_url {
                screen.last_words(&messages::enroll_at(url));
            }
            let message = match message {
                empty if empty.trim().is_empty() => "the user has to enroll in Duo".to_owned(),
                message => message,
            };
            Outcome::Denied { message }
        }
        Preauth::Unknown(result) => {
            screen.last_words(messages::FAILED);
            Outcome::Error {
                detail: format!("Duo's preauth gave an unknown result '{result}'"),
            }
        }
    })
}

/// Sorts what went wrong at preauth into what `failmode` may judge and what it may not.
pub(super) fn preauth_failed(error: DuoError, screen: &mut Screen<'_>) -> Result<Outcome, Fault> {
    let kept_out = match Fault::try_from(error) {
        Ok(fault) => return Err(fault),
        Err(error) => error,
    };
    screen.last_words(messages::FAILED);
    Ok(match kept_out {
        DuoError::Bug(detail) => Outcome::Error { detail },
        refused => Outcome::Refused(refused),
    })
}
