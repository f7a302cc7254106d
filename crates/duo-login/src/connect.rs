//! The client that a configuration describes.

use duo_auth::Client;
use duo_auth::clock::Clock;
use duo_auth::net::HttpsTransport;
use duo_auth::net::trust::{self, TrustError};

use crate::config::Config;

/// A client for the application of `config`, through its proxy, trusting what it trusts; nothing is
/// sent yet. `trace` gets a line for each request and reply, without secrets.
///
/// # Errors
/// [`TrustError`] if there is no certificate to trust.
pub fn client<'a>(
    config: &'a Config,
    clock: &'a dyn Clock,
    trace: &'a dyn Fn(String),
) -> Result<Client<'a, HttpsTransport>, TrustError> {
    let tls = trust::client_config(config.cafile.as_deref())?;
    let application = &config.application;
    let transport = HttpsTransport::new(&application.host, tls, config.http_proxy.as_ref());
    Ok(Client::new(
        transport,
        clock,
        application,
        config.https_timeout,
        trace,
    ))
}
