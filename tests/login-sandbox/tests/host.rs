//! The login host is what it claims to be: real logins, private to the test, and nothing left behind.
//! Passwords stand in for Duo.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use login_sandbox::severity::INFO;
use login_sandbox::{AUTHPRIV, FLOOD, Finished, Host, HostBuilder, Syslog, Terminal};

const UNIX: &str = "auth required pam_unix.so\naccount required pam_unix.so\n\
    session required pam_permit.so\n";

/// Facility `LOG_AUTH`, sshd's own.
const AUTH: u8 = 4;

fn host_with_passwords() -> Host {
    HostBuilder::new().user("alice").pam("sshd", UNIX).start()
}

fn log_in(host: &Host, password: &str, command: &str) -> Finished {
    let mut ssh = Terminal::start(&host.ssh("alice", &[], command));
    ssh.expect("Password: ");
    ssh.line(password);
    ssh.finish()
}

#[test]
fn ssh_logs_in_with_key_and_password_and_brings_back_output_and_exit_status() {
    let host = host_with_passwords();
    let finished = log_in(&host, "pw-alice", "id -un; exit 7");
    assert_eq!(finished.status, 7, "{}", finished.transcript);
    assert!(
        finished.transcript.ends_with("\nalice\n"),
        "{}",
        finished.transcript
    );
    host.wait_quiet();
}

#[test]
fn a_wrong_password_stays_out() {
    let host = host_with_passwords();
    let finished = log_in(&host, "pw-bob", "id -un");
    assert_eq!(finished.status, 255, "{}", finished.transcript);
    assert!(!finished.transcript.contains("\nalice\n"));
    host.wait_quiet();
}

#[test]
fn without_the_key_nobody_is_asked() {
    let host = host_with_passwords();
    let mut ssh = Terminal::start(&host.ssh("alice", &["PubkeyAuthentication=no"], "id"));
    assert_eq!(ssh.finish().status, 255);
}

#[test]
fn log_lines_arrive_from_sshd_and_from_pam_with_facility_and_severity() {
    let host = host_with_passwords();
    log_in(&host, "pw-bob", "id");
    let failure = host.wait_log("pam_unix(sshd:auth): authentication failure");
    assert_eq!(failure.facility, AUTHPRIV, "{failure:?}");
    // `sshd`, or `sshd-session` from OpenSSH 9.8 on.
    assert!(failure.tag.starts_with("sshd"), "{failure:?}");
    assert!(failure.pid.is_some(), "{failure:?}");
    let partial = host.wait_log("Partial publickey for alice");
    assert_eq!((partial.facility, partial.severity), (AUTH, INFO));
}

#[test]
fn lines_arrive_by_a_stream_and_by_a_socket_in_the_place_of_another() {
    let host = HostBuilder::new()
        .user("alice")
        .pam("sshd", UNIX)
        .syslog(Syslog::Stream)
        .start();
    log_in(&host, "pw-bob", "id");
    let failure = host.wait_log("pam_unix(sshd:auth): authentication failure");
    assert_eq!(failure.facility, AUTHPRIV, "{failure:?}");
    assert_eq!(failure.raw.last(), Some(&0), "{failure:?}");

    let mut host = host_with_passwords();
    host.clear_log();
    host.replace_log();
    log_in(&host, "pw-bob", "id");
    host.wait_log("pam_unix(sshd:auth): authentication failure");
}

#[test]
fn a_flood_is_read_and_forgotten() {
    let host = host_with_passwords();
    let sender = std::os::unix::net::UnixDatagram::unbound().unwrap();
    sender.connect(host.directory().join("log.sock")).unwrap();
    for _ in 0..1000 {
        sender.send(FLOOD).unwrap();
    }
    sender.send(b"<86>Nov 24 09:00:00 test: the end").unwrap();
    host.wait_log("the end");
    assert!(host.log().iter().all(|line| !line.raw.starts_with(FLOOD)));
}

#[test]
fn paths_of_the_host_can_be_reached_from_outside() {
    let host = HostBuilder::new().start();
    let made = host
        .inside(&["sh", "-c", "echo inside > /run/made"])
        .status();
    assert!(made.unwrap().success());
    assert_eq!(fs::read(host.outside("/run/made")).unwrap(), b"inside\n");
    assert!(!Path::new("/run/made").exists());
}

#[test]
fn a_user_can_have_a_password_of_digits() {
    let host = HostBuilder::new()
        .user_with_password("alice", "246810")
        .pam("sshd", UNIX)
        .start();
    assert_eq!(log_in(&host, "246810", "true").status, 0);
}

#[test]
fn a_login_can_have_a_terminal() {
    let host = HostBuilder::new().user("alice").start();
    let mut ssh = Terminal::start(&host.ssh("alice", &["RequestTTY=force"], "tty; stty size"));
    ssh.expect("/dev/pts/");
    ssh.expect("40 ");
    assert_eq!(ssh.finish().status, 0);
}

#[test]
fn ctrl_c_at_the_question_leaves_no_process() {
    let host = host_with_passwords();
    let mut ssh = Terminal::start(&host.ssh("alice", &[], "id"));
    ssh.expect("Password: ");
    assert!(host.processes() > 1);
    ssh.interrupt();
    assert_ne!(ssh.finish().status, 0);
    host.wait_quiet();
}

#[test]
fn a_host_takes_everything_with_it_when_it_is_dropped() {
    let host = HostBuilder::new().user("alice").start();
    let directory = host.directory().to_owned();
    let mut inside = Terminal::start(&host.inside(&["sh", "-c", "echo started; exec sleep 600"]));
    inside.expect("started");
    drop(host);
    assert!(!directory.exists());
    assert_ne!(inside.finish().status, 0);
}

#[test]
fn pamtester_asks_the_hosts_own_stack() {
    let host = HostBuilder::new()
        .user("alice")
        .pam("yes", "auth required pam_permit.so\n")
        .pam("no", "auth required pam_deny.so\n")
        .start();
    for (service, status) in [("yes", 0), ("no", 1), ("unlisted", 1)] {
        let mut command = host.pamtester(service, "alice", "203.0.113.5", &["authenticate"]);
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{service}: {output:?}");
    }
}

#[test]
fn sudo_works_inside() {
    let host = HostBuilder::new()
        .user("alice")
        .group("admins", &["alice"])
        .pam("sudo", UNIX)
        .file("/etc/sudoers", 0o440, "%admins ALL=(ALL) ALL\n")
        .start();
    let mut sudo = Terminal::start(&host.inside(&[
        "setpriv",
        "--reuid=2001",
        "--regid=2001",
        "--init-groups",
        "--",
        "sudo",
        "-p",
        "Whose password? ",
        "id",
        "-un",
    ]));
    sudo.expect("Whose password? ");
    sudo.line("pw-alice");
    sudo.expect("root");
    assert_eq!(sudo.finish().status, 0);
    host.wait_log("COMMAND=/usr/bin/id -un");
}

#[test]
fn logins_go_on_without_syslog() {
    let host = HostBuilder::new()
        .user("alice")
        .syslog(Syslog::Missing)
        .start();
    let mut ssh = Terminal::start(&host.ssh("alice", &[], "id -un"));
    ssh.expect("alice");
    assert_eq!(ssh.finish().status, 0);
    assert!(host.log().is_empty());
}

/// What a login could change on the machine, each file with its content.
fn login_set_up() -> BTreeMap<PathBuf, Vec<u8>> {
    let mut paths: Vec<PathBuf> = [
        "/etc/passwd",
        "/etc/group",
        "/etc/shadow",
        "/etc/gshadow",
        "/etc/nsswitch.conf",
        "/etc/sudoers",
        "/etc/duo/pam_duo.conf",
        "/var/log/wtmp",
        "/var/log/btmp",
        "/var/log/lastlog",
    ]
    .map(PathBuf::from)
    .to_vec();
    if let Ok(services) = fs::read_dir("/etc/pam.d") {
        paths.extend(services.flatten().map(|entry| entry.path()));
    }
    let contents = paths.into_iter().filter_map(|path| {
        let content = fs::read(&path).ok()?;
        Some((path, content))
    });
    contents.collect()
}

#[test]
fn the_machines_own_login_set_up_does_not_change() {
    let before = login_set_up();
    let mounts = fs::read("/proc/self/mountinfo").unwrap();
    let host = HostBuilder::new()
        .user("alice")
        .pam("sshd", UNIX)
        .file("/etc/duo/pam_duo.conf", 0o600, "private\n")
        .file("/etc/sudoers", 0o440, "alice ALL=(ALL) ALL\n")
        .start();
    assert_eq!(log_in(&host, "pw-alice", "cat /etc/pam.d/sshd").status, 0);
    let mut ssh = Terminal::start(&host.ssh("alice", &["RequestTTY=force"], "tty"));
    ssh.expect("Password: ");
    ssh.line("pw-alice");
    assert_eq!(ssh.finish().status, 0);
    let inside = host.inside(&["cat", "/etc/duo/pam_duo.conf"]).output();
    assert_eq!(inside.unwrap().stdout, b"private\n");
    let after = login_set_up();
    assert!(before.keys().eq(after.keys()), "files came or went");
    for (path, content) in &before {
        assert!(after.get(path) == Some(content), "{}", path.display());
    }
    assert_eq!(mounts, fs::read("/proc/self/mountinfo").unwrap());
}

#[test]
fn not_being_root_fails_and_says_so() {
    if !nix::unistd::geteuid().is_root() {
        // What the lines below start.
        let _host = HostBuilder::new().start();
        return;
    }
    // Where nobody but root can reach the build, this copy can be reached.
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("tests");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    make_reachable(folder.path());
    let output = Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups", "--"])
        .arg(&program)
        .args(["--exact", "not_being_root_fails_and_says_so"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout).into_owned()
        + &String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{said}");
    assert!(
        said.contains("run the tests as root or with sudo"),
        "{said}"
    );
}

fn make_reachable(folder: &Path) {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).unwrap();
}
