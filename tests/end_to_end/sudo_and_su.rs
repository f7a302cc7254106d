//! Real sudo and su, called by a user who chooses the environment.

use login_sandbox::{Finished, Terminal};

use crate::test_bed::{CONF, DUO_ONLY, TestBed, config};

/// An environment that would lead a login astray if it were read.
const HOSTILE: &[&str] = &[
    "http_proxy=http://127.0.0.1:1",
    "https_proxy=http://127.0.0.1:1",
    "HTTPS_PROXY=http://127.0.0.1:1",
    "ALL_PROXY=socks5://127.0.0.1:1",
    "LD_PRELOAD=/nonexistent.so",
    "LD_LIBRARY_PATH=/nonexistent",
    "RUST_BACKTRACE=full",
    "RUST_LOG=trace",
    "SSL_CERT_FILE=/nonexistent.pem",
    "SSL_CERT_DIR=/nonexistent",
    "SSLKEYLOGFILE=/tmp/pam-duo-keys-that-must-not-be-written",
    "RES_OPTIONS=attempts:0",
    "PAM_DUO_CONF=/nonexistent",
];

fn bed(scenario: &str, extra: &str) -> TestBed {
    TestBed::with(scenario, extra, |host| {
        host.user("alice")
            .user("bob")
            .pam("sudo", DUO_ONLY)
            .pam("su", DUO_ONLY)
            .file(
                "/etc/sudoers",
                0o440,
                "Defaults !lecture\nalice ALL=(ALL:ALL) ALL\n",
            )
    })
}

/// Runs a program inside as alice (user id 2001), in the hostile environment, at a terminal.
fn as_alice(bed: &TestBed, program: &[&str]) -> Terminal {
    let mut arguments = vec!["env"];
    arguments.extend(HOSTILE.iter().filter(|v| !v.starts_with("LD_")));
    // setpriv itself is no setuid program, so that LD_* is for what it starts.
    arguments.extend([
        "setpriv",
        "--reuid=2001",
        "--regid=2001",
        "--clear-groups",
        "env",
    ]);
    arguments.extend(HOSTILE.iter().filter(|v| v.starts_with("LD_")));
    arguments.extend(program);
    Terminal::start(&bed.host.inside(&arguments))
}

#[track_caller]
fn asked(bed: &TestBed, user: &str) {
    for request in bed.duo.requests().iter().filter(|r| r.method == "POST") {
        assert_eq!(request.parameter("username"), Some(user), "{request:?}");
    }
    assert!(!bed.duo.requests().is_empty());
}

fn came_in(finished: &Finished, as_user: &str) -> bool {
    finished.transcript.contains(&format!("now {as_user}"))
}

#[test]
fn sudo_asks_the_invoking_user_and_shows_progress_at_once() {
    let bed = bed(
        "[users.alice]\npush = {answer = \"approve\", after_ms = 200}",
        "",
    );
    let mut sudo = as_alice(&bed, &["sudo", "sh", "-c", "echo now $(id -un)"]);
    sudo.expect("Duo two-factor login for alice");
    sudo.expect("(1-3): ");
    sudo.line("1");
    sudo.expect("Pushed a login request to iPhone (XXX-XXX-1234).");
    sudo.expect("now root");
    assert_eq!(sudo.finish().status, 0);
    asked(&bed, "alice");
    bed.logged("pam_duo(sudo:auth): Successful Duo login for 'alice'");
}

#[test]
fn a_verified_push_works_with_sudo_and_su_with_and_without_autopush() {
    let scenario = "[users.alice]\nverified_push = {code = \"471193\"}";
    for program in [
        &["sudo", "sh", "-c", "echo now $(id -un)"][..],
        &["su", "root", "-c", "echo now $(id -un)"],
    ] {
        let bed = bed(scenario, "verified_push = yes");
        let mut menu = as_alice(&bed, program);
        menu.expect("enter 471193 in Duo Mobile");
        menu.expect("(1-3): ");
        menu.line("1");
        menu.expect("now root");
        bed.host.write(
            CONF,
            0o600,
            &format!("{}verified_push = yes\nautopush = yes\n", config(&bed.duo)),
        );
        let mut automatic = as_alice(&bed, program);
        automatic.expect("Enter 471194 in Duo Mobile, then press Enter here");
        automatic.line("");
        automatic.expect("now root");
    }
}

#[test]
fn sudo_with_a_denied_push_stays_out() {
    let bed = bed(
        "[users.alice]\npush = {answer = \"deny\"}",
        "autopush = yes\nprompts = 1",
    );
    let mut sudo = as_alice(&bed, &["sudo", "sh", "-c", "echo now $(id -un)"]);
    let finished = sudo.finish();
    assert_ne!(finished.status, 0);
    assert!(!came_in(&finished, "root"), "{}", finished.transcript);
}

#[test]
fn su_to_root_challenges_the_calling_user() {
    let bed = bed("", "");
    let mut su = as_alice(&bed, &["su", "root", "-c", "echo now $(id -un)"]);
    su.expect("Duo two-factor login for alice");
    su.expect("(1-3): ");
    su.line("123456");
    su.expect("now root");
    assert_eq!(su.finish().status, 0);
    asked(&bed, "alice");
}

#[test]
fn su_to_someone_else_challenges_the_target() {
    let bed = bed("[users.bob]", "");
    let mut su = as_alice(&bed, &["su", "bob", "-c", "echo now $(id -un)"]);
    su.expect("Duo two-factor login for bob");
    su.expect("(1-3): ");
    su.line("123456");
    su.expect("now bob");
    assert_eq!(su.finish().status, 0);
    asked(&bed, "bob");
}

#[test]
fn the_environment_cannot_make_another_ca_trusted() {
    let bed = bed("", "");
    // Without cafile the system's store is in use, and the simulator's CA is not in it.
    let conf = config(&bed.duo).replace("cafile", ";cafile");
    bed.host
        .write(CONF, 0o600, &format!("{conf}failmode = secure\n"));
    let trusted = "SSL_CERT_FILE=/etc/duo/ca.pem";
    let mut sudo = as_alice(
        &bed,
        &["env", trusted, "sudo", "sh", "-c", "echo now $(id -un)"],
    );
    let finished = sudo.finish();
    assert!(!came_in(&finished, "root"), "{}", finished.transcript);
    let line = bed.host.wait_log("Failsecure Duo login for 'alice'");
    assert!(
        line.text.contains("Couldn't connect to localhost"),
        "{line:?}"
    );
    assert!(line.text.contains("certificate"), "{line:?}");
    assert!(bed.paths().is_empty());
}

#[test]
fn pushinfo_tells_the_phone_server_service_user_and_command() {
    let bed = bed("", "pushinfo = yes\nautopush = yes");
    let mut sudo = as_alice(&bed, &["sudo", "sh", "-c", "echo now $(id -un) # a&b=ü"]);
    sudo.expect("now root");
    sudo.finish();
    let auth = bed.request("/auth/v2/auth");
    assert_eq!(auth.parameter("type"), Some("sudo"));
    let info = auth.parameter("pushinfo").unwrap();
    for part in [
        "Server%20Name=",
        "Service=sudo",
        "User=alice",
        "Command=sudo%20sh%20-c%20echo%20now%20%24%28id%20-un%29%20%23%20a%26b%3D%C3%BC",
    ] {
        assert!(info.contains(part), "{part}: {info}");
    }
    let bed = TestBed::new("", "pushinfo = yes\nautopush = yes");
    assert_eq!(bed.ssh("alice", "true").finish().status, 0);
    let auth = bed.request("/auth/v2/auth");
    assert_eq!(auth.parameter("type"), Some("SSH login"));
    let info = auth.parameter("pushinfo").unwrap();
    for part in ["Service=sshd", "From=127.0.0.1", "User=alice"] {
        assert!(info.contains(part), "{part}: {info}");
    }
}
