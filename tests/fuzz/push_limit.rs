//! A file of the push limit with any bytes: it is never a fault, and never opens what was closed.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use duo_login::state::folder::Folder;
use duo_login::state::push_limit::{PushCounter, WINDOW, everybody};

/// Time since boot.
const NOW: Duration = Duration::from_secs(3 * 3600 + 60);
const LIMIT: usize = 5;

/// A folder of this process's own; removed when dropped.
struct Place(PathBuf);

impl Place {
    fn new() -> Self {
        let thread = std::thread::current().id();
        let name = format!("pam-duo-push-limit-{}-{thread:?}", std::process::id());
        let path = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&path);
        Self(path)
    }

    fn counter(&self, user: &str, id: &str) -> PushCounter {
        PushCounter::new(Folder::open(&self.0).unwrap(), user, LIMIT, id)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The file of alice, with `data` in it.
pub(crate) fn check(data: &[u8]) {
    let place = Place::new();
    let mut alice = place.counter("alice", "1");
    // The name of her file is found out by what it makes.
    alice.fraud(NOW).unwrap();
    for file in fs::read_dir(&place.0).unwrap() {
        fs::write(file.unwrap().path(), data).unwrap();
    }
    let before = alice.standing(NOW).unwrap();
    assert!(before.for_another <= WINDOW, "{before:?}");
    assert_eq!(before.closed, before.for_another > Duration::ZERO);
    assert!(!before.closed || !alice.send(NOW).unwrap());
    assert!(before.open < LIMIT || before.closed, "{before:?}");
    // Nothing is remembered for longer than the window.
    assert!(!alice.standing(NOW + WINDOW).unwrap().closed);
    let folder = Folder::open(&place.0).unwrap();
    for remembered in everybody(&folder, NOW, LIMIT).unwrap() {
        assert!(remembered.standing.for_another <= WINDOW);
    }

    // What is written after it is read, whatever it ends with.
    if !before.closed {
        assert!(alice.send(NOW).unwrap());
        assert_eq!(alice.standing(NOW).unwrap().open, before.open + 1);
    }
    alice.fraud(NOW).unwrap();
    assert!(!alice.send(NOW).unwrap(), "fraud closes");
    alice.approved(NOW).unwrap();
    assert!(!alice.send(NOW).unwrap(), "an approval does not open it");
    alice.reset(NOW).unwrap();
    for _ in 0..LIMIT {
        assert!(alice.send(NOW).unwrap());
    }
    assert!(!alice.send(NOW).unwrap());
    // Nor does it say anything of others.
    assert!(place.counter("bob", "2").send(NOW).unwrap());
}
