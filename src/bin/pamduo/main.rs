//! `pamduo`: know that Duo login works before it can lock anyone out.

mod lint;
mod report;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Checks a Duo login before it can lock anyone out
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    /// Configuration of the module
    #[arg(long, global = true, value_name = "FILE", default_value = pam_duo::config::DEFAULT_PATH)]
    config: PathBuf,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

/// What can be asked of `pamduo`.
#[derive(Subcommand)]
enum Command {
    /// Is two-factor login skippable or impossible on this system?
    Lint(lint::Arguments),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = report::Output::new(cli.json);
    match cli.command {
        Command::Lint(arguments) => lint::run(&arguments, &cli.config, &output),
    }
}
