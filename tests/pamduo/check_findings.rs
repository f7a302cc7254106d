//! Each finding of `pamduo check` by a set-up that is broken in one way, and sound set-ups without
//! any.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};

use crate::proxy::Proxy;
use crate::test_bed::{Run, TestBed, run};

/// The list of what can be found.
const PROBLEMS: &str = include_str!("../../crates/pamduo/src/check/problem.rs");

/// What else is broken, besides Duo.
#[derive(Clone, Copy)]
enum Broken {
    /// Nothing.
    Nothing,
    /// Lines are added to the configuration.
    Lines(&'static str),
    /// A text is replaced in the configuration.
    Replaced(&'static str, &'static str),
    /// The line of a key is replaced.
    Key(&'static str, &'static str),
    /// The configuration's mode.
    Mode(u32),
    /// A proxy is set: what it does, and credentials with an @.
    Through(Proxy, &'static str),
    /// Something else with the file.
    File(fn(&TestBed)),
    /// The name has a second address.
    SecondAddress,
}

use Broken::{File, Key, Lines, Mode, Nothing, Replaced, SecondAddress, Through};

struct Case {
    /// What is found; nothing in a sound set-up.
    finds: &'static [&'static str],
    /// What Duo does (TOML).
    duo: &'static str,
    broken: Broken,
}

const fn found(finds: &'static [&'static str], duo: &'static str, broken: Broken) -> Case {
    Case { finds, duo, broken }
}

const PASSWORD: &str = "pr0xypassw0rd";

fn fault(kind: &str) -> &'static str {
    let text = format!("[[faults]]\npath = \"connection\"\nkind = \"{kind}\"\n");
    Box::leak(text.into_boxed_str())
}

fn sound() -> Vec<Case> {
    vec![
        found(&[], "", Nothing),
        found(
            &[],
            "",
            Lines("failmode = secure\nautopush = yes ; comment"),
        ),
        found(&[], "", Lines("signature = v5")),
        found(
            &[],
            "",
            Lines("signature = v2-sha512\ngroups = users,!robots"),
        ),
        found(&[], "", Key("host", "host = 127.0.0.1:{port}")),
        found(&[], "", Through(Proxy::Open, "")),
        found(
            &[],
            "",
            Through(
                Proxy::Wants("bWU6cHIweHlwYXNzdzByZA=="),
                "me:pr0xypassw0rd@",
            ),
        ),
        found(&[], "clock_offset_seconds = 30", Nothing),
        found(&[], "", Mode(0o400)),
    ]
}

fn of_the_file() -> Vec<Case> {
    vec![
        found(
            &["file.missing"],
            "",
            File(|bed| fs::remove_file(bed.conf()).unwrap()),
        ),
        found(
            &["file.unreadable"],
            "",
            File(|bed| {
                fs::remove_file(bed.conf()).unwrap();
                symlink(bed.conf(), bed.conf()).unwrap();
            }),
        ),
        found(
            &["file.not-regular"],
            "",
            File(|bed| {
                fs::remove_file(bed.conf()).unwrap();
                fs::create_dir(bed.conf()).unwrap();
            }),
        ),
        found(
            &["file.owner"],
            "",
            File(|bed| chown(bed.conf(), Some(65534), None).unwrap()),
        ),
        found(&["file.writable-by-others"], "", Mode(0o620)),
        found(
            &["file.too-large"],
            "",
            File(|bed| bed.add(&";".repeat(1024 * 1024))),
        ),
        found(
            &["file.cafile-writable-by-others"],
            "",
            File(|bed| {
                let everyone = fs::Permissions::from_mode(0o666);
                fs::set_permissions(bed.duo.ca_file(), everyone).unwrap();
            }),
        ),
        found(&["file.readable-by-others"], "", Mode(0o640)),
        found(&["file.syntax"], "", Lines("failmode safe")),
        found(&["file.unknown-key"], "", Lines("failmod = safe")),
        found(&["file.bad-value"], "", Lines("failmode = open")),
        found(&["file.out-of-range"], "", Lines("prompts = 9")),
        found(&["file.without-effect"], "", Lines("motd = yes")),
        found(
            &["file.swallowed-key"],
            "",
            Lines("groups = users\n  failmode = safe"),
        ),
        found(&["file.missing-keys"], "", Key("ikey", "ikey =")),
        found(
            &["file.bad-host"],
            "",
            Key("host", "host = https://localhost"),
        ),
        found(&["file.noverify"], "", Lines("noverify = yes")),
        found(
            &["file.unknown-key", "file.bad-value"],
            "",
            Lines("failmod = safe\nautopush = maybe"),
        ),
    ]
}

fn of_the_connection() -> Vec<Case> {
    vec![
        found(&["dns.failed"], "", Key("host", "host = nothing.invalid")),
        found(&["tcp.failed"], "", Key("host", "host = 127.0.0.1:1")),
        found(&["tcp.partly"], "", SecondAddress),
        found(
            &["tcp.failed"],
            "",
            Lines("http_proxy = http://127.0.0.1:1"),
        ),
        found(
            &["dns.failed"],
            "",
            Lines("http_proxy = http://nothing.invalid"),
        ),
        found(
            &["proxy.credentials"],
            "",
            Through(Proxy::Wants("eA=="), ""),
        ),
        found(
            &["proxy.credentials"],
            "",
            Through(Proxy::Wants("eA=="), "me:pr0xypassw0rd@"),
        ),
        found(&["proxy.failed"], "", Through(Proxy::Forbids, "")),
        found(&["proxy.failed"], "", Through(Proxy::Garbage, "")),
        found(&["proxy.failed"], "", Through(Proxy::Silent, "")),
        found(
            &["tls.no-store"],
            "",
            Key("cafile", "cafile = /nothing/ca.pem"),
        ),
        found(&["tls.self-signed"], fault("self_signed"), Nothing),
        found(&["tls.unknown-issuer"], fault("unknown_ca"), Nothing),
        found(&["tls.expired"], fault("expired"), Nothing),
        found(&["tls.wrong-name"], fault("wrong_name"), Nothing),
        found(&["tls.not-tls"], fault("tls_garbage"), Nothing),
        found(&["tls.not-tls"], fault("plain_http"), Nothing),
        found(&["tls.failed"], fault("old_tls"), Nothing),
        found(&["tls.failed"], fault("refuse"), Nothing),
        found(
            &["tls.failed"],
            fault("stall_tls"),
            Lines("https_timeout = 1"),
        ),
        found(
            &["tls.failed"],
            fault("stall_accept"),
            Lines("https_timeout = 1"),
        ),
    ]
}

const REJECTED_ONCE: &str =
    "[[faults]]\npath = \"/auth/v2/check\"\nkind = \"bad_signature\"\ncount = 1\n";
const PING_BROKEN: &str = "[[faults]]\npath = \"/auth/v2/ping\"\nkind = \"status\"\ncode = 503\n";
const CHECK_BROKEN: &str = "[[faults]]\npath = \"/auth/v2/check\"\nkind = \"status\"\ncode = 503\n";
const CHECK_FORBIDDEN: &str = "[[faults]]\npath = \"/auth/v2/check\"\nkind = \"status\"\n\
    code = 403\nbody = '{\"stat\":\"FAIL\",\"code\":40301,\"message\":\"Access forbidden\"}'\n";
const SECOND_CHECK_BROKEN: &str = "[[faults]]\npath = \"/auth/v2/check\"\nkind = \"status\"\n\
    code = 503\nskip = 1\ncount = 1\n";

fn of_duo() -> Vec<Case> {
    vec![
        found(&["clock.off"], "clock_offset_seconds = 120", Nothing),
        found(&["clock.off"], "clock_offset_seconds = -90", Nothing),
        // Beyond Duo's own limit: a login signs again with Duo's time, and so does the check.
        found(&["clock.off"], "clock_offset_seconds = 4000", Nothing),
        found(&["clock.no-answer"], PING_BROKEN, Nothing),
        found(
            &["signature.keys"],
            "",
            Replaced("simulator1234", "simulator1235"),
        ),
        found(
            &["signature.keys"],
            "",
            Key("ikey", "ikey = DIXXXXXXXXXXXXXXXXXX"),
        ),
        found(&["signature.algorithm"], REJECTED_ONCE, Nothing),
        found(&["signature.no-answer"], CHECK_BROKEN, Nothing),
        found(&["signature.no-answer"], CHECK_FORBIDDEN, Nothing),
        found(&["signatures.no-answer"], SECOND_CHECK_BROKEN, Nothing),
    ]
}

impl Case {
    fn play(&self, arguments: &[&str]) -> Run {
        let bed = TestBed::new(self.duo);
        let port = bed.duo.address().port().to_string();
        let conf = bed.sound();
        match self.broken {
            Nothing => {}
            Lines(lines) => bed.add(lines),
            Replaced(what, with) => bed.write(&conf.replace(what, with)),
            Key(key, line) => {
                let lines = conf.lines().map(|old| {
                    if old.starts_with(key) {
                        line.replace("{port}", &port)
                    } else {
                        old.to_owned()
                    }
                });
                bed.write(&lines.collect::<Vec<_>>().join("\n"));
            }
            Mode(mode) => bed.mode(mode),
            Through(proxy, credentials) => bed.add(&format!(
                "http_proxy = http://{credentials}127.0.0.1:{}\nhttps_timeout = 2",
                proxy.start()
            )),
            File(change) => change(&bed),
            SecondAddress => {
                let hosts = "127.0.0.1 localhost\n127.0.0.2 localhost\n";
                return run(&mut bed.command_with("/etc/hosts", hosts, arguments), "");
            }
        }
        bed.run(arguments, "")
    }

    #[track_caller]
    fn proves(&self) {
        let run = self.play(&["check", "--json"]);
        let json = run.json();
        let mut ids = Vec::new();
        let mut ok_before = true;
        for step in json["steps"].as_array().unwrap() {
            for finding in step["findings"].as_array().unwrap() {
                let id = finding["id"].as_str().unwrap().to_owned();
                assert!(id.starts_with(&format!("{}.", step["id"].as_str().unwrap())));
                assert!(!finding["fix"].as_str().unwrap().is_empty(), "{id}");
                let severity = finding["severity"].as_str().unwrap();
                assert!(["error", "warning"].contains(&severity), "{id}");
                assert!(!finding["message"].as_str().unwrap().is_empty(), "{id}");
                let in_file = id.starts_with("file.");
                assert_eq!(finding["where"]["file"].is_string(), in_file, "{id}");
                assert_eq!(finding.as_object().unwrap().len(), 5, "{finding}");
                ids.push(id);
            }
            let status = step["status"].as_str().unwrap();
            // What is skipped says for which step it waits, and that one failed.
            if status == "skipped" {
                assert!(step["waits_for"].is_string() && !ok_before, "{json:#}");
            }
            ok_before &= status == "ok" || status == "warning";
        }
        assert_eq!(ids, self.finds, "{} {json:#}", self.duo);
        assert_eq!(run.status, i32::from(!self.finds.is_empty()), "{run:?}");
        let shown = run.all() + &self.play(&["check"]).all();
        assert!(!shown.contains("simulator1234"), "{shown}");
        assert!(!shown.contains("simulator1235"), "{shown}");
        assert!(!shown.contains(PASSWORD), "{shown}");
    }
}

#[test]
fn sound_set_ups_have_no_finding() {
    sound().iter().for_each(Case::proves);
}

#[test]
fn each_finding_of_the_file_is_found_alone() {
    of_the_file().iter().for_each(Case::proves);
}

#[test]
fn each_finding_of_the_connection_is_found_alone() {
    of_the_connection().iter().for_each(Case::proves);
}

#[test]
fn each_finding_of_duo_is_found_alone() {
    of_duo().iter().for_each(Case::proves);
}

#[test]
fn every_finding_there_is_has_a_set_up_that_triggers_it() {
    let is_id = |text: &&str| text.contains('.') && !text.contains(' ');
    let known: BTreeSet<&str> = PROBLEMS
        .split('"')
        .skip(1)
        .step_by(2)
        .filter(is_id)
        .collect();
    let cases = [of_the_file(), of_the_connection(), of_duo()];
    let alone = cases.iter().flatten().filter(|case| case.finds.len() == 1);
    let proved: BTreeSet<&str> = alone.map(|case| case.finds[0]).collect();
    assert_eq!(known, proved);
    assert!(known.len() > 30);
}
