//! What `pam-bindings` has no safe call for. The one room for `unsafe` of this project, next to the
//! hooks that `pam_hooks!` writes.
#![allow(unsafe_code)]

pub(crate) mod approval;
pub(crate) mod environment;
pub(crate) mod starter;
