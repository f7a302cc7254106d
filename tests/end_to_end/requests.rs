//! What Duo is asked in a whole login, on which connections, and how.

use duo_sim::{Connections, SignatureKind};

use crate::test_bed::{CONF, TestBed, config};

const ONE: Connections = Connections {
    tcp: 1,
    tls: 1,
    dns: 0,
};

fn log_in(bed: &TestBed, answer: &str) {
    let mut ssh = bed.ssh("alice", "echo in as $(id -un)");
    ssh.expect("(1-3): ");
    ssh.line(answer);
    ssh.expect("in as alice");
    assert_eq!(ssh.finish().status, 0);
}

#[test]
fn a_passcode_login_takes_two_requests_on_one_connection() {
    let bed = TestBed::new("", "");
    log_in(&bed, "123456");
    assert_eq!(bed.paths(), ["/auth/v2/preauth", "/auth/v2/auth"]);
    assert_eq!(bed.duo.connections(), ONE);
}

#[test]
fn a_push_login_takes_three_requests_or_more_on_one_connection() {
    let bed = TestBed::new(
        "[users.alice]\npush = {answer = \"approve\", after_ms = 300}",
        "",
    );
    log_in(&bed, "1");
    let paths = bed.paths();
    assert_eq!(
        paths[..3],
        ["/auth/v2/preauth", "/auth/v2/auth", "/auth/v2/auth_status"]
    );
    assert!(
        paths[3..].iter().all(|path| path == "/auth/v2/auth_status"),
        "{paths:?}"
    );
    assert_eq!(bed.duo.connections(), ONE);
    let connections: Vec<u64> = bed.duo.requests().iter().map(|r| r.connection).collect();
    assert!(
        connections.iter().all(|c| *c == connections[0]),
        "{connections:?}"
    );
}

#[test]
fn parameters_are_sorted_signed_and_right_and_the_programs_name_is_sent() {
    for (word, kind) in [
        ("v2-sha1", SignatureKind::V2Sha1),
        ("v2-sha512", SignatureKind::V2Sha512),
        ("v5", SignatureKind::V5),
    ] {
        let bed = TestBed::new("", &format!("signature = {word}"));
        log_in(&bed, "push");
        for request in bed.duo.requests() {
            assert_eq!(request.status, 200, "{request:?}");
            assert_eq!(request.signature, Some(kind), "{request:?}");
            assert!(request.sorted, "{request:?}");
            let agent = request.header("user-agent").unwrap();
            assert_eq!(agent, concat!("pam_duo-rs/", env!("CARGO_PKG_VERSION")));
        }
        let preauth = bed.request("/auth/v2/preauth");
        assert_eq!(preauth.parameter("username"), Some("alice"));
        assert_eq!(preauth.parameter("ipaddr"), Some("127.0.0.1"));
        let auth = bed.request("/auth/v2/auth");
        assert_eq!(auth.parameter("factor"), Some("push"));
        assert_eq!(auth.parameter("device"), Some("DPSIMULATORIPHONE001"));
        assert_eq!(auth.parameter("async"), Some("1"));
        assert_eq!(auth.parameter("ipaddr"), Some("127.0.0.1"));
    }
}

#[test]
fn names_with_blanks_signs_and_umlauts_are_signed_and_sent_right() {
    let names = ["al ice", "al+ice", "al%ice", "alöice", "alice@example.com"];
    let scenario: String = names.map(|name| format!("[users.\"{name}\"]\n")).concat();
    let bed = TestBed::with(&scenario, "", |host| {
        names.iter().fold(host, |host, name| host.user(name))
    });
    for (word, kind) in [
        ("v2-sha1", SignatureKind::V2Sha1),
        ("v2-sha512", SignatureKind::V2Sha512),
        ("v5", SignatureKind::V5),
    ] {
        let conf = format!("{}signature = {word}\n", config(&bed.duo));
        bed.host.write(CONF, 0o600, &conf);
        for name in names {
            bed.duo.clear();
            let finished = bed.pamtester(name, &["123456"]);
            assert_eq!(finished.status, 0, "{name}: {}", finished.transcript);
            let requests = bed.duo.requests();
            assert_eq!(requests.len(), 2);
            for request in requests {
                assert_eq!(request.parameter("username"), Some(name));
                assert_eq!(request.signature, Some(kind));
            }
        }
    }
}

#[test]
fn a_clock_that_is_off_is_found_and_the_request_is_signed_again_once() {
    for offset in [-4000, 4000, 100_000_000] {
        let bed = TestBed::new(&format!("clock_offset_seconds = {offset}"), "");
        let finished = bed.pamtester("alice", &["123456"]);
        assert_eq!(finished.status, 0, "{offset}: {}", finished.transcript);
        let requests = bed.duo.requests();
        let seen: Vec<(&str, u16)> = requests
            .iter()
            .map(|r| (r.path.as_str(), r.status))
            .collect();
        assert_eq!(
            seen,
            [
                ("/auth/v2/preauth", 401),
                ("/auth/v2/preauth", 200),
                ("/auth/v2/auth", 200)
            ],
            "{offset}"
        );
        assert_eq!(bed.duo.connections(), ONE);
    }
}

#[test]
fn too_many_requests_are_asked_again_after_the_time_that_duo_names() {
    for fault in [
        "retry_after = \"1\"",
        "retry_after = \"1\"\nheader = \"X-Retry-After\"",
        "",
    ] {
        let scenario = format!(
            "[[faults]]\npath = \"/auth/v2/preauth\"\nkind = \"rate_limited\"\ncount = 1\n{fault}"
        );
        let bed = TestBed::new(&scenario, "");
        let finished = bed.pamtester("alice", &["123456"]);
        assert_eq!(finished.status, 0, "{fault}: {}", finished.transcript);
        let requests = bed.duo.requests();
        assert_eq!(requests.len(), 3, "{requests:?}");
        let pause = requests[1].at.saturating_sub(requests[0].at);
        assert!(pause.as_millis() >= 900, "{fault}: {pause:?}");
    }
}
