//! Broken stacks, and what lint finds.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use crate::broken::Case;
use crate::root::{CONF, MODULE, Root};

fn stack(root: &Root, text: &str) {
    root.write("/etc/pam.d/sshd", text);
}

/// The table.
pub const CASES: &[Case] = &[
    Case {
        id: "sufficient-before-duo",
        place: "/etc/pam.d/sshd:1",
        fix: "auth  requisite  pam_unix.so nullok",
        broken: |root| {
            stack(
                root,
                "auth sufficient pam_unix.so nullok\nauth required pam_duo.so\n",
            )
        },
    },
    Case {
        id: "sufficient-before-duo",
        place: "/etc/pam.d/sshd:1",
        fix: "auth  requisite  pam_rhosts.so",
        broken: |root| {
            stack(
                root,
                "auth [success=done default=ignore] pam_rhosts.so\nauth required pam_duo.so\n",
            )
        },
    },
    Case {
        // Root alone is a matter of programs that users start; sshd runs as root.
        id: "sufficient-before-duo",
        place: "/etc/pam.d/sshd:1",
        fix: "auth  requisite  pam_rootok.so",
        broken: |root| {
            stack(
                root,
                "auth sufficient pam_rootok.so\nauth required pam_duo.so\n",
            )
        },
    },
    Case {
        // One of two: the other one stays an alternative.
        id: "sufficient-before-duo",
        place: "/etc/pam.d/password:1",
        fix: "auth  [success=2 default=ignore]  pam_unix.so",
        broken: |root| {
            root.write("/etc/pam.d/password", "auth sufficient pam_unix.so\n\
                auth [success=1 default=ignore] pam_sss.so\nauth requisite pam_deny.so\nauth required pam_duo.so\n");
        },
    },
    Case {
        id: "optional",
        place: "/etc/pam.d/sshd:2",
        fix: "auth  required  pam_duo.so",
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
        fix: "(leave this line out)",
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
        fix: "auth  [success=2 default=ignore]  pam_unix.so nullok",
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
        id: "no-deny-after-duo",
        place: "/etc/pam.d/sshd:2",
        fix: "auth  required  pam_duo.so",
        broken: |root| {
            stack(
                root,
                "auth requisite pam_unix.so\nauth sufficient pam_duo.so\n",
            )
        },
    },
    Case {
        id: "no-deny-after-duo",
        place: "/etc/pam.d/sshd:1",
        fix: "auth  requi",
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
        fix: "auth  required  pam_duo.so",
        broken: |root| {
            stack(
                root,
                "auth requisite pam_unix.so\nauth [success=ok authinfo_unavail=ignore default=die] pam_duo.so\n",
            )
        },
    },
    Case {
        id: "reset-after-duo",
        place: "/etc/pam.d/sshd:2",
        fix: "auth  [success=ok default=ignore]  pam_env.so",
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
        fix: "(leave this line out)",
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
        fix: "(leave this line out)",
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
        fix: "auth  required  pam_duo.so",
        broken: |root| stack(root, "auth [success=die default=bad] pam_duo.so\n"),
    },
    Case {
        // No module succeeds: a jump is not a success.
        id: "no-way-in",
        place: "/etc/pam.d/sshd:1",
        fix: "pam_permit.so, as the last line",
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
        fix: "bypass = success",
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
        fix: "auth  required  pam_duo.so",
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
        fix: "(leave this line out)",
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
        fix: "auth  required  pam_duo.so",
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
        fix: "(leave this line out)",
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
        fix: "pam_duo.so",
        broken: |root| fs::remove_file(root.path(MODULE)).unwrap(),
    },
    Case {
        id: "module-missing",
        place: "/etc/pam.d/sshd:1",
        fix: "pam_duo.so",
        broken: |root| stack(root, "auth required /opt/pam_duo.so\n"),
    },
    Case {
        id: "module-not-roots",
        place: MODULE,
        fix: "chmod 644",
        broken: |root| {
            fs::set_permissions(root.path(MODULE), fs::Permissions::from_mode(0o664)).unwrap();
        },
    },
    Case {
        id: "module-not-roots",
        place: MODULE,
        fix: "chown root:",
        broken: |root| std::os::unix::fs::chown(root.path(MODULE), Some(2001), None).unwrap(),
    },
    Case {
        id: "include-missing",
        place: "/etc/pam.d/sshd:1",
        fix: "/etc/pam.d",
        broken: |root| stack(root, "@include comon-auth\nauth required pam_duo.so\n"),
    },
    Case {
        id: "include-missing",
        place: "/etc/pam.d/sshd:2",
        fix: "/etc/pam.d",
        broken: |root| stack(root, "auth required pam_duo.so\nauth include nothing\n"),
    },
    Case {
        id: "include-loop",
        place: "/etc/pam.d/sshd:2",
        fix: "(leave this line out)",
        broken: |root| stack(root, "auth required pam_duo.so\n@include sshd\n"),
    },
    Case {
        // Several files on the way around.
        id: "include-loop",
        place: "/etc/pam.d/common-b:1",
        fix: "(leave this line out)",
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
        fix: "fewer lines",
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
        id: "unusable-line",
        place: "/etc/pam.d/sshd:2",
        fix: "auth  required",
        broken: |root| stack(root, "auth required pam_duo.so\nauth requird pam_env.so\n"),
    },
    Case {
        id: "unusable-line",
        place: "/etc/pam.d/sshd:2",
        fix: "auth  required",
        broken: |root| {
            stack(
                root,
                "auth required pam_duo.so\nauth required pam_env.so\r\n",
            )
        },
    },
    Case {
        id: "unusable-line",
        place: "/etc/pam.d/sshd:2",
        fix: "auth  required",
        broken: |root| {
            stack(
                root,
                "auth required pam_duo.so\nauth required pam_env.so\\\n\n",
            )
        },
    },
    Case {
        id: "bad-argument",
        place: "/etc/pam.d/sshd:1",
        fix: "auth  required  pam_duo.so",
        broken: |root| stack(root, "auth required pam_duo.so failmode=open\n"),
    },
    Case {
        id: "too-many-paths",
        place: "/etc/pam.d/sshd:451",
        fix: "fewer lines",
        broken: labyrinth,
    },
];

/// So many jumps over Duo that nobody follows them all.
fn labyrinth(root: &Root) {
    let jumps = (1..=450)
        .rev()
        .map(|over| format!("auth [success={over} default=ignore] pam_x.so\n"));
    let after = "auth optional pam_x.so\n".repeat(450);
    stack(
        root,
        &format!(
            "{}auth required pam_duo.so\n{after}",
            jumps.collect::<String>()
        ),
    );
}
