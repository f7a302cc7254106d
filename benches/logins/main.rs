//! What a login costs: one table, from real logins through the release build of the module. Run it
//! with `sh benches/run.sh`, which builds and installs what it needs.
#![allow(
    clippy::panic,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::cast_precision_loss,
    unreachable_pub,
    dead_code
)]

#[path = "../../tests/end_to_end/host_program.rs"]
mod host_program;
mod relay;
#[path = "../../tests/end_to_end/test_bed.rs"]
mod test_bed;

use std::fs;

use duo_sim::Connections;
use relay::Relay;
use test_bed::{CONF, TestBed, config};

/// How often each login is timed; the table has the median.
const RUNS: usize = 15;
/// What the relay makes a round trip take, in milliseconds.
const ROUND_TRIP_MS: u64 = 100;

/// A way to log in.
struct Way {
    name: &'static str,
    user: &'static str,
    answer: &'static str,
    /// Lines of the configuration.
    extra: &'static str,
}

const WAYS: [Way; 5] = [
    way("passcode", "alice", "123456", ""),
    way("push", "alice", "1", ""),
    way("autopush", "alice", "", "autopush = yes"),
    way("bypassed user", "alice", "", "groups = nobody-is-in-it"),
    way("allowed at preauth", "carol", "", ""),
];

const fn way(
    name: &'static str,
    user: &'static str,
    answer: &'static str,
    extra: &'static str,
) -> Way {
    Way {
        name,
        user,
        answer,
        extra,
    }
}

const SCENARIO: &str = "[users.alice]\npasscodes = [\"123456\"]\n\
    push = {answer = \"approve\", after_ms = 0}\n[users.carol]\npreauth = \"allow\"\n";

/// What one row says.
struct Cost {
    wall_ms: f64,
    cpu_ms: f64,
    peak_kib: u64,
    instructions: u64,
    requests: usize,
    connections: Connections,
    round_trips: f64,
}

fn main() {
    // `cargo test` runs this with --test; it is no test.
    if std::env::args().any(|argument| argument == "--test") {
        return;
    }
    let system = fs::read_to_string("/etc/ssl/certs/ca-certificates.crt").unwrap();
    let bed = TestBed::with(SCENARIO, "", |host| host.user("alice").user("carol"));
    let store = format!("{system}{}", bed.duo.ca_pem());
    bed.host
        .write("/etc/ssl/certs/ca-certificates.crt", 0o644, &store);
    println!(
        "| login | trust | wall, ms | CPU, ms | peak, KiB | instructions, million | requests | \
         connections | TLS handshakes | round trips |"
    );
    println!("| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |");
    for (trust, by_file) in [("one CA in `cafile`", true), ("system's store", false)] {
        for way in &WAYS {
            let cost = measure(&bed, way, by_file);
            println!(
                "| {} | {trust} | {:.1} | {:.1} | {} | {:.2} | {} | {} | {} | {:.1} |",
                way.name,
                cost.wall_ms,
                cost.cpu_ms,
                cost.peak_kib,
                cost.instructions as f64 / 1e6,
                cost.requests,
                cost.connections.tcp,
                cost.connections.tls,
                cost.round_trips
            );
        }
    }
    let module = login_sandbox::module_path();
    println!("\nmodule: {} bytes", fs::metadata(&module).unwrap().len());
    configure(&bed, &WAYS[0], true, None);
    println!(
        "load (dlopen to the end of a login without arguments): {:.2} ms",
        load_ms(&bed)
    );
    for (what, options) in [
        ("200 logins at once, threads of one process", ["-t", "200"]),
        ("200 logins at once, processes", ["-F", "200"]),
    ] {
        bed.duo.clear();
        let said = host_program::run(&bed, &[], &options);
        let done = said.code(0);
        println!(
            "{what}: {:.0} ms wall, {} of them in, {} connections",
            said.numbers("wall")[0] as f64 / 1000.0,
            done,
            bed.duo.connections().tcp
        );
    }
}

/// Writes the configuration; Duo is behind the relay if there is one.
fn configure(bed: &TestBed, way: &Way, by_file: bool, relay: Option<&Relay>) {
    let mut conf = format!("{}{}\nhttps_timeout = 60\n", config(&bed.duo), way.extra);
    if !by_file {
        let lines = conf.lines().filter(|line| !line.starts_with("cafile"));
        conf = lines.collect::<Vec<_>>().join("\n");
    }
    if let Some(relay) = relay {
        conf = format!("{conf}\nhost = localhost:{}\n", relay.port);
    }
    bed.host.write(CONF, 0o600, &conf);
}

fn measure(bed: &TestBed, way: &Way, by_file: bool) -> Cost {
    configure(bed, way, by_file, None);
    let run = |wrapper: &[&str]| {
        bed.duo.clear();
        host_program::run_as(bed, wrapper, &["-n", "1"], way.user, way.answer)
    };
    let mut wall = Vec::new();
    let mut cpu = Vec::new();
    let mut peak = Vec::new();
    for _ in 0..RUNS {
        let said = run(&[]);
        assert_eq!(said.code(0), 1, "{}", said.text);
        wall.push(said.numbers("wall")[0]);
        cpu.push(said.numbers("cpu")[0]);
        peak.push(said.numbers("peak")[0]);
    }
    let requests = bed.paths().len();
    let connections = bed.duo.connections();
    let instructions = host_program::instructions(bed, way.user, way.answer);
    // One relay after the other, so that whatever else a login takes is in both.
    let walls = [0, ROUND_TRIP_MS].map(|round_trip| {
        let relay = Relay::start(bed.duo.address(), round_trip);
        configure(bed, way, by_file, Some(&relay));
        let times = (0..3).map(|_| run(&[]).numbers("wall")[0]).collect();
        median(times)
    });
    let round_trips = ((walls[1] - walls[0]) / 1000.0 / ROUND_TRIP_MS as f64).abs();
    Cost {
        wall_ms: median(wall) / 1000.0,
        cpu_ms: median(cpu) / 1000.0,
        peak_kib: peak.iter().copied().max().unwrap(),
        instructions,
        requests,
        connections,
        round_trips,
    }
}

/// A module argument that it does not know ends a login at once: what is left is loading.
fn load_ms(bed: &TestBed) -> f64 {
    let stack = fs::read_to_string(bed.host.directory().join("etc/pam.d/duo")).unwrap();
    bed.host
        .write("/etc/pam.d/duo", 0o644, &stack.replace("conf=", "none="));
    let times = (0..RUNS)
        .map(|_| host_program::run(bed, &[], &["-n", "1"]).numbers("wall")[0])
        .collect();
    bed.host.write("/etc/pam.d/duo", 0o644, &stack);
    median(times) / 1000.0
}

fn median(mut numbers: Vec<u64>) -> f64 {
    numbers.sort_unstable();
    numbers[numbers.len() / 2] as f64
}
