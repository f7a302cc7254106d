//! The socket of syslog: one that never blocks a login, and that may be replaced at any moment.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd as _, AsRawFd as _, BorrowedFd};
use std::os::unix::net::{UnixDatagram, UnixStream};
use std::path::Path;
use std::time::{Duration, Instant};

use nix::libc::{EMSGSIZE, ENOBUFS, EPROTOTYPE};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::socket::{MsgFlags, send};

/// Where syslog listens on Linux.
const PATH: &str = "/dev/log";
/// How much of a line is sent where the socket takes no larger message, in bytes, one after the
/// other.
const SHORTER: [usize; 3] = [2048, 1024, 480];

/// A connection to whatever listens at [`PATH`]: journald and rsyslog take datagrams, syslog-ng may
/// take a stream.
#[derive(Debug)]
enum Connection {
    Datagram(UnixDatagram),
    Stream(UnixStream),
}

/// The connection, made when it is first needed.
#[derive(Debug, Default)]
pub(super) struct Socket {
    connection: Option<Connection>,
}

impl Socket {
    /// Sends one message. Where the socket is full, waits for as long as `patience` lasts, and takes
    /// that off it. Where the other side is gone, connects anew, once: whoever restarts the log
    /// (journald's socket unit, say) leaves a new socket in the old one's place. What cannot be sent
    /// is dropped.
    pub(super) fn send(&mut self, message: &[u8], patience: &mut Duration) {
        if self.connection.is_some() && self.try_send(message, patience).is_ok() {
            return;
        }
        self.connection = connect().ok();
        if self.try_send(message, patience).is_err() {
            self.connection = None;
        }
    }

    fn try_send(&mut self, message: &[u8], patience: &mut Duration) -> io::Result<()> {
        match &self.connection {
            None => Err(ErrorKind::NotConnected.into()),
            Some(Connection::Datagram(socket)) => send_datagram(socket, message, patience),
            Some(Connection::Stream(stream)) => send_on_stream(stream, message, patience),
        }
    }
}

/// Connects without ever waiting.
fn connect() -> io::Result<Connection> {
    let socket = UnixDatagram::unbound()?;
    socket.set_nonblocking(true)?;
    match socket.connect(PATH) {
        Ok(()) => Ok(Connection::Datagram(socket)),
        Err(error) if error.raw_os_error() == Some(EPROTOTYPE) => {
            Ok(Connection::Stream(connect_stream(Path::new(PATH))?))
        }
        Err(error) => Err(error),
    }
}

/// A stream whose listener has a full queue is not waited for.
fn connect_stream(path: &Path) -> io::Result<UnixStream> {
    use nix::sys::socket::{AddressFamily, SockFlag, SockType, UnixAddr, connect, socket};
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Unix, SockType::Stream, flags, None)?;
    connect(socket.as_raw_fd(), &UnixAddr::new(path)?)?;
    Ok(UnixStream::from(socket))
}

/// A full socket is not an error: the line is dropped.
fn send_datagram(socket: &UnixDatagram, message: &[u8], patience: &mut Duration) -> io::Result<()> {
    let mut message = message;
    let mut shorter = SHORTER.into_iter();
    loop {
        match socket.send(message) {
            Ok(_) => return Ok(()),
            Err(error) if is_full(&error) => {
                if !wait(socket.as_fd(), patience) {
                    return Ok(());
                }
            }
            Err(error) if error.raw_os_error() == Some(EMSGSIZE) => {
                // The end of a line says less than its beginning.
                let Some(length) = shorter.next() else {
                    return Err(error);
                };
                message = message.get(..length).unwrap_or(message);
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// On a stream, a message ends with NUL, as libc's syslog(3) ends it.
fn send_on_stream(stream: &UnixStream, message: &[u8], patience: &mut Duration) -> io::Result<()> {
    let mut whole = message.to_vec();
    whole.push(0);
    let mut rest = whole.as_slice();
    while !rest.is_empty() {
        // A listener that is gone must not end the application by SIGPIPE.
        match send(stream.as_raw_fd(), rest, MsgFlags::MSG_NOSIGNAL).map_err(io::Error::from) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(error) if is_full(&error) => {
                if wait(stream.as_fd(), patience) {
                    continue;
                }
                // Nothing of it was written: dropped. Half of it: the stream is of no use any more.
                return if rest.len() == whole.len() {
                    Ok(())
                } else {
                    Err(error)
                };
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn is_full(error: &io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock || error.raw_os_error() == Some(ENOBUFS)
}

/// Waits until there may be room; false if `patience` is used up.
fn wait(socket: BorrowedFd<'_>, patience: &mut Duration) -> bool {
    // Between two looks, in case the kernel does not tell that there is room.
    const LOOK: Duration = Duration::from_millis(20);
    if patience.is_zero() {
        return false;
    }
    let started = Instant::now();
    let longest = LOOK.min(*patience);
    let longest = i32::try_from(longest.as_millis()).unwrap_or(1).max(1);
    let mut polled = [PollFd::new(socket, PollFlags::POLLOUT)];
    let _ = poll(
        &mut polled,
        PollTimeout::try_from(longest).unwrap_or(PollTimeout::ZERO),
    );
    *patience = patience.saturating_sub(started.elapsed().max(Duration::from_micros(100)));
    true
}
