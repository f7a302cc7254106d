//! The throw-away CA, the server's certificate, and certificates that are wrong in one way.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose, SanType,
};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::version::TLS12;
use rustls::{ALL_VERSIONS, ServerConfig, SupportedProtocolVersion};
use time::{Duration, OffsetDateTime};

use crate::fault::FaultKind;

/// Certificates could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// By `rcgen`.
    #[error("{0}")]
    Make(#[from] rcgen::Error),
    /// By `rustls`.
    #[error("{0}")]
    Use(#[from] rustls::Error),
}

/// One TLS set-up for each kind of certificate.
pub(crate) struct Certificates {
    pub(crate) ca_pem: String,
    good: Arc<ServerConfig>,
    only_tls12: Arc<ServerConfig>,
    self_signed: Arc<ServerConfig>,
    unknown_ca: Arc<ServerConfig>,
    expired: Arc<ServerConfig>,
    wrong_name: Arc<ServerConfig>,
}

impl Certificates {
    pub(crate) fn new() -> Result<Self, CertificateError> {
        let (ca_pem, ca) = authority("duo-sim throw-away CA")?;
        let (_, other) = authority("another CA")?;
        let local = || server(&["localhost", "duo.test"], true);
        let mut expired = local()?;
        expired.not_before = OffsetDateTime::now_utc() - Duration::days(30);
        expired.not_after = OffsetDateTime::now_utc() - Duration::days(1);
        Ok(Self {
            ca_pem,
            good: config(&local()?, Some(&ca), ALL_VERSIONS)?,
            only_tls12: config(&local()?, Some(&ca), &[&TLS12])?,
            self_signed: config(&local()?, None, ALL_VERSIONS)?,
            unknown_ca: config(&local()?, Some(&other), ALL_VERSIONS)?,
            expired: config(&expired, Some(&ca), ALL_VERSIONS)?,
            wrong_name: config(&server(&["other.example"], false)?, Some(&ca), ALL_VERSIONS)?,
        })
    }

    /// What is served under a fault, or without one.
    pub(crate) fn config(&self, fault: Option<FaultKind>) -> Arc<ServerConfig> {
        Arc::clone(match fault {
            Some(FaultKind::OnlyTls12) => &self.only_tls12,
            Some(FaultKind::SelfSigned) => &self.self_signed,
            Some(FaultKind::UnknownCa) => &self.unknown_ca,
            Some(FaultKind::Expired) => &self.expired,
            Some(FaultKind::WrongName) => &self.wrong_name,
            _ => &self.good,
        })
    }
}

fn authority(name: &str) -> Result<(String, Issuer<'static, KeyPair>), CertificateError> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    let key = KeyPair::generate()?;
    let pem = params.self_signed(&key)?.pem();
    Ok((pem, Issuer::new(params, key)))
}

fn server(names: &[&str], addresses: bool) -> Result<CertificateParams, CertificateError> {
    let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
    let mut params = CertificateParams::new(names)?;
    params
        .distinguished_name
        .push(DnType::CommonName, "duo-sim server");
    if addresses {
        let v4 = SanType::IpAddress(IpAddr::V4(Ipv4Addr::LOCALHOST));
        let v6 = SanType::IpAddress(IpAddr::V6(Ipv6Addr::LOCALHOST));
        params.subject_alt_names.extend([v4, v6]);
    }
    Ok(params)
}

fn config(
    params: &CertificateParams,
    issuer: Option<&Issuer<'static, KeyPair>>,
    versions: &[&'static SupportedProtocolVersion],
) -> Result<Arc<ServerConfig>, CertificateError> {
    let key = KeyPair::generate()?;
    let certificate = match issuer {
        Some(issuer) => params.signed_by(&key, issuer)?,
        None => params.self_signed(&key)?,
    };
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config =
        ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_protocol_versions(versions)?
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], key)?;
    Ok(Arc::new(config))
}
