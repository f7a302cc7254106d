//! An HTTP proxy that can do nothing but CONNECT.

use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::thread;

/// What a proxy does.
#[derive(Clone, Copy)]
pub enum Proxy {
    /// Connects.
    Open,
    /// Connects whoever shows these credentials, in base64.
    Wants(&'static str),
    /// Says no.
    Forbids,
    /// Speaks something else.
    Garbage,
    /// Says nothing.
    Silent,
}

impl Proxy {
    /// Starts it; returns its port. It runs as long as the tests.
    pub fn start(self) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                thread::spawn(move || self.serve(stream));
            }
        });
        port
    }

    fn serve(self, mut client: TcpStream) -> Option<()> {
        let mut head = Vec::new();
        let mut byte = [0];
        while !head.ends_with(b"\r\n\r\n") {
            client.read_exact(&mut byte).ok()?;
            head.extend(byte);
        }
        let head = String::from_utf8(head).ok()?;
        let target = head.strip_prefix("CONNECT ")?.split(' ').next()?;
        let status = match self {
            Self::Silent => {
                let _ = client.read(&mut byte);
                return None;
            }
            Self::Garbage => "SSH-2.0-x\r\n\r\n",
            Self::Forbids => "HTTP/1.1 403 Forbidden\r\n\r\n",
            Self::Wants(credentials) if !head.contains(&format!("Basic {credentials}\r\n")) => {
                "HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"
            }
            _ => "HTTP/1.1 200 Connection established\r\n\r\n",
        };
        client.write_all(status.as_bytes()).ok()?;
        if !status.contains(" 200 ") {
            return None;
        }
        let mut server = TcpStream::connect(target).ok()?;
        let (mut from, mut to) = (client.try_clone().ok()?, server.try_clone().ok()?);
        thread::spawn(move || {
            let _ = io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        });
        let _ = io::copy(&mut server, &mut client);
        let _ = client.shutdown(Shutdown::Write);
        Some(())
    }
}
