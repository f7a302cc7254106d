//! Just enough HTTP/1.1: one request at a time, with a body of known length.

use std::collections::BTreeMap;
use std::io::{self, Read};

/// Largest request, in bytes.
const LIMIT: usize = 1024 * 1024;

/// A request.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Request {
    /// The first header called `name`, in any case.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let header = self
            .headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name));
        header.map(|(_, value)| value.as_str())
    }

    pub(crate) fn is_json(&self) -> bool {
        self.header("content-type")
            .is_some_and(|kind| kind.starts_with("application/json"))
    }

    /// The parameters as they were sent.
    pub(crate) fn raw_parameters(&self) -> String {
        if self.method == "GET" {
            self.query.clone()
        } else {
            String::from_utf8_lossy(&self.body).into_owned()
        }
    }

    /// The parameters, decoded, in the order sent.
    pub(crate) fn parameters(&self) -> Vec<(String, String)> {
        if self.is_json() {
            let object: BTreeMap<String, serde_json::Value> =
                serde_json::from_slice(&self.body).unwrap_or_default();
            return object
                .into_iter()
                .map(|(name, value)| match value {
                    serde_json::Value::String(text) => (name, text),
                    other => (name, other.to_string()),
                })
                .collect();
        }
        pairs(&self.raw_parameters())
            .map(|(name, value)| (decode(name), decode(value)))
            .collect()
    }

    /// Whether the parameters were sent sorted by encoded key.
    pub(crate) fn is_sorted(&self) -> bool {
        if self.is_json() {
            // The names in the order of the text.
            let text = self.raw_parameters();
            let names: Vec<usize> = self
                .parameters()
                .iter()
                .filter_map(|(name, _)| text.find(&format!("\"{name}\":")))
                .collect();
            return names.is_sorted();
        }
        let raw = self.raw_parameters();
        pairs(&raw).map(|(name, _)| name).is_sorted()
    }

    /// Whether the parameters were sent sorted and encoded as Duo wants them.
    pub(crate) fn parameters_are_canonical(&self) -> bool {
        if self.is_json() {
            return true;
        }
        let mut again: Vec<(String, String)> = self
            .parameters()
            .iter()
            .map(|(name, value)| (encode(name), encode(value)))
            .collect();
        again.sort_by(|a, b| a.0.cmp(&b.0));
        let again: Vec<String> = again.iter().map(|(n, v)| format!("{n}={v}")).collect();
        again.join("&") == self.raw_parameters()
    }
}

fn pairs(raw: &str) -> impl Iterator<Item = (&str, &str)> {
    raw.split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// Percent-encodes every byte but the unreserved ones of RFC 3986.
fn encode(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            for digit in [byte >> 4, byte & 15] {
                let digit = char::from_digit(digit.into(), 16).unwrap_or('0');
                encoded.push(digit.to_ascii_uppercase());
            }
            encoded.insert(encoded.len() - 2, '%');
        }
    }
    encoded
}

/// Undoes percent-encoding; `+` stays a plus.
fn decode(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while let Some(&byte) = bytes.get(index) {
        let digits = bytes
            .get(index + 1..index + 3)
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match digits {
            Some(value) if byte == b'%' => {
                decoded.push(value);
                index += 3;
            }
            _ => {
                decoded.push(byte);
                index += 1;
            }
        }
    }
    String::from_utf8_lossy(&decoded).into_owned()
}

/// Reads one request; `None` at the end of the connection. `buffer` keeps what came too early.
pub(crate) fn read_request(
    stream: &mut impl Read,
    buffer: &mut Vec<u8>,
) -> io::Result<Option<Request>> {
    loop {
        if let Some((request, used)) = parse(buffer)? {
            buffer.drain(..used);
            return Ok(Some(request));
        }
        if buffer.len() > LIMIT {
            return Err(io::Error::other("the request is too large"));
        }
        let mut chunk = [0; 16 * 1024];
        match stream.read(&mut chunk) {
            Ok(0) => return Ok(None),
            Ok(amount) => buffer.extend_from_slice(chunk.get(..amount).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
            Err(error) => return Err(error),
        }
    }
}

/// A whole request at the start of `buffer`, and its length.
fn parse(buffer: &[u8]) -> io::Result<Option<(Request, usize)>> {
    let mut headers = [httparse::EMPTY_HEADER; 64];
    let mut head = httparse::Request::new(&mut headers);
    let head_length = match head.parse(buffer) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(io::Error::other(error)),
    };
    let target = head.path.unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut request = Request {
        method: head.method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        headers: head
            .headers
            .iter()
            .map(|h| {
                (
                    h.name.to_owned(),
                    String::from_utf8_lossy(h.value).into_owned(),
                )
            })
            .collect(),
        body: Vec::new(),
    };
    let body_length: usize = match request.header("content-length") {
        Some(length) => length.trim().parse().map_err(io::Error::other)?,
        None => 0,
    };
    let Some(body) = buffer.get(head_length..head_length.saturating_add(body_length)) else {
        return Ok(None);
    };
    request.body = body.to_vec();
    Ok(Some((request, head_length + body_length)))
}

/// A reply.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    /// Everything in front of the body.
    pub(crate) fn head(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} Simulated\r\n", self.status);
        for (name, value) in &self.headers {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        }
        head.push_str("Content-Length: ");
        head.push_str(&self.body.len().to_string());
        head.push_str("\r\n\r\n");
        head.into_bytes()
    }
}
