//! `pamduo`: checks a Duo login before it can lock anyone out.

mod check;
mod date;
mod finding;
mod generate;
mod limits;
mod lint;
mod login;
mod private_file;
mod report;
mod secrets;
mod setup;
mod support;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser, Subcommand};

/// Checks a Duo login before it can lock anyone out
#[derive(Parser)]
#[command(name = "pamduo", version, max_term_width = 100, after_help = EXAMPLES)]
struct Cli {
    /// Configuration
    #[arg(long, global = true, value_name = "FILE", default_value = duo_login::config::DEFAULT_PATH)]
    config: PathBuf,
    /// Print JSON
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

const EXAMPLES: &str = "\
Examples:
  pamduo setup          Write the configuration, asking for what it needs
  pamduo check          Try it, step by step
  pamduo login alice    Try alice's login, with her phone and without PAM
Exit status: 0 without findings, 1 with findings, 2 for usage errors.";

/// The subcommands.
#[derive(Subcommand)]
enum Command {
    /// Is the configuration right, and does Duo accept it?
    Check(check::Arguments),
    /// Would this user get in? A whole login without PAM
    Login(login::Arguments),
    /// Is two-factor login skippable or impossible on this system?
    Lint(lint::Arguments),
    /// For whom are pushes closed? Open them again
    Limits(limits::Arguments),
    /// Write the configuration file
    Setup(setup::Arguments),
    /// Collect what a bug report needs, without secrets
    Support(support::Arguments),
    /// Print the man page or completions, for packaging
    #[command(hide = true)]
    Generate(generate::Arguments),
}

fn main() -> ExitCode {
    let cli = Cli::parse();
    let output = report::Output::new(cli.json, &cli.config);
    match cli.command {
        Command::Check(_) => check::run(&cli.config, &output),
        Command::Login(arguments) => login::run(&arguments, &cli.config, &output),
        Command::Lint(arguments) => lint::run(&arguments, &cli.config, &output),
        Command::Limits(arguments) => limits::run(&arguments, &cli.config, &output),
        Command::Setup(arguments) => setup::run(&arguments, &cli.config, &output),
        Command::Support(arguments) => support::run(&arguments, &cli.config, &output),
        Command::Generate(arguments) => generate::run(&arguments, Cli::command(), &output),
    }
}
