//! The network: ureq and rustls live here and in [`super::trust`], and nowhere else.
//!
//! ureq's defaults do not suit a PAM module, so each is set: no proxy from the environment, no
//! redirects, a status is no error, HTTPS only, a time limit for everything.

use std::collections::HashMap;
use std::fmt;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};
use ureq::config::Config;
use ureq::http::{Request, Uri};
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{
    Buffers, ConnectProxyConnector, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout,
    TcpConnector, Transport as Wire, TransportAdapter,
};
use ureq::{Agent, Error, Proxy};

use super::client::{Reply, Transport, TransportError};
use super::sign::SignedRequest;

/// Longest body that is read, in bytes: a preauth reply for a user with many devices has a few
/// thousand.
const BODY_LIMIT: u64 = 256 * 1024;
/// Longest head of a reply, in bytes.
const HEADER_LIMIT: usize = 16 * 1024;
/// Size of one buffer, in bytes.
const BUFFER: usize = 32 * 1024;
/// Stack of the thread that looks up a name, in bytes: NSS modules are not frugal.
const RESOLVER_STACK: usize = 512 * 1024;

/// Names this program and its version to Duo.
pub const USER_AGENT: &str = concat!("pam_duo-rs/", env!("CARGO_PKG_VERSION"));

/// One HTTPS connection to Duo, opened when first needed and kept alive for the whole login.
pub struct HttpsTransport {
    agent: Agent,
    base: String,
    exchange: Arc<Exchange>,
}

impl HttpsTransport {
    /// Connects to `host` (name or address, maybe with a port), through `proxy` if there is one.
    #[must_use]
    pub fn new(host: &str, tls: Arc<ClientConfig>, proxy: Option<Proxy>) -> Self {
        let exchange = Arc::new(Exchange::default());
        let config = Agent::config_builder()
            .proxy(proxy)
            .https_only(true)
            .http_status_as_error(false)
            .max_redirects(0)
            .user_agent(USER_AGENT)
            .accept("application/json")
            .accept_encoding("")
            .no_delay(true)
            .max_response_header_size(HEADER_LIMIT)
            .input_buffer_size(BUFFER)
            .output_buffer_size(BUFFER)
            .max_idle_connections(1)
            .max_idle_connections_per_host(1)
            // A user may look for the phone longer than ureq's 15 s; the login's own deadline ends
            // it.
            .max_idle_age(Duration::from_secs(24 * 60 * 60))
            .build();
        let connector =
            ().chain(Begin(Arc::clone(&exchange)))
                .chain(ConnectProxyConnector::default())
                .chain(TcpConnector::default())
                .chain(Bounding(Arc::clone(&exchange)))
                .chain(TlsConnector {
                    tls,
                    exchange: Arc::clone(&exchange),
                });
        let resolver = BoundedResolver {
            known: Mutex::default(),
            exchange: Arc::clone(&exchange),
        };
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
        self.exchange.begin(timeout);
        self.run(request, timeout).map_err(|error| {
            let stage = self.exchange.stage();
            TransportError {
                detail: describe(&error),
                maybe_sent: stage != Exchange::CONNECTING,
                local: matches!(&error, Error::Io(error) if is_local(error)),
                reused: stage == Exchange::REUSED,
            }
        })
    }
}

/// Reads the key `http_proxy`: `http://[user:password@]host[:port]`. `None` if it is not that.
#[must_use]
pub fn proxy(url: &str) -> Option<Proxy> {
    let proxy = Proxy::new(url).ok()?;
    let is_http = proxy.protocol() == ureq::ProxyProtocol::Http;
    (is_http && !proxy.host().is_empty()).then_some(proxy)
}

/// Whether this machine has run out of descriptors or memory.
fn is_local(error: &std::io::Error) -> bool {
    use nix::libc::{EMFILE, ENFILE, ENOBUFS, ENOMEM};
    matches!(
        error.raw_os_error(),
        Some(EMFILE | ENFILE | ENOBUFS | ENOMEM)
    )
}

/// An error's words for the log. Never the request's.
fn describe(error: &Error) -> String {
    match error {
        Error::Timeout(phase) => match phase {
            ureq::Timeout::Resolve => "the name was not resolved in time".to_owned(),
            ureq::Timeout::Connect => "no connection in time".to_owned(),
            _ => "no answer in time".to_owned(),
        },
        Error::Io(error) => error.to_string(),
        Error::Rustls(error) => format!("TLS: {error}"),
        Error::HostNotFound => "the name has no address".to_owned(),
        Error::ConnectProxyFailed(reason) => format!("http_proxy: {reason}"),
        other => other.to_string(),
    }
}

/// What the connector chain knows of the request at hand.
#[derive(Debug, Default)]
struct Exchange {
    /// How far it has come.
    stage: AtomicU8,
    /// When it has to be over. Every read and write below TLS is held to it, so that neither a
    /// peer that drips nor a proxy that stalls can stretch it.
    deadline: Mutex<Option<Instant>>,
}

impl Exchange {
    /// No new connection was wanted: the kept one is in use.
    const REUSED: u8 = 0;
    /// A new connection is being opened; nothing of the request has left.
    const CONNECTING: u8 = 1;
    /// A new connection stands.
    const CONNECTED: u8 = 2;

    fn begin(&self, timeout: Duration) {
        self.set_stage(Self::REUSED);
        *self.lock() = Instant::now().checked_add(timeout);
    }

    fn set_stage(&self, stage: u8) {
        self.stage.store(stage, Ordering::Relaxed);
    }

    fn stage(&self) -> u8 {
        self.stage.load(Ordering::Relaxed)
    }

    /// Cuts `timeout` down to what is left.
    fn bound(&self, mut timeout: NextTimeout) -> Result<NextTimeout, Error> {
        let left = match *self.lock() {
            Some(deadline) => deadline.saturating_duration_since(Instant::now()),
            None => Duration::ZERO,
        };
        if left.is_zero() {
            return Err(Error::Timeout(timeout.reason));
        }
        timeout.after = timeout.after.min(left.into());
        Ok(timeout)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Instant>> {
        self.deadline.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Looks up names within the time allowed and remembers them: ureq asks for every request, also
/// where a connection stands.
struct BoundedResolver {
    known: Mutex<HashMap<String, Vec<SocketAddr>>>,
    exchange: Arc<Exchange>,
}

impl Resolver for BoundedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        _config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().ok_or(Error::HostNotFound)?;
        let https = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        let target = format!("{host}:{port}");
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let addresses = if let Some(addresses) = known.get(&target) {
            addresses
        } else {
            self.exchange.set_stage(Exchange::CONNECTING);
            let found = look_up(&target, *self.exchange.bound(timeout)?.after)?;
            self.exchange.set_stage(Exchange::REUSED);
            known.entry(target).or_insert(found)
        };
        let mut result = self.empty();
        for address in addresses.iter().take(16) {
            result.push(*address);
        }
        if result.is_empty() {
            return Err(Error::HostNotFound);
        }
        Ok(result)
    }
}

/// `getaddrinfo` has no time limit that we could set, so it runs in a thread that is left behind
/// when time is up (the module stays mapped, `-z nodelete`). Where no thread can be made, the
/// look-up runs here, bounded by the system resolver's own limits.
fn look_up(target: &str, timeout: Duration) -> Result<Vec<SocketAddr>, Error> {
    if let Ok(literal) = target.parse() {
        return Ok(vec![literal]);
    }
    let (sender, receiver) = mpsc::sync_channel(1);
    let name = target.to_owned();
    let started = thread::Builder::new()
        .stack_size(RESOLVER_STACK)
        .spawn(move || {
            // Nobody may be waiting any more.
            let _ = sender.send(name.to_socket_addrs().map(Vec::from_iter));
        });
    match started {
        Ok(_) => match receiver.recv_timeout(timeout) {
            Ok(found) => Ok(found?),
            Err(_) => Err(Error::Timeout(ureq::Timeout::Resolve)),
        },
        Err(_) => Ok(target.to_socket_addrs()?.collect()),
    }
}

/// First in the chain: a new connection is wanted.
struct Begin(Arc<Exchange>);

impl Connector<()> for Begin {
    type Out = ();

    fn connect(
        &self,
        _details: &ConnectionDetails,
        _chained: Option<()>,
    ) -> Result<Option<()>, Error> {
        self.0.set_stage(Exchange::CONNECTING);
        Ok(None)
    }
}

/// Holds a TCP connection to the deadline of each exchange.
struct Bounding(Arc<Exchange>);

impl<In: Wire> Connector<In> for Bounding {
    type Out = Bounded<In>;

    fn connect(
        &self,
        _details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        Ok(chained.map(|wire| Bounded {
            wire,
            exchange: Arc::clone(&self.0),
        }))
    }
}

/// A connection whose every operation ends by the deadline of the exchange.
#[derive(Debug)]
struct Bounded<W> {
    wire: W,
    exchange: Arc<Exchange>,
}

impl<W: Wire> Wire for Bounded<W> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.wire.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = self.exchange.bound(timeout)?;
        self.wire.transmit_output(amount, timeout)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = self.exchange.bound(timeout)?;
        self.wire.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.wire.is_open()
    }
}

/// Last in the chain: wraps the connection in TLS.
struct TlsConnector {
    tls: Arc<ClientConfig>,
    exchange: Arc<Exchange>,
}

impl<In: Wire> Connector<In> for TlsConnector {
    type Out = Either<In, TlsWire<In>>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(wire) = chained else {
            return Err(Error::ConnectionFailed);
        };
        if !details.needs_tls() {
            // The connection to a proxy; TLS to Duo goes on top of it.
            return Ok(Some(Either::A(wire)));
        }
        let host = details.uri.host().unwrap_or_default();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| Error::Tls("the host is neither a name nor an address"))?;
        let mut connection = ClientConnection::new(Arc::clone(&self.tls), name)?;
        let mut wire = TransportAdapter::new(wire, details.current_time.clone());
        wire.set_timeout(details.timeout);
        connection.complete_io(&mut wire)?;
        self.exchange.set_stage(Exchange::CONNECTED);
        Ok(Some(Either::B(TlsWire {
            buffers: LazyBuffers::new(BUFFER, BUFFER),
            stream: StreamOwned::new(connection, wire),
        })))
    }
}

/// A TLS connection as ureq wants it.
struct TlsWire<W: Wire> {
    buffers: LazyBuffers,
    stream: StreamOwned<ClientConnection, TransportAdapter<W>>,
}

impl<W: Wire> Wire for TlsWire<W> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.get_mut().set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.stream.write_all(output)?;
        Ok(())
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.get_mut().set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    fn is_open(&mut self) -> bool {
        self.stream.get_mut().get_mut().is_open()
    }

    fn is_tls(&self) -> bool {
        true
    }
}

/// ureq wants `Debug` of the parts it is given; none of them has anything to show.
macro_rules! opaque_debug {
    ($($name:ident $(<$parameter:ident>)?),*) => {$(
        impl$(<$parameter: Wire>)? fmt::Debug for $name$(<$parameter>)? {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(stringify!($name))
            }
        }
    )*};
}

opaque_debug!(BoundedResolver, Begin, Bounding, TlsConnector, TlsWire<W>);
