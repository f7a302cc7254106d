//! Requests and replies of Duo's Auth API v2 as types, and how a reply is read.

pub use super::parse::{
    BadReply, Envelope, read_auth, read_preauth, read_status, read_time, redacted, refusal,
};
pub use super::reply::{
    AuthReply, Capability, Device, Offer, Preauth, Progress, Refusal, ServerPrompt, Status,
    Verdict, VerifiedPush,
};
pub use super::request::{AuthRequest, Factor, Place, PreauthRequest, status_parameters};
