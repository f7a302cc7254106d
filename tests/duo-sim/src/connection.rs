//! One connection: TLS, requests, replies, and the faults in between.

use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use rustls::{ServerConnection, StreamOwned};
use socket2::SockRef;

use crate::api;
use crate::fault::{Fault, FaultKind};
use crate::http::{Reply, Request, read_request};
use crate::record::RecordedRequest;
use crate::replies::{fail, raw, with_body};
use crate::simulator::Shared;

/// How often a thread looks whether the simulator stops.
pub(crate) const TICK: Duration = Duration::from_millis(50);

/// A TCP stream that notices when the simulator stops.
pub(crate) struct Stoppable<'a> {
    stream: TcpStream,
    shared: &'a Shared,
}

impl Read for Stoppable<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.stream.read(buffer) {
                Err(error)
                    if matches!(
                        error.kind(),
                        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                    ) =>
                {
                    if self.shared.is_stopping() {
                        return Err(io::ErrorKind::ConnectionAborted.into());
                    }
                }
                other => return other,
            }
        }
    }
}

impl Write for Stoppable<'_> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.stream.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

impl Stoppable<'_> {
    fn reset(&self) {
        // An abortive close: the peer gets RST.
        let _ = SockRef::from(&self.stream).set_linger(Some(Duration::ZERO));
    }

    /// Holds the connection without a word until the peer or the simulator goes.
    fn stall(&mut self) {
        let mut ignored = [0; 4096];
        while matches!(self.read(&mut ignored), Ok(1..)) {}
    }
}

type Tls<'a> = StreamOwned<ServerConnection, Stoppable<'a>>;

/// Serves one connection to its end.
pub(crate) fn serve(stream: TcpStream, number: u64, shared: &Shared) {
    let ready = stream
        .set_read_timeout(Some(TICK))
        .and_then(|()| stream.set_write_timeout(Some(Duration::from_secs(5))))
        .and_then(|()| stream.set_nodelay(true));
    if ready.is_err() {
        return;
    }
    let mut stream = Stoppable { stream, shared };
    let fault = shared.fault("connection").map(|fault| fault.kind);
    match fault {
        Some(FaultKind::Refuse) => return,
        Some(FaultKind::Reset) => return stream.reset(),
        Some(FaultKind::StallAccept) => return stream.stall(),
        Some(FaultKind::StallTls) => {
            let _ = stream.read(&mut [0; 4096]);
            return stream.stall();
        }
        Some(FaultKind::TlsGarbage) => {
            let _ = stream.write_all(b"SSH-2.0-OpenSSH_9.2\r\nthis is not TLS\r\n");
            return stream.stall();
        }
        Some(FaultKind::PlainHttp) => {
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
            return;
        }
        Some(FaultKind::OldTls) => {
            let _ = stream.read(&mut [0; 4096]);
            // Alert, TLS 1.0, fatal, protocol_version (RFC 5246, section 7.2).
            let _ = stream.write_all(&[0x15, 3, 1, 0, 2, 2, 70]);
            return;
        }
        _ => {}
    }
    let Ok(mut tls) = ServerConnection::new(shared.certificates.config(fault)) else {
        return;
    };
    while tls.is_handshaking() {
        if tls.complete_io(&mut stream).is_err() {
            return;
        }
    }
    shared.count_tls();
    let mut tls = StreamOwned::new(tls, stream);
    let mut buffer = Vec::new();
    while let Ok(Some(request)) = read_request(&mut tls, &mut buffer) {
        if respond(&mut tls, &request, number, shared).is_err() {
            break;
        }
    }
    tls.conn.send_close_notify();
    let _ = tls.flush();
}

/// Answers one request, or does what the fault says. An error ends the connection.
fn respond(tls: &mut Tls<'_>, request: &Request, number: u64, shared: &Shared) -> io::Result<()> {
    let at = shared.started.elapsed();
    let fault = shared.fault(&request.path);
    // Where a fault has a reply of its own, the request never reaches Duo.
    let (mut reply, signature) = match fault.as_ref().and_then(replacement) {
        Some(reply) => (reply, None),
        None => api::answer(shared, request),
    };
    reply
        .headers
        .push(("Date".to_owned(), httpdate::fmt_http_date(shared.wall())));
    shared.record(RecordedRequest {
        connection: number,
        at,
        method: request.method.clone(),
        path: request.path.clone(),
        parameters: request.parameters(),
        raw_parameters: request.raw_parameters(),
        sorted: request.is_sorted(),
        headers: request
            .headers
            .iter()
            .map(|(name, value)| {
                let secret = name.eq_ignore_ascii_case("authorization");
                let value = if secret { "(left out)" } else { value };
                (name.clone(), value.to_owned())
            })
            .collect(),
        signature,
        status: reply.status,
        reply: String::from_utf8_lossy(reply.body.get(..2000).unwrap_or(&reply.body)).into_owned(),
    });
    match fault {
        Some(fault) => send_faulty(tls, &reply, &fault, shared),
        None => send(tls, &reply),
    }
}

fn send(tls: &mut Tls<'_>, reply: &Reply) -> io::Result<()> {
    let mut bytes = reply.head();
    bytes.extend_from_slice(&reply.body);
    tls.write_all(&bytes)?;
    tls.flush()
}

/// The reply of a fault that has one.
fn replacement(fault: &Fault) -> Option<Reply> {
    let body = |text: &str| raw(200, text.as_bytes().to_vec());
    Some(match fault.kind {
        FaultKind::StallRequest => Reply::default(),
        FaultKind::GarbageJson => body("<html>this is not JSON</html>"),
        FaultKind::EmptyBody => body(""),
        FaultKind::NotObject => body("[1, 2, 3]"),
        FaultKind::WrongType => body(r#"{"stat":"OK","response":{"result":42,"status":[]}}"#),
        FaultKind::MissingResponse => body(r#"{"stat":"OK"}"#),
        FaultKind::MissingResult => body(r#"{"stat":"OK","response":{"status_msg":"hello"}}"#),
        FaultKind::NoStat => body(r#"{"response":{"result":"allow"}}"#),
        FaultKind::DeepJson => {
            let depth = fault.depth.unwrap_or(10_000);
            body(&format!(
                r#"{{"stat":"OK","response":{}{}}}"#,
                "[".repeat(depth),
                "]".repeat(depth)
            ))
        }
        FaultKind::Redirect => {
            let mut redirect = raw(fault.code.unwrap_or(302), Vec::new());
            let target = fault.body.as_deref().unwrap_or("https://localhost:1/");
            redirect
                .headers
                .push(("Location".to_owned(), target.to_owned()));
            redirect
        }
        FaultKind::Status => {
            let status = fault.code.unwrap_or(500);
            match &fault.body {
                Some(text) => raw(status, text.as_bytes().to_vec()),
                None => with_body(
                    status,
                    &serde_json::json!({"stat": "FAIL", "code": u32::from(status) * 100, "message": "Simulated"}),
                ),
            }
        }
        FaultKind::RateLimited => {
            let mut limited = fail(42901, "Too many requests", None);
            if let Some(value) = &fault.retry_after {
                let header = fault.header.as_deref().unwrap_or("Retry-After");
                limited.headers.push((header.to_owned(), value.clone()));
            }
            limited
        }
        FaultKind::BadSignature => fail(40103, "Invalid signature in request credentials", None),
        FaultKind::Clock => fail(40105, "Bad request timestamp", None),
        _ => return None,
    })
}

/// Faults in how a reply is sent.
fn send_faulty(tls: &mut Tls<'_>, reply: &Reply, fault: &Fault, shared: &Shared) -> io::Result<()> {
    let end = || Err(io::ErrorKind::ConnectionAborted.into());
    let head = reply.head();
    let half = |bytes: &[u8]| bytes.get(..bytes.len() / 2).unwrap_or_default().to_vec();
    match fault.kind {
        FaultKind::StallRequest => {
            tls.sock.stall();
            end()
        }
        FaultKind::StallHeaders => {
            tls.write_all(&half(&head))?;
            tls.flush()?;
            tls.sock.stall();
            end()
        }
        FaultKind::StallBody => {
            tls.write_all(&head)?;
            tls.write_all(&half(&reply.body))?;
            tls.flush()?;
            tls.sock.stall();
            end()
        }
        FaultKind::Drip => {
            let pause = Duration::from_millis(fault.interval_ms.unwrap_or(1000));
            for byte in head.iter().chain(&reply.body) {
                tls.write_all(&[*byte])?;
                tls.flush()?;
                sleep(pause, shared)?;
            }
            Ok(())
        }
        FaultKind::Delay => {
            sleep(
                Duration::from_millis(fault.interval_ms.unwrap_or(1000)),
                shared,
            )?;
            send(tls, reply)
        }
        FaultKind::Truncate => {
            tls.write_all(&head)?;
            tls.write_all(&half(&reply.body))?;
            tls.flush()?;
            end()
        }
        FaultKind::CloseBeforeReply => end(),
        FaultKind::ResetBeforeReply => {
            tls.sock.reset();
            end()
        }
        FaultKind::CloseAfterReply => {
            send(tls, reply)?;
            end()
        }
        FaultKind::GarbageHttp => {
            tls.write_all(b"\x00\x01\x02 this is not HTTP \xff\xfe\r\n\r\n")?;
            tls.flush()?;
            end()
        }
        FaultKind::EndlessBody => {
            tls.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
            endlessly(tls, shared, &format!("400\r\n{}\r\n", " ".repeat(1024)))
        }
        FaultKind::EndlessHeaders => {
            tls.write_all(b"HTTP/1.1 200 OK\r\n")?;
            endlessly(tls, shared, "X-Endless: and so on, and so on\r\n")
        }
        FaultKind::HugeHeader => {
            tls.write_all(b"HTTP/1.1 200 OK\r\nX-Huge: ")?;
            tls.write_all("x".repeat(1024 * 1024).as_bytes())?;
            tls.write_all(b"\r\nContent-Length: 0\r\n\r\n")?;
            tls.flush()
        }
        _ => send(tls, reply),
    }
}

fn sleep(time: Duration, shared: &Shared) -> io::Result<()> {
    let end = Instant::now() + time;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Ok(());
        }
        if shared.is_stopping() {
            return Err(io::ErrorKind::ConnectionAborted.into());
        }
        thread::sleep(left.min(TICK));
    }
}

fn endlessly(tls: &mut Tls<'_>, shared: &Shared, text: &str) -> io::Result<()> {
    while !shared.is_stopping() {
        tls.write_all(text.as_bytes())?;
    }
    Ok(())
}
