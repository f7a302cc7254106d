//! The PAM code of each outcome, as pamtester sees it.

use crate::test_bed::{CONF, DUO_ONLY, TestBed, config, converse};

/// What Linux-PAM says for each code (`pam_strerror(3)`).
mod says {
    pub const SUCCESS: &str = "successfully authenticated";
    pub const SERVICE_ERR: &str = "Error in service module";
    pub const PERM_DENIED: &str = "Permission denied";
    pub const AUTH_ERR: &str = "Authentication failure";
    pub const AUTHINFO_UNAVAIL: &str = "Authentication service cannot retrieve authentication info";
    pub const USER_UNKNOWN: &str = "User not known to the underlying authentication module";
    pub const MAXTRIES: &str = "Have exhausted maximum number of retries for service";
}

struct Case {
    what: &'static str,
    scenario: &'static str,
    extra: &'static str,
    answers: &'static [&'static str],
    says: &'static str,
    logs: &'static str,
}

#[test]
#[allow(clippy::too_many_lines)] // a table
fn each_outcome_has_the_code_and_the_log_line_of_the_contract() {
    let cases = [
        Case {
            what: "approved",
            scenario: "",
            extra: "",
            answers: &["1"],
            says: says::SUCCESS,
            logs: "Successful Duo login for 'alice' from 203.0.113.5 [factor=push",
        },
        Case {
            what: "allowed by Duo",
            scenario: "[users.alice]\npreauth = \"allow\"",
            extra: "",
            answers: &[],
            says: says::SUCCESS,
            logs: "Skipped Duo login for 'alice' from 203.0.113.5: Logging you in...",
        },
        Case {
            what: "outside groups",
            scenario: "",
            extra: "groups = wheel",
            answers: &[],
            says: says::SUCCESS,
            logs: "User alice bypassed Duo 2FA due to user's UNIX group",
        },
        Case {
            what: "outage, failmode not set",
            scenario: "[[faults]]\npath = \"*\"\nkind = \"status\"\ncode = 503",
            extra: "",
            answers: &[],
            says: says::SUCCESS,
            logs: "Failsafe Duo login for 'alice' from 203.0.113.5: HTTP 503",
        },
        Case {
            what: "outage, secure",
            scenario: "[[faults]]\npath = \"*\"\nkind = \"status\"\ncode = 503",
            extra: "failmode = secure",
            answers: &[],
            says: says::AUTHINFO_UNAVAIL,
            logs: "Failsecure Duo login for 'alice' from 203.0.113.5: HTTP 503",
        },
        Case {
            what: "keys rejected, failmode not set",
            scenario: "",
            extra: "ikey = DIWRONG",
            answers: &[],
            says: says::SERVICE_ERR,
            logs: "Failsecure Duo login for 'alice' from 203.0.113.5: Invalid ikey or skey: 40102",
        },
        Case {
            what: "keys rejected, safe",
            scenario: "",
            extra: "ikey = DIWRONG\nfailmode = safe",
            answers: &[],
            says: says::SUCCESS,
            logs: "Failsafe Duo login for 'alice' from 203.0.113.5: Invalid ikey or skey: 40102",
        },
        Case {
            what: "denied at preauth",
            scenario: "[users.alice]\npreauth = \"deny\"",
            extra: "",
            answers: &[],
            says: says::PERM_DENIED,
            logs: "Aborted Duo login for 'alice' from 203.0.113.5: Access denied",
        },
        Case {
            what: "enrolment wanted",
            scenario: "[users.alice]\npreauth = \"enroll\"",
            extra: "",
            answers: &[],
            says: says::PERM_DENIED,
            logs: "Aborted Duo login for 'alice' from 203.0.113.5: Enroll",
        },
        Case {
            what: "reported as fraud",
            scenario: "[users.alice]\npush = {answer = \"fraud\"}",
            extra: "",
            answers: &["1"],
            says: says::PERM_DENIED,
            logs: "Failed Duo login for 'alice' from 203.0.113.5: Login request reported as fraud.",
        },
        Case {
            what: "locked out",
            scenario: "[users.alice]\npush = {answer = \"locked_out\"}",
            extra: "",
            answers: &["1"],
            says: says::PERM_DENIED,
            logs: "Failed Duo login for 'alice' from 203.0.113.5: Your account has been locked out",
        },
        Case {
            what: "out of tries",
            scenario: "",
            extra: "prompts = 1",
            answers: &["111111"],
            says: says::MAXTRIES,
            logs: "Failed Duo login for 'alice' from 203.0.113.5: Incorrect passcode.",
        },
        Case {
            what: "an unknown result",
            scenario: "[users.alice]\npush = {answer = \"yes\"}",
            extra: "failmode = safe",
            answers: &["1"],
            says: says::AUTHINFO_UNAVAIL,
            logs: "Error in Duo login for 'alice' from 203.0.113.5: Duo gave an unknown result",
        },
        Case {
            what: "an outage after preauth",
            scenario: "[[faults]]\npath = \"/auth/v2/auth\"\nkind = \"status\"\ncode = 500",
            extra: "failmode = safe",
            answers: &["1"],
            says: says::AUTHINFO_UNAVAIL,
            logs: "Error in Duo login for 'alice' from 203.0.113.5: HTTP 500",
        },
        Case {
            what: "a refused request",
            scenario: "[[faults]]\npath = \"*\"\nkind = \"status\"\ncode = 403",
            extra: "failmode = safe",
            answers: &[],
            says: says::PERM_DENIED,
            logs: "Aborted Duo login for 'alice' from 203.0.113.5: HTTP 403",
        },
        Case {
            what: "login_timeout over",
            scenario: "[users.alice]\npush = {answer = \"wait\"}",
            extra: "login_timeout = 2",
            answers: &["1"],
            says: says::AUTH_ERR,
            logs: "Aborted Duo login for 'alice' from 203.0.113.5: not finished within login_timeout, 2 s",
        },
    ];
    for case in cases {
        let bed = TestBed::new(case.scenario, case.extra);
        let finished = bed.pamtester("alice", case.answers);
        assert!(
            finished.transcript.contains(case.says),
            "{}: {}\n{:#?}",
            case.what,
            finished.transcript,
            bed.host.duo_log()
        );
        bed.logged(case.logs);
    }
}

#[test]
fn the_module_exports_the_six_hooks_and_nothing_else_and_is_never_unloaded() {
    let module = login_sandbox::module_path();
    let ask = |program: &str, option: &[&str]| {
        let output = std::process::Command::new(program)
            .args(option)
            .arg(&module)
            .output()
            .unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let symbols = ask("nm", &["-D", "--defined-only"]);
    let mut names: Vec<&str> = symbols
        .lines()
        .filter_map(|line| line.split_whitespace().last())
        .collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "pam_sm_acct_mgmt",
            "pam_sm_authenticate",
            "pam_sm_chauthtok",
            "pam_sm_close_session",
            "pam_sm_open_session",
            "pam_sm_setcred",
        ]
    );
    let dynamic = ask("readelf", &["--dynamic", "--wide"]);
    for flag in ["NODELETE", "NOW"] {
        assert!(dynamic.contains(flag), "{flag}: {dynamic}");
    }
}

#[test]
fn no_such_user_is_user_unknown() {
    let bed = TestBed::new("", "");
    let finished = bed.pamtester("mallory", &[]);
    assert!(
        finished.transcript.contains(says::USER_UNKNOWN),
        "{}",
        finished.transcript
    );
}

#[test]
fn bad_module_arguments_are_named_and_nobody_gets_in() {
    let bed = TestBed::with("", "failmode = safe", |host| {
        host.user("alice").pam(
            "bad",
            "auth required {module} conf=/etc/duo/pam_duo.conf nullok Debug\n",
        )
    });
    let finished = bed.pamtester_as("bad", "alice", &[]);
    assert!(
        finished.transcript.contains(says::SERVICE_ERR),
        "{}",
        finished.transcript
    );
    bed.logged("Invalid pam_duo option: 'nullok'");
    bed.logged("Invalid pam_duo option: 'Debug'");
    assert!(bed.paths().is_empty());
}

#[test]
fn a_missing_or_untrusted_file_keeps_out_unless_the_argument_says_safe() {
    for (mode, reason) in [
        (None, "No such file or directory"),
        (Some(0o666), "not trusted"),
    ] {
        let bed = TestBed::with("", "failmode = safe", |host| {
            host.user("alice").pam(
                "safe",
                "auth required {module} conf=/etc/duo/pam_duo.conf failmode=safe\n",
            )
        });
        match mode {
            Some(mode) => bed.host.write(
                CONF,
                mode,
                &format!("{}failmode = safe\n", config(&bed.duo)),
            ),
            None => {
                std::fs::remove_file(bed.host.directory().join("etc/duo/pam_duo.conf")).unwrap();
            }
        }
        let finished = bed.pamtester("alice", &[]);
        assert!(
            finished.transcript.contains(says::SERVICE_ERR),
            "{}",
            finished.transcript
        );
        bed.logged(&format!("auth): Couldn't open {CONF}: {reason}"));
        bed.logged("Failsecure Duo login for 'alice' from 203.0.113.5: Couldn't open");
        let finished = bed.pamtester_as("safe", "alice", &[]);
        assert!(
            finished.transcript.contains(says::SUCCESS),
            "{}",
            finished.transcript
        );
        bed.host
            .wait_log("Failsafe Duo login for 'alice' from 203.0.113.5: Couldn't open");
        assert!(bed.paths().is_empty());
    }
}

#[test]
fn account_session_and_setcred_succeed() {
    let bed = TestBed::new("", "");
    let command = bed.host.pamtester(
        "duo",
        "alice",
        "203.0.113.5",
        &["setcred", "acct_mgmt", "open_session", "close_session"],
    );
    let finished = converse(&command, &[]);
    assert_eq!(finished.status, 0, "{}", finished.transcript);
}

#[test]
fn changing_a_password_is_not_duos_business() {
    let bed = TestBed::with("", "", |host| {
        host.user("alice")
            .pam("duo", &format!("{DUO_ONLY}password required {{module}}\n"))
    });
    let command = bed.host.pamtester("duo", "alice", "", &["chauthtok"]);
    let finished = converse(&command, &[]);
    assert!(
        finished.transcript.contains(says::SERVICE_ERR),
        "{}",
        finished.transcript
    );
}
