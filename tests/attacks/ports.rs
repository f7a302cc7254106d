//! Every port that the kernel gives to connections is held. No packet is sent for it.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use login_sandbox::Terminal;

use crate::attack::{ALL, Attack, Play};
use crate::page;
use crate::site::{ALICE, App, Site, run, words};

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

fn set_range(range: &str) {
    let path = "/proc/sys/net/ipv4/ip_local_port_range";
    run("sh", &["-c", &format!("echo {range} > {path}")]);
}

/// A login while the ports are held.
fn held(site: &Site, app: App, attack: &[&str]) {
    // Ports of logins before may be in use for a minute: these were not.
    set_range("20000 20031");
    let holder = Holder::start(site, attack);
    if app == App::Sshd {
        let mark = site.mark(app);
        let relay = format!(
            "ProxyCommand={} relay 127.0.0.1 {} 30000",
            site.tool().display(),
            site.bed.host.port()
        );
        Terminal::start(&site.bed.host.ssh("alice", &[&relay], &mark)).finish();
    } else {
        site.play(&site.login(app, &[]));
    }
    drop(holder);
    set_range("32768 60999");
}

fn bound(kinds: &'static str) -> [&'static str; 4] {
    ["ports", kinds, "20000", "20031"]
}

#[test]
fn nobody_gets_in_by_holding_ports() {
    let row = |what, play| Attack::new(what, WHO, ALL, Play::ByHand(play));
    let attacks = [
        row("TCP and UDP, Duo has an address", |site, app| {
            held(site, app, &bound("both"));
        })
        .conf(LITERAL),
        row("TCP alone, Duo has an address", |site, app| {
            held(site, app, &bound("tcp"));
        })
        .conf(LITERAL),
        row(
            "connections to Duo from each, Duo has an address",
            |site, app| {
                held(site, app, &["connections", "127.0.0.1", "443"]);
            },
        )
        .conf(LITERAL),
        row("TCP and UDP, Duo's name comes from DNS", |site, app| {
            held(site, app, &bound("both"));
        }),
        row("TCP alone, Duo's name comes from DNS", |site, app| {
            held(site, app, &bound("tcp"));
        }),
        row("UDP alone, Duo's name comes from DNS", |site, app| {
            held(site, app, &bound("udp"));
        }),
    ];
    page::section(TITLE, INTRODUCTION, &attacks);
}
