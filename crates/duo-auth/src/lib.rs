//! Duo's Auth API v2 for any Rust program: signed requests, typed replies, and a client that keeps
//! to its deadlines.
//!
//! [`sign`] is pure and stands alone. [`Client`] signs, sends, and repeats where that is safe and
//! useful, over any [`Transport`]; [`net`] has the one that speaks HTTPS.

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
