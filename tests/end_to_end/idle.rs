//! A firewall that forgets idle connections without a word: the factor is sent over a new one.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use duo_sim::{Options, Scenario, Simulator};

use crate::test_bed::{TestBed, config};

/// How long a connection may be idle until the firewall forgets it.
const FORGETS_AFTER: Duration = Duration::from_secs(15);

/// A relay to Duo that swallows everything on a connection once that has been idle.
struct Firewall {
    port: u16,
    connections: Arc<AtomicUsize>,
    swallowed: Arc<AtomicUsize>,
}

impl Firewall {
    fn start(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let firewall = Self {
            port: listener.local_addr().unwrap().port(),
            connections: Arc::default(),
            swallowed: Arc::default(),
        };
        let connections = Arc::clone(&firewall.connections);
        let swallowed = Arc::clone(&firewall.swallowed);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                connections.fetch_add(1, Ordering::SeqCst);
                let server = TcpStream::connect(target).unwrap();
                let last = Arc::new(Mutex::new(Instant::now()));
                let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
                pass(client, server, Arc::clone(&last), Arc::clone(&swallowed));
                pass(back.0, back.1, last, Arc::clone(&swallowed));
            }
        });
        firewall
    }
}

/// Passes on what comes while the connection is known; `last` is when something came.
fn pass(
    mut from: TcpStream,
    mut to: TcpStream,
    last: Arc<Mutex<Instant>>,
    swallowed: Arc<AtomicUsize>,
) {
    thread::spawn(move || {
        let mut forgotten = false;
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let mut last = last.lock().unwrap();
            // It stays forgotten: then nothing renews the time.
            forgotten |= last.elapsed() >= FORGETS_AFTER;
            if forgotten {
                swallowed.fetch_add(length, Ordering::SeqCst);
                continue;
            }
            *last = Instant::now();
            drop(last);
            if to.write_all(&buffer[..length]).is_err() {
                return;
            }
        }
        if !forgotten {
            let _ = to.shutdown(Shutdown::Write);
        }
    });
}

/// Alice takes `thinking` to choose a push, with a firewall on the way.
fn login(thinking: Duration) -> (TestBed, Firewall) {
    let scenario = "[users.alice]\npush = {answer = \"approve\", after_ms = 0}";
    let scenario = Scenario::from_toml(scenario).unwrap();
    let duo = Simulator::start(scenario, Options::default()).unwrap();
    let firewall = Firewall::start(duo.address());
    let conf = config(&duo);
    let direct = format!("localhost:{}", duo.address().port());
    assert!(conf.contains(&direct), "{conf}");
    let through = format!("host = localhost:{}\nhttps_timeout = 3", firewall.port);
    let bed = TestBed::over(duo, &through, |host| host.user("alice"));
    let mut ssh = bed.ssh("alice", "echo in");
    ssh.expect("(1-3): ");
    thread::sleep(thinking);
    ssh.line("1");
    let finished = ssh.finish();
    assert_eq!(finished.status, 0, "{}", finished.transcript);
    bed.logged("Successful Duo login for 'alice'");
    (bed, firewall)
}

#[test]
fn a_connection_that_a_firewall_dropped_while_the_user_chose_is_replaced() {
    let (bed, firewall) = login(FORGETS_AFTER + Duration::from_secs(1));
    // What may be swallowed is a farewell.
    let swallowed = firewall.swallowed.load(Ordering::SeqCst);
    assert!(swallowed < 100, "{swallowed} bytes");
    assert_eq!(firewall.connections.load(Ordering::SeqCst), 2);
    let paths = bed.paths();
    let factors = paths.iter().filter(|path| *path == "/auth/v2/auth");
    assert_eq!(factors.count(), 1, "{paths:?}");
}

#[test]
fn a_user_who_chooses_quickly_costs_one_connection() {
    let (bed, firewall) = login(Duration::from_secs(1));
    assert_eq!(firewall.connections.load(Ordering::SeqCst), 1);
    assert_eq!(firewall.swallowed.load(Ordering::SeqCst), 0);
    let paths = bed.paths();
    assert_eq!(paths.first().map(String::as_str), Some("/auth/v2/preauth"));
    let more = paths.iter().filter(|path| *path != "/auth/v2/auth_status");
    assert_eq!(more.count(), 2, "{paths:?}");
}
