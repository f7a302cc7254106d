//! The receiving end of `/dev/log`.

use std::io::{self, Read as _};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::net::{UnixDatagram, UnixListener, UnixStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// One line as it was received.
#[derive(Clone, Debug)]
pub struct LogLine {
    /// Facility, such as 10 for `LOG_AUTHPRIV`.
    pub facility: u8,
    /// Severity, such as 6 for informational.
    pub severity: u8,
    /// Identity of the program.
    pub tag: String,
    /// The program's process id.
    pub pid: Option<u32>,
    /// The text.
    pub text: String,
    /// When it came.
    pub at: Instant,
    /// The whole datagram.
    pub raw: Vec<u8>,
}

impl LogLine {
    /// Reads `<86>Nov 24 09:00:00 sshd[123]: text`.
    fn parse(raw: &[u8]) -> Self {
        let whole = String::from_utf8_lossy(raw).into_owned();
        let mut line = Self {
            facility: u8::MAX,
            severity: u8::MAX,
            tag: String::new(),
            pid: None,
            text: whole.clone(),
            at: Instant::now(),
            raw: raw.to_vec(),
        };
        let Some((priority, rest)) = whole.strip_prefix('<').and_then(|r| r.split_once('>')) else {
            return line;
        };
        let Ok(priority) = priority.parse::<u8>() else {
            return line;
        };
        (line.facility, line.severity) = (priority / 8, priority % 8);
        // Behind the time of fifteen characters and a blank.
        let Some((tag, text)) = rest.get(16..).and_then(|rest| rest.split_once(": ")) else {
            return line;
        };
        match tag.strip_suffix(']').and_then(|tag| tag.split_once('[')) {
            Some((tag, pid)) => (line.tag, line.pid) = (tag.to_owned(), pid.parse().ok()),
            None => tag.clone_into(&mut line.tag),
        }
        text.trim_end_matches('\0').clone_into(&mut line.text);
        line
    }
}

/// Start of datagrams that are read and forgotten: a test may send as many as it likes.
pub const FLOOD: &[u8] = b"<15>flood";

/// How long it takes to read one of these, as syslog's own work would.
const FLOOD_COST: Duration = Duration::from_micros(20);

/// How long a receiver waits before it looks whether it is to end.
const TICK: Duration = Duration::from_millis(50);

/// Lines as they have come, for several threads.
type Lines = Arc<Mutex<Vec<LogLine>>>;

fn keep(lines: &Lines, raw: &[u8]) {
    let line = LogLine::parse(raw);
    let mut lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
    lines.push(line);
}

/// Receives log lines on a thread of its own.
pub(crate) struct Receiver {
    lines: Lines,
    stop: Arc<AtomicBool>,
    /// Gives a socket of datagrams back.
    thread: Option<JoinHandle<Option<UnixDatagram>>>,
    /// A socket that nobody reads.
    #[allow(dead_code)] // held open
    idle: Option<UnixDatagram>,
}

impl Receiver {
    /// Listens at `path`. Everyone may write, as to the real one.
    pub(crate) fn listen(path: &Path) -> Self {
        let mut receiver = Self::none();
        receiver.start(path);
        receiver
    }

    fn start(&mut self, path: &Path) {
        let socket = UnixDatagram::bind(path).expect("the syslog socket");
        let everyone = std::fs::Permissions::from_mode(0o666);
        std::fs::set_permissions(path, everyone).expect("its mode");
        socket.set_read_timeout(Some(TICK)).expect("a read timeout");
        let (lines, stop) = (Arc::clone(&self.lines), Arc::clone(&self.stop));
        self.thread = Some(thread::spawn(move || {
            let mut buffer = vec![0; 65536];
            while !stop.load(Ordering::Relaxed) {
                match socket.recv(&mut buffer) {
                    Ok(length) if buffer.get(..length).unwrap_or_default().starts_with(FLOOD) => {
                        thread::sleep(FLOOD_COST);
                    }
                    Ok(length) => keep(&lines, buffer.get(..length).unwrap_or_default()),
                    Err(_) => {}
                }
            }
            Some(socket)
        }));
    }

    /// The same for connections whose lines end in NUL.
    pub(crate) fn listen_for_streams(path: &Path) -> Self {
        let mut receiver = Self::none();
        let socket = UnixListener::bind(path).expect("the syslog socket");
        let everyone = std::fs::Permissions::from_mode(0o666);
        std::fs::set_permissions(path, everyone).expect("its mode");
        socket.set_nonblocking(true).expect("non-blocking");
        let (lines, stop) = (Arc::clone(&receiver.lines), Arc::clone(&receiver.stop));
        receiver.thread = Some(thread::spawn(move || {
            while !stop.load(Ordering::Relaxed) {
                let Ok((stream, _)) = socket.accept() else {
                    thread::sleep(TICK / 10);
                    continue;
                };
                let (lines, stop) = (Arc::clone(&lines), Arc::clone(&stop));
                thread::spawn(move || read_stream(stream, &lines, &stop));
            }
            None
        }));
        receiver
    }

    /// Reads no more, and fills the queue: the next line would have to wait for ever.
    pub(crate) fn stall(&mut self, path: &Path) {
        self.idle = self.end();
        let sender = UnixDatagram::unbound().expect("a socket");
        sender.set_nonblocking(true).expect("non-blocking");
        while sender.send_to(b"<6>full", path).is_ok() {}
    }

    /// Closes the socket and makes another in its place; the lines stay.
    pub(crate) fn replace(&mut self, path: &Path) {
        drop(self.end());
        self.stop = Arc::default();
        std::fs::remove_file(path).expect("the old socket");
        self.start(path);
    }

    /// No socket.
    pub(crate) fn none() -> Self {
        Self {
            lines: Arc::default(),
            stop: Arc::default(),
            thread: None,
            idle: None,
        }
    }

    /// Ends the thread; its socket stays open until it is dropped.
    fn end(&mut self) -> Option<UnixDatagram> {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.take()?.join().ok().flatten()
    }

    pub(crate) fn lines(&self) -> Vec<LogLine> {
        let lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.clone()
    }

    pub(crate) fn clear(&self) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.clear();
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        let _ = self.end();
    }
}

/// Lines of one connection; each keeps the NUL that ends it, and what has none is a line as well.
fn read_stream(mut stream: UnixStream, lines: &Lines, stop: &AtomicBool) {
    let _ = stream.set_nonblocking(false);
    let _ = stream.set_read_timeout(Some(TICK));
    let mut buffer = [0; 4096];
    let mut partial = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        match stream.read(&mut buffer) {
            Ok(0) => break,
            Ok(length) => partial.extend_from_slice(buffer.get(..length).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => break,
        }
        while let Some(end) = partial.iter().position(|byte| *byte == 0) {
            let line: Vec<u8> = partial.drain(..=end).collect();
            keep(lines, &line);
        }
    }
    if !partial.is_empty() {
        keep(lines, &partial);
    }
}
