//! What `pamduo check` says, besides its findings.

use std::fs;
use std::net::UdpSocket;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Stdio;
use std::time::{Duration, Instant};

use login_sandbox::Terminal;

use crate::test_bed::{TestBed, pamduo};

#[test]
fn json_has_every_step_with_its_status_detail_and_time() {
    let run = TestBed::new("").run(&["check", "--json"], "");
    let json = run.json();
    let steps = json["steps"].as_array().unwrap();
    let ids: Vec<&str> = steps.iter().map(|s| s["id"].as_str().unwrap()).collect();
    let expected = [
        "file",
        "dns",
        "tcp",
        "tls",
        "clock",
        "signature",
        "signatures",
    ];
    assert_eq!(ids, expected);
    for step in steps {
        assert_eq!(step["status"], "ok");
        assert!(step["ms"].is_u64() && !step["detail"].as_str().unwrap().is_empty());
        assert_eq!(step["findings"], serde_json::json!([]));
        assert!(step["waits_for"].is_null());
    }
}

#[test]
fn a_failed_step_says_what_to_do_and_the_others_wait() {
    let bed = TestBed::new("");
    bed.write(&bed.sound().replace("localhost:", "127.0.0.1:1 ; "));
    let run = bed.run(&["check"], "");
    assert_eq!(run.status, 1);
    let words: Vec<&str> = run.stdout.split_whitespace().collect();
    let text = words.join(" ");
    assert!(
        text.contains("error: no connection to 127.0.0.1:1: Connection refused [tcp.failed]"),
        "{text}"
    );
    assert!(text.contains("fix: let connections to Duo, port 443,"));
    assert_eq!(
        run.stdout.matches("waits for tcp").count(),
        4,
        "{}",
        run.stdout
    );
    assert!(
        run.stdout.ends_with(
            "\n1 finding.\nLogins now: sshd, login and other programs that root starts: let in \
             without Duo.\n            sudo, su and other programs that users start: kept out\n            \
             (failmode=safe in their PAM line lets in).\n"
        ),
        "{}",
        run.stdout
    );
}

/// What a file's lines and a fault of Duo's mean for logins, in programs that root and users start.
#[test]
fn what_happens_to_logins_now_is_told_by_kind_of_program() {
    const DOWN: &str = "host = 127.0.0.1:1";
    let reply = |kind: &str| format!("[[faults]]\npath = \"/auth/v2/check\"\nkind = \"{kind}\"\n");
    let connection = |kind: &str| format!("[[faults]]\npath = \"connection\"\nkind = \"{kind}\"\n");
    let none = String::new;
    for (duo, lines, root, user) in [
        (none(), "", "asked", "asked"),
        (none(), "failmode = secure", "asked", "asked"),
        // The module signs again by Duo's clock.
        (
            "clock_offset_seconds = 600".to_owned(),
            "",
            "asked",
            "asked",
        ),
        (none(), DOWN, "let-in", "kept-out"),
        (none(), "host = no.such.name.invalid", "let-in", "kept-out"),
        (
            none(),
            "host = 127.0.0.1:1\nfailmode = safe",
            "let-in",
            "kept-out",
        ),
        (
            none(),
            "host = 127.0.0.1:1\nfailmode = secure",
            "kept-out",
            "kept-out",
        ),
        (
            none(),
            "http_proxy = http://127.0.0.1:1",
            "let-in",
            "kept-out",
        ),
        (connection("self_signed"), "", "let-in", "kept-out"),
        (reply("status"), "", "let-in", "let-in"),
        (reply("status"), "failmode = secure", "kept-out", "kept-out"),
        (
            reply("rate_limited"),
            "failmode = safe",
            "kept-out",
            "kept-out",
        ),
        (none(), "ikey = DIOTHER", "kept-out", "kept-out"),
        (
            none(),
            "ikey = DIOTHER\nfailmode = safe",
            "let-in",
            "let-in",
        ),
        (none(), "noverify = yes", "kept-out", "kept-out"),
        (none(), "skey =\nfailmode = safe", "let-in", "let-in"),
        // A login reads the certificates before it connects.
        (
            none(),
            "cafile = /none\nhost = 127.0.0.1:1",
            "kept-out",
            "kept-out",
        ),
        (none(), "http_proxy = ftp://x", "kept-out", "kept-out"),
    ] {
        let bed = TestBed::new(&duo);
        bed.add(&format!("https_timeout = 1\n{lines}"));
        let json = bed.run(&["check", "--json"], "").json();
        let expected = serde_json::json!({"root_started": root, "user_started": user});
        assert_eq!(json["logins"], expected, "{duo} {lines}: {json:#}");
    }
    // A file that is not trusted says nothing about failmode.
    let bed = TestBed::new("");
    bed.add("failmode = safe");
    bed.mode(0o666);
    let json = bed.run(&["check", "--json"], "").json();
    assert_eq!(json["logins"]["root_started"], "kept-out", "{json:#}");
}

#[test]
fn rejected_keys_are_told_once() {
    let bed = TestBed::new("");
    bed.write(&bed.sound().replace("1234", "1235"));
    let run = bed.run(&["check"], "");
    assert_eq!(run.stdout.matches("40103").count(), 1, "{}", run.stdout);
    assert!(run.stdout.contains("waits for signature"));
    // Each signature was tried, in case only one of them is not accepted.
    let checks = bed.duo.requests();
    assert_eq!(
        checks.iter().filter(|r| r.path == "/auth/v2/check").count(),
        3
    );
}

#[test]
fn findings_of_the_file_have_their_lines() {
    let bed = TestBed::new("");
    bed.add("failmod = safe");
    let json = bed.run(&["check", "--json"], "").json();
    let file = bed.conf().display().to_string();
    let place = serde_json::json!({"file": file, "line": 6});
    assert_eq!(json["steps"][0]["findings"][0]["where"], place);
    assert!(
        json["steps"][0]["detail"]
            .as_str()
            .unwrap()
            .contains("did you mean 'failmode'?")
    );
}

#[test]
fn a_ca_of_the_same_name_with_another_key_is_told_apart() {
    let (bed, other) = (TestBed::new(""), TestBed::new(""));
    fs::copy(other.duo.ca_file(), bed.duo.ca_file()).unwrap();
    let json = bed.run(&["check", "--json"], "").json();
    let tls = &json["steps"][3];
    assert_eq!(tls["findings"][0]["id"], "tls.unknown-issuer");
    assert!(
        tls["detail"]
            .as_str()
            .unwrap()
            .contains("has another key than in"),
        "{tls}"
    );
}

#[test]
fn colours_are_for_terminals_alone() {
    let bed = TestBed::new("");
    let shown = Terminal::start(bed.command(&["check"]).env("TERM", "xterm")).finish();
    assert_eq!(shown.status, 0);
    assert!(shown.transcript.contains("\u{1b}[32mok     \u{1b}[0m file"));
    let mut forced = bed.command(&["check"]);
    forced.env("CLICOLOR_FORCE", "1");
    assert!(
        !crate::test_bed::run(&mut forced, "")
            .stdout
            .contains('\u{1b}')
    );
    let json = Terminal::start(bed.command(&["check", "--json"]).env("TERM", "xterm")).finish();
    assert!(!json.transcript.contains('\u{1b}'));
}

#[test]
fn a_terminal_without_colours_and_users_who_want_none_get_none() {
    let bed = TestBed::new("");
    for (name, value) in [("NO_COLOR", "1"), ("CLICOLOR", "0"), ("TERM", "dumb")] {
        let mut command = bed.command(&["check"]);
        command.env("TERM", "xterm").env(name, value);
        command.env_remove("CI");
        let shown = Terminal::start(&command).finish();
        assert_eq!(shown.status, 0);
        assert!(!shown.transcript.contains('\u{1b}'), "{name}={value}");
    }
}

#[test]
fn lines_are_not_wider_than_80_columns_unless_a_word_is() {
    let bed = TestBed::new("");
    bed.add("failmod = safe\nprompts = 9\nautopush = maybe");
    for line in bed.run(&["check"], "").stdout.lines() {
        let longest_word = line.split(' ').map(str::len).max().unwrap_or(0);
        assert!(line.chars().count() <= 80 || longest_word > 40, "{line}");
    }
}

#[test]
fn a_server_that_says_nothing_costs_no_more_than_the_time_limit() {
    let stall = "[[faults]]\npath = \"connection\"\nkind = \"stall_accept\"\n";
    let bed = TestBed::new(stall);
    bed.add("https_timeout = 1");
    let start = Instant::now();
    assert_eq!(bed.run(&["check"], "").status, 1);
    assert!(start.elapsed() < Duration::from_secs(4));
}

#[test]
fn a_name_server_that_says_nothing_costs_no_more_than_the_time_limit() {
    // An address of this machine that nobody else uses.
    let _silent = UdpSocket::bind("127.83.12.9:53").unwrap();
    let bed = TestBed::new("");
    bed.add("https_timeout = 1\nhost = api-1.example.com");
    let resolver = "nameserver 127.83.12.9\n";
    let mut command = bed.command_with("/etc/resolv.conf", resolver, &["check", "--json"]);
    let start = Instant::now();
    let json = crate::test_bed::run(&mut command, "").json();
    assert!(start.elapsed() < Duration::from_secs(4));
    let detail = json["steps"][1]["detail"].as_str().unwrap();
    assert_eq!(detail, "api-1.example.com: no answer in time");
    assert_eq!(json["steps"][1]["findings"][0]["id"], "dns.failed");
}

#[test]
fn someone_else_than_root_is_told_to_become_root() {
    let bed = TestBed::new("");
    fs::set_permissions(bed.folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    // Where everybody can run it.
    let program = bed.folder.path().join("pamduo");
    fs::copy(env!("CARGO_BIN_EXE_pamduo"), &program).unwrap();
    for arguments in [&["check"] as &[&str], &["login", "nobody"]] {
        let mut command = std::process::Command::new("setpriv");
        command.args(["--reuid=65534", "--regid=65534", "--clear-groups"]);
        command
            .arg(&program)
            .args(arguments)
            .arg("--config")
            .arg(bed.conf());
        let run = crate::test_bed::run(&mut command, "");
        assert_eq!(run.status, 1, "{run:?}");
        assert!(run.all().contains("run pamduo as root"), "{run:?}");
        let unknown = "Logins now: unknown; run pamduo as root.";
        assert_eq!(run.all().contains(unknown), arguments == ["check"]);
    }
    assert!(bed.duo.requests().is_empty());
}

#[test]
fn a_reader_that_goes_away_is_no_reason_to_complain() {
    let bed = TestBed::new("");
    let mut command = bed.command(&["check"]);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn the_secret_key_is_not_shown_where_it_stands_in_a_wrong_place() {
    let bed = TestBed::new("");
    let skey = bed.duo.skey();
    for lines in [
        format!("host = {skey}"),
        format!("host = {skey}.example\nskey = other"),
        format!("{skey} = yes"),
        format!("groups = users\n {skey} = yes\n failmode = safe"),
        format!("ikey = {skey}"),
    ] {
        bed.add(&lines);
        for arguments in [
            &["check"] as &[&str],
            &["check", "--json"],
            &["login", "nobody"],
        ] {
            let run = bed.run(arguments, "");
            assert!(!run.all().contains(skey), "{run:?}");
        }
    }
}

#[test]
fn nothing_is_taken_from_the_environment() {
    let bed = TestBed::new("");
    let mut command = bed.command(&["check"]);
    for name in ["http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env(name, "http://127.0.0.1:1");
    }
    command.env("SSL_CERT_FILE", "/nothing");
    assert_eq!(crate::test_bed::run(&mut command, "").status, 0);
    assert_eq!(
        crate::test_bed::run(&mut pamduo(&["check", "extra"]), "").status,
        2
    );
}
