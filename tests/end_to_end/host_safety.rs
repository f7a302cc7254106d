//! The program that asks comes to no harm: nothing is left behind in it, and the module works where
//! such programs are short of things. `host.c` is that program.

use std::fs;
use std::os::unix::fs::FileExt as _;
use std::process::Child;
use std::thread;
use std::time::{Duration, Instant};

use duo_sim::{Fault, FaultKind, Options, Scenario, Simulator};

use crate::deadlines::SilentAddress;
use crate::host_program::{command, run, said};
use crate::test_bed::{CONF, TestBed, config};

/// Codes of `security/_pam_types.h`.
const SUCCESS: u32 = 0;
const AUTHINFO_UNAVAIL: u32 = 9;

/// Passcodes are right as often as they are used.
const SCENARIO: &str = "[users.alice]\npasscodes = [\"123456\"]";

#[test]
fn five_hundred_logins_in_a_row_leave_nothing_behind() {
    let bed = TestBed::new(SCENARIO, "");
    let said = run(&bed, &[], &["-n", "500"]);
    assert_eq!(said.code(SUCCESS), 500, "{}", said.text);
    said.nothing_is_left();
    let heap = said.numbers("heap");
    // malloc's own pieces settle within some dozen KiB; Valgrind, below, is exact.
    assert!(
        heap[1] < heap[0] + 96 * 1024,
        "450 logins more, and the heap grew: {heap:?}"
    );
}

#[test]
fn two_hundred_logins_at_once_in_one_process_with_small_stacks_all_come_in() {
    let bed = TestBed::new(SCENARIO, "https_timeout = 60");
    let said = run(&bed, &[], &["-t", "200", "-s", "262144"]);
    assert_eq!(said.code(SUCCESS), 201, "{}", said.text);
    said.nothing_is_left();
}

#[test]
fn two_hundred_processes_at_once_all_come_in() {
    let bed = TestBed::new(SCENARIO, "https_timeout = 60");
    let said = run(&bed, &[], &["-F", "200"]);
    assert_eq!(said.code(SUCCESS), 200, "{}", said.text);
}

/// Reads and writes of what is not there count as well. Values that were never written do not:
/// Valgrind 3.19 takes what ring's assembly has written for such.
#[test]
fn valgrind_finds_no_leak_and_no_error() {
    let bed = TestBed::new(SCENARIO, "https_timeout = 60\nlogin_timeout = 200");
    let wrapper = [
        "valgrind",
        "--quiet",
        "--undef-value-errors=no",
        "--leak-check=full",
        "--show-leak-kinds=definite",
        "--errors-for-leak-kinds=definite",
        "--error-exitcode=99",
        "--num-callers=30",
    ];
    let said = run(&bed, &wrapper, &["-n", "20"]);
    assert_eq!(said.code(SUCCESS), 20, "{}", said.text);
    said.nothing_is_left();
}

#[test]
fn it_works_without_standard_streams() {
    let bed = TestBed::new(SCENARIO, "");
    let said = run(&bed, &[], &["-c", "-n", "10"]);
    assert_eq!(said.code(SUCCESS), 10, "{}", said.text);
    said.nothing_is_left();
}

/// More than `select` could take.
#[test]
fn it_works_with_thousands_of_open_descriptors() {
    let bed = TestBed::new(SCENARIO, "");
    let said = run(&bed, &[], &["-d", "3000", "-n", "10"]);
    assert_eq!(said.code(SUCCESS), 10, "{}", said.text);
    said.nothing_is_left();
}

/// As an ordinary user, since root is above that limit.
#[test]
fn it_works_where_no_thread_may_be_made() {
    let bed = TestBed::new(SCENARIO, "failmode = secure");
    for path in ["duo/pam_duo.conf", "../said"] {
        let path = bed.host.directory().join("etc").join(path);
        fs::write(&path, fs::read(&path).unwrap_or_default()).unwrap();
        std::os::unix::fs::chown(&path, Some(2001), Some(2001)).unwrap();
    }
    let said = run(&bed, &[], &["-u", "2001", "-p", "0", "-n", "10"]);
    assert_eq!(said.code(SUCCESS), 10, "{}", said.text);
    said.nothing_is_left();
}

/// Each limit from next to nothing up: it works, or it keeps out, and never crashes or lets in
/// without Duo. Who calls su sets such limits, so running out is no outage.
#[test]
fn running_out_of_descriptors_keeps_out() {
    let bed = TestBed::new("[users.alice]\npreauth = \"deny\"", "failmode = safe");
    for limit in 3..20 {
        let said = run(&bed, &[], &["-f", &limit.to_string()]);
        assert_eq!(said.code(SUCCESS), 0, "{limit}: {}", said.text);
    }
}

/// One address is silent, and for the other there is no descriptor left: no outage.
#[test]
fn running_out_of_descriptors_beside_a_dead_address_keeps_out() {
    let bed = TestBed::new("[users.alice]\npreauth = \"deny\"", "");
    let port = bed.duo.address().port();
    let _dead = SilentAddress::at(([127, 0, 0, 3], port).into());
    let conf = format!(
        "{}host = duo.test:{port}\nhttps_timeout = 1\nfailmode = safe\n",
        config(&bed.duo)
    );
    bed.host.write(CONF, 0o600, &conf);
    for addresses in [["127.0.0.3", "127.0.0.1"], ["127.0.0.1", "127.0.0.3"]] {
        let hosts = addresses.map(|address| format!("{address} duo.test\n"));
        bed.host.write("/etc/hosts", 0o644, &hosts.concat());
        for limit in 3..12 {
            let said = run(&bed, &[], &["-f", &limit.to_string()]);
            assert_eq!(said.code(SUCCESS), 0, "{limit}: {}", said.text);
        }
    }
}

/// The program unloads the module while the look-up is out, and lives on.
#[test]
fn a_look_up_that_never_ends_survives_that_the_module_is_unloaded() {
    let duo = Simulator::start(
        Scenario::default(),
        Options {
            dns: Some("127.1.53.2:53".parse().unwrap()),
            ..Options::default()
        },
    )
    .unwrap();
    duo.add_fault(Fault::new("dns", FaultKind::DnsSilent));
    let bed = TestBed::over(duo, "", |host| {
        // Longer than the module waits, shorter than the program lives.
        let resolver = "nameserver 127.1.53.2\noptions timeout:3 attempts:1\n";
        host.user("alice").file("/etc/resolv.conf", 0o644, resolver)
    });
    let conf = format!(
        "{}host = duo.test\nhttps_timeout = 1\nfailmode = secure\n",
        config(&bed.duo)
    );
    bed.host.write(CONF, 0o600, &conf);
    let started = Instant::now();
    let said = run(&bed, &[], &["-n", "3", "-l", "6"]);
    assert!(started.elapsed() >= Duration::from_secs(6));
    assert_eq!(said.code(AUTHINFO_UNAVAIL), 3, "{}", said.text);
    assert!(said.text.contains("lingered"), "{}", said.text);
    // The look-ups were still out when the logins were over, and have ended since.
    let threads = said.numbers("threads");
    assert!(threads[1] > 1, "{}", said.text);
    assert_eq!(threads[2], 1, "{}", said.text);
}

/// Ends the program when the test does.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// What a core image would hold: every mapping that can be read. Gives what is found of `needles`.
fn search(process: &str, needles: &[&str]) -> Vec<String> {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let memory = fs::File::open(format!("/proc/{process}/mem")).unwrap();
    let mut found = Vec::new();
    let mut searched = 0;
    for line in maps.lines() {
        let mut words = line.split_whitespace();
        let range = words.next().unwrap();
        if !words.next().unwrap().starts_with("rw") {
            continue;
        }
        let (start, end) = range.split_once('-').unwrap();
        let start = u64::from_str_radix(start, 16).unwrap();
        let length = u64::from_str_radix(end, 16).unwrap() - start;
        let mut bytes = vec![0; usize::try_from(length).unwrap()];
        if memory.read_exact_at(&mut bytes, start).is_err() {
            continue;
        }
        searched += bytes.len();
        for needle in needles {
            let hits = bytes
                .windows(needle.len())
                .filter(|window| *window == needle.as_bytes());
            found.extend(hits.map(|_| format!("{needle} in {line}")));
        }
    }
    assert!(searched > 100_000, "{searched} bytes");
    found
}

/// The process whose name is `host`, within the bed's host.
fn process_of(child: &Child) -> String {
    // nsenter forks into the namespace.
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        let id = child.id();
        let path = format!("/proc/{id}/task/{id}/children");
        let children = fs::read_to_string(path).unwrap_or_default();
        if let Some(child) = children.split_whitespace().next() {
            return child.to_owned();
        }
        assert!(Instant::now() < end, "no child");
        thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn the_secret_key_is_not_in_the_process_after_a_login() {
    let bed = TestBed::new(SCENARIO, "http_proxy =\nfailmode = secure");
    let skey = bed.duo.skey().to_owned();
    for (when, word) in [("-b", "before-end"), ("-a", "after-end")] {
        let hold = bed.host.directory().join("hold");
        let options = ["-h", hold.to_str().unwrap(), when];
        let mut running = Running(command(&bed, &[], &options, "123456").spawn().unwrap());
        let end = Instant::now() + Duration::from_secs(20);
        while !fs::read_to_string(&hold).is_ok_and(|text| text.contains(word)) {
            assert!(Instant::now() < end, "the login does not end");
            thread::sleep(Duration::from_millis(10));
        }
        let process = process_of(&running.0);
        // The search itself works: the user's name is all over the place.
        assert!(!search(&process, &["alice"]).is_empty());
        let found = search(&process, &[&skey]);
        assert!(found.is_empty(), "{word}: {found:#?}");
        fs::remove_file(&hold).unwrap();
        assert!(running.0.wait().unwrap().success());
        assert_eq!(said(&bed).code(SUCCESS), 1);
    }
}
