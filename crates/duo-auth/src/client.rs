//! Duo's Auth API over a [`Transport`]: signing, sending, clock skew, rate limits and deadlines.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, SystemTime};

use crate::clock::Clock;
use crate::error::DuoError;
use crate::parse::{self, NoResponse};
use crate::reply::{AuthReply, Preauth, Progress};
use crate::request::{self, AuthRequest, PreauthRequest};
use crate::retry_after;
use crate::sanitize::clean;
use crate::sign::{Application, Method, Parameters, SignError, SignedRequest, Unsigned, sign};
use crate::skew::Skew;

/// Sends one signed request and gives the reply, whatever its status.
///
/// [`HttpsTransport`](crate::net::HttpsTransport) is the real one; a test brings a script.
pub trait Transport {
    /// Sends `request` and reads the whole reply, all within `timeout`: look-up of the name,
    /// connection and TLS included. What is in `request` is sent byte for byte, or the signature is
    /// wrong. Redirects are not followed.
    ///
    /// # Errors
    /// [`TransportError`] if no complete reply came in time. A reply of any status, 401 and 503
    /// included, is no error here.
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
    /// The server's clock, from the header `Date` (RFC 9110, section 6.6.1); `None` if there is
    /// none that can be read.
    pub date: Option<SystemTime>,
    /// `Retry-After` or `X-Retry-After`, as it came; see [`retry_after::parse`].
    pub retry_after: Option<String>,
    /// The body. Its size is bounded by the transport.
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
    /// Who is to blame.
    pub cause: Cause,
    /// Whether a new connection may fare better: it happened on one that had been kept alive, which
    /// the other side may have closed meanwhile, or on a new one that broke before anything was
    /// sent.
    pub retry_on_new_connection: bool,
}

/// Who is to blame for a request that brought no reply; decides which
/// [`DuoError`] a [`Client`] makes of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The way to Duo, or Duo.
    Network,
    /// Local resource exhaustion (descriptors, memory, ports, time). Not an outage: the caller of
    /// su controls these limits.
    ResourceExhaustion,
    /// This machine does not permit it: SELinux, or a local firewall (EACCES, EPERM).
    NotPermitted,
}

/// What a login asks of Duo (Duo's Auth API v2). Deadlines are points on the line of
/// [`Clock::now`]: a call that begins after its deadline sends nothing and is
/// [`DuoError::Unreachable`].
pub trait DuoApi {
    /// May this user log in, and with what? `POST /auth/v2/preauth`; nobody's phone is touched, so
    /// it may be sent again.
    ///
    /// # Errors
    /// [`DuoError`] if Duo gave no usable answer before `deadline`. A denial is no error but
    /// [`Preauth::Deny`].
    fn preauth(
        &mut self,
        request: &PreauthRequest<'_>,
        deadline: Duration,
    ) -> Result<Preauth, DuoError>;

    /// Asks for a factor. `POST /auth/v2/auth`; once Duo may have seen it, it is never sent again,
    /// since that could be a second push. A push or a call gives [`AuthReply::Transaction`], to be
    /// polled; a passcode or SMS is decided at once.
    ///
    /// # Errors
    /// [`DuoError`] if Duo gave no usable answer before `deadline`. A wrong passcode is no error but
    /// [`Verdict::Deny`](crate::Verdict::Deny).
    fn auth(
        &mut self,
        request: &AuthRequest<'_>,
        deadline: Duration,
    ) -> Result<AuthReply, DuoError>;

    /// Waits for news of the transaction `txid`. `GET /auth/v2/auth_status`, which Duo answers when
    /// the status changes: call it again while the verdict is
    /// [`Verdict::Waiting`](crate::Verdict::Waiting), and not faster than once a second.
    ///
    /// # Errors
    /// [`DuoError`] if Duo gave no usable answer before `deadline`.
    fn auth_status(&mut self, txid: &str, deadline: Duration) -> Result<Progress, DuoError>;
}

/// Signs and sends; implements [`DuoApi`] over any transport and clock.
pub struct Client<'a, T> {
    transport: T,
    clock: &'a dyn Clock,
    application: &'a Application,
    /// Longest time for one request.
    request_timeout: Duration,
    /// How far Duo's clock is ahead of ours, once it is known to differ.
    skew: Skew,
    trace: &'a dyn Fn(String),
}

/// Minimum interval between polls, and before retrying after HTTP 429.
const PACE: Duration = Duration::from_secs(1);

/// How a request may be repeated.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Repeat {
    /// Sending it twice does no harm.
    Harmless,
    /// Only if it surely never left this machine.
    OnlyUnsent,
}

/// One call of the API, and how its reply is read.
struct Call<R> {
    method: Method,
    path: &'static str,
    parameters: Parameters,
    repeat: Repeat,
    /// Longest time for one request.
    timeout: Duration,
    read: fn(&[u8]) -> Result<R, NoResponse>,
}

impl<R> Call<R> {
    /// A GET that may be repeated.
    fn get(
        path: &'static str,
        parameters: Parameters,
        timeout: Duration,
        read: fn(&[u8]) -> Result<R, NoResponse>,
    ) -> Self {
        Self {
            method: Method::Get,
            path,
            parameters,
            repeat: Repeat::Harmless,
            timeout,
            read,
        }
    }
}

/// Why a request brought no reply.
enum SendError {
    /// It could not be signed: a bug.
    Sign(SignError),
    /// The transport's.
    Transport(TransportError),
}

impl<'a, T: Transport> Client<'a, T> {
    /// A client for one login of `application`; nothing is sent yet. `request_timeout` bounds one
    /// request (a long poll is bounded by its deadline alone); `trace` gets a line for each request
    /// and reply, without secrets and control characters.
    pub fn new(
        transport: T,
        clock: &'a dyn Clock,
        application: &'a Application,
        request_timeout: Duration,
        trace: &'a dyn Fn(String),
    ) -> Self {
        Self {
            transport,
            clock,
            application,
            request_timeout,
            skew: Skew::default(),
            trace,
        }
    }

    /// Whether the keys are right and the signature is accepted (`GET /auth/v2/check`, signed).
    /// Gives Duo's clock, in Unix seconds.
    ///
    /// # Errors
    /// [`DuoError::KeysRejected`] if they are not; another [`DuoError`] if Duo gave no usable answer
    /// before `deadline`.
    pub fn check(&mut self, deadline: Duration) -> Result<u64, DuoError> {
        self.ask_time("/auth/v2/check", deadline)
    }

    /// Duo's clock, in Unix seconds (`GET /auth/v2/ping`). Duo does not look at its signature, so it
    /// says nothing about the keys.
    ///
    /// # Errors
    /// [`DuoError`] if Duo gave no usable answer before `deadline`.
    pub fn time(&mut self, deadline: Duration) -> Result<u64, DuoError> {
        self.ask_time("/auth/v2/ping", deadline)
    }

    fn ask_time(&mut self, path: &'static str, deadline: Duration) -> Result<u64, DuoError> {
        let none = Parameters::default();
        let call = Call::get(path, none, self.request_timeout, parse::read_time);
        self.call(&call, deadline)
    }

    /// One call: sign, send, and again where that is safe and useful, until `deadline`.
    fn call<R>(&mut self, call: &Call<R>, deadline: Duration) -> Result<R, DuoError> {
        let path = call.path;
        let mut signed_again = false;
        let mut sent_again = false;
        let mut rate_limited = 0;
        loop {
            let left = match self.left(deadline) {
                Ok(left) => left.min(call.timeout),
                Err(_) if rate_limited > 0 => return Err(DuoError::RateLimited),
                Err(error) => return Err(error),
            };
            let reply = match self.send(call.method, path, &call.parameters, left) {
                Ok(reply) => reply,
                Err(SendError::Sign(error)) => return Err(DuoError::Bug(error.to_string())),
                Err(SendError::Transport(error)) => {
                    // One more try on a new connection, where that cannot do harm.
                    let safe = call.repeat == Repeat::Harmless || !error.maybe_sent;
                    if safe && !sent_again && error.retry_on_new_connection {
                        sent_again = true;
                        continue;
                    }
                    return Err(self.failed(&error, rate_limited > 0));
                }
            };
            let refusal = match reply.status {
                200 => match (call.read)(&reply.body) {
                    Ok(response) => return Ok(response),
                    Err(NoResponse::Refused(refusal)) => refusal,
                    Err(NoResponse::Bad(bad)) => return Err(DuoError::BadReply(bad.to_string())),
                },
                400..=499 => parse::refusal(&reply.body).unwrap_or_default(),
                status => return Err(DuoError::Status(status)),
            };
            // A refusal under status 200 has the status of its code.
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
                    let wait = self.rate_limit_wait(&reply, rate_limited);
                    rate_limited += 1;
                    // Waiting longer than the login may last helps nobody.
                    if self.clock.now().saturating_add(wait) >= deadline {
                        return Err(DuoError::RateLimited);
                    }
                    (self.trace)(format!("{path}: HTTP 429, waiting {} ms", wait.as_millis()));
                    self.clock.sleep(wait);
                }
                500..=599 => return Err(DuoError::Status(status)),
                status => return Err(DuoError::Refused { status, refusal }),
            }
        }
    }

    /// What a transport's error means. After a 429, it is that: whoever brought it about may have
    /// brought about the rest.
    fn failed(&self, error: &TransportError, rate_limited: bool) -> DuoError {
        let host = self.application.host.to_string();
        let detail = clean(&error.detail);
        if rate_limited {
            return DuoError::RateLimited;
        }
        match error.cause {
            Cause::Network => DuoError::Unreachable { host, detail },
            Cause::ResourceExhaustion => DuoError::ResourceExhausted { host, detail },
            Cause::NotPermitted => DuoError::NotPermitted { host, detail },
        }
    }

    /// How long to wait after HTTP 429, which came `before` times already.
    fn rate_limit_wait(&self, reply: &Reply, before: u32) -> Duration {
        let named = reply
            .retry_after
            .as_deref()
            .and_then(|value| retry_after::parse(value, self.skew.apply(self.clock.wall())));
        let wait = named.unwrap_or_else(|| retry_after::backoff(before, jitter()));
        // "At once" would hammer a server that has just said that it is too much.
        wait.max(PACE)
    }

    /// Signs and sends once.
    fn send(
        &mut self,
        method: Method,
        path: &'static str,
        parameters: &Parameters,
        timeout: Duration,
    ) -> Result<Reply, SendError> {
        let date = httpdate::fmt_http_date(self.skew.apply(self.clock.wall()));
        let unsigned = Unsigned {
            method,
            host: self.application.host.name(),
            path,
            parameters,
            date: &date,
        };
        let request = sign(
            self.application.signature,
            &self.application.keys,
            &unsigned,
        )
        .map_err(SendError::Sign)?;
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
                parse::redacted(&reply.body)
            )),
            Err(error) => (self.trace)(format!("{path}: {} after {took} ms", clean(&error.detail))),
        }
        result.map_err(SendError::Transport)
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
            Some(skew) if skew.is_notable() && skew.is_plausible(self.clock.wall()) => {
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
        let seconds = parse::read_time(&reply.body).ok()?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds))
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
            host: self.application.host.to_string(),
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
        let call = Call {
            method: Method::Post,
            path: "/auth/v2/preauth",
            parameters: request.parameters(),
            repeat: Repeat::Harmless,
            timeout: self.request_timeout,
            read: parse::read_preauth,
        };
        self.call(&call, deadline)
    }

    fn auth(
        &mut self,
        request: &AuthRequest<'_>,
        deadline: Duration,
    ) -> Result<AuthReply, DuoError> {
        let call = Call {
            method: Method::Post,
            path: "/auth/v2/auth",
            parameters: request.parameters(),
            repeat: Repeat::OnlyUnsent,
            timeout: self.request_timeout,
            read: parse::read_auth,
        };
        self.call(&call, deadline)
    }

    /// Long-polls: the request is bounded by the deadline alone. A connection that dies during the
    /// wait, and a poll that Duo ends with 40002, do not end it: the same transaction
    /// is asked for again until the deadline.
    fn auth_status(&mut self, txid: &str, deadline: Duration) -> Result<Progress, DuoError> {
        let call = Call::get(
            "/auth/v2/auth_status",
            request::status_parameters(txid),
            Duration::MAX,
            parse::read_status,
        );
        loop {
            let started = self.clock.now();
            let result = self.call(&call, deadline);
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

/// Up to one second, at random: servers that were refused together do not come back together.
fn jitter() -> Duration {
    let random = RandomState::new().build_hasher().finish();
    Duration::from_millis(random % 1000)
}
