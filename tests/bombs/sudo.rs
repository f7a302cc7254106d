//! sudo asks three times by itself. Who has just denied a push must not get the next one from that.

use login_sandbox::Terminal;

use crate::bed::{CLOSED, pushes};
use crate::test_bed::{DUO_ONLY, TestBed};

fn bed(answer: &str) -> TestBed {
    let scenario = format!("[users.alice]\npush = {{answer = \"{answer}\"}}");
    TestBed::with(&scenario, "autopush = yes", |host| {
        host.user("alice").pam("sudo", DUO_ONLY).file(
            "/etc/sudoers",
            0o440,
            "Defaults !lecture\nalice ALL=(ALL:ALL) ALL\n",
        )
    })
}

fn sudo(bed: &TestBed) -> Terminal {
    let command = ["sudo", "sh", "-c", "echo now $(id -un)"];
    let mut arguments = vec!["setpriv", "--reuid=2001", "--regid=2001", "--clear-groups"];
    arguments.extend(command);
    Terminal::start(&bed.host.inside(&arguments))
}

#[test]
fn after_three_denials_sudos_next_round_asks_for_a_passcode_alone() {
    let bed = bed("deny");
    let mut sudo = sudo(&bed);
    for left in ["2 tries left.", "1 try left."] {
        sudo.expect("Login request denied.");
        sudo.expect(left);
        sudo.expect("(1-3): ");
        sudo.line("1");
    }
    sudo.expect("Login request denied.");
    sudo.expect("Sorry, try again.");
    second_round(&bed, sudo, 3);
}

#[test]
fn after_a_report_of_fraud_sudos_next_round_asks_for_a_passcode_alone() {
    let bed = bed("fraud");
    let mut sudo = sudo(&bed);
    sudo.expect("Login request reported as fraud.");
    sudo.expect("Sorry, try again.");
    second_round(&bed, sudo, 1);
}

/// The second round shows no way to a push, says why, and takes a passcode.
#[track_caller]
fn second_round(bed: &TestBed, mut sudo: Terminal, sent: usize) {
    sudo.expect("Duo two-factor login for alice");
    // SMS passcodes are the only option that is left.
    sudo.expect("Passcode or option (1): ");
    let shown = sudo.transcript();
    let (_, round) = shown.rsplit_once("Sorry, try again.").unwrap();
    assert!(round.contains(CLOSED), "{round}");
    assert!(!round.contains("Duo Push to"), "{round}");
    sudo.line("123456");
    sudo.expect("now root");
    assert_eq!(sudo.finish().status, 0);
    assert_eq!(pushes(bed, "alice"), sent);
}
