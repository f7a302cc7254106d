//! The same file, given to Debian's own `libpam-duo` and to this module, asks the same users.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::disallowed_methods
)]

use login_sandbox::{HostBuilder, Terminal};

/// Group settings, and which of the users below Duo's module asks.
const TABLE: &[&str] = &[
    "",
    "groups = wheel",
    "groups = wheel admins",
    "group = admins",
    "groups = wheel\ngroups = admins",
    "groups = whe*",
    "groups = ?heel",
    "groups = *",
    "groups = *,!robots",
    "groups = wheel,!robots",
    "groups = wheel,!robots admins",
    "groups = no-such-group",
    "groups = domain\\ users",
    "groups = Wheel",
    "groups = alice",
    "groups = users,wheel",
];

/// Debian's module cannot speak to a server of today, and it need not: with `failmode = secure` and
/// nobody to talk to, whoever is asked stays out, and whoever is not comes in.
#[test]
#[ignore = "needs a Debian root with libpam-duo: run by tests/run.sh, which makes one"]
fn debians_module_and_this_one_ask_the_same_users() {
    assert!(
        std::env::var_os("PAM_DUO_ROOT").is_some(),
        "PAM_DUO_ROOT names a Debian root with libpam-duo; tests/run.sh sets it"
    );
    let line = |module: &str| format!("auth required {module} conf=/etc/duo/pam_duo.conf\n");
    let users = ["alice", "bob", "carol", "dave", "erin"];
    let host = users
        .iter()
        .fold(HostBuilder::new(), |host, user| host.user(user))
        .group("wheel", &["alice", "bob"])
        .group("admins", &["carol"])
        .group("robots", &["bob"])
        .group("domain users", &["dave"])
        .pam("debian", &line("pam_duo.so"))
        .pam("ours", &line("{module}"))
        .start();
    let mut both = 0;
    for groups in TABLE {
        let conf = format!(
            "[duo]\nikey = DIXXXXXXXXXXXXXXXXXX\nskey = ssssssssssssssssssssssssssssssssssssssss\n\
             host = 127.0.0.1:1\nfailmode = secure\n{groups}\n"
        );
        host.write("/etc/duo/pam_duo.conf", 0o600, &conf);
        let asked = |service: &str| -> Vec<&str> {
            users
                .into_iter()
                .filter(|user| {
                    let command = host.pamtester(service, user, "203.0.113.5", &["authenticate"]);
                    let finished = Terminal::start(&command).finish();
                    let said = &finished.transcript;
                    assert!(!said.contains("Module is unknown"), "{service}: {said}");
                    finished.status != 0
                })
                .collect()
        };
        let (debians, ours) = (asked("debian"), asked("ours"));
        assert_eq!(debians, ours, "{groups}");
        both += debians.len();
    }
    assert!(both > 0 && both < TABLE.len() * users.len());
}
