//! Programs that answer by themselves: what they say is not a passcode, and Duo, which would lock
//! the user out, never hears it.

use std::io::Write as _;
use std::process::Stdio;

use crate::bed::PASSWORD_AND_DUO;
use crate::stand_in::{self, Said};
use crate::test_bed::{DUO_ONLY, TestBed};

const PASSWORD: &str = "246810";
const PAM_CONV_ERR: u32 = 19;
const NOT_YOUR_PASSWORD: &str = "That is your password, not a passcode.";

/// A host whose user has a password of digits.
fn bed(extra: &str) -> TestBed {
    TestBed::with("", extra, |host| {
        host.user_with_password("alice", PASSWORD)
            .pam("both", PASSWORD_AND_DUO)
            .pam("sudo", PASSWORD_AND_DUO)
            .file(
                "/etc/sudoers",
                0o440,
                "Defaults !lecture\nalice ALL=(ALL:ALL) ALL\n",
            )
    })
}

/// Every answer that Duo was sent.
fn sent(bed: &TestBed) -> Vec<String> {
    let requests = bed.duo.requests();
    requests
        .iter()
        .filter(|request| request.path == "/auth/v2/auth")
        .map(|request| {
            let answer = request
                .parameter("passcode")
                .or(request.parameter("prompt"));
            answer.unwrap_or_default().to_owned()
        })
        .collect()
}

/// The login has ended, Duo has heard nothing, and the log says what to do.
#[track_caller]
fn is_ended(bed: &TestBed, said: &Said, service: &str) {
    assert_eq!(said.codes(), [PAM_CONV_ERR], "{}", said.text);
    assert_eq!(sent(bed), [""; 0], "{}", said.text);
    let line = bed.logged("Aborted Duo login for");
    let remedy = format!("if {service} answers questions by itself");
    assert!(line.text.contains(&remedy), "{line:?}");
    assert!(line.text.contains("autopush = yes"), "{line:?}");
    assert!(!line.text.contains(PASSWORD), "{line:?}");
}

#[test]
fn a_password_of_digits_from_sudo_s_never_reaches_duo() {
    let bed = bed("");
    let mut sudo = bed
        .host
        .inside(&[
            "setpriv",
            "--reuid=2001",
            "--regid=2001",
            "--clear-groups",
            "sudo",
            "-S",
            "sh",
            "-c",
            "echo now $(id -un)",
        ])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut keyboard = sudo.stdin.take().unwrap();
    let typed = format!("{PASSWORD}\n").repeat(9);
    keyboard.write_all(typed.as_bytes()).unwrap();
    drop(keyboard);
    let output = sudo.wait_with_output().unwrap();
    // Questions and messages.
    let shown = String::from_utf8_lossy(&[output.stderr, output.stdout].concat()).into_owned();
    assert!(!output.status.success(), "{shown}");
    assert_eq!(sent(&bed), [""; 0], "{shown}");
    assert!(shown.contains(NOT_YOUR_PASSWORD), "{shown}");
    let line = bed.host.wait_log("Aborted Duo login for 'alice'");
    assert!(line.text.contains("if sudo answers"), "{line:?}");
    assert!(!line.text.contains(PASSWORD), "{line:?}");
}

#[test]
fn a_program_that_answers_every_question_with_the_password_is_told_apart() {
    for extra in ["", "menu = server", "prompts = 1"] {
        let bed = bed(extra);
        let said = stand_in::run(&bed, &["both", "alice", PASSWORD]);
        if extra != "prompts = 1" {
            assert!(said.text.contains(NOT_YOUR_PASSWORD), "{}", said.text);
            is_ended(&bed, &said, "both");
        }
        assert_eq!(sent(&bed), [""; 0], "{extra}: {}", said.text);
    }
}

#[test]
fn a_program_that_answers_every_question_with_the_user_name_is_told_apart() {
    for (user, extra) in [("alice", "menu = server"), ("100200", ""), ("alice", "")] {
        let scenario = format!("[users.{user}]");
        let bed = TestBed::with(&scenario, extra, |host| host.user(user));
        let said = stand_in::run(&bed, &["duo", user, user]);
        is_ended(&bed, &said, "duo");
    }
}

#[test]
fn a_passcode_that_duo_has_just_refused_is_not_sent_again() {
    for extra in ["", "menu = server"] {
        let bed = bed(extra);
        let said = stand_in::run(&bed, &["duo", "alice", "999999"]);
        assert_eq!(sent(&bed), ["999999"], "{extra}: {}", said.text);
        assert_eq!(said.codes(), [PAM_CONV_ERR], "{extra}: {}", said.text);
    }
}

/// A person may type a password by mistake, and then the passcode.
#[test]
fn a_password_typed_by_mistake_costs_one_try() {
    let bed = bed("");
    let mut terminal = login_sandbox::Terminal::start(&bed.host.pamtester(
        "both",
        "alice",
        "203.0.113.5",
        &["authenticate"],
    ));
    terminal.expect("Password: ");
    terminal.line(PASSWORD);
    terminal.expect("(1-3): ");
    terminal.line(PASSWORD);
    terminal.expect(NOT_YOUR_PASSWORD);
    terminal.expect("2 tries left.");
    terminal.expect("(1-3): ");
    terminal.line("123456");
    assert_eq!(terminal.finish().status, 0);
    assert_eq!(sent(&bed), ["123456"]);
    let failed = bed.logged("Failed Duo login for 'alice'");
    assert!(!failed.text.contains(PASSWORD), "{failed:?}");
}

/// An option of the menu is no password because somebody's password is as short.
#[test]
fn a_stack_without_a_password_takes_every_passcode() {
    let bed = TestBed::with("", "", |host| {
        host.user_with_password("alice", "123456")
            .pam("duo", DUO_ONLY)
    });
    assert_eq!(bed.pamtester("alice", &["123456"]).status, 0);
    assert_eq!(sent(&bed), ["123456"]);
}
