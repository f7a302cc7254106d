//! Logins as a scenario scripts them.

use std::time::{Duration, Instant};

use duo_sim::Decision;
use serde_json::{Value, json};

use crate::client::{ask, auth, poll, preauth, simulator};

const PUSH: &str = "async=1&device=auto&factor=push&username=alice";

fn verdict(reply: &Value) -> (&str, &str) {
    (
        reply["result"].as_str().unwrap(),
        reply["status"].as_str().unwrap(),
    )
}

#[test]
fn a_push_is_waited_for_and_then_decided_as_scripted() {
    for (answer, expected) in [
        ("approve", ("allow", "allow")),
        ("deny", ("deny", "deny")),
        ("fraud", ("deny", "fraud")),
        ("timeout", ("deny", "timeout")),
        ("locked_out", ("deny", "locked_out")),
    ] {
        let script = format!("[users.alice]\npush = {{ answer = '{answer}', after_ms = 500 }}");
        let simulator = simulator(&script);
        let txid = &auth(&simulator, PUSH)["txid"];
        assert_eq!(
            verdict(&poll(&simulator, txid)),
            ("waiting", "pushed"),
            "{answer}"
        );
        let began = Instant::now();
        assert_eq!(verdict(&poll(&simulator, txid)), expected);
        assert!(began.elapsed() < Duration::from_secs(5), "{answer}");
        assert_eq!(
            verdict(&poll(&simulator, txid)),
            expected,
            "asked again after {answer}"
        );
    }
}

#[test]
fn a_result_that_duo_does_not_document_is_sent_as_it_is() {
    let simulator =
        simulator("[users.alice]\npush = { answer = 'maybe' }\n[users.bob]\npreauth = 'perhaps'");
    assert_eq!(
        auth(&simulator, "device=auto&factor=push&username=alice")["result"],
        "maybe"
    );
    assert_eq!(preauth(&simulator, "username=bob")["result"], "perhaps");
}

#[test]
fn outcomes_come_in_turn_and_the_last_one_repeats() {
    let simulator =
        simulator("[users.alice]\npush = [{ answer = 'deny' }, { answer = 'approve' }]");
    let results: Vec<Value> = (0..3)
        .map(|_| auth(&simulator, "device=auto&factor=push&username=alice")["result"].clone())
        .collect();
    assert_eq!(results, ["deny", "allow", "allow"]);
}

#[test]
fn a_push_that_waits_is_decided_by_the_test_before_or_after_it_is_sent() {
    let simulator = simulator("[users.alice]\npush = { answer = 'wait' }");
    let txid = &auth(&simulator, PUSH)["txid"];
    assert_eq!(verdict(&poll(&simulator, txid)), ("waiting", "pushed"));
    assert_eq!(simulator.pending(), ["alice"]);
    simulator.decide("alice", Decision::Fraud);
    assert_eq!(verdict(&poll(&simulator, txid)), ("deny", "fraud"));
    assert!(simulator.pending().is_empty());
    simulator.decide("alice", Decision::Approve);
    assert_eq!(
        verdict(&auth(&simulator, "device=auto&factor=push&username=alice")),
        ("allow", "allow")
    );
}

#[test]
fn a_long_poll_without_news_is_40002() {
    let simulator = simulator("long_poll_s = 0\n[users.alice]\npush = { answer = 'wait' }");
    let reply = auth(&simulator, PUSH);
    let txid = reply["txid"].as_str().unwrap();
    poll(&simulator, &reply["txid"]);
    let again = ask(
        &simulator,
        "GET",
        "/auth/v2/auth_status",
        &format!("txid={txid}"),
    );
    assert_eq!((again.status, again.code()), (400, 40002));
}

#[test]
fn a_call_is_made_answered_and_decided() {
    let simulator = simulator("[users.alice]\nphone = { answer = 'approve', after_ms = 1200 }");
    let txid = &auth(
        &simulator,
        "async=1&device=auto&factor=phone&username=alice",
    )["txid"];
    let polls: Vec<Value> = (0..3)
        .map(|_| poll(&simulator, txid)["status"].clone())
        .collect();
    assert_eq!(polls, ["calling", "answered", "allow"]);
}

#[test]
fn passcodes_are_right_always_once_or_after_sms() {
    let simulator = simulator(
        "[users.alice]\npasscodes = ['111111']\none_time_passcodes = ['222222']\nsms_passcodes = ['3333333']",
    );
    let result = |code: &str| {
        auth(
            &simulator,
            &format!("factor=passcode&passcode={code}&username=alice"),
        )
    };
    for (code, expected) in [
        ("111111", "allow"),
        ("111111", "allow"),
        ("222222", "allow"),
        ("222222", "deny"),
        ("3333333", "deny"),
    ] {
        assert_eq!(result(code)["result"], expected, "{code}");
    }
    assert_eq!(
        result("0")["status_msg"],
        "Incorrect passcode. Please try again."
    );
    let sms = auth(&simulator, "device=auto&factor=sms&username=alice");
    assert_eq!(verdict(&sms), ("deny", "sent"));
    assert_eq!(result("3333333")["result"], "allow");
    assert_eq!(result("3333333")["result"], "deny");
}

#[test]
fn failed_attempts_lock_a_user_out_and_asking_for_sms_is_none() {
    let simulator = simulator("[users.alice]\nlock_out_after = 2");
    let wrong = "factor=passcode&passcode=0&username=alice";
    assert_eq!(
        verdict(&auth(&simulator, "device=auto&factor=sms&username=alice")).1,
        "sent"
    );
    assert_eq!(verdict(&auth(&simulator, wrong)).1, "deny");
    assert_eq!(verdict(&auth(&simulator, wrong)).1, "locked_out");
    let right = "factor=passcode&passcode=123456&username=alice";
    assert_eq!(verdict(&auth(&simulator, right)), ("deny", "locked_out"));
    assert_eq!(preauth(&simulator, "username=alice")["result"], "deny");
}

#[test]
fn preauth_lets_in_keeps_out_and_asks_to_enrol_as_scripted() {
    let simulator = simulator(
        "unknown_users = 'deny'\n[users.a]\npreauth = 'allow'\n[users.b]\npreauth = 'deny'\nstatus_msg = \"\\u001b[31mno\"\n[users.c]\npreauth = 'enroll'\nenroll_portal_url = 'https://x.example/'",
    );
    assert_eq!(preauth(&simulator, "username=a")["result"], "allow");
    assert_eq!(
        preauth(&simulator, "username=b")["status_msg"],
        "\u{1b}[31mno"
    );
    assert_eq!(
        preauth(&simulator, "username=c")["enroll_portal_url"],
        "https://x.example/"
    );
    assert_eq!(preauth(&simulator, "username=nobody")["result"], "deny");
}

#[test]
fn a_verified_push_is_offered_only_to_clients_that_know_it_and_needs_its_txid() {
    let simulator = simulator("[users.alice]\nverified_push = { code = '471193' }");
    let plain = preauth(&simulator, "username=alice");
    assert_eq!(
        plain["devices"][0]["capabilities"],
        json!(["sms", "phone", "mobile_otp"])
    );
    assert!(plain.get("verification_code").is_none());
    let knowing = preauth(&simulator, "client_supports_verified_push=1&username=alice");
    assert_eq!(knowing["verification_code"], "471193");
    assert!(knowing["expiration"].is_u64());
    let without = ask(&simulator, "POST", "/auth/v2/auth", PUSH);
    assert_eq!(
        (without.code(), without.json()["message_detail"].as_str()),
        (40002, Some("txid"))
    );
    let txid = knowing["txid"].as_str().unwrap();
    let with = format!("device=auto&factor=push&txid={txid}&username=alice");
    assert_eq!(auth(&simulator, &with)["result"], "allow");
}

#[test]
fn a_verified_push_expires() {
    let simulator = simulator("[users.alice]\nverified_push = { code = '471193', expires_s = 0 }");
    let reply = preauth(&simulator, "client_supports_verified_push=1&username=alice");
    let txid = reply["txid"].as_str().unwrap();
    let push = format!("device=auto&factor=push&txid={txid}&username=alice");
    assert_eq!(
        ask(&simulator, "POST", "/auth/v2/auth", &push).code(),
        40002
    );
}

#[test]
fn duos_own_menu_is_sent_on_request_and_takes_its_factors_and_passcodes() {
    let simulator = simulator("[users.alice]");
    let prompt = &preauth(&simulator, "text_prompt=1&username=alice")["prompt"];
    assert!(
        prompt["text"]
            .as_str()
            .unwrap()
            .contains("1. Duo Push to XXX-XXX-1234")
    );
    let expected = json!({"default": "push1", "1": "push1", "2": "phone1", "3": "sms1"});
    assert_eq!(prompt["factors"], expected);
    for (answer, expected) in [
        ("push1", "allow"),
        ("phone1", "allow"),
        ("sms1", "sent"),
        ("123456", "allow"),
        ("9", "deny"),
    ] {
        let reply = auth(
            &simulator,
            &format!("factor=prompt&prompt={answer}&username=alice"),
        );
        assert_eq!(reply["status"], expected, "{answer}");
    }
}

#[test]
fn what_has_reached_a_phone_is_counted_for_each_user() {
    let simulator = simulator("[users.alice]\npush = { answer = 'deny' }\n[users.bob]");
    for parameters in [
        PUSH,
        "async=1&device=auto&factor=phone&username=alice",
        // Neither reaches a phone that rings.
        "device=auto&factor=sms&username=alice",
        "factor=passcode&passcode=1&username=alice",
    ] {
        auth(&simulator, parameters);
    }
    simulator.clear();
    assert_eq!(simulator.pushes_and_calls("alice"), 2);
    assert_eq!(simulator.pushes_and_calls("bob"), 0);
    assert_eq!(simulator.pushes_and_calls("nobody"), 0);
}
