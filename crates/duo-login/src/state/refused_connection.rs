//! Connections that a fault has ended. The OpenSSH client tries keyboard-interactive three times, and
//! sshd runs the whole stack each time, password and all: who has been told that Duo cannot be
//! reached would wait for it again, and be asked for the password as if it had been mistyped.

use std::path::Path;
use std::time::Duration;

use sha2::{Digest as _, Sha512};

use super::boot_time;
use super::folder::{Folder, RUN};
use crate::pam_items::PamItems;

/// How long a connection may go on trying (sshd's `LoginGraceTime` is 120 s by default).
const LIFE: Duration = Duration::from_secs(120);
/// Start of the names of the files.
const PREFIX: &str = "refused-";
/// Most files that are looked at to remove old ones.
const MOST_FILES: usize = 10_000;

/// The SSH connection of one login, if it comes through one.
pub(crate) struct RefusedConnection(Option<String>);

impl RefusedConnection {
    /// The connection that PAM's environment names, and sshd's process that serves it: another one
    /// may have the same port a moment later.
    pub(crate) fn of(items: &PamItems) -> Self {
        let served_by = std::os::unix::process::parent_id();
        let connection = items.ssh_connection.as_deref();
        Self(connection.map(|connection| format!("{connection} {served_by}")))
    }

    /// Whether a fault has kept the user out of it a moment ago.
    pub(crate) fn was_refused(&self) -> bool {
        self.with(was_refused).unwrap_or(false)
    }

    /// A fault keeps the user out of it.
    pub(crate) fn remember(&self) {
        let _ = self.with(remember);
    }

    /// Where there is no connection, or no state, there is nothing to remember.
    fn with<T>(&self, work: impl FnOnce(&Folder, &str, Duration) -> T) -> Option<T> {
        let connection = self.0.as_deref()?;
        let folder = Folder::open(Path::new(RUN)).ok()?;
        Some(work(&folder, connection, boot_time::now()?))
    }
}

/// Remembers that the connection (both addresses and ports, and who serves it) was refused. Where that
/// cannot be, it tries once more: no harm.
fn remember(folder: &Folder, connection: &str, now: Duration) {
    for name in folder.names(PREFIX, MOST_FILES).unwrap_or_default() {
        if !is_recent(folder, &name, now) {
            let _ = folder.remove(&name);
        }
    }
    let _ = folder.append(&name_of(connection), &format!("\n{}\n", now.as_millis()));
}

/// Whether the connection was refused a moment ago.
fn was_refused(folder: &Folder, connection: &str, now: Duration) -> bool {
    is_recent(folder, &name_of(connection), now)
}

fn is_recent(folder: &Folder, name: &str, now: Duration) -> bool {
    let text = folder.read(name).unwrap_or_default();
    let last = text.lines().last().and_then(|line| line.parse().ok());
    last.map(Duration::from_millis)
        .and_then(|at| now.checked_sub(at))
        .is_some_and(|age| age < LIFE)
}

fn name_of(connection: &str) -> String {
    let digest = hex::encode(Sha512::digest(connection.as_bytes()));
    let short: String = digest.chars().take(32).collect();
    format!("{PREFIX}{short}")
}

#[cfg(test)]
mod tests {
    use super::{remember, was_refused};
    use crate::state::folder::Folder;
    use std::time::Duration;

    #[test]
    fn a_connection_is_remembered_for_two_minutes_and_others_are_not_concerned() {
        let parent = tempfile::tempdir().unwrap();
        let folder = Folder::open(&parent.path().join("state")).unwrap();
        let at = |seconds: u64| Duration::from_secs(1000 + seconds);
        remember(&folder, "192.0.2.1 1000 192.0.2.2 22", at(0));
        for (connection, seconds, refused) in [
            ("192.0.2.1 1000 192.0.2.2 22", 0, true),
            ("192.0.2.1 1000 192.0.2.2 22", 119, true),
            ("192.0.2.1 1000 192.0.2.2 22", 120, false),
            ("192.0.2.1 1001 192.0.2.2 22", 0, false),
        ] {
            assert_eq!(was_refused(&folder, connection, at(seconds)), refused);
        }
        remember(&folder, "192.0.2.1 1001 192.0.2.2 22", at(200));
        assert_eq!(folder.names("refused-", 10).unwrap().len(), 1);
    }
}
