//! What a login costs must not grow unseen. Counts that do not depend on the machine's speed; the
//! table and its story are in `docs/speed.md`.

use std::fs;

use crate::host_program::{instructions, run_as};
use crate::test_bed::{CONF, TestBed, config};

const SCENARIO: &str = "[users.alice]\npasscodes = [\"123456\"]\n\
    push = {answer = \"approve\", after_ms = 0}\n[users.carol]\npreauth = \"allow\"\n";

/// A way to log in, and what it may cost.
struct Way {
    what: &'static str,
    user: &'static str,
    answer: &'static str,
    extra: &'static str,
    /// Whether the system's store is what is trusted.
    system_store: bool,
    requests: usize,
    /// The benches measure 4.2, 4.8, 5.2, 4.0, 0.9 and 6.6 million, by glibc 2.36 on x86-64. The margin is
    /// for other processors and libraries: it is less than parsing every root (4 million) or one
    /// more handshake would take.
    most_instructions: u64,
}

const WAYS: [Way; 6] = [
    way("passcode", "123456", "", 2, 5_400_000),
    way("push", "1", "", 3, 5_600_000),
    way("autopush", "", "autopush = yes", 3, 5_600_000),
    Way {
        user: "carol",
        ..way("allowed at preauth", "", "", 1, 5_100_000)
    },
    way(
        "bypassed user",
        "",
        "groups = nobody-is-in-it",
        0,
        1_400_000,
    ),
    Way {
        system_store: true,
        ..way("passcode, system's store", "123456", "", 2, 8_000_000)
    },
];

const fn way(
    what: &'static str,
    answer: &'static str,
    extra: &'static str,
    requests: usize,
    most_instructions: u64,
) -> Way {
    Way {
        what,
        user: "alice",
        answer,
        extra,
        system_store: false,
        requests,
        most_instructions,
    }
}

#[test]
fn a_login_costs_no_more_requests_connections_and_instructions_than_it_did() {
    let bed = TestBed::with(SCENARIO, "", |host| host.user("alice").user("carol"));
    let system = "/etc/ssl/certs/ca-certificates.crt";
    let roots = fs::read_to_string(system).unwrap();
    let store = format!("{roots}{}", bed.duo.ca_pem());
    bed.host.write(system, 0o644, &store);
    for way in &WAYS {
        let mut conf = format!("{}{}\n", config(&bed.duo), way.extra);
        if way.system_store {
            conf = conf.replace("cafile =", "# cafile =");
        }
        bed.host.write(CONF, 0o600, &conf);
        bed.duo.clear();
        let said = run_as(&bed, &[], &["-n", "1"], way.user, way.answer);
        assert_eq!(said.code(0), 1, "{}: {}", way.what, said.text);
        let requests = bed.paths();
        assert_eq!(requests.len(), way.requests, "{}: {requests:?}", way.what);
        let connections = bed.duo.connections();
        let one = usize::from(way.requests > 0);
        assert_eq!(
            (connections.tcp, connections.tls),
            (one, one),
            "{}",
            way.what
        );
        let instructions = instructions(&bed, way.user, way.answer);
        assert!(
            instructions <= way.most_instructions,
            "{}: {instructions} instructions",
            way.what
        );
    }
}
