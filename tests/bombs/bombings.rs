//! Exchanges that are begun and abandoned as fast as sshd takes them. It counts none of them as a
//! failure, so that one connection can go on until `LoginGraceTime` is over.

use std::thread;
use std::time::{Duration, Instant};

use crate::bed::{bed, bed_of, pushes};
use crate::ssh::{Said, Ssh};
use crate::test_bed::TestBed;

/// How long somebody keeps at it.
const LONG: Duration = Duration::from_secs(10);
/// How long sshd may take to say something.
const PATIENCE: Duration = Duration::from_secs(30);
/// The default of `push_limit`.
const LIMIT: usize = 5;

const WAIT: &str = "push = {answer = \"wait\"}";
const DENY: &str = "push = {answer = \"deny\", after_ms = 100}";

/// Asks for a push wherever one is offered, for as long as `long`; gives how many exchanges there
/// were, and the last question.
fn bomb(port: u16, user: &str, long: Duration) -> (usize, String) {
    let end = Instant::now() + long;
    let mut exchanges = 0;
    let mut last = String::new();
    let mut ssh = Ssh::connect(port, user, PATIENCE).unwrap();
    while Instant::now() < end {
        exchanges += 1;
        let mut said = ssh.begin();
        while let Said::Question(text) = said {
            let answer = if text.contains("Password: ") {
                format!("pw-{user}")
            } else {
                last.clone_from(&text);
                // On its way, or denied twice: away, before a failure is counted.
                if text.contains("Enter here") || text.contains("1 try left") {
                    break;
                }
                "1".to_owned()
            };
            said = ssh.answer(&answer);
            if said == Said::Gone {
                ssh = Ssh::connect(port, user, PATIENCE).unwrap();
            }
        }
    }
    (exchanges, last)
}

/// At most as many pushes as the limit says, at least one, and a passcode still gets in.
#[track_caller]
fn is_held(bed: &TestBed) {
    let (exchanges, last) = bomb(bed.host.port(), "alice", LONG);
    let sent = pushes(bed, "alice");
    assert!(
        (1..=LIMIT).contains(&sent),
        "{sent} pushes in {exchanges} exchanges"
    );
    assert!(exchanges > sent, "{exchanges}: the client was held up");
    for word in ["Duo Push to", "Phone call to"] {
        assert!(!last.contains(word), "{word} in {last}");
    }
    a_passcode_gets_in(bed, "alice");
    assert_eq!(pushes(bed, "alice"), sent);
}

/// The owner, with a passcode.
#[track_caller]
fn a_passcode_gets_in(bed: &TestBed, user: &str) {
    let mut ssh = Ssh::connect(bed.host.port(), user, PATIENCE).unwrap();
    ssh.begin();
    let asked = ssh.answer(&format!("pw-{user}"));
    assert!(matches!(&asked, Said::Question(_)), "{asked:?}");
    assert_eq!(ssh.answer("123456"), Said::Success, "{asked:?}");
}

#[test]
fn a_prompt_for_progress_that_is_abandoned_again_and_again_sends_no_more_than_the_limit() {
    is_held(&bed(WAIT, "status = prompt"));
}

#[test]
fn a_verified_push_that_is_abandoned_again_and_again_sends_no_more_than_the_limit() {
    let user = format!("{WAIT}\nverified_push = {{code = \"100000\"}}");
    is_held(&bed(&user, "autopush = yes\nverified_push = yes"));
}

#[test]
fn denials_that_are_not_waited_for_to_the_third_send_no_more_than_the_limit() {
    is_held(&bed(DENY, ""));
}

#[test]
fn calls_are_limited_as_pushes_are() {
    let devices = "devices = [{capabilities = [\"phone\"]}]\nphone = {answer = \"wait\"}";
    is_held(&bed(devices, "status = prompt"));
}

#[test]
fn duos_own_menu_is_limited_as_well() {
    let bed = bed(DENY, "menu = server");
    let (exchanges, _) = bomb(bed.host.port(), "alice", LONG / 2);
    let sent = pushes(&bed, "alice");
    assert!((1..=LIMIT).contains(&sent), "{sent} in {exchanges}");
    a_passcode_gets_in(&bed, "alice");
}

#[test]
fn many_connections_at_once_send_no_more_than_one() {
    let bed = bed(WAIT, "status = prompt");
    let port = bed.host.port();
    thread::scope(|scope| {
        for _ in 0..10 {
            scope.spawn(|| bomb(port, "alice", LONG / 2));
        }
    });
    let sent = pushes(&bed, "alice");
    assert!((1..=LIMIT).contains(&sent), "{sent}");
}

#[test]
fn ten_users_at_once_have_a_limit_each() {
    let names: Vec<String> = (0..10).map(|n| format!("user{n}")).collect();
    let users: Vec<&str> = names.iter().map(String::as_str).collect();
    let bed = bed_of(&users, WAIT, "status = prompt");
    let port = bed.host.port();
    thread::scope(|scope| {
        for user in &users {
            scope.spawn(|| bomb(port, user, LONG / 2));
        }
    });
    for user in users {
        assert_eq!(pushes(&bed, user), LIMIT, "{user}");
    }
}

#[test]
fn the_limit_can_be_another_and_it_can_be_switched_off() {
    for (limit, most) in [("1", 1), ("12", 12)] {
        let bed = bed(WAIT, &format!("status = prompt\npush_limit = {limit}"));
        bomb(bed.host.port(), "alice", LONG / 2);
        assert_eq!(pushes(&bed, "alice"), most, "{limit}");
    }
    let bed = bed(WAIT, "status = prompt\npush_limit = no");
    let (exchanges, _) = bomb(bed.host.port(), "alice", LONG / 2);
    let sent = pushes(&bed, "alice");
    assert!(
        sent > 20 && sent.abs_diff(exchanges) <= 1,
        "{sent} in {exchanges}"
    );
}
