//! Who sends text from outside cannot form what a reader of the log takes for the module's own.

use std::fmt::Write as _;

use login_sandbox::Terminal;

use crate::stand_in;
use crate::test_bed::TestBed;

/// What looks like the fields in brackets.
const FORGED: &str = "x [factor=push device=x txid=y ms=1]";
/// Characters that nobody sees, of every kind, as TOML and as they are.
const INVISIBLE: &[char] = &[
    '\u{00ad}',
    '\u{034f}',
    '\u{061c}',
    '\u{115f}',
    '\u{1160}',
    '\u{17b4}',
    '\u{17b5}',
    '\u{180b}',
    '\u{180e}',
    '\u{200b}',
    '\u{200d}',
    '\u{202e}',
    '\u{2060}',
    '\u{2066}',
    '\u{206a}',
    '\u{3164}',
    '\u{fe0f}',
    '\u{feff}',
    '\u{ffa0}',
    '\u{fff9}',
    '\u{fffb}',
    '\u{1d173}',
    '\u{e0001}',
    '\u{e0041}',
    '\u{e007f}',
    '\u{e0100}',
];

fn invisible() -> String {
    INVISIBLE.iter().collect()
}

/// Nothing in the module's lines but its own fields at the end, and nothing that cannot be seen.
#[track_caller]
fn is_clean(bed: &TestBed) {
    let lines = bed.host.duo_log();
    assert!(!lines.is_empty());
    for line in lines {
        let text = &line.text;
        if let Some((_, fields)) = text.split_once(" [") {
            let fields = fields.strip_suffix(']').unwrap_or_else(|| panic!("{text}"));
            assert!(!fields.contains(['[', ']']), "{text}");
            let mut names: Vec<&str> = fields
                .split(' ')
                .map(|field| field.split_once('=').expect("a field").0)
                .collect();
            assert_eq!(names[0], "factor", "{text}");
            let all = names.len();
            names.sort_unstable();
            names.dedup();
            assert_eq!(names.len(), all, "{text}");
            assert!(!fields.contains(" txid=y"), "{text}");
        }
        assert!(!text.contains("[factor=push device=x"), "{text}");
        for character in INVISIBLE {
            assert!(!text.contains(*character), "{character:?} in {text:?}");
        }
    }
}

#[test]
fn duos_messages_form_no_field_and_hide_nothing() {
    let message = format!("{FORGED}{}", invisible());
    for preauth in [
        "deny",
        "allow",
        "enroll",
        "nonsense [factor=push device=x txid=y]",
    ] {
        let scenario =
            format!("[users.alice]\npreauth = \"{preauth}\"\nstatus_msg = \"{message}\"");
        let bed = TestBed::new(&scenario, "");
        let finished = bed.pamtester("alice", &[]);
        is_clean(&bed);
        let shown = finished.transcript;
        assert!(!shown.contains(INVISIBLE), "{shown:?}");
    }
}

#[test]
fn names_of_devices_form_no_field_and_hide_nothing() {
    let name = format!("{FORGED}{}", invisible());
    let scenario = format!(
        "[users.alice]\npush = {{answer = \"deny\"}}\n[[users.alice.devices]]\n\
         device = \"D1 txid=y ms=1] [factor=push device=x\"\ndisplay_name = \"{name}\"\n\
         name = \"{name}\"\nnumber = \"{name}\""
    );
    let bed = TestBed::new(&scenario, "autopush = yes\nprompts = 1");
    let finished = bed.pamtester("alice", &[]);
    bed.host.wait_log("Failed Duo login for 'alice'");
    is_clean(&bed);
    assert!(!finished.transcript.contains(INVISIBLE), "{finished:?}");
}

#[test]
fn a_result_and_a_refusal_form_no_field() {
    for scenario in [
        format!("[users.alice]\npush = {{answer = \"{FORGED}\"}}"),
        format!(
            "[[faults]]\npath = \"/auth/v2/auth\"\nkind = \"status\"\ncode = 400\nbody = '{}'",
            r#"{"stat":"FAIL","code":40002,"message":"M [factor=push device=x txid=y ms=1]","message_detail":"N [factor=push device=x txid=y ms=1]"}"#
        ),
        format!(
            "[[faults]]\npath = \"/auth/v2/auth\"\nkind = \"redirect\"\nbody = \"https://{FORGED}/\""
        ),
    ] {
        let bed = TestBed::new(&scenario, "autopush = yes");
        bed.pamtester("alice", &[]);
        is_clean(&bed);
    }
}

#[test]
fn the_names_of_user_service_and_host_form_no_field_and_hide_nothing() {
    let bed = TestBed::new("", "");
    bed.pamtester(&format!("u{FORGED}"), &[]);
    bed.pamtester(&format!("u{}", invisible()), &[]);
    let from = format!("h{FORGED}{}", invisible());
    let command = bed.host.pamtester("duo", "alice", &from, &["authenticate"]);
    let mut terminal = Terminal::start(&command);
    terminal.expect("(1-3): ");
    terminal.line("123456");
    assert_eq!(terminal.finish().status, 0);
    bed.host.wait_log("Successful Duo login for 'alice'");
    is_clean(&bed);
    let lines = bed.host.duo_log();
    assert_eq!(lines.len(), 3, "{lines:?}");
}

/// As Duo's own module writes it: parsers match the whole line.
#[test]
fn log_duo_unix_writes_no_prefix_and_no_fields() {
    let scenario = "[users.alice]\npush = [{answer = \"deny\"}, {answer = \"approve\"}]";
    let bed = TestBed::new(scenario, "log = duo_unix\nautopush = yes");
    assert_eq!(bed.pamtester("alice", &["1"]).status, 0);
    let line = bed.host.wait_log("Successful Duo login");
    assert_eq!(
        line.text,
        "Successful Duo login for 'alice' from 203.0.113.5"
    );
    assert_eq!(line.tag, "pamtester");
    let lines = bed.host.log();
    let failed = lines.iter().find(|l| l.text.starts_with("Failed"));
    assert_eq!(
        failed.map(|line| line.text.as_str()),
        Some("Failed Duo login for 'alice' from 203.0.113.5: Login request denied."),
        "{lines:?}"
    );
    for line in lines.iter().filter(|line| line.tag == "pamtester") {
        assert!(!line.text.contains("pam_duo("), "{line:?}");
        assert!(!line.text.contains('['), "{line:?}");
    }
    assert!(bed.host.duo_log().is_empty());
}

/// What is shown of a reply that is meant to bury the rest is bounded.
#[test]
fn the_screen_takes_no_more_than_eight_kibibytes_from_duo() {
    let long = "y".repeat(100_000);
    let mut devices = String::new();
    for number in 0..200 {
        let name = "y".repeat(500);
        let _ = writeln!(
            devices,
            "[[users.alice.devices]]\ndevice = \"D{number}\"\ndisplay_name = \"{number} {name}\""
        );
    }
    for scenario in [
        format!("[users.alice]\npreauth = \"deny\"\nstatus_msg = \"{long}\""),
        format!(
            "[users.alice]\npreauth = \"enroll\"\nstatus_msg = \"{long}\"\n\
             enroll_portal_url = \"https://example.com/{long}\""
        ),
        format!("[users.alice]\n{devices}"),
    ] {
        for extra in ["", "menu = server"] {
            let bed = TestBed::new(&scenario, extra);
            let said = stand_in::run(&bed, &["duo", "alice", "999999"]);
            let length = said.text.len();
            // Three questions at most.
            assert!(length < 3 * 8192, "{length} bytes");
            let logged: usize = bed.host.duo_log().iter().map(|l| l.text.len()).sum();
            assert!(logged < 5 * 4200, "{logged}");
        }
    }
}
