//! The log, and what must never be in it.

use login_sandbox::Terminal;

use crate::test_bed::TestBed;

#[test]
fn debug_writes_to_standard_error_and_nothing_to_syslog() {
    let bed = TestBed::with("", "", |host| {
        host.user("alice").pam(
            "debug",
            "auth required {module} conf=/etc/duo/pam_duo.conf debug\n",
        )
    });
    let finished = bed.pamtester_as("debug", "alice", &["123456"]);
    let line = "[6] Successful Duo login for 'alice' from 203.0.113.5 [factor=passcode ms=";
    assert!(
        finished.transcript.contains(line),
        "{}",
        finished.transcript
    );
    assert!(bed.host.duo_log().is_empty());
}

#[test]
fn a_trace_shows_every_request_and_no_secret() {
    let bed = TestBed::with(
        "[users.alice]\ntrusted_device_token = \"TOKENTOKEN\"\npasscodes = [\"7717717\"]",
        "http_proxy =",
        |host| {
            host.user("alice").pam(
                "trace",
                "auth required {module} conf=/etc/duo/pam_duo.conf trace\n",
            )
        },
    );
    // Typed at a terminal without echo, so that the transcript holds what the module writes alone.
    let command = bed.host.inside(&[
        "sh",
        "-c",
        "stty -echo; exec pamtester -I rhost=203.0.113.5 trace alice authenticate",
    ]);
    let mut terminal = Terminal::start(&command);
    terminal.expect("(1-3): ");
    terminal.line("7717717");
    let shown = terminal.finish().transcript;
    for part in [
        "[7] POST /auth/v2/preauth (username ipaddr hostname)",
        "[7] /auth/v2/preauth: HTTP 200",
        "[7] POST /auth/v2/auth (username ipaddr hostname factor passcode)",
        "[6] Successful Duo login",
    ] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    for secret in [bed.duo.skey(), "7717717", "TOKENTOKEN", "Basic "] {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
}

#[test]
fn the_skey_is_in_no_line_whatever_goes_wrong() {
    let skey = "5ecre75ecre75ecre75ecre75ecre75ecre75ecr";
    for (extra, scenario, asks) in [
        ("", "", true),
        (
            "skye = x\nprompts = many\nfailmode = maybe\nno key here",
            "",
            true,
        ),
        (
            "",
            "[[faults]]\npath = \"*\"\nkind = \"garbage_json\"",
            false,
        ),
        (
            "",
            "[[faults]]\npath = \"connection\"\nkind = \"expired\"",
            false,
        ),
        ("host = https://example.com/", "", false),
    ] {
        let scenario = format!("skey = \"{skey}\"\n{scenario}");
        let bed = TestBed::with(&scenario, extra, |host| {
            host.user("alice").pam(
                "trace",
                "auth required {module} conf=/etc/duo/pam_duo.conf trace\n",
            )
        });
        let answers: &[&str] = if asks { &["123456"] } else { &[] };
        for service in ["duo", "trace"] {
            let shown = bed.pamtester_as(service, "alice", answers).transcript;
            assert!(!shown.contains(skey), "{shown}");
        }
        let lines = bed.host.duo_log();
        assert!(!lines.is_empty());
        for line in lines {
            assert!(!line.text.contains(skey), "{line:?}");
        }
    }
}

#[test]
fn control_characters_in_the_user_name_never_reach_the_log() {
    let bed = TestBed::new("", "");
    let finished = bed.pamtester("mal\u{1b}[31mlory\nx", &[]);
    assert_ne!(finished.status, 0);
    let line = bed.logged("no such user");
    assert!(line.text.contains("for 'mal?(31mlory?x'"), "{line:?}");
}

/// Whoever can change the file can pose as Duo.
#[test]
fn a_cafile_that_others_may_change_is_told_at_every_login() {
    let bed = TestBed::new("", "");
    for (mode, told) in [(0o644, 0), (0o666, 1), (0o664, 1)] {
        bed.host.clear_log();
        bed.host.write(crate::test_bed::CA, mode, bed.duo.ca_pem());
        assert_eq!(bed.pamtester("alice", &["123456"]).status, 0);
        bed.host.wait_log("Successful Duo login");
        let lines = bed.host.duo_log();
        let about = lines.iter().filter(|l| {
            l.text
                .contains("/etc/duo/ca.pem must be writable only by user 'root'")
        });
        assert_eq!(about.count(), told, "{mode:o}: {lines:#?}");
    }
}
