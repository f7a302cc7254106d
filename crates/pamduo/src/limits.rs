//! `pamduo limits`: for whom pushes and calls are counted or closed, and how to open them again.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use duo_auth::clean;
use duo_login::config::file::read_trusted;
use duo_login::config::{Key, read};
use duo_login::state::boot_time;
use duo_login::state::folder::{Folder, FolderFault, RUN};
use duo_login::state::push_limit::{PushCounter, Remembered, everybody};
use percent_encoding::percent_decode_str;
use serde_json::{Value, json};

use crate::report::Output;

/// Arguments of `pamduo limits`.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Arguments {
    /// Forget what is counted of this Duo user
    #[arg(long, value_name = "USER")]
    reset: Option<String>,
}

const EXAMPLES: &str = "\
Pushes and calls of one user that nobody approved are counted for 10 minutes
(push_limit). Where they are closed, passcodes are still taken. Needs root.

Examples:
  pamduo limits
  pamduo limits --reset alice";

/// Runs it; 1 if the state cannot be read or written.
pub(crate) fn run(arguments: &Arguments, config: &Path, output: &Output) -> ExitCode {
    match limits(arguments, config, output) {
        Ok(()) => ExitCode::SUCCESS,
        Err(fault) => {
            output.error(&format!("{fault}; run pamduo as root"));
            ExitCode::FAILURE
        }
    }
}

fn limits(arguments: &Arguments, config: &Path, output: &Output) -> Result<(), FolderFault> {
    let limit = push_limit(config);
    let now = boot_time::now().unwrap_or_default();
    let folder = Folder::open(Path::new(RUN))?;
    if let Some(user) = &arguments.reset {
        PushCounter::new(folder, user, limit, "pamduo").reset(now)?;
        if output.json {
            output.value(json!({"reset": user}));
        } else {
            output.line(&format!(
                "Forgotten: what was counted of '{}'.",
                clean(user)
            ));
        }
        return Ok(());
    }
    let all = everybody(&folder, now, limit)?;
    if output.json {
        let users: Vec<Value> = all.iter().map(value).collect();
        output.value(json!({"push_limit": limit, "users": users}));
    } else if all.is_empty() {
        output.line("No push or call is waiting for an approval.");
    } else {
        for remembered in &all {
            output.line(&line(remembered));
        }
    }
    Ok(())
}

/// `push_limit` of the configuration; the default where it cannot be read.
fn push_limit(config: &Path) -> usize {
    let of_file = read_trusted(config)
        .ok()
        .and_then(|file| read(&file.text).config.ok())
        .map(|config| config.push_limit.map_or(usize::MAX, usize::from));
    let default = || Key::named("push_limit").and_then(|key| key.default.parse().ok());
    of_file.or_else(default).unwrap_or(usize::MAX)
}

fn name(remembered: &Remembered) -> String {
    let name = percent_decode_str(&remembered.user).decode_utf8_lossy();
    clean(&name)
}

fn minutes(time: Duration) -> u64 {
    time.as_secs().div_ceil(60)
}

fn line(remembered: &Remembered) -> String {
    let standing = remembered.standing;
    let state = if standing.closed {
        format!(
            "closed for {} min; passcodes are taken",
            minutes(standing.for_another)
        )
    } else {
        "open".to_owned()
    };
    format!(
        "{}: {} not approved within 10 min, {state}",
        name(remembered),
        standing.open
    )
}

fn value(remembered: &Remembered) -> Value {
    json!({
        "user": name(remembered),
        "not_approved": remembered.standing.open,
        "closed": remembered.standing.closed,
        "closed_for_seconds": remembered.standing.for_another.as_secs(),
    })
}
