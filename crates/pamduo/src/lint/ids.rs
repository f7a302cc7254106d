//! The findings by name. Names are stable: scripts match them.

/// A kind of finding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Id {
    SufficientInFront,
    Optional,
    JumpPast,
    NoDenyBehind,
    FailureIgnored,
    ResetBehind,
    NoWayIn,
    BypassLocksOut,
    BadArgument,
    WrongType,
    DuoInNoStack,
    AnotherDuoModule,
    ModuleMissing,
    ModuleNotRoots,
    IncludeMissing,
    IncludeLoop,
    UnusableLine,
    TooManyPaths,
    UsePamNo,
    NoKeyboardInteractive,
    NoAuthenticationMethods,
    MethodsSkipPam,
    MethodsImpossible,
    PasswordCannotAsk,
    PermitEmptyPasswords,
    LoginGraceTime,
    MaxAuthTries,
    LoginDuo,
}

/// Each kind with its name and its meaning.
const ALL: [(Id, &str, &str); 28] = [
    (
        Id::SufficientInFront,
        "sufficient-in-front",
        "a module ends the stack before Duo is asked",
    ),
    (
        Id::Optional,
        "optional",
        "Duo is optional, and its refusal does not count",
    ),
    (Id::JumpPast, "jump-past", "a module jumps over Duo"),
    (
        Id::NoDenyBehind,
        "no-deny-behind",
        "Duo's refusal is left to a deny that is not there",
    ),
    (
        Id::FailureIgnored,
        "failure-ignored",
        "some of Duo's refusals do not count",
    ),
    (
        Id::ResetBehind,
        "reset-behind",
        "a module makes PAM forget that Duo has refused",
    ),
    (
        Id::NoWayIn,
        "no-way-in",
        "nobody gets in, also when Duo approves",
    ),
    (
        Id::BypassLocksOut,
        "bypass-locks-out",
        "bypass = ignore where nothing else says yes",
    ),
    (
        Id::BadArgument,
        "bad-argument",
        "the module refuses an argument, and everyone",
    ),
    (
        Id::WrongType,
        "wrong-type",
        "Duo under account, password or session",
    ),
    (Id::DuoInNoStack, "duo-in-no-stack", "no service asks Duo"),
    (
        Id::AnotherDuoModule,
        "another-duo-module",
        "a second Duo module in one stack",
    ),
    (
        Id::ModuleMissing,
        "module-missing",
        "the module's file is not there",
    ),
    (
        Id::ModuleNotRoots,
        "module-not-roots",
        "others than root can change the module's file",
    ),
    (
        Id::IncludeMissing,
        "include-missing",
        "an included file cannot be read",
    ),
    (
        Id::IncludeLoop,
        "include-loop",
        "files include each other in circles or too deep",
    ),
    (
        Id::UnusableLine,
        "unusable-line",
        "a line that PAM cannot use, and takes for a failure",
    ),
    (
        Id::TooManyPaths,
        "too-many-paths",
        "a stack with too many paths to look at",
    ),
    (Id::UsePamNo, "use-pam-no", "sshd does not use PAM"),
    (
        Id::NoKeyboardInteractive,
        "no-keyboard-interactive",
        "sshd cannot ask Duo's question",
    ),
    (
        Id::NoAuthenticationMethods,
        "no-authentication-methods",
        "a key alone gets in over SSH",
    ),
    (
        Id::MethodsSkipPam,
        "methods-skip-pam",
        "AuthenticationMethods with a list that skips PAM",
    ),
    (
        Id::MethodsImpossible,
        "methods-impossible",
        "AuthenticationMethods with methods that are off",
    ),
    (
        Id::PasswordCannotAsk,
        "password-cannot-ask",
        "the password method without autopush",
    ),
    (
        Id::PermitEmptyPasswords,
        "permit-empty-passwords",
        "PermitEmptyPasswords yes",
    ),
    (
        Id::LoginGraceTime,
        "login-grace-time",
        "LoginGraceTime not above login_timeout",
    ),
    (Id::MaxAuthTries, "max-auth-tries", "MaxAuthTries under 2"),
    (Id::LoginDuo, "login-duo", "login_duo besides the module"),
];

impl Id {
    /// Its name.
    pub(crate) fn name(self) -> &'static str {
        let known = ALL.iter().find(|(id, ..)| *id == self);
        known.map_or("?", |(_, name, _)| name)
    }
}

/// Every finding's name and meaning.
pub(crate) fn all() -> impl Iterator<Item = (&'static str, &'static str)> {
    ALL.iter().map(|(_, name, meaning)| (*name, *meaning))
}
