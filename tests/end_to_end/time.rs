//! Time: no fault holds a login for longer than promised, and no trick with time opens one.

use std::time::Duration;

use duo_sim::{Fault, FaultKind};

use crate::test_bed::TestBed;

const PREAUTH: &str = "/auth/v2/preauth";

/// The caller of su may stop it. Time that runs out meanwhile is not an outage.
#[test]
fn a_process_that_is_stopped_until_time_has_run_out_lets_nobody_in() {
    let bed = TestBed::new("", "https_timeout = 2\nfailmode = safe");
    let mut slow = Fault::new(PREAUTH, FaultKind::Delay);
    slow.interval_ms = Some(1500);
    bed.duo.add_fault(slow);
    // Below a shell: nsenter would stop together with its own child, and stay so.
    let pamtester = "pamtester -I rhost=203.0.113.5 duo alice authenticate & wait $!";
    let command = bed.host.inside(&["sh", "-c", pamtester]);
    let mut terminal = login_sandbox::Terminal::start(&command);
    while bed.duo.connections().tls == 0 {
        std::thread::sleep(Duration::from_millis(5));
    }
    let signal = |name: &str| {
        let kill = ["pkill", name, "--exact", "pamtester"];
        assert!(bed.host.inside(&kill).status().unwrap().success());
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
    let line = bed.logged("Failsecure Duo login for 'alice' from 203.0.113.5: ");
    assert!(
        line.text.contains("this process was stopped for "),
        "{}",
        line.text
    );
}
