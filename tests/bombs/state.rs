//! The folder of the push limit: nobody is kept out where it cannot be had.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::time::{Duration, Instant};

use duo_login::state::boot_time;
use duo_login::state::folder::{Folder, RUN};
use duo_login::state::push_limit::everybody;
use nix::fcntl::{Flock, FlockArg};

use crate::bed::{bed, pushes};
use crate::host_program;
use crate::test_bed::{CONF, TestBed};

/// The first push is denied, the next is approved.
const DENIED_ONCE: &str = "push = [{answer = \"deny\"}, {answer = \"approve\"}]";
const EXTRA: &str = "autopush = yes";

#[track_caller]
fn inside(bed: &TestBed, script: &str) {
    let output = bed.host.inside(&["sh", "-ec", script]).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {errors}");
}

/// The module's lines.
fn texts(bed: &TestBed) -> Vec<String> {
    bed.host
        .duo_log()
        .into_iter()
        .map(|line| line.text)
        .collect()
}

/// How many lines name the folder.
fn complaints(bed: &TestBed) -> usize {
    bed.host.wait_log("Successful Duo login");
    texts(bed).iter().filter(|text| text.contains(RUN)).count()
}

#[test]
fn without_the_folder_logins_go_on_and_the_log_says_so_once() {
    for (case, script) in [
        ("a file", ": > /run/pam_duo"),
        (
            "a link",
            "mkdir -m 700 /run/other; ln -s other /run/pam_duo",
        ),
        ("read-only", "mount -o remount,ro /run"),
        (
            "others may enter",
            "mkdir -m 755 /run/pam_duo; chmod 755 /run/pam_duo",
        ),
        (
            "another's",
            "mkdir -m 700 /run/pam_duo; chown 2001 /run/pam_duo",
        ),
        (
            "no file can be made",
            "mkdir -m 700 /run/pam_duo; mount -t tmpfs -o mode=700,nr_inodes=1 none /run/pam_duo",
        ),
        (
            "a full disk",
            "mkdir -m 700 /run/pam_duo; mount -t tmpfs -o mode=700,size=4k none /run/pam_duo
             head -c 4096 /dev/zero > /run/pam_duo/full",
        ),
    ] {
        let bed = bed(DENIED_ONCE, EXTRA);
        inside(&bed, script);
        let finished = bed.pamtester("alice", &["1"]);
        assert_eq!(finished.status, 0, "{case}: {}", finished.transcript);
        assert_eq!(pushes(&bed, "alice"), 2, "{case}");
        let lines = texts(&bed);
        assert_eq!(complaints(&bed), 1, "{case}: {lines:#?}");
        assert!(!finished.transcript.contains(RUN), "{case}");
    }
}

#[test]
fn a_program_that_is_not_root_goes_on_without_the_folder_and_the_log_says_so_once() {
    let bed = bed(DENIED_ONCE, EXTRA);
    inside(&bed, &format!("chown 2001 {CONF}"));
    let said = host_program::run(&bed, &[], &["-u", "2001"]);
    assert_eq!(said.code(0), 1, "{}", said.text);
    let lines = texts(&bed);
    assert_eq!(complaints(&bed), 1, "{lines:#?}");
    assert!(!bed.host.outside(RUN).exists());
}

#[test]
fn the_folder_and_its_files_are_made_for_root_alone() {
    let bed = bed(DENIED_ONCE, EXTRA);
    assert!(!bed.host.outside(RUN).exists());
    assert_eq!(bed.pamtester("alice", &["1"]).status, 0);
    let folder = bed.host.outside(RUN);
    let status = fs::metadata(&folder).unwrap();
    assert_eq!((status.mode() & 0o7777, status.uid()), (0o700, 0));
    let mut files = 0;
    for file in fs::read_dir(&folder).unwrap() {
        let file = file.unwrap();
        let status = file.metadata().unwrap();
        assert_eq!(
            (status.permissions().mode() & 0o7777, status.uid()),
            (0o600, 0)
        );
        // Nobody reads a user's name off the folder, and none makes a path.
        let name = file.file_name().into_string().unwrap();
        assert!(!name.contains("alice") && !name.contains('/'), "{name}");
        files += 1;
    }
    assert!(files > 0);
    assert_eq!(complaints(&bed), 0);
}

/// The user's file, after one push that nobody answered.
fn used(extra: &str) -> TestBed {
    let user = "push = [{answer = \"timeout\", after_ms = 20}, {answer = \"approve\"}]";
    let bed = bed(user, &format!("{EXTRA}\nprompts = 1\n{extra}"));
    assert_ne!(bed.pamtester("alice", &[]).status, 0);
    bed
}

fn files(bed: &TestBed) -> Vec<std::path::PathBuf> {
    let all = fs::read_dir(bed.host.outside(RUN)).expect("the folder");
    let all: Vec<_> = all.map(|file| file.unwrap().path()).collect();
    assert!(!all.is_empty());
    all
}

#[test]
fn garbage_in_the_users_file_keeps_nobody_out() {
    let (letters, lines) = (vec![b'a'; 300_000], vec![b'\n'; 300_000]);
    let garbage: [&[u8]; 6] = [
        b"",
        b"\0\0\0\0",
        b"\xff\xfe\xfd\n\n\nsent\nsent 99999999999999999999999999 x y\n",
        b"fraud -1 a alice\nfraud NaN a alice\nfraud 18446744073709551615 a alice\n",
        &letters,
        &lines,
    ];
    for bytes in garbage {
        let bed = used("");
        for file in files(&bed) {
            fs::write(file, bytes).unwrap();
        }
        let start = Instant::now();
        assert_eq!(bed.pamtester("alice", &[]).status, 0);
        assert!(start.elapsed() < Duration::from_secs(5));
    }
}

#[test]
fn what_is_no_file_in_the_place_of_the_users_file_keeps_nobody_out() {
    for script in [
        "mkdir $file",
        "mkfifo $file",
        "ln -s /etc/passwd $file",
        "mknod $file c 1 7",
    ] {
        let bed = used("");
        let before = fs::read(bed.host.outside("/etc/passwd")).unwrap();
        let script = format!("cd {RUN}; for file in *; do rm $file; {script}; done");
        inside(&bed, &script);
        assert_eq!(bed.pamtester("alice", &[]).status, 0, "{script}");
        assert_eq!(fs::read(bed.host.outside("/etc/passwd")).unwrap(), before);
        let lines = texts(&bed);
        assert_eq!(complaints(&bed), 1, "{script}: {lines:#?}");
    }
}

#[test]
fn a_lock_that_is_held_for_ever_keeps_nobody_out() {
    let bed = used("");
    let mut held = files(&bed);
    held.push(bed.host.outside(RUN));
    let _held: Vec<_> = held
        .iter()
        .map(|path| {
            let file = fs::File::open(path).unwrap();
            Flock::lock(file, FlockArg::LockExclusiveNonblock).unwrap()
        })
        .collect();
    let start = Instant::now();
    assert_eq!(bed.pamtester("alice", &[]).status, 0);
    assert!(
        start.elapsed() < Duration::from_secs(5),
        "{:?}",
        start.elapsed()
    );
}

#[test]
fn fifty_processes_at_once_lose_no_count() {
    for (limit, least, most) in [("100", 50, 50), ("5", 1, 5)] {
        let extra = format!("{EXTRA}\npush_limit = {limit}\nlogin_timeout = 10\nprompts = 1");
        let bed = bed("push = {answer = \"timeout\", after_ms = 3000}", &extra);
        // At the limit, a wrong passcode: a right one would empty the list.
        let said = host_program::run_as(&bed, &[], &["-F", "50"], "alice", "999999");
        let sent = pushes(&bed, "alice");
        assert!(
            (least..=most).contains(&sent),
            "{limit}: {sent}, {}",
            said.text
        );
        let folder = Folder::open(&bed.host.outside(RUN)).unwrap();
        let all = everybody(&folder, boot_time::now().unwrap(), 100).unwrap();
        let open: Vec<_> = all
            .iter()
            .map(|r| (r.user.as_str(), r.standing.open))
            .collect();
        assert_eq!(open, [("alice", sent)], "{limit}");
    }
}
