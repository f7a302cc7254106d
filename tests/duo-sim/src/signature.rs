//! Verifies signatures. Shares no code with the module: parameters are taken apart and put
//! together again here, and `ring` does the hashing.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use ring::{digest, hmac};

use crate::http::Request;
use crate::scenario::Scenario;

/// Which signature a request carried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureKind {
    /// Version 2, HMAC-SHA1.
    V2Sha1,
    /// Version 2, HMAC-SHA512.
    V2Sha512,
    /// Version 5.
    V5,
}

impl SignatureKind {
    /// The word that the key `signature` has for it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::V2Sha1 => "v2-sha1",
            Self::V2Sha512 => "v2-sha512",
            Self::V5 => "v5",
        }
    }
}

/// Why a request is not accepted: Duo's code and message.
pub(crate) type Rejection = (u32, &'static str);

/// Longest difference between the clocks, in seconds.
const TOLERANCE: i64 = 300;

/// Verifies who sent a request, and when. `now` is the simulator's clock in Unix seconds.
pub(crate) fn verify(
    request: &Request,
    scenario: &Scenario,
    now: i64,
) -> Result<SignatureKind, Rejection> {
    let missing = (40101, "Missing request credentials");
    let authorization = request.header("authorization").ok_or(missing)?;
    let encoded = authorization.strip_prefix("Basic ").ok_or(missing)?;
    let decoded = BASE64_STANDARD
        .decode(encoded.trim())
        .map_err(|_| missing)?;
    let decoded = String::from_utf8(decoded).map_err(|_| missing)?;
    let (ikey, given) = decoded.split_once(':').ok_or(missing)?;
    if ikey != scenario.ikey {
        return Err((40102, "Invalid integration key in request credentials"));
    }
    let date = request
        .header("x-duo-date")
        .or_else(|| request.header("date"))
        .ok_or((40104, "Missing request timestamp"))?;
    let sent_at = unix_seconds(date).ok_or((40104, "Missing request timestamp"))?;
    if (sent_at - now).abs() > TOLERANCE {
        return Err((40105, "Bad request timestamp"));
    }
    let wrong = (40103, "Invalid signature in request credentials");
    if !request.parameters_are_canonical() {
        return Err(wrong);
    }
    let key = scenario.skey.as_bytes();
    candidates(request, date)
        .into_iter()
        .find(|(kind, canonical)| {
            let algorithm = match kind {
                SignatureKind::V2Sha1 => hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
                _ => hmac::HMAC_SHA512,
            };
            let tag = hmac::sign(&hmac::Key::new(algorithm, key), canonical.as_bytes());
            hexadecimal(tag.as_ref()) == given
        })
        .map(|(kind, _)| kind)
        .ok_or(wrong)
}

/// The strings that may have been signed.
fn candidates(request: &Request, date: &str) -> Vec<(SignatureKind, String)> {
    let host = request.header("host").unwrap_or_default();
    let host = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let head = [date, &request.method, &host.to_lowercase(), &request.path].join("\n");
    let is_json = request.is_json();
    if is_json || request.method == "GET" {
        let body = sha512(&request.body);
        let five = format!(
            "{head}\n{}\n{body}\n{}",
            request.query,
            sha512(&duo_headers(request))
        );
        if is_json {
            return vec![(SignatureKind::V5, five)];
        }
        let two = format!("{head}\n{}", request.query);
        return vec![
            (SignatureKind::V2Sha1, two.clone()),
            (SignatureKind::V2Sha512, two),
            (SignatureKind::V5, five),
        ];
    }
    let two = format!("{head}\n{}", String::from_utf8_lossy(&request.body));
    vec![
        (SignatureKind::V2Sha1, two.clone()),
        (SignatureKind::V2Sha512, two),
    ]
}

/// The `X-Duo-*` headers as version 5 hashes them. The date is not among them.
fn duo_headers(request: &Request) -> Vec<u8> {
    let mut headers: Vec<(String, &str)> = request
        .headers
        .iter()
        .map(|(name, value)| (name.to_lowercase(), value.as_str()))
        .filter(|(name, _)| name.starts_with("x-duo-") && name != "x-duo-date")
        .collect();
    headers.sort();
    let parts: Vec<&str> = headers.iter().flat_map(|(n, v)| [n.as_str(), v]).collect();
    parts.join("\0").into_bytes()
}

fn sha512(bytes: &[u8]) -> String {
    hexadecimal(digest::digest(&digest::SHA512, bytes).as_ref())
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads an RFC 2822 date in UTC: `Tue, 21 Aug 2012 17:29:18 -0000`, `GMT` or `+0000`.
pub(crate) fn unix_seconds(date: &str) -> Option<i64> {
    let date = date.trim();
    let (moment, zone) = date.rsplit_once(' ')?;
    if !matches!(zone, "GMT" | "-0000" | "+0000" | "UTC") {
        return None;
    }
    let time = httpdate::parse_http_date(&format!("{moment} GMT")).ok()?;
    let seconds = time.duration_since(std::time::UNIX_EPOCH).ok()?.as_secs();
    i64::try_from(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::{SignatureKind, unix_seconds, verify};
    use crate::http::Request;
    use crate::scenario::Scenario;
    use serde_json::Value;

    fn vectors() -> Vec<Value> {
        let text = include_str!("../../vectors/signing.json");
        let file: Value = serde_json::from_str(text).unwrap();
        file["vectors"].as_array().unwrap().clone()
    }

    /// The request that a vector describes, as it would arrive.
    fn request(vector: &Value, parameters: &str, kind: SignatureKind) -> Request {
        let text = |key: &str| vector[key].as_str().unwrap().to_owned();
        let (authorization, content_type) = match kind {
            SignatureKind::V2Sha1 => ("v2_sha1_authorization", "application/x-www-form-urlencoded"),
            SignatureKind::V2Sha512 => (
                "v2_sha512_authorization",
                "application/x-www-form-urlencoded",
            ),
            SignatureKind::V5 => ("v5_authorization", "application/json"),
        };
        let post = text("method") == "POST";
        let mut request = Request {
            method: text("method"),
            path: text("path"),
            headers: vec![
                ("Host".to_owned(), format!("{}:8443", text("host"))),
                ("date".to_owned(), text("date")),
                ("Authorization".to_owned(), text(authorization)),
            ],
            ..Request::default()
        };
        if post {
            let header = ("Content-Type".to_owned(), content_type.to_owned());
            request.headers.push(header);
            request.body = parameters.as_bytes().to_vec();
        } else {
            request.query = parameters.to_owned();
        }
        request
    }

    fn scenario(vector: &Value) -> Scenario {
        Scenario {
            ikey: vector["ikey"].as_str().unwrap().to_owned(),
            skey: vector["skey"].as_str().unwrap().to_owned(),
            ..Scenario::default()
        }
    }

    #[test]
    fn every_signature_of_duos_own_client_is_accepted() {
        for vector in vectors() {
            let now = unix_seconds(vector["date"].as_str().unwrap()).unwrap();
            for kind in [
                SignatureKind::V2Sha1,
                SignatureKind::V2Sha512,
                SignatureKind::V5,
            ] {
                let parameters = match kind {
                    SignatureKind::V5 if vector["method"] == "POST" => &vector["v5_body"],
                    _ => &vector["v2_query"],
                };
                let request = request(&vector, parameters.as_str().unwrap(), kind);
                let verified = verify(&request, &scenario(&vector), now);
                assert_eq!(verified, Ok(kind), "{}", vector["name"]);
            }
        }
    }

    #[test]
    fn anything_changed_unsorted_or_encoded_differently_is_40103() {
        let vector = vectors()
            .into_iter()
            .find(|v| v["name"] == "auth with several parameters given out of order")
            .unwrap();
        let now = unix_seconds(vector["date"].as_str().unwrap()).unwrap();
        let good = vector["v2_query"].as_str().unwrap();
        let mut turned: Vec<&str> = good.split('&').collect();
        turned.reverse();
        for parameters in [
            turned.join("&"),
            good.replace("alice", "mallory"),
            good.replace("203.0.113.5", "203%2E0%2E113%2E5"),
            format!("{good}&z=1"),
        ] {
            let request = request(&vector, &parameters, SignatureKind::V2Sha1);
            let (code, _) = verify(&request, &scenario(&vector), now).unwrap_err();
            assert_eq!(code, 40103, "{parameters}");
        }
    }

    #[test]
    fn dates_off_by_more_than_five_minutes_are_40105() {
        let vector = vectors().remove(1);
        let now = unix_seconds(vector["date"].as_str().unwrap()).unwrap();
        let parameters = vector["v2_query"].as_str().unwrap();
        let request = request(&vector, parameters, SignatureKind::V2Sha1);
        for (offset, expected) in [
            (0, None),
            (300, None),
            (-300, None),
            (301, Some(40105)),
            (-301, Some(40105)),
        ] {
            let refused = verify(&request, &scenario(&vector), now + offset).err();
            assert_eq!(refused.map(|(code, _)| code), expected, "{offset}");
        }
    }

    #[test]
    fn foreign_keys_and_missing_headers_have_codes_of_their_own() {
        let vector = vectors().remove(1);
        let now = unix_seconds(vector["date"].as_str().unwrap()).unwrap();
        let parameters = vector["v2_query"].as_str().unwrap();
        let without = |name: &str| {
            let mut request = request(&vector, parameters, SignatureKind::V2Sha1);
            request
                .headers
                .retain(|(n, _)| !n.eq_ignore_ascii_case(name));
            verify(&request, &scenario(&vector), now).unwrap_err().0
        };
        assert_eq!(without("authorization"), 40101);
        assert_eq!(without("date"), 40104);
        let request = request(&vector, parameters, SignatureKind::V2Sha1);
        let other = Scenario::default();
        assert_eq!(verify(&request, &other, now).unwrap_err().0, 40102);
    }
}
