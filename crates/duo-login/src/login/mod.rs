//! The login as a state machine over three small traits: [`Conversation`], [`DuoApi`], [`Clock`].
//!
//! Preauth says whether the user needs a factor; then come attempts, each with one factor, until
//! one is approved, the tries are used up, or something fails. Whatever fails after preauth keeps
//! the user out.

mod attempt;
mod decision;
mod screen;
mod server_menu;

use std::time::Duration;

use attempt::{AttemptEnd, Attempts, code_ends};
pub use screen::Channel;
use screen::Screen;

use crate::config::MenuSource;
use crate::messages;
use crate::outcome::{Attempt, Fault, Outcome};
use duo_auth::Secret;
use duo_auth::clock::Clock;
use duo_auth::{DuoApi, DuoError};
use duo_auth::{Offer, Place, Preauth, PreauthRequest};

/// Talks to the user.
pub trait Conversation {
    /// Asks a question whose answer may be seen, and waits for it.
    ///
    /// # Errors
    /// [`ConversationError`] if there is no answer: the user cancelled, the connection is gone, or
    /// the program cannot ask.
    fn ask(&mut self, text: &str) -> Result<Answer, ConversationError>;

    /// Says something. Whether it is seen, and when, is up to the program that asks.
    fn inform(&mut self, text: &str);
}

/// What came back from a question.
#[derive(Debug)]
pub enum Answer {
    /// What the user typed.
    Text(Secret),
    /// Something that is no text: too long, or not UTF-8.
    Unusable,
}

/// There is no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConversationError(pub String);

/// Is told of each attempt that failed, when it fails.
pub trait Journal {
    /// `attempt` failed because of `why`.
    fn failed(&mut self, attempt: &Attempt, why: &str);
}

/// Who wants to log in, and from where.
#[derive(Clone, Debug, Default)]
pub struct LoginContext {
    /// Duo user name.
    pub username: String,
    /// The client's address, for Duo.
    pub ipaddr: Option<String>,
    /// This server's name, for Duo.
    pub hostname: Option<String>,
    /// The line above the push's details.
    pub push_kind: Option<String>,
    /// What the phone shows of the login, URL-encoded.
    pub pushinfo: Option<String>,
}

impl LoginContext {
    fn place(&self) -> Place<'_> {
        Place {
            ipaddr: self.ipaddr.as_deref(),
            hostname: self.hostname.as_deref(),
        }
    }
}

/// What the configuration says about the login itself.
#[derive(Clone, Copy, Debug)]
pub struct Rules {
    /// How often a user may try.
    pub prompts: u8,
    /// Use the first usable factor without asking.
    pub autopush: bool,
    /// A verification code can be shown.
    pub verified_push: bool,
    /// Who builds the menu.
    pub menu: MenuSource,
    /// What the program that asks does with messages.
    pub channel: Channel,
    /// For one request.
    pub https_timeout: Duration,
    /// For the whole login.
    pub login_timeout: Duration,
}

/// The three traits and the journal.
pub struct Ports<'a> {
    /// Duo.
    pub duo: &'a mut dyn DuoApi,
    /// The user.
    pub conversation: &'a mut dyn Conversation,
    /// Time.
    pub clock: &'a dyn Clock,
    /// The log.
    pub journal: &'a mut dyn Journal,
}

/// How the login went: a fault up to and including preauth, which `failmode` has to judge, or an
/// outcome that stands.
pub type Ended = Result<Outcome, Fault>;

/// Runs one login to its end.
///
/// # Errors
/// [`Fault`] for what goes wrong up to and including preauth.
pub fn run(request: &LoginContext, rules: &Rules, world: Ports<'_>) -> Ended {
    let Ports {
        duo,
        conversation,
        clock,
        journal,
    } = world;
    let start = clock.now();
    let end = start + rules.login_timeout;
    // Two requests' worth, whatever happens: retries, waits and the next address included.
    let preauth_end = (start + rules.https_timeout * 2).min(end);
    let mut screen = Screen::new(conversation, rules.channel);
    let asked = PreauthRequest {
        username: &request.username,
        place: request.place(),
        verified_push: rules.verified_push,
        text_prompt: rules.menu == MenuSource::Server,
    };
    let mut offer = match duo.preauth(&asked, preauth_end) {
        Ok(preauth) => match admit(preauth, &mut screen) {
            Admitted::Offer(offer) => offer,
            Admitted::Ended(outcome) => return Ok(outcome),
        },
        Err(error) => return preauth_failed(error, &mut screen),
    };
    let mut attempts = Attempts {
        request,
        rules,
        preauth: asked,
        duo,
        clock,
        screen,
        end,
        code_ends: code_ends(&offer, clock),
        sms_sent: 0,
        verifies: offer.verified_push.is_some(),
    };
    let mut automatic = rules.autopush;
    let mut left = rules.prompts;
    loop {
        if clock.now() >= end {
            return Ok(attempts.timed_out());
        }
        let result = if std::mem::take(&mut automatic) {
            attempts.automatic(&mut offer)
        } else {
            attempts.by_menu(&mut offer)
        };
        match result {
            AttemptEnd::Over(outcome) => return Ok(outcome),
            // Passcodes were sent, or there was nothing to push to: ask.
            AttemptEnd::AskNow => {}
            AttemptEnd::Failed { attempt, why, said } => {
                journal.failed(&attempt, &why);
                left = left.saturating_sub(1);
                if left == 0 {
                    attempts.screen.last_words(&said);
                    return Ok(Outcome::OutOfTries);
                }
                let tries = messages::tries_left(left);
                attempts.screen.notice(&format!("{said}\n{tries}"));
            }
        }
    }
}

/// What preauth's reply means.
enum Admitted {
    /// A factor is needed.
    Offer(Offer),
    /// The login is decided.
    Ended(Outcome),
}

fn admit(preauth: Preauth, screen: &mut Screen<'_>) -> Admitted {
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
fn preauth_failed(error: DuoError, screen: &mut Screen<'_>) -> Ended {
    Err(match error {
        DuoError::Unreachable { .. } | DuoError::Status(_) | DuoError::BadReply(_) => {
            Fault::Outage(error)
        }
        DuoError::KeysRejected(_) => Fault::KeysRejected(error),
        DuoError::Refused { .. } => {
            screen.last_words(messages::FAILED);
            return Ok(Outcome::Refused(error));
        }
        DuoError::Bug(detail) => {
            screen.last_words(messages::FAILED);
            return Ok(Outcome::Error { detail });
        }
    })
}
