//! What lint says of `MaxAuthTries`, with the real sshd.

use std::process::Command;

use login_sandbox::{HostBuilder, Terminal};

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
        assert_eq!(
            finished.status == 0,
            gets_in,
            "MaxAuthTries {tries}: {}",
            finished.transcript
        );
    }
}
