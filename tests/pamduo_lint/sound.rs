//! Set-ups that are right, on which lint finds nothing.

use crate::root::{PASSWORD_AND_DUO, Root};

const RELEASES: [u8; 2] = [12, 13];

#[track_caller]
fn sound(root: &Root, services: &[&str]) {
    let report = root.lint();
    assert_eq!(report["findings"], serde_json::json!([]), "{report:#}");
    let asking: Vec<&str> = report["services"]
        .as_array()
        .unwrap()
        .iter()
        .map(|service| service["name"].as_str().unwrap())
        .collect();
    assert_eq!(asking, services);
    for service in report["services"].as_array().unwrap() {
        assert_eq!(service["skippable"], false, "{service:#}");
        assert_eq!(service["possible"], true, "{service:#}");
    }
}

#[test]
fn the_recipe_for_ssh_with_a_key() {
    for release in RELEASES {
        sound(&Root::with_recipe(release), &["sshd"]);
    }
}

#[test]
fn the_recipe_for_ssh_with_a_password() {
    for release in RELEASES {
        let root = Root::debian(release);
        root.replace(
            "/etc/pam.d/sshd",
            "@include common-auth\n",
            PASSWORD_AND_DUO,
        );
        root.sshd(
            "UsePAM yes\nKbdInteractiveAuthentication yes\nPasswordAuthentication no\n\
             AuthenticationMethods keyboard-interactive\n",
        );
        sound(&root, &["sshd"]);
    }
}

#[test]
fn the_recipe_for_sudo() {
    for release in RELEASES {
        let root = Root::debian(release);
        root.replace(
            "/etc/pam.d/sudo",
            "@include common-auth\n",
            PASSWORD_AND_DUO,
        );
        sound(&root, &["sudo"]);
    }
}

#[test]
fn debians_defaults_with_the_profile_where_there_is_no_sshd() {
    for release in RELEASES {
        let root = Root::debian(release);
        root.enable_profile();
        std::fs::remove_file(root.path("/etc/ssh/sshd_config")).unwrap();
        std::fs::remove_file(root.path("/etc/pam.d/sshd")).unwrap();
        sound(&root, &["login", "other", "su", "sudo"]);
    }
}

#[test]
fn debians_defaults_with_the_profile_and_the_recipes_sshd_config() {
    for release in RELEASES {
        for methods in ["publickey,keyboard-interactive", "keyboard-interactive"] {
            let root = Root::debian(release);
            root.enable_profile();
            root.sshd(&format!(
                "KbdInteractiveAuthentication yes\nPasswordAuthentication no\n\
                 AuthenticationMethods {methods}\n"
            ));
            sound(&root, &["login", "other", "sshd", "su", "sudo"]);
        }
    }
}

#[test]
fn debians_profile_with_duos_own_control() {
    // As Debian's libpam-duo writes it.
    let root = Root::debian(12);
    root.enable_profile();
    root.replace(
        "/etc/pam.d/common-auth",
        "auth\trequired\t\t\tpam_duo.so",
        "auth\t[success=ok default=bad]\t\tpam_duo.so",
    );
    std::fs::remove_file(root.path("/etc/ssh/sshd_config")).unwrap();
    sound(&root, &["login", "other", "sshd", "su", "sudo"]);
}

#[test]
fn sshd_config_of_debian_does_not_fit_the_profile() {
    // The profile alone is not enough for SSH: a key skips PAM, and sshd cannot ask.
    for release in RELEASES {
        let root = Root::debian(release);
        root.enable_profile();
        assert_eq!(
            root.ids(),
            ["no-authentication-methods", "no-keyboard-interactive"]
        );
    }
}

#[test]
fn a_password_method_with_autopush() {
    let root = Root::debian(12);
    root.replace(
        "/etc/pam.d/sshd",
        "@include common-auth\n",
        PASSWORD_AND_DUO,
    );
    root.sshd("UsePAM yes\nAuthenticationMethods password\n");
    root.write(
        "/etc/duo/pam_duo.conf",
        &format!("{}autopush = yes\n", crate::root::CONF),
    );
    sound(&root, &["sshd"]);
}

#[test]
fn the_configuration_is_the_one_that_the_line_names() {
    let root = Root::with_recipe(12);
    root.write(
        "/etc/duo/other.conf",
        &format!("{}login_timeout = 115\n", crate::root::CONF),
    );
    root.sshd(&format!(
        "{}LoginGraceTime 1m50s\n",
        crate::root::SSHD_WITH_KEY
    ));
    sound(&root, &["sshd"]);
    root.replace(
        "/etc/pam.d/sshd",
        "pam_duo.so",
        "pam_duo.so conf=/etc/duo/other.conf",
    );
    assert_eq!(root.ids(), ["login-grace-time"]);
}

#[test]
fn a_match_block_that_keeps_the_second_factor() {
    let root = Root::with_recipe(12);
    root.sshd(&format!(
        "{}Match User root\nPasswordAuthentication no\nMatch Address 10.0.0.0/8\n\
         AuthenticationMethods keyboard-interactive\n",
        crate::root::SSHD_WITH_KEY
    ));
    sound(&root, &["sshd"]);
}

#[test]
fn no_limit_of_time_and_comments_and_joined_lines() {
    let root = Root::with_recipe(13);
    root.sshd(&format!("LoginGraceTime 0\n{}", crate::root::SSHD_WITH_KEY));
    root.replace(
        "/etc/pam.d/sshd",
        "auth  required  pam_duo.so",
        "auth  \\\n  required # why\\\n",
    );
    // The backslash in the comment joins nothing: what is left names no module.
    assert_eq!(root.ids(), ["duo-in-no-stack"]);
    root.replace(
        "/etc/pam.d/sshd",
        "required # why\\\n",
        "required \\\n# why\n  pam_duo.so\n",
    );
    sound(&root, &["sshd"]);
}

#[test]
fn stacks_that_administrators_have() {
    for lines in [
        // Duo's own documentation for Debian, and for Red Hat.
        "auth requisite pam_unix.so nullok\nauth [success=1 default=ignore] pam_duo.so\n\
         auth requisite pam_deny.so\nauth required pam_permit.so\nauth optional pam_cap.so\n",
        "auth required pam_env.so\nauth requisite pam_unix.so nullok try_first_pass\n\
         auth sufficient pam_duo.so\nauth requisite pam_succeed_if.so uid >= 1000 quiet_success\n\
         auth required pam_deny.so\n",
        // Debian's with a directory besides.
        "auth [success=2 default=ignore] pam_unix.so nullok\n\
         auth [success=1 default=ignore] pam_sss.so use_first_pass\nauth requisite pam_deny.so\n\
         auth required pam_permit.so\nauth required pam_duo.so\nauth optional pam_cap.so\n",
        // Locked out after failures.
        "auth required pam_faillock.so preauth\nauth [success=1 default=bad] pam_unix.so\n\
         auth [default=die] pam_faillock.so authfail\nauth required pam_faillock.so authsucc\n\
         auth required pam_duo.so\n",
        // The first factor in a substack, as in Red Hat's sshd.
        "auth substack password-auth\nauth required pam_duo.so\nauth include postlogin\n",
    ] {
        let root = Root::with_recipe(13);
        root.write("/etc/pam.d/sshd", lines);
        root.write(
            "/etc/pam.d/password-auth",
            "auth required pam_env.so\nauth sufficient pam_unix.so\nauth required pam_deny.so\n",
        );
        root.write("/etc/pam.d/postlogin", "session optional pam_umask.so\n");
        sound(&root, &["sshd"]);
    }
}

/// The lines of a recipe of `docs/recipes.md`.
fn recipe(heading: &str) -> &'static str {
    let recipes = include_str!("../../docs/recipes.md");
    let (_, section) = recipes.split_once(&format!("\n## {heading}\n")).unwrap();
    let (_, block) = section.split_once("```text\n").unwrap();
    block.split("```").next().unwrap()
}

#[test]
fn the_recipes_that_ask_for_a_code_where_duo_cannot_be_asked() {
    for heading in [
        "A TOTP code, by pam_oath",
        "A TOTP code, by pam_google_authenticator",
    ] {
        let lines = recipe(heading);
        for release in RELEASES {
            let root = Root::with_recipe(release);
            root.replace("/etc/pam.d/sshd", "auth  required  pam_duo.so\n", lines);
            root.replace(
                "/etc/pam.d/sudo",
                "@include common-auth\n",
                &format!("@include common-auth\n{lines}"),
            );
            sound(&root, &["sshd", "sudo"]);
            // A code is no first factor.
            root.sshd(
                "UsePAM yes\nKbdInteractiveAuthentication yes\nPasswordAuthentication no\n\
                 AuthenticationMethods keyboard-interactive\n",
            );
            let notes = root.lint()["notes"].to_string();
            assert!(notes.contains("Duo is all that sshd asks for"), "{notes}");
        }
    }
}

#[test]
fn bypass_ignore_jumps_over_the_code_as_the_recipes_say() {
    let root = Root::with_recipe(13);
    let conf = format!("{}bypass = ignore\ngroups = admins\n", crate::root::CONF);
    root.write("/etc/duo/pam_duo.conf", &conf);
    let lines = recipe("A TOTP code, by pam_oath");
    root.replace("/etc/pam.d/sshd", "auth  required  pam_duo.so\n", lines);
    assert_eq!(root.ids(), ["bypass-locks-out"]);
    root.replace("/etc/pam.d/sshd", "success=1", "success=1 ignore=1");
    sound(&root, &["sshd"]);
}

#[test]
fn a_code_that_users_can_write_themselves_or_do_without_takes_no_place_of_duos() {
    let oath = recipe("A TOTP code, by pam_oath");
    let google = recipe("A TOTP code, by pam_google_authenticator");
    for (lines, old, new) in [
        (oath, "usersfile=/etc/users.oath", "usersfile=${HOME}/.oath"),
        (oath, "window=2", "alwaysok"),
        (oath, "requisite", "optional"),
        (oath, "default=die", "default=ignore"),
        (google, "secret=/etc/totp/${USER}", ""),
        (google, "user=root", ""),
        (google, "user=root", "user=root nullok"),
    ] {
        let root = Root::with_recipe(13);
        assert!(lines.contains(old), "{lines}");
        let lines = lines.replacen(old, new, 1);
        root.replace("/etc/pam.d/sshd", "auth  required  pam_duo.so\n", &lines);
        let expected = if new.contains("default=ignore") {
            "no-deny-after-duo"
        } else {
            "failure-ignored"
        };
        assert_eq!(root.ids(), [expected], "{lines}");
    }
    // One factor from some place: no code at all.
    for heading in [
        "The first factor alone, from a trusted network",
        "The first factor alone, at the console",
    ] {
        let root = Root::with_recipe(13);
        let lines = recipe(heading);
        root.replace("/etc/pam.d/sshd", "auth  required  pam_duo.so\n", lines);
        assert_eq!(root.ids(), ["failure-ignored"], "{heading}");
    }
}

#[test]
fn bypass_ignore_where_there_is_nobody_to_bypass_or_something_else_says_yes() {
    let root = Root::with_recipe(12);
    let conf = format!("{}bypass = ignore\n", crate::root::CONF);
    root.write("/etc/duo/pam_duo.conf", &conf);
    sound(&root, &["sshd"]);
    root.write("/etc/duo/pam_duo.conf", &format!("{conf}groups = admins\n"));
    assert_eq!(root.ids(), ["bypass-locks-out"]);
    root.write("/etc/pam.d/sshd", PASSWORD_AND_DUO);
    sound(&root, &["sshd"]);
}
