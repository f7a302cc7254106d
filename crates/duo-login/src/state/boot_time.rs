//! A clock that runs on in suspend and that nobody can set.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

/// Time since this machine was booted, suspend included; `None` where the kernel has no such clock.
#[must_use]
pub fn now() -> Option<Duration> {
    clock_gettime(ClockId::CLOCK_BOOTTIME)
        .ok()
        .map(Duration::from)
}
