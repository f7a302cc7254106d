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

use attempt::{AttemptEnd, Attempts, code_ends};
pub use context::{LoginContext, Rules};
use duo_auth::PreauthRequest;
pub use ports::{Answer, Conversation, ConversationError, Journal, Ports};
use preauth::{Admitted, admit, preauth_failed};
pub use screen::Channel;
use screen::Screen;

use crate::config::MenuSource;
use crate::messages;
use crate::outcome::{Fault, Outcome};

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
