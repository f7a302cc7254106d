//! What this machine itself has to do with a failure: resources that it lacks, and what it forbids.
//!
//! Descriptors, memory and ports are limits that whoever calls su or sudo, or runs programs beside
//! sshd, can use up: what fails for want of them is not an outage.

use std::fs::File;
use std::io::{self, ErrorKind};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsRawFd as _, OwnedFd};

use nix::errno::Errno;
use nix::libc::{EACCES, EADDRINUSE, EADDRNOTAVAIL, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPERM};
use nix::sys::socket::{AddressFamily, SockFlag, SockType, SockaddrStorage, bind, connect, socket};

/// How many descriptors a look-up and a connection may need at a time.
const DESCRIPTORS: usize = 16;
/// How much memory they may need, in bytes: a thread's stack, and whatever NSS modules load.
const MEMORY: usize = 16 * 1024 * 1024;

/// Whether the error says that this machine lacks descriptors, memory or ports.
#[must_use]
pub fn is_resource_exhaustion(error: &io::Error) -> bool {
    error.kind() == ErrorKind::OutOfMemory
        || matches!(
            error.raw_os_error(),
            Some(EMFILE | ENFILE | ENOBUFS | ENOMEM | EADDRNOTAVAIL | EADDRINUSE)
        )
}

/// Whether the kernel did not permit it: SELinux, or a firewall of this machine.
pub(super) fn is_not_permitted(error: &io::Error) -> bool {
    matches!(error.raw_os_error(), Some(EACCES | EPERM))
}

/// How much an error says about this machine rather than the network. The error with the most is
/// the one to report: what this machine lacks or forbids must not be taken for an outage.
fn weight(error: &io::Error) -> u8 {
    if is_resource_exhaustion(error) {
        2
    } else {
        u8::from(is_not_permitted(error))
    }
}

/// Whether the error is this machine's own doing.
pub(super) fn is_local(error: &io::Error) -> bool {
    weight(error) > 0
}

/// The weightier of two errors; the later one of equals.
pub(super) fn weightier(before: Option<io::Error>, error: io::Error) -> io::Error {
    match before {
        Some(before) if weight(&before) > weight(&error) => before,
        _ => error,
    }
}

/// What this process cannot have at this moment. `getaddrinfo` may report "no such host" when it
/// cannot open a socket, so errors alone do not tell.
pub(super) fn probe() -> Option<&'static str> {
    if !has_descriptors() {
        return Some("too few file descriptors");
    }
    if !has_memory() {
        return Some("too little memory");
    }
    let families = [
        (SockType::Datagram, IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        (SockType::Stream, IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
        (SockType::Datagram, IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        (SockType::Stream, IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
    ];
    let lacks_port = |(kind, any)| match unused_port(kind, any) {
        // A kernel without IPv6 needs no port there.
        Ok(_) | Err(Errno::EAFNOSUPPORT) => false,
        Err(Errno::EADDRNOTAVAIL) => matches!(any, IpAddr::V4(_)),
        Err(_) => true,
    };
    families
        .into_iter()
        .any(lacks_port)
        .then_some("no free local port")
}

fn has_descriptors() -> bool {
    let probes: [io::Result<File>; DESCRIPTORS] = std::array::from_fn(|_| File::open("/dev/null"));
    let failed = probes.iter().filter_map(|probe| probe.as_ref().err());
    !failed.into_iter().any(is_resource_exhaustion)
}

/// Asks for the memory without using it.
fn has_memory() -> bool {
    let mut room: Vec<u8> = Vec::new();
    let reserved = room.try_reserve_exact(MEMORY).is_ok();
    std::hint::black_box(&room);
    reserved
}

/// A socket on a port that no other has, at every address at once: whoever holds a port at one
/// address holds it from this one.
fn unused_port(kind: SockType, any: IpAddr) -> nix::Result<OwnedFd> {
    let family = match any {
        IpAddr::V4(_) => AddressFamily::Inet,
        IpAddr::V6(_) => AddressFamily::Inet6,
    };
    let socket = socket(family, kind, SockFlag::SOCK_CLOEXEC, None)?;
    bind(
        socket.as_raw_fd(),
        &SockaddrStorage::from(SocketAddr::new(any, 0)),
    )?;
    Ok(socket)
}

/// Whether this machine has no address to reach `address` from, such as no IPv6 at all: the kernel
/// says the same of that as of ports that are used up. Nothing is sent.
pub(super) fn lacks_source_address(address: SocketAddr) -> bool {
    let any = match address {
        SocketAddr::V4(_) => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        SocketAddr::V6(_) => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
    };
    match unused_port(SockType::Datagram, any) {
        Ok(socket) => {
            connect(socket.as_raw_fd(), &SockaddrStorage::from(address))
                == Err(Errno::EADDRNOTAVAIL)
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::{is_resource_exhaustion, lacks_source_address, probe};
    use nix::libc;
    use std::io;

    #[test]
    fn a_machine_that_has_everything_lacks_nothing() {
        assert_eq!(probe(), None);
        assert!(!lacks_source_address("127.0.0.1:443".parse().unwrap()));
    }

    #[test]
    fn descriptors_memory_and_ports_are_resources_and_the_network_is_not() {
        for code in [
            libc::EMFILE,
            libc::ENFILE,
            libc::ENOBUFS,
            libc::ENOMEM,
            libc::EADDRNOTAVAIL,
            libc::EADDRINUSE,
        ] {
            let error = io::Error::from_raw_os_error(code);
            assert!(is_resource_exhaustion(&error), "{error}");
        }
        assert!(is_resource_exhaustion(&io::ErrorKind::OutOfMemory.into()));
        for code in [libc::ECONNREFUSED, libc::EHOSTUNREACH, libc::EACCES] {
            let error = io::Error::from_raw_os_error(code);
            assert!(!is_resource_exhaustion(&error), "{error}");
        }
    }
}
