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

/// Is told what happens to attempts, when it happens.
pub trait Journal {
    /// A push or a call has gone out: who then abandons the login leaves a trace.
    fn sent(&mut self, attempt: &Attempt);

    /// `attempt` failed because of `why`.
    fn failed(&mut self, attempt: &Attempt, why: &str);
}

/// Counts the pushes and calls of one user that nobody has approved yet.
pub trait PushLimit {
    /// Whether pushes and calls must be neither offered nor sent.
    fn is_closed(&mut self) -> bool;
    /// A push or call is about to go out, and is counted. False if it must not, and is not.
    fn send(&mut self) -> bool;
    /// Duo has refused to send the last one.
    fn withdraw(&mut self);
    /// The last one was denied.
    fn denied(&mut self);
    /// The user has approved, or typed a right passcode.
    fn approved(&mut self);
    /// The last one was reported as fraud.
    fn fraud(&mut self);
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
    /// How many pushes and calls may go out.
    pub limit: &'a mut dyn PushLimit,
}
