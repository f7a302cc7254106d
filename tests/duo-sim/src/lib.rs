//! A simulator of Duo's Auth API v2: a real HTTPS server with its own throw-away CA, for tests and
//! for trying `pam_duo` without a Duo account.
//!
//! It verifies every signature with code that shares nothing with the module (`ring` here,
//! `RustCrypto` there), records every request, and misbehaves on request. What each user gets comes
//! from a [`Scenario`]. It is never linked into the module.
//!
//! HTTP is written by hand on one thread for each connection: a server that has to send half a
//! header, drip a body or say nothing at all cannot leave the bytes to a framework.

mod api;
mod certificate;
mod connection;
mod dns;
mod fault;
mod http;
mod record;
mod replies;
mod scenario;
mod signature;
mod simulator;
mod transaction;

pub use fault::{Fault, FaultKind};
pub use record::{Connections, RecordedRequest};
pub use scenario::{Answer, Device, Scenario, ScenarioError, Step, User, VerifiedPush};
pub use signature::SignatureKind;
pub use simulator::{Options, Simulator, StartError};
pub use transaction::Decision;
