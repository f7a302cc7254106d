//! What a login talks to, as traits: the user, Duo, the clock and the log.

use duo_auth::clock::Clock;
use duo_auth::{DuoApi, Secret};

use crate::outcome::Attempt;

/// Talks to the user.
pub trait Conversation {
    /// Asks a question whose answer may be seen, and waits for it.
    ///
    /// # Errors
    /// [`ConversationError`] if there is no answer: the user cancelled, the connection is gone, or
    /// the application cannot ask.
    fn ask(&mut self, text: &str) -> Result<Answer, ConversationError>;

    /// Says something. Whether it is seen, and when, is up to the application.
    fn inform(&mut self, text: &str);
}

/// What came back from a question.
#[derive(Debug)]
pub enum Answer {
    /// What the user typed.
    Text(Secret),
    /// Something that is not text: too long, or not UTF-8.
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

/// What a login talks to; tests pass fakes.
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
