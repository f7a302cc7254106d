//! An SSH client that does what the OpenSSH client never does: it begins a new exchange of
//! keyboard-interactive (RFC 4256) while the last one still waits for an answer. The server's key
//! is not looked at: it is on this machine, and the test has started it.

mod wire;

use std::io;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use ring::agreement::{EphemeralPrivateKey, UnparsedPublicKey, X25519, agree_ephemeral};
use ring::digest::{SHA256, digest};
use ring::rand::SystemRandom;

use wire::{Packets, Sealing, put, put_number, take, take_u32};

/// Numbers of the messages (RFC 4253, section 12; RFC 4252, section 6; RFC 4256, section 5).
mod message {
    pub(super) const DISCONNECT: u8 = 1;
    pub(super) const SERVICE_REQUEST: u8 = 5;
    pub(super) const SERVICE_ACCEPT: u8 = 6;
    pub(super) const KEXINIT: u8 = 20;
    pub(super) const NEWKEYS: u8 = 21;
    pub(super) const KEX_ECDH_INIT: u8 = 30;
    pub(super) const KEX_ECDH_REPLY: u8 = 31;
    pub(super) const USERAUTH_REQUEST: u8 = 50;
    pub(super) const USERAUTH_FAILURE: u8 = 51;
    pub(super) const USERAUTH_SUCCESS: u8 = 52;
    pub(super) const USERAUTH_INFO_REQUEST: u8 = 60;
    pub(super) const USERAUTH_INFO_RESPONSE: u8 = 61;
}

const VERSION: &str = "SSH-2.0-abandons";

/// What the server says next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Said {
    /// A question; everything that is to be shown with it.
    Question(String),
    /// Not this way.
    Failure,
    /// In.
    Success,
    /// The server has ended the connection.
    Gone,
}

/// A connection whose keys are agreed on.
pub(crate) struct Ssh {
    packets: Packets,
    user: String,
}

impl Ssh {
    /// Connects to the sshd at `port` of this machine, to log in as `user`; each answer of the server
    /// may take as long as `patience`.
    pub(crate) fn connect(port: u16, user: &str, patience: Duration) -> io::Result<Self> {
        let stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(patience))?;
        stream.set_nodelay(true)?;
        let mut packets = Packets {
            stream,
            sending: None,
            receiving: None,
        };
        agree_on_keys(&mut packets)?;
        let mut request = vec![message::SERVICE_REQUEST];
        put(&mut request, b"ssh-userauth");
        packets.send(&request)?;
        let mut ssh = Self {
            packets,
            user: user.to_owned(),
        };
        let accepted = ssh.receive()?;
        assert_eq!(accepted[0], message::SERVICE_ACCEPT);
        Ok(ssh)
    }

    /// Begins an exchange of keyboard-interactive. One that waits is abandoned by that.
    pub(crate) fn begin(&mut self) -> Said {
        let mut request = vec![message::USERAUTH_REQUEST];
        for text in [&self.user, "ssh-connection", "keyboard-interactive", "", ""] {
            put(&mut request, text.as_bytes());
        }
        self.exchange(&request)
    }

    /// Answers the question.
    pub(crate) fn answer(&mut self, text: &str) -> Said {
        let mut response = vec![message::USERAUTH_INFO_RESPONSE, 0, 0, 0, 1];
        put(&mut response, text.as_bytes());
        self.exchange(&response)
    }

    fn exchange(&mut self, packet: &[u8]) -> Said {
        let sent = self.packets.send(packet);
        match sent.and_then(|()| self.said()) {
            Ok(said) => said,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                panic!("sshd says nothing any more")
            }
            Err(_) => Said::Gone,
        }
    }

    /// The next message that is no remark.
    fn receive(&mut self) -> io::Result<Vec<u8>> {
        loop {
            let packet = self.packets.receive()?;
            // IGNORE, DEBUG, EXT_INFO, USERAUTH_BANNER.
            if !matches!(packet[0], 2 | 4 | 7 | 53) {
                return Ok(packet);
            }
        }
    }

    fn said(&mut self) -> io::Result<Said> {
        let mut shown = String::new();
        loop {
            let packet = self.receive()?;
            let mut rest = &packet[1..];
            match packet[0] {
                message::USERAUTH_INFO_REQUEST => {
                    for _ in 0..3 {
                        shown.push_str(&String::from_utf8_lossy(&take(&mut rest)));
                    }
                    if take_u32(&mut rest) > 0 {
                        shown.push_str(&String::from_utf8_lossy(&take(&mut rest)));
                        return Ok(Said::Question(shown));
                    }
                    // Only to be shown.
                    self.packets
                        .send(&[message::USERAUTH_INFO_RESPONSE, 0, 0, 0, 0])?;
                }
                message::USERAUTH_FAILURE => return Ok(Said::Failure),
                message::USERAUTH_SUCCESS => return Ok(Said::Success),
                message::DISCONNECT => return Ok(Said::Gone),
                other => panic!("sshd sent a message {other}"),
            }
        }
    }
}

/// Exchanges versions and keys (RFC 4253, sections 4 and 7; RFC 8731).
fn agree_on_keys(packets: &mut Packets) -> io::Result<()> {
    write!(packets.stream, "{VERSION}\r\n")?;
    let theirs = read_line(&mut packets.stream)?;
    let mut ours = vec![message::KEXINIT];
    ours.extend([0; 16]);
    for list in [
        "curve25519-sha256",
        "ssh-ed25519",
        "aes256-gcm@openssh.com",
        "aes256-gcm@openssh.com",
        "hmac-sha2-256",
        "hmac-sha2-256",
        "none",
        "none",
        "",
        "",
    ] {
        put(&mut ours, list.as_bytes());
    }
    ours.extend([0; 5]);
    packets.send(&ours)?;
    let their_proposal = packets.receive()?;
    assert_eq!(their_proposal[0], message::KEXINIT);

    let private = EphemeralPrivateKey::generate(&X25519, &SystemRandom::new()).unwrap();
    let public = private.compute_public_key().unwrap();
    let mut init = vec![message::KEX_ECDH_INIT];
    put(&mut init, public.as_ref());
    packets.send(&init)?;
    let reply = packets.receive()?;
    assert_eq!(reply[0], message::KEX_ECDH_REPLY);
    let mut rest = &reply[1..];
    let (host_key, their_public) = (take(&mut rest), take(&mut rest));
    let peer = UnparsedPublicKey::new(&X25519, &their_public);
    let secret = agree_ephemeral(private, &peer, <[u8]>::to_vec).unwrap();

    let mut hashed = Vec::new();
    for part in [
        VERSION.as_bytes(),
        theirs.as_bytes(),
        &ours,
        &their_proposal,
        &host_key,
        public.as_ref(),
        &their_public,
    ] {
        put(&mut hashed, part);
    }
    put_number(&mut hashed, &secret);
    let hash = digest(&SHA256, &hashed);
    // Section 7.2: the first exchange's hash is the session's id, too.
    let derive = |letter: u8| {
        let mut text = Vec::new();
        put_number(&mut text, &secret);
        text.extend(hash.as_ref());
        text.push(letter);
        text.extend(hash.as_ref());
        digest(&SHA256, &text)
    };
    packets.send(&[message::NEWKEYS])?;
    packets.sending = Some(Sealing::new(derive(b'C').as_ref(), derive(b'A').as_ref()));
    let done = packets.receive()?;
    assert_eq!(done[0], message::NEWKEYS);
    packets.receiving = Some(Sealing::new(derive(b'D').as_ref(), derive(b'B').as_ref()));
    Ok(())
}

/// A line of the connection's beginning, without its end.
fn read_line(stream: &mut TcpStream) -> io::Result<String> {
    let mut line = Vec::new();
    let mut byte = [0];
    while byte[0] != b'\n' {
        stream.read_exact(&mut byte)?;
        line.push(byte[0]);
    }
    Ok(String::from_utf8_lossy(&line).trim_end().to_owned())
}
