//! Which certificates are believed: the system's store, or `cafile` in its place.
//!
//! Nothing is compiled in, so a change of Duo's certification authorities breaks nothing; and
//! nothing is read from the environment, where `SSL_CERT_FILE` could be set by whoever calls sudo.
//!
//! A system's store holds some 140 roots, and one login needs one of them. So a root is parsed only
//! when the server's chain names it as an issuer; that is as good as having all of them, since a
//! chain can end at no other.

use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::libc::{O_CLOEXEC, O_NONBLOCK};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{Resumption, WebPkiServerVerifier};
use rustls::crypto::{CryptoProvider, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{
    CertificateError, ClientConfig, DigitallySignedStruct, RootCertStore, SignatureScheme,
};
use webpki::{EndEntityCert, anchor_from_trusted_cert};

use super::crypto::provider;
use super::local_cause::is_resource_exhaustion;
use super::pem;

/// Where distributions keep the store as one file: Debian and Ubuntu; Fedora and RHEL; SUSE;
/// Alpine.
const SYSTEM_STORES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

/// Largest store that is read, in bytes: Debian's has 220 thousand.
const LARGEST: u64 = 16 * 1024 * 1024;

/// A trust store that cannot be used: a configuration fault, not an outage.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// The file of the key `cafile`.
    #[error("no CA certificate could be read from cafile {}: {reason}", .path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// This machine lacks what reading the file needs: that says nothing about the file.
    #[error("no CA certificate could be read from {}: {source}", .path.display())]
    ResourceExhausted {
        /// The file.
        path: PathBuf,
        /// What it lacks.
        source: io::Error,
    },
    /// The system's store.
    #[error(
        "no CA certificate could be read from the system's store ({}); install the package \
         ca-certificates or set cafile",
        SYSTEM_STORES.join(", ")
    )]
    SystemStore,
    /// A bug.
    #[error("TLS cannot be set up: {0}")]
    Tls(#[from] rustls::Error),
}

impl TrustError {
    /// Whether it is this machine's want, and not the file's fault.
    #[must_use]
    pub fn is_resource_exhaustion(&self) -> bool {
        matches!(self, Self::ResourceExhausted { .. })
    }
}

/// Why a file cannot be used as a store.
enum Unusable {
    /// It cannot be read.
    Io(io::Error),
    /// What is in it is of no use.
    Content(String),
}

/// TLS 1.2 and 1.3 with the certificates of `cafile`, or else of the system's store.
///
/// # Errors
/// [`TrustError`] if there is no certificate to trust.
pub fn client_config(cafile: Option<&Path>) -> Result<Arc<ClientConfig>, TrustError> {
    let (_, roots) = find(cafile)?;
    let provider = Arc::clone(&roots.provider);
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        // The name is rustls's warning to those who would verify less; this verifies as its own
        // verifier does.
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(roots))
        .with_no_client_auth();
    // One connection for one login: there is nothing to resume.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// What a login verifies Duo's certificate with, and its cryptography: for a command that looks on.
///
/// # Errors
/// [`TrustError`] if there is no certificate to trust.
pub fn verifier(
    cafile: Option<&Path>,
) -> Result<(Arc<dyn ServerCertVerifier>, Arc<CryptoProvider>), TrustError> {
    let (_, roots) = find(cafile)?;
    let provider = Arc::clone(&roots.provider);
    Ok((Arc::new(roots), provider))
}

/// Whether others than root, or this process's own user, may change the file: whoever can could pose
/// as Duo.
#[must_use]
pub fn may_be_changed_by_others(cafile: &Path) -> bool {
    let own = nix::unistd::geteuid().as_raw();
    std::fs::metadata(cafile).is_ok_and(|status| {
        (status.uid() != 0 && status.uid() != own) || status.mode() & 0o022 != 0
    })
}

/// The certificates that are believed, all of them, and where they come from: for a command that
/// explains.
#[derive(Clone, Debug)]
pub struct Store {
    /// The file.
    pub path: PathBuf,
    /// What is in it.
    pub roots: RootCertStore,
}

/// The certificates of `cafile`, or else of the system's store.
///
/// # Errors
/// [`TrustError`] if there is no certificate to trust.
pub fn store(cafile: Option<&Path>) -> Result<Store, TrustError> {
    let (path, roots) = find(cafile)?;
    let mut store = RootCertStore::empty();
    store
        .add_parsable_certificates(pem::certificates(&roots.text).filter_map(pem::Encoded::decode));
    Ok(Store {
        path: path.to_owned(),
        roots: store,
    })
}

/// The file that counts, read.
fn find(cafile: Option<&Path>) -> Result<(&Path, Roots), TrustError> {
    if let Some(path) = cafile {
        return match Roots::read(path) {
            Ok(roots) => Ok((path, roots)),
            Err(unusable) => Err(unusable.of(path)),
        };
    }
    for path in SYSTEM_STORES.iter().map(Path::new) {
        match Roots::read(path) {
            Ok(roots) => return Ok((path, roots)),
            Err(unusable) => {
                let error = unusable.of(path);
                if error.is_resource_exhaustion() {
                    return Err(error);
                }
            }
        }
    }
    Err(TrustError::SystemStore)
}

impl Unusable {
    /// The error for `path`.
    fn of(self, path: &Path) -> TrustError {
        let path = path.to_owned();
        match self {
            Self::Io(source) if is_resource_exhaustion(&source) => {
                TrustError::ResourceExhausted { path, source }
            }
            Self::Io(error) => TrustError::CaFile {
                path,
                reason: error.to_string(),
            },
            Self::Content(reason) => TrustError::CaFile { path, reason },
        }
    }
}

/// A store's text, and the verifier over it.
#[derive(Debug)]
struct Roots {
    text: Vec<u8>,
    provider: Arc<CryptoProvider>,
}

impl Roots {
    /// Reads a PEM file. Certificates that cannot be used are passed over; none at all is an error.
    fn read(path: &Path) -> Result<Self, Unusable> {
        let text = read_file(path).map_err(Unusable::Io)?;
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
        Err(Unusable::Content(match pem::certificates(&text).count() {
            0 => "there is none in it".to_owned(),
            count => format!("{count} certificates in it, none of them usable"),
        }))
    }

    /// The roots that the chain names as issuers.
    fn issuers_of(&self, chain: &[&CertificateDer<'_>]) -> RootCertStore {
        let parsed: Vec<EndEntityCert<'_>> = chain
            .iter()
            .filter_map(|&certificate| EndEntityCert::try_from(certificate).ok())
            .collect();
        let issuers: Vec<&[u8]> = parsed.iter().map(|parsed| parsed.issuer()).collect();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(
            pem::certificates(&self.text)
                .filter(|root| root.may_be_of(&issuers))
                .filter_map(pem::Encoded::decode),
        );
        roots
    }
}

/// Reads a regular file. A pipe in its place must not hold the login.
fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags(O_CLOEXEC | O_NONBLOCK)
        .open(path)?;
    let status = file.metadata()?;
    if !status.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    if status.len() > LARGEST {
        return Err(io::Error::other("larger than 16 MiB"));
    }
    let mut text = Vec::new();
    file.take(LARGEST).read_to_end(&mut text)?;
    Ok(text)
}

impl ServerCertVerifier for Roots {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let mut chain = vec![end_entity];
        chain.extend(intermediates);
        let roots = self.issuers_of(&chain);
        if roots.is_empty() {
            return Err(CertificateError::UnknownIssuer.into());
        }
        let provider = Arc::clone(&self.provider);
        WebPkiServerVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| rustls::Error::General(error.to_string()))?
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
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
