//! Which CA certificates are trusted: those of the system's store, or of `cafile` in its place.
//!
//! Nothing is compiled in, so a change of Duo's certification authorities breaks nothing; and
//! nothing is read from the environment, where `SSL_CERT_FILE` could be set by whoever calls sudo.

use std::fs::OpenOptions;
use std::io::{self, Read as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use nix::libc::{O_CLOEXEC, O_NONBLOCK};
use rustls::client::Resumption;
use rustls::client::danger::ServerCertVerifier;
use rustls::crypto::CryptoProvider;
use rustls::{ClientConfig, RootCertStore};

use super::local_cause::is_resource_exhaustion;
pub use super::roots::{Roots, certificates, certificates_of};

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
    /// Whether this machine's own limits are to blame, and not the file.
    #[must_use]
    pub fn is_resource_exhaustion(&self) -> bool {
        matches!(self, Self::ResourceExhausted { .. })
    }
}

/// TLS 1.2 and 1.3 with the certificates of `cafile`, or else of the system's store.
///
/// # Errors
/// [`TrustError`] if there is no certificate to trust.
pub fn client_config(cafile: Option<&Path>) -> Result<Arc<ClientConfig>, TrustError> {
    let (_, roots) = find(cafile)?;
    let provider = Arc::clone(roots.provider());
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
    let provider = Arc::clone(roots.provider());
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

/// The certificates that are trusted, all of them, and where they come from: for a command that
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
    store.add_parsable_certificates(roots.all());
    Ok(Store {
        path: path.to_owned(),
        roots: store,
    })
}

/// The file that is used, read.
fn find(cafile: Option<&Path>) -> Result<(&Path, Roots), TrustError> {
    if let Some(path) = cafile {
        return Ok((path, read(path)?));
    }
    for path in SYSTEM_STORES.iter().map(Path::new) {
        match read(path) {
            Ok(roots) => return Ok((path, roots)),
            Err(error) if error.is_resource_exhaustion() => return Err(error),
            Err(_) => {}
        }
    }
    Err(TrustError::SystemStore)
}

fn read(path: &Path) -> Result<Roots, TrustError> {
    let unusable = |reason| TrustError::CaFile {
        path: path.to_owned(),
        reason,
    };
    match read_file(path) {
        Ok(text) => Roots::new(text).map_err(unusable),
        Err(source) if is_resource_exhaustion(&source) => Err(TrustError::ResourceExhausted {
            path: path.to_owned(),
            source,
        }),
        Err(error) => Err(unusable(error.to_string())),
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
