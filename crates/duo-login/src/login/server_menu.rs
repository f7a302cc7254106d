//! Attempts by Duo's own menu (`menu = server`).
// An attempt's end is made a few times in a login; its size does not matter.
#![allow(clippy::result_large_err)]

use super::attempt::{AttemptEnd, Attempts};
use super::ports::Answer;
use crate::menu::LONGEST_ANSWER;
use crate::messages;
use crate::outcome::Attempt;
use duo_auth::Secret;
use duo_auth::{Factor, Offer, ServerPrompt};

impl Attempts<'_, '_> {
    /// Shows Duo's own menu and sends what the answer stands for.
    pub(super) fn by_server_menu(
        &mut self,
        prompt: &ServerPrompt,
        offer: &mut Offer,
    ) -> AttemptEnd {
        if let Err(over) = self.renew_if_used(offer) {
            return over;
        }
        let mut question = String::new();
        if let Some(verified) = &offer.verified_push {
            question.push_str(&messages::menu_code(&verified.code));
            question.push_str("\n\n");
        }
        question.push_str(&messages::server_menu(&prompt.text));
        let answer = match self.ask(&question) {
            Ok(Answer::Text(answer)) if answer.expose().len() <= LONGEST_ANSWER => answer,
            Ok(_) => return not_usable(),
            Err(over) => return over,
        };
        if let Err(end) = self.refuse_unsendable(answer.expose()) {
            return end;
        }
        let typed = answer.expose().trim();
        let key = if typed.is_empty() { "default" } else { typed };
        match prompt.factors.get(key) {
            Some(factor) => self.use_prompt(&Secret::from(factor.as_str()), offer),
            None if typed.is_empty() => not_usable(),
            None => self.use_prompt(&Secret::from(typed), offer),
        }
    }

    /// Uses the default of Duo's own menu, if that is a push or a call.
    pub(super) fn server_automatic(&mut self, offer: &mut Offer) -> AttemptEnd {
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
    pub(super) fn prompt_with_code(&mut self, answer: &Secret, offer: &mut Offer) -> AttemptEnd {
        let Some(verified) = offer.verified_push.take() else {
            return self.use_prompt(answer, offer);
        };
        let factor = Factor::Prompt {
            answer,
            txid: Some(&verified.txid),
            kind: self.context.push_kind.as_deref(),
            pushinfo: self.context.pushinfo.as_deref(),
        };
        let attempt = Attempt {
            factor: "push",
            ..Attempt::default()
        };
        let question = messages::verified_push(&verified.code);
        self.use_factor_and_ask(factor, attempt, &question)
    }

    /// Sends an answer to Duo's own menu.
    pub(super) fn use_prompt(&mut self, answer: &Secret, offer: &mut Offer) -> AttemptEnd {
        let kind = prompt_factor(answer.expose());
        if kind == "sms" {
            if let Err(enough) = self.may_send_sms() {
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
            kind: self.context.push_kind.as_deref(),
            pushinfo: self.context.pushinfo.as_deref(),
        };
        let attempt = Attempt {
            factor: kind,
            ..Attempt::default()
        };
        let end = self.use_factor(factor, attempt, None);
        if kind == "passcode" && matches!(end, AttemptEnd::Failed { .. }) {
            self.unsendable.refused_by_duo(answer.expose());
        }
        end
    }
}

/// Whether an answer to Duo's own menu asks for passcodes by SMS.
pub(super) fn is_sms(answer: &str) -> bool {
    prompt_factor(answer) == "sms"
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
        said: messages::NOT_USABLE.to_owned(),
    }
}
