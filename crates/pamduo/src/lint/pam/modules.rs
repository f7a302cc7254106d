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
    fn rootok_lets_in_root_alone_where_users_start_the_program() {
        let succeeds = |service| answers("pam_rootok.so", &[], service).contains(&Code::SUCCESS);
        assert!(!succeeds("su"));
        assert!(succeeds("sshd"));
    }
}
