//! What goes wrong: at preauth `failmode` may judge, after it nobody gets in.

use duo_auth::DuoError;
use duo_auth::{Preauth, Refusal};
use duo_login::login::ConversationError;
use duo_login::outcome::{Fault, Outcome};

use crate::script::{
    Step, ask, auth_decides, auth_opens, failed, inform, offers, phone, play, rules, status,
};

const PUSH: &str = "async=1&device=DP1&factor=push&ipaddr=203.0.113.5&username=alice";

/// What can go wrong on the way to Duo or in its answer, and the fault that it is at preauth.
fn outages() -> Vec<(DuoError, Fault)> {
    let (host, detail) = ("h".to_owned(), "d".to_owned());
    let unreachable = DuoError::Unreachable {
        host: host.clone(),
        detail: detail.clone(),
    };
    let forbidden = DuoError::NotPermitted {
        host: host.clone(),
        detail: detail.clone(),
    };
    let exhausted = DuoError::ResourceExhausted { host, detail };
    let unreadable = DuoError::BadReply("it is not JSON".to_owned());
    let lacks = exhausted.to_string();
    vec![
        (unreachable.clone(), Fault::Unreachable(unreachable)),
        (forbidden.clone(), Fault::NotPermitted(forbidden)),
        (exhausted, Fault::ResourceExhaustion(lacks)),
        (
            DuoError::Status(503),
            Fault::BadAnswer(DuoError::Status(503)),
        ),
        (
            DuoError::RateLimited,
            Fault::RateLimited(DuoError::RateLimited),
        ),
        (unreadable.clone(), Fault::BadAnswer(unreadable)),
    ]
}

fn rejected() -> DuoError {
    DuoError::KeysRejected(Refusal::default())
}

fn refused() -> DuoError {
    DuoError::Refused {
        status: 400,
        refusal: Refusal::default(),
    }
}

fn devices() -> Step {
    offers(vec![phone("DP1", "iPhone")])
}

#[test]
fn what_fails_at_preauth_asks_nobody_and_is_for_failmode_to_judge() {
    for (error, fault) in outages() {
        let ended = play(&rules(), vec![Step::Preauth(Err(error))]);
        assert_eq!(ended, Err(fault));
    }
}

#[test]
fn rejected_keys_at_preauth_are_a_configuration_fault() {
    let ended = play(&rules(), vec![Step::Preauth(Err(rejected()))]);
    assert_eq!(ended, Err(Fault::KeysRejected(rejected())));
}

#[test]
fn a_refused_request_and_an_unknown_result_at_preauth_keep_out_whatever_failmode_says() {
    let ended = play(
        &rules(),
        vec![Step::Preauth(Err(refused())), inform("Duo login failed.")],
    );
    assert_eq!(ended, Ok(Outcome::Refused(refused())));
    let unknown = Preauth::Unknown("maybe".to_owned());
    let ended = play(
        &rules(),
        vec![Step::Preauth(Ok(unknown)), inform("Duo login failed.")],
    );
    assert!(matches!(ended, Ok(Outcome::Error { .. })), "{ended:?}");
}

#[test]
fn whatever_fails_at_auth_or_in_the_wait_keeps_out() {
    let mut errors: Vec<DuoError> = outages().into_iter().map(|(error, _)| error).collect();
    errors.extend([rejected(), refused(), DuoError::Bug("b".to_owned())]);
    for error in errors {
        let at_auth = play(
            &rules(),
            vec![
                devices(),
                ask(&[], "1"),
                Step::Auth(PUSH.to_owned(), Err(error.clone())),
                inform("Duo login failed."),
            ],
        );
        let in_the_wait = play(
            &rules(),
            vec![
                devices(),
                ask(&[], "1"),
                auth_opens(PUSH, "T1"),
                Step::Status("T1".to_owned(), Err(error)),
                inform("Duo login failed."),
            ],
        );
        for ended in [at_auth, in_the_wait] {
            assert!(
                matches!(ended, Ok(Outcome::Error { .. } | Outcome::RefusedLate(_))),
                "{ended:?}"
            );
        }
    }
}

#[test]
fn an_unknown_result_never_lets_in_even_with_an_allowing_status() {
    let at_auth = play(
        &rules(),
        vec![
            devices(),
            ask(&[], "123456"),
            auth_decides(
                "factor=passcode&ipaddr=203.0.113.5&passcode=123456&username=alice",
                "Allow",
                "allow",
                "Success",
            ),
            inform("Duo login failed."),
        ],
    );
    let in_the_wait = play(
        &rules(),
        vec![
            devices(),
            ask(&[], "1"),
            auth_opens(PUSH, "T1"),
            status("T1", "approved", "allow", "Success"),
            inform("Duo login failed."),
        ],
    );
    for ended in [at_auth, in_the_wait] {
        assert!(matches!(ended, Ok(Outcome::Error { .. })), "{ended:?}");
    }
}

#[test]
fn allow_deny_and_enroll_at_preauth_ask_nobody() {
    let message = "m".to_owned();
    let ended = play(
        &rules(),
        vec![Step::Preauth(Ok(Preauth::Allow {
            message: message.clone(),
        }))],
    );
    assert_eq!(ended, Ok(Outcome::Skipped { message }));
    let message = "Access denied.".to_owned();
    let ended = play(
        &rules(),
        vec![
            Step::Preauth(Ok(Preauth::Deny {
                message: message.clone(),
            })),
            inform("Access denied."),
        ],
    );
    assert_eq!(ended, Ok(Outcome::Denied { message }));
    let message = "Enroll an authentication device".to_owned();
    let ended = play(
        &rules(),
        vec![
            Step::Preauth(Ok(Preauth::Enroll {
                message: message.clone(),
                portal_url: Some("https://duo.example/enroll?x=1".to_owned()),
            })),
            inform("Enroll an authentication device"),
            inform("https://duo.example/enroll?x=1"),
        ],
    );
    assert_eq!(ended, Ok(Outcome::Denied { message }));
}

#[test]
fn a_conversation_that_fails_ends_the_login() {
    let error = || Err(ConversationError("cancelled".to_owned()));
    let ended = play(&rules(), vec![devices(), Step::Ask(vec![], error())]);
    let expected = Ok(Outcome::ConversationFailed {
        detail: "cancelled".to_owned(),
    });
    assert_eq!(ended, expected);
    let ended = play(
        &rules(),
        vec![
            devices(),
            ask(&[], "hello"),
            failed("", "neither"),
            Step::Ask(vec!["2 tries left".to_owned()], error()),
        ],
    );
    assert_eq!(ended, expected);
}

#[test]
fn control_characters_from_duo_never_reach_the_user() {
    let ended = play(
        &rules(),
        vec![
            offers(vec![phone("DP1", "i\u{1b}[2JPhone\n 9. Fake option")]),
            ask(&["1. Duo Push to i?[2JPhone? 9. Fake option"], "1"),
            auth_opens(PUSH, "T1"),
            status("T1", "deny", "deny", "No\u{7}\r\nPassword:"),
            failed("push", "No???Password:"),
            ask(&["No???Password:"], "1"),
            auth_opens(PUSH, "T2"),
            status("T2", "allow", "allow", ""),
        ],
    );
    assert!(matches!(ended, Ok(Outcome::Approved(_))), "{ended:?}");
}
