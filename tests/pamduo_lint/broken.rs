//! Each finding, by a set-up that triggers just that one.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use crate::root::Root;
use crate::{broken_sshd, broken_stacks};

/// A set-up: what is broken in one that is sound.
pub struct Case {
    /// The finding.
    pub id: &'static str,
    /// Where it is found.
    pub place: &'static str,
    /// What its fix contains.
    pub fix: &'static str,
    /// What is changed in Debian 12 with the README's recipe for SSH with a key.
    pub broken: fn(&Root),
}

fn cases() -> impl Iterator<Item = &'static Case> {
    broken_stacks::CASES.iter().chain(broken_sshd::CASES)
}

fn place(finding: &serde_json::Value) -> String {
    let place = &finding["where"];
    let file = place["file"].as_str().unwrap();
    match place["line"].as_u64() {
        Some(line) => format!("{file}:{line}"),
        None => file.to_owned(),
    }
}

#[test]
fn each_broken_set_up_triggers_its_finding_and_no_other() {
    let mut wrong = String::new();
    for (number, case) in cases().enumerate() {
        let root = Root::with_recipe(12);
        (case.broken)(&root);
        let report = root.lint();
        let findings = report["findings"].as_array().unwrap();
        let right = findings.len() == 1
            && findings[0]["id"] == case.id
            && place(&findings[0]) == case.place
            && findings[0]["fix"].as_str().unwrap().contains(case.fix)
            && !findings[0]["message"].as_str().unwrap().is_empty();
        if !right {
            wrong.push_str(&format!(
                "case {number}, {}, {}: {:#}\n",
                case.id, case.place, report["findings"]
            ));
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[test]
fn every_finding_has_a_broken_set_up() {
    let help = Command::new(env!("CARGO_BIN_EXE_pamduo"))
        .args(["lint", "--list"])
        .output()
        .unwrap();
    let list = String::from_utf8(help.stdout).unwrap();
    let known: BTreeSet<&str> = list
        .lines()
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    let covered: BTreeSet<&str> = cases().map(|case| case.id).collect();
    assert_eq!(known, covered);
}

#[test]
fn the_line_to_write_puts_it_right() {
    let mut tried = 0;
    for case in cases() {
        let root = Root::with_recipe(12);
        (case.broken)(&root);
        let finding = root.lint()["findings"][0].clone();
        let Some(line) = finding["where"]["line"].as_u64() else {
            continue;
        };
        let fix = finding["fix"].as_str().unwrap();
        // If it is not a line, it says what else to do.
        let whole_line = fix.starts_with("auth  ")
            || fix.contains("yes")
            || fix.starts_with("AuthenticationMethods");
        let left_out = fix == "(leave this line out)";
        if !(whole_line || left_out)
            || fix.contains(", ")
            || case.id == "unusable-line"
            || case.id == "module-missing"
        {
            continue;
        }
        let path = finding["where"]["file"].as_str().unwrap();
        let text = fs::read_to_string(root.path(path)).unwrap();
        let mut lines: Vec<&str> = text.lines().collect();
        let at = usize::try_from(line).unwrap() - 1;
        lines[at] = if left_out { "" } else { fix };
        root.write(path, &(lines.join("\n") + "\n"));
        assert_eq!(root.ids(), [""; 0], "{}: {fix}", case.id);
        tried += 1;
    }
    assert!(tried > 20, "{tried}");
}
