//! How many pushes and calls of one user went out that nobody approved. Whoever has a user's
//! password can start logins without end, and so could wear the user down.
//!
//! A file for each user and ten minutes, to which lines are only ever appended: what is appended
//! first is counted first, without a lock that somebody could hold (the caller of su can stop it at
//! any moment). Times are by a clock that nobody can set and that runs on in suspend.

use std::time::Duration;

use duo_auth::sign::encode;
use sha2::{Digest as _, Sha512};

use super::folder::{Folder, FolderFault};

/// How long a push or a report of fraud is remembered.
pub const WINDOW: Duration = Duration::from_secs(600);
/// So many denials in [`WINDOW`] say no as clearly as the limit.
const MOST_DENIALS: usize = 3;
/// Start of the names of the files.
const PREFIX: &str = "push-";
/// Most files that are looked at to remove old ones.
const MOST_FILES: usize = 10_000;

/// What one line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Event {
    /// A push or a call is about to go out.
    Sent,
    /// The last one of the same id did not go out.
    Withdrawn,
    /// It was denied.
    Denied,
    /// A login was approved, or a passcode right: pushes so far are forgotten.
    Approved,
    /// It was reported as fraud.
    Fraud,
    /// The administrator forgets everything.
    Reset,
}

impl Event {
    const ALL: [(Self, &'static str); 6] = [
        (Self::Sent, "sent"),
        (Self::Withdrawn, "withdrawn"),
        (Self::Denied, "denied"),
        (Self::Approved, "approved"),
        (Self::Fraud, "fraud"),
        (Self::Reset, "reset"),
    ];

    fn word(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Withdrawn => "withdrawn",
            Self::Denied => "denied",
            Self::Approved => "approved",
            Self::Fraud => "fraud",
            Self::Reset => "reset",
        }
    }
}

/// One line: `EVENT MILLISECONDS ID USER`.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Record {
    event: Event,
    at: Duration,
    id: String,
    user: String,
}

impl Record {
    /// Reads a line; `None` if it is not one of ours.
    fn parse(line: &str) -> Option<Self> {
        let mut words = line.split(' ');
        let word = words.next()?;
        let (event, _) = Event::ALL.into_iter().find(|(_, known)| *known == word)?;
        let at = Duration::from_millis(words.next()?.parse().ok()?);
        let (id, user) = (words.next()?.to_owned(), words.next()?.to_owned());
        words.next().is_none().then_some(Self {
            event,
            at,
            id,
            user,
        })
    }

    fn line(&self) -> String {
        let Self {
            event,
            at,
            id,
            user,
        } = self;
        // Begins a line of its own, whatever the file ends with.
        format!("\n{} {} {id} {user}\n", event.word(), at.as_millis())
    }
}

/// How a user stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Standing {
    /// Pushes and calls within [`WINDOW`] that nobody approved.
    pub open: usize,
    /// Whether pushes and calls are closed.
    pub closed: bool,
    /// How long until the first of what closes them is forgotten.
    pub for_another: Duration,
}

/// Counts the pushes and calls of one user.
#[derive(Debug)]
pub struct PushCounter {
    folder: Folder,
    /// Of the file's name.
    key: String,
    /// As it stands in the lines.
    user: String,
    limit: usize,
    /// Of this login's lines.
    id: String,
    /// How many went out in this login, which makes their ids differ.
    sent: usize,
}

impl PushCounter {
    /// A counter for the Duo user `user` in `folder`; `id` tells this login's lines from others'.
    #[must_use]
    pub fn new(folder: Folder, user: &str, limit: usize, id: &str) -> Self {
        Self {
            folder,
            key: key_of(user),
            user: encode(&folded(user)),
            limit,
            id: encode(id),
            sent: 0,
        }
    }

    /// How the user stands `now` (time since boot).
    ///
    /// # Errors
    /// [`FolderFault`] if the file cannot be read.
    pub fn standing(&self, now: Duration) -> Result<Standing, FolderFault> {
        Ok(standing(&self.records(now)?, now, self.limit))
    }

    /// Counts a push or call that is about to go out. False if it must not: it is not counted then.
    ///
    /// # Errors
    /// [`FolderFault`] if the file cannot be read or written.
    pub fn send(&mut self, now: Duration) -> Result<bool, FolderFault> {
        if self.standing(now)?.closed {
            return Ok(false);
        }
        self.sent += 1;
        // Appended first and counted then: of many at once, the first in the file go out.
        self.append(Event::Sent, now)?;
        let mine = self.own_id();
        let mut before = self.records(now)?;
        if let Some(at) = before.iter().position(|record| record.id == mine) {
            before.truncate(at);
        }
        if standing(&before, now, self.limit).closed {
            self.append(Event::Withdrawn, now)?;
            return Ok(false);
        }
        Ok(true)
    }

    /// The last one did not go out after all.
    ///
    /// # Errors
    /// [`FolderFault`] if the file cannot be written.
    pub fn withdraw(&self, now: Duration) -> Result<(), FolderFault> {
        self.append(Event::Withdrawn, now)
    }

    /// The last one was denied.
    ///
    /// # Errors
    /// [`FolderFault`] if the file cannot be written.
    pub fn denied(&self, now: Duration) -> Result<(), FolderFault> {
        self.append(Event::Denied, now)
    }

    /// The user approved, or typed a right passcode.
    ///
    /// # Errors
    /// [`FolderFault`] if the file cannot be read or written.
    pub fn approved(&self, now: Duration) -> Result<(), FolderFault> {
        // Nothing to forget, nothing to write: most logins leave no file.
        if self.records(now)?.is_empty() {
            return Ok(());
        }
        self.append(Event::Approved, now)
    }

    /// The user reported fraud.
    ///
    /// # Errors
    /// [`FolderFault`] if the file cannot be written.
    pub fn fraud(&self, now: Duration) -> Result<(), FolderFault> {
        self.append(Event::Fraud, now)
    }

    /// Forgets everything about the user, a report of fraud included.
    ///
    /// # Errors
    /// [`FolderFault`] if the file cannot be written.
    pub fn reset(&self, now: Duration) -> Result<(), FolderFault> {
        self.append(Event::Reset, now)
    }

    fn own_id(&self) -> String {
        format!("{}.{}", self.id, self.sent)
    }

    fn append(&self, event: Event, now: Duration) -> Result<(), FolderFault> {
        let record = Record {
            event,
            at: now,
            id: self.own_id(),
            user: self.user.clone(),
        };
        let name = name_of(&self.key, bucket(now));
        self.folder
            .append(&name, &record.line())
            .map_err(|source| self.failed(source))?;
        remove_old(&self.folder, now);
        Ok(())
    }

    /// The user's lines within [`WINDOW`], in the order in which they were written.
    fn records(&self, now: Duration) -> Result<Vec<Record>, FolderFault> {
        let bucket = bucket(now);
        let mut records = Vec::new();
        for bucket in [bucket.saturating_sub(1), bucket] {
            let name = name_of(&self.key, bucket);
            let text = self
                .folder
                .read(&name)
                .map_err(|error| self.failed(error))?;
            records.extend(text.lines().filter_map(Record::parse));
            if bucket == 0 {
                break;
            }
        }
        records.retain(|record| record.user == self.user && is_recent(record.at, now));
        Ok(records)
    }

    fn failed(&self, source: std::io::Error) -> FolderFault {
        FolderFault::Io {
            path: self.folder.path().to_owned(),
            source,
        }
    }
}

/// A user who is remembered, for whoever looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Remembered {
    /// Duo user name, percent-encoded and in lower case.
    pub user: String,
    /// How the user stands.
    pub standing: Standing,
}

/// Everybody who is remembered, judged by `limit`.
///
/// # Errors
/// [`FolderFault`] if the folder cannot be read.
pub fn everybody(
    folder: &Folder,
    now: Duration,
    limit: usize,
) -> Result<Vec<Remembered>, FolderFault> {
    let failed = |source| FolderFault::Io {
        path: folder.path().to_owned(),
        source,
    };
    let mut names = folder.names(PREFIX, MOST_FILES).map_err(failed)?;
    // The bucket ends a name and has always as many digits.
    names.sort_by_key(|name| name.rsplit_once('-').map(|(_, bucket)| bucket.to_owned()));
    let mut records: Vec<Record> = Vec::new();
    for name in names {
        let text = folder.read(&name).map_err(failed)?;
        records.extend(text.lines().filter_map(Record::parse));
    }
    records.retain(|record| is_recent(record.at, now));
    let mut users: Vec<String> = records.iter().map(|record| record.user.clone()).collect();
    users.sort_unstable();
    users.dedup();
    Ok(users
        .into_iter()
        .map(|user| {
            let own: Vec<Record> = records
                .iter()
                .filter(|record| record.user == user)
                .cloned()
                .collect();
            Remembered {
                standing: standing(&own, now, limit),
                user,
            }
        })
        .filter(|remembered| remembered.standing != Standing::default())
        .collect())
}

/// What the lines of one user add up to.
fn standing(records: &[Record], now: Duration, limit: usize) -> Standing {
    let mut open: Vec<&Record> = Vec::new();
    let mut denials: Vec<&Record> = Vec::new();
    let mut fraud: Option<&Record> = None;
    for record in records {
        match record.event {
            Event::Sent => open.push(record),
            Event::Withdrawn => open.retain(|sent| sent.id != record.id),
            Event::Denied => denials.push(record),
            Event::Approved => {
                open.clear();
                denials.clear();
            }
            Event::Fraud => fraud = Some(record),
            Event::Reset => {
                open.clear();
                denials.clear();
                fraud = None;
            }
        }
    }
    // Each closes until enough of it is older than the window.
    let until_fewer = |list: &[&Record], most: usize| {
        let last = list.len().checked_sub(most)?;
        list.get(last).map(|record| record.at + WINDOW)
    };
    let ends = [
        until_fewer(&open, limit),
        until_fewer(&denials, MOST_DENIALS),
        fraud.map(|record| record.at + WINDOW),
    ];
    let end = ends.into_iter().flatten().max();
    Standing {
        open: open.len(),
        closed: end.is_some(),
        for_another: end.map(|end| end.saturating_sub(now)).unwrap_or_default(),
    }
}

/// A time that is ahead is not one of this boot's.
fn is_recent(at: Duration, now: Duration) -> bool {
    now.checked_sub(at).is_some_and(|age| age < WINDOW)
}

fn bucket(now: Duration) -> u64 {
    now.as_secs() / WINDOW.as_secs()
}

/// Duo does not tell capital letters apart, so neither do we: the GECOS field, which users may be
/// able to change, would otherwise give as many limits as there are ways to write a name.
fn folded(user: &str) -> String {
    user.trim().to_ascii_lowercase()
}

/// A file's name must be short and harmless, whatever the user's.
fn key_of(user: &str) -> String {
    let digest = hex::encode(Sha512::digest(folded(user).as_bytes()));
    digest.chars().take(32).collect()
}

fn name_of(key: &str, bucket: u64) -> String {
    format!("{PREFIX}{key}-{bucket:012}")
}

/// Removes files that are of no use any more. What cannot be removed does no harm.
fn remove_old(folder: &Folder, now: Duration) {
    let oldest = bucket(now).saturating_sub(1);
    for name in folder.names(PREFIX, MOST_FILES).unwrap_or_default() {
        let bucket = name.rsplit_once('-').and_then(|(_, b)| b.parse().ok());
        if bucket.is_none_or(|bucket: u64| bucket < oldest) {
            let _ = folder.remove(&name);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{PushCounter, Record, Standing, WINDOW, bucket, everybody, key_of, name_of};
    use crate::state::folder::Folder;
    use proptest::prelude::*;
    use std::fs;
    use std::path::Path;
    use std::time::Duration;

    const NOW: Duration = Duration::from_secs(3 * 3600);

    fn counter(path: &Path, user: &str, id: &str) -> PushCounter {
        PushCounter::new(Folder::open(path).unwrap(), user, 5, id)
    }

    fn at(seconds: u64) -> Duration {
        NOW + Duration::from_secs(seconds)
    }

    #[test]
    fn five_pushes_go_out_within_ten_minutes_whatever_login_sends_them() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("state");
        for login in 0..20 {
            let mut one = counter(&path, "alice", &login.to_string());
            assert_eq!(one.send(at(login)).unwrap(), login < 5, "{login}");
        }
        let alice = counter(&path, "alice", "x");
        let standing = alice.standing(at(20)).unwrap();
        assert_eq!((standing.open, standing.closed), (5, true));
        assert_eq!(standing.for_another + Duration::from_secs(20), WINDOW);
        // One is forgotten after another.
        let mut later = counter(&path, "alice", "later");
        assert!(later.send(at(600)).unwrap());
        assert!(!later.send(at(600)).unwrap());
        assert!(later.send(at(601)).unwrap());
        // Others are not concerned, and capital letters do not make another.
        assert!(counter(&path, "bob", "b").send(at(20)).unwrap());
        assert!(!counter(&path, "ALICE", "a").send(at(20)).unwrap());
    }

    #[test]
    fn an_approval_forgets_pushes_and_denials_but_not_a_report_of_fraud() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("state");
        let mut alice = counter(&path, "alice", "1");
        for _ in 0..5 {
            assert!(alice.send(NOW).unwrap());
        }
        alice.approved(NOW).unwrap();
        assert_eq!(alice.standing(NOW).unwrap(), Standing::default());
        for _ in 0..3 {
            assert!(alice.send(NOW).unwrap());
            alice.denied(NOW).unwrap();
        }
        assert!(alice.standing(NOW).unwrap().closed, "three denials");
        alice.approved(NOW).unwrap();
        assert!(alice.send(NOW).unwrap());
        alice.fraud(NOW).unwrap();
        alice.approved(NOW).unwrap();
        assert!(!alice.send(at(599)).unwrap());
        assert!(alice.send(at(600)).unwrap());
        alice.fraud(at(600)).unwrap();
        alice.reset(at(600)).unwrap();
        assert!(alice.send(at(600)).unwrap());
    }

    #[test]
    fn what_did_not_go_out_is_not_counted_and_old_files_go() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("state");
        let mut alice = counter(&path, "alice", "1");
        for _ in 0..9 {
            assert!(alice.send(NOW).unwrap());
            alice.withdraw(NOW).unwrap();
        }
        assert_eq!(alice.standing(NOW).unwrap().open, 0);
        assert!(alice.send(at(2 * 600)).unwrap());
        assert_eq!(fs::read_dir(&path).unwrap().count(), 1);
    }

    #[test]
    fn a_user_with_nothing_to_forget_leaves_no_file() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("state");
        let alice = counter(&path, "alice", "1");
        alice.approved(NOW).unwrap();
        assert_eq!(fs::read_dir(&path).unwrap().count(), 0);
    }

    #[test]
    fn whoever_looks_sees_everybody_who_is_remembered() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("state");
        for _ in 0..5 {
            assert!(counter(&path, "bob", "b").send(NOW).unwrap());
        }
        let mut alice = counter(&path, "Alice Example", "1");
        assert!(alice.send(NOW).unwrap());
        let all = everybody(&Folder::open(&path).unwrap(), NOW, 5).unwrap();
        let seen: Vec<_> = all
            .iter()
            .map(|r| (r.user.as_str(), r.standing.open, r.standing.closed))
            .collect();
        assert_eq!(seen, [("alice%20example", 1, false), ("bob", 5, true)]);
    }

    /// Fifty at once: exactly five go out, and no count is lost.
    #[test]
    fn of_many_at_once_as_many_go_out_as_the_limit_says() {
        let parent = tempfile::tempdir().unwrap();
        let path = parent.path().join("state");
        Folder::open(&path).unwrap();
        let gone_out: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..50)
                .map(|n| {
                    let path = &path;
                    scope.spawn(move || {
                        let mut one = counter(path, "alice", &n.to_string());
                        usize::from(one.send(NOW).unwrap())
                    })
                })
                .collect();
            threads.into_iter().map(|t| t.join().unwrap()).sum()
        });
        let standing = counter(&path, "alice", "x").standing(NOW).unwrap();
        assert!((1..=5).contains(&gone_out), "{gone_out}");
        assert_eq!(standing.open, gone_out);
    }

    proptest! {
        #[test]
        fn any_bytes_in_the_file_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..4000)) {
            let parent = tempfile::tempdir().unwrap();
            let path = parent.path().join("state");
            let mut alice = counter(&path, "alice", "1");
            fs::write(path.join(name_of(&key_of("alice"), bucket(NOW))), bytes).unwrap();
            prop_assert!(alice.send(NOW).unwrap());
            prop_assert!(alice.standing(NOW).unwrap().open >= 1);
        }

        #[test]
        fn a_line_that_was_written_is_read_as_the_same(
            event in 0_usize..6, at in any::<u32>(), id in "[a-z0-9.]{1,20}", user in "[a-z%0-9]{1,20}"
        ) {
            let (event, _) = super::Event::ALL[event];
            let record = Record { event, at: Duration::from_millis(u64::from(at)), id, user };
            prop_assert_eq!(Record::parse(record.line().trim()), Some(record));
        }
    }
}
