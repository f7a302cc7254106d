//! Notices when this process was stopped.
//!
//! Deadlines run on while a process is stopped. Whoever may stop a login program (the caller of
//! `su` may: SIGSTOP, or Ctrl-Z) could otherwise let time run out with Duo's answer waiting in the
//! socket, and have the time-out taken for an outage that lets people in.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// How often the watch looks at the time.
const TICK: Duration = Duration::from_millis(100);
/// Stack of its thread, in bytes.
const STACK: usize = 64 * 1024;

/// What the thread and its owner share.
struct Pulse {
    /// When the thread last looked.
    beat: Instant,
    /// Time that went by, up to then, without this process running.
    lost: Duration,
    /// Whether the watch is over.
    over: bool,
}

impl Pulse {
    /// Time lost up to now. The thread itself may not have had its turn yet after a stop. A beat that
    /// comes late by less than half a tick is a busy machine's. Stops that are shorter than that go
    /// unnoticed; but between them the process runs, and takes whatever Duo has answered.
    fn lost_until_now(&self) -> Duration {
        let late = self.beat.elapsed().saturating_sub(TICK);
        if late < TICK / 2 {
            self.lost
        } else {
            self.lost + late
        }
    }
}

type Shared = (Mutex<Pulse>, Condvar);

/// Counts the time during which this process does not run, until it is dropped.
pub(crate) struct StallWatch {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl StallWatch {
    /// Begins to watch.
    #[must_use]
    pub(crate) fn start() -> Self {
        let pulse = Pulse {
            beat: Instant::now(),
            lost: Duration::ZERO,
            over: false,
        };
        let shared = Arc::new((Mutex::new(pulse), Condvar::new()));
        let for_thread = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .stack_size(STACK)
            .spawn(move || watch(&for_thread))
            .ok();
        Self { shared, thread }
    }

    /// Whether more than `time` may have gone by while this process did not run. Where there is no
    /// thread to tell, it may.
    #[must_use]
    pub(crate) fn may_have_lost(&self, time: Duration) -> bool {
        self.thread.is_none() || lock(&self.shared.0).lost_until_now() > time
    }
}

impl Drop for StallWatch {
    fn drop(&mut self) {
        lock(&self.shared.0).over = true;
        self.shared.1.notify_all();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn lock(pulse: &Mutex<Pulse>) -> MutexGuard<'_, Pulse> {
    pulse.lock().unwrap_or_else(PoisonError::into_inner)
}

fn watch((pulse, changed): &Shared) {
    let mut pulse = lock(pulse);
    while !pulse.over {
        let waited = changed.wait_timeout(pulse, TICK);
        pulse = waited.unwrap_or_else(PoisonError::into_inner).0;
        pulse.lost = pulse.lost_until_now();
        pulse.beat = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::{Pulse, StallWatch};
    use std::time::{Duration, Instant};

    #[test]
    fn time_since_the_last_beat_is_lost_beyond_one_tick() {
        let pulse = Pulse {
            beat: Instant::now().checked_sub(Duration::from_secs(5)).unwrap(),
            lost: Duration::from_secs(1),
            over: false,
        };
        let lost = pulse.lost_until_now();
        assert!(lost >= Duration::from_millis(5_900), "{lost:?}");
    }

    #[test]
    fn a_watch_without_a_thread_vouches_for_nothing() {
        let mut watch = StallWatch::start();
        assert!(!watch.may_have_lost(Duration::from_secs(60)));
        let thread = watch.thread.take();
        assert!(watch.may_have_lost(Duration::from_secs(60)));
        watch.thread = thread;
    }
}
