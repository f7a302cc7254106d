//! The findings by name. Names are stable: scripts match them.

/// Writes the list once: kind, name and meaning.
macro_rules! ids {
    ($($id:ident $name:literal $meaning:literal,)+) => {
        /// A kind of finding.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Id {
            $($id,)+
        }

        impl Id {
            /// Its name.
            pub(crate) fn name(self) -> &'static str {
                match self {
                    $(Self::$id => $name,)+
                }
            }
        }

        /// Every finding's name and meaning.
        pub(crate) const ALL: &[(&str, &str)] = &[$(($name, $meaning),)+];
    };
}

ids! {
    SufficientBeforeDuo "sufficient-before-duo" "a module ends the stack before Duo is asked",
    Optional "optional" "Duo is optional: its refusal is ignored",
    JumpPast "jump-past" "a module jumps over Duo",
    NoDenyAfterDuo "no-deny-after-duo" "Duo's refusal is left to a deny that is missing",
    FailureIgnored "failure-ignored" "some of Duo's refusals are ignored",
    ResetAfterDuo "reset-after-duo" "a module resets the stack after Duo has refused",
    NoWayIn "no-way-in" "nobody gets in, even when Duo approves",
    BypassLocksOut "bypass-locks-out" "bypass = ignore where no other module succeeds",
    BadArgument "bad-argument" "the module refuses an argument, and everyone",
    WrongType "wrong-type" "Duo under account, password or session",
    DuoInNoStack "duo-in-no-stack" "no service asks Duo",
    AnotherDuoModule "another-duo-module" "a second Duo module in one stack",
    ModuleMissing "module-missing" "the module's file does not exist",
    ModuleNotRoots "module-not-roots" "users other than root can change the module's file",
    IncludeMissing "include-missing" "an included file cannot be read",
    IncludeLoop "include-loop" "files include each other in a loop or too deep",
    UnusableLine "unusable-line" "a line that PAM cannot use and treats as a failure",
    TooManyPaths "too-many-paths" "a stack with too many paths to examine",
    UsePamNo "use-pam-no" "sshd does not use PAM",
    NoKeyboardInteractive "no-keyboard-interactive" "sshd cannot show Duo's question",
    NoAuthenticationMethods "no-authentication-methods" "a key alone gets in over SSH",
    MethodsSkipPam "methods-skip-pam" "AuthenticationMethods with a list that skips PAM",
    MethodsImpossible "methods-impossible" "AuthenticationMethods with methods that are off",
    PasswordCannotAsk "password-cannot-ask" "the password method without autopush",
    PermitEmptyPasswords "permit-empty-passwords" "PermitEmptyPasswords yes",
    LoginGraceTime "login-grace-time" "LoginGraceTime is not above login_timeout",
    MaxAuthTries "max-auth-tries" "MaxAuthTries is below 2",
    LoginDuo "login-duo" "login_duo besides the module",
}
