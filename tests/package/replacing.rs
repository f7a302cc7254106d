//! In the place of Debian's `libpam-duo` and of Duo's `duo-unix`.

use crate::debs::{duo_unix, package};
use crate::logins::{Site, comes_in_as, duo, password};
use crate::root::Root;

const OLD_CONF: &str = "[duo]\nikey = DIOLDOLDOLDOLDOLDOLD\nskey = \
    oldoldoldoldoldoldoldoldoldoldoldoldoldo\nhost = api-old.duosecurity.com\nfailmode = secure\n";

/// Debian's own module is installed, configured and enabled.
fn root_with_debians_module() -> Root {
    let root = Root::fresh();
    root.ok("apt-get install -y /var/cache/libpam-duo/*.deb 2>&1");
    root.put("/etc/security/pam_duo.conf", 0o600, OLD_CONF);
    root.ok("pam-auth-update --enable duo-unix");
    assert!(root.read("/etc/pam.d/common-auth").contains("pam_duo.so"));
    root
}

/// What holds whichever way the package came to be in the place of Debian's.
fn check(root: &Root, said: &str) {
    assert!(
        said.contains("install -m 600 /etc/security/pam_duo.conf /etc/duo/pam_duo.conf"),
        "{said}"
    );
    // Debian's profile goes with its package, and nothing is enabled in its place: that is said.
    assert!(said.contains("no PAM stack asks Duo"), "{said}");
    assert!(!root.read("/etc/pam.d/common-auth").contains("pam_duo"));
    assert_eq!(root.read("/etc/security/pam_duo.conf"), OLD_CONF);
    assert!(!root.read("/etc/duo/pam_duo.conf").contains("OLD"));
    assert!(root.holds(&format!("-s {}", root.module())));
    assert_eq!(root.ok("dpkg --verify libpam-duo-rs"), "");
    assert_eq!(root.ok("dpkg-divert --list | grep duo || true"), "");
    assert!(
        !root
            .run("dpkg-query -L libpam-duo | grep pam_duo.so")
            .status
            .success()
    );
}

#[test]
fn apt_puts_it_in_the_place_of_debians_module() {
    let root = root_with_debians_module();
    let said = root.install(&package());
    check(&root, &said);
    // The command that was said carries the file over; enabled, Duo is asked again.
    root.ok("install -m 600 /etc/security/pam_duo.conf /etc/duo/pam_duo.conf");
    assert_eq!(
        root.ok("stat -c '%a %U' /etc/duo/pam_duo.conf"),
        "600 root\n"
    );
    let site = Site::around(root);
    site.enable();
    let mut sudo = site.sudo();
    password(&mut sudo, "pw-alice");
    duo(&mut sudo, "123456");
    comes_in_as(sudo, "root");
}

#[test]
fn dpkg_puts_it_in_the_place_of_debians_module() {
    let root = root_with_debians_module();
    let path = root.bring(&package());
    let said = root.ok(&format!("dpkg --auto-deconfigure --install {path} 2>&1"));
    check(&root, &said);
}

#[test]
fn debians_module_comes_back_with_apt() {
    let root = Root::installed();
    root.ok("apt-get install -y /var/cache/libpam-duo/*.deb 2>&1");
    assert!(root.holds("-s /lib/$(uname -m)-linux-gnu/security/pam_duo.so"));
    assert_eq!(root.ok("dpkg --verify libpam-duo"), "");
}

#[test]
fn the_file_of_duos_own_package_is_kept() {
    let root = Root::fresh();
    root.install(&duo_unix("[duo]\nikey =\nskey =\nhost =\n").path());
    root.put("/etc/duo/pam_duo.conf", 0o644, OLD_CONF);
    root.ok("sed -i 's|^@include common-auth|&\\nauth required /lib64/security/pam_duo.so|' /etc/pam.d/su");
    let path = root.bring(&package());
    let said = root.ok(&format!(
        "apt-get install -y -o Dpkg::Options::=--force-confold {path} 2>&1"
    ));
    assert_eq!(root.read("/etc/duo/pam_duo.conf"), OLD_CONF);
    assert!(said.contains("chmod 600 /etc/duo/pam_duo.conf"), "{said}");
    assert!(
        said.contains(
            "names /lib64/security/pam_duo.so, which is not there: say pam_duo.so instead"
        ),
        "{said}"
    );
    assert!(root.holds(&format!("-s {}", root.module())));
}

#[test]
fn a_file_that_is_already_there_is_kept_and_dpkg_asks() {
    let root = Root::fresh();
    root.put("/etc/duo/pam_duo.conf", 0o600, OLD_CONF);
    let path = root.bring(&package());
    // Without a terminal and without being told what to do, dpkg stops at its question.
    let said = root.fails(&format!("dpkg --install {path} 2>&1"));
    assert!(
        said.contains("Configuration file '/etc/duo/pam_duo.conf'"),
        "{said}"
    );
    assert_eq!(root.read("/etc/duo/pam_duo.conf"), OLD_CONF);
    root.ok("dpkg --force-confold --configure -a");
    assert_eq!(root.read("/etc/duo/pam_duo.conf"), OLD_CONF);
}
