//! Stops, signals and timers, in rhythm and once.

use std::thread;
use std::time::{Duration, Instant};

use duo_sim::FaultKind;
use login_sandbox::Terminal;

use crate::attack::Attack;
use crate::page;
use crate::site::{App, Site, words};

const TITLE: &str = "Time and signals";
const INTRODUCTION: &str = "\
Duo's answer takes 0.6 s. A user may send signals to the `su` and `sudo` that he
has started, stop them, and set timers before. Whether the argument lets in lies
in the moment: a stop that ends soon after the time limit looks like a slow
network.";

const PREAUTH: &str = "/auth/v2/preauth";

/// Waits until the login is under way to Duo.
fn until_duo_is_asked(site: &Site) {
    let end = Instant::now() + Duration::from_secs(10);
    while site.bed.duo.connections().tls == 0 && Instant::now() < end {
        thread::sleep(Duration::from_millis(5));
    }
}

/// Ctrl-Z while Duo is asked; a shell with job control goes on 2.5 s later.
fn stop_at_the_terminal(site: &Site, app: App) {
    let shell = words(&["@", "jobs", "2500", "--"]);
    let mut terminal = Terminal::start(&site.login(app, &shell));
    until_duo_is_asked(site);
    terminal.send("\u{1a}");
    terminal.finish();
}

/// A key that sends a signal, while Duo is asked.
fn interrupt_while_duo_is_asked(site: &Site, app: App) {
    let mut terminal = Terminal::start(&site.login(app, &[]));
    until_duo_is_asked(site);
    terminal.send("\u{3}");
    terminal.finish();
}

#[test]
fn nobody_gets_in_by_stops_and_signals() {
    let rhythm = |what, steps| {
        Attack::through(what, &["@", "rhythm", steps, "--"]).fault(
            PREAUTH,
            FaultKind::Delay,
            Some(600),
        )
    };
    let slow = |attack: Attack| attack.fault(PREAUTH, FaultKind::Delay, Some(600));
    let attacks = [
        // Signals by their numbers on Linux: STOP 19, CONT 18.
        rhythm(
            "SIGSTOP for 3 s while Duo is asked",
            "0:250,19:3000,18:60000",
        )
        .by_moment(),
        rhythm(
            "SIGSTOP for 1.2 s while Duo is asked",
            "0:250,19:1200,18:60000",
        )
        .by_moment(),
        slow(Attack::by_hand(
            "Ctrl-Z for 2.5 s while Duo is asked",
            stop_at_the_terminal,
        ))
        .by_moment(),
        rhythm("40 ms stopped, 10 ms running, in turn", "19:40,18:10").by_moment(),
        rhythm("5 ms stopped, 5 ms running, in turn", "19:5,18:5").by_moment(),
        rhythm("SIGALRM, every 20 ms", "14:20").verdict_only(),
        rhythm(
            "SIGWINCH, SIGCHLD, SIGCONT and SIGURG, every 5 ms",
            "28:5,17:5,18:5,23:5",
        )
        .by_moment(),
        rhythm("SIGTERM, after 0.3 s", "0:300,15:60000").verdict_only(),
        rhythm(
            "SIGINT, SIGQUIT and SIGHUP, after 0.3 s",
            "0:300,2:5,3:5,1:60000",
        )
        .verdict_only(),
        rhythm(
            "SIGPIPE, SIGUSR1, SIGUSR2 and SIGIO, after 0.3 s",
            "0:300,13:5,10:5,12:5,29:60000",
        )
        .verdict_only(),
        slow(Attack::by_hand(
            "Ctrl-C while Duo is asked",
            interrupt_while_duo_is_asked,
        ))
        .verdict_only(),
        slow(Attack::through(
            "every signal blocked and ignored before",
            &["@", "masked", "--"],
        )),
        Attack::swept(
            "a timer that was set before (SIGALRM), after 1 to 400 ms",
            [1, 5, 10, 20, 50, 100, 200, 400]
                .iter()
                .map(|ms| words(&["@", "alarm", &ms.to_string(), "--"])),
        )
        .fault(PREAUTH, FaultKind::Delay, Some(600)),
        slow(Attack::through(
            "waits that end as late as may be (timer slack of 3 s)",
            &["@", "slack", "3000000000", "--"],
        ))
        .by_moment(),
    ];
    page::section(TITLE, INTRODUCTION, &attacks);
}
