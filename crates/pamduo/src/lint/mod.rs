//! `pamduo lint`: can two-factor login be skipped on this system, or is it impossible?
//!
//! Files in, findings out: [`pam`] and [`sshd`] read what the system has below a [`tree`], as libpam
//! and sshd do, and `findings` says what is wrong and what to write instead.

pub(crate) mod findings;
mod pam;
mod sshd;
mod tree;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;

use self::findings::{Report, Settings, ids};
use self::tree::Tree;
use crate::report::Output;

/// Arguments of `pamduo lint`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Examine the system below DIR
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// List what is looked for
    #[arg(long)]
    list: bool,
}

const EXAMPLES: &str = "\
Reads /etc/pam.d and sshd_config with what they include, walks each stack that
holds the module, and prints a path that gets in without Duo if there is one.

Examples:
  pamduo lint
  pamduo lint --root /srv/image --json
  pamduo lint --list";

/// Runs it; 0 without findings, 1 with, 2 if there is no such folder.
pub(crate) fn run(arguments: &Arguments, config: &Path, output: &Output) -> ExitCode {
    if arguments.list {
        list(output);
        return ExitCode::SUCCESS;
    }
    if !arguments.root.is_dir() {
        output.error(&format!("{} is not a folder", arguments.root.display()));
        return ExitCode::from(2);
    }
    if !nix::unistd::geteuid().is_root() {
        output.error("not run as root: files that cannot be read are not judged");
    }
    let report = report(&arguments.root, config, output);
    if output.json {
        output.value(report.json());
    } else {
        output.line(&report.text(output.colour));
    }
    ExitCode::from(u8::from(!report.findings.is_empty()))
}

/// Prints what is looked for.
fn list(output: &Output) {
    if output.json {
        let all = ids::ALL.iter();
        let all = all.map(|(name, meaning)| ((*name).to_owned(), Value::from(*meaning)));
        output.value(all.collect());
        return;
    }
    for (name, meaning) in ids::ALL {
        output.line(&format!("{name:<26} {meaning}"));
    }
}

/// Judges the system below `root`; `config` is the module's configuration there, for lines that name
/// no other. `output` then hides the secrets of every configuration file that was found.
pub(crate) fn report(root: &Path, config: &Path, output: &Output) -> Report {
    let tree = Tree::new(root);
    let mut report = Report::default();
    let config = if config.is_relative() && root == Path::new("/") {
        std::path::absolute(config).unwrap_or_else(|_| config.to_owned())
    } else {
        config.to_owned()
    };
    if let Some(duo) = findings::services::judge(&tree, &config, &mut report) {
        let settings = Settings::read(&tree, &duo, &config);
        findings::sshd::judge(&tree, settings, &mut report);
    }
    report.sort();
    for path in report.configurations.iter().chain([&config]) {
        if let Ok(path) = tree.locate(path) {
            output.hide_file(&path);
        }
    }
    report
}
