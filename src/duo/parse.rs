//! From the body of a reply to the types of [`super::reply`].

use serde::Deserialize;

use super::reply::{
    AuthReply, Capability, Device, Offer, Preauth, Progress, Refusal, ServerPrompt, VerifiedPush,
};
use crate::text::clean;

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
    device: Option<String>,
    display_name: Option<String>,
    name: Option<String>,
    number: Option<String>,
    capabilities: Option<Vec<Capability>>,
    sms_nextcode: Option<String>,
}

impl RawDevice {
    /// The device; `None` if it has no id and so cannot be asked for.
    fn device(self) -> Option<Device> {
        let raw = self;
        let id = raw.device.filter(|id| !id.is_empty())?;
        let named = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let display_name = named(raw.display_name)
            .or_else(|| named(raw.name))
            .or_else(|| named(raw.number))
            .unwrap_or_else(|| id.clone());
        Some(Device {
            id,
            display_name,
            capabilities: raw.capabilities.unwrap_or_default(),
            sms_nextcode: raw.sms_nextcode,
        })
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
                    .filter_map(RawDevice::device)
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
