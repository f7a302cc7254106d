//! An HTTP proxy, and ones that misbehave.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What a proxy does with a CONNECT.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manner {
    /// What it should.
    Works,
    /// Asks for other credentials.
    WantsCredentials,
    /// Will not.
    Forbids,
    /// Cannot reach the host.
    BadGateway,
    /// Reads, and says nothing.
    Stalls,
    /// Ends the connection.
    Closes,
    /// Bytes that are not HTTP.
    Garbage,
    /// A header without end.
    Endless,
    /// One byte at a time.
    Drips,
    /// Agrees, and then nothing comes through.
    TunnelStalls,
    /// Agrees, and ends the connection.
    TunnelCloses,
}

/// A proxy on a free port; its threads end with their connections.
pub struct Proxy {
    /// Where it listens.
    pub port: u16,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Proxy {
    /// Starts one.
    pub fn start(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let heads = Arc::new(Mutex::new(Vec::new()));
        let seen = Arc::clone(&heads);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let seen = Arc::clone(&seen);
                thread::spawn(move || serve(stream, manner, &seen));
            }
        });
        Self { port, heads }
    }

    /// The heads of the requests so far.
    pub fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

/// Whoever is served may go away at any time.
fn serve(stream: TcpStream, manner: Manner, seen: &Mutex<Vec<String>>) -> Option<()> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        if reader.read_line(&mut head).ok()? == 0 {
            return None;
        }
    }
    seen.lock().unwrap().push(head.clone());
    let target = head.split(' ').nth(1)?.to_owned();
    let mut stream = stream;
    let mut say = |text: &str| stream.write_all(text.as_bytes()).ok();
    let agreed = "HTTP/1.1 200 Connection established\r\n\r\n";
    match manner {
        Manner::Works => {
            let target = TcpStream::connect(target).ok()?;
            say(agreed)?;
            let (mut from, mut to) = (stream.try_clone().ok()?, target.try_clone().ok()?);
            thread::spawn(move || {
                let _ = std::io::copy(&mut from, &mut to);
                let _ = to.shutdown(Shutdown::Write);
            });
            let _ = std::io::copy(&mut { target }, &mut stream);
            let _ = stream.shutdown(Shutdown::Write);
        }
        Manner::WantsCredentials => say("HTTP/1.1 407 Proxy Authentication Required\r\n\
             Proxy-Authenticate: Digest realm=\"x\"\r\nContent-Length: 0\r\n\r\n")?,
        Manner::Forbids => say("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")?,
        Manner::BadGateway => say("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")?,
        Manner::Closes => {}
        Manner::Garbage => say("SSH-2.0-OpenSSH_9.2\r\nnot a proxy\r\n\r\n")?,
        Manner::Endless => {
            say("HTTP/1.1 200 OK\r\n")?;
            loop {
                say("X-More: and more\r\n")?;
            }
        }
        Manner::Drips => {
            for byte in agreed.chars().cycle() {
                say(&byte.to_string())?;
                thread::sleep(Duration::from_millis(200));
            }
        }
        Manner::TunnelCloses => say(agreed)?,
        Manner::TunnelStalls => {
            say(agreed)?;
            let _ = reader.read_to_end(&mut Vec::new());
        }
        Manner::Stalls => {
            let _ = reader.read_to_end(&mut Vec::new());
        }
    }
    Some(())
}
