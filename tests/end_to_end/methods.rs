//! sshd's authentication methods, and programs that cannot answer questions.

use std::fs;
use std::process::Command;

use login_sandbox::Terminal;

use crate::test_bed::TestBed;

/// A password and Duo.
const PASSWORD_AND_DUO: &str = "auth requisite pam_unix.so\nauth required {module}\naccount required pam_permit.so\nsession required pam_permit.so\n";

/// A host whose stack wants a password and Duo, with these methods.
fn bed(methods: &str, extra: &str) -> TestBed {
    TestBed::with(
        "[users.alice]\npush = {answer = \"approve\", after_ms = 100}",
        extra,
        |host| {
            host.user("alice")
                .pam("sshd", PASSWORD_AND_DUO)
                .sshd(&format!(
                    "AuthenticationMethods {methods}\nPasswordAuthentication yes"
                ))
        },
    )
}

fn ssh(bed: &TestBed, command: &str) -> Terminal {
    Terminal::start(
        &bed.host
            .ssh("alice", &["PasswordAuthentication=yes"], command),
    )
}

/// How often Duo was asked for a factor.
fn pushes(bed: &TestBed) -> usize {
    bed.paths()
        .iter()
        .filter(|path| *path == "/auth/v2/auth")
        .count()
}

#[test]
fn keyboard_interactive_alone_asks_for_password_and_duo() {
    let bed = bed("keyboard-interactive", "");
    let mut ssh = ssh(&bed, "echo in");
    ssh.expect("Password: ");
    ssh.line("pw-alice");
    ssh.expect("(1-3): ");
    ssh.line("1");
    ssh.expect("\nin");
    assert_eq!(ssh.finish().status, 0);
}

#[test]
fn publickey_and_keyboard_interactive_ask_for_both() {
    let bed = bed("publickey,keyboard-interactive", "autopush = yes");
    let mut ssh = ssh(&bed, "echo in");
    ssh.expect("Password: ");
    ssh.line("pw-alice");
    ssh.expect("\nin");
    assert_eq!(ssh.finish().status, 0);
    assert_eq!(pushes(&bed), 1);
}

#[test]
fn the_password_method_alone_works_with_autopush() {
    let bed = bed("password", "autopush = yes");
    let mut ssh = ssh(&bed, "echo in");
    ssh.expect("password: ");
    ssh.line("pw-alice");
    ssh.expect("\nin");
    let finished = ssh.finish();
    assert_eq!(finished.status, 0);
    assert!(
        !finished.transcript.contains("Pushed"),
        "{}",
        finished.transcript
    );
    assert_eq!(pushes(&bed), 1);
}

#[test]
fn the_password_method_without_autopush_is_refused_and_the_password_never_reaches_duo() {
    let bed = bed("password", "");
    let mut ssh = ssh(&bed, "echo in");
    ssh.expect("password: ");
    ssh.line("pw-alice");
    let finished = ssh.finish();
    assert_eq!(finished.status, 255, "{}", finished.transcript);
    let line = bed.logged("Aborted Duo login for 'alice' from 127.0.0.1: conversation failed");
    assert!(
        line.text.contains("KbdInteractiveAuthentication yes"),
        "{line:?}"
    );
    assert_eq!(pushes(&bed), 0);
    for request in bed.duo.requests() {
        assert!(!request.raw_parameters.contains("pw-alice"), "{request:?}");
    }
}

#[test]
fn one_login_is_one_push_where_sshd_runs_the_stack_twice() {
    let bed = bed("password,keyboard-interactive", "autopush = yes");
    let mut ssh = ssh(&bed, "echo in");
    ssh.expect("password: ");
    ssh.line("pw-alice");
    ssh.expect("Password: ");
    ssh.line("pw-alice");
    ssh.expect("\nin");
    assert_eq!(ssh.finish().status, 0);
    assert_eq!(pushes(&bed), 1);
    bed.logged("approved a moment ago in the same connection");
}

#[test]
fn what_is_weaker_than_an_approval_does_not_count_the_second_time() {
    let bed = TestBed::with("[users.alice]\npreauth = \"allow\"", "", |host| {
        host.user("alice")
            .pam("sshd", PASSWORD_AND_DUO)
            .sshd("AuthenticationMethods password,keyboard-interactive\nPasswordAuthentication yes")
    });
    let mut ssh = ssh(&bed, "echo in");
    ssh.expect("password: ");
    ssh.line("pw-alice");
    ssh.expect("Password: ");
    ssh.line("pw-alice");
    ssh.expect("\nin");
    assert_eq!(ssh.finish().status, 0);
    assert_eq!(bed.paths(), ["/auth/v2/preauth", "/auth/v2/preauth"]);
}

#[test]
fn scp_sftp_and_commands_log_in_with_autopush_and_keep_their_exit_status() {
    let bed = TestBed::new("", "autopush = yes");
    let own = bed.host.directory().join("to-send");
    fs::write(&own, "some text\n").unwrap();
    let home = bed.host.directory().join("home/alice");
    let run = |mut command: Command| {
        let output = command.stdin(std::process::Stdio::null()).output().unwrap();
        (
            output.status.code(),
            String::from_utf8_lossy(&output.stdout).into_owned(),
            String::from_utf8_lossy(&output.stderr).into_owned(),
        )
    };
    let mut scp = bed.host.openssh("scp", "-P", &[]);
    scp.arg(&own).arg("alice@127.0.0.1:sent");
    let (status, _, errors) = run(scp);
    assert_eq!(status, Some(0), "{errors}");
    assert_eq!(
        fs::read_to_string(home.join("sent")).unwrap(),
        "some text\n"
    );

    let batch = bed.host.directory().join("batch");
    fs::write(&batch, "rename sent moved\n").unwrap();
    let mut sftp = bed.host.openssh("sftp", "-P", &[]);
    // Batch mode means that nothing may be asked; the login is told to go on all the same.
    sftp.args(["-o", "BatchMode=no", "-b"])
        .arg(&batch)
        .arg("alice@127.0.0.1");
    let (status, _, errors) = run(sftp);
    assert_eq!(status, Some(0), "{errors}");
    assert!(home.join("moved").exists());

    for expected in [0, 3] {
        let (status, out, errors) =
            run(bed
                .host
                .ssh("alice", &[], &format!("echo out; exit {expected}")));
        assert_eq!(status, Some(expected), "{errors}");
        assert_eq!(out, "out\n");
        assert!(
            !errors.contains("Pushed") && !errors.contains("Success"),
            "{errors}"
        );
    }
}

#[test]
fn users_outside_the_groups_see_not_a_byte() {
    let bed = TestBed::new("", "groups = wheel");
    let mut ssh = bed.ssh("alice", "echo in");
    let finished = ssh.finish();
    assert_eq!(finished.status, 0);
    let lines: Vec<&str> = finished
        .transcript
        .lines()
        .filter(|line| !line.starts_with("Warning: Permanently added"))
        .collect();
    assert_eq!(lines, ["in"], "{}", finished.transcript);
    assert!(bed.paths().is_empty());
}
