//! `pam_duo`: Duo two-factor login as a PAM module. The only place that knows PAM.
//!
//! `hooks` takes arguments and items, `duo_login` decides, and the outcome's code goes back to
//! libpam. The shared library exports the six `pam_sm_*` functions and nothing else.

mod conversation;
mod ffi;
mod hooks;
mod result_code;
