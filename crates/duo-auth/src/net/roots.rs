//! The verifier of a server's certificate, over the roots of a PEM file.
//!
//! A system's store holds some 140 roots, and one login needs one of them. So a root is parsed only
//! when the server's chain names it as an issuer; that is as good as having all of them, since a
//! chain can end at no other.
//!
//! webpki takes name and key of a root and nothing else. That a root has expired, say, is therefore
//! asked here, before it is used; and of a whole path, whether each of its CAs may sign it.

use std::cell::Cell;
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{verify_server_cert_signed_by_trust_anchor, verify_server_name};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, DigitallySignedStruct, OtherError, RootCertStore, SignatureScheme};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath, anchor_from_trusted_cert};

use super::authority::{Refusal, judge};
use super::crypto::provider;
use super::pem;

/// The certificates in the text of a PEM file, in its order, as DER. What is not base64 is ignored;
/// what is need not be a certificate.
pub fn certificates(text: &[u8]) -> impl Iterator<Item = CertificateDer<'static>> {
    pem::certificates(text).filter_map(pem::Encoded::decode)
}

/// Those of [`certificates`] whose subject may be one of `names`, which are DER without the outer
/// tag. Each that has such a subject is among them; one that has not may be, if it has a subject
/// that takes more than the first 768 bytes, or none that can be read.
pub fn certificates_of(
    text: &[u8],
    names: &[&[u8]],
) -> impl Iterator<Item = CertificateDer<'static>> {
    pem::certificates(text)
        .filter(|certificate| certificate.may_be_of(names))
        .filter_map(pem::Encoded::decode)
}

/// CA certificates that are trusted: the text of a PEM file, and the verifier over it.
#[derive(Debug)]
pub struct Roots {
    text: Vec<u8>,
    provider: Arc<CryptoProvider>,
}

impl Roots {
    /// Takes the text of a PEM file. Certificates in it that cannot be read are ignored.
    ///
    /// # Errors
    /// Why there is nothing to trust: no certificate in it, or none that can be read.
    pub fn new(text: Vec<u8>) -> Result<Self, String> {
        let usable = |root: pem::Encoded<'_>| {
            root.decode()
                .is_some_and(|root| anchor_from_trusted_cert(&root).is_ok())
        };
        if pem::certificates(&text).any(usable) {
            return Ok(Self {
                text,
                provider: provider(),
            });
        }
        Err(match pem::certificates(&text).count() {
            0 => "there is none in it".to_owned(),
            count => format!("{count} certificates in it, none of them usable"),
        })
    }

    /// What to encrypt and to verify with.
    pub(super) fn provider(&self) -> &Arc<CryptoProvider> {
        &self.provider
    }

    /// All that is trusted, whether or not it can be read.
    pub(super) fn all(&self) -> impl Iterator<Item = CertificateDer<'static>> {
        certificates(&self.text)
    }

    /// The roots that the chain names as issuers.
    fn issuers_of(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        now: UnixTime,
    ) -> Issuers {
        let parsed: Vec<EndEntityCert<'_>> = std::iter::once(end_entity)
            .chain(intermediates)
            .filter_map(|certificate| EndEntityCert::try_from(certificate).ok())
            .collect();
        let names: Vec<&[u8]> = parsed.iter().map(|parsed| parsed.issuer()).collect();
        let mut issuers = Issuers {
            roots: RootCertStore::empty(),
            path_lengths: Vec::new(),
            refusal: Cell::new(None),
        };
        for root in certificates_of(&self.text, &names) {
            // A server's own certificate may be trusted as it is; it signs no other.
            let judged = if root == *end_entity {
                Ok(Some(0))
            } else {
                judge(&root, now.as_secs())
            };
            match judged {
                Ok(path_length) if issuers.roots.add(root).is_ok() => {
                    issuers.path_lengths.push(path_length);
                }
                Ok(_) => {}
                Err(refusal) => issuers.refusal.set(Some(refusal)),
            }
        }
        issuers
    }
}

/// The roots that a chain may end at.
struct Issuers {
    roots: RootCertStore,
    /// How many intermediate CAs each root allows, if it says.
    path_lengths: Vec<Option<usize>>,
    /// Why the last CA that was refused was.
    refusal: Cell<Option<Refusal>>,
}

impl Issuers {
    /// Asks each CA of a path whether it may sign it. The path is then not taken, but another may.
    fn allow(&self, path: &VerifiedPath<'_>, now: UnixTime) -> Result<(), webpki::Error> {
        self.judge(path, now).map_err(|refusal| {
            self.refusal.set(Some(refusal));
            webpki::Error::EndEntityUsedAsCa
        })
    }

    fn judge(&self, path: &VerifiedPath<'_>, now: UnixTime) -> Result<(), Refusal> {
        let mut count = 0;
        for intermediate in path.intermediate_certificates() {
            judge(&intermediate.der(), now.as_secs())?;
            // A CA's change of keys makes no path longer (RFC 5280, section 6.1.4, l).
            count += usize::from(intermediate.subject() != intermediate.issuer());
        }
        let roots = self.roots.roots.iter().zip(&self.path_lengths);
        let mut path_lengths = roots
            .filter(|(root, _)| std::ptr::eq(*root, path.anchor()))
            .map(|(_, length)| length.unwrap_or(usize::MAX));
        match path_lengths.next() {
            Some(length) if count <= length => Ok(()),
            _ => Err(Refusal::PathLength),
        }
    }

    /// What a chain is refused for, if a CA was.
    fn refused(&self) -> Option<rustls::Error> {
        let refusal = self.refusal.get()?;
        Some(CertificateError::Other(OtherError(Arc::new(refusal))).into())
    }
}

impl ServerCertVerifier for Roots {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        _: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let issuers = self.issuers_of(end_entity, intermediates, now);
        let parsed = ParsedCertificate::try_from(end_entity)?;
        let algorithms = self.provider.signature_verification_algorithms.all;
        let allow = |path: &VerifiedPath<'_>| issuers.allow(path, now);
        let is_trusted = EndEntityCert::try_from(end_entity).is_ok_and(|server| {
            server
                .verify_for_usage(
                    algorithms,
                    &issuers.roots.roots,
                    intermediates,
                    now,
                    KeyUsage::server_auth(),
                    None,
                    Some(&allow),
                )
                .is_ok()
        });
        if is_trusted {
            verify_server_name(&parsed, server_name)?;
            return Ok(ServerCertVerified::assertion());
        }
        // Once more, for rustls's own words.
        let again = |roots: &RootCertStore, intermediates| {
            verify_server_cert_signed_by_trust_anchor(
                &parsed,
                roots,
                intermediates,
                now,
                algorithms,
            )
        };
        let unknown = CertificateError::UnknownIssuer.into();
        Err(match issuers.refused() {
            // What is wrong with the server's own certificate comes first.
            Some(refused) => match again(&RootCertStore::empty(), &[]) {
                Err(error) if error != unknown => error,
                _ => refused,
            },
            None if issuers.roots.is_empty() => unknown,
            None => again(&issuers.roots, intermediates)
                .err()
                .unwrap_or(unknown),
        })
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls12_signature(message, certificate, signature, algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = &self.provider.signature_verification_algorithms;
        verify_tls13_signature(message, certificate, signature, algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        let algorithms = &self.provider.signature_verification_algorithms;
        algorithms.supported_schemes()
    }
}
