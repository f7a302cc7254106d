//! The login as a state machine over [`Ports`]: the conversation, Duo, the clock and the log.
//!
//! Preauth says whether the user needs a factor; then come attempts, each with one factor, until
//! one is approved, the tries are used up, or something fails. Whatever fails after preauth keeps
//! the user out.

mod attempt;
mod context;
mod decision;
mod ports;
mod preauth;
mod screen;
mod server_menu;
mod unsendable;

use attempt::{AttemptEnd, Attempts, code_ends};
pub use context::{LoginContext, Rules};
use duo_auth::{Offer, PreauthRequest};
pub use ports::{Answer, Conversation, ConversationError, Journal, Ports, PushLimit};
use preauth::{Admitted, admit, preauth_failed};
pub use screen::Channel;
use screen::Screen;
use unsendable::Unsendable;

use crate::config::MenuSource;
use crate::messages;
use crate::outcome::{Fault, Outcome};

/// How a login ended.
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Ended {
    /// An outcome that stands, or a fault up to and including preauth, which `failmode` has to judge.
    pub result: Result<Outcome, Fault>,
    /// What the user is to be told once that has been logged.
    pub parting: Vec<String>,
}

/// Runs one login to its end.
pub fn run(context: &LoginContext, rules: &Rules, ports: Ports<'_>) -> Ended {
    let Ports {
        duo,
        conversation,
        clock,
        journal,
        limit,
    } = ports;
    let mut screen = Screen::new(conversation, rules.channel);
    let start = clock.now();
    let end = start + rules.login_timeout;
    // Two requests' worth, whatever happens: retries, waits and the next address included.
    let preauth_end = (start + rules.https_timeout * 2).min(end);
    let asked = PreauthRequest {
        username: &context.username,
        place: context.place(),
        verified_push: rules.verified_push,
        text_prompt: rules.menu == MenuSource::Server,
    };
    let admitted = match duo.preauth(&asked, preauth_end) {
        Ok(preauth) => Ok(admit(preauth, &mut screen)),
        Err(error) => preauth_failed(error, &mut screen).map(Admitted::Ended),
    };
    let result = match admitted {
        Err(fault) => Err(fault),
        Ok(Admitted::Ended(outcome)) => Ok(outcome),
        Ok(Admitted::Offer(offer)) => {
            let mut attempts = Attempts {
                context,
                rules,
                preauth: asked,
                duo,
                clock,
                screen: &mut screen,
                end,
                code_ends: code_ends(&offer, clock),
                journal,
                limit,
                unsendable: Unsendable::new(&context.pam_user, context.password.as_ref()),
                sms_sent: 0,
                verifies: offer.verified_push.is_some(),
            };
            Ok(attempts.until_decided(offer))
        }
    };
    Ended {
        result,
        parting: screen.into_parting(),
    }
}

impl Attempts<'_, '_> {
    /// Tries until one attempt is approved, the tries are used up, or something fails.
    fn until_decided(&mut self, mut offer: Offer) -> Outcome {
        let mut automatic = self.rules.autopush;
        let mut left = self.rules.prompts;
        loop {
            if self.clock.now() >= self.end {
                return self.timed_out();
            }
            let result = if std::mem::take(&mut automatic) {
                self.automatic(&mut offer)
            } else {
                self.by_menu(&mut offer)
            };
            match result {
                AttemptEnd::Over(outcome) => return outcome,
                // Passcodes were sent, or there was nothing to push to: ask.
                AttemptEnd::AskNow => {}
                AttemptEnd::Failed { attempt, why, said } => {
                    self.journal.failed(&attempt, &why);
                    left = left.saturating_sub(1);
                    if left == 0 {
                        self.screen.last_words(&said);
                        return Outcome::OutOfTries;
                    }
                    let tries = messages::tries_left(left);
                    self.screen.notice(&format!("{said}\n{tries}"));
                }
            }
        }
    }
}
