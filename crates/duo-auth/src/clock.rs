//! Time as an argument: nothing in the middle of a login reads the system's clock or sleeps.

use std::time::{Duration, Instant, SystemTime};

/// What a login needs to know of time.
pub trait Clock {
    /// Time since an arbitrary start. It never jumps and never runs back: deadlines are points on
    /// this line.
    fn now(&self) -> Duration;
    /// The time of day, as far as this machine knows it: for dates that are signed. It may be wrong;
    /// [`Client`](crate::Client) learns Duo's from a 40105.
    fn wall(&self) -> SystemTime;
    /// Waits for `time`.
    fn sleep(&self, time: Duration);
}

/// The machine's own clocks.
#[derive(Debug)]
pub struct SystemClock(Instant);

impl SystemClock {
    /// Starts at zero, now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}
