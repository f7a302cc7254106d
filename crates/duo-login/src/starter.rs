//! Whose program an application is.

/// Who started the application that asks PAM.
///
/// Whoever starts a program chooses its limits, can stop and freeze it, and knows when it runs: what
/// looks like an outage there may be that user's doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Starter {
    /// Root: its real user id at exec was 0. sshd, login, cron, a daemon.
    Root,
    /// A user: sudo, su, doas, a screen locker.
    User,
}

impl Starter {
    /// By the real user id at exec.
    #[must_use]
    pub fn of(real_user_id: u64) -> Self {
        match real_user_id {
            0 => Self::Root,
            _ => Self::User,
        }
    }
}
