//! One attempt: the menu or autopush, the factor, and the wait for Duo's decision.
// An attempt's end is made a few times in a login; its size does not matter.
#![allow(clippy::result_large_err)]

use std::time::{Duration, UNIX_EPOCH};

use super::screen::Screen;
use super::{Admitted, Answer, Request, Rules, admit};
use crate::clock::Clock;
use crate::config::Menu as MenuSource;
use crate::duo::api::{
    AuthReply, AuthRequest, Factor, Offer, PreauthRequest, Progress, ServerPrompt, Status, Verdict,
};
use crate::duo::client::{DuoApi, DuoError};
use crate::menu::{Choice, Kind, LONGEST_ANSWER, Menu, MenuOption, passcode};
use crate::outcome::{Attempt, Outcome};
use crate::secret::Secret;
use crate::text;

/// How often passcodes may be sent by SMS in one login.
const MOST_SMS: u8 = 3;
/// Shortest time between two polls that bring no news.
const PACE: Duration = Duration::from_secs(1);
/// How long the transaction of a verified push lives where Duo does not say.
const TRANSACTION_LIFE: Duration = Duration::from_secs(60);
/// A code with less time left than this is as good as expired: it has to be typed.
const CODE_MARGIN: Duration = Duration::from_secs(5);

/// How an attempt ended.
pub(super) enum AttemptEnd {
    /// The login is over.
    Over(Outcome),
    /// The attempt failed and counts.
    Failed {
        /// For the log.
        attempt: Attempt,
        /// For the log.
        why: String,
        /// For the user.
        said: String,
    },
    /// Nothing was tried that counts: ask.
    AskNow,
}

/// What the attempts of one login share.
pub(super) struct Attempts<'a> {
    pub(super) request: &'a Request,
    pub(super) rules: &'a Rules,
    pub(super) preauth: PreauthRequest<'a>,
    pub(super) duo: &'a mut dyn DuoApi,
    pub(super) clock: &'a dyn Clock,
    pub(super) screen: Screen<'a>,
    /// When the login has to be over, on the line of [`Clock::now`].
    pub(super) end: Duration,
    /// When the current offer was made, on the same line.
    pub(super) offered_at: Duration,
    /// How often passcodes were sent by SMS.
    pub(super) sms_sent: u8,
    /// Whether policy asks for verified pushes, so that each needs a code of its own.
    pub(super) verifies: bool,
}

impl Attempts<'_> {
    /// Pushes, or else calls, without asking; in the menu if neither is possible.
    pub(super) fn automatic(&mut self, offer: &mut Offer) -> AttemptEnd {
        if self.rules.menu == MenuSource::Server {
            return self.server_automatic(offer);
        }
        let menu = Menu::new(offer);
        match menu.automatic() {
            Some(option) if option.kind == Kind::Push && offer.verified_push.is_some() => {
                self.verified_push(option, offer)
            }
            Some(option) => self.use_option(option, offer),
            None => AttemptEnd::AskNow,
        }
    }

    /// Asks and does what the answer says.
    pub(super) fn by_menu(&mut self, offer: &mut Offer) -> AttemptEnd {
        if self.rules.menu == MenuSource::Server {
            if let Some(prompt) = offer.prompt.clone() {
                return self.by_server_menu(&prompt, offer);
            }
        }
        if let Err(over) = self.renew_if_used(offer) {
            return over;
        }
        let menu = Menu::new(offer);
        let answer = match self.ask(&menu.render(&self.request.username)) {
            Ok(answer) => answer,
            Err(over) => return over,
        };
        let choice = match &answer {
            Answer::Text(text) => menu.choose(text.expose()),
            Answer::Unusable => Choice::Neither,
        };
        match choice {
            Choice::Passcode(passcode) => self.use_passcode(&passcode),
            Choice::Option(option) => self.use_option(option, offer),
            Choice::Neither => AttemptEnd::Failed {
                attempt: Attempt::default(),
                // Not what was typed: it may be a password.
                why: "the answer is neither an option nor a passcode".to_owned(),
                said: text::not_an_answer(menu.len()),
            },
        }
    }

    /// `login_timeout` is over.
    pub(super) fn timed_out(&mut self) -> Outcome {
        self.screen.last_words(text::TIMED_OUT);
        Outcome::TimedOut {
            limit: self.rules.login_timeout,
        }
    }

    fn ask(&mut self, question: &str) -> Result<Answer, AttemptEnd> {
        match self.screen.ask(question) {
            Err(error) => Err(AttemptEnd::Over(Outcome::ConversationFailed {
                detail: error.to_string(),
            })),
            Ok(_) if self.clock.now() >= self.end => Err(AttemptEnd::Over(self.timed_out())),
            Ok(answer) => Ok(answer),
        }
    }

    fn use_passcode(&mut self, passcode: &Secret) -> AttemptEnd {
        let attempt = Attempt {
            factor: "passcode",
            ..Attempt::default()
        };
        self.use_factor(Factor::Passcode(passcode), attempt, None)
    }

    fn use_option(&mut self, option: &MenuOption, offer: &mut Offer) -> AttemptEnd {
        let attempt = attempt_with(option);
        let device = option.device.as_str();
        match option.kind {
            Kind::Push => self.use_push(option, offer),
            Kind::Phone => {
                let progress = text::calling(&option.device_name);
                self.use_factor(Factor::Phone { device }, attempt, Some(&progress))
            }
            Kind::Sms => match self.count_sms() {
                Ok(()) => self.use_factor(Factor::Sms { device }, attempt, None),
                Err(enough) => enough,
            },
        }
    }

    /// Counts one request for passcodes by SMS, if there may be one more.
    fn count_sms(&mut self) -> Result<(), AttemptEnd> {
        if self.sms_sent >= MOST_SMS {
            return Err(AttemptEnd::Failed {
                attempt: Attempt::default(),
                why: format!("SMS passcodes were asked for more than {MOST_SMS} times"),
                said: text::SMS_ENOUGH.to_owned(),
            });
        }
        self.sms_sent += 1;
        Ok(())
    }

    /// Sends a verified push and shows its code in a prompt that goes out together with it: the
    /// one thing that every sshd shows at once. A passcode typed there is used.
    fn verified_push(&mut self, option: &MenuOption, offer: &mut Offer) -> AttemptEnd {
        if let Err(over) = self.renew_if_expired(offer) {
            return over;
        }
        let Some(verified) = offer.verified_push.take() else {
            // Policy has changed meanwhile: a plain push it is.
            return self.use_option(option, offer);
        };
        let factor = push(self.request, &option.device, Some(&verified.txid));
        let question = text::verified_push(&verified.code);
        self.use_factor_and_ask(factor, attempt_with(option), &question)
    }

    /// Sends the push of an option whose code, if there is one, the user has seen in the menu. If
    /// Duo says that the code is too old, the user gets a new one.
    fn use_push(&mut self, option: &MenuOption, offer: &mut Offer) -> AttemptEnd {
        if self.code_expired(offer) {
            return self.verified_push(option, offer);
        }
        let verified = offer.verified_push.take();
        let txid = verified.as_ref().map(|push| push.txid.as_str());
        let factor = push(self.request, &option.device, txid);
        let progress = text::pushed(&option.device_name);
        let mut started = Started::new(attempt_with(option), self.clock.now());
        match self.start(factor, &mut started) {
            Err(refused) if verified.is_some() && is_bad_parameter(&refused) => {
                if let Err(over) = self.renew(offer) {
                    return over;
                }
                self.screen.notice(text::CODE_EXPIRED);
                self.verified_push(option, offer)
            }
            result => self.go_on(result, started, Some(&progress)),
        }
    }

    /// Shows Duo's own menu and sends what the answer stands for.
    fn by_server_menu(&mut self, prompt: &ServerPrompt, offer: &mut Offer) -> AttemptEnd {
        if let Err(over) = self.renew_if_used(offer) {
            return over;
        }
        let mut question = String::new();
        if let Some(verified) = &offer.verified_push {
            question.push_str(&text::menu_code(&verified.code));
            question.push_str("\n\n");
        }
        question.push_str(&text::server_menu(&prompt.text));
        let answer = match self.ask(&question) {
            Ok(Answer::Text(answer)) if answer.expose().len() <= LONGEST_ANSWER => answer,
            Ok(_) => return not_usable(),
            Err(over) => return over,
        };
        let typed = answer.expose().trim();
        let key = if typed.is_empty() { "default" } else { typed };
        match prompt.factors.get(key) {
            Some(factor) => self.use_prompt(&Secret::from(factor.as_str()), offer),
            None if typed.is_empty() => not_usable(),
            None => self.use_prompt(&Secret::from(typed), offer),
        }
    }

    /// Uses the default of Duo's own menu, if that is a push or a call.
    fn server_automatic(&mut self, offer: &mut Offer) -> AttemptEnd {
        let default = offer
            .prompt
            .as_ref()
            .and_then(|prompt| prompt.factors.get("default").cloned());
        let Some(default) = default.filter(|f| matches!(prompt_factor(f), "push" | "phone")) else {
            return AttemptEnd::AskNow;
        };
        let answer = Secret::from(default.as_str());
        if prompt_factor(&default) == "push" {
            self.prompt_with_code(&answer, offer)
        } else {
            self.use_prompt(&answer, offer)
        }
    }

    /// Sends an answer to Duo's own menu that asks for a push, and shows its code, if it has one, in
    /// a prompt that goes out together with it.
    fn prompt_with_code(&mut self, answer: &Secret, offer: &mut Offer) -> AttemptEnd {
        let Some(verified) = offer.verified_push.take() else {
            return self.use_prompt(answer, offer);
        };
        let factor = Factor::Prompt {
            answer,
            txid: Some(&verified.txid),
            pushinfo: self.request.pushinfo.as_deref(),
        };
        let attempt = Attempt {
            factor: "push",
            ..Attempt::default()
        };
        let question = text::verified_push(&verified.code);
        self.use_factor_and_ask(factor, attempt, &question)
    }

    /// Sends an answer to Duo's own menu.
    fn use_prompt(&mut self, answer: &Secret, offer: &mut Offer) -> AttemptEnd {
        let kind = prompt_factor(answer.expose());
        if kind == "sms" {
            if let Err(enough) = self.count_sms() {
                return enough;
            }
        }
        if kind == "push" && self.code_expired(offer) {
            return match self.renew_if_expired(offer) {
                Ok(()) => self.prompt_with_code(answer, offer),
                Err(over) => over,
            };
        }
        let verified = match kind {
            "push" => offer.verified_push.take(),
            _ => None,
        };
        let factor = Factor::Prompt {
            answer,
            txid: verified.as_ref().map(|push| push.txid.as_str()),
            pushinfo: self.request.pushinfo.as_deref(),
        };
        let attempt = Attempt {
            factor: kind,
            ..Attempt::default()
        };
        self.use_factor(factor, attempt, None)
    }

    /// Whether the code that the user has seen is of no use any more.
    fn code_expired(&self, offer: &Offer) -> bool {
        let Some(verified) = &offer.verified_push else {
            return false;
        };
        let life = TRANSACTION_LIFE.saturating_sub(CODE_MARGIN);
        let by_wall = verified.expiration.is_some_and(|expiration| {
            let end = UNIX_EPOCH.checked_add(Duration::from_secs(expiration));
            end.is_some_and(|end| self.clock.wall() + CODE_MARGIN >= end)
        });
        by_wall || self.clock.now() >= self.offered_at + life
    }

    /// Gets a new code if the one that the user has seen is too old, and says so.
    fn renew_if_expired(&mut self, offer: &mut Offer) -> Result<(), AttemptEnd> {
        if self.code_expired(offer) {
            self.renew(offer)?;
            self.screen.notice(text::CODE_EXPIRED);
        }
        Ok(())
    }

    /// Gets a new code if the last one was used up by an attempt.
    fn renew_if_used(&mut self, offer: &mut Offer) -> Result<(), AttemptEnd> {
        if self.verifies && offer.verified_push.is_none() {
            self.renew(offer)?;
        }
        Ok(())
    }

    /// Asks preauth again, for a new code.
    fn renew(&mut self, offer: &mut Offer) -> Result<(), AttemptEnd> {
        let preauth = match self.duo.preauth(&self.preauth, self.end) {
            Ok(preauth) => preauth,
            Err(error) => return Err(self.broken(error)),
        };
        match admit(preauth, &mut self.screen) {
            Admitted::Ended(outcome) => Err(AttemptEnd::Over(outcome)),
            Admitted::Offer(fresh) => {
                self.offered_at = self.clock.now();
                *offer = fresh;
                Ok(())
            }
        }
    }

    /// Asks Duo for a factor and waits for the decision.
    fn use_factor(
        &mut self,
        factor: Factor<'_>,
        attempt: Attempt,
        progress: Option<&str>,
    ) -> AttemptEnd {
        let mut started = Started::new(attempt, self.clock.now());
        let result = self.start(factor, &mut started);
        self.go_on(result, started, progress)
    }

    /// Says what is under way and waits for the decision.
    fn go_on(
        &mut self,
        result: Result<Option<Progress>, DuoError>,
        started: Started,
        progress: Option<&str>,
    ) -> AttemptEnd {
        match (result, progress) {
            (Err(error), _) => self.broken(error),
            (Ok(Some(decided)), _) => self.decided(started, decided),
            (Ok(None), Some(progress)) if self.screen.wants_progress_prompt() => {
                let question = format!("{progress}\n{}", text::PRESS_ENTER);
                self.ask_and_wait(started, &question)
            }
            (Ok(None), progress) => {
                if let Some(progress) = progress {
                    self.screen.progress(progress);
                }
                self.wait(started)
            }
        }
    }

    /// Asks Duo for a factor, asks the user at the same time, and then waits for the decision.
    fn use_factor_and_ask(
        &mut self,
        factor: Factor<'_>,
        attempt: Attempt,
        question: &str,
    ) -> AttemptEnd {
        let mut started = Started::new(attempt, self.clock.now());
        match self.start(factor, &mut started) {
            Err(error) => self.broken(error),
            Ok(Some(decided)) => self.decided(started, decided),
            Ok(None) => self.ask_and_wait(started, question),
        }
    }

    /// Asks, uses a passcode if one is typed, and else waits for the decision.
    fn ask_and_wait(&mut self, started: Started, question: &str) -> AttemptEnd {
        let typed = match self.ask(question) {
            Ok(Answer::Text(answer)) => passcode(answer.expose()),
            Ok(Answer::Unusable) => None,
            Err(over) => return over,
        };
        match typed {
            Some(passcode) => self.use_passcode(&passcode),
            None => self.wait(started),
        }
    }

    /// Sends the request. `None` means that the decision is still to come.
    fn start(
        &mut self,
        factor: Factor<'_>,
        started: &mut Started,
    ) -> Result<Option<Progress>, DuoError> {
        let request = AuthRequest {
            username: &self.request.username,
            place: self.request.place(),
            factor,
        };
        Ok(match self.duo.auth(&request, self.end)? {
            AuthReply::Transaction(txid) => {
                started.attempt.txid = Some(txid);
                None
            }
            AuthReply::Decided(progress) => Some(progress),
        })
    }

    /// Polls until Duo has decided or the login is over.
    fn wait(&mut self, started: Started) -> AttemptEnd {
        let txid = started.attempt.txid.clone().unwrap_or_default();
        let mut last = None;
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
                return started.failed(self.clock.now(), "push failed", text::NOT_DELIVERED);
            }
            if last.as_ref() == Some(&progress.status) {
                // Duo answers when something has changed; never ask faster than that.
                let took = self.clock.now().saturating_sub(polled);
                self.clock.sleep(PACE.saturating_sub(took));
                continue;
            }
            // That a push is on its way has been said, with the device's name.
            if progress.status != Status::Pushed && !progress.message.trim().is_empty() {
                self.screen.progress(&text::duo_says(&progress.message, ""));
            }
            last = Some(progress.status);
        }
    }

    /// What Duo's decision means.
    fn decided(&mut self, started: Started, progress: Progress) -> AttemptEnd {
        let Progress {
            verdict,
            status,
            message,
        } = progress;
        let now = self.clock.now();
        let otherwise = match (&verdict, &status) {
            (Verdict::Allow, _) => return AttemptEnd::Over(Outcome::Approved(started.over(now))),
            (Verdict::Deny, Status::Sent) => {
                self.screen.notice(text::SMS_SENT);
                return AttemptEnd::AskNow;
            }
            (Verdict::Deny, Status::Fraud) => text::FRAUD,
            (Verdict::Deny, Status::LockedOut) => text::LOCKED_OUT,
            (Verdict::Deny, Status::Timeout) => text::TIMED_OUT,
            (Verdict::Deny, _) => text::DENIED,
            (Verdict::Waiting, _) => {
                return self.broken(DuoError::BadReply("auth is waiting for itself".to_owned()));
            }
            (Verdict::Unknown(result), _) => {
                let detail = format!("Duo gave an unknown result '{result}'");
                return self.broken(DuoError::Bug(detail));
            }
        };
        let said = text::duo_says(&message, otherwise);
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
    fn broken(&mut self, error: DuoError) -> AttemptEnd {
        if self.clock.now() >= self.end {
            return AttemptEnd::Over(self.timed_out());
        }
        self.screen.last_words(text::FAILED);
        AttemptEnd::Over(match error {
            DuoError::Refused { .. } => Outcome::RefusedLate(error),
            DuoError::Bug(detail) => Outcome::Error { detail },
            other => Outcome::Error {
                detail: other.to_string(),
            },
        })
    }
}

/// An attempt under way.
struct Started {
    attempt: Attempt,
    at: Duration,
}

impl Started {
    fn new(attempt: Attempt, at: Duration) -> Self {
        Self { attempt, at }
    }

    fn over(mut self, now: Duration) -> Attempt {
        self.attempt.took = now.saturating_sub(self.at);
        self.attempt
    }

    fn failed(self, now: Duration, why: &str, said: &str) -> AttemptEnd {
        AttemptEnd::Failed {
            attempt: self.over(now),
            why: why.to_owned(),
            said: said.to_owned(),
        }
    }
}

fn attempt_with(option: &MenuOption) -> Attempt {
    Attempt {
        factor: option.kind.factor(),
        device: Some(option.device.clone()),
        ..Attempt::default()
    }
}

fn push<'a>(request: &'a Request, device: &'a str, txid: Option<&'a str>) -> Factor<'a> {
    Factor::Push {
        device,
        txid,
        kind: request.push_kind.as_deref(),
        pushinfo: request.pushinfo.as_deref(),
    }
}

/// Whether Duo does not take a parameter: with a transaction from preauth, it has expired.
fn is_bad_parameter(error: &DuoError) -> bool {
    matches!(error, DuoError::Refused { refusal, .. } if refusal.code == Some(40002))
}

/// What an answer to Duo's own menu asks for, for the log: `push1` is a push.
fn prompt_factor(answer: &str) -> &'static str {
    ["push", "phone", "sms"]
        .into_iter()
        .find(|kind| {
            let digits = answer.strip_prefix(kind);
            digits.is_some_and(|rest| rest.bytes().all(|byte| byte.is_ascii_digit()))
        })
        .unwrap_or("passcode")
}

fn not_usable() -> AttemptEnd {
    AttemptEnd::Failed {
        attempt: Attempt::default(),
        why: "the answer is neither an option nor a passcode".to_owned(),
        said: text::NOT_USABLE.to_owned(),
    }
}
