//! A login that a fault keeps out ends once: the user is told, and the OpenSSH client's further tries
//! (it has three) neither wait for Duo again nor tell it again.

use login_sandbox::Terminal;

use crate::test_bed::TestBed;

const TOLD: &str = "Duo cannot be reached. Try again later, or ask your administrator.";

/// ssh as people have it: three tries of keyboard-interactive.
fn ssh(bed: &TestBed) -> login_sandbox::Finished {
    let options = ["NumberOfPasswordPrompts=3"];
    Terminal::start(&bed.host.ssh("alice", &options, "true")).finish()
}

#[test]
fn ssh_is_told_once_and_ends() {
    let bed = TestBed::new("", "host = 127.0.0.1:1\nfailmode = secure");
    let finished = ssh(&bed);
    assert_eq!(finished.status, 255, "{}", finished.transcript);
    let told = finished.transcript.matches(TOLD).count();
    assert_eq!(told, 1, "{}", finished.transcript);
    assert!(
        !finished.transcript.contains("assword"),
        "{}",
        finished.transcript
    );
    bed.logged("Failsecure Duo login for 'alice' from 127.0.0.1: Couldn't connect to 127.0.0.1:1");
    // Another connection asks Duo again.
    bed.host.clear_log();
    ssh(&bed);
    bed.logged("Failsecure Duo login for 'alice' from 127.0.0.1: Couldn't connect to 127.0.0.1:1");
}

#[test]
fn a_configuration_fault_is_told_once_too() {
    let bed = TestBed::new("", "skey =");
    let finished = ssh(&bed);
    assert_eq!(finished.status, 255, "{}", finished.transcript);
    let told = finished.transcript.matches("Duo login failed.").count();
    assert_eq!(told, 1, "{}", finished.transcript);
}
