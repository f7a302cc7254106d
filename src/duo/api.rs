//! Requests and replies of Duo's Auth API v2 as types.
//!
//! Duo may add results, statuses, capabilities and keys at any time: an unknown key is ignored, an
//! unknown value is kept apart ([`Verdict::Unknown`], [`Capability::Other`]) and never guessed.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::sign::Parameters;
use crate::secret::Secret;
use crate::text::clean;

/// What is asked at preauth: may this user log in, and with what?
#[derive(Clone, Copy, Debug)]
pub struct PreauthRequest<'a> {
    /// Duo user name.
    pub username: &'a str,
    /// Where the login comes from and to.
    pub place: Place<'a>,
    /// Says that a verification code can be shown (`client_supports_verified_push`).
    pub verified_push: bool,
    /// Asks for Duo's own menu text (`text_prompt`).
    pub text_prompt: bool,
}

/// Where the login comes from and which server it is for.
#[derive(Clone, Copy, Debug, Default)]
pub struct Place<'a> {
    /// The client's address, a literal IPv4 or IPv6 address.
    pub ipaddr: Option<&'a str>,
    /// This server's host name.
    pub hostname: Option<&'a str>,
}

impl PreauthRequest<'_> {
    /// The request's parameters.
    #[must_use]
    pub fn parameters(&self) -> Parameters {
        Parameters::default()
            .with("username", self.username)
            .with_some("ipaddr", self.place.ipaddr)
            .with_some("hostname", self.place.hostname)
            .with_some(
                "client_supports_verified_push",
                self.verified_push.then_some("1"),
            )
            .with_some("text_prompt", self.text_prompt.then_some("1"))
    }
}

/// The second factor that is asked for.
#[derive(Clone, Copy, Debug)]
pub enum Factor<'a> {
    /// A push to one device.
    Push {
        /// The device's id.
        device: &'a str,
        /// The transaction that preauth opened for a verified push.
        txid: Option<&'a str>,
        /// The line above the push's details, such as `SSH login`.
        kind: Option<&'a str>,
        /// URL-encoded `key=value` pairs that the phone shows.
        pushinfo: Option<&'a str>,
    },
    /// A phone call to one device.
    Phone {
        /// The device's id.
        device: &'a str,
    },
    /// New passcodes by SMS to one device.
    Sms {
        /// The device's id.
        device: &'a str,
    },
    /// A passcode of any kind.
    Passcode(&'a Secret),
    /// An answer to Duo's own menu text.
    Prompt {
        /// A factor name of [`ServerPrompt::factors`], or what the user typed.
        answer: &'a Secret,
        /// The transaction that preauth opened for a verified push.
        txid: Option<&'a str>,
        /// URL-encoded `key=value` pairs that the phone shows.
        pushinfo: Option<&'a str>,
    },
}

/// One attempt to log in with a factor.
#[derive(Clone, Copy, Debug)]
pub struct AuthRequest<'a> {
    /// Duo user name.
    pub username: &'a str,
    /// Where the login comes from and to.
    pub place: Place<'a>,
    /// Which factor.
    pub factor: Factor<'a>,
}

impl AuthRequest<'_> {
    /// The request's parameters. Push and phone are asked for asynchronously; a passcode or SMS
    /// plainly, since the answer comes at once.
    #[must_use]
    pub fn parameters(&self) -> Parameters {
        let parameters = Parameters::default()
            .with("username", self.username)
            .with_some("ipaddr", self.place.ipaddr)
            .with_some("hostname", self.place.hostname);
        match self.factor {
            Factor::Push {
                device,
                txid,
                kind,
                pushinfo,
            } => parameters
                .with("factor", "push")
                .with("device", device)
                .with("async", "1")
                .with_some("txid", txid)
                .with_some("type", kind)
                .with_some("pushinfo", pushinfo),
            Factor::Phone { device } => parameters
                .with("factor", "phone")
                .with("device", device)
                .with("async", "1"),
            Factor::Sms { device } => parameters.with("factor", "sms").with("device", device),
            Factor::Passcode(passcode) => parameters
                .with("factor", "passcode")
                .with("passcode", passcode.expose()),
            Factor::Prompt {
                answer,
                txid,
                pushinfo,
            } => parameters
                .with("factor", "prompt")
                .with("prompt", answer.expose())
                .with("async", "1")
                .with_some("txid", txid)
                .with_some("pushinfo", pushinfo),
        }
    }
}

/// Parameters of `auth_status`.
#[must_use]
pub fn status_parameters(txid: &str) -> Parameters {
    Parameters::default().with("txid", txid)
}

/// Duo's answer at preauth.
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
    /// The verification code, where policy asks for a verified push.
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
    /// Unix seconds after which the transaction is gone.
    pub expiration: Option<u64>,
}

/// Duo's own menu text.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
pub struct ServerPrompt {
    /// Several lines for the user, the question last.
    #[serde(default)]
    pub text: String,
    /// What a typed answer stands for: `"1"` → `"push1"`; `"default"` for an empty one.
    #[serde(default)]
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
    /// What the user calls it.
    pub display_name: String,
    /// What it can do.
    pub capabilities: Vec<Capability>,
    /// First digit of the next SMS passcode.
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

/// What a body says.
pub type Envelope<T> = Result<T, Refusal>;

/// A body that is not what Duo documents.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct BadReply(String);

impl From<serde_json::Error> for BadReply {
    fn from(error: serde_json::Error) -> Self {
        // Category and place only: the error's text may quote the body.
        let what = match error.classify() {
            serde_json::error::Category::Eof => "it ends early",
            serde_json::error::Category::Data => "a value is missing or of the wrong type",
            _ => "it is not JSON",
        };
        Self(format!(
            "{what}, line {} column {}",
            error.line(),
            error.column()
        ))
    }
}

#[derive(Deserialize)]
struct RawEnvelope<T> {
    stat: String,
    response: Option<T>,
    code: Option<u32>,
    message: Option<String>,
    message_detail: Option<String>,
}

/// Reads the envelope and, where Duo says `OK`, the response in it.
///
/// # Errors
/// [`BadReply`] if the body is not what Duo documents.
fn envelope<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<Envelope<T>, BadReply> {
    let raw: RawEnvelope<T> = serde_json::from_slice(body)?;
    match raw.stat.as_str() {
        "OK" => raw
            .response
            .map(Ok)
            .ok_or_else(|| BadReply("it has no response".to_owned())),
        "FAIL" => Ok(Err(Refusal {
            code: raw.code,
            message: raw.message.unwrap_or_default(),
            detail: raw.message_detail,
        })),
        _ => Err(BadReply("its stat is neither OK nor FAIL".to_owned())),
    }
}

/// Reads a refusal from a body of any status, if there is one.
#[must_use]
pub fn refusal(body: &[u8]) -> Option<Refusal> {
    match envelope::<serde::de::IgnoredAny>(body) {
        Ok(Err(refusal)) => Some(refusal),
        _ => None,
    }
}

#[derive(Deserialize)]
struct RawPreauth {
    result: String,
    status_msg: Option<String>,
    devices: Option<Vec<RawDevice>>,
    enroll_portal_url: Option<String>,
    txid: Option<String>,
    verification_code: Option<String>,
    expiration: Option<serde_json::Value>,
    prompt: Option<ServerPrompt>,
}

#[derive(Deserialize)]
struct RawDevice {
    device: String,
    display_name: Option<String>,
    name: Option<String>,
    number: Option<String>,
    capabilities: Option<Vec<Capability>>,
    sms_nextcode: Option<String>,
}

impl From<RawDevice> for Device {
    fn from(raw: RawDevice) -> Self {
        let named = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let display_name = named(raw.display_name)
            .or_else(|| named(raw.name))
            .or_else(|| named(raw.number))
            .unwrap_or_else(|| raw.device.clone());
        Self {
            id: raw.device,
            display_name,
            capabilities: raw.capabilities.unwrap_or_default(),
            sms_nextcode: raw.sms_nextcode,
        }
    }
}

/// Reads the reply of preauth.
///
/// # Errors
/// [`BadReply`] if the body is not what Duo documents.
pub fn read_preauth(body: &[u8]) -> Result<Envelope<Preauth>, BadReply> {
    Ok(envelope::<RawPreauth>(body)?.map(|raw| {
        let message = raw.status_msg.unwrap_or_default();
        match raw.result.as_str() {
            "auth" => Preauth::Auth(Offer {
                devices: raw
                    .devices
                    .unwrap_or_default()
                    .into_iter()
                    .map(Device::from)
                    .collect(),
                verified_push: match (raw.txid, raw.verification_code) {
                    (Some(txid), Some(code)) => Some(VerifiedPush {
                        txid,
                        code,
                        expiration: raw.expiration.as_ref().and_then(unix_seconds),
                    }),
                    _ => None,
                },
                prompt: raw.prompt,
            }),
            "allow" => Preauth::Allow { message },
            "deny" => Preauth::Deny { message },
            "enroll" => Preauth::Enroll {
                message,
                portal_url: raw.enroll_portal_url,
            },
            _ => Preauth::Unknown(raw.result),
        }
    }))
}

/// A number of seconds, written as a number or as a string.
fn unix_seconds(value: &serde_json::Value) -> Option<u64> {
    value
        .as_u64()
        .or_else(|| value.as_str().and_then(|text| text.parse().ok()))
}

#[derive(Deserialize)]
struct RawProgress {
    result: Option<String>,
    status: Option<String>,
    status_msg: Option<String>,
    txid: Option<String>,
}

impl RawProgress {
    fn progress(self) -> Result<Progress, BadReply> {
        let result = self
            .result
            .ok_or_else(|| BadReply("it has no result".to_owned()))?;
        Ok(Progress {
            verdict: result.into(),
            status: self.status.unwrap_or_default().into(),
            message: self.status_msg.unwrap_or_default(),
        })
    }
}

/// Reads the reply of auth.
///
/// # Errors
/// [`BadReply`] if the body is not what Duo documents.
pub fn read_auth(body: &[u8]) -> Result<Envelope<AuthReply>, BadReply> {
    match envelope::<RawProgress>(body)? {
        Err(refusal) => Ok(Err(refusal)),
        Ok(RawProgress {
            result: None,
            txid: Some(txid),
            ..
        }) => Ok(Ok(AuthReply::Transaction(txid))),
        Ok(raw) => Ok(Ok(AuthReply::Decided(raw.progress()?))),
    }
}

/// Reads the reply of `auth_status`.
///
/// # Errors
/// [`BadReply`] if the body is not what Duo documents.
pub fn read_status(body: &[u8]) -> Result<Envelope<Progress>, BadReply> {
    match envelope::<RawProgress>(body)? {
        Err(refusal) => Ok(Err(refusal)),
        Ok(raw) => Ok(Ok(raw.progress()?)),
    }
}

#[derive(Deserialize)]
struct RawTime {
    time: u64,
}

/// Reads the server's time (Unix seconds) from the reply of ping or check.
///
/// # Errors
/// [`BadReply`] if the body is not what Duo documents.
pub fn read_time(body: &[u8]) -> Result<Envelope<u64>, BadReply> {
    Ok(envelope::<RawTime>(body)?.map(|raw| raw.time))
}

/// A reply's body for a trace: on one line, bounded, and without what could serve to log in.
#[must_use]
pub fn redacted(body: &[u8]) -> String {
    const LONGEST: usize = 2000;
    let Ok(mut value) = serde_json::from_slice::<serde_json::Value>(body) else {
        return "(not JSON)".to_owned();
    };
    if let Some(response) = value.get_mut("response").and_then(|r| r.as_object_mut()) {
        for (key, value) in response.iter_mut() {
            if matches!(
                key.as_str(),
                "trusted_device_token" | "verification_code" | "enroll_portal_url"
            ) {
                *value = "[redacted]".into();
            }
        }
    }
    clean(&value.to_string()).chars().take(LONGEST).collect()
}
