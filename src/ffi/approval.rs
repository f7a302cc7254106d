//! An approval that Duo gave a moment ago, kept on the PAM handle.
//!
//! With `AuthenticationMethods password,keyboard-interactive`, sshd runs the PAM stack twice on one
//! handle; one login must not mean two pushes.

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pam::module::PamHandle;

/// Name of the data on the handle. Only this module stores anything under it.
const APPROVAL: &str = "pam_duo_approval";
/// How long an approval is used.
const APPROVAL_LIFE: Duration = Duration::from_secs(60);

/// Whom Duo approved, by which configuration, and when.
struct Approval {
    user: String,
    conf: PathBuf,
    at: Instant,
    /// One byte waits here until the approval is taken. sshd runs the second stack in a fork, and
    /// each try in a new one: they all share the socket, and only one can take the byte. A pair of
    /// stream sockets, since SELinux lets no domain that runs PAM send datagrams to itself.
    token: UnixStream,
    /// While it is open, an empty token says that the byte was taken.
    _sender: UnixStream,
}

/// Keeps an approval of `user` by the configuration `conf` on the handle. If that cannot be, the
/// user is asked again: no harm.
pub(crate) fn keep(handle: &mut PamHandle, user: &str, conf: &Path) {
    let Ok((mut sender, token)) = UnixStream::pair() else {
        return;
    };
    if token.set_nonblocking(true).is_err() || sender.write_all(&[1]).is_err() {
        return;
    }
    let approval = Approval {
        user: user.to_owned(),
        conf: conf.to_owned(),
        at: Instant::now(),
        token,
        _sender: sender,
    };
    let _ = handle.set_data(APPROVAL, Box::new(approval));
}

/// Whether Duo approved `user` by the configuration `conf` on this handle a moment ago. Used
/// once.
pub(crate) fn take(handle: &PamHandle, user: &str, conf: &Path) -> bool {
    // SAFETY: what is stored under this name is an `Approval`: only `keep` of this module
    // stores under it, and the module is never unloaded (-z nodelete), so that no other build of
    // it can have.
    let Ok(approval) = (unsafe { handle.get_data::<Approval>(APPROVAL) }) else {
        return false;
    };
    approval.user == user
        && approval.conf == conf
        && approval.at.elapsed() < APPROVAL_LIFE
        && (&approval.token)
            .read(&mut [0; 1])
            .is_ok_and(|length| length == 1)
}
