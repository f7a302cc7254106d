//! The example logs in at the simulator, with the crate's public interface alone.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use duo_sim::{Options, RecordedRequest, Scenario, SignatureKind, Simulator};
use tempfile::TempDir;

const ALICE: &str = r#"
    [users.alice]
    passcodes = ["123456"]
    push = { answer = "approve", after_ms = 200 }
    devices = [{ device = "DPONE", display_name = "iPhone", capabilities = ["auto", "push"] }]

    [users.bob]
    push = { answer = "deny", after_ms = 100 }
"#;

/// The built example; built first if only this test was asked for.
fn program() -> PathBuf {
    let this = std::env::current_exe().unwrap();
    let profile = this.parent().and_then(Path::parent).unwrap();
    let program = profile.join("examples/login");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/login.rs");
    let changed = |path: &Path| path.metadata().and_then(|data| data.modified()).ok();
    if changed(&program) < changed(&source) {
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--package", "duo-auth"])
            .args(["--example", "login", "--target-dir"])
            .arg(profile.parent().unwrap())
            .status();
        assert!(status.unwrap().success());
    }
    program
}

struct Run {
    status: Option<i32>,
    stdout: String,
    stderr: String,
}

struct TestBed {
    duo: Simulator,
    folder: TempDir,
}

impl TestBed {
    fn new() -> Self {
        let scenario = Scenario::from_toml(ALICE).unwrap();
        Self {
            duo: Simulator::start(scenario, Options::default()).unwrap(),
            folder: tempfile::tempdir().unwrap(),
        }
    }

    /// Logs in with `skey` in the file, as an editor leaves it: with a line end.
    fn login(&self, skey: &str, user: &str, more: &[&str]) -> Run {
        let skey_file = self.folder.path().join("skey");
        fs::write(&skey_file, format!("{skey}\n")).unwrap();
        let output = Command::new(program())
            .args(["--host", &self.duo.host(), "--ikey", self.duo.ikey()])
            .args(["--user", user])
            .arg("--skey-file")
            .arg(&skey_file)
            .arg("--cafile")
            .arg(self.duo.ca_file())
            .args(more)
            .output()
            .unwrap();
        Run {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// What was asked for, by path; everything signed, sorted and accepted.
    #[track_caller]
    fn accepted(&self) -> Vec<RecordedRequest> {
        let requests = self.duo.requests();
        for request in &requests {
            assert_eq!(request.signature, Some(SignatureKind::V2Sha1));
            assert!(request.sorted, "{request:?}");
            assert_eq!(request.status, 200, "{request:?}");
        }
        requests
    }
}

#[test]
fn a_passcode_is_signed_sent_and_accepted() {
    let bed = TestBed::new();
    let run = bed.login(bed.duo.skey(), "alice", &["--passcode", "123456"]);
    assert_eq!(run.status, Some(0), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.starts_with("preauth: auth\nauth: allow: "));
    let requests = bed.accepted();
    let sent: Vec<(&str, &str)> = requests
        .iter()
        .map(|r| (r.path.as_str(), r.raw_parameters.as_str()))
        .collect();
    assert_eq!(
        sent,
        [
            ("/auth/v2/preauth", "username=alice"),
            (
                "/auth/v2/auth",
                "factor=passcode&passcode=123456&username=alice"
            ),
        ]
    );
}

#[test]
fn a_push_goes_to_the_first_device_and_is_waited_for() {
    let bed = TestBed::new();
    let run = bed.login(bed.duo.skey(), "alice", &[]);
    assert_eq!(run.status, Some(0), "{}{}", run.stdout, run.stderr);
    assert!(run.stdout.contains("auth: a push is on its way\n"));
    let requests = bed.accepted();
    let asked = "async=1&device=DPONE&factor=push&username=alice";
    assert_eq!(requests[1].raw_parameters, asked);
    let polled = |r: &RecordedRequest| r.path == "/auth/v2/auth_status" && r.method == "GET";
    assert!(requests.len() > 2 && requests[2..].iter().all(polled));
    let last = requests.last().unwrap();
    assert!(last.reply.contains(r#""result":"allow""#), "{}", last.reply);
}

#[test]
fn a_push_that_is_denied_and_a_wrong_passcode_let_nobody_in() {
    let bed = TestBed::new();
    let denied = bed.login(bed.duo.skey(), "bob", &[]);
    assert_eq!(denied.status, Some(1), "{}", denied.stderr);
    assert!(denied.stdout.contains("auth: deny: "), "{}", denied.stdout);
    let wrong = bed.login(bed.duo.skey(), "alice", &["--passcode", "654321"]);
    assert_eq!(wrong.status, Some(1), "{}", wrong.stderr);
    assert!(wrong.stdout.contains("auth: deny: "), "{}", wrong.stdout);
}

#[test]
fn a_wrong_skey_is_40103_and_says_what_to_check() {
    let bed = TestBed::new();
    let run = bed.login("another", "alice", &[]);
    assert_eq!(run.status, Some(2));
    assert_eq!(run.stdout, "");
    assert!(
        run.stderr
            .contains("Invalid ikey or skey: 40103 Invalid signature in request credentials"),
        "{}",
        run.stderr
    );
    assert_eq!(bed.duo.requests()[0].status, 401);
}

#[test]
fn the_secret_key_is_taken_from_a_file_alone() {
    let bed = TestBed::new();
    let run = bed.login(bed.duo.skey(), "alice", &["--skey", "secret"]);
    assert_eq!(run.status, Some(2));
    assert!(run.stderr.starts_with("usage: login "), "{}", run.stderr);
    assert!(bed.duo.requests().is_empty());
}
