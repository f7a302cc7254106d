//! `pamduo support`: what is in the bundle, and what never is.

use std::fs;
use std::path::PathBuf;

use crate::test_bed::{Run, TestBed, mode_of};

const PASSWORD: &str = "pr0xy%20passw0rd";
const LOG: &str = "\
2026-01-02T03:04:05+00:00 bastion sshd[7]: pam_duo(sshd:auth): Successful Duo login for 'alice' \
from 203.0.113.5 [factor=push device=DPSECRET txid=TXSECRET ms=42]
2026-01-02T03:04:06+00:00 bastion sshd[7]: pam_unix(sshd:session): session opened for user alice
2026-01-02T03:04:07+00:00 bastion sshd[7]: pam_duo(sshd:auth): Failsafe Duo login for 'alice': \
HTTP 503 SKEY
2026-01-02T03:04:08+00:00 bastion sshd[7]: pam_duo(sshd:auth): Aborted Duo login for 'bob': bob \
was here
2026-01-02T03:04:09+00:00 bastion sshd[7]: pam_duo(sshd:auth): Unknown key 'failmod' in /x, line \
1: did you mean 'failmode'?
";

/// A bed whose log holds the secret key, and the bundle's path.
fn bed() -> (TestBed, PathBuf, PathBuf) {
    let bed = TestBed::new("");
    let log = bed.folder.path().join("auth.log");
    fs::write(&log, LOG.replace("SKEY", bed.duo.skey())).unwrap();
    let bundle = bed.folder.path().join("bundle.txt");
    (bed, log, bundle)
}

fn support(lines: &str) -> (Run, String) {
    let (bed, log, bundle) = bed();
    let skey = bed.duo.skey().to_owned();
    bed.add(&lines.replace("SKEY", &skey));
    let mut command = bed.command(&["support", "--output"]);
    command.arg(&bundle).arg("--log").arg(&log);
    let run = crate::test_bed::run(&mut command, "");
    assert_eq!((run.status, mode_of(&bundle)), (0, 0o600), "{run:?}");
    let text = fs::read_to_string(&bundle).unwrap();
    for secret in [
        skey.as_str(),
        PASSWORD,
        "pr0xy passw0rd",
        "bWU6cHIweHkgcGFzc3cwcmQ=",
    ] {
        assert!(
            !text.contains(secret) && !run.all().contains(secret),
            "{text}"
        );
    }
    (run, text)
}

#[test]
fn the_bundle_has_its_sections_and_says_first_what_is_in_it() {
    let (run, text) = support("autopush = yes\ngroups = wheel,!robots");
    let sections: Vec<&str> = text.lines().filter_map(|l| l.strip_prefix("== ")).collect();
    let expected = [
        "versions",
        "configuration",
        "pamduo check",
        "pamduo lint",
        "log",
    ];
    assert_eq!(sections, expected);
    let list = run.stdout.find("- versions: ").unwrap();
    assert!(list < run.stdout.find("Written").unwrap());
    for line in [
        concat!("pamduo ", env!("CARGO_PKG_VERSION"), "\n"),
        "\nsystem: NAME=",
        "\nkernel: ",
        "\nikey = DISI… (20 characters)\n",
        "\nskey = (40 characters)\n",
        "\nautopush = yes\n",
        "\ngroups = wheel,!robots\n",
        "Duo accepts ikey and skey",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert!(!text.contains("DISIMULATOR"));
}

#[test]
fn log_lines_have_placeholders_for_names_and_addresses() {
    let (_, text) = support("");
    for line in [
        "2026-01-02T03:04:05+00:00 pam_duo(sshd:auth): Successful Duo login for user1 from host1 \
         [factor=push ms=42]\n",
        "Failsafe Duo login for user1: HTTP 503\n",
        "Aborted Duo login for user2: (left out)\n",
        "Unknown key 'failmod' in /x, line 1: did you mean 'failmode'?\n",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    for left_out in [
        "alice",
        "bob",
        "203.0.113.5",
        "bastion",
        "TXSECRET",
        "pam_unix",
    ] {
        assert!(!text.contains(left_out), "{left_out} in {text}");
    }
}

#[test]
fn secrets_are_in_no_bundle_wherever_someone_put_them() {
    for lines in [
        "; skey = SKEY",
        "# SKEY",
        "sekey = SKEY",
        "SKEY = yes",
        "SKEY",
        "failmode = SKEY",
        "groups = SKEY",
        "cafile = /SKEY",
        "skey = SKEY\n  SKEY",
        "host = SKEY",
        "http_proxy = http://me:pr0xy%20passw0rd@127.0.0.1:1",
        "; http_proxy = http://me:pr0xy%20passw0rd@127.0.0.1:1",
        "groups = pr0xy%20passw0rd\nhttp_proxy = http://me:pr0xy%20passw0rd@127.0.0.1:1",
        "http_proxy = http://me:pr0xy%20passw0rd@SKEY:1",
        "ikey = SKEY",
        "skey =",
        "noverify = yes",
    ] {
        support(lines);
    }
}

#[test]
fn a_file_that_is_not_trusted_gives_away_nothing_either() {
    let (bed, log, bundle) = bed();
    bed.mode(0o666);
    let mut command = bed.command(&["support", "--json", "--output"]);
    let run = crate::test_bed::run(command.arg(&bundle).arg("--log").arg(&log), "");
    assert_eq!(run.json()["file"], bundle.display().to_string());
    let text = fs::read_to_string(&bundle).unwrap();
    assert!(text.contains("mode 0666 lets others write to it"), "{text}");
    assert!(!text.contains(bed.duo.skey()));
}

#[test]
fn a_file_that_is_there_is_not_replaced() {
    let (bed, _, bundle) = bed();
    fs::write(&bundle, "mine").unwrap();
    let mut command = bed.command(&["support", "--output"]);
    assert_eq!(crate::test_bed::run(command.arg(&bundle), "").status, 1);
    assert_eq!(fs::read_to_string(&bundle).unwrap(), "mine");
}
