//! Duo's Auth API over a [`Transport`]: signing, sending, clock skew, rate limits and deadlines.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, SystemTime};

use super::api::{
    self, AuthReply, AuthRequest, BadReply, Envelope, Preauth, PreauthRequest, Progress,
};
pub use super::error::DuoError;
use super::retry_after;
use super::sign::{Keys, Method, Parameters, Signature, SignedRequest, Unsigned, sign};
use super::skew::Skew;
use crate::clock::Clock;
use crate::text::clean;

/// Sends one signed request and gives the reply, whatever its status.
pub trait Transport {
    /// Sends `request` and reads the reply, all within `timeout`.
    ///
    /// # Errors
    /// [`TransportError`] if no complete reply came in time.
    fn exchange(
        &mut self,
        request: &SignedRequest,
        timeout: Duration,
    ) -> Result<Reply, TransportError>;
}

/// A complete HTTP reply.
#[derive(Clone, Debug, Default)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The server's clock, from the `Date` header.
    pub date: Option<SystemTime>,
    /// `Retry-After` or `X-Retry-After`, as it came.
    pub retry_after: Option<String>,
    /// The body, bounded in size.
    pub body: Vec<u8>,
}

/// Why no reply came.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct TransportError {
    /// What went wrong, for the log.
    pub detail: String,
    /// Whether Duo may have seen the request. If so, it must not be sent again unless it is
    /// harmless to do so: two pushes for one login teach people to approve what they did not ask
    /// for.
    pub maybe_sent: bool,
    /// Whether this machine had nothing left to do it with: no outage, and nothing that lets
    /// anyone in, since whoever calls su sets its limits.
    pub local: bool,
    /// Whether a fresh connection may fare better: it happened on one that had been kept alive,
    /// which the other side may have closed meanwhile, or on a new one that broke before anything
    /// was sent.
    pub again: bool,
}

/// What a login asks of Duo. Deadlines are points on the line of [`Clock::now`].
pub trait DuoApi {
    /// May this user log in, and with what?
    ///
    /// # Errors
    /// [`DuoError`] if Duo gave no usable answer before `deadline`.
    fn preauth(
        &mut self,
        request: &PreauthRequest<'_>,
        deadline: Duration,
    ) -> Result<Preauth, DuoError>;

    /// Asks for a factor.
    ///
    /// # Errors
    /// [`DuoError`] if Duo gave no usable answer before `deadline`.
    fn auth(
        &mut self,
        request: &AuthRequest<'_>,
        deadline: Duration,
    ) -> Result<AuthReply, DuoError>;

    /// Waits for news of a transaction.
    ///
    /// # Errors
    /// [`DuoError`] if Duo gave no usable answer before `deadline`.
    fn auth_status(&mut self, txid: &str, deadline: Duration) -> Result<Progress, DuoError>;
}

/// Signs and sends; implements [`DuoApi`] over any transport and clock.
pub struct Client<'a, T> {
    transport: T,
    clock: &'a dyn Clock,
    keys: &'a Keys,
    host: &'a str,
    signature: Signature,
    /// Longest time for one request.
    request_timeout: Duration,
    /// How far Duo's clock is ahead of ours, once it is known to differ.
    skew: Skew,
    trace: &'a dyn Fn(String),
}

/// Shortest time between two polls, and before a request that was one too many is sent again.
const PACE: Duration = Duration::from_secs(1);

/// How a request may be repeated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeat {
    /// Sending it twice does no harm.
    Harmless,
    /// Only if it surely never left this machine.
    OnlyUnsent,
}

impl<'a, T: Transport> Client<'a, T> {
    /// A client for one login. `host` may carry a port; `trace` gets a line for each request and
    /// reply, without secrets.
    pub fn new(
        transport: T,
        clock: &'a dyn Clock,
        keys: &'a Keys,
        host: &'a str,
        signature: Signature,
        request_timeout: Duration,
        trace: &'a dyn Fn(String),
    ) -> Self {
        Self {
            transport,
            clock,
            keys,
            host,
            signature,
            request_timeout,
            skew: Skew::default(),
            trace,
        }
    }

    /// Whether the keys are right and the signature is accepted (`/auth/v2/check`).
    ///
    /// # Errors
    /// [`DuoError`] if Duo gave no usable answer before `deadline`.
    pub fn check(&mut self, deadline: Duration) -> Result<u64, DuoError> {
        let none = Parameters::default();
        self.call(
            Method::Get,
            "/auth/v2/check",
            &none,
            Repeat::Harmless,
            self.request_timeout,
            deadline,
            api::read_time,
        )
    }

    /// Duo's clock, in Unix seconds (`/auth/v2/ping`).
    ///
    /// # Errors
    /// [`DuoError`] if Duo gave no usable answer before `deadline`.
    pub fn time(&mut self, deadline: Duration) -> Result<u64, DuoError> {
        let none = Parameters::default();
        self.call(
            Method::Get,
            "/auth/v2/ping",
            &none,
            Repeat::Harmless,
            self.request_timeout,
            deadline,
            api::read_time,
        )
    }

    /// One call: sign, send, and again where that is safe and useful, until `deadline`.
    #[allow(clippy::too_many_arguments)]
    fn call<R>(
        &mut self,
        method: Method,
        path: &'static str,
        parameters: &Parameters,
        repeat: Repeat,
        timeout: Duration,
        deadline: Duration,
        read: fn(&[u8]) -> Result<Envelope<R>, BadReply>,
    ) -> Result<R, DuoError> {
        let mut signed_again = false;
        let mut sent_again = false;
        let mut rate_limited = 0;
        loop {
            let left = self.left(deadline)?.min(timeout);
            let reply = match self.send(method, path, parameters, left) {
                Ok(reply) => reply,
                Err(error) => {
                    let error = error?;
                    // One more try on a fresh connection, where that cannot do harm.
                    let safe = repeat == Repeat::Harmless || !error.maybe_sent;
                    if safe && !sent_again && error.again {
                        sent_again = true;
                        continue;
                    }
                    if error.local {
                        return Err(DuoError::Bug(clean(&error.detail)));
                    }
                    return Err(self.unreachable(&error.detail));
                }
            };
            let refusal = match reply.status {
                200 => match read(&reply.body) {
                    Ok(Ok(response)) => return Ok(response),
                    Ok(Err(refusal)) => refusal,
                    Err(bad) => return Err(DuoError::BadReply(bad.to_string())),
                },
                400..=499 => api::refusal(&reply.body).unwrap_or_default(),
                status => return Err(DuoError::Status(status)),
            };
            // A refusal under status 200 counts by its code.
            let status = match reply.status {
                200 => refusal
                    .code
                    .and_then(|code| u16::try_from(code / 100).ok())
                    .unwrap_or(400),
                status => status,
            };
            match status {
                401 if refusal.code == Some(40105) && !signed_again => {
                    signed_again = true;
                    if !self.learn_clock(&reply, deadline) {
                        return Err(DuoError::KeysRejected(refusal));
                    }
                }
                401 => return Err(DuoError::KeysRejected(refusal)),
                429 => {
                    let wait = reply
                        .retry_after
                        .as_deref()
                        .and_then(|value| {
                            retry_after::parse(value, self.skew.apply(self.clock.wall()))
                        })
                        .unwrap_or_else(|| retry_after::backoff(rate_limited, jitter()));
                    // "At once" would hammer a server that has just said that it is too much.
                    let wait = wait.max(PACE);
                    rate_limited += 1;
                    // Waiting longer than the login may last helps nobody.
                    if self.clock.now().saturating_add(wait) >= deadline {
                        return Err(DuoError::Status(429));
                    }
                    (self.trace)(format!("{path}: HTTP 429, waiting {} ms", wait.as_millis()));
                    self.clock.sleep(wait);
                }
                500..=599 => return Err(DuoError::Status(status)),
                status => return Err(DuoError::Refused { status, refusal }),
            }
        }
    }

    /// Signs and sends once. The outer error is the transport's, the inner one a bug.
    fn send(
        &mut self,
        method: Method,
        path: &'static str,
        parameters: &Parameters,
        timeout: Duration,
    ) -> Result<Reply, Result<TransportError, DuoError>> {
        let date = httpdate::fmt_http_date(self.skew.apply(self.clock.wall()));
        let request = sign(
            self.signature,
            self.keys,
            &Unsigned {
                method,
                host: host_without_port(self.host),
                path,
                parameters,
                date: &date,
            },
        )
        .map_err(|error| Err(DuoError::Bug(error.to_string())))?;
        let names: Vec<&str> = parameters.names().collect();
        (self.trace)(format!(
            "{} {path} ({}) within {} ms",
            method.as_str(),
            names.join(" "),
            timeout.as_millis()
        ));
        let start = self.clock.now();
        let result = self.transport.exchange(&request, timeout);
        let took = self.clock.now().saturating_sub(start).as_millis();
        match &result {
            Ok(reply) => (self.trace)(format!(
                "{path}: HTTP {}, {} bytes in {took} ms: {}",
                reply.status,
                reply.body.len(),
                api::redacted(&reply.body)
            )),
            Err(error) => (self.trace)(format!("{path}: {} after {took} ms", clean(&error.detail))),
        }
        result.map_err(Ok)
    }

    /// Learns how far the clocks differ from a 40105 reply, or from ping where the reply's date
    /// does not explain it. False if there is nothing to learn.
    fn learn_clock(&mut self, reply: &Reply, deadline: Duration) -> bool {
        let ours = self.clock.wall();
        let from_header = reply.date.map(|theirs| Skew::between(ours, theirs));
        let skew = match from_header {
            Some(skew) if skew.is_notable() => Some(skew),
            _ => self
                .ping(deadline)
                .map(|theirs| Skew::between(self.clock.wall(), theirs)),
        };
        match skew {
            Some(skew) if skew.is_notable() && skew.is_believable(self.clock.wall()) => {
                (self.trace)(format!("Duo's clock is {skew}: signing again"));
                self.skew = skew;
                true
            }
            _ => false,
        }
    }

    /// Asks for the server's time.
    fn ping(&mut self, deadline: Duration) -> Option<SystemTime> {
        let timeout = self.left(deadline).ok()?.min(self.request_timeout);
        let none = Parameters::default();
        let reply = self
            .send(Method::Get, "/auth/v2/ping", &none, timeout)
            .ok()?;
        match api::read_time(&reply.body) {
            Ok(Ok(seconds)) => SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)),
            _ => None,
        }
    }

    /// Time left until `deadline`, or the error that says that there is none.
    fn left(&self, deadline: Duration) -> Result<Duration, DuoError> {
        let left = deadline.saturating_sub(self.clock.now());
        if left.is_zero() {
            Err(self.unreachable("no answer in time"))
        } else {
            Ok(left)
        }
    }

    fn unreachable(&self, detail: &str) -> DuoError {
        DuoError::Unreachable {
            host: self.host.to_owned(),
            detail: clean(detail),
        }
    }
}

impl<T: Transport> DuoApi for Client<'_, T> {
    fn preauth(
        &mut self,
        request: &PreauthRequest<'_>,
        deadline: Duration,
    ) -> Result<Preauth, DuoError> {
        self.call(
            Method::Post,
            "/auth/v2/preauth",
            &request.parameters(),
            Repeat::Harmless,
            self.request_timeout,
            deadline,
            api::read_preauth,
        )
    }

    fn auth(
        &mut self,
        request: &AuthRequest<'_>,
        deadline: Duration,
    ) -> Result<AuthReply, DuoError> {
        self.call(
            Method::Post,
            "/auth/v2/auth",
            &request.parameters(),
            Repeat::OnlyUnsent,
            self.request_timeout,
            deadline,
            api::read_auth,
        )
    }

    /// Long-polls: the request is bounded by the deadline alone. A connection that dies during the
    /// wait, and a poll that Duo ends with 40002, are no reason to give up: the same transaction
    /// is asked for again until the deadline.
    fn auth_status(&mut self, txid: &str, deadline: Duration) -> Result<Progress, DuoError> {
        let parameters = api::status_parameters(txid);
        loop {
            let started = self.clock.now();
            let result = self.call(
                Method::Get,
                "/auth/v2/auth_status",
                &parameters,
                Repeat::Harmless,
                Duration::MAX,
                deadline,
                api::read_status,
            );
            match &result {
                Err(DuoError::Unreachable { .. }) => {}
                Err(DuoError::Refused { refusal, .. }) if refusal.code == Some(40002) => {}
                _ => return result,
            }
            // Never faster than one poll a second.
            let pause = PACE.saturating_sub(self.clock.now().saturating_sub(started));
            if self.clock.now() + pause >= deadline {
                return result;
            }
            self.clock.sleep(pause);
        }
    }
}

/// The host as it is signed: without port.
fn host_without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Up to one second, at random: servers that were refused together do not come back together.
fn jitter() -> Duration {
    let random = RandomState::new().build_hasher().finish();
    Duration::from_millis(random % 1000)
}
