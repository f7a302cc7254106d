//! Upgrades: with a changed configuration, while people log in.

use login_sandbox::Terminal;

use crate::debs::{package, version};
use crate::logins::{Site, comes_in_as, duo};
use crate::root::Root;

/// Debian's sshd asks nothing by itself.
const ASK: &str = "KbdInteractiveAuthentication yes\nPasswordAuthentication no\n\
    AuthenticationMethods publickey,keyboard-interactive\n";

/// An older version is installed, configured, and asked by sshd.
fn site_with_the_previous_version() -> Site {
    let root = Root::fresh();
    root.install(&version("0.0.9-1", "; as it was in 0.0.9").path());
    let site = Site::around(root);
    site.root
        .ok("sed -i 's/^@include common-auth/auth required pam_duo.so/' /etc/pam.d/sshd");
    site.root
        .put("/etc/ssh/sshd_config.d/test.conf", 0o644, ASK);
    site
}

#[test]
fn an_upgrade_keeps_the_changed_configuration_and_what_was_enabled() {
    let site = site_with_the_previous_version();
    site.enable();
    let before = site.root.read("/etc/duo/pam_duo.conf");
    let stacks = site.root.ok("cat /etc/pam.d/*");
    let path = site.root.bring(&package());
    let said = site.root.ok(&format!(
        "apt-get install -y -o Dpkg::Options::=--force-confold {path} 2>&1"
    ));
    assert!(
        said.contains("Configuration file '/etc/duo/pam_duo.conf'"),
        "{said}"
    );
    assert_eq!(site.root.read("/etc/duo/pam_duo.conf"), before);
    assert_eq!(site.root.ok("cat /etc/pam.d/*"), stacks);
    assert!(site.root.holds("-e /etc/duo/pam_duo.conf.dpkg-dist"));
    let mode = site
        .root
        .ok("stat -c %a /etc/duo/pam_duo.conf /etc/duo/pam_duo.conf.dpkg-dist");
    assert_eq!(mode, "600\n600\n");
    let sshd = site.sshd();
    let mut ssh = sshd.with_key();
    duo(&mut ssh, "123456");
    comes_in_as(ssh, "alice");
}

#[test]
fn whoever_presses_enter_at_dpkgs_question_keeps_the_configuration() {
    let site = site_with_the_previous_version();
    let before = site.root.read("/etc/duo/pam_duo.conf");
    let path = site.root.bring(&package());
    let mut dpkg = Terminal::start(&site.root.inside(&["dpkg", "--install", &path]));
    dpkg.expect("[default=N] ?");
    dpkg.line("");
    assert_eq!(dpkg.finish().status, 0, "{}", dpkg.transcript());
    assert_eq!(site.root.read("/etc/duo/pam_duo.conf"), before);
}

#[test]
fn an_untouched_configuration_is_upgraded_without_a_question() {
    let root = Root::fresh();
    root.install(&version("0.0.9-1", "; as it was in 0.0.9").path());
    let said = root.install(&package());
    assert!(!said.contains("Configuration file"), "{said}");
    assert!(!root.read("/etc/duo/pam_duo.conf").contains("0.0.9"));
}

#[test]
fn sessions_and_logins_on_their_way_live_through_an_upgrade() {
    let site = site_with_the_previous_version();
    let sshd = site.sshd();
    let mut session = Terminal::start(&sshd.command("cat", &[]));
    duo(&mut session, "123456");
    session.line("before");
    session.expect("before");
    session.expect("before");
    let mut on_its_way = sshd.with_key();
    on_its_way.expect("Passcode or option");
    on_its_way.expect(": ");

    let module = site.root.module();
    let inode = || site.root.ok(&format!("stat -c %i {module}"));
    let old = inode();
    // The file is never away: it is looked for all the time.
    site.root.ok(&format!(
        "rm -f /tmp/stop; (until [ -e /tmp/stop ]; do [ -s {module} ] || echo gone >>/tmp/gone; done) >/dev/null 2>&1 &"
    ));
    let path = site.root.bring(&package());
    site.root.ok(&format!(
        "dpkg --force-confold --install {path} 2>&1; s=$?; touch /tmp/stop; exit $s"
    ));
    assert!(
        !site.root.holds("-e /tmp/gone"),
        "the module was away for a moment"
    );
    assert_ne!(inode(), old, "the file was written to, not replaced");

    on_its_way.line("234567");
    comes_in_as(on_its_way, "alice");
    session.line("after");
    session.expect("after");
    session.expect("after");
    session.send("\u{4}");
    assert_eq!(session.finish().status, 0, "{}", session.transcript());
    let mut new = sshd.with_key();
    duo(&mut new, "345678");
    comes_in_as(new, "alice");
}
