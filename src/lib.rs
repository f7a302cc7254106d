//! `pam_duo`: Duo two-factor login as a PAM module.
//!
//! One way in, one way out: arguments and PAM items → [`config`] → [`identity`] → [`login`], the
//! conversation with Duo → [`outcome`] → a PAM code ([`pam_module`]) and a log line. The middle
//! knows neither PAM nor HTTP nor the clock; the edges know nothing of each other.
//!
//! The shared library exports the six `pam_sm_*` functions and nothing else.

pub mod args;
pub mod authenticate;
pub mod clock;
pub mod config;
pub mod duo;
pub mod identity;
pub mod login;
pub mod menu;
pub mod outcome;
mod pam_handle;
pub mod pam_module;
pub mod pushinfo;
pub mod secret;
pub mod system;
pub mod text;
