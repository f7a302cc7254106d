//! `host.c`, a program that asks PAM, in a bench's host.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::bench::Bench;

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
fn build(bench: &Bench) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/end_to_end/host.c");
    let program = bench.host.directory().join("host");
    let status = Command::new("cc")
        .args(["-O1", "-Wall", "-Wextra", "-Werror", "-o"])
        .arg(&program)
        .arg(source)
        .args(["-lpam", "-lpthread"])
        .status();
    assert!(status.expect("cc").success());
    program
}

/// A command that runs `host` with `options` in the host, after `wrapper`.
pub fn command(bench: &Bench, wrapper: &[&str], options: &[&str], answer: &str) -> Command {
    let program = build(bench);
    let out = bench.host.directory().join("said");
    let mut arguments = wrapper.to_vec();
    arguments.extend([program.to_str().unwrap(), "-o", out.to_str().unwrap()]);
    arguments.extend(options);
    arguments.extend(["duo", "alice", answer]);
    bench.host.inside(&arguments)
}

/// What `host` has said so far.
pub fn said(bench: &Bench) -> Said {
    Said {
        text: fs::read_to_string(bench.host.directory().join("said")).unwrap_or_default(),
    }
}

/// Runs `host` to its end.
#[track_caller]
pub fn run(bench: &Bench, wrapper: &[&str], options: &[&str]) -> Said {
    let output = command(bench, wrapper, options, "123456").output().unwrap();
    let said = said(bench);
    assert!(
        output.status.success(),
        "{}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr),
        said.text
    );
    said
}
