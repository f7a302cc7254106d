//! The PAM environment, which the application gives; not the process's, which its caller gives.

use std::ffi::{CStr, c_char};

use pam::module::PamHandle;

#[link(name = "pam")]
unsafe extern "C" {
    // `const char *pam_getenv(pam_handle_t *pamh, const char *name)`, pam_getenv(3).
    fn pam_getenv(pamh: *const PamHandle, name: *const c_char) -> *const c_char;
}

/// The value of `name` in the PAM environment (not the process's), if it is there and UTF-8.
#[must_use]
pub(crate) fn get(handle: &PamHandle, name: &CStr) -> Option<String> {
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
