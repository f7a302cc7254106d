//! Which certificates are believed: the system's store, or `cafile` in its place.
//!
//! Nothing is compiled in, so a change of Duo's certification authorities breaks nothing; and
//! nothing is read from the environment, where `SSL_CERT_FILE` could be set by whoever calls sudo.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::{ClientConfig, RootCertStore};

/// Where distributions keep the store as one file: Debian and Ubuntu; Fedora and RHEL; SUSE;
/// Alpine.
const SYSTEM_STORES: [&str; 4] = [
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
];

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

/// TLS 1.2 and 1.3 with the certificates of `cafile`, or else of the system's store.
///
/// # Errors
/// [`TrustError`] if there is no certificate to trust.
pub fn client_config(cafile: Option<&Path>) -> Result<Arc<ClientConfig>, TrustError> {
    let roots = match cafile {
        Some(path) => roots_from(path).map_err(|reason| TrustError::CaFile {
            path: path.to_owned(),
            reason,
        })?,
        None => SYSTEM_STORES
            .iter()
            .find_map(|path| roots_from(Path::new(path)).ok())
            .ok_or(TrustError::SystemStore)?,
    };
    let mut config =
        ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
    // One connection for one login: there is nothing to resume.
    config.resumption = Resumption::disabled();
    Ok(Arc::new(config))
}

/// Reads a PEM file. Certificates that cannot be used are passed over; none at all is an error.
fn roots_from(path: &Path) -> Result<RootCertStore, String> {
    let result = rustls_native_certs::load_certs_from_paths(Some(path), None);
    let mut roots = RootCertStore::empty();
    let (added, ignored) = roots.add_parsable_certificates(result.certs);
    if added > 0 {
        return Ok(roots);
    }
    Err(match result.errors.first() {
        Some(error) => error.to_string(),
        None if ignored > 0 => format!("{ignored} certificates in it, none of them usable"),
        None => "there is none in it".to_owned(),
    })
}
