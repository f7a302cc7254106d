//! Factors: push, phone, SMS, passcodes, and answers that are none of these.

use std::time::Duration;

use duo_auth::{Capability, Device, Offer, Preauth, ServerPrompt};
use duo_login::config::MenuSource;
use duo_login::login::{Answer, Channel};
use duo_login::outcome::Outcome;

use crate::script::{
    Step, ask, auth_decides, auth_opens, failed, inform, offers, phone, play, rules, status,
};

const PUSH: &str = "async=1&device=DP1&factor=push&ipaddr=203.0.113.5&username=alice";
const PHONE: &str = "async=1&device=DP1&factor=phone&ipaddr=203.0.113.5&username=alice";
const SMS: &str = "device=DP1&factor=sms&ipaddr=203.0.113.5&username=alice";

fn passcode(code: &str) -> String {
    format!("factor=passcode&ipaddr=203.0.113.5&passcode={code}&username=alice")
}

fn iphone() -> Vec<Device> {
    vec![phone("DP1", "iPhone")]
}

fn approved(ended: &crate::script::Ended) -> &duo_login::outcome::Attempt {
    match ended {
        Ok(Outcome::Approved(attempt)) => attempt,
        other => panic!("not approved: {other:?}"),
    }
}

#[test]
fn an_approved_push_logs_in() {
    let ended = play(
        &rules(),
        vec![
            offers(iphone()),
            ask(
                &[
                    "Duo two-factor login for alice",
                    "1. Duo Push to iPhone",
                    "(1-3): ",
                ],
                "1",
            ),
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
    let attempt = approved(&ended);
    assert_eq!(attempt.factor, "push");
    assert_eq!(attempt.device.as_deref(), Some("DP1"));
    assert_eq!(attempt.txid.as_deref(), Some("T1"));
}

#[test]
fn a_right_passcode_logs_in_with_two_requests() {
    let ended = play(
        &rules(),
        vec![
            offers(iphone()),
            ask(&["Enter a passcode or select"], " 123 456 "),
            auth_decides(&passcode("123456"), "allow", "allow", ""),
        ],
    );
    assert_eq!(approved(&ended).factor, "passcode");
}

#[test]
fn a_wrong_passcode_is_said_in_the_next_question_and_the_right_one_then_logs_in() {
    let ended = play(
        &rules(),
        vec![
            offers(iphone()),
            ask(&[], "111111"),
            auth_decides(
                &passcode("111111"),
                "deny",
                "deny",
                "Incorrect passcode. Please try again.",
            ),
            failed("passcode", "Incorrect passcode."),
            ask(
                &["Incorrect passcode.", "2 tries left.", "1. Duo Push"],
                "123456",
            ),
            auth_decides(&passcode("123456"), "allow", "allow", ""),
        ],
    );
    approved(&ended);
}

#[test]
fn three_wrong_passcodes_end_the_login() {
    let wrong = |typed: &str| {
        vec![
            ask(&[], typed),
            auth_decides(&passcode(typed), "deny", "deny", "Incorrect passcode."),
            failed("passcode", "Incorrect passcode."),
        ]
    };
    let mut steps = vec![offers(iphone())];
    steps.extend(
        ["111111", "222222", "333333"]
            .iter()
            .flat_map(|typed| wrong(typed)),
    );
    steps.push(inform("Incorrect passcode."));
    assert_eq!(play(&rules(), steps), Ok(Outcome::OutOfTries));
}

#[test]
fn prompts_says_how_often_a_user_may_try() {
    let mut once = rules();
    once.prompts = 1;
    let ended = play(
        &once,
        vec![
            offers(iphone()),
            ask(&[], "push"),
            auth_opens(PUSH, "T1"),
            status("T1", "deny", "deny", "Login request denied."),
            failed("push", "Login request denied."),
            inform("Login request denied."),
        ],
    );
    assert_eq!(ended, Ok(Outcome::OutOfTries));
}

#[test]
fn nothing_means_the_first_option() {
    let ended = play(
        &rules(),
        vec![
            offers(iphone()),
            ask(&[], ""),
            auth_opens(PUSH, "T1"),
            status("T1", "allow", "allow", ""),
        ],
    );
    approved(&ended);
}

#[test]
fn options_are_chosen_by_number_and_by_name() {
    let second = |factor: &str, asynchronous: &str| {
        format!("{asynchronous}device=DP2&factor={factor}&ipaddr=203.0.113.5&username=alice")
    };
    let devices = || vec![phone("DP1", "iPhone"), phone("DP2", "Tablet")];
    for (answer, parameters) in [
        ("1", PUSH.to_owned()),
        ("2", PHONE.to_owned()),
        ("4", second("push", "async=1&")),
        ("5", second("phone", "async=1&")),
        ("push", PUSH.to_owned()),
        ("PUSH", PUSH.to_owned()),
        ("push1", PUSH.to_owned()),
        ("push2", second("push", "async=1&")),
        ("phone", PHONE.to_owned()),
        ("phone2", second("phone", "async=1&")),
    ] {
        let ended = play(
            &rules(),
            vec![
                offers(devices()),
                ask(
                    &[
                        "4. Duo Push to Tablet",
                        "6. SMS passcodes to Tablet",
                        "(1-6)",
                    ],
                    answer,
                ),
                auth_opens(&parameters, "T1"),
                status("T1", "allow", "allow", ""),
            ],
        );
        approved(&ended);
    }
}

#[test]
fn an_answer_that_is_nothing_costs_no_request() {
    for answer in [
        "0", "4", "99", "hello", "push3", "push0", "smsx", "12 3", "-1", "1.5", "１",
    ] {
        let ended = play(
            &rules(),
            vec![
                offers(iphone()),
                ask(&[], answer),
                failed("", "neither an option nor a passcode"),
                ask(
                    &[
                        "neither a number from 1 to 3 nor a passcode",
                        "2 tries left",
                    ],
                    "123456",
                ),
                auth_decides(&passcode("123456"), "allow", "allow", ""),
            ],
        );
        approved(&ended);
    }
}

#[test]
fn an_answer_that_is_no_text_costs_no_request() {
    let ended = play(
        &rules(),
        vec![
            offers(iphone()),
            Step::Ask(vec![], Ok(Answer::Unusable)),
            failed("", "neither an option nor a passcode"),
            ask(&[], "1"),
            auth_opens(PUSH, "T1"),
            status("T1", "allow", "allow", ""),
        ],
    );
    approved(&ended);
}

#[test]
fn passcodes_of_every_kind_are_taken() {
    let yubikey = "cccccccfhcbelrhifnjrrddcgrburluurftrgfdrdifj";
    for (typed, sent) in [
        ("1234", "1234"),
        ("123456", "123456"),
        ("1234567", "1234567"),
        ("123 456 789", "123456789"),
        ("12345678901234567890", "12345678901234567890"),
        (yubikey, yubikey),
        (yubikey.to_uppercase().as_str(), yubikey),
    ] {
        let ended = play(
            &rules(),
            vec![
                offers(iphone()),
                ask(&[], typed),
                auth_decides(&passcode(sent), "allow", "allow", ""),
            ],
        );
        approved(&ended);
    }
}

#[test]
fn a_user_without_devices_is_told_that_passcodes_work() {
    let token = Device {
        id: "DH1".to_owned(),
        display_name: "Token".to_owned(),
        ..Device::default()
    };
    for devices in [vec![], vec![token]] {
        let ended = play(
            &rules(),
            vec![
                offers(devices),
                ask(&["None of your devices", "Passcode: "], "123456"),
                auth_decides(&passcode("123456"), "allow", "allow", ""),
            ],
        );
        approved(&ended);
    }
}

#[test]
fn only_what_a_device_can_do_is_offered() {
    let mut landline = phone("DP1", "Desk");
    landline.capabilities = vec![Capability::Phone, Capability::Other("fax".to_owned())];
    let ended = play(
        &rules(),
        vec![
            offers(vec![landline]),
            ask(&[" 1. Phone call to Desk", "option (1): "], "1"),
            auth_opens(PHONE, "T1"),
            status("T1", "waiting", "calling", "Dialing..."),
            status("T1", "waiting", "answered", "Answered. Press '#'."),
            status("T1", "allow", "allow", ""),
        ],
    );
    approved(&ended);
}

#[test]
fn sms_takes_no_attempt_and_is_said_in_the_next_question() {
    let mut once = rules();
    once.prompts = 1;
    let ended = play(
        &once,
        vec![
            offers(iphone()),
            ask(&[], "3"),
            auth_decides(SMS, "deny", "sent", "New SMS passcodes sent."),
            ask(&["New passcodes were sent by SMS."], "7654321"),
            auth_decides(&passcode("7654321"), "allow", "allow", ""),
        ],
    );
    approved(&ended);
}

#[test]
fn sms_is_sent_at_most_three_times_in_one_login() {
    let mut steps = vec![offers(iphone())];
    for _ in 0..3 {
        steps.push(ask(&[], "sms"));
        steps.push(auth_decides(SMS, "deny", "sent", ""));
    }
    steps.push(ask(&[], "SMS1"));
    steps.push(failed("", "more than 3 times"));
    steps.push(ask(&["No more passcodes are sent"], "7654321"));
    steps.push(auth_decides(&passcode("7654321"), "allow", "allow", ""));
    approved(&play(&rules(), steps));
}

#[test]
fn fraud_and_lock_out_end_the_login_at_once() {
    for (status_word, message, why) in [
        (
            "fraud",
            "Login request reported as fraud.",
            "Login request reported as fraud.",
        ),
        ("locked_out", "", "Your account is locked out."),
    ] {
        let ended = play(
            &rules(),
            vec![
                offers(iphone()),
                ask(&[], "1"),
                auth_opens(PUSH, "T1"),
                status("T1", "deny", status_word, message),
                inform(why),
            ],
        );
        match ended {
            Ok(Outcome::Stopped { attempt, why: said }) => {
                assert_eq!(attempt.factor, "push");
                assert!(said.contains(why), "{said}");
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_push_that_cannot_be_delivered_goes_back_to_the_menu() {
    let ended = play(
        &rules(),
        vec![
            offers(iphone()),
            ask(&[], "1"),
            auth_opens(PUSH, "T1"),
            status("T1", "waiting", "push_failed", "Failed to push."),
            failed("push", "push failed"),
            ask(&["could not be delivered"], "123456"),
            auth_decides(&passcode("123456"), "allow", "allow", ""),
        ],
    );
    approved(&ended);
}

#[test]
fn live_programs_show_each_step_and_sshd_none_of_them() {
    let mut live = rules();
    live.channel = Channel::Live;
    let ended = play(
        &live,
        vec![
            offers(iphone()),
            ask(&[], "2"),
            auth_opens(PHONE, "T1"),
            inform("Calling iPhone."),
            status("T1", "waiting", "calling", "Dialing XXX-XXX-1234..."),
            inform("Dialing XXX-XXX-1234..."),
            status("T1", "waiting", "answered", "Answered."),
            inform("Answered."),
            status("T1", "allow", "allow", "Success. Logging you in..."),
        ],
    );
    approved(&ended);
}

#[test]
fn polls_that_bring_no_news_come_at_most_once_a_second() {
    let mut steps = vec![offers(iphone()), ask(&[], "1"), auth_opens(PUSH, "T1")];
    for _ in 0..101 {
        steps.push(status("T1", "waiting", "pushed", ""));
    }
    // The hundred seconds of login_timeout are over: nothing more is asked.
    steps.push(inform("Nobody answered"));
    let ended = play(&rules(), steps);
    let limit = Duration::from_secs(100);
    assert_eq!(ended, Ok(Outcome::TimedOut { limit }));
}

#[test]
fn an_answer_that_comes_after_the_login_timeout_is_not_used() {
    let ended = play(
        &rules(),
        vec![
            offers(iphone()),
            Step::Pass(Duration::from_secs(100)),
            ask(&[], "123456"),
            inform("Nobody answered"),
        ],
    );
    assert!(matches!(ended, Ok(Outcome::TimedOut { .. })), "{ended:?}");
}

#[test]
fn duos_own_menu_is_shown_and_its_answers_are_sent_as_factors() {
    let mut server = rules();
    server.menu = MenuSource::Server;
    let prompt = ServerPrompt {
        text: "Duo login for alice\n\n 1. Duo Push to iPhone\n\nPasscode or option (1-1): "
            .to_owned(),
        factors: [("default", "push1"), ("1", "push1")]
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
    };
    for (answer, sent, factor) in [
        ("1", "push1", "push"),
        ("", "push1", "push"),
        ("123456", "123456", "passcode"),
        ("pl ease", "pl%20ease", "passcode"),
    ] {
        let ended = play(
            &server,
            vec![
                Step::Preauth(Ok(Preauth::Auth(Offer {
                    prompt: Some(prompt.clone()),
                    devices: iphone(),
                    ..Offer::default()
                }))),
                ask(&["Duo login for alice\n\n 1. Duo Push", "(1-1): "], answer),
                auth_opens(
                    &format!(
                        "async=1&factor=prompt&ipaddr=203.0.113.5&prompt={sent}&username=alice"
                    ),
                    "T1",
                ),
                status("T1", "allow", "allow", ""),
            ],
        );
        assert_eq!(approved(&ended).factor, factor);
    }
}

#[test]
fn news_is_shown_also_where_duo_gives_no_status() {
    let mut live = rules();
    live.channel = Channel::Live;
    let ended = play(
        &live,
        vec![
            offers(iphone()),
            ask(&[], "2"),
            auth_opens(PHONE, "T1"),
            inform("Calling iPhone."),
            status("T1", "waiting", "", "Dialing..."),
            inform("Dialing..."),
            status("T1", "waiting", "", "Answered."),
            inform("Answered."),
            status("T1", "waiting", "", "Answered."),
            status("T1", "allow", "", ""),
        ],
    );
    approved(&ended);
}

/// A server that has something new each time gets eight polls at once and then one a second, and the
/// user sees twenty messages.
#[test]
fn a_flood_of_news_is_neither_polled_nor_shown_without_end() {
    let mut live = rules();
    live.channel = Channel::Live;
    let mut steps = vec![
        offers(iphone()),
        ask(&[], "2"),
        auth_opens(PHONE, "T1"),
        inform("Calling iPhone."),
    ];
    for number in 0..108 {
        let news = format!("news {number}!");
        steps.push(status("T1", "waiting", "calling", &news));
        if number < 19 {
            steps.push(inform(&news));
        }
    }
    steps.push(inform("Nobody answered"));
    let ended = play(&live, steps);
    assert!(matches!(ended, Ok(Outcome::TimedOut { .. })), "{ended:?}");
}
