//! From the request for a factor to Duo's decision.
// An attempt's end is made a few times in a login; its size does not matter.
#![allow(clippy::result_large_err)]

use super::attempt::{AttemptEnd, Attempts, PACE, Started};
use super::ports::Answer;
use super::server_menu::is_sms;
use super::unsendable;
use crate::menu::passcode;
use crate::messages;
use crate::outcome::{Attempt, Outcome};
use duo_auth::DuoError;
use duo_auth::{AuthReply, AuthRequest, Factor, Progress, Status, Verdict};

/// Status changes polled without delay before throttling: a call that is dialled, rings and is
/// answered has three.
const MOST_NEWS: u8 = 8;

/// Why a factor was not asked for.
pub(super) enum NotStarted {
    /// Pushes and calls are closed for the user.
    Closed,
    /// Duo gave no usable answer.
    Duo(DuoError),
}

/// Whether a factor reaches the user's phone by itself. Of an answer to Duo's own menu, only what is a
/// passcode or asks for SMS surely does not.
fn rings(factor: &Factor<'_>) -> bool {
    match factor {
        Factor::Push { .. } | Factor::Phone { .. } => true,
        Factor::Sms { .. } | Factor::Passcode(_) => false,
        Factor::Prompt { answer, .. } => {
            passcode(answer.expose()).is_none() && !is_sms(answer.expose())
        }
    }
}

impl Attempts<'_, '_> {
    /// Asks Duo for a factor and waits for the decision.
    pub(super) fn use_factor(
        &mut self,
        factor: Factor<'_>,
        attempt: Attempt,
        progress: Option<&str>,
    ) -> AttemptEnd {
        let mut started = Started::new(attempt, self.clock.now());
        match self.start(factor, &mut started) {
            // The menu says so.
            Err(NotStarted::Closed) => AttemptEnd::AskNow,
            Err(NotStarted::Duo(error)) => self.broken(error),
            Ok(decided) => self.go_on(decided, started, progress),
        }
    }

    /// Says what is under way and waits for the decision, unless Duo has decided already.
    pub(super) fn go_on(
        &mut self,
        decided: Option<Progress>,
        started: Started,
        progress: Option<&str>,
    ) -> AttemptEnd {
        match (decided, progress) {
            (Some(decided), _) => self.decided(started, decided),
            (None, Some(progress)) if self.screen.wants_progress_prompt() => {
                let question = format!("{progress}\n{}", messages::PRESS_ENTER);
                self.ask_and_wait(started, &question)
            }
            (None, progress) => {
                if let Some(progress) = progress {
                    self.screen.progress(progress);
                }
                self.wait(started)
            }
        }
    }

    /// Asks Duo for a factor, asks the user at the same time, and then waits for the decision.
    pub(super) fn use_factor_and_ask(
        &mut self,
        factor: Factor<'_>,
        attempt: Attempt,
        question: &str,
    ) -> AttemptEnd {
        let mut started = Started::new(attempt, self.clock.now());
        match self.start(factor, &mut started) {
            // The menu says so.
            Err(NotStarted::Closed) => AttemptEnd::AskNow,
            Err(NotStarted::Duo(error)) => self.broken(error),
            Ok(Some(decided)) => self.decided(started, decided),
            Ok(None) => self.ask_and_wait(started, question),
        }
    }

    /// Asks, uses a passcode if one is typed, and else waits for the decision.
    pub(super) fn ask_and_wait(&mut self, started: Started, question: &str) -> AttemptEnd {
        let typed = match self.ask(question) {
            // A program that answers everything by itself has said nothing.
            Ok(Answer::Text(answer)) => passcode(answer.expose())
                .filter(|_| self.unsendable.judge(answer.expose()) == unsendable::Verdict::Send),
            Ok(Answer::Unusable) => None,
            Err(over) => return over,
        };
        match typed {
            Some(passcode) => self.use_passcode(&passcode),
            None => self.wait(started),
        }
    }

    /// Sends the request. `None` means that the decision is still to come. A push or call is counted
    /// before it goes out, and logged as soon as it has.
    pub(super) fn start(
        &mut self,
        factor: Factor<'_>,
        started: &mut Started,
    ) -> Result<Option<Progress>, NotStarted> {
        let rings = rings(&factor);
        if rings && !self.limit.send() {
            return Err(NotStarted::Closed);
        }
        let request = AuthRequest {
            username: &self.context.username,
            place: self.context.place(),
            factor,
        };
        match self.duo.auth(&request, self.end) {
            Ok(AuthReply::Transaction(txid)) => {
                started.attempt.txid = Some(txid);
                if rings {
                    self.journal.sent(&started.attempt);
                }
                Ok(None)
            }
            Ok(AuthReply::Decided(progress)) => Ok(Some(progress)),
            Err(error) => {
                // Whatever else went wrong, it may be on its way.
                if rings && matches!(error, DuoError::Refused { .. }) {
                    self.limit.withdraw();
                }
                Err(NotStarted::Duo(error))
            }
        }
    }

    /// Polls until Duo has decided or the login is over.
    pub(super) fn wait(&mut self, started: Started) -> AttemptEnd {
        let txid = started.attempt.txid.clone().unwrap_or_default();
        let mut last = None;
        let mut news_so_far = 0;
        loop {
            if self.clock.now() >= self.end {
                return AttemptEnd::Over(self.timed_out());
            }
            let polled = self.clock.now();
            let progress = match self.duo.auth_status(&txid, self.end) {
                Ok(progress) => progress,
                Err(error) => return self.broken(error),
            };
            if progress.verdict != Verdict::Waiting {
                return self.decided(started, progress);
            }
            if progress.status == Status::PushFailed {
                return started.failed(self.clock.now(), "push failed", messages::NOT_DELIVERED);
            }
            let news = (progress.status, progress.message);
            let is_old = last.as_ref() == Some(&news);
            if is_old || news_so_far >= MOST_NEWS {
                // Duo answers when something has changed; never ask faster than that, nor as fast as
                // a server that always has something new.
                let took = self.clock.now().saturating_sub(polled);
                self.clock.sleep(PACE.saturating_sub(took));
            }
            if is_old {
                continue;
            }
            news_so_far = MOST_NEWS.min(news_so_far + 1);
            // That a push is on its way has been said, with the device's name.
            let (status, message) = &news;
            if *status != Status::Pushed && !message.trim().is_empty() {
                self.screen.progress(&messages::duo_says(message, ""));
            }
            last = Some(news);
        }
    }

    /// What Duo's decision means.
    pub(super) fn decided(&mut self, started: Started, progress: Progress) -> AttemptEnd {
        let Progress {
            verdict,
            status,
            message,
        } = progress;
        let now = self.clock.now();
        let rang = matches!(started.attempt.factor, "push" | "phone");
        match (&verdict, &status) {
            (Verdict::Allow, _) => self.limit.approved(),
            (Verdict::Deny, Status::Fraud) => self.limit.fraud(),
            (Verdict::Deny, Status::Deny) if rang => self.limit.denied(),
            _ => {}
        }
        let otherwise = match (&verdict, &status) {
            (Verdict::Allow, _) => return AttemptEnd::Over(Outcome::Approved(started.over(now))),
            (Verdict::Deny, Status::Sent) => {
                // Duo's own menu knows words for SMS that this module does not.
                if let Err(enough) = self.may_send_sms() {
                    return enough;
                }
                self.sms_sent += 1;
                self.screen.notice(messages::SMS_SENT);
                return AttemptEnd::AskNow;
            }
            (Verdict::Deny, Status::Fraud) => messages::FRAUD,
            (Verdict::Deny, Status::LockedOut) => messages::LOCKED_OUT,
            (Verdict::Deny, Status::Timeout) => messages::TIMED_OUT,
            (Verdict::Deny, _) => messages::DENIED,
            (Verdict::Waiting, _) => {
                return self.broken(DuoError::BadReply("auth is waiting for itself".to_owned()));
            }
            (Verdict::Unknown(result), _) => {
                let detail = format!("Duo gave an unknown result '{result}'");
                return self.broken(DuoError::Bug(detail));
            }
        };
        let said = messages::duo_says(&message, otherwise);
        if matches!(status, Status::Fraud | Status::LockedOut) {
            self.screen.last_words(&said);
            return AttemptEnd::Over(Outcome::Stopped {
                attempt: started.over(now),
                why: said,
            });
        }
        started.failed(now, &said, &said)
    }

    /// Something failed after preauth: out, whatever `failmode` says.
    pub(super) fn broken(&mut self, error: DuoError) -> AttemptEnd {
        if self.clock.now() >= self.end {
            return AttemptEnd::Over(self.timed_out());
        }
        self.screen.last_words(messages::FAILED);
        AttemptEnd::Over(match error {
            DuoError::Refused { .. } => Outcome::RefusedLate(error),
            DuoError::Bug(detail) => Outcome::Error { detail },
            other => Outcome::Error {
                detail: other.to_string(),
            },
        })
    }
}
