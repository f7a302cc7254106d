//! Connects to whichever of a host's addresses answers first.
//!
//! Addresses are tried one after the other, a new one as soon as the last has failed or has been
//! silent for [`HEAD_START`], while the earlier ones go on ("Happy Eyeballs", RFC 8305). So one
//! dead address, typically the IPv6 one, costs a quarter of a second and not the time limit.

use std::io;
use std::net::{SocketAddr, TcpStream};
use std::os::fd::{AsFd as _, AsRawFd as _, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{
    AddressFamily, SockFlag, SockType, SockaddrIn, SockaddrIn6, SockaddrLike, connect, getsockopt,
    socket, sockopt::SocketError,
};

use super::local_cause::{is_local, lacks_source_address, weightier};

/// How long an address may be silent before the next one is tried as well (RFC 8305, section 5).
const HEAD_START: Duration = Duration::from_millis(250);

/// Connects to one of `addresses` before `deadline`. Gives a blocking socket that sends at once.
///
/// # Errors
/// The last address's error, or `TimedOut`.
pub(super) fn connect_any(addresses: &[SocketAddr], deadline: Instant) -> io::Result<TcpStream> {
    let mut waiting = interleave(addresses).into_iter();
    let mut open: Vec<OwnedFd> = Vec::new();
    let mut worst: Option<io::Error> = None;
    let mut next_start = Instant::now();
    loop {
        let now = Instant::now();
        if now >= deadline {
            let local = worst.filter(is_local);
            return Err(local.unwrap_or(io::ErrorKind::TimedOut.into()));
        }
        if now >= next_start || open.is_empty() {
            match waiting.next().map(start_from_here) {
                Some(Ok(socket)) => {
                    open.push(socket);
                    next_start = now + HEAD_START;
                }
                Some(Err(error)) => {
                    worst = Some(weightier(worst, error));
                    continue;
                }
                None if open.is_empty() => {
                    return Err(worst.unwrap_or(io::ErrorKind::NotFound.into()));
                }
                None => next_start = deadline,
            }
        }
        let wait = next_start.min(deadline).saturating_duration_since(now);
        for index in ready(&open, wait)?.into_iter().rev() {
            let socket = open.remove(index);
            match getsockopt(&socket, SocketError) {
                Ok(0) => return finish(socket),
                Ok(code) => worst = Some(weightier(worst, io::Error::from_raw_os_error(code))),
                Err(error) => worst = Some(weightier(worst, error.into())),
            }
            // It has failed: no reason to wait with the next one.
            next_start = now;
        }
    }
}

/// An address that this machine has no way to reach says so without a system's code, which would
/// be that of ports that are used up.
fn start_from_here(address: SocketAddr) -> io::Result<OwnedFd> {
    start(address).map_err(|error| {
        if error.raw_os_error() == Some(nix::libc::EADDRNOTAVAIL) && lacks_source_address(address) {
            return io::Error::new(
                io::ErrorKind::AddrNotAvailable,
                format!("this machine has no address to reach {} from", address.ip()),
            );
        }
        error
    })
}

/// The families in turn, beginning with the first address's (RFC 8305, section 4), so that a
/// family that leads nowhere does not come before every address of the other.
fn interleave(addresses: &[SocketAddr]) -> Vec<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (mut first, mut second): (Vec<_>, Vec<_>) = addresses
        .iter()
        .copied()
        .partition(|address| address.is_ipv6() == first_is_v6);
    first.reverse();
    second.reverse();
    let mut order = Vec::with_capacity(addresses.len());
    while order.len() < addresses.len() {
        order.extend(first.pop());
        order.extend(second.pop());
    }
    order
}

/// Begins to connect.
fn start(address: SocketAddr) -> io::Result<OwnedFd> {
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::Inet,
        SocketAddr::V6(_) => AddressFamily::Inet6,
    };
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(family, SockType::Stream, flags, None)?;
    let begun = match address {
        SocketAddr::V4(address) => begin(&socket, &SockaddrIn::from(address)),
        SocketAddr::V6(address) => begin(&socket, &SockaddrIn6::from(address)),
    };
    match begun {
        // A signal does not stop a connection from being made (connect(2)).
        Ok(()) | Err(Errno::EINPROGRESS | Errno::EINTR) => Ok(socket),
        Err(error) => Err(error.into()),
    }
}

fn begin<A: SockaddrLike>(socket: &OwnedFd, address: &A) -> nix::Result<()> {
    connect(socket.as_raw_fd(), address)
}

/// Which of the sockets have connected or failed within `wait`.
fn ready(open: &[OwnedFd], wait: Duration) -> io::Result<Vec<usize>> {
    let mut polled: Vec<PollFd> = open
        .iter()
        .map(|socket| PollFd::new(socket.as_fd(), PollFlags::POLLOUT))
        .collect();
    // Rounded up: a wait of zero would spin.
    let milliseconds = wait.as_micros().div_ceil(1000);
    let wait = i32::try_from(milliseconds).unwrap_or(i32::MAX);
    match poll(
        &mut polled,
        PollTimeout::try_from(wait).unwrap_or(PollTimeout::MAX),
    ) {
        Ok(_) | Err(Errno::EINTR) => {}
        Err(error) => return Err(error.into()),
    }
    let is_ready = |socket: &PollFd| socket.any().unwrap_or(false);
    let ready = polled
        .iter()
        .enumerate()
        .filter(|(_, socket)| is_ready(socket));
    Ok(ready.map(|(index, _)| index).collect())
}

fn finish(socket: OwnedFd) -> io::Result<TcpStream> {
    let stream = TcpStream::from(socket);
    stream.set_nonblocking(false)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::TcpListener;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(20)
    }

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter()
            .map(|address| address.parse().unwrap())
            .collect()
    }

    #[test]
    fn families_take_turns() {
        let order = interleave(&addresses(&[
            "[::1]:1",
            "[::2]:1",
            "127.0.0.1:1",
            "[::3]:1",
        ]));
        assert_eq!(
            order,
            addresses(&["[::1]:1", "127.0.0.1:1", "[::2]:1", "[::3]:1"])
        );
    }

    #[test]
    fn an_address_that_refuses_is_passed_over() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let good = listener.local_addr().unwrap();
        let stream = connect_any(&[addresses(&["127.0.0.1:1"])[0], good], soon()).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
        assert!(stream.nodelay().unwrap());
    }

    /// A listener whose queue is full does not answer, as a dead address does not.
    #[test]
    fn a_silent_address_costs_little() {
        let dead = Dead::new();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let good = listener.local_addr().unwrap();
        let stream = connect_any(&[dead.address, dead.address, good], soon()).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
    }

    #[test]
    fn nothing_but_silent_addresses_end_with_the_deadline() {
        let dead = Dead::new();
        let started = Instant::now();
        let error = connect_any(&[dead.address], started + Duration::from_millis(300)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert!(started.elapsed() >= Duration::from_millis(300));
    }

    #[test]
    fn the_error_is_the_addresses_own() {
        let error = connect_any(&addresses(&["127.0.0.1:1"]), soon()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        let error = connect_any(&[], soon()).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }

    struct Dead {
        address: SocketAddr,
        _held: (OwnedFd, Vec<OwnedFd>),
    }

    impl Dead {
        fn new() -> Self {
            use nix::sys::socket::{Backlog, bind, getsockname, listen};
            let flags = SockFlag::SOCK_CLOEXEC;
            let listener = socket(AddressFamily::Inet, SockType::Stream, flags, None).unwrap();
            bind(listener.as_raw_fd(), &SockaddrIn::new(127, 0, 0, 1, 0)).unwrap();
            listen(&listener, Backlog::new(0).unwrap()).unwrap();
            let name: SockaddrIn = getsockname(listener.as_raw_fd()).unwrap();
            let address = SocketAddr::from(([127, 0, 0, 1], name.port()));
            let queued = (0..4).map(|_| start(address).unwrap()).collect();
            Self {
                address,
                _held: (listener, queued),
            }
        }
    }
}
