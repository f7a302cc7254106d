//! From the body of a reply to the types of [`super::reply`].

use std::collections::BTreeMap;

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
    #[serde(default)]
    code: Loose,
    #[serde(default)]
    message: Loose,
    #[serde(default)]
    message_detail: Loose,
}

/// A value that is good to have and no reason to call a reply unreadable: text, a number as text,
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
/// [`BadReply`] if the body is not what Duo documents.
fn envelope<T: for<'de> Deserialize<'de>>(body: &[u8]) -> Result<Envelope<T>, BadReply> {
    // Bytes that are not UTF-8, in a device's name say, are no reason to call it an outage.
    let raw: RawEnvelope<T> = serde_json::from_str(&String::from_utf8_lossy(body))?;
    match raw.stat.as_str() {
        "OK" => raw
            .response
            .map(Ok)
            .ok_or_else(|| BadReply("it has no response".to_owned())),
        "FAIL" => Ok(Err(Refusal {
            code: raw.code.number(),
            message: raw.message.0.unwrap_or_default(),
            detail: raw.message_detail.0,
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
/// [`BadReply`] if the body is not what Duo documents.
pub fn read_preauth(body: &[u8]) -> Result<Envelope<Preauth>, BadReply> {
    Ok(envelope::<RawPreauth>(body)?.map(|raw| {
        let message = raw.status_msg.0.unwrap_or_default();
        match raw.result.as_str() {
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
        }
    }))
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
/// [`BadReply`] if the body is not what Duo documents.
pub fn read_auth(body: &[u8]) -> Result<Envelope<AuthReply>, BadReply> {
    let raw = match envelope::<RawProgress>(body)? {
        Err(refusal) => return Ok(Err(refusal)),
        Ok(raw) => raw,
    };
    let undecided = matches!(raw.result.as_deref(), None | Some("waiting"));
    Ok(Ok(match (undecided, raw.txid.0) {
        (true, Some(txid)) => AuthReply::Transaction(txid),
        (_, txid) => AuthReply::Decided(
            RawProgress {
                txid: Loose(txid),
                ..raw
            }
            .progress()?,
        ),
    }))
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
    time: Loose,
}

/// Reads the server's time (Unix seconds) from the reply of ping or check.
///
/// # Errors
/// [`BadReply`] if the body is not what Duo documents.
pub fn read_time(body: &[u8]) -> Result<Envelope<u64>, BadReply> {
    match envelope::<RawTime>(body)? {
        Err(refusal) => Ok(Err(refusal)),
        Ok(raw) => raw
            .time
            .number()
            .map(Ok)
            .ok_or_else(|| BadReply("it has no time".to_owned())),
    }
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
