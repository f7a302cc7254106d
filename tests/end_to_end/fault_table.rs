//! When does a fault let someone in? The contract's table, cell by cell: each fault, with `failmode`
//! not set, safe and secure, in the file and as an argument.

use std::fs;

use duo_login::Starter;
use duo_sim::{Fault, FaultKind};

use crate::test_bed::{CONF, TestBed, config};

const SUCCESS: &str = "successfully authenticated";
const AUTHINFO_UNAVAIL: &str = "Authentication service cannot retrieve authentication info";
const SERVICE_ERR: &str = "Error in service module";
const PERM_DENIED: &str = "Permission denied";
const CONV_ERR: &str = "Conversation error";

/// What the table says about a kind of fault.
#[derive(Clone, Copy)]
enum Row {
    /// Duo answers, but with nothing that is of use.
    Answer,
    /// The way to Duo fails.
    Way,
    Configuration,
    /// Out, with this text of PAM and this event, whatever `failmode` says.
    Out(&'static str, &'static str),
}

struct Case {
    what: &'static str,
    row: Row,
    /// Breaks something.
    fault: fn(&TestBed),
    /// Lines of the file, if there is one.
    extra: &'static str,
    answers: &'static [&'static str],
    /// Part of the log line.
    detail: &'static str,
}

fn strike(bed: &TestBed, path: &str, kind: FaultKind) {
    bed.duo.add_fault(Fault::new(path, kind));
}

fn status(bed: &TestBed, path: &str, code: u16) {
    let mut fault = Fault::new(path, FaultKind::Status);
    fault.code = Some(code);
    bed.duo.add_fault(fault);
}

const PREAUTH: &str = "/auth/v2/preauth";
const AUTH: &str = "/auth/v2/auth";
const POLL: &str = "/auth/v2/auth_status";

/// Shorthand for the table.
macro_rules! case {
    ($what:literal, $row:expr, $fault:expr, $extra:literal, $answers:expr, $detail:literal) => {
        Case {
            what: $what,
            row: $row,
            fault: $fault,
            extra: $extra,
            answers: $answers,
            detail: $detail,
        }
    };
}

#[allow(clippy::too_many_lines)] // a table
fn cases() -> Vec<Case> {
    let error = Row::Out(AUTHINFO_UNAVAIL, "Error in Duo login");
    vec![
        case!(
            "DNS",
            Row::Way,
            |_| {},
            "host = no-such-host.invalid",
            &[],
            "Couldn't connect to no-such-host.invalid: "
        ),
        case!(
            "TCP",
            Row::Way,
            |_| {},
            "host = 127.0.0.1:1",
            &[],
            "Couldn't connect to 127.0.0.1:1: "
        ),
        case!(
            "TLS",
            Row::Way,
            |b| strike(b, "connection", FaultKind::Expired),
            "",
            &[],
            "Couldn't connect to localhost"
        ),
        case!(
            "no TLS",
            Row::Way,
            |b| strike(b, "connection", FaultKind::TlsGarbage),
            "",
            &[],
            "Couldn't connect to localhost"
        ),
        case!(
            "time-out",
            Row::Way,
            |b| strike(b, PREAUTH, FaultKind::StallRequest),
            "https_timeout = 1",
            &[],
            "no answer in time"
        ),
        case!(
            "HTTP 500",
            Row::Answer,
            |b| status(b, PREAUTH, 500),
            "",
            &[],
            "HTTP 500"
        ),
        case!(
            "HTTP 503",
            Row::Answer,
            |b| status(b, PREAUTH, 503),
            "",
            &[],
            "HTTP 503"
        ),
        case!(
            "a redirect",
            Row::Answer,
            |b| strike(b, PREAUTH, FaultKind::Redirect),
            "",
            &[],
            "HTTP 302"
        ),
        case!(
            "429 to the end",
            Row::Out(AUTHINFO_UNAVAIL, "Failsecure Duo login"),
            |b| strike(b, PREAUTH, FaultKind::RateLimited),
            "https_timeout = 1",
            &[],
            "HTTP 429"
        ),
        case!(
            "unreadable",
            Row::Answer,
            |b| strike(b, PREAUTH, FaultKind::GarbageJson),
            "",
            &[],
            "invalid JSON response"
        ),
        case!(
            "cut off",
            Row::Way,
            |b| strike(b, PREAUTH, FaultKind::Truncate),
            "",
            &[],
            "Couldn't connect to localhost"
        ),
        case!(
            "a proxy that is not there",
            Row::Way,
            |_| {},
            "http_proxy = http://127.0.0.1:1",
            &[],
            "Couldn't connect to localhost"
        ),
        case!(
            "no file",
            Row::Configuration,
            |b| fs::remove_file(b.host.directory().join("etc/duo/pam_duo.conf")).unwrap(),
            "",
            &[],
            "Couldn't open /etc/duo/pam_duo.conf: No such file or directory"
        ),
        case!(
            "no keys",
            Row::Configuration,
            |_| {},
            "ikey =",
            &[],
            "Missing host, ikey, or skey"
        ),
        case!(
            "bad host",
            Row::Configuration,
            |_| {},
            "host = https://x/",
            &[],
            "Bad value of 'host'"
        ),
        case!(
            "bad cafile",
            Row::Configuration,
            |_| {},
            "cafile = /etc/duo/no-such-file",
            &[],
            "no CA certificate could be read from cafile"
        ),
        case!(
            "relative cafile",
            Row::Configuration,
            |_| {},
            "cafile = ca.pem",
            &[],
            "cafile is not an absolute path"
        ),
        case!(
            "bad http_proxy",
            Row::Configuration,
            |_| {},
            "http_proxy = http://me:secret@proxy:port",
            &[],
            "Bad value of 'http_proxy'"
        ),
        case!(
            "noverify",
            Row::Configuration,
            |_| {},
            "noverify = yes",
            &[],
            "'noverify' is refused"
        ),
        case!(
            "keys rejected",
            Row::Configuration,
            |_| {},
            "ikey = DIOTHER",
            &[],
            "Invalid ikey or skey: 40102"
        ),
        case!(
            "unknown result",
            error,
            |b| strike(b, PREAUTH, FaultKind::default()),
            "ikey = DISIMULATORSIMULATOR",
            &[],
            "unknown result"
        ),
        case!(
            "4xx",
            Row::Out(PERM_DENIED, "Aborted Duo login"),
            |b| status(b, PREAUTH, 403),
            "",
            &[],
            "HTTP 403"
        ),
        case!(
            "5xx after preauth",
            error,
            |b| status(b, AUTH, 500),
            "",
            &["1"],
            "HTTP 500"
        ),
        case!(
            "401 after preauth",
            error,
            |b| strike(b, AUTH, FaultKind::BadSignature),
            "",
            &["1"],
            "Invalid ikey or skey"
        ),
        case!(
            "unreadable after preauth",
            error,
            |b| strike(b, AUTH, FaultKind::GarbageJson),
            "",
            &["1"],
            "invalid JSON response"
        ),
        case!(
            "a lost reply after preauth",
            error,
            |b| strike(b, AUTH, FaultKind::CloseBeforeReply),
            "",
            &["1"],
            "Couldn't connect"
        ),
        case!(
            "unreadable poll",
            error,
            |b| strike(b, POLL, FaultKind::NotObject),
            "",
            &["1"],
            "invalid JSON response"
        ),
        case!(
            "a group that cannot be looked up",
            Row::Out(SERVICE_ERR, "Error in Duo login"),
            |b| {
                let passwd = b.host.directory().join("etc/passwd");
                let users = fs::read_to_string(&passwd).unwrap();
                fs::write(&passwd, users.replace(":2001:2001:", ":2001:4999:")).unwrap();
            },
            "groups = wheel",
            &[],
            "group id 4999"
        ),
    ]
}

/// Whether someone gets in, with PAM's text and the event of the log line.
fn expected(
    row: Row,
    starter: Starter,
    file: Option<&str>,
    argument: Option<&str>,
) -> (bool, &'static str, &'static str) {
    let failmode = argument.or(file);
    let in_ = (true, SUCCESS, "Failsafe Duo login");
    let out = |says| (false, says, "Failsecure Duo login");
    match (row, starter) {
        (Row::Out(says, event), _) => (false, says, event),
        (Row::Configuration, _) if failmode == Some("safe") => in_,
        (Row::Configuration, _) => out(SERVICE_ERR),
        (Row::Answer, _) | (Row::Way, Starter::Root) if failmode != Some("secure") => in_,
        // Whoever starts a program can make the way fail: only the PAM line's word lets in.
        (Row::Way, Starter::User) if argument == Some("safe") => in_,
        (Row::Answer | Row::Way, _) => out(AUTHINFO_UNAVAIL),
    }
}

/// A host with a service for each way to say `failmode`.
fn bed(scenario: &str, extra: &str) -> TestBed {
    TestBed::with(scenario, extra, |host| {
        let line = "auth required {module}";
        host.user("alice")
            .pam("plain", line)
            .pam("safe", &format!("{line} failmode=safe"))
            .pam("secure", &format!("{line} failmode=secure"))
    })
}

/// What the file and the PAM line say.
const SAID: [(Option<&str>, Option<&str>); 7] = [
    (None, None),
    (Some("safe"), None),
    (Some("secure"), None),
    (None, Some("safe")),
    (None, Some("secure")),
    // The argument overrides the file.
    (Some("secure"), Some("safe")),
    (Some("safe"), Some("secure")),
];

#[test]
fn each_cell_of_the_table_holds() {
    for mut case in cases() {
        let scenario = if case.what == "unknown result" {
            case.fault = |_| {};
            "[users.alice]\npreauth = \"perhaps\""
        } else {
            ""
        };
        let bed = bed(scenario, "");
        for starter in [Starter::Root, Starter::User] {
            for (file, argument) in SAID {
                cell(&bed, &case, starter, file, argument);
            }
        }
    }
}

/// One login.
fn cell(bed: &TestBed, case: &Case, starter: Starter, file: Option<&str>, argument: Option<&str>) {
    let place = format!(
        "{}, started by {starter:?}, file {file:?}, argument {argument:?}",
        case.what
    );
    // failmode stands last: the whole file is read before anything is decided.
    let line = file.map_or(String::new(), |mode| format!("failmode = {mode}\n"));
    bed.host.write(
        CONF,
        0o600,
        &format!(
            "{}{}\npush_limit = no\n{line}",
            config(&bed.duo),
            case.extra
        ),
    );
    bed.duo.clear_faults();
    (case.fault)(bed);
    bed.host.clear_log();
    let service = argument.unwrap_or("plain");
    let finished = bed.pamtester_of(starter, service, "alice", case.answers);
    // A file that is not there says nothing.
    let heard = if case.what == "no file" { None } else { file };
    let (let_in, says, event) = expected(case.row, starter, heard, argument);
    assert!(
        finished.transcript.contains(says),
        "{place}: {}\n{:#?}",
        finished.transcript,
        bed.host.duo_log()
    );
    assert_eq!(finished.status == 0, let_in, "{place}");
    let line = bed.logged(&format!("{event} for 'alice' from 203.0.113.5: "));
    assert!(line.text.contains(case.detail), "{place}: {}", line.text);
    // Where Duo's own module would let in, the log says why this one does not.
    let why = "was started by a user, who can cause this; failmode=safe in /etc/pam.d/plain";
    let told = matches!(case.row, Row::Way)
        && starter == Starter::User
        && argument.is_none()
        && file != Some("secure");
    assert_eq!(line.text.contains(why), told, "{place}: {}", line.text);
    // And the user is told.
    let told = event == "Failsecure Duo login" && says == AUTHINFO_UNAVAIL;
    let shown = finished.transcript.contains("Duo cannot be reached.");
    assert_eq!(shown, told, "{place}: {}", finished.transcript);
}

#[test]
fn an_untrusted_file_has_no_word_about_failmode() {
    for (argument, let_in) in [("plain", false), ("safe", true), ("secure", false)] {
        for change in [
            "world-writable",
            "group-writable",
            "of another user",
            "a folder",
            "a pipe",
            "too large",
        ] {
            let bed = bed("", "failmode = safe");
            let path = bed.host.directory().join("etc/duo/pam_duo.conf");
            let conf = format!("{}failmode = safe\n", config(&bed.duo));
            match change {
                "world-writable" => bed.host.write(CONF, 0o602, &conf),
                "group-writable" => bed.host.write(CONF, 0o620, &conf),
                "of another user" => std::os::unix::fs::chown(&path, Some(2001), None).unwrap(),
                "a folder" => {
                    fs::remove_file(&path).unwrap();
                    fs::create_dir(&path).unwrap();
                }
                "a pipe" => {
                    fs::remove_file(&path).unwrap();
                    let made = std::process::Command::new("mkfifo")
                        .arg(&path)
                        .status()
                        .unwrap();
                    assert!(made.success());
                }
                _ => bed
                    .host
                    .write(CONF, 0o600, &(conf + &"# ".repeat(1024 * 1024))),
            }
            let finished = bed.pamtester_as(argument, "alice", &[]);
            assert_eq!(
                finished.status == 0,
                let_in,
                "{change}, {argument}: {}",
                finished.transcript
            );
            if !let_in {
                assert!(
                    finished.transcript.contains(SERVICE_ERR),
                    "{change}: {}",
                    finished.transcript
                );
            }
            bed.logged("auth): Couldn't open /etc/duo/pam_duo.conf: ");
            assert!(bed.paths().is_empty());
        }
    }
}

#[test]
fn a_conversation_that_fails_keeps_out_whatever_failmode_says() {
    let bed = TestBed::new("", "failmode = safe");
    // No terminal, and nothing to read.
    let mut command = bed
        .host
        .pamtester("duo", "alice", "203.0.113.5", &["authenticate"]);
    let output = command.stdin(std::process::Stdio::null()).output().unwrap();
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(said.contains(CONV_ERR), "{said}");
    bed.logged("Aborted Duo login for 'alice' from 203.0.113.5: conversation failed");
}
