//! Time: no fault holds a login for longer than promised, and no trick with time opens one.

use std::time::{Duration, Instant};

use duo_sim::{Fault, FaultKind};

use crate::bench::{Bench, CONF, config};

const PREAUTH: &str = "/auth/v2/preauth";

/// Every fault that the simulator has, in front of preauth: kept out where `failmode` says secure,
/// let in where it says safe, and never held for longer than promised.
#[test]
fn no_fault_before_preauth_hangs_a_login() {
    use FaultKind as K;
    let before_http = [
        K::Refuse,
        K::Reset,
        K::StallAccept,
        K::StallTls,
        K::TlsGarbage,
        K::PlainHttp,
        K::OldTls,
        K::SelfSigned,
        K::UnknownCa,
        K::Expired,
        K::WrongName,
    ];
    let in_the_reply = [
        K::StallRequest,
        K::StallHeaders,
        K::StallBody,
        K::Drip,
        K::Truncate,
        K::CloseBeforeReply,
        K::ResetBeforeReply,
        K::GarbageHttp,
        K::GarbageJson,
        K::EmptyBody,
        K::NotObject,
        K::WrongType,
        K::MissingResponse,
        K::MissingResult,
        K::NoStat,
        K::DeepJson,
        K::EndlessBody,
        K::EndlessHeaders,
        K::HugeHeader,
        K::Redirect,
        K::Status,
        K::RateLimited,
    ];
    let bench = Bench::new("", "");
    let all = before_http.map(|kind| ("connection", kind)).into_iter();
    for (path, kind) in all.chain(in_the_reply.map(|kind| (PREAUTH, kind))) {
        for (failmode, event) in [
            ("secure", "Failsecure Duo login"),
            ("safe", "Failsafe Duo login"),
        ] {
            bench.duo.clear_faults();
            bench.duo.add_fault(Fault::new(path, kind));
            let conf = format!(
                "{}https_timeout = 1\nfailmode = {failmode}\n",
                config(&bench.duo)
            );
            bench.host.write(CONF, 0o600, &conf);
            bench.host.clear_log();
            let started = Instant::now();
            let finished = bench.pamtester("alice", &[]);
            let took = started.elapsed();
            assert_eq!(
                finished.status == 0,
                failmode == "safe",
                "{kind:?} {failmode}: {}",
                finished.transcript
            );
            bench.logged(event);
            // Promised are 3 s; the rest is for a machine that is busy with other tests.
            assert!(took < Duration::from_secs(10), "{kind:?} took {took:?}");
        }
    }
}

/// The caller of su may stop it. Time that runs out meanwhile is no outage.
#[test]
fn a_process_that_is_stopped_until_time_has_run_out_lets_nobody_in() {
    let bench = Bench::new("", "https_timeout = 2\nfailmode = safe");
    let mut slow = Fault::new(PREAUTH, FaultKind::Delay);
    slow.interval_ms = Some(1500);
    bench.duo.add_fault(slow);
    // Below a shell: nsenter would stop together with its own child, and stay so.
    let pamtester = "pamtester -I rhost=203.0.113.5 duo alice authenticate & wait $!";
    let command = bench.host.inside(&["sh", "-c", pamtester]);
    let mut terminal = login_sandbox::Terminal::start(&command);
    while bench.duo.connections().tls == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let signal = |name: &str| {
        let kill = ["pkill", name, "--exact", "pamtester"];
        assert!(bench.host.inside(&kill).status().unwrap().success());
    };
    signal("-STOP");
    std::thread::sleep(Duration::from_secs(5));
    signal("-CONT");
    let finished = terminal.finish();
    assert!(
        finished
            .transcript
            .contains("cannot retrieve authentication info"),
        "{}",
        finished.transcript
    );
    bench.logged("Error in Duo login for 'alice' from 203.0.113.5: this process was stopped");
}
