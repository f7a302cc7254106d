//! Certificates that the tests make.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, PKCS_ECDSA_P256_SHA256,
    SigningKey as _, date_time_ymd,
};

/// A certificate, and what it signs others with.
#[derive(Clone)]
pub struct Certificate {
    pub der: Vec<u8>,
    params: CertificateParams,
    key: Arc<KeyPair>,
}

impl Certificate {
    /// Signed by itself.
    pub fn root(params: CertificateParams) -> Self {
        Self::root_with(params, KeyPair::generate().unwrap())
    }

    /// Signed by itself, with a key.
    pub fn root_with(params: CertificateParams, key: impl Into<Arc<KeyPair>>) -> Self {
        let key = key.into();
        let der = params.self_signed(&*key).unwrap().der().to_vec();
        Self { der, params, key }
    }

    /// Signs another.
    pub fn sign(&self, params: CertificateParams) -> Self {
        let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        self.sign_with(params, key)
    }

    /// Signs another that has the key.
    pub fn sign_with(&self, params: CertificateParams, key: impl Into<Arc<KeyPair>>) -> Self {
        let key = key.into();
        let issuer = Issuer::from_params(&self.params, &*self.key);
        let der = params.signed_by(&*key, &issuer).unwrap().der().to_vec();
        Self { der, params, key }
    }

    pub fn key(&self) -> Arc<KeyPair> {
        Arc::clone(&self.key)
    }

    pub fn pem(&self) -> String {
        let text = BASE64_STANDARD.encode(&self.der);
        let lines: Vec<&str> = text
            .as_bytes()
            .chunks(64)
            .map(|line| std::str::from_utf8(line).unwrap())
            .collect();
        let body = lines.join("\n");
        format!("-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n")
    }

    /// The same with the last byte of its signature changed.
    pub fn forged(mut self) -> Self {
        *self.der.last_mut().unwrap() ^= 1;
        self
    }

    /// The same in version 1, which has no extensions, signed by `issuer` or by itself.
    pub fn of_version_1(mut self, issuer: Option<&Self>) -> Self {
        let (to_be_signed, rest) = split(content(&self.der));
        let (algorithm, _) = split(rest);
        let (_version, mut fields) = split(content(to_be_signed));
        let mut kept = Vec::new();
        // Serial number, signature algorithm, issuer, validity, subject, key.
        for _ in 0..6 {
            let (field, rest) = split(fields);
            kept.extend_from_slice(field);
            fields = rest;
        }
        let to_be_signed = element(0x30, &kept);
        let key = &issuer.unwrap_or(&self).key;
        let mut signature = vec![0];
        signature.extend(key.sign(&to_be_signed).unwrap());
        let signature = element(0x03, &signature);
        self.der = element(0x30, &[&to_be_signed, algorithm, &signature].concat());
        self
    }
}

/// A CA, from 2020 to 2040.
pub fn ca(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    // By which OpenSSL tells two keys of one name apart.
    params.use_authority_key_identifier_extension = true;
    from_to(&mut params, 2020, 2040);
    params
}

/// A CA with changes.
pub fn ca_with(name: &str, change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = ca(name);
    change(&mut params);
    params
}

/// A CA that allows `count` intermediate CAs.
pub fn ca_above(name: &str, count: u8) -> CertificateParams {
    ca_with(name, |params| {
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(count));
    })
}

/// A server's certificate for names or addresses, from 2020 to 2040.
pub fn server_of(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let mut params = CertificateParams::new(names).unwrap();
    params.use_authority_key_identifier_extension = true;
    params.distinguished_name.push(DnType::CommonName, "server");
    from_to(&mut params, 2020, 2040);
    params
}

/// The certificate of the server `duo.example`.
pub fn server() -> CertificateParams {
    server_of(&["duo.example"])
}

/// That one with changes.
pub fn server_with(change: impl FnOnce(&mut CertificateParams)) -> CertificateParams {
    let mut params = server();
    change(&mut params);
    params
}

/// Valid from the first day of one year to the first day of another.
pub fn from_to(params: &mut CertificateParams, from: i32, to: i32) {
    params.not_before = date_time_ymd(from, 1, 1);
    params.not_after = date_time_ymd(to, 1, 1);
}

/// The bytes of a DER element's tag and length, and of its content.
fn lengths(der: &[u8]) -> (usize, usize) {
    match der[1] {
        0x81 => (3, der[2].into()),
        0x82 => (4, usize::from(der[2]) * 256 + usize::from(der[3])),
        short => (2, short.into()),
    }
}

fn content(der: &[u8]) -> &[u8] {
    let (head, length) = lengths(der);
    &der[head..head + length]
}

/// The first element, and what comes after it.
fn split(der: &[u8]) -> (&[u8], &[u8]) {
    let (head, length) = lengths(der);
    der.split_at(head + length)
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let head = match length {
        [0, short @ ..0x80] => vec![tag, short],
        [0, longer] => vec![tag, 0x81, longer],
        [high, low] => vec![tag, 0x82, high, low],
    };
    [&head, content].concat()
}
