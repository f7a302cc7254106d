//! The Debian package in fresh Debian systems: installed, enabled, upgraded, removed; real logins
//! through the installed module at its default paths.
//!
//! Needs root, the package (`sh packaging/deb.sh`; or `PAM_DUO_PACKAGE` says where it is) and a
//! Debian to install into (`sh tests/package/make-root.sh`; `PAM_DUO_PACKAGE_ROOT` says where it is).
//! `tests/run.sh` sees to all of it.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    unreachable_pub
)]

mod contents;
mod debs;
mod enabling;
mod installing;
mod logins;
mod recipes;
mod removing;
mod replacing;
mod root;
mod upgrading;
