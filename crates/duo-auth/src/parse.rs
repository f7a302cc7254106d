//! From the body of a reply to the types of this crate.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::reply::{
    AuthReply, Capability, Device, Offer, Preauth, Progress, Refusal, ServerPrompt, VerifiedPush,
};
use crate::sanitize::clean;

/// A body that holds no response.
#[derive(Debug)]
pub enum NoResponse {
    /// Duo refuses the request (`"stat": "FAIL"`).
    Refused(Refusal),
    /// The body is not what Duo documents.
    Bad(BadReply),
}

impl From<BadReply> for NoResponse {
    fn from(bad: BadReply) -> Self {
        Self::Bad(bad)
    }
}

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
    #[serde(default)]
    code: Loose,
    #[serde(default)]
    message: Loose,
    #[serde(default)]
    message_detail: Loose,
}

/// A value that is good to have but does not make a reply unreadable: text, a number as text,
/// or nothing.
#[derive(Default)]
struct Loose(Option<String>);

impl<'de> Deserialize<'de> for Loose {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self(match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::String(text) => Some(text),
            serde_json::Value::Number(number) => Some(number.to_string()),
            _ => None,
        }))
    }
}

impl Loose {
    fn number<N: std::str::FromStr>(&self) -> Option<N> {
        self.0.as_deref().and_then(|text| text.trim().parse().ok())
    }
}

/// A list of which every element that can be read is taken; anything else is an empty one.
struct LooseList<T>(Vec<T>);

impl<T> Default for LooseList<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de, T: serde::de::DeserializeOwned> Deserialize<'de> for LooseList<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let list = match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Array(list) => list,
            _ => Vec::new(),
        };
        let read = list.into_iter().filter_map(|v| T::deserialize(v).ok());
        Ok(Self(read.collect()))
    }
}

/// Reads the envelope and, where Duo says `OK`, the response in it.
///
/// # Errors
/// [`NoResponse`] if Duo says `FAIL`, or the body is not what Duo documents.
fn envelope<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<T, NoResponse> {
    // Bytes that are not UTF-8, in a device's name say, do not make it an outage.
    let text = String::from_utf8_lossy(body);
    let raw: RawEnvelope<T> = serde_json::from_str(&text).map_err(BadReply::from)?;
    match raw.stat.as_str() {
        "OK" => raw
            .response
            .ok_or_else(|| BadReply("it has no response".to_owned()).into()),
        "FAIL" => Err(NoResponse::Refused(Refusal {
            code: raw.code.number(),
            message: raw.message.0.unwrap_or_default(),
            detail: raw.message_detail.0,
        })),
        _ => Err(BadReply("its stat is neither OK nor FAIL".to_owned()).into()),
    }
}

/// Reads a refusal from a body of any status, if there is one.
#[must_use]
pub fn refusal(body: &[u8]) -> Option<Refusal> {
    match envelope::<serde::de::IgnoredAny>(body) {
        Err(NoResponse::Refused(refusal)) => Some(refusal),
        _ => None,
    }
}

#[derive(Deserialize)]
struct RawPreauth {
    result: String,
    #[serde(default)]
    status_msg: Loose,
    #[serde(default)]
    devices: LooseList<RawDevice>,
    #[serde(default)]
    enroll_portal_url: Loose,
    #[serde(default)]
    txid: Loose,
    #[serde(default)]
    verification_code: Loose,
    #[serde(default)]
    expiration: Loose,
    prompt: Option<RawPrompt>,
}

#[derive(Deserialize)]
struct RawDevice {
    #[serde(default)]
    device: Loose,
    #[serde(default)]
    display_name: Loose,
    #[serde(default)]
    name: Loose,
    #[serde(default)]
    number: Loose,
    #[serde(default)]
    capabilities: LooseList<Capability>,
    #[serde(default)]
    sms_nextcode: Loose,
}

#[derive(Deserialize)]
struct RawPrompt {
    #[serde(default)]
    text: Loose,
    #[serde(default)]
    factors: Option<BTreeMap<String, Loose>>,
}

impl RawPrompt {
    fn prompt(self) -> ServerPrompt {
        let factors = self.factors.unwrap_or_default().into_iter();
        ServerPrompt {
            text: self.text.0.unwrap_or_default(),
            factors: factors
                .filter_map(|(key, factor)| Some((key, factor.0?)))
                .collect(),
        }
    }
}

impl RawDevice {
    /// The device; `None` if it has no id and so cannot be asked for.
    fn device(self) -> Option<Device> {
        let raw = self;
        let id = raw.device.0.filter(|id| !id.is_empty())?;
        let named = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let display_name = named(raw.display_name.0)
            .or_else(|| named(raw.name.0))
            .or_else(|| named(raw.number.0))
            .unwrap_or_else(|| id.clone());
        Some(Device {
            id,
            display_name,
            capabilities: raw.capabilities.0,
            sms_nextcode: raw.sms_nextcode.0,
        })
    }
}

/// Reads the reply of preauth.
///
/// # Errors
/// [`NoResponse`] if Duo says `FAIL`, or the body is not what Duo documents.
pub fn read_preauth(body: &[u8]) -> Result<Preauth, NoResponse> {
    let raw = envelope::<RawPreauth>(body)?;
    let message = raw.status_msg.0.unwrap_or_default();
    Ok(match raw.result.as_str() {
        "auth" => Preauth::Auth(Offer {
            devices: raw
                .devices
                .0
                .into_iter()
                .filter_map(RawDevice::device)
                .collect(),
            verified_push: match (raw.txid.0, raw.verification_code.0) {
                (Some(txid), Some(code)) => Some(VerifiedPush {
                    txid,
                    code,
                    expiration: raw.expiration.number(),
                }),
                _ => None,
            },
            prompt: raw.prompt.map(RawPrompt::prompt),
        }),
        "allow" => Preauth::Allow { message },
        "deny" => Preauth::Deny { message },
        "enroll" => Preauth::Enroll {
            message,
            portal_url: raw.enroll_portal_url.0,
        },
        _ => Preauth::Unknown(raw.result),
    })
}

#[derive(Deserialize)]
struct RawProgress {
    result: Option<String>,
    #[serde(default)]
    status: Loose,
    #[serde(default)]
    status_msg: Loose,
    #[serde(default)]
    txid: Loose,
}

impl RawProgress {
    fn progress(self) -> Result<Progress, BadReply> {
        let result = self
            .result
            .ok_or_else(|| BadReply("it has no result".to_owned()))?;
        Ok(Progress {
            verdict: result.into(),
            status: self.status.0.unwrap_or_default().into(),
            message: self.status_msg.0.unwrap_or_default(),
        })
    }
}

/// Reads the reply of auth.
///
/// # Errors
/// [`NoResponse`] if Duo says `FAIL`, or the body is not what Duo documents.
pub fn read_auth(body: &[u8]) -> Result<AuthReply, NoResponse> {
    let raw = envelope::<RawProgress>(body)?;
    let undecided = matches!(raw.result.as_deref(), None | Some("waiting"));
    Ok(match (undecided, raw.txid.0) {
        (true, Some(txid)) => AuthReply::Transaction(txid),
        (_, txid) => AuthReply::Decided(
            RawProgress {
                txid: Loose(txid),
                ..raw
            }
            .progress()?,
        ),
    })
}

/// Reads the reply of `auth_status`.
///
/// # Errors
/// [`NoResponse`] if Duo says `FAIL`, or the body is not what Duo documents.
pub fn read_status(body: &[u8]) -> Result<Progress, NoResponse> {
    Ok(envelope::<RawProgress>(body)?.progress()?)
}

#[derive(Deserialize)]
struct RawTime {
    time: Loose,
}

/// Reads the server's time (Unix seconds) from the reply of ping or check.
///
/// # Errors
/// [`NoResponse`] if Duo says `FAIL`, or the body is not what Duo documents.
pub fn read_time(body: &[u8]) -> Result<u64, NoResponse> {
    let raw = envelope::<RawTime>(body)?;
    let time = raw.time.number();
    time.ok_or_else(|| BadReply("it has no time".to_owned()).into())
}

/// A reply's body for a trace: on one line, bounded, and without what could serve to log in.
#[must_use]
pub fn redacted(body: &[u8]) -> String {
    const LONGEST: usize = 2000;
    let Ok(mut value) = serde_json::from_str::<serde_json::Value>(&String::from_utf8_lossy(body))
    else {
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
