//! One HTTPS connection to Duo.
//!
//! ureq's defaults do not suit a PAM module, so each is set: no proxy from the environment, no
//! redirects, an HTTP status is not an error, HTTPS only, a time limit for everything.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::{CertificateError, ClientConfig, OtherError};
use ureq::http::Request;
use ureq::unversioned::transport::{ConnectProxyConnector, Connector as _};
use ureq::{Agent, Error};

use super::exchange::Exchange;
use super::local_cause::{is_not_permitted, is_resource_exhaustion, probe};
use super::proxy::ProxyAddress;
use super::resolve::BoundedResolver;
use super::wire::{Begin, TcpConnector, TlsConnector};
use crate::client::{Cause, Reply, Transport, TransportError};
use crate::host::Host;
use crate::sign::SignedRequest;

/// Longest body that is read, in bytes: a preauth reply for a user with many devices has a few
/// thousand.
const BODY_LIMIT: u64 = 256 * 1024;
/// Longest head of a reply, in bytes.
const HEADER_LIMIT: usize = 16 * 1024;

/// How late a time-out may come on a busy machine before this process is taken to have been stopped.
const LEAST_TOLERATED: Duration = Duration::from_secs(1);
/// Longest time that a connection may be idle and still be used. A firewall on the way may have
/// dropped it while the user looked for the phone, and a request for a factor is never sent twice.
const LONGEST_IDLE: Duration = Duration::from_secs(15);

/// Names this program and its version to Duo.
pub const USER_AGENT: &str = concat!("pam_duo-rs/", env!("CARGO_PKG_VERSION"));

/// One HTTPS connection to Duo, opened when first needed and kept alive for the whole login.
pub struct HttpsTransport {
    agent: Agent,
    base: String,
    exchange: Arc<Exchange>,
}

impl HttpsTransport {
    /// Connects to `host`, through `proxy` if there is one, trusting what `tls` trusts.
    #[must_use]
    pub fn new(host: &Host, tls: Arc<ClientConfig>, proxy: Option<&ProxyAddress>) -> Self {
        let proxy = proxy.map(ProxyAddress::for_ureq);
        let exchange = Arc::new(Exchange::default());
        let config = Agent::config_builder()
            .proxy(proxy)
            .https_only(true)
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(USER_AGENT)
            .accept("application/json")
            .accept_encoding("")
            .max_response_header_size(HEADER_LIMIT)
            .max_idle_connections(1)
            .max_idle_connections_per_host(1)
            .max_idle_age(LONGEST_IDLE)
            .build();
        let connector =
            ().chain(Begin(Arc::clone(&exchange)))
                .chain(ConnectProxyConnector::default())
                .chain(TcpConnector(Arc::clone(&exchange)))
                .chain(TlsConnector {
                    tls,
                    exchange: Arc::clone(&exchange),
                });
        let resolver = BoundedResolver::new(Arc::clone(&exchange));
        Self {
            agent: Agent::with_parts(config, connector, resolver),
            base: format!("https://{host}"),
            exchange,
        }
    }

    fn run(&self, request: &SignedRequest, timeout: Duration) -> Result<Reply, Error> {
        let mut builder = Request::builder()
            .method(request.method.as_str())
            .uri(format!("{}{}", self.base, *request.target));
        for (name, value) in &request.headers {
            builder = builder.header(*name, value.as_str());
        }
        let mut response = match &request.body {
            Some(body) => self.agent.run(
                self.agent
                    .configure_request(builder.body(body.as_slice())?)
                    .timeout_global(Some(timeout))
                    .build(),
            )?,
            None => self.agent.run(
                self.agent
                    .configure_request(builder.body(())?)
                    .timeout_global(Some(timeout))
                    .build(),
            )?,
        };
        let header = |name: &str| {
            let value = response.headers().get(name)?;
            value.to_str().ok().map(str::to_owned)
        };
        let date = header("date").and_then(|date| httpdate::parse_http_date(&date).ok());
        let retry_after = header("retry-after").or_else(|| header("x-retry-after"));
        let status = response.status().as_u16();
        let body = response
            .body_mut()
            .with_config()
            .limit(BODY_LIMIT)
            .read_to_vec()?;
        Ok(Reply {
            status,
            date,
            retry_after,
            body,
        })
    }
}

impl Transport for HttpsTransport {
    fn exchange(
        &mut self,
        request: &SignedRequest,
        timeout: Duration,
    ) -> Result<Reply, TransportError> {
        // Beyond a day, adding to a point in time may overflow.
        let timeout = timeout.min(Duration::from_secs(24 * 60 * 60));
        let started = Instant::now();
        self.exchange.begin(timeout);
        self.run(request, timeout).map_err(|error| {
            let lacked = lacked(&error, &self.exchange, started.elapsed(), timeout);
            let stage = self.exchange.stage();
            let mut detail = describe(&error);
            if let Some(lacked) = &lacked {
                let _ = write!(detail, " ({lacked})");
            }
            TransportError {
                detail,
                maybe_sent: stage != Exchange::CONNECTING,
                cause: match &error {
                    _ if lacked.is_some() => Cause::ResourceExhaustion,
                    Error::Io(error) if is_not_permitted(error) => Cause::NotPermitted,
                    _ => Cause::Network,
                },
                retry_on_new_connection: match stage {
                    Exchange::REUSED => true,
                    Exchange::CONNECTING => self.exchange.is_worth_another(&error),
                    _ => false,
                },
            }
        })
    }
}

/// What this machine lacked, if that is why the request failed.
fn lacked(
    error: &Error,
    exchange: &Exchange,
    took: Duration,
    timeout: Duration,
) -> Option<Cow<'static, str>> {
    if let Some(what) = exchange.lacked() {
        return Some(what.into());
    }
    if matches!(error, Error::Io(error) if is_resource_exhaustion(error)) {
        return Some("this machine's own limit".into());
    }
    if let Some(what) = probe() {
        return Some(what.into());
    }
    // Every wait ends by the deadline. Where one did not, this process was stopped meanwhile, and
    // Duo's answer may have been there in time.
    let late = took.saturating_sub(timeout);
    let tolerable = LEAST_TOLERATED.max(timeout / 4);
    (late > tolerable).then(|| format!("this process was stopped for {} s", late.as_secs()).into())
}

/// An error's words for the log. Never the request's.
fn describe(error: &Error) -> String {
    match error {
        Error::Timeout(phase) => match phase {
            ureq::Timeout::Resolve => "the name was not resolved in time".to_owned(),
            ureq::Timeout::Connect => "no connection in time".to_owned(),
            _ => "no answer in time".to_owned(),
        },
        Error::Io(error) => match refused_certificate(error) {
            Some(reason) => format!("invalid peer certificate: {reason}"),
            None => error.to_string(),
        },
        Error::Rustls(error) => format!("TLS: {error}"),
        Error::HostNotFound => "the name has no address".to_owned(),
        Error::ConnectProxyFailed(reason) => format!("http_proxy: {reason}"),
        other => other.to_string(),
    }
}

/// Why a certificate was refused, where it was not by rustls itself, whose `Display` would wrap the
/// reason in the names of its types.
fn refused_certificate(error: &io::Error) -> Option<&OtherError> {
    match error.get_ref()?.downcast_ref()? {
        rustls::Error::InvalidCertificate(CertificateError::Other(reason)) => Some(reason),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::Arc;

    use super::{CertificateError, Error, OtherError, describe};

    #[test]
    fn a_certificate_that_is_refused_is_refused_in_words() {
        let described = |error: CertificateError| {
            let error = rustls::Error::from(error);
            describe(&Error::Io(io::Error::other(error)))
        };
        let refusal = io::Error::other("the reason");
        assert_eq!(
            described(CertificateError::Other(OtherError(Arc::new(refusal)))),
            "invalid peer certificate: the reason"
        );
        assert_eq!(
            described(CertificateError::UnknownIssuer),
            "invalid peer certificate: UnknownIssuer"
        );
    }
}
