//! Installing changes no login.

use crate::debs::package;
use crate::logins::{Site, comes_in_as, password};
use crate::root::Root;

#[test]
fn installing_changes_no_pam_stack_and_adds_only_the_packages_files() {
    let root = Root::fresh();
    let before = root.snapshot();
    let said = root.install(&package());
    assert!(said.contains("no PAM stack asks Duo"), "{said}");
    assert!(said.contains("pam-auth-update --enable duo"), "{said}");
    let after = root.snapshot();
    let gone: Vec<&String> = before.difference(&after).collect();
    // The list of profiles that pam-auth-update has seen is the one file that changes.
    assert!(
        gone.iter().all(|line| line.ends_with("/var/lib/pam/seen")),
        "{gone:?}"
    );
    let files = root.ok("dpkg-query -L libpam-duo-rs");
    for new in after.difference(&before) {
        let path = new.rsplit("  ").next().unwrap().trim();
        let known = files.lines().any(|file| file == path)
            || path.starts_with("/var/lib/dpkg/info/libpam-duo-rs.")
            || path == "/var/lib/pam/seen";
        assert!(known, "{new}");
    }
    assert!(!root.read("/etc/pam.d/common-auth").contains("pam_duo"));
}

#[test]
fn after_installing_a_password_alone_still_logs_in() {
    let site = Site::new();
    site.root.put(
        "/etc/ssh/sshd_config.d/test.conf",
        0o644,
        "KbdInteractiveAuthentication yes\n",
    );
    let sshd = site.sshd();
    let mut ssh = sshd.without_key();
    password(&mut ssh, "pw-alice");
    comes_in_as(ssh, "alice");
    let mut sudo = site.sudo();
    password(&mut sudo, "pw-alice");
    comes_in_as(sudo, "root");
    assert_eq!(site.asked(), 0);
}

#[test]
fn the_configuration_is_roots_secret_and_a_conffile() {
    let root = Root::installed();
    let modes = root.ok("stat -c '%a %U:%G' /etc/duo /etc/duo/pam_duo.conf");
    assert_eq!(modes, "755 root:root\n600 root:root\n");
    let conffiles = root.ok("dpkg-query -W -f='${Conffiles}' libpam-duo-rs");
    assert!(conffiles.contains("/etc/duo/pam_duo.conf "), "{conffiles}");
    assert_eq!(root.ok("dpkg --verify libpam-duo-rs"), "");
    assert_eq!(root.ok("dpkg --audit"), "");
}

#[test]
fn the_command_runs() {
    let root = Root::installed();
    let version = root.ok("pamduo --version");
    assert!(version.contains(env!("CARGO_PKG_VERSION")), "{version}");
    root.ok("pamduo --help");
}
