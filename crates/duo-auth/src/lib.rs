//! Duo's Auth API v2 for any Rust program: signed requests, typed replies, and a client that keeps
//! to its deadlines.
//!
//! The order of a login: [`DuoApi::preauth`] says whether the user needs a factor and which there
//! are, [`DuoApi::auth`] asks for one, and [`DuoApi::auth_status`] waits for a push or a call.
//!
//! | part | what it does |
//! | --- | --- |
//! | [`sign`](mod@sign) | signs a request; pure, and of use without the rest |
//! | [`PreauthRequest`], [`AuthRequest`] | what is asked, as types |
//! | [`Preauth`], [`AuthReply`], [`Progress`] | what Duo answers, as types; [`parse`] reads them |
//! | [`Client`] | signs, sends, and sends again where that is safe and useful |
//! | [`Transport`] | sends one request; [`net`] has the one that speaks HTTPS |
//! | [`clock::Clock`] | time as an argument, so that tests need not wait |
//!
//! Deadlines are points on the line of [`clock::Clock::now`], not lengths of time. Nothing is read
//! from the environment, and no secret is in an error, a trace or a `Debug` output.
//!
//! The crate's README has an example, and says what to do about 40103.

/// The README's example compiles.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

pub mod client;
pub mod clock;
mod error;
mod host;
pub mod net;
pub mod parse;
mod reply;
mod request;
pub mod retry_after;
mod sanitize;
mod secret;
pub mod sign;
mod skew;

pub use client::{Cause, Client, DuoApi, Reply, Transport, TransportError};
pub use error::DuoError;
pub use host::{BadHost, Host};
pub use reply::{
    AuthReply, Capability, Device, Offer, Preauth, Progress, Refusal, ServerPrompt, Status,
    Verdict, VerifiedPush,
};
pub use request::{AuthRequest, Factor, Place, PreauthRequest};
pub use sanitize::clean;
pub use secret::Secret;
