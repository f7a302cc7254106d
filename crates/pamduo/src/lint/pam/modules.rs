//! What modules may answer to `auth`.

use std::collections::BTreeSet;

use duo_login::outcome::PamCode;

use super::code::Code;

/// Codes that a module may answer with.
pub(crate) type Codes = BTreeSet<Code>;

/// How the second factor ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SecondFactor {
    /// In any of the ways in which it fails.
    Fails,
    /// With success.
    Approves,
    /// With `ignore`, as for users outside `groups` with `bypass = ignore`.
    Ignores,
}

impl SecondFactor {
    /// How the second factor has ended if Duo's module answers `code`.
    fn of(code: PamCode) -> Self {
        match code {
            PamCode::Ignore => Self::Ignores,
            code if code.lets_in() => Self::Approves,
            _ => Self::Fails,
        }
    }

    /// What Duo's module may answer then.
    pub(crate) fn answers(self) -> Codes {
        let fitting = PamCode::ALL.iter().filter(|code| Self::of(**code) == self);
        fitting.map(|code| Code::from(*code)).collect()
    }
}

/// Services of other programs that users start themselves: those that take root's user ids, helpers
/// that are setuid root, and screen lockers.
const ALSO_STARTED_BY_USERS: [&str; 24] = [
    "sudo",
    "sudo-i",
    "doas",
    "pkexec",
    "polkit-1",
    "newgrp",
    "ksu",
    "screen",
    "vlock",
    "physlock",
    "xscreensaver",
    "xsecurelock",
    "xlock",
    "i3lock",
    "swaylock",
    "hyprlock",
    "waylock",
    "gtklock",
    "kde",
    "kscreensaver",
    "gnome-screensaver",
    "mate-screensaver",
    "cinnamon-screensaver",
    "xfce4-screensaver",
];

/// Services of programs that users start themselves and that keep the real user id, so that
/// `pam_rootok.so` lets in root alone. In the service of a daemon, which runs as root, it lets in
/// everyone.
const STARTED_BY_USERS: [&str; 8] = [
    "su",
    "su-l",
    "runuser",
    "runuser-l",
    "chsh",
    "chfn",
    "passwd",
    "chage",
];

/// The file name of a module, without its folder.
pub(crate) fn base(module: &str) -> &str {
    module.rsplit('/').next().unwrap_or(module)
}

/// Whether a module is Duo's, this one or another.
pub(crate) fn is_duo(module: &str) -> bool {
    let base = base(module);
    base.starts_with("pam_duo") || base.starts_with("libpam_duo")
}

/// Whether a module only checks who the user is or where the login comes from, and proves nothing.
pub(crate) fn is_condition(module: &str) -> bool {
    matches!(
        base(module),
        "pam_succeed_if.so"
            | "pam_access.so"
            | "pam_localuser.so"
            | "pam_listfile.so"
            | "pam_wheel.so"
            | "pam_usertype.so"
            | "pam_time.so"
            | "pam_group.so"
            | "pam_shells.so"
            | "pam_securetty.so"
            | "pam_exec.so"
    )
}

/// Whether a module asks for nothing: the others ask for a password, a key or a token.
pub(crate) fn asks_nothing(module: &str) -> bool {
    is_condition(module)
        || matches!(
            base(module),
            "pam_permit.so"
                | "pam_deny.so"
                | "pam_debug.so"
                | "pam_warn.so"
                | "pam_env.so"
                | "pam_faildelay.so"
                | "pam_faillock.so"
                | "pam_echo.so"
                | "pam_keyinit.so"
                | "pam_nologin.so"
                | "pam_rootok.so"
                | "pam_cap.so"
                | "pam_motd.so"
        )
}

/// Whether users start the programs of `service`, and so choose their limits and can stop them.
pub(crate) fn is_started_by_users(service: &str) -> bool {
    STARTED_BY_USERS.contains(&service) || ALSO_STARTED_BY_USERS.contains(&service)
}

/// Whether a module checks a code that may take Duo's place where Duo cannot be asked: one that
/// fails without a code, by a secret that users cannot write. A secret in a home is written by
/// whoever is logged in there, and no second factor for sudo.
pub(crate) fn is_fallback(module: &str, arguments: &[String]) -> bool {
    let value = |name: &str| {
        let mut values = arguments.iter().rev();
        values.find_map(|argument| argument.strip_prefix(name)?.strip_prefix('='))
    };
    let is_roots = |file: &str| file.starts_with('/') && !file.contains("${HOME}");
    match base(module) {
        "pam_oath.so" => !has(arguments, "alwaysok") && value("usersfile").is_some_and(is_roots),
        "pam_google_authenticator.so" => {
            !has(arguments, "nullok")
                && value("user") == Some("root")
                && value("secret").is_some_and(is_roots)
        }
        _ => false,
    }
}

/// How a code's module fails.
pub(crate) fn refusals_of_fallback() -> Codes {
    Code::all()
        .filter(|code| ![Code::SUCCESS, Code::IGNORE].contains(code))
        .collect()
}

/// Whether a module lets in root alone when `service` calls it.
pub(crate) fn is_for_root_alone(module: &str, service: &str) -> bool {
    base(module) == "pam_rootok.so" && STARTED_BY_USERS.contains(&service)
}

/// What a module other than Duo's may answer.
pub(crate) fn answers(module: &str, arguments: &[String], service: &str) -> Codes {
    let failures = [
        Code::AUTH_ERR,
        Code::PERM_DENIED,
        Code::USER_UNKNOWN,
        Code::AUTHINFO_UNAVAIL,
        Code::SERVICE_ERR,
        Code::MAXTRIES,
        Code::CONV_ERR,
        Code::ABORT,
    ];
    if is_for_root_alone(module, service) {
        return Codes::from([Code::AUTH_ERR]);
    }
    match base(module) {
        "pam_deny.so" => Codes::from([Code::AUTH_ERR]),
        "pam_permit.so" => Codes::from([Code::SUCCESS]),
        "pam_debug.so" => Codes::from([debug_answer(arguments)]),
        "pam_warn.so" | "pam_env.so" => Codes::from([Code::IGNORE]),
        "pam_faildelay.so" | "pam_echo.so" | "pam_keyinit.so" => {
            Codes::from([Code::IGNORE, Code::SUCCESS])
        }
        "pam_rootok.so" => Codes::from([Code::SUCCESS, Code::AUTH_ERR]),
        "pam_faillock.so" if has(arguments, "authfail") => {
            Codes::from([Code::AUTH_ERR, Code::MAXTRIES, Code::IGNORE])
        }
        "pam_unix.so" | "pam_succeed_if.so" | "pam_access.so" | "pam_localuser.so"
        | "pam_usertype.so" => {
            let mut codes = Codes::from(failures);
            codes.insert(Code::SUCCESS);
            codes
        }
        // Unknown: any code.
        _ => Code::all().collect(),
    }
}

fn has(arguments: &[String], argument: &str) -> bool {
    arguments.iter().any(|known| known == argument)
}

/// `pam_debug.so auth=CODE` answers CODE.
fn debug_answer(arguments: &[String]) -> Code {
    let told = arguments
        .iter()
        .find_map(|argument| argument.strip_prefix("auth="));
    told.and_then(Code::named).unwrap_or(Code::SUCCESS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn duos_modules_are_known_by_their_file_names() {
        for name in [
            "pam_duo.so",
            "/opt/pam_duo.so",
            "/usr/lib64/security/libpam_duo.so",
        ] {
            assert!(is_duo(name), "{name}");
        }
        assert!(!is_duo("/opt/pam_duo/pam_unix.so"));
    }

    #[test]
    fn each_code_of_duos_module_is_an_answer_for_just_one_end_of_the_second_factor() {
        use SecondFactor::{Approves, Fails, Ignores};
        assert_eq!(Approves.answers(), Codes::from([Code::SUCCESS]));
        assert_eq!(Ignores.answers(), Codes::from([Code::IGNORE]));
        let refusals = PamCode::ALL.iter().filter(|code| !code.lets_in());
        assert_eq!(
            Fails.answers(),
            refusals.map(|code| Code::from(*code)).collect()
        );
        let all: usize = [Fails, Approves, Ignores]
            .map(|end| end.answers().len())
            .iter()
            .sum();
        assert_eq!(all, PamCode::ALL.len());
    }

    #[test]
    fn a_code_may_take_duos_place_only_by_a_secret_that_users_cannot_write() {
        for (line, expected) in [
            ("pam_oath.so usersfile=/etc/users.oath window=2", true),
            ("/lib/security/pam_oath.so usersfile=/etc/${USER}", true),
            ("pam_oath.so usersfile=/etc/users.oath alwaysok", false),
            ("pam_oath.so usersfile=${HOME}/.oath", false),
            ("pam_oath.so usersfile=/x usersfile=/${HOME}/.oath", false),
            ("pam_oath.so", false),
            (
                "pam_google_authenticator.so user=root secret=/x/${USER}",
                true,
            ),
            ("pam_google_authenticator.so user=root secret=~/x", false),
            ("pam_google_authenticator.so secret=/x/${USER}", false),
            (
                "pam_google_authenticator.so user=root secret=/x nullok",
                false,
            ),
            ("pam_google_authenticator.so", false),
            ("pam_unix.so usersfile=/etc/users.oath", false),
        ] {
            let mut words = line.split(' ').map(str::to_owned);
            let module = words.next().unwrap();
            let arguments: Vec<String> = words.collect();
            assert_eq!(is_fallback(&module, &arguments), expected, "{line}");
        }
    }

    #[test]
    fn rootok_lets_in_root_alone_where_users_start_the_program() {
        let succeeds = |service| answers("pam_rootok.so", &[], service).contains(&Code::SUCCESS);
        assert!(!succeeds("su"));
        assert!(succeeds("sshd"));
    }
}
