//! The canonical string and its HMAC, by Duo's rules for Auth API requests.
//!
//! Pure: the date is an argument. Every request goes through [`sign`], and what is signed is byte
//! for byte what is sent. Parameters that are signed in one order and sent in another are what
//! makes Duo answer `40103 Invalid signature in request credentials`.

use std::io;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Serialize as _;
use sha1::Sha1;
use sha2::{Digest as _, Sha512};
use zeroize::Zeroizing;

use crate::host::Host;
use crate::secret::Secret;

/// Everything but `A-Z a-z 0-9 _ . ~ -` becomes `%XX` (Duo's Auth API, "Authentication").
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'_')
    .remove(b'.')
    .remove(b'~')
    .remove(b'-');

/// Which of Duo's signatures is computed (Duo's Auth API, "Authentication").
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Signature {
    /// Version 2 with HMAC-SHA1, as Duo documents it.
    #[default]
    V2Sha1,
    /// Version 2 with HMAC-SHA512, as Duo's own Unix client signs.
    V2Sha512,
    /// Version 5: parameters as JSON, HMAC-SHA512.
    V5,
}

impl Signature {
    /// Every signature, from the weakest to the strongest.
    pub const ALL: [Self; 3] = [Self::V2Sha1, Self::V2Sha512, Self::V5];

    /// Its name, such as `v2-sha1`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::V2Sha1 => "v2-sha1",
            Self::V2Sha512 => "v2-sha512",
            Self::V5 => "v5",
        }
    }
}

/// An application in Duo's Admin Panel: where it is asked, and how its requests are signed.
#[derive(Clone, Debug)]
pub struct Application {
    /// API host name, such as `api-xxxxxxxx.duosecurity.com`.
    pub host: Host,
    /// Integration key and secret key.
    pub keys: Keys,
    /// Which signature.
    pub signature: Signature,
}

/// The two keys of an application in Duo's Admin Panel.
#[derive(Clone, Debug)]
pub struct Keys {
    /// Integration key: names the application; not a secret.
    pub ikey: String,
    /// Secret key: signs. Without blanks or a line end around it.
    pub skey: Secret,
}

/// HTTP method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Parameters travel in the query.
    Get,
    /// Parameters travel in the body.
    Post,
}

impl Method {
    /// The method in upper case, as signed and sent.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// The parameters of one request, in any order.
#[derive(Default)]
pub struct Parameters(Vec<(&'static str, Zeroizing<String>)>);

impl Parameters {
    /// Adds one parameter; `value` is the plain text, not yet encoded. A name is used once.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: &str) -> Self {
        self.0.push((name, Zeroizing::new(value.to_owned())));
        self
    }

    /// Adds a parameter if there is a value.
    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Names of the parameters, for a trace that shows no value.
    pub fn names(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.0.iter().map(|(name, _)| *name)
    }

    /// `key=value` pairs, percent-encoded, sorted by encoded key and joined by `&`: the string
    /// that version 2 signs and sends.
    #[must_use]
    pub fn canonical(&self) -> Zeroizing<String> {
        let mut pairs: Vec<(String, Zeroizing<String>)> = self
            .0
            .iter()
            .map(|(name, value)| (encode(name), Zeroizing::new(encode(value))))
            .collect();
        pairs.sort_by(|a, b| a.0.cmp(&b.0));
        let length = pairs.iter().map(|(n, v)| n.len() + v.len() + 2).sum();
        let mut text = Zeroizing::new(String::with_capacity(length));
        for (name, value) in &pairs {
            if !text.is_empty() {
                text.push('&');
            }
            text.push_str(name);
            text.push('=');
            text.push_str(value);
        }
        text
    }

    /// The JSON object that version 5 signs and sends: keys sorted, no blanks, ASCII only, as
    /// Duo's own client writes it.
    ///
    /// # Errors
    /// Never in practice: strings always serialise.
    fn json(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        let object: std::collections::BTreeMap<&str, &str> = self
            .0
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let length = self
            .0
            .iter()
            .map(|(name, value)| name.len() + 6 * value.len() + 6)
            .sum::<usize>();
        let mut body = Zeroizing::new(Vec::with_capacity(length + 2));
        let mut json = serde_json::Serializer::with_formatter(&mut *body, AsciiFormatter);
        object.serialize(&mut json)?;
        Ok(body)
    }
}

/// Percent-encodes `text` as Duo wants it: every byte of the UTF-8 but the unreserved ones (RFC 3986,
/// section 2.3), in upper case.
#[must_use]
pub fn encode(text: &str) -> String {
    utf8_percent_encode(text, ENCODED).to_string()
}

/// Writes everything outside printable ASCII as `\uXXXX`.
struct AsciiFormatter;

impl serde_json::ser::Formatter for AsciiFormatter {
    fn write_string_fragment<W>(&mut self, writer: &mut W, fragment: &str) -> io::Result<()>
    where
        W: ?Sized + io::Write,
    {
        for character in fragment.chars() {
            if matches!(character, ' '..='~') {
                writer.write_all(&[character as u8])?;
            } else {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    write!(writer, "\\u{unit:04x}")?;
                }
            }
        }
        Ok(())
    }
}

/// A request that is ready to be sent as it stands.
pub struct SignedRequest {
    /// HTTP method.
    pub method: Method,
    /// Path of the endpoint, for traces and errors.
    pub path: &'static str,
    /// Path with query.
    pub target: Zeroizing<String>,
    /// Header names and values. `Authorization` is among them.
    pub headers: Vec<(&'static str, Zeroizing<String>)>,
    /// Body of a POST.
    pub body: Option<Zeroizing<Vec<u8>>>,
}

/// What [`sign`] needs to know about a request.
pub struct Unsigned<'a> {
    /// HTTP method.
    pub method: Method,
    /// Host name without port, in any case.
    pub host: &'a str,
    /// Path of the endpoint, such as `/auth/v2/preauth`.
    pub path: &'static str,
    /// Parameters, in any order.
    pub parameters: &'a Parameters,
    /// Date by RFC 2822, such as `Tue, 21 Aug 2012 17:29:18 GMT`, exactly as it is to be sent; within
    /// five minutes of Duo's clock.
    pub date: &'a str,
}

impl Unsigned<'_> {
    /// The string that is signed: five lines for version 2, seven for version 5, joined by line
    /// feeds. Parameters, and so maybe a passcode, are in it.
    ///
    /// # Errors
    /// Never in practice: strings always serialise.
    pub fn canonical(&self, signature: Signature) -> io::Result<Zeroizing<String>> {
        let parameters = match (signature, self.method) {
            (Signature::V5, Method::Post) => Zeroizing::default(),
            _ => self.parameters.canonical(),
        };
        let mut text = Zeroizing::new(format!(
            "{}\n{}\n{}\n{}\n{}",
            self.date,
            self.method.as_str(),
            self.host.to_ascii_lowercase(),
            self.path,
            *parameters
        ));
        if signature == Signature::V5 {
            let body = self.json_body()?;
            text.push('\n');
            text.push_str(&hex::encode(Sha512::digest(body.as_slice())));
            text.push('\n');
            // No X-Duo-* header is sent, so the last line is the digest of nothing.
            text.push_str(&hex::encode(Sha512::digest([])));
        }
        Ok(text)
    }

    fn json_body(&self) -> io::Result<Zeroizing<Vec<u8>>> {
        match self.method {
            Method::Get => Ok(Zeroizing::default()),
            Method::Post => self.parameters.json(),
        }
    }
}

/// Signs a request and lays out what is to be sent: the headers `Date`, `Authorization`, for
/// version 2 also `X-Duo-Date`, for a POST `Content-Type`, and the parameters as query or body, byte
/// for byte as they were signed.
///
/// # Errors
/// [`SignError`] if the HMAC refuses the key or the JSON cannot be written; neither happens in practice, and
/// neither may ever be taken for an outage.
pub fn sign(
    signature: Signature,
    keys: &Keys,
    request: &Unsigned<'_>,
) -> Result<SignedRequest, SignError> {
    let canonical = request.canonical(signature).map_err(SignError::Json)?;
    let skey = keys.skey.expose().as_bytes();
    let mac = match signature {
        Signature::V2Sha1 => hmac_hex::<Hmac<Sha1>>(skey, canonical.as_bytes())?,
        Signature::V2Sha512 | Signature::V5 => {
            hmac_hex::<Hmac<Sha512>>(skey, canonical.as_bytes())?
        }
    };
    let credentials = Zeroizing::new(format!("{}:{mac}", keys.ikey));
    let authorization = Zeroizing::new(format!(
        "Basic {}",
        BASE64_STANDARD.encode(credentials.as_bytes())
    ));
    let mut headers = vec![
        ("Date", Zeroizing::new(request.date.to_owned())),
        ("Authorization", authorization),
    ];
    if signature != Signature::V5 {
        // As Duo's Unix client names it. Version 5 would have to sign it once more.
        headers.push(("X-Duo-Date", Zeroizing::new(request.date.to_owned())));
    }
    let (target, body) = match request.method {
        Method::Get => {
            let query = request.parameters.canonical();
            let target = if query.is_empty() {
                request.path.to_owned()
            } else {
                format!("{}?{}", request.path, *query)
            };
            (target, None)
        }
        Method::Post => {
            let (kind, body) = if signature == Signature::V5 {
                let body = request.json_body().map_err(SignError::Json)?;
                ("application/json", body)
            } else {
                let body = request.parameters.canonical();
                (
                    "application/x-www-form-urlencoded",
                    Zeroizing::new(body.as_bytes().to_vec()),
                )
            };
            headers.push(("Content-Type", Zeroizing::new(kind.to_owned())));
            (request.path.to_owned(), Some(body))
        }
    };
    Ok(SignedRequest {
        method: request.method,
        path: request.path,
        target: Zeroizing::new(target),
        headers,
        body,
    })
}

fn hmac_hex<M: Mac + KeyInit>(key: &[u8], text: &[u8]) -> Result<String, SignError> {
    let mut mac = <M as KeyInit>::new_from_slice(key).map_err(|_| SignError::Key)?;
    mac.update(text);
    Ok(hex::encode(mac.finalize().into_bytes()))
}

/// Why a request could not be signed. Neither happens in practice.
#[derive(Debug, thiserror::Error)]
pub enum SignError {
    /// HMAC takes keys of any length, so this is a bug.
    #[error("the skey cannot be used as a key")]
    Key,
    /// Strings always serialise, so this is a bug.
    #[error("the parameters cannot be written as JSON: {0}")]
    Json(#[source] io::Error),
}
