//! Verified push, autopush, and how progress reaches the user.

use std::time::Duration;

use duo_auth::DuoError;
use duo_auth::{Capability, Offer, Preauth, Refusal, ServerPrompt, VerifiedPush};
use duo_login::config::MenuSource;
use duo_login::login::{Channel, Rules};
use duo_login::outcome::Outcome;

use crate::script::{
    Step, ask, auth_decides, auth_opens, failed, inform, offers, phone, play, rules, status,
};

const PUSH: &str = "async=1&device=DP1&factor=push&ipaddr=203.0.113.5&username=alice";
const PHONE: &str = "async=1&device=DP1&factor=phone&ipaddr=203.0.113.5&username=alice";
const PASSCODE: &str = "factor=passcode&ipaddr=203.0.113.5&passcode=123456&username=alice";

fn verified(txid: &str) -> String {
    format!("async=1&device=DP1&factor=push&ipaddr=203.0.113.5&txid={txid}&username=alice")
}

fn automatic() -> Rules {
    Rules {
        autopush: true,
        ..rules()
    }
}

fn verifying() -> Rules {
    Rules {
        verified_push: true,
        ..rules()
    }
}

/// Preauth offers a phone and a code.
fn offers_code(txid: &str, code: &str) -> Step {
    Step::Preauth(Ok(Preauth::Auth(Offer {
        devices: vec![phone("DP1", "iPhone")],
        verified_push: Some(VerifiedPush {
            txid: txid.to_owned(),
            code: code.to_owned(),
            expiration: None,
        }),
        prompt: None,
    })))
}

fn one_phone() -> Step {
    offers(vec![phone("DP1", "iPhone")])
}

#[track_caller]
fn approved(ended: &crate::script::Ended) {
    assert!(matches!(ended, Ok(Outcome::Approved(_))), "{ended:?}");
}

#[test]
fn autopush_asks_nothing_and_says_nothing_over_sshd() {
    let ended = play(
        &automatic(),
        vec![
            one_phone(),
            auth_opens(PUSH, "T1"),
            status(
                "T1",
                "waiting",
                "pushed",
                "Pushed a login request to your device...",
            ),
            status("T1", "allow", "allow", "Success. Logging you in..."),
        ],
    );
    approved(&ended);
}

#[test]
fn autopush_says_once_where_the_push_went_where_that_can_be_seen() {
    let mut live = automatic();
    live.channel = Channel::Live;
    let ended = play(
        &live,
        vec![
            one_phone(),
            auth_opens(PUSH, "T1"),
            inform("Pushed a login request to iPhone."),
            status(
                "T1",
                "waiting",
                "pushed",
                "Pushed a login request to your device...",
            ),
            status("T1", "allow", "allow", "Success. Logging you in..."),
        ],
    );
    approved(&ended);
}

#[test]
fn autopush_calls_where_nothing_can_be_pushed_to() {
    let mut landline = phone("DP1", "Desk");
    landline.capabilities = vec![Capability::Phone, Capability::Sms];
    let ended = play(
        &automatic(),
        vec![
            offers(vec![landline]),
            auth_opens(PHONE, "T1"),
            status("T1", "allow", "allow", ""),
        ],
    );
    approved(&ended);
}

#[test]
fn autopush_asks_where_there_is_nothing_to_push_to_or_to_call() {
    let ended = play(
        &automatic(),
        vec![
            offers(vec![]),
            ask(&["Passcode: "], "123456"),
            auth_decides(PASSCODE, "allow", "allow", ""),
        ],
    );
    approved(&ended);
}

#[test]
fn after_an_autopush_that_fails_the_menu_follows_and_never_a_second_push() {
    for (result, word, why) in [
        ("deny", "deny", "Login request denied."),
        (
            "deny",
            "timeout",
            "Nobody answered the login request in time.",
        ),
        ("waiting", "push_failed", "push failed"),
    ] {
        let said = if word == "push_failed" {
            "The push could not be delivered."
        } else {
            why
        };
        let ended = play(
            &automatic(),
            vec![
                one_phone(),
                auth_opens(PUSH, "T1"),
                status("T1", result, word, ""),
                failed("push", why),
                ask(&[said, "2 tries left.", "1. Duo Push"], "123456"),
                auth_decides(PASSCODE, "allow", "allow", ""),
            ],
        );
        approved(&ended);
    }
}

#[test]
fn the_code_of_a_verified_push_is_in_the_menu_and_its_transaction_in_the_request() {
    let ended = play(
        &verifying(),
        vec![
            offers_code("V1", "471193"),
            ask(
                &["1. Duo Push", "For Duo Push, enter 471193 in Duo Mobile."],
                "1",
            ),
            auth_opens(&verified("V1"), "V1"),
            status("V1", "allow", "allow", ""),
        ],
    );
    approved(&ended);
}

#[test]
fn with_autopush_the_code_is_in_a_prompt_that_goes_out_with_the_push() {
    for channel in [
        Channel::Held,
        Channel::Live,
        Channel::Prompt,
        Channel::Quiet,
    ] {
        let rules = Rules {
            autopush: true,
            channel,
            ..verifying()
        };
        let ended = play(
            &rules,
            vec![
                offers_code("V1", "471193"),
                auth_opens(&verified("V1"), "V1"),
                ask(
                    &[
                        "Enter 471193 in Duo Mobile, then press Enter here",
                        "or type a passcode",
                    ],
                    "",
                ),
                status("V1", "allow", "allow", ""),
            ],
        );
        approved(&ended);
    }
}

#[test]
fn a_passcode_typed_at_the_code_is_used() {
    let rules = Rules {
        autopush: true,
        ..verifying()
    };
    let ended = play(
        &rules,
        vec![
            offers_code("V1", "471193"),
            auth_opens(&verified("V1"), "V1"),
            ask(&["Enter 471193"], "123 456"),
            auth_decides(PASSCODE, "allow", "allow", ""),
        ],
    );
    approved(&ended);
}

#[test]
fn a_code_that_has_expired_gets_a_fresh_preauth_and_is_shown_again() {
    let ended = play(
        &verifying(),
        vec![
            offers_code("V1", "471193"),
            Step::Pass(Duration::from_secs(58)),
            ask(&["471193"], "1"),
            offers_code("V2", "502817"),
            auth_opens(&verified("V2"), "V2"),
            ask(&["The code had expired", "Enter 502817 in Duo Mobile"], ""),
            status("V2", "allow", "allow", ""),
        ],
    );
    approved(&ended);
}

#[test]
fn a_code_that_duo_calls_expired_gets_a_fresh_preauth_too() {
    let refused = DuoError::Refused {
        status: 400,
        refusal: Refusal {
            code: Some(40002),
            ..Refusal::default()
        },
    };
    let ended = play(
        &verifying(),
        vec![
            offers_code("V1", "471193"),
            ask(&["471193"], "push"),
            Step::Auth(verified("V1"), Err(refused)),
            offers_code("V2", "502817"),
            auth_opens(&verified("V2"), "V2"),
            ask(&["The code had expired", "Enter 502817 in Duo Mobile"], ""),
            status("V2", "allow", "allow", ""),
        ],
    );
    approved(&ended);
}

#[test]
fn each_verified_push_has_a_code_of_its_own() {
    let ended = play(
        &verifying(),
        vec![
            offers_code("V1", "471193"),
            ask(&["471193"], "1"),
            auth_opens(&verified("V1"), "V1"),
            status("V1", "deny", "deny", "Login request denied."),
            failed("push", "denied"),
            offers_code("V2", "502817"),
            ask(
                &["Login request denied.", "2 tries left.", "enter 502817"],
                "1",
            ),
            auth_opens(&verified("V2"), "V2"),
            status("V2", "allow", "allow", ""),
        ],
    );
    approved(&ended);
}

#[test]
fn what_fails_when_a_code_is_renewed_keeps_out() {
    let ended = play(
        &verifying(),
        vec![
            offers_code("V1", "471193"),
            Step::Pass(Duration::from_secs(58)),
            ask(&["471193"], "1"),
            Step::Preauth(Err(DuoError::Status(503))),
            inform("Duo login failed."),
        ],
    );
    assert!(matches!(ended, Ok(Outcome::Error { .. })), "{ended:?}");
}

#[test]
fn status_prompt_carries_progress_in_a_prompt_of_its_own() {
    let rules = Rules {
        channel: Channel::Prompt,
        ..rules()
    };
    for (typed, rest) in [
        ("", vec![status("T1", "allow", "allow", "")]),
        ("123456", vec![auth_decides(PASSCODE, "allow", "allow", "")]),
    ] {
        let mut steps = vec![
            one_phone(),
            ask(&[], "1"),
            auth_opens(PUSH, "T1"),
            ask(
                &["Pushed a login request to iPhone.", "Then press Enter here"],
                typed,
            ),
        ];
        steps.extend(rest);
        approved(&play(&rules, steps));
    }
}

#[test]
fn status_quiet_says_nothing_but_what_a_question_needs() {
    let rules = Rules {
        channel: Channel::Quiet,
        prompts: 2,
        ..rules()
    };
    let ended = play(
        &rules,
        vec![
            one_phone(),
            ask(&[], "2"),
            auth_opens(PHONE, "T1"),
            status("T1", "waiting", "calling", "Dialing..."),
            status("T1", "deny", "deny", "Denied."),
            failed("phone", "Denied."),
            ask(&["Denied.", "1 try left."], "000000"),
            auth_decides(
                &PASSCODE.replace("123456", "000000"),
                "deny",
                "deny",
                "Incorrect.",
            ),
            failed("passcode", "Incorrect."),
        ],
    );
    assert_eq!(ended, Ok(Outcome::OutOfTries));
}

#[test]
fn duos_own_menu_pushes_by_its_default_and_shows_the_code() {
    let prompt = || ServerPrompt {
        text: "Menu (1-1): ".to_owned(),
        factors: [("default", "push1"), ("1", "push1")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
    };
    let request = |txid: &str| {
        format!("async=1&factor=prompt&ipaddr=203.0.113.5&prompt=push1{txid}&username=alice")
    };
    let offer = |code: Option<&str>| {
        Step::Preauth(Ok(Preauth::Auth(Offer {
            devices: vec![],
            verified_push: code.map(|code| VerifiedPush {
                txid: "V1".to_owned(),
                code: code.to_owned(),
                expiration: None,
            }),
            prompt: Some(prompt()),
        })))
    };
    let server = |rules: Rules| Rules {
        menu: MenuSource::Server,
        ..rules
    };
    let ended = play(
        &server(automatic()),
        vec![
            offer(None),
            auth_opens(&request(""), "T1"),
            status("T1", "allow", "allow", ""),
        ],
    );
    approved(&ended);
    let ended = play(
        &server(verifying()),
        vec![
            offer(Some("471193")),
            ask(&["enter 471193 in Duo Mobile", "Menu (1-1): "], ""),
            auth_opens(&request("&txid=V1"), "V1"),
            status("V1", "allow", "allow", ""),
        ],
    );
    approved(&ended);
    let both = Rules {
        autopush: true,
        ..verifying()
    };
    let ended = play(
        &server(both),
        vec![
            offer(Some("471193")),
            auth_opens(&request("&txid=V1"), "V1"),
            ask(&["Enter 471193 in Duo Mobile, then press Enter here"], ""),
            status("V1", "allow", "allow", ""),
        ],
    );
    approved(&ended);
}
