//! A resolver of the simulator's own, so that a look-up can be slow, fail or never end: point
//! `/etc/resolv.conf` at it. Every name has the simulator's address.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use simple_dns::rdata::{A, AAAA, RData};
use simple_dns::{CLASS, Packet, PacketFlag, QTYPE, RCODE, ResourceRecord, TYPE};

use crate::connection::TICK;
use crate::fault::{Fault, FaultKind};
use crate::simulator::Shared;

/// Longest query, in bytes; larger ones would come by TCP (RFC 1035, section 2.3.4, and EDNS).
const LONGEST: usize = 4096;

/// Listens for queries at `listen`. Gives the socket, for [`answer`].
pub(crate) fn listen(listen: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(listen)?;
    socket.set_read_timeout(Some(TICK))?;
    Ok(socket)
}

/// Answers queries with `address` until the simulator stops.
pub(crate) fn answer(socket: &UdpSocket, address: IpAddr, shared: &Arc<Shared>) {
    let mut buffer = [0; LONGEST];
    while !shared.is_stopping() {
        let Ok((length, from)) = socket.recv_from(&mut buffer) else {
            continue;
        };
        let query = buffer.get(..length).unwrap_or_default().to_vec();
        shared.count_dns();
        let fault = shared.fault("dns");
        let Some(delay) = delay(fault.as_ref()) else {
            continue;
        };
        let kind = fault.map(|fault| fault.kind);
        let Some(reply) = reply(&query, address, kind) else {
            continue;
        };
        let Ok(socket) = socket.try_clone() else {
            continue;
        };
        thread::spawn(move || {
            thread::sleep(delay);
            // Nobody may be waiting any more.
            let _ = socket.send_to(&reply, from);
        });
    }
}

/// How much later the answer comes; `None` if there is none.
fn delay(fault: Option<&Fault>) -> Option<Duration> {
    match fault {
        Some(fault) if fault.kind == FaultKind::DnsSilent => None,
        Some(fault) if fault.kind == FaultKind::DnsSlow => {
            Some(Duration::from_millis(fault.interval_ms.unwrap_or(3000)))
        }
        _ => Some(Duration::ZERO),
    }
}

/// The answer to `query`; `None` if it is no query.
fn reply(query: &[u8], address: IpAddr, fault: Option<FaultKind>) -> Option<Vec<u8>> {
    if fault == Some(FaultKind::DnsGarbage) {
        return Some(b"this is not DNS".to_vec());
    }
    let query = Packet::parse(query).ok()?;
    let question = query.questions.first()?;
    let data = match (address, question.qtype) {
        (IpAddr::V4(address), QTYPE::TYPE(TYPE::A)) => Some(RData::A(A::from(address))),
        (IpAddr::V6(address), QTYPE::TYPE(TYPE::AAAA)) => Some(RData::AAAA(AAAA::from(address))),
        _ => None,
    };
    let mut reply = Packet::new_reply(query.id());
    reply.set_flags(PacketFlag::RECURSION_DESIRED | PacketFlag::RECURSION_AVAILABLE);
    reply.questions.push(question.clone());
    match fault {
        Some(FaultKind::DnsServfail) => *reply.rcode_mut() = RCODE::ServerFailure,
        Some(FaultKind::DnsNoName) => *reply.rcode_mut() = RCODE::NameError,
        _ => {
            let name = question.qname.clone();
            reply
                .answers
                .extend(data.map(|data| ResourceRecord::new(name, CLASS::IN, 0, data)));
        }
    }
    reply.build_bytes_vec().ok()
}
