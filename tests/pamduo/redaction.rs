//! No line that any subcommand writes, on standard output or standard error, as text or as JSON, has
//! a secret of the configuration in it, even when someone put one in an odd place.

use std::fs;
use std::path::Path;

use login_sandbox::Terminal;

use crate::test_bed::{Run, TestBed, pamduo, run};

/// Not as long as a real one, and with characters that JSON escapes: known as a secret only because
/// the configuration says so.
const SKEY: &str = r#"Odd"s3cret\key"#;
/// The same for a proxy's password, which has a blank in it.
const PASSWORD: &str = r#"proxy "pa55word"#;
const PROXY: &str = r#"http://me:proxy%20"pa55word@127.0.0.1:1"#;

/// Whether a text gives a secret away, as it is or with JSON's escapes.
fn leaks(text: &str) -> bool {
    // A secret with a blank in it may be on two lines.
    let words: Vec<&str> = text.split_whitespace().collect();
    let joined = words.join(" ");
    [SKEY, PASSWORD].iter().any(|secret| {
        let escaped = serde_json::to_string(secret).unwrap();
        joined.contains(secret) || joined.contains(escaped.trim_matches('"'))
    })
}

/// Each output may have had a secret in it, and says so.
#[track_caller]
fn is_redacted(run: &Run) {
    assert!(!leaks(&run.all()), "{run:?}");
    assert!(run.all().contains("[secret]"), "nothing to hide: {run:?}");
}

/// A configuration with both secrets, and more lines.
fn bed(lines: &str) -> TestBed {
    let bed = TestBed::new("");
    let odd = lines.replace("SKEY", SKEY).replace("PASSWORD", PASSWORD);
    bed.add(&format!("{odd}\nskey = {SKEY}\n; http_proxy = {PROXY}"));
    bed
}

/// Runs a subcommand as text and as JSON.
#[track_caller]
fn both(bed: &TestBed, arguments: &[&str]) {
    is_redacted(&bed.run(arguments, ""));
    is_redacted(&bed.run(&[arguments, &["--json"]].concat(), ""));
}

#[test]
fn check_shows_no_secret() {
    for lines in [
        "SKEY = yes",
        "PASSWORD = yes",
        "groups = SKEY",
        "cafile = /SKEY/ca.pem",
        "cafile = /PASSWORD/ca.pem",
        "groups = users\n SKEY = yes\n failmode = safe\ncafile = /PASSWORD",
    ] {
        both(&bed(lines), &["check"]);
    }
}

#[test]
fn a_secret_with_a_blank_in_it_is_struck_out_before_lines_are_broken() {
    for width in 1..30 {
        let bed = bed(&format!("{} PASSWORD = yes", "x".repeat(width)));
        is_redacted(&bed.run(&["check"], ""));
    }
}

#[test]
fn login_shows_no_secret() {
    let bed = bed("");
    for user in [SKEY, PASSWORD] {
        both(&bed, &["login", user]);
    }
}

#[test]
fn what_login_asks_at_the_terminal_has_no_secret() {
    let bed = TestBed::new("[users.nobody]\n");
    bed.add("; skey = Duo Push to iPhone");
    let run = bed.run(&["login", "nobody"], "");
    assert!(run.stderr.contains("1. [secret] ("), "{run:?}");
    assert!(!run.all().contains("Duo Push to iPhone"), "{run:?}");
}

#[test]
fn lint_shows_no_secret_of_any_configuration_that_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("etc/duo/pam_duo.conf", &format!("skey = {SKEY}\n"));
    write("etc/duo/other.conf", &format!("http_proxy = {PROXY}\n"));
    write(
        "etc/pam.d/sshd",
        &format!("auth required pam_duo.so {SKEY}\n"),
    );
    write(
        "etc/pam.d/su",
        &format!("@include {SKEY}\nauth required pam_duo.so\n"),
    );
    write(
        "etc/pam.d/sudo",
        &format!(
            "auth sufficient /{SKEY}/pam_x.so\n\
             auth required pam_duo.so conf=/etc/duo/other.conf [{PASSWORD}]\n"
        ),
    );
    write(
        "etc/ssh/sshd_config",
        &format!("UsePAM yes\nMatch User 'a {SKEY}'\nUsePAM no\n"),
    );
    for json in [&[] as &[&str], &["--json"]] {
        let mut command = pamduo(&["lint", "--root"]);
        let run = run(command.arg(folder.path()).args(json), "");
        is_redacted(&run);
        assert!(run.stdout.matches("[secret]").count() >= 5, "{run:?}");
    }
    let missing = folder.path().join(SKEY);
    let mut command = pamduo(&["--config"]);
    command.arg(folder.path().join("etc/duo/pam_duo.conf"));
    is_redacted(&run(command.args(["lint", "--root"]).arg(missing), ""));
}

/// The secret is in no file yet: it comes with the answers.
#[test]
fn setup_shows_no_secret() {
    for json in [&[] as &[&str], &["--json"]] {
        let bed = TestBed::new("");
        let path = bed.folder.path().join(SKEY).join("pam_duo.conf");
        let mut command = pamduo(&["setup", "--host", "h", "--ikey", "i", "--skey-file", "-"]);
        command.args(json).arg("--config").arg(&path);
        // Duo cannot be reached there, so it says why, on standard error.
        let refused = run(&mut command, SKEY);
        assert_eq!(refused.status, 1, "{refused:?}");
        assert!(!leaks(&refused.all()), "{refused:?}");
        is_redacted(&run(command.arg("--no-check"), SKEY));
        assert!(fs::read_to_string(&path).unwrap().contains(SKEY));
    }
    let bed = bed("ikey = SKEY");
    let mut terminal = Terminal::start(&bed.command(&["setup", "--host", "h"]));
    terminal.expect("Integration key [[secret]]: ");
    terminal.interrupt();
    assert!(!leaks(&terminal.finish().transcript));
}

#[test]
fn support_shows_no_secret() {
    let bed = bed("SKEY = yes\ngroups = SKEY\ncafile = /PASSWORD/ca.pem\nikey = SKEY");
    for (json, name) in [(&[] as &[&str], "a"), (&["--json"], "b")] {
        let bundle = bed.folder.path().join(format!("{name} {SKEY}"));
        let log = bed.folder.path().join(PASSWORD);
        let mut command = bed.command(&["support", "--output"]);
        command.arg(&bundle).arg("--log").arg(&log).args(json);
        is_redacted(&run(&mut command, ""));
        let text = fs::read_to_string(&bundle).unwrap();
        assert!(!leaks(&text) && text.contains("[secret]"), "{text}");
        // It exists by now.
        is_redacted(&run(&mut command, ""));
    }
}

#[test]
fn generate_shows_no_secret() {
    let bed = bed("");
    let file = bed.folder.path().join(SKEY);
    fs::write(&file, "not a folder").unwrap();
    let mut command = bed.command(&["generate", "man", "--output"]);
    is_redacted(&run(command.arg(&file), ""));
}

/// What no other file writes, no other file can forget to redact.
#[test]
fn one_file_alone_writes_to_the_screen() {
    let mut writers = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("src")];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = fs::read_to_string(&path).unwrap();
            let words = ["io::stdout", "io::stderr", "print!", "println!", "dbg!"];
            if words.iter().any(|word| text.contains(word)) {
                writers.push(path.file_name().unwrap().to_owned());
            }
        }
    }
    assert_eq!(writers, ["report.rs"]);
}
