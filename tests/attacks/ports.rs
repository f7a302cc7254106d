//! Every port that the kernel gives to connections is held. No packet is sent for it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};

use crate::attack::{ALL, Attack, Play};
use crate::page;
use crate::site::{ALICE, App, Site, play, run, words};

const TITLE: &str = "Ports that are held";
const INTRODUCTION: &str = "\
A user's program holds every ephemeral port of the network (32 here), bound or
connected to Duo, while somebody logs in. For `sshd` that somebody's own
connection comes from a port that is not one of them.";

const WHO: &str = "whoever may run programs here";
const LITERAL: &str = "host = 127.0.0.1";

/// Holds the ports until it is dropped.
struct Holder(Child);

impl Holder {
    fn start(site: &Site, attack: &[&str]) -> Self {
        let tool = site.tool().display().to_string();
        let mut program = words(&[&tool]);
        program.extend(words(attack));
        program.extend(words(&["--", "cat"]));
        let mut command: Command = site.by(ALICE, &program);
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = spawned.unwrap();
        let mut said = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut said).unwrap();
        let held: u32 = said.trim().strip_prefix("held ").unwrap().parse().unwrap();
        assert!(held >= 30, "{attack:?}: {held} are held");
        Self(child)
    }
}

impl Drop for Holder {
    fn drop(&mut self) {
        // cat ends with its input.
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

fn set_range(first: u16, last: u16) {
    let path = "/proc/sys/net/ipv4/ip_local_port_range";
    run("sh", &["-c", &format!("echo {first} {last} > {path}")]);
}

/// The first of 32 ports that no login has used before: those are in use for a minute.
fn fresh_ports() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(10_000);
    let next = NEXT.fetch_add(32, Ordering::Relaxed);
    assert!(next < 30_000);
    next
}

/// What is held.
#[derive(Clone, Copy)]
enum Held {
    /// Bound sockets of these kinds.
    Bound(&'static str),
    /// Connections to Duo.
    Connected,
}

/// A login while the ports are held.
fn held(site: &Site, app: App, held: Held) {
    let first = fresh_ports();
    let last = first + 31;
    set_range(first, last);
    let (from, to) = (first.to_string(), last.to_string());
    let holder = match held {
        Held::Bound(kinds) => Holder::start(site, &["ports", kinds, &from, &to]),
        Held::Connected => Holder::start(site, &["connections", "127.0.0.1", "443"]),
    };
    if app == App::Sshd {
        let relay = format!(
            "ProxyCommand={} relay 127.0.0.1 {} {}",
            site.tool().display(),
            site.bed.host.port(),
            // Another one each time: a connection that was kept out is known by its ports.
            40_000 + first / 32
        );
        let ssh = site.bed.host.ssh("alice", &[&relay], &site.mark(app));
        play(&ssh);
    } else {
        play(&site.login(app, &[]));
    }
    drop(holder);
    set_range(32768, 60999);
}

#[test]
fn nobody_gets_in_by_holding_ports() {
    let row = |what, play| Attack::new(what, WHO, ALL, Play::ByHand(play));
    let attacks = [
        row("TCP and UDP, Duo has an address", |site, app| {
            held(site, app, Held::Bound("both"));
        })
        .conf(LITERAL),
        row("TCP alone, Duo has an address", |site, app| {
            held(site, app, Held::Bound("tcp"));
        })
        .conf(LITERAL),
        row(
            "connections to Duo from each, Duo has an address",
            |site, app| {
                held(site, app, Held::Connected);
            },
        )
        .conf(LITERAL),
        row("TCP and UDP, Duo's name comes from DNS", |site, app| {
            held(site, app, Held::Bound("both"));
        }),
        row("TCP alone, Duo's name comes from DNS", |site, app| {
            held(site, app, Held::Bound("tcp"));
        }),
        row("UDP alone, Duo's name comes from DNS", |site, app| {
            held(site, app, Held::Bound("udp"));
        }),
    ];
    page::section(TITLE, INTRODUCTION, &attacks);
}
