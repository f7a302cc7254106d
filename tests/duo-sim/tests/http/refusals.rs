//! Requests that Duo does not accept, and the code of each.

use std::time::{Duration, SystemTime};

use duo_sim::SignatureKind;

use crate::client::{Client, Draft, ask, simulator};

const PARAMETERS: &str = "device=auto&factor=push&username=alice";

/// The code that a login request gets after one change.
fn code_after(change: impl FnOnce(&mut Draft)) -> u64 {
    let simulator = simulator("");
    let mut draft = Draft::new(&simulator, "POST", "/auth/v2/auth", PARAMETERS);
    change(&mut draft);
    let reply = Client::connect(&simulator).unwrap().ask(&draft).unwrap();
    let code = reply.code();
    if code > 0 {
        assert_eq!(u64::from(reply.status), code / 100);
        assert_eq!(reply.json()["stat"], "FAIL");
        assert!(
            simulator.pending().is_empty(),
            "a refused request starts no push"
        );
    }
    code
}

#[test]
fn a_request_signed_as_documented_is_accepted() {
    assert_eq!(code_after(|_| {}), 0);
}

#[test]
fn the_date_may_come_in_duos_own_header() {
    assert_eq!(code_after(|draft| draft.date_header = "X-Duo-Date"), 0);
}

#[test]
fn parameters_that_are_not_sorted_are_40103_though_the_hmac_over_them_is_right() {
    assert_eq!(
        code_after(|draft| draft.parameters = "username=alice&factor=push&device=auto".into()),
        40103
    );
}

#[test]
fn parameters_encoded_in_another_way_are_40103_though_the_hmac_over_them_is_right() {
    for encoded in [
        "username=al%2Dice",
        "username=al+ice",
        "username=zo%c3%ab",
        "username=a@b",
    ] {
        assert_eq!(
            code_after(|draft| draft.parameters = encoded.into()),
            40103,
            "{encoded}"
        );
    }
}

#[test]
fn a_wrong_skey_is_40103() {
    assert_eq!(code_after(|draft| draft.skey = "another".into()), 40103);
}

#[test]
fn missing_credentials_a_foreign_ikey_and_a_missing_date_have_codes_of_their_own() {
    assert_eq!(code_after(|draft| draft.signed = false), 40101);
    assert_eq!(
        code_after(|draft| draft.ikey = "DIANOTHERANOTHER0000".into()),
        40102
    );
    assert_eq!(code_after(|draft| draft.date = None), 40104);
}

#[test]
fn a_date_more_than_five_minutes_away_is_40105_in_both_directions() {
    let moved =
        |date: SystemTime| code_after(|draft| draft.date = Some(httpdate::fmt_http_date(date)));
    let now = SystemTime::now();
    assert_eq!(moved(now - Duration::from_secs(320)), 40105);
    assert_eq!(moved(now + Duration::from_secs(320)), 40105);
    assert_eq!(moved(now - Duration::from_secs(280)), 0);
}

#[test]
fn another_content_type_is_40106() {
    assert_eq!(code_after(|draft| draft.content_type = "text/plain"), 40106);
}

#[test]
fn the_first_thing_that_is_wrong_decides_the_code() {
    let everything = |draft: &mut Draft| {
        draft.skey = "another".into();
        draft.date = Some(httpdate::fmt_http_date(SystemTime::UNIX_EPOCH));
    };
    assert_eq!(code_after(everything), 40105);
    assert_eq!(
        code_after(|draft| {
            everything(draft);
            draft.ikey = "DIANOTHERANOTHER0000".into();
        }),
        40102
    );
}

#[test]
fn missing_parameters_are_40001_and_name_themselves() {
    let simulator = simulator("");
    for (path, parameters, missing) in [
        ("/auth/v2/preauth", "ipaddr=203.0.113.5", "username"),
        ("/auth/v2/auth", "username=alice", "factor"),
        ("/auth/v2/auth", "factor=push&username=alice", "device"),
        (
            "/auth/v2/auth",
            "factor=passcode&username=alice",
            "passcode",
        ),
        ("/auth/v2/auth", "factor=prompt&username=alice", "prompt"),
    ] {
        let reply = ask(&simulator, "POST", path, parameters);
        assert_eq!(
            (reply.code(), reply.json()["message_detail"].as_str()),
            (40001, Some(missing)),
            "{parameters}"
        );
    }
}

#[test]
fn invalid_parameters_are_40002_and_name_themselves() {
    let simulator = simulator("");
    for (method, path, parameters, invalid) in [
        (
            "POST",
            "/auth/v2/auth",
            "factor=telepathy&username=alice",
            "factor",
        ),
        (
            "POST",
            "/auth/v2/auth",
            "device=DPNOBODY&factor=push&username=alice",
            "device",
        ),
        (
            "POST",
            "/auth/v2/auth",
            "device=auto&factor=push&username=nobody",
            "username",
        ),
        ("GET", "/auth/v2/auth_status", "txid=nothing", "txid"),
    ] {
        let reply = ask(&simulator, method, path, parameters);
        assert_eq!(
            (reply.code(), reply.json()["message_detail"].as_str()),
            (40002, Some(invalid)),
            "{parameters}"
        );
    }
}

#[test]
fn an_endpoint_that_duo_does_not_have_is_40401() {
    let reply = ask(&simulator(""), "GET", "/auth/v2/nothing", "");
    assert_eq!((reply.status, reply.code()), (404, 40401));
}

#[test]
fn ping_needs_no_signature_and_check_does() {
    let simulator = simulator("");
    let unsigned = |path| {
        let draft = Draft {
            signed: false,
            date: None,
            ..Draft::new(&simulator, "GET", path, "")
        };
        Client::connect(&simulator).unwrap().ask(&draft).unwrap()
    };
    assert!(unsigned("/auth/v2/ping").response()["time"].is_u64());
    assert_eq!(unsigned("/auth/v2/check").code(), 40101);
    assert!(ask(&simulator, "GET", "/auth/v2/check", "").response()["time"].is_u64());
}

#[test]
fn a_clock_that_is_off_shows_in_the_date_header_and_in_ping() {
    let simulator = simulator("clock_offset_seconds = -4000");
    let reply = ask(&simulator, "GET", "/auth/v2/ping", "");
    let date = reply
        .head
        .lines()
        .find_map(|line| line.strip_prefix("Date: "))
        .unwrap();
    let date = httpdate::parse_http_date(date).unwrap();
    let behind = SystemTime::now().duration_since(date).unwrap().as_secs();
    assert!((3998..=4002).contains(&behind), "{behind}");
    assert_eq!(ask(&simulator, "GET", "/auth/v2/check", "").code(), 40105);
}

#[test]
fn what_was_asked_is_recorded_without_the_credentials() {
    let simulator = simulator("");
    let mut client = Client::connect(&simulator).unwrap();
    let good = Draft::new(
        &simulator,
        "POST",
        "/auth/v2/preauth",
        "hostname=a%20b&username=alice",
    );
    let bad = Draft::new(
        &simulator,
        "POST",
        "/auth/v2/preauth",
        "username=alice&hostname=a%20b",
    );
    client.ask(&good).unwrap();
    client.ask(&bad).unwrap();
    let requests = simulator.requests();
    let [first, second] = &requests[..] else {
        panic!("{requests:?}")
    };
    assert_eq!(first.connection, second.connection);
    assert_eq!(
        (simulator.connections().tcp, simulator.connections().tls),
        (1, 1)
    );
    assert_eq!(
        (first.parameter("hostname"), first.sorted),
        (Some("a b"), true)
    );
    assert_eq!(
        (first.signature, first.status),
        (Some(SignatureKind::V2Sha1), 200)
    );
    assert_eq!(
        (second.sorted, second.signature, second.status),
        (false, None, 401)
    );
    assert_eq!(second.raw_parameters, "username=alice&hostname=a%20b");
    assert!(!first.header("authorization").unwrap().contains("Basic"));
    simulator.clear();
    assert!(simulator.requests().is_empty());
}
