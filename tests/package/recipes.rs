//! The README's recipes are the package's examples, and they work.

use crate::logins::{Site, comes_in_as, duo, password, stays_out};

/// An example of the package, as the system has it.
fn example(site: &Site, name: &str) -> String {
    site.root
        .read(&format!("/usr/share/doc/libpam-duo-rs/examples/{name}"))
}

/// What the example says apart from its comments.
fn lines(example: &str) -> Vec<&str> {
    example
        .lines()
        .filter(|line| !line.starts_with('#'))
        .collect()
}

/// Does what the example's comment says: its lines in the place of `@include common-auth`.
fn use_in(site: &Site, service: &str, name: &str) {
    let example = example(site, name);
    assert!(
        example.contains(&format!(
            "# /etc/pam.d/{service}: in the place of \"@include common-auth\"."
        )),
        "{example}"
    );
    let path = format!("/etc/pam.d/{service}");
    let stack = site.root.read(&path);
    let changed = stack.replacen("@include common-auth", &lines(&example).join("\n"), 1);
    assert_ne!(stack, changed);
    site.root.put(&path, 0o644, changed);
}

/// The same for sshd's own configuration.
fn use_for_sshd(site: &Site, name: &str) {
    let example = example(site, name);
    assert!(
        example.contains("# /etc/ssh/sshd_config.d/00-duo.conf\n"),
        "{example}"
    );
    site.root
        .put("/etc/ssh/sshd_config.d/00-duo.conf", 0o644, example);
    site.root.ok("/usr/sbin/sshd -t");
}

#[test]
fn the_readme_has_every_example_word_for_word() {
    let site = Site::new();
    let readme = include_str!("../../README.md");
    let examples = site.root.ok("ls /usr/share/doc/libpam-duo-rs/examples");
    assert!(examples.lines().count() >= 6, "{examples}");
    for name in examples.lines() {
        let example = example(&site, name);
        let block = lines(&example).join("\n") + "\n";
        // Within a list, text is indented.
        let indented = format!("   {}\n", lines(&example).join("\n   "));
        assert!(
            readme.contains(&format!("```text\n{block}```"))
                || readme.contains(&format!("```text\n{indented}   ```")),
            "README.md has no\n{block}"
        );
        assert!(readme.contains(name), "README.md does not name {name}");
    }
}

#[test]
fn ssh_with_a_public_key_and_duo() {
    let site = Site::new();
    use_in(&site, "sshd", "sshd-publickey.pam");
    use_for_sshd(&site, "sshd-publickey.conf");
    let sshd = site.sshd();
    let mut ssh = sshd.with_key();
    duo(&mut ssh, "123456");
    let said = comes_in_as(ssh, "alice").transcript;
    assert!(!said.contains("assword"), "{said}");
    // By push as well.
    let mut ssh = sshd.with_key();
    duo(&mut ssh, "1");
    comes_in_as(ssh, "alice");
    // Without the key Duo is not asked.
    site.duo.clear();
    stays_out(sshd.without_key());
    assert_eq!(site.asked(), 0);
    for _ in 0..3 {
        let mut ssh = sshd.with_key();
        ssh.expect("Passcode or option");
        ssh.interrupt();
        let said = ssh.finish().transcript;
        assert!(!said.contains("in as"), "{said}");
    }
}

#[test]
fn ssh_with_a_password_and_duo() {
    let site = Site::new();
    use_in(&site, "sshd", "sshd-password.pam");
    use_for_sshd(&site, "sshd-password.conf");
    let sshd = site.sshd();
    let mut ssh = sshd.without_key();
    password(&mut ssh, "pw-alice");
    duo(&mut ssh, "123456");
    comes_in_as(ssh, "alice");
    site.duo.clear();
    let mut ssh = sshd.without_key();
    for _ in 0..3 {
        password(&mut ssh, "wrong");
    }
    stays_out(ssh);
    assert_eq!(site.asked(), 0);
}

#[test]
fn sudo_with_a_password_and_duo() {
    let site = Site::new();
    use_in(&site, "sudo", "sudo.pam");
    let mut sudo = site.sudo();
    password(&mut sudo, "pw-alice");
    duo(&mut sudo, "123456");
    comes_in_as(sudo, "root");
    let mut sudo = site.sudo();
    password(&mut sudo, "pw-alice");
    sudo.expect("Passcode or option");
    sudo.hang_up();
}

#[test]
fn the_console_with_a_password_and_duo() {
    let site = Site::new();
    use_in(&site, "login", "login.pam");
    let mut console = site.console();
    password(&mut console, "pw-alice");
    duo(&mut console, "123456");
    console.expect("$ ");
    console.line("echo in as $(id -un); exit");
    comes_in_as(console, "alice");
    // sshd and sudo are as they were.
    site.duo.clear();
    let mut sudo = site.sudo();
    password(&mut sudo, "pw-alice");
    comes_in_as(sudo, "root");
    assert_eq!(site.asked(), 0);
}

#[test]
fn the_readmes_way_out_opens_every_stack_again() {
    let site = Site::new();
    site.enable();
    use_in(&site, "login", "login.pam");
    site.root.put("/etc/duo/pam_duo.conf", 0o600, "[duo]\n");
    let mut sudo = site.sudo();
    password(&mut sudo, "pw-alice");
    stays_out(sudo);
    let readme = include_str!("../../README.md");
    let way_out = readme.lines().map(str::trim);
    let way_out = way_out.filter(|line| line.starts_with("sed -i ") && line.contains("pam_duo"));
    let way_out: Vec<&str> = way_out.collect();
    assert_eq!(way_out.len(), 1, "{way_out:?}");
    site.root.ok(way_out[0]);
    let mut sudo = site.sudo();
    password(&mut sudo, "pw-alice");
    comes_in_as(sudo, "root");
    let mut console = site.console();
    password(&mut console, "pw-alice");
    console.expect("$ ");
    console.line("echo in as $(id -un); exit");
    comes_in_as(console, "alice");
    // A wrong password is still one.
    let mut sudo = site.sudo();
    for _ in 0..3 {
        password(&mut sudo, "wrong");
    }
    stays_out(sudo);
}
