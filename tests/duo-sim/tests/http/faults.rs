//! Faults: each one does what its name says, where and as often as it was asked for.

use std::io;
use std::time::{Duration, Instant};

use duo_sim::{Fault, FaultKind, Simulator};

use crate::client::{Client, Draft, Reply, ask, simulator};

const PREAUTH: &str = "/auth/v2/preauth";

fn try_preauth(simulator: &Simulator) -> io::Result<Reply> {
    let draft = Draft::new(simulator, "POST", PREAUTH, "username=alice");
    Client::connect(simulator)?.ask(&draft)
}

fn with(path: &str, kind: FaultKind) -> Simulator {
    let simulator = simulator("");
    simulator.add_fault(Fault::new(path, kind));
    simulator
}

#[test]
fn faults_of_the_connection_let_no_handshake_succeed() {
    use FaultKind::{
        Expired, OldTls, PlainHttp, Refuse, Reset, SelfSigned, StallAccept, StallTls, TlsGarbage,
        UnknownCa, WrongName,
    };
    for kind in [
        Refuse,
        Reset,
        StallAccept,
        StallTls,
        TlsGarbage,
        PlainHttp,
        OldTls,
        SelfSigned,
        UnknownCa,
        Expired,
        WrongName,
    ] {
        let simulator = with("connection", kind);
        let refused = Client::connect(&simulator).err();
        let refused = refused.unwrap_or_else(|| panic!("{kind:?} let the handshake succeed"));
        let text = refused.to_string();
        match kind {
            Expired => assert!(text.contains("certificate expired"), "{text}"),
            WrongName => assert!(
                text.contains("NotValidForName") || text.contains("not valid for name"),
                "{text}"
            ),
            OldTls => assert!(text.contains("ProtocolVersion"), "{text}"),
            StallAccept | StallTls => {
                assert_eq!(refused.kind(), io::ErrorKind::WouldBlock, "{text}");
            }
            _ => {}
        }
        simulator.clear_faults();
        assert!(try_preauth(&simulator).is_ok(), "after {kind:?}");
    }
}

#[test]
fn replies_that_stall_or_break_off_are_never_whole() {
    use FaultKind::{
        CloseBeforeReply, EndlessBody, EndlessHeaders, GarbageHttp, HugeHeader, ResetBeforeReply,
        StallBody, StallHeaders, StallRequest, Truncate,
    };
    for kind in [
        StallRequest,
        StallHeaders,
        StallBody,
        Truncate,
        CloseBeforeReply,
        ResetBeforeReply,
        GarbageHttp,
        EndlessBody,
        EndlessHeaders,
        HugeHeader,
    ] {
        let simulator = with(PREAUTH, kind);
        assert!(try_preauth(&simulator).is_err(), "{kind:?}");
        assert_eq!(simulator.requests().len(), 1, "{kind:?}");
        simulator.clear_faults();
        assert!(try_preauth(&simulator).is_ok(), "after {kind:?}");
    }
}

#[test]
fn replies_that_are_whole_but_wrong_are_wrong_as_named() {
    use FaultKind::{
        DeepJson, EmptyBody, GarbageJson, MissingResponse, MissingResult, NoStat, NotObject,
        WrongType,
    };
    for kind in [
        GarbageJson,
        EmptyBody,
        NotObject,
        WrongType,
        MissingResponse,
        MissingResult,
        NoStat,
        DeepJson,
    ] {
        let reply = try_preauth(&with(PREAUTH, kind)).unwrap();
        assert_eq!(reply.status, 200, "{kind:?}");
        let json: Option<serde_json::Value> = serde_json::from_str(&reply.body).ok();
        match kind {
            GarbageJson | EmptyBody | DeepJson => assert_eq!(json, None, "{kind:?}"),
            NotObject => assert!(!json.unwrap().is_object()),
            WrongType => assert!(json.unwrap()["response"]["result"].is_number()),
            MissingResponse => assert!(json.unwrap().get("response").is_none()),
            MissingResult => assert!(json.unwrap()["response"].get("result").is_none()),
            _ => assert!(json.unwrap().get("stat").is_none()),
        }
    }
}

#[test]
fn a_dripping_reply_comes_whole_one_byte_at_a_time() {
    let simulator = simulator("[[faults]]\npath = '/auth/v2/ping'\nkind = 'drip'\ninterval_ms = 2");
    let began = Instant::now();
    let reply = ask(&simulator, "GET", "/auth/v2/ping", "");
    assert!(reply.response()["time"].is_u64());
    let bytes = u64::try_from(reply.head.len() + reply.body.len()).unwrap();
    assert!(began.elapsed() >= Duration::from_millis(2 * bytes));
}

#[test]
fn a_fault_passes_over_some_strikes_so_often_and_is_over() {
    let simulator = simulator("");
    simulator.add_fault(
        Fault {
            code: Some(503),
            ..Fault::new(PREAUTH, FaultKind::Status)
        }
        .after(1)
        .times(2),
    );
    let statuses: Vec<u16> = (0..5)
        .map(|_| try_preauth(&simulator).unwrap().status)
        .collect();
    assert_eq!(statuses, [200, 503, 503, 200, 200]);
}

#[test]
fn a_fault_at_one_path_leaves_the_others_alone() {
    let simulator = with(PREAUTH, FaultKind::GarbageJson);
    assert_eq!(ask(&simulator, "GET", "/auth/v2/check", "").status, 200);
}

#[test]
fn rate_limits_say_when_to_come_back_in_the_header_that_was_asked_for() {
    let simulator = simulator(
        "[[faults]]\npath = '*'\nkind = 'rate_limited'\nretry_after = '7'\nheader = 'X-Retry-After'\ncount = 1\n[[faults]]\npath = '*'\nkind = 'rate_limited'",
    );
    let with_header = try_preauth(&simulator).unwrap();
    assert_eq!((with_header.status, with_header.code()), (429, 42901));
    assert!(with_header.head.contains("\r\nX-Retry-After: 7\r\n"));
    let without = try_preauth(&simulator).unwrap();
    assert!(!without.head.contains("Retry-After"), "{}", without.head);
}

#[test]
fn keys_and_clocks_are_refused_on_request() {
    assert_eq!(
        try_preauth(&with(PREAUTH, FaultKind::BadSignature))
            .unwrap()
            .code(),
        40103
    );
    assert_eq!(
        try_preauth(&with(PREAUTH, FaultKind::Clock))
            .unwrap()
            .code(),
        40105
    );
}

#[test]
fn a_redirect_names_its_target() {
    let simulator =
        simulator("[[faults]]\npath = '*'\nkind = 'redirect'\nbody = 'https://elsewhere.example/'");
    let reply = try_preauth(&simulator).unwrap();
    assert_eq!(reply.status, 302);
    assert!(
        reply
            .head
            .contains("\r\nLocation: https://elsewhere.example/\r\n")
    );
}

#[test]
fn tls_1_2_and_1_3_are_both_spoken() {
    let simulator = simulator("");
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        let draft = Draft::new(&simulator, "GET", "/auth/v2/check", "");
        let mut client = Client::connect_with(&simulator, &[version]).unwrap();
        assert_eq!(client.ask(&draft).unwrap().status, 200, "{version:?}");
    }
}

#[test]
fn dropping_a_simulator_never_hangs_whatever_is_under_way() {
    for kind in [
        FaultKind::StallRequest,
        FaultKind::StallBody,
        FaultKind::EndlessBody,
        FaultKind::Drip,
    ] {
        let simulator = with("/auth/v2/ping", kind);
        let mut client = Client::connect(&simulator).unwrap();
        client
            .send(&Draft::new(&simulator, "GET", "/auth/v2/ping", ""))
            .unwrap();
        let began = Instant::now();
        drop(simulator);
        assert!(began.elapsed() < Duration::from_secs(1), "{kind:?}");
    }
}
