//! Broken `sshd_config`s, and what lint finds.

use crate::broken::Case;
use crate::root::{CONF, Root, SSHD_WITH_KEY};

/// Before the recipe's lines, so that it is used.
fn sshd(root: &Root, text: &str) {
    root.sshd(&format!("{text}\n{SSHD_WITH_KEY}"));
}

/// The table.
pub const CASES: &[Case] = &[
    Case {
        // For some users alone.
        id: "no-keyboard-interactive",
        place: "/etc/ssh/sshd_config.d/duo.conf:6",
        fix: "KbdInteractiveAuthentication yes",
        broken: |root| {
            root.sshd(&format!(
                "{SSHD_WITH_KEY}Match User root\nKbdInteractiveAuthentication no\n"
            ));
        },
    },
    Case {
        id: "use-pam-no",
        place: "/etc/ssh/sshd_config.d/duo.conf:1",
        fix: "UsePAM yes",
        broken: |root| sshd(root, "UsePAM no"),
    },
    Case {
        // sshd's own default is no.
        id: "use-pam-no",
        place: "/etc/ssh/sshd_config",
        fix: "UsePAM yes",
        broken: |root| {
            root.write(
                "/etc/ssh/sshd_config",
                "AuthenticationMethods publickey,keyboard-interactive\n",
            )
        },
    },
    Case {
        id: "no-keyboard-interactive",
        place: "/etc/ssh/sshd_config.d/duo.conf:1",
        fix: "KbdInteractiveAuthentication yes",
        broken: |root| sshd(root, "ChallengeResponseAuthentication=no"),
    },
    Case {
        // Debian's own line, with nothing before it.
        id: "no-keyboard-interactive",
        place: "/etc/ssh/sshd_config:62",
        fix: "KbdInteractiveAuthentication yes",
        broken: |root| root.sshd("AuthenticationMethods publickey,keyboard-interactive\n"),
    },
    Case {
        id: "no-authentication-methods",
        place: "/etc/ssh/sshd_config",
        fix: "AuthenticationMethods publickey,keyboard-interactive",
        broken: |root| root.sshd("KbdInteractiveAuthentication yes\nPasswordAuthentication no\n"),
    },
    Case {
        id: "no-authentication-methods",
        place: "/etc/ssh/sshd_config.d/duo.conf:1",
        fix: "AuthenticationMethods publickey,keyboard-interactive",
        broken: |root| sshd(root, "AuthenticationMethods any"),
    },
    Case {
        id: "methods-skip-pam",
        place: "/etc/ssh/sshd_config.d/duo.conf:1",
        fix: "AuthenticationMethods publickey,keyboard-interactive",
        broken: |root| sshd(root, "AuthenticationMethods publickey"),
    },
    Case {
        id: "methods-skip-pam",
        place: "/etc/ssh/sshd_config.d/duo.conf:1",
        fix: "AuthenticationMethods publickey,keyboard-interactive",
        broken: |root| {
            sshd(
                root,
                "AuthenticationMethods publickey,keyboard-interactive publickey,publickey",
            )
        },
    },
    Case {
        // For some users alone.
        id: "methods-skip-pam",
        place: "/etc/ssh/sshd_config.d/duo.conf:6",
        fix: "AuthenticationMethods publickey,keyboard-interactive",
        broken: |root| {
            root.sshd(&format!(
                "{SSHD_WITH_KEY}Match Group backup\nAuthenticationMethods publickey\n"
            ))
        },
    },
    Case {
        id: "methods-impossible",
        place: "/etc/ssh/sshd_config.d/duo.conf:1",
        fix: "AuthenticationMethods publickey,keyboard-interactive",
        broken: |root| sshd(root, "AuthenticationMethods publickey,hostbased"),
    },
    Case {
        id: "password-cannot-ask",
        place: "/etc/ssh/sshd_config.d/duo.conf:1",
        fix: "AuthenticationMethods publickey,keyboard-interactive",
        broken: |root| {
            sshd(
                root,
                "AuthenticationMethods publickey,password\nPasswordAuthentication yes",
            )
        },
    },
    Case {
        id: "permit-empty-passwords",
        place: "/etc/ssh/sshd_config.d/duo.conf:1",
        fix: "PermitEmptyPasswords no",
        broken: |root| sshd(root, "PermitEmptyPasswords yes"),
    },
    Case {
        id: "login-grace-time",
        place: "/etc/ssh/sshd_config.d/duo.conf:1",
        fix: "LoginGraceTime 120",
        broken: |root| sshd(root, "LoginGraceTime 1m"),
    },
    Case {
        id: "login-grace-time",
        place: "/etc/ssh/sshd_config",
        fix: "LoginGraceTime 170",
        broken: |root| {
            root.write(
                "/etc/duo/pam_duo.conf",
                &format!("{CONF}login_timeout = 150\n"),
            )
        },
    },
    Case {
        id: "max-auth-tries",
        place: "/etc/ssh/sshd_config.d/duo.conf:1",
        fix: "MaxAuthTries 6",
        broken: |root| sshd(root, "MaxAuthTries 1"),
    },
    Case {
        id: "login-duo",
        place: "/etc/ssh/sshd_config.d/duo.conf:1",
        fix: "(leave this line out)",
        broken: |root| sshd(root, "ForceCommand /usr/sbin/login_duo"),
    },
];
