//! A TCP relay that adds a round trip's time, as a network between here and Duo would.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// A relay on a free port; its threads end with their connections.
pub struct Relay {
    /// Where it listens.
    pub port: u16,
}

impl Relay {
    /// Relays to `target`; there and back takes `round_trip_ms` more.
    pub fn start(target: SocketAddr, round_trip_ms: u64) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let round_trip = Duration::from_millis(round_trip_ms);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let Ok(server) = TcpStream::connect(target) else {
                    continue;
                };
                client.set_nodelay(true).unwrap();
                server.set_nodelay(true).unwrap();
                let back = (server.try_clone().unwrap(), client.try_clone().unwrap());
                // The kernel has answered the handshake at once; far away it would take one more.
                pass(client, server, round_trip / 2, round_trip);
                pass(back.0, back.1, round_trip / 2, Duration::ZERO);
            }
        });
        Self { port }
    }
}

/// Passes on what comes, each piece `delay` after it came, the first one `first` later still.
fn pass(mut from: TcpStream, mut to: TcpStream, delay: Duration, first: Duration) {
    let (sender, receiver) = mpsc::channel::<(Instant, Vec<u8>)>();
    thread::spawn(move || {
        let not_before = Instant::now() + first;
        let mut buffer = vec![0; 64 * 1024];
        while let Ok(length @ 1..) = from.read(&mut buffer) {
            let due = Instant::now().max(not_before) + delay;
            if sender.send((due, buffer[..length].to_vec())).is_err() {
                return;
            }
        }
    });
    thread::spawn(move || {
        for (due, bytes) in receiver {
            thread::sleep(due.saturating_duration_since(Instant::now()));
            if to.write_all(&bytes).is_err() {
                return;
            }
        }
        let _ = to.shutdown(Shutdown::Write);
    });
}
