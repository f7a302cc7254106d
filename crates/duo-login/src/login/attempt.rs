//! One attempt: the menu or autopush, the factor, and the wait for Duo's decision.
// An attempt's end is made a few times in a login; its size does not matter.
#![allow(clippy::result_large_err)]

use std::time::{Duration, UNIX_EPOCH};

use super::context::{LoginContext, Rules};
use super::decision::NotStarted;
use super::ports::{Answer, Journal, PushLimit};
use super::preauth::{Admitted, admit};
use super::screen::Screen;
use super::unsendable::{self, Unsendable};
use crate::config::MenuSource;
use crate::menu::{Choice, Kind, Menu, MenuOption};
use crate::messages;
use crate::outcome::{Attempt, Outcome};
use duo_auth::Secret;
use duo_auth::clock::Clock;
use duo_auth::{DuoApi, DuoError};
use duo_auth::{Factor, Offer, PreauthRequest};

/// How often passcodes may be sent by SMS in one login.
const MOST_SMS: u8 = 3;
/// Shortest time between two polls that bring no news.
pub(super) const PACE: Duration = Duration::from_secs(1);
/// How long the transaction of a verified push lives where Duo does not say.
const TRANSACTION_LIFE: Duration = Duration::from_secs(60);
/// A code with less time left than this is as good as expired: it has to be typed.
const CODE_MARGIN: Duration = Duration::from_secs(5);

/// Expiry of the verification code, in [`Clock::now`] time. What Duo says is by Duo's clock, and
/// ours may be off: it is used only where it makes sense.
pub(super) fn code_ends(offer: &Offer, clock: &dyn Clock) -> Duration {
    let expiration = offer
        .verified_push
        .as_ref()
        .and_then(|push| push.expiration);
    let life = expiration
        .and_then(|seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds)))
        .and_then(|end| end.duration_since(clock.wall()).ok())
        .filter(|life| *life <= TRANSACTION_LIFE)
        .unwrap_or(TRANSACTION_LIFE);
    clock.now() + life
}

/// How an attempt ended.
pub(super) enum AttemptEnd {
    /// The login is over.
    Over(Outcome),
    /// The attempt failed and is one of the tries.
    Failed {
        /// For the log.
        attempt: Attempt,
        /// For the log.
        why: String,
        /// For the user.
        said: String,
    },
    /// Nothing was tried that is one of the tries: ask.
    AskNow,
}

/// What the attempts of one login share.
pub(super) struct Attempts<'a, 's> {
    pub(super) context: &'a LoginContext,
    pub(super) rules: &'a Rules,
    pub(super) preauth: PreauthRequest<'a>,
    pub(super) duo: &'a mut dyn DuoApi,
    pub(super) clock: &'a dyn Clock,
    pub(super) screen: &'s mut Screen<'a>,
    pub(super) journal: &'a mut dyn Journal,
    pub(super) limit: &'a mut dyn PushLimit,
    pub(super) unsendable: Unsendable,
    /// When the login has to be over, in [`Clock::now`] time.
    pub(super) end: Duration,
    /// Expiry of the current offer's verification code, in the same time.
    pub(super) code_ends: Duration,
    /// How often passcodes were sent by SMS.
    pub(super) sms_sent: u8,
    /// Whether policy asks for verified pushes, so that each needs a code of its own.
    pub(super) verifies: bool,
}

impl Attempts<'_, '_> {
    /// Pushes, or else calls, without asking; in the menu if neither is possible.
    pub(super) fn automatic(&mut self, offer: &mut Offer) -> AttemptEnd {
        if self.limit.is_closed() {
            return AttemptEnd::AskNow;
        }
        if self.rules.menu == MenuSource::Server && offer.prompt.is_some() {
            return self.server_automatic(offer);
        }
        let menu = Menu::new(offer, false);
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
        let closed = self.limit.is_closed();
        // Duo's own menu would offer pushes, and words that this module does not know.
        if self.rules.menu == MenuSource::Server && !closed {
            if let Some(prompt) = offer.prompt.clone() {
                return self.by_server_menu(&prompt, offer);
            }
        }
        if !closed {
            if let Err(over) = self.renew_if_used(offer) {
                return over;
            }
        }
        let menu = Menu::new(offer, closed);
        let answer = match self.ask(&menu.render(&self.context.username)) {
            Ok(answer) => answer,
            Err(over) => return over,
        };
        let choice = match &answer {
            Answer::Text(text) => {
                if let Err(end) = self.refuse_unsendable(text.expose()) {
                    return end;
                }
                menu.choose(text.expose())
            }
            Answer::Unusable => Choice::Neither,
        };
        match choice {
            Choice::Passcode(passcode) => self.use_passcode(&passcode),
            Choice::Option(option) => self.use_option(option, offer),
            Choice::Neither => AttemptEnd::Failed {
                attempt: Attempt::default(),
                // Not what was typed: it may be a password.
                why: "the answer is neither an option nor a passcode".to_owned(),
                said: messages::not_an_answer(menu.len()),
            },
        }
    }

    /// Ends the attempt, or the login, where Duo must not get the answer.
    pub(super) fn refuse_unsendable(&mut self, answer: &str) -> Result<(), AttemptEnd> {
        match self.unsendable.judge(answer) {
            unsendable::Verdict::Send => Ok(()),
            unsendable::Verdict::Refuse(kind) => Err(AttemptEnd::Failed {
                attempt: Attempt::default(),
                why: kind.why().to_owned(),
                said: kind.said().to_owned(),
            }),
            unsendable::Verdict::End(kind) => {
                self.screen.last_words(kind.said());
                let service = &self.context.service;
                let detail = format!(
                    "{}, once more; if {service} answers questions by itself, give its PAM line a \
                     configuration of its own (conf=) with autopush = yes",
                    kind.why()
                );
                Err(AttemptEnd::Over(Outcome::ConversationFailed { detail }))
            }
        }
    }

    /// `login_timeout` is over.
    pub(super) fn timed_out(&mut self) -> Outcome {
        self.screen.last_words(messages::TIMED_OUT);
        Outcome::TimedOut {
            limit: self.rules.login_timeout,
        }
    }

    pub(super) fn ask(&mut self, question: &str) -> Result<Answer, AttemptEnd> {
        match self.screen.ask(question) {
            Err(error) => Err(AttemptEnd::Over(Outcome::ConversationFailed {
                detail: error.to_string(),
            })),
            Ok(_) if self.clock.now() >= self.end => Err(AttemptEnd::Over(self.timed_out())),
            Ok(answer) => Ok(answer),
        }
    }

    pub(super) fn use_passcode(&mut self, passcode: &Secret) -> AttemptEnd {
        let attempt = Attempt {
            factor: "passcode",
            ..Attempt::default()
        };
        let end = self.use_factor(Factor::Passcode(passcode), attempt, None);
        if matches!(end, AttemptEnd::Failed { .. }) {
            self.unsendable.refused_by_duo(passcode.expose());
        }
        end
    }

    pub(super) fn use_option(&mut self, option: &MenuOption, offer: &mut Offer) -> AttemptEnd {
        let attempt = attempt_with(option);
        let device = option.device.as_str();
        match option.kind {
            Kind::Push => self.use_push(option, offer),
            Kind::Phone => {
                let progress = messages::calling(&option.device_name);
                self.use_factor(Factor::Phone { device }, attempt, Some(&progress))
            }
            Kind::Sms => match self.may_send_sms() {
                Ok(()) => self.use_factor(Factor::Sms { device }, attempt, None),
                Err(enough) => enough,
            },
        }
    }

    /// Whether passcodes may be sent by SMS once more.
    pub(super) fn may_send_sms(&self) -> Result<(), AttemptEnd> {
        if self.sms_sent >= MOST_SMS {
            return Err(AttemptEnd::Failed {
                attempt: Attempt::default(),
                why: format!("SMS passcodes were asked for more than {MOST_SMS} times"),
                said: messages::SMS_ENOUGH.to_owned(),
            });
        }
        Ok(())
    }

    /// Sends a verified push and shows its code in a prompt that goes out together with it: the
    /// one thing that every sshd shows at once. A passcode typed there is used.
    pub(super) fn verified_push(&mut self, option: &MenuOption, offer: &mut Offer) -> AttemptEnd {
        if let Err(over) = self.renew_if_expired(offer) {
            return over;
        }
        let Some(verified) = offer.verified_push.take() else {
            // Policy has changed meanwhile: a plain push it is.
            return self.use_option(option, offer);
        };
        let factor = push(self.context, &option.device, Some(&verified.txid));
        let question = messages::verified_push(&verified.code);
        self.use_factor_and_ask(factor, attempt_with(option), &question)
    }

    /// Sends the push of an option whose code, if there is one, the user has seen in the menu. If
    /// Duo says that the code is too old, the user gets a new one.
    pub(super) fn use_push(&mut self, option: &MenuOption, offer: &mut Offer) -> AttemptEnd {
        if self.code_expired(offer) {
            return self.verified_push(option, offer);
        }
        let verified = offer.verified_push.take();
        let txid = verified.as_ref().map(|push| push.txid.as_str());
        let factor = push(self.context, &option.device, txid);
        let progress = messages::pushed(&option.device_name);
        let mut started = Started::new(attempt_with(option), self.clock.now());
        match self.start(factor, &mut started) {
            Err(NotStarted::Closed) => AttemptEnd::AskNow,
            Err(NotStarted::Duo(refused)) if verified.is_some() && is_bad_parameter(&refused) => {
                if let Err(over) = self.renew(offer) {
                    return over;
                }
                self.screen.notice(messages::CODE_EXPIRED);
                self.verified_push(option, offer)
            }
            Err(NotStarted::Duo(error)) => self.broken(error),
            Ok(decided) => self.go_on(decided, started, Some(&progress)),
        }
    }

    /// Whether the code that the user has seen is of no use any more.
    pub(super) fn code_expired(&self, offer: &Offer) -> bool {
        offer.verified_push.is_some() && self.clock.now() + CODE_MARGIN >= self.code_ends
    }

    /// Gets a new code if the one that the user has seen is too old, and says so.
    pub(super) fn renew_if_expired(&mut self, offer: &mut Offer) -> Result<(), AttemptEnd> {
        if self.code_expired(offer) {
            self.renew(offer)?;
            self.screen.notice(messages::CODE_EXPIRED);
        }
        Ok(())
    }

    /// Gets a new code if the last one was used up by an attempt.
    pub(super) fn renew_if_used(&mut self, offer: &mut Offer) -> Result<(), AttemptEnd> {
        if self.verifies && offer.verified_push.is_none() {
            self.renew(offer)?;
        }
        Ok(())
    }

    /// Asks preauth again, for a new code.
    pub(super) fn renew(&mut self, offer: &mut Offer) -> Result<(), AttemptEnd> {
        let preauth = match self.duo.preauth(&self.preauth, self.end) {
            Ok(preauth) => preauth,
            Err(error) => return Err(self.broken(error)),
        };
        match admit(preauth, self.screen) {
            Admitted::Ended(outcome) => Err(AttemptEnd::Over(outcome)),
            Admitted::Offer(fresh) => {
                self.code_ends = code_ends(&fresh, self.clock);
                *offer = fresh;
                Ok(())
            }
        }
    }
}

/// An attempt under way.
pub(super) struct Started {
    pub(super) attempt: Attempt,
    at: Duration,
}

impl Started {
    pub(super) fn new(attempt: Attempt, at: Duration) -> Self {
        Self { attempt, at }
    }

    pub(super) fn over(mut self, now: Duration) -> Attempt {
        self.attempt.took = now.saturating_sub(self.at);
        self.attempt
    }

    pub(super) fn failed(self, now: Duration, why: &str, said: &str) -> AttemptEnd {
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

fn push<'a>(context: &'a LoginContext, device: &'a str, txid: Option<&'a str>) -> Factor<'a> {
    Factor::Push {
        device,
        txid,
        kind: context.push_kind.as_deref(),
        pushinfo: context.pushinfo.as_deref(),
    }
}

/// Whether Duo does not take a parameter: with a transaction from preauth, it has expired.
fn is_bad_parameter(error: &DuoError) -> bool {
    matches!(error, DuoError::Refused { refusal, .. } if refusal.code == Some(40002))
}
