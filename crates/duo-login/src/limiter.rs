//! The push limit of one login: [`PushCounter`] as the login knows it. Where the state cannot be had,
//! logins go on without it, and the log says so once.

use std::path::Path;
use std::time::Duration;

use crate::log::{Log, Severity};
use crate::login::PushLimit;
use crate::outcome::Who;
use crate::state::boot_time;
use crate::state::folder::{Folder, FolderFault, RUN};
use crate::state::push_limit::PushCounter;

/// The limit, if there is one.
pub(crate) struct Limiter<'a> {
    counter: Option<PushCounter>,
    log: &'a Log,
    who: &'a Who,
    /// Whether the log knows that the limit is reached.
    told: bool,
}

impl<'a> Limiter<'a> {
    /// A limit of `most` pushes and calls to the Duo user `user`; none if `most` is `None`.
    pub(crate) fn new(most: Option<u8>, user: &str, log: &'a Log, who: &'a Who) -> Self {
        let mut limiter = Self {
            counter: None,
            log,
            who,
            told: false,
        };
        if let Some(most) = most {
            match Folder::open(Path::new(RUN)) {
                Ok(folder) => {
                    let id = format!("{}-{}", std::process::id(), random());
                    limiter.counter = Some(PushCounter::new(folder, user, most.into(), &id));
                }
                Err(fault) => limiter.give_up(&fault),
            }
        }
        limiter
    }

    /// Does something with the counter; `None` without one, or where it fails.
    fn count<T>(
        &mut self,
        work: impl FnOnce(&mut PushCounter, Duration) -> Result<T, FolderFault>,
    ) -> Option<T> {
        let now = boot_time::now()?;
        match work(self.counter.as_mut()?, now) {
            Ok(result) => Some(result),
            Err(fault) => {
                self.give_up(&fault);
                None
            }
        }
    }

    fn give_up(&mut self, fault: &FolderFault) {
        self.counter = None;
        let line = format!("Pushes are not limited (push_limit): {fault}");
        self.log.line(Severity::Warning, &line);
    }

    fn tell(&mut self) {
        if !std::mem::replace(&mut self.told, true) {
            self.log.write(&self.who.push_limit_reached());
        }
    }
}

impl PushLimit for Limiter<'_> {
    fn is_closed(&mut self) -> bool {
        let standing = self.count(|counter, now| counter.standing(now));
        let closed = standing.is_some_and(|standing| standing.closed);
        if closed {
            self.tell();
        }
        closed
    }

    fn send(&mut self) -> bool {
        let may = self.count(PushCounter::send).unwrap_or(true);
        if !may {
            self.tell();
        }
        may
    }

    fn withdraw(&mut self) {
        let _ = self.count(|counter, now| counter.withdraw(now));
    }

    fn denied(&mut self) {
        let _ = self.count(|counter, now| counter.denied(now));
    }

    fn approved(&mut self) {
        let _ = self.count(|counter, now| counter.approved(now));
    }

    fn fraud(&mut self) {
        let _ = self.count(|counter, now| counter.fraud(now));
    }
}

/// Tells two logins of one process apart.
fn random() -> u64 {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    RandomState::new().build_hasher().finish()
}
