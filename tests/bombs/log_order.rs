//! What is logged before the user is told, and what is left of a login that is cut short.

use login_sandbox::severity::{INFO, WARNING};
use login_sandbox::{AUTHPRIV, Terminal};

use crate::stand_in;
use crate::test_bed::{DUO_ONLY, TestBed};

const SIGINT: &str = "2";
const SIGKILL: &str = "9";
const SENT: &str = "Duo login request sent for 'alice' from 203.0.113.5 [factor=push device=DPSIMULATORIPHONE001 txid=";

/// Under sudo-rs, Ctrl-C while a message is written ends the program there and then.
#[test]
fn a_program_that_dies_at_the_last_message_has_left_the_outcomes_line() {
    for signal in [SIGINT, SIGKILL] {
        for (answer, extra, event) in [
            (
                "deny",
                "",
                "Failed Duo login for 'alice' from 203.0.113.5: Login request denied.",
            ),
            (
                "fraud",
                "",
                "Failed Duo login for 'alice' from 203.0.113.5: Login request reported as fraud.",
            ),
            (
                "timeout",
                "",
                "Failed Duo login for 'alice' from 203.0.113.5: Login timed out.",
            ),
            (
                "locked_out",
                "",
                "Failed Duo login for 'alice' from 203.0.113.5: Your account has been locked",
            ),
        ] {
            let scenario =
                format!("[users.alice]\npush = {{answer = \"{answer}\", after_ms = 20}}");
            // Only the last message, as sshd's channel has no other.
            let extra = format!("autopush = yes\nprompts = 1\n{extra}");
            let bed = TestBed::new(&scenario, &extra);
            let said = stand_in::run(&bed, &["-k", signal, "sshd", "alice", "1"]);
            assert_eq!(
                said.codes(),
                [0; 0],
                "{answer}: it was to die: {}",
                said.text
            );
            bed.logged(event);
        }
        for (scenario, event) in [
            (
                "[users.alice]\npreauth = \"deny\"\nstatus_msg = \"Not today\"",
                "Aborted Duo login for 'alice' from 203.0.113.5: Not today",
            ),
            (
                "[users.alice]\npreauth = \"enroll\"",
                "Aborted Duo login for 'alice' from 203.0.113.5: ",
            ),
            (
                "[[faults]]\npath = \"/auth/v2/preauth\"\nkind = \"garbage_json\"",
                "Failsecure Duo login for 'alice' from 203.0.113.5: ",
            ),
            (
                "[[faults]]\npath = \"/auth/v2/auth\"\nkind = \"garbage_json\"",
                "Error in Duo login for 'alice' from 203.0.113.5: ",
            ),
        ] {
            let bed = TestBed::new(scenario, "autopush = yes\nfailmode = secure");
            let said = stand_in::run(&bed, &["-k", signal, "sshd", "alice", "1"]);
            assert_eq!(
                said.codes(),
                [0; 0],
                "{scenario}: it was to die: {}",
                said.text
            );
            bed.logged(event);
        }
    }
}

/// The first of several messages: progress, while the push waits.
#[test]
fn a_program_that_dies_while_the_push_waits_has_left_that_it_was_sent() {
    for extra in ["autopush = yes", ""] {
        let bed = TestBed::new("[users.alice]\npush = {answer = \"wait\"}", extra);
        let said = stand_in::run(&bed, &["-k", SIGKILL, "duo", "alice", "1"]);
        assert_eq!(said.codes(), [0; 0], "it was to die: {}", said.text);
        let line = bed.logged("Duo login request sent");
        assert_eq!((line.facility, line.severity), (AUTHPRIV, INFO));
        assert!(line.text.contains(SENT), "{line:?}");
        assert!(!line.text.contains("ms="), "{line:?}");
    }
}

#[test]
fn a_call_and_a_verified_push_are_logged_when_they_go_out_and_passcodes_are_not() {
    let bed = TestBed::new("", "");
    assert_eq!(bed.pamtester("alice", &["2"]).status, 0);
    let line = bed.logged("Duo login request sent for 'alice'");
    assert!(line.text.contains("[factor=phone device="), "{line:?}");
    bed.host.clear_log();
    assert_eq!(bed.pamtester("alice", &["123456"]).status, 0);
    bed.logged("Successful Duo login for 'alice'");
    let lines = bed.host.duo_log();
    assert_eq!(lines.len(), 1, "{lines:?}");

    let scenario = "[users.alice]\nverified_push = {code = \"471193\"}";
    let bed = TestBed::new(scenario, "verified_push = yes");
    assert_eq!(bed.pamtester("alice", &["1"]).status, 0);
    let sent = bed.logged(SENT);
    let txid = |text: &str| {
        let (_, rest) = text.split_once("txid=").unwrap();
        rest.split([' ', ']']).next().unwrap().to_owned()
    };
    let approved = bed.logged("Successful Duo login for 'alice'");
    assert_eq!(txid(&sent.text), txid(&approved.text));
}

/// Ctrl-C at real su: it dies in `pam_authenticate`.
#[test]
fn su_that_is_ended_while_the_push_waits_has_left_that_it_was_sent() {
    let scenario = "[users.alice]\n[users.bob]\npush = {answer = \"wait\"}";
    let bed = TestBed::with(scenario, "autopush = yes", |host| {
        host.user("alice").user("bob").pam("su", DUO_ONLY)
    });
    let su = [
        "setpriv",
        "--reuid=2001",
        "--regid=2001",
        "--clear-groups",
        "su",
        "bob",
        "-c",
        "echo now",
    ];
    let mut su = Terminal::start(&bed.host.inside(&su));
    su.expect("Pushed a login request");
    su.interrupt();
    assert!(!su.finish().transcript.contains("now"));
    bed.host.wait_quiet();
    let line = bed.logged("Duo login request sent for 'bob'");
    assert!(line.text.contains("pam_duo(su:auth): "), "{line:?}");
    assert_eq!(line.severity, INFO);
}

/// A failed attempt that is not the last is logged before the next question, which says so.
#[test]
fn a_failed_attempt_is_logged_before_the_next_question() {
    for service in ["sshd", "duo"] {
        let bed = TestBed::new(
            "[users.alice]\npush = {answer = \"deny\"}",
            "autopush = yes",
        );
        let options = ["-k", SIGKILL, "-t", "2 tries left", service, "alice", "1"];
        let said = stand_in::run(&bed, &options);
        assert_eq!(said.codes(), [0; 0], "it was to die: {}", said.text);
        assert_eq!(bed.logged("Failed Duo login for 'alice'").severity, WARNING);
    }
}
