//! Removal takes the module out of the stacks before its file goes; purge leaves nothing.

use crate::debs::package;
use crate::logins::{Site, comes_in_as, duo, password};
use crate::root::{Root, difference};

#[test]
fn purge_leaves_the_file_system_as_it_was() {
    let root = Root::fresh();
    // What pam-auth-update itself brings up to date when it runs for the first time.
    root.ok("pam-auth-update --package");
    let before = root.snapshot();
    root.install(&package());
    root.ok("pam-auth-update --enable duo");
    root.put("/etc/duo/pam_duo.conf", 0o600, "[duo]\nskey = changed\n");
    // As `pamduo setup` leaves them.
    root.put(
        "/etc/duo/pam_duo.conf.bak-20261124T120000Z",
        0o600,
        "skey = old\n",
    );
    root.put("/etc/duo/pam_duo.conf.dpkg-old", 0o600, "skey = older\n");
    root.ok("apt-get purge -y libpam-duo-rs 2>&1");
    assert_eq!(difference(&before, &root.snapshot()), "");
    assert!(!root.holds("-e /etc/duo"));
    root.fails("dpkg-query --show libpam-duo-rs");
    assert_eq!(root.ok("dpkg --audit"), "");
}

#[test]
fn other_files_in_the_folder_survive_a_purge() {
    let root = Root::installed();
    root.put("/etc/duo/ca.pem", 0o644, "mine\n");
    root.ok("apt-get purge -y libpam-duo-rs 2>&1");
    assert_eq!(root.ok("find /etc/duo"), "/etc/duo\n/etc/duo/ca.pem\n");
}

#[test]
fn removal_takes_it_out_of_the_stack_and_keeps_the_configuration() {
    let site = Site::new();
    site.enable();
    site.root.ok("apt-get remove -y libpam-duo-rs 2>&1");
    assert!(!site.root.read("/etc/pam.d/common-auth").contains("pam_duo"));
    assert!(site.root.holds("-s /etc/duo/pam_duo.conf"));
    let mut sudo = site.sudo();
    password(&mut sudo, "pw-alice");
    comes_in_as(sudo, "root");
    // Installed again, it is enabled by the administrator again.
    site.root.install(&package());
    assert!(!site.root.read("/etc/pam.d/common-auth").contains("pam_duo"));
    let conf = site.root.read("/etc/duo/pam_duo.conf");
    assert!(conf.contains(site.duo.ikey()), "{conf}");
}

#[test]
fn the_stack_is_without_the_module_before_the_file_goes() {
    let site = Site::new();
    site.enable();
    let module = site.root.module();
    // Looked at all the time: a stack with the module and no file would let nobody in.
    site.root.ok(&format!(
        "(until [ -e /tmp/stop ]; do \
            [ -e {module} ] || {{ ! grep -q pam_duo /etc/pam.d/common-auth || touch /tmp/locked-out; touch /tmp/seen; }}; \
         done) >/dev/null 2>&1 &"
    ));
    site.root
        .ok("apt-get remove -y libpam-duo-rs 2>&1; s=$?; sleep 0.2; touch /tmp/stop; exit $s");
    assert!(site.root.holds("-e /tmp/seen"));
    assert!(!site.root.holds("-e /tmp/locked-out"));
}

#[test]
fn removal_is_refused_while_a_line_of_the_administrators_names_the_module() {
    for line in [
        "pam_duo.so",
        "/lib/$(uname -m)-linux-gnu/security/pam_duo.so",
    ] {
        let site = Site::new();
        site.enable();
        site.root.ok(&format!(
            "sed -i \"s|^@include common-auth|auth [success=ok default=die] {line}|\" /etc/pam.d/su"
        ));
        let said = site.root.fails("apt-get remove -y libpam-duo-rs 2>&1");
        assert!(said.contains("not removed"), "{said}");
        assert!(
            said.contains("/etc/pam.d/su: auth [success=ok default=die]"),
            "{said}"
        );
        // As before: installed, enabled, at work.
        assert_eq!(site.root.ok("dpkg --audit"), "");
        let mut sudo = site.sudo();
        password(&mut sudo, "pw-alice");
        duo(&mut sudo, "123456");
        comes_in_as(sudo, "root");
        // A comment is no line.
        site.root
            .ok("sed -i 's/^auth.*pam_duo.so/#&/' /etc/pam.d/su");
        site.root.ok("apt-get remove -y libpam-duo-rs 2>&1");
        assert!(!site.root.read("/etc/pam.d/common-auth").contains("pam_duo"));
    }
}

#[test]
fn removal_is_refused_where_pam_auth_update_may_not_take_it_out() {
    let site = Site::new();
    site.enable();
    // pam-auth-update leaves a file alone that somebody has changed.
    site.root
        .ok("sed -i '/^# here are the per-package modules/d' /etc/pam.d/common-auth");
    let said = site.root.fails("apt-get remove -y libpam-duo-rs 2>&1");
    assert!(said.contains("not removed"), "{said}");
    assert!(said.contains("/etc/pam.d/common-auth: "), "{said}");
    assert!(site.root.holds(&format!("-s {}", site.root.module())));
    site.root.ok("pam-auth-update --force --disable duo");
    site.root.ok("apt-get remove -y libpam-duo-rs 2>&1");
}

#[test]
fn a_refused_removal_leaves_the_stack_enabled() {
    let site = Site::new();
    site.enable();
    site.root
        .ok("echo 'auth required pam_duo.so' >>/etc/pam.d/common-auth");
    let before = site.root.ok("cat /etc/pam.d/common-auth /var/lib/pam/auth");
    let said = site.root.fails("apt-get remove -y libpam-duo-rs 2>&1");
    assert!(
        said.contains("/etc/pam.d/common-auth: auth required pam_duo.so"),
        "{said}"
    );
    let after = site.root.ok("cat /etc/pam.d/common-auth /var/lib/pam/auth");
    assert_eq!(before, after);
}

#[test]
fn lines_for_another_module_do_not_stop_the_removal() {
    let site = Site::new();
    site.root
        .put("/usr/local/lib/security/pam_duo.so", 0o644, "");
    site.root.put(
        "/etc/pam.d/other-service",
        0o644,
        "auth required /usr/local/lib/security/pam_duo.so\n",
    );
    site.root.put(
        "/etc/pam.d/su.dpkg-old",
        0o644,
        "auth required pam_duo.so\n",
    );
    site.root.ok("apt-get remove -y libpam-duo-rs 2>&1");
}
