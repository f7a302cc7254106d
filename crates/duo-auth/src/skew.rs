//! The distance between Duo's clock and this machine's.

use std::fmt;
use std::time::{Duration, SystemTime};

/// A clock outside these, in Unix seconds, is not a clock: 2000, and before the year 9000, since HTTP's
/// dates end with 9999.
const EARLIEST: u64 = 946_684_800;
const LATEST: u64 = 221_845_392_000;

/// Unix seconds.
fn unix(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    since.map_or(0, |since| since.as_secs())
}

/// How far Duo's clock is ahead of ours, or behind it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Skew {
    ahead: Duration,
    behind: Duration,
}

impl Skew {
    /// The difference between two clocks.
    pub(super) fn between(ours: SystemTime, theirs: SystemTime) -> Self {
        Self {
            ahead: theirs.duration_since(ours).unwrap_or_default(),
            behind: ours.duration_since(theirs).unwrap_or_default(),
        }
    }

    /// What Duo's clock says when ours says `ours`; `ours` itself where that cannot be a time.
    pub(super) fn apply(self, ours: SystemTime) -> SystemTime {
        ours.checked_add(self.ahead)
            .and_then(|time| time.checked_sub(self.behind))
            .filter(|time| (EARLIEST..LATEST).contains(&unix(*time)))
            .unwrap_or(ours)
    }

    /// Whether it leads to a time that can be one.
    pub(super) fn is_plausible(self, ours: SystemTime) -> bool {
        self.apply(ours) != ours
    }

    /// Whether it is more than requests and replies take.
    pub(super) fn is_notable(self) -> bool {
        self.ahead.max(self.behind) > Duration::from_secs(60)
    }
}

impl fmt::Display for Skew {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} s ahead of ours, {} s behind",
            self.ahead.as_secs(),
            self.behind.as_secs()
        )
    }
}
