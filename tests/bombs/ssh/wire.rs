//! SSH's binary packets (RFC 4253, section 6), in the clear and with `aes256-gcm@openssh.com`
//! (RFC 5647; OpenSSH's `PROTOCOL`).

use std::io::{self, Read as _, Write as _};
use std::net::TcpStream;

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};

/// Bytes of a tag.
const TAG: usize = 16;

/// One direction's key, and the nonce of its next packet.
pub(super) struct Sealing {
    key: LessSafeKey,
    nonce: [u8; 12],
}

impl Sealing {
    pub(super) fn new(key: &[u8], nonce: &[u8]) -> Self {
        let key = UnboundKey::new(&AES_256_GCM, key).unwrap();
        Self {
            key: LessSafeKey::new(key),
            nonce: nonce[..12].try_into().unwrap(),
        }
    }

    /// The nonce of this packet: four fixed bytes and a counter of the packets.
    fn next(&mut self) -> Nonce {
        let this = self.nonce;
        let counter = u64::from_be_bytes(this[4..].try_into().unwrap());
        self.nonce[4..].copy_from_slice(&counter.wrapping_add(1).to_be_bytes());
        Nonce::assume_unique_for_key(this)
    }
}

/// A connection that carries packets.
pub(super) struct Packets {
    pub(super) stream: TcpStream,
    pub(super) sending: Option<Sealing>,
    pub(super) receiving: Option<Sealing>,
}

impl Packets {
    pub(super) fn send(&mut self, payload: &[u8]) -> io::Result<()> {
        // What is sealed is a multiple of 16 without the length, and else of 8 with it.
        let (block, clear) = match self.sending {
            Some(_) => (16, 0),
            None => (8, 4),
        };
        let mut padding = block - (clear + 1 + payload.len()) % block;
        if padding < 4 {
            padding += block;
        }
        let length = u32::try_from(1 + payload.len() + padding).unwrap();
        let mut packet = length.to_be_bytes().to_vec();
        packet.push(u8::try_from(padding).unwrap());
        packet.extend(payload);
        packet.extend(vec![0; padding]);
        if let Some(sealing) = &mut self.sending {
            let nonce = sealing.next();
            let (length, rest) = packet.split_at_mut(4);
            let aad = Aad::from(length);
            let tag = sealing.key.seal_in_place_separate_tag(nonce, aad, rest);
            packet.extend(tag.unwrap().as_ref());
        }
        self.stream.write_all(&packet)
    }

    pub(super) fn receive(&mut self) -> io::Result<Vec<u8>> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let mut packet = vec![0; usize::try_from(u32::from_be_bytes(length)).unwrap()];
        if let Some(sealing) = &mut self.receiving {
            let whole = packet.len();
            packet.resize(whole + TAG, 0);
            self.stream.read_exact(&mut packet)?;
            let (nonce, aad) = (sealing.next(), Aad::from(length));
            let opened = sealing.key.open_in_place(nonce, aad, &mut packet);
            opened.map_err(|_| io::Error::other("a packet with a wrong tag"))?;
            packet.truncate(whole);
        } else {
            self.stream.read_exact(&mut packet)?;
        }
        let padding = usize::from(packet[0]);
        Ok(packet[1..packet.len() - padding].to_vec())
    }
}

/// Appends a string (RFC 4251, section 5).
pub(super) fn put(to: &mut Vec<u8>, text: &[u8]) {
    to.extend(u32::try_from(text.len()).unwrap().to_be_bytes());
    to.extend(text);
}

/// Appends a positive number (RFC 4251, section 5).
pub(super) fn put_number(to: &mut Vec<u8>, number: &[u8]) {
    let zeros = number.iter().take_while(|byte| **byte == 0).count();
    let mut shortest = number[zeros..].to_vec();
    if shortest.first().is_some_and(|byte| *byte >= 0x80) {
        shortest.insert(0, 0);
    }
    put(to, &shortest);
}

/// Takes a number of four bytes off the front.
pub(super) fn take_u32(from: &mut &[u8]) -> usize {
    let (number, rest) = from.split_at(4);
    *from = rest;
    usize::try_from(u32::from_be_bytes(number.try_into().unwrap())).unwrap()
}

/// Takes a string off the front.
pub(super) fn take(from: &mut &[u8]) -> Vec<u8> {
    let length = take_u32(from);
    let (text, rest) = from.split_at(length);
    *from = rest;
    text.to_vec()
}
