//! `pamduo login`: whole logins without PAM.

use login_sandbox::Terminal;

use crate::test_bed::{Run, TestBed};

/// A user that every machine has, in a group of its own.
const USER: &str = "nobody";

fn scenario(lines: &str) -> String {
    format!("[users.nobody]\n{lines}\n")
}

fn login(bed: &TestBed, input: &str) -> Run {
    bed.run(&["login", USER, "--from", "203.0.113.5"], input)
}

#[track_caller]
fn expect(run: &Run, status: i32, result: &str, code: &str, log: &str) {
    assert_eq!(run.status, status, "{run:?}");
    let result = format!("Result:   'nobody' {result}\n");
    assert!(run.stdout.contains(&result), "{run:?}");
    assert!(
        run.stdout.contains(&format!("\nPAM code: {code}\n")),
        "{run:?}"
    );
    assert!(run.stdout.contains(log), "{run:?}");
    assert!(!run.all().contains("simulator1234"));
}

#[test]
fn a_push_that_is_approved_gets_in() {
    let bed = TestBed::new(&scenario(""));
    let run = login(&bed, "1\n");
    assert!(
        run.stderr
            .contains(" 1. Duo Push to iPhone (XXX-XXX-1234)\n")
    );
    expect(
        &run,
        0,
        "gets in",
        "PAM_SUCCESS",
        "\nLog line: [info] pam_duo(sshd:auth): Successful Duo login for 'nobody' from \
         203.0.113.5 [factor=push device=",
    );
    // As sshd's: the address travels to Duo.
    let requests = bed.duo.requests();
    let preauth = requests
        .iter()
        .find(|r| r.path == "/auth/v2/preauth")
        .unwrap();
    let address = ("ipaddr".to_owned(), "203.0.113.5".to_owned());
    assert!(preauth.parameters.contains(&address));
}

#[test]
fn at_a_terminal_the_menu_is_answered_with_a_passcode() {
    let bed = TestBed::new(&scenario(""));
    let mut terminal = Terminal::start(bed.command(&["login", USER]).env("TERM", "xterm"));
    terminal.expect("Passcode or option (1-3): ");
    terminal.line("123456");
    let finished = terminal.finish();
    assert_eq!(finished.status, 0, "{}", finished.transcript);
    assert!(finished.transcript.contains("\u{1b}[32mgets in\u{1b}[0m"));
    assert!(finished.transcript.contains("[factor=passcode"));
}

#[test]
fn denied_pushes_stay_out_and_each_has_its_line() {
    let bed = TestBed::new(&scenario("push = { answer = \"deny\" }"));
    let run = login(&bed, "1\n1\n1\n");
    expect(
        &run,
        1,
        "stays out",
        "PAM_MAXTRIES",
        "[warning] pam_duo(sshd:auth): Failed Duo login",
    );
    assert_eq!(run.stdout.matches("Failed Duo login").count(), 3);
}

#[test]
fn an_end_of_input_cancels() {
    let run = login(&TestBed::new(&scenario("")), "");
    expect(
        &run,
        1,
        "stays out",
        "PAM_CONV_ERR",
        "conversation failed or cancelled",
    );
}

#[test]
fn an_answer_that_is_too_long_is_asked_again() {
    let long = "1".repeat(100_000);
    let run = login(&TestBed::new(&scenario("")), &format!("{long}\n123456\n"));
    expect(&run, 0, "gets in", "PAM_SUCCESS", "[factor=passcode");
}

#[test]
fn a_user_outside_groups_is_told_by_which_pattern() {
    let bed = TestBed::new(&scenario(""));
    let group = primary_group();
    for (groups, expected) in [
        (
            format!("*,!{group}"),
            format!("groups: the group '{group}' matches '!{group}'"),
        ),
        (
            "!no*".to_owned(),
            format!("groups: the group '{group}' matches '!no*'"),
        ),
        (
            "wheel,admins".to_owned(),
            "groups: no group of the user matches 'wheel,admins'".to_owned(),
        ),
    ] {
        bed.add(&format!("groups = {groups}"));
        let run = login(&bed, "");
        expect(&run, 0, "gets in", "PAM_SUCCESS", &expected);
        assert!(
            run.stdout
                .contains("User nobody bypassed Duo 2FA due to user's UNIX group")
        );
    }
    bed.add("groups = wheel\nbypass = ignore");
    expect(
        &login(&bed, ""),
        0,
        "gets in",
        "PAM_IGNORE",
        "the next lines of the PAM stack",
    );
    assert!(bed.duo.requests().is_empty());
}

fn primary_group() -> String {
    let output = std::process::Command::new("id")
        .args(["-gn", USER])
        .output()
        .unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

#[test]
fn a_user_whom_the_machine_does_not_know_stays_out() {
    let run = TestBed::new("").run(&["login", "no-such-user"], "");
    assert_eq!(run.status, 1);
    assert!(run.stdout.contains("This machine has no such user."));
    assert!(run.stdout.contains("PAM code: PAM_USER_UNKNOWN"));
}

#[test]
fn what_duo_decides_at_preauth_is_told() {
    let bed = TestBed::new(&scenario("preauth = \"deny\"\nstatus_msg = \"Not today\""));
    let run = login(&bed, "");
    expect(
        &run,
        1,
        "stays out",
        "PAM_PERM_DENIED",
        "Aborted Duo login for 'nobody'",
    );
    assert!(run.stderr.contains("Not today"));
    let bed = TestBed::new(&scenario("preauth = \"allow\""));
    expect(
        &login(&bed, ""),
        0,
        "gets in",
        "PAM_SUCCESS",
        "Skipped Duo login",
    );
}

#[test]
fn a_fault_is_judged_by_failmode() {
    let bed = TestBed::new("");
    let broken = bed.sound().replace("localhost:", "127.0.0.1:1 ; ");
    bed.write(&broken);
    let without = "gets in without a second factor";
    let run = login(&bed, "");
    expect(&run, 0, without, "PAM_SUCCESS", "Failsafe Duo login");
    assert!(run.stdout.contains("failmode lets the user in"));
    assert!(
        run.stdout
            .contains("sudo and su, which users start, may end otherwise")
    );
    bed.write(&format!("{broken}failmode = secure\n"));
    expect(
        &login(&bed, ""),
        1,
        "stays out",
        "PAM_AUTHINFO_UNAVAIL",
        "Failsecure Duo login",
    );
}

#[test]
fn json_holds_the_result_alone() {
    let bed = TestBed::new(&scenario(""));
    let json = bed.run(&["login", USER, "--json"], "123456\n").json();
    assert_eq!(json["gets_in"], true);
    assert_eq!(json["pam_code"], "PAM_SUCCESS");
    assert_eq!(json["log"][0]["severity"], "info");
}

#[test]
fn control_characters_of_a_user_name_do_not_reach_the_terminal() {
    let run = TestBed::new("").run(&["login", "\u{1b}[31mx"], "");
    assert_eq!(run.status, 1);
    assert!(!run.all().contains('\u{1b}'), "{run:?}");
    let wrong = TestBed::new("").run(&["login", USER, "--from", "not-an-address"], "");
    assert_eq!(wrong.status, 2);
}
