//! Duo answers 429 for the application, because somebody starts too many logins.

use duo_sim::{Fault, FaultKind};
use login_sandbox::Terminal;

use crate::attack::{ALL, Attack, Play};
use crate::page;
use crate::site::{App, Site, play};

const TITLE: &str = "Too many requests";
const INTRODUCTION: &str = "\
Whoever has a password starts logins until Duo answers 429 for the application:
no right to run anything here is needed. Then the attacker logs in.";

const WHO: &str = "a remote user with a password; for su and sudo, whoever may run it";
const PREAUTH: &str = "/auth/v2/preauth";
/// Fewer than sshd's `MaxStartups`.
const FLOOD: usize = 8;

/// Logins at once, of which the third and later ones meet 429.
fn flood(site: &Site, app: App) {
    let limited = Fault::new(PREAUTH, FaultKind::RateLimited).after(2);
    site.bed.duo.add_fault(limited);
    let logins: Vec<Terminal> = (0..FLOOD)
        .map(|_| Terminal::start(&site.login(app, &[])))
        .collect();
    for mut login in logins {
        login.finish();
    }
    let log = site.bed.host.duo_log();
    let refused = log.iter().filter(|line| line.text.contains("HTTP 429"));
    assert_eq!(refused.count(), FLOOD - 2, "{log:#?}");
}

/// What comes after the first 429.
fn first_429_then(site: &Site, app: App, kind: FaultKind) {
    let first = Fault::new(PREAUTH, FaultKind::RateLimited).times(1);
    site.bed.duo.add_fault(first);
    site.bed.duo.add_fault(Fault::new(PREAUTH, kind));
    play(&site.login(app, &[]));
}

#[test]
fn nobody_gets_in_by_too_many_requests() {
    let row = |what, play| Attack::new(what, WHO, ALL, Play::ByHand(play));
    let attacks = [
        Attack::new("429 to the end", WHO, ALL, Play::Through(vec![Vec::new()])).fault(
            PREAUTH,
            FaultKind::RateLimited,
            None,
        ),
        row("eight logins at once, 429 from the third on", flood),
        row("429 once, then no answer", |site, app| {
            first_429_then(site, app, FaultKind::StallRequest);
        }),
        row("429 once, then a reset", |site, app| {
            first_429_then(site, app, FaultKind::ResetBeforeReply);
        }),
    ];
    page::section(TITLE, INTRODUCTION, &attacks);
}
