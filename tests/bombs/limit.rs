//! What empties the list of a user's pushes, what closes them, and what the user sees.

use login_sandbox::severity::WARNING;

use crate::bed::{CLOSED, bed, bed_of, pushes};
use crate::test_bed::TestBed;

const EXTRA: &str = "autopush = yes\nprompts = 1";

/// A push that nobody answers in time.
const TIMEOUT: &str = "{answer = \"timeout\", after_ms = 20}";

/// A user whose pushes go like this, one after the other.
fn steps(steps: &[&str]) -> String {
    format!("push = [{}]", steps.join(", "))
}

/// One login whose push does not get in.
#[track_caller]
fn fails(bed: &TestBed, user: &str) {
    assert_ne!(bed.pamtester(user, &[]).status, 0);
}

/// One login that is asked for a passcode alone.
#[track_caller]
fn is_closed(bed: &TestBed, user: &str, passcode: &str) -> String {
    let before = pushes(bed, user);
    let finished = bed.pamtester(user, &[passcode]);
    assert_eq!(pushes(bed, user), before, "{}", finished.transcript);
    for word in ["Duo Push to", "Phone call to"] {
        assert!(!finished.transcript.contains(word), "{finished:?}");
    }
    finished.transcript
}

#[test]
fn at_the_limit_the_menu_says_so_and_takes_passcodes_and_the_log_says_so() {
    let bed = bed(&steps(&[TIMEOUT]), EXTRA);
    for _ in 0..5 {
        fails(&bed, "alice");
    }
    let said = is_closed(&bed, "alice", "123456");
    assert!(said.contains(CLOSED), "{said}");
    assert!(said.contains("SMS passcodes to"), "{said}");
    assert_eq!(pushes(&bed, "alice"), 5);
    let line = bed.logged("Push limit reached for 'alice' from 203.0.113.5: ");
    assert_eq!(line.severity, WARNING);
    bed.logged("Successful Duo login");
}

#[test]
fn an_approval_empties_the_list() {
    let mut all = vec![TIMEOUT; 4];
    all.push("{answer = \"approve\"}");
    all.push(TIMEOUT);
    let bed = bed(&steps(&all), EXTRA);
    for _ in 0..4 {
        fails(&bed, "alice");
    }
    assert_eq!(bed.pamtester("alice", &[]).status, 0);
    for _ in 0..5 {
        fails(&bed, "alice");
    }
    is_closed(&bed, "alice", "999999");
    assert_eq!(pushes(&bed, "alice"), 10);
}

#[test]
fn a_right_passcode_empties_the_list_and_a_wrong_one_does_not() {
    let bed = bed(&steps(&[TIMEOUT]), EXTRA);
    for _ in 0..5 {
        fails(&bed, "alice");
    }
    is_closed(&bed, "alice", "999999");
    is_closed(&bed, "alice", "123456");
    fails(&bed, "alice");
    assert_eq!(pushes(&bed, "alice"), 6);
}

#[test]
fn what_duo_allows_without_a_factor_does_not_empty_the_list() {
    let bed = TestBed::new(&format!("[users.alice]\n{}", steps(&[TIMEOUT])), EXTRA);
    for _ in 0..5 {
        fails(&bed, "alice");
    }
    bed.duo.add_fault(duo_sim::Fault {
        code: Some(200),
        body: Some(r#"{"stat":"OK","response":{"result":"allow","status_msg":"x"}}"#.to_owned()),
        ..duo_sim::Fault::new("/auth/v2/preauth", duo_sim::FaultKind::Status)
    });
    assert_eq!(bed.pamtester("alice", &[]).status, 0);
    bed.duo.clear_faults();
    is_closed(&bed, "alice", "999999");
}

#[test]
fn fraud_closes_pushes_for_that_user_alone_and_a_passcode_does_not_open_them() {
    let bed = bed_of(&["alice", "bob"], &steps(&["{answer = \"fraud\"}"]), EXTRA);
    fails(&bed, "alice");
    for passcode in ["123456", "123456"] {
        let said = is_closed(&bed, "alice", passcode);
        assert!(said.contains(CLOSED), "{said}");
    }
    assert_eq!((pushes(&bed, "alice"), pushes(&bed, "bob")), (1, 0));
    fails(&bed, "bob");
    assert_eq!(pushes(&bed, "bob"), 1);
}

/// Users who may write their own GECOS field, or who type their name in another way, have no more.
#[test]
fn another_way_to_write_the_same_duo_user_has_no_limit_of_its_own() {
    let users = format!(
        "[users.alice]\n{step}\n[users.Alice]\n{step}",
        step = steps(&[TIMEOUT])
    );
    let extra = format!("{EXTRA}\nsend_gecos = yes");
    let bed = TestBed::with(&users, &extra, |host| {
        host.user_with_gecos("one", "alice")
            .user_with_gecos("two", "Alice")
    });
    for _ in 0..3 {
        fails(&bed, "one");
    }
    for _ in 0..2 {
        fails(&bed, "two");
    }
    assert_eq!((pushes(&bed, "alice"), pushes(&bed, "Alice")), (3, 2));
    bed.pamtester("one", &["999999"]);
    bed.pamtester("two", &["999999"]);
    assert_eq!((pushes(&bed, "alice"), pushes(&bed, "Alice")), (3, 2));
}
