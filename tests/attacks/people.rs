//! Names of other users, and other users themselves.

use std::fs;

use login_sandbox::Terminal;

use crate::attack::{ALL, Attack, Play};
use crate::page;
use crate::site::{ALICE, App, BO, BOB, Site, play, words};

const TITLE: &str = "Other users";
const INTRODUCTION: &str = "\
Duo would approve another user, bob, at once.";

const USER: &str = "whoever may run it and knows the first factor";

/// A login of alice's, whose GECOS field is `gecos` meanwhile.
fn with_gecos(site: &Site, app: App, gecos: &str) {
    let path = site.bed.host.directory().join("etc/passwd");
    let before = fs::read_to_string(&path).unwrap();
    let changed = before.replace(":2001:2001::", &format!(":2001:2001:{gecos}:"));
    assert_ne!(before, changed);
    site.bed.host.write("/etc/passwd", 0o644, &changed);
    play(&site.login(app, &[]));
    site.bed.host.write("/etc/passwd", 0o644, &before);
    for line in site.bed.host.duo_log() {
        let is_clean = !line.text.chars().any(char::is_control);
        assert!(is_clean, "{:?}", line.text);
    }
    let requests = site.bed.duo.requests();
    let mut named = requests
        .iter()
        .filter_map(|request| request.parameter("username"));
    assert!(named.all(|name| name == "alice"), "{requests:#?}");
}

/// alice attacks, and bob logs in.
fn two_at_once(site: &Site, app: App) {
    let short_of = words(&["prlimit", "--nofile=6"]);
    let attacks: Vec<Terminal> = (0..4)
        .map(|_| Terminal::start(&site.login_by(ALICE, app, &short_of)))
        .collect();
    play(&site.login_by(BOB, app, &[]));
    for mut attack in attacks {
        attack.finish();
    }
}

/// bob logs in, then alice tries.
fn after_another(site: &Site, app: App) {
    play(&site.login_by(BOB, app, &[]));
    site.end(app, true);
    site.forget();
    play(&site.login(app, &[]));
}

#[test]
fn nobody_gets_in_by_another_users_name_or_login() {
    let row = |what, play| Attack::new(what, USER, ALL, Play::ByHand(play));
    let attacks = [
        row("the GECOS field is bob's name", |site, app| {
            with_gecos(site, app, "bob");
        }),
        row(
            "the GECOS field has commas, and bob's name in each",
            |site, app| {
                with_gecos(site, app, "bob,bob,bob,bob");
            },
        ),
        row("the GECOS field has control characters", |site, app| {
            with_gecos(site, app, "\u{1b}[2J\r\u{7}\u{202e}bob");
        }),
        row(
            "a user whose name is the beginning of bob's",
            |site, app| {
                play(&site.login_by(BO, app, &[]));
            },
        ),
        row("right after bob came in", after_another),
        row("bob logs in while alice attacks four times", two_at_once)
            .by("bob, by the factor")
            .factor_only(),
    ];
    page::section(TITLE, INTRODUCTION, &attacks);
}
