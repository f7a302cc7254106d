//! The section with the module's log lines.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::Path;

use super::anonymous::Names;
use super::versions::run;

/// How many lines are kept.
const MOST: usize = 200;
/// How much of the end of a file is read, in bytes.
const TAIL: u64 = 4 * 1024 * 1024;
/// Where distributions keep the log.
const FILES: [&str; 2] = ["/var/log/auth.log", "/var/log/secure"];

/// The section: from `log`, or from the system's log.
pub(super) fn text(log: Option<&Path>) -> String {
    let (source, text) = match log {
        Some(path) => (path.display().to_string(), tail(path)),
        None => system_log(),
    };
    let text = match text {
        Ok(text) => text,
        Err(error) => return format!("{source}: {error}"),
    };
    let mut names = Names::default();
    let lines: Vec<&str> = text
        .lines()
        .filter(|line| line.contains("pam_duo("))
        .collect();
    let skipped = lines.len().saturating_sub(MOST);
    let mut all = vec![format!("{source}: {} lines", lines.len() - skipped)];
    all.extend(lines.iter().skip(skipped).map(|line| names.reduce(line)));
    all.join("\n")
}

fn system_log() -> (String, io::Result<String>) {
    for path in FILES {
        if let Ok(text) = tail(Path::new(path)) {
            return (path.to_owned(), Ok(text));
        }
    }
    let arguments = [
        "-q",
        "--no-pager",
        "-o",
        "short-iso",
        "-n",
        "5000",
        "SYSLOG_FACILITY=10",
    ];
    let text = run("/usr/bin/journalctl", &arguments);
    (
        "journalctl".to_owned(),
        text.ok_or_else(|| io::ErrorKind::NotFound.into()),
    )
}

/// The end of a file.
fn tail(path: &Path) -> io::Result<String> {
    if !path.metadata()?.is_file() {
        return Err(io::Error::other("not a regular file"));
    }
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(TAIL)))?;
    let mut bytes = Vec::new();
    file.take(TAIL).read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
