//! Ways to Duo: proxies, names with several addresses, look-ups, connections that die.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::time::{Duration, Instant};

use duo_sim::{Fault, FaultKind, Options, Scenario, Simulator};

use crate::deadlines::SilentAddress;
use crate::proxy::{Manner, Proxy};
use crate::test_bed::{CONF, TestBed, config};

#[test]
fn a_proxy_is_used_with_its_credentials_for_one_connection() {
    let proxy = Proxy::start(Manner::Works);
    let url = format!("http://me:s%40cret@127.0.0.1:{}", proxy.port);
    let bed = TestBed::new("", &format!("http_proxy = {url}"));
    let finished = bed.pamtester("alice", &["123456"]);
    assert_eq!(finished.status, 0, "{}", finished.transcript);
    let heads = proxy.heads();
    assert_eq!(heads.len(), 1, "{heads:?}");
    let port = bed.duo.address().port();
    let connect = format!("CONNECT localhost:{port} HTTP/1.1\r\n");
    assert!(heads[0].starts_with(&connect), "{}", heads[0]);
    // me:s@cret
    let credentials = "Proxy-Authorization: Basic bWU6c0BjcmV0\r\n";
    assert!(heads[0].contains(credentials), "{}", heads[0]);
    for line in bed.host.log() {
        assert!(!line.text.contains("cret"), "{}", line.text);
    }
}

/// Both orders, since nobody can say which address libc gives first.
#[test]
fn a_name_with_a_dead_address_costs_little() {
    let bed = TestBed::new("", "https_timeout = 10");
    let port = bed.duo.address().port();
    let dead = SilentAddress::at(SocketAddr::from(([127, 0, 0, 2], port)));
    for addresses in [["127.0.0.2", "127.0.0.1"], ["127.0.0.1", "127.0.0.2"]] {
        let hosts = addresses.map(|address| format!("{address} duo.test\n"));
        bed.host.write("/etc/hosts", 0o644, &hosts.concat());
        let conf = format!("{}host = duo.test:{port}\n", config(&bed.duo));
        bed.host.write(CONF, 0o600, &conf);
        let started = Instant::now();
        let finished = bed.pamtester("alice", &["123456"]);
        assert_eq!(finished.status, 0, "{}", finished.transcript);
        // A quarter of a second; half of the time limit would be 5 s.
        let took = started.elapsed();
        assert!(took < Duration::from_secs(4), "{addresses:?}: {took:?}");
    }
    drop(dead);
}

/// One address takes connections and breaks them before anything is sent.
#[test]
fn a_connection_that_breaks_before_anything_was_sent_is_made_again() {
    for kind in [FaultKind::Refuse, FaultKind::Reset] {
        let bed = TestBed::new("", "failmode = secure");
        bed.duo.add_fault(Fault::new("connection", kind).times(1));
        let finished = bed.pamtester("alice", &["123456"]);
        assert_eq!(finished.status, 0, "{kind:?}: {}", finished.transcript);
        assert_eq!(bed.paths(), ["/auth/v2/preauth", "/auth/v2/auth"]);
        assert_eq!(bed.duo.connections().tcp, 2);
    }
    // A bad certificate is no accident: it is not asked for twice.
    let bed = TestBed::new("", "failmode = secure");
    let wrong = Fault::new("connection", FaultKind::WrongName).times(1);
    bed.duo.add_fault(wrong);
    assert_ne!(bed.pamtester("alice", &[]).status, 0);
    assert_eq!(bed.duo.connections().tcp, 1);
}

#[test]
fn a_connection_that_dies_while_the_push_waits_is_opened_anew_for_the_same_transaction() {
    let bed = TestBed::new(
        "[users.alice]\npush = {answer = \"approve\", after_ms = 1500}",
        "",
    );
    for kind in [FaultKind::CloseBeforeReply, FaultKind::ResetBeforeReply] {
        bed.duo.clear();
        let dies = Fault::new("/auth/v2/auth_status", kind).times(1);
        bed.duo.add_fault(dies);
        let finished = bed.pamtester("alice", &["push"]);
        assert_eq!(finished.status, 0, "{kind:?}: {}", finished.transcript);
        let requests = bed.duo.requests();
        let pushes = requests.iter().filter(|r| r.path == "/auth/v2/auth");
        assert_eq!(pushes.count(), 1, "one push alone: {requests:?}");
        let polls = requests.iter().filter(|r| r.path == "/auth/v2/auth_status");
        let txids: Vec<_> = polls.map(|r| r.parameter("txid")).collect();
        assert!(
            txids.len() >= 2 && txids.iter().all(|txid| *txid == txids[0]),
            "{txids:?}"
        );
        assert_eq!(bed.duo.connections().tls, 2);
    }
}

/// The reply to `auth` is lost: Duo may have sent a push, so it is not asked for another.
#[test]
fn a_push_is_never_sent_twice() {
    for kind in [
        FaultKind::CloseBeforeReply,
        FaultKind::ResetBeforeReply,
        FaultKind::Truncate,
        FaultKind::StallRequest,
        FaultKind::GarbageHttp,
        FaultKind::Status,
    ] {
        let bed = TestBed::new("", "https_timeout = 1\nfailmode = safe");
        bed.duo.add_fault(Fault::new("/auth/v2/auth", kind));
        let finished = bed.pamtester("alice", &["push"]);
        assert_ne!(finished.status, 0, "{kind:?}");
        assert_eq!(bed.paths(), ["/auth/v2/preauth", "/auth/v2/auth"]);
    }
}

#[test]
fn a_slow_look_up_is_waited_for_and_asked_for_once_in_a_login() {
    let resolver = IpAddr::V4(Ipv4Addr::new(127, 1, 53, 1));
    let options = Options {
        dns: Some(SocketAddr::new(resolver, 53)),
        ..Options::default()
    };
    let duo = Simulator::start(Scenario::default(), options).unwrap();
    let port = duo.address().port();
    let mut slow = Fault::new("dns", FaultKind::DnsSlow);
    slow.interval_ms = Some(700);
    duo.add_fault(slow);
    let bed = TestBed::over(duo, "failmode = secure", |host| {
        host.user("alice").file(
            "/etc/resolv.conf",
            0o644,
            &format!("nameserver {resolver}\n"),
        )
    });
    let conf = format!("{}host = duo.test:{port}\n", config(&bed.duo));
    bed.host.write(CONF, 0o600, &conf);
    let finished = bed.pamtester("alice", &["push"]);
    assert_eq!(finished.status, 0, "{}", finished.transcript);
    // A and AAAA, for one connection and four requests.
    assert_eq!(bed.duo.connections().dns, 2);
    assert_eq!(bed.duo.connections().tcp, 1);
}

/// A server that redirects, here to one that would let everyone in, is not followed.
#[test]
fn a_redirect_is_not_followed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let bed = TestBed::new("", "failmode = secure");
    let mut redirect = Fault::new("/auth/v2/preauth", FaultKind::Redirect);
    redirect.body = Some(format!(
        "https://localhost:{}/",
        listener.local_addr().unwrap().port()
    ));
    bed.duo.add_fault(redirect);
    assert_ne!(bed.pamtester("alice", &[]).status, 0);
    assert!(listener.accept().is_err(), "it was followed");
    assert_eq!(bed.duo.connections().tcp, 1);
}

#[test]
fn a_server_that_speaks_tls_1_2_alone_is_spoken_to() {
    let bed = TestBed::new("", "failmode = secure");
    let old = Fault::new("connection", FaultKind::OnlyTls12);
    bed.duo.add_fault(old);
    let finished = bed.pamtester("alice", &["push"]);
    assert_eq!(finished.status, 0, "{}", finished.transcript);
    assert_eq!(bed.duo.connections().tls, 1);
}
