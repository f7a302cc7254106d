//! Hosts whose users' passwords somebody has, and what their phones have seen.

use login_sandbox::HostBuilder;

use crate::test_bed::TestBed;

/// A stack that wants a password first.
pub(crate) const PASSWORD_AND_DUO: &str = "auth requisite pam_unix.so\nauth required {module}\n\
    account required pam_permit.so\nsession required pam_permit.so\n";

/// A host with alice; `user` (TOML) is what Duo knows of her.
pub(crate) fn bed(user: &str, extra: &str) -> TestBed {
    bed_of(&["alice"], user, extra)
}

/// A host with users of whom Duo knows the same.
pub(crate) fn bed_of(users: &[&str], user: &str, extra: &str) -> TestBed {
    TestBed::with(&scenario(users, user), extra, |host| {
        with_users(host, users)
    })
}

fn scenario(users: &[&str], user: &str) -> String {
    let users = users.iter().map(|name| format!("[users.{name}]\n{user}\n"));
    users.collect()
}

fn with_users(host: HostBuilder, users: &[&str]) -> HostBuilder {
    let host = host
        .pam("sshd", PASSWORD_AND_DUO)
        .sshd("AuthenticationMethods keyboard-interactive\nMaxStartups 100");
    users.iter().fold(host, |host, user| host.user(user))
}

/// How many pushes and calls have reached the user.
pub(crate) fn pushes(bed: &TestBed, user: &str) -> usize {
    bed.duo.pushes_and_calls(user)
}

/// What the menu says where pushes and calls are closed.
pub(crate) const CLOSED: &str =
    "Too many login requests were not approved: only passcodes are taken for now.";
