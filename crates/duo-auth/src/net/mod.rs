//! The network: ureq and rustls live here and nowhere else.

mod crypto;
mod exchange;
mod pem;
mod proxy;
mod resolve;
mod tcp;
mod transport;
pub mod trust;
mod wire;

pub use proxy::{BadProxy, ProxyAddress};
pub use transport::{HttpsTransport, USER_AGENT};
