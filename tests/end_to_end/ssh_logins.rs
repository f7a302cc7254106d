//! Logins with the real ssh.

use login_sandbox::severity::{INFO, WARNING};
use login_sandbox::{AUTHPRIV, Terminal};

use crate::test_bed::TestBed;

const SHOW: &str = "echo in as $(id -un)";

#[test]
fn a_push_logs_in_and_runs_the_command() {
    let bed = TestBed::new("", "");
    let mut ssh = bed.ssh("alice", SHOW);
    ssh.expect("Duo two-factor login for alice");
    ssh.expect("1. Duo Push to iPhone (XXX-XXX-1234)");
    ssh.expect("Passcode or option (1-3): ");
    ssh.line("1");
    ssh.expect("in as alice");
    assert_eq!(ssh.finish().status, 0);
    let line = bed.logged("Successful Duo login");
    assert_eq!((line.facility, line.severity), (AUTHPRIV, INFO));
    assert!(line.tag.starts_with("sshd"), "{line:?}");
    assert!(
        line.text.starts_with(
            "pam_duo(sshd:auth): Successful Duo login for 'alice' from 127.0.0.1 \
             [factor=push device=DPSIMULATORIPHONE001 txid="
        ),
        "{}",
        line.text
    );
}

#[test]
fn a_passcode_logs_in_and_the_commands_exit_status_comes_back() {
    let bed = TestBed::new("", "");
    let mut ssh = bed.ssh("alice", "exit 7");
    ssh.expect("Passcode or option (1-3): ");
    ssh.line("123456");
    assert_eq!(ssh.finish().status, 7);
    bed.logged("Successful Duo login");
}

#[test]
fn a_wrong_passcode_followed_by_a_right_one_logs_in() {
    let bed = TestBed::new("", "");
    let mut ssh = bed.ssh("alice", SHOW);
    ssh.expect("(1-3): ");
    ssh.line("111111");
    ssh.expect("Incorrect passcode. Please try again.");
    ssh.expect("2 tries left.");
    ssh.expect("(1-3): ");
    ssh.line("123456");
    ssh.expect("in as alice");
    assert_eq!(ssh.finish().status, 0);
    let failed = bed.logged("Failed Duo login for 'alice' from 127.0.0.1: Incorrect passcode.");
    assert_eq!(failed.severity, WARNING);
    bed.logged("Successful Duo login");
}

/// Answers each question with `answer` and checks that ssh stays out.
fn stays_out(bed: &TestBed, user: &str, answers: &[&str]) -> String {
    let mut ssh = bed.ssh(user, SHOW);
    for answer in answers {
        ssh.expect("asscode");
        ssh.expect(": ");
        ssh.line(answer);
    }
    let finished = ssh.finish();
    assert_eq!(finished.status, 255, "{}", finished.transcript);
    assert!(
        !finished.transcript.contains("in as"),
        "{}",
        finished.transcript
    );
    bed.host.wait_quiet();
    finished.transcript
}

#[test]
fn a_denied_push_stays_out() {
    let bed = TestBed::new("[users.alice]\npush = {answer = \"deny\"}", "prompts = 1");
    let said = stays_out(&bed, "alice", &["1"]);
    assert!(said.contains("Login request denied."), "{said}");
    bed.logged("Failed Duo login for 'alice' from 127.0.0.1: Login request denied. [factor=push");
}

#[test]
fn three_wrong_passcodes_stay_out_and_each_is_logged() {
    let bed = TestBed::new("", "");
    stays_out(&bed, "alice", &["111111", "222222", "333333"]);
    let lines = bed.host.duo_log();
    let failed = lines.iter().filter(|l| l.text.contains("Failed Duo login"));
    assert_eq!(failed.count(), 3, "{lines:#?}");
}

#[test]
fn a_user_whom_duo_denies_stays_out() {
    let bed = TestBed::new(
        "[users.alice]\npreauth = \"deny\"\nstatus_msg = \"Not today\"",
        "",
    );
    let said = stays_out(&bed, "alice", &[]);
    assert!(said.contains("Not today"), "{said}");
    bed.logged("Aborted Duo login for 'alice' from 127.0.0.1: Not today");
}

#[test]
fn a_user_who_has_to_enroll_sees_the_link_and_stays_out() {
    let url = "https://enroll.example/portal?code=0123456789abcdef&akey=DAXXXXXXXXXXXXXXXXXX";
    let scenario = format!("[users.alice]\npreauth = \"enroll\"\nenroll_portal_url = \"{url}\"");
    let bed = TestBed::new(&scenario, "");
    let said = stays_out(&bed, "alice", &[]);
    assert!(said.contains(url), "{said}");
    bed.logged("Aborted Duo login for 'alice' from 127.0.0.1: Enroll an authentication device");
}

#[test]
fn a_locked_out_user_stays_out_at_once() {
    let bed = TestBed::new("[users.alice]\npush = {answer = \"locked_out\"}", "");
    let said = stays_out(&bed, "alice", &["1"]);
    assert!(said.contains("locked out"), "{said}");
    bed.logged("Failed Duo login for 'alice' from 127.0.0.1: Your account has been locked out");
}

#[test]
fn an_unknown_result_stays_out() {
    let bed = TestBed::new(
        "[users.alice]\npush = {answer = \"allowed\"}",
        "failmode = safe",
    );
    stays_out(&bed, "alice", &["1"]);
    bed.logged(
        "Error in Duo login for 'alice' from 127.0.0.1: Duo gave an unknown result 'allowed'",
    );
    let bed = TestBed::new("[users.alice]\npreauth = \"permit\"", "failmode = safe");
    stays_out(&bed, "alice", &[]);
    bed.logged(
        "Error in Duo login for 'alice' from 127.0.0.1: Duo's preauth gave an unknown result",
    );
}

#[test]
fn a_wrong_skey_stays_out_and_the_log_says_what_to_check() {
    let bed = TestBed::new("", "skey = wrongwrongwrongwrongwrongwrongwrongwrong");
    stays_out(&bed, "alice", &[]);
    let line = bed.logged("Failsecure Duo login for 'alice' from 127.0.0.1: Invalid ikey or skey: 40103 Invalid signature");
    assert!(
        line.text.contains("check that skey is whole"),
        "{}",
        line.text
    );
    assert!(!line.text.contains("wrongwrong"), "{}", line.text);
}

#[test]
fn an_unknown_user_stays_out_and_duo_is_not_asked() {
    let bed = TestBed::with("", "", |host| {
        host.user("alice")
            .sshd("AuthenticationMethods keyboard-interactive")
    });
    stays_out(&bed, "mallory", &[]);
    bed.logged("Aborted Duo login for 'mallory' from 127.0.0.1: no such user");
    assert!(bed.paths().is_empty());
}

#[test]
fn ctrl_c_at_the_menu_stays_out_and_leaves_no_process() {
    let bed = TestBed::new("", "");
    let mut ssh = bed.ssh("alice", SHOW);
    ssh.expect("(1-3): ");
    ssh.interrupt();
    // Some versions of the client call that a success.
    let finished = ssh.finish();
    assert!(
        !finished.transcript.contains("in as"),
        "{}",
        finished.transcript
    );
    bed.host.wait_quiet();
    assert_eq!(bed.paths(), ["/auth/v2/preauth"]);
}

#[test]
fn a_connection_that_drops_at_the_menu_stays_out_and_leaves_no_process() {
    let bed = TestBed::new("", "");
    let mut ssh = bed.ssh("alice", SHOW);
    ssh.expect("(1-3): ");
    ssh.hang_up();
    bed.host.wait_quiet();
    assert_eq!(bed.paths(), ["/auth/v2/preauth"]);
}

/// Waits until the push is on its way.
fn wait_for_push(bed: &TestBed) {
    let end = std::time::Instant::now() + std::time::Duration::from_secs(10);
    while bed.duo.pending().is_empty() {
        assert!(std::time::Instant::now() < end, "no push was sent");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

#[test]
fn ctrl_c_while_the_push_waits_stays_out_and_leaves_no_process() {
    let bed = TestBed::new(
        "[users.alice]\npush = {answer = \"wait\"}",
        "login_timeout = 3",
    );
    let mut ssh = bed.ssh("alice", SHOW);
    ssh.expect("(1-3): ");
    ssh.line("1");
    wait_for_push(&bed);
    ssh.interrupt();
    let finished = ssh.finish();
    assert!(
        !finished.transcript.contains("in as"),
        "{}",
        finished.transcript
    );
    bed.host.wait_quiet();
}

/// sshd itself does not notice: its monitor waits for the module. The module's own limit ends it.
#[test]
fn a_connection_that_drops_while_the_push_waits_ends_the_login() {
    let bed = TestBed::new(
        "[users.alice]\npush = {answer = \"wait\"}",
        "login_timeout = 3",
    );
    let mut ssh = bed.ssh("alice", SHOW);
    ssh.expect("(1-3): ");
    ssh.line("1");
    wait_for_push(&bed);
    ssh.hang_up();
    bed.host.wait_quiet();
    bed.logged("Aborted Duo login for 'alice' from 127.0.0.1: not finished within");
}

#[test]
fn control_characters_from_duo_never_reach_terminal_or_log() {
    let bed = TestBed::new(
        "[users.alice]\npreauth = \"deny\"\nstatus_msg = \"a\\u001b[2Jb\\u0007c\\nFake: line\"",
        "",
    );
    let said = stays_out(&bed, "alice", &[]);
    assert!(said.contains("a?[2Jb?c?Fake: line"), "{said:?}");
    let line = bed.logged("Aborted Duo login");
    assert!(line.text.contains("a?(2Jb?c?Fake: line"), "{line:?}");
    assert!(!line.raw.iter().any(u8::is_ascii_control), "{line:?}");
}

#[test]
fn a_host_without_publickey_asks_duo_alone() {
    let bed = TestBed::with("", "", |host| {
        host.user("alice")
            .sshd("AuthenticationMethods keyboard-interactive")
    });
    let mut ssh = Terminal::start(&bed.host.ssh("alice", &["PubkeyAuthentication=no"], SHOW));
    ssh.expect("(1-3): ");
    ssh.line("123456");
    ssh.expect("in as alice");
    assert_eq!(ssh.finish().status, 0);
}
