//! `--help`, the man page, completions, and usage errors.

use std::fs;

use crate::test_bed::{pamduo, run};

const SUBCOMMANDS: [&str; 6] = ["check", "limits", "login", "lint", "setup", "support"];

#[test]
fn help_fits_a_screen_and_has_examples() {
    let all = SUBCOMMANDS.iter().chain([&"generate", &"--help"]);
    for subcommand in all {
        let help = run(&mut pamduo(&[subcommand, "--help"]), "").stdout;
        assert!(help.lines().count() <= 24, "{help}");
        for line in help.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        assert!(help.contains("Example"), "{help}");
    }
}

#[test]
fn every_subcommand_takes_the_file_and_json() {
    for subcommand in SUBCOMMANDS {
        let help = run(&mut pamduo(&[subcommand, "--help"]), "").stdout;
        assert!(
            help.contains("--config <FILE>") && help.contains("--json"),
            "{help}"
        );
    }
}

#[test]
fn usage_errors_are_told_apart_from_findings() {
    for arguments in [
        &[] as &[&str],
        &["chek"],
        &["check", "--colour"],
        &["login"],
        &["generate"],
        &["check", "--config"],
    ] {
        let run = run(&mut pamduo(arguments), "");
        assert_eq!(run.status, 2, "{arguments:?} {run:?}");
    }
    assert!(run(&mut pamduo(&["chek"]), "").stderr.contains("'check'"));
    assert_eq!(run(&mut pamduo(&["--version"]), "").status, 0);
}

#[test]
fn the_man_page_has_every_subcommand_and_its_options() {
    let page = run(&mut pamduo(&["generate", "man"]), "").stdout;
    assert!(page.contains(".TH pamduo 8"), "{page}");
    for subcommand in SUBCOMMANDS {
        assert!(
            page.contains(&format!(".SS \"pamduo {subcommand}\"")),
            "{page}"
        );
    }
    for section in [
        "JSON",
        "EXAMPLES",
        "FILES",
        "\"EXIT STATUS\"",
        "\"SEE ALSO\"",
    ] {
        assert!(
            page.contains(&format!(".SH {section}")),
            "{section} in {page}"
        );
    }
    assert!(page.contains("\\-\\-skey\\-file") && !page.contains("generate"));
    for field in ["id", "severity", "message", "fix", "where"] {
        assert!(page.contains(&format!(" {field} ")) || page.contains(&format!(" {field}:")));
    }
}

#[test]
fn completions_are_made_for_each_shell() {
    let folder = tempfile::tempdir().unwrap();
    for (shell, file) in [
        ("bash", "pamduo.bash"),
        ("zsh", "_pamduo"),
        ("fish", "pamduo.fish"),
        ("man", "pamduo.8"),
    ] {
        let printed = run(&mut pamduo(&["generate", shell]), "");
        let output = folder.path().join("out");
        let mut command = pamduo(&["generate", shell, "--output"]);
        assert_eq!(run(command.arg(&output), "").status, 0);
        let written = fs::read_to_string(output.join(file)).unwrap();
        assert!(written == printed.stdout && written.contains("support"));
    }
}
