//! Syslog's socket when it is flooded, replaced, missing, a stream, or too small.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use login_sandbox::{FLOOD, LogLine, Syslog};

use crate::stand_in;
use crate::test_bed::TestBed;

/// A process that sends to the host's syslog as fast as it can; ends when dropped.
struct Flood(Child);

impl Flood {
    fn start(bed: &TestBed) -> Self {
        let program = "import socket, sys\n\
            to = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)\n\
            to.connect(sys.argv[1])\n\
            while True: to.send(sys.argv[2].encode())";
        let child = Command::new("python3")
            .args(["-c", program])
            .arg(bed.host.directory().join("log.sock"))
            .arg(std::str::from_utf8(FLOOD).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        Self(child)
    }
}

impl Drop for Flood {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// How many of the module's lines begin with `event`.
fn count(bed: &TestBed, event: &str) -> usize {
    let lines = bed.host.duo_log();
    let all = lines.iter().filter(|line| line.text.contains(event));
    all.count()
}

/// Exactly as many lines with `event`; the last may still be in the queue.
#[track_caller]
fn arrive(bed: &TestBed, event: &str, lines: usize) {
    let end = Instant::now() + Duration::from_secs(5);
    while count(bed, event) < lines && Instant::now() < end {
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(count(bed, event), lines);
}

fn two_floods_hide_none(scenario: &str, event: &str) {
    let bed = TestBed::new(scenario, "failmode = safe");
    let floods = [Flood::start(&bed), Flood::start(&bed)];
    std::thread::sleep(Duration::from_millis(500));
    for _ in 0..10 {
        let start = Instant::now();
        assert_eq!(bed.pamtester("alice", &[]).status, 0);
        // A second in all, and what pamtester needs on a machine that is busy.
        assert!(start.elapsed() < Duration::from_secs(4));
    }
    drop(floods);
    arrive(&bed, event, 10);
}

#[test]
fn no_flood_hides_that_an_outage_let_somebody_in() {
    two_floods_hide_none(
        "[[faults]]\npath = \"connection\"\nkind = \"refuse\"",
        "Failsafe Duo login for 'alice'",
    );
}

#[test]
fn no_flood_hides_that_duo_let_somebody_in_without_a_factor() {
    two_floods_hide_none(
        "[users.alice]\npreauth = \"allow\"",
        "Skipped Duo login for 'alice'",
    );
}

#[test]
fn a_queue_that_nobody_reads_costs_a_second_where_somebody_comes_in_without_a_factor() {
    for (preauth, least, most) in [("allow", 900, 2500), ("deny", 0, 900)] {
        let scenario = format!("[users.alice]\npreauth = \"{preauth}\"");
        let bed = TestBed::with(&scenario, "", |host| {
            host.user("alice").syslog(Syslog::Full)
        });
        let start = Instant::now();
        let said = stand_in::run(&bed, &["duo", "alice", "1"]);
        let took = start.elapsed().as_millis();
        assert_eq!(said.codes().len(), 1);
        // The compiler's time is in the first.
        let start = Instant::now();
        stand_in::run(&bed, &["duo", "alice", "1"]);
        let took = start.elapsed().as_millis().min(took);
        assert!((least..most).contains(&took), "{preauth}: {took} ms");
    }
}

/// journald, restarted while somebody sits at the menu.
#[test]
fn a_socket_that_is_replaced_during_a_login_gets_the_next_line() {
    let mut bed = TestBed::new("", "");
    let command = bed
        .host
        .pamtester("duo", "alice", "203.0.113.5", &["authenticate"]);
    let mut terminal = login_sandbox::Terminal::start(&command);
    terminal.expect("(1-3): ");
    terminal.line("999999");
    terminal.expect("2 tries left.");
    terminal.expect("(1-3): ");
    bed.logged("Failed Duo login for 'alice'");
    bed.host.replace_log();
    terminal.line("888888");
    terminal.expect("1 try left.");
    terminal.expect("(1-3): ");
    arrive(&bed, "Failed Duo login for 'alice'", 2);
    bed.host.replace_log();
    terminal.line("123456");
    assert_eq!(terminal.finish().status, 0);
    bed.logged("Successful Duo login for 'alice'");
}

#[test]
fn without_a_socket_logins_go_on() {
    let bed = TestBed::with("", "", |host| host.user("alice").syslog(Syslog::Missing));
    assert_eq!(bed.pamtester("alice", &["123456"]).status, 0);
}

#[test]
fn a_stream_gets_every_line_with_its_end() {
    let bed = TestBed::with("", "", |host| host.user("alice").syslog(Syslog::Stream));
    assert_eq!(bed.pamtester("alice", &["999999", "123456"]).status, 0);
    bed.host.wait_log("Successful Duo login for 'alice'");
    let lines: Vec<LogLine> = bed.host.duo_log();
    assert_eq!(count(&bed, "Failed Duo login for 'alice'"), 1, "{lines:?}");
    for line in lines {
        assert_eq!(line.raw.last(), Some(&0), "{line:?}");
        assert!(!line.raw[..line.raw.len() - 1].contains(&0), "{line:?}");
    }
}

#[test]
fn a_line_that_is_larger_than_the_socket_takes_arrives_shortened() {
    let message = "long ".repeat(700);
    let scenario = format!("[users.alice]\npreauth = \"deny\"\nstatus_msg = \"{message}\"");
    let bed = TestBed::new(&scenario, "");
    let said = stand_in::run(&bed, &["-m", "600", "duo", "alice", "1"]);
    assert_eq!(said.codes().len(), 1);
    let line = bed.logged("Aborted Duo login for 'alice' from 203.0.113.5: long long");
    assert!(line.raw.len() <= 600, "{}", line.raw.len());
    assert!(line.raw.len() > 200, "{}", line.raw.len());
    // The outcome of the next login finds its way as well.
    stand_in::run(&bed, &["duo", "alice", "1"]);
}

/// A listener that goes away during a login must not end the application (SIGPIPE), and the next line
/// finds the new one.
#[test]
fn a_stream_that_is_gone_ends_no_login() {
    let mut bed = TestBed::with("", "", |host| host.user("alice").syslog(Syslog::Stream));
    let command = bed
        .host
        .pamtester("duo", "alice", "203.0.113.5", &["authenticate"]);
    let mut terminal = login_sandbox::Terminal::start(&command);
    terminal.expect("(1-3): ");
    terminal.line("999999");
    terminal.expect("2 tries left.");
    terminal.expect("(1-3): ");
    bed.logged("Failed Duo login for 'alice'");
    bed.host.replace_log();
    terminal.line("123456");
    assert_eq!(terminal.finish().status, 0);
    bed.logged("Successful Duo login for 'alice'");
}
