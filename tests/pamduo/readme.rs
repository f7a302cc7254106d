//! The README shows what `pamduo check` says at a terminal; this keeps it true.
//!
//! On both sides, what differs from run to run is replaced: colours go, milliseconds and ports
//! become N, the test's folder is `/etc/duo`, and lines that were broken for their length are
//! joined.

use login_sandbox::Terminal;

use crate::test_bed::TestBed;

const README: &str = include_str!("../../README.md");

/// The block of the README that begins with `$ pamduo check` and goes on with `first`.
#[track_caller]
fn shown(first: &str) -> String {
    let block = README
        .split("```")
        .skip(1)
        .step_by(2)
        .filter_map(|block| block.split_once("$ pamduo check\n"))
        .map(|(_, output)| output)
        .find(|output| output.starts_with(first));
    level(block.unwrap_or_else(|| panic!("no block of the README begins with {first}")))
}

/// What a terminal shows, the folder called `/etc/duo`.
fn said(bed: &TestBed, status: i32) -> String {
    let finished = Terminal::start(&bed.command(&["check"])).finish();
    assert_eq!(finished.status, status, "{}", finished.transcript);
    let folder = bed.folder.path().display().to_string();
    level(&finished.transcript.replace(&folder, "/etc/duo"))
}

/// Without colours, times, ports and breaks.
fn level(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\u{1b}') {
        plain.push_str(before);
        rest = after.split_once('m').map_or("", |(_, rest)| rest);
    }
    plain.push_str(rest);
    let mut lines: Vec<String> = Vec::new();
    for line in plain.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_time = |index: usize| words.get(index + 1) == Some(&"ms");
        let leveled = words.iter().enumerate().map(|(index, word)| match word {
            _ if is_time(index) => "N".to_owned(),
            word => without_port(word),
        });
        let words = leveled.collect::<Vec<String>>().join(" ");
        match lines.last_mut() {
            Some(last) if line.starts_with("      ") => {
                last.push(' ');
                last.push_str(&words);
            }
            _ => lines.push(words),
        }
    }
    lines.join("\n").trim().to_owned()
}

/// A number after a colon is a port.
fn without_port(word: &str) -> String {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match word.rsplit_once(':') {
        Some((host, port)) if digits(port) => format!("{host}:N"),
        _ => word.to_owned(),
    }
}

#[test]
fn the_good_check_is_as_the_readme_shows_it() {
    assert_eq!(said(&TestBed::new(""), 0), shown("ok      file"));
}

#[test]
fn the_bad_check_is_as_the_readme_shows_it() {
    let fault = "[[faults]]\npath = \"connection\"\nkind = \"unknown_ca\"\n";
    let bed = TestBed::new(fault);
    bed.add("failmod = secure");
    assert_eq!(said(&bed, 1), shown("warning file"));
}
