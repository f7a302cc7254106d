//! `host.c`, a program that asks PAM, in a bed's host.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::test_bed::TestBed;

/// What `host` said.
pub struct Said {
    pub text: String,
}

impl Said {
    /// How many logins ended with `code`.
    pub fn code(&self, code: u32) -> u32 {
        let start = format!("code {code} ");
        let line = self.text.lines().find_map(|line| line.strip_prefix(&start));
        line.map_or(0, |count| count.parse().unwrap())
    }

    /// A number of its reports, in their order.
    pub fn numbers(&self, name: &str) -> Vec<u64> {
        let start = format!("{name} ");
        let lines = self.text.lines().filter_map(|l| l.strip_prefix(&start));
        lines.map(|number| number.parse().unwrap()).collect()
    }

    /// Nothing has grown between the reports, and nothing of the process has been changed.
    #[track_caller]
    pub fn nothing_is_left(&self) {
        for name in ["fds", "threads"] {
            let numbers = self.numbers(name);
            assert!(numbers.len() >= 2, "{}", self.text);
            assert!(numbers.iter().all(|n| *n == numbers[0]), "{}", self.text);
        }
        assert!(
            self.numbers("changed").iter().all(|n| *n == 0),
            "{}",
            self.text
        );
    }
}

/// Builds `host.c` into the host's folder.
fn build(bed: &TestBed) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end/host.c");
    let program = bed.host.directory().join("host");
    let status = Command::new("cc")
        .args(["-O1", "-Wall", "-Wextra", "-Werror", "-o"])
        .arg(&program)
        .arg(source)
        .args(["-lpam", "-lpthread"])
        .status();
    assert!(status.expect("cc").success());
}

/// A command that runs `host` with `options` in the host, after `wrapper`.
pub fn command(bed: &TestBed, wrapper: &[&str], options: &[&str], answer: &str) -> Command {
    command_as(bed, wrapper, options, "alice", answer)
}

fn command_as(
    bed: &TestBed,
    wrapper: &[&str],
    options: &[&str],
    user: &str,
    answer: &str,
) -> Command {
    let program = bed.host.directory().join("host");
    if !program.exists() {
        build(bed);
    }
    let out = bed.host.directory().join("said");
    let mut arguments = wrapper.to_vec();
    arguments.extend([program.to_str().unwrap(), "-o", out.to_str().unwrap()]);
    arguments.extend(options);
    arguments.extend(["duo", user, answer]);
    bed.host.inside(&arguments)
}

/// What `host` has said so far.
pub fn said(bed: &TestBed) -> Said {
    Said {
        text: fs::read_to_string(bed.host.directory().join("said")).unwrap_or_default(),
    }
}

/// Runs `host` to its end.
#[track_caller]
pub fn run(bed: &TestBed, wrapper: &[&str], options: &[&str]) -> Said {
    run_as(bed, wrapper, options, "alice", "123456")
}

/// The same for a user with an answer.
#[track_caller]
pub fn run_as(bed: &TestBed, wrapper: &[&str], options: &[&str], user: &str, answer: &str) -> Said {
    let mut command = command_as(bed, wrapper, options, user, answer);
    let output = command.output().unwrap();
    let said = said(bed);
    assert!(
        output.status.success(),
        "{}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr),
        said.text
    );
    said
}

/// How many instructions a process with one login takes, from its start to its end, as callgrind
/// counts them.
pub fn instructions(bed: &TestBed, user: &str, answer: &str) -> u64 {
    let out = bed.host.directory().join("callgrind");
    let option = format!("--callgrind-out-file={}", out.display());
    let wrapper = ["valgrind", "--quiet", "--tool=callgrind", &option];
    let said = run_as(bed, &wrapper, &["-n", "1"], user, answer);
    assert_eq!(said.code(0), 1, "{}", said.text);
    let text = fs::read_to_string(out).unwrap();
    let totals = text.lines().find_map(|line| line.strip_prefix("totals: "));
    totals.expect("totals").trim().parse().unwrap()
}
