//! Answers that Duo must never get: a password that a program gives to every question, a user's name,
//! or a passcode that Duo has just refused. Duo would count each against the user and lock the user
//! out.

use duo_auth::Secret;

use crate::messages;

/// What an answer is, where it must not be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// `PAM_AUTHTOK`.
    Password,
    /// `PAM_USER`.
    UserName,
    /// What Duo has refused in this login.
    Refused,
}

impl Kind {
    /// For the log.
    pub(super) fn why(self) -> &'static str {
        match self {
            Self::Password => "the answer is the user's password",
            Self::UserName => "the answer is the user's name",
            Self::Refused => "the answer was refused before in this login",
        }
    }

    /// For the user.
    pub(super) fn said(self) -> &'static str {
        match self {
            Self::Password => messages::IS_PASSWORD,
            Self::UserName => messages::IS_USER_NAME,
            Self::Refused => messages::WAS_REFUSED,
        }
    }
}

/// What is to become of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub(super) enum Verdict {
    /// It may be sent.
    Send,
    /// It must not, and is one of the tries.
    Refuse(Kind),
    /// The same came again: a program answers, not a person.
    End(Kind),
}

/// The answers of one login that are not sent.
#[derive(Debug)]
pub(super) struct Unsendable {
    password: Option<Secret>,
    user: Secret,
    refused: Vec<Secret>,
    /// What was not sent already.
    met: Vec<Secret>,
}

impl Unsendable {
    /// For the user of the application (`PAM_USER`), whose password may be known (`PAM_AUTHTOK`).
    pub(super) fn new(user: &str, password: Option<&Secret>) -> Self {
        Self {
            password: password.map(|password| joined(password.expose())),
            user: joined(user),
            refused: Vec::new(),
            met: Vec::new(),
        }
    }

    /// Duo has refused this passcode.
    pub(super) fn refused_by_duo(&mut self, passcode: &str) {
        self.refused.push(joined(passcode));
    }

    /// What is to become of `answer`. Nothing typed is never one of these.
    pub(super) fn judge(&mut self, answer: &str) -> Verdict {
        let answer = joined(answer);
        let is = |other: &Secret| !answer.expose().is_empty() && other.expose() == answer.expose();
        let kind = if self.password.as_ref().is_some_and(is) {
            Kind::Password
        } else if is(&self.user) {
            Kind::UserName
        } else if self.refused.iter().any(is) {
            Kind::Refused
        } else {
            return Verdict::Send;
        };
        if self.met.iter().any(is) {
            return Verdict::End(kind);
        }
        self.met.push(answer);
        Verdict::Refuse(kind)
    }
}

/// Without blanks, which passcodes may be typed with.
fn joined(text: &str) -> Secret {
    Secret::new(text.split_whitespace().collect())
}

#[cfg(test)]
mod tests {
    use super::{Kind, Unsendable, Verdict};
    use duo_auth::Secret;

    #[test]
    fn password_name_and_refused_passcodes_are_not_sent_and_end_the_login_the_second_time() {
        let password = Secret::from("123456");
        let mut answers = Unsendable::new("alice", Some(&password));
        answers.refused_by_duo("777 777");
        for (answer, verdict) in [
            ("", Verdict::Send),
            ("1", Verdict::Send),
            ("123456", Verdict::Refuse(Kind::Password)),
            ("alice", Verdict::Refuse(Kind::UserName)),
            ("777777", Verdict::Refuse(Kind::Refused)),
            ("888888", Verdict::Send),
            (" 123 456 ", Verdict::End(Kind::Password)),
            ("alice", Verdict::End(Kind::UserName)),
        ] {
            assert_eq!(answers.judge(answer), verdict, "{answer}");
        }
        let mut answers = Unsendable::new("", None);
        assert_eq!(answers.judge(""), Verdict::Send);
    }
}
