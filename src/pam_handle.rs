//! What `pam-bindings` has no safe call for: the PAM environment, and data kept on the handle.
//!
//! The one room for `unsafe` in this crate, next to the hooks that `pam_hooks!` writes.
#![allow(unsafe_code)]

use std::cell::Cell;
use std::ffi::{CStr, c_char};
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
    at: Instant,
    used: Cell<bool>,
}

/// Keeps an approval of `user` on the handle. If PAM cannot, the user is asked again: no harm.
pub(crate) fn keep_approval(handle: &mut PamHandle, user: &str) {
    let approval = Approval {
        user: user.to_owned(),
        at: Instant::now(),
        used: Cell::new(false),
    };
    let _ = handle.set_data(APPROVAL, Box::new(approval));
}

/// Whether Duo approved `user` on this handle a moment ago. Counts once.
pub(crate) fn take_approval(handle: &PamHandle, user: &str) -> bool {
    // SAFETY: what is stored under this name is an `Approval`: only `keep_approval` of this module
    // stores under it, and the module is never unloaded (-z nodelete), so that no other build of
    // it can have.
    let Ok(approval) = (unsafe { handle.get_data::<Approval>(APPROVAL) }) else {
        return false;
    };
    approval.user == user && approval.at.elapsed() < APPROVAL_LIFE && !approval.used.replace(true)
}
