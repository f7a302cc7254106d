//! The server: listens, keeps the state, stops.

use std::fs;
use std::io::{self, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use tempfile::TempDir;

use crate::certificate::{CertificateError, Certificates};
use crate::connection::{self, TICK};
use crate::dns;
use crate::fault::Fault;
use crate::record::{Connections, RecordedRequest};
use crate::scenario::Scenario;
use crate::transaction::{Decision, State};

/// How a simulator is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Where to listen; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Where `ca.pem` goes; a fresh folder that is removed at the end, if not set.
    pub directory: Option<PathBuf>,
    /// A file that gets one line of JSON for each request.
    pub record: Option<PathBuf>,
    /// Where to answer look-ups (UDP), if at all.
    pub dns: Option<SocketAddr>,
    /// Print one line for each request on standard error.
    pub verbose: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0),
            directory: None,
            record: None,
            dns: None,
            verbose: false,
        }
    }
}

/// A simulator cannot be started.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// No socket.
    #[error("cannot listen on {address}: {reason}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why not.
        reason: io::Error,
    },
    /// No file.
    #[error("cannot write {}: {reason}", .path.display())]
    Write {
        /// Which.
        path: PathBuf,
        /// Why not.
        reason: io::Error,
    },
    /// No certificate.
    #[error("cannot make certificates: {0}")]
    Certificate(#[from] CertificateError),
}

/// What all threads share.
pub(crate) struct Shared {
    pub(crate) scenario: Scenario,
    pub(crate) certificates: Certificates,
    pub(crate) started: Instant,
    pub(crate) changed: Condvar,
    state: Mutex<State>,
    faults: Mutex<Vec<Fault>>,
    requests: Mutex<Vec<RecordedRequest>>,
    record: Option<Mutex<fs::File>>,
    verbose: bool,
    tcp: AtomicUsize,
    tls: AtomicUsize,
    dns: AtomicUsize,
    stop: AtomicBool,
}

impl Shared {
    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Waits for a change, at most so long.
    pub(crate) fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        time: Duration,
    ) -> MutexGuard<'a, State> {
        let waited = self.changed.wait_timeout(state, time);
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// The simulator's clock.
    pub(crate) fn wall(&self) -> SystemTime {
        let offset = self.scenario.clock_offset_seconds;
        let distance = Duration::from_secs(offset.unsigned_abs());
        let now = SystemTime::now();
        if offset < 0 {
            now.checked_sub(distance).unwrap_or(UNIX_EPOCH)
        } else {
            now + distance
        }
    }

    /// The simulator's clock in Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        let since = self.wall().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
    }

    pub(crate) fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    pub(crate) fn count_dns(&self) {
        self.dns.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn count_tls(&self) {
        self.tls.fetch_add(1, Ordering::Relaxed);
    }

    /// The fault that strikes at `path` now, if one does.
    pub(crate) fn fault(&self, path: &str) -> Option<Fault> {
        let mut faults = lock(&self.faults);
        faults
            .iter_mut()
            .find_map(|f| f.strikes(path).then(|| f.clone()))
    }

    pub(crate) fn record(&self, request: RecordedRequest) {
        if self.verbose {
            let _ = writeln!(io::stderr(), "duo-sim: {}", request.summary());
        }
        if let Some(file) = &self.record {
            let _ = writeln!(lock(file), "{}", request.json());
        }
        lock(&self.requests).push(request);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A simulator that runs until it is dropped.
pub struct Simulator {
    shared: Arc<Shared>,
    address: SocketAddr,
    ca_file: PathBuf,
    threads: Vec<JoinHandle<()>>,
    _own_folder: Option<TempDir>,
}

impl Simulator {
    /// Starts a simulator.
    ///
    /// # Errors
    /// [`StartError`] if the address cannot be listened on or the CA file cannot be written.
    pub fn start(scenario: Scenario, options: Options) -> Result<Self, StartError> {
        let listen = |reason| StartError::Listen {
            address: options.listen,
            reason,
        };
        let listener = TcpListener::bind(options.listen).map_err(listen)?;
        let address = listener.local_addr().map_err(listen)?;
        listener.set_nonblocking(true).map_err(listen)?;
        let dns = match options.dns {
            None => None,
            Some(address) => Some(
                dns::listen(address).map_err(|reason| StartError::Listen { address, reason })?,
            ),
        };
        let certificates = Certificates::new()?;
        let own_folder = match options.directory {
            Some(_) => None,
            None => Some(tempfile::tempdir().map_err(|reason| StartError::Write {
                path: std::env::temp_dir(),
                reason,
            })?),
        };
        let folder = match (&options.directory, &own_folder) {
            (Some(folder), _) => folder.clone(),
            (None, Some(folder)) => folder.path().to_owned(),
            (None, None) => PathBuf::new(),
        };
        let ca_file = folder.join("ca.pem");
        fs::write(&ca_file, &certificates.ca_pem).map_err(|reason| StartError::Write {
            path: ca_file.clone(),
            reason,
        })?;
        let record = match options.record {
            None => None,
            Some(path) => {
                let file = fs::OpenOptions::new().create(true).append(true).open(&path);
                Some(file.map_err(|reason| StartError::Write { path, reason })?)
            }
        };
        let shared = Arc::new(Shared {
            faults: Mutex::new(scenario.faults.clone()),
            scenario,
            certificates,
            started: Instant::now(),
            changed: Condvar::new(),
            state: Mutex::default(),
            requests: Mutex::default(),
            record: record.map(Mutex::new),
            verbose: options.verbose,
            tcp: AtomicUsize::new(0),
            tls: AtomicUsize::new(0),
            dns: AtomicUsize::new(0),
            stop: AtomicBool::new(false),
        });
        let for_thread = Arc::clone(&shared);
        let mut threads = vec![thread::spawn(move || accept(&listener, &for_thread))];
        if let Some(socket) = dns {
            let for_thread = Arc::clone(&shared);
            threads.push(thread::spawn(move || {
                dns::answer(&socket, address.ip(), &for_thread);
            }));
        }
        Ok(Self {
            shared,
            address,
            ca_file,
            threads,
            _own_folder: own_folder,
        })
    }

    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The value of the key `host`. An address, since not every machine can look up `localhost`.
    #[must_use]
    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// The CA's certificate.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.shared.certificates.ca_pem
    }

    /// The file with the CA's certificate.
    #[must_use]
    pub fn ca_file(&self) -> &Path {
        &self.ca_file
    }

    /// The integration key that is accepted.
    #[must_use]
    pub fn ikey(&self) -> &str {
        &self.shared.scenario.ikey
    }

    /// The secret key that is accepted.
    #[must_use]
    pub fn skey(&self) -> &str {
        &self.shared.scenario.skey
    }

    /// A `pam_duo.conf` for this simulator.
    #[must_use]
    pub fn config(&self) -> String {
        format!(
            "[duo]\nikey = {}\nskey = {}\nhost = {}\ncafile = {}\n",
            self.ikey(),
            self.skey(),
            self.host(),
            self.ca_file.display()
        )
    }

    /// Every request that was served, in the order in which the replies were made.
    #[must_use]
    pub fn requests(&self) -> Vec<RecordedRequest> {
        lock(&self.shared.requests).clone()
    }

    /// How many connections there were.
    #[must_use]
    pub fn connections(&self) -> Connections {
        Connections {
            tcp: self.shared.tcp.load(Ordering::Relaxed),
            tls: self.shared.tls.load(Ordering::Relaxed),
            dns: self.shared.dns.load(Ordering::Relaxed),
        }
    }

    /// Forgets requests and connections.
    pub fn clear(&self) {
        lock(&self.shared.requests).clear();
        self.shared.tcp.store(0, Ordering::Relaxed);
        self.shared.tls.store(0, Ordering::Relaxed);
        self.shared.dns.store(0, Ordering::Relaxed);
    }

    /// Decides the user's push or call that waits, or the next one.
    pub fn decide(&self, user: &str, decision: Decision) {
        let mut state = self.shared.state();
        let waiting = state
            .transactions
            .values_mut()
            .find(|transaction| transaction.user == user && transaction.waits());
        match waiting {
            Some(transaction) => transaction.decide(decision),
            None => state
                .early
                .entry(user.to_owned())
                .or_default()
                .push_back(decision),
        }
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Users with a push or a call that waits for a decision.
    #[must_use]
    pub fn pending(&self) -> Vec<String> {
        self.shared.state().pending()
    }

    /// How many pushes and calls have reached the user's phone, whatever became of them.
    #[must_use]
    pub fn pushes_and_calls(&self, user: &str) -> usize {
        let mut state = self.shared.state();
        let tried = state.tried(user);
        tried.pushes + tried.calls
    }

    /// Adds a fault, behind those that are there.
    pub fn add_fault(&self, fault: Fault) {
        lock(&self.shared.faults).push(fault);
    }

    /// Removes all faults.
    pub fn clear_faults(&self) {
        lock(&self.shared.faults).clear();
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.shared.changed.notify_all();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

/// Takes connections until the simulator stops, each on a thread of its own.
fn accept(listener: &TcpListener, shared: &Arc<Shared>) {
    let mut number = 0;
    while !shared.is_stopping() {
        match listener.accept() {
            Ok((stream, _)) => {
                number += 1;
                shared.tcp.fetch_add(1, Ordering::Relaxed);
                let shared = Arc::clone(shared);
                if stream.set_nonblocking(false).is_ok() {
                    thread::spawn(move || connection::serve(stream, number, &shared));
                }
            }
            Err(_) => thread::sleep(TICK / 25),
        }
    }
}
