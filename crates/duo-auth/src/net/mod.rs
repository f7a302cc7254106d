//! The network: ureq and rustls live here and nowhere else.

mod authority;
mod crypto;
mod der;
mod exchange;
mod local_cause;
mod pem;
mod proxy;
mod resolve;
mod roots;
mod tcp;
mod transport;
pub mod trust;
mod wire;

pub use local_cause::is_resource_exhaustion;
pub use proxy::{BadProxy, ProxyAddress};
pub use transport::{HttpsTransport, USER_AGENT};
