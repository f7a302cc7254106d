//! What the parts of a connection know of the request at hand.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::unversioned::transport::NextTimeout;

/// What the connector chain knows of the request at hand.
#[derive(Debug, Default)]
pub(super) struct Exchange {
    /// How far it has come.
    stage: AtomicU8,
    /// When it has to be over. Every read and write below TLS is held to it, so that neither a
    /// peer that drips nor a proxy that stalls can stretch it.
    deadline: Mutex<Option<Instant>>,
    /// Which addresses there are, and what is known of them.
    route: Mutex<Route>,
    /// What this machine lacked, where an error does not tell.
    lacked: Mutex<Option<&'static str>>,
}

/// The addresses of the last connection that was wanted.
#[derive(Debug, Default)]
struct Route {
    /// How many there were.
    known: usize,
    /// The one that was connected to.
    peer: Option<SocketAddr>,
    /// Those whose connections broke before anything was sent; tried last.
    suspect: Vec<SocketAddr>,
}

impl Exchange {
    /// No new connection was wanted: the kept one is in use.
    pub(super) const REUSED: u8 = 0;
    /// A new connection is being opened; nothing of the request has left.
    pub(super) const CONNECTING: u8 = 1;
    /// A new connection stands.
    pub(super) const CONNECTED: u8 = 2;

    pub(super) fn begin(&self, timeout: Duration) {
        self.set_stage(Self::REUSED);
        *lock(&self.lacked) = None;
        *lock(&self.deadline) = Instant::now().checked_add(timeout);
    }

    /// This machine lacked `what`.
    pub(super) fn lacks(&self, what: &'static str) {
        *lock(&self.lacked) = Some(what);
    }

    /// What this machine lacked.
    pub(super) fn lacked(&self) -> Option<&'static str> {
        *lock(&self.lacked)
    }

    /// The connection that was wanted has been made to `peer`.
    pub(super) fn connected_to(&self, peer: Option<SocketAddr>) {
        lock(&self.route).peer = peer;
    }

    /// Puts the addresses that have failed last.
    pub(super) fn in_order(&self, addresses: &[SocketAddr]) -> Vec<SocketAddr> {
        let mut route = lock(&self.route);
        route.known = addresses.len();
        route.peer = None;
        let mut order = addresses.to_vec();
        order.sort_by_key(|address| route.suspect.contains(address));
        order
    }

    /// A connection broke before anything was sent: whether the next one may fare better. A
    /// refusal for a reason, such as a certificate, would be the same again; and where time has run
    /// out, only an address that was not tried yet is worth as much time again.
    pub(super) fn is_worth_another(&self, error: &Error) -> bool {
        let mut route = lock(&self.route);
        let Some(peer) = route.peer.take() else {
            return false;
        };
        route.suspect.push(peer);
        match error {
            Error::Io(error) => matches!(
                error.kind(),
                ErrorKind::ConnectionReset
                    | ErrorKind::ConnectionAborted
                    | ErrorKind::BrokenPipe
                    | ErrorKind::UnexpectedEof
            ),
            Error::Timeout(_) => route.suspect.len() < route.known,
            _ => false,
        }
    }

    pub(super) fn set_stage(&self, stage: u8) {
        self.stage.store(stage, Ordering::Relaxed);
    }

    pub(super) fn stage(&self) -> u8 {
        self.stage.load(Ordering::Relaxed)
    }

    /// Cuts `timeout` down to what is left.
    pub(super) fn bound(&self, mut timeout: NextTimeout) -> Result<NextTimeout, Error> {
        let left = match *lock(&self.deadline) {
            Some(deadline) => deadline.saturating_duration_since(Instant::now()),
            None => Duration::ZERO,
        };
        if left.is_zero() {
            return Err(Error::Timeout(timeout.reason));
        }
        timeout.after = timeout.after.min(left.into());
        Ok(timeout)
    }
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
