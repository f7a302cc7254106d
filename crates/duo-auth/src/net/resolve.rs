//! Name look-ups with a time limit.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use dns_lookup::{LookupError, LookupErrorKind, lookup_host};
use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::exchange::{Exchange, lock};

/// Stack of the thread that looks up a name, in bytes: NSS modules may need much stack.
const RESOLVER_STACK: usize = 512 * 1024;

/// What is looked up.
#[derive(PartialEq, Eq, Hash)]
struct Target {
    /// Name or address, without brackets.
    name: String,
    port: u16,
}

/// Looks up names within the time allowed and remembers them: ureq asks for every request, even
/// when a connection is open.
pub(super) struct BoundedResolver {
    known: Mutex<HashMap<Target, Vec<SocketAddr>>>,
    exchange: Arc<Exchange>,
}

impl BoundedResolver {
    pub(super) fn new(exchange: Arc<Exchange>) -> Self {
        Self {
            known: Mutex::default(),
            exchange,
        }
    }
}

impl fmt::Debug for BoundedResolver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BoundedResolver")
    }
}

impl Resolver for BoundedResolver {
    fn resolve(
        &self,
        uri: &Uri,
        _config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let host = uri.host().ok_or(Error::HostNotFound)?;
        let bare = host.trim_matches(['[', ']']);
        let https = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        let target = Target {
            name: bare.to_owned(),
            port,
        };
        let mut known = lock(&self.known);
        let addresses = if let Some(addresses) = known.get(&target) {
            addresses
        } else {
            self.exchange.set_stage(Exchange::CONNECTING);
            let found = self.look_up(&target, *self.exchange.bound(timeout)?.after)?;
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

impl BoundedResolver {
    /// `getaddrinfo` has no time limit that we could set, so it runs in a thread that is abandoned
    /// when time is up (the module stays mapped, `-z nodelete`). Where no thread can be made, the
    /// look-up runs here, bounded by the system resolver's own limits, and if it fails, this machine
    /// is to blame.
    fn look_up(&self, target: &Target, timeout: Duration) -> Result<Vec<SocketAddr>, Error> {
        if let Ok(literal) = target.name.parse() {
            return Ok(vec![SocketAddr::new(literal, target.port)]);
        }
        let (sender, receiver) = mpsc::sync_channel(1);
        let name = target.name.clone();
        let started = thread::Builder::new()
            .stack_size(RESOLVER_STACK)
            .spawn(move || {
                // Nobody may be waiting any more.
                let _ = sender.send(addresses_of(&name));
            });
        let found = match started {
            Ok(_) => receiver
                .recv_timeout(timeout)
                .map_err(|error| match error {
                    RecvTimeoutError::Timeout => Error::Timeout(ureq::Timeout::Resolve),
                    RecvTimeoutError::Disconnected => {
                        self.exchange
                            .lacks("the thread that looks up names ended early");
                        Error::HostNotFound
                    }
                })?,
            Err(_) => addresses_of(&target.name).inspect_err(|_| {
                self.exchange.lacks("no thread could be made");
            }),
        };
        match found {
            Ok(found) => Ok(found
                .into_iter()
                .map(|address| SocketAddr::new(address, target.port))
                .collect()),
            Err(error) => Err(self.failed(error)),
        }
    }

    /// A look-up that failed. Of `EAI_MEMORY` and `EAI_SYSTEM`, getaddrinfo(3) says that this machine is
    /// to blame.
    fn failed(&self, error: LookupError) -> Error {
        match error.kind() {
            LookupErrorKind::Memory => self.exchange.lacks("too little memory for a look-up"),
            LookupErrorKind::System => self.exchange.lacks("a system call of the look-up failed"),
            _ => {}
        }
        Error::Io(error.into())
    }
}

fn addresses_of(name: &str) -> Result<Vec<IpAddr>, LookupError> {
    lookup_host(name).map(Vec::from_iter)
}
