//! Answers that Duo must never get.

use duo_login::outcome::Outcome;

use crate::script::{ask, auth_decides, failed, inform, offers, phone, play, rules};

const WRONG: &str = "factor=passcode&ipaddr=203.0.113.5&passcode=123456&username=alice";

#[test]
fn a_program_that_gives_the_password_or_the_name_twice_is_named_and_ends_the_login() {
    for (answer, what) in [("4711pw", "password"), ("alice", "user name")] {
        let said = format!("That is your {what}, not a passcode.");
        let ended = play(
            &rules(),
            vec![
                offers(vec![phone("DP1", "iPhone")]),
                ask(&[], answer),
                failed("", "the answer is the user's"),
                ask(&[&said, "2 tries left"], answer),
                inform(&said),
            ],
        );
        let Ok(Outcome::ConversationFailed { detail }) = ended else {
            panic!("{ended:?}");
        };
        assert!(
            detail.contains("sudo") && detail.contains("autopush = yes"),
            "{detail}"
        );
    }
}

#[test]
fn a_passcode_that_duo_has_refused_is_not_sent_again() {
    let refused = "That passcode has just been refused.";
    let ended = play(
        &rules(),
        vec![
            offers(vec![phone("DP1", "iPhone")]),
            ask(&[], "123456"),
            auth_decides(WRONG, "deny", "deny", "Incorrect passcode."),
            failed("passcode", "Incorrect passcode."),
            ask(&["Incorrect passcode."], "123 456"),
            failed("", "refused before in this login"),
            ask(&[refused], "123456"),
            inform(refused),
        ],
    );
    assert!(
        matches!(ended, Ok(Outcome::ConversationFailed { .. })),
        "{ended:?}"
    );
}
