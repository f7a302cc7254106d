//! Pushes and calls under way, and what has been tried for each user.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::{Duration, Instant};

use crate::scenario::{Answer, Step};

/// How long a push lasts (Duo's Auth API).
pub(crate) const PUSH_LIFE: Duration = Duration::from_secs(60);

/// What somebody decides about a push or a call that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// Approve.
    Approve,
    /// Deny.
    Deny,
    /// Report as fraud.
    Fraud,
    /// Let it time out now.
    Timeout,
    /// Deny and lock the user out.
    LockedOut,
}

impl From<Decision> for Answer {
    fn from(decision: Decision) -> Self {
        match decision {
            Decision::Approve => Self::Approve,
            Decision::Deny => Self::Deny,
            Decision::Fraud => Self::Fraud,
            Decision::Timeout => Self::Timeout,
            Decision::LockedOut => Self::LockedOut,
        }
    }
}

/// Where a transaction stands: Duo's `result`, `status` and `status_msg`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) result: String,
    pub(crate) status: &'static str,
    pub(crate) message: &'static str,
}

impl Standing {
    pub(crate) fn new(result: &str, status: &'static str, message: &'static str) -> Self {
        Self {
            result: result.to_owned(),
            status,
            message,
        }
    }
}

/// A push or a call.
#[derive(Debug)]
pub(crate) struct Transaction {
    pub(crate) user: String,
    is_call: bool,
    started: Instant,
    step: Step,
    /// When somebody decided a transaction that waited.
    decided: Option<Answer>,
    /// What the client was told last.
    pub(crate) told: Option<Standing>,
    /// Whether its end has been counted.
    pub(crate) counted: bool,
}

impl Transaction {
    pub(crate) fn new(user: &str, is_call: bool, step: Step) -> Self {
        Self {
            user: user.to_owned(),
            is_call,
            started: Instant::now(),
            step,
            decided: None,
            told: None,
            counted: false,
        }
    }

    /// Whether it waits for somebody's decision.
    pub(crate) fn waits(&self) -> bool {
        self.step.answer == Answer::Wait && self.decided.is_none()
    }

    pub(crate) fn decide(&mut self, decision: Decision) {
        self.decided = Some(decision.into());
    }

    fn due(&self) -> Duration {
        let after = Duration::from_millis(self.step.after_ms);
        match self.step.answer {
            Answer::Timeout if after.is_zero() => PUSH_LIFE,
            Answer::Wait => PUSH_LIFE,
            _ => after,
        }
    }

    /// When it changes next by itself; `None` once it is over.
    pub(crate) fn next_change(&self) -> Option<Instant> {
        let half = self.started + self.due() / 2;
        let end = self.started + self.due();
        let now = Instant::now();
        [self.is_call.then_some(half), Some(end)]
            .into_iter()
            .flatten()
            .find(|change| *change > now)
    }

    /// Where it stands now.
    pub(crate) fn standing(&self) -> Standing {
        let elapsed = self.started.elapsed();
        let answer = match &self.decided {
            Some(decided) => decided,
            None if elapsed < self.due() => return self.waiting(elapsed),
            None => &self.step.answer,
        };
        match answer {
            Answer::Approve => Standing::new("allow", "allow", "Success. Logging you in..."),
            Answer::Deny => Standing::new("deny", "deny", "Login request denied."),
            Answer::Fraud => Standing::new("deny", "fraud", "Login request reported as fraud."),
            Answer::Timeout | Answer::Wait => Standing::new("deny", "timeout", "Login timed out."),
            Answer::LockedOut => Standing::new(
                "deny",
                "locked_out",
                "Your account has been locked out due to excessive authentication failures.",
            ),
            Answer::PushFailed => {
                Standing::new("waiting", "push_failed", "Failed to push to your device.")
            }
            Answer::Unknown(result) => Standing::new(result, "allow", "Success. Logging you in..."),
        }
    }

    fn waiting(&self, elapsed: Duration) -> Standing {
        if !self.is_call {
            let message = "Pushed a login request to your device...";
            return Standing::new("waiting", "pushed", message);
        }
        if elapsed < self.due() / 2 {
            Standing::new("waiting", "calling", "Dialing XXX-XXX-1234...")
        } else {
            let message = "Answered. Press any key on your phone to log in.";
            Standing::new("waiting", "answered", message)
        }
    }
}

/// What has been tried for one user.
#[derive(Debug, Default)]
pub(crate) struct Tried {
    pub(crate) failures: u32,
    pub(crate) locked: bool,
    pub(crate) pushes: usize,
    pub(crate) calls: usize,
    pub(crate) used: BTreeSet<String>,
    pub(crate) sms_sent: bool,
}

/// A verified push that preauth prepared.
#[derive(Debug)]
pub(crate) struct Prepared {
    pub(crate) user: String,
    pub(crate) expires: Instant,
}

/// Everything that changes.
#[derive(Debug, Default)]
pub(crate) struct State {
    pub(crate) transactions: BTreeMap<String, Transaction>,
    pub(crate) prepared: BTreeMap<String, Prepared>,
    pub(crate) tried: BTreeMap<String, Tried>,
    /// Decisions for pushes that have not been sent yet.
    pub(crate) early: BTreeMap<String, VecDeque<Decision>>,
    pub(crate) serial: u64,
}

impl State {
    /// A new transaction id.
    pub(crate) fn new_id(&mut self) -> String {
        self.serial += 1;
        format!(
            "{:08x}-0000-4000-8000-{:012x}",
            self.serial,
            std::process::id()
        )
    }

    pub(crate) fn tried(&mut self, user: &str) -> &mut Tried {
        self.tried.entry(user.to_owned()).or_default()
    }

    /// Users with a push or a call that waits for a decision.
    pub(crate) fn pending(&self) -> Vec<String> {
        self.transactions
            .values()
            .filter(|transaction| transaction.waits())
            .map(|transaction| transaction.user.clone())
            .collect()
    }
}
