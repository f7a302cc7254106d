//! Duo's Auth API v2: signing, requests and replies as types, the client, and the network.

pub mod api;
pub mod client;
pub mod error;
mod parse;
mod reply;
mod request;
pub mod retry_after;
pub mod sign;
pub mod transport;
pub mod trust;
