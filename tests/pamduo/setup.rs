//! `pamduo setup`: what is asked, what is tried, what is written.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use login_sandbox::Terminal;

use crate::test_bed::{Run, TestBed, mode_of, pamduo, run};

/// A bed whose configuration is not there yet.
fn empty() -> TestBed {
    let bed = TestBed::new("");
    fs::remove_file(bed.conf()).unwrap();
    bed
}

/// The command line with everything but the secret key's file.
fn command(bed: &TestBed, more: &[&str]) -> Command {
    let mut command = bed.command(&["setup"]);
    command.arg("--host").arg(bed.duo.host());
    command.args(["--ikey", bed.duo.ikey()]);
    command.arg("--cafile").arg(bed.duo.ca_file());
    command.args(more);
    command
}

/// The same with the secret key on standard input.
fn set_up(bed: &TestBed, more: &[&str]) -> Run {
    let input = format!("{}\n", bed.duo.skey());
    let run = run(command(bed, more).args(["--skey-file", "-"]), &input);
    assert!(!run.all().contains(bed.duo.skey()), "{run:?}");
    run
}

/// Copies of the file before.
fn backups(bed: &TestBed) -> Vec<PathBuf> {
    let entries = fs::read_dir(bed.folder.path()).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .filter(|path| path.to_string_lossy().contains(".bak-"))
        .collect()
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap()
}

#[test]
fn a_new_file_is_private_and_works() {
    let bed = empty();
    let run = set_up(&bed, &[]);
    assert_eq!(run.status, 0, "{run:?}");
    assert_eq!(mode_of(&bed.conf()), 0o600);
    let written = text(&bed.conf());
    // The file that the package has, with its comments.
    let shipped = include_str!("../../conf/pam_duo.conf");
    let comments = |text: &str| -> Vec<String> {
        let comments = text.lines().filter(|line| line.starts_with(';'));
        comments.map(str::to_owned).collect()
    };
    // A commented-out example may have become a line.
    assert!(comments(&written).len() > 20);
    assert!(
        comments(&written)
            .iter()
            .all(|line| comments(shipped).contains(line))
    );
    assert!(written.contains(&format!("\nskey = {}\n", bed.duo.skey())));
    assert_eq!(bed.run(&["check"], "").status, 0);
    let names: Vec<_> = fs::read_dir(bed.folder.path()).unwrap().collect();
    assert_eq!(names.len(), 2, "nothing but the file and the CA: {names:?}");
}

#[test]
fn the_lines_for_sshd_and_sudo_name_the_file() {
    let bed = empty();
    let run = set_up(&bed, &[]);
    let line = format!(
        "    auth  required  pam_duo.so conf={}\n",
        bed.conf().display()
    );
    assert!(run.stdout.contains(&line), "{run:?}");
    for line in [
        "    AuthenticationMethods publickey,keyboard-interactive\n",
        "    @include common-auth\n",
    ] {
        assert!(run.stdout.contains(line));
        let readme = include_str!("../../README.md");
        assert!(readme.contains(line.trim()), "the README says the same");
    }
}

#[test]
fn a_folder_that_is_missing_is_made() {
    let bed = empty();
    let path = bed.folder.path().join("duo/pam_duo.conf");
    let mut command = pamduo(&["setup", "--no-check", "--skey-file", "-", "--host", "h"]);
    command.args(["--ikey", "i", "--config"]).arg(&path);
    assert_eq!(run(&mut command, "s\n").status, 0);
    assert_eq!(
        (mode_of(path.parent().unwrap()), mode_of(&path)),
        (0o755, 0o600)
    );
}

/// The package's own file, untouched, holds nothing that could be lost; with one letter more it does.
#[test]
fn the_file_as_it_was_shipped_is_filled_in() {
    let shipped = include_str!("../../conf/pam_duo.conf");
    let bed = empty();
    fs::write(bed.conf(), shipped).unwrap();
    let run = set_up(&bed, &[]);
    assert_eq!(run.status, 0, "{run:?}");
    assert!(text(&bed.conf()).contains(&format!("\nskey = {}\n", bed.duo.skey())));
    assert_eq!(mode_of(&bed.conf()), 0o600);
    assert!(backups(&bed).is_empty());

    let edited = format!("{shipped}\n; mine\n");
    fs::write(bed.conf(), &edited).unwrap();
    let run = set_up(&bed, &[]);
    assert_eq!(run.status, 1, "{run:?}");
    assert_eq!(text(&bed.conf()), edited);
}

#[test]
fn the_same_values_again_change_nothing() {
    let bed = empty();
    set_up(&bed, &[]);
    let before = text(&bed.conf());
    bed.duo.clear();
    for more in [&[] as &[&str], &["--force"]] {
        let run = set_up(&bed, more);
        assert_eq!(run.status, 0);
        assert!(run.stdout.contains(" has these values already.\n"));
    }
    assert_eq!(text(&bed.conf()), before);
    assert!(backups(&bed).is_empty() && bed.duo.requests().is_empty());
}

#[test]
fn another_file_is_replaced_with_force_alone_and_a_copy_stays() {
    let bed = empty();
    let before = "; ours\n[duo]\nikey = OLD\nskey = OLD ; note\nhost = old\nautopush = yes\n";
    bed.write(before);
    let run = set_up(&bed, &[]);
    assert_eq!(run.status, 1);
    assert!(run.stderr.contains("--force"), "{run:?}");
    assert_eq!(text(&bed.conf()), before);
    let run = set_up(&bed, &["--force"]);
    assert_eq!(run.status, 0, "{run:?}");
    let after = text(&bed.conf());
    assert!(after.starts_with("; ours\n[duo]\nikey = DISIM"), "{after}");
    assert!(after.contains("\nautopush = yes\n") && !after.contains("OLD"));
    let copies = backups(&bed);
    assert_eq!(copies.len(), 1);
    assert_eq!(
        (text(&copies[0]).as_str(), mode_of(&copies[0])),
        (before, 0o600)
    );
    assert!(run.stdout.contains(&copies[0].display().to_string()));
}

#[test]
fn a_file_that_others_can_read_is_mended_with_force() {
    let bed = empty();
    set_up(&bed, &[]);
    bed.mode(0o644);
    assert_eq!(set_up(&bed, &[]).status, 1);
    assert_eq!(set_up(&bed, &["--force"]).status, 0);
    assert_eq!(mode_of(&bed.conf()), 0o600);
}

#[test]
fn keys_that_duo_does_not_take_are_not_written() {
    let bed = empty();
    let wrong = "x".repeat(40);
    let result = run(command(&bed, &["--skey-file", "-"]).arg("--force"), &wrong);
    assert_eq!(result.status, 1);
    assert!(result.stderr.contains("40103") && result.stderr.contains("nothing was written"));
    assert!(!result.all().contains(&wrong) && !bed.conf().exists());
    // No copy of the existing file is left, either.
    bed.write("[duo]\n");
    let result = run(
        command(&bed, &["--skey-file", "-", "--force"]).arg("--json"),
        &wrong,
    );
    assert_eq!((result.status, text(&bed.conf()).as_str()), (1, "[duo]\n"));
    assert!(backups(&bed).is_empty());
    let result = run(
        &mut command(&bed, &["--skey-file", "-", "--force", "--no-check"]),
        &wrong,
    );
    assert_eq!(result.status, 0, "{result:?}");
    assert!(text(&bed.conf()).contains(&wrong));
}

#[test]
fn at_a_terminal_the_rest_is_asked_for_and_the_secret_key_is_not_shown() {
    let bed = empty();
    let mut command = bed.command(&["setup"]);
    command.arg("--cafile").arg(bed.duo.ca_file());
    let mut terminal = Terminal::start(&command);
    terminal.expect("API hostname: ");
    terminal.line(&bed.duo.host());
    terminal.expect("Integration key: ");
    terminal.line(bed.duo.ikey());
    terminal.expect("Secret key (not shown): ");
    // A person types it after the question.
    std::thread::sleep(std::time::Duration::from_millis(300));
    terminal.line(bed.duo.skey());
    let finished = terminal.finish();
    assert_eq!(finished.status, 0, "{}", finished.transcript);
    assert!(finished.transcript.contains(bed.duo.ikey()));
    assert!(
        !finished.transcript.contains(bed.duo.skey()),
        "{}",
        finished.transcript
    );
    assert!(text(&bed.conf()).contains(bed.duo.skey()));
    // Again: Enter keeps the current value.
    let mut terminal = Terminal::start(&bed.command(&["setup"]));
    terminal.expect(&format!("API hostname [{}]: ", bed.duo.host()));
    terminal.line("");
    terminal.expect("Integration key [DISIMULATORSIMULATOR]: ");
    terminal.line("");
    terminal.expect("Secret key (not shown): ");
    std::thread::sleep(std::time::Duration::from_millis(300));
    terminal.line(bed.duo.skey());
    let finished = terminal.finish();
    assert!(
        finished.transcript.contains("has these values already"),
        "{}",
        finished.transcript
    );
}

#[test]
fn ctrl_c_at_the_secret_key_leaves_the_terminal_as_it_was() {
    let bed = empty();
    let mut command = Command::new("sh");
    command.args(["-c", "\"$@\"; echo \"over: $?\"; stty -a", "sh"]);
    command.arg(env!("CARGO_BIN_EXE_pamduo"));
    command
        .args(["setup", "--host", "h", "--ikey", "i", "--config"])
        .arg(bed.conf());
    let mut terminal = Terminal::start(&command);
    terminal.expect("Secret key (not shown): ");
    terminal.interrupt();
    terminal.expect("over: 130");
    terminal.expect(" icanon ");
    terminal.expect(" echo ");
    terminal.finish();
    assert!(!bed.conf().exists());
}

#[test]
fn the_secret_key_comes_from_a_file_too_and_never_from_the_command_line() {
    let bed = empty();
    let file = bed.folder.path().join("skey");
    fs::write(&file, format!("{}\n", bed.duo.skey())).unwrap();
    let mut command = command(&bed, &["--skey-file"]);
    assert_eq!(run(command.arg(&file), "").status, 0);
    assert!(text(&bed.conf()).contains(bed.duo.skey()));
    assert_eq!(run(&mut pamduo(&["setup", "--skey", "x"]), "").status, 2);
    let with_password = ["setup", "--http-proxy", "http://me:pw@proxy"];
    assert_eq!(run(&mut pamduo(&with_password), "").status, 2);
}

#[test]
fn what_is_missing_or_cannot_be_is_named() {
    let bed = empty();
    for (arguments, input, names) in [
        (
            &["--ikey", "i", "--skey-file", "-"] as &[&str],
            "s",
            "--host is missing",
        ),
        (
            &["--host", "h", "--skey-file", "-"],
            "s",
            "--ikey is missing",
        ),
        (
            &["--host", "h", "--ikey", "i"],
            "s",
            "--skey-file is missing",
        ),
        (
            &["--host", "h", "--ikey", "i", "--skey-file", "-"],
            "",
            "the secret key is empty",
        ),
        (
            &["--host", "h", "--ikey", "i", "--skey-file", "-"],
            "a b",
            "holds a blank",
        ),
        (
            &["--host", "h", "--ikey", "i\u{7}", "--skey-file", "-"],
            "s",
            "holds a blank",
        ),
    ] {
        let mut command = bed.command(&["setup"]);
        let result = run(command.args(arguments), input);
        assert_eq!(result.status, 2, "{result:?}");
        assert!(result.stderr.contains(names), "{names}: {result:?}");
    }
    let url = ["--host", "https://h", "--ikey", "i", "--skey-file", "-"];
    let result = run(bed.command(&["setup"]).args(url), "s");
    assert_eq!(result.status, 1);
    assert!(result.stderr.contains("is a URL") && !bed.conf().exists());
}

#[test]
fn a_link_in_the_files_place_is_left_alone() {
    let bed = empty();
    let target = bed.folder.path().join("elsewhere");
    fs::write(&target, "[duo]\n").unwrap();
    symlink(&target, bed.conf()).unwrap();
    assert_eq!(set_up(&bed, &["--force"]).status, 1);
    assert_eq!(text(&target), "[duo]\n");
}

#[test]
fn json_says_what_was_written() {
    let bed = empty();
    let json = set_up(&bed, &["--json"]).json();
    assert_eq!(json["written"], true);
    assert!(json["backup"].is_null() && json["module"].as_str().unwrap().contains("conf="));
}

/// Its groups and failmode would be lost.
#[test]
fn a_file_that_is_not_trusted_is_not_replaced() {
    let bed = empty();
    let before = "[duo]\nfailmode = secure\ngroups = staff\n";
    fs::write(bed.conf(), before).unwrap();
    fs::set_permissions(bed.conf(), fs::Permissions::from_mode(0o664)).unwrap();
    let run = set_up(&bed, &["--force", "--no-check"]);
    assert_eq!(run.status, 1, "{run:?}");
    assert!(
        run.all()
            .contains("is not trusted, so its settings would be lost"),
        "{run:?}"
    );
    assert!(run.all().contains("chmod 600"), "{run:?}");
    assert_eq!(text(&bed.conf()), before);
}
