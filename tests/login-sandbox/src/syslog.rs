//! The receiving end of `/dev/log`.

use std::os::unix::net::UnixDatagram;
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

/// Receives log lines on a thread of its own.
pub(crate) struct Receiver {
    lines: Arc<Mutex<Vec<LogLine>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<UnixDatagram>>,
    /// A socket that nobody reads.
    #[allow(dead_code)] // held open
    idle: Option<UnixDatagram>,
}

impl Receiver {
    /// Listens at `path`. Everyone may write, as to the real one.
    pub(crate) fn listen(path: &Path) -> Self {
        let socket = bind(path);
        socket
            .set_read_timeout(Some(Duration::from_millis(50)))
            .expect("a read timeout");
        let lines = Arc::new(Mutex::new(Vec::new()));
        let stop = Arc::new(AtomicBool::new(false));
        let (to, until) = (Arc::clone(&lines), Arc::clone(&stop));
        let thread = thread::spawn(move || {
            let mut buffer = vec![0; 65536];
            while !until.load(Ordering::Relaxed) {
                if let Ok(length) = socket.recv(&mut buffer) {
                    let line = LogLine::parse(buffer.get(..length).unwrap_or_default());
                    to.lock().unwrap_or_else(PoisonError::into_inner).push(line);
                }
            }
            socket
        });
        Self {
            lines,
            stop,
            thread: Some(thread),
            idle: None,
        }
    }

    /// Reads no more, and fills the queue: the next line would have to wait for ever.
    pub(crate) fn stall(&mut self, path: &Path) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            self.idle = thread.join().ok();
        }
        let sender = UnixDatagram::unbound().expect("a socket");
        sender.set_nonblocking(true).expect("non-blocking");
        while sender.send_to(b"<6>full", path).is_ok() {}
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
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn bind(path: &Path) -> UnixDatagram {
    use std::os::unix::fs::PermissionsExt as _;
    let socket = UnixDatagram::bind(path).expect("the syslog socket");
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o666)).expect("its mode");
    socket
}
