//! The recipes of `docs/recipes.md`, line for line: real PAM with the real module, `pam_oath`,
//! `pam_google_authenticator` and `pam_access`.

use std::process::Command;

use duo_login::Starter;
use login_sandbox::{Finished, HostBuilder, Terminal};

use crate::test_bed::{CONF, TestBed};

const RECIPES: &str = include_str!("../../docs/recipes.md");

/// What may come before a recipe's lines: the first factor.
const PASSWORD: &str = "auth requisite pam_unix.so\n";
/// What makes a service whole.
const REST: &str = "account required pam_permit.so\nsession required pam_permit.so\n";

/// A TOTP secret in hexadecimal.
const SECRET: &str = "3132333435363738393031323334353637383930";

/// Duo asks alice, denies bob, and carol is outside `groups`.
const USERS: &str = "[users.alice]\n[users.bob]\npreauth = \"deny\"\n";
const GROUPS: &str = "groups = asked\nhttps_timeout = 2";

/// The block number `index` (from 0) in the language `language` below `heading`.
#[track_caller]
fn block(heading: &str, language: &str, index: usize) -> &'static str {
    let (_, section) = RECIPES
        .split_once(&format!("\n## {heading}\n"))
        .unwrap_or_else(|| panic!("docs/recipes.md has no {heading}"));
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```").skip(1).step_by(2);
    let mut blocks = blocks.filter_map(|block| block.strip_prefix(language)?.strip_prefix('\n'));
    blocks.nth(index).unwrap()
}

/// A recipe's stack, after `first`.
fn stack(first: &str, heading: &str) -> String {
    let lines = block(heading, "text", 0).replace("pam_duo.so", "{module}");
    format!("{first}{lines}{REST}")
}

/// A host with the recipe as the services `sshd` (without a password, as after a key) and `duo`.
fn bed(heading: &str, change: impl Fn(HostBuilder) -> HostBuilder) -> TestBed {
    TestBed::with(USERS, GROUPS, |host| {
        let host = host
            .user("alice")
            .user("bob")
            .user("carol")
            .group("asked", &["alice", "bob"])
            .group("adm", &["alice"])
            .pam("sshd", &stack("", heading))
            .pam("duo", &stack(PASSWORD, heading));
        change(host)
    })
}

/// From now on nobody answers at Duo's address.
fn duo_goes_down(bed: &TestBed) {
    let conf = bed.host.directory().join("etc/duo/pam_duo.conf");
    let text = std::fs::read_to_string(conf).unwrap();
    bed.host
        .write(CONF, 0o600, &format!("{text}\nhost = 127.0.0.1:1\n"));
}

/// The code of the time step that is `steps` away from this one.
fn code(secret: &[&str], steps: i32) -> String {
    let now = format!("now {:+} seconds", 30 * steps);
    let mut oathtool = Command::new("oathtool");
    oathtool.arg("--totp").args(["--now", &now]).args(secret);
    let output = oathtool
        .output()
        .expect("oathtool; tests/run.sh installs it");
    assert!(output.status.success(), "{output:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// A code that is not the one of any time step near this one.
fn wrong_code(secret: &[&str]) -> String {
    let near: Vec<String> = (-4..=4).map(|steps| code(secret, steps)).collect();
    let mut codes = ["000000", "111111", "222222", "333333"].into_iter();
    let wrong = codes.find(|code| !near.iter().any(|known| known == code));
    wrong.unwrap().to_owned()
}

/// Whether a question is asked in pamtester's dialogue, and what is typed then.
type Dialogue<'a> = &'a [(&'a str, &'a str)];

const FIRST: (&str, &str) = ("Password: ", "pw-");
const DUO: (&str, &str) = ("Passcode or option", "1");

/// Answers the questions; `pw-` is completed with the user's name.
fn talk(command: &Command, user: &str, dialogue: Dialogue<'_>) -> Finished {
    let mut terminal = Terminal::start(command);
    for (question, answer) in dialogue {
        terminal.expect(question);
        match *answer {
            "pw-" => terminal.line(&format!("pw-{user}")),
            answer => terminal.line(answer),
        }
    }
    terminal.finish()
}

/// A login from `from`, in a program that `starter` started.
fn login(bed: &TestBed, starter: Starter, user: &str, from: &str, said: Dialogue<'_>) -> Finished {
    let operations = &["authenticate"];
    let command = match starter {
        Starter::Root => bed.host.pamtester("duo", user, from, operations),
        Starter::User => bed.host.pamtester_by_user("duo", user, from, operations),
    };
    talk(&command, user, said)
}

#[track_caller]
fn comes_in(finished: &Finished) {
    assert_eq!(finished.status, 0, "{}", finished.transcript);
}

/// Out, and nothing was asked that has `question` in it.
#[track_caller]
fn stays_out_unasked(finished: &Finished, question: &str) {
    assert_ne!(finished.status, 0, "{}", finished.transcript);
    let said = &finished.transcript;
    assert!(!said.contains(question), "{said}");
}

const NEAR: &str = "192.0.2.77";
const FAR: &str = "203.0.113.5";

/// What holds for each recipe while Duo answers: alice is asked for nothing but password and Duo, bob
/// is denied and asked for nothing else, and carol, outside `groups`, gives her password.
fn while_duo_answers(bed: &TestBed, other: &str) {
    for starter in [Starter::Root, Starter::User] {
        let asked = login(bed, starter, "alice", NEAR, &[FIRST, DUO]);
        comes_in(&asked);
        assert!(!asked.transcript.contains(other), "{}", asked.transcript);
        let denied = login(bed, starter, "bob", NEAR, &[FIRST]);
        stays_out_unasked(&denied, other);
        assert!(
            denied.transcript.contains("Permission denied"),
            "{}",
            denied.transcript
        );
        comes_in(&login(bed, starter, "carol", FAR, &[FIRST]));
    }
    let rejected = login(
        bed,
        Starter::Root,
        "alice",
        NEAR,
        &[
            FIRST,
            ("Passcode or option", "999999"),
            ("Passcode or option", "999999"),
            ("Passcode or option", "999999"),
        ],
    );
    stays_out_unasked(&rejected, other);
}

/// A TOTP module that asks `question`, with the codes of `secret`.
fn asks_for_a_code_where_duo_cannot_be_asked(bed: &TestBed, question: &str, secret: &[&str]) {
    while_duo_answers(bed, question);
    duo_goes_down(bed);
    bed.host.clear_log();
    for (starter, steps) in [(Starter::Root, 0), (Starter::User, 1)] {
        let right = code(secret, steps);
        comes_in(&login(
            bed,
            starter,
            "alice",
            FAR,
            &[FIRST, (question, &right)],
        ));
        bed.host.wait_log("Failsecure Duo login for 'alice'");
        let again = login(bed, starter, "alice", FAR, &[FIRST, (question, &right)]);
        assert_ne!(again.status, 0, "a code works once: {}", again.transcript);
        let wrong = wrong_code(secret);
        let out = login(bed, starter, "alice", FAR, &[FIRST, (question, &wrong)]);
        assert_ne!(out.status, 0, "{}", out.transcript);
        // Who has no secret has no code. pam_oath does not even ask.
        let mut said = vec![FIRST];
        said.extend((!question.contains("OATH")).then_some((question, wrong.as_str())));
        let out = login(bed, starter, "bob", FAR, &said);
        assert_ne!(out.status, 0, "{}", out.transcript);
    }
    // A wrong password ends it before.
    let out = login(bed, Starter::Root, "alice", FAR, &[("Password: ", "wrong")]);
    stays_out_unasked(&out, question);
    // A configuration fault is no outage.
    bed.host.write(CONF, 0o600, "[duo]\n");
    stays_out_unasked(&login(bed, Starter::Root, "alice", FAR, &[FIRST]), question);
}

#[test]
fn pam_oath_asks_for_a_code_where_duo_cannot_be_asked() {
    let heading = "A TOTP code, by pam_oath";
    let users = block(heading, "text", 1).replace("SECRET", SECRET);
    let bed = bed(heading, |host| host.file("/etc/users.oath", 0o600, &users));
    asks_for_a_code_where_duo_cannot_be_asked(&bed, "One-time password (OATH)", &[SECRET]);
}

#[test]
fn pam_oath_asks_for_a_code_over_ssh_after_a_key() {
    let heading = "A TOTP code, by pam_oath";
    let alice = block(heading, "text", 1).replace("SECRET", SECRET);
    // Whom Duo denies has a secret, too.
    let users = format!("{alice}{}", alice.replace("alice", "bob"));
    let bed = bed(heading, |host| host.file("/etc/users.oath", 0o600, &users));
    let ssh = |user| bed.host.ssh(user, &[], "echo in");
    let up = talk(&ssh("alice"), "alice", &[DUO]);
    comes_in(&up);
    assert!(!up.transcript.contains("OATH"), "{}", up.transcript);
    stays_out_unasked(&talk(&ssh("bob"), "bob", &[]), "OATH");
    duo_goes_down(&bed);
    let right = code(&[SECRET], 0);
    let question = "One-time password (OATH)";
    comes_in(&talk(&ssh("alice"), "alice", &[(question, &right)]));
    let wrong = wrong_code(&[SECRET]);
    let out = talk(&ssh("alice"), "alice", &[(question, &wrong)]);
    assert_eq!(out.status, 255, "{}", out.transcript);
}

#[test]
fn pam_google_authenticator_asks_for_a_code_where_duo_cannot_be_asked() {
    let heading = "A TOTP code, by pam_google_authenticator";
    let bed = bed(heading, |host| host);
    let make = block(heading, "sh", 0);
    let script = format!("mkdir -m 700 /etc/totp && {make}");
    let output = bed.host.inside(&["sh", "-c", &script]).output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let file = bed.host.directory().join("etc/totp/alice");
    let text = std::fs::read_to_string(file).unwrap();
    let secret = ["--base32", text.lines().next().unwrap()];
    asks_for_a_code_where_duo_cannot_be_asked(&bed, "Verification code: ", &secret);
}

#[test]
fn a_trusted_network_gets_in_where_duo_cannot_be_asked() {
    let heading = "The first factor alone, from a trusted network";
    let access = block(heading, "text", 1);
    let bed = bed(heading, |host| {
        host.file("/etc/security/access-duo.conf", 0o644, access)
    });
    while_duo_answers(&bed, "no such question");
    comes_in(&login(&bed, Starter::Root, "alice", FAR, &[FIRST, DUO]));
    duo_goes_down(&bed);
    comes_in(&login(&bed, Starter::Root, "alice", NEAR, &[FIRST]));
    for outside in [FAR, "192.0.3.1", "tty1", "localhost", "::1"] {
        let out = login(&bed, Starter::Root, "alice", outside, &[FIRST]);
        assert_ne!(out.status, 0, "{outside}: {}", out.transcript);
    }
    let wrong = login(
        &bed,
        Starter::Root,
        "alice",
        NEAR,
        &[("Password: ", "wrong")],
    );
    assert_ne!(wrong.status, 0, "{}", wrong.transcript);
}

#[test]
fn the_console_gets_in_where_duo_cannot_be_asked() {
    let heading = "The first factor alone, at the console";
    let access = block(heading, "text", 1);
    let bed = bed(heading, |host| {
        host.file("/etc/security/access-console.conf", 0o644, access)
    });
    let at = |tty: &str, user: &str, said: Dialogue<'_>| {
        let tty = format!("tty={tty}");
        let pamtester = ["pamtester", "-I", &tty, "duo", user, "authenticate"];
        talk(&bed.host.inside(&pamtester), user, said)
    };
    comes_in(&at("tty1", "alice", &[FIRST, DUO]));
    assert_ne!(at("tty1", "bob", &[FIRST]).status, 0);
    duo_goes_down(&bed);
    comes_in(&at("tty1", "alice", &[FIRST]));
    comes_in(&at("/dev/tty2", "alice", &[FIRST]));
    assert_ne!(at("pts/3", "alice", &[FIRST]).status, 0);
    // Not a member of adm.
    assert_ne!(at("tty1", "bob", &[FIRST]).status, 0);
    let from_afar = login(&bed, Starter::Root, "alice", FAR, &[FIRST]);
    assert_ne!(from_afar.status, 0, "{}", from_afar.transcript);
}
