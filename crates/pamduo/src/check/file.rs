//! The step `file`: owner, mode, syntax, keys and values.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

use duo_auth::clean;
use duo_auth::net::trust::may_be_changed_by_others;
use duo_login::config::ConfigFault;
use duo_login::config::file::{FileFault, read_trusted};
use duo_login::config::{Config, Failmode, Finding, Reading, read};
use duo_login::outcome::Fault;
use nix::unistd::{Group, Uid, User};

use super::logins::Obstacle;
use super::problem::Problem;
use super::step::Step;
use crate::finding::Place;

/// What the file says.
#[derive(Default)]
pub(super) struct Said {
    /// The configuration, if it can be used.
    pub(super) config: Option<Config>,
    /// Its `failmode`. A file that is not trusted says nothing.
    pub(super) failmode: Option<Failmode>,
}

/// Reads the file and says what is wrong with it.
pub(super) fn step(path: &Path) -> (Step, Said) {
    Step::timed("file", |step| {
        step.say(path.display().to_string());
        let file = match read_trusted(path) {
            Ok(file) => file,
            Err(fault) => {
                refuse(step, path, &fault);
                step.stops_logins(Obstacle::of_file(path, &fault));
                return Said::default();
            }
        };
        let owner_and_mode = describe(path);
        let reading = read(&file.text);
        step.say(format!(
            "{owner_and_mode}, failmode {}",
            failmode(reading.failmode)
        ));
        if file.readable_by_others {
            step.find_at(
                Place::whole(path),
                Problem::FileReadable,
                "others may read the file, and so the secret key",
                format!(
                    "chmod 600 {}, and make a new secret key in Duo's Admin Panel if others \
                     have accounts here",
                    path.display()
                ),
            );
        }
        Said {
            failmode: reading.failmode,
            config: judge(step, path, reading),
        }
    })
}

/// Why the file cannot be read or is not trusted.
fn refuse(step: &mut Step, path: &Path, fault: &FileFault) {
    let shown = path.display();
    let (problem, fix) = match fault {
        FileFault::Io(error) if error.kind() == ErrorKind::NotFound => {
            step.find_at(
                Place::whole(path),
                Problem::FileMissing,
                "there is no such file",
                "run pamduo setup, which writes it",
            );
            return;
        }
        FileFault::Io(error) if error.kind() == ErrorKind::PermissionDenied => (
            Problem::FileUnreadable,
            "run pamduo as root: the file holds a secret".to_owned(),
        ),
        FileFault::Io(_) => (
            Problem::FileUnreadable,
            "check the file and its disk".to_owned(),
        ),
        FileFault::NotRegular => (
            Problem::FileNotRegular,
            "replace it by a regular file; pamduo setup writes one".to_owned(),
        ),
        FileFault::ForeignOwner(_) => (
            Problem::FileOwner,
            format!("check its contents, then chown root: {shown}"),
        ),
        FileFault::WritableByOthers(_) => (
            Problem::FileWritable,
            format!("check its contents, then chmod 600 {shown}"),
        ),
        FileFault::TooLarge => (
            Problem::FileTooLarge,
            "check whether it is the right file".to_owned(),
        ),
    };
    step.find_at(Place::whole(path), problem, fault.to_string(), fix);
}

/// Owner and mode of the file.
fn describe(path: &Path) -> String {
    let Ok(status) = fs::metadata(path) else {
        return "owner and mode unknown".to_owned();
    };
    let owner = match User::from_uid(Uid::from_raw(status.uid())) {
        Ok(Some(user)) => duo_login::messages::name(&user.name),
        _ => format!("user id {}", status.uid()),
    };
    format!("owner {owner}, mode {:04o}", status.mode() & 0o7777)
}

fn failmode(failmode: Option<Failmode>) -> &'static str {
    match failmode {
        None => "not set",
        Some(Failmode::Safe) => "safe",
        Some(Failmode::Secure) => "secure",
    }
}

/// What the file's text says; the configuration, if it can be used.
fn judge(step: &mut Step, path: &Path, reading: Reading) -> Option<Config> {
    let shown = path.display();
    for finding in &reading.findings {
        let (problem, fix) = match finding {
            Finding::NotUnderstood { .. } => {
                (Problem::FileSyntax, "write key = value, or remove the line")
            }
            Finding::UnknownKey { .. } => (
                Problem::FileUnknownKey,
                "correct the key or remove it; pam_duo.conf(5) lists all keys",
            ),
            Finding::BadValue { .. } => (Problem::FileBadValue, "write an accepted value"),
            Finding::Clamped { .. } => (Problem::FileOutOfRange, "write a number in the range"),
            Finding::WithoutEffect { .. } => (Problem::FileWithoutEffect, "remove it"),
            Finding::Swallowed { .. } => (Problem::FileSwallowed, "remove the blanks before it"),
        };
        let place = Place::line(path, finding.line());
        step.find_at(place, problem, finding.describe(&shown), fix);
    }
    match reading.config {
        Ok(config) => {
            if let Some(cafile) = config.cafile.as_deref() {
                if may_be_changed_by_others(cafile) {
                    let place = Place::whole(cafile);
                    let cafile = cafile.display();
                    step.find_at(
                        place,
                        Problem::FileCaFile,
                        format!("users other than root may change {cafile}, and then pose as Duo"),
                        format!("chown root: {cafile}; chmod 644 {cafile}"),
                    );
                }
            }
            for name in config.groups.names() {
                if matches!(Group::from_name(name), Ok(None)) {
                    step.say(format!(
                        "no group on this machine is named '{}' (groups)",
                        clean(name)
                    ));
                }
            }
            Some(config)
        }
        Err(fault) => {
            step.stops_logins(Obstacle::Fault(Fault::Config(fault.clone())));
            let (problem, fix) = match &fault {
                ConfigFault::BadHost(_) => (
                    Problem::FileBadHost,
                    "copy the API hostname from Duo's Admin Panel",
                ),
                // Reported above, with its line.
                ConfigFault::Trust(_) | ConfigFault::BadProxy(_) => return None,
                ConfigFault::NoVerify => (
                    Problem::FileNoVerify,
                    "remove noverify; cafile says which certificates to trust",
                ),
                _ => (
                    Problem::FileMissingKeys,
                    "run pamduo setup, or copy the three from Duo's Admin Panel",
                ),
            };
            step.find_at(Place::whole(path), problem, fault.to_string(), fix);
            None
        }
    }
}
