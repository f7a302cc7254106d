//! Name look-ups with a time limit.

use std::collections::HashMap;
use std::fmt;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::{Arc, Mutex, mpsc};
use std::thread;
use std::time::Duration;

use ureq::Error;
use ureq::config::Config;
use ureq::http::Uri;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::NextTimeout;

use super::exchange::{Exchange, lock};

/// Stack of the thread that looks up a name, in bytes: NSS modules may need much stack.
const RESOLVER_STACK: usize = 512 * 1024;

/// Looks up names within the time allowed and remembers them: ureq asks for every request, even
/// when a connection is open.
pub(super) struct BoundedResolver {
    known: Mutex<HashMap<String, Vec<SocketAddr>>>,
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
        let https = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if https { 443 } else { 80 });
        let target = format!("{host}:{port}");
        let mut known = lock(&self.known);
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

/// `getaddrinfo` has no time limit that we could set, so it runs in a thread that is abandoned
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
