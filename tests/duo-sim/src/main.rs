//! `duo-sim`: the simulator for people.

use std::fs;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use duo_sim::{Options, Scenario, Simulator};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

/// Simulates Duo's Auth API v2, so that pam_duo can be tried without a Duo account.
#[derive(Parser)]
#[command(version, after_long_help = HELP)]
#[allow(clippy::doc_markdown)] // it is the text of --help
struct Arguments {
    /// What the simulator does (TOML); without it, user alice approves every push and has passcode
    /// 123456
    #[arg(long, value_name = "FILE")]
    scenario: Option<PathBuf>,
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Answer look-ups of any name with the address of --listen, as a nameserver of
    /// /etc/resolv.conf does
    #[arg(long, value_name = "ADDRESS:PORT")]
    dns: Option<SocketAddr>,
    /// Print a ready pam_duo.conf on standard output
    #[arg(long)]
    print_config: bool,
    /// Where ca.pem goes; a fresh folder that is removed at the end, if not given
    #[arg(long, value_name = "DIR")]
    directory: Option<PathBuf>,
    /// Append one line of JSON for each request
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Write the address into a file once the simulator listens
    #[arg(long, value_name = "FILE")]
    ready_file: Option<PathBuf>,
    /// Do not print requests on standard error
    #[arg(long)]
    quiet: bool,
}

const HELP: &str = include_str!("help.txt");

fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = writeln!(io::stderr(), "duo-sim: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let scenario = match &arguments.scenario {
        None => Scenario::default(),
        Some(path) => {
            let text = fs::read_to_string(path)
                .map_err(|error| format!("cannot read {}: {error}", path.display()))?;
            Scenario::from_toml(&text).map_err(|error| format!("{}: {error}", path.display()))?
        }
    };
    // Before the simulator starts, so that no signal is missed.
    let mut signals = Signals::new([SIGINT, SIGTERM])?;
    let simulator = Simulator::start(
        scenario,
        Options {
            listen: arguments.listen,
            directory: arguments.directory,
            record: arguments.record,
            dns: arguments.dns,
            verbose: !arguments.quiet,
        },
    )?;
    if arguments.print_config {
        let mut out = io::stdout();
        out.write_all(simulator.config().as_bytes())?;
        out.flush()?;
    }
    if let Some(path) = &arguments.ready_file {
        // Renamed into place, so that whoever waits for it never reads half of it.
        let fresh = path.with_extension("new");
        fs::write(&fresh, format!("{}\n", simulator.address()))?;
        fs::rename(&fresh, path)?;
    }
    if !arguments.quiet {
        writeln!(
            io::stderr(),
            "duo-sim: listening on {}",
            simulator.address()
        )?;
    }
    signals.forever().next();
    drop(simulator);
    Ok(())
}
