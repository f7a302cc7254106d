//! The steps `dns` and `tcp`, each within its time limit.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream, ToSocketAddrs as _};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use duo_auth::net::is_resource_exhaustion;
use duo_auth::{DuoError, Host, clean};
use duo_login::outcome::Fault;

use super::logins::Obstacle;
use super::problem::Problem;
use super::step::Step;

/// How many addresses are tried, as in a login.
const MOST: usize = 16;
/// Where a connection goes.
#[derive(Clone)]
pub(super) struct Target {
    /// Name or address, without brackets.
    pub(super) name: String,
    /// Port.
    pub(super) port: u16,
}

impl Target {
    /// Of the key `host`.
    pub(super) fn of_host(host: &Host) -> Self {
        Self {
            name: host.bare_name().to_owned(),
            port: host.port(),
        }
    }
}

/// A connection whose every operation ends by a deadline.
pub(super) struct Stream {
    tcp: TcpStream,
    deadline: Instant,
}

impl Stream {
    /// Starts a new time limit.
    pub(super) fn limit(&mut self, limit: Duration) {
        self.deadline = Instant::now() + limit;
    }

    fn left(&self) -> io::Result<Option<Duration>> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            Err(ErrorKind::TimedOut.into())
        } else {
            Ok(Some(left))
        }
    }
}

impl Read for Stream {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.tcp.set_read_timeout(self.left()?)?;
        self.tcp.read(buffer)
    }
}

impl Write for Stream {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.tcp.set_write_timeout(self.left()?)?;
        self.tcp.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.tcp.flush()
    }
}

/// An error's text, without Rust's "(os error 2)".
pub(super) fn words(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::TimedOut | ErrorKind::WouldBlock => "no answer in time".to_owned(),
        ErrorKind::UnexpectedEof => "the connection was closed".to_owned(),
        _ => {
            let text = error.to_string();
            let words = text.split_once(" (os error").map(|(words, _)| words);
            clean(words.unwrap_or(&text))
        }
    }
}

/// Looks up the name. `getaddrinfo` has no time limit, so it runs in a thread of its own, which may
/// outlive the step.
pub(super) fn dns(target: &Target, is_proxy: bool, limit: Duration) -> (Step, Vec<SocketAddr>) {
    Step::timed("dns", |step| {
        let (sender, receiver) = mpsc::sync_channel(1);
        let Target { name, port } = target.clone();
        let started = thread::Builder::new().spawn(move || {
            // The receiver is gone if the time is up.
            let found = (name.as_str(), port).to_socket_addrs();
            let _ = sender.send(found.map(Vec::from_iter));
        });
        let result = match started {
            Ok(_) => receiver
                .recv_timeout(limit)
                .unwrap_or_else(|_| Err(ErrorKind::TimedOut.into())),
            Err(error) => Err(error),
        };
        let whose = if is_proxy { "the proxy " } else { "" };
        let (reason, mut addresses) = match result {
            Ok(addresses) => ("the name has no address".to_owned(), addresses),
            Err(error) => (words(&error), Vec::new()),
        };
        addresses.truncate(MOST);
        if addresses.is_empty() {
            step.stops_logins(Obstacle::unreachable(&target.name, &reason));
            step.find(
                Problem::DnsFailed,
                format!("{whose}{}: {reason}", target.name),
                if is_proxy {
                    "correct http_proxy, or check /etc/resolv.conf"
                } else {
                    "compare host with Duo's Admin Panel, and check /etc/resolv.conf"
                },
            );
        } else {
            let found: Vec<String> = addresses.iter().map(|a| a.ip().to_string()).collect();
            let found = found.join(", ");
            step.say(if found == target.name {
                format!("{whose}{found} is an address")
            } else {
                format!("{whose}{} is {found}", target.name)
            });
        }
        addresses
    })
}

/// Connects to all addresses at once; returns the first connection in the order of the addresses.
pub(super) fn tcp(
    addresses: &[SocketAddr],
    is_proxy: bool,
    limit: Duration,
) -> (Step, Option<Stream>) {
    Step::timed("tcp", |step| {
        let tries: Vec<(SocketAddr, io::Result<TcpStream>)> = thread::scope(|scope| {
            let running: Vec<_> = addresses
                .iter()
                .map(|address| {
                    (
                        *address,
                        scope.spawn(|| TcpStream::connect_timeout(address, limit)),
                    )
                })
                .collect();
            running
                .into_iter()
                .map(|(address, thread)| {
                    let result = thread.join();
                    (
                        address,
                        result.unwrap_or_else(|_| Err(ErrorKind::Other.into())),
                    )
                })
                .collect()
        });
        let mut first = None;
        let mut reached = Vec::new();
        let mut missed = Vec::new();
        let mut harmless = Vec::new();
        let mut own = None;
        for (address, result) in tries {
            match result {
                Ok(stream) => {
                    reached.push(address.to_string());
                    first = first.or(Some(stream));
                }
                // On a machine without IPv6, this fails at once and delays nothing.
                Err(error) if error.kind() == ErrorKind::NetworkUnreachable => {
                    harmless.push(format!("{address}: {}", words(&error)));
                }
                Err(error) => {
                    own = weightier(own, &error, address);
                    missed.push(format!("{address}: {}", words(&error)));
                }
            }
        }
        let firewall = format!(
            "let connections to {} through this machine's and the network's firewall{}",
            if is_proxy {
                "the proxy"
            } else {
                "Duo, port 443,"
            },
            if is_proxy { "" } else { ", or set http_proxy" }
        );
        if first.is_some() {
            step.say(format!("connected to {}", reached.join(", ")));
            for text in harmless {
                step.say(format!("not used: {text}"));
            }
            if !missed.is_empty() {
                step.find(
                    Problem::TcpPartly,
                    format!(
                        "no connection to {}: logins may lose time",
                        missed.join("; ")
                    ),
                    firewall,
                );
            }
        } else {
            missed.extend(harmless);
            let reasons = missed.join("; ");
            step.stops_logins(match own {
                Some(fault) => Obstacle::Fault(fault),
                None => Obstacle::unreachable("Duo", reasons.as_str()),
            });
            step.find(
                Problem::TcpFailed,
                format!("no connection to {reasons}"),
                firewall,
            );
        }
        first.map(|tcp| Stream {
            tcp,
            deadline: Instant::now() + limit,
        })
    })
}

/// Which of this machine's own doings a login would report: what it lacks rather than what it
/// forbids. Other errors are the network's.
fn weightier(known: Option<Fault>, error: &io::Error, address: SocketAddr) -> Option<Fault> {
    if is_resource_exhaustion(error) {
        return Some(Fault::ResourceExhaustion(error.to_string()));
    }
    known.or_else(|| {
        let forbidden = error.kind() == ErrorKind::PermissionDenied;
        forbidden.then(|| {
            Fault::NotPermitted(DuoError::NotPermitted {
                host: address.to_string(),
                detail: words(error),
            })
        })
    })
}
