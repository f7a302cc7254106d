//! What `pam-bindings` has no safe call for: the PAM environment, and data kept on the handle.
//!
//! The one room for `unsafe` in this crate, next to the hooks that `pam_hooks!` writes.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_char};
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use pam::module::PamHandle;

#[link(name = "pam")]
unsafe extern "C" {
    // `const char *pam_getenv(pam_handle_t *pamh, const char *name)`, pam_getenv(3).
    fn pam_getenv(pamh: *const PamHandle, name: *const c_char) -> *const c_char;
}

/// The value of `name` in the PAM environment (not the process's), if it is there and UTF-8.
#[must_use]
pub(crate) fn environment(handle: &PamHandle, name: &CStr) -> Option<String> {
    // SAFETY: `handle` is the live handle that libpam gave to the hook; pam_getenv(3) only reads
    // from it. `name` ends in NUL and outlives the call.
    let value = unsafe { pam_getenv(handle, name.as_ptr()) };
    if value.is_null() {
        return None;
    }
    // SAFETY: pam_getenv(3) gives a string that ends in NUL and that is ours to read until the
    // environment is changed, which nobody does before it is copied here.
    let value = unsafe { CStr::from_ptr(value) };
    value.to_str().ok().map(str::to_owned)
}

/// Name of the data on the handle. Only this module stores anything under it.
const APPROVAL: &str = "pam_duo_approval";
/// How long an approval counts.
const APPROVAL_LIFE: Duration = Duration::from_secs(60);

/// An approval that Duo gave a moment ago, kept on the PAM handle.
///
/// With `AuthenticationMethods password,keyboard-interactive`, sshd runs the PAM stack twice on one
/// handle; one login must not mean two pushes.
struct Approval {
    user: String,
    conf: PathBuf,
    at: Instant,
    /// One datagram waits here until the approval is taken. sshd runs the second stack in a fork,
    /// and each try in a new one: they all share the socket, and only one can take the datagram.
    token: UnixDatagram,
    _sender: UnixDatagram,
}

/// Keeps an approval of `user` by the configuration `conf` on the handle. If that cannot be, the
/// user is asked again: no harm.
pub(crate) fn keep_approval(handle: &mut PamHandle, user: &str, conf: &Path) {
    let Ok((sender, token)) = UnixDatagram::pair() else {
        return;
    };
    if token.set_nonblocking(true).is_err() || sender.send(&[1]).is_err() {
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

/// Whether Duo approved `user` by the configuration `conf` on this handle a moment ago. Counts
/// once.
pub(crate) fn take_approval(handle: &PamHandle, user: &str, conf: &Path) -> bool {
    // SAFETY: what is stored under this name is an `Approval`: only `keep_approval` of this module
    // stores under it, and the module is never unloaded (-z nodelete), so that no other build of
    // it can have.
    let Ok(approval) = (unsafe { handle.get_data::<Approval>(APPROVAL) }) else {
        return false;
    };
    approval.user == user
        && approval.conf == conf
        && approval.at.elapsed() < APPROVAL_LIFE
        && approval
            .token
            .recv(&mut [0; 1])
            .is_ok_and(|length| length == 1)
}
