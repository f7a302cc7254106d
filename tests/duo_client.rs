//! What the client sends again, what it never sends again, and how long it goes on.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::unnecessary_wraps,
    unreachable_pub
)]

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use duo_auth::clock::Clock;
use duo_auth::sign::{Application, Keys, Signature, SignedRequest};
use duo_auth::{AuthReply, AuthRequest, Factor, Place, Preauth, PreauthRequest, Verdict};
use duo_auth::{Cause, Client, DuoApi, DuoError, Reply, Transport, TransportError};
use duo_auth::{Host, Secret};

const AUTH_OK: &str = r#"{"stat":"OK","response":{"txid":"T1"}}"#;
const PREAUTH_OK: &str = r#"{"stat":"OK","response":{"result":"allow","status_msg":"hi"}}"#;
const WAITING: &str = r#"{"stat":"OK","response":{"result":"waiting","status":"pushed"}}"#;
const SECOND: Duration = Duration::from_secs(1);

#[derive(Default)]
struct FakeClock {
    now: Cell<Duration>,
    /// Whether the machine's clock is set, forwards and back, at every look.
    jumps: Cell<bool>,
    looks: Cell<u32>,
}

impl FakeClock {
    fn pass(&self, time: Duration) {
        self.now.set(self.now.get() + time);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Duration {
        self.now.get()
    }
    fn wall(&self) -> SystemTime {
        let time = UNIX_EPOCH + Duration::from_secs(1_800_000_000) + self.now.get();
        self.looks.set(self.looks.get() + 1);
        match (self.jumps.get(), self.looks.get() % 2) {
            (false, _) => time,
            (true, 0) => time + Duration::from_secs(1_000_000),
            (true, _) => time - Duration::from_secs(1_000_000),
        }
    }
    fn sleep(&self, time: Duration) {
        self.pass(time);
    }
}

type Exchange = Result<Reply, TransportError>;

/// Answers in order, takes the time that each answer takes, and notes what it was asked.
struct Script<'a> {
    clock: &'a FakeClock,
    answers: RefCell<VecDeque<(Duration, Exchange)>>,
    asked: &'a RefCell<Vec<(String, String, Duration)>>,
}

impl Transport for Script<'_> {
    fn exchange(&mut self, request: &SignedRequest, timeout: Duration) -> Exchange {
        let date = request.headers.iter().find(|(name, _)| *name == "Date");
        let date = date.unwrap().1.to_string();
        self.asked
            .borrow_mut()
            .push((request.path.to_owned(), date, timeout));
        let (takes, answer) = self
            .answers
            .borrow_mut()
            .pop_front()
            .unwrap_or_else(|| panic!("{} should not have been sent", request.path));
        if takes > timeout {
            self.clock.pass(timeout);
            return Err(lost(false));
        }
        self.clock.pass(takes);
        answer
    }
}

fn reply(status: u16, body: &str) -> Exchange {
    Ok(Reply {
        status,
        body: body.as_bytes().to_vec(),
        ..Reply::default()
    })
}

/// A connection that was lost when the request may have arrived.
fn lost(retry_on_new_connection: bool) -> TransportError {
    TransportError {
        detail: "connection reset".to_owned(),
        maybe_sent: true,
        cause: Cause::Network,
        retry_on_new_connection,
    }
}

fn limited(retry_after: Option<&str>) -> Exchange {
    Ok(Reply {
        status: 429,
        retry_after: retry_after.map(str::to_owned),
        body: br#"{"stat":"FAIL","code":42901,"message":"Too many requests"}"#.to_vec(),
        ..Reply::default()
    })
}

fn clock_off(theirs: u64) -> Exchange {
    Ok(Reply {
        status: 401,
        date: Some(UNIX_EPOCH + Duration::from_secs(theirs)),
        body: br#"{"stat":"FAIL","code":40105,"message":"Bad request timestamp"}"#.to_vec(),
        ..Reply::default()
    })
}

struct Played<R> {
    result: R,
    asked: Vec<(String, String, Duration)>,
    took: Duration,
}

/// Lets a client with a 10 s request timeout loose on the answers.
fn play<R>(
    answers: Vec<(Duration, Exchange)>,
    act: impl FnOnce(&mut dyn DuoApi) -> R,
) -> Played<R> {
    play_with(&FakeClock::default(), answers, act)
}

fn play_with<R>(
    clock: &FakeClock,
    answers: Vec<(Duration, Exchange)>,
    act: impl FnOnce(&mut dyn DuoApi) -> R,
) -> Played<R> {
    let asked = RefCell::default();
    let application = Application {
        host: Host::parse("duo.example:8443").unwrap(),
        keys: Keys {
            ikey: "DI".to_owned(),
            skey: Secret::from("sesame"),
        },
        signature: Signature::V2Sha1,
    };
    let script = Script {
        clock,
        answers: RefCell::new(answers.into()),
        asked: &asked,
    };
    let trace = |line: String| assert!(!line.contains("sesame"), "{line}");
    let timeout = Duration::from_secs(10);
    let mut client = Client::new(script, clock, &application, timeout, &trace);
    let result = act(&mut client);
    drop(client);
    Played {
        result,
        asked: asked.into_inner(),
        took: clock.now(),
    }
}

fn preauth(duo: &mut dyn DuoApi) -> Result<Preauth, DuoError> {
    let request = PreauthRequest {
        username: "alice",
        place: Place::default(),
        verified_push: false,
        text_prompt: false,
    };
    duo.preauth(&request, Duration::from_secs(20))
}

fn auth(duo: &mut dyn DuoApi) -> Result<AuthReply, DuoError> {
    let request = AuthRequest {
        username: "alice",
        place: Place::default(),
        factor: Factor::Phone { device: "DP1" },
    };
    duo.auth(&request, Duration::from_secs(100))
}

fn now(exchange: Exchange) -> (Duration, Exchange) {
    (Duration::ZERO, exchange)
}

#[test]
fn auth_is_never_sent_twice_once_duo_may_have_seen_it() {
    for reused in [false, true] {
        let played = play(vec![now(Err(lost(reused)))], auth);
        assert!(matches!(played.result, Err(DuoError::Unreachable { .. })));
        assert_eq!(played.asked.len(), 1);
    }
    let played = play(vec![now(reply(500, ""))], auth);
    assert_eq!(played.result, Err(DuoError::Status(500)));
}

#[test]
fn preauth_is_sent_again_on_a_fresh_connection_when_a_kept_one_was_closed() {
    let answers = vec![now(Err(lost(true))), now(reply(200, PREAUTH_OK))];
    let played = play(answers, preauth);
    assert!(matches!(played.result, Ok(Preauth::Allow { .. })));
    let answers = vec![now(Err(lost(true))), now(Err(lost(true)))];
    let played = play(answers, preauth);
    assert!(matches!(played.result, Err(DuoError::Unreachable { .. })));
}

#[test]
fn the_same_request_is_signed_again_once_with_duos_time() {
    for theirs in [1_700_000_000, 1_900_000_000] {
        let answers = vec![now(clock_off(theirs)), now(reply(200, AUTH_OK))];
        let played = play(answers, auth);
        assert_eq!(played.result, Ok(AuthReply::Transaction("T1".to_owned())));
        let corrected = httpdate::parse_http_date(&played.asked[1].1).unwrap();
        assert_eq!(corrected, UNIX_EPOCH + Duration::from_secs(theirs));
    }
    let answers = vec![now(clock_off(1_700_000_000)), now(clock_off(1_700_000_000))];
    let played = play(answers, auth);
    assert!(matches!(played.result, Err(DuoError::KeysRejected(_))));
}

#[test]
fn ping_tells_the_time_where_the_replys_date_does_not_explain_the_refusal() {
    let time = r#"{"stat":"OK","response":{"time":1700000000}}"#;
    let answers = vec![
        now(clock_off(1_800_000_000)),
        now(reply(200, time)),
        now(reply(200, PREAUTH_OK)),
    ];
    let played = play(answers, preauth);
    assert!(played.result.is_ok());
    let paths: Vec<&str> = played
        .asked
        .iter()
        .map(|(path, ..)| path.as_str())
        .collect();
    assert_eq!(
        paths,
        ["/auth/v2/preauth", "/auth/v2/ping", "/auth/v2/preauth"]
    );
}

#[test]
fn too_many_requests_wait_as_duo_says_or_back_off() {
    // Nought is taken for a second: a server that is too busy is not hammered.
    let answers = vec![now(limited(Some("0"))), now(reply(200, PREAUTH_OK))];
    assert_eq!(play(answers, preauth).took, SECOND);
    let answers = vec![now(limited(Some("7"))), now(reply(200, PREAUTH_OK))];
    let played = play(answers, preauth);
    assert!(played.result.is_ok());
    assert_eq!(played.took, SECOND * 7);
    let answers = vec![
        now(limited(None)),
        now(limited(None)),
        now(reply(200, PREAUTH_OK)),
    ];
    let played = play(answers, preauth);
    assert!(played.result.is_ok());
    // One second and two, and up to one at random for each.
    assert!(
        (3..=5).contains(&played.took.as_secs()),
        "{:?}",
        played.took
    );
}

#[test]
fn a_wait_that_would_outlast_the_deadline_is_not_begun() {
    let played = play(vec![now(limited(Some("20")))], preauth);
    assert_eq!(played.result, Err(DuoError::RateLimited));
    assert_eq!(played.took, Duration::ZERO);
    let endless = (0..10).map(|_| now(limited(None))).collect();
    let played = play(endless, preauth);
    assert_eq!(played.result, Err(DuoError::RateLimited));
    assert!(played.took <= SECOND * 20, "{:?}", played.took);
}

#[test]
fn no_request_may_take_longer_than_its_timeout_or_the_deadline() {
    let played = play(vec![(SECOND * 11, reply(200, PREAUTH_OK))], preauth);
    assert!(matches!(played.result, Err(DuoError::Unreachable { .. })));
    assert_eq!(played.took, SECOND * 10);
    let answers = vec![
        (SECOND * 9, limited(Some("9"))),
        (SECOND * 3, reply(200, PREAUTH_OK)),
    ];
    let played = play(answers, preauth);
    assert!(played.result.is_err());
    assert_eq!(played.asked[1].2, SECOND * 2);
    assert_eq!(played.took, SECOND * 20);
}

#[test]
fn a_poll_survives_lost_connections_and_ended_long_polls_until_the_deadline() {
    let ended = r#"{"stat":"FAIL","code":40002,"message":"Invalid request parameters"}"#;
    let answers = vec![
        (SECOND * 30, reply(400, ended)),
        now(Err(lost(false))),
        (SECOND * 30, reply(200, WAITING)),
    ];
    let played = play(answers, |duo| duo.auth_status("T1", SECOND * 100));
    assert_eq!(played.result.unwrap().verdict, Verdict::Waiting);
    assert_eq!(played.took, SECOND * 61);
    let dead = (0..200).map(|_| now(Err(lost(false)))).collect();
    let played = play(dead, |duo| duo.auth_status("T1", SECOND * 100));
    assert!(matches!(played.result, Err(DuoError::Unreachable { .. })));
    assert!(played.asked.len() <= 101, "{} polls", played.asked.len());
}

#[test]
fn optional_fields_of_any_kind_make_no_reply_unreadable() {
    let body = r#"{"stat":"OK","extra":[],"response":{"result":"auth","status_msg":null,
        "devices":[{"device":"DP1","type":7,"display_name":null,"name":5,"number":5551234,
        "capabilities":["push",null,3,"fax"],"sms_nextcode":1},{"device":null},"x",{}],
        "txid":"V1","verification_code":471193,"expiration":"1800000060",
        "prompt":{"text":null,"factors":{"default":null,"1":"push1","2":2}}}}"#;
    let played = play(vec![now(reply(200, body))], preauth);
    let Ok(Preauth::Auth(offer)) = played.result else {
        panic!("{:?}", played.result);
    };
    let [device] = &offer.devices[..] else {
        panic!("{:?}", offer.devices);
    };
    assert_eq!(
        (device.id.as_str(), device.display_name.as_str()),
        ("DP1", "5")
    );
    assert_eq!(device.sms_nextcode.as_deref(), Some("1"));
    let verified = offer.verified_push.unwrap();
    assert_eq!(verified.code, "471193");
    assert_eq!(verified.expiration, Some(1_800_000_060));
    assert_eq!(offer.prompt.unwrap().factors["1"], "push1");
    for (body, expected) in [
        (
            r#"{"stat":"OK","response":{"txid":"T1","result":"waiting"}}"#,
            Some("T1"),
        ),
        (
            r#"{"stat":"OK","response":{"txid":"T1","result":null}}"#,
            Some("T1"),
        ),
        (
            r#"{"stat":"OK","response":{"txid":"T1","result":"deny"}}"#,
            None,
        ),
    ] {
        let found = match play(vec![now(reply(200, body))], auth).result {
            Ok(AuthReply::Transaction(txid)) => Some(txid),
            _ => None,
        };
        assert_eq!(found.as_deref(), expected, "{body}");
    }
    // A code that is written as text is a code.
    let mut off = clock_off(1_700_000_000).unwrap();
    off.body = br#"{"stat":"FAIL","code":"40105","message":"Bad request timestamp"}"#.to_vec();
    let played = play(vec![now(Ok(off)), now(reply(200, AUTH_OK))], auth);
    assert!(played.result.is_ok());
}

#[test]
fn what_this_machine_lacks_is_no_outage() {
    let error = TransportError {
        cause: Cause::ResourceExhaustion,
        maybe_sent: false,
        ..lost(false)
    };
    let played = play(vec![now(Err(error))], preauth);
    let exhausted = matches!(played.result, Err(DuoError::ResourceExhausted { .. }));
    assert!(exhausted, "{:?}", played.result);
}

#[test]
fn what_this_machine_forbids_is_told_apart() {
    let error = TransportError {
        cause: Cause::NotPermitted,
        maybe_sent: false,
        ..lost(false)
    };
    let played = play(vec![now(Err(error))], preauth);
    let forbidden = matches!(played.result, Err(DuoError::NotPermitted { .. }));
    assert!(forbidden, "{:?}", played.result);
}

#[test]
fn what_fails_after_a_429_is_that_429() {
    let mut error = lost(false);
    error.maybe_sent = false;
    let played = play(vec![now(limited(None)), now(Err(error))], preauth);
    assert_eq!(played.result, Err(DuoError::RateLimited));
}

#[test]
fn statuses_and_bodies_are_sorted_into_what_failmode_may_judge() {
    let fail = |code: u32| format!(r#"{{"stat":"FAIL","code":{code},"message":"m"}}"#);
    for status in [500, 502, 503, 599, 301, 302, 204, 100] {
        let played = play(vec![now(reply(status, "x"))], preauth);
        assert_eq!(played.result, Err(DuoError::Status(status)));
    }
    for body in [
        "",
        "x",
        "[]",
        "{}",
        r#"{"stat":"OK"}"#,
        r#"{"stat":"OK","response":{}}"#,
        r#"{"stat":"OK","response":{"result":1}}"#,
        r#"{"stat":"ok","response":{"result":"allow"}}"#,
        r#"{"response":{"result":"allow"}}"#,
    ] {
        let played = play(vec![now(reply(200, body))], preauth);
        let bad = matches!(played.result, Err(DuoError::BadReply(_)));
        assert!(bad, "{body}: {:?}", played.result);
    }
    for code in [40101, 40102, 40103, 40104] {
        let played = play(vec![now(reply(401, &fail(code)))], preauth);
        assert!(matches!(played.result, Err(DuoError::KeysRejected(_))));
    }
    for (status, code) in [(400, 40001), (403, 40301), (404, 40401)] {
        let played = play(vec![now(reply(status, &fail(code)))], preauth);
        assert!(matches!(played.result, Err(DuoError::Refused { .. })));
    }
    // A refusal under status 200 is a refusal.
    let played = play(vec![now(reply(200, &fail(40103)))], preauth);
    assert!(matches!(played.result, Err(DuoError::KeysRejected(_))));
}

/// Setting the machine's clock in the middle of a login neither ends nor stretches it.
#[test]
fn a_clock_that_is_set_meanwhile_changes_no_deadline() {
    for jumps in [false, true] {
        let clock = FakeClock::default();
        clock.jumps.set(jumps);
        let answers = vec![
            (5 * SECOND, limited(Some("2"))),
            (4 * SECOND, limited(Some("1"))),
            (3 * SECOND, reply(200, PREAUTH_OK)),
        ];
        let played = play_with(&clock, answers, preauth);
        assert!(matches!(played.result, Ok(Preauth::Allow { .. })));
        assert_eq!(played.took, 15 * SECOND);
        let timeouts: Vec<u64> = played.asked.iter().map(|(.., t)| t.as_secs()).collect();
        assert_eq!(timeouts, [10, 10, 8]);
    }
}

/// A clock that no clock can show is not signed with, and nothing panics.
#[test]
fn a_clock_that_cannot_be_is_not_believed() {
    let far = [
        "253402300799",
        "253402300800",
        "9223372036854775807",
        "0",
        "1",
    ];
    for time in far {
        let body = format!(r#"{{"stat":"OK","response":{{"time":{time}}}}}"#);
        let refusal = r#"{"stat":"FAIL","code":40105,"message":"Bad request timestamp"}"#;
        let no_date = reply(401, refusal);
        let played = play(vec![now(no_date), now(reply(200, &body))], preauth);
        let rejected = matches!(played.result, Err(DuoError::KeysRejected(_)));
        assert!(rejected, "{time}: {:?}", played.result);
    }
    let answers = vec![now(clock_off(253_402_300_799)), now(reply(500, ""))];
    assert!(play(answers, preauth).result.is_err());
}
