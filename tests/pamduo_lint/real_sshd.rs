//! What lint says of `sshd_config`, with the real sshd.

use std::process::Command;

use login_sandbox::{HostBuilder, Terminal};

use crate::root::{Root, SSHD_WITH_KEY};

/// Findings that say that a key alone gets in.
const SKIPS: [&str; 2] = ["no-authentication-methods", "methods-skip-pam"];

/// What is written before the README's lines, and in a file that may be included; and whether a
/// key alone gets in then.
const TABLE: &[(&str, &str, bool)] = &[
    ("", "", false),
    ("AuthenticationMethods publickey", "", true),
    ("AuthenticationMethods any", "", true),
    ("authenticationMETHODS = \"publickey\" # why", "", true),
    ("#AuthenticationMethods publickey", "", false),
    (
        "AuthenticationMethods publickey,keyboard-interactive publickey",
        "",
        true,
    ),
    (
        "AuthenticationMethods publickey,keyboard-interactive:pam",
        "",
        false,
    ),
    (
        "AuthenticationMethods publickey,keyboard-interactive\nAuthenticationMethods publickey",
        "",
        false,
    ),
    // A list with a method that is off is ignored.
    (
        "AuthenticationMethods publickey,hostbased publickey,keyboard-interactive",
        "",
        false,
    ),
    (
        "AuthenticationMethods any\nPubkeyAuthentication no",
        "",
        false,
    ),
    (
        "Include more/*.conf",
        "AuthenticationMethods publickey",
        true,
    ),
    (
        "Include more/[a-f]xtra.con?",
        "AuthenticationMethods any",
        true,
    ),
    ("Include more/[!e]*", "AuthenticationMethods any", false),
    (
        "Include more/extra.conf",
        "Match User alice\nAuthenticationMethods publickey",
        true,
    ),
    (
        "Include more/extra.conf",
        "Match all\n  AuthenticationMethods=publickey",
        true,
    ),
    (
        "Include more/extra.conf\nAuthenticationMethods publickey",
        "Match all\nAuthenticationMethods publickey,keyboard-interactive",
        false,
    ),
];

#[test]
fn a_key_alone_gets_in_exactly_where_lint_says_so() {
    // Most of the time goes into waiting: sshd is slow to refuse.
    std::thread::scope(|threads| {
        for row in TABLE {
            threads.spawn(|| compare(row));
        }
    });
}

/// One row of the table.
fn compare((lines, extra, gets_in): &(&str, &str, bool)) {
    let path = "/etc/ssh/more/extra.conf";
    let root = Root::with_recipe(12);
    root.write(path, extra);
    root.sshd(&format!("{lines}\n{SSHD_WITH_KEY}"));
    let says = root.ids().iter().any(|id| SKIPS.contains(&id.as_str()));
    assert_eq!(says, *gets_in, "lint: {lines}\n{extra}");

    // The second factor fails: Duo cannot be reached.
    let outage = "[duo]\nikey = DIXXXXXXXXXXXXXXXXXX\nhost = 127.0.0.1:1\n\
            skey = deadbeefdeadbeefdeadbeefdeadbeefdeadbeef\nfailmode = secure\n";
    let host = HostBuilder::new()
            .user("alice")
            .pam(
                "sshd",
                "auth required {module}\naccount required pam_permit.so\nsession required pam_permit.so\n",
            )
            .file("/etc/duo/pam_duo.conf", 0o600, outage)
            .file(path, 0o644, &format!("{extra}\n"))
            .sshd(lines)
            .start();
    let finished = Terminal::start(&host.ssh("alice", &[], "id -un")).finish();
    let said = &finished.transcript;
    assert_eq!(
        finished.status == 0,
        *gets_in,
        "sshd: {lines}\n{extra}\n{said}"
    );
}

#[test]
fn with_one_try_the_first_refused_key_ends_the_connection_and_with_two_it_does_not() {
    for (tries, gets_in) in [(1, false), (2, true)] {
        let host = HostBuilder::new()
            .user("alice")
            .sshd(&format!("MaxAuthTries {tries}"))
            .start();
        let other = host.directory().join("other_key");
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f"])
            .arg(&other)
            .status();
        assert!(made.unwrap().success());
        // Another key comes first, as with an agent that holds several.
        let right = host.ssh("alice", &[], "id -un");
        let mut ssh = Command::new(right.get_program());
        ssh.arg("-i").arg(&other).args(right.get_args());
        let finished = Terminal::start(&ssh).finish();
        let said = &finished.transcript;
        assert_eq!(
            finished.status == 0,
            gets_in,
            "MaxAuthTries {tries}: {said}"
        );
    }
}
