//! Reads and judges the configuration, and logs what is wrong with it.

use std::io;

use duo_auth::net::is_resource_exhaustion;

use crate::args::Arguments;
use crate::config::file::{FileFault, read_trusted};
use crate::config::{Config, ConfigFault, Failmode, Finding, read};
use crate::log::{Log, Severity};
use crate::outcome::Fault;

/// What the file says.
pub(crate) struct Loaded {
    /// The configuration, or why it cannot be used.
    pub(crate) config: Result<Config, Fault>,
    /// The file's `failmode`. A file that cannot be trusted says nothing.
    pub(crate) failmode: Option<Failmode>,
}

/// Reads the file that the arguments name.
pub(crate) fn load(arguments: &Arguments, log: &Log) -> Loaded {
    let path = arguments.conf.display();
    let file = match read_trusted(&arguments.conf) {
        Ok(file) => file,
        Err(fault) => {
            return Loaded {
                config: Err(not_read(arguments, &fault)),
                failmode: None,
            };
        }
    };
    if file.readable_by_others {
        log.line(
            Severity::Error,
            &format!("{path} must be readable only by user 'root'"),
        );
    }
    let reading = read(&file.text);
    for finding in &reading.findings {
        let severity = match finding {
            Finding::NotUnderstood { .. } | Finding::BadValue { .. } => Severity::Error,
            Finding::WithoutEffect { .. } => Severity::Info,
            _ => Severity::Warning,
        };
        log.line(severity, &finding.describe(&path));
    }
    Loaded {
        config: reading.config.map_err(Fault::Config),
        failmode: reading.failmode,
    }
}

/// Why the file was not read. What this machine lacks says nothing about the file.
fn not_read(arguments: &Arguments, fault: &FileFault) -> Fault {
    let path = arguments.conf.clone();
    let shown = path.display();
    let reason = match fault {
        FileFault::Io(error) if is_resource_exhaustion(error) => {
            return Fault::ResourceExhaustion(format!("Couldn't open {shown}: {}", plain(error)));
        }
        FileFault::Io(error) => plain(error),
        FileFault::WritableByOthers(_) | FileFault::ForeignOwner(_) => {
            format!("not trusted: {shown} must be readable only by user 'root': {fault}")
        }
        other => other.to_string(),
    };
    Fault::Config(ConfigFault::File { path, reason })
}

/// An I/O error without Rust's "(os error 2)".
fn plain(error: &io::Error) -> String {
    let text = error.to_string();
    match text.split_once(" (os error") {
        Some((words, _)) => words.to_owned(),
        None => text,
    }
}
