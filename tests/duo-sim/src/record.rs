//! What the simulator was asked, for tests to assert on and for people to read.

use std::time::Duration;

use crate::signature::SignatureKind;

/// One request that was served.
#[derive(Clone, Debug)]
pub struct RecordedRequest {
    /// Number of the connection, from 1.
    pub connection: u64,
    /// Since the simulator's start.
    pub at: Duration,
    /// HTTP method.
    pub method: String,
    /// Path, without query.
    pub path: String,
    /// Parameters, decoded, in the order sent.
    pub parameters: Vec<(String, String)>,
    /// Parameters as they were sent.
    pub raw_parameters: String,
    /// Whether they were sent sorted.
    pub sorted: bool,
    /// Headers; the value of `Authorization` is left out.
    pub headers: Vec<(String, String)>,
    /// The signature, if it was right.
    pub signature: Option<SignatureKind>,
    /// HTTP status of the reply; 0 where a fault took its place.
    pub status: u16,
    /// Body of the reply.
    pub reply: String,
}

impl RecordedRequest {
    /// The value of a parameter.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<&str> {
        let found = self.parameters.iter().find(|(n, _)| n == name);
        found.map(|(_, value)| value.as_str())
    }

    /// The value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// One line of JSON.
    pub(crate) fn json(&self) -> String {
        let parameters: serde_json::Map<String, serde_json::Value> = self
            .parameters
            .iter()
            .map(|(name, value)| (name.clone(), value.clone().into()))
            .collect();
        serde_json::json!({
            "at_ms": u64::try_from(self.at.as_millis()).unwrap_or(u64::MAX),
            "connection": self.connection,
            "method": self.method,
            "path": self.path,
            "parameters": parameters,
            "sorted": self.sorted,
            "signature": self.signature.map(SignatureKind::name),
            "status": self.status,
            "reply": self.reply,
        })
        .to_string()
    }

    /// One line for people.
    pub(crate) fn summary(&self) -> String {
        let parameters: Vec<String> = self
            .parameters
            .iter()
            .map(|(name, value)| format!("{name}={}", value.escape_debug()))
            .collect();
        format!(
            "#{} {} {} {} [{}] -> {} {}",
            self.connection,
            self.method,
            self.path,
            parameters.join(" "),
            self.signature.map_or("unsigned", SignatureKind::name),
            self.status,
            self.reply.replace(char::is_control, "?")
        )
    }
}

/// How many connections there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Connections {
    /// TCP connections that were accepted.
    pub tcp: usize,
    /// TLS handshakes that were completed.
    pub tls: usize,
    /// Look-ups that were asked for.
    pub dns: usize,
}
