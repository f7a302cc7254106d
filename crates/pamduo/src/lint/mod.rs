//! `pamduo lint`: is two-factor login skippable or impossible on this system?
//!
//! Files in, findings out: [`pam`] and [`sshd`] read, [`stack`] follows includes, [`walk`] tries
//! every path that PAM may take, and the `…findings` say what is wrong and what to write instead.

mod control;
mod findings;
mod glob;
pub(crate) mod ids;
mod module_file;
mod modules;
mod pam;
mod remedy;
mod settings;
mod sshd;
mod sshd_findings;
mod stack;
mod stack_findings;
mod tree;
mod walk;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

pub(crate) use findings::Report;
use settings::Settings;
use tree::Tree;

use crate::report::Output;

/// Arguments of `pamduo lint`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Read the system below DIR
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
        let root = arguments.root.display();
        let _ = writeln!(io::stderr(), "pamduo lint: {root} is no folder");
        return ExitCode::from(2);
    }
    if !nix::unistd::geteuid().is_root() {
        let _ = writeln!(
            io::stderr(),
            "pamduo lint: not run as root: what cannot be read is not judged"
        );
    }
    let report = report(&arguments.root, config);
    if output.json {
        output.line(&format!("{:#}", report.to_json()));
    } else {
        output.line(&report.to_text(output.colour));
    }
    ExitCode::from(u8::from(!report.findings.is_empty()))
}

/// Prints what is looked for.
fn list(output: &Output) {
    if output.json {
        let all: serde_json::Map<_, _> = ids::all()
            .map(|(name, meaning)| (name.to_owned(), meaning.into()))
            .collect();
        output.value(&all.into());
        return;
    }
    for (name, meaning) in ids::all() {
        output.line(&format!("{name:<26} {meaning}"));
    }
}

/// Judges the system below `root`; `config` is the module's configuration there, for lines that
/// name no other.
pub(crate) fn report(root: &Path, config: &Path) -> Report {
    let tree = Tree::new(root);
    let mut report = Report::default();
    let config = if config.is_relative() && root == Path::new("/") {
        std::path::absolute(config).unwrap_or_else(|_| config.to_owned())
    } else {
        config.to_owned()
    };
    if let Some(duo) = stack_findings::judge(&tree, &config, &mut report) {
        let settings = Settings::read(&tree, &duo, &config);
        sshd_findings::judge(&tree, settings, &mut report);
    }
    report
        .findings
        .sort_by(|a, b| (a.severity, &a.place, a.id).cmp(&(b.severity, &b.place, b.id)));
    report
}
