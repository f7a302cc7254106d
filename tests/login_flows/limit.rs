//! The push limit: what is offered and sent where it is reached, and what counts.

use duo_login::login::PushLimit;
use duo_login::outcome::Outcome;

use crate::script::{
    ask, auth_decides, auth_opens, failed, inform, offers, phone, play_with, rules, status,
};

const PUSH: &str = "async=1&device=DP1&factor=push&ipaddr=203.0.113.5&username=alice";
const PASSCODE: &str = "factor=passcode&ipaddr=203.0.113.5&passcode=123456&username=alice";
const SMS: &str = "device=DP1&factor=sms&ipaddr=203.0.113.5&username=alice";

/// So many may go out; what happens is kept.
struct Limit {
    left: u32,
    said: Vec<&'static str>,
}

impl Limit {
    fn of(left: u32) -> Self {
        Self {
            left,
            said: Vec::new(),
        }
    }
}

impl PushLimit for Limit {
    fn is_closed(&mut self) -> bool {
        self.left == 0
    }
    fn send(&mut self) -> bool {
        let may = self.left > 0;
        self.left = self.left.saturating_sub(1);
        self.said.push(if may { "sent" } else { "refused" });
        may
    }
    fn withdraw(&mut self) {
        self.said.push("withdrawn");
    }
    fn denied(&mut self) {
        self.said.push("denied");
    }
    fn approved(&mut self) {
        self.said.push("approved");
    }
    fn fraud(&mut self) {
        self.said.push("fraud");
    }
}

#[test]
fn where_it_is_reached_the_menu_offers_passcodes_and_sms_and_says_why() {
    let mut limit = Limit::of(0);
    let ended = play_with(
        &rules(),
        &mut limit,
        vec![
            offers(vec![phone("DP1", "iPhone")]),
            ask(
                &[
                    "only passcodes are taken for now",
                    "1. SMS passcodes to iPhone",
                    "option (1): ",
                ],
                "1",
            ),
            auth_decides(SMS, "deny", "sent", "New SMS passcodes sent"),
            // "push" names nothing that is offered.
            ask(&["only passcodes are taken for now"], "push"),
            failed("", "neither an option nor a passcode"),
            ask(&["only passcodes are taken for now"], "123456"),
            auth_decides(PASSCODE, "allow", "allow", ""),
        ],
    );
    assert!(matches!(ended, Ok(Outcome::Approved(_))), "{ended:?}");
    assert_eq!(limit.said, ["approved"]);
}

#[test]
fn autopush_sends_nothing_where_it_is_reached() {
    let mut rules = rules();
    rules.autopush = true;
    let mut limit = Limit::of(0);
    let ended = play_with(
        &rules,
        &mut limit,
        vec![
            offers(vec![phone("DP1", "iPhone")]),
            ask(&["only passcodes are taken for now"], "123456"),
            auth_decides(PASSCODE, "allow", "allow", ""),
        ],
    );
    assert!(matches!(ended, Ok(Outcome::Approved(_))), "{ended:?}");
}

#[test]
fn a_push_that_is_reached_between_menu_and_answer_is_not_sent_and_is_not_a_try() {
    /// Open for whoever looks, closed for whoever sends.
    struct Late(bool);
    impl PushLimit for Late {
        fn is_closed(&mut self) -> bool {
            self.0
        }
        fn send(&mut self) -> bool {
            self.0 = true;
            false
        }
        fn withdraw(&mut self) {}
        fn denied(&mut self) {}
        fn approved(&mut self) {}
        fn fraud(&mut self) {}
    }
    let mut rules = rules();
    rules.prompts = 1;
    let ended = play_with(
        &rules,
        &mut Late(false),
        vec![
            offers(vec![phone("DP1", "iPhone")]),
            ask(&["1. Duo Push to iPhone"], "1"),
            ask(&["only passcodes are taken for now"], "123456"),
            auth_decides(PASSCODE, "allow", "allow", ""),
        ],
    );
    assert!(matches!(ended, Ok(Outcome::Approved(_))), "{ended:?}");
}

#[test]
fn denials_fraud_and_approvals_are_counted_and_time_outs_stay_open() {
    for (result, word, counted) in [
        ("allow", "allow", &["sent", "approved"][..]),
        ("deny", "deny", &["sent", "denied"]),
        ("deny", "timeout", &["sent"]),
        ("deny", "fraud", &["sent", "fraud"]),
    ] {
        let mut rules = rules();
        rules.prompts = 1;
        let mut limit = Limit::of(5);
        let mut steps = vec![
            offers(vec![phone("DP1", "iPhone")]),
            ask(&[], "1"),
            auth_opens(PUSH, "T1"),
            status("T1", result, word, "said"),
        ];
        if matches!(word, "deny" | "timeout") {
            steps.push(failed("push", "said"));
        }
        if result == "deny" {
            steps.push(inform("said"));
        }
        let _ = play_with(&rules, &mut limit, steps);
        assert_eq!(limit.said, counted, "{word}");
    }
}

#[test]
fn a_wrong_passcode_is_not_a_denied_push() {
    let mut rules = rules();
    rules.prompts = 1;
    let mut limit = Limit::of(5);
    let _ = play_with(
        &rules,
        &mut limit,
        vec![
            offers(vec![phone("DP1", "iPhone")]),
            ask(&[], "123456"),
            auth_decides(PASSCODE, "deny", "deny", "Incorrect passcode."),
            failed("passcode", "Incorrect passcode."),
            inform("Incorrect passcode."),
        ],
    );
    assert!(limit.said.is_empty(), "{:?}", limit.said);
}
