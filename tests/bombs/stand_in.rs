//! `stand_in.c`, a program that asks PAM, in a bed's host.

use std::path::Path;
use std::process::Command;

use crate::test_bed::TestBed;

/// A command that runs `stand_in` in the host.
pub(crate) fn command(bed: &TestBed, arguments: &[&str]) -> Command {
    let program = bed.host.directory().join("stand_in");
    if !program.exists() {
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bombs/stand_in.c");
        let status = Command::new("cc")
            .args(["-O1", "-Wall", "-Wextra", "-Werror", "-rdynamic", "-o"])
            .arg(&program)
            .arg(source)
            .arg("-lpam")
            .status();
        assert!(status.expect("cc").success());
    }
    let mut all = vec![program.to_str().unwrap()];
    all.extend(arguments);
    bed.host.inside(&all)
}

/// What it said.
pub(crate) struct Said {
    pub(crate) text: String,
}

impl Said {
    /// The codes with which its logins ended.
    pub(crate) fn codes(&self) -> Vec<u32> {
        let lines = self.text.lines().filter_map(|l| l.strip_prefix("code "));
        lines.map(|code| code.parse().unwrap()).collect()
    }
}

/// Runs it to its end.
pub(crate) fn run(bed: &TestBed, arguments: &[&str]) -> Said {
    let output = command(bed, arguments).output().unwrap();
    Said {
        text: String::from_utf8_lossy(&output.stdout).into_owned(),
    }
}
