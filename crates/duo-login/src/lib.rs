//! A login with Duo, without PAM: module arguments and what PAM says of a login in, an
//! [`outcome::Outcome`] out.
//!
//! [`config`] reads the file, [`who`] finds out who is asked, [`login`] is the state machine over
//! the conversation with the user, Duo and the clock, and [`outcome`] says what its end means.

pub mod args;
pub mod authenticate;
pub mod config;
pub mod connect;
mod limiter;
mod load;
pub mod log;
pub mod login;
pub mod menu;
pub mod messages;
pub mod outcome;
mod pam_items;
pub mod pushinfo;
mod starter;
pub mod state;
pub mod who;

pub use pam_items::PamItems;
pub use starter::Starter;
