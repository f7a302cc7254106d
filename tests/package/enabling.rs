//! `pam-auth-update --enable duo`: a stack that cannot be bypassed.

use login_sandbox::Terminal;

use crate::logins::{Site, comes_in_as, duo, password, stays_out};

/// Debian's sshd asks no question by itself.
fn let_sshd_ask(site: &Site) {
    site.root.put(
        "/etc/ssh/sshd_config.d/test.conf",
        0o644,
        "KbdInteractiveAuthentication yes\nPasswordAuthentication no\n\
         AuthenticationMethods keyboard-interactive\n",
    );
}

fn enabled() -> Site {
    let site = Site::new();
    site.enable();
    let_sshd_ask(&site);
    site
}

#[test]
fn a_real_pam_deny_stands_behind_the_module() {
    let site = enabled();
    let stack = site.root.read("/etc/pam.d/common-auth");
    let lines: Vec<&str> = stack
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect();
    let duo = lines.iter().position(|line| line.contains("pam_duo.so"));
    let next = lines[duo.unwrap() + 1];
    assert!(
        next.contains("requisite") && next.contains("pam_deny.so"),
        "{stack}"
    );
}

#[test]
fn enabled_a_login_needs_the_password_and_then_duo() {
    let site = enabled();
    let sshd = site.sshd();
    let mut ssh = sshd.without_key();
    password(&mut ssh, "pw-alice");
    duo(&mut ssh, "123456");
    comes_in_as(ssh, "alice");
    let mut sudo = site.sudo();
    password(&mut sudo, "pw-alice");
    duo(&mut sudo, "1");
    comes_in_as(sudo, "root");
    let mut console = site.console();
    password(&mut console, "pw-alice");
    duo(&mut console, "234567");
    console.expect("$ ");
    console.line("echo in as $(id -un); exit");
    comes_in_as(console, "alice");
}

#[test]
fn nobody_is_asked_by_duo_without_the_password() {
    let site = enabled();
    let sshd = site.sshd();
    let mut ssh = sshd.without_key();
    for _ in 0..3 {
        password(&mut ssh, "wrong");
    }
    stays_out(ssh);
    assert_eq!(site.asked(), 0);
}

#[test]
fn ctrl_c_three_times_stays_out() {
    let site = enabled();
    let sshd = site.sshd();
    for _ in 0..3 {
        let mut ssh = sshd.without_key();
        password(&mut ssh, "pw-alice");
        ssh.expect("Passcode or option");
        ssh.interrupt();
        let said = ssh.finish().transcript;
        assert!(!said.contains("in as"), "{said}");
    }
    // sudo itself stays in front, and asks again.
    let mut sudo = site.sudo();
    for _ in 0..3 {
        sudo.expect("password for");
        sudo.line("pw-alice");
        sudo.expect("Passcode or option");
        sudo.interrupt();
        std::thread::sleep(std::time::Duration::from_millis(300));
        // Not "a password is required", which it says at its end.
        if sudo.transcript().matches("password for").count() < 2 {
            break;
        }
    }
    stays_out(sudo);
    let mut console = site.console();
    password(&mut console, "pw-alice");
    console.expect("Passcode or option");
    // Debian 12's ends there; Debian 13's goes on waiting for an answer.
    for _ in 0..3 {
        console.interrupt();
        console.send("echo in as $(id -un)");
    }
    std::thread::sleep(std::time::Duration::from_millis(500));
    let said = console.transcript();
    assert!(!said.contains("in as alice"), "{said}");
    console.hang_up();
}

#[test]
fn three_wrong_passcodes_stay_out() {
    let site = enabled();
    let sshd = site.sshd();
    let mut ssh = sshd.without_key();
    password(&mut ssh, "pw-alice");
    // What Duo has just refused is not sent again.
    for wrong in ["999991", "999992", "999993"] {
        duo(&mut ssh, wrong);
    }
    stays_out(ssh);
}

#[test]
fn users_outside_the_groups_come_in_with_the_password_whatever_bypass_says() {
    for bypass in ["success", "ignore"] {
        let site = enabled();
        site.configure(&format!("groups = nobody-at-all\nbypass = {bypass}"));
        let sshd = site.sshd();
        let mut ssh = sshd.without_key();
        password(&mut ssh, "pw-alice");
        comes_in_as(ssh, "alice");
        assert_eq!(site.asked(), 0);
    }
}

#[test]
fn without_keys_in_the_configuration_nobody_comes_in() {
    let site = enabled();
    site.root.put(
        "/etc/duo/pam_duo.conf",
        0o600,
        "[duo]\nikey =\nskey =\nhost =\n",
    );
    let mut sudo = site.sudo();
    password(&mut sudo, "pw-alice");
    stays_out(sudo);
}

#[test]
fn without_its_file_the_module_lets_nobody_in() {
    let site = enabled();
    site.root.ok(&format!("rm {}", site.root.module()));
    let mut sudo = site.sudo();
    password(&mut sudo, "pw-alice");
    stays_out(sudo);
}

#[test]
fn cron_and_others_that_only_set_credentials_still_can() {
    let site = enabled();
    let mut setcred =
        Terminal::start(&site.root.inside(&["pamtester", "sudo", "alice", "setcred"]));
    assert_eq!(setcred.finish().status, 0, "{}", setcred.transcript());
    assert_eq!(site.asked(), 0);
}

#[test]
fn roll_back_takes_duo_out_again() {
    let site = enabled();
    site.root.ok("pam-auth-update --disable duo");
    assert!(!site.root.read("/etc/pam.d/common-auth").contains("pam_duo"));
    let mut sudo = site.sudo();
    password(&mut sudo, "pw-alice");
    comes_in_as(sudo, "root");
    assert_eq!(site.asked(), 0);
}
