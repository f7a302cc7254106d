//! Each finding, by a set-up that triggers just that one.

use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Command;

use crate::root::{CONF, MODULE, Root, SSHD_WITH_KEY};

/// A set-up: what is broken in one that is sound.
struct Case {
    /// The finding.
    id: &'static str,
    /// Where it is found.
    place: &'static str,
    /// What the line to write instead contains.
    instead: &'static str,
    /// What is changed in Debian 12 with the README's recipe for SSH with a key.
    broken: fn(&Root),
}

fn stack(root: &Root, text: &str) {
    root.write("/etc/pam.d/sshd", text);
}

/// In front of the recipe's lines, where it counts.
fn sshd(root: &Root, text: &str) {
    root.sshd(&format!("{text}\n{SSHD_WITH_KEY}"));
}

const CASES: &[Case] = &[
    Case {
        id: "sufficient-in-front",
        place: "/etc/pam.d/sshd:1",
        instead: "auth  requisite  pam_unix.so nullok",
        broken: |root| {
            stack(
                root,
                "auth sufficient pam_unix.so nullok\nauth required pam_duo.so\n",
            )
        },
    },
    Case {
        id: "sufficient-in-front",
        place: "/etc/pam.d/sshd:1",
        instead: "auth  requisite  pam_rhosts.so",
        broken: |root| {
            stack(
                root,
                "auth [success=done default=ignore] pam_rhosts.so\nauth required pam_duo.so\n",
            )
        },
    },
    Case {
        // Root alone is a matter of programs that users start; sshd runs as root.
        id: "sufficient-in-front",
        place: "/etc/pam.d/sshd:1",
        instead: "auth  requisite  pam_rootok.so",
        broken: |root| {
            stack(
                root,
                "auth sufficient pam_rootok.so\nauth required pam_duo.so\n",
            )
        },
    },
    Case {
        // One of two: the other one stays an alternative.
        id: "sufficient-in-front",
        place: "/etc/pam.d/password:1",
        instead: "auth  [success=2 default=ignore]  pam_unix.so",
        broken: |root| {
            root.write("/etc/pam.d/password", "auth sufficient pam_unix.so\n\
                auth [success=1 default=ignore] pam_sss.so\nauth requisite pam_deny.so\nauth required pam_duo.so\n");
        },
    },
    Case {
        id: "optional",
        place: "/etc/pam.d/sshd:2",
        instead: "auth  required  pam_duo.so",
        broken: |root| {
            stack(
                root,
                "auth requisite pam_unix.so\nauth optional pam_duo.so\n",
            )
        },
    },
    Case {
        id: "jump-past",
        place: "/etc/pam.d/sshd:2",
        instead: "(leave this line out)",
        broken: |root| {
            stack(
                root,
                "auth requisite pam_unix.so\n\
                auth [success=1 default=ignore] pam_succeed_if.so user ingroup nomfa\n\
                auth required pam_duo.so\n",
            );
        },
    },
    Case {
        id: "jump-past",
        place: "/etc/pam.d/common-auth:17",
        instead: "auth  [success=2 default=ignore]  pam_unix.so nullok",
        broken: |root| {
            root.enable_profile();
            root.replace(
                "/etc/pam.d/common-auth",
                "[success=1 default",
                "[success=3 default",
            );
            root.replace(
                "/etc/pam.d/common-auth",
                "pam_duo.so\n",
                "pam_duo.so\nauth optional pam_cap.so\nauth required pam_permit.so\n",
            );
        },
    },
    Case {
        id: "no-deny-behind",
        place: "/etc/pam.d/sshd:2",
        instead: "auth  required  pam_duo.so",
        broken: |root| {
            stack(
                root,
                "auth requisite pam_unix.so\nauth sufficient pam_duo.so\n",
            )
        },
    },
    Case {
        id: "no-deny-behind",
        place: "/etc/pam.d/sshd:1",
        instead: "auth  requi",
        broken: |root| {
            stack(
                root,
                "auth [success=1 default=ignore] pam_duo.so\nauth required pam_permit.so\nauth required pam_permit.so\n",
            )
        },
    },
    Case {
        id: "failure-ignored",
        place: "/etc/pam.d/sshd:2",
        instead: "auth  required  pam_duo.so",
        broken: |root| {
            stack(
                root,
                "auth requisite pam_unix.so\nauth [success=ok authinfo_unavail=ignore default=die] pam_duo.so\n",
            )
        },
    },
    Case {
        id: "reset-behind",
        place: "/etc/pam.d/sshd:2",
        instead: "auth  [success=ok default=ignore]  pam_env.so",
        broken: |root| {
            stack(
                root,
                "auth required pam_duo.so\nauth [success=ok default=reset] pam_env.so\nauth required pam_permit.so\n",
            )
        },
    },
    Case {
        id: "no-way-in",
        place: "/etc/pam.d/sshd:2",
        instead: "(leave this line out)",
        broken: |root| {
            stack(
                root,
                "auth required pam_duo.so\nauth required pam_deny.so\n",
            )
        },
    },
    Case {
        // Duo is never reached.
        id: "no-way-in",
        place: "/etc/pam.d/sshd:1",
        instead: "(leave this line out)",
        broken: |root| {
            stack(
                root,
                "auth requisite pam_deny.so\nauth required pam_duo.so\n",
            )
        },
    },
    Case {
        id: "no-way-in",
        place: "/etc/pam.d/sshd:1",
        instead: "auth  required  pam_duo.so",
        broken: |root| stack(root, "auth [success=die default=bad] pam_duo.so\n"),
    },
    Case {
        // Nothing says yes: a jump is no answer.
        id: "no-way-in",
        place: "/etc/pam.d/sshd:1",
        instead: "pam_permit.so, as the last line",
        broken: |root| {
            stack(
                root,
                "auth [success=1 default=ignore] pam_duo.so\nauth requisite pam_deny.so\n",
            )
        },
    },
    Case {
        id: "bypass-locks-out",
        place: "/etc/pam.d/sshd:14",
        instead: "bypass = success",
        broken: |root| {
            root.replace(
                "/etc/pam.d/sshd",
                "# PAM configuration",
                "\n\n\n\n\n\n\n\n\n\n# PAM configuration",
            );
            root.write(
                "/etc/duo/pam_duo.conf",
                &format!("{CONF}groups = admins\nbypass = ignore\n"),
            );
        },
    },
    Case {
        id: "wrong-type",
        place: "/etc/pam.d/login:1",
        instead: "auth  required  pam_duo.so",
        broken: |root| {
            root.write(
                "/etc/pam.d/login",
                "account required pam_duo.so\nauth required pam_unix.so\n",
            )
        },
    },
    Case {
        id: "wrong-type",
        place: "/etc/pam.d/sshd:2",
        instead: "(leave this line out)",
        broken: |root| {
            stack(
                root,
                "auth required pam_duo.so\nsession required pam_duo.so\n",
            )
        },
    },
    Case {
        id: "duo-in-no-stack",
        place: "/etc/pam.d",
        instead: "auth  required  pam_duo.so",
        broken: |root| {
            root.replace(
                "/etc/pam.d/sshd",
                "auth  required  pam_duo.so",
                "@include common-auth",
            )
        },
    },
    Case {
        id: "another-duo-module",
        place: "/etc/pam.d/sshd:2",
        instead: "(leave this line out)",
        broken: |root| {
            root.write("/opt/duo/pam_duo.so", "another module");
            stack(
                root,
                "auth required pam_duo.so\nauth required /opt/duo/pam_duo.so\n",
            );
        },
    },
    Case {
        id: "module-missing",
        place: "/etc/pam.d/sshd:4",
        instead: "pam_duo.so",
        broken: |root| fs::remove_file(root.path(MODULE)).unwrap(),
    },
    Case {
        id: "module-missing",
        place: "/etc/pam.d/sshd:1",
        instead: "pam_duo.so",
        broken: |root| stack(root, "auth required /opt/pam_duo.so\n"),
    },
    Case {
        id: "module-not-roots",
        place: MODULE,
        instead: "chmod 644",
        broken: |root| {
            fs::set_permissions(root.path(MODULE), fs::Permissions::from_mode(0o664)).unwrap();
        },
    },
    Case {
        id: "module-not-roots",
        place: MODULE,
        instead: "chown root:",
        broken: |root| std::os::unix::fs::chown(root.path(MODULE), Some(2001), None).unwrap(),
    },
    Case {
        id: "include-missing",
        place: "/etc/pam.d/sshd:1",
        instead: "/etc/pam.d",
        broken: |root| stack(root, "@include comon-auth\nauth required pam_duo.so\n"),
    },
    Case {
        id: "include-missing",
        place: "/etc/pam.d/sshd:2",
        instead: "/etc/pam.d",
        broken: |root| stack(root, "auth required pam_duo.so\nauth include nothing\n"),
    },
    Case {
        id: "include-loop",
        place: "/etc/pam.d/sshd:2",
        instead: "(leave this line out)",
        broken: |root| stack(root, "auth required pam_duo.so\n@include sshd\n"),
    },
    Case {
        // Several files on the way around.
        id: "include-loop",
        place: "/etc/pam.d/common-b:1",
        instead: "(leave this line out)",
        broken: |root| {
            root.write("/etc/pam.d/common-a", "auth substack common-b\n");
            root.write("/etc/pam.d/common-b", "auth substack common-a\n");
            stack(root, "auth required pam_duo.so\nauth include common-a\n");
        },
    },
    Case {
        // Twice as many in each file: nobody reads them all.
        id: "too-many-paths",
        place: "/etc/pam.d/sshd:1",
        instead: "fewer lines",
        broken: |root| {
            for depth in 0..20 {
                let next = format!("auth include common-{}\n", depth + 1);
                root.write(&format!("/etc/pam.d/common-{depth}"), &next.repeat(2));
            }
            root.write("/etc/pam.d/common-20", "auth optional pam_x.so\n");
            stack(root, "auth required pam_duo.so\nauth include common-0\n");
        },
    },
    Case {
        // For some users alone.
        id: "no-keyboard-interactive",
        place: "/etc/ssh/sshd_config.d/duo.conf:6",
        instead: "KbdInteractiveAuthentication yes",
        broken: |root| {
            root.sshd(&format!(
                "{SSHD_WITH_KEY}Match User root\nKbdInteractiveAuthentication no\n"
            ));
        },
    },
    Case {
        id: "unusable-line",
        place: "/etc/pam.d/sshd:2",
        instead: "auth  required",
        broken: |root| stack(root, "auth required pam_duo.so\nauth requird pam_env.so\n"),
    },
    Case {
        id: "too-many-paths",
        place: "/etc/pam.d/sshd:451",
        instead: "fewer lines",
        broken: labyrinth,
    },
    Case {
        id: "use-pam-no",
        place: "/etc/ssh/sshd_config.d/duo.conf:1",
        instead: "UsePAM yes",
        broken: |root| sshd(root, "UsePAM no"),
    },
    Case {
        // sshd's own default is no.
        id: "use-pam-no",
        place: "/etc/ssh/sshd_config",
        instead: "UsePAM yes",
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
        instead: "KbdInteractiveAuthentication yes",
        broken: |root| sshd(root, "ChallengeResponseAuthentication=no"),
    },
    Case {
        // Debian's own line, where nothing stands in front of it.
        id: "no-keyboard-interactive",
        place: "/etc/ssh/sshd_config:62",
        instead: "KbdInteractiveAuthentication yes",
        broken: |root| root.sshd("AuthenticationMethods publickey,keyboard-interactive\n"),
    },
    Case {
        id: "no-authentication-methods",
        place: "/etc/ssh/sshd_config",
        instead: "AuthenticationMethods publickey,keyboard-interactive",
        broken: |root| root.sshd("KbdInteractiveAuthentication yes\nPasswordAuthentication no\n"),
    },
    Case {
        id: "no-authentication-methods",
        place: "/etc/ssh/sshd_config.d/duo.conf:1",
        instead: "AuthenticationMethods publickey,keyboard-interactive",
        broken: |root| sshd(root, "AuthenticationMethods any"),
    },
    Case {
        id: "methods-skip-pam",
        place: "/etc/ssh/sshd_config.d/duo.conf:1",
        instead: "AuthenticationMethods publickey,keyboard-interactive",
        broken: |root| sshd(root, "AuthenticationMethods publickey"),
    },
    Case {
        id: "methods-skip-pam",
        place: "/etc/ssh/sshd_config.d/duo.conf:1",
        instead: "AuthenticationMethods publickey,keyboard-interactive",
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
        instead: "AuthenticationMethods publickey,keyboard-interactive",
        broken: |root| {
            root.sshd(&format!(
                "{SSHD_WITH_KEY}Match Group backup\nAuthenticationMethods publickey\n"
            ))
        },
    },
    Case {
        id: "methods-impossible",
        place: "/etc/ssh/sshd_config.d/duo.conf:1",
        instead: "AuthenticationMethods publickey,keyboard-interactive",
        broken: |root| sshd(root, "AuthenticationMethods publickey,hostbased"),
    },
    Case {
        id: "password-cannot-ask",
        place: "/etc/ssh/sshd_config.d/duo.conf:1",
        instead: "AuthenticationMethods publickey,keyboard-interactive",
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
        instead: "PermitEmptyPasswords no",
        broken: |root| sshd(root, "PermitEmptyPasswords yes"),
    },
    Case {
        id: "login-grace-time",
        place: "/etc/ssh/sshd_config.d/duo.conf:1",
        instead: "LoginGraceTime 120",
        broken: |root| sshd(root, "LoginGraceTime 1m"),
    },
    Case {
        id: "login-grace-time",
        place: "/etc/ssh/sshd_config",
        instead: "LoginGraceTime 170",
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
        instead: "MaxAuthTries 6",
        broken: |root| sshd(root, "MaxAuthTries 1"),
    },
    Case {
        id: "login-duo",
        place: "/etc/ssh/sshd_config.d/duo.conf:1",
        instead: "(leave this line out)",
        broken: |root| sshd(root, "ForceCommand /usr/sbin/login_duo"),
    },
];

/// So many jumps over Duo that nobody follows them all.
fn labyrinth(root: &Root) {
    let jumps = (1..=450)
        .rev()
        .map(|over| format!("auth [success={over} default=ignore] pam_x.so\n"));
    let behind = "auth optional pam_x.so\n".repeat(450);
    stack(
        root,
        &format!(
            "{}auth required pam_duo.so\n{behind}",
            jumps.collect::<String>()
        ),
    );
}

fn place(finding: &serde_json::Value) -> String {
    let file = finding["file"].as_str().unwrap();
    match finding["line"].as_u64() {
        Some(line) => format!("{file}:{line}"),
        None => file.to_owned(),
    }
}

#[test]
fn each_broken_set_up_triggers_its_finding_and_no_other() {
    let mut wrong = String::new();
    for (number, case) in CASES.iter().enumerate() {
        let root = Root::with_recipe(12);
        (case.broken)(&root);
        let report = root.lint();
        let findings = report["findings"].as_array().unwrap();
        let right = findings.len() == 1
            && findings[0]["id"] == case.id
            && place(&findings[0]) == case.place
            && findings[0]["instead"]
                .as_str()
                .unwrap()
                .contains(case.instead)
            && !findings[0]["why"].as_str().unwrap().is_empty();
        if !right {
            wrong.push_str(&format!(
                "case {number}, {}, {}: {:#}\n",
                case.id, case.place, report["findings"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_finding_has_a_broken_set_up() {
    let help = Command::new(env!("CARGO_BIN_EXE_pamduo"))
        .args(["lint", "--help"])
        .output()
        .unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    let list = help
        .split("Findings:\n")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .next()
        .unwrap();
    let known: BTreeSet<&str> = list
        .lines()
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    let covered: BTreeSet<&str> = CASES.iter().map(|case| case.id).collect();
    assert_eq!(known, covered);
}

#[test]
fn the_line_to_write_instead_puts_it_right() {
    let mut tried = 0;
    for case in CASES {
        let root = Root::with_recipe(12);
        (case.broken)(&root);
        let finding = root.lint()["findings"][0].clone();
        let Some(line) = finding["line"].as_u64() else {
            continue;
        };
        let instead = finding["instead"].as_str().unwrap();
        // Where it is no line, it says what else to do.
        let whole_line = instead.starts_with("auth  ")
            || instead.contains("yes")
            || instead.starts_with("AuthenticationMethods");
        let left_out = instead == "(leave this line out)";
        if !(whole_line || left_out)
            || instead.contains(", ")
            || case.id == "unusable-line"
            || case.id == "module-missing"
        {
            continue;
        }
        let path = finding["file"].as_str().unwrap();
        let text = fs::read_to_string(root.path(path)).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        let at = usize::try_from(line).unwrap() - 1;
        lines[at] = if left_out { "" } else { instead };
        root.write(path, &(lines.join("\n") + "\n"));
        assert_eq!(root.ids(), [""; 0], "{}: {instead}", case.id);
        tried += 1;
    }
    assert!(tried > 20, "{tried}");
}
