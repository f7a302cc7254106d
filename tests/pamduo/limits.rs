//! `pamduo limits`, in a mount namespace with a /run of its own.

use std::process::Command;

use duo_login::state::boot_time;
use duo_login::state::folder::Folder;
use duo_login::state::push_limit::PushCounter;
use tempfile::TempDir;

use crate::test_bed::{Run, run};

/// Runs `pamduo limits` over the state in `folder`.
fn limits(folder: &TempDir, arguments: &str) -> Run {
    let script = format!(
        "mount -t tmpfs none /run && mkdir -m 700 /run/pam_duo && mount --bind {} /run/pam_duo && \
         exec {} limits {arguments}",
        folder.path().join("state").display(),
        env!("CARGO_BIN_EXE_pamduo")
    );
    let mut command = Command::new("unshare");
    command.args(["--mount", "sh", "-c", &script]);
    run(&mut command, "")
}

fn count(folder: &TempDir, user: &str, pushes: usize) {
    let now = boot_time::now().unwrap();
    let state = Folder::open(&folder.path().join("state")).unwrap();
    let mut counter = PushCounter::new(state, user, 5, "test");
    for _ in 0..pushes {
        assert!(counter.send(now).unwrap());
    }
}

#[test]
fn it_shows_who_is_counted_and_who_is_closed_and_opens_them_again() {
    let folder = tempfile::tempdir().unwrap();
    Folder::open(&folder.path().join("state")).unwrap();
    let none = limits(&folder, "");
    assert_eq!(none.stdout, "No push or call is waiting for an approval.\n");
    count(&folder, "alice", 5);
    count(&folder, "bob", 2);
    let shown = limits(&folder, "").stdout;
    assert!(
        shown.contains("alice: 5 not approved within 10 min, closed for 10 min"),
        "{shown}"
    );
    assert!(
        shown.contains("bob: 2 not approved within 10 min, open"),
        "{shown}"
    );
    let json = limits(&folder, "--json").json();
    assert_eq!(json["push_limit"], 5);
    assert_eq!(json["users"][0]["user"], "alice");
    assert_eq!(json["users"][0]["closed"], true);
    assert_eq!(limits(&folder, "--reset alice").status, 0);
    let shown = limits(&folder, "").stdout;
    assert!(!shown.contains("alice") && shown.contains("bob"), "{shown}");
}

#[test]
fn a_folder_that_others_may_enter_is_not_trusted() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    std::fs::create_dir(&state).unwrap();
    let run = limits(&folder, "");
    assert_eq!(run.status, 1);
    assert!(
        run.stderr
            .contains("must belong to root and have mode 0700"),
        "{run:?}"
    );
}
