//! Duo's Auth API v2: signing, requests and replies as types, the client, and the network.

pub mod api;
pub mod client;
mod crypto;
pub mod error;
mod exchange;
mod parse;
mod pem;
mod reply;
mod request;
mod resolve;
pub mod retry_after;
pub mod sign;
mod skew;
mod tcp;
pub mod transport;
pub mod trust;
mod wire;
