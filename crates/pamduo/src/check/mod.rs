//! `pamduo check`: is the configuration right, and does Duo accept it? In the steps of a login;
//! a step is skipped if one that it depends on has failed.

mod certificate;
mod connection;
mod duo;
mod file;
mod logins;
mod problem;
mod proxy;
mod step;
mod tls;

use std::path::Path;
use std::process::ExitCode;

use duo_auth::net::trust;
use duo_login::config::Config;
use serde_json::{Value, json};

use self::connection::Target;
use self::logins::Logins;
use self::problem::Problem;
pub(crate) use self::step::{Status, Step};
use crate::report::{GREEN, Output, RED};

/// Arguments of `pamduo check`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {}

const EXAMPLES: &str = "\
Steps: file, dns, tcp, proxy (if one is set), tls, clock, signature, signatures.
Each shows its result and what to do. The last lines say what happens to logins
now, in programs that root starts (sshd, login) and that users start (sudo, su),
if their PAM line has no failmode=. Nobody's phone rings; no secret is shown.

Examples:
  pamduo check
  pamduo check --config /etc/security/pam_duo.conf --json";

/// Runs it; 0 without findings, 1 with.
pub(crate) fn run(config: &Path, output: &Output) -> ExitCode {
    let mut steps = Vec::new();
    let logins = run_steps(config, &mut |step| {
        if !output.json {
            for line in step.lines(output, output.colour) {
                output.line(&line);
            }
        }
        steps.push(step);
    });
    let findings: usize = steps.iter().map(Step::findings).sum();
    if output.json {
        let steps: Vec<Value> = steps.iter().map(Step::json).collect();
        output.value(json!({ "steps": steps, "logins": logins.json() }));
    } else {
        output.line("");
        output.line(&summary(findings, output));
        for line in logins_lines(&logins, output) {
            output.line(&line);
        }
    }
    if findings == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

/// How many findings there are.
fn summary(findings: usize, output: &Output) -> String {
    match findings {
        0 => output.paint(GREEN, "No findings: Duo can be asked."),
        1 => output.paint(RED, "1 finding."),
        more => output.paint(RED, &format!("{more} findings.")),
    }
}

/// What happens to logins now.
fn logins_lines(logins: &Logins, output: &Output) -> Vec<String> {
    const TITLE: &str = "Logins now: ";
    let lines = output.wrap(&logins.text(), TITLE.len()).into_iter();
    let titles = std::iter::once(TITLE).chain(std::iter::repeat(""));
    titles
        .zip(lines)
        .map(|(title, line)| format!("{title:width$}{line}", width = TITLE.len()))
        .collect()
}

/// All steps as lines of text without colours, for other subcommands.
pub(crate) fn text(config: &Path, output: &Output) -> String {
    let mut lines = Vec::new();
    let logins = run_steps(config, &mut |step| lines.extend(step.lines(output, false)));
    lines.extend(logins_lines(&logins, output));
    lines.join("\n")
}

/// Calls `done` with each step when it is over; returns what happens to logins.
fn run_steps(path: &Path, done: &mut dyn FnMut(Step)) -> Logins {
    let mut met = None;
    let mut keep = |step: Step| {
        met = met.take().or_else(|| step.obstacle().cloned());
        done(step);
    };
    let (step, said) = file::step(path);
    keep(step);
    match &said.config {
        Some(config) => run_connection(config, &mut keep),
        None => skip(&["dns", "tcp", "tls"], "file", &mut keep),
    }
    Logins::new(said.failmode, said.config.as_ref(), met)
}

/// The steps after `file`: the connection to Duo and what Duo says.
pub(crate) fn run_connection(config: &Config, done: &mut dyn FnMut(Step)) {
    let proxy = config.http_proxy.as_ref();
    let duo = Target::of_host(&config.application.host);
    let limit = config.https_timeout;
    // With a proxy, the proxy looks up Duo's name.
    let first = match proxy {
        Some(proxy) => Target {
            name: proxy.bare_name().to_owned(),
            port: proxy.port(),
        },
        None => duo.clone(),
    };
    let rest: &[&'static str] = if proxy.is_some() {
        &["tcp", "proxy", "tls"]
    } else {
        &["tcp", "tls"]
    };
    let (step, addresses) = connection::dns(&first, proxy.is_some(), limit);
    done(step);
    if addresses.is_empty() {
        return skip(rest, "dns", done);
    }
    let (step, stream) = connection::tcp(&addresses, proxy.is_some(), limit);
    done(step);
    let Some(mut stream) = stream else {
        return skip(rest.get(1..).unwrap_or_default(), "tcp", done);
    };
    if let Some(proxy) = proxy {
        let (step, connected) = proxy::through(&mut stream, proxy, &duo, limit);
        done(step);
        if !connected {
            return skip(&["tls"], "proxy", done);
        }
    }
    let (step, works) = Step::timed("tls", |step| match trust::store(config.cafile.as_deref()) {
        Ok(store) => tls::handshake(step, stream, &duo.name, &store, config),
        Err(error) => {
            let fix = match config.cafile {
                Some(_) => "correct cafile, or remove it: the system's trust store is then used",
                None => "install the package ca-certificates",
            };
            step.find(Problem::TlsNoStore, error.to_string(), fix);
            false
        }
    });
    done(step);
    if !works {
        return skip(&[], "tls", done);
    }
    duo::steps(config, done);
}

/// Reports `steps` and all steps after them as skipped.
fn skip(steps: &[&'static str], waits_for: &'static str, done: &mut dyn FnMut(Step)) {
    for id in steps.iter().chain(&["clock", "signature", "signatures"]) {
        done(Step::skipped(id, waits_for));
    }
}
