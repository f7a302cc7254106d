//! A configuration that cannot be used.

use std::path::PathBuf;

/// A fault in what the administrator set up.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ConfigFault {
    /// The file is missing, unreadable or not to be trusted.
    #[error("Couldn't open {}: {reason}", .path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// `host`, `ikey` or `skey` is missing or empty.
    #[error("Missing host, ikey, or skey")]
    MissingKeys,
    /// `host` cannot be a host.
    #[error("Bad value of 'host': it {0}")]
    BadHost(duo_auth::BadHost),
    /// `noverify` is set.
    #[error("'noverify' is refused: Duo's certificate is always verified; use cafile instead")]
    NoVerify,
    /// `http_proxy` is not a proxy's address. It is not asked past the proxy: whoever sets one means
    /// it.
    #[error("Bad value of 'http_proxy': {0}")]
    BadProxy(duo_auth::net::BadProxy),
    /// There is nothing to trust.
    #[error("{0}")]
    Trust(String),
}
