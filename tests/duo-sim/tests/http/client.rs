//! A client of a few lines that signs as Duo documents it and sees every byte of the reply.

use std::fmt::Write as _;
use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use duo_sim::{Options, Scenario, Simulator};
use ring::hmac;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::Value;

/// How long a test waits for bytes before it counts them as never sent.
const PATIENCE: Duration = Duration::from_millis(700);

/// A simulator for a scenario in TOML.
pub(crate) fn simulator(scenario: &str) -> Simulator {
    Simulator::start(Scenario::from_toml(scenario).unwrap(), Options::default()).unwrap()
}

/// What a request is made of; tests change one thing.
pub(crate) struct Draft {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    /// Parameters as they are signed and sent.
    pub(crate) parameters: String,
    pub(crate) ikey: String,
    pub(crate) skey: String,
    pub(crate) date: Option<String>,
    pub(crate) date_header: &'static str,
    pub(crate) signed: bool,
    pub(crate) content_type: &'static str,
}

impl Draft {
    pub(crate) fn new(
        simulator: &Simulator,
        method: &'static str,
        path: &'static str,
        parameters: &str,
    ) -> Self {
        Self {
            method,
            path,
            parameters: parameters.to_owned(),
            ikey: simulator.ikey().to_owned(),
            skey: simulator.skey().to_owned(),
            date: Some(httpdate::fmt_http_date(SystemTime::now())),
            date_header: "Date",
            signed: true,
            content_type: "application/x-www-form-urlencoded",
        }
    }

    fn bytes(&self, host: &str) -> Vec<u8> {
        let (name, _) = host.split_once(':').unwrap();
        let date = self.date.as_deref().unwrap_or_default();
        let canonical = [date, self.method, name, self.path, &self.parameters].join("\n");
        let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, self.skey.as_bytes());
        let tag = hmac::sign(&key, canonical.as_bytes());
        let digits = tag.as_ref().iter().fold(String::new(), |mut digits, byte| {
            let _ = write!(digits, "{byte:02x}");
            digits
        });
        let credentials = BASE64_STANDARD.encode(format!("{}:{digits}", self.ikey));
        let post = self.method == "POST";
        let (target, body) = match (post, self.parameters.as_str()) {
            (true, body) => (self.path.to_owned(), body),
            (false, "") => (self.path.to_owned(), ""),
            (false, query) => (format!("{}?{query}", self.path), ""),
        };
        let mut lines = vec![
            format!("{} {target} HTTP/1.1", self.method),
            format!("Host: {host}"),
            format!("Content-Length: {}", body.len()),
        ];
        if self.signed {
            lines.push(format!("Authorization: Basic {credentials}"));
        }
        if self.date.is_some() {
            lines.push(format!("{}: {date}", self.date_header));
        }
        if post {
            lines.push(format!("Content-Type: {}", self.content_type));
        }
        format!("{}\r\n\r\n{body}", lines.join("\r\n")).into_bytes()
    }
}

/// A reply, as far as it came.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: String,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub(crate) fn code(&self) -> u64 {
        self.json()["code"].as_u64().unwrap_or_default()
    }

    pub(crate) fn response(&self) -> Value {
        let json = self.json();
        assert_eq!(json["stat"], "OK", "{}", self.body);
        json["response"].clone()
    }
}

/// One connection, kept alive.
pub(crate) struct Client {
    tls: StreamOwned<ClientConnection, TcpStream>,
    host: String,
}

impl Client {
    /// Connects and shakes hands; trusts the simulator's CA and nothing else.
    pub(crate) fn connect(simulator: &Simulator) -> io::Result<Self> {
        Self::connect_with(simulator, rustls::DEFAULT_VERSIONS)
    }

    pub(crate) fn connect_with(
        simulator: &Simulator,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> io::Result<Self> {
        let mut roots = RootCertStore::empty();
        roots
            .add(CertificateDer::from_pem_slice(simulator.ca_pem().as_bytes()).unwrap())
            .unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let mut connection = ClientConnection::new(Arc::new(config), name).unwrap();
        let mut stream = TcpStream::connect(simulator.address())?;
        stream.set_read_timeout(Some(PATIENCE))?;
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        Ok(Self {
            tls: StreamOwned::new(connection, stream),
            host: simulator.host(),
        })
    }

    /// Sends a request without waiting for its reply.
    pub(crate) fn send(&mut self, draft: &Draft) -> io::Result<()> {
        self.tls.write_all(&draft.bytes(&self.host))?;
        self.tls.flush()
    }

    /// Reads one whole reply. An error where it does not come, or not whole.
    pub(crate) fn receive(&mut self) -> io::Result<Reply> {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            self.tls.read_exact(&mut byte)?;
            head.push(byte[0]);
            if head.len() > 64 * 1024 {
                return Err(io::Error::other("the headers do not end"));
            }
        }
        let head = String::from_utf8(head).map_err(io::Error::other)?;
        let status = head
            .strip_prefix("HTTP/1.1 ")
            .and_then(|rest| rest.get(..3)?.parse().ok());
        let status = status.ok_or_else(|| io::Error::other("no status line"))?;
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "));
        let length: usize = length
            .and_then(|l| l.parse().ok())
            .ok_or_else(|| io::Error::other("no length"))?;
        let mut body = vec![0; length];
        self.tls.read_exact(&mut body)?;
        Ok(Reply {
            status,
            head,
            body: String::from_utf8(body).map_err(io::Error::other)?,
        })
    }

    pub(crate) fn ask(&mut self, draft: &Draft) -> io::Result<Reply> {
        self.send(draft)?;
        self.receive()
    }
}

/// One signed request on a connection of its own.
pub(crate) fn ask(
    simulator: &Simulator,
    method: &'static str,
    path: &'static str,
    parameters: &str,
) -> Reply {
    let draft = Draft::new(simulator, method, path, parameters);
    Client::connect(simulator).unwrap().ask(&draft).unwrap()
}

pub(crate) fn preauth(simulator: &Simulator, parameters: &str) -> Value {
    ask(simulator, "POST", "/auth/v2/preauth", parameters).response()
}

pub(crate) fn auth(simulator: &Simulator, parameters: &str) -> Value {
    ask(simulator, "POST", "/auth/v2/auth", parameters).response()
}

pub(crate) fn poll(simulator: &Simulator, txid: &Value) -> Value {
    let parameters = format!("txid={}", txid.as_str().unwrap());
    ask(simulator, "GET", "/auth/v2/auth_status", &parameters).response()
}
