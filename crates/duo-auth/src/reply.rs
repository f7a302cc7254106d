//! Replies of Duo's Auth API v2 as types.
//!
//! Duo may add results, statuses, capabilities and keys at any time: an unknown key is ignored, an
//! unknown value is kept apart ([`Verdict::Unknown`], [`Capability::Other`]) and never guessed.

use std::collections::BTreeMap;

use serde::Deserialize;

/// Duo's answer at preauth. Messages are Duo's words as they came: [`crate::clean`] them before they
/// reach a terminal or a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Preauth {
    /// The user has to use a factor.
    Auth(Offer),
    /// Duo lets the user in without a factor.
    Allow {
        /// Duo's words.
        message: String,
    },
    /// Duo keeps the user out.
    Deny {
        /// Duo's words.
        message: String,
    },
    /// Duo does not know the user, or the user has no device.
    Enroll {
        /// Duo's words.
        message: String,
        /// Where the user can enrol.
        portal_url: Option<String>,
    },
    /// A result that this program does not know; it never grants access.
    Unknown(String),
}

/// What a user may choose from.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Offer {
    /// The user's devices.
    pub devices: Vec<Device>,
    /// The verification code, where policy asks for a verified push and
    /// [`crate::PreauthRequest::verified_push`] was set.
    pub verified_push: Option<VerifiedPush>,
    /// Duo's own menu, where it was asked for.
    pub prompt: Option<ServerPrompt>,
}

/// A verified push that preauth prepared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedPush {
    /// Transaction, to be given to `auth`.
    pub txid: String,
    /// What the user has to enter in Duo Mobile.
    pub code: String,
    /// When the transaction is gone, in Unix seconds by Duo's clock; 60 s after preauth.
    pub expiration: Option<u64>,
}

/// Duo's own menu text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ServerPrompt {
    /// Several lines for the user, the question last.
    pub text: String,
    /// What a typed answer stands for: `"1"` → `"push1"`; `"default"` for an empty one.
    pub factors: BTreeMap<String, String>,
}

/// What a device can do.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(from = "String")]
pub enum Capability {
    /// Duo chooses.
    Auto,
    /// Duo Push.
    Push,
    /// Passcodes by SMS.
    Sms,
    /// Phone call.
    Phone,
    /// Passcodes made by Duo Mobile.
    MobileOtp,
    /// One that this program does not know.
    Other(String),
}

impl From<String> for Capability {
    fn from(text: String) -> Self {
        match text.as_str() {
            "auto" => Self::Auto,
            "push" => Self::Push,
            "sms" => Self::Sms,
            "phone" => Self::Phone,
            "mobile_otp" => Self::MobileOtp,
            _ => Self::Other(text),
        }
    }
}

/// One of the user's devices.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Device {
    /// Id, to be given to `auth`.
    pub id: String,
    /// What the user calls it: Duo's `display_name`, else `name`, else `number`, else the id.
    pub display_name: String,
    /// What it can do.
    pub capabilities: Vec<Capability>,
    /// First digit of the next SMS passcode, where some were sent before.
    pub sms_nextcode: Option<String>,
}

/// Reply of `auth`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuthReply {
    /// Asked for asynchronously: poll this transaction.
    Transaction(String),
    /// Decided at once.
    Decided(Progress),
}

/// Where a transaction stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Progress {
    /// What it means for the login.
    pub verdict: Verdict,
    /// Duo's `status`.
    pub status: Status,
    /// Duo's words.
    pub message: String,
}

/// Duo's `result` of `auth` and `auth_status`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[must_use]
pub enum Verdict {
    /// Nobody has decided yet.
    Waiting,
    /// The user may come in.
    Allow,
    /// The user may not come in.
    Deny,
    /// A result that this program does not know; it never grants access.
    Unknown(String),
}

impl From<String> for Verdict {
    fn from(text: String) -> Self {
        match text.as_str() {
            "waiting" => Self::Waiting,
            "allow" => Self::Allow,
            "deny" => Self::Deny,
            _ => Self::Unknown(text),
        }
    }
}

/// Duo's `status` of `auth` and `auth_status`. It explains a result and never decides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    /// The phone is being called.
    Calling,
    /// The call was answered.
    Answered,
    /// The push is on its way.
    Pushed,
    /// The push could not be delivered.
    PushFailed,
    /// Nobody answered in time.
    Timeout,
    /// The user says that it was not they who logged in.
    Fraud,
    /// Denied.
    Deny,
    /// Too many failed attempts: Duo has locked the user out.
    LockedOut,
    /// Passcodes were sent by SMS.
    Sent,
    /// Allowed.
    Allow,
    /// Allowed without a factor.
    Bypass,
    /// One that this program does not know, or none.
    Other(String),
}

impl From<String> for Status {
    fn from(text: String) -> Self {
        match text.as_str() {
            "calling" => Self::Calling,
            "answered" => Self::Answered,
            "pushed" => Self::Pushed,
            "push_failed" => Self::PushFailed,
            "timeout" => Self::Timeout,
            "fraud" => Self::Fraud,
            "deny" => Self::Deny,
            "locked_out" => Self::LockedOut,
            "sent" => Self::Sent,
            "allow" => Self::Allow,
            "bypass" => Self::Bypass,
            _ => Self::Other(text),
        }
    }
}

/// Duo's refusal: `{"stat":"FAIL","code":40103,…}`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusal {
    /// Duo's five-digit code; its first three digits are the HTTP status.
    pub code: Option<u32>,
    /// Duo's words.
    pub message: String,
    /// More of Duo's words.
    pub detail: Option<String>,
}
