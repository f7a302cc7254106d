//! The step `tls`: the handshake, and what is missing when it fails.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use duo_auth::clean;
use duo_auth::net::trust::{self, Store};
use duo_login::config::Config;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, ClientConnection, DigitallySignedStruct, Error,
    ProtocolVersion, SignatureScheme,
};

use super::certificate::Chain;
use super::connection::{Stream, words};
use super::logins::Obstacle;
use super::problem::Problem;
use super::step::Step;
use crate::date;

/// Keeps the certificates that came, and leaves the verdict to the verifier that a login uses.
#[derive(Debug)]
struct Recorder {
    inner: Arc<dyn ServerCertVerifier>,
    presented: Mutex<Vec<CertificateDer<'static>>>,
}

impl ServerCertVerifier for Recorder {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let all = std::iter::once(end_entity).chain(intermediates);
        *self
            .presented
            .lock()
            .unwrap_or_else(PoisonError::into_inner) =
            all.map(|der| der.clone().into_owned()).collect();
        self.inner
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.inner.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.inner.supported_verify_schemes()
    }
}

/// Does the handshake as a login would; returns whether it worked.
pub(super) fn handshake(
    step: &mut Step,
    mut stream: Stream,
    host: &str,
    store: &Store,
    config: &Config,
) -> bool {
    stream.limit(config.https_timeout);
    let mut connection = match prepare(host, config) {
        Ok(prepared) => prepared,
        Err(reason) => {
            step.stops_logins(Obstacle::unreachable(host, reason.as_str()));
            step.find(
                Problem::TlsFailed,
                reason,
                "compare host with Duo's Admin Panel",
            );
            return false;
        }
    };
    let (recorder, connection) = (&connection.0, &mut connection.1);
    let result = connection.complete_io(&mut stream);
    let presented = recorder
        .presented
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let chain = Chain::read(&presented);
    match result {
        Ok(_) => {
            let version = match connection.protocol_version() {
                Some(ProtocolVersion::TLSv1_3) => "TLS 1.3",
                Some(ProtocolVersion::TLSv1_2) => "TLS 1.2",
                _ => "TLS",
            };
            let until = chain.not_after().map(date::day).unwrap_or_default();
            step.say(format!(
                "{version}, certificate for {}, valid until {until}",
                chain.names()
            ));
            step.say(format!(
                "trusted by \"{}\" in {}",
                chain.issuer(store).0,
                store.path.display()
            ));
            true
        }
        Err(error) => {
            step.stops_logins(Obstacle::unreachable(host, words(&error)));
            blame(step, &error, &chain, host, store, config);
            false
        }
    }
}

fn prepare(host: &str, config: &Config) -> Result<(Arc<Recorder>, ClientConnection), String> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| "the host is neither a name nor an address".to_owned())?;
    let (inner, provider) =
        trust::verifier(config.cafile.as_deref()).map_err(|error| error.to_string())?;
    let recorder = Arc::new(Recorder {
        inner,
        presented: Mutex::default(),
    });
    let verifier = Arc::clone(&recorder);
    let tls = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .dangerous()
        .with_custom_certificate_verifier(verifier)
        .with_no_client_auth();
    let connection =
        ClientConnection::new(Arc::new(tls), name).map_err(|error| error.to_string())?;
    Ok((recorder, connection))
}

/// Adds the finding for a failed handshake.
fn blame(
    step: &mut Step,
    error: &io::Error,
    chain: &Chain<'_>,
    host: &str,
    store: &Store,
    config: &Config,
) {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref());
    match inner {
        Some(Error::InvalidCertificate(problem)) => {
            blame_certificate(step, problem, chain, host, store, config);
        }
        Some(Error::InvalidMessage(_)) => step.find(
            Problem::TlsNotTls,
            "the server does not speak TLS",
            "check the port in host; a firewall may answer instead of Duo",
        ),
        Some(other) => step.find(
            Problem::TlsFailed,
            clean(&other.to_string()),
            "Duo speaks TLS 1.2 and 1.3: a firewall may answer instead",
        ),
        None => step.find(
            Problem::TlsFailed,
            format!("no TLS: {}", words(error)),
            "check whether a firewall or a proxy ends the connection",
        ),
    }
}

fn blame_certificate(
    step: &mut Step,
    problem: &CertificateError,
    chain: &Chain<'_>,
    host: &str,
    store: &Store,
    config: &Config,
) {
    let path = store.path.display();
    let add = match config.cafile {
        Some(_) => format!("add the CA's certificate to {path}, or remove cafile"),
        None => "update the package ca-certificates; where a firewall intercepts TLS, add its \
                 CA's certificate to the system's trust store"
            .to_owned(),
    };
    match problem {
        CertificateError::UnknownIssuer | CertificateError::BadSignature => {
            if chain.is_self_signed() {
                step.find(
                    Problem::TlsSelfSigned,
                    format!("the certificate for {} is self-signed", chain.names()),
                    "this is not Duo: check host, and which server answers",
                );
                return;
            }
            let (issuer, has_name) = chain.issuer(store);
            let text = if has_name {
                format!("the certificate's issuer \"{issuer}\" has another key than in {path}")
            } else {
                format!("the certificate's issuer \"{issuer}\" is not in {path}")
            };
            step.find(Problem::TlsUnknownIssuer, text, add);
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            let when = match problem {
                CertificateError::ExpiredContext { not_after, .. } => {
                    i64::try_from(not_after.as_secs()).ok()
                }
                _ => chain.not_after(),
            };
            step.find(
                Problem::TlsExpired,
                format!(
                    "the certificate for {} expired on {}",
                    chain.names(),
                    when.map(date::day).unwrap_or_default()
                ),
                format!(
                    "if today is not {}, set this machine's clock; if it is, whoever runs {host} \
                     has to renew it",
                    date::day(date::now())
                ),
            );
        }
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            step.find(
                Problem::TlsWrongName,
                format!("the certificate is for {}, not for {host}", chain.names()),
                "compare host with Duo's Admin Panel; a firewall may answer instead of Duo",
            );
        }
        other => step.find(
            Problem::TlsFailed,
            format!(
                "the certificate for {} is not accepted: {}",
                chain.names(),
                clean(&other.to_string())
            ),
            format!(
                "check this machine's clock: it says that today is {}",
                date::day(date::now())
            ),
        ),
    }
}
