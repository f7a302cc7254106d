//! Verified push and progress over real SSH: what is on the screen, and when.

use std::time::{Duration, Instant};

use duo_sim::Decision;
use login_sandbox::Finished;

use crate::test_bed::TestBed;

const SHOW: &str = "echo the shell speaks; sleep 0.3; echo and is done";
const WAITS: &str =
    "[users.alice]\npush = {answer = \"wait\"}\nverified_push = {code = \"471193\"}";

/// Nothing that belongs before the login comes after the shell's first words.
#[track_caller]
fn nothing_stale(finished: &Finished) {
    let (_, after) = finished.transcript.split_once("the shell speaks").unwrap();
    assert_eq!(after.trim(), "and is done", "{}", finished.transcript);
    for word in ["Success", "Pushed", "Logging"] {
        assert!(
            !finished.transcript.contains(word),
            "{}",
            finished.transcript
        );
    }
}

#[track_caller]
fn wait_for_push(bed: &TestBed) {
    let end = Instant::now() + Duration::from_secs(10);
    while bed.duo.pending().is_empty() {
        assert!(Instant::now() < end, "no push was sent");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_code_is_in_the_menu_before_anything_is_sent() {
    let bed = TestBed::new(WAITS, "verified_push = yes");
    let mut ssh = bed.ssh("alice", SHOW);
    ssh.expect("For Duo Push, enter 471193 in Duo Mobile.");
    ssh.expect("(1-3): ");
    assert_eq!(bed.paths(), ["/auth/v2/preauth"]);
    ssh.line("1");
    wait_for_push(&bed);
    bed.duo.decide("alice", Decision::Approve);
    ssh.expect("the shell speaks");
    let finished = ssh.finish();
    assert_eq!(finished.status, 0);
    nothing_stale(&finished);
    let preauth = bed.request("/auth/v2/preauth");
    assert_eq!(
        preauth.parameter("client_supports_verified_push"),
        Some("1")
    );
    let auth = bed.request("/auth/v2/auth");
    let reply: serde_json::Value = serde_json::from_str(&preauth.reply).unwrap();
    assert_eq!(auth.parameter("txid"), reply["response"]["txid"].as_str());
}

#[test]
fn with_autopush_the_code_is_on_the_screen_before_the_approval_and_both_are_needed() {
    let bed = TestBed::new(WAITS, "verified_push = yes\nautopush = yes");
    let mut ssh = bed.ssh("alice", SHOW);
    let shown = ssh.expect("Enter 471193 in Duo Mobile, then press Enter here;");
    wait_for_push(&bed);
    bed.duo.decide("alice", Decision::Approve);
    let approved = Instant::now();
    assert!(shown < approved);
    // Approved, but nobody has pressed Enter.
    std::thread::sleep(Duration::from_millis(500));
    assert!(!ssh.transcript().contains("the shell speaks"));
    ssh.line("");
    ssh.expect("the shell speaks");
    let finished = ssh.finish();
    assert_eq!(finished.status, 0);
    nothing_stale(&finished);
}

#[test]
fn with_autopush_enter_may_come_before_the_approval() {
    let bed = TestBed::new(WAITS, "verified_push = yes\nautopush = yes");
    let mut ssh = bed.ssh("alice", SHOW);
    ssh.expect("Enter 471193");
    ssh.line("");
    std::thread::sleep(Duration::from_millis(300));
    assert!(!ssh.transcript().contains("the shell speaks"));
    bed.duo.decide("alice", Decision::Approve);
    ssh.expect("the shell speaks");
    assert_eq!(ssh.finish().status, 0);
}

#[test]
fn a_passcode_typed_at_the_code_logs_in() {
    let bed = TestBed::new(WAITS, "verified_push = yes\nautopush = yes");
    let mut ssh = bed.ssh("alice", SHOW);
    ssh.expect("or type a passcode: ");
    ssh.line("123456");
    ssh.expect("the shell speaks");
    assert_eq!(ssh.finish().status, 0);
}

#[test]
fn a_code_that_expires_at_the_menu_is_renewed() {
    let scenario = "[users.alice]\nverified_push = {code = \"471193\", expires_s = 6}";
    let bed = TestBed::new(scenario, "verified_push = yes");
    let mut ssh = bed.ssh("alice", SHOW);
    ssh.expect("enter 471193 in Duo Mobile");
    std::thread::sleep(Duration::from_secs(2));
    ssh.line("1");
    ssh.expect("The code had expired, so a new one was made.");
    ssh.expect("Enter 471194 in Duo Mobile, then press Enter here;");
    ssh.line("");
    ssh.expect("the shell speaks");
    assert_eq!(ssh.finish().status, 0);
}

#[test]
fn a_plain_push_shows_nothing_stale_after_the_login() {
    for extra in ["", "autopush = yes", "status = quiet"] {
        let bed = TestBed::new(
            "[users.alice]\npush = {answer = \"approve\", after_ms = 300}",
            extra,
        );
        let mut ssh = bed.ssh("alice", SHOW);
        if !extra.contains("autopush") {
            ssh.expect("(1-3): ");
            ssh.line("1");
        }
        ssh.expect("the shell speaks");
        let finished = ssh.finish();
        assert_eq!(finished.status, 0);
        nothing_stale(&finished);
    }
}

#[test]
fn status_prompt_shows_the_push_before_it_is_approved() {
    let bed = TestBed::new(
        "[users.alice]\npush = {answer = \"wait\"}",
        "status = prompt",
    );
    let mut ssh = bed.ssh("alice", SHOW);
    ssh.expect("(1-3): ");
    ssh.line("1");
    ssh.expect("Pushed a login request to iPhone");
    ssh.expect("Then press Enter here");
    bed.duo.decide("alice", Decision::Approve);
    ssh.line("");
    ssh.expect("the shell speaks");
    assert_eq!(ssh.finish().status, 0);
}

#[test]
fn duos_own_menu_is_shown_and_answered() {
    let bed = TestBed::new("", "menu = server");
    let mut ssh = bed.ssh("alice", SHOW);
    ssh.expect("Enter a passcode or select one of the following options:");
    ssh.expect("1. Duo Push to XXX-XXX-1234");
    ssh.expect("Passcode or option (1-3): ");
    ssh.line("1");
    ssh.expect("the shell speaks");
    let finished = ssh.finish();
    assert_eq!(finished.status, 0);
    nothing_stale(&finished);
    let auth = bed.request("/auth/v2/auth");
    assert_eq!(auth.parameter("factor"), Some("prompt"));
    assert_eq!(auth.parameter("prompt"), Some("push1"));
    assert_eq!(
        bed.request("/auth/v2/preauth").parameter("text_prompt"),
        Some("1")
    );
}

#[test]
fn sms_is_sent_said_and_its_passcode_logs_in() {
    let bed = TestBed::new(
        "[users.alice]\nsms_passcodes = [\"7654321\"]",
        "prompts = 1",
    );
    let mut ssh = bed.ssh("alice", SHOW);
    ssh.expect("(1-3): ");
    ssh.line("3");
    ssh.expect("New passcodes were sent by SMS.");
    ssh.expect("(1-3): ");
    ssh.line("7654321");
    ssh.expect("the shell speaks");
    assert_eq!(ssh.finish().status, 0);
}
