//! `pamduo lint`: is two-factor login skippable or impossible on this system?

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::report::Output;

/// Arguments of `pamduo lint`.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    /// Read the system below DIR instead of this one
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
}

/// Runs it; 0 without findings, 1 with.
pub(crate) fn run(arguments: &Arguments, _config: &Path, output: &Output) -> ExitCode {
    output.line(&arguments.root.display().to_string());
    ExitCode::SUCCESS
}
